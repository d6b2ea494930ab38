"""How figures look: paper, type, colours and the words that every figure carries. No pyplot, no global state."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib import dates as calendar
from matplotlib.figure import Figure
from matplotlib.legend_handler import HandlerLine2D
from matplotlib.lines import Line2D
from matplotlib.markers import CARETDOWN, CARETUPBASE
from matplotlib.patches import Patch
from matplotlib.ticker import Formatter
from matplotlib.transforms import ScaledTranslation

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.legend import Legend
    from matplotlib.transforms import Transform

    from ..fitted import Fit

# matplotlib's dates are not typed.
AutoDateLocator: Any = calendar.AutoDateLocator
date2num: Any = calendar.date2num
num2date: Any = calendar.num2date

WIDTH = 7.0
SIZE, SMALL = 7.5, 6.5
LONGEST = 48
COLUMN = 145.0
INK, MUTED, LEADER, ALARM, REFERENCE = "#111111", "#555555", "#8c8c8c", "#b00020", "#7a4f00"
BAND_90, BAND_50 = "#dedede", "#b4b4b4"
# Okabe and Ito's palette, distinguishable with any common colour blindness; the shape says the same again.
STANCES: dict[str, tuple[str, Any, str]] = {
    "adversary": ("#c04a00", "s", "adversary"),
    "own_side": ("#a3457d", "D", "own side"),
    "third_party": ("#0064a0", "o", "third party"),
    "analyst": ("#007a5a", "h", "analyst"),
}
SCENARIO_COLOURS = ("#4c78a8", "#b07d2b", "#6b8e5a", "#8b6f9c")
ARROW_UP: Any = CARETUPBASE
ARROW_DOWN: Any = CARETDOWN
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
GATE_NOTE = "convergence gate failed: not a final result"

STYLE: Any = {
    "font.family": ["sans-serif"],
    "font.sans-serif": ["DejaVu Sans", "Verdana", "Helvetica", "Arial"],
    "font.size": SIZE,
    "text.parse_math": False,
    "text.usetex": False,
    "text.color": INK,
    "axes.edgecolor": MUTED,
    "axes.facecolor": "white",
    "axes.labelcolor": INK,
    "axes.labelsize": SIZE,
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": SIZE + 1,
    "axes.unicode_minus": False,
    "figure.facecolor": "white",
    "figure.dpi": 100,
    "savefig.dpi": 300,
    "savefig.facecolor": "white",
    "savefig.bbox": None,
    "legend.fontsize": SMALL,
    "legend.frameon": False,
    "lines.linewidth": 1.0,
    "path.simplify": False,
    "pdf.fonttype": 42,
    "svg.fonttype": "none",
    "svg.hashsalt": "attrition",
    "svg.id": None,
    "xtick.labelsize": SIZE,
    "ytick.labelsize": SIZE,
}


def literal(text: object, longest: int = LONGEST) -> str:
    """Text of others, to be shown as it is: on one line, without control characters, cut where it would not fit."""
    line = "".join(sign if sign.isprintable() else " " for sign in str(text))
    line = " ".join(line.split())
    return line if len(line) <= longest else line[: longest - 1] + "…"


def short_date(day: dt.date, year: bool = False) -> str:
    """``5 Jan``, whatever the machine's locale."""
    return f"{day.day} {MONTHS[day.month - 1]}" + (f" {day.year}" if year else "")


def window_text(start: dt.date, end: dt.date) -> str:
    """A period of days in few signs: ``21–27 Dec``."""
    if start == end:
        return short_date(end)
    same = (start.year, start.month) == (end.year, end.month)
    return f"{start.day if same else short_date(start)}–{short_date(end)}"


def numbers(dates: pd.Series[Any]) -> np.ndarray:
    """Dates as matplotlib's day numbers."""
    return np.asarray(date2num(dates.to_numpy("datetime64[us]")), dtype=float)


def number(day: dt.date) -> float:
    """A date as matplotlib's day number."""
    return float(date2num(np.datetime64(day, "us")))


class DateTicks(Formatter):
    """Day and month, with the year under the first tick and under each new year's first; independent of locale."""

    def __call__(self, x: float, pos: int | None = None) -> str:
        """One tick, on its own."""
        return short_date(num2date(x, tz=dt.UTC).date(), year=True)

    def format_ticks(self, values: Sequence[float]) -> list[str]:
        """All ticks of an axis."""
        days = [num2date(value, tz=dt.UTC).date() for value in values]
        firsts = all(day.day == 1 for day in days)
        texts, year = [], 0
        for day in days:
            text = MONTHS[day.month - 1] if firsts else short_date(day)
            texts.append(text if day.year == year else f"{text}\n{day.year}")
            year = day.year
        return texts


def new_axes(fit: Fit, height: float, legend_rows: int, right: float = 0.18) -> Axes:
    """Axes of a figure of its own, seven inches wide, with room below for the legend."""
    left, top = 0.68, 0.28 if fit.passed else 0.45
    figure = Figure(figsize=(WIDTH, height))
    bottom = 0.68 + 0.155 * legend_rows
    box = (left / WIDTH, bottom / height, 1 - (left + right) / WIDTH, 1 - (bottom + top) / height)
    return figure.add_axes(box)


def date_axis(ax: Axes, first: float, last: float, most_ticks: int = 9) -> None:
    """Calendar along x, between two day numbers."""
    ax.set_xlim(first, last)
    ax.xaxis.set_major_locator(AutoDateLocator(tz=dt.UTC, minticks=3, maxticks=most_ticks))
    ax.xaxis.set_major_formatter(DateTicks())
    tidy(ax)


def tidy(ax: Axes) -> None:
    """Ticks and spines in the house style, also on axes that were made elsewhere."""
    ax.tick_params(length=2.5, width=0.6, color=MUTED, labelsize=SIZE, labelcolor=INK)
    ax.set_facecolor("white")
    ax.spines[["top", "right"]].set_visible(False)
    ax.set_axisbelow(True)


class Upright(Line2D):
    """Legend entry drawn upright, as claims are: a bar with a marker in the middle or, without bar, at the end."""


class _UprightHandler(HandlerLine2D):
    def create_artists(
        self,
        legend: Legend,
        orig_handle: Artist,
        xdescent: float,
        ydescent: float,
        width: float,
        height: float,
        fontsize: float,
        trans: Transform,
    ) -> list[Artist]:
        assert isinstance(orig_handle, Line2D)  # noqa: S101 -- by the handler map
        middle, low, high = width / 2 - xdescent, -0.4 * height - ydescent, 1.3 * height - ydescent
        bar, mark = Line2D([middle] * 2, [low, high]), Line2D([middle], [(low + high) / 2])
        if orig_handle.get_marker() == ARROW_UP:
            bar.set_ydata([low, high - 3])
            mark.set_ydata([high - 4])
        for line in (bar, mark):
            line.update_from(orig_handle)
            line.set_transform(trans)
        bar.set_marker("")
        mark.set_linestyle("")
        return [bar, mark]


def band_handles(line: str, colours: tuple[str, str] = (BAND_50, BAND_90)) -> list[Artist]:
    """Legend entries of a median with its two intervals."""
    return [
        Line2D([], [], color=INK, lw=1.3, label=line),
        Patch(facecolor=colours[0], label="50% credible interval, equal-tailed"),
        Patch(facecolor=colours[1], label="90% credible interval, equal-tailed"),
    ]


def legend_below(ax: Axes, handles: Sequence[Artist], columns: int = 3, points: float = 43.0) -> None:
    """Put the legend under the axis label, left-aligned with the axes, in as many columns as there is room for."""
    room = int(ax.get_window_extent().width * point(ax) / COLUMN)
    figure = ax.get_figure(root=True)
    assert figure is not None  # noqa: S101 -- axes that are drawn on have a figure
    below = ax.transAxes + ScaledTranslation(0, -points / 72, figure.dpi_scale_trans)
    ax.legend(
        handles=list(handles),
        loc="upper left",
        bbox_to_anchor=(0.0, 0.0),
        bbox_transform=below,
        ncols=max(1, min(columns, room)),
        borderaxespad=0.0,
        borderpad=0.0,
        handlelength=1.8,
        columnspacing=1.6,
        labelspacing=0.6,
        handler_map={Upright: _UprightHandler()},
    )


def point(ax: Axes) -> float:
    """Points (1/72 inch) in a pixel of the figure."""
    figure = ax.get_figure(root=True)
    return 72.0 / figure.dpi if figure is not None else 1.0


def tall_points(ax: Axes) -> float:
    """Height of the axes in points."""
    return max(ax.get_window_extent().height * point(ax), 1.0)


def drawn_on(fit: Fit, drawn: dt.date | str | None) -> str:
    """Day to print as that of drawing: the one given, else the day of the fit, so that output is reproducible."""
    return str(drawn) if drawn is not None else fit.created[:10]


def furnish(ax: Axes, fit: Fit, what: str, along: str, drawn: dt.date | str | None, points: float = 35.0) -> None:
    """Title, label of the x axis, footer and, where it applies, the note that the convergence gate failed.

    The label and the footer share a line, ``points`` below the axes, under ticks of two lines.
    """
    day = drawn_on(fit, drawn)
    place = literal(fit.campaign.title or fit.campaign.name, 70)
    footer = f"Claims known by {fit.vintage}" + (f"; drawn {literal(day)}" if day else "")
    beside(ax, f"{place}: {what}", (0, 1), 5 if fit.passed else 17, fontsize=SIZE + 1, va="bottom")
    beside(ax, along, (0, 0), -points, fontsize=SIZE)
    beside(ax, footer, (1, 0), -points, fontsize=SMALL, color=MUTED, ha="right")
    if not fit.passed:
        beside(ax, GATE_NOTE, (0, 1), 5, fontsize=SIZE, color=ALARM, fontweight="bold", va="bottom")


def beside(
    ax: Axes,
    text: str,
    corner: tuple[float, float],
    up: float,
    *,
    fontsize: float = SIZE,
    color: str = INK,
    ha: str = "left",
    va: str = "baseline",
    fontweight: str = "normal",
) -> None:
    """Text at a corner of the axes, so many points above it."""
    style: dict[str, Any] = {"fontsize": fontsize, "color": color, "ha": ha, "va": va, "fontweight": fontweight}
    where: dict[str, Any] = {"xycoords": "axes fraction", "textcoords": "offset points", "annotation_clip": False}
    ax.annotate(text, corner, (0, up), **where, **style)
