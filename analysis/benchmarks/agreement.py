"""How well an alternative has mixed, and whether its posterior is that of the reference, within Monte Carlo error."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

LEVELS = (0.05, 0.5, 0.95)
# Two-sided 0.1% of a standard normal, shared out over all comparisons of one pair of programs (Bonferroni).
SIGNIFICANCE = 0.001


def mixed(draws: Mapping[str, np.ndarray]) -> dict[str, Any]:
    """Smallest bulk and tail effective sample size and largest R-hat over quantities (chain, draw), by ArviZ."""
    import arviz as az

    bulk = {name: float(az.ess(one, method="bulk")) for name, one in draws.items()}
    tail = {name: float(az.ess(one, method="tail", prob=(0.05, 0.95))) for name, one in draws.items()}
    rhat = {name: float(az.rhat(one)) for name, one in draws.items()}
    slowest = min(bulk, key=lambda name: bulk[name])
    return {"bulk": bulk[slowest], "slowest": slowest, "tail": min(tail.values()), "rhat": max(rhat.values())}


def departures(draws: Mapping[str, np.ndarray], reference: Mapping[str, np.ndarray]) -> list[tuple[str, str, float]]:
    """Differences of mean and quantiles from the reference, in Monte Carlo standard errors of the difference.

    Returns
    -------
    list of (quantity, statistic, departure)
        Largest first.
    """
    import arviz as az

    found = []
    for name, one in draws.items():
        other = reference[name]
        error = np.hypot(float(az.mcse(one, method="mean")), float(az.mcse(other, method="mean")))
        found.append((name, "mean", (one.mean() - other.mean()) / error))
        for level in LEVELS:
            error = np.hypot(
                *(float(az.mcse(draws_, method="quantile", prob=level)) for draws_ in (one, other)),
            )
            found.append((name, f"{100 * level:g}%", (np.quantile(one, level) - np.quantile(other, level)) / error))
    return sorted(((name, what, float(value)) for name, what, value in found), key=lambda row: -abs(row[2]))


def limit(comparisons: int) -> float:
    """Departure that so many comparisons of equal posteriors pass once in a thousand times."""
    from statistics import NormalDist

    return NormalDist().inv_cdf(1.0 - SIGNIFICANCE / (2.0 * comparisons))
