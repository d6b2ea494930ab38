"""The same model without some claims: they are read as floors at next to nothing, and all else stays in place."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np

from ..drawing import draw
from ..errors import InputError, Problem
from ..fitted import Fit
from ..latent import latent, lookup
from ..rounding import FLOOR
from ..sampling import Settings

NOTHING = 1e-6


def data(fit: Fit) -> dict[str, np.ndarray]:
    """Arrays of the model that was fitted, by name."""
    return {str(name): np.asarray(array.values) for name, array in fit.draws["constant_data"].data_vars.items()}


def free(fit: Fit) -> dict[str, np.ndarray]:
    """Draws of the free parameters, each (chain, draw, ...)."""
    return {str(name): np.asarray(array.values) for name, array in fit.draws["free"].data_vars.items()}


def quantities(fit: Fit, raw: Mapping[str, np.ndarray], arrays: Mapping[str, np.ndarray]) -> dict[str, Any]:
    """Named quantities of ``latent`` for draws of the free parameters."""
    return latent(lookup(raw), arrays, fit.priors, fit.curve, fit.reporting)


def redrawn(fit: Fit, arrays: dict[str, np.ndarray]) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Draws of the free parameters with other data of the same shape, and the sampler's statistics.

    They are made as the fit's were; after an escalation with the usual target acceptance, as ``refit`` does.

    Raises
    ------
    InputError
        For a saved fit of an extended model, whose extension is not saved: fit it again.
    """
    if fit.extended and fit.compiled is None:
        do = "Fit it again with fit(..., model=...)."
        problem = Problem("argument", "", "fit", "a saved fit of an extended model", "a fit with its model", do)
        raise InputError("The extension is not saved with a fit", [problem])
    settings = fit.settings
    if fit.gate.get("escalated"):
        settings = dataclasses.replace(settings, target_accept=Settings.target_accept)
    return draw(fit, arrays, settings, False)


def without(arrays: Mapping[str, np.ndarray], rows: np.ndarray) -> dict[str, np.ndarray]:
    """Data in which these claims say nothing.

    Parameters
    ----------
    arrays
        Data of the model.
    rows : (row,)
        Positions of the claims to leave out.

    Notes
    -----
    The probability of a floor at next to nothing is 1. A source left without claims is measured from its prior again: where
    the sampler measures a source's effect from does not change the model.
    """
    left = {name: array.copy() for name, array in arrays.items()}
    left["claim_form"][rows] = FLOOR
    for name in ("claim_value", "claim_unit"):
        left[name][rows] = NOTHING
    left["claim_is_share"][rows] = 0.0
    if "claim_slack" in left:
        left["claim_slack"][rows] = 0.0
    stay = np.delete(left["claim_source"], rows)
    silent = ~np.isin(np.arange(len(left["anchor_scale"])), stay)
    for name in ("anchor_scale", "anchor_killed"):
        left[name][silent] = 0.0
    return left


def with_claims_of(arrays: Mapping[str, np.ndarray], original: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Data for draws made without some claims, with every claim speaking again as it did: to score what was left out."""
    spoken = ("claim_form", "claim_value", "claim_unit", "claim_is_share", "claim_slack")
    return {name: original[name] if name in spoken else array for name, array in arrays.items()}
