"""One scenario after another."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace

import numpy as np

from ..claims import as_date
from ..fitted import Fit
from .base import WHOLE, Ahead, Scenario, Span, day_ahead, day_words, inner, refuse, whole


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
        return f"{self.first.operand}_{span}_then_{self.second.operand}"

    @property
    def operand(self) -> str:
        """Name as a part of another name, in brackets."""
        return f"({self.name})"

    @property
    def begins_with_part(self) -> bool:
        """Whether anything in it begins when its part of a chain does."""
        return self.first.begins_with_part or self.second.begins_with_part

    def sentence(self, fit: Fit) -> str:
        """Say what is assumed."""
        if isinstance(self.when, dt.date):
            start, link = f"until {self.when}", "from then on"
        else:
            start, link = f"for {day_words(self.when)}", "after that"
        part = self.within(fit, WHOLE)
        return f"{start} {part.first.sentence(fit)}, and {link} {part.second.sentence(fit)}"

    def within(self, fit: Fit, span: Span) -> Then:
        """Say the same as a part of a chain: each scenario in the days that it has."""
        if self.first == self.second and not self.first.begins_with_part:
            one = self.first.within(fit, span)
            return replace(self, first=one, second=one)
        turn = self._turn(fit)
        ends = turn if span.last is None else min(turn, span.last)
        first = replace(span, last=max(ends, span.first))
        second = replace(span, first=max(turn, span.first), paused=span.paused and turn <= span.first)
        return replace(self, first=self.first.within(fit, first), second=self.second.within(fit, second))

    def ahead(self, fit: Fit, days: int) -> Ahead:
        """Losses and arrivals on each of the days after the vintage; arrivals of a part count while it lasts."""
        part = self.within(fit, WHOLE)
        turn = self._turn(fit)
        first, second = part.first.ahead(fit, days), part.second.ahead(fit, days)
        if part.first == part.second:
            return first
        turn_here = min(turn, days)
        settled = second.settled and replace(second.settled, after=max(second.settled.after, turn))
        return Ahead(
            _spliced(first.rate, second.rate, turn_here),
            _spliced_or_none(first.hazard, second.hazard, turn_here),
            self._arriving(first.arriving, second.arriving, turn_here),
            settled,
        )

    def _turn(self, fit: Fit) -> int:
        """Days after the vintage that the first scenario has."""
        return day_ahead(fit, self.when, "when") - 1 if isinstance(self.when, dt.date) else self.when

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


def _spliced(first: np.ndarray, second: np.ndarray, turn: int) -> np.ndarray:
    return np.concatenate([first[..., :turn], second[..., turn:]], axis=-1)


def _spliced_or_none(first: np.ndarray | None, second: np.ndarray | None, turn: int) -> np.ndarray | None:
    if first is None and second is None:
        return None
    left = np.zeros_like(second) if first is None else first
    right = np.zeros_like(left) if second is None else second
    return _spliced(left, right, turn)


def then(first: Scenario, when: int | dt.date | str, second: Scenario) -> Scenario:
    """Chain two scenarios.

    Parameters
    ----------
    first
        Holds for ``when`` days after the vintage, or until the day before the date ``when``.
    when
        Whole days, or the first day of the second scenario.
    second
        Holds after that. A pause without a start in it begins with it.

    Returns
    -------
    Scenario
        Nothing in a part is lost: a reinforcement whose date, or a pause whose days, lie outside its part is refused when
        the scenario is applied to a fit. Draws of an uncertain arrival that fall outside arrive on the part's nearest day;
        a pause's uncertain ends are cut at the ends of its part.

    Raises
    ------
    InputError
        If ``first`` or ``second`` is no scenario, or ``when`` neither a date nor a whole number of days: correct it.
    """
    return Then(first, as_date(when, "when") if isinstance(when, str | dt.date) else when, second)
