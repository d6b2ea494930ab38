"""How a source reports: log X = log M + bias + error, of which we read a rounded or bounded version.

``log_probability`` gives the probability of the stated value's cell, in closed form for logistic errors; ``claim_variable``
makes it a PyMC distribution with logp and a symbolic random draw.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np

from .errors import InputError, Problem, shown
from .rounding import POINT, cell, state

LOGISTIC_SCALE = math.sqrt(3.0) / math.pi
ERRORS = ("logistic", "normal")
FLOORS = ("slack", "cell")
SLACK_CELLS = 8
NEVER = -1e30


@dataclass(frozen=True)
class Reporting:
    """Choices of the reporting model.

    Attributes
    ----------
    errors
        ``logistic`` (heavier tails, exact interval probabilities) or ``normal``; ``claim_error`` is an sd in both.
    floors
        What "over 3,000" says: ``slack``, that the source's own estimate lies in that cell of its grid or, with geometrically
        falling probability, some cells above; ``cell``, that it lies in that cell (3,000 to 4,000).
    drift
        Let the bias of each source move over time, as a random walk over the dates of its own claims.
    intensity
        Let an adversary's bias rise with the log of the daily rate.
    partial_floors
        Take figures for one engagement or one unit as lower bounds on the losses of their window.
    min_persons
        Claims whose stated interval ends below this are set aside: counting noise is not negligible there.
    truncate
        Nobody is lost twice: losses never pass arrivals; and a force seen fighting at the vintage is not depleted yet.
    """

    errors: str = "logistic"
    floors: str = "slack"
    drift: bool = False
    intensity: bool = False
    partial_floors: bool = False
    min_persons: float = 50.0
    truncate: bool = True

    def __post_init__(self) -> None:
        for column, allowed in (("errors", ERRORS), ("floors", FLOORS)):
            got = getattr(self, column)
            if got not in allowed:
                problem = Problem("reporting", "", column, shown(got), " or ".join(allowed), "Use one.")
                raise InputError("The reporting model cannot be used", [problem])

    def prior_names(self) -> tuple[str, ...]:
        """Names of the priors that the chosen options need."""
        chosen = {
            "floor_slack": self.floors == "slack",
            "source_drift_sd": self.drift,
            "adversary_intensity": self.intensity,
        }
        return tuple(name for name, used in chosen.items() if used)


def softplus(x: Any, xp: ModuleType) -> Any:
    """Return log(1 + exp(x)) without overflow."""
    return np.logaddexp(0.0, x) if xp is np else xp.softplus(x)


def _log_ndtr(x: Any, xp: ModuleType) -> Any:
    if xp is np:
        from scipy import special
    else:
        special = xp
    left = xp.minimum(x, -1.0)
    right = xp.maximum(x, -1.0)
    far = xp.log(special.erfcx(-left / math.sqrt(2.0)) / 2.0) - left**2 / 2.0
    return xp.where(x < -1.0, far, xp.log1p(-special.erfc(right / math.sqrt(2.0)) / 2.0))


def _log_normal_cell(below: Any, above: Any, width: Any, xp: ModuleType) -> Any:
    """Log of Phi(above) - Phi(below), both finite, in the tail that resolves it; ``width`` is above - below, exact."""
    flip = below + above > 0.0
    upper = xp.where(flip, -below, above)
    lower = xp.where(flip, -above, below)
    middle = (below + above) / 2.0
    narrow = width * (1.0 + abs(middle)) < 1e-2
    small = xp.where(narrow, width, 1e-3)
    density = -(middle**2) / 2.0 - 0.5 * math.log(2.0 * math.pi)
    thin = density + xp.log(small) + xp.log1p(small**2 * (xp.where(narrow, middle, 0.0) ** 2 - 1.0) / 24.0)
    top = _log_ndtr(xp.where(narrow, 0.0, upper), xp)
    bottom = _log_ndtr(xp.where(narrow, -1.0, lower), xp)
    wide = top + xp.log(-xp.expm1(bottom - top))
    return xp.where(narrow, thin, wide)


def log_probability(
    stated: Any,
    mu: Any,
    scale: Any,
    form: Any,
    unit: Any,
    offset: Any,
    errors: str,
    xp: ModuleType,
    is_share: Any = 0.0,
) -> Any:
    """Log probability of a stated value (of its density, for a point claim).

    Parameters
    ----------
    stated, form, unit, offset : (claim,)
        The value and how it was stated (``rounding.form_of``).
    mu : (..., claim)
        Log of the latent quantity plus the source's bias; of a share, its logit.
    scale : (..., claim)
        Scale of the error on that scale (logistic: sd * sqrt(3) / pi; normal: sd).
    errors
        ``logistic`` or ``normal``.
    xp
        Array module.
    is_share : (claim,)
        1 where the value is a share: its ends are read as odds, whose log is the logit.

    Notes
    -----
    With standardised ends zl < zh and ``w = log1p((high - low) / low) / scale`` from the numbers themselves,
    log P = log(-expm1(-w)) - softplus(-zh) - softplus(zl). Infinite or zero ends are masked before the arithmetic, or
    their gradients would be NaN.
    """
    low, high = cell(stated, form, unit, offset, xp)
    low, high = _odds(low, is_share, xp), _odds(high, is_share, xp)
    point = abs(form - POINT) < 0.5
    no_low, no_high, never = low <= 0.0, xp.isinf(high), xp.isinf(low)
    bounded = ~(no_low | no_high | point)
    low_ = xp.where(no_low | never, 1.0, low)
    high_ = xp.where(no_high, 2.0 * low_, high)
    z_low = (xp.log(low_) - mu) / scale
    z_high = (xp.log(high_) - mu) / scale
    width = xp.log1p(xp.where(bounded, (high_ - low_) / low_, 1.0)) / scale
    if errors == "logistic":
        inside = xp.log(-xp.expm1(-width)) - softplus(-z_high, xp) - softplus(z_low, xp)
        above, under = -softplus(z_low, xp), -softplus(-z_high, xp)
        density = -z_low - 2.0 * softplus(-z_low, xp) - xp.log(scale)
    else:
        inside = _log_normal_cell(
            xp.where(bounded, z_low, 0.0),
            xp.where(bounded, z_low + width, 1.0),
            xp.where(bounded, width, 1.0),
            xp,
        )
        above, under = _log_ndtr(-z_low, xp), _log_ndtr(z_high, xp)
        density = -(z_low**2) / 2.0 - 0.5 * math.log(2.0 * math.pi) - xp.log(scale)
    one_sided = xp.where(no_low & no_high, 0.0, xp.where(no_high, above, under))
    log_jacobian = xp.where(is_share > 0.5, 2.0 * xp.log1p(low_), 0.0)
    one_sided = xp.where(never, NEVER, one_sided)
    return xp.where(point, density - xp.log(low_) + log_jacobian, xp.where(bounded, inside, one_sided))


def _odds(value: Any, is_share: Any, xp: ModuleType) -> Any:
    """Odds of a share; 1 and more are infinite. Numbers that are no shares stay as they are."""
    certain = value >= 1.0
    odds = xp.where(certain, np.inf, value / xp.where(certain, 1.0, 1.0 - value))
    return xp.where(is_share > 0.5, odds, value)


def log_probability_with_slack(
    stated: Any,
    mu: Any,
    scale: Any,
    form: Any,
    unit: Any,
    offset: Any,
    errors: str,
    xp: ModuleType,
    origin: Any,
    slack: Any,
    is_share: Any = 0.0,
) -> Any:
    """Log probability of a stated value where floors have slack.

    Parameters
    ----------
    stated, mu, scale, form, unit, offset, errors, xp, is_share
        As in ``log_probability``.
    origin : (claim,)
        Part of the value that is not on the grid through zero.
    slack : (..., claim)
        Chance q of one more unit of slack; 0 where a claim has none.

    Notes
    -----
    A source whose estimate lies in cell j of its grid states the lower end of cell j - k, with k = 0, 1, ... at
    probabilities proportional to q**k up to 7, but never one below the first cell: there all larger slacks end. Over the
    values that can be stated the probabilities add up to 1, and q = 0 is the plain cell.
    """
    plain = log_probability(stated, mu, scale, form, unit, offset, errors, xp, is_share)
    rows = _rows_with_slack(slack, xp)
    value, start, step = stated[rows][:, None], origin[rows][:, None], unit[rows][:, None]
    q = slack[..., rows][..., None]
    steps = np.arange(SLACK_CELLS)
    place = xp.floor((value - start) / step + 0.5)
    norm = -xp.expm1(SLACK_CELLS * xp.log(q))
    exactly = (1.0 - q) * q**steps / norm
    at_least = (q**steps - q**SLACK_CELLS) / norm
    only = xp.where(steps == 0, 1.0, 0.0)
    weight = xp.where(abs(place) < 0.5, at_least, xp.where(place < -0.5, only, exactly))
    cells = log_probability(
        value + steps * step,
        mu[..., rows][..., None],
        scale[..., rows][..., None],
        form[rows][:, None],
        step,
        offset[rows][:, None],
        errors,
        xp,
        (is_share + 0.0 * stated)[rows][:, None],
    )
    with_slack = _logsumexp(xp.where(weight > 0.0, xp.log(xp.where(weight > 0.0, weight, 1.0)), NEVER) + cells, xp)
    if xp is not np:
        return xp.set_subtensor(plain[rows], with_slack)
    plain = np.array(plain)
    plain[..., rows] = with_slack
    return plain


def _rows_with_slack(slack: Any, xp: ModuleType) -> Any:
    """Claims that have slack: only for them are cells above the stated one worked out."""
    if xp is not np:
        return xp.flatnonzero(slack > 0.0)
    return np.flatnonzero(np.any(np.reshape(slack > 0.0, (-1, np.shape(slack)[-1])), axis=0))


def _logsumexp(x: Any, xp: ModuleType) -> Any:
    if xp is np:
        return np.logaddexp.reduce(x, axis=-1)
    return xp.logsumexp(x, axis=-1)


def stated_value(
    estimate: Any, form: Any, unit: Any, offset: Any, origin: Any, is_share: Any, xp: ModuleType, steps: Any = 0.0
) -> Any:
    """Value that a source states of its own estimate (odds, for a share), ``steps`` units of slack below its cell."""
    number = xp.where(is_share > 0.5, estimate / (1.0 + estimate), estimate)
    value = state(number, form, unit, offset, origin, xp)
    least = xp.minimum(value, origin)
    return xp.where(steps > 0.5, xp.maximum(value - steps * unit, least), value)


def slack_steps(uniform: Any, slack: Any, xp: ModuleType) -> Any:
    """Units of slack from uniform numbers: geometric, cut at the largest that the model allows; 0 without slack."""
    has = slack > 0.0
    log_q = xp.log(xp.where(has, slack, 0.5))
    steps = xp.floor(xp.log1p(uniform * xp.expm1(SLACK_CELLS * log_q)) / log_q)
    return xp.where(has, xp.minimum(steps, SLACK_CELLS - 1.0), 0.0)


def claim_variable(name: str, mu: Any, scale: Any, slack: Any, data: dict[str, Any], errors: str) -> Any:
    """Register the stated values as a PyMC distribution with logp and a symbolic draw (dims: claim).

    ``slack`` is None where floors have none.
    """
    import pymc as pm
    import pytensor.tensor as pt

    def logp(
        stated: Any, mu: Any, scale: Any, form: Any, unit: Any, offset: Any, origin: Any, share: Any, *q: Any
    ) -> Any:
        if q:
            return log_probability_with_slack(stated, mu, scale, form, unit, offset, errors, pt, origin, q[0], share)
        return log_probability(stated, mu, scale, form, unit, offset, errors, pt, share)

    def draw(mu: Any, scale: Any, form: Any, unit: Any, offset: Any, origin: Any, share: Any, *q_and_size: Any) -> Any:
        *q, size = q_and_size
        family = pm.Logistic if errors == "logistic" else pm.Normal
        estimate = pt.exp(family.dist(mu, scale, size=size))
        steps = slack_steps(pm.Uniform.dist(0.0 * q[0], 1.0, size=size), q[0], pt) if q else 0.0 * estimate
        return stated_value(estimate, form, unit, offset, origin, share, pt, steps)

    settings = [data[f"claim_{part}"] for part in ("form", "unit", "offset", "origin", "is_share")]
    settings += [] if slack is None else [slack]
    return pm.CustomDist(name, mu, scale, *settings, dist=draw, logp=logp, observed=data["claim_value"], dims="claim")
