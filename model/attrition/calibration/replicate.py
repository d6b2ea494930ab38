"""One block of replicates: truths from the prior, statements, fits, and where each truth lies among its posterior's draws."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import stats

from ..coding import SOURCE_KINDS
from ..drawing import draw_laid_out
from ..latent import latent, lookup
from ..prior_draws import Prepared, drawn
from ..sampling import Settings
from ..simulate import statements
from .designs import DESIGNS, Design

SETTINGS = Settings(draws=250, tune=500, chains=2, target_accept=0.9, cores=1)
THIN = 5
LARGEST = SETTINGS.draws * SETTINGS.chains // THIN
QUANTITIES = (
    "log_rate",
    "total_early",
    "total_middle",
    "total_late",
    *(f"bias_{kind}" for kind in SOURCE_KINDS),
    "claim_error",
    "killed_share",
    "contingent_size",
    "hold_day",
)


@dataclass(frozen=True)
class Block:
    """Which replicates: of a design, by the seed of all and the block's number, so many."""

    design: str
    seed: int
    number: int
    size: int


@dataclass(frozen=True, eq=False)
class Ranked:
    """Where truths lie.

    Attributes
    ----------
    ranks : (replicate, quantity)
        Number of thinned draws below the truth, of ``LARGEST``; ties broken at random.
    below : (replicate, quantity)
        Share of all draws below the truth.
    divergences : (replicate,)
        Of the sampler.
    """

    ranks: np.ndarray
    below: np.ndarray
    divergences: np.ndarray


def run_block(block: Block) -> Ranked:
    """Simulate and fit one block; the same block gives the same numbers anywhere."""
    design = DESIGNS[block.design]()
    rng = np.random.default_rng([block.seed, block.number, sum(map(ord, block.design))])
    truths, stated = _truths(design, block.size, rng)
    seeds = rng.integers(2**31, size=block.size)
    ranks, below, divergences = [], [], []
    for replicate in range(block.size):
        truth = {name: value[replicate] for name, value in truths.items()}
        draws, diverged = _fitted(design, stated[replicate], int(seeds[replicate]))
        ranks.append([_rank(truth[name], draws[name], rng) for name in QUANTITIES])
        below.append([float(np.mean(draws[name] < truth[name])) for name in QUANTITIES])
        divergences.append(diverged)
    return Ranked(np.array(ranks), np.array(below), np.array(divergences))


def _truths(design: Design, size: int, rng: np.random.Generator) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """So many truths of the measured quantities, and their statements (replicate, claim)."""
    world = design.truth
    found: list[dict[str, np.ndarray]] = []
    told: list[np.ndarray] = []
    while sum(map(len, told)) < size:
        made = drawn(world, 2 * size + 20, int(rng.integers(2**31)))
        q = made.quantities
        shape = (*np.shape(q["daily_rate"])[:2], len(world.seen.claims))
        noise = _heavy(rng, shape) if design.noise == "heavy" else None
        stated = statements(rng, q, world.arrays, world.reporting, noise)[0]
        told.append(stated if design.retold is None else design.retold(rng, stated))
        found.append({name: value[0] for name, value in measured(q, world, world).items()})
    truths = {name: np.concatenate([one[name] for one in found])[:size] for name in QUANTITIES}
    return truths, np.concatenate(told)[:size]


def _heavy(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Errors of a Student t with 2 degrees of freedom and the quartiles of the standard logistic."""
    return np.asarray(rng.standard_t(2, size=shape) * stats.logistic.ppf(0.75) / stats.t.ppf(0.75, 2))


def _fitted(design: Design, stated: np.ndarray, seed: int) -> tuple[dict[str, np.ndarray], int]:
    """Draws (chain, draw) of the measured quantities given statements, and the number of divergences."""
    world = design.fitted
    arrays = {**world.arrays, "claim_value": np.ascontiguousarray(stated)}
    raw, sampler = draw_laid_out(arrays, world.sizes, world.priors, world.curve, world.reporting, SETTINGS, seed)
    q = latent(lookup(raw), arrays, world.priors, world.curve, world.reporting)
    return measured(q, design.truth, world), int(np.sum(sampler["diverging"]))


def measured(q: Mapping[str, Any], truth: Prepared, world: Prepared) -> dict[str, np.ndarray]:
    """What is calibrated, (chain, draw) each: on the days of the world in which truths are drawn.

    The date is the hold date, without a horizon: initial strength less gross loss, at the mean rate since the escalation.
    """
    last, since = len(truth.arrays["day_arrived"]) - 1, truth.campaign.day(truth.campaign.rate_since)
    loss, killed = q["cumulative_loss"], q["cumulative_killed"]
    shape = loss.shape[:-1]
    rate = (loss[..., last] - loss[..., since]) / (last - since)
    gross = 1.0 + q["captured_ratio"] + q["missing_ratio"]
    early, middle = since + (last - since) // 3, since + 2 * (last - since) // 3
    found = {
        "log_rate": np.log(rate),
        "total_early": loss[..., early],
        "total_middle": loss[..., middle],
        "total_late": loss[..., last],
        "claim_error": q["claim_error"],
        "killed_share": killed[..., last] / loss[..., last],
        "contingent_size": q["contingent_size"],
        "hold_day": last + (q["contingent_size"] - gross * loss[..., last]) / (gross * rate),
    }
    found |= {f"bias_{kind}": q["stance_bias"][..., place] for place, kind in enumerate(SOURCE_KINDS)}
    return {name: np.broadcast_to(found[name], shape) for name in QUANTITIES}


def _rank(truth: float, draws: np.ndarray, rng: np.random.Generator) -> int:
    thinned = draws[:, ::THIN].ravel()
    ties = int(np.sum(thinned == truth))
    return int(np.sum(thinned < truth)) + (int(rng.integers(ties + 1)) if ties else 0)
