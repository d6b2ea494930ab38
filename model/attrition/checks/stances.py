"""What each published quantity would be if the sources of a stance exaggerated a little more than is assumed.

Power-scaling keeps the mean of a normal prior and cannot see this; and the level of losses rests on the means.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np

from ..coding import SOURCE_KINDS
from ..fitted import Fit, label
from ..latent import latent
from ..parameters import Parameter
from .result import CheckResult
from .sensitivity import MAX_K, published_draws
from .top_level import stances_spoken
from .without import data, free, quantities, redrawn

STEP = 0.1
FAR = 0.1  # a Monte Carlo error of so many posterior sds would hide a shift that matters
PEOPLE = {"adversary": "adversaries", "own_side": "its own side", "third_party": "third parties", "analyst": "analysts"}


def stance_shifts(fit: Fit, refit: bool = False) -> CheckResult:
    """Shift the mean bias of each stance by +0.1 and say how far every published quantity moves.

    Parameters
    ----------
    fit
        The draws, with their free parameters.
    refit
        Draw again for each stance, instead of reweighting the draws where that is reliable.

    Returns
    -------
    CheckResult
        ``passed``: every shift is known to 0.1 posterior sds. ``numbers``: for each published quantity (in its own unit, dates
        as 1/T and as days up to the horizon) and each stance with a claim, ``shift[quantity, stance]`` of its posterior mean
        and ``error[quantity, stance]``, the Monte Carlo standard error of that; ``k[stance]``, Pareto k of the weights;
        ``refits``, for how many stances draws were made again.

    Raises
    ------
    InputError
        If draws must be made again, for a saved fit of an extended model.

    Notes
    -----
    The draws keep every bias and change the density of the prior under them: weights are ``N(b; m + 0.1, s) / N(b; m, s)`` of
    the stance's bias ``b``, or of its sources' where the stance's own has no spread; smoothed (Vehtari et al. 2024, JMLR
    25(72); ArviZ). Where their Pareto k is above 0.7, or nothing has a spread, the shift is the difference of two samplings.
    """
    before = published_draws(fit)
    numbers: dict[str, float] = {}
    kinds, refits = stances_spoken(fit), 0
    for kind in kinds:
        log_w = None if refit else _log_weights(fit, kind)
        if log_w is not None:
            smooth, k = _smoothed(log_w)
            numbers[f"k[{kind}]"] = k
            log_w = smooth if k <= MAX_K else None
        if log_w is None:
            found = _by_refit(fit, kind, before)
            refits += 1
        else:
            found = _by_weights(log_w, before)
        for name, (shift, error) in found.items():
            numbers |= {f"shift[{name}, {kind}]": shift, f"error[{name}, {kind}]": error}
    numbers["refits"] = float(refits)
    blurred = [
        (name, kind)
        for kind in kinds
        for name, draws in before.items()
        if not numbers[f"error[{name}, {kind}]"] <= FAR * draws.std()
    ]
    return CheckResult("stance shifts", not blurred, _sentence(numbers, kinds, before, blurred), numbers)


def _log_weights(fit: Fit, kind: str) -> np.ndarray | None:
    """Log density ratio of the shifted to the fitted prior in each draw (chain, draw); None where there is no spread."""
    arrays, raw = data(fit), free(fit)
    number = SOURCE_KINDS.index(kind)
    spread = arrays["stance_prior"][number, 1]
    if spread > 0:
        step = STEP / spread
        return np.asarray(raw["stance_unit"][..., number] * step - step**2 / 2.0)
    own: list[np.ndarray] = []

    def take(parameter: Parameter, mean: Any) -> np.ndarray:
        if parameter.name == "source_own_shifted":
            own.append(raw[parameter.name] - mean)
        return raw[parameter.name]

    latent(take, arrays, fit.priors, fit.curve, fit.reporting)
    places = [place for place, (_, _, stance) in enumerate(fit.seen.sources) if stance == kind]
    spreads = arrays["source_own_sd"][places]
    if not (spreads > 0).all():
        return None
    steps = STEP / spreads
    return np.asarray((own[0][..., places] * steps - steps**2 / 2.0).sum(axis=-1))


def _smoothed(log_w: np.ndarray) -> tuple[np.ndarray, float]:
    """Pareto-smoothed log weights (chain, draw), and their Pareto k."""
    import arviz as az  # registers the accessor  # noqa: F401
    import xarray as xr

    smooth, k = xr.DataArray(-log_w, dims=("chain", "draw")).azstats.psislw(dim=["chain", "draw"])
    return smooth.values, float(k)


def _by_weights(log_w: np.ndarray, before: Mapping[str, np.ndarray]) -> dict[str, tuple[float, float]]:
    """Shift of each mean and its error, from what each draw adds to the difference of the two means."""
    import arviz as az

    weight = np.exp(log_w - log_w.max())
    weight = weight / weight.mean()
    found = {}
    for name, draws in before.items():
        after = float((weight * draws).mean())
        adds = weight * (draws - after) - (draws - draws.mean())
        found[name] = (after - float(draws.mean()), float(az.mcse(adds)))
    return found


def _by_refit(fit: Fit, kind: str, before: Mapping[str, np.ndarray]) -> dict[str, tuple[float, float]]:
    """Difference of the means of two samplings, and its error; a quantity that has become constant stays where it is."""
    import arviz as az

    arrays = data(fit)
    arrays["stance_prior"] = arrays["stance_prior"].copy()
    arrays["stance_prior"][SOURCE_KINDS.index(kind), 0] += STEP
    raw, stats = redrawn(fit, arrays)
    draws = label(raw, stats, quantities(fit, raw, arrays), arrays, fit.seen, fit.campaign)
    after = published_draws(dataclasses.replace(fit, draws=draws))
    found = {}
    for name, old in before.items():
        new = after.get(name)
        both = [old] if new is None else [old, new]
        shift = 0.0 if new is None else float(new.mean() - old.mean())
        found[name] = (shift, float(np.sqrt(sum(float(az.mcse(draws)) ** 2 for draws in both))))
    return found


def _sentence(
    numbers: Mapping[str, float],
    kinds: list[str],
    before: Mapping[str, np.ndarray],
    blurred: list[tuple[str, str]],
) -> str:
    if blurred:
        name, kind = blurred[0]
        return (
            f"{len(blurred)} shifts are not known to {FAR} posterior sds, among them that of {name} for "
            f"{PEOPLE[kind]}: take more draws"
        )
    parts = []
    for kind in kinds:
        moves = []
        for name, words in (("total_loss", "total"), ("rate_since_escalation", "rate since the escalation")):
            if name in before:
                mean = float(before[name].mean()) / 100.0
                shift, error = (numbers[f"{what}[{name}, {kind}]"] / mean for what in ("shift", "error"))
                moves.append(f"{words} {shift:+.1f}% (±{error:.1f})")
        for scenario in ("hold", "forecast"):
            name = f"depletion_{scenario}_days"
            if name in before:
                shift, error = (numbers[f"{what}[{name}, {kind}]"] for what in ("shift", "error"))
                moves.append(f"date under {scenario} {shift:+.1f} days (±{error:.1f})")
        parts.append(f"with the mean bias of {PEOPLE[kind]} {STEP} log units higher: {', '.join(moves)}")
    return "; ".join(parts) or "no source speaks: nothing rests on a stance"
