"""The convergence gate: no result is final unless every published quantity has converged.

R-hat and effective sample sizes are those of ArviZ (rank-normalised split R-hat, bulk and tail ESS: ``mixing``). A date that
never comes has no mean, so dates are judged on 1/T with never = 0.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ..depletion import DepletionDate, dates_under
from ..fitted import Fit, rate_since
from ..manpower import has, killed, strength
from ..observations import SIZE
from ..scenarios.rates import forecast, hold
from .mixing import mixing
from .result import CheckResult

MAX_RHAT = 1.01
MIN_ESS = 400.0


def published_quantities(
    fit: Fit, dates: Mapping[str, Mapping[str, DepletionDate]] | None = None
) -> dict[str, np.ndarray]:
    """Draws (chain, draw) of everything that is published, by name.

    Parameters
    ----------
    fit
        The draws.
    dates
        Depletion dates of this fit by scenario (``hold``, ``forecast``) and definition, if they are at hand.
    """
    total = fit.array("cumulative_loss")[..., -1]
    quantities = {
        "total_loss": total,
        "killed": killed(fit)[..., -1],
        "killed_share": fit.array("killed_share"),
        "rate_since_escalation": rate_since(fit),
        "daily_rate_now": fit.array("daily_rate")[..., -1],
        "contingent_size": fit.array("contingent_size"),
        "claim_error": fit.array("claim_error"),
    }
    if has(fit, "arrivals"):
        quantities["strength_now"] = strength(fit, slice(-1, None))[..., 0]
    bias = fit.array("source_bias")
    speaks = set(fit.seen.claims["source"][fit.seen.claims["category"] < SIZE])
    for number, name in enumerate(_labels(fit, "source")):
        if name not in speaks:
            continue
        quantities[f"source_bias[{name}]"] = bias[..., number]
    if dates is None:
        dates = dates_under(fit, (hold(), forecast()))
    for scenario, found in dates.items():
        for definition, date in found.items():
            name = f"depletion_{scenario}" + ("" if definition == "gross" else f"_{definition}")
            quantities[name] = 1.0 / date.day
    return {name: draws for name, draws in quantities.items() if np.ptp(draws) != 0}  # or nan


def drawn_curves(fit: Fit) -> dict[str, np.ndarray]:
    """Draws (chain, draw) of what the figures show: rate, total and strength on every seventh day, and the phases' dates."""
    curves = {}
    days = _labels(fit, "day").astype("datetime64[D]")
    shown = slice((len(days) - 1) % 7 or 7, None, 7)  # back from the last day, without the first
    for name in ("daily_rate", "cumulative_loss", "strength"):
        draws = strength(fit, shown) if name == "strength" else fit.array(name)[..., shown]
        for number, day in reversed(list(enumerate(days[shown]))):
            curves[f"{name}[{day}]"] = draws[..., number]
    if has(fit, "phase_day"):
        starts = fit.array("phase_day")
        for number, phase in enumerate(_labels(fit, "phase")):
            curves[f"phase_day[{phase}]"] = starts[..., number]
    return {name: draws for name, draws in curves.items() if np.ptp(draws) != 0}  # or nan


def _labels(fit: Fit, dim: str) -> np.ndarray:
    return np.asarray(fit.draws.children["posterior"].variables[dim].values)


def convergence(fit: Fit) -> CheckResult:
    """Check R-hat, effective sample size and divergences over everything that is published.

    Returns
    -------
    CheckResult
        ``numbers``: max_rhat (below 1.01), min_ess (at least 400; the smaller of bulk and tail), divergences (none).
    """
    quantities = published_quantities(fit) | drawn_curves(fit)
    divergences = int(fit.draws["sample_stats"]["diverging"].sum())
    if "total_loss" not in quantities:
        nothing = {"max_rhat": float("nan"), "min_ess": 0.0, "divergences": float(divergences)}
        return CheckResult(
            "convergence", False, "the total is the same in every draw: the chains have not moved", nothing
        )
    found = mixing(np.stack(list(quantities.values())))
    rhat = dict(zip(quantities, found.rhat.tolist(), strict=True))
    ess = dict(zip(quantities, found.ess.tolist(), strict=True))
    worst_rhat = max(rhat, key=lambda name: _or_inf(rhat[name]))
    worst_ess = min(ess, key=lambda name: -_or_inf(-ess[name]))
    numbers = {"max_rhat": rhat[worst_rhat], "min_ess": ess[worst_ess], "divergences": float(divergences)}
    failures = []
    if not numbers["max_rhat"] < MAX_RHAT:
        failures.append(f"R-hat of {worst_rhat} is {numbers['max_rhat']:.3f}, not under {MAX_RHAT}")
    if not numbers["min_ess"] >= MIN_ESS:
        failures.append(f"effective sample size of {worst_ess} is {numbers['min_ess']:.0f}, under {MIN_ESS:.0f}")
    if divergences:
        failures.append(f"{divergences} divergent transition{'' if divergences == 1 else 's'}")
    sentence = (
        "; ".join(failures)
        if failures
        else (
            f"{len(quantities)} published quantities: R-hat at most {numbers['max_rhat']:.3f} ({worst_rhat}), effective "
            f"sample size at least {numbers['min_ess']:.0f} ({worst_ess}), no divergences"
        )
    )
    return CheckResult("convergence", not failures, sentence, numbers)


def _or_inf(value: float) -> float:
    return value if np.isfinite(value) else np.inf
