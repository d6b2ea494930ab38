"""Predictive checks: does the record look like records that the model would make, before and after it has read it?

The distance of a record from what is expected is compared with that of replicated records (Box 1980, JRSS A 143:383, for the
prior; Gelman, Meng and Stern 1996, Statistica Sinica 6:733, for the posterior).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..build import coordinates
from ..errors import InputError, Problem, shown
from ..fitted import Fit
from ..prior_draws import Prepared, drawn
from ..simulate import statements
from .pits import CENTRAL, groups, holm, p_value, places, plain
from .result import CheckResult
from .without import data, free, quantities

LEVEL = 0.05
NO_CLAIMS = "no claim entered: there is nothing to predict"


def prior_predictive(fit: Fit, draws: int = 4000, seed: int = 0) -> CheckResult:
    """Check the record against records drawn from the prior, which has seen none of it.

    Parameters
    ----------
    fit
        Gives the record, the campaign, the priors and the options; its draws are not used.
    draws
        Number of records drawn; those that leave no force fighting do not count.
    seed
        Of the draws.

    Returns
    -------
    CheckResult
        As ``posterior_predictive``. A failure says that priors and record do not belong together. If the model is right, the
        check fails in at most 5% of cases.

    Raises
    ------
    InputError
        If ``draws`` is no whole number of at least 100, or ``seed`` none of at least 0.
    """
    whole(draws, seed)
    sizes = {dim: len(names) for dim, names in coordinates(fit.seen, fit.campaign).items()}
    arrays = data(fit)
    world = Prepared(fit.claims, fit.campaign, fit.priors, fit.curve, fit.reporting, fit.seen, arrays, sizes)
    if not len(fit.seen.claims):
        return CheckResult("prior predictive", True, NO_CLAIMS, {"claims": 0.0})
    q = drawn(world, draws, seed).quantities
    return _compared("prior predictive", fit, q, arrays, seed)


def posterior_predictive(fit: Fit, seed: int = 0) -> CheckResult:
    """Check the record against records drawn from its own posterior.

    Parameters
    ----------
    fit
        The draws, with their free parameters.
    seed
        Of the replicated statements.

    Returns
    -------
    CheckResult
        ``passed``: the record strays no further than replicates do, as a whole (p at least 0.025) and for every source and
        every bound (the same, corrected by Holm's method for their number). ``numbers``: ``claims``; ``central_90``, share of
        claims with a value in the central 90% of its predictive distribution (a rounded value counts in part where it
        straddles an end); ``p``, uncorrected, of the whole record; ``p[source ...]`` and ``central_90[source ...]`` of each
        source, and the same of each bound.

    Raises
    ------
    InputError
        If ``seed`` is no whole number of at least 0.

    Notes
    -----
    The place of a value among replicates (its probability integral transform, randomised within the values equal to it) is
    uniform if the model is right. The distance from uniformity is Anderson and Darling's. The posterior has seen the record,
    so that the check is cautious and more than 90% lie in the central 90%; leaving claims out is sharper.
    """
    whole(100, seed)
    if not len(fit.seen.claims):
        return CheckResult("posterior predictive", True, NO_CLAIMS, {"claims": 0.0})
    arrays = data(fit)
    return _compared("posterior predictive", fit, quantities(fit, free(fit), arrays), arrays, seed)


def whole(draws: int, seed: int, least: int = 100) -> None:
    """Refuse a number of draws or a seed that cannot be used."""
    problems = [
        Problem("argument", "", name, shown(value), f"a whole number of at least {low}", "Correct it.")
        for name, value, low in (("draws", draws, least), ("seed", seed, 0))
        if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < low
    ]
    if problems:
        raise InputError("The check cannot be made", problems)


def bound_of(fit: Fit) -> list[str]:
    """How each claim speaks: its bound, and whether that is open."""
    rows = fit.seen.claims
    return [f"{b}, open" if o == "yes" else str(b) for b, o in zip(rows["bound"], rows["open"], strict=True)]


def copies_of(q: Mapping[str, Any], arrays: Mapping[str, np.ndarray], fit: Fit, rng: np.random.Generator) -> np.ndarray:
    """One replicated record for each draw (draw, claim)."""
    stated = statements(rng, q, arrays, fit.reporting)
    return stated.reshape(-1, stated.shape[-1])


def central_share(seen: np.ndarray, copies: np.ndarray) -> np.ndarray:
    """Part of each claim's places (claim,), spread over the values equal to it, in the central 90% of its replicates."""
    values, others = plain(seen), plain(copies)
    number = len(others) + 1
    low = np.sum(others < values, axis=0) / number
    high = (np.sum(others <= values, axis=0) + 1) / number
    edge = (1.0 - CENTRAL) / 2.0
    inside = np.minimum(high, 1.0 - edge) - np.maximum(low, edge)
    return np.asarray(np.clip(inside, 0.0, None) / (high - low))


def _compared(name: str, fit: Fit, q: Mapping[str, Any], arrays: Mapping[str, np.ndarray], seed: int) -> CheckResult:
    rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(7,)))
    copies = copies_of(q, arrays, fit, rng)
    pit, pit_copies = places(arrays["claim_value"], copies, rng)
    share = central_share(arrays["claim_value"], copies)
    whole_p = p_value(pit, pit_copies)
    numbers = {"claims": float(len(pit)), "central_90": float(share.mean()), "p": whole_p}
    own: dict[str, float] = {}
    for kind, names in (("source", list(fit.seen.claims["source"])), ("bound", bound_of(fit))):
        for label, rows in groups([str(one) for one in names]).items():
            key = f"{kind} {label}"
            own[key] = p_value(pit[rows], pit_copies[:, rows])
            numbers |= {f"p[{key}]": own[key], f"central_90[{key}]": float(share[rows].mean())}
    corrected = {key: min(1.0, 2.0 * p) for key, p in holm(own).items()}
    odd = [key for key in sorted(own, key=lambda key: own[key]) if corrected[key] < LEVEL]
    passed = 2.0 * whole_p >= LEVEL and not odd
    return CheckResult(name, passed, _sentence(numbers, own, odd), numbers)


def _sentence(numbers: Mapping[str, float], own: Mapping[str, float], odd: list[str]) -> str:
    worst = {kind: min((k for k in own if k.startswith(kind)), key=lambda k: own[k]) for kind in ("source", "bound")}
    words = (
        f"{100 * numbers['central_90']:.0f}% of {numbers['claims']:.0f} claims lie in the central 90% of what is predicted for "
        f"them, and records as far from it have probability {numbers['p']:.2g}"
    )
    least = f"; least likely {' and '.join(f'{key} (p {own[key]:.2g})' for key in worst.values())}, before correction"
    if not odd:
        return words + least
    return f"{words}; not as predicted: {', '.join(f'{key} (p {own[key]:.2g})' for key in odd)}"
