"""Log likelihood of every claim in every draw, and what leaving each out would cost (PSIS-LOO: ArviZ)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..build import claim_slack
from ..claim_error import location_and_scale
from ..drawing import draw
from ..fitted import Fit
from ..latent import latent, lookup
from ..reporting import log_probability, log_probability_with_slack
from ..rounding import FLOOR

NOTHING = 1e-6


def log_likelihood(fit: Fit) -> np.ndarray:
    """Log probability of each claim as stated (chain, draw, claim), computed from the free parameters' draws."""
    raw = {str(name): array.values for name, array in fit.draws["free"].data_vars.items()}
    return _pointwise(fit, raw, _data(fit))


def _data(fit: Fit) -> dict[str, np.ndarray]:
    return {str(name): array.values for name, array in fit.draws["constant_data"].data_vars.items()}


def _pointwise(fit: Fit, raw: Mapping[str, np.ndarray], data: Mapping[str, np.ndarray]) -> np.ndarray:
    q = latent(lookup(raw), data, fit.priors, fit.curve, fit.reporting)
    center, scale = location_and_scale(q, data, fit.reporting)
    form, unit, offset = (data[f"claim_{part}"] for part in ("form", "unit", "offset"))
    slack, share = claim_slack(q, data), data["claim_is_share"]
    value, errors = data["claim_value"], fit.reporting.errors
    if slack is None:
        return np.asarray(log_probability(value, center, scale, form, unit, offset, errors, np, share))
    origin = data["claim_origin"]
    return np.asarray(
        log_probability_with_slack(value, center, scale, form, unit, offset, errors, np, origin, slack, share)
    )


def leave_one_out(fit: Fit) -> Any:
    """Expected log predictive density, each claim left out in turn (``arviz.loo`` with pointwise values and Pareto k).

    Point claims enter by their density, rounded ones by their probability: compare fits of the same claims only.
    """
    import arviz as az
    import xarray as xr

    dims = ("chain", "draw", "claim")
    names = fit.draws["observed_data"]["claim"].values
    pointwise = xr.Dataset({"claims": (dims, log_likelihood(fit))}, {"claim": names})
    return az.loo(xr.DataTree.from_dict({"log_likelihood": pointwise, "posterior": fit.posterior}), pointwise=True)


def leave_one_out_by_refit(fit: Fit, claim_ids: Sequence[str], progress: bool | None = False) -> dict[str, float]:
    """Log predictive probability of claims, each from draws made without it: for those whose Pareto k is above 0.7.

    Parameters
    ----------
    fit
        The fit with everything.
    claim_ids
        Claims that entered the likelihood.
    progress
        As in ``fit``.

    Notes
    -----
    A claim is left out by reading it as a floor at next to nothing, whose probability is 1: everything else stays in place.
    """
    names = [str(name) for name in fit.seen.claims["claim_id"]]
    found = {}
    for claim_id in claim_ids:
        place = names.index(claim_id)
        data = _data(fit)
        without = {name: array.copy() for name, array in data.items()}
        without["claim_form"][place] = FLOOR
        for name in ("claim_value", "claim_unit"):
            without[name][place] = NOTHING
        without["claim_is_share"][place] = 0.0
        if "claim_slack" in without:
            without["claim_slack"][place] = 0.0
        raw, _ = draw(fit, without, fit.settings, progress)
        log_p = _pointwise(fit, raw, data)[..., place]
        found[claim_id] = float(np.logaddexp.reduce(log_p.ravel()) - np.log(log_p.size))
    return found
