"""The summary for people: how many, how many a day, by when, how sure, and how that compares with the newspapers."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping

from ..depletion import DEFINITIONS, DepletionDate, reference_place
from ..display import percent
from ..fitted import Fit, rate_since
from ..manpower import killed, loss_words
from .sentences import interval_text
from .summary import published_dates

WIDTH = 96


def summary_text(fit: Fit, dates: Mapping[str, dict[str, DepletionDate]] | None = None) -> str:
    """Plain text of a fit's answer, with the level of every interval and the conditions it rests on.

    Parameters
    ----------
    fit
        The draws; if their convergence gate failed, the text says first that it is not a final result.
    dates
        What ``published_dates`` gave for this fit, if they are at hand.

    Returns
    -------
    str
        Lines of at most 96 characters where they can be broken.
    """
    total = fit.array("cumulative_loss")[..., -1]
    rate = rate_since(fit)
    since = fit.campaign.rate_since
    lines = [
        f"{fit.campaign.title or fit.campaign.name}, from {len(fit.seen.claims)} claims of "
        f"{fit.seen.claims['source'].nunique()} sources known by {fit.vintage}",
        "",
    ]
    if not fit.passed:
        lines += [f"NOT A FINAL RESULT: the convergence gate failed: {fit.gate.get('sentence', '')}", ""]
    rows = [
        ("Killed and wounded by then", interval_text(total)),
        ("of them killed", interval_text(killed(fit)[..., -1])),
        (f"A day, since {since}", interval_text(rate)),
        ("Size of the contingent", interval_text(fit.array("contingent_size"))),
    ]
    lines += [f"  {label:<28}  {text}" for label, text in rows]
    lines += ["", f"  Date by which the whole initial contingent is {loss_words(fit)}"]
    lines += [f"  (net: {DEFINITIONS['net']}):"]
    found = published_dates(fit) if dates is None else dates
    for name, one in found.items():
        for label, date in ((name, one["gross"]), (f"{name}, net", one["net"])):
            lines += [f"  {label:<28}  {_dates(date)}", f"  {'':<28}  {_probabilities(fit, date)}"]
        lines += _wrapped(f"if {one['gross'].sentence}", 32)
    lines += [
        *_reference(fit, {name: one["gross"] for name, one in found.items()}),
        "",
        *_wrapped(CONDITIONS, 2),
        *(w for note in fit.seen.notes for w in _wrapped(note, 2)),
    ]
    gate = fit.gate
    verdict = (
        f"Convergence gate {'passed' if fit.passed else 'FAILED'}: R-hat at most {gate['max_rhat']:.3f}, effective sample "
        f"size at least {gate['min_ess']:.0f}, {gate['divergences']} divergences"
        + (f"; {gate['escalated']}" if gate["escalated"] else "")
    )
    lines += ["", *_wrapped(verdict, 2)]
    return "\n".join(line.rstrip() for line in lines)


CONDITIONS = (
    "Medians with 90% credible intervals. The level rests on the priors about each side's bias: if every source overstated "
    "by the same factor, no claim could tell. The date is conditional on its scenario; neither foresees another "
    "pause, a withdrawal or reinforcements."
)


def _dates(date: DepletionDate) -> str:
    low, high = date.quantile_text(0.05), date.quantile_text(0.95)
    return f"{date.quantile_text(0.5)} (90% interval {low} to {high})"


def _probabilities(fit: Fit, date: DepletionDate) -> str:
    interests = [one.date for one in fit.campaign.dates_of_interest if fit.vintage < one.date <= date.horizon]
    dates = [f"by {day}: {percent(date.probability_by(day))}" for day in interests]
    return "; ".join([*dates, f"within the horizon, by {date.horizon}: {percent(date.probability_within_horizon)}"])


def _reference(fit: Fit, dates: dict[str, DepletionDate]) -> list[str]:
    reference = fit.campaign.reference_projection
    if reference is None:
        return []
    lines = ["", *_wrapped(reference.text, 2)]
    for name, one in dates.items():
        place = reference_place(fit, one)
        if place is None:
            continue
        if name == "hold":
            rate = f"Its rate, {place.rate:g} a day: {percent(place.rate_quantile)} of the posterior lies below it."
            lines += _wrapped(rate, 2)
        if place.date_quantile is None:
            continue
        share = percent(place.date_quantile)
        lines += _wrapped(f"Its date, {place.date}: under {name}, {share} of the posterior lies at or before it.", 2)
    return lines


def _wrapped(text: str, indent: int) -> list[str]:
    return textwrap.wrap(text, WIDTH, initial_indent=" " * indent, subsequent_indent=" " * indent)
