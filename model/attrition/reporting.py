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


@dataclass(frozen=True)
class Reporting:
    """Choices of the reporting model.

    Attributes
    ----------
    errors
        ``logistic`` (heavier tails, exact interval probabilities) or ``normal``; ``claim_error`` is an sd in both.
    min_persons
        Claims whose stated interval ends below this are set aside: counting noise is not negligible there.
    truncate
        Condition on a force seen fighting at the vintage: gross loss by then below the contingent's size.
    """

    errors: str = "logistic"
    min_persons: float = 50.0
    truncate: bool = True

    def __post_init__(self) -> None:
        if self.errors not in ERRORS:
            problem = Problem("reporting", "", "errors", shown(self.errors), " or ".join(ERRORS), "Use one.")
            raise InputError("The reporting model cannot be used", [problem])


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
    stated: Any, mu: Any, scale: Any, form: Any, unit: Any, offset: Any, errors: str, xp: ModuleType
) -> Any:
    """Log probability of a stated value (of its density, for a point claim).

    Parameters
    ----------
    stated, form, unit, offset : (claim,)
        The value and how it was stated (``rounding.form_of``).
    mu : (..., claim)
        Log of the latent quantity plus the source's bias.
    scale : (..., claim)
        Scale of the error on the log scale (logistic: sd * sqrt(3) / pi; normal: sd).
    errors
        ``logistic`` or ``normal``.
    xp
        Array module.

    Notes
    -----
    With standardised ends zl < zh and ``w = log1p((high - low) / low) / scale`` from the numbers themselves,
    log P = log(-expm1(-w)) - softplus(-zh) - softplus(zl). Infinite or zero ends are masked before the arithmetic, or
    their gradients would be NaN.
    """
    low, high = cell(stated, form, unit, offset, xp)
    point = abs(form - POINT) < 0.5
    no_low, no_high = low <= 0.0, xp.isinf(high)
    bounded = ~(no_low | no_high | point)
    low_ = xp.where(no_low, 1.0, low)
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
    return xp.where(point, density - xp.log(low_), xp.where(bounded, inside, one_sided))


def claim_variable(name: str, mu: Any, scale: Any, data: dict[str, Any], errors: str) -> Any:
    """Register the stated values as a PyMC distribution with logp and a symbolic draw (dims: claim)."""
    import pymc as pm
    import pytensor.tensor as pt

    def logp(stated: Any, mu: Any, scale: Any, form: Any, unit: Any, offset: Any, origin: Any) -> Any:
        return log_probability(stated, mu, scale, form, unit, offset, errors, pt)

    def draw(mu: Any, scale: Any, form: Any, unit: Any, offset: Any, origin: Any, size: Any) -> Any:
        family = pm.Logistic if errors == "logistic" else pm.Normal
        return state(pt.exp(family.dist(mu, scale, size=size)), form, unit, offset, origin, pt)

    settings = (data["claim_form"], data["claim_unit"], data["claim_offset"], data["claim_origin"])
    return pm.CustomDist(name, mu, scale, *settings, dist=draw, logp=logp, observed=data["claim_value"], dims="claim")
