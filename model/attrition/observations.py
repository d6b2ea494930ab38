"""Which claims enter the model of a campaign, and how each one speaks."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from .campaign import Campaign
from .claims import Claims
from .coding import SOURCE_KINDS
from .errors import InputError, Problem
from .reporting import Reporting
from .rounding import cell, form_of

if TYPE_CHECKING:
    import pandas as pd

TOTAL, KILLED, WOUNDED, SIZE = range(4)
CATEGORIES = ("total", "killed", "wounded", "deployed")
CATEGORY_OF = {
    "casualties": TOTAL,
    "losses": TOTAL,
    "daily_rate": TOTAL,
    "killed": KILLED,
    "wounded": WOUNDED,
    "deployed": SIZE,
}
SLOT_STEP = 8


@dataclass(frozen=True, eq=False)
class Observations:
    """Claims that enter the model.

    Attributes
    ----------
    vintage
        Day up to which claims were known, from which scenarios start: the vintage asked for, else the day of the last
        publication.
    claims
        One row each with the interval of the source's estimate (``low``, ``high``).
    set_aside
        Claims that stay out, each with its reason.
    notes
        Readings that a user should know of.
    sources
        (source, group, stance) in order of first claim; ``slots`` is how many the model has room for.
    slots
        Number of sources that the model has parameters for: set by the whole record.
    """

    vintage: dt.date
    claims: pd.DataFrame
    set_aside: pd.DataFrame
    notes: tuple[str, ...]
    sources: tuple[tuple[str, str, str], ...]
    slots: int


def observe(
    claims: Claims, campaign: Campaign, reporting: Reporting, slots: int = 0, zero_until: int = 0
) -> Observations:
    """Select the claims that the model reads, and read how each one speaks.

    Parameters
    ----------
    claims, campaign, reporting
        As known by one vintage.
    slots
        Make room for at least so many sources (a compiled model has room for a certain number).
    zero_until
        Day up to which the curve is zero: claims about it are set aside.

    Raises
    ------
    InputError
        If the claims are of another contingent, or speak of days that the campaign's calendar does not cover.
    """
    import pandas as pd

    table = claims.table
    vintage = claims.vintage or campaign.vintage or _last(table, campaign)
    evidence, aside, notes = claims.evidence, claims.set_aside, []
    _check_contingent(table, campaign)
    if not campaign.start < vintage <= campaign.end:
        do = "Change the vintage, or the campaign's start or end."
        got, expected = str(vintage), f"{campaign.start} to {campaign.end}"
        raise InputError("Outside the calendar", [Problem("vintage", "", "date", got, expected, do)])
    kept: list[dict[Any, Any]] = []
    out: list[dict[Any, Any]] = []
    for row in evidence.to_dict("records"):
        record = _read(row, campaign)
        reason = _reason(record, campaign, reporting, zero_until)
        if reason:
            out.append({**row, "reason": reason})
        else:
            kept.append(record)
    if out:
        aside = pd.concat([aside, pd.DataFrame(out, dtype=object)], ignore_index=True)
    undated = sum(row["as_of_basis"] == "published" for row in kept)
    if undated:
        notes.append(
            f"{undated} of {len(kept)} figures came without a date of reference: they are read as of the day "
            "they were published; the delay is not modelled."
        )
    clipped = [row["claim_id"] for row in kept if row["clipped"]]
    if clipped:
        notes.append(f"windows that begin before {campaign.start} were cut to it: {', '.join(clipped)}")
    columns = [
        *evidence.columns,
        "category",
        "start_day",
        "end_day",
        "interval_low",
        "interval_high",
        "days",
        "spoken",
    ]
    spoken = set(table["source"])
    sources = tuple(entry for entry in claims.sources if entry[0] in spoken)
    slots = max(slots, -(-max(len(claims.sources), 1) // SLOT_STEP) * SLOT_STEP)
    return Observations(vintage, pd.DataFrame(kept, columns=columns), aside, tuple(notes), sources, slots)


def _last(table: pd.DataFrame, campaign: Campaign) -> dt.date:
    return max(table["published"]) if len(table) else campaign.end


def _check_contingent(table: pd.DataFrame, campaign: Campaign) -> None:
    if not campaign.contingent:
        return
    others = sorted(set(table["contingent"]) - {campaign.contingent, ""})
    if others:
        got, do = ", ".join(others), "Use the campaign of that contingent."
        raise InputError(
            "Claims and campaign differ",
            [Problem("claims", "", "contingent", got, campaign.contingent, do)],
        )


def _read(row: Mapping[Any, Any], campaign: Campaign) -> dict[Any, Any]:
    number = {key: float(row[key]) if row[key] is not None else 0.0 for key in ("value", "low", "high")}
    spoken = form_of(number["value"], row["bound"], row["open"] == "yes", row["unit"], number["low"], number["high"])
    form, stated, unit, offset, _ = spoken
    low, high = cell(np.array(stated), np.array(form), np.array(unit), np.array(offset))
    end = campaign.day(row["as_of"])
    start, days, clipped = 0, 1, False
    if row["quantity"] == "daily_rate" or row["window_start"] is not None:
        first = campaign.day(row["window_start"] or row["as_of"])
        start, clipped = max(first, 0), first < 0
        days = end - first + 1 if row["quantity"] == "daily_rate" else 1
    return {
        **row,
        "category": CATEGORY_OF[row["quantity"]],
        "start_day": start,
        "end_day": end,
        "interval_low": float(low),
        "interval_high": float(high),
        "days": days,
        "spoken": spoken,
        "clipped": clipped,
    }


def _reason(row: Mapping[Any, Any], campaign: Campaign, reporting: Reporting, zero_until: int) -> str | None:
    if row["category"] == SIZE:
        until = campaign.initial_until
        if until is not None and row["as_of"] > until:
            return f"counts reinforcements too: it speaks of a day after {until}, the initial contingent"
        return None
    if row["end_day"] <= zero_until:
        return f"speaks of a day on or before {campaign.date(zero_until)}, when losses had not begun"
    if row["interval_high"] * row["days"] < reporting.min_persons:
        return f"under {reporting.min_persons:g} persons: counting noise is not negligible there"
    return None


def source_table(seen: Observations) -> dict[str, np.ndarray]:
    """Stance and group of every source slot; empty slots are third parties alone in their group."""
    kinds = np.full(seen.slots, SOURCE_KINDS.index("third_party"), dtype=np.int64)
    groups = np.arange(seen.slots, dtype=np.int64)
    names: dict[str, int] = {}
    members: dict[int, int] = {}
    for slot, (_, group, kind) in enumerate(seen.sources):
        kinds[slot] = SOURCE_KINDS.index(kind)
        groups[slot] = names.setdefault(group, slot)
        members[groups[slot]] = members.get(groups[slot], 0) + 1
    several = np.array([members.get(int(group), 1) > 1 for group in groups])
    return {"kind": kinds, "group": groups, "several": several}
