"""The depletion date under each scenario: one panel each, with what lies after the horizon as a bar of its own."""

from __future__ import annotations

import datetime as dt
import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter, MaxNLocator

from ..campaign import ReferenceProjection
from ..depletion import DEFINITIONS, DepletionDate
from ..display import percent
from ..fitted import Fit
from ..manpower import loss_factor
from ..scenarios.base import Scenario
from .figure_data import date_bins, date_quantile_data, dates_of
from .style import (
    INK,
    MUTED,
    REFERENCE,
    SCENARIO_COLOURS,
    SIZE,
    SMALL,
    beside,
    date_axis,
    furnish,
    legend_below,
    literal,
    new_axes,
    number,
    numbers,
    tall_points,
    tidy,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

PANEL_INCHES = 1.72
HEAD, FOOT = 28.0, 12.0
PANEL_WIDTH, GAUGE = 0.885, (0.915, 0.05)
STRIP, ROOM = 0.17, 1.32
UNLIKE = 5.0
EMPTY_TOP = 0.05
PAPER = {"facecolor": "white", "edgecolor": "none", "pad": 2.0}


def draw_dates(
    ax: Axes | None, fit: Fit, scenarios: Sequence[Scenario | DepletionDate] | None, drawn: dt.date | str | None
) -> Axes:
    """Draw a panel for each scenario into the room of ``ax`` (or of a figure of its own)."""
    dates = dates_of(fit, scenarios)
    quantiles = date_quantile_data(fit, dates)
    count = max(len(dates), 1)
    if ax is None:
        height = PANEL_INCHES * count
        ax = new_axes(fit, height + 1.26, legend_rows=2, right=0.42)
    ax.set_axis_off()
    bins = [date_bins(date) for date in dates]
    tops = [float(one["per_week"].max()) for one in bins]
    some = [top for top in tops if top > 0] or [EMPTY_TOP]
    shared = max(some) <= UNLIKE * min(some)
    first, last = _span(fit, bins, dates)
    head, foot = (min(points / tall_points(ax), 0.3 / count) for points in (HEAD, FOOT))
    room = (1 + foot) / count
    for position, (date, one) in enumerate(zip(dates, bins, strict=True)):
        lower, tall = (count - 1 - position) * room, room - head - foot
        panel = ax.inset_axes((0.0, lower, PANEL_WIDTH, tall))
        under = tall * STRIP / (STRIP + ROOM)
        gauge = ax.inset_axes((GAUGE[0], lower + under, GAUGE[1], tall - under))
        top = max(some) if shared else tops[position] or EMPTY_TOP
        colour = SCENARIO_COLOURS[position % len(SCENARIO_COLOURS)]
        date_axis(panel, first, last)
        panel.tick_params(labelbottom=position == count - 1)
        _histogram(panel, one, top, colour)
        _intervals(panel, quantiles.iloc[position], top)
        _landmarks(panel, fit, top, labelled=position == 0)
        _after(gauge, quantiles.iloc[position], colour)
        _words(panel, gauge, date)
    furnish(ax, fit, _depleted(fit, dates), "Date of depletion", drawn)
    handles = [
        Patch(facecolor=MUTED, alpha=0.6, label="probability per week"),
        Line2D([], [], color=INK, lw=1.0, label="90% credible interval, equal-tailed"),
        Line2D([], [], color=INK, lw=3.0, solid_capstyle="butt", label="50% credible interval, equal-tailed"),
        Line2D([], [], color=INK, ls="", marker="o", mfc="white", ms=4.5, label="median"),
    ]
    legend_below(ax, handles, columns=2)
    return ax


def _span(fit: Fit, bins: Sequence[pd.DataFrame], dates: Sequence[DepletionDate]) -> tuple[float, float]:
    """First and last day drawn: from the vintage, an earlier draw or the reference, to the horizon."""
    last = max((number(date.horizon) for date in dates), default=number(fit.vintage) + 365.0)
    firsts = [number(fit.vintage), *(float(numbers(one["first_day"].iloc[:1])[0]) for one in bins)]
    reference = fit.campaign.reference_projection
    if reference is not None and _near(fit, reference, last):
        firsts.append(number(reference.date))
        last = max(last, number(reference.date))
    first = min(firsts)
    pad = 0.02 * (last - first)
    return first - pad, last + pad / 2


def _near(fit: Fit, reference: ReferenceProjection, last: float) -> bool:
    """Whether the reference's date is close enough to share the panel."""
    away = max(number(fit.vintage) - number(reference.date), number(reference.date) - last)
    return away <= last - number(fit.vintage)


def _histogram(panel: Axes, bins: pd.DataFrame, top: float, colour: str) -> None:
    weeks = bins[~bins["after_horizon"].astype(bool)]
    left = numbers(weeks["first_day"]) - 1
    width = numbers(weeks["last_day"]) - left
    panel.bar(left, 100 * weeks["per_week"], width=width, align="edge", color=colour, alpha=0.75, lw=0, zorder=2)
    panel.set_ylim(-100 * top * STRIP, 100 * top * ROOM)
    panel.axhline(0, color=MUTED, lw=0.5, zorder=3)
    ticks = MaxNLocator(4, steps=[1, 2, 5, 10]).tick_values(0, 100 * top)
    panel.set_yticks([tick for tick in ticks if 0 <= tick <= 100 * top * 1.1])
    panel.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    panel.set_ylabel("Probability\n(% per week)", fontsize=SIZE)


def _intervals(panel: Axes, row: pd.Series, top: float) -> None:
    """Median and intervals in the strip under the bars; an end after the horizon runs out of the panel as an arrow."""
    y = -100 * top * STRIP / 2
    edge = panel.get_xlim()[1]
    for low, high, width in (("q05", "q95", 1.0), ("q25", "q75", 3.2)):
        if pd.isna(row[low]):
            continue
        start = number(row[low].date())
        stop = edge if pd.isna(row[high]) else number(row[high].date())
        panel.plot([start, stop], [y, y], color=INK, lw=width, solid_capstyle="butt", zorder=4, clip_on=False)
        if pd.isna(row[high]):
            panel.plot([edge], [y], ls="", marker=">", ms=4.5, color=INK, mew=0, zorder=4, clip_on=False)
    if not pd.isna(row["q50"]):
        panel.plot([number(row["q50"].date())], [y], ls="", marker="o", ms=4.5, mfc="white", mec=INK, zorder=5)


def _landmarks(panel: Axes, fit: Fit, top: float, labelled: bool) -> None:
    """The vintage and the reference's date as lines, named in the first panel."""
    first, last = panel.get_xlim()
    marks = [(number(fit.vintage), f"vintage {fit.vintage}", MUTED, (0, (1, 1.5)), 103)]
    reference = fit.campaign.reference_projection
    if reference is not None:
        words = f"{literal(reference.source)}: {reference.date}"
        at = number(reference.date)
        if not first <= at <= last:
            words, at = (f"{words}, earlier", first) if at < first else (f"{words}, later", last)
        marks.append((at, words, REFERENCE, (0, (4, 2)), 116))
    for x, words, colour, dashes, height in marks:
        if first < x < last:
            panel.plot([x, x], [-100 * top * STRIP, (height + 10) * top], color=colour, lw=0.9, ls=dashes, zorder=3)
        if not labelled:
            continue
        rightmost = x > first + 0.72 * (last - first)
        panel.annotate(
            words,
            (x, height * top),
            (-3 if rightmost else 3, 0),
            textcoords="offset points",
            ha="right" if rightmost else "left",
            va="bottom",
            fontsize=SMALL,
            color=colour,
            zorder=6,
        )


def _after(gauge: Axes, row: pd.Series, colour: str) -> None:
    """A bar from 0 to 100%: the probability that lies after the horizon."""
    gauge.set_xlim(0, 1)
    gauge.set_ylim(0, 100)
    tidy(gauge)
    gauge.spines[["top", "right"]].set_visible(True)
    gauge.bar([0.5], [100 * row["after_horizon"]], width=1.0, color=colour, alpha=0.75, hatch="////", ec="white", lw=0)
    gauge.set_xticks([])
    gauge.yaxis.tick_right()
    gauge.set_yticks([0, 50, 100], ["0%", "50%", "100%"], fontsize=SMALL)


def _depleted(fit: Fit, dates: Sequence[DepletionDate]) -> str:
    """What the panels are about, in words."""
    if all(date.definition == "gross" for date in dates):
        lost = "killed or wounded" if np.all(loss_factor(fit) == 1.0) else "lost"
        return f"date by which the initial contingent is {lost}"
    return "date of depletion"


def _words(panel: Axes, gauge: Axes, date: DepletionDate) -> None:
    """What the scenario assumes, and the answer in words."""
    after = float(np.mean(date.day > date.campaign.day(date.horizon)))
    what = "" if date.definition == "gross" else f" ({DEFINITIONS[date.definition]})"
    sentence = textwrap.shorten(literal(f"{date.scenario}{what}: {date.sentence}", 400), 118, placeholder=" …")
    low, high = date.quantile_text(0.05), date.quantile_text(0.95)
    answer = f"median {date.quantile_text(0.5)}; 90% interval {low} to {high}"
    beside(panel, sentence, (0, 1), 14, fontsize=SIZE, va="bottom")
    beside(panel, answer, (0, 1), 4, fontsize=SMALL, color=MUTED, va="bottom")
    beside(gauge, f"after {date.horizon}: {percent(after)}", (1, 1), 4, fontsize=SMALL, ha="right", va="bottom")
    if after == 1.0:
        words = f"no draw reaches depletion by {date.horizon}"
        panel.text(
            0.5, 0.45, words, transform=panel.transAxes, ha="center", color=MUTED, fontsize=SIZE, zorder=6, bbox=PAPER
        )
