"""R-hat and effective sample sizes of many quantities at once, as ArviZ defines them, without the time it takes to load ArviZ.

Rank-normalised split R-hat, the larger of that of the values and that of their distances from the median; bulk ESS of the
rank-normalised values; tail ESS, the smaller of those of the indicators of two quantiles. Vehtari et al. 2021,
doi 10.1214/20-BA1221. The tests hold each to ArviZ.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from ..normal import quantile
from ..threads import spread

TAILS = (0.05, 0.95)
AT_ONCE = 16
FLAT = np.finfo(float).resolution


@dataclass(frozen=True, eq=False)
class Mixing:
    """How well chains have mixed, one number a quantity.

    Attributes
    ----------
    rhat
        Split R-hat; nan where a quantity is not finite everywhere, or there is one chain.
    bulk, tail
        Effective draws for the middle, and for the 5% and 95% quantiles.
    """

    rhat: np.ndarray
    bulk: np.ndarray
    tail: np.ndarray

    @property
    def ess(self) -> np.ndarray:
        """The smaller of bulk and tail."""
        return np.asarray(np.minimum(self.bulk, self.tail))


def mixing(draws: np.ndarray) -> Mixing:
    """Judge the mixing of quantities.

    Parameters
    ----------
    draws : (quantity, chain, draw)
        Of fewer than four draws a chain nothing can be said.

    Returns
    -------
    Mixing

    Raises
    ------
    ValueError
        If the draws have other axes.
    """
    if draws.ndim != 3:
        raise ValueError(f"mixing: got draws of shape {draws.shape}, expected (quantity, chain, draw)")
    rhat, bulk, tail = (np.full(len(draws), np.nan) for _ in range(3))
    known = np.isfinite(draws).all(axis=(1, 2)) & (draws.shape[-1] >= 4)

    def judge(some: np.ndarray) -> None:
        rhat[some], bulk[some], tail[some] = _mixing(np.asarray(draws[some], float))

    spread(judge, _shares(np.flatnonzero(known)))
    return Mixing(rhat if draws.shape[1] > 1 else np.full(len(draws), np.nan), bulk, tail)


def _shares(numbers: np.ndarray) -> list[np.ndarray]:
    """Quantities in groups that are worked on at once."""
    return np.array_split(numbers, -(-len(numbers) // AT_ONCE)) if len(numbers) else []


def _mixing(draws: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    halves = _split(draws)
    low, high = np.quantile(draws, TAILS, axis=(1, 2))
    tails = [_ess(_split((draws <= limit[:, None, None]).astype(float))) for limit in (low, high)]
    ranked = _normal_scores(halves)
    folded = _normal_scores(np.abs(halves - np.median(halves, axis=(1, 2), keepdims=True)))
    return np.maximum(_rhat(ranked), _rhat(folded)), _ess(ranked), np.minimum(*tails)


def _split(draws: np.ndarray) -> np.ndarray:
    """Halves of chains as chains; of an odd number of draws the middle one is left out."""
    half = draws.shape[-1] // 2
    return np.concatenate([draws[..., :half], draws[..., -half:]], axis=1)


def _normal_scores(draws: np.ndarray) -> np.ndarray:
    """Normal quantiles of the ranks over all chains, ties sharing their mean rank (Blom 1958)."""
    flat = draws.reshape(len(draws), -1)
    table = _blom(flat.shape[1])
    scores = np.empty_like(flat)
    for row, found in zip(flat, scores, strict=True):
        order = np.argsort(row)
        in_order = row[order]
        new = in_order[1:] != in_order[:-1]
        if new.all():
            found[order] = table[2:-1:2]
        else:
            first = np.concatenate([[0], np.flatnonzero(new) + 1, [row.size]])
            found[order] = np.repeat(table[first[:-1] + first[1:] + 1], np.diff(first))
    return scores.reshape(draws.shape)


@lru_cache(maxsize=4)
def _blom(size: int) -> np.ndarray:
    """Normal quantiles of the ranks 0, 1/2, 1, ... size + 1/2 (double rank,): a mean of tied ranks is a half at most."""
    return quantile((0.5 * np.arange(2 * size + 2) - 0.375) / (size + 0.25))


def _rhat(draws: np.ndarray) -> np.ndarray:
    number = draws.shape[-1]
    between = number * draws.mean(axis=-1).var(axis=-1, ddof=1)
    within = draws.var(axis=-1, ddof=1).mean(axis=-1)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.sqrt((between / within + number - 1) / number))


def _ess(draws: np.ndarray) -> np.ndarray:
    """Effective sample size of means, by Geyer's initial monotone sequence."""
    quantities, chains, number = draws.shape
    size = chains * number
    covariance = _autocovariance(draws)
    within = covariance[:, 0] * number / (number - 1.0)
    total = covariance[:, 0] + (draws.mean(axis=-1).var(axis=-1, ddof=1) if chains > 1 else 0.0)
    found = np.full(quantities, float(size))
    varies = np.ptp(draws, axis=(1, 2)) >= FLAT
    with np.errstate(divide="ignore", invalid="ignore"):
        correlation = 1.0 - (within[:, None] - covariance) / total[:, None]
    correlation[:, 0] = 1.0
    for one in np.flatnonzero(varies):
        found[one] = size / max(_time(correlation[one]), 1.0 / np.log10(size))
    return found


def _time(correlation: np.ndarray) -> float:
    """Draws for one independent one: the sum of the correlations, both ways, up to the first pair that is not positive."""
    number = len(correlation)
    pairs = (number - 3) // 2 + 1  # pairs (2k, 2k + 1) that Geyer's sequence may look at
    sums = correlation[0 : 2 * pairs : 2] + correlation[1 : 2 * pairs : 2]
    not_positive = np.flatnonzero(sums <= 0.0)
    stop = int(not_positive[0]) if len(not_positive) else pairs - 1
    even = float(correlation[2 * stop])
    monotone = np.minimum.accumulate(sums[:stop])
    return float(-1.0 + 2.0 * monotone.sum() + max(even, 0.0))


def _autocovariance(draws: np.ndarray) -> np.ndarray:
    """Mean over chains of the autocovariance at each lag (quantity, lag)."""
    number = draws.shape[-1]
    room = 1 << (2 * number - 1).bit_length()  # quick to transform, and so long that the ends do not meet
    spectrum = np.fft.rfft(draws - draws.mean(axis=-1, keepdims=True), room, axis=-1)
    power = (spectrum.real**2 + spectrum.imag**2).mean(axis=1)
    return np.asarray(np.fft.irfft(power, room, axis=-1)[:, :number] / number)
