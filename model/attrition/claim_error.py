"""Where and how wide a source's own estimate behind each claim is, on the log scale (a share's: on the logit scale)."""

from __future__ import annotations

from collections.abc import Mapping
from types import ModuleType
from typing import Any

import numpy as np

from .observations import (
    CAPTURED,
    CATEGORIES,
    EVACUATED,
    KILLED,
    KILLED_SHARE,
    LOSS_SHARE,
    LOSSES,
    MISSING,
    PRESENT,
    REINFORCEMENT,
    RETURNED,
    SIZE,
    WOUNDED,
)
from .reporting import LOGISTIC_SCALE, Reporting, softplus
from .running import at, smoothly_at
from .strength import gross, returned

RECENT_DAYS = 14.0
FEWEST = 1.0
FEW = 30.0  # persons: how many came back or were sent home is not known closer than to some tens
TINY = 1e-9


def location_and_scale(
    q: Mapping[str, Any], data: Mapping[str, Any], reporting: Reporting, xp: ModuleType = np
) -> tuple[Any, Any]:
    """Center and scale of the estimate behind each claim, (..., claim) each.

    Parameters
    ----------
    q
        Named quantities from ``latent``.
    data
        Containers.
    reporting
        Options of the reporting model.
    xp
        Array module.

    Returns
    -------
    center, scale
        Log of the quantity that the claim is about plus the source's bias (logit, for a share); scale of the error (logistic:
        sd * sqrt(3) / pi; normal: sd).
    """
    source, category = data["claim_source"], data["claim_category"]
    start, end = _period(q, data, xp)
    of_losses, of_shares = _losses(q, data, start, end, xp)
    of_strength = _strength(q, data, start, end, xp)
    bias = q["source_bias"][..., source]
    if reporting.drift:
        bias = bias + q["source_drift"][..., data["claim_drift"]]
    if reporting.intensity:
        bias = bias + _intensity(q, data, end, xp)
    center = xp.where(category < SIZE, xp.where(_is(category, KILLED_SHARE), 0.0, bias), 0.0)
    center = center + xp.where(category < KILLED_SHARE, of_losses, xp.where(category < SIZE, of_shares, of_strength))
    sd = _sd(q, data, xp)
    if "claim_briefing" in data:
        center = center + sd * data["claim_shared"] * q["briefing_unit"][..., data["claim_briefing"]]
    scale = sd * data["claim_own"] * (LOGISTIC_SCALE if reporting.errors == "logistic" else 1.0)
    return center, scale


def _is(category: Any, code: int) -> Any:
    return abs(category - code) < 0.5


def _period(q: Mapping[str, Any], data: Mapping[str, Any], xp: ModuleType) -> tuple[Any, Any]:
    """Places where each claim's period starts and ends.

    A figure without a date speaks of a day before its publication, by its source's delay; one dated to a month, of some day
    of it. A period never ends before its first day does.
    """
    start, end = (
        data["claim_start"],
        data["claim_end"] - data["claim_lagged"] * q["source_lag"][..., data["claim_source"]],
    )
    if "claim_month" in data:
        end = end - data["claim_span"] * q["month_unit"][..., data["claim_month"]]
    first = xp.where(data["claim_category"] < SIZE, start + 1.0, start)
    return start, xp.maximum(end, first)


def _losses(q: Mapping[str, Any], data: Mapping[str, Any], start: Any, end: Any, xp: ModuleType) -> tuple[Any, Any]:
    """Log of the losses that a claim is about, as its source would split them; logit of the shares."""
    source, category = data["claim_source"], data["claim_category"]
    loss, killed = (
        _until(q[name], end, data, xp) - at(q[name], start, xp) for name in ("cumulative_loss", "cumulative_killed")
    )
    wounded = xp.maximum(loss - killed, TINY)
    logit = xp.log(xp.maximum(killed, TINY)) - xp.log(wounded) + q["source_killed_deviation"][..., source]
    captured, missing = q["captured_ratio"][..., None], q["missing_ratio"][..., None]
    part = xp.where(_is(category, LOSSES), xp.log1p(captured + missing), 0.0)
    part = xp.where(_is(category, CAPTURED), xp.log(xp.maximum(captured, TINY)), part)
    part = xp.where(_is(category, MISSING), xp.log(xp.maximum(missing, TINY)), part)
    part = xp.where(_is(category, WOUNDED), -softplus(logit, xp), part)
    shift = data["source_killed_shift"][source]
    part = xp.where(_is(category, KILLED), shift - softplus(-logit, xp), part)
    days = xp.where(data["claim_is_rate"] > 0.5, end - start + data["claim_days_before"], 1.0)
    losses = xp.log(xp.maximum(loss, TINY)) + part - xp.log(days)
    lost = gross(loss, q)
    there = _level(q["arrivals"], end, xp)
    of_force = xp.log(xp.maximum(lost, TINY)) - xp.log(xp.maximum(there - lost, FEWEST))
    return losses, xp.where(_is(category, LOSS_SHARE), of_force, logit + shift)


def _until(total: Any, end: Any, data: Mapping[str, Any], xp: ModuleType) -> Any:
    """Running total at each claim's end; where that is uncertain, of the day around it."""
    dated = data["claim_lagged"] < 0.5
    if "claim_month" in data:
        dated = dated & (data["claim_span"] < 0.5)
    return xp.where(dated, at(total, end, xp), smoothly_at(total, end, xp))


def _level(by_day: Any, place: Any, xp: ModuleType) -> Any:
    """Read a level by day (..., day) at places; before the calendar it is that of the first day."""
    first = by_day[..., 0][..., None]
    return first + at(by_day - first, place, xp)


def _strength(q: Mapping[str, Any], data: Mapping[str, Any], start: Any, end: Any, xp: ModuleType) -> Any:
    """Log of the number that a claim about the strength speaks of, as its source would put it."""
    source, category = data["claim_source"], data["claim_category"]
    wounded = q["cumulative_loss"] - q["cumulative_killed"]
    there, back = _level(q["arrivals"], end, xp), returned(wounded, end, q, xp)
    lost = gross(at(q["cumulative_loss"], end, xp), q)
    home = q["evacuated_fraction"][..., None] * (at(wounded, end, xp) - at(wounded, start, xp))
    number = xp.where(_is(category, PRESENT), there - lost + back, there)
    number = xp.where(_is(category, RETURNED), back - returned(wounded, start, q, xp), number)
    number = xp.where(_is(category, EVACUATED), home, number)
    if "wave_known" in data:
        number = xp.where(_is(category, REINFORCEMENT), q["wave_size"][..., data["claim_wave"]], number)
    headcount = xp.where(category < RETURNED, q["source_deployed_bias"][..., source], 0.0)
    moved = category >= RETURNED
    number = xp.maximum(number, xp.where(moved, 0.0, FEWEST))
    return 0.5 * xp.log(number * number + xp.where(moved, FEW * FEW, 0.0)) + headcount


def _intensity(q: Mapping[str, Any], data: Mapping[str, Any], end: Any, xp: ModuleType) -> Any:
    """What an adversary adds when the fighting is heavier than the reference rate, over the last two weeks."""
    before = xp.maximum(end - RECENT_DAYS, 0.0)
    rate = (at(q["cumulative_loss"], end, xp) - at(q["cumulative_loss"], before, xp)) / xp.maximum(end - before, 1.0)
    heavier = xp.log(xp.maximum(rate, TINY)) - data["intensity_log_rate"][0]
    return q["adversary_intensity"][..., None] * data["source_adversary"][data["claim_source"]] * heavier


def _sd(q: Mapping[str, Any], data: Mapping[str, Any], xp: ModuleType) -> Any:
    """Sd of each claim's error: a source's own stated error where it gives one."""
    total, killed, moved = q["claim_error"], q["claim_error_killed"], q["movement_error"]
    by_category = [total] * len(CATEGORIES)
    by_category[KILLED] = by_category[KILLED_SHARE] = killed
    by_category[SIZE], by_category[PRESENT] = q["deployed_error"], q["present_error"]
    by_category[REINFORCEMENT] = by_category[RETURNED] = by_category[EVACUATED] = moved
    sd = _column(by_category, xp)[..., data["claim_category"]]
    return xp.where(data["claim_stated_error"] > 0.0, data["claim_stated_error"], sd)


def _column(values: list[Any], xp: ModuleType) -> Any:
    """Scalars (...) side by side (..., number)."""
    return np.stack(np.broadcast_arrays(*values), axis=-1) if xp is np else xp.stack(values)
