"""Commands that publish, compare and verify."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

FitFile = Annotated[Path, typer.Argument(metavar="FIT", help="Saved fit, or the folder it is in.")]
Side = Annotated[Path, typer.Argument(help="Published folder, saved fit, or summary.json.")]


def add_commands(app: typer.Typer) -> None:
    """Give the command line its verbs about publications."""
    for command in (publish, compare, verify):
        app.command()(command)


def publish(
    fit_file: FitFile,
    out: Annotated[
        Path | None, typer.Option("--out", help="Folder to publish in; by default the folder of the fit.")
    ] = None,
    level: Annotated[
        list[float] | None, typer.Option("--level", help="Of an interval in the tables, such as 0.9; may be repeated.")
    ] = None,
    confirm: Annotated[
        bool, typer.Option("--confirm", help="Publish although a headline moved since the last publication there.")
    ] = False,
) -> None:
    """Publish a saved fit: report, tables, figures, summary, the fit and its record, with a manifest.

    Exit code 1 if the convergence gate failed, or if a headline moved since the last publication and is not confirmed.
    """
    from ..errors import GateError
    from ..storage import load
    from .folder import publish as run
    from .tables import INTERVALS

    path = fit_file / "fit.nc" if fit_file.is_dir() else fit_file
    done = load(path)
    folder = path.parent if out is None else out
    try:
        written = run(done, folder, levels=level or INTERVALS, confirm=confirm)
    except GateError as error:
        typer.echo(f"{str(error)[:1].upper()}{str(error)[1:]}", err=True)
        raise typer.Exit(1) from error
    typer.echo(f"Published {len(written)} files in {folder}")


def compare(
    old: Side,
    new: Side,
    out: Annotated[Path | None, typer.Option("--out", help="CSV file for the whole table.")] = None,
) -> None:
    """Lay two fits or publications side by side: every published number, and what moved."""
    from ..cells import csv_of
    from ..storage import write_whole
    from .comparison import compare as run

    found = run(old, new)
    typer.echo(str(found))
    if out is not None:
        text = csv_of(found.table)
        write_whole(out, lambda part: _write(part, text))


def verify(folder: Annotated[Path, typer.Argument(help="Published folder.")]) -> None:
    """Recompute every number in a published folder from its draws; exit code 1 if one differs, with file and place."""
    from .verification import verify as run

    found = run(folder)
    typer.echo(str(found))
    if not found.passed:
        raise typer.Exit(1)


def _write(part: Path, text: str) -> None:
    part.write_text(text, encoding="utf-8", newline="\n")
