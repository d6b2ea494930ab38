"""Run calibration: blocks of replicates, kept as they end, so that an interrupted run goes on where it stopped."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import sys
import time
from collections.abc import Mapping
from concurrent.futures import Executor
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from ..display import Shown, percent
from ..kernel.store import key
from ..many import in_order
from .designs import CONTROLS, MISSPECIFIED
from .ranks import rank_test
from .replicate import LARGEST, QUANTITIES, Block, Ranked, run_block

BLOCK_SIZE = 25
COVERED = ("log_rate", "total_late", "hold_day")
BOUNDS = {"90": (0.87, 0.93), "50": (0.45, 0.55)}
SECONDS = {"january": 0.5, "other": 0.5, "control": 0.12}


@dataclass(frozen=True, repr=False)
class Calibration(Shown):
    """Outcome of a calibration run; ``summary`` is what is written to ``summary.json``."""

    summary: Mapping[str, Any]
    ranked: Mapping[str, Ranked]

    @property
    def passed(self) -> bool:
        """All ranks uniform, all mistakes seen, and coverage as promised."""
        parts = (self.summary["quantities"], self.summary["coverage"])
        held = all(one["passed"] for part in parts for one in part.values())
        return held and all(one["rejected"] for one in self.summary["controls"].values())

    def summary_rows(self) -> tuple[str, list[tuple[str, str]]]:
        """Title and labelled facts, for display."""
        facts = []
        for name, one in self.summary["quantities"].items():
            facts.append((name, f"{'uniform' if one['passed'] else 'NOT UNIFORM'}, p {one['p']:.3g}"))
        for name, one in self.summary["controls"].items():
            facts.append((f"mistake: {name}", "seen" if one["rejected"] else "NOT SEEN"))
        for design, part in (("coverage", self.summary["coverage"]), *self.summary["misspecified"].items()):
            words = [f"{name} {percent(one['90'])} and {percent(one['50'])}" for name, one in part.items()]
            facts.append((design if design == "coverage" else f"with {design}", "; ".join(words)))
        return f"Calibration: {self.summary['n']} simulated campaigns", facts


def calibrate(
    folder: str | Path,
    replicates: int = 1000,
    controls: int = 500,
    misspecified: int = 400,
    *,
    seed: int = 1,
    executor: Executor | int | None = 2,
    progress: bool = True,
) -> Calibration:
    """Simulate campaigns, fit them, and see where the truths lie.

    Parameters
    ----------
    folder
        Where finished blocks are kept (``replicates``): a run of the same code and seed goes on with them.
    replicates
        Of the January record: at least 500 for a release.
    controls, misspecified
        Replicates of each mistake that must be seen and of each assumption that fails; 0 leaves them out.
    seed
        Of everything.
    executor
        As in ``fit_many``.
    progress
        Say what is going on, on standard error.

    Returns
    -------
    Calibration
        Ranks tested at 5% for all quantities together; coverage of 90% and 50% intervals within 0.87 to 0.93 and 0.45 to 0.55.

    References
    ----------
    Talts et al. 2018, arXiv:1804.06788; Säilynoja et al. 2022, Statistics and Computing 32:32.
    """
    sizes = {"january": replicates}
    sizes |= {make.__name__: controls for make in CONTROLS if controls}
    sizes |= {make.__name__: misspecified for make in MISSPECIFIED if misspecified}
    ranked = _all(Path(folder) / "replicates", sizes, seed, executor, progress)
    return Calibration(_summary(ranked, seed), ranked)


def _all(
    folder: Path, sizes: Mapping[str, int], seed: int, executor: Executor | int | None, progress: bool
) -> dict[str, Ranked]:
    blocks = [
        Block(design, seed, number, min(BLOCK_SIZE, size - BLOCK_SIZE * number))
        for design, size in sizes.items()
        for number in range(-(-size // BLOCK_SIZE))
    ]
    folder.mkdir(parents=True, exist_ok=True)
    missing = [block for block in blocks if _kept(folder, block) is None]
    if progress and missing:
        _tell(missing, len(blocks), executor)
    started = time.monotonic()
    for number, (block, done) in enumerate(zip(missing, in_order(run_block, missing, executor), strict=True), start=1):
        _keep(folder, block, done)
        if progress:
            left = (time.monotonic() - started) / number * (len(missing) - number)
            sys.stderr.write(f"\r{number} of {len(missing)} blocks ({block.design}), {left / 60:.0f} min left   ")
            sys.stderr.flush()
    if progress and missing:
        sys.stderr.write("\n")
    found: dict[str, list[Ranked]] = {}
    for block in blocks:
        kept = _kept(folder, block)
        assert kept is not None  # noqa: S101
        found.setdefault(block.design, []).append(kept)
    return {
        design: Ranked(*(np.concatenate([getattr(one, field.name) for one in parts]) for field in _FIELDS))
        for design, parts in found.items()
    }


_FIELDS = dataclasses.fields(Ranked)


def _tell(missing: list[Block], blocks: int, executor: Executor | int | None) -> None:
    seconds = 0.0
    for block in missing:
        control = block.design in {make.__name__ for make in CONTROLS}
        seconds += block.size * SECONDS["control" if control else "other"]
    workers = executor if isinstance(executor, int) else getattr(executor, "_max_workers", 1) if executor else 1
    done = f" ({blocks - len(missing)} of {blocks} blocks are there already)" if blocks > len(missing) else ""
    fits = sum(block.size for block in missing)
    sys.stderr.write(f"{fits} fits, about {max(seconds / workers / 60, 1):.0f} minutes on {workers} cores{done}\n")
    sys.stderr.flush()


def _path(folder: Path, block: Block) -> Path:
    return folder / f"{key()[:12]}-{block.seed}-{block.design}-{block.number:04d}-{block.size}.npz"


def _kept(folder: Path, block: Block) -> Ranked | None:
    path = _path(folder, block)
    if not path.is_file():
        return None
    with np.load(path, allow_pickle=False) as content:
        return Ranked(*(content[field.name] for field in _FIELDS))


def _keep(folder: Path, block: Block, done: Ranked) -> None:
    """Write a block, whole or not at all."""
    path = _path(folder, block)
    writing = path.with_suffix(".writing.npz")
    np.savez_compressed(writing, **{field.name: getattr(done, field.name) for field in _FIELDS})
    os.replace(writing, path)


def _summary(ranked: Mapping[str, Ranked], seed: int) -> dict[str, Any]:
    january = ranked["january"]
    controls = {make.__name__: make().name for make in CONTROLS if make.__name__ in ranked}
    wrong = {make.__name__: make().name for make in MISSPECIFIED if make.__name__ in ranked}
    digest = hashlib.sha256()
    for design in sorted(ranked):
        digest.update(np.ascontiguousarray(ranked[design].ranks, dtype=np.int64).tobytes())
    return {
        "n": len(january.ranks),
        "seed": seed,
        "quantities": _tested(january),
        "controls": {name: _control(ranked[design]) for design, name in controls.items()},
        "coverage": {
            name: {**one, "passed": all(low <= one[level] <= high for level, (low, high) in BOUNDS.items())}
            for name, one in _coverage(january).items()
        },
        "misspecified": {name: _coverage(ranked[design]) for design, name in wrong.items()},
        "divergent_replicates": {design: int(np.sum(one.divergences > 0)) for design, one in ranked.items()},
        "replicates": {design: len(one.ranks) for design, one in ranked.items()},
        "version": version("attrition"),
        "code": key(),
        "ranks_sha256": digest.hexdigest(),
    }


def _tested(one: Ranked) -> dict[str, dict[str, Any]]:
    found = {}
    for place, name in enumerate(QUANTITIES):
        test = rank_test(one.ranks[:, place], LARGEST, quantities=len(QUANTITIES))
        found[name] = {"passed": test.passed, "p": test.p, "departure": round(test.departure, 4)}
    return found


def _control(one: Ranked) -> dict[str, Any]:
    tested = _tested(one)
    seen = [name for name, test in tested.items() if not test["passed"]]
    return {"rejected": bool(seen), "n": len(one.ranks), "seen_in": seen}


def _coverage(one: Ranked) -> dict[str, dict[str, float]]:
    found = {}
    for name in COVERED:
        aside = np.abs(one.below[:, QUANTITIES.index(name)] - 0.5)
        found[name] = {level: round(float(np.mean(aside <= int(level) / 200)), 4) for level in BOUNDS}
    return found


def write_summary(done: Calibration, folder: str | Path) -> Path:
    """Write ``summary.json``, which is small and made to be committed."""
    path = Path(folder) / "summary.json"
    path.write_text(json.dumps(done.summary, indent=1) + "\n", encoding="utf-8")
    return path
