"""The three published figures, each an axes with a twin in ``figure_data``; and saving them, byte for byte the same.

Every function takes an axes or makes a figure of its own, seven inches wide, without pyplot, and returns the axes; the
figure is ``axes.figure``.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.text import Annotation
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from ..campaign import ReferenceProjection
from ..depletion import DepletionDate
from ..errors import InputError, Problem, shown
from ..fitted import Fit
from ..scenarios.base import Scenario
from ..storage import write_whole
from .claim_marks import claim_handles, draw_claims
from .date_panels import draw_dates
from .figure_data import (
    claims_data,
    cumulative_data,
    date_data,
    date_quantile_data,
    phase_data,
    rate_data,
    strength_claims_data,
    strength_data,
)
from .label_places import text_size
from .style import (
    BAND_50,
    BAND_90,
    INK,
    MUTED,
    REFERENCE,
    SIZE,
    SMALL,
    STYLE,
    band_handles,
    date_axis,
    furnish,
    legend_below,
    literal,
    new_axes,
    number,
    numbers,
    point,
    tall_points,
)

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "claims_data",
    "cumulative_data",
    "cumulative_figure",
    "date_data",
    "date_figure",
    "date_quantile_data",
    "phase_data",
    "rate_data",
    "rate_figure",
    "save_figure",
    "strength_claims_data",
    "strength_data",
    "strength_figure",
]

DECADES = 30.0
PHASE_BAND = "#f3e3c3"
ROW_POINTS = 9.0
# No time and no version: they would change the bytes.
METADATA: dict[str, dict[str, str | None]] = {
    "svg": {"Date": None, "Creator": "attrition"},
    "png": {"Software": None},
    "pdf": {"CreationDate": None, "Creator": "attrition", "Producer": None},
}


def cumulative_figure(fit: Fit, *, drawn: dt.date | str | None = None, ax: Axes | None = None) -> Axes:
    """Draw the killed and wounded by the end of each day, with every claim about losses at its stated number.

    Parameters
    ----------
    fit
        The draws.
    drawn
        Date to print as that of drawing; by default the day of the fit, so that the same fit gives the same bytes.
    ax
        Axes to draw on; by default those of a new figure, seven inches wide.

    Returns
    -------
    matplotlib.axes.Axes

    See Also
    --------
    cumulative_data, claims_data : what is drawn.
    """
    with rc_context(STYLE):
        table, claims = cumulative_data(fit), claims_data(fit)
        claims = claims[claims["figure"] == "cumulative"]
        handles = [*band_handles("median"), *claim_handles(claims)]
        rows = -(-len(handles) // 3)
        ax = new_axes(fit, 5.0, rows) if ax is None else ax
        x = numbers(table["date"])
        date_axis(ax, x[0], _last(x))
        finite = _tops(claims)
        top = max(float(table["q95"].max()), float(finite.max()) if len(claims) else 0.0, 1.0)
        ax.set_ylim(0, 1.08 * top)
        _bands(ax, table, x)
        ax.set_ylabel(f"Killed and wounded since {fit.campaign.start} (persons)", fontsize=SIZE)
        ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
        draw_claims(ax, claims, (x, table["q50"].to_numpy()))
        furnish(ax, fit, "killed and wounded, cumulative", "Date (totals at the end of the day)", drawn)
        legend_below(ax, handles)
        return ax


def rate_figure(fit: Fit, *, drawn: dt.date | str | None = None, ax: Axes | None = None) -> Axes:
    """Draw the killed and wounded on each day, with the campaign's phases and the rate of the reference projection.

    Parameters
    ----------
    fit, drawn, ax
        As ``cumulative_figure``.

    Returns
    -------
    matplotlib.axes.Axes
        Its axis of the rate is logarithmic where the rate spans decades.

    See Also
    --------
    rate_data, phase_data : what is drawn.
    """
    with rc_context(STYLE):
        table, phases, claims = rate_data(fit), phase_data(fit), claims_data(fit)
        claims = claims[claims["figure"] == "rate"]
        phases = phases[phases["date"] >= table["date"].iloc[0]]
        handles = [*band_handles("median"), *claim_handles(claims)]
        if len(phases):
            basis = "fitted" if (phases["basis"] == "posterior").all() else "its"
            label = f"phase as reported, {basis} 90% interval"
            handles.append(Patch(facecolor=PHASE_BAND, edgecolor=REFERENCE, lw=0.4, label=label))
        reference = fit.campaign.reference_projection
        if reference is not None:
            words = f"rate in the projection of {literal(reference.source)}"
            handles.append(Line2D([], [], color=REFERENCE, ls=(0, (4, 2)), lw=1.1, label=words))
        ax = new_axes(fit, 4.0, -(-len(handles) // 3)) if ax is None else ax
        x = numbers(table["date"])
        date_axis(ax, x[0], _last(x))
        texts = [literal(name) for name in phases["phase"]]
        at = numbers(phases["date"])
        levels = _levels(ax, at, texts)
        highest = max([float(table["q95"].max()), *([reference.daily_rate] if reference else []), *claims["value"]])
        _rate_scale(ax, table, highest, (max(levels, default=-1) + 1) * ROW_POINTS + 6)
        _bands(ax, table, x)
        for left, right in zip(numbers(phases["q05"]), numbers(phases["q95"]), strict=True):
            ax.axvspan(left, right, facecolor=PHASE_BAND, alpha=0.75, lw=0, zorder=0.5)
        for day, text, level in zip(at, texts, levels, strict=True):
            height = 1 - ROW_POINTS * level / tall_points(ax)
            ax.axvline(day, ymax=height, color=REFERENCE, lw=0.6, zorder=1.5)
            ax.annotate(
                text,
                (day, 1),
                (3, -ROW_POINTS * (level + 1)),
                xycoords=("data", "axes fraction"),
                textcoords="offset points",
                fontsize=SMALL,
                color=INK,
                va="baseline",
                zorder=6,
            )
        taken = [] if reference is None else [_reference_line(ax, fit, reference, x)]
        ax.set_ylabel("Killed and wounded (persons per day)", fontsize=SIZE)
        draw_claims(ax, claims, (x, table["q50"].to_numpy()), taken)
        furnish(ax, fit, "killed and wounded, daily rate", "Date", drawn)
        legend_below(ax, handles)
        return ax


def strength_figure(fit: Fit, *, drawn: dt.date | str | None = None, ax: Axes | None = None) -> Axes:
    """Draw the persons present at the end of each day, with the claims that say how many are present.

    Parameters
    ----------
    fit, drawn, ax
        As ``cumulative_figure``.

    Returns
    -------
    matplotlib.axes.Axes

    See Also
    --------
    strength_data, strength_claims_data : what is drawn.
    """
    with rc_context(STYLE):
        table, claims = strength_data(fit), strength_claims_data(fit)
        claims = claims[(claims["quantity"] == "present") & (claims["as_of"] >= table["date"].iloc[0])]
        handles = band_handles("median")
        mark: dict[str, Any] = {"color": REFERENCE, "marker": "o", "ms": 3.0, "lw": 0.9, "mfc": "white", "mew": 0.9}
        if len(claims):
            handles.append(Line2D([], [], label="claimed present, with its rounding interval", **mark))
        ax = new_axes(fit, 3.6, -(-len(handles) // 3)) if ax is None else ax
        x = numbers(table["date"])
        date_axis(ax, x[0], _last(x))
        high = _tops(claims)
        ax.set_ylim(0, 1.1 * max(float(table["q95"].max()), float(high.max()) if len(claims) else 0.0, 1.0))
        _bands(ax, table, x)
        for day, low, value, top in zip(
            numbers(claims["as_of"]), claims["interval_low"], claims["value"], high, strict=True
        ):
            ax.plot([day, day], [low, top], zorder=3, color=REFERENCE, lw=0.9)
            ax.plot(
                [day],
                [value],
                zorder=4,
                ls="none",
                **{key: mark[key] for key in ("color", "marker", "ms", "mfc", "mew")},
            )
        ax.set_ylabel("Present (persons)", fontsize=SIZE)
        ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
        furnish(
            ax, fit, "strength: arrivals less losses, with wounded who came back", "Date (at the end of the day)", drawn
        )
        legend_below(ax, handles)
        return ax


def date_figure(
    fit: Fit,
    scenarios: Sequence[Scenario | DepletionDate] | None = None,
    *,
    drawn: dt.date | str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw the distribution of the depletion date under each scenario, with what lies after the horizon.

    Parameters
    ----------
    fit
        The draws.
    scenarios
        Scenarios, or dates already computed from this fit; by default ``hold`` and ``forecast``.
    drawn, ax
        As ``cumulative_figure``; the panels share the room of ``ax``, which is turned off itself.

    Returns
    -------
    matplotlib.axes.Axes
        With one pair of child axes a scenario: the weeks, and the probability after the horizon.

    See Also
    --------
    date_data, date_quantile_data : what is drawn.
    """
    with rc_context(STYLE):
        return draw_dates(ax, fit, scenarios, drawn)


def save_figure(target: Axes | Figure, stem: str | Path, formats: Sequence[str] = ("svg", "png")) -> list[Path]:
    """Write ``stem.svg`` (text stays text) and ``stem.png`` (300 dpi), each whole or not at all.

    The same figure and the same matplotlib give the same bytes.

    Parameters
    ----------
    target
        What a figure function returned, or its figure.
    stem
        Path without an ending.
    formats
        Of ``svg``, ``png`` and ``pdf``; in a PDF the fonts are embedded as TrueType, as journals ask.

    Returns
    -------
    list of Path
        The files written.

    Raises
    ------
    InputError
        For another format.
    """
    figure = target if isinstance(target, Figure) else target.get_figure(root=True)
    if figure is None:
        raise TypeError("save_figure: got axes without a figure, expected axes that a figure function returned")
    unknown = [ending for ending in formats if ending not in METADATA]
    if unknown:
        problems = [
            Problem("argument", "", "formats", shown(one), ", ".join(METADATA), "Choose of these.") for one in unknown
        ]
        raise InputError("Not a format of figures", problems)
    stem = Path(stem)
    written = []
    for ending in formats:
        options: dict[str, Any] = {"format": ending, "dpi": 300, "metadata": METADATA[ending]}
        with rc_context(STYLE):
            path = stem.with_name(f"{stem.name}.{ending}")
            written.append(write_whole(path, partial(figure.savefig, **options)))
    return written


def _last(x: np.ndarray) -> float:
    """Right end of the axis: a little past the vintage."""
    return float(x[-1] + max(0.015 * (x[-1] - x[0]), 1.0))


def _tops(claims: pd.DataFrame) -> pd.Series:
    """Upper end of each claim's rounding interval; its value where it has none. Where no claim is left, no numbers."""
    high = claims["interval_high"].astype(float)
    return high.where(np.isfinite(high), claims["value"])


def _bands(ax: Axes, table: pd.DataFrame, x: np.ndarray) -> None:
    ax.fill_between(x, table["q05"], table["q95"], color=BAND_90, lw=0, zorder=1)
    ax.fill_between(x, table["q25"], table["q75"], color=BAND_50, lw=0, zorder=1.2)
    ax.plot(x, table["q50"], color=INK, lw=1.3, zorder=2)


def _rate_scale(ax: Axes, table: pd.DataFrame, highest: float, head: float) -> None:
    """Limits with room for ``head`` points of labels at the top; logarithmic if the medians span decades."""
    share = min(head / tall_points(ax), 0.5)
    medians = table["q50"][table["q50"] > 0]
    if len(medians) and highest / float(medians.min()) > DECADES:
        positive = table["q05"][table["q05"] > 0]
        bottom = max(float(positive.min()) if len(positive) else float(medians.min()) / 10, highest / 1e5) / 1.3
        ax.set_yscale("log", nonpositive="clip")
        ax.set_ylim(bottom, 1.15 * highest * (1.15 * highest / bottom) ** (share / (1 - share)))
        ax.yaxis.set_major_locator(LogLocator(10, numticks=12))
        ax.yaxis.set_minor_locator(LogLocator(10, subs=list(range(2, 10)), numticks=12))
        ax.yaxis.set_minor_formatter(NullFormatter())
        ax.tick_params(which="minor", length=1.5, width=0.4, color=MUTED)
    else:
        ax.set_ylim(0, 1.05 * max(highest, 1e-6) / (1 - share))
    ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,g}"))


def _levels(ax: Axes, at: np.ndarray, texts: Sequence[str]) -> list[int]:
    """Row of each label at the top: below every earlier label that reaches past its line, which ends at its label."""
    ends: list[float] = []
    levels: list[int] = []
    for day, text in zip(at, texts, strict=True):
        x = float(ax.transData.transform((day, 0.5))[0]) * point(ax)
        levels.append(1 + max((level for level, end in zip(levels, ends, strict=True) if end > x), default=-1))
        ends.append(x + text_size(text, SMALL)[0] + 5)
    return levels


def _reference_line(ax: Axes, fit: Fit, reference: ReferenceProjection, x: np.ndarray) -> Annotation:
    start = max(number(fit.campaign.rate_since), float(x[0]))
    ax.plot([start, ax.get_xlim()[1]], [reference.daily_rate] * 2, color=REFERENCE, lw=1.1, ls=(0, (4, 2)), zorder=3)
    return ax.annotate(
        f"{literal(reference.source)}: {reference.daily_rate:g} a day",
        (ax.get_xlim()[1], reference.daily_rate),
        (-2, 3),
        textcoords="offset points",
        ha="right",
        va="bottom",
        fontsize=SMALL,
        color=REFERENCE,
        zorder=6,
        bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.75, "pad": 0.4},
    )
