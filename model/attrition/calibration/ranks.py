"""Whether ranks are uniform: the rank ECDF inside a simultaneous band.

A truth drawn from the prior, ranked among draws of its posterior, is uniform (Talts et al. 2018, arXiv:1804.06788). The band is
that of Säilynoja, Bürkner and Vehtari (2022, Statistics and Computing 32:32): pointwise binomial intervals, widened until a
uniform sample stays inside everywhere with the probability asked for, found by simulation.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np
from scipy import stats

SIMULATED = 20_000


@dataclass(frozen=True)
class RankTest:
    """Outcome of the test of one quantity's ranks.

    Attributes
    ----------
    p
        Share of uniform samples of this size that stray at least as far, anywhere.
    level
        The p below which the ranks are called not uniform.
    replicates
        Number of ranks.
    departure
        Largest difference between the ranks' ECDF and the uniform one.
    """

    p: float
    level: float
    replicates: int
    departure: float

    @property
    def passed(self) -> bool:
        """Whether the ECDF lies inside the band."""
        return self.p > self.level


def rank_test(ranks: np.ndarray, largest: int, level: float = 0.05, quantities: int = 1) -> RankTest:
    """Test that ranks are uniform on 0 to ``largest``.

    Parameters
    ----------
    ranks : (replicate,)
        Of the truth among so many draws: how many of them lie below it.
    largest
        Number of draws.
    level, quantities
        Level of all tests together; divided by their number.
    """
    ranks = np.asarray(ranks)
    counts = np.bincount(ranks, minlength=largest + 1)
    below = np.cumsum(counts)[:-1]
    seen = _least_tail(below[None, :], len(ranks), largest)[0]
    p = float(np.mean(_uniform_tails(len(ranks), largest) <= seen))
    expected = np.arange(1, largest + 1) / (largest + 1)
    return RankTest(p, level / quantities, len(ranks), float(np.max(np.abs(below / len(ranks) - expected))))


def band(replicates: int, largest: int, level: float = 0.05) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Ends of the simultaneous band of the ECDF, and the points at which they hold, each (largest,)."""
    gamma = float(np.quantile(_uniform_tails(replicates, largest), level))
    expected = np.arange(1, largest + 1) / (largest + 1)
    low = stats.binom.ppf(gamma / 2, replicates, expected) / replicates
    high = stats.binom.ppf(1 - gamma / 2, replicates, expected) / replicates
    return expected, low, high


def _least_tail(below: np.ndarray, replicates: int, largest: int) -> np.ndarray:
    """Least two-sided binomial tail over the points of each ECDF (sample, point), as counts."""
    expected = np.arange(1, largest + 1) / (largest + 1)
    number = np.arange(replicates + 1)[:, None]
    lower = stats.binom.cdf(number, replicates, expected)
    upper = stats.binom.sf(number - 1, replicates, expected)
    tails = np.minimum(1.0, 2.0 * np.minimum(lower, upper))
    return np.asarray(tails[below, np.arange(largest)].min(axis=1))


@functools.cache
def _uniform_tails(replicates: int, largest: int) -> np.ndarray:
    """The same of many uniform samples."""
    rng = np.random.default_rng(20_250_116)
    counts = rng.multinomial(replicates, np.full(largest + 1, 1.0 / (largest + 1)), size=SIMULATED)
    return _least_tail(np.cumsum(counts, axis=1)[:, :-1], replicates, largest)
