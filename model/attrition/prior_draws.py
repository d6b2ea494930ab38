"""Many draws from the prior at once, as a fit: the model's own text with every parameter drawn from its prior.

One prior may be held at a point while all others are drawn, with the same random numbers as without.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import stats

from .build import ROOM_WIDTH, coordinates, one_vintage
from .campaign import Campaign
from .claims import Claims
from .coding import SOURCE_KINDS
from .containers import containers
from .curves import DATE_SDS, PHASE_PRIOR, Curve, default_curve, phases_of
from .errors import AttritionError
from .fitted import Fit, label
from .latent import latent
from .observations import Observations, observe
from .parameters import Parameter, Take
from .priors import Prior, Priors, default_priors
from .reporting import Reporting
from .sampling import Settings
from .strength import log_room

FEWEST = 20


@dataclass(frozen=True, eq=False)
class PriorDraws:
    """Draws from the prior.

    Attributes
    ----------
    fit
        Those that leave the force fighting, as a fit of one chain; its gate says that it is none.
    quantities
        Named quantities of ``latent`` for the same draws, each (1, draw, ...).
    arrays
        The model's data.
    rejected
        Draws in which the force was no longer fighting at the vintage.
    """

    fit: Fit
    quantities: Mapping[str, np.ndarray]
    arrays: Mapping[str, np.ndarray]
    rejected: int


def prior_draws(
    claims: Claims,
    campaign: Campaign,
    priors: Priors | None = None,
    *,
    draws: int = 2000,
    seed: int = 0,
    curve: Curve | None = None,
    reporting: Reporting | None = None,
    held: Mapping[str, float] | None = None,
) -> PriorDraws:
    """Draw from the prior, conditioned on a force still fighting as the model is.

    Parameters
    ----------
    claims, campaign, priors, curve, reporting
        As in ``build_model``; values of claims are not used.
    draws
        How many to draw; those without the force fighting at the vintage are left out.
    seed
        Of the draws.
    held
        Probability levels by name of prior: that prior stands at this quantile in every draw (StanceBias: its mean does).

    Raises
    ------
    AttritionError
        If fewer than 20 draws leave the force fighting: the prior is at odds with that.
    """
    return drawn(prepared(claims, campaign, priors, curve, reporting), draws, seed, held)


@dataclass(frozen=True, eq=False)
class Prepared:
    """What every simulation of one record and one set of priors has in common, as ``Fit`` names it, and sizes by dim."""

    claims: Claims
    campaign: Campaign
    priors: Priors
    curve: Curve
    reporting: Reporting
    seen: Observations
    arrays: Mapping[str, np.ndarray]
    sizes: Mapping[str, int]


def prepared(
    claims: Claims,
    campaign: Campaign,
    priors: Priors | None = None,
    curve: Curve | None = None,
    reporting: Reporting | None = None,
) -> Prepared:
    """Read the record once for many simulations; arguments as ``prior_draws`` takes them."""
    claims, campaign = one_vintage(claims, campaign)
    priors = priors or default_priors(campaign)
    curve = curve or default_curve(campaign)
    reporting = reporting or Reporting()
    seen = observe(claims, campaign, reporting, zero_until=curve.zero_until(campaign))
    arrays = containers(seen, campaign, priors, curve, reporting)
    sizes = {dim: len(names) for dim, names in coordinates(seen, campaign).items()}
    return Prepared(claims, campaign, priors, curve, reporting, seen, arrays, sizes)


def drawn(world: Prepared, draws: int, seed: int, held: Mapping[str, float] | None = None) -> PriorDraws:
    """Draw from the prior of a prepared record; arguments, result and errors as those of ``prior_draws``."""
    arrays, seen = dict(world.arrays), world.seen
    places = _places(world.campaign, arrays, world.priors, held or {})
    rng = np.random.default_rng(seed)
    free: dict[str, np.ndarray] = {}
    take = _drawing(rng, arrays, world.sizes, places, free, draws)
    q = latent(take, arrays, world.priors, world.curve, world.reporting)
    kept = np.ones(draws, dtype=bool)
    if world.reporting.truncate:
        room = log_room(q, np) / ROOM_WIDTH
        kept = (rng.random((1, draws)) < 1.0 / (1.0 + np.exp(-np.clip(room, -700, 700))))[0]
    left = int(kept.sum())
    if left < FEWEST:
        raise AttritionError(
            f"{left} of {draws} draws left the force fighting at {seen.vintage}, fewer than {FEWEST}: the prior is at odds "
            "with that. Choose an earlier known_by or more draws, or change the prior of contingent_size or of the rates."
        )
    wide = {name: _wide(value, draws)[:, kept] for name, value in q.items()}
    raw = {name: value[:, kept] for name, value in free.items()}
    made = label(raw, {"diverging": np.zeros((1, left), dtype=bool)}, wide, arrays, seen, world.campaign)
    settings = Settings(draws=left, tune=0, chains=1)
    fit = Fit(
        made,
        world.claims,
        world.campaign,
        world.priors,
        world.curve,
        world.reporting,
        seen,
        settings,
        seed,
        gate={"passed": False, "sentence": "draws from the prior, not a fit"},
    )
    return PriorDraws(fit, wide, arrays, draws - left)


def _wide(value: Any, draws: int) -> np.ndarray:
    """A quantity with its leading (chain, draw) axes, which a fixed one lacks."""
    array = np.asarray(value)
    if array.ndim >= 2 and array.shape[:2] == (1, draws):
        return array
    return np.broadcast_to(array, (1, draws, *array.shape))


def _drawing(
    rng: np.random.Generator,
    arrays: Mapping[str, np.ndarray],
    sizes: Mapping[str, int],
    places: Mapping[str, np.ndarray],
    free: dict[str, np.ndarray],
    draws: int,
) -> Take:
    def take(parameter: Parameter, mean: Any) -> Any:
        shape = (1, draws, *(sizes[dim] for dim in parameter.dims))
        if parameter.family == "beta":
            a, b = (float(number) for number in arrays[f"prior_{parameter.prior}"])
            value = rng.beta(a, b, size=shape)
        elif parameter.family == "halfnormal":
            value = np.abs(rng.standard_normal(shape))
        elif parameter.family == "uniform":
            value = rng.random(shape)
        elif parameter.family == "date":
            upper = stats.norm.cdf(arrays[parameter.prior])
            lower = stats.norm.cdf(-DATE_SDS)
            value = stats.norm.ppf(lower + rng.random(shape) * (upper - lower))
        else:
            value = rng.standard_normal(shape)
        if parameter.name in places:
            place = np.broadcast_to(places[parameter.name], shape)
            value = np.where(np.isnan(place), value, place)
        free[parameter.name] = value + mean if parameter.family == "normal" else value
        return free[parameter.name]

    return take


def _places(
    campaign: Campaign, arrays: Mapping[str, np.ndarray], priors: Priors, held: Mapping[str, float]
) -> dict[str, np.ndarray]:
    """Where the free parameters of held priors stand; NaN where they are drawn."""
    places: dict[str, np.ndarray] = {}
    kinds = [PHASE_PRIOR[phase.kind] for phase in phases_of(campaign)]
    for name, level in held.items():
        prior, z = priors[name], np.array(float(stats.norm.ppf(level)))
        if prior.family == "StanceBias":
            is_kind = np.array([f"bias_{kind}" == name for kind in SOURCE_KINDS])
            places["stance_unit"] = np.where(is_kind, z, np.nan)
        elif name.startswith("lag_") and prior.family == "LogNormal":
            kind = SOURCE_KINDS.index(name.removeprefix("lag_"))
            places["source_lag_unit"] = np.where(arrays["source_stance"] == kind, z, np.nan)
        elif name in PHASE_PRIOR.values():
            none = np.full(len(arrays["phase_known"]), np.nan) if "phase_known" in arrays else np.array(np.nan)
            own = places.get("phase_rate_unit", none)
            if own.ndim:
                own[[place for place, kind in enumerate(kinds) if kind == name]] = z
            places["phase_rate_unit"] = own
        elif prior.family == "Beta":
            point = np.array(quantile(prior, level))
            places["floor_slack" if name == "floor_slack" else f"{name}_drawn"] = point
        elif prior.family == "HalfNormal":
            places[f"{name}_unit"] = np.array(float(stats.halfnorm.ppf(level)))
        elif prior.family in ("LogNormal", "Normal"):
            places[f"{name}_unit"] = z
    return places


def quantile(prior: Prior, level: float) -> float:
    """Quantile of a prior, in its unit (StanceBias: of one source's bias, with the total sd); NaN for SameAsTotals."""
    numbers, z = prior.numbers, float(stats.norm.ppf(level))
    if prior.family == "LogNormal":
        return float(numbers["median"] * np.exp(numbers["sd_log"] * z))
    if prior.family == "Normal":
        return float(numbers["mean"] + numbers["sd"] * z)
    if prior.family == "StanceBias":
        return float(numbers["mean"] + numbers["total_sd"] * z)
    if prior.family == "HalfNormal":
        return float(numbers["scale"] * stats.halfnorm.ppf(level))
    if prior.family == "Beta":
        return float(stats.beta.ppf(level, numbers["a"], numbers["b"]))
    return float(numbers["value"]) if prior.family == "Fixed" else float("nan")
