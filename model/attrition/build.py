"""From claims, campaign and priors to a PyMC model: pure, no sampling, no files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .campaign import Campaign
from .claims import Claims
from .coding import SOURCE_KINDS
from .containers import CONTAINERS, FREE_DIMS, containers
from .curves import DATE_SDS, Curve, default_curve, knot_count, phase_slots
from .errors import InputError, Problem
from .latent import claim_location, claim_scale, latent
from .observations import observe
from .parameters import Parameter, Take
from .priors import Priors, default_priors
from .reporting import Reporting, claim_variable

if TYPE_CHECKING:
    import pymc as pm

TRUNCATION_WIDTH = 0.01
REPORTED = (
    "contingent_size",
    "killed_share",
    "claim_error",
    "claim_error_killed",
    "stance_bias",
    "source_bias",
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
    "phase_rate": ("phase",),
    "phase_day": ("phase",),
    "daily_rate": ("day",),
    "cumulative_loss": ("day",),
}


def build_model(
    claims: Claims,
    campaign: Campaign,
    priors: Priors | None = None,
    *,
    curve: Curve | None = None,
    reporting: Reporting | None = None,
    likelihood: bool = True,
    slots: int = 0,
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
    slots
        Make room for at least so many sources.

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
    seen = observe(claims, campaign, reporting, slots, curve.zero_until(campaign))
    arrays = containers(seen, campaign, priors, curve)
    names = [name for name, _, _ in seen.sources]
    coords: dict[str, Any] = {
        "source_kind": list(SOURCE_KINDS),
        "source": names + [f"(slot {slot})" for slot in range(len(names), seen.slots)],
        "phase": list(range(phase_slots(campaign))),
        "knot": list(range(knot_count(campaign))),
        "prior_number": [0, 1],
    }
    with pm.Model(coords=coords) as model:
        data = {}
        for spec in CONTAINERS:
            if spec.name not in arrays:
                continue
            array = arrays[spec.name]
            dims = spec.dims if spec.dims[-1] not in ("prior_number", "knot_with_first") else None
            shape = tuple(None if dim in FREE_DIMS else n for dim, n in zip(spec.dims, array.shape, strict=True))
            data[spec.name] = pm.Data(spec.name, array, dims=dims, shape=shape)
        quantities = latent(_taker(data, coords), data, priors, curve, pt)
        for name in (*REPORTED, "daily_rate", "cumulative_loss"):
            if name in quantities and name not in model.named_vars:
                pm.Deterministic(name, quantities[name], dims=DIMS.get(name))
        if reporting.truncate:
            room = pt.log(quantities["contingent_size"]) - pt.log(pt.maximum(quantities["cumulative_loss"][-1], 1e-9))
            pm.Bernoulli("still_fighting", logit_p=room / TRUNCATION_WIDTH, observed=1)
        if likelihood:
            mu, scale = claim_location(quantities, data, pt), claim_scale(quantities, data, reporting, pt)
            claim_variable("claims", mu, scale, data, reporting.errors)
    return model


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
        if parameter.family == "date":
            latest = data["phase_latest"]
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
