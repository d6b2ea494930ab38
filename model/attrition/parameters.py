"""A model's free parameters, declared once and read twice: as PyMC variables and as arrays of draws.

A LogNormal prior is sampled as a standard normal ``<name>_unit`` and stretched by numbers that are data, so that a
prior's numbers can change without compiling anything again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np

from .errors import InputError, Problem
from .priors import Prior, Priors

ALLOWED = {
    "positive": ("LogNormal", "HalfNormal", "Fixed"),
    "share": ("Beta", "Fixed"),
    "fixed": ("Fixed",),
    "stance": ("StanceBias",),
}


@dataclass(frozen=True)
class Parameter:
    """One free variable: its name in the model, its distribution (normal, halfnormal, beta, centered) and its dims.

    ``centered`` is normal around a mean that depends on parameters declared before it.
    """

    name: str
    family: str
    dims: tuple[str, ...] = ()
    prior: str = ""


def numbers(prior: Prior) -> np.ndarray:
    """Numbers of a prior on the scale on which the model uses them."""
    values = prior.numbers
    if prior.family == "LogNormal":
        return np.array([np.log(values["median"]), values["sd_log"]])
    if prior.family == "StanceBias":
        return np.array([values["mean"], values["mean_sd"]])
    return np.array(list(values.values()), dtype=float)


def declare(priors: Priors, name: str, kind: str) -> list[Parameter]:
    """Free parameters (none or one) of a scalar prior.

    Raises
    ------
    InputError
        If the prior's family cannot serve here.
    """
    family = priors[name].family
    if family not in ALLOWED[kind]:
        expected = " or ".join(ALLOWED[kind])
        raise InputError(
            "The priors cannot be used", [Problem("priors", name, "family", family, expected, "Change it.")]
        )
    if family == "LogNormal":
        return [Parameter(f"{name}_unit", "normal", prior=name)]
    if family == "HalfNormal":
        return [Parameter(f"{name}_unit", "halfnormal", prior=name)]
    if family == "Beta":
        return [Parameter(name, "beta", prior=name)]
    return []


def value(name: str, priors: Priors, raw: Mapping[str, Any], data: Mapping[str, Any], xp: ModuleType) -> Any:
    """Quantity of a scalar prior, from its free parameter and its numbers."""
    family, given = priors[name].family, data[f"prior_{name}"]
    if family == "LogNormal":
        return xp.exp(given[0] + given[1] * raw[f"{name}_unit"])
    if family == "HalfNormal":
        return given[0] * raw[f"{name}_unit"]
    return raw[name] if family == "Beta" else given[0]
