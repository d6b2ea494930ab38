"""Scenarios: what the rate does after the last day known. Each is a small value with a name and a sentence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from .curves import KNOT_DAYS, continue_noise, knot_count
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
        return np.asarray(fit.curve.rate(quantities, data, np))


def hold() -> Hold:
    """Keep the mean rate since the reported escalation."""
    return Hold()


def forecast() -> Forecast:
    """Let the fitted dynamics go on."""
    return Forecast()


def projection_seed(fit: Fit) -> np.random.Generator:
    """Random numbers of projections: the second branch of the fit's seed."""
    return np.random.default_rng(np.random.SeedSequence(fit.seed).spawn(2)[1])
