"""The date on which every member of the contingent has been killed or wounded once, under a scenario.

A draw that does not get there within the horizon has no date. That is a value a quantile can take ("after ..."), never
dropped and never averaged.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from .campaign import Campaign
from .claims import as_date
from .display import Shown, percent
from .errors import InputError, Problem
from .fitted import Fit, rate_since
from .projection import Hold, Scenario, projection_seed

if TYPE_CHECKING:
    import pandas as pd

LEVELS = (0.05, 0.25, 0.5, 0.75, 0.95)


@dataclass(frozen=True, repr=False, eq=False)
class DepletionDate(Shown):
    """Posterior of the depletion date under one scenario (gross: the initial contingent, each person once).

    Attributes
    ----------
    scenario, sentence
        Name of the scenario, and what it assumes.
    day
        Days from the campaign's start to depletion (chain, draw); infinite where it is not reached. Fractions count:
        a printed date is the day in which depletion falls.
    campaign
        Gives the calendar.
    vintage
        Day up to which claims were known.
    """

    scenario: str
    sentence: str
    day: np.ndarray
    campaign: Campaign
    vintage: dt.date

    @property
    def horizon(self) -> dt.date:
        """Last day on which depletion is looked for."""
        return self.vintage + dt.timedelta(days=self.campaign.horizon_days)

    @property
    def probability_within_horizon(self) -> float:
        """P(depleted by the horizon)."""
        return self.probability_by(self.horizon)

    def probability_by(self, date: dt.date | str) -> float:
        """P(depleted by the end of a date).

        Raises
        ------
        InputError
            If the date lies after the horizon: nothing is known there.
        """
        day = as_date(date, "date")
        if day > self.horizon:
            do = "Choose a longer horizon_days."
            problem = Problem("argument", "", "date", str(day), f"at most the horizon, {self.horizon}", do)
            raise InputError("After the horizon", [problem])
        return float(np.mean(self.day <= self.campaign.day(day)))

    def quantile(self, level: float) -> dt.date | None:
        """Date of a quantile of the whole distribution; None if it lies after the horizon."""
        if not 0.0 <= level <= 1.0:
            problem = Problem("argument", "", "level", str(level), "0 to 1", "Write 0.05 for 5%.")
            raise InputError("Not a quantile level", [problem])
        day = float(np.quantile(self.day, level, method="inverted_cdf"))
        return None if day > self.campaign.day(self.horizon) else self.campaign.date(day)

    def quantile_text(self, level: float) -> str:
        """Date of a quantile as text, or ``after <horizon>``."""
        date = self.quantile(level)
        return f"after {self.horizon}" if date is None else str(date)

    def interval(self, probability: float = 0.9) -> tuple[dt.date | None, dt.date | None]:
        """Equal-tailed interval of dates; None for an end after the horizon."""
        return self.quantile((1 - probability) / 2), self.quantile((1 + probability) / 2)

    def table(self, levels: Sequence[float] = LEVELS) -> pd.DataFrame:
        """Quantiles of the date, one row each."""
        import pandas as pd

        return pd.DataFrame({"quantile": list(levels), "date": [self.quantile_text(level) for level in levels]})

    def summary_rows(self) -> tuple[str, list[tuple[str, str]]]:
        """Title and labelled facts, for display."""
        facts = [
            ("if", self.sentence),
            ("median", self.quantile_text(0.5)),
            ("50% interval", f"{self.quantile_text(0.25)} to {self.quantile_text(0.75)}"),
            ("90% interval", f"{self.quantile_text(0.05)} to {self.quantile_text(0.95)}"),
            (f"by {self.horizon} (horizon)", percent(self.probability_within_horizon)),
        ]
        for interest in self.campaign.dates_of_interest:
            if interest.date <= self.horizon:
                facts.append((f"by {interest.date}", percent(self.probability_by(interest.date))))
        return f"Depletion date, scenario {self.scenario} (gross)", facts


def first_crossing(total: np.ndarray, size: np.ndarray) -> np.ndarray:
    """Day on which a running total first reaches a size, interpolated within the day; infinite if it does not.

    Parameters
    ----------
    total : (..., day)
        Total at the end of each day.
    size : (...)
        Number to reach.
    """
    reached = total >= size[..., None]
    crossed = reached.any(axis=-1)
    day = reached.argmax(axis=-1)
    after = np.take_along_axis(total, day[..., None], -1)[..., 0]
    before = np.take_along_axis(total, np.maximum(day - 1, 0)[..., None], -1)[..., 0]
    before = np.where(day > 0, before, 0.0)
    step = after - before
    share = np.where(step > 0, (size - before) / np.where(step > 0, step, 1.0), 1.0)
    return np.where(crossed, day - 1 + share, np.inf)


def depletion_date(fit: Fit, scenario: Scenario | None = None) -> DepletionDate:
    """Posterior of the depletion date.

    Parameters
    ----------
    fit
        The draws.
    scenario
        ``hold()`` by default: each draw's mean rate since the reported escalation goes on. Under ``hold`` the date is
        exact whatever the horizon; under other scenarios it is looked for day by day up to the horizon.

    Returns
    -------
    DepletionDate

    Notes
    -----
    With a constant rate from an onset, T = onset + N / rate.
    """
    scenario = scenario or Hold()
    size = fit.array("contingent_size")
    past = fit.array("cumulative_loss")
    day = first_crossing(past, size)
    today = fit.campaign.day(fit.vintage)
    if isinstance(scenario, Hold):
        rate = rate_since(fit)
        with np.errstate(divide="ignore"):
            ahead = today + (size - past[..., -1]) / rate
    else:
        future = scenario.future_rate(fit, fit.campaign.horizon_days, projection_seed(fit))
        total = past[..., -1:] + np.cumsum(future, axis=-1)
        with_today = np.concatenate([past[..., -1:], total], axis=-1)
        ahead = today + first_crossing(with_today, size)
    day = np.where(np.isfinite(day), day, ahead)
    return DepletionDate(scenario.name, scenario.sentence(fit), day, fit.campaign, fit.vintage)


@dataclass(frozen=True)
class ReferencePlace:
    """Where a published projection lies in the posterior: the share of draws below its rate, and before its date.

    ``date_quantile`` is None where the projection's date lies after the horizon.
    """

    rate: float
    rate_quantile: float
    date: dt.date
    date_quantile: float | None


def reference_place(fit: Fit, date: DepletionDate) -> ReferencePlace | None:
    """Place the campaign's reference projection; None if there is none, or none was public by the vintage."""
    reference = fit.campaign.reference_projection
    if reference is None:
        return None
    by = None if reference.date > date.horizon else date.probability_by(reference.date)
    below = float(np.mean(rate_since(fit) <= reference.daily_rate))
    return ReferencePlace(reference.daily_rate, below, reference.date, by)
