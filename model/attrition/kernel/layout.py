"""Where everything stands for compiled code: the free parameters in one vector, the data in two.

The model's text (``latent``) is run once with a take that notes each free parameter; the containers are laid end to end. So
sizes, families and options are numbers that compiled code reads: one compilation serves every record.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..containers import COMMON_PRIORS, CONTAINERS, check
from ..curves import DATE_SDS, KNOT_DAYS, Curve
from ..errors import InputError, Problem
from ..latent import latent
from ..normal import distribution
from ..observations import KILLED_SHARE, SIZE
from ..parameters import Parameter
from ..priors import Priors
from ..reporting import SLACK_CELLS, Reporting
from ..rounding import POINT, cell
from .forms import CONSTANT, PHASED, form_of
from .interval import ABOVE, AT, BELOW, BOUNDED, CERTAIN, IMPOSSIBLE

CLAIMS_A_KNOT = 1.5  # from how many on the log rate at a knot is the better coordinate
SD_IN_ERRORS = 4.0  # from which sd of the log rate on, in errors of claims
FIXED, LOG_NORMAL, HALF_NORMAL, BETA, NORMAL = range(5)
FAMILY = {"Fixed": FIXED, "LogNormal": LOG_NORMAL, "HalfNormal": HALF_NORMAL, "Beta": BETA, "Normal": NORMAL}

# Scalar quantities, by the names of their priors: each has a family, a place among the parameters and two numbers.
SCALARS = (
    "contingent_size",
    "claim_error",
    "claim_error_killed",
    "deployed_error",
    "present_error",
    "movement_error",
    "constant_rate",
    "rate_half_life",
    "long_run_fraction",
    "rate_sd",
    "captured_ratio",
    "missing_ratio",
    "evacuated_fraction",
    "return_fraction",
    "return_delay",
    "killed_share",
    "killed_share_walk_sd",
    "source_drift_sd",
    "adversary_intensity",
)
# Free parameters that are not scalar quantities.
BLOCKS = (
    "rate_first_unit",
    "rate_unit",
    "phase_day_unit",
    "phase_rate_unit",
    "wave_size_unit",
    "wave_day_unit",
    "share_unit",
    "stance_unit",
    "source_group_unit",
    "source_deployed_unit",
    "source_lag_unit",
    "source_own_shifted",
    "source_killed_shifted",
    "floor_slack",
    "drift_unit",
    "briefing_unit",
    "month_unit",
)
OPTIONS = ("form", "normal", "truncate", "same_error", "dims", "days", "claims", "centred")
CELLS = ("cell_log_low", "cell_log_high", "cell_log_width", "cell_constant", "claim_place")
CELL_INDICES = ("cell_kind", "claim_first_cell", "claim_cells")
NUMBERS = tuple(c.name for c in CONTAINERS if c.dtype == "float64") + CELLS + ("knot_since",)
INDICES = tuple(c.name for c in CONTAINERS if c.dtype == "int64") + CELL_INDICES + ("knot_phase",)

# The vector of integers begins with a directory: the options, then for each block, number vector and index vector its
# first place and its length, then the scalars' families and places.
OPTION = {name: place for place, name in enumerate(OPTIONS)}
BLOCK = {name: len(OPTIONS) + 2 * place for place, name in enumerate(BLOCKS)}
NUMBER = {name: len(OPTIONS) + 2 * (len(BLOCKS) + place) for place, name in enumerate(NUMBERS)}
INDEX = {name: len(OPTIONS) + 2 * (len(BLOCKS) + len(NUMBERS) + place) for place, name in enumerate(INDICES)}
SCALAR = {name: place for place, name in enumerate(SCALARS)}
FIRST_SCALAR = len(OPTIONS) + 2 * (len(BLOCKS) + len(NUMBERS) + len(INDICES))
DIRECTORY = FIRST_SCALAR + 2 * len(SCALARS)


@dataclass(frozen=True, eq=False)
class Layout:
    """A model and its data as compiled code reads them.

    Attributes
    ----------
    parameters
        (parameter, shape, first place) in the order in which the model takes them.
    numbers, indices
        The data.
    dims
        Number of free parameters.
    constant
        Part of the log density that does not depend on the parameters.
    """

    parameters: tuple[tuple[Parameter, tuple[int, ...], int], ...]
    numbers: np.ndarray
    indices: np.ndarray
    dims: int
    constant: float


def lay_out(
    arrays: Mapping[str, np.ndarray],
    sizes: Mapping[str, int],
    priors: Priors,
    curve: Curve,
    reporting: Reporting,
    likelihood: bool = True,
) -> Layout:
    """Lay a model and its data out for compiled code.

    Parameters
    ----------
    arrays
        From ``containers``.
    sizes
        Length of each dim of the free parameters.
    priors, curve, reporting
        As the arrays were made with.
    likelihood
        False leaves the claims out.

    Raises
    ------
    InputError
        If an array is missing, or does not fit the others: compiled code would not notice but crash.
    """
    _check_complete(arrays, sizes, priors, curve, reporting)
    parameters = _parameters(arrays, sizes, priors, curve, reporting)
    places = {parameter.name: (first, int(np.prod(shape))) for parameter, shape, first in parameters}
    dims = sum(length for _, length in places.values())
    knots = places.get("rate_unit", (0, 0))[1]
    data = {**arrays, **_cells(arrays), **_knots(arrays, knots)}
    numbers, indices = [np.zeros(0)], [np.zeros(0, dtype=np.int64)]
    directory = np.zeros(DIRECTORY, dtype=np.int64)
    options = {
        "form": form_of(curve),
        "normal": reporting.errors == "normal",
        "truncate": reporting.truncate,
        "same_error": priors["claim_error_killed"].family == "SameAsTotals",
        "dims": dims,
        "days": arrays["day_arrived"].shape[0],
        "claims": arrays["claim_value"].shape[0] if likelihood else 0,
        "centred": _centred(arrays) if knots and _moves_much(priors) else 0,
    }
    for name, value in options.items():
        directory[OPTION[name]] = value
    for name, at in BLOCK.items():
        directory[at : at + 2] = places.get(name, (0, 0))
    for register, parts, dtype, start in ((NUMBER, numbers, float, 0), (INDEX, indices, np.int64, DIRECTORY)):
        place = start
        for name, at in register.items():
            flat = np.asarray(data.get(name, ()), dtype=dtype).ravel()
            directory[at : at + 2] = place, flat.size
            parts.append(flat)
            place += flat.size
    scalars = np.zeros((len(SCALARS), 2))
    for name, number in SCALAR.items():
        at = FIRST_SCALAR + 2 * number
        if f"prior_{name}" not in arrays or priors[name].family not in FAMILY:
            continue
        given = arrays[f"prior_{name}"]
        scalars[number, : given.size] = given
        directory[at] = FAMILY[priors[name].family]
        directory[at + 1] = _place_of_scalar(name, places)
    flat_numbers = np.concatenate([scalars.ravel(), *numbers])
    shift = scalars.size
    for at in NUMBER.values():
        directory[at] += shift
    constant = _constant(arrays, parameters)
    return Layout(parameters, flat_numbers, np.concatenate([directory, *indices]), dims, constant)


def _check_complete(
    arrays: Mapping[str, np.ndarray], sizes: Mapping[str, int], priors: Priors, curve: Curve, reporting: Reporting
) -> None:
    """Refuse arrays that are not all there or do not fit: nothing after this looks again."""
    form = form_of(curve)
    unused = {
        "wave": not sizes.get("wave"),
        "month": not sizes.get("month"),
        "briefing": not sizes.get("briefing"),
        "drift": not reporting.drift,
        "intensity": not reporting.intensity,
        "slack": reporting.floors != "slack",
        "phase": form != PHASED,
        "knot": form == CONSTANT,
    }
    own_names = {f"prior_{name}" for name in (*curve.prior_names(), *reporting.prior_names())}
    problems = []
    for container in CONTAINERS:
        name = container.name
        optional = {group for group in unused if group in name.split("_") or group in container.dims}
        optional |= {"month"} if name == "claim_span" else set()
        optional |= {"briefing"} if name == "claim_shared" else set()
        if any(unused[group] for group in optional) or (name == "day_share" and form == PHASED):
            continue
        if name.startswith("prior_") and name not in own_names and name.removeprefix("prior_") not in COMMON_PRIORS:
            continue
        if name not in arrays:
            problems.append(Problem("data", "", name, "nothing", "an array", "Build the data with containers()."))
    if problems:
        raise InputError("The data do not fit the model", problems)
    check(arrays, {dim: size for dim, size in sizes.items() if dim != "source_kind"})


def _place_of_scalar(name: str, places: Mapping[str, tuple[int, int]]) -> int:
    for end in ("unit", "drawn"):
        if f"{name}_{end}" in places:
            return places[f"{name}_{end}"][0]
    return -1


def _parameters(
    arrays: Mapping[str, np.ndarray], sizes: Mapping[str, int], priors: Priors, curve: Curve, reporting: Reporting
) -> tuple[tuple[Parameter, tuple[int, ...], int], ...]:
    """Free parameters in the order in which the model takes them."""
    found: list[tuple[Parameter, tuple[int, ...], int]] = []

    def take(parameter: Parameter, mean: Any) -> np.ndarray:
        shape = tuple(sizes[dim] for dim in parameter.dims)
        first = found[-1][2] + int(np.prod(found[-1][1])) if found else 0
        found.append((parameter, shape, first))
        return np.full(shape, 0.5)

    latent(take, arrays, priors, curve, reporting)
    return tuple(found)


def _cells(arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Intervals of every claim's estimate: its own, and for a floor with slack those above it; logs of shares are logits."""
    value, form, unit, offset = (arrays[f"claim_{name}"] for name in ("value", "form", "unit", "offset"))
    share = arrays["claim_is_share"] > 0.5
    slack = arrays.get("claim_slack", np.zeros(len(value))) > 0.0
    counts = np.where(slack, SLACK_CELLS, 1)
    owner = np.repeat(np.arange(len(value)), counts)
    first = np.cumsum(counts) - counts
    step = np.arange(len(owner)) - first[owner]
    low, high = cell(value[owner] + step * unit[owner], form[owner], unit[owner], offset[owner])
    is_share, point = share[owner], form[owner] == POINT
    low, high = _odds(low, is_share), _odds(high, is_share)
    never, no_low, no_high = np.isinf(low), low <= 0.0, np.isinf(high)
    kind = np.where(no_low & no_high, CERTAIN, np.where(no_high, ABOVE, np.where(no_low, BELOW, BOUNDED)))
    kind = np.where(point, AT, np.where(never, IMPOSSIBLE, kind))
    low_ = np.where(no_low | never, 1.0, low)
    high_ = np.where(no_high, 2.0 * low_, high)
    width = np.where((kind == BOUNDED), (high_ - low_) / low_, 1.0)
    jacobian = np.where(is_share, 2.0 * np.log1p(low_), 0.0) - np.log(low_)
    return {
        "cell_log_low": np.where(kind == BELOW, np.log(high_), np.log(low_)),
        "cell_log_high": np.log(high_),
        "cell_log_width": np.log1p(width),
        "cell_constant": np.where(kind == AT, jacobian, 0.0),
        "cell_kind": kind,
        "claim_first_cell": first,
        "claim_cells": counts,
        "claim_place": np.floor((value - arrays["claim_origin"]) / unit + 0.5),
    }


def _knots(arrays: Mapping[str, np.ndarray], knots: int) -> dict[str, np.ndarray]:
    """Phase from whose level the rate at each knot after the first reverts, and the days since its start; -1: none."""
    place = np.arange(1, knots + 1)
    if "phase_left" not in arrays or not knots:
        return {"knot_phase": np.full(knots, -1), "knot_since": np.zeros(knots)}
    start = arrays["phase_left"] + arrays["phase_weight"]
    begun = (arrays["phase_known"] != 0.0) & (start <= place[:, None])
    last = begun.shape[1] - 1 - np.argmax(begun[:, ::-1], axis=1)
    reverting = begun.any(axis=1) & (arrays["phase_reverts"][last] != 0.0)
    since = KNOT_DAYS * (place - start[last])
    return {"knot_phase": np.where(reverting, last, -1), "knot_since": np.where(reverting, since, 0.0)}


def _centred(arrays: Mapping[str, np.ndarray]) -> int:
    """Number of first knots over which there are claims about losses enough that they inform the rate at each."""
    about_losses = (arrays["claim_category"] < SIZE) & (arrays["claim_category"] != KILLED_SHARE)
    days = len(arrays["knot_left"])
    last_day = np.clip(np.ceil(arrays["claim_end"][about_losses]) - 1.0, 0, days - 1).astype(np.int64)
    until = np.sort(arrays["knot_left"][last_day] + 1)
    enough = np.arange(1, until.size + 1) >= CLAIMS_A_KNOT * until
    return int(until[enough].max(initial=0))


def _moves_much(priors: Priors) -> bool:
    """Whether the rate moves by much more than claims err: where it does not, innovations are the better coordinates."""
    rate, error = (
        next(priors[name].numbers[number] for number in ("median", "scale", "value") if number in priors[name].numbers)
        for name in ("rate_sd", "claim_error")
    )
    return bool(rate >= SD_IN_ERRORS * error)


def _odds(value: np.ndarray, is_share: np.ndarray) -> np.ndarray:
    certain = value >= 1.0
    odds = np.where(certain, np.inf, value / np.where(certain, 1.0, 1.0 - value))
    return np.where(is_share, odds, value)


def _constant(
    arrays: Mapping[str, np.ndarray], parameters: tuple[tuple[Parameter, tuple[int, ...], int], ...]
) -> float:
    """Normalising constants of all priors."""
    total = 0.0
    for parameter, shape, _ in parameters:
        number = int(np.prod(shape))
        if parameter.family == "normal":
            total -= 0.5 * np.log(2.0 * np.pi) * number
        elif parameter.family == "halfnormal":
            total += 0.5 * np.log(2.0 / np.pi) * number
        elif parameter.family == "beta":
            a, b = arrays[f"prior_{parameter.prior}"]
            total -= (math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)) * number
        elif parameter.family == "date":
            latest = arrays[parameter.prior]
            inside = distribution(latest) - distribution(-DATE_SDS)
            total += float(np.sum(np.log(latest + DATE_SDS) - 0.5 * np.log(2.0 * np.pi) - np.log(inside)))
    return float(total)
