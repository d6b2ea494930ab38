"""What every program of the comparison does alike: read its arguments and data, time its parts, write what is published.

Needs numpy alone: it runs in the environment of each alternative.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np


def arguments(text: str, *flags: str) -> argparse.Namespace:
    """Read --data, --out and --seed, and flags of the program's own."""
    parser = argparse.ArgumentParser(description=text)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--accept", type=float, default=0.8)
    parser.add_argument("--draws", type=int, default=1000)
    parser.add_argument("--shifted", action="store_true", help="our parametrisation")
    for flag in flags:
        parser.add_argument(f"--{flag}", default="")
    return parser.parse_args()


def read(path: Path) -> dict[str, Any]:
    """Read the problem, lists as arrays."""
    data = json.loads(path.read_text(encoding="utf-8"))
    return {name: np.array(value) if isinstance(value, list) else value for name, value in data.items()}


class Clock:
    """Seconds of each part of a program, one after the other."""

    def __init__(self, started: float) -> None:
        self.last = started
        self.seconds: dict[str, float] = {}

    def part(self, name: str) -> None:
        """End a part."""
        now = time.perf_counter()
        self.seconds[name] = self.seconds.get(name, 0.0) + now - self.last
        self.last = now


def published(data: Mapping[str, Any], drawn: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Published quantities, (chain, draw) each.

    Parameters
    ----------
    data
        The problem.
    drawn
        ``total`` by the vintage, ``total_then`` by the end of the day of the onset's report and ``total_before`` by the day
        before the vintage (persons), ``size``, ``share``, ``error``; ``stance_bias`` (..., stance), ``source_bias`` (..., source).
    """
    last = data["days"] - 1
    rate = (drawn["total"] - drawn["total_then"]) / (last - data["onset"])
    found = {
        "total_loss": drawn["total"],
        "rate_since_escalation": rate,
        "daily_rate_now": drawn["total"] - drawn["total_before"],
        "depletion_hold": last + (drawn["size"] - drawn["total"]) / rate,
        "killed_share": drawn["share"],
        "contingent_size": drawn["size"],
        "claim_error": drawn["error"],
    }
    kinds = ("adversary", "own_side", "third_party", "analyst")
    found |= {f"stance_bias[{kind}]": drawn["stance_bias"][..., number] for number, kind in enumerate(kinds)}
    found |= {f"source_bias[{data['names'][one]}]": drawn["source_bias"][..., one] for one in data["speaks"]}
    return {name: np.asarray(draws, dtype=float) for name, draws in found.items()}


def write(out: Path, quantities: Mapping[str, np.ndarray], **told: Any) -> None:
    """Write draws, and what is told of the run, to one file."""
    out.parent.mkdir(parents=True, exist_ok=True)
    np.savez(out, told=json.dumps(told), **quantities)
