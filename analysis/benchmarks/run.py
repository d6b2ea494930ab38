"""Compare this package with how one would write the same model in PyMC, nutpie, NumPyro and Stan: side by side, in one run.

Run: python analysis/benchmarks/run.py [--rounds 5] [--cold-rounds 5] [--alternatives NAME ...] [--out FOLDER]
Every round runs each program once from an empty compiler cache (cold) and once with its cache (warm), in turn, as whole processes
with the round's number as seed. Writes results.json, results.md and results.svg/.png. Environments of NumPyro and Stan are made with
uv under .bench, from the requirements beside this file; Stan needs a C++ compiler. Two cores: about an hour; nothing else should run.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import os
import platform
import shutil
import statistics
import tempfile
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import agreement
import numpy as np
import record
from alternatives import ALTERNATIVES, HERE, Run, prepare, run, script, timed_command

REFERENCE = "attrition"
PACKAGES = ("attrition", "pymc", "pytensor", "nutpie", "numba", "arviz", "numpy")


def main() -> None:
    given = _arguments()
    names = list(dict.fromkeys([REFERENCE, *given.alternatives]))
    prepare(names)
    given.out.mkdir(parents=True, exist_ok=True)
    data = given.out.resolve() / "january.json"
    record.write(data)
    machine_then = machine()
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        runs = measured(names, given, data, work)
        results = {
            "made": dt.date.today().isoformat(),
            "machine": machine_then,
            "rounds": given.rounds,
            "draws": given.draws,
        }
        results |= summary(names, runs, work)
    (given.out / "results.json").write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    import report

    report.write(results, given.out)
    print((given.out / "results.md").read_text(encoding="utf-8"))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5, help="warm runs of each")
    parser.add_argument("--cold-rounds", type=int, help="cold runs of each; by default as many")
    parser.add_argument("--draws", type=int, default=1000, help="draws, and tuning steps, of each of four chains")
    parser.add_argument("--alternatives", nargs="+", choices=list(ALTERNATIVES), default=list(ALTERNATIVES))
    parser.add_argument("--out", type=Path, default=HERE, help="folder of the results")
    given = parser.parse_args()
    given.cold_rounds = given.rounds if given.cold_rounds is None else given.cold_rounds
    if min(given.rounds, given.cold_rounds) < 1:
        parser.error("at least one round of each: a cold run fills the cache of the warm ones")
    return given


def measured(names: list[str], given: argparse.Namespace, data: Path, work: Path) -> dict[str, list[dict[str, Any]]]:
    """Run everything, round by round: for each name its runs, with what each told of itself."""
    runs: dict[str, list[dict[str, Any]]] = {name: [] for name in names}
    for number in range(max(given.rounds, given.cold_rounds)):
        for state, rounds in (("cold", given.cold_rounds), ("warm", given.rounds)):
            for name in names if number < rounds else ():
                caches = work / "caches" / name
                if state == "cold" and number > 0:
                    caches = work / "cold"
                done = _one(name, state, number + 1, data, work, caches, given.draws)
                runs[name].append(done)
                if caches.name == "cold":
                    shutil.rmtree(caches)
                print(
                    f"round {number + 1}  {state}  {name:<24} {done['wall']:7.2f} s  {done['memory']:6.0f} MB",
                    flush=True,
                )
    return runs


def _one(name: str, state: str, seed: int, data: Path, work: Path, caches: Path, draws: int) -> dict[str, Any]:
    out, log = work / f"{name}-{state}-{seed}.npz", work / f"{name}.log"
    timed: Run = run(timed_command(name, data, out, seed, caches, draws), caches, log)
    if ALTERNATIVES[name].command:  # the command line tells nothing of its parts: the same fit in a script does
        run(script(name, data, out, seed, caches, draws), caches, log)
    with np.load(out) as file:
        told = json.loads(str(file["told"]))
    return {"state": state, "seed": seed, "draws": out.name, **timed.__dict__, **told}


def summary(names: list[str], runs: Mapping[str, list[dict[str, Any]]], work: Path) -> dict[str, Any]:
    """Medians with extremes of every measure, mixing, and whether the posteriors agree with the reference's."""
    warm = {name: [one for one in runs[name] if one["state"] == "warm"] for name in names}
    drawn = {name: [_load(work / one["draws"]) for one in warm[name]] for name in names}
    pooled = {
        name: {key: np.concatenate([one[key] for one in all_]) for key in all_[0]} for name, all_ in drawn.items()
    }
    rows = {}
    for name in names:
        mixed = [agreement.mixed(one) for one in drawn[name]]
        cold = [one for one in runs[name] if one["state"] == "cold"]
        row: dict[str, Any] = {"label": ALTERNATIVES[name].label, "ours": ALTERNATIVES[name].ours}
        row["wall_warm"] = spread([one["wall"] for one in warm[name]])
        row["wall_cold"] = spread([one["wall"] for one in cold])
        row["memory"] = spread([one["memory"] for one in warm[name]])
        for part in ("import", "compile", "sample"):
            for state, some in (("warm", warm[name]), ("cold", cold)):
                if part in some[0]["seconds"]:
                    row[f"{part}_{state}"] = spread([one["seconds"][part] for one in some])
        row |= {key: spread([one[key] for one in mixed]) for key in ("bulk", "tail", "rhat")}
        for key in ("bulk", "tail"):
            each = list(zip((one[key] for one in mixed), warm[name], strict=True))
            row[f"{key}_per_second"] = spread([ess / one["wall"] for ess, one in each])
            row[f"{key}_per_sampling"] = spread([ess / one["seconds"]["sample"] for ess, one in each])
        row["slowest"] = sorted({one["slowest"] for one in mixed})
        row["steps"] = spread([one["steps"] for one in warm[name]])
        row["accept"] = statistics.mode(one["accept"] for one in warm[name])  # a fit sampled again has another
        row["sampler"] = warm[name][0]["sampler"]
        row["divergences"] = [one["divergences"] for one in warm[name]]
        if name != REFERENCE and warm[name][0]["sampler"] != "attrition":
            found = agreement.departures(pooled[name], pooled[REFERENCE])
            allowed = agreement.limit(len(found))
            row["worst_departures"] = found[:3]
            row["departure_limit"] = allowed
            row["agrees"] = abs(found[0][2]) < allowed
        rows[name] = row
    return {"alternatives": rows, "runs": runs}


def _load(path: Path) -> dict[str, np.ndarray]:
    with np.load(path) as file:
        return {name: file[name] for name in file.files if name != "told"}


def spread(values: list[float]) -> dict[str, float]:
    """Median, smallest and largest."""
    return {"median": statistics.median(values), "min": min(values), "max": max(values), "n": len(values)}


def machine() -> dict[str, Any]:
    """What the runs were made on."""
    processor = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.is_file():
        models = [
            line.split(":", 1)[1].strip() for line in info.read_text().splitlines() if line.startswith("model name")
        ]
        processor = models[0] if models else processor
    pinned = {}
    for file in sorted(HERE.glob("requirements-*.txt")):
        rows = (line.split("==") for line in file.read_text().splitlines() if "==" in line)
        pinned |= {name: number for name, number in rows if name in ("numpyro", "jax", "pystan", "httpstan")}
    return {
        "processor": processor,
        "cores": os.cpu_count(),
        "load_before": round(os.getloadavg()[0], 2),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "packages": {name: version(name) for name in PACKAGES} | pinned,
    }


if __name__ == "__main__":
    main()
