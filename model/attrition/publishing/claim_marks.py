"""Claims drawn at their own stated numbers: interval, marker and a label with the source next to them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.lines import Line2D

from .label_places import Label, Surroundings, place, text_size
from .style import ARROW_DOWN, ARROW_UP, LEADER, MUTED, SMALL, STANCES, Upright, literal, numbers, point, window_text

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.text import Annotation

ARROW = 11.0
TOGETHER = 26.0
PALE = 0.62
LINE_BOX = 3.0
MOST_NAMED = 150  # labels; more would cover each other, and take minutes to place


def draw_claims(
    ax: Axes, table: pd.DataFrame, line: tuple[np.ndarray, np.ndarray], taken: Sequence[Annotation] = ()
) -> None:
    """Draw claims as intervals with labels; the limits of the axes must be set.

    Parameters
    ----------
    ax
        Where to draw.
    table
        Rows of ``claims_data``.
    line
        The median's x and y, which labels should not cover.
    taken
        Texts already there.

    Notes
    -----
    Of so many claims that their labels would cover each other, the marks alone are drawn.
    """
    if table.empty:
        return
    rows = table.assign(x=numbers(table["as_of"]), x0=numbers(table["window_start"])).to_dict("records")
    boxes = [_draw(ax, row) for row in rows]
    labels, colours = _labels(ax, rows)
    if len(labels) > MOST_NAMED:
        return
    box = ax.get_window_extent()
    scale = point(ax)
    area = (box.x0 * scale + 3, box.y0 * scale + 3, box.x1 * scale - 3, box.y1 * scale - 3)
    boxes += [_text_box(ax, text) for text in taken]
    around = Surroundings(area, np.array(boxes), _along(_points(ax, *line)))
    for label, colour, found in zip(labels, colours, place(labels, around), strict=True):
        for x0, y0, x1, y1 in found.leaders:
            if np.hypot(x1 - x0, y1 - y0) > 5:
                ends = _data(ax, np.array([(x0, y0), (x1, y1)]))
                ax.plot(ends[:, 0], ends[:, 1], color=LEADER, lw=0.5, zorder=4, solid_capstyle="butt")
        x, y = _data(ax, np.array([(found.corner[0], found.corner[1] + label.size[1] / 2)]))[0].tolist()
        background = {"facecolor": "white", "edgecolor": "none", "alpha": 0.75, "pad": 0.4}
        ax.text(
            x,
            y,
            label.text,
            color=colour,
            fontsize=SMALL,
            ha="left",
            va="center_baseline",
            zorder=6,
            bbox=background,
        )


def claim_handles(table: pd.DataFrame) -> list[Artist]:
    """Legend entries for what is drawn of a table of claims."""
    kinds = [kind for kind in STANCES if kind in set(table["source_kind"])]
    handles: list[Artist] = [
        Line2D(
            [], [], ls="", marker=STANCES[kind][1], ms=4, color=STANCES[kind][0], label=f"source: {STANCES[kind][2]}"
        )
        for kind in kinds
    ]
    partial = table["measure"].isin(["killed", "wounded"])
    window = table["window_start"].notna()
    unbounded = ~np.isfinite(table["interval_high"]) | (table["interval_low"] <= 0)
    bar: dict[str, Any] = {"color": MUTED, "ms": 3.4, "lw": 1.3}
    if (~partial & ~window).any():
        handles.append(Upright([], [], marker="o", label="claim of a running total, with its interval", **bar))
    if partial.any():
        hollow: dict[str, Any] = {**bar, "lw": 0.8, "mfc": "white"}
        handles.append(Upright([], [], marker="o", label="claim of killed or of wounded only", **hollow))
    if window.any():
        rate = (table["figure"] == "rate").all()
        label = "claim of a daily rate, over its days" if rate else "claim about a period only"
        handles.append(Line2D([], [], marker="|", ls=(0, (3, 1.5)), label=label, **bar))
    if unbounded.any():
        handles.append(Upright([], [], marker=ARROW_UP, label="open bound", **bar))
    return handles


def _draw(ax: Axes, row: dict[Any, Any]) -> tuple[float, float, float, float]:
    """Draw one claim; the box that it takes, in points."""
    colour, shape, _ = STANCES.get(row["source_kind"], (MUTED, "o", ""))
    total = row["measure"] == "total"
    width, fill = (1.5, colour) if total else (0.9, "white")
    alpha = 1.0 if total else PALE
    x, value, low, high = row["x"], row["value"], row["interval_low"], row["interval_high"]
    bottom = min(ax.get_ylim())
    at = _points(ax, np.array([x]), np.array([max(value, bottom)]))[0]
    ends = _points(ax, np.array([x, x]), np.array([max(low, bottom), high if np.isfinite(high) else value]))
    y0, y1 = float(ends[0, 1]), float(ends[1, 1])
    if not np.isfinite(high):
        y1 = y0 + ARROW
    drawn = _data(ax, np.array([(at[0], y0), (at[0], y1)]))
    style: dict[str, Any] = {"color": colour, "alpha": alpha, "zorder": 5 if total else 4.5}
    ax.plot(drawn[:, 0], drawn[:, 1], lw=width, solid_capstyle="butt", **style)
    if not np.isfinite(high):
        ax.plot(*drawn[1], ls="", marker=ARROW_UP, ms=3.6, mew=0, **style)
    if low <= 0 and high > 0:
        ax.plot(*drawn[0], ls="", marker=ARROW_DOWN, ms=3.6, mew=0, **style)
    left = at[0]
    if np.isfinite(row["x0"]):
        left = min(float(_points(ax, np.array([row["x0"]]), np.array([max(value, bottom)]))[0, 0]), at[0])
        ax.plot([row["x0"], x], [value, value], lw=width, ls=(0, (3, 1.5)), **style)
        ax.plot([row["x0"]], [value], ls="", marker="|", ms=4, **style)
    ax.plot([x], [value], ls="", marker=shape, ms=3.8, mfc=fill, mec=colour, mew=0.8, zorder=5.5)
    tip = 0.0 if np.isfinite(high) else 4.0
    return min(left, at[0] - 2.5), min(y0, at[1] - 2.5), at[0] + 2.5, max(y1 + tip, at[1] + 2.5)


def _labels(ax: Axes, rows: Sequence[dict[Any, Any]]) -> tuple[list[Label], list[str]]:
    """One label for each claim; marks of one source that say the same and stand close together share one."""
    groups: dict[tuple[str, str], list[list[tuple[float, float]]]] = {}
    for row in sorted(rows, key=lambda row: (row["x"], row["claim_id"])):
        x, y = _points(ax, np.array([row["x"]]), np.array([max(row["value"], min(ax.get_ylim()))]))[0]
        clusters = groups.setdefault((_words(row), row["source_kind"]), [])
        if clusters and np.hypot(clusters[-1][-1][0] - x, clusters[-1][-1][1] - y) < TOGETHER:
            clusters[-1].append((float(x), float(y)))
        else:
            clusters.append([(float(x), float(y))])
    labels, colours = [], []
    for (text, kind), clusters in groups.items():
        for cluster in clusters:
            labels.append(Label(text, tuple(cluster), text_size(text, SMALL)))
            colours.append(STANCES[kind][0] if kind in STANCES else MUTED)
    return labels, colours


def _words(row: dict[Any, Any]) -> str:
    words = literal(row["source"])
    if row["measure"] != "total":
        words += f", {row['measure']}"
    if np.isfinite(row["x0"]):
        words += f", {window_text(row['window_start'].date(), row['as_of'].date())}"
    return words


def _text_box(ax: Axes, text: Annotation) -> tuple[float, float, float, float]:
    """Box of a text that stands on its point, to the left or the right of it."""
    x, y = _points(ax, *(np.array([value]) for value in text.xy))[0] + np.array(text.xyann)
    width, height = text_size(text.get_text(), SMALL)
    left = x - width if text.get_horizontalalignment() == "right" else x
    return left, y, left + width, y + height


def _along(path: np.ndarray) -> np.ndarray:
    """Small boxes every few points along a line."""
    path = path[np.all(np.isfinite(path), axis=1)]
    if len(path) < 2:
        return np.empty((0, 4))
    length = np.append(0.0, np.cumsum(np.hypot(*np.diff(path, axis=0).T)))
    at = np.arange(0.0, length[-1], LINE_BOX)
    x, y = np.interp(at, length, path[:, 0]), np.interp(at, length, path[:, 1])
    half = LINE_BOX / 2
    return np.stack([x - half, y - half, x + half, y + half], axis=1)


def _points(ax: Axes, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Data to points (1/72 inch) from the figure's lower left corner."""
    return np.asarray(ax.transData.transform(np.column_stack([x, y])) * point(ax))


def _data(ax: Axes, points: np.ndarray) -> np.ndarray:
    return np.asarray(ax.transData.inverted().transform(points / point(ax)))
