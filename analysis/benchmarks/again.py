"""Fitting again in one process: refits of this package against sampling a rebuilt PyMC model; extended models; calibration fits.

Run: python analysis/benchmarks/again.py [--runs 5] [--calibration 1000] [--out FOLDER]
Writes again.json and again.md. Two cores, with 1,000 calibration fits: about twenty minutes.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import record
from alternatives import HERE, run

VINTAGES = {"January": "2025-01-16", "full record": "2026-02-13"}


def seconds_of(action: Callable[[int], Any], runs: int) -> list[float]:
    """Wall seconds of an action, called with 1, 2, ..."""
    found = []
    for number in range(1, runs + 1):
        started = time.perf_counter()
        action(number)
        found.append(time.perf_counter() - started)
    return found


def changed(number: int) -> Any:
    """The record with one total told otherwise: Ukraine's president's 3,800 of 5 January 2025."""
    import attrition as at

    whole = at.load_claims("dprk-kursk")
    table = whole.table.astype(object).where(whole.table.notna(), None)
    row = (table["source"] == "ukraine-president") & (table["value"] == 3800.0)
    if not row.any():
        raise SystemExit("the claim to be changed is not in the record")
    table.loc[row, "value"] = 3800.0 + 100.0 * number
    return at.read_claims(table, name=whole.name)


def refits(runs: int) -> dict[str, list[float]]:
    """Refits with a changed claim, after one fit that loads or compiles the sampler's code."""
    import attrition as at

    campaign = at.load_campaign("dprk-kursk")
    found = {}
    for name, vintage in VINTAGES.items():
        fit = at.fit(at.load_claims("dprk-kursk"), campaign, known_by=vintage, seed=1, progress=False)

        def again(number: int, fit: Any = fit, vintage: str = vintage) -> None:
            at.refit(fit, changed(number), campaign=campaign, known_by=vintage, seed=number, progress=False)

        found[f"at.refit, {name}"] = seconds_of(again, runs)
    return found


def plain(runs: int, data: Path, folder: Path) -> dict[str, list[float]]:
    """``pm.sample`` again in one process, on the plain model built anew; compiled code of the first time is in the cache."""
    script, found = [sys.executable, str(HERE / "plain_pymc.py"), "--data", str(data)], []
    for number in range(runs):
        out = folder / f"{number}.npz"
        run(
            [*script, "--out", str(out), "--seed", str(number + 1), "--again", "yes"], folder / "caches", folder / "log"
        )
        with np.load(out) as file:
            found.append(json.loads(str(file["told"]))["seconds"]["again"])
    return {"pm.sample on the plain model built anew, January": found}


def extended(runs: int) -> dict[str, list[float]]:
    """A model of the user's own: the January model with one more potential, compiled by PyMC, and refits of it."""
    import pymc as pm

    import attrition as at

    campaign = at.load_campaign("dprk-kursk").known_by("2025-01-16")
    claims = at.load_claims("dprk-kursk").known_by("2025-01-16")
    model = at.build_model(claims, campaign)
    with model:
        pm.Potential("own", -0.5 * ((model["contingent_size"] - 11_500.0) / 1_000.0) ** 2)
    started = time.perf_counter()
    fit = at.fit(claims, campaign, seed=1, model=model, progress=False)
    first = time.perf_counter() - started
    told = {"extended model, first fit": [first], "extended model, of it compiling": [fit.timings["compile"]]}

    def again(number: int) -> None:
        at.refit(fit, changed(number), known_by="2025-01-16", seed=number, progress=False)

    return told | {"extended model, refit": seconds_of(again, runs)}


def calibration(fits: int) -> dict[str, list[float]]:
    """Calibration fits of the January problem, 2 x (500 + 250) draws each, over two processes."""
    from attrition.calibration import calibrate

    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        calibrate(folder, fits, 0, 0, executor=2, progress=False)
        return {f"{fits:,} calibration fits, two processes": [time.perf_counter() - started]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--calibration", type=int, default=1000, help="fits; 0 leaves them out")
    parser.add_argument("--out", type=Path, default=HERE)
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    found = refits(given.runs)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        record.write(folder / "january.json")
        found |= plain(given.runs, folder / "january.json", folder)
    found |= extended(given.runs)
    if given.calibration:
        found |= calibration(given.calibration)
    lines = [
        "# Again in one process",
        "",
        f"Seconds. {dt.date.today().isoformat()}.",
        "",
        "| what | median | min | max | n |",
    ]
    lines.append("| --- | --- | --- | --- | --- |")
    for label, times in found.items():
        middle = statistics.median(times)
        lines.append(f"| {label} | {middle:.2f} | {min(times):.2f} | {max(times):.2f} | {len(times)} |")
    (given.out / "again.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    (given.out / "again.md").write_text("\n".join(lines) + "\n", encoding="utf-8")
    print("\n".join(lines))


if __name__ == "__main__":
    main()
