"""The expected number lost per day, as a curve: constant, mean-reverting, or mean-reverting under dated phases.

Day ``d`` covers the time from ``d - 1`` to ``d``; ``cumulative_loss[d]`` is the total at its end. Each curve is written
once, on an array module: PyTensor in the graph, numpy on the draws.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any, Protocol

import numpy as np

from .campaign import Campaign, Phase
from .errors import InputError, Problem
from .parameters import Parameter, Take, numbers, scalar
from .priors import Priors

KNOT_DAYS = 7.0
DATE_SDS = 5.0
LOWEST_EXPONENT = -650.0
PHASE_PRIOR = {
    "contact": "contact_rate",
    "escalation": "escalation_rate",
    "pause": "pause_rate",
    "resume": "resume_rate",
}

type Arrays = dict[str, np.ndarray]


class Curve(Protocol):
    """What the rest of the package asks of a curve."""

    def prior_names(self) -> tuple[str, ...]:
        """Names of the priors used."""

    def zero_until(self, campaign: Campaign) -> int:
        """Last day on which the curve may be exactly zero."""

    def containers(self, campaign: Campaign, priors: Priors, days: np.ndarray, rooms: Mapping[str, int]) -> Arrays:
        """Data of the curve on these days; ``rooms`` has the number of phases and of knots after the first."""

    def latent(self, take: Take, data: Mapping[str, Any], priors: Priors, size: Any, xp: ModuleType) -> dict[str, Any]:
        """Named quantities that ``rate`` needs."""

    def rate(self, quantities: Mapping[str, Any], data: Mapping[str, Any], xp: ModuleType) -> Any:
        """Persons per day on the data's days (..., day)."""


def knot_count(campaign: Campaign) -> int:
    """Knots after the first, enough for the whole calendar whatever day the first knot stands on."""
    return max(1, math.ceil((campaign.end - campaign.start).days / KNOT_DAYS))


def noise(unit: Any, half_life_weeks: Any, first: Any, xp: ModuleType) -> Any:
    """Evaluate a first-order autoregression of unit stationary sd at weekly knots.

    ``x[k] = phi x[k-1] + sqrt(1 - phi**2) unit[k]`` is summed in closed form, ``phi**k cumsum(unit phi**-k)``: terms grow
    with k, so nothing cancels.

    Parameters
    ----------
    unit : (..., knot)
        Standard normal innovations of knots 1, 2, ...
    half_life_weeks : (...)
        Time in which a departure halves.
    first : (...)
        Value at knot 0.
    xp
        Array module.

    Returns
    -------
    (..., knot + 1)
    """
    number = np.arange(1, _length(unit) + 1, dtype=float)
    log_phi = -math.log(2.0) * KNOT_DAYS / 7.0 / half_life_weeks[..., None]
    power = xp.exp(xp.maximum(log_phi * number, LOWEST_EXPONENT))
    step = xp.sqrt(-xp.expm1(2.0 * log_phi))
    later = power * (first[..., None] + xp.cumsum(step * unit / power, axis=-1))
    return xp.concatenate([first[..., None] + 0.0 * later[..., :1], later], axis=-1)


def _length(array: Any) -> int:
    return int((array.type if hasattr(array, "type") else array).shape[-1])


def continue_noise(noise: np.ndarray, half_life_weeks: np.ndarray, knots: int, rng: np.random.Generator) -> np.ndarray:
    """Carry the autoregression on to so many knots after the first, with fresh innovations (..., knots + 1)."""
    missing = knots + 1 - noise.shape[-1]
    if missing <= 0:
        return noise
    phi = np.exp2(-KNOT_DAYS / 7.0 / half_life_weeks)
    steps = rng.standard_normal((*noise.shape[:-1], missing)) * np.sqrt(1.0 - phi**2)[..., None]
    later = np.empty_like(steps)
    last = noise[..., -1]
    for knot in range(missing):
        last = later[..., knot] = phi * last + steps[..., knot]
    return np.concatenate([noise, later], axis=-1)


def at_days(knots: Any, data: Mapping[str, Any]) -> Any:
    """Linear interpolation of knot values (..., knot + 1) to the data's days."""
    left, weight = data["knot_left"], data["knot_weight"]
    return knots[..., left] * (1.0 - weight) + knots[..., left + 1] * weight


def knot_grid(days: np.ndarray, first_day: float, count: int) -> Arrays:
    """Left knot and weight of each day's middle; days before the first knot stand on it."""
    position = np.clip((days - 0.5 - first_day) / KNOT_DAYS, 0.0, count - 1e-9)
    left = np.floor(position).astype(np.int64)
    return {"knot_left": left, "knot_weight": position - left}


def _check_half_life(priors: Priors, campaign: Campaign) -> None:
    """Refuse a prior under which the closed form of ``noise`` would underflow."""
    prior = priors["rate_half_life"]
    shortest = knot_count(campaign) * math.log(2.0) / -LOWEST_EXPONENT
    center, spread = (*numbers(prior), 0.0)[:2] if prior.family != "Fixed" else (np.log(numbers(prior)[0]), 0.0)
    if prior.family == "HalfNormal" or center - 4.7 * spread < math.log(shortest):
        got, expected = str(prior), f"half-lives above {shortest:.2g} weeks for this calendar"
        do = "Shorten the campaign's calendar or lengthen the half-life."
        raise InputError("The priors cannot be used", [Problem("priors", prior.name, "numbers", got, expected, do)])


@dataclass(frozen=True)
class ConstantRate:
    """One rate from a known onset: the reference case, which has exact answers.

    The total by day d is ``rate * (d - onset)``. The onset is the campaign's escalation, else its first day.
    """

    def prior_names(self) -> tuple[str, ...]:
        """Names of the priors used."""
        return ("constant_rate",)

    def zero_until(self, campaign: Campaign) -> int:
        """Last day on which the curve may be exactly zero: the onset."""
        return campaign.day(campaign.rate_since)

    def containers(self, campaign: Campaign, priors: Priors, days: np.ndarray, rooms: Mapping[str, int]) -> Arrays:
        """Share of each day that lies after the onset."""
        onset = campaign.day(campaign.rate_since)
        return {"day_share": np.clip(days - onset, 0.0, 1.0)}

    def latent(self, take: Take, data: Mapping[str, Any], priors: Priors, size: Any, xp: ModuleType) -> dict[str, Any]:
        """Named quantities: ``constant_rate``."""
        return {"constant_rate": scalar("constant_rate", "positive", priors, take, data, xp)}

    def rate(self, quantities: Mapping[str, Any], data: Mapping[str, Any], xp: ModuleType) -> Any:
        """Persons per day on the data's days (..., day)."""
        return quantities["constant_rate"][..., None] * data["day_share"]


@dataclass(frozen=True)
class MeanRevertingRate:
    """Log rate at weekly knots: a stationary first-order autoregression around a long-run level.

    Linear in between on the log scale. Three parameters: the level (through a fraction of strength per day), the
    stationary sd, the half-life. Half-life to infinity, with sd growing as its root, is a random walk.
    """

    def prior_names(self) -> tuple[str, ...]:
        """Names of the priors used."""
        return ("long_run_fraction", "rate_sd", "rate_half_life")

    def zero_until(self, campaign: Campaign) -> int:
        """Last day on which the curve may be exactly zero: the first."""
        return 0

    def containers(self, campaign: Campaign, priors: Priors, days: np.ndarray, rooms: Mapping[str, int]) -> Arrays:
        """Interpolation of the days between knots; the first knot stands on the first day."""
        _check_half_life(priors, campaign)
        return {"day_share": np.clip(days, 0.0, 1.0), **knot_grid(days, 0.0, rooms["knot"])}

    def latent(self, take: Take, data: Mapping[str, Any], priors: Priors, size: Any, xp: ModuleType) -> dict[str, Any]:
        """Named quantities: ``long_run_rate``, ``rate_sd``, ``rate_half_life``, ``rate_noise`` (knot)."""
        return _dynamics(take, data, priors, size, take(Parameter("rate_first_unit"), 0.0), xp)

    def rate(self, quantities: Mapping[str, Any], data: Mapping[str, Any], xp: ModuleType) -> Any:
        """Persons per day on the data's days (..., day)."""
        wave = quantities["rate_sd"][..., None] * at_days(quantities["rate_noise"], data)
        return xp.exp(xp.log(quantities["long_run_rate"])[..., None] + wave) * data["day_share"]


@dataclass(frozen=True)
class PhasedRate:
    """Mean-reverting dynamics under dated phases.

    A small rate at first contact; at the escalation a rate of its own that returns to the long-run level with the
    half-life while the autoregression, counted from its value at the phase's reported start, moves it; a pause has a level of
    its own; a resumption starts again like the escalation. A change of phase happens within its day, at an uncertain date.
    """

    def prior_names(self) -> tuple[str, ...]:
        """Names of the priors used."""
        return ("long_run_fraction", "rate_sd", "rate_half_life", *PHASE_PRIOR.values())

    def zero_until(self, campaign: Campaign) -> int:
        """Last day on which the curve may be exactly zero: the first."""
        return 0

    def containers(self, campaign: Campaign, priors: Priors, days: np.ndarray, rooms: Mapping[str, int]) -> Arrays:
        """Dates, sds, levels and kinds of the known phases; slots of unknown ones are empty."""
        _check_half_life(priors, campaign)
        for name in PHASE_PRIOR.values():
            if priors[name].family != "LogNormal" or priors[name].numbers["sd_log"] == 0:
                expected = "LogNormal with sd_log above 0"
                problem = Problem("priors", name, "family", str(priors[name]), expected, "Change it.")
                raise InputError("The priors cannot be used", [problem])
        phases: list[Phase | None] = [*phases_of(campaign)]
        phases += [None] * (rooms["phase"] - len(phases))
        knots = rooms["knot"]
        levels = [numbers(priors[PHASE_PRIOR[phase.kind]]) if phase else np.array([0.0, 1.0]) for phase in phases]
        grid = knot_grid(days, float(campaign.day(campaign.rate_since)), knots)
        reported = np.array([campaign.day(phase.date) + 0.5 if phase else 0.0 for phase in phases])
        starts = knot_grid(reported, float(campaign.day(campaign.rate_since)), knots)
        return {
            "day_number": days.astype(float),
            "phase_known": np.array([float(phase is not None) for phase in phases]),
            "phase_date": np.array([float(campaign.day(phase.date)) if phase else 0.0 for phase in phases]),
            "phase_sd": np.array([phase.sd_days if phase else 1.0 for phase in phases]),
            "phase_latest": np.array([_latest(phase) for phase in phases]),
            "phase_reverts": np.array(
                [float(phase is not None and phase.kind in ("escalation", "resume")) for phase in phases]
            ),
            "phase_log_rate": np.array(levels),
            "phase_left": starts["knot_left"],
            "phase_weight": starts["knot_weight"],
            **grid,
        }

    def latent(self, take: Take, data: Mapping[str, Any], priors: Priors, size: Any, xp: ModuleType) -> dict[str, Any]:
        """Named quantities: the dynamics, ``phase_rate`` and ``phase_day`` (phase)."""
        quantities = _dynamics(take, data, priors, size, None, xp)
        late = take(Parameter("phase_day_unit", "date", ("phase",), "phase_latest"), 0.0)
        start = data["phase_date"] + data["phase_sd"] * late
        unit = take(Parameter("phase_rate_unit", dims=("phase",)), 0.0)
        log_level = data["phase_log_rate"][:, 0] + data["phase_log_rate"][:, 1] * unit
        return {**quantities, "phase_rate": xp.exp(log_level), "phase_day": start}

    def rate(self, quantities: Mapping[str, Any], data: Mapping[str, Any], xp: ModuleType) -> Any:
        """Persons per day on the data's days (..., day)."""
        log_level = xp.log(quantities["phase_rate"])
        log_long_run = xp.log(quantities["long_run_rate"])[..., None]
        decay = -math.log(2.0) / 7.0 / quantities["rate_half_life"][..., None]
        sd = quantities["rate_sd"][..., None]
        wave = sd * at_days(quantities["rate_noise"], data)
        wave_then = sd * _at_phases(quantities["rate_noise"], data)
        rate = 0.0 * wave
        for phase in range(_length(quantities["phase_rate"])):
            since = data["day_number"] - quantities["phase_day"][..., phase, None]
            level = log_level[..., phase, None]
            returned = -xp.expm1(decay * xp.maximum(since - 0.5, 0.0))
            since_then = wave - wave_then[..., phase, None] * (1.0 - returned)
            own = level + data["phase_reverts"][phase] * ((log_long_run - level) * returned + since_then)
            gate = data["phase_known"][phase] * xp.clip(since, 0.0, 1.0)
            rate = rate * (1.0 - gate) + gate * xp.exp(own)
        return rate


def _at_phases(knots: Any, data: Mapping[str, Any]) -> Any:
    """Autoregression at the reported start of each phase (..., phase): what a reverting phase starts again from."""
    left, weight = data["phase_left"], data["phase_weight"]
    return knots[..., left] * (1.0 - weight) + knots[..., left + 1] * weight


def phases_of(campaign: Campaign) -> list[Phase]:
    """Phases that ``PhasedRate`` works with: the known ones, after a small rate from the first day.

    Without any, the whole campaign is one phase.
    """
    start = campaign.start
    if not campaign.phases:
        return [Phase("whole campaign", "escalation", start, 0.0, start)]
    if campaign.phases[0].kind == "contact" and campaign.phases[0].date == start:
        return list(campaign.phases)
    return [Phase("before", "contact", start, 0.0, start), *campaign.phases]


def phase_slots(campaign: Campaign) -> int:
    """Number of phases that the model has parameters for: all of the record's, and one for the time before."""
    return campaign.phase_slots + 1


def _latest(phase: Phase | None) -> float:
    """Latest start of a phase in sds from its reported date: it cannot begin after the report of it."""
    if phase is None or phase.sd_days == 0:
        return DATE_SDS
    return min((phase.published - phase.date).days / phase.sd_days + 1e-3, DATE_SDS)


def _dynamics(
    take: Take, data: Mapping[str, Any], priors: Priors, size: Any, first: Any, xp: ModuleType
) -> dict[str, Any]:
    half_life = scalar("rate_half_life", "positive", priors, take, data, xp)
    innovations = take(Parameter("rate_unit", dims=("knot",)), 0.0)
    return {
        "long_run_rate": scalar("long_run_fraction", "positive", priors, take, data, xp) * size,
        "rate_sd": scalar("rate_sd", "positive", priors, take, data, xp),
        "rate_half_life": half_life,
        "rate_noise": noise(innovations, half_life, 0.0 * innovations[..., 0] if first is None else first, xp),
    }


def default_curve(campaign: Campaign) -> Curve:
    """``PhasedRate`` where the campaign ever has phases, ``MeanRevertingRate`` otherwise."""
    return PhasedRate() if campaign.phase_slots else MeanRevertingRate()


CURVES: dict[str, type] = {
    "ConstantRate": ConstantRate,
    "MeanRevertingRate": MeanRevertingRate,
    "PhasedRate": PhasedRate,
}
