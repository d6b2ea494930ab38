"""Log likelihood of every claim in every draw, and what leaving each out would cost (PSIS-LOO: ArviZ)."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..build import claim_slack
from ..claim_error import location_and_scale
from ..fitted import Fit
from ..latent import latent, lookup
from ..reporting import log_probability, log_probability_with_slack


def log_likelihood(fit: Fit) -> np.ndarray:
    """Log probability of each claim as stated (chain, draw, claim), computed from the free parameters' draws."""
    data = {str(name): array.values for name, array in fit.draws["constant_data"].data_vars.items()}
    raw = {str(name): array.values for name, array in fit.draws["free"].data_vars.items()}
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
