"""How far every published quantity rests on every top-level prior: power-scaling.

The log density of a prior is scaled by a power next to 1 and the draws are reweighted; the sensitivity is how far the
quantity's distribution moves (Kallioinen et al. 2024, Stat Comput 34:57, doi 10.1007/s11222-023-10366-5; ArviZ ``psense``).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from ..fitted import Fit
from .convergence import published_quantities
from .result import CheckResult
from .top_level import log_priors, top_level

if TYPE_CHECKING:
    import xarray as xr

SENSITIVE = 0.05
MAX_K = 0.7
WORDS = {
    "total_loss": "the total",
    "rate_since_escalation": "the rate since the escalation",
    "killed_share": "the killed share",
    "strength_now": "the strength now",
    "depletion_hold": "the date under hold",
    "depletion_forecast": "the date under forecast",
}


def published_draws(fit: Fit) -> dict[str, np.ndarray]:
    """Draws (chain, draw) of everything that is published, none of them infinite.

    Dates come twice: as 1/T with never = 0, as the convergence gate has them, and in ``<name>_days`` as days from the vintage
    to depletion, or to the horizon where depletion does not come before it.
    """
    found = dict(published_quantities(fit))
    today, horizon = fit.campaign.day(fit.vintage), fit.campaign.horizon_days
    for name in [name for name in found if name.startswith("depletion_")]:
        with np.errstate(divide="ignore"):
            days = np.minimum(1.0 / found[name] - today, float(horizon))
        if np.ptp(days) > 0:
            found[f"{name}_days"] = days
    return found


def prior_sensitivity(fit: Fit) -> CheckResult:
    """Say which published quantity moves with which prior.

    Parameters
    ----------
    fit
        The draws, with their free parameters.

    Returns
    -------
    CheckResult
        ``passed``: all sensitivities could be computed (finite, Pareto k of the weights at most 0.7). A quantity that moves
        with a prior is no failure: the level of losses rests on the mean biases, by what the record is. ``numbers``:
        ``psense[quantity, prior]`` of every published quantity and every top-level prior that has a free parameter; ``max_k``;
        ``sensitive``, how many of them are 0.05 or more. The sentence names the priors behind each headline.

    Notes
    -----
    Only top-level priors are scaled, one by one; never innovations or effects of single sources. A LogNormal is scaled on the
    log, so that its median stays. Scaling keeps the mean of a normal prior: what a shift of a mean would do, ``stance_shifts``
    says. Dates are judged as 1/T and as days up to the horizon.
    """
    import arviz as az
    import xarray as xr

    draws, logs = published_draws(fit), log_priors(top_level(fit))
    dims = ("chain", "draw")
    # a source's name may hold a slash, which a name in a tree may not
    keys = {name: f"quantity_{place}" for place, name in enumerate(draws)}
    posterior = xr.Dataset({keys[name]: (dims, np.asarray(array)) for name, array in draws.items()})
    log_prior = xr.Dataset({name: (dims, np.asarray(array)) for name, array in logs.items()})
    tree = xr.DataTree.from_dict({"posterior": posterior, "log_prior": log_prior})
    numbers: dict[str, float] = {}
    for prior in logs:
        found = az.psense(tree, group="prior", group_var_names=[prior])
        numbers |= {f"psense[{name}, {prior}]": float(found[keys[name]]) for name in draws}
    values = np.array(list(numbers.values()))
    max_k = max((_pareto_k(log_prior[prior]) for prior in logs), default=0.0)
    numbers |= {"max_k": max_k, "sensitive": float(np.sum(values >= SENSITIVE))}
    passed = bool(np.isfinite(values).all()) and max_k <= MAX_K
    sentence = (
        _sentence(numbers, list(logs)) if passed else "the sensitivities could not all be computed from these draws"
    )
    return CheckResult("prior sensitivity", passed, sentence, numbers)


def prior_words(prior: str) -> str:
    """Write the name of a prior for people: ``adversary-bias prior``."""
    kind = prior.removeprefix("bias_")
    name = f"{kind} bias" if kind != prior else prior
    return f"{name.replace('_', ' ').replace(' ', '-')} prior"


def _pareto_k(log_prior: xr.DataArray) -> float:
    """Largest Pareto k of the weights that scaling by 0.99 and by 1.01 gives."""
    ks = []
    for alpha in (0.99, 1.01):
        _, k = ((1.0 - alpha) * log_prior).azstats.psislw(dim=["chain", "draw"])
        ks.append(float(k))
    return max(ks)


def _sentence(numbers: Mapping[str, float], priors: list[str]) -> str:
    """Which prior each headline moves with; of those that move with none, the one that comes nearest."""
    moves, still, nearest = [], [], (0.0, "")
    for quantity, words in WORDS.items():
        if not any(f"psense[{quantity}, {prior}]" in numbers for prior in priors):
            continue
        size = {prior: _largest(numbers, quantity, prior) for prior in priors}
        named = sorted((prior for prior in priors if size[prior] >= SENSITIVE), key=lambda prior: -size[prior])
        if named:
            moves.append(f"{words} moves with the {', '.join(f'{prior_words(p)} ({size[p]:.2f})' for p in named)}")
        else:
            still.append(words)
            nearest = max(nearest, *((size[prior], prior) for prior in priors))
    if still:
        text = f"no prior's width moves {', '.join(still)}"
        moves.append(text + (f" (most: the {prior_words(nearest[1])}, {nearest[0]:.2f})" if nearest[1] else ""))
    return f"{'; '.join(moves)} [power-scaling; {SENSITIVE} and more is told]"


def _largest(numbers: Mapping[str, float], quantity: str, prior: str) -> float:
    """Sensitivity of a quantity; of a date, the larger of its two readings."""
    return max(numbers.get(f"psense[{name}, {prior}]", 0.0) for name in (quantity, f"{quantity}_days"))
