"""Helpers of the tests of what lies ahead: made-up fits with arrivals, captured, missing and returns, and plain loops."""

from __future__ import annotations

import dataclasses
import math

import numpy as np

from attrition.fitted import Fit
from drawings import make

DAY = ("arrivals", "cumulative_killed", "daily_rate", "cumulative_loss")


def replaced(fit: Fit, **quantities: np.ndarray) -> Fit:
    """The fit with other draws of some quantities."""
    posterior = fit.draws["posterior"].to_dataset()
    dims = {name: ("chain", "draw", "day") if name in DAY else ("chain", "draw") for name in quantities}
    tree = fit.draws.copy()
    tree["posterior"] = type(tree)(posterior.assign({name: (dims[name], v) for name, v in quantities.items()}))
    return dataclasses.replace(fit, draws=tree)


def force(seed: int = 0, returns: float = 0.5, waves: bool = True, size: float = 1.0, **options: object) -> Fit:
    """A made-up fit with everything that a fit may say of persons."""
    fit = make(**options)
    rng = np.random.default_rng(seed)
    shape = fit.array("contingent_size").shape
    loss = fit.array("cumulative_loss")
    initial = size * fit.array("contingent_size")
    days = loss.shape[-1]
    build_up = np.clip((np.arange(days) + 1) / 20.0, 0.0, 1.0)
    wave = np.where(np.arange(days) >= 60, 1500.0, 0.0) * rng.lognormal(0, 0.3, (*shape, 1))
    killed = np.cumsum(fit.array("daily_rate") * np.linspace(0.1, 0.4, days), axis=-1)
    return replaced(
        fit,
        contingent_size=initial,
        arrivals=initial[..., None] * build_up + waves * wave,
        captured_ratio=rng.uniform(0, 0.02, shape),
        missing_ratio=rng.uniform(0, 0.1, shape),
        cumulative_killed=killed,
        evacuated_fraction=rng.uniform(0.1, 0.5, shape),
        return_fraction=returns * rng.uniform(0.5, 1.0, shape),
        return_delay=rng.uniform(5, 60, shape),
    )


def plain_at(total: list[float], place: float) -> float:
    """Running total at a place, by hand: straight lines between the ends of days, nothing before the first day."""
    ends = [0.0, *total]
    place = min(max(place, 0.0), float(len(total)))
    left = min(int(place), len(total) - 1)
    return ends[left] + (place - left) * (ends[left + 1] - ends[left])


def plain_crossing(total: list[float], size: list[float]) -> float:
    """First time at which a broken line reaches the steps of its goal."""
    before = 0.0
    for day, (after, goal) in enumerate(zip(total, size, strict=True)):
        if after >= goal:
            return day - 1 + (max(goal - before, 0.0) / (after - before) if after > before else 1.0)
        before = after
    return math.inf
