"""A small force whose truth is known: 12,000 of whom 100 a day are lost, and sources that speak of it.

One graph serves nearly all records: calendar and rooms are those of ``base``, what differs between records is data.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import functools

import numpy as np
import pandas as pd

import attrition as at
from attrition.campaign import Campaign, Strength
from attrition.reporting import Reporting

START = dt.date(2024, 1, 1)
SIZE = 12_000
RATE = 100.0
CAMPAIGN = Campaign("world", START, START + dt.timedelta(days=180), Strength(SIZE, 0.05), wave_slots=1)
SETTINGS = at.Settings(draws=600, tune=400, target_accept=0.85)
LONGER = at.Settings(draws=1500, tune=500, target_accept=0.85)
KINDS = {"calm": "analyst", "foe": "adversary", "third": "third_party"}
# Analysts are known to be right, the others are not; a claim errs by five percent.
STEADY = {
    "claim_error": {"median": 0.05, "sd_log": 0.2},
    "claim_error_killed": {"median": 0.05, "sd_log": 0.2},
    "movement_error": {"median": 0.10, "sd_log": 0.2},
    "killed_share_source_sd": {"value": 0.05},
    "bias_analyst": {"mean": 0.0, "mean_sd": 0.01, "total_sd": 0.02},
    "bias_adversary": {"mean": 0.0, "mean_sd": 0.20, "total_sd": 0.30},
    "bias_killed_adversary": {"value": 0.0},
}


def date(day: int) -> dt.date:
    return START + dt.timedelta(days=day)


def sized(size: float, sd_log: float = 0.05) -> Campaign:
    return dataclasses.replace(CAMPAIGN, contingent_size=Strength(size, sd_log))


def says(source: str, day: int, value: float | None, quantity: str = "casualties", **more: object) -> dict[str, object]:
    """A claim made and dated on a day, rounded to tens; the first word of its source's name is the stance."""
    row = {
        "source": source,
        "source_kind": KINDS[source.split("-")[0]],
        "published": date(day),
        "as_of": date(day),
        "quantity": quantity,
        "value": None if value is None else 10 * round(value / 10),
        "bound": "approx",
        "unit": 10 if "bound" not in more else None,
    }
    return {**row, **more}


def undated(source: str, day: int, value: float) -> dict[str, object]:
    return says(source, day, value, as_of=None, as_of_basis="none")


def record(*rows: dict[str, object]) -> at.Claims:
    table = pd.DataFrame([{"claim_id": f"W{number:03d}", **row} for number, row in enumerate(rows)], dtype=object)
    return at.read_claims(table.astype(object).where(table.notna(), None), name="world")


def priors(campaign: Campaign = CAMPAIGN, **changes: object) -> at.Priors:
    return at.default_priors(campaign).override({**STEADY, **changes})


def fixed(value: float) -> at.Prior:
    return at.Prior("", "Fixed", {"value": value}, "", "set by a test")


@dataclasses.dataclass(frozen=True)
class Shaped(at.ConstantRate):
    """A rate of a known shape: so many times the constant rate on each day."""

    weights: tuple[float, ...] = ()

    def containers(self, campaign, priors, days, rooms):
        flat = super().containers(campaign, priors, days, rooms)
        if self.weights:
            flat["day_share"] = flat["day_share"] * np.array(self.weights)[np.minimum(days, len(self.weights) - 1)]
        return flat


def roomy() -> at.Claims:
    """A record that makes room for 16 briefings, 8 months and 16 dates of drift."""
    weeks = range(10, 90, 7)
    rows = [says("calm", day, RATE * day) for day in weeks]
    rows += [says("calm", day, 0.25 * RATE * day, "killed") for day in weeks]
    return record(*rows, says("third", 88, 80 * RATE, as_of_from=date(70)))


@functools.cache
def base(curve: at.ConstantRate | Shaped, **options: bool) -> at.Fit:
    """The fit whose compiled model the others use, for one curve and one choice of options."""
    return at.fit(
        roomy(),
        CAMPAIGN,
        priors(),
        seed=1,
        curve=curve,
        reporting=Reporting(**options),
        settings=SETTINGS,
        progress=False,
    )


def fitted(
    claims: at.Claims,
    campaign: Campaign = CAMPAIGN,
    partial: bool = False,
    settings: at.Settings = SETTINGS,
    **changes: object,
) -> at.Fit:
    """Fit a record with nothing compiled again; it passes the gate."""
    reporting = Reporting(partial_floors=partial)
    return _again(claims, campaign, base(at.ConstantRate()), reporting, None, settings, changes)


def moving(claims: at.Claims, weights: tuple[float, ...] = (), **changes: object) -> at.Fit:
    """The same with options drift and intensity, under a rate of a known shape."""
    reporting = Reporting(drift=True, intensity=True)
    before = base(Shaped(), drift=True, intensity=True)
    return _again(claims, CAMPAIGN, before, reporting, Shaped(weights), SETTINGS, changes)


def _again(
    claims: at.Claims,
    campaign: Campaign,
    before: at.Fit,
    reporting: Reporting,
    curve: Shaped | None,
    settings: at.Settings,
    changes: dict[str, object],
) -> at.Fit:
    fit = at.fit(
        claims,
        campaign,
        priors(campaign, **changes),
        seed=1,
        curve=curve or before.curve,
        reporting=reporting,
        settings=settings,
        compiled=before.compiled,
        progress=False,
    )
    assert fit.passed, fit.gate["sentence"]
    return fit


def total(fit: at.Fit, day: int = -1) -> np.ndarray:
    """Killed and wounded by the end of a day."""
    return fit.array("cumulative_loss")[..., day]


def inside(draws: np.ndarray, truth: float, probability: float = 0.9) -> bool:
    """Whether the truth lies in the equal-tailed interval."""
    low, high = np.quantile(draws, (0.5 - probability / 2, 0.5 + probability / 2))
    return bool(low <= truth <= high)


def off(draws: np.ndarray, truth: float) -> float:
    """Relative error of the median."""
    return float(np.median(draws) / truth - 1.0)


def recovers(draws: np.ndarray, truth: float, within: float) -> None:
    assert inside(draws, truth, 0.9), (truth, np.quantile(draws, (0.05, 0.5, 0.95)))
    assert abs(off(draws, truth)) < within, (truth, np.median(draws))


def misses(draws: np.ndarray, truth: float, by: float) -> None:
    """The truth lies outside the 95% interval, and the median is off by more than that, with this sign."""
    assert not inside(draws, truth, 0.95), (truth, np.quantile(draws, (0.025, 0.5, 0.975)))
    assert off(draws, truth) / by > 1.0, (truth, np.median(draws))
