"""Whether the claims pull a top-level prior far from where it was put."""

from __future__ import annotations

import numpy as np

from ..display import percent
from ..fitted import Fit
from .result import CheckResult
from .sensitivity import prior_words
from .top_level import Standing, top_level

TAIL = 0.025


def prior_conflict(fit: Fit) -> CheckResult:
    """Name the top-level priors in whose tail the posterior sits.

    Parameters
    ----------
    fit
        The draws, with their free parameters.

    Returns
    -------
    CheckResult
        ``passed``: the posterior median of every parameter that follows a top-level prior directly lies in the central 95% of
        that prior. ``numbers``: ``level[prior]``, the prior's probability of what lies below the posterior median: 0.5 where
        the claims leave it in place, 0.025 or 0.975 at the ends.

    Notes
    -----
    A posterior median is less spread than its prior, so that each prior is named by mistake in less than 5% of cases. What
    priors and claims say together is checked by ``prior_predictive``. That both prior and likelihood matter for a quantity, as
    power-scaling tells, is no conflict here: the priors are meant to inform.
    """
    standings = top_level(fit)
    if not standings:
        return CheckResult("prior conflict", True, "every top-level prior is fixed: nothing can be pulled", {})
    levels = {one.label: float(np.median(one.level)) for one in standings}
    odd = [one for one in standings if not TAIL <= levels[one.label] <= 1.0 - TAIL]
    numbers = {f"level[{name}]": level for name, level in levels.items()}
    if odd:
        text = "the claims pull against the priors: " + "; ".join(_words(one, levels[one.label]) for one in odd)
        return CheckResult("prior conflict", False, text, numbers)
    far = max(standings, key=lambda one: abs(levels[one.label] - 0.5))
    text = (
        f"the posterior medians of {len(standings)} parameters lie in the central 95% of their priors; furthest out: "
        f"{_words(far, levels[far.label])}"
    )
    return CheckResult("prior conflict", True, text, numbers)


def _words(one: Standing, level: float) -> str:
    """Where a posterior median stands in its prior."""
    of = one.label.removeprefix(one.prior)
    side, tail = ("above", level) if level > 0.5 else ("below", 1.0 - level)
    return f"the posterior median lies {side} {percent(tail)} of the {prior_words(one.prior)}{of and f' {of}'}"
