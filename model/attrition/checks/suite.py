"""All checks of a fit, one after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from ..fitted import Fit
from .conflict import prior_conflict
from .convergence import convergence
from .drift import drifting_sources
from .later import later_claims
from .left_out import claims_left_out, sources_left_out
from .predictive import posterior_predictive, prior_predictive
from .result import CheckResult
from .sensitivity import prior_sensitivity
from .stances import stance_shifts


def all_checks(fit: Fit, seed: int = 0) -> Iterator[CheckResult]:
    """Make every check of a fit, those that sample again last.

    Parameters
    ----------
    fit
        The draws, with their free parameters.
    seed
        Of the checks' own random numbers.

    Yields
    ------
    CheckResult
        Each as soon as it is there: convergence, prior and posterior predictive, drifting sources, prior sensitivity, stance
        shifts, prior conflict, later claims (but for a fit with drift), claims left out, sources left out. The last three
        sample again: once, for every claim whose weights fail, and for every source; about as long each time as the fit took.

    Raises
    ------
    InputError
        For a saved fit of an extended model, as soon as a check would sample again.
    """
    checks: list[Callable[[Fit], CheckResult]] = [
        convergence,
        partial(prior_predictive, seed=seed),
        partial(posterior_predictive, seed=seed),
        partial(drifting_sources, seed=seed),
        prior_sensitivity,
        stance_shifts,
        prior_conflict,
    ]
    if not fit.reporting.drift:
        checks.append(partial(later_claims, seed=seed))
    checks += [partial(claims_left_out, seed=seed), partial(sources_left_out, seed=seed)]
    for check in checks:
        yield check(fit)
