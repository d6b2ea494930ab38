"""One folder from one call: the answer, tables, figures, the report, what they were made from, and a manifest."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..cells import csv_of
from ..checks.convergence import published_quantities
from ..depletion import LEVELS, DepletionDate
from ..errors import GateError
from ..fitted import Fit
from ..priors import Priors
from ..storage import write_whole
from .comparison import Allowed, headline, moved
from .figure_data import cumulative_data, date_data, rate_data, strength_data
from .figures import cumulative_figure, date_figure, rate_figure, save_figure, strength_figure
from .manifest import NAME, manifest_text, read_manifest
from .optional import optional
from .progress import steps
from .record import campaign_toml
from .summary import published_dates, summarize, summary_schema, summary_table
from .table_text import csv_text, json_of, json_text, latex_of, markdown_of
from .tables import INTERVALS, TITLES, all_tables, for_people, intervals_of, quantile_levels
from .text import summary_text

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

REPORT = "report.html"
EXTRA_MODULES = ("jinja2", "great_tables", "altair", "vl_convert")  # what the report is made with
HIDDEN = ["spoken", "clipped", "days", "first_day"]


def publish(
    fit: Fit,
    folder: str | Path,
    *,
    levels: Sequence[float] = INTERVALS,
    confirm: bool = False,
    allowed: Allowed | None = None,
    progress: bool | None = None,
) -> list[Path]:
    """Write everything that is published of a fit into a folder; each file appears whole or not at all.

    Parameters
    ----------
    fit
        A fit whose convergence gate passed.
    folder
        Made if it does not exist; files of the same names are replaced.
    levels
        Of the equal-tailed intervals in the tables and the summary; 50% and 90% by default. The figures, ``summary.txt``
        and the report show 50% or 90% intervals, and say so.
    confirm
        Publish although a headline moved by more than is allowed since the last publication in this folder.
    allowed
        How far the total, the rate and the date under ``hold`` may move; by default a tenth, and fourteen days.
    progress
        False for silence.

    Returns
    -------
    list of Path
        report.html; summary.json with its schema, summary.csv and summary.txt; tables/ with quantities, dates, source_biases,
        claims_used and claims_left_out as CSV, Markdown, LaTeX and JSON; the figures cumulative_loss, daily_rate, strength
        and depletion_date as SVG, PNG, PDF and CSV; fit.nc, claims.csv, campaign.toml, priors.csv, and the claims as read in
        claims_used.csv and claims_set_aside.csv; manifest.json with the SHA-256 of each. In every CSV a text that a
        spreadsheet would take for a formula has an apostrophe before it; ``read_claims`` takes it away.

    Raises
    ------
    GateError
        If the convergence gate failed, or if a headline moved and ``confirm`` is not given: nothing is written.
    InputError
        If a level is not above 0 and below 1, or the extra ``report`` is not installed.
    FileError
        If the folder's manifest cannot be read: look at what stands there, or choose another folder.

    See Also
    --------
    verify : recompute every number in such a folder.
    """
    levels = intervals_of(levels)
    _check_gate(fit)
    for module in EXTRA_MODULES:
        optional(module)
    folder = Path(folder)
    shared = publication(fit, levels)
    if not confirm:
        _check_moves(shared, folder, allowed)
    return write_publication(shared, folder, "Publishing", progress)


def write_results(
    fit: Fit, folder: str | Path, dates: Mapping[str, dict[str, DepletionDate]] | None = None
) -> list[Path]:
    """Write the part of a publication that is quick to make: summary, claims, priors, figures as SVG and PNG, their data.

    Parameters
    ----------
    fit, folder
        As ``publish``; what was published in the folder before is not looked at.
    dates
        What ``published_dates`` gave for this fit, if they are at hand.

    Returns
    -------
    list of Path
        The files written.

    Raises
    ------
    GateError
        If the convergence gate failed.
    """
    _check_gate(fit)
    shared = publication(fit, INTERVALS)
    if dates is not None:
        shared.dates = dict(dates)
    return [path for _, write in _results(shared, Path(folder), ("svg", "png")) for path in write()]


@dataclasses.dataclass
class _Shared:
    """What several files of a publication say, computed once."""

    fit: Fit
    levels: tuple[float, ...]

    @cached_property
    def dates(self) -> dict[str, dict[str, DepletionDate]]:
        return published_dates(self.fit)

    @cached_property
    def draws(self) -> dict[str, np.ndarray]:
        return published_quantities(self.fit, self.dates)

    @property
    def quantiles(self) -> Sequence[float]:
        return LEVELS if self.levels == INTERVALS else quantile_levels(self.levels)

    @cached_property
    def content(self) -> dict[str, Any]:
        return summarize(self.fit, self.quantiles, self.dates, self.draws)

    @cached_property
    def gross(self) -> list[DepletionDate]:
        return [found["gross"] for found in self.dates.values()]


Step = tuple[str, Callable[[], list[Path]]]


def publication(fit: Fit, levels: Sequence[float]) -> _Shared:
    """What ``write_publication`` writes of a fit: the same of one that was just made and of one that was saved and loaded."""
    rows = tuple(dataclasses.replace(one, numbers=dict(sorted(one.numbers.items()))) for one in fit.priors.rows)
    gate, versions = dict(sorted(fit.gate.items())), dict(sorted(fit.versions.items()))
    same = dataclasses.replace(fit, priors=Priors(fit.priors.label, rows), gate=gate, versions=versions)
    return _Shared(same, intervals_of(levels))


def write_publication(
    shared: _Shared, folder: Path, what: str, progress: bool | None = None, keep_fit: bool = True
) -> list[Path]:
    """Write every file of a publication, the manifest last; neither gate is looked at. The fit may be left away."""
    fit = shared.fit
    todo: list[Step] = [
        *_results(shared, folder, ("svg", "png", "pdf")),
        ("the tables", partial(_tables, shared, folder / "tables")),
        ("what it was made from", partial(_sources, fit, folder, keep_fit)),
        ("the report and its checks", lambda: [_text(_report(fit), folder / REPORT)]),
    ]
    written: list[Path] = []
    with steps(what, len(todo) + 1, progress) as begin:
        for name, write in todo:
            begin(name)
            written += write()
        begin("the manifest")
        text = manifest_text(fit, folder, written, shared.levels, headline(shared.content))
        return [*written, _text(text, folder / NAME)]


def _check_gate(fit: Fit) -> None:
    if not fit.passed:
        raise GateError(
            f"nothing is published: the convergence gate failed ({fit.gate.get('sentence', '')}). "
            "Try more draws, or look at the claims for two that cannot both be nearly right."
        )


def _check_moves(shared: _Shared, folder: Path, allowed: Allowed | None) -> None:
    """Stop what moves a headline of this folder's last publication by more than is allowed."""
    if not (folder / NAME).is_file():
        return
    last = read_manifest(folder)
    found = moved(last["headline"], headline(shared.content), allowed)
    if last.get("campaign") != shared.fit.campaign.name:
        found.insert(0, f"the campaign from {last.get('campaign')} to {shared.fit.campaign.name}")
    if found:
        raise GateError(
            f"nothing is published: since the publication in {folder} (known by {last.get('vintage')}) the headline moved: "
            f"{'; '.join(found)}. If that is as it should be (a later vintage, a corrected claim), publish with "
            "confirm=True or --confirm, or into a folder of its own; `attrition compare` shows every number of the two."
        )


def _results(shared: _Shared, folder: Path, formats: Sequence[str]) -> list[Step]:
    fit = shared.fit

    def figure(name: str, draw: Callable[[], Axes], data: Callable[[], pd.DataFrame]) -> list[Path]:
        return [_table(data(), folder / f"{name}.csv"), *save_figure(draw(), folder / name, formats)]

    def inputs() -> list[Path]:
        return [
            _table(fit.seen.claims.drop(columns=HIDDEN, errors="ignore"), folder / "claims_used.csv"),
            _table(fit.seen.set_aside, folder / "claims_set_aside.csv"),
            _table(fit.priors.table(), folder / "priors.csv"),
        ]

    def answer() -> list[Path]:
        return [
            _table(summary_table(fit, shared.quantiles, shared.content), folder / "summary.csv"),
            _text(summary_text(fit, shared.dates) + "\n", folder / "summary.txt"),
            _text(json_text(shared.content), folder / "summary.json"),
        ]

    def dated() -> list[Path]:
        return figure("depletion_date", lambda: date_figure(fit, shared.gross), lambda: date_data(fit, shared.gross))

    return [
        ("the claims and the priors", inputs),
        (
            "the losses",
            partial(figure, "cumulative_loss", partial(cumulative_figure, fit), partial(cumulative_data, fit)),
        ),
        ("the rate", partial(figure, "daily_rate", partial(rate_figure, fit), partial(rate_data, fit))),
        ("the strength", partial(figure, "strength", partial(strength_figure, fit), partial(strength_data, fit))),
        ("the dates", dated),
        ("the summary", answer),
    ]


def _tables(shared: _Shared, folder: Path) -> list[Path]:
    fit = shared.fit
    written = []
    for name, table in all_tables(fit, shared.levels, shared.draws, shared.dates).items():
        title = f"{fit.campaign.title or fit.campaign.name}, claims known by {fit.vintage}: {TITLES[name]}"
        people = for_people(table)
        for ending, text in (
            ("csv", csv_text(table)),
            ("md", markdown_of(people, title)),
            ("tex", latex_of(people, title)),
            ("json", json_of(table, title, shared.levels)),
        ):
            written.append(_text(text, folder / f"{name}.{ending}"))
    return written


def _sources(fit: Fit, folder: Path, keep_fit: bool) -> list[Path]:
    schema = json.dumps(summary_schema(), indent=1, ensure_ascii=False) + "\n"
    return [
        _table(fit.claims.table, folder / "claims.csv"),
        _text(campaign_toml(fit.campaign), folder / "campaign.toml"),
        _text(schema, folder / "summary.schema.json"),
        *([fit.save(folder / "fit.nc")] if keep_fit else []),
    ]


def _report(fit: Fit) -> str:
    """The page; what it and its checks need is not imported for a fit alone."""
    from .report import report_page

    return report_page(fit)


def _table(table: pd.DataFrame, path: Path) -> Path:
    return _text(csv_of(table), path)


def _text(text: str, path: Path) -> Path:
    return write_whole(path, lambda part: _write(part, text))


def _write(part: Path, text: str) -> None:
    part.write_text(text, encoding="utf-8", newline="\n")
