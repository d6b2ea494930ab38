"""The prior guide as a page of Markdown."""

from __future__ import annotations

import math

from .display import count
from .guide import Outcome, PriorGuide
from .prior_draws import quantile
from .prior_texts import TEXTS
from .priors import Prior


def guide_page(guide: PriorGuide) -> str:
    """Render the prior guide as Markdown.

    Parameters
    ----------
    guide
        From ``prior_guide``.

    Returns
    -------
    str
        Markdown, with a section for each prior.
    """
    since = guide.campaign.rate_since
    lines = [
        f"# Priors: {guide.campaign.title or guide.campaign.name}",
        "",
        f"Written by `attrition priors`. Set: {guide.priors.label}. As known by {guide.vintage}. For every "
        f"prior: what it does, when to change it, what it implies "
        "before any claim is read, and where its numbers come from. To change one: "
        '`default_priors(campaign).override({"claim_error": {"median": 0.2}})`.',
        "",
    ]
    lines += [
        "## Before any claim",
        "",
        f"{guide.draws:,} draws from all priors (seed {guide.seed}). {guide.overall.rejected:,} of them lost "
        f"more people than had "
        f"come and are rejected, as the model is conditioned on a force still fighting at {guide.vintage}.",
        "",
        *_head("", since, guide),
        _row("all priors drawn", guide.overall),
        "",
        *_claims(guide),
        *_ranked(guide),
        "## Every prior",
        "",
        "5%, median and 95% are of the prior itself. Below them, the losses when this prior stands at its 5% "
        "and at its 95% point "
        "and all others are drawn; `figure / truth` is an undated figure of a source of that stance (an "
        "evacuated or killed figure "
        "for their errors) over the truth on the day it is published. Bias: the percentiles are those of one "
        "source; held is the "
        "mean of its stance. Medians with 90% intervals.",
        "",
    ]
    for prior in guide.priors.rows:
        lines += _section(guide, prior)
    return "\n".join(lines).rstrip() + "\n"


def _head(first: str, since: object, guide: PriorGuide, more: str = "") -> list[str]:
    return [
        f"| {first} | killed and wounded by {guide.vintage} | a day since {since} | depleted at that rate | "
        f"rejected |{more}",
        f"| --- | --- | --- | --- | --- |{' --- |' if more else ''}",
    ]


def _row(label: str, outcome: Outcome, said: bool = False) -> str:
    if not outcome.total:
        none = "none: hardly a draw left the force fighting"
        return f"| {' | '.join([label, none, '', '', f'over {outcome.rejected:,}', *([''] if said else [])])} |"
    low, middle, high = outcome.hold
    cells = [
        label,
        _interval(outcome.total),
        _interval(outcome.rate),
        f"{middle} ({low} to {high})",
        f"{outcome.rejected:,}",
    ]
    if said:
        low_, middle_, high_ = outcome.said
        cells.append(f"{middle_:.2f} ({low_:.2f} to {high_:.2f})")
    return f"| {' | '.join(cells)} |"


def _interval(numbers: tuple[float, ...]) -> str:
    low, middle, high = (count(number) for number in numbers)
    return f"{middle} ({low} to {high})"


def _claims(guide: PriorGuide) -> list[str]:
    if not len(guide.against_claims):
        return []
    lines = [
        "What the claims say, beside what the prior would have the same sources say of the same days (biases "
        "and errors "
        "included; 90% interval over all of a kind). `outside`: claims whose interval lies outside the 90% "
        "interval of their own "
        "statement.",
        "",
        "| what | claims | they say | the prior says | outside |",
        "| --- | --- | --- | --- | --- |",
    ]
    for row in guide.against_claims.to_dict("records"):
        share = "share" in row["what"]
        least, most, low, middle, high = (
            f"{100 * row[key]:.0f}%" if share else count(row[key]) for key in ("least", "most", "q05", "q50", "q95")
        )
        lines.append(
            f"| {row['what']} | {row['claims']} | {least} to {most} | {middle} ({low} to {high}) | {row['outside']} |"
        )
    return [*lines, ""]


def _ranked(guide: PriorGuide) -> list[str]:
    """Priors that move the losses or the date, by how far the median total moves."""
    moving = [name for name in guide.held if guide.moves(name)]

    def ratio(name: str) -> float:
        low, high = guide.held[name]
        if not low.total or not high.total:
            return math.inf
        return max(high.total[1] / low.total[1], low.total[1] / high.total[1])

    lines = [
        "## What moves the losses",
        "",
        "Median total and median date when one prior goes from its 5% to its 95% point. All other priors "
        "leave them as they are: "
        "they say how claims are read.",
        "",
        "| prior | total | a day | depleted at that rate |",
        "| --- | --- | --- | --- |",
    ]
    for name in sorted(moving, key=ratio, reverse=True):
        low, high = guide.held[name]
        cells = (f"{low.median(what)} to {high.median(what)}" for what in ("total", "rate", "hold"))
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return [*lines, ""]


def _section(guide: PriorGuide, prior: Prior) -> list[str]:
    text = TEXTS[prior.name]
    values = ", ".join(
        f"{words} {quantile(prior, q):.3g}" for words, q in (("5%", 0.05), ("median", 0.5), ("95%", 0.95))
    )
    spread = prior.name in guide.held
    lines = [
        f"### {prior.name}",
        "",
        f"{prior}, {prior.unit}" + (f": {values}." if spread else "."),
        "",
        f"- **What it does.** {text.does}",
        f"- **When to change it.** {text.change}",
        f"- **Where the numbers come from.** {prior.why[0].upper()}{prior.why[1:]}.",
    ]
    if not spread:
        return [
            *lines,
            "- **What it implies.** One number without a spread; it does not move the losses by itself.",
            "",
        ]
    low, high = guide.held[prior.name]
    said = bool(low.said or high.said)
    if guide.moves(prior.name):
        lines += ["", *_head("held at", guide.campaign.rate_since, guide, " figure / truth |" if said else "")]
        return [*lines, _row("5%", low, said), _row("95%", high, said), ""]
    if said:
        words = (f"{o.said[1]:.2f} (90% interval {o.said[0]:.2f} to {o.said[2]:.2f})" for o in (low, high))
        return [
            *lines,
            f"- **What it implies.** Figure / truth: {' at its 5% point, '.join(words)} at its 95% point.",
            "",
        ]
    return [*lines, "- **What it implies.** It does not move the losses or the date of this campaign by itself.", ""]
