"""Scenarios made of scenarios: after a pause, multiplied, with more arrivals, one after another."""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass, replace

import numpy as np

from ..claims import as_date
from ..display import count
from ..fitted import Fit
from .base import (
    Ahead,
    Scenario,
    day_ahead,
    day_words,
    inner,
    number,
    optional_date,
    plain,
    projection_seed,
    refuse,
    whole,
)
from .rates import Forecast


@dataclass(frozen=True)
class Pause(Scenario):
    """Nobody is lost for an interval; before and after it, another scenario as it would have been without the pause.

    ``start`` is the first day, None for the day after the vintage. With ``sd_days`` each end is uncertain by so much,
    independently; a pause that starts at the vintage has begun, and only its end is.
    """

    start: dt.date | None
    days: float
    sd_days: float
    scenario: Scenario

    def __post_init__(self) -> None:
        object.__setattr__(self, "days", number("days", self.days))
        object.__setattr__(self, "sd_days", number("sd_days", self.sd_days))
        inner("scenario", self.scenario)

    @property
    def name(self) -> str:
        """Key in every output."""
        return f"{self._key}_then_{_operand(self.scenario)}"

    @property
    def _key(self) -> str:
        start = f"_from_{self.start}" if self.start else ""
        spread = f"_sd_{plain(self.sd_days)}" if self.sd_days else ""
        return f"pause{start}_{plain(self.days)}{spread}"

    def sentence(self, fit: Fit) -> str:
        """Say what is assumed."""
        start = self.start or fit.vintage + dt.timedelta(days=1)
        ends = "its end" if self.start is None else "each end"
        spread = f" ({ends} give or take {day_words(self.sd_days)})" if self.sd_days else ""
        around = "before it and after it" if self.start else "after that"
        return f"nobody is lost for {day_words(self.days)} from {start}{spread}, and {around} {self.scenario.sentence(fit)}"

    def ahead(self, fit: Fit, days: int) -> Ahead:
        """Losses on each of the days after the vintage."""
        begin = 0.0 if self.start is None else day_ahead(fit, self.start, "start") - 1.0
        other = self.scenario.ahead(fit, days)
        if self.days == 0 and self.sd_days == 0:
            return other
        shape = other.rate.shape[:-1]
        draws = projection_seed(fit, self._key).standard_normal((2, *shape)) if self.sd_days else np.zeros((2, 1, 1))
        first = np.maximum(begin + (self.sd_days * draws[0] if self.start else 0.0 * draws[0]), 0.0)
        last = np.maximum(begin + self.days + self.sd_days * draws[1], first)
        end = np.arange(1.0, days + 1.0)
        covered = np.minimum(last[..., None], end) - np.maximum(first[..., None], end - 1.0)
        settled = other.settled and replace(
            other.settled, after=max(other.settled.after, math.ceil(float(last.max(initial=0.0))))
        )
        return _scaled(replace(other, settled=settled), 1.0 - np.clip(covered, 0.0, 1.0))


@dataclass(frozen=True)
class Multiply(Scenario):
    """Every rate and risk of another scenario, times a factor; arrivals stay as they are."""

    factor: float
    scenario: Scenario

    def __post_init__(self) -> None:
        object.__setattr__(self, "factor", number("factor", self.factor))
        inner("scenario", self.scenario)

    @property
    def name(self) -> str:
        """Key in every output."""
        return f"multiply_{plain(self.factor)}_{_operand(self.scenario)}"

    def sentence(self, fit: Fit) -> str:
        """Say what is assumed."""
        return f"at {plain(self.factor)} times the pace, {self.scenario.sentence(fit)}"

    def ahead(self, fit: Fit, days: int) -> Ahead:
        """Losses on each of the days after the vintage."""
        other = self.scenario.ahead(fit, days)
        settled = other.settled and replace(
            other.settled, rate=other.settled.rate * self.factor, hazard=other.settled.hazard * self.factor
        )
        return _scaled(replace(other, settled=settled), self.factor)


@dataclass(frozen=True)
class Reinforce(Scenario):
    """Another scenario with more arrivals: LogNormal(log size, sd_log) persons at the start of a day, give or take.

    Two equal reinforcements in one scenario arrive together, in equal numbers.
    """

    size: float
    date: dt.date
    scenario: Scenario
    sd_log: float
    sd_days: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "size", number("size", self.size, above=True))
        object.__setattr__(self, "sd_log", number("sd_log", self.sd_log))
        object.__setattr__(self, "sd_days", number("sd_days", self.sd_days))
        inner("scenario", self.scenario)

    @property
    def name(self) -> str:
        """Key in every output."""
        return f"{self._key}_and_{_operand(self.scenario)}"

    @property
    def _key(self) -> str:
        spread = "" if self.sd_log == 0.1 else f"_log_{plain(self.sd_log)}"
        spread += f"_sd_{plain(self.sd_days)}" if self.sd_days else ""
        return f"reinforce_{plain(self.size)}_on_{self.date}{spread}"

    def sentence(self, fit: Fit) -> str:
        """Say what is assumed."""
        spread = f" (give or take {day_words(self.sd_days)})" if self.sd_days else ""
        about = "about " if self.sd_log else ""
        return f"{about}{count(self.size)} more arrive on {self.date}{spread}, and {self.scenario.sentence(fit)}"

    def ahead(self, fit: Fit, days: int) -> Ahead:
        """Losses and arrivals on each of the days after the vintage."""
        day = day_ahead(fit, self.date, "date")
        other = self.scenario.ahead(fit, days)
        draws = projection_seed(fit, self._key).standard_normal((2, *other.rate.shape[:-1]))
        size = self.size * np.exp(self.sd_log * draws[0])
        on = np.maximum(np.round(day + self.sd_days * draws[1]), 1.0)
        more = np.where(np.arange(1, days + 1) >= on[..., None], size[..., None], 0.0)
        settled = other.settled and replace(other.settled, after=max(other.settled.after, int(on.max(initial=1.0))))
        return replace(other, arriving=more if other.arriving is None else other.arriving + more, settled=settled)


@dataclass(frozen=True)
class Then(Scenario):
    """One scenario for so many days after the vintage, or until the day before a date; then another."""

    first: Scenario
    when: int | dt.date
    second: Scenario

    def __post_init__(self) -> None:
        inner("first", self.first)
        if not isinstance(self.when, dt.date):
            object.__setattr__(self, "when", whole("when", self.when, 0))
        inner("second", self.second)

    @property
    def name(self) -> str:
        """Key in every output."""
        span = f"until_{self.when}" if isinstance(self.when, dt.date) else f"for_{self.when}"
        return f"{_operand(self.first)}_{span}_then_{_operand(self.second)}"

    def sentence(self, fit: Fit) -> str:
        """Say what is assumed."""
        if isinstance(self.when, dt.date):
            start, link = f"until {self.when}", "from then on"
        else:
            start, link = f"for {day_words(self.when)}", "after that"
        return f"{start} {self.first.sentence(fit)}, and {link} {self.second.sentence(fit)}"

    def ahead(self, fit: Fit, days: int) -> Ahead:
        """Losses and arrivals on each of the days after the vintage; arrivals of a part count while it lasts."""
        turn = day_ahead(fit, self.when, "when") - 1 if isinstance(self.when, dt.date) else self.when
        first, second = self.first.ahead(fit, days), self.second.ahead(fit, days)
        if self.first == self.second:
            return first
        turn_here = min(turn, days)
        settled = second.settled and replace(second.settled, after=max(second.settled.after, turn))
        return Ahead(
            _spliced(first.rate, second.rate, turn_here),
            _spliced_or_none(first.hazard, second.hazard, turn_here),
            self._arriving(first.arriving, second.arriving, turn_here),
            settled,
        )

    def _arriving(self, first: np.ndarray | None, second: np.ndarray | None, turn: int) -> np.ndarray | None:
        """Arrivals of the first scenario before the turn and of the second after it, as a running total."""
        if first is None and second is None:
            return None
        parts = []
        for position, arriving in enumerate((first, second)):
            if arriving is None:
                continue
            steps = np.diff(arriving, axis=-1, prepend=np.zeros_like(arriving[..., :1]))
            within = np.s_[..., turn:] if position else np.s_[..., :turn]
            kept = np.zeros_like(steps)
            kept[within] = steps[within]
            if steps.any() and not kept.any() and turn < arriving.shape[-1]:
                when = f"within its part of the chain, {'after' if position else 'before'} the turn ({self.when})"
                refuse("date", "arrivals at another time", when, "Give the whole chain the reinforcement instead.")
            parts.append(np.cumsum(kept, axis=-1))
        return np.asarray(sum(parts[1:], parts[0]))


def _operand(scenario: Scenario) -> str:
    """Name as a part of another name: a chain in brackets, so that no two scenarios share a name."""
    return f"({scenario.name})" if isinstance(scenario, Then) else scenario.name


def _scaled(ahead: Ahead, by: float | np.ndarray) -> Ahead:
    hazard = None if ahead.hazard is None else ahead.hazard * by
    return replace(ahead, rate=ahead.rate * by, hazard=hazard)


def _spliced(first: np.ndarray, second: np.ndarray, turn: int) -> np.ndarray:
    return np.concatenate([first[..., :turn], second[..., turn:]], axis=-1)


def _spliced_or_none(first: np.ndarray | None, second: np.ndarray | None, turn: int) -> np.ndarray | None:
    if first is None and second is None:
        return None
    left = np.zeros_like(second) if first is None else first
    right = np.zeros_like(left) if second is None else second
    return _spliced(left, right, turn)


def pause(
    start: dt.date | str | None = None,
    days: float = 30,
    sd_days: float = 0.0,
    scenario: Scenario | None = None,
) -> Scenario:
    """Let nobody be lost for an interval, then go on with a scenario (``forecast()`` by default).

    Parameters
    ----------
    start
        First day of the pause; by default the day after the vintage.
    days
        Its length; 0 is no pause.
    sd_days
        By how much each end is uncertain; without a ``start``, the end only.
    scenario
        What goes on before and after it.
    """
    return Pause(optional_date(start, "start"), days, sd_days, Forecast() if scenario is None else scenario)


def multiply(factor: float, scenario: Scenario) -> Scenario:
    """Multiply every rate and risk of a scenario by a factor of at least 0."""
    return Multiply(factor, scenario)


def reinforce(
    size: float, date: dt.date | str, scenario: Scenario, sd_log: float = 0.1, sd_days: float = 0.0
) -> Scenario:
    """Let more arrive after the vintage.

    Parameters
    ----------
    size
        Median number of persons.
    date
        Day at whose start they arrive.
    scenario
        What losses do.
    sd_log, sd_days
        Uncertainty of the number, in log units, and of the date, in days.
    """
    return Reinforce(size, as_date(date, "date"), scenario, sd_log, sd_days)


def then(first: Scenario, when: int | dt.date | str, second: Scenario) -> Scenario:
    """Chain two scenarios.

    Parameters
    ----------
    first
        Holds for ``when`` days after the vintage, or until the day before the date ``when``.
    when
        Whole days, or the first day of the second scenario.
    second
        Holds after that.
    """
    return Then(first, as_date(when, "when") if isinstance(when, str | dt.date) else when, second)
