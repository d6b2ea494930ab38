"""Everything the model says is there, from its free parameters: written once, read by the graph and by the draws.

``latent`` gives the named quantities, ``claim_location`` where each claim's estimate is centred. With ``xp`` = PyTensor they
build the graph; with numpy, arrays with leading (chain, draw) axes.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import ModuleType
from typing import Any

import numpy as np

from .campaign import Campaign
from .curves import Curve
from .observations import KILLED, SIZE
from .parameters import Parameter, declare, value
from .priors import Priors
from .reporting import LOGISTIC_SCALE, Reporting, softplus

SCALARS = ("contingent_size", "killed_share", "claim_error", "claim_error_killed", "deployed_error")


def parameters(campaign: Campaign, priors: Priors, curve: Curve) -> list[Parameter]:
    """Free parameters of the whole model, in order."""
    kinds = {"contingent_size": "positive", "killed_share": "share"}
    scalars = [p for name in SCALARS for p in declare(priors, name, kinds.get(name, "positive"))]
    return [
        *scalars,
        Parameter("stance_unit", "normal", ("source_kind",)),
        Parameter("source_group_unit", "normal", ("source",)),
        Parameter("source_own_unit", "normal", ("source",)),
        Parameter("source_killed_unit", "normal", ("source",)),
        Parameter("source_deployed_unit", "normal", ("source",)),
        *curve.parameters(campaign, priors),
    ]


def latent(
    raw: Mapping[str, Any], data: Mapping[str, Any], priors: Priors, curve: Curve, xp: ModuleType = np
) -> dict[str, Any]:
    """Named quantities of the model.

    Parameters
    ----------
    raw
        Free parameters by name, each (..., its dims).
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
        ``contingent_size``, ``killed_share``, ``claim_error``, ``claim_error_killed``, ``stance_bias`` (source_kind),
        ``source_bias`` and ``source_killed_logit`` (source), the curve's quantities, ``daily_rate`` (day) and
        ``cumulative_loss`` (day).
    """
    q = {name: value(name, priors, raw, data, xp) for name in SCALARS}
    q["stance_bias"] = data["stance_prior"][:, 0] + data["stance_prior"][:, 1] * raw["stance_unit"]
    q["source_bias"] = (
        q["stance_bias"][..., data["source_stance"]]
        + data["source_group_sd"] * raw["source_group_unit"][..., data["source_group"]]
        + data["source_own_sd"] * raw["source_own_unit"]
    )
    share = q["killed_share"][..., None]
    logit = xp.log(share) - xp.log1p(-share)
    q["source_killed_logit"] = logit + data["prior_killed_share_source_sd"][0] * raw["source_killed_unit"]
    q["source_deployed_bias"] = data["prior_deployed_source_sd"][0] * raw["source_deployed_unit"]
    q |= curve.latent(raw, data, priors, q["contingent_size"], xp)
    q["cumulative_loss"] = xp.cumsum(q["daily_rate"], axis=-1)
    return q


def center(
    raw: Mapping[str, Any], data: Mapping[str, Any], priors: Priors, curve: Curve, xp: ModuleType = np
) -> dict[str, Any]:
    """Means of the curve's centered parameters, from the parameters declared before them."""
    return curve.center(raw, data, priors, value("contingent_size", priors, raw, data, xp), xp)


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
    total = q["cumulative_loss"]
    padded = xp.concatenate([0.0 * total[..., :1], total], axis=-1)
    loss = padded[..., data["claim_end"]] - padded[..., data["claim_start"]]
    size = q["contingent_size"][..., None]
    amount = xp.where(data["claim_category"] < SIZE, loss, size)
    return xp.log(xp.maximum(amount, 1e-9)) - data["claim_log_days"] + by_cell[..., data["claim_cell"]]


def claim_scale(q: Mapping[str, Any], data: Mapping[str, Any], reporting: Reporting, xp: ModuleType = np) -> Any:
    """Scale of each claim's error on the log scale (..., claim): a source's own stated error where it gives one."""
    category = data["claim_category"]
    total, killed = q["claim_error"][..., None], q["claim_error_killed"][..., None]
    size = q["deployed_error"][..., None]
    sd = xp.where(category < SIZE, xp.where(abs(category - KILLED) < 0.5, killed, total), size)
    sd = xp.where(data["claim_stated_error"] > 0.0, data["claim_stated_error"], sd)
    return sd * (LOGISTIC_SCALE if reporting.errors == "logistic" else 1.0)
