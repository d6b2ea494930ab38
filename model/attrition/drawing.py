"""Draws of a fit's free parameters, by the kernel or by the user's own compiled model."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from .build import coordinates
from .curves import Curve
from .fitted import Fit
from .priors import Priors
from .reporting import Reporting
from .sampling import Drawn, Settings, sample, sample_compiled


def draw(fit: Fit, arrays: dict[str, np.ndarray], settings: Settings, progress: bool | None) -> Drawn:
    """Draw the free parameters of a fit's model given these data, with the fit's seed; nothing else of the fit is used.

    Returns
    -------
    (draws, stats)
        By name, each (chain, draw, ...).
    """
    seed = int(np.random.SeedSequence(fit.seed).spawn(2)[0].generate_state(1, np.uint32)[0])
    if fit.compiled is not None:
        return sample_compiled(fit.compiled, arrays, settings, seed, progress)
    sizes = {dim: len(names) for dim, names in coordinates(fit.seen, fit.campaign).items()}
    return draw_laid_out(arrays, sizes, fit.priors, fit.curve, fit.reporting, settings, seed, progress)


def draw_laid_out(
    arrays: Mapping[str, np.ndarray],
    sizes: Mapping[str, int],
    priors: Priors,
    curve: Curve,
    reporting: Reporting,
    settings: Settings,
    seed: int,
    progress: bool | None = False,
) -> Drawn:
    """Draw the free parameters of a built-in model given its data.

    Parameters
    ----------
    arrays, sizes, priors, curve, reporting
        As ``kernel.layout.lay_out`` takes them.
    settings, seed, progress
        As in ``sampling.sample``.

    Returns
    -------
    (draws, stats)
        By name, each (chain, draw, ...).
    """
    from threadpoolctl import threadpool_limits

    from .kernel.model import kernel_model  # the sampler is loaded when it is needed

    with threadpool_limits(1, "blas"):  # the last bits of matrix algebra depend on the number of threads
        return sample(kernel_model(arrays, sizes, priors, curve, reporting), settings, seed, progress)
