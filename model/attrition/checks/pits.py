"""Where each stated value lies among values that the model would have stated, and how unlikely such places are together.

A stated value is rounded, so its place is random within the values equal to it: then a right model gives uniform places
(Czado, Gneiting and Held 2009, Biometrics 65:1254). Claims share what is uncertain, so their places are not independent: how
far they stray is compared with how far whole records stray that were drawn from the same predictive distribution.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..build import claim_slack
from ..claim_error import location_and_scale
from ..reporting import SLACK_CELLS, Reporting, log_probability, log_probability_with_slack
from ..rounding import POINT, cell

DIGITS = 10
CENTRAL = 0.9


def places(seen: np.ndarray, copies: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Randomised probability integral transforms of a record and of its replicates, among all of them.

    Parameters
    ----------
    seen : (claim,)
        Stated values.
    copies : (draw, claim)
        Values of replicated records, one record for each draw.
    rng
        Breaks ties.

    Returns
    -------
    seen, copies : (claim,), (draw, claim)
        Between 0 and 1. If the record is another draw of the same kind, the rows are exchangeable.
    """
    values = plain(np.concatenate([seen[None, :], copies]))
    order = np.lexsort((rng.random(values.shape), values), axis=0)
    rank = np.empty(values.shape)
    np.put_along_axis(rank, order, np.arange(len(values), dtype=float)[:, None] + np.zeros(values.shape), axis=0)
    pit = (rank + rng.random(values.shape)) / len(values)
    return pit[0], pit[1:]


def plain(values: np.ndarray) -> np.ndarray:
    """Ten significant digits of each value: the same number, reached in two ways, is the same."""
    size = np.floor(np.log10(np.maximum(np.abs(values), 1e-300)))
    step = 10.0 ** (size - (DIGITS - 1))
    return np.asarray(np.where(values == 0, 0.0, np.round(values / step) * step))


def anderson_darling(pit: np.ndarray) -> np.ndarray:
    """Anderson and Darling's distance of places (..., claim) from uniformity (...), for which the tails count."""
    ordered = np.sort(np.clip(pit, 1e-12, 1.0 - 1e-12), axis=-1)
    number = ordered.shape[-1]
    odd = 2.0 * np.arange(1, number + 1) - 1.0
    logs = np.log(ordered) + np.log1p(-ordered[..., ::-1])
    return np.asarray(-number - (odd * logs).sum(axis=-1) / number)


def p_value(seen: np.ndarray, copies: np.ndarray) -> float:
    """Share of records (the one seen and its replicates) whose places stray at least as far as those seen."""
    distance = float(anderson_darling(seen))
    return float(np.sum(anderson_darling(copies) >= distance) + 1) / (len(copies) + 1)


def holm(values: Mapping[str, float]) -> dict[str, float]:
    """Correct p-values for their number, by Holm's step-down method (1979)."""
    ordered = sorted(values, key=lambda name: values[name])
    corrected, least = {}, 0.0
    for rank, name in enumerate(ordered):
        least = corrected[name] = min(1.0, max(least, (len(ordered) - rank) * values[name]))
    return {name: corrected[name] for name in values}


def below_and_at(q: Mapping[str, Any], arrays: Mapping[str, np.ndarray], reporting: Reporting) -> Any:
    """Probability of a smaller stated value, and of the value stated, for each claim in each draw, in closed form.

    Parameters
    ----------
    q
        Named quantities of ``latent``, with their leading axes.
    arrays
        The model's data, with the stated values.
    reporting
        Options of the reporting model.

    Returns
    -------
    below, at : (..., claim)
        ``at`` is 0 for a point claim, whose values are continuous.
    """
    center, scale = location_and_scale(q, arrays, reporting)
    slack = claim_slack(q, arrays)
    value, form, unit, offset, share = (
        arrays[f"claim_{part}"] for part in ("value", "form", "unit", "offset", "is_share")
    )
    low, _ = cell(value, form, unit, offset)
    under = _distribution(low, center, scale, share, reporting)
    if slack is None:
        log_p = log_probability(value, center, scale, form, unit, offset, reporting.errors, np, share)
    else:
        origin = arrays["claim_origin"]
        log_p = log_probability_with_slack(
            value, center, scale, form, unit, offset, reporting.errors, np, origin, slack, share
        )
        under = _with_slack(under, low, center, scale, slack, arrays, reporting)
    at = np.where(np.abs(form - POINT) < 0.5, 0.0, np.exp(np.minimum(log_p, 0.0)))
    return under, at


def _with_slack(
    under: np.ndarray,
    low: np.ndarray,
    center: np.ndarray,
    scale: np.ndarray,
    slack: np.ndarray,
    arrays: Mapping[str, np.ndarray],
    reporting: Reporting,
) -> np.ndarray:
    """Probability of a smaller statement where a source may state one some cells below its own estimate's.

    A value above the first cell is not reached by an estimate in cell j + k - 1 or below with k units of slack; slack does not
    lead below the first cell.
    """
    place = np.floor((arrays["claim_value"] - arrays["claim_origin"]) / arrays["claim_unit"] + 0.5)
    q = np.where(slack > 0, slack, 0.5)
    total = np.zeros_like(under)
    for steps in range(SLACK_CELLS):
        weight = (1.0 - q) * q**steps / (1.0 - q**SLACK_CELLS)
        above = low + steps * arrays["claim_unit"]
        total = total + weight * _distribution(above, center, scale, arrays["claim_is_share"], reporting)
    return np.where((slack > 0) & (place > 0.5), total, under)


def _distribution(
    number: np.ndarray, center: np.ndarray, scale: np.ndarray, share: np.ndarray, reporting: Reporting
) -> np.ndarray:
    """Probability that a source's own estimate lies below a number (of a share: below that share)."""
    from scipy import special

    certain = (share > 0.5) & (number >= 1.0)
    odds = np.where(share > 0.5, number / np.where(certain | (share <= 0.5), 1.0, 1.0 - number), number)
    with np.errstate(divide="ignore"):
        z = (np.log(odds) - center) / scale
    inside = special.expit(z) if reporting.errors == "logistic" else special.ndtr(z)
    return np.asarray(np.where(certain, 1.0, inside))


def groups(names: Sequence[str]) -> dict[str, np.ndarray]:
    """Positions of each name, in order of first appearance."""
    listed = np.asarray(list(names), dtype=object)
    return {str(name): np.flatnonzero(listed == name) for name in dict.fromkeys(names)}
