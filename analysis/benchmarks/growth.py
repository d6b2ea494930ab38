"""How time and memory grow with the number of claims and of days: simulated records of known truth, each in a process of its own.

Run: python analysis/benchmarks/growth.py [--claims 10 100 1000 10000 100000] [--days 100 300 1000 3000] [--out FOLDER]
Writes growth.json, growth.md and growth.svg/.png: seconds of each stage, of one gradient and of the whole fit, peak memory, the
truth beside its posterior, and exponents of growth fitted over the larger sizes. Large records get fewer draws; the table says
how many. Two cores: about ten minutes; nothing else should run. A size that fails or takes longer than --limit is named, and the
others go on.
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


def settings_of(claims: int, days: int) -> dict[str, int]:
    """Sampler settings: all draws up to a size, few beyond."""
    size = max(claims, days)
    if size <= 3000:
        return {"draws": 1000, "tune": 1000, "chains": 4}
    return {"draws": 50, "tune": 100, "chains": 2} if size <= 10_000 else {"draws": 20, "tune": 40, "chains": 2}


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


def measure(claims: int, days: int, chosen: dict[str, int], warm: bool = True) -> dict[str, Any]:
    """Seconds of every stage for one record, in this process, after one small record that loads all code (``warm``)."""
    from attrition import inference

    inference.ESCALATED = 0.0  # sample once, whatever the gate says of few draws
    if warm:
        _stages(10, 60, {"draws": 10, "tune": 10, "chains": 2}, Stages(quiet=True))
    before = peak()
    stages = Stages()
    row = _stages(claims, days, chosen, stages)
    return {
        "claims": claims,
        "days": days,
        "settings": chosen,
        **row,
        "seconds": stages.seconds,
        "memory": stages.memory,
        "peak_gb": peak(),
        "before_gb": before,
    }


def peak() -> float:
    """Most memory that this process has had at once so far (GB)."""
    status = Path("/proc/self/status")  # a child's ru_maxrss begins at its parent's
    if status.is_file():
        return (
            next(int(line.split()[1]) for line in status.read_text().splitlines() if line.startswith("VmHWM")) / 2**20
        )
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return used / (2**30 if sys.platform == "darwin" else 2**20)


class Stages:
    """Seconds of each stage, one after the other, and the peak memory by its end."""

    def __init__(self, quiet: bool = False) -> None:
        self.seconds: dict[str, float] = {}
        self.memory: dict[str, float] = {}
        self.quiet = quiet
        self.begin()

    def begin(self) -> None:
        """Leave out what was done since the last stage."""
        self.last = time.perf_counter()

    def end(self, name: str) -> None:
        """End a stage."""
        self.seconds[name], self.memory[name] = time.perf_counter() - self.last, peak()
        if not self.quiet:
            sys.stderr.write(
                f"    {name.replace('_', ' '):<12}{self.seconds[name]:9.2f} s  {self.memory[name]:5.2f} GB\n"
            )
            sys.stderr.flush()
        self.begin()


class Watched:
    """The layout of a fit as it is made: its model, its seconds, and those of the search for its frame."""

    def __init__(self) -> None:
        self.model: Any = None
        self.seconds = {"layout": 0.0, "frame": 0.0}
        self.gradients = 0

    def __enter__(self) -> Watched:
        from attrition.kernel import model

        self.module, self.before = model, (model.kernel_model, model.mode, model.axes_of)
        model.kernel_model, model.mode, model.axes_of = (
            self._kernel_model,
            self._timed(model.mode),
            self._timed(model.axes_of),
        )
        return self

    def __exit__(self, *_: object) -> None:
        self.module.kernel_model, self.module.mode, self.module.axes_of = self.before

    def _kernel_model(self, *given: Any) -> Any:
        started = time.perf_counter()
        self.model = self.before[0](*given)
        self.seconds["layout"] = time.perf_counter() - started - self.seconds["frame"]
        return self.model

    def _timed(self, search: Any) -> Any:
        """A search with its seconds and its gradients counted."""

        def timed(gradient: Any, start: np.ndarray) -> Any:
            def counted(point: np.ndarray) -> Any:
                self.gradients += 1
                return gradient(point)

            started = time.perf_counter()
            found = search(counted, start)
            self.seconds["frame"] += time.perf_counter() - started
            return found

        return timed


def _stages(claims: int, days: int, chosen: dict[str, int], stages: Stages) -> dict[str, Any]:
    import attrition as at
    from attrition.checks.convergence import convergence
    from attrition.checks.pointwise import log_likelihood
    from attrition.containers import containers
    from attrition.curves import default_curve
    from attrition.observations import observe
    from attrition.simulate import restated, simulate

    table, campaign = record_of(claims, days)
    priors = at.default_priors(campaign).override(
        {
            "long_run_fraction": {"median": DAILY / campaign.contingent_size.median, "sd_log": 0.3},
            "rate_half_life": {"median": 8.0, "sd_log": 0.3},  # the default is refused for calendars of some 3,000 days
        }
    )
    reporting, curve = at.Reporting(min_persons=0.0), default_curve(campaign)
    with tempfile.TemporaryDirectory() as folder:
        stages.begin()
        blank = at.read_claims(table, name="growth")
        stages.end("read")
        file = Path(folder) / "claims.csv"
        table.to_csv(file, index=False)
        stages.begin()
        at.read_claims(file)
        stages.end("read_file")
        file_mb = file.stat().st_size / 1e6
    at.dependence(blank)
    stages.end("dependence")
    world = simulate(blank, campaign, priors, seed=1, reporting=reporting)
    stages.end("simulate")
    record = restated(blank, world)
    stages.end("restate")
    seen = observe(record, campaign, reporting, None, curve.zero_until(campaign))
    stages.end("observe")
    containers(seen, campaign, priors, curve, reporting)
    stages.end("containers")
    settings = at.Settings(**chosen)
    with Watched() as watched:
        fit = at.fit(record, campaign, priors, seed=1, reporting=reporting, settings=settings, progress=False)
    stages.end("fit")
    stages.seconds |= watched.seconds
    stages.seconds["sample"] = fit.timings["sample"] - sum(watched.seconds.values())
    stages.begin()
    convergence(fit)
    stages.end("gate")
    log_likelihood(fit)
    stages.end("by_claim")
    with tempfile.TemporaryDirectory() as folder:
        path = fit.save(Path(folder) / "fit.nc")
        stages.end("save")
        size = path.stat().st_size
        at.load(path)
        stages.end("load")
    total = fit.array("cumulative_loss")[..., -1]
    truth = float(world.truth["cumulative_loss"][-1])
    steps = fit.draws["sample_stats"]["n_steps"]
    return {
        "entered": len(seen.claims),
        "parameters": watched.model.n_dim,
        "gradient": _gradient(watched.model),
        "frame_gradients": watched.gradients,
        "steps": float(steps.mean()),
        "accept": settings.target_accept,
        "min_ess": fit.gate["min_ess"],
        "divergences": fit.gate["divergences"],
        "claims_mb": file_mb,
        "file_mb": size / 1e6,
        "total": {
            "truth": truth,
            "below_truth": float(np.mean(total < truth)),
            "median": float(np.median(total)),
            "low": float(np.quantile(total, 0.05)),
            "high": float(np.quantile(total, 0.95)),
        },
    }


def _gradient(model: Any) -> float:
    """Median seconds of one log density with its gradient, at a starting point."""
    import ctypes

    from attrition.kernel.callbacks import callbacks

    number = ctypes.POINTER(ctypes.c_double)
    density = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_uint64, number, number, number, ctypes.POINTER(ctypes.c_int64))(
        callbacks().density
    )
    point, slope, value = np.ascontiguousarray(model.start(1)), np.zeros(model.n_dim), np.zeros(1)
    pointers = [array.ctypes.data_as(number) for array in (point, slope, value)]
    data = model.data.ctypes.data_as(ctypes.POINTER(ctypes.c_int64))
    times: list[float] = []
    bad = 0
    while len(times) < 5 or (sum(times) < 1.0 and len(times) < 5000):
        started = time.perf_counter()
        bad = density(model.n_dim, *pointers, data)
        times.append(time.perf_counter() - started)
    if bad or not np.isfinite(slope).all():
        raise SystemExit("no gradient at the starting point")
    return float(np.median(times))


def one_size(claims: int, days: int, sampler: list[int] | None, limit: float) -> dict[str, Any]:
    """Measure one size in a process of its own: its row, or what went wrong."""
    command = [sys.executable, str(Path(__file__).resolve()), "--one", str(claims), str(days)]
    if sampler:
        command += ["--sampler", *map(str, sampler)]
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False, timeout=limit)
    except subprocess.TimeoutExpired:
        return {"claims": claims, "days": days, "failed": f"not done in {limit:,.0f} seconds"}
    if done.returncode:
        return {"claims": claims, "days": days, "failed": f"ended with {done.returncode}"}
    row: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return row


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--claims", nargs="*", type=int, default=[10, 100, 1000, 10_000, 100_000])
    parser.add_argument("--days", nargs="*", type=int, default=[100, 300, 1000, 3000])
    parser.add_argument("--out", type=Path, default=HERE)
    parser.add_argument("--sampler", nargs=3, type=int, metavar=("DRAWS", "TUNE", "CHAINS"), help="for every size")
    parser.add_argument("--limit", type=float, default=900.0, help="seconds after which a size is given up")
    parser.add_argument("--one", nargs=2, type=int, metavar=("CLAIMS", "DAYS"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one:
        chosen = settings_of(*given.one)
        if given.sampler:
            chosen = dict(zip(("draws", "tune", "chains"), given.sampler, strict=True))
        print(json.dumps(measure(*given.one, chosen)))
        return
    import growth_report
    from run import machine

    results: dict[str, Any] = {
        "made": dt.date.today().isoformat(),
        "machine": machine(),
        "claim_days": CLAIM_DAYS,
        "day_claims": DAY_CLAIMS,
        "claims": [],
        "days": [],
        "failed": [],
    }
    problems = [("claims", number, CLAIM_DAYS) for number in sorted(given.claims)]
    problems += [("days", DAY_CLAIMS, number) for number in sorted(given.days)]
    given.out.mkdir(parents=True, exist_ok=True)
    started = time.perf_counter()
    for series, claims, days in problems:
        print(f"{claims:,} claims, {days:,} days", file=sys.stderr, flush=True)
        row = one_size(claims, days, given.sampler, given.limit)
        results["failed" if "failed" in row else series].append(row)
        told = row.get("failed") or f"fit {row['seconds']['fit']:.1f} s, {row['peak_gb']:.2f} GB"
        done = time.perf_counter() - started
        print(f"{claims:>7} claims {days:>5} days: {told} ({done:.0f} s so far)", flush=True)
        (given.out / "growth.json").write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    growth_report.write(results, given.out)
    print((given.out / "growth.md").read_text(encoding="utf-8"))
    if results["failed"]:
        raise SystemExit(f"{len(results['failed'])} of {len(problems)} sizes failed")


if __name__ == "__main__":
    main()
