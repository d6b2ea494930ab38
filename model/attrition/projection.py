"""The days after the vintage under a scenario: who is lost, who arrives, who comes back, who is left."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import numpy as np

from .display import Shown, count
from .errors import InputError, Problem, shown
from .fitted import Fit
from .manpower import Known, known, returned
from .scenarios.base import Ahead, Scenario, inner
from .scenarios.rates import forecast

NEVER_QUITE = 1e-9


@dataclass(frozen=True, repr=False, eq=False)
class Projection(Shown):
    """Draws of the days after the vintage under one scenario; every array is (chain, draw, day), in persons.

    Attributes
    ----------
    scenario, sentence
        Name of the scenario, and what it assumes.
    vintage
        The last day known; the first day here is the next one.
    arrivals
        Who has arrived by the end of each day, those known at the vintage included; at least the initial contingent.
    gross_total
        Who has been lost by the end of each day, each person once. Depletion absorbs: it never passes ``arrivals``.
    losses_counted
        The same without absorption: a person lost, returned and lost again counts twice.
    daily_rate
        Killed and wounded on each day, each person once, in persons per day; zero once nobody is left.
    returned
        Back on duty by the end of each day, of ``losses_counted``.
    """

    scenario: str
    sentence: str
    vintage: dt.date
    arrivals: np.ndarray
    gross_total: np.ndarray
    losses_counted: np.ndarray
    daily_rate: np.ndarray
    returned: np.ndarray

    @property
    def strength(self) -> np.ndarray:
        """Who is present at the end of each day (chain, draw, day), in persons: those who came back are there again."""
        return np.asarray(np.maximum(self.arrivals - self.losses_counted + self.returned, 0.0))

    def date(self, day: int) -> dt.date:
        """Date of a position on the day axis."""
        return self.vintage + dt.timedelta(days=day + 1)

    def summary_rows(self) -> tuple[str, list[tuple[str, str]]]:
        """Title and labelled facts, for display."""
        last = self.gross_total.shape[-1] - 1
        facts = [("if", self.sentence)]
        for words, draws in (
            ("a day", self.daily_rate),
            ("lost by then", self.gross_total),
            ("arrived by then", self.arrivals),
            ("present then", self.strength),
        ):
            low, middle, high = np.quantile(draws[..., last], (0.05, 0.5, 0.95))
            facts.append((words, f"{count(middle)} (90% interval {count(low)} to {count(high)})"))
        return f"Projection to {self.date(last)}, scenario {self.scenario}", facts


def project(fit: Fit, scenario: Scenario | None = None, days: int | None = None) -> Projection:
    """Carry every draw on under a scenario.

    Parameters
    ----------
    fit
        The draws.
    scenario
        ``forecast()`` by default.
    days
        Days after the vintage, by default the campaign's ``horizon_days``. Up to the horizon, fewer days are the first of
        more.

    Returns
    -------
    Projection

    Raises
    ------
    InputError
        For anything but a scenario, days that are no whole number of at least 1, and a scenario that does not fit the fit.
    """
    scenario = forecast() if scenario is None else inner("scenario", scenario)
    horizon = fit.campaign.horizon_days
    days = horizon if days is None else days
    if isinstance(days, bool) or not isinstance(days, int | np.integer) or days < 1:
        problem = Problem("argument", "", "days", shown(days), "a whole number of at least 1", "Try 365.")
        raise InputError("The days cannot be projected", [problem])
    return carry_on(fit, scenario, scenario.ahead(fit, max(int(days), horizon)), int(days))


def carry_on(fit: Fit, scenario: Scenario, ahead: Ahead, days: int) -> Projection:
    """Apply what a scenario says of the first days ahead to the fit's last day."""
    before = known(fit)
    arrivals, counted, total = losses(before, ahead, days)
    start = np.minimum(before.lost[..., -1:], before.there[..., -1:])
    daily = np.diff(total, axis=-1, prepend=start) / before.factor[..., None]
    back = returned(fit, casualties(before, counted))[..., -days:]
    return Projection(scenario.name, scenario.sentence(fit), fit.vintage, arrivals, total, counted, daily, back)


def casualties(before: Known, counted: np.ndarray) -> np.ndarray:
    """Killed and wounded since the vintage (chain, draw, day) of gross losses by the end of each day after it."""
    return np.asarray((counted - before.lost[..., -1:]) / before.factor[..., None])


def losses(before: Known, ahead: Ahead, days: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Arrivals, losses counted without absorption, and losses with it, by the end of each of the days ahead (maybe none).

    Returns
    -------
    tuple of (chain, draw, day)
        As ``Projection`` has them: ``arrivals``, ``losses_counted``, ``gross_total``.
    """
    arrivals, counted, total = _counted(before, ahead, days)
    if total is None:
        over = np.maximum(before.lost[..., -1] - before.there[..., -1], 0.0)
        total = absorbed(counted, arrivals, over)
    return arrivals, counted, total


def counted_losses(before: Known, ahead: Ahead, days: int) -> tuple[np.ndarray, np.ndarray]:
    """Arrivals and losses counted without absorption, as ``losses`` gives them: all that a date needs."""
    return _counted(before, ahead, days)[:2]


def _counted(before: Known, ahead: Ahead, days: int) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    arrived, lost = before.there[..., -1], before.lost[..., -1]
    steady = ahead.rate[..., :days] * before.factor[..., None]
    arrivals = np.broadcast_to(arrived[..., None], steady.shape)
    if ahead.arriving is not None:
        arrivals = arrivals + ahead.arriving[..., :days]
    if ahead.hazard is not None and ahead.hazard[..., :days].any():
        return (arrivals, *_with_hazard((lost, arrived), steady, ahead.hazard[..., :days], arrivals))
    return arrivals, lost[..., None] + np.cumsum(steady, axis=-1), None


def absorbed(counted: np.ndarray, arrivals: np.ndarray, over: np.ndarray) -> np.ndarray:
    """Losses without the part that found nobody left (..., day).

    Each day ends at the smaller of the total before it plus its losses and those who have arrived; after an arrival, losses
    go on. In closed form, the losses less the most by which they have passed the arrivals so far.

    Parameters
    ----------
    counted : (..., day)
        Losses by the end of each day, never falling.
    arrivals : (..., day)
        Arrivals by the end of each day, never falling.
    over : (...)
        By how much losses had passed arrivals before the first day; not below 0.
    """
    over = np.maximum(np.maximum.accumulate(counted - arrivals, axis=-1), over[..., None])
    return np.asarray(np.minimum(np.maximum.accumulate(counted - over, axis=-1), arrivals))


def _with_hazard(
    start: tuple[np.ndarray, np.ndarray], steady: np.ndarray, hazard: np.ndarray, arrivals: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Losses counted and losses absorbed, day by day, from (lost, arrived) at the start.

    A share of those left is lost; they are never all lost by it.
    """
    share = -np.expm1(-np.moveaxis(hazard, -1, 0))
    steps = np.ascontiguousarray(np.moveaxis(steady, -1, 0))
    there = np.ascontiguousarray(np.moveaxis(arrivals, -1, 0))
    counted, total = np.empty_like(there), np.empty_like(there)
    before, once = start[0], np.minimum(*start)
    for day in range(len(there)):
        left = there[day] - once
        # an exponential does not arrive at zero; rounding would take it there
        loss = steps[day] + np.minimum(left * share[day], np.maximum(left - NEVER_QUITE * there[day], 0.0))
        before = counted[day] = before + loss
        once = total[day] = np.minimum(once + loss, there[day])
    return np.moveaxis(counted, 0, -1), np.moveaxis(total, 0, -1)
