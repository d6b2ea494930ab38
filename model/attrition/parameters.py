"""A model's free parameters, taken one by one as the model is written down.

The model is a program that *takes* each free parameter (``Take``). Building the graph, a take makes a PyMC variable; reading
draws, it looks the parameter up; simulating, it draws from the prior. So the model is written once.

A LogNormal prior is sampled as a standard normal ``<name>_unit`` and stretched by numbers that are data: a prior's numbers
can change without compiling anything again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np

from .errors import InputError, Problem
from .priors import Prior, Priors

NO_LAG = 1e-9
ALLOWED = {"positive": ("LogNormal", "HalfNormal", "Fixed"), "share": ("Beta", "Fixed"), "real": ("Normal", "Fixed")}


@dataclass(frozen=True)
class Parameter:
    """One free variable: its name in the model, its distribution, dims and prior.

    The distribution is normal, halfnormal, beta, uniform (0 to 1), or date (a normal truncated at the report of the event).

    A normal one has unit sd and a mean that may depend on parameters taken before it: a shift, of Jacobian 1, that leaves
    the model as it is and serves the sampler.
    """

    name: str
    family: str = "normal"
    dims: tuple[str, ...] = ()
    prior: str = ""


type Take = Callable[[Parameter, Any], Any]


def numbers(prior: Prior) -> np.ndarray:
    """Numbers of a prior on the scale on which the model uses them."""
    values = prior.numbers
    if prior.family == "LogNormal":
        return np.array([np.log(values["median"]), values["sd_log"]])
    if prior.name.startswith("lag_"):
        return np.array([np.log(max(values["value"], NO_LAG)), 0.0])
    if prior.family == "StanceBias":
        return np.array([values["mean"], values["mean_sd"]])
    return np.array(list(values.values()), dtype=float)


def scalar(name: str, kind: str, priors: Priors, take: Take, data: Mapping[str, Any], xp: ModuleType) -> Any:
    """Take the quantity of a scalar prior: from its free parameter, if it has one, and its numbers.

    Raises
    ------
    InputError
        If the prior's family cannot serve here.
    """
    family, given = priors[name].family, data[f"prior_{name}"]
    if family not in ALLOWED[kind]:
        expected = " or ".join(ALLOWED[kind])
        problem = Problem("priors", name, "family", family, expected, "Change it.")
        raise InputError("The priors cannot be used", [problem])
    if family == "LogNormal":
        return xp.exp(given[0] + given[1] * take(Parameter(f"{name}_unit", prior=name), 0.0))
    if family == "HalfNormal":
        return given[0] * take(Parameter(f"{name}_unit", "halfnormal", prior=name), 0.0)
    if family == "Beta":
        return take(Parameter(f"{name}_drawn", "beta", prior=name), 0.0)
    if family == "Normal":
        return given[0] + given[1] * take(Parameter(f"{name}_unit", prior=name), 0.0)
    return given[0]
