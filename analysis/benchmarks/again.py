"""Fitting again in one process: refits of this package against sampling a rebuilt PyMC model; extended models; calibration fits.

Run: python analysis/benchmarks/again.py [--runs 5] [--calibration 1000] [--out FOLDER]
Writes again.json and again.md. Two cores, with 1,000 calibration fits: about a quarter of an hour.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import record
from alternatives import HERE, run

VINTAGES = {"January": "2025-01-16", "full record": "2026-02-13"}
TOLD = {"source": "ukraine-president", "quantity": "casualties", "value": 3800.0, "published": dt.date(2025, 1, 5)}
REFIT, PLAIN = "at.refit, {}", "pm.sample() on the plain model built anew, January"
TARGET = 50.0
PARTS = ("refit", "plain", "extended", "calibration")

type Rows = dict[str, dict[str, Any]]


def seconds_of(action: Callable[[int], Any], runs: int, label: str = "") -> tuple[list[float], list[Any]]:
    """Wall seconds of an action, called with 1, 2, ..., and what it returned."""
    seconds, found = [], []
    for number in range(1, runs + 1):
        started = time.perf_counter()
        found.append(action(number))
        seconds.append(time.perf_counter() - started)
        if label:
            print(f"{label}: {seconds[-1]:.2f} s", flush=True)
    return seconds, found


def changed(number: int, record_: Any = None) -> Any:
    """The record with one total told otherwise: Ukraine's president's 3,800 of 5 January 2025.

    Parameters
    ----------
    number
        Hundreds of persons that it is raised by.
    record_
        Claims in which it stands; by default the packaged record.

    Raises
    ------
    SystemExit
        If that claim does not stand in the record once, as evidence.
    """
    import attrition as at

    whole = at.load_claims("dprk-kursk") if record_ is None else record_
    table = whole.table.astype(object).where(whole.table.notna(), None)
    row = np.logical_and.reduce([(table[column] == cell).to_numpy() for column, cell in TOLD.items()])
    if row.sum() != 1 or table.loc[row, "role"].item() != "evidence":
        raise SystemExit("the claim to be changed does not stand in the record once, as evidence")
    table.loc[row, "value"] = TOLD["value"] + 100.0 * number
    return at.read_claims(table, name=whole.name)


def differs(before: Any, after: Any) -> str:
    """The one claim whose value differs between two fits, of those that entered.

    Raises
    ------
    SystemExit
        If it is not one: then the refit was of other claims than it should be.
    """
    one, other = (fit.seen.claims.set_index("claim_id") for fit in (before, after))
    if list(one.index) != list(other.index):
        raise SystemExit("a refit has other claims than the fit before it")
    names = [str(name) for name in one.index if one.at[name, "value"] != other.at[name, "value"]]
    if len(names) != 1:
        raise SystemExit(f"{len(names)} claims differ between a fit and its refit, not one")
    return names[0]


def row_of(seconds: list[float], fits: list[Any] | None = None) -> dict[str, Any]:
    """Seconds, and of fits their steps a draw, smallest effective sample size and escalations."""
    row: dict[str, Any] = {"seconds": seconds}
    if fits:
        row["steps"] = [float(fit.draws["sample_stats"]["n_steps"].mean()) for fit in fits]
        row["ess"] = [float(fit.gate["min_ess"]) for fit in fits]
        row["passed"] = sum(bool(fit.gate["passed"]) for fit in fits)
        row["escalated"] = sum(bool(fit.gate["escalated"]) for fit in fits)
    return row


def refits(runs: int) -> Rows:
    """Refits with a changed claim, after one fit that loads or compiles the sampler's code."""
    import attrition as at

    campaign, found = at.load_campaign("dprk-kursk"), {}
    for name, vintage in VINTAGES.items():
        fit = at.fit(at.load_claims("dprk-kursk"), campaign, known_by=vintage, seed=1, progress=False)
        records = [changed(number) for number in range(1, runs + 1)]  # reading a table is no part of a refit

        def again(number: int, fit: Any = fit, vintage: str = vintage, records: Any = records) -> Any:
            claims = records[number - 1]
            return at.refit(fit, claims, campaign=campaign, known_by=vintage, seed=number, progress=False)

        label = REFIT.format(name)
        seconds, fits = seconds_of(again, runs, label)
        for one in fits:
            differs(fit, one)
        found[label] = row_of(seconds, fits)
    return found


def plain(runs: int, folder: Path) -> Rows:
    """``pm.sample()`` again and again in one process, each time on the plain model built anew, after a first time."""
    data, out = folder / "january.json", folder / "plain.npz"
    record.write(data)
    command = [sys.executable, str(HERE / "plain_pymc.py"), "--data", str(data), "--out", str(out)]
    print(f"pm.sample(), {runs + 1} times in one process", flush=True)
    run([*command, "--again", str(runs)], folder / "caches", folder / "log")
    with np.load(out) as file:
        told = json.loads(str(file["told"]))
    print(f"{PLAIN}: {', '.join(f'{one:.2f}' for one in told['again'])} s", flush=True)
    return {PLAIN: row_of(told["again"])}


def extended(runs: int, folder: Path) -> Rows:
    """A model of the user's own in two processes: the first finds every compiler's cache empty, the second what it left."""
    found: Rows = {}
    for number, state in enumerate(("from empty caches", "in the next process")):
        out = folder / f"extended-{number}.json"
        print(f"extended model, {state}", flush=True)
        command = [sys.executable, str(HERE / "again.py"), "--extended", str(out), "--runs", str(0 if number else runs)]
        run(command, folder / "extended", folder / "log")
        rows = json.loads(out.read_text(encoding="utf-8"))
        for label, row in rows.items():
            found[label if "refit" in label else f"{label}, {state}"] = row
            print(f"{label}: {statistics.median(row['seconds']):.2f} s", flush=True)
    return found


def extended_here(runs: int) -> Rows:
    """The January model with one more potential, compiled by PyMC and nutpie, and refits of it, in this process."""
    import pymc as pm

    import attrition as at

    campaign = at.load_campaign("dprk-kursk").known_by("2025-01-16")
    claims = at.load_claims("dprk-kursk").known_by("2025-01-16")
    model = at.build_model(claims, campaign)
    with model:
        pm.Potential("own", -0.5 * ((model["contingent_size"] - 11_500.0) / 1_000.0) ** 2)
    (first,), (fit,) = seconds_of(lambda _: at.fit(claims, campaign, seed=1, model=model, progress=False), 1)
    found = {
        "extended model, first fit": row_of([first], [fit]),
        "extended model, compiling in it": row_of([fit.timings["compile"]]),
    }
    if runs:
        records = [changed(number).known_by("2025-01-16") for number in range(1, runs + 1)]
        seconds, fits = seconds_of(
            lambda number: at.refit(fit, records[number - 1], seed=number, progress=False),
            runs,
            "extended model, refit",
        )
        for one in fits:
            differs(fit, one)
        found["extended model, refit"] = row_of(seconds, fits)
    return found


def calibration(fits: int) -> Rows:
    """Calibration fits of the January problem, 2 x (500 + 250) draws each, over two processes."""
    from attrition.calibration import calibrate

    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        calibrate(folder, fits, 0, 0, executor=2)
        return {f"{fits:,} calibration fits, two processes": row_of([time.perf_counter() - started])}


def ratio(found: Mapping[str, Mapping[str, Any]]) -> float:
    """How many times longer ``pm.sample()`` takes than a January refit (medians)."""
    refit = found[REFIT.format("January")]
    return statistics.median(found[PLAIN]["seconds"]) / statistics.median(refit["seconds"])


def page(results: Mapping[str, Any]) -> str:
    """The table, and the ratio of the two ways of fitting again, as Markdown."""
    machine, found = results["machine"], results["rows"]
    lines = [
        "# Again in one process",
        "",
        f"{results['made']}, {machine['cores']} cores ({machine['processor']}), Python {machine['python']}; load before the "
        f"first run {machine['load_before']}. "
        f"{', '.join(f'{name} {number}' for name, number in machine['packages'].items())}.",
        "",
        "Seconds; every refit has one claim changed. Steps a draw and the smallest effective sample size over what is published: "
        "medians of the fits; escalated: fits that sampled again because the convergence gate failed.",
        "",
        "| what | median | min | max | n | steps a draw | smallest ESS | passed | escalated |",
        "| --- " * 9 + "|",
    ]
    for label, row in found.items():
        seconds = row["seconds"]
        cells = [f"{one:.2f}" for one in (statistics.median(seconds), min(seconds), max(seconds))] + [str(len(seconds))]
        if "steps" in row:
            cells += [f"{statistics.median(row['steps']):.0f}", f"{statistics.median(row['ess']):,.0f}"]
            cells += [str(row["passed"]), str(row["escalated"])]
        else:
            cells += [""] * 4
        lines.append(f"| {label} | {' | '.join(cells)} |")
    if PLAIN in found and REFIT.format("January") in found:
        times = ratio(found)
        reached = "reached" if times >= TARGET else "not reached"
        lines += [
            "",
            f"pm.sample() again takes {times:.1f} times as long as a January refit (target {TARGET:.0f}: {reached}).",
        ]
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--calibration", type=int, default=1000, help="fits; 0 leaves them out")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--out", type=Path, default=HERE)
    parser.add_argument("--extended", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.extended:
        given.extended.write_text(json.dumps(extended_here(given.runs)), encoding="utf-8")
        return
    if given.runs < 1:
        parser.error("at least one run")
    from run import machine

    given.out.mkdir(parents=True, exist_ok=True)
    results: dict[str, Any] = {"made": dt.date.today().isoformat(), "machine": machine(), "rows": {}}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        parts: dict[str, Callable[[], Rows]] = {
            "refit": lambda: refits(given.runs),
            "plain": lambda: plain(given.runs, folder),
            "extended": lambda: extended(given.runs, folder),
            "calibration": lambda: calibration(given.calibration) if given.calibration else {},
        }
        for part in given.parts:
            results["rows"] |= parts[part]()
            (given.out / "again.json").write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
            (given.out / "again.md").write_text(page(results), encoding="utf-8")
    print((given.out / "again.md").read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
