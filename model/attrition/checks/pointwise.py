"""Log likelihood of every claim in every draw, and what leaving each out would cost (PSIS-LOO: ArviZ)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..build import claim_slack
from ..claim_error import location_and_scale
from ..fitted import Fit
from ..reporting import Reporting, log_probability, log_probability_with_slack
from .without import data, free, quantities, redrawn, with_claims_of, without

BLOCK = 1_000_000  # claims times draws worked on at once: the arithmetic takes some hundred times as many bytes


def log_likelihood(fit: Fit) -> np.ndarray:
    """Log probability of each claim as stated (chain, draw, claim), computed from the free parameters' draws."""
    arrays = data(fit)
    q = quantities(fit, free(fit), arrays)
    chains, draws = fit.array("claim_error").shape
    claims = len(arrays["claim_value"])
    found = np.empty((chains, draws, claims))
    block = max(1, BLOCK // max(chains * claims, 1))
    for first in range(0, draws, block):
        some = slice(first, first + block)
        found[:, some] = scored(
            {name: _of_draws(value, some, (chains, draws)) for name, value in q.items()}, arrays, fit.reporting
        )
    return found


def _of_draws(value: Any, some: slice, shape: tuple[int, int]) -> Any:
    """Some draws of a quantity; what is fixed has no draws."""
    array = np.asarray(value)
    return array[:, some] if array.shape[:2] == shape else value


def scored(q: Mapping[str, Any], arrays: Mapping[str, np.ndarray], reporting: Reporting) -> np.ndarray:
    """Log probability of each claim as stated (..., claim), given named quantities of ``latent``."""
    center, scale = location_and_scale(q, arrays, reporting)
    form, unit, offset = (arrays[f"claim_{part}"] for part in ("form", "unit", "offset"))
    slack, share = claim_slack(q, arrays), arrays["claim_is_share"]
    value, errors = arrays["claim_value"], reporting.errors
    if slack is None:
        return np.asarray(log_probability(value, center, scale, form, unit, offset, errors, np, share))
    origin = arrays["claim_origin"]
    return np.asarray(
        log_probability_with_slack(value, center, scale, form, unit, offset, errors, np, origin, slack, share)
    )


def log_mean(log_p: np.ndarray) -> np.ndarray:
    """Log of the mean probability over draws (chain, draw, ...)."""
    flat = log_p.reshape(-1, *log_p.shape[2:])
    return np.asarray(np.logaddexp.reduce(flat, axis=0) - np.log(len(flat)))


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


def leave_one_out_by_refit(fit: Fit, claim_ids: Sequence[str]) -> dict[str, float]:
    """Log predictive probability of claims, each from draws made without it: for those whose Pareto k is high.

    Parameters
    ----------
    fit
        The fit with everything.
    claim_ids
        Claims that entered the likelihood.
    """
    names = [str(name) for name in fit.seen.claims["claim_id"]]
    found = {}
    for claim_id in claim_ids:
        place = names.index(claim_id)
        q, arrays = without_claims(fit, np.array([place]))
        found[claim_id] = float(log_mean(scored(q, arrays, fit.reporting)[..., place]))
    return found


def without_claims(fit: Fit, rows: np.ndarray) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Draws made without some claims, and the data to score those claims with.

    Parameters
    ----------
    fit
        The fit with everything.
    rows : (row,)
        Positions of the claims that are left out.

    Returns
    -------
    quantities, arrays
        Named quantities (chain, draw, ...), and the data with every claim as stated.

    Notes
    -----
    A claim is left out by reading it as a floor at next to nothing, whose probability is 1: everything else stays in place.
    """
    original = data(fit)
    rest = without(original, rows)
    raw, _ = redrawn(fit, rest)
    return quantities(fit, raw, rest), with_claims_of(rest, original)
