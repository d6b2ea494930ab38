"""The graph's data: named arrays with dims and order, in this one place, and how they travel in a few packs.

Everything that depends on the record, the vintage, the campaign or a prior's numbers enters the model through them, so
one compiled model serves every refit of the same sizes. A compiled model unpacks every shared array it is given by name,
which costs most of its compilation if there are many: hence seven packs instead of seventy arrays.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from .campaign import Campaign
from .claim_data import claim_arrays, source_arrays, strength_arrays
from .coding import SOURCE_KINDS
from .curves import Curve
from .errors import InputError, Problem
from .observations import CATEGORIES, Observations
from .parameters import numbers
from .priors import Priors
from .reporting import Reporting

FREE_DIMS = ("claim", "day")
COMMON_PRIORS = (
    "contingent_size",
    "killed_share",
    "killed_share_walk_sd",
    "killed_share_source_sd",
    "captured_ratio",
    "missing_ratio",
    "claim_error",
    "claim_error_killed",
    "deployed_error",
    "present_error",
    "movement_error",
    "deployed_source_sd",
    "evacuated_fraction",
    "return_fraction",
    "return_delay",
)
OPTION_PRIORS = ("floor_slack", "source_drift_sd", "adversary_intensity")


@dataclass(frozen=True)
class Container:
    """One data container: dims (``claim`` and ``day`` may change length at a refit), dtype and index range.

    ``below`` names what an index must stay under: ``source``, ``source_kind``, ``category``, ``form``, ``knot``,
    ``share_knot``, ``wave``, ``briefing``, ``month``, ``drift`` or ``days`` (length of ``day`` plus one).
    """

    name: str
    dims: tuple[str, ...]
    dtype: str = "float64"
    below: str = ""


CONTAINERS: tuple[Container, ...] = (
    *(Container(f"prior_{name}", ("prior_number",)) for name in (*COMMON_PRIORS, *OPTION_PRIORS)),
    *(
        Container(f"prior_{name}", ("prior_number",))
        for name in ("constant_rate", "long_run_fraction", "rate_sd", "rate_half_life")
    ),
    Container("stance_prior", ("source_kind", "prior_number")),
    Container("lag_prior", ("source_kind", "prior_number")),
    Container("source_stance", ("source",), "int64", "source_kind"),
    Container("source_group", ("source",), "int64", "source"),
    Container("source_group_sd", ("source",)),
    Container("source_own_sd", ("source",)),
    Container("source_killed_shift", ("source",)),
    Container("source_adversary", ("source",)),
    Container("anchor_scale", ("source",)),
    Container("anchor_end", ("source",)),
    Container("anchor_lagged", ("source",)),
    Container("anchor_log_value", ("source",)),
    Container("anchor_killed", ("source",)),
    Container("other_claimed", ("other_loss",)),
    Container("share_moves", ("one",)),
    Container("intensity_log_rate", ("one",)),
    Container("wave_known", ("wave",)),
    Container("wave_date", ("wave",)),
    Container("wave_sd", ("wave",)),
    Container("wave_latest", ("wave",)),
    Container("wave_log_size", ("wave", "prior_number")),
    Container("drift_step", ("drift",)),
    Container("drift_first", ("drift",), "int64", "drift"),
    Container("phase_known", ("phase",)),
    Container("phase_date", ("phase",)),
    Container("phase_sd", ("phase",)),
    Container("phase_latest", ("phase",)),
    Container("phase_reverts", ("phase",)),
    Container("phase_log_rate", ("phase", "prior_number")),
    Container("phase_left", ("phase",), "int64", "knot"),
    Container("phase_weight", ("phase",)),
    Container("day_number", ("day",)),
    Container("day_share", ("day",)),
    Container("day_arrived", ("day",)),
    Container("knot_left", ("day",), "int64", "knot"),
    Container("knot_weight", ("day",)),
    Container("share_left", ("day",), "int64", "share_knot"),
    Container("share_weight", ("day",)),
    Container("claim_value", ("claim",)),
    Container("claim_form", ("claim",), "int64", "form"),
    Container("claim_unit", ("claim",)),
    Container("claim_offset", ("claim",)),
    Container("claim_origin", ("claim",)),
    Container("claim_is_share", ("claim",)),
    Container("claim_category", ("claim",), "int64", "category"),
    Container("claim_source", ("claim",), "int64", "source"),
    Container("claim_start", ("claim",)),
    Container("claim_end", ("claim",)),
    Container("claim_lagged", ("claim",)),
    Container("claim_span", ("claim",)),
    Container("claim_month", ("claim",), "int64", "month"),
    Container("claim_is_rate", ("claim",)),
    Container("claim_days_before", ("claim",)),
    Container("claim_stated_error", ("claim",)),
    Container("claim_wave", ("claim",), "int64", "wave"),
    Container("claim_briefing", ("claim",), "int64", "briefing"),
    Container("claim_shared", ("claim",)),
    Container("claim_own", ("claim",)),
    Container("claim_slack", ("claim",)),
    Container("claim_drift", ("claim",), "int64", "drift"),
)
BY_NAME = {container.name: container for container in CONTAINERS}

type Arrays = dict[str, np.ndarray]


def containers(
    seen: Observations, campaign: Campaign, priors: Priors, curve: Curve, reporting: Reporting | None = None
) -> Arrays:
    """Data of one model: every container that it uses, in order, checked.

    Parameters
    ----------
    seen
        Claims that enter, from ``observe``.
    campaign, priors, curve, reporting
        What is being depleted, what is assumed, the form of the rate and how sources report.

    Returns
    -------
    dict of arrays
        Days run from the campaign's first to the vintage.
    """
    reporting = reporting or Reporting()
    days = np.arange(campaign.day(seen.vintage) + 1)
    known = _priors(priors, curve, reporting)
    known |= source_arrays(seen, priors)
    known |= strength_arrays(seen, campaign, days)
    known |= claim_arrays(seen, campaign, priors, known, len(days), reporting)
    known |= curve.containers(campaign, priors, days, seen.rooms)
    ordered = {c.name: np.ascontiguousarray(known[c.name], dtype=c.dtype) for c in CONTAINERS if c.name in known}
    check(ordered, seen.rooms)
    return ordered


def _priors(priors: Priors, curve: Curve, reporting: Reporting) -> Arrays:
    names = [*COMMON_PRIORS, *reporting.prior_names()]
    names += [name for name in curve.prior_names() if f"prior_{name}" in BY_NAME]
    return {f"prior_{name}": numbers(priors[name]) for name in names}


def pack_of(name: str) -> str:
    """Pack in which a container travels: by claim, by day, or of a fixed size; numbers or indices."""
    spec = BY_NAME[name]
    if name == "claim_value":
        return name
    free = spec.dims[0] if spec.dims[0] in FREE_DIMS else "fixed"
    return f"{free}_{'numbers' if spec.dtype == 'float64' else 'indices'}"


def pack(arrays: Mapping[str, np.ndarray]) -> Arrays:
    """Few arrays out of many: vectors of what has a fixed size, matrices (row, claim) and (row, day) of the rest."""
    parts: dict[str, list[np.ndarray]] = {}
    for name, array in arrays.items():
        parts.setdefault(pack_of(name), []).append(array)
    return {
        key: rows[0]
        if key == "claim_value"
        else np.concatenate([row.ravel() for row in rows])
        if key.startswith("fixed")
        else np.stack(rows)
        for key, rows in parts.items()
    }


def labels(arrays: Mapping[str, np.ndarray]) -> dict[str, tuple[str, ...]]:
    """What stands where in each pack: names of rows, or of single numbers with their indices."""
    found: dict[str, list[str]] = {}
    for name, array in arrays.items():
        key = pack_of(name)
        if key.startswith("fixed"):
            places = (",".join(map(str, place)) for place in np.ndindex(array.shape))
            found.setdefault(key, []).extend(f"{name}[{place}]" for place in places)
        else:
            found.setdefault(key, []).append(name)
    return {key: tuple(names) for key, names in found.items()}


def unpack(
    arrays: Mapping[str, np.ndarray], register: Callable[[str, np.ndarray, tuple[str, ...]], Any]
) -> dict[str, Any]:
    """Register the packs (name, array, its labels) as a model's data and give every container back as a slice of its pack."""
    names = labels(arrays)
    packs = {key: register(key, array, names[key]) for key, array in pack(arrays).items()}
    data: dict[str, Any] = {}
    used = dict.fromkeys(packs, 0)
    for name, array in arrays.items():
        key = pack_of(name)
        at = used[key]
        if key == "claim_value":
            data[name] = packs[key]
        elif key.startswith("fixed"):
            data[name] = packs[key][at : at + array.size].reshape(array.shape)
        else:
            data[name] = packs[key][at]
        used[key] += array.size if key.startswith("fixed") else 1
    return data


def check(arrays: Mapping[str, np.ndarray], rooms: Mapping[str, int]) -> None:
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

    lengths = {**_lengths(arrays), "source_kind": len(SOURCE_KINDS), "one": 1, "other_loss": 2, **rooms}
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
    days = lengths.get("day", 0)
    ranges = {
        **lengths,
        "form": 5,
        "category": len(CATEGORIES),
        "days": days + 1,
    }
    for name, array in arrays.items():
        below = BY_NAME[name].below if name in BY_NAME else ""
        if below in ranges and array.size and (array.min() < 0 or array.max() >= ranges[below]):
            bad(name, f"indices from {array.min()} to {array.max()}", f"0 to {ranges[below] - 1}")
    if problems:
        raise InputError("The data do not fit the model", problems)


def _lengths(arrays: Mapping[str, np.ndarray]) -> dict[str, int]:
    """Length of each dim: the one that most arrays have."""
    seen: dict[str, list[int]] = {}
    for name, array in arrays.items():
        dims = BY_NAME[name].dims if name in BY_NAME else ()
        for dim, length in zip(dims, array.shape, strict=False):
            seen.setdefault(dim, []).append(length)
    return {dim: max(set(found), key=found.count) for dim, found in seen.items()}


def check_same(
    arrays: Mapping[str, np.ndarray], layout: Mapping[str, tuple[str, ...]], rooms: Mapping[str, int]
) -> None:
    """Check that arrays fit a compiled model: the same containers of the same sizes, but for claims and days.

    Raises
    ------
    InputError
        With every array that does not fit.
    """
    check(arrays, rooms)
    mine, problems = labels(arrays), []
    for key in sorted(set(mine) | set(layout)):
        new, old = set(mine.get(key, ())), set(layout.get(key, ()))
        for name in sorted({label.split("[")[0] for label in new ^ old}):
            got = f"{sum(label.split('[')[0] == name for label in new)} numbers or rows"
            expected = f"{sum(label.split('[')[0] == name for label in old)}, as in the compiled model"
            problems.append(Problem("data", "", name, got, expected, "Compile again."))
        if not problems and mine.get(key) != layout.get(key):
            problems.append(Problem("data", "", key, "another order", "the order of CONTAINERS", "Compile again."))
    if problems:
        raise InputError("The data do not fit the compiled model", problems)
