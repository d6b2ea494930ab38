"""The answer in sentences: losses so far, the rate, the date; each with its level and the conditions it rests on.

A sentence stands alone where it is quoted: it names its day, its interval's level, and, if the convergence gate failed, that
it is not a final result. With few draws there is no interval to speak of: the sentence then says how many there are and
between what they lie.
"""

from __future__ import annotations

import numpy as np

from ..depletion import DEFINITIONS, DepletionDate, depletion_date
from ..display import count, percent
from ..errors import InputError, Problem, shown
from ..fitted import Fit, rate_since

NOT_FINAL = "Not a final result, the convergence gate failed: "
IN_A_TAIL = 5  # draws that a tail must hold before an end of an interval is named
COUNTED = 100  # with fewer draws a probability is written as a number of draws
TIES = 0.015
UNDER = {"hold": "Under a held rate", "forecast": "Under the forecast"}


def answer_sentences(fit: Fit, level: float = 0.9) -> list[str]:
    """Say what a fit answers: losses so far, the rate, and the date under a held rate.

    Parameters
    ----------
    fit
        The draws; if their convergence gate failed, every sentence begins by saying so.
    level
        Probability of the equal-tailed credible intervals, above 0 and below 1.

    Returns
    -------
    list of str
        Three sentences, each with the conditions it rests on.

    Raises
    ------
    InputError
        If the level is not above 0 and below 1: write 0.9 for 90%.
    """
    date = date_sentence(depletion_date(fit), level, passed=fit.passed)
    return [total_sentence(fit, level), rate_sentence(fit, level), date]


def total_sentence(fit: Fit, level: float = 0.9) -> str:
    """Say how many have been killed or wounded by the vintage; parameters, result and errors as ``answer_sentences``."""
    what = _numbers(fit.array("cumulative_loss")[..., -1], level, "", " killed and wounded", f" by {fit.vintage}")
    who = fit.campaign.title or fit.campaign.name
    return _marked(
        f"{who}: {what}, {_given(fit)}: if every source overstated by the same factor, no claim could tell.", fit
    )


def rate_sentence(fit: Fit, level: float = 0.9) -> str:
    """Say how many a day on average since the reported escalation; as ``answer_sentences``."""
    since = f" since {fit.campaign.rate_since}"
    what = _numbers(rate_since(fit), level, "a mean of ", " killed and wounded a day", since)
    who = fit.campaign.title or fit.campaign.name
    return _marked(f"{who}: {what}, {_given(fit)}; the rate of a single day is less certain.", fit)


def date_sentence(date: DepletionDate, level: float = 0.9, *, passed: bool = True) -> str:
    """Say by when the contingent is depleted under a scenario, and with what probability it is not by the horizon.

    Parameters
    ----------
    date
        Posterior of the date.
    level
        Probability of the equal-tailed interval, above 0 and below 1.
    passed
        Whether the convergence gate passed; if not, the sentence begins by saying so.

    Returns
    -------
    str
        One sentence. Days are whole: "between" includes the days named.

    Raises
    ------
    InputError
        If the level is not above 0 and below 1.
    """
    low, high = tails(level)
    under = UNDER.get(date.scenario, f"Under the scenario {date.scenario}")
    what = f"depletion ({DEFINITIONS[date.definition]})"
    text = f"{under} ({date.sentence}), {_when(date, low, high, what)}, given the priors about bias."
    return text if passed else NOT_FINAL + text


def tails(level: float) -> tuple[float, float]:
    """Quantile levels that end an equal-tailed interval of a probability: 0.05 and 0.95 for 0.9.

    Raises
    ------
    InputError
        If it is no number above 0 and below 1: write 0.9 for 90%.
    """
    number = isinstance(level, int | float | np.integer | np.floating) and not isinstance(level, bool)
    if not number or not 0.0 < level < 1.0:
        problem = Problem("argument", "", "level", shown(level), "above 0 and below 1", "Write 0.9 for 90%.")
        raise InputError("Not the level of an interval", [problem])
    low = round((1.0 - float(level)) / 2.0, 12)
    return low, round(1.0 - low, 12)


def level_text(level: float) -> str:
    """A level as people write it: 90%."""
    return f"{round(100 * level, 10):g}%"


def chance(some: int, of: int) -> str:
    """Some of so many draws as a probability, no finer than they allow: with few, their number; never a bare 0% or 100%."""
    if some in (0, of):
        return f"0% (none of {of:,} draws)" if some == 0 else f"100% (every one of {of:,} draws)"
    return f"{some} of {of} draws" if of < COUNTED else percent(some / of)


def interval_text(draws: np.ndarray, level: float = 0.9) -> str:
    """Median and equal-tailed interval of a number of persons: ``93 (90% interval 62 to 140)``."""
    low, middle, high = np.quantile(draws, (tails(level)[0], 0.5, tails(level)[1]))
    return f"{count(middle)} ({level_text(level)} interval {count(low)} to {count(high)})"


def _marked(sentence: str, fit: Fit) -> str:
    return sentence if fit.passed else NOT_FINAL + sentence


def _given(fit: Fit) -> str:
    """What a number rests on."""
    claims, sources = len(fit.seen.claims), int(fit.seen.claims["source"].nunique())
    if not claims:
        return "given the priors alone, for no claim is used"
    of = f"{claims} claim{'s' * (claims > 1)} of {sources} source{'s' * (sources > 1)}"
    return f"given {of} known by {fit.vintage} and the priors about bias"


def _numbers(draws: np.ndarray, level: float, before: str, unit: str, when: str) -> str:
    low, high = tails(level)
    if draws.size == 1:
        return f"the only draw says {before}{count(float(draws.item()))}{unit}{when}"
    if draws.size * low < IN_A_TAIL:
        ends = _ends(count(float(draws.min())), count(float(draws.max())), before)
        return f"{draws.size:,} draws, too few for a {level_text(level)} interval, say {ends}{unit}{when}"
    left, middle, right = (count(float(value)) for value in np.quantile(draws, (low, 0.5, high)))
    return (
        f"the model puts {level_text(level)} of its probability on {_ends(left, right, before)}{unit}{when} "
        f"(median {middle}, equal-tailed)"
    )


def _ends(left: str, right: str, before: str) -> str:
    return f"{before}about {left}" if left == right else f"{before}{left} to {right}"


def _when(date: DepletionDate, low: float, high: float, what: str) -> str:
    """What the draws say of the date: so many of them at most days, and the ends of the interval where they carry it."""
    day, calendar, horizon = date.day.ravel(), date.campaign, f"{date.horizon}, the horizon"
    draws = day.size
    reached = _number(day <= calendar.day(date.horizon))
    already = _number(day <= calendar.day(date.vintage))
    level = level_text(high - low)
    if already == draws:
        return f"{_every(draws)} had reached {what} by the vintage, {date.vintage}"
    if reached == 0:
        return f"{_none(draws)} reaches {what} by {horizon}"
    if draws == 1:
        return f"the only draw reaches {what} on {date.quantile_text(0.5)}"
    before = f", with {chance(already, draws)} on a date up to the vintage, {date.vintage}" if already else ""
    never = f"{chance(draws - reached, draws)} on no depletion by {horizon}"
    first, last = date.quantile(low), date.quantile(high)
    if draws * low < IN_A_TAIL:
        span = _span(date.quantile(0.0), calendar.date(float(np.sort(day)[reached - 1])))
        many = f"of {draws:,} draws, too few for a {level} interval, {reached:,} reach {what} by {horizon}, {span}"
        return f"{many}, {already:,} of them up to the vintage, {date.vintage}" if already else many
    if first is None:
        return f"the model puts {chance(reached, draws)} of its probability on {what} by {horizon}{before}"
    if last is None:
        ends = f"the model's {level} interval for {what} runs from {first} to after {date.horizon}"
        return f"{ends} (median {date.quantile_text(0.5)}), with {never}{before}"
    held = _number((day > calendar.day(first) - 1) & (day <= calendar.day(last))) / draws
    least = "at least " if held > high - low + TIES else ""
    most = f"the model puts {least}{level} of its probability on {what} {_span(first, last)}"
    return f"{most} (median {date.quantile_text(0.5)}), and {never}{before}"


def _span(first: object, last: object) -> str:
    return f"on {first}" if first == last else f"between {first} and {last}"


def _every(draws: int) -> str:
    return "the only draw" if draws == 1 else f"every one of {draws:,} draws"


def _none(draws: int) -> str:
    return "not even the only draw" if draws == 1 else f"none of {draws:,} draws"


def _number(which: np.ndarray) -> int:
    return int(np.count_nonzero(which))
