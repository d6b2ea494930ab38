"""Scenarios made of a scenario: with a pause in it, multiplied, with more arrivals."""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass, replace

import numpy as np

from ..claims import as_date
from ..display import count
from ..fitted import Fit
from .base import (
    WHOLE,
    Ahead,
    Scenario,
    Span,
    day_ahead,
    day_words,
    inner,
    number,
    optional_date,
    plain,
    projection_seed,
    refuse,
)
from .rates import Forecast


@dataclass(frozen=True)
class Pause(Scenario):
    """Nobody is lost for an interval; before and after it, another scenario as it would have been without the pause.

    ``start`` is the first day, None for the first day of its part of a chain: the turn, or the day after the vintage. With
    ``sd_days`` each end is uncertain by so much, independently; of a pause without a start, or one that has ``begun`` by
    then for certain, only the end is.
    """

    start: dt.date | None
    days: float
    sd_days: float
    scenario: Scenario
    begun: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "days", number("days", self.days))
        object.__setattr__(self, "sd_days", number("sd_days", self.sd_days))
        inner("scenario", self.scenario)

    @property
    def name(self) -> str:
        """Key in every output."""
        return f"{self._key}_then_{self.scenario.operand}"

    @property
    def begins_with_part(self) -> bool:
        """Whether it begins when its part of a chain does."""
        return (self.start is None and bool(self.days or self.sd_days)) or self.scenario.begins_with_part

    @property
    def _key(self) -> str:
        start = f"_from_{self.start}" if self.start else ""
        spread = f"_sd_{plain(self.sd_days)}" if self.sd_days else ""
        return f"pause{start}_{plain(self.days)}{spread}"

    def sentence(self, fit: Fit) -> str:
        """Say what is assumed."""
        start = self.start or fit.vintage + dt.timedelta(days=1)
        sure = self.start is None or self.begun
        spread = f" ({'its' if sure else 'each'} end give or take {day_words(self.sd_days)})" if self.sd_days else ""
        around = "after that" if sure else "before it and after it"
        return f"nobody is lost for {day_words(self.days)} from {start}{spread}, and {around} {self.scenario.sentence(fit)}"

    def within(self, fit: Fit, span: Span) -> Scenario:
        """Say the same as a part of a chain: without a start, from the part's first day."""
        from_part = self.start is None
        begin = span.first if self.start is None else day_ahead(fit, self.start, "start") - 1
        start = self.start
        if from_part and span.first:
            start = fit.vintage + dt.timedelta(days=span.first + 1)
        if self.days or self.sd_days:
            self._check_fits(fit, span, begin)
            span = replace(span, paused=span.paused or from_part)
        begun = self.begun or start != self.start
        return replace(self, start=start, scenario=self.scenario.within(fit, span), begun=begun)

    def _check_fits(self, fit: Fit, span: Span, begin: int) -> None:
        """Refuse a pause that its part of a chain would cut, and one that begins inside another like it."""
        day = fit.vintage + dt.timedelta(days=begin + 1)
        if self.start is None and span.paused:
            do = "Add up their days in one pause, or give one of them a start."
            refuse("start", f"two pauses from {day}", "one pause that begins on a day", do)
        last = math.inf if span.last is None else span.last
        if not span.first <= begin < last or begin + self.days > last:
            expected = f"a pause inside its part of the chain, which {span.words(fit)}"
            do = "Move the pause or the turn, shorten the pause, or pause the whole chain: then(...).paused(...)."
            refuse("start and days", f"{day_words(self.days)} from {day}", expected, do)

    def ahead(self, fit: Fit, days: int) -> Ahead:
        """Losses on each of the days after the vintage."""
        begin = 0.0 if self.start is None else day_ahead(fit, self.start, "start") - 1.0
        self.within(fit, WHOLE)
        other = self.scenario.ahead(fit, days)
        if self.days == 0 and self.sd_days == 0:
            return other
        shape = other.rate.shape[:-1]
        draws = projection_seed(fit, self._key).standard_normal((2, *shape)) if self.sd_days else np.zeros((2, 1, 1))
        sure = self.start is None or self.begun
        first = np.maximum(begin + (0.0 if sure else self.sd_days) * draws[0], 0.0)
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
        return f"multiply_{plain(self.factor)}_{self.scenario.operand}"

    @property
    def begins_with_part(self) -> bool:
        """Whether anything in it begins when its part of a chain does."""
        return self.scenario.begins_with_part

    def sentence(self, fit: Fit) -> str:
        """Say what is assumed."""
        return f"at {plain(self.factor)} times the pace, {self.scenario.sentence(fit)}"

    def within(self, fit: Fit, span: Span) -> Scenario:
        """Say the same as a part of a chain."""
        return replace(self, scenario=self.scenario.within(fit, span))

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

    Two equal reinforcements in one scenario arrive together, in equal numbers. ``span`` is the part of the chain that it
    is in: nobody arrives before its first day or after its last, and draws whose date falls outside arrive on the nearest.
    """

    size: float
    date: dt.date
    scenario: Scenario
    sd_log: float
    sd_days: float
    span: Span = WHOLE

    def __post_init__(self) -> None:
        object.__setattr__(self, "size", number("size", self.size, above=True))
        object.__setattr__(self, "sd_log", number("sd_log", self.sd_log))
        object.__setattr__(self, "sd_days", number("sd_days", self.sd_days))
        inner("scenario", self.scenario)

    @property
    def name(self) -> str:
        """Key in every output."""
        return f"{self._key}_and_{self.scenario.operand}"

    @property
    def _key(self) -> str:
        spread = "" if self.sd_log == 0.1 else f"_log_{plain(self.sd_log)}"
        spread += f"_sd_{plain(self.sd_days)}" if self.sd_days else ""
        return f"reinforce_{plain(self.size)}_on_{self.date}{spread}"

    @property
    def begins_with_part(self) -> bool:
        """Whether anything in it begins when its part of a chain does."""
        return self.scenario.begins_with_part

    def sentence(self, fit: Fit) -> str:
        """Say what is assumed."""
        spread = f" (give or take {day_words(self.sd_days)})" if self.sd_days else ""
        about = "about " if self.sd_log else ""
        return f"{about}{count(self.size)} more arrive on {self.date}{spread}, and {self.scenario.sentence(fit)}"

    def within(self, fit: Fit, span: Span) -> Scenario:
        """Say the same as a part of a chain, inside which everybody arrives."""
        day = day_ahead(fit, self.date, "date")
        if day <= span.first or (span.last is not None and day > span.last):
            expected = f"a day of its part of the chain, which {span.words(fit)}"
            do = "Change the date or the turn, or give the whole chain the reinforcement: then(...).reinforced(...)."
            refuse("date", str(self.date), expected, do)
        ends = [last for last in (self.span.last, span.last) if last is not None]
        part = Span(max(self.span.first, span.first), min(ends, default=None))
        return replace(self, scenario=self.scenario.within(fit, span), span=part)

    def ahead(self, fit: Fit, days: int) -> Ahead:
        """Losses and arrivals on each of the days after the vintage."""
        day = day_ahead(fit, self.date, "date")
        other = self.scenario.ahead(fit, days)
        draws = projection_seed(fit, self._key).standard_normal((2, *other.rate.shape[:-1]))
        size = self.size * np.exp(self.sd_log * draws[0])
        last = math.inf if self.span.last is None else self.span.last
        on = np.clip(np.round(day + self.sd_days * draws[1]), self.span.first + 1.0, last)
        more = np.where(np.arange(1, days + 1) >= on[..., None], size[..., None], 0.0)
        settled = other.settled and replace(other.settled, after=max(other.settled.after, int(on.max(initial=1.0))))
        return replace(other, arriving=more if other.arriving is None else other.arriving + more, settled=settled)


def _scaled(ahead: Ahead, by: float | np.ndarray) -> Ahead:
    hazard = None if ahead.hazard is None else ahead.hazard * by
    return replace(ahead, rate=ahead.rate * by, hazard=hazard)


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
        First day of the pause; by default the first day of the part of a chain that it is in: the turn, or the day after the
        vintage.
    days
        Its length; 0 is no pause.
    sd_days
        By how much each end is uncertain, in days; without a ``start``, the end only.
    scenario
        What goes on before and after it.

    Returns
    -------
    Scenario

    Raises
    ------
    InputError
        For a date that cannot be read, a negative number or anything but a scenario. When it is applied to a fit: for a
        ``start`` that is not after the vintage, a pause that its part of a chain would cut, and a pause in a pause where
        both begin with the same part.
    """
    return Pause(optional_date(start, "start"), days, sd_days, Forecast() if scenario is None else scenario)


def multiply(factor: float, scenario: Scenario) -> Scenario:
    """Multiply every rate and risk of a scenario; arrivals stay as they are.

    Parameters
    ----------
    factor
        At least 0.
    scenario
        What is multiplied.

    Returns
    -------
    Scenario

    Raises
    ------
    InputError
        For a factor that is no number or negative, and for anything but a scenario.
    """
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

    Returns
    -------
    Scenario

    Raises
    ------
    InputError
        For a size that is not above 0, a date that cannot be read, a negative uncertainty or anything but a scenario. When
        it is applied to a fit: for a date that is not after the vintage, or lies outside its part of a chain.
    """
    return Reinforce(size, as_date(date, "date"), scenario, sd_log, sd_days)
