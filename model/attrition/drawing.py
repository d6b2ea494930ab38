"""Draws of a fit's free parameters, by the kernel or by the user's own compiled model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from .build import coordinates
from .curves import Curve
from .fitted import Fit
from .priors import Priors
from .reporting import Reporting
from .sampling import Drawn, Settings, have_kernel, run, with_data

if TYPE_CHECKING:
    from .kernel.model import Added


def draw(fit: Fit, arrays: dict[str, np.ndarray], settings: Settings, progress: bool | None) -> Drawn:
    """Draw the free parameters of a fit's model given these data, with the fit's seed; nothing else of the fit is used.

    Returns
    -------
    (draws, stats)
        By name, each (chain, draw, ...).
    """
    seed = int(np.random.SeedSequence(fit.seed).spawn(2)[0].generate_state(1, np.uint32)[0])
    sizes = {dim: len(names) for dim, names in coordinates(fit.seen, fit.campaign).items()}
    added = None
    if fit.compiled is not None:
        compiled = with_data(fit.compiled, arrays)
        if fit.compiled.places is None:
            return run(compiled, settings, seed, progress)
        from .kernel.model import Added

        added = Added(compiled, fit.compiled.places, fit.compiled.reached)
    return draw_laid_out(arrays, sizes, fit.priors, fit.curve, fit.reporting, settings, seed, progress, added)


def draw_laid_out(
    arrays: Mapping[str, np.ndarray],
    sizes: Mapping[str, int],
    priors: Priors,
    curve: Curve,
    reporting: Reporting,
    settings: Settings,
    seed: int,
    progress: bool | None = False,
    added: Added | None = None,
) -> Drawn:
    """Draw the free parameters of a built-in model given its data, and of what a user added.

    Parameters
    ----------
    arrays, sizes, priors, curve, reporting
        As ``kernel.layout.lay_out`` takes them.
    settings, seed, progress
        As in ``sampling.run``.
    added
        What a user added to the model.

    Returns
    -------
    (draws, stats)
        By name, each (chain, draw, ...).
    """
    from threadpoolctl import threadpool_limits

    from .kernel.model import kernel_model  # the sampler is loaded when it is needed

    have_kernel(progress)
    with threadpool_limits(1, "blas"):  # the last bits of matrix algebra depend on the number of threads
        model = kernel_model(arrays, sizes, priors, curve, reporting, added)
        drawn, stats = run(model, settings, seed, progress)
    return model.named(drawn, seed), stats
