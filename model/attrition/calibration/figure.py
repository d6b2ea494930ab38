"""Rank ECDFs of every calibrated quantity against their band, as a figure and as its data."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..publishing.figures import save_figure
from ..publishing.style import BAND_90, INK
from .ranks import band
from .replicate import LARGEST, QUANTITIES, Ranked
from .run import Calibration

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd
    from matplotlib.figure import Figure

COLUMNS = 4
WORDS = {
    "log_rate": "rate since the escalation",
    "total_early": "total, a third of the way",
    "total_middle": "total, two thirds",
    "total_late": "total at the vintage",
    "claim_error": "claim error",
    "killed_share": "killed share",
    "contingent_size": "contingent size",
    "hold_day": "hold date",
}


def rank_data(ranked: Ranked) -> pd.DataFrame:
    """ECDF of the ranks less that of uniform ranks, with the ends of the 95% band of all quantities together.

    Returns
    -------
    pandas.DataFrame
        One row for each point, columns ``uniform``, ``low``, ``high`` and one for each quantity, all shares.
    """
    import pandas as pd

    points, low, high = band(len(ranked.ranks), LARGEST, 0.05 / len(QUANTITIES))
    columns = {"uniform": points, "low": low - points, "high": high - points}
    for place, name in enumerate(QUANTITIES):
        below = (ranked.ranks[:, place, None] <= np.arange(LARGEST)).mean(axis=0)
        columns[name] = below - points
    return pd.DataFrame(columns)


def rank_figure(done: Calibration, design: str = "january") -> Figure:
    """Rank ECDFs of a design: inside the band they are those of a calibrated posterior.

    Parameters
    ----------
    done
        From ``calibrate``.
    design
        ``january``, a mistake or an assumption that fails, by its name in ``designs.DESIGNS``.
    """
    from matplotlib.figure import Figure

    table = rank_data(done.ranked[design])
    rows = -(-len(QUANTITIES) // COLUMNS)
    figure = Figure(figsize=(7.5, 1.75 * rows + 0.7), layout="constrained")
    axes = figure.subplots(rows, COLUMNS, sharex=True, sharey=True)
    for ax, name in zip(axes.flat, QUANTITIES, strict=True):
        ax.fill_between(table["uniform"], table["low"], table["high"], color=BAND_90, linewidth=0, step="post")
        ax.axhline(0.0, color="0.6", linewidth=0.6)
        ax.step(table["uniform"], table[name], where="post", color=INK, linewidth=1.0)
        words = WORDS.get(name) or f"bias, {name.removeprefix('bias_').replace('_', ' ')}"
        ax.set_title(words, fontsize=7.5)
        ax.tick_params(labelsize=7)
        for side in ("top", "right"):
            ax.spines[side].set_visible(False)
    figure.supxlabel("rank of the truth among its posterior's draws, as a share", fontsize=8)
    figure.supylabel("ECDF less uniform", fontsize=8)
    number = len(done.ranked[design].ranks)
    figure.suptitle(
        f"{number} simulated campaigns; grey: 95% band for all {len(QUANTITIES)} quantities together", fontsize=8.5
    )
    return figure


def save_figures(done: Calibration, folder: Path) -> list[Path]:
    """Write the figure of the January record and its data."""
    figure = rank_figure(done)
    written = save_figure(figure, folder / "ranks")
    data = folder / "ranks.csv"
    rank_data(done.ranked["january"]).round(5).to_csv(data, index=False)
    return [*written, data]
