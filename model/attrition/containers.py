"""The graph's data containers: their names, dims, dtypes and order, in this one place.

Everything that depends on the record, the vintage, the campaign or a prior's numbers enters the model through them, so
one compiled model serves every refit of the same sizes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .campaign import Campaign
from .coding import SOURCE_KINDS
from .curves import Curve, knot_count
from .errors import InputError, Problem
from .observations import CATEGORIES, KILLED, SIZE, TOTAL, WOUNDED, Observations, source_table
from .parameters import numbers
from .priors import Priors
from .rounding import cell

FREE_DIMS = ("claim", "day")
COMMON_PRIORS = (
    "contingent_size",
    "killed_share",
    "killed_share_source_sd",
    "claim_error",
    "claim_error_killed",
    "deployed_error",
    "deployed_source_sd",
)


@dataclass(frozen=True)
class Container:
    """One data container: dims (``claim`` and ``day`` may change length at a refit), dtype and index range.

    ``below`` names what an index must stay under: ``cells`` (category x source), ``source``, ``source_kind``,
    ``category``, ``knot`` or ``days`` (length of ``day`` plus one).
    """

    name: str
    dims: tuple[str, ...]
    dtype: str = "float64"
    below: str = ""


CONTAINERS: tuple[Container, ...] = (
    *(Container(f"prior_{name}", ("prior_number",)) for name in COMMON_PRIORS),
    *(
        Container(f"prior_{name}", ("prior_number",))
        for name in ("constant_rate", "long_run_fraction", "rate_sd", "rate_half_life")
    ),
    Container("stance_prior", ("source_kind", "prior_number")),
    Container("source_stance", ("source",), "int64", "source_kind"),
    Container("source_group", ("source",), "int64", "source"),
    Container("source_group_sd", ("source",)),
    Container("source_own_sd", ("source",)),
    Container("source_killed_shift", ("source",)),
    Container("anchor_scale", ("source",)),
    Container("anchor_end", ("source",), "int64", "days"),
    Container("anchor_log_value", ("source",)),
    Container("anchor_killed", ("source",)),
    Container("phase_known", ("phase",)),
    Container("phase_date", ("phase",)),
    Container("phase_sd", ("phase",)),
    Container("phase_latest", ("phase",)),
    Container("phase_reverts", ("phase",)),
    Container("phase_log_rate", ("phase", "prior_number")),
    Container("phase_window", ("phase", "knot_with_first")),
    Container("phase_middle", ("phase",)),
    Container("phase_left", ("phase",), "int64", "knot"),
    Container("phase_weight", ("phase",)),
    Container("day_number", ("day",)),
    Container("day_share", ("day",)),
    Container("knot_left", ("day",), "int64", "knot"),
    Container("knot_weight", ("day",)),
    Container("claim_value", ("claim",)),
    Container("claim_form", ("claim",), "int64", "form"),
    Container("claim_unit", ("claim",)),
    Container("claim_offset", ("claim",)),
    Container("claim_origin", ("claim",)),
    Container("claim_category", ("claim",), "int64", "category"),
    Container("claim_cell", ("claim",), "int64", "cells"),
    Container("claim_start", ("claim",), "int64", "days"),
    Container("claim_end", ("claim",), "int64", "days"),
    Container("claim_log_days", ("claim",)),
    Container("claim_stated_error", ("claim",)),
)
BY_NAME = {container.name: container for container in CONTAINERS}

type Arrays = dict[str, np.ndarray]


def containers(seen: Observations, campaign: Campaign, priors: Priors, curve: Curve) -> Arrays:
    """Data of one model: every container that this curve uses, in order, checked.

    Parameters
    ----------
    seen
        Claims that enter, from ``observe``.
    campaign, priors, curve
        What is being depleted, what is assumed, and the form of the rate.

    Returns
    -------
    dict of arrays
        Days run from the campaign's first to the vintage.
    """
    days = np.arange(campaign.day(seen.vintage) + 1)
    known = {**_priors(priors, curve), **_sources(seen, priors), **_claims(seen, len(days))}
    known |= _anchors(known, len(days), float(priors["killed_share_source_sd"].numbers["value"]))
    known |= curve.containers(campaign, priors, days, knot_count(campaign))
    ordered = {c.name: np.ascontiguousarray(known[c.name], dtype=c.dtype) for c in CONTAINERS if c.name in known}
    check(ordered)
    return ordered


def _priors(priors: Priors, curve: Curve) -> Arrays:
    names = [*COMMON_PRIORS, *(name for name in curve.prior_names() if f"prior_{name}" in BY_NAME)]
    return {f"prior_{name}": numbers(priors[name]) for name in names}


def _sources(seen: Observations, priors: Priors) -> Arrays:
    sources = source_table(seen)
    stance = [priors[f"bias_{kind}"] for kind in SOURCE_KINDS]
    group_sd = float(priors["bias_group_sd"].numbers["value"]) * sources["several"]
    rest = np.array([p.numbers["total_sd"] ** 2 - p.numbers["mean_sd"] ** 2 for p in stance])[sources["kind"]]
    adversary = sources["kind"] == SOURCE_KINDS.index("adversary")
    return {
        "stance_prior": np.array([numbers(prior) for prior in stance]),
        "source_stance": sources["kind"],
        "source_group": sources["group"],
        "source_group_sd": np.minimum(group_sd, np.sqrt(rest)),
        "source_own_sd": np.sqrt(np.maximum(rest - group_sd**2, 0.0)),
        "source_killed_shift": adversary * float(priors["bias_killed_adversary"].numbers["value"]),
    }


def _claims(seen: Observations, days: int) -> Arrays:
    rows = seen.claims.to_dict("records")
    slots = {name: slot for slot, (name, _, _) in enumerate(seen.sources)}
    spoken = np.array([row["spoken"] for row in rows], dtype=float).reshape(-1, 5)
    category = np.array([row["category"] for row in rows], dtype=np.int64)
    source = np.array([slots[row["source"]] for row in rows], dtype=np.int64)
    size = category == SIZE
    start = np.where(size, 0, [row["start_day"] for row in rows])
    end = np.where(size, days, [row["end_day"] + 1 for row in rows])
    stated = np.nan_to_num(np.array([row["error_sd"] for row in rows], dtype=float))
    return {
        "claim_value": spoken[:, 1],
        "claim_form": spoken[:, 0],
        "claim_unit": spoken[:, 2],
        "claim_offset": spoken[:, 3],
        "claim_origin": spoken[:, 4],
        "claim_category": category,
        "claim_cell": category * seen.slots + source,
        "claim_start": start,
        "claim_end": end,
        "claim_log_days": np.log([float(row["days"]) for row in rows]),
        "claim_stated_error": stated,
    }


def _anchors(known: Arrays, days: int, killed_sd: float) -> Arrays:
    """The last bounded running total of each source: the sampler measures the source's effect from it."""
    slots = len(known["source_stance"])
    anchors = {
        "anchor_scale": np.zeros(slots),
        "anchor_end": np.full(slots, days, dtype=np.int64),
        "anchor_log_value": np.zeros(slots),
        "anchor_killed": np.zeros(slots),
    }
    low, high = cell(known["claim_value"], known["claim_form"], known["claim_unit"], known["claim_offset"])
    for row, (category, place) in enumerate(zip(known["claim_category"], known["claim_cell"], strict=True)):
        source = place % slots
        bounded = low[row] > 0 and np.isfinite(high[row])
        if category == KILLED and bounded and killed_sd > 0:
            anchors["anchor_killed"][source] = 1.0 / killed_sd
        own_sd = known["source_own_sd"][source]
        running = known["claim_start"][row] == 0
        if category in (TOTAL, WOUNDED) and bounded and running and own_sd > 0:
            anchors["anchor_scale"][source] = 1.0 / own_sd
            anchors["anchor_end"][source] = known["claim_end"][row]
            middle = 0.5 * (np.log(low[row]) + np.log(high[row]))
            anchors["anchor_log_value"][source] = middle + known["claim_log_days"][row]
    return anchors


def check(arrays: Arrays) -> None:
    """Check names, dtypes, lengths and index ranges.

    A wrong length or an index out of range would not raise in compiled code but crash the process.

    Raises
    ------
    InputError
        With every array that does not fit.
    """
    problems: list[Problem] = []

    def bad(name: str, got: object, expected: str) -> None:
        problems.append(Problem("data", "", name, str(got), expected, "Build the data with containers()."))

    lengths = {**_lengths(arrays), "source_kind": len(SOURCE_KINDS)}
    for name, array in arrays.items():
        spec = BY_NAME.get(name)
        if spec is None:
            bad(name, "an unknown container", "one of " + ", ".join(BY_NAME))
            continue
        if array.dtype != spec.dtype:
            bad(name, array.dtype, spec.dtype)
        if array.ndim != len(spec.dims):
            bad(name, f"{array.ndim} dims", f"{len(spec.dims)}: {spec.dims}")
            continue
        for dim, length in zip(spec.dims, array.shape, strict=True):
            if dim != "prior_number" and lengths[dim] != length:
                bad(name, f"{dim} of length {length}", f"{lengths[dim]}, as the other arrays")
        if not np.all(np.isfinite(array)):
            bad(name, "NaN or infinity", "finite numbers")
    ranges = {
        "form": 5,
        "source": lengths.get("source", 0),
        "source_kind": len(SOURCE_KINDS),
        "category": len(CATEGORIES),
        "cells": len(CATEGORIES) * lengths.get("source", 0),
        "days": lengths.get("day", 0) + 1,
        "knot": lengths.get("knot_with_first", 2**31) - 1,
    }
    for name, array in arrays.items():
        below = BY_NAME[name].below if name in BY_NAME else ""
        if below in ranges and array.size and (array.min() < 0 or array.max() >= ranges[below]):
            bad(name, f"indices from {array.min()} to {array.max()}", f"0 to {ranges[below] - 1}")
    if problems:
        raise InputError("The data do not fit the model", problems)


def _lengths(arrays: Arrays) -> dict[str, int]:
    """Length of each dim: the one that most arrays have."""
    seen: dict[str, list[int]] = {}
    for name, array in arrays.items():
        dims = BY_NAME[name].dims if name in BY_NAME else ()
        for dim, length in zip(dims, array.shape, strict=False):
            seen.setdefault(dim, []).append(length)
    return {dim: max(set(found), key=found.count) for dim, found in seen.items()}


def check_same(arrays: Arrays, compiled: dict[str, tuple[int, ...]]) -> None:
    """Check that arrays fit a compiled model: the same names, and lengths equal but for claims and days.

    Raises
    ------
    InputError
        With every array that does not fit.
    """
    check(arrays)
    problems = []
    for name in sorted(set(arrays) ^ set(compiled)):
        got = "an array" if name in arrays else "nothing"
        problems.append(Problem("data", "", name, got, "the containers of the compiled model", "Compile again."))
    for name in set(arrays) & set(compiled):
        for dim, new, old in zip(BY_NAME[name].dims, arrays[name].shape, compiled[name], strict=True):
            if dim not in FREE_DIMS and new != old:
                problems.append(Problem("data", "", name, f"{dim} of length {new}", str(old), "Compile again."))
    knots = compiled.get("knots", (0,))
    if problems:
        raise InputError(f"The data do not fit the compiled model {knots if knots != (0,) else ''}".strip(), problems)
