"""The command line: one verb per job. Exit codes: 0 done, 1 the gate or a comparison failed, 2 bad input, 3 anything else."""

from __future__ import annotations

import os
import sys
import traceback
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Annotated

import typer

from .publishing.commands import add_commands

if TYPE_CHECKING:
    from .campaign import Campaign
    from .claims import Claims

RECORD = "dprk-kursk"
HDF5 = b"\x89HDF\r\n\x1a\n"  # how a saved fit begins

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="A daily loss rate and a depletion date, with uncertainty, from conflicting public claims.",
)

File = Annotated[Path | None, typer.Argument(help=f"Claims table (CSV); by default the packaged record {RECORD}.")]
CampaignOption = Annotated[
    str | None, typer.Option("--campaign", help="Campaign: a TOML file, or the name of a packaged one.")
]


def _claims(path: Path | None) -> Claims:
    from .claims import load_claims, read_claims

    return load_claims(RECORD) if path is None else read_claims(path)


def _campaign(name: str | None, claims: Claims) -> Campaign:
    from .campaign import load_campaign, read_campaign
    from .packages import available

    if name is not None:
        return read_campaign(name) if Path(name).is_file() else load_campaign(name)
    spoken = sorted(set(claims.table["contingent"]) - {""})
    if len(spoken) == 1 and spoken[0] in available():
        return load_campaign(spoken[0])
    from .errors import InputError, Problem

    do = "Write what is being depleted as TOML (the packaged campaign.toml shows how) and name it."
    raise InputError("No campaign", [Problem("option", "", "--campaign", "nothing", "a TOML file or a name", do)])


@app.command()
def check(file: Annotated[Path, typer.Argument(help="Claims table (CSV).")]) -> None:
    """Validate a claims table: every problem at once, or what is read, what stays out and what may be a copy."""
    from .copies import dependence

    claims = _claims(file)
    typer.echo(str(claims))
    aside = claims.set_aside
    if len(aside):
        typer.echo("\nSet aside:")
        for reason, rows in aside.groupby("reason", sort=False):
            typer.echo(f"  {len(rows):>4}  {reason}: {', '.join(rows['claim_id'])}")
    suspicions = dependence(claims)
    if len(suspicions):
        typer.echo("\nPossible copies (round numbers meet by chance: look them up before marking a row):")
        for kind, names, evidence, coding in suspicions[["kind", "claim_ids", "evidence", "coding"]].itertuples(
            index=False
        ):
            who = f"{', '.join(names[:6])}{' ...' if len(names) > 6 else ''}"
            typer.echo(f"  {kind:<12}  {who}: {evidence}.\n{'':<16}If so: {coding}")


@app.command()
def fit(
    file: File = None,
    campaign: CampaignOption = None,
    known_by: Annotated[
        str | None, typer.Option("--known-by", help="Vintage: use only what was public by this date (YYYY-MM-DD).")
    ] = None,
    seed: Annotated[int, typer.Option("--seed", help="Of every random number.", min=0)] = 1,
    draws: Annotated[int, typer.Option("--draws", help="Draws per chain, of four.", min=100)] = 1000,
    priors: Annotated[str, typer.Option("--priors", help="Named set of priors: default or study.")] = "default",
    out: Annotated[Path | None, typer.Option("--out", help="Folder for the fit, its summary and its figures.")] = None,
) -> None:
    """Fit a record: print the summary, and with --out keep the fit, its summary and its figures."""
    claims = _claims(file)
    chosen = _campaign(campaign, claims)

    from .inference import fit as run
    from .priors import default_priors
    from .publishing import published_dates, summary_text
    from .sampling import Settings

    if out is not None:
        _check_folder(out)
    settings = Settings(draws=draws)
    done = run(claims, chosen, default_priors(chosen, priors), seed=seed, known_by=known_by, settings=settings)
    if out is not None:
        saved = done.save(out / "fit.nc")
        typer.echo(f"Saved {saved}", err=True)
    dates = published_dates(done)
    typer.echo(summary_text(done, dates))
    if not done.passed:
        typer.echo("The convergence gate failed: nothing is published.", err=True)
        raise typer.Exit(1)
    if out is not None:
        from .publishing import write_results  # loads matplotlib

        written = write_results(done, out, dates)
        typer.echo(
            f"Wrote {len(written)} files in {out}; `attrition publish {out}` adds the report and tables", err=True
        )


@app.command()
def summary(
    fit_file: Annotated[Path, typer.Argument(metavar="FIT", help="Saved fit, or the folder it is in.")],
) -> None:
    """Print the summary of a saved fit."""
    from .publishing import summary_text
    from .storage import load

    done = load(fit_file / "fit.nc" if fit_file.is_dir() else fit_file)
    typer.echo(summary_text(done))
    if not done.passed:
        raise typer.Exit(1)


@app.command()
def checks(
    fit_file: Annotated[Path, typer.Argument(metavar="FIT", help="Saved fit, or the folder it is in.")],
    numbers: Annotated[bool, typer.Option("--numbers", help="Print every number of each check as well.")] = False,
    seed: Annotated[int, typer.Option("--seed", help="Of the checks' random numbers.", min=0)] = 0,
) -> None:
    """Check a saved fit in every way, a sentence each; some sample again, for a minute. Exit code 1 if any failed."""
    from .checks import all_checks
    from .storage import load

    done = load(fit_file / "fit.nc" if fit_file.is_dir() else fit_file)
    passed = True
    for result in all_checks(done, seed):
        passed &= result.passed
        state = "passed" if result.passed else "FAILED"
        typer.echo(
            str(result) if numbers else f"{result.name}: {state}. {result.sentence[:1].upper()}{result.sentence[1:]}."
        )
    if not passed:
        raise typer.Exit(1)


@app.command()
def influence(
    fit_or_record: Annotated[
        Path | None,
        typer.Argument(metavar="FIT_OR_RECORD", help="Saved fit, the folder it is in, or a claims table (CSV)."),
    ] = None,
    campaign: CampaignOption = None,
    known_by: Annotated[
        str | None, typer.Option("--known-by", help="Vintage: use only what was public by this date (YYYY-MM-DD).")
    ] = None,
    seed: Annotated[int | None, typer.Option("--seed", help="Of every random number; 1 by default.", min=0)] = None,
    draws: Annotated[
        int | None,
        typer.Option("--draws", help="Draws per chain, of four; by default 1000, or the saved fit's.", min=100),
    ] = None,
    priors: Annotated[
        str | None, typer.Option("--priors", help="Named set of priors: default (if not given) or study.")
    ] = None,
    leave_out: Annotated[str, typer.Option("--leave-out", help="Leave out each claim, or each source.")] = "claim",
    out: Annotated[Path | None, typer.Option("--out", help="CSV file for the whole table.")] = None,
) -> None:
    """Leave out each claim, or each source, fit again, and print what moves; exit code 1 if any fit failed its gate."""
    import dataclasses

    from .cells import csv_of
    from .errors import InputError, Problem
    from .inference import fit as run
    from .leaving_out import influence as left_out
    from .priors import default_priors
    from .sampling import Settings
    from .storage import load, write_whole

    if out is not None:
        _check_file(out)
    settings = None
    if fit_or_record is not None and _is_fit(fit_or_record):
        given = {"--campaign": campaign, "--known-by": known_by, "--seed": seed, "--priors": priors}
        set_already = [name for name, value in given.items() if value is not None]
        if set_already:
            do = "Leave it away, or name the claims table."
            problems = [
                Problem("option", "", name, "a value", "nothing: a saved fit has its own", do) for name in set_already
            ]
            raise InputError("The fit is already made", problems)
        done = load(fit_or_record / "fit.nc" if fit_or_record.is_dir() else fit_or_record)
        settings = None if draws is None else dataclasses.replace(done.settings, draws=draws)
    else:
        claims = _claims(fit_or_record)
        chosen = _campaign(campaign, claims)
        done = run(
            claims,
            chosen,
            default_priors(chosen, priors or "default"),
            seed=1 if seed is None else seed,
            known_by=known_by,
            settings=Settings(draws=draws or Settings.draws),
        )
    found = left_out(done, settings=settings, leave_out=leave_out)
    typer.echo(str(found))
    if out is not None:
        text = csv_of(found.table)
        write_whole(out, lambda part: _write(part, text))
    if not found.passed:
        raise typer.Exit(1)


@app.command()
def priors(
    file: File = None,
    campaign: CampaignOption = None,
    known_by: Annotated[
        str | None, typer.Option("--known-by", help="Vintage of the totals and of the claims beside them (YYYY-MM-DD).")
    ] = None,
    name: Annotated[str, typer.Option("--priors", help="Named set of priors: default or study.")] = "default",
    draws: Annotated[int, typer.Option("--draws", help="Draws from the prior.", min=100)] = 2000,
    seed: Annotated[int, typer.Option("--seed", help="Of every random number.", min=0)] = 1,
    out: Annotated[Path | None, typer.Option("--out", help="Markdown file; by default the page is printed.")] = None,
) -> None:
    """Write the prior guide: what each prior does, when to change it, and what it implies before any claim is read."""
    from .guide import prior_guide
    from .guide_text import guide_page
    from .priors import default_priors
    from .storage import write_whole

    if out is not None:
        _check_file(out)
    claims = _claims(file)
    chosen = _campaign(campaign, claims)
    page = guide_page(prior_guide(chosen, default_priors(chosen, name), known_by, claims, draws, seed))
    if out is None:
        typer.echo(page, nl=False)
    else:
        write_whole(out, lambda part: _write(part, page))


def _write(part: Path, text: str) -> None:
    part.write_text(text, encoding="utf-8", newline="\n")


def _check_folder(folder: Path) -> None:
    """Refuse a folder that could not be made or written to, before the work that would be lost; nothing is made."""
    found = folder.absolute()
    while not found.exists() and found != found.parent:
        found = found.parent
    if not found.is_dir():
        raise NotADirectoryError(f"{found} is a file, not a folder: nothing can be written to {folder}")
    if not os.access(found, os.W_OK | os.X_OK):
        raise PermissionError(f"{found} cannot be written to: choose another folder than {folder}")


def _check_file(file: Path) -> None:
    """Refuse a file that could not be written, before the work that would be lost."""
    if file.is_dir():
        raise IsADirectoryError(f"{file} is a folder: name a file in it")
    _check_folder(file.absolute().parent)


def _is_fit(path: Path) -> bool:
    """Whether a path names a saved fit, by what is in it, whatever its name; a folder is one with a fit in it."""
    if path.is_dir() or path.suffix == ".nc":
        return True
    if not path.is_file():
        return False
    with path.open("rb") as stream:
        return stream.read(len(HDF5)) == HDF5


@app.command()
def cache(
    clear: Annotated[bool, typer.Option("--clear", help="Remove what is kept; the next fit compiles again.")] = False,
) -> None:
    """Show or clear compiled code that is kept between runs: the sampler's, and that of extended models."""
    from . import kept_graph
    from .kernel import store

    typer.echo(f"Folder: {store.folder()} (set {store.VARIABLE} for another)")
    if clear:
        typer.echo(f"Removed: {store.clear() + kept_graph.clear()}")
        return
    kernels, models = store.entries(), kept_graph.entries()
    for kind, found in (("sampler", kernels), ("extended model", models)):
        for entry in found:
            typer.echo(f"  {entry.path.name}  {entry.size / 1e6:.1f} MB  {kind}{', in use' if entry.current else ''}")
    if not any(entry.current for entry in kernels):
        typer.echo("Nothing is kept for this version: the next fit compiles, which takes about half a minute.")


@app.command()
def calibrate(
    out: Annotated[Path, typer.Option("--out", help="Folder for finished replicates, the summary and the figure.")],
    replicates: Annotated[int, typer.Option("--replicates", help="Simulated campaigns.", min=20)] = 1000,
    controls: Annotated[int, typer.Option("--controls", help="Replicates of each mistake to be seen.", min=0)] = 500,
    misspecified: Annotated[
        int, typer.Option("--misspecified", help="Replicates of each assumption that fails.", min=0)
    ] = 400,
    seed: Annotated[int, typer.Option("--seed", help="Of every random number.", min=0)] = 1,
    workers: Annotated[int, typer.Option("--workers", help="Processes.", min=1)] = 2,
) -> None:
    """Check by simulation that the intervals hold what they promise; goes on where an earlier run was interrupted."""
    from .calibration import calibrate as run
    from .calibration import write_summary
    from .calibration.figure import save_figures

    _check_folder(out)
    done = run(out, replicates, controls, misspecified, seed=seed, executor=workers)
    typer.echo(str(done))
    for path in (write_summary(done, out), *save_figures(done, out)):
        typer.echo(f"Wrote {path}", err=True)
    if not done.passed:
        raise typer.Exit(1)


@app.command()
def conform(
    file: Annotated[Path, typer.Argument(help="Conformance file (JSON).")],
    draws: Annotated[int, typer.Option("--draws", help="Draws per chain, of four.", min=100)] = 4000,
    seed: Annotated[int, typer.Option("--seed", help="Of every random number.", min=0)] = 1,
) -> None:
    """Fit problems whose posterior is known exactly, and compare quantile by quantile."""
    from .conform import conform as run

    results = run(file, draws=draws, seed=seed)
    width = max([len(result.name) for result in results], default=3)
    typer.echo(f"{'set':<{width}}  {'quantity':<18}  worst departure (Monte Carlo errors, at level)  ESS     result")
    for result in results:
        departure = f"{result.worst:.2f} at {result.level:g}"
        state = "passed" if result.passed else "FAILED"
        typer.echo(f"{result.name:<{width}}  {result.quantity:<18}  {departure:<46}  {result.ess:<6.0f}  {state}")
    if not results or not all(result.passed for result in results):
        raise typer.Exit(1)


add_commands(app)


class _ExitCodes:
    """Turn what escapes from a command into a message and an exit code."""

    def __enter__(self) -> None:
        return None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None or isinstance(error, SystemExit | KeyboardInterrupt | GeneratorExit):
            return
        from .errors import AttritionError

        if isinstance(error, AttritionError | FileNotFoundError | IsADirectoryError):
            sys.stderr.write(f"{error}\n")
            raise SystemExit(2) from None
        if isinstance(error, OSError):
            sys.stderr.write(f"{error}\n")
            raise SystemExit(3) from None
        traceback.print_exception(error)
        raise SystemExit(3) from None


def main() -> None:
    """Entry point of the ``attrition`` command."""
    with _ExitCodes():
        app()
