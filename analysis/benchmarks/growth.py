"""How time and memory grow with the number of claims and of days: simulated records of known truth, each in a process of its own.

Run: python analysis/benchmarks/growth.py [--claims 10 100 1000 10000 100000] [--days 100 300 1000 3000] [--out FOLDER]
Writes growth.json and growth.md: seconds of each stage, of one gradient and of the whole fit, peak memory, whether the truth is
inside the posterior, and the exponent of growth fitted over the larger sizes. Large records get fewer draws; the table says how many.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

HERE = Path(__file__).resolve().parent
START = dt.date(2024, 1, 1)
CLAIM_DAYS = 200  # calendar of the records that grow in claims
DAY_CLAIMS = 100  # claims of the records that grow in days
SOURCES = 12
KINDS = ("adversary", "third_party", "own_side", "analyst")
DAILY = 50.0  # persons a day, the prior's median
STAGES = (
    "read",
    "dependence",
    "simulate",
    "observe",
    "containers",
    "layout",
    "fit",
    "sample",
    "gate",
    "by_claim",
    "save",
    "load",
)


def settings_of(claims: int, days: int) -> dict[str, int]:
    """Sampler settings: all draws up to a size, few beyond."""
    size = max(claims, days)
    if size <= 3000:
        return {"draws": 1000, "tune": 1000, "chains": 4}
    return {"draws": 100, "tune": 200, "chains": 2} if size <= 10_000 else {"draws": 20, "tune": 40, "chains": 2}


def record_of(claims: int, days: int) -> tuple[Any, Any]:
    """Table of claims that say nothing yet, and a campaign: twelve sources, every day, totals, killed and wounded."""
    import pandas as pd

    from attrition.campaign import Campaign, Phase, Strength

    rng = np.random.default_rng([claims, days])
    end = START + dt.timedelta(days=days - 1)
    campaign = Campaign(
        "growth",
        START,
        end,
        Strength(2.5 * DAILY * days, 0.1),
        phases=(Phase("onset", "escalation", START, 0.0, START),),
        phase_slots=1,
    )
    day = np.sort(rng.integers(min(5, days - 1), days, size=claims))
    source = rng.integers(SOURCES, size=claims)
    quantity = rng.choice(["casualties", "killed", "wounded"], p=[0.6, 0.2, 0.2], size=claims)
    names = [f"G{number:06d}" for number in range(claims)]
    dates = [(START + dt.timedelta(days=int(one))).isoformat() for one in day]
    table = pd.DataFrame(
        {
            "claim_id": names,
            "source": [f"source {one:02d}" for one in source],
            "source_kind": [KINDS[one % len(KINDS)] for one in source],
            "published": dates,
            "as_of": dates,
            "as_of_basis": "stated",
            "quantity": quantity,
            "value": 1000.0,
            "unit": 10.0,
            "bound": rng.choice(["approx", "at_least"], p=[0.8, 0.2], size=claims),
            "briefing": names,
        }
    )
    return table.astype(object), campaign


def measure(claims: int, days: int, chosen: dict[str, int]) -> dict[str, Any]:
    """Seconds of every stage for one record, in this process."""
    import attrition as at
    from attrition import inference
    from attrition.build import coordinates
    from attrition.checks.convergence import convergence
    from attrition.checks.pointwise import log_likelihood
    from attrition.containers import containers
    from attrition.curves import default_curve
    from attrition.kernel.model import kernel_model
    from attrition.observations import observe
    from attrition.simulate import restated, simulate

    inference.ESCALATED = 0.0  # sample once, whatever the gate says of few draws
    seconds: dict[str, float] = {}
    last = time.perf_counter()

    def stage(name: str) -> None:
        nonlocal last
        now = time.perf_counter()
        seconds[name] = now - last
        last = now

    table, campaign = record_of(claims, days)
    priors = at.default_priors(campaign).override(
        {
            "long_run_fraction": {"median": DAILY / campaign.contingent_size.median, "sd_log": 0.3},
            "rate_half_life": {"median": 8.0, "sd_log": 0.3},  # the default is refused for calendars of some 3,000 days
        }
    )
    last = time.perf_counter()
    blank = at.read_claims(table, name="growth")
    stage("read")
    at.dependence(blank)
    stage("dependence")
    world = simulate(blank, campaign, priors, seed=1, reporting=at.Reporting(min_persons=0.0))
    stage("simulate")
    record = restated(blank, world)
    reporting = at.Reporting(min_persons=0.0)
    curve = default_curve(campaign)
    last = time.perf_counter()
    seen = observe(record, campaign, reporting, None, curve.zero_until(campaign))
    stage("observe")
    arrays = containers(seen, campaign, priors, curve, reporting)
    stage("containers")
    sizes = {dim: len(names) for dim, names in coordinates(seen, campaign).items()}
    model = kernel_model(arrays, sizes, priors, curve, reporting)
    stage("layout")
    point = model.start(1)
    gradient = _gradient(model, point)
    settings = at.Settings(**chosen)
    last = time.perf_counter()
    fit = at.fit(record, campaign, priors, seed=1, reporting=reporting, settings=settings, progress=False)
    stage("fit")
    seconds["sample"] = fit.timings["sample"]
    last = time.perf_counter()
    convergence(fit)
    stage("gate")
    log_likelihood(fit)
    stage("by_claim")
    with tempfile.TemporaryDirectory() as folder:
        path = fit.save(Path(folder) / "fit.nc")
        stage("save")
        size = path.stat().st_size
        at.load(path)
        stage("load")
    total = fit.array("cumulative_loss")[..., -1]
    truth = float(world.truth["cumulative_loss"][-1])
    return {
        "claims": claims,
        "days": days,
        "entered": len(seen.claims),
        "settings": chosen,
        "parameters": model.n_dim,
        "gradient": gradient,
        "steps": float(fit.draws["sample_stats"]["n_steps"].mean()),
        "seconds": seconds,
        "peak_gb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2,
        "file_mb": size / 1e6,
        "total": {"truth": truth, "below_truth": float(np.mean(total < truth)), "median": float(np.median(total))},
    }


def _gradient(model: Any, point: np.ndarray) -> float:
    """Median seconds of one log density with its gradient, at a starting point."""
    import ctypes

    from attrition.kernel.callbacks import callbacks

    number = ctypes.POINTER(ctypes.c_double)
    density = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_uint64, number, number, number, ctypes.POINTER(ctypes.c_int64))(
        callbacks().density
    )
    slope, value = np.zeros(model.n_dim), np.zeros(1)
    pointers = [array.ctypes.data_as(number) for array in (np.ascontiguousarray(point), slope, value)]
    data = model.data.ctypes.data_as(ctypes.POINTER(ctypes.c_int64))
    times: list[float] = []
    while len(times) < 5 or (sum(times) < 1.0 and len(times) < 5000):
        started = time.perf_counter()
        bad = density(model.n_dim, *pointers, data)
        times.append(time.perf_counter() - started)
    if bad or not np.isfinite(slope).all():
        raise SystemExit("no gradient at the starting point")
    return float(np.median(times))


def exponent(sizes: list[int], values: list[float]) -> float:
    """Slope of log value on log size over the three largest sizes."""
    if len(sizes) < 2:
        return float("nan")
    return float(np.polyfit(np.log(sizes[-3:]), np.log(np.maximum(values[-3:], 1e-9)), 1)[0])


def page(results: dict[str, Any]) -> str:
    """Tables of both series, as Markdown."""
    lines = [
        "# Growth",
        "",
        "Seconds unless said; exponent: slope of the logarithms over the three largest sizes. " + results["made"],
    ]
    for series, size in (("claims", "claims"), ("days", "days")):
        rows = results[series]
        if not rows:
            continue
        sizes = [row[size] for row in rows]
        lines += ["", f"## By the number of {size}", "", f"| | {' | '.join(f'{one:,}' for one in sizes)} | exponent |"]
        lines.append("| --- " * (len(rows) + 2) + "|")
        told = [
            f"{row['settings']['chains']} x ({row['settings']['tune']} + {row['settings']['draws']})" for row in rows
        ]
        lines.append(f"| draws | {' | '.join(told)} | |")
        lines.append(f"| leapfrogs a draw | {' | '.join(f'{row["steps"]:.0f}' for row in rows)} | |")
        gradients = [1e6 * row["gradient"] for row in rows]
        lines.append(
            f"| gradient, microseconds | {' | '.join(f'{one:,.1f}' for one in gradients)} | {exponent(sizes, gradients):.2f} |"
        )
        for name in STAGES:
            values = [row["seconds"][name] for row in rows]
            lines.append(
                f"| {name.replace('_', ' ')} | {' | '.join(f'{one:.3g}' for one in values)} | {exponent(sizes, values):.2f} |"
            )
        for name, label in (("peak_gb", "peak memory, GB"), ("file_mb", "saved fit, MB")):
            values = [row[name] for row in rows]
            lines.append(f"| {label} | {' | '.join(f'{one:.2f}' for one in values)} | {exponent(sizes, values):.2f} |")
        below = [f"{100 * row['total']['below_truth']:.0f}%" for row in rows]
        lines.append(f"| draws of the total below the truth | {' | '.join(below)} | |")
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--claims", nargs="*", type=int, default=[10, 100, 1000, 10_000, 100_000])
    parser.add_argument("--days", nargs="*", type=int, default=[100, 300, 1000, 3000])
    parser.add_argument("--out", type=Path, default=HERE)
    parser.add_argument("--sampler", nargs=3, type=int, metavar=("DRAWS", "TUNE", "CHAINS"), help="for every size")
    parser.add_argument("--one", nargs=2, type=int, metavar=("CLAIMS", "DAYS"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one:
        chosen = settings_of(*given.one)
        if given.sampler:
            chosen = dict(zip(("draws", "tune", "chains"), given.sampler, strict=True))
        print(json.dumps(measure(*given.one, chosen)))
        return
    results: dict[str, Any] = {"made": dt.date.today().isoformat(), "claims": [], "days": []}
    problems = [("claims", number, CLAIM_DAYS) for number in sorted(given.claims)]
    problems += [("days", DAY_CLAIMS, number) for number in sorted(given.days)]
    for series, claims, days in problems:
        command = [sys.executable, str(Path(__file__).resolve()), "--one", str(claims), str(days)]
        if given.sampler:
            command += ["--sampler", *map(str, given.sampler)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(f"{claims} claims, {days} days: {done.stderr[-2000:]}")
        row = json.loads(done.stdout.strip().splitlines()[-1])
        results[series].append(row)
        print(
            f"{claims:>7} claims {days:>5} days: fit {row['seconds']['fit']:.1f} s, {row['peak_gb']:.2f} GB", flush=True
        )
        given.out.mkdir(parents=True, exist_ok=True)
        (given.out / "growth.json").write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
        (given.out / "growth.md").write_text(page(results), encoding="utf-8")


if __name__ == "__main__":
    main()
