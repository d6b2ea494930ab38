"""The top-level priors of a fit, and where each draw stands in them.

Top-level is a prior that a user states and that a free parameter follows directly: the scalars, the mean bias of each stance,
the rates of the phases, the slack of floors. Not among them are what they govern: innovations, effects and delays of single
sources, and what briefings share.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..coding import SOURCE_KINDS
from ..curves import PHASE_PRIOR, phases_of
from ..fitted import Fit
from ..latent import latent
from ..observations import CATEGORY_OF, KILLED_SHARE, SIZE
from ..parameters import Parameter
from .without import data, free


@dataclass(frozen=True, eq=False)
class Standing:
    """Draws of one free parameter in its top-level prior.

    Attributes
    ----------
    prior
        Name of the prior.
    label
        The same, with what it is of where several parameters follow it: ``resume_rate[return]``.
    log_prior : (chain, draw)
        Log density of the prior, up to a constant, on the scale on which the model draws: of a LogNormal, that of the log.
    level : (chain, draw)
        Probability that the prior gives to what lies below the draw.
    """

    prior: str
    label: str
    log_prior: np.ndarray
    level: np.ndarray


def top_level(fit: Fit) -> list[Standing]:
    """Where the draws stand in every top-level prior that has a free parameter; stances without a source are left out."""
    arrays, raw = data(fit), free(fit)
    found: list[Standing] = []

    def take(parameter: Parameter, mean: Any) -> np.ndarray:
        if parameter.prior in fit.priors and not parameter.dims:
            numbers = arrays[f"prior_{parameter.prior}"]
            found.append(_standing(parameter.prior, parameter.prior, parameter.family, raw[parameter.name], numbers))
        return raw[parameter.name]

    latent(take, arrays, fit.priors, fit.curve, fit.reporting)
    found += _stances(fit, arrays, raw) + _phases(fit)
    if "floor_slack" in raw:
        kinds = arrays["source_stance"][arrays["claim_source"][arrays["claim_slack"] > 0]]
        for kind in sorted(set(kinds.tolist())):
            numbers, label = arrays["prior_floor_slack"], f"floor_slack[{SOURCE_KINDS[kind]}]"
            found.append(_standing("floor_slack", label, "beta", raw["floor_slack"][..., kind], numbers))
    return found


def log_priors(standings: list[Standing]) -> dict[str, np.ndarray]:
    """Log density of each top-level prior (chain, draw), summed over the parameters that follow it."""
    total: dict[str, np.ndarray] = {}
    for one in standings:
        total[one.prior] = total.get(one.prior, 0.0) + one.log_prior
    return total


def stances_spoken(fit: Fit) -> list[str]:
    """Stances of which at least one source gave a figure for losses that entered, in the order of the coordinate."""
    kinds = {source: kind for source, _, kind in fit.seen.sources}
    category = fit.seen.claims["quantity"].map(CATEGORY_OF)
    biased = (category < SIZE) & (category != KILLED_SHARE)
    spoken = {kinds[str(source)] for source in fit.seen.claims["source"][biased]}
    return [kind for kind in SOURCE_KINDS if kind in spoken]


def _stances(fit: Fit, arrays: dict[str, np.ndarray], raw: dict[str, np.ndarray]) -> list[Standing]:
    found = []
    for kind in stances_spoken(fit):
        number = SOURCE_KINDS.index(kind)
        if arrays["stance_prior"][number, 1] > 0:
            name = f"bias_{kind}"
            found.append(
                _standing(name, name, "normal", raw["stance_unit"][..., number], arrays["stance_prior"][number])
            )
    return found


def _phases(fit: Fit) -> list[Standing]:
    """Rates of the phases known: the parameter is shifted for the sampler, so it is read from the rate itself."""
    if "phase_rate" not in fit.posterior:
        return []
    rates, found = fit.array("phase_rate"), []
    phases = phases_of(fit.campaign)
    names = [PHASE_PRIOR[phase.kind] for phase in phases]
    for place, (phase, name) in enumerate(zip(phases, names, strict=True)):
        numbers = fit.priors[name].numbers
        unit = (np.log(rates[..., place]) - np.log(numbers["median"])) / numbers["sd_log"]
        label = name if names.count(name) == 1 else f"{name}[{phase.name}]"
        found.append(_standing(name, label, "normal", unit, np.zeros(0)))
    return found


def _standing(prior: str, label: str, family: str, drawn: np.ndarray, numbers: np.ndarray) -> Standing:
    from scipy import special

    if family == "beta":
        a, b = (float(number) for number in numbers)
        log_p = (a - 1.0) * np.log(drawn) + (b - 1.0) * np.log1p(-drawn)
        return Standing(prior, label, log_p, special.betainc(a, b, drawn))
    level = special.ndtr(drawn) if family == "normal" else 2.0 * special.ndtr(drawn) - 1.0
    return Standing(prior, label, -0.5 * drawn**2, level)
