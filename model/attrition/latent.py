"""Everything the model says is there, written once and read by the graph, by the draws and by simulation.

``latent`` gives the named quantities, ``claim_location`` and ``claim_scale`` where and how wide each claim's estimate is. With
``xp`` = PyTensor they build the graph; with numpy they work on arrays with leading (chain, draw) axes.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import ModuleType
from typing import Any

import numpy as np

from .curves import Curve
from .observations import KILLED, SIZE
from .parameters import Parameter, Take, scalar
from .priors import Priors
from .reporting import LOGISTIC_SCALE, Reporting, softplus


def latent(take: Take, data: Mapping[str, Any], priors: Priors, curve: Curve, xp: ModuleType = np) -> dict[str, Any]:
    """Named quantities of the model.

    Parameters
    ----------
    take
        Gives each free parameter, (..., its dims).
    data
        Containers.
    priors
        Gives the families; the numbers are in the data.
    curve
        Form of the rate.
    xp
        Array module.

    Returns
    -------
    dict
        ``contingent_size``, ``killed_share``, ``claim_error``, ``claim_error_killed``, ``deployed_error``, ``stance_bias``
        (source_kind), ``source_bias``, ``source_killed_logit`` and ``source_deployed_bias`` (source), the curve's
        quantities, ``daily_rate`` and ``cumulative_loss`` (day).
    """

    def one(name: str, kind: str = "positive") -> Any:
        return scalar(name, kind, priors, take, data, xp)

    q = {name: one(name) for name in ("contingent_size", "claim_error", "deployed_error")}
    same = priors["claim_error_killed"].family == "SameAsTotals"
    q["claim_error_killed"] = q["claim_error"] if same else one("claim_error_killed")
    q["killed_share"] = one("killed_share", "share")
    q |= curve.latent(take, data, priors, q["contingent_size"], xp)
    q["daily_rate"] = curve.rate(q, data, xp)
    q["cumulative_loss"] = xp.cumsum(q["daily_rate"], axis=-1)
    q["stance_bias"] = data["stance_prior"][:, 0] + data["stance_prior"][:, 1] * take(
        Parameter("stance_unit", dims=("source_kind",)), 0.0
    )
    shared = (
        q["stance_bias"][..., data["source_stance"]]
        + data["source_group_sd"]
        * (take(Parameter("source_group_unit", dims=("source",)), 0.0)[..., data["source_group"]])
    )
    q["source_bias"] = shared + data["source_own_sd"] * _own(take, shared, q, data, xp)
    q["source_killed_logit"] = _killed_logit(take, q, data, xp)
    deployed = take(Parameter("source_deployed_unit", dims=("source",)), 0.0)
    q["source_deployed_bias"] = data["prior_deployed_source_sd"][0] * deployed
    return q


def _own(take: Take, shared: Any, q: Mapping[str, Any], data: Mapping[str, Any], xp: ModuleType) -> Any:
    """Own effect of each source, standard normal.

    What a source's claims inform is its bias plus the log of the losses it speaks of. For a source with a bounded claim the
    sampler sees that sum, measured from what the source said, in units of its prior.
    """
    loss = between(q["cumulative_loss"], 0 * data["anchor_end"], data["anchor_end"], xp)
    spoken = xp.log(xp.maximum(loss, 1e-9)) - data["anchor_log_value"]
    mean = data["anchor_scale"] * (shared + spoken)
    return take(Parameter("source_own_shifted", dims=("source",)), mean) - mean


def _killed_logit(take: Take, q: Mapping[str, Any], data: Mapping[str, Any], xp: ModuleType) -> Any:
    """Logit of the killed share that each source reports; shifted for the sampler where a source speaks of it."""
    share = q["killed_share"][..., None]
    logit = xp.log(share) - xp.log1p(-share)
    mean = data["anchor_killed"] * (logit + 1.0)
    unit = take(Parameter("source_killed_shifted", dims=("source",)), mean) - mean
    return logit + data["prior_killed_share_source_sd"][0] * unit


def between(total: Any, start: Any, end: Any, xp: ModuleType) -> Any:
    """Loss between two indices of a running total (..., day) that is preceded by 0."""
    padded = xp.concatenate([0.0 * total[..., :1], total], axis=-1)
    return padded[..., end] - padded[..., start]


def claim_location(q: Mapping[str, Any], data: Mapping[str, Any], xp: ModuleType = np) -> Any:
    """Center of each claim's estimate on the log scale: log of the quantity plus the source's bias (..., claim)."""
    logit, bias = q["source_killed_logit"], q["source_bias"]
    by_cell = xp.concatenate(
        [
            bias,
            bias + data["source_killed_shift"] - softplus(-logit, xp),
            bias - softplus(logit, xp),
            q["source_deployed_bias"],
        ],
        axis=-1,
    )
    loss = between(q["cumulative_loss"], data["claim_start"], data["claim_end"], xp)
    amount = xp.where(data["claim_category"] < SIZE, loss, q["contingent_size"][..., None])
    return xp.log(xp.maximum(amount, 1e-9)) - data["claim_log_days"] + by_cell[..., data["claim_cell"]]


def claim_scale(q: Mapping[str, Any], data: Mapping[str, Any], reporting: Reporting, xp: ModuleType = np) -> Any:
    """Scale of each claim's error on the log scale (..., claim): a source's own stated error where it gives one."""
    category = data["claim_category"]
    total, killed = q["claim_error"][..., None], q["claim_error_killed"][..., None]
    size = q["deployed_error"][..., None]
    sd = xp.where(category < SIZE, xp.where(abs(category - KILLED) < 0.5, killed, total), size)
    sd = xp.where(data["claim_stated_error"] > 0.0, data["claim_stated_error"], sd)
    return sd * (LOGISTIC_SCALE if reporting.errors == "logistic" else 1.0)


def lookup(raw: Mapping[str, np.ndarray]) -> Take:
    """Take parameters from arrays of draws."""

    def take(parameter: Parameter, mean: Any) -> np.ndarray:
        return raw[parameter.name]

    return take
