"""What every scenario is: a frozen value that says, for the same draws, how losses go on and who else arrives."""

from __future__ import annotations

import datetime as dt
import math
import zlib
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import NoReturn

import numpy as np

from ..claims import as_date
from ..errors import InputError, Problem, shown
from ..fitted import Fit
from ..manpower import Rows


@dataclass(frozen=True, eq=False)
class Settled:
    """From here on nothing changes any more: what comes after is solved, not searched day by day.

    Attributes
    ----------
    after
        Whole days after the vintage.
    rate : (chain, draw)
        Killed and wounded a day, for good.
    hazard : (chain, draw)
        Share of those left that is lost in a day, as a continuous rate; where it is above 0, ``rate`` is 0.
    """

    after: int
    rate: np.ndarray
    hazard: np.ndarray

    def part(self, rows: Rows) -> Settled:
        """Some of the draws."""
        return Settled(self.after, self.rate[rows], self.hazard[rows])


@dataclass(frozen=True, eq=False)
class Ahead:
    """The days after the vintage under a scenario, before anybody is out of reach of it.

    Attributes
    ----------
    rate : (chain, draw, day)
        Killed and wounded on each day, whatever the strength.
    hazard : (chain, draw, day), optional
        Share of those left that is lost on each day, as a continuous rate per day; added to ``rate``.
    arriving : (chain, draw, day), optional
        Persons who have arrived since the vintage by the end of each day.
    settled
        From when on nothing changes; None if it always does.
    """

    rate: np.ndarray
    hazard: np.ndarray | None = None
    arriving: np.ndarray | None = None
    settled: Settled | None = None

    def part(self, rows: Rows) -> Ahead:
        """Some of the draws."""
        hazard = None if self.hazard is None else self.hazard[rows]
        arriving = None if self.arriving is None else self.arriving[rows]
        return Ahead(self.rate[rows], hazard, arriving, self.settled and self.settled.part(rows))


@dataclass(frozen=True)
class Span:
    """The days that a part of a chain has.

    Attributes
    ----------
    first
        Whole days after the vintage before the part begins.
    last
        Whole days after the vintage by whose end it has ended; None if it goes on.
    paused
        Whether a pause that encloses the part begins with it.
    """

    first: int = 0
    last: int | None = None
    paused: bool = False

    def words(self, fit: Fit) -> str:
        """Write its dates."""
        if self.last is not None and self.last <= self.first:
            return "has no days"
        start = fit.vintage + dt.timedelta(days=self.first + 1)
        end = "" if self.last is None else f" to {fit.vintage + dt.timedelta(days=self.last)}"
        return f"goes from {start}{end}" if end else f"begins on {start}"


WHOLE = Span()


class Scenario(ABC):
    """A statement about the days after the vintage, applied after the fit to the same draws.

    Days are those of the calendar: what a scenario says of the 31st day ahead is the same whatever came before it in a
    chain, so that a scenario interrupted by itself is itself. Only a pause without a start begins with its part of the
    chain.
    """

    @property
    @abstractmethod
    def name(self) -> str:
        """Key in every output; two scenarios that differ have two names."""

    @abstractmethod
    def sentence(self, fit: Fit) -> str:
        """Say what is assumed, as a clause that can follow *if*."""

    @abstractmethod
    def ahead(self, fit: Fit, days: int) -> Ahead:
        """Losses and arrivals on each of the days after the vintage."""

    @property
    def operand(self) -> str:
        """Name as a part of another name: a chain in brackets, so that no two scenarios share a name."""
        return self.name

    @property
    def begins_with_part(self) -> bool:
        """Whether anything in it begins when its part of a chain does."""
        return False

    def within(self, fit: Fit, span: Span) -> Scenario:
        """Say the same as a part of a chain.

        Parameters
        ----------
        fit
            Gives the vintage.
        span
            The days that the part has.

        Returns
        -------
        Scenario
            With a date for what begins with its part.

        Raises
        ------
        InputError
            If something in it does not fit into its part: change its date, or the turn.
        """
        return self

    def then(self, when: int | dt.date | str, second: Scenario) -> Scenario:
        """Hold for so many days after the vintage, or until the day before a date; then another. See ``then``."""
        from .chain import then

        return then(self, when, second)

    def multiplied(self, factor: float) -> Scenario:
        """Multiply every rate and risk of this scenario by a factor of at least 0. See ``multiply``."""
        from .combined import multiply

        return multiply(factor, self)

    def reinforced(self, size: float, date: dt.date | str, sd_log: float = 0.1, sd_days: float = 0.0) -> Scenario:
        """Let so many more persons arrive at the start of a day. See ``reinforce``."""
        from .combined import reinforce

        return reinforce(size, date, self, sd_log, sd_days)

    def paused(self, start: dt.date | str | None = None, days: float = 30, sd_days: float = 0.0) -> Scenario:
        """Let nobody be lost for an interval, by default from the first day that the scenario has. See ``pause``."""
        from .combined import pause

        return pause(start, days, sd_days, self)


def projection_seed(fit: Fit, key: str = "") -> np.random.Generator:
    """Random numbers of projections: the second branch of the fit's seed.

    Parameters
    ----------
    fit
        Gives the seed.
    key
        What the numbers are for: different things have independent numbers, the same thing has the same ones in every
        scenario.
    """
    branch = (1, zlib.crc32(key.encode())) if key else (1,)
    return np.random.default_rng(np.random.SeedSequence(fit.seed, spawn_key=branch))


def refuse(name: str, got: object, expected: str, do: str) -> NoReturn:
    """Refuse an argument of a scenario."""
    raise InputError("The scenario cannot be used", [Problem("argument", "", name, shown(got), expected, do)])


def number(name: str, value: float, least: float = 0.0, above: bool = False) -> float:
    """Read a finite number that is at least (or, if so said, above) another."""
    good = isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)
    if not good or not math.isfinite(value) or value < least or (above and value == least):
        refuse(name, value, f"a number {'above' if above else 'of at least'} {least:g}", "Correct it.")
    return float(value)


def whole(name: str, value: int, least: int) -> int:
    """Read a whole number of days."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
        refuse(name, value, f"a whole number of at least {least}", "Count whole days.")
    return int(value)


def inner(name: str, value: object) -> Scenario:
    """Read a scenario.

    Raises
    ------
    InputError
        For anything else: a function is to be called, a name to be written as a call.
    """
    if isinstance(value, Scenario):
        return value
    do = "Give one, for example forecast()."
    if callable(value):
        do = f"Call it: {getattr(value, '__name__', 'it')}()."
    elif isinstance(value, str):
        do = "Write a call and not a text, for example hold()."
    refuse(name, value, "a scenario", do)


def day_ahead(fit: Fit, date: dt.date, name: str) -> int:
    """Days from the vintage to a date after it."""
    days = (date - fit.vintage).days
    if days < 1:
        refuse(name, str(date), f"after the vintage, {fit.vintage}", "What is past is known from the fit.")
    return days


def optional_date(value: dt.date | str | None, name: str) -> dt.date | None:
    """Read a date that may be left out."""
    return None if value is None else as_date(value, name)


def plain(value: float) -> str:
    """Write a number in full, as short as it goes."""
    return str(int(value)) if value == int(value) else repr(float(value))


def day_words(days: float) -> str:
    """Write a number of days."""
    return "1 day" if days == 1 else f"{plain(days)} days"
