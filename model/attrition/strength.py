"""Who is there: arrivals by day, wounded who come back, and what is lost beside the killed and wounded."""

from __future__ import annotations

from collections.abc import Mapping
from types import ModuleType
from typing import Any

from .parameters import Parameter, Take, scalar
from .priors import Priors
from .reporting import softplus
from .running import at

SHARPNESS = 16.0
ARRIVAL_DAYS = 7.0  # a reinforcement comes in over the days before its date
TINY = 1e-9


def strength(
    take: Take, data: Mapping[str, Any], priors: Priors, q: Mapping[str, Any], xp: ModuleType
) -> dict[str, Any]:
    """Named quantities of the strength.

    Returns
    -------
    dict
        ``captured_ratio`` and ``missing_ratio`` per casualty (0 where nobody gives a figure), ``wave_size`` and ``wave_day``
        (wave), ``arrivals`` (day), ``evacuated_fraction``, ``return_fraction`` and ``return_delay``.
    """

    def one(name: str, kind: str) -> Any:
        return scalar(name, kind, priors, take, data, xp)

    found = {
        "captured_ratio": data["other_claimed"][0] * one("captured_ratio", "positive"),
        "missing_ratio": data["other_claimed"][1] * one("missing_ratio", "positive"),
        "evacuated_fraction": one("evacuated_fraction", "share"),
        "return_fraction": one("return_fraction", "share"),
        "return_delay": one("return_delay", "positive"),
    }
    arrivals = q["contingent_size"][..., None] * data["day_arrived"]
    if "wave_known" in data:
        unit = take(Parameter("wave_size_unit", dims=("wave",)), 0.0)
        found["wave_size"] = xp.exp(data["wave_log_size"][:, 0] + data["wave_log_size"][:, 1] * unit)
        late = take(Parameter("wave_day_unit", "date", ("wave",), prior="wave_latest"), 0.0)
        found["wave_day"] = data["wave_date"] + data["wave_sd"] * late
        since = data["day_number"][:, None] + 1.0 - found["wave_day"][..., None, :]
        there = xp.clip(1.0 + (since - 1.0) / ARRIVAL_DAYS, 0.0, 1.0)
        size = data["wave_known"] * found["wave_size"]
        arrivals = arrivals + xp.sum(there * size[..., None, :], axis=-1)
    return {**found, "arrivals": arrivals}


def gross(total: Any, q: Mapping[str, Any]) -> Any:
    """Killed, wounded, captured and missing, of a total of killed and wounded (..., day or place)."""
    return total * (1.0 + q["captured_ratio"] + q["missing_ratio"])[..., None]


def returned(wounded: Any, place: Any, q: Mapping[str, Any], xp: ModuleType) -> Any:
    """Wounded who are back on duty by some places, of a running total of wounded (..., day)."""
    back = (1.0 - q["evacuated_fraction"]) * q["return_fraction"]
    return back[..., None] * at(wounded, place - q["return_delay"][..., None], xp)


def absorbed(intended: Any, q: Mapping[str, Any], xp: ModuleType) -> Any:
    """Killed and wounded so far (..., day), of what the rate alone would add up to: nobody is lost twice.

    A smooth minimum of the intended loss and of all who have arrived, ``(x**-m + a**-m)**(-1 / m)`` with m = 16: 0.2% below
    the intended loss at four fifths of the strength, 4% where both are equal, and never above the strength.
    """
    log_loss = xp.log(xp.maximum(gross(intended, q), TINY))
    excess = log_loss - xp.log(xp.maximum(q["arrivals"], TINY))
    return intended * xp.exp(-softplus(SHARPNESS * excess, xp) / SHARPNESS)


def log_room(q: Mapping[str, Any], xp: ModuleType) -> Any:
    """Least log ratio of arrivals to the intended gross loss over the days: negative where more were lost than had come."""
    lost = xp.maximum(gross(q["intended_loss"], q), TINY)
    return xp.min(xp.log(xp.maximum(q["arrivals"], TINY)) - xp.log(lost), axis=-1)
