"""Draw a campaign and its claims from the prior: the same model text, with parameters taken at random.

Each claim keeps how it speaks (bound, unit, openness, dates, source); its stated value is drawn anew.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import stats

from .build import ROOM_WIDTH, claim_slack, coordinates, one_vintage
from .campaign import Campaign
from .claim_error import location_and_scale
from .claims import Claims
from .containers import containers
from .curves import DATE_SDS, Curve, default_curve
from .errors import AttritionError
from .latent import latent
from .observations import Observations, observe
from .parameters import Parameter, Take
from .priors import Priors, default_priors
from .reporting import Reporting, slack_steps, stated_value
from .strength import log_room

MAX_TRIES = 1000


@dataclass(frozen=True)
class Simulated:
    """A simulated truth and the data that a model of it would be given.

    Attributes
    ----------
    truth
        Named quantities, and the free parameters.
    arrays
        Containers with the simulated stated values.
    seen
        How the claims speak.
    """

    truth: Mapping[str, Any]
    arrays: dict[str, np.ndarray]
    seen: Observations


def simulate(
    claims: Claims,
    campaign: Campaign,
    priors: Priors | None = None,
    *,
    seed: int,
    curve: Curve | None = None,
    reporting: Reporting | None = None,
    fixed: Mapping[str, Any] | None = None,
) -> Simulated:
    """Draw one campaign and its claims.

    Parameters
    ----------
    claims
        A record whose rows say who speaks when, and how; their values are not used.
    campaign, priors, curve, reporting
        As in ``build_model``.
    seed
        Of the draw.
    fixed
        Free parameters to hold at given values instead of drawing them (on their own scale, before any shift).

    Notes
    -----
    Where the model is conditioned on a force still fighting, draws are repeated until one is.
    """
    claims, campaign = one_vintage(claims, campaign)
    priors = priors or default_priors(campaign)
    curve = curve or default_curve(campaign)
    reporting = reporting or Reporting()
    seen = observe(claims, campaign, reporting, zero_until=curve.zero_until(campaign))
    arrays = containers(seen, campaign, priors, curve, reporting)
    sizes = {dim: len(names) for dim, names in coordinates(seen, campaign).items()}
    rng = np.random.default_rng(seed)
    for _ in range(MAX_TRIES):
        free: dict[str, Any] = {}
        q = latent(_drawing(rng, arrays, sizes, fixed or {}, free), arrays, priors, curve, reporting)
        room = log_room(q, np) / ROOM_WIDTH
        if not reporting.truncate or rng.random() < 1.0 / (1.0 + np.exp(-np.clip(room, -700, 700))):
            stated = statements(rng, q, arrays, reporting)
            return Simulated({**free, **q}, {**arrays, "claim_value": stated}, seen)
    raise AttritionError(
        f"no draw of {MAX_TRIES} left the force fighting at {seen.vintage}: the prior is at odds with that"
    )


def _drawing(
    rng: np.random.Generator,
    arrays: Mapping[str, np.ndarray],
    sizes: Mapping[str, int],
    fixed: Mapping[str, Any],
    free: dict[str, Any],
) -> Take:
    def take(parameter: Parameter, mean: Any) -> Any:
        shape = tuple(sizes[dim] for dim in parameter.dims)
        if parameter.family == "beta":
            a, b = (float(number) for number in arrays[f"prior_{parameter.prior}"])
            value = rng.beta(a, b, size=shape)
        elif parameter.family == "halfnormal":
            value = np.abs(rng.standard_normal(shape))
        elif parameter.family == "uniform":
            value = rng.random(shape)
        elif parameter.family == "date":
            value = stats.truncnorm.rvs(-DATE_SDS, arrays[parameter.prior], size=shape, random_state=rng)
        else:
            value = rng.standard_normal(shape)
        value = np.asarray(fixed.get(parameter.name, value), dtype=float)
        free[parameter.name] = value + mean if parameter.family == "normal" else value
        return free[parameter.name]

    return take


def statements(
    rng: np.random.Generator,
    q: Mapping[str, Any],
    arrays: Mapping[str, np.ndarray],
    reporting: Reporting,
    noise: np.ndarray | None = None,
) -> np.ndarray:
    """State every claim anew, given what is true.

    Parameters
    ----------
    rng
        Of errors and slack.
    q
        Named quantities, with or without leading axes.
    arrays
        How the claims speak, and of what.
    reporting
        Family of the errors, and how floors are read.
    noise : (..., claim), optional
        Errors in scales, instead of draws of the family.

    Returns
    -------
    (..., claim)
        Stated values.
    """
    center, scale = location_and_scale(q, arrays, reporting)
    if noise is None:
        noise = rng.logistic(size=center.shape) if reporting.errors == "logistic" else rng.standard_normal(center.shape)
    slack = claim_slack(q, arrays)
    steps = 0.0 if slack is None else slack_steps(rng.random(center.shape), slack, np)
    form, unit, offset, origin, is_share = (
        arrays[f"claim_{part}"] for part in ("form", "unit", "offset", "origin", "is_share")
    )
    estimate = np.exp(center + scale * noise)
    return np.asarray(stated_value(estimate, form, unit, offset, origin, is_share, np, steps))


def restated(claims: Claims, simulated: Simulated) -> Claims:
    """Give the claims that entered the model their simulated values, as a record of its own.

    A range becomes the simulated cell of its grid; an open bound that is not met becomes its complement.
    """
    import pandas as pd

    table = claims.table.reset_index(drop=True)
    places = {name: place for place, name in enumerate(table["claim_id"])}
    told = {column: table[column].tolist() for column in ("value", "low", "high", "unit", "bound")}
    spoken = simulated.seen.claims[["claim_id", "bound", "open", "low", "high", "spoken"]].to_dict("records")
    for row, drawn in zip(spoken, simulated.arrays["claim_value"], strict=True):
        place, value, stated = places[row["claim_id"]], float(drawn), row["spoken"][2]
        if row["bound"] == "range" and row["low"] > 0:
            told["low"][place], told["high"][place], told["value"][place] = value, value * stated, None
        elif row["bound"] == "range":
            met = value <= row["high"]
            told["low"][place], told["high"][place] = (0.0, row["high"]) if met else (row["high"], 1e9)
            told["value"][place] = None
        elif row["open"] == "yes":
            told["value"][place] = stated
            if value != stated:
                told["bound"][place] = "at_most" if row["bound"] == "at_least" else "at_least"
        else:
            told["value"][place], told["unit"][place] = value, stated
    changed = {column: pd.Series(cells, dtype=object) for column, cells in told.items()}
    return dataclasses.replace(claims, _table=table.assign(**changed))
