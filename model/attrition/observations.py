"""Which claims enter the model of a campaign, and how each one speaks."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from .campaign import Campaign
from .claims import Claims
from .coding import LOSS_QUANTITIES, SOURCE_KINDS
from .curves import KNOT_DAYS, knot_count, phase_slots, phases_of
from .errors import InputError, Problem
from .reporting import Reporting
from .rounding import cell, form_of

if TYPE_CHECKING:
    import pandas as pd

CATEGORIES = (
    "total",
    "killed",
    "wounded",
    "captured",
    "missing",
    "losses",
    "killed_share",
    "loss_share",
    "deployed",
    "present",
    "reinforcement",
    "returned",
    "evacuated",
)
TOTAL, KILLED, WOUNDED, CAPTURED, MISSING, LOSSES, KILLED_SHARE, LOSS_SHARE = range(8)
DEPLOYED, PRESENT, REINFORCEMENT, RETURNED, EVACUATED = range(8, 13)
SIZE = DEPLOYED  # from here on categories speak of strength, before it of losses
SHARES = (KILLED_SHARE, LOSS_SHARE)
CATEGORY_OF = {name: number for number, name in enumerate(CATEGORIES)} | {"casualties": TOTAL, "daily_rate": TOTAL}
SLOT_STEP = 8
SHARE_SPAN_DAYS = 28
SHARE_KNOT_DAYS = 30.0
STRENGTH_SDS = 3.0
NO_DATE = ("published", "none")


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
        (source, group, stance) in order of first claim.
    rooms
        How many sources, briefings, months, waves, drift dates, phases and knots the model has room for: set by the whole
        record, or by what is known (``exact``).
    """

    vintage: dt.date
    claims: pd.DataFrame
    set_aside: pd.DataFrame
    notes: tuple[str, ...]
    sources: tuple[tuple[str, str, str], ...]
    rooms: Mapping[str, int]

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name != "rows"}

    @cached_property
    def rows(self) -> list[dict[Any, Any]]:
        """The claims as rows by column name, made once: not to be changed."""
        return self.claims.to_dict("records")

    @property
    def slots(self) -> int:
        """Number of sources that the model has parameters for."""
        return self.rooms["source"]

    @property
    def share_moves(self) -> bool:
        """Whether a source speaks of the killed share at dates so far apart that a change could be told."""
        spoken: dict[str, list[int]] = {}
        for row in self.rows:
            if row["category"] in (KILLED, KILLED_SHARE) and says_something(row):
                spoken.setdefault(row["source"], []).append(row["end_day"])
        return any(max(days) - min(days) >= SHARE_SPAN_DAYS for days in spoken.values())


def observe(
    claims: Claims,
    campaign: Campaign,
    reporting: Reporting,
    room: Mapping[str, int] | None = None,
    zero_until: int = 0,
    exact: bool = False,
) -> Observations:
    """Select the claims that the model reads, and read how each one speaks.

    Parameters
    ----------
    claims, campaign, reporting
        As known by one vintage.
    room
        Make room for at least so many sources, briefings, months and drift dates (a compiled model has a certain room).
    zero_until
        Day up to which the curve is zero: claims about it are set aside.
    exact
        Make room for what is known by the vintage and no more.

    Raises
    ------
    InputError
        If the claims are of another contingent, or speak of days that the campaign's calendar does not cover.
    """
    import pandas as pd

    table = claims.table
    vintage = claims.vintage or campaign.vintage or _last(table, campaign)
    _check_contingent(table, campaign)
    if not campaign.start < vintage <= campaign.end:
        do = "Change the vintage, or the campaign's start or end."
        got, expected = str(vintage), f"{campaign.start} to {campaign.end}"
        raise InputError("Outside the calendar", [Problem("vintage", "", "date", got, expected, do)])
    kept: list[dict[Any, Any]] = []
    out: list[dict[Any, Any]] = []
    for row in [*claims.evidence.to_dict("records"), *claims.set_aside.to_dict("records")]:
        reason = _taken_on_request(row, campaign, reporting) if "reason" in row else None
        record = _read(row, campaign, reporting) if reason is None else {}
        reason = reason or _reason(record, campaign, reporting, zero_until)
        if reason:
            out.append({**row, "reason": reason})
        else:
            kept.append({key: value for key, value in record.items() if key != "reason"})
    columns = [*table.columns, *READ]
    aside = pd.DataFrame(out, columns=[*table.columns, "reason"], dtype=object)
    spoken = set(table["source"])
    sources = tuple(entry for entry in claims.sources if entry[0] in spoken)
    days = campaign.day(vintage) + 1
    drift = _drift_dates(kept) if reporting.drift else 0
    needed = {
        "source": max(len(sources), 1),
        "briefing": len(briefings_of(kept)),
        "month": _month_dates(kept),
        "drift": drift,
        "wave": len(campaign.reinforcements),
        "share_knot": max(1, math.ceil(days / SHARE_KNOT_DAYS)),
        "phase": len(phases_of(campaign)),
        "knot": max(1, math.ceil(days / KNOT_DAYS)),
    }
    rooms = needed if exact else _whole_record(claims, campaign, needed, room or {})
    seen = Observations(vintage, pd.DataFrame(kept, columns=columns), aside, (), sources, rooms)
    return Observations(vintage, seen.claims, aside, _notes(seen, campaign), sources, rooms)


READ = (
    "category",
    "start_day",
    "end_day",
    "first_day",
    "lagged",
    "interval_low",
    "interval_high",
    "days",
    "spoken",
    "clipped",
)


def _whole_record(
    claims: Claims, campaign: Campaign, needed: Mapping[str, int], room: Mapping[str, int]
) -> dict[str, int]:
    """Room for the whole record and calendar, whatever the vintage, so that one graph serves them all."""
    most = {
        "source": max(len(claims.sources), 1),
        "briefing": max(claims.briefings, needed["briefing"]),
        "month": max(claims.months, needed["month"]),
        "drift": needed["drift"],
    }
    return {dim: max(_padded(number), room.get(dim, 0)) for dim, number in most.items()} | {
        "wave": campaign.wave_slots,
        "share_knot": max(1, math.ceil((campaign.end - campaign.start).days / SHARE_KNOT_DAYS)),
        "phase": phase_slots(campaign),
        "knot": knot_count(campaign),
    }


def _padded(number: int) -> int:
    return -(-number // SLOT_STEP) * SLOT_STEP


def _drift_dates(kept: list[dict[Any, Any]]) -> int:
    return len({(row["source"], row["end_day"]) for row in kept})


def _month_dates(kept: list[dict[Any, Any]]) -> int:
    return sum(row["first_day"] < row["end_day"] for row in kept)


def briefing_of(row: Mapping[Any, Any]) -> str:
    """Briefing in which a claim was made: as coded, else all that its source published that day."""
    return str(row["briefing"] or f"{row['source']}:{row['published']}")


def briefings_of(rows: list[dict[Any, Any]]) -> list[str]:
    """Briefings with two figures about losses or more, in order."""
    counts: dict[str, int] = {}
    for row in rows:
        if row["category"] < SIZE and says_something(row):
            counts[briefing_of(row)] = counts.get(briefing_of(row), 0) + 1
    return [briefing for briefing, figures in counts.items() if figures > 1]


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


def _taken_on_request(row: Mapping[Any, Any], campaign: Campaign, reporting: Reporting) -> str | None:
    """Why a row that is not evidence by its coding stays out all the same; None if it is taken."""
    number = row["value"] is not None or row["bound"] == "range"
    if row["role"] == "partial" and reporting.partial_floors and row["quantity"] in LOSS_QUANTITIES and number:
        return None
    if row["role"] == "buildup" and campaign.full_strength and row["quantity"] in ("deployed", "present") and number:
        return None
    return str(row["reason"])


def _read(row: Mapping[Any, Any], campaign: Campaign, reporting: Reporting) -> dict[Any, Any]:
    number = {key: float(row[key]) if row[key] is not None else 0.0 for key in ("value", "low", "high")}
    bound, is_open = row["bound"], row["open"] == "yes"
    if row["role"] == "partial":
        number["value"] = number["low"] if bound == "range" else number["value"]
        bound, is_open = ("at_least", True) if bound != "at_most" else (bound, is_open)
    spoken = form_of(number["value"], bound, is_open, row["unit"], number["low"], number["high"])
    form, stated, unit, offset, _ = spoken
    low, high = cell(np.array(stated), np.array(form), np.array(unit), np.array(offset))
    undated = row["as_of_basis"] in NO_DATE
    end = campaign.day(row["published"] if undated or not row["as_of"] else row["as_of"])
    start, days, clipped = 0, 1, False
    rate = row["quantity"] == "daily_rate"
    if rate or row["window_start"] is not None:
        first = campaign.day(row["window_start"]) if row["window_start"] else end
        start, clipped = max(first, 0), first < 0
        days = end - first + 1 if rate else 1
    return {
        **row,
        "category": CATEGORY_OF[row["quantity"]],
        "start_day": start,
        "end_day": end,
        "first_day": campaign.day(row["as_of_from"]) if row["as_of_from"] else end,
        "lagged": undated,
        "interval_low": float(low),
        "interval_high": float(high),
        "days": days,
        "spoken": spoken,
        "clipped": clipped,
    }


def _reason(row: Mapping[Any, Any], campaign: Campaign, reporting: Reporting, zero_until: int) -> str | None:
    category = row["category"]
    if row["role"] == "partial" and row["bound"] == "at_most":
        return "a ceiling on a part of the force says nothing of the whole"
    if category == REINFORCEMENT and row["wave"] not in [wave.wave for wave in campaign.reinforcements]:
        return f"the campaign knows no arrival {row['wave'] or 'without a name'} by then"
    if row["end_day"] <= zero_until and category not in (DEPLOYED, PRESENT, REINFORCEMENT):
        return f"speaks of a day on or before {campaign.date(zero_until)}, when losses had not begun"
    if category >= SIZE and row["end_day"] < 0 and campaign.full_strength:
        return f"speaks of a day before the calendar begins, {campaign.start}, while the force was arriving"
    few = row["interval_high"] * row["days"] < reporting.min_persons
    if few and category not in SHARES:
        return f"under {reporting.min_persons:g} persons: counting noise is not negligible there"
    return None


def _notes(seen: Observations, campaign: Campaign) -> tuple[str, ...]:
    rows, notes = seen.rows, []
    undated = sum(row["lagged"] for row in rows)
    if undated:
        notes.append(
            f"{undated} of {len(rows)} figures came without a date of reference: each is read as of the day it was "
            "published less its source's delay, which is uncertain."
        )
    clipped = [row["claim_id"] for row in rows if row["clipped"]]
    if clipped:
        notes.append(f"windows that begin before {campaign.start} were cut to it: {', '.join(clipped)}")
    strength = [(campaign.contingent_size.median, campaign.contingent_size.sd_log)]
    strength += [(wave.median, wave.sd_log) for wave in campaign.reinforcements]
    most = sum(median * math.exp(STRENGTH_SDS * sd) for median, sd in strength)
    beyond = [
        row["claim_id"] for row in rows if row["category"] not in SHARES and row["interval_low"] * row["days"] > most
    ]
    if beyond:
        notes.append(
            f"{', '.join(beyond)}: more than the {most:,.0f} persons that the strength's prior allows for at the very most; "
            "kept: check the unit, the contingent and the strength."
        )
    silent = [
        word for word, category in (("captured", CAPTURED), ("missing", MISSING)) if category not in claimed(rows)
    ]
    names = [row["claim_id"] for row in rows if row["category"] == LOSSES]
    if names and silent:
        notes.append(
            f"no figure for {' or '.join(silent)}: how many of them are among the losses rests on the prior "
            f"({', '.join(names)})"
        )
    return tuple(notes)


def claimed(rows: list[dict[Any, Any]]) -> set[int]:
    """Categories of the claims that say something."""
    return {row["category"] for row in rows if says_something(row)}


def says_something(row: Mapping[Any, Any]) -> bool:
    """Whether a claim that entered could be wrong: an open floor at 0 could not, and must change nothing."""
    return bool(row["interval_low"] > 0 or math.isfinite(row["interval_high"]))


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
