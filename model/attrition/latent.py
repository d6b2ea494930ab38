"""Everything the model says is there, written once and read by the graph, by the draws and by simulation.

``latent`` gives the named quantities. With ``xp`` = PyTensor it builds the graph; with numpy it works on arrays with leading
(chain, draw) axes. ``claim_error.location_and_scale`` goes on from here to the claims.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import ModuleType
from typing import Any

import numpy as np

from .curves import Curve
from .parameters import Parameter, Take, scalar
from .priors import Priors
from .reporting import Reporting
from .running import smoothly_at
from .strength import absorbed, strength
from .threads import Slices, rows_at_once, spread


def latent(
    take: Take,
    data: Mapping[str, Any],
    priors: Priors,
    curve: Curve,
    reporting: Reporting,
    xp: ModuleType = np,
) -> dict[str, Any]:
    """Named quantities of the model.

    Parameters
    ----------
    take
        Gives each free parameter, (..., its dims).
    data
        Containers.
    priors
        Gives the families; the numbers are in the data.
    curve, reporting
        Form of the rate, and options of the reporting model.
    xp
        Array module.

    Returns
    -------
    dict
        ``contingent_size``, ``killed_share_start``, errors, ``stance_bias`` (source_kind), ``source_bias``,
        ``source_killed_deviation``, ``source_deployed_bias`` and ``source_lag`` (source), the curve's quantities, those of the
        strength, ``daily_rate``, ``cumulative_loss``, ``cumulative_killed`` and ``arrivals`` (day).
    """

    def one(name: str, kind: str = "positive") -> Any:
        return scalar(name, kind, priors, take, data, xp)

    errors = ("claim_error", "deployed_error", "present_error", "movement_error")
    q = {name: one(name) for name in ("contingent_size", *errors)}
    same = priors["claim_error_killed"].family == "SameAsTotals"
    q["claim_error_killed"] = q["claim_error"] if same else one("claim_error_killed")
    q |= curve.latent(take, data, priors, q["contingent_size"], xp)
    q["daily_rate"] = curve.rate(q, data, xp)
    q["cumulative_loss"] = q["intended_loss"] = xp.cumsum(q["daily_rate"], axis=-1)
    q |= strength(take, data, priors, q, xp)
    if reporting.truncate:
        q["cumulative_loss"] = absorbed(q["intended_loss"], q, xp)
        q["daily_rate"] = _daily(q["cumulative_loss"], xp)
    q |= _killed(take, q, data, priors, xp)
    q |= _sources(take, q, data, reporting, xp)
    if reporting.floors == "slack":
        slack = Parameter("floor_slack", "beta", ("source_kind",), "floor_slack")
        q["floor_slack"] = take(slack, 0.0)
    if reporting.drift:
        q["source_drift_sd"] = one("source_drift_sd")
        q["source_drift"] = _drift(take, q["source_drift_sd"], data, xp)
    if reporting.intensity:
        q["adversary_intensity"] = one("adversary_intensity", "real")
    if "claim_briefing" in data:
        q["briefing_unit"] = take(Parameter("briefing_unit", dims=("briefing",)), 0.0)
    if "claim_month" in data:
        q["month_unit"] = take(Parameter("month_unit", "uniform", ("month",)), 0.0)
    return q


def latent_of_draws(
    raw: Mapping[str, np.ndarray], data: Mapping[str, Any], priors: Priors, curve: Curve, reporting: Reporting
) -> dict[str, np.ndarray]:
    """As ``latent``, of draws of the free parameters (chain, draw, ...), worked on some at a time, in threads.

    For the package's own curves: another's may keep something between calls, or look at all draws at once.
    """
    chains, draws = next(iter(raw.values())).shape[:2]

    def of_some(rows: Slices) -> dict[str, np.ndarray]:
        return latent(lookup({name: array[rows] for name, array in raw.items()}), data, priors, curve, reporting)

    def put(rows: Slices, quantities: Mapping[str, np.ndarray]) -> None:
        for name in each_draw:
            found[name][rows] = quantities[name]

    first, *others = rows_at_once(chains, draws)
    begun = of_some(first)
    size = (chains, min(first[1].stop, draws))
    each_draw = [name for name, array in begun.items() if np.shape(array)[:2] == size]  # others are the same for all
    found = dict(begun)
    for name in each_draw:
        found[name] = np.empty((chains, draws, *begun[name].shape[2:]), begun[name].dtype)
    put(first, begun)
    spread(lambda rows: put(rows, of_some(rows)), others)
    return found


def _daily(total: Any, xp: ModuleType) -> Any:
    """Differences of a running total (..., day)."""
    return xp.concatenate([total[..., :1], total[..., 1:] - total[..., :-1]], axis=-1)


def _killed(
    take: Take, q: Mapping[str, Any], data: Mapping[str, Any], priors: Priors, xp: ModuleType
) -> dict[str, Any]:
    """Killed so far, by day: the share is a slow walk of its logit at monthly knots, where the claims can tell."""
    start = scalar("killed_share", "share", priors, take, data, xp)
    sd = scalar("killed_share_walk_sd", "positive", priors, take, data, xp) * data["share_moves"][0]
    steps = take(Parameter("share_unit", dims=("share_knot",)), 0.0)
    walk = xp.cumsum(steps, axis=-1) * sd[..., None]
    knots = xp.concatenate([0.0 * walk[..., :1], walk], axis=-1)
    left, weight = data["share_left"], data["share_weight"]
    moved = knots[..., left] * (1.0 - weight) + knots[..., left + 1] * weight
    share = 1.0 / (1.0 + xp.exp(-_logit(start, xp)[..., None] - moved))
    return {"killed_share_start": start, "cumulative_killed": xp.cumsum(share * q["daily_rate"], axis=-1)}


def _logit(share: Any, xp: ModuleType) -> Any:
    return xp.log(share) - xp.log1p(-share)


def _sources(
    take: Take, q: Mapping[str, Any], data: Mapping[str, Any], reporting: Reporting, xp: ModuleType
) -> dict[str, Any]:
    """Bias of every source's totals, its departures on killed and on strength, and its delay."""
    stance_unit = take(Parameter("stance_unit", dims=("source_kind",)), 0.0)
    stance = data["stance_prior"][:, 0] + data["stance_prior"][:, 1] * stance_unit
    group_unit = take(Parameter("source_group_unit", dims=("source",)), 0.0)
    shared = stance[..., data["source_stance"]] + data["source_group_sd"] * group_unit[..., data["source_group"]]
    deployed = take(Parameter("source_deployed_unit", dims=("source",)), 0.0)
    lag_prior = data["lag_prior"][data["source_stance"]]
    lag = xp.exp(lag_prior[:, 0] + lag_prior[:, 1] * take(Parameter("source_lag_unit", dims=("source",)), 0.0))
    return {
        "stance_bias": stance,
        "source_bias": shared + data["source_own_sd"] * _own(take, shared, lag, q, data, xp),
        "source_killed_deviation": _killed_deviation(take, q, data, xp),
        "source_deployed_bias": data["prior_deployed_source_sd"][0] * deployed,
        "source_lag": lag,
    }


def _own(take: Take, shared: Any, lag: Any, q: Mapping[str, Any], data: Mapping[str, Any], xp: ModuleType) -> Any:
    """Own effect of each source, standard normal.

    What a source's claims inform is its bias plus the log of the losses it speaks of. For a source with a bounded claim the
    sampler sees that sum, measured from what the source said, in units of its prior.
    """
    place = xp.maximum(data["anchor_end"] - data["anchor_lagged"] * lag, 1.0)
    spoken = xp.log(xp.maximum(smoothly_at(q["cumulative_loss"], place, xp), 1e-9)) - data["anchor_log_value"]
    mean = data["anchor_scale"] * (shared + spoken)
    return take(Parameter("source_own_shifted", dims=("source",)), mean) - mean


def _killed_deviation(take: Take, q: Mapping[str, Any], data: Mapping[str, Any], xp: ModuleType) -> Any:
    """Departure of each source's killed share from the true one, in logits; shifted for the sampler where it speaks of it."""
    mean = data["anchor_killed"] * (_logit(q["killed_share_start"], xp)[..., None] + 1.0)
    unit = take(Parameter("source_killed_shifted", dims=("source",)), mean) - mean
    return data["prior_killed_share_source_sd"][0] * unit


def _drift(take: Take, sd: Any, data: Mapping[str, Any], xp: ModuleType) -> Any:
    """Random walk of each source's bias over the dates of its own claims, 0 at the first (..., drift)."""
    steps = data["drift_step"] * take(Parameter("drift_unit", dims=("drift",)), 0.0)
    walk = xp.cumsum(steps, axis=-1)
    return sd[..., None] * (walk - walk[..., data["drift_first"]])


def lookup(raw: Mapping[str, np.ndarray]) -> Take:
    """Take parameters from arrays of draws."""

    def take(parameter: Parameter, mean: Any) -> np.ndarray:
        return raw[parameter.name]

    return take
