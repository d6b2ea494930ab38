"""Whether the record calls for biases that move: a posterior predictive check of each source's residuals against time.

A discrepancy that depends on the parameters is compared with the same discrepancy of statements replicated from the same
draws (Gelman, Meng and Stern 1996, Statistica Sinica 6:733), and the p-values are corrected by Holm's method (1979).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..build import claim_slack
from ..claim_error import location_and_scale
from ..errors import InputError, Problem, shown
from ..fitted import Fit
from ..latent import latent, lookup
from ..observations import LOSSES, SHARE_KNOT_DAYS, TOTAL
from ..reporting import slack_steps, stated_value
from ..rounding import cell
from .pits import holm as _holm
from .result import CheckResult

LEVEL = 0.05
FEWEST = 3
REPLICATES = 8


def drifting_sources(fit: Fit, draws: int = 500, seed: int = 0) -> CheckResult:
    """Check whether any source's totals drift away from the fit over time: a case for ``Reporting(drift=True)``.

    Parameters
    ----------
    fit
        The draws, with their free parameters.
    draws
        Number of draws looked at, evenly thinned.
    seed
        Of the replicated statements.

    Returns
    -------
    CheckResult
        ``passed``: no source has a corrected p-value below 0.05. ``numbers``: for each source with three or more totals
        of bounded interval on two or more days, ``p[source]`` (two-sided, Holm-corrected) and ``slope[source]`` (posterior
        mean, log units per month); ``sources``, how many those are.

    Raises
    ------
    InputError
        If ``draws`` is no whole number of at least 1, or ``seed`` none of at least 0.

    Notes
    -----
    The residual of a total is the log of its stated interval's middle less the center of its source's own estimate, in scales
    of its error; the discrepancy is the slope of these residuals on the figure's day (of publication, if it has none). What
    the figures of one briefing share counts as error. Replicated statements are made the way each claim speaks: the same
    rounding, bound and slack. The check is cautious: the losses themselves bend towards a source that drifts, the more so the
    fewer other sources there are, and with three figures only a gross drift can show.
    """
    _check_whole(draws, seed)
    groups = _sources(fit)
    if not groups:
        sentence = f"no source gives {FEWEST} bounded totals on different days: drift cannot be told from error"
        return CheckResult("drifting sources", True, sentence, {"sources": 0.0})
    center, scale, slack, arrays = _centers(fit, draws)
    rng = np.random.default_rng(seed)
    raw = _log_middle(arrays, arrays["claim_value"]) - center
    found = {}
    for source, rows in groups.items():
        months = fit.seen.claims["end_day"].to_numpy(float)[rows] / SHARE_KNOT_DAYS
        own = {name: array[rows] for name, array in arrays.items()}
        middle, width = center[:, rows], scale[:, rows]
        room = None if slack is None else slack[:, rows]
        seen = _slope(raw[:, rows] / width, months)
        copies = np.stack([_slope(_replicate(rng, fit, own, middle, width, room), months) for _ in range(REPLICATES)])
        found[source] = (_two_sided(seen, copies), float(_slope(raw[:, rows], months).mean()))
    corrected = _holm({source: p for source, (p, _) in found.items()})
    slopes = {source: slope for source, (_, slope) in found.items()}
    numbers = {f"p[{source}]": p for source, p in corrected.items()}
    numbers |= {f"slope[{source}]": slope for source, slope in slopes.items()}
    flagged = sorted((p, source) for source, p in corrected.items() if p < LEVEL)
    sentence = _sentence([source for _, source in flagged], slopes, corrected, fit.reporting.drift)
    return CheckResult("drifting sources", not flagged, sentence, numbers | {"sources": float(len(found))})


def _check_whole(draws: int, seed: int) -> None:
    problems = [
        Problem("argument", "", name, shown(value), f"a whole number of at least {least}", "Correct it.")
        for name, value, least in (("draws", draws, 1), ("seed", seed, 0))
        if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least
    ]
    if problems:
        raise InputError("The drift cannot be checked", problems)


def _sources(fit: Fit) -> dict[str, np.ndarray]:
    """Rows of the claims that entered, by source: bounded totals, three or more, not all of one day."""
    rows = fit.seen.claims.reset_index(drop=True)
    low, high = rows["interval_low"].to_numpy(float), rows["interval_high"].to_numpy(float)
    bounded = (low > 0) & np.isfinite(high)
    totals = rows.loc[rows["category"].isin((TOTAL, LOSSES)) & bounded]
    found = {}
    for source, own in totals.groupby("source", sort=False):
        if len(own) >= FEWEST and own["end_day"].nunique() > 1:
            found[str(source)] = own.index.to_numpy()
    return found


def _centers(fit: Fit, draws: int) -> tuple[np.ndarray, np.ndarray, np.ndarray | None, dict[str, np.ndarray]]:
    """Center, scale and slack (draw, claim) of every claim on thinned draws, and the model's data.

    The briefings' common errors are counted as error, not as part of the center.
    """
    arrays = {str(name): np.asarray(array.values) for name, array in fit.draws["constant_data"].data_vars.items()}
    number = arrays["claim_value"].shape[0]
    arrays |= {"claim_shared": np.zeros(number), "claim_own": np.ones(number)}
    free = fit.draws["free"]
    total = free.sizes["chain"] * free.sizes["draw"]
    kept = np.linspace(0, total - 1, min(draws, total)).round().astype(int)
    raw = {
        str(name): np.asarray(value.values).reshape(total, *value.shape[2:])[kept]
        for name, value in free.data_vars.items()
    }
    quantities = latent(lookup(raw), arrays, fit.priors, fit.curve, fit.reporting)
    center, scale = location_and_scale(quantities, arrays, fit.reporting)
    slack = claim_slack(quantities, arrays)
    claims = {name: array for name, array in arrays.items() if name in _SPEECH}
    shape = (len(kept), number)
    wide = None if slack is None else np.broadcast_to(slack, shape)
    return np.broadcast_to(center, shape), np.broadcast_to(scale, shape), wide, claims


_SPEECH = ("claim_value", "claim_form", "claim_unit", "claim_offset", "claim_origin", "claim_is_share")


def _log_middle(speech: Mapping[str, np.ndarray], stated: np.ndarray) -> np.ndarray:
    """Log of the middle of the interval that a stated value (..., claim) speaks of."""
    low, high = cell(stated, speech["claim_form"], speech["claim_unit"], speech["claim_offset"])
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.log(0.5 * (low + high)))


def _replicate(
    rng: np.random.Generator,
    fit: Fit,
    speech: Mapping[str, np.ndarray],
    center: np.ndarray,
    scale: np.ndarray,
    slack: np.ndarray | None,
) -> np.ndarray:
    """Standardised residuals (draw, claim) of statements drawn anew."""
    normal = fit.reporting.errors != "logistic"
    noise = rng.standard_normal(center.shape) if normal else rng.logistic(size=center.shape)
    steps: Any = 0.0 if slack is None else slack_steps(rng.random(center.shape), slack, np)
    form, unit, offset, origin, share = (speech[name] for name in _SPEECH[1:])
    stated = stated_value(np.exp(center + scale * noise), form, unit, offset, origin, share, np, steps)
    low, high = cell(stated, form, unit, offset)
    # a replicate may round to zero, whose log is none: it stands at half a person
    middle = np.log(np.maximum(0.5 * (low + high), 0.5))
    return np.asarray((middle - center) / scale)


def _slope(residuals: np.ndarray, months: np.ndarray) -> np.ndarray:
    """Least-squares slope of residuals (draw, claim) on time, per month."""
    time = months - months.mean()
    return np.asarray(residuals @ time / (time @ time))


def _two_sided(seen: np.ndarray, copies: np.ndarray) -> float:
    """Two-sided posterior predictive p-value of a discrepancy (draw) among its replicates (replicate, draw)."""
    above = float(np.sum(copies >= seen) + 1) / (copies.size + 1)
    below = float(np.sum(copies <= seen) + 1) / (copies.size + 1)
    return min(1.0, 2.0 * min(above, below))


def _sentence(flagged: list[str], slopes: Mapping[str, float], corrected: Mapping[str, float], allowed: bool) -> str:
    if not flagged:
        least = min(corrected, key=lambda name: corrected[name])
        beyond = "the drift that the fit allows for" if allowed else "a bias that stays"
        who = "one source agree" if len(slopes) == 1 else f"{len(slopes)} sources agree"
        return (
            f"the totals of {who} with {beyond}; least corrected p-value {corrected[least]:.2g} "
            f"({least}, {slopes[least]:+.2f} log units a month)"
        )
    words = "; ".join(
        f"{source} drifts {'up' if slopes[source] > 0 else 'down'} by {abs(slopes[source]):.2f} log units a month "
        f"(corrected p {corrected[source]:.2g})"
        for source in flagged
    )
    do = "more than the fit's drift allows for" if allowed else "a case for Reporting(drift=True)"
    return f"{words}: {do}"
