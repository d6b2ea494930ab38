"""Which free parameters the claims can inform; the others keep their prior, and are drawn from it instead of sampled.

A source that gave no figure for killed has a killed share nobody spoke of; an undated figure's delay is in no dated one. The
posterior of such a parameter is its prior, independent of all others: exactly so, because no term of the log density holds both
it and anything else.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ..curves import DATE_SDS
from ..normal import distribution, quantile
from ..observations import (
    DEPLOYED,
    EVACUATED,
    KILLED,
    KILLED_SHARE,
    LOSS_SHARE,
    PRESENT,
    REINFORCEMENT,
    RETURNED,
    SIZE,
    WOUNDED,
)
from ..parameters import Parameter

type Parameters = tuple[tuple[Parameter, tuple[int, ...], int], ...]


def informed(arrays: Mapping[str, np.ndarray], parameters: Parameters) -> np.ndarray:
    """Whether each free parameter can be informed by a claim, (parameter,); True where there is any doubt.

    Parameters
    ----------
    arrays
        Containers.
    parameters
        From ``Layout``.
    """
    knots = next((shape[0] for parameter, shape, _ in parameters if parameter.name == "rate_unit"), 0)
    rules = {**_of_sources(arrays), **_of_scalars(arrays), **_of_curve(arrays, knots)}
    found = [np.broadcast_to(rules.get(parameter.name, np.True_), shape).ravel() for parameter, shape, _ in parameters]
    return np.concatenate(found) if found else np.zeros(0, dtype=bool)


def from_prior(
    parameter: Parameter, arrays: Mapping[str, np.ndarray], shape: tuple[int, ...], rng: np.random.Generator
) -> np.ndarray:
    """Draws of a parameter from its prior, of a shape that ends in the parameter's own; a shifted one's shift is 0."""
    if parameter.family == "beta":
        a, b = arrays[f"prior_{parameter.prior}"]
        return rng.beta(float(a), float(b), shape)
    if parameter.family == "uniform":
        return rng.random(shape)
    if parameter.family == "date":
        low, high = distribution(-DATE_SDS), distribution(arrays[parameter.prior])
        return quantile(low + (high - low) * rng.random(shape))
    drawn = rng.standard_normal(shape)
    return np.abs(drawn) if parameter.family == "halfnormal" else drawn


def _of_sources(arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    source, category = arrays["claim_source"], arrays["claim_category"]
    stance, group = arrays["source_stance"], arrays["source_group"]

    def speaks(which: np.ndarray) -> np.ndarray:
        return np.bincount(source[which], minlength=stance.size) > 0

    def any_of(which: np.ndarray, of: np.ndarray, number: int) -> np.ndarray:
        return np.bincount(of[which], minlength=number) > 0

    anchored = arrays["anchor_scale"] != 0.0
    biased = anchored | speaks((category < SIZE) & (category != KILLED_SHARE))
    split = (category == KILLED) | (category == WOUNDED) | (category == KILLED_SHARE) | (category == LOSS_SHARE)
    with_slack = arrays.get("claim_slack", np.zeros(source.size)) > 0.0
    stances = arrays["stance_prior"].shape[0]
    return {
        "source_own_shifted": biased,
        "source_killed_shifted": speaks(split) | (arrays["anchor_killed"] != 0.0),
        "source_deployed_unit": speaks((category >= SIZE) & (category < RETURNED)),
        "source_lag_unit": speaks(arrays["claim_lagged"] != 0.0) | (anchored & (arrays["anchor_lagged"] != 0.0)),
        "source_group_unit": any_of(biased, group, stance.size),
        "stance_unit": any_of(biased, stance, stances),
        "floor_slack": any_of(with_slack, stance[source], stances),
    }


def _of_scalars(arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    category = arrays["claim_category"]

    def said(*codes: int) -> np.ndarray:
        return np.asarray(np.isin(category, codes).any())

    captured, missing = arrays["other_claimed"] != 0.0
    moves = arrays["share_moves"][0] != 0.0
    return {
        "deployed_error_unit": said(DEPLOYED),
        "present_error_unit": said(PRESENT),
        "movement_error_unit": said(REINFORCEMENT, RETURNED, EVACUATED),
        "evacuated_fraction_drawn": said(PRESENT, RETURNED, EVACUATED),
        "return_fraction_drawn": said(PRESENT, RETURNED),
        "return_delay_unit": said(PRESENT, RETURNED),
        "captured_ratio_unit": captured,
        "missing_ratio_unit": missing,
        "killed_share_walk_sd_unit": moves,
        "share_unit": moves,
    }


def _of_curve(arrays: Mapping[str, np.ndarray], knots: int) -> dict[str, np.ndarray]:
    """Innovations of the rate after the last knot that a day or a phase reads; dates known to the day."""
    found = {}
    if "phase_sd" in arrays:
        found["phase_day_unit"] = (arrays["phase_known"] != 0.0) & (arrays["phase_sd"] != 0.0)
    if "knot_left" in arrays:
        read = [arrays["knot_left"], arrays.get("phase_left", np.zeros(0, dtype=np.int64))]
        last = int(np.concatenate(read).max(initial=0)) + 1
        found["rate_unit"] = np.arange(1, knots + 1) <= last
    return found
