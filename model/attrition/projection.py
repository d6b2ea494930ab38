"""Scenarios: what the rate does after the last day known. Each is a small value with a name and a sentence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from .curves import KNOT_DAYS, continue_noise, knot_count, knot_grid, phases_of
from .fitted import Fit, rate_since


class Scenario(Protocol):
    """A statement about the future rate, applied after the fit to the same draws."""

    @property
    def name(self) -> str:
        """Key in every output."""

    def sentence(self, fit: Fit) -> str:
        """Say what is assumed."""

    def future_rate(self, fit: Fit, days: int, rng: np.random.Generator) -> np.ndarray:
        """Persons per day on each of the days after the vintage (chain, draw, days)."""


@dataclass(frozen=True)
class Hold:
    """Each draw keeps its own mean rate since the reported escalation: the posterior of a held-rate projection."""

    name: str = "hold"

    def sentence(self, fit: Fit) -> str:
        """Say what is assumed."""
        return f"losses go on at their mean daily rate since {fit.campaign.rate_since}"

    def future_rate(self, fit: Fit, days: int, rng: np.random.Generator) -> np.ndarray:
        """Persons per day on each of the days after the vintage (chain, draw, days)."""
        rate = rate_since(fit)
        return np.broadcast_to(rate[..., None], (*rate.shape, days))


@dataclass(frozen=True)
class Forecast:
    """The fitted dynamics go on: the rate returns to its long-run level with its half-life."""

    name: str = "forecast"

    def sentence(self, fit: Fit) -> str:
        """Say what is assumed."""
        if "rate_noise" not in fit.posterior:
            return "the constant rate goes on"
        quiet = _quiet(fit)
        if quiet:
            return f"the rate returns from that of the last phase known ({quiet}) to its long-run level"
        return "the rate goes on moving as it has, returning to its long-run level; no pause is foreseen"

    def future_rate(self, fit: Fit, days: int, rng: np.random.Generator) -> np.ndarray:
        """Persons per day on each of the days after the vintage (chain, draw, days)."""
        quantities = {str(name): fit.array(str(name)) for name in fit.posterior.data_vars}
        today = fit.campaign.day(fit.vintage)
        ahead = np.arange(today + 1, today + days + 1)
        knots = max(int((today + days) / KNOT_DAYS) + 2, knot_count(fit.campaign))
        if "rate_noise" in quantities:
            quantities["rate_noise"] = continue_noise(
                quantities["rate_noise"], quantities["rate_half_life"], knots, rng
            )
        every_day = np.arange(today + days + 1)
        data = fit.curve.containers(fit.campaign, fit.priors, every_day, knots)
        on_day = ("day_number", "day_share", "knot_left", "knot_weight")
        data = {name: array[ahead] if name in on_day else array for name, array in data.items()}
        if _quiet(fit):
            _resume(quantities, data, fit, today)
        return np.asarray(fit.curve.rate(quantities, data, np))


def _quiet(fit: Fit) -> str:
    """Name of the last known phase if it has a level of its own, which does not return to the long-run level."""
    last = phases_of(fit.campaign)[-1]
    return last.name if "phase_rate" in fit.posterior and last.kind in ("contact", "pause") else ""


def _resume(quantities: dict[str, np.ndarray], data: dict[str, np.ndarray], fit: Fit, today: int) -> None:
    """Let a reverting phase begin at the vintage, from the rate of that day."""
    number = len(phases_of(fit.campaign))
    noise = quantities["rate_noise"]
    grid = knot_grid(np.array([today + 0.5]), float(fit.campaign.day(fit.campaign.rate_since)), noise.shape[-1] - 1)
    quantities["phase_rate"] = np.append(quantities["phase_rate"], fit.array("daily_rate")[..., -1:], axis=-1)
    begun = np.full((*noise.shape[:2], 1), float(today))
    quantities["phase_day"] = np.append(quantities["phase_day"], begun, axis=-1)
    new = {"phase_known": 1.0, "phase_reverts": 1.0, "phase_left": grid["knot_left"][0]}
    for name, value in {**new, "phase_weight": grid["knot_weight"][0]}.items():
        data[name] = np.insert(data[name], number, value)


def hold() -> Hold:
    """Keep the mean rate since the reported escalation."""
    return Hold()


def forecast() -> Forecast:
    """Let the fitted dynamics go on."""
    return Forecast()


def projection_seed(fit: Fit) -> np.random.Generator:
    """Random numbers of projections: the second branch of the fit's seed."""
    return np.random.default_rng(np.random.SeedSequence(fit.seed).spawn(2)[1])
