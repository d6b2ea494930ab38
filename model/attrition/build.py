"""From claims, campaign and priors to a PyMC model: pure, no sampling, no files."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from .campaign import Campaign
from .claim_error import location_and_scale
from .claims import Claims
from .coding import SOURCE_KINDS
from .containers import containers, unpack
from .curves import DATE_SDS, Curve, default_curve
from .errors import InputError, Problem
from .extension import note_built
from .latent import latent
from .observations import Observations, observe
from .parameters import Parameter, Take
from .priors import Priors, default_priors
from .reporting import Reporting, claim_variable
from .strength import log_room

if TYPE_CHECKING:
    import pymc as pm

ROOM_WIDTH = 0.05
REPORTED = (
    "contingent_size",
    "killed_share_start",
    "claim_error",
    "claim_error_killed",
    "movement_error",
    "stance_bias",
    "source_bias",
    "source_lag",
    "floor_slack",
    "wave_size",
    "wave_day",
    "captured_ratio",
    "missing_ratio",
    "evacuated_fraction",
    "return_fraction",
    "return_delay",
    "constant_rate",
    "long_run_rate",
    "rate_sd",
    "rate_half_life",
    "phase_rate",
    "phase_day",
)
DIMS = {
    "stance_bias": ("source_kind",),
    "source_bias": ("source",),
    "source_lag": ("source",),
    "wave_size": ("wave",),
    "wave_day": ("wave",),
    "phase_rate": ("phase",),
    "phase_day": ("phase",),
    "daily_rate": ("day",),
    "cumulative_loss": ("day",),
    "cumulative_killed": ("day",),
    "arrivals": ("day",),
}


def build_model(
    claims: Claims,
    campaign: Campaign,
    priors: Priors | None = None,
    *,
    curve: Curve | None = None,
    reporting: Reporting | None = None,
    likelihood: bool = True,
    room: Mapping[str, int] | None = None,
) -> pm.Model:
    """Model of one contingent's losses given what is known.

    Parameters
    ----------
    claims
        Public statements; ``claims.known_by(date)`` sets the vintage.
    campaign
        What is being depleted. If the claims have a vintage, the campaign is cut to it as well.
    priors
        Every prior; by default ``default_priors(campaign)``.
    curve
        ``ConstantRate()``, ``MeanRevertingRate()`` or ``PhasedRate()``; by default phased where the campaign has phases.
    reporting
        How sources report; logistic errors by default.
    likelihood
        False leaves the claims out: the same path gives the prior predictive.
    room
        Make room for at least so many sources, briefings, months and drift dates, as a compiled model has.

    Returns
    -------
    pymc.Model
        With ``daily_rate`` (persons per day) and ``cumulative_loss`` (persons) on ``day``, ``source_bias`` (log units) on
        ``source``, and the claims as the observed variable ``claims``.

    Raises
    ------
    InputError
        If claims and campaign do not belong together or a prior cannot serve.
    """
    import pymc as pm
    import pytensor.tensor as pt

    claims, campaign = one_vintage(claims, campaign)
    priors = priors or default_priors(campaign)
    curve = curve or default_curve(campaign)
    reporting = reporting or Reporting()
    seen = observe(claims, campaign, reporting, room, curve.zero_until(campaign))
    arrays = containers(seen, campaign, priors, curve, reporting)
    coords = coordinates(seen, campaign)
    with pm.Model(coords=coords) as model:
        data = unpack(arrays, _register)
        quantities = latent(_taker(data, coords), data, priors, curve, reporting, pt)
        for name in (*REPORTED, "daily_rate", "cumulative_loss", "cumulative_killed", "arrivals"):
            if name in quantities and name not in model.named_vars:
                pm.Deterministic(name, quantities[name], dims=DIMS.get(name))
        if reporting.truncate:
            pm.Bernoulli("still_fighting", logit_p=log_room(quantities, pt) / ROOM_WIDTH, observed=1)
        if likelihood:
            mu, scale = location_and_scale(quantities, data, reporting, pt)
            slack = claim_slack(quantities, data)
            claim_variable("claims", mu, scale, slack, data, reporting.errors)
            note_built(model, graph_key(curve, reporting, priors, seen))
    return model


def graph_key(curve: Curve, reporting: Reporting, priors: Priors, seen: Observations) -> str:
    """Everything that the graph depends on: forms, families and sizes, never values."""
    used = {"phase": "escalation_rate", "knot": "rate_half_life"}
    rooms = {dim: size for dim, size in seen.rooms.items() if used.get(dim, "") in ("", *curve.prior_names())}
    return json.dumps(
        {
            "curve": f"{type(curve).__module__}.{type(curve).__qualname__}",
            "errors": reporting.errors,
            "floors": reporting.floors,
            "drift": reporting.drift,
            "intensity": reporting.intensity,
            "truncate": reporting.truncate,
            "families": [priors[name].family for name in priors if not name.startswith("lag_")],
            "rooms": rooms,
        },
        sort_keys=True,
    )


def coordinates(seen: Observations, campaign: Campaign) -> dict[str, Any]:
    """Labels of every dim of the free parameters."""
    names = [name for name, _, _ in seen.sources]
    numbered = {dim: list(range(size)) for dim, size in seen.rooms.items() if size}
    return numbered | {
        "source_kind": list(SOURCE_KINDS),
        "source": names + [f"(slot {slot})" for slot in range(len(names), seen.slots)],
    }


def claim_slack(q: Mapping[str, Any], data: Mapping[str, Any]) -> Any:
    """Chance of one more unit of slack of each claim (..., claim), 0 for what is no floor; None without slack."""
    if "claim_slack" not in data:
        return None
    return q["floor_slack"][..., data["source_stance"][data["claim_source"]]] * data["claim_slack"]


def _register(name: str, array: np.ndarray, labels: tuple[str, ...]) -> Any:
    """One pack as data of the current PyMC model, its rows or numbers labelled."""
    import pymc as pm

    free = name.split("_")[0]
    if name == "claim_value":
        return pm.Data(name, array, dims=("claim",), shape=(None,))
    if free == "fixed":
        return pm.Data(name, array, dims=(f"{name}_place",), coords={f"{name}_place": list(labels)}, shape=array.shape)
    return pm.Data(
        name, array, dims=(f"{name}_row", free), coords={f"{name}_row": list(labels)}, shape=(len(labels), None)
    )


def _taker(data: dict[str, Any], coords: dict[str, Any]) -> Take:
    """Take a parameter by making it a free variable of the current PyMC model."""
    import pymc as pm

    def take(parameter: Parameter, mean: Any) -> Any:
        dims = parameter.dims or None
        shape = tuple(len(coords[dim]) for dim in parameter.dims)
        if parameter.family == "beta":
            prior = data[f"prior_{parameter.prior}"]
            return pm.Beta(parameter.name, alpha=prior[0], beta=prior[1], dims=dims, shape=shape)
        if parameter.family == "halfnormal":
            return pm.HalfNormal(parameter.name, sigma=1.0, dims=dims, shape=shape)
        if parameter.family == "uniform":
            return pm.Uniform(parameter.name, 0.0, 1.0, dims=dims, shape=shape)
        if parameter.family == "date":
            latest = data[parameter.prior]
            return pm.TruncatedNormal(parameter.name, 0.0, 1.0, lower=-DATE_SDS, upper=latest, dims=dims, shape=shape)
        return pm.Normal(parameter.name, mean, 1.0, dims=dims, shape=shape)

    return take


def one_vintage(claims: Claims, campaign: Campaign) -> tuple[Claims, Campaign]:
    """Claims and campaign as public at one vintage: phases leak the future as well as claims do.

    Raises
    ------
    InputError
        If the campaign was cut to an earlier vintage than the claims: it misses phases that were public.
    """
    if claims.vintage is None:
        return (claims if campaign.vintage is None else claims.known_by(campaign.vintage)), campaign
    if campaign.vintage is None or campaign.vintage > claims.vintage:
        return claims, campaign.known_by(claims.vintage)
    if campaign.vintage < claims.vintage:
        got, expected = f"known by {campaign.vintage}", f"known by {claims.vintage} or later, as the claims"
        problem = Problem(
            "campaign", campaign.name, "vintage", got, expected, "Give the whole campaign (campaign=...)."
        )
        raise InputError("The campaign knows less than the claims", [problem])
    return claims, campaign
