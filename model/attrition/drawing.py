"""Draws of a fit's free parameters, by the kernel or by the user's own compiled model."""

from __future__ import annotations

import numpy as np

from .build import coordinates
from .fitted import Fit
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
    from .kernel.model import kernel_model  # the sampler is loaded when it is needed

    return sample(kernel_model(arrays, sizes, fit.priors, fit.curve, fit.reporting), settings, seed, progress)
