"""One folder from one call: summary, tables, figures and what they were made from."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from ..cells import csv_of
from ..errors import GateError
from ..fitted import Fit
from ..storage import write_whole
from .figure_data import cumulative_data, date_data, rate_data, strength_data
from .figures import cumulative_figure, date_figure, rate_figure, save_figure, strength_figure
from .summary import scenarios, summarize, summary_table
from .text import summary_text

if TYPE_CHECKING:
    import pandas as pd


def publish(fit: Fit, folder: str | Path) -> list[Path]:
    """Write everything that is published of a fit into a folder; each file appears whole or not at all.

    Parameters
    ----------
    fit
        A fit whose convergence gate passed.
    folder
        Made if it does not exist; files of the same names are replaced.

    Returns
    -------
    list of Path
        summary.json, summary.csv and summary.txt; claims_used.csv, claims_set_aside.csv and priors.csv; the figures
        cumulative_loss, daily_rate, strength and depletion_date as SVG, PNG and CSV. In every CSV a text that a
        spreadsheet would take for a formula has an apostrophe before it; ``read_claims`` takes it away.

    Raises
    ------
    GateError
        If the gate failed: a result that has not converged is not published.
    """
    if not fit.passed:
        raise GateError(
            f"nothing is published: the convergence gate failed ({fit.gate.get('sentence', '')}). "
            "Try more draws, or look at the claims for two that cannot both be nearly right."
        )
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    shown = scenarios()
    written = [
        _table(
            fit.seen.claims.drop(columns=["spoken", "clipped", "days", "first_day"], errors="ignore"),
            folder / "claims_used.csv",
        ),
        _table(fit.seen.set_aside, folder / "claims_set_aside.csv"),
        _table(fit.priors.table(), folder / "priors.csv"),
        _table(cumulative_data(fit), folder / "cumulative_loss.csv"),
        _table(rate_data(fit), folder / "daily_rate.csv"),
        _table(strength_data(fit), folder / "strength.csv"),
        _table(date_data(fit, shown), folder / "depletion_date.csv"),
    ]
    for axes, name in (
        (cumulative_figure(fit), "cumulative_loss"),
        (rate_figure(fit), "daily_rate"),
        (strength_figure(fit), "strength"),
        (date_figure(fit, shown), "depletion_date"),
    ):
        written += save_figure(axes, folder / name)
    content = json.dumps(summarize(fit), indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    written += [
        _table(summary_table(fit), folder / "summary.csv"),
        _text(summary_text(fit) + "\n", folder / "summary.txt"),
        _text(content, folder / "summary.json"),
    ]
    return written


def _table(table: pd.DataFrame, path: Path) -> Path:
    return _text(csv_of(table), path)


def _text(text: str, path: Path) -> Path:
    return write_whole(path, lambda part: _write(part, text))


def _write(part: Path, text: str) -> None:
    part.write_text(text, encoding="utf-8", newline="\n")
