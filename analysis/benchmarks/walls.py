"""Whole-process wall times, side by side in one run: `attrition fit` and a plain PyMC script of the same model.

Cold: an empty home folder, so no compiler cache. Warm: the same home again. A refit is timed inside one process.
Run: python analysis/benchmarks/walls.py [RUNS]; writes analysis/benchmarks/walls.json and prints a table. Two cores: 15 minutes.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
ATTRITION = [str(Path(sys.executable).parent / "attrition"), "fit", "--known-by", "2025-01-16", "--seed", "1"]
PLAIN = [sys.executable, str(HERE / "plain_pymc.py")]
REFIT = """
import time, json, sys
import attrition as at
import pymc as pm
record, campaign = at.load_claims("dprk-kursk"), at.load_campaign("dprk-kursk")
fit = at.fit(record, campaign, known_by="2025-01-16", seed=1, progress=False)
def refits(vintage):
    times, sampling = [], []
    for seed in range(int(sys.argv[1])):
        started = time.perf_counter()
        again = at.refit(fit, record, campaign=campaign, known_by=vintage, seed=seed, progress=False)
        times.append(time.perf_counter() - started)
        sampling.append(again.timings["sample"])
    return times, sampling
out = {}
for name, vintage in (("refit, January", "2025-01-16"), ("refit, full record", "2026-02-13")):
    out[name], out[name + ", sampling only"] = refits(vintage)
print(json.dumps(out))
"""


def timed(command: list[str], home: str) -> float:
    environment = {**os.environ, "HOME": home, "XDG_CACHE_HOME": f"{home}/.cache"}
    started = time.perf_counter()
    subprocess.run(command, env=environment, check=True, capture_output=True, cwd=home)
    return time.perf_counter() - started


def main() -> None:
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    names = ("attrition fit", "plain PyMC script")
    seconds: dict[str, list[float]] = {f"{name}, {state}": [] for name in names for state in ("cold", "warm")}
    with tempfile.TemporaryDirectory() as base:
        for name, command in zip(names, (ATTRITION, PLAIN), strict=True):
            home = f"{base}/{name.split()[0]}"
            os.mkdir(home)
            seconds[f"{name}, cold"].append(timed(command, home))
        for _ in range(runs):
            for name, command in zip(names, (ATTRITION, PLAIN), strict=True):
                seconds[f"{name}, warm"].append(timed(command, f"{base}/{name.split()[0]}"))
        environment = {**os.environ, "HOME": f"{base}/attrition", "XDG_CACHE_HOME": f"{base}/attrition/.cache"}
        done = subprocess.run(
            [sys.executable, "-c", REFIT, str(runs)], env=environment, check=True, capture_output=True, text=True
        )
        seconds |= json.loads(done.stdout.strip().splitlines()[-1])
    table = {
        name: {"n": len(s), "min": min(s), "median": statistics.median(s), "max": max(s)} for name, s in seconds.items()
    }
    (HERE / "walls.json").write_text(json.dumps(table, indent=1) + "\n", encoding="utf-8")
    for name, row in table.items():
        print(f"{name:<36} n={row['n']}  median {row['median']:7.2f} s  ({row['min']:.2f} to {row['max']:.2f})")


if __name__ == "__main__":
    main()
