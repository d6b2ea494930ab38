"""Arrays of the claims, their sources and the strength: what ``containers`` hands to the model."""

from __future__ import annotations

import numpy as np

from .campaign import Campaign
from .coding import SOURCE_KINDS
from .curves import DATE_SDS
from .observations import (
    CAPTURED,
    KILLED,
    LOSSES,
    MISSING,
    REINFORCEMENT,
    SHARE_KNOT_DAYS,
    SHARES,
    SIZE,
    TOTAL,
    WOUNDED,
    Observations,
    briefing_of,
    briefings_of,
    claimed,
    says_something,
    source_table,
)
from .parameters import numbers
from .priors import Priors
from .reporting import Reporting
from .rounding import LINEAR, cell

DATE_MARGIN = 1e-3

type Arrays = dict[str, np.ndarray]


def source_arrays(seen: Observations, priors: Priors) -> Arrays:
    """Stance, group, spread and shift of every source slot."""
    sources = source_table(seen)
    stance = [priors[f"bias_{kind}"] for kind in SOURCE_KINDS]
    group_sd = float(priors["bias_group_sd"].numbers["value"]) * sources["several"]
    rest = np.array([p.numbers["total_sd"] ** 2 - p.numbers["mean_sd"] ** 2 for p in stance])[sources["kind"]]
    adversary = sources["kind"] == SOURCE_KINDS.index("adversary")
    return {
        "stance_prior": np.array([numbers(prior) for prior in stance]),
        "lag_prior": np.array([numbers(priors[f"lag_{kind}"]) for kind in SOURCE_KINDS]),
        "source_stance": sources["kind"],
        "source_group": sources["group"],
        "source_group_sd": np.minimum(group_sd, np.sqrt(rest)),
        "source_own_sd": np.sqrt(np.maximum(rest - group_sd**2, 0.0)),
        "source_killed_shift": adversary * float(priors["bias_killed_adversary"].numbers["value"]),
        "source_adversary": adversary,
    }


def strength_arrays(seen: Observations, campaign: Campaign, days: np.ndarray) -> Arrays:
    """Share of the initial contingent there by the end of each day, the waves, and the knots of the killed share."""
    arrived = np.ones(len(days))
    if campaign.arrival_from and campaign.full_strength:
        first, full = campaign.day(campaign.arrival_from), campaign.day(campaign.full_strength)
        arrived = np.clip((days - first + 1) / (full - first + 1), 0.0, 1.0)
    position = np.clip((days - 0.5) / SHARE_KNOT_DAYS, 0.0, seen.rooms["share_knot"] - 1e-9)
    left = np.floor(position).astype(np.int64)
    categories = claimed(seen.rows)
    known = {
        "day_number": days.astype(float),
        "day_arrived": arrived,
        "share_left": left,
        "share_weight": position - left,
        "share_moves": np.array([float(seen.share_moves)]),
        "other_claimed": np.array([float(bool({other, LOSSES} & categories)) for other in (CAPTURED, MISSING)]),
    }
    empty = seen.rooms["wave"] - len(campaign.reinforcements)
    if seen.rooms["wave"]:
        waves = campaign.reinforcements
        known |= {
            "wave_known": np.array([1.0] * len(waves) + [0.0] * empty),
            "wave_date": np.array([float(campaign.day(wave.date)) for wave in waves] + [0.0] * empty),
            "wave_sd": np.array([wave.sd_days for wave in waves] + [1.0] * empty),
            "wave_latest": np.array(
                [latest(campaign.day(wave.published) - campaign.day(wave.date), wave.sd_days) for wave in waves]
                + [DATE_SDS] * empty
            ),
            "wave_log_size": np.array([[np.log(wave.median), wave.sd_log] for wave in waves] + [[0.0, 1.0]] * empty),
        }
    return known


def latest(days: int, sd: float) -> float:
    """Latest date of an event in sds from its reported date: it cannot come after the report of it."""
    return DATE_SDS if sd == 0 else min(days / sd + DATE_MARGIN, DATE_SDS)


def claim_arrays(
    seen: Observations, campaign: Campaign, priors: Priors, known: Arrays, days: int, reporting: Reporting
) -> Arrays:
    """How every claim speaks, of what and of when; and the anchors of the sources that its sampler needs."""
    rows = seen.rows
    slots = {name: slot for slot, (name, _, _) in enumerate(seen.sources)}
    spoken = np.array([row["spoken"] for row in rows], dtype=float).reshape(-1, 5)
    category = np.array([row["category"] for row in rows], dtype=np.int64)
    start = np.array([row["start_day"] for row in rows], dtype=float)
    end = np.array([row["end_day"] + 1 for row in rows], dtype=float)
    whole = np.array([row["days"] for row in rows], dtype=float)
    rate = np.array([row["quantity"] == "daily_rate" for row in rows], dtype=bool)
    waves = {wave.wave: number for number, wave in enumerate(campaign.reinforcements)}
    plain_floor = [row["bound"] == "at_least" and row["open"] != "yes" for row in rows]
    arrays = {
        "claim_value": spoken[:, 1],
        "claim_form": spoken[:, 0],
        "claim_unit": spoken[:, 2],
        "claim_offset": spoken[:, 3],
        "claim_origin": spoken[:, 4],
        "claim_is_share": np.isin(category, SHARES),
        "claim_category": category,
        "claim_source": np.array([slots[row["source"]] for row in rows], dtype=np.int64),
        "claim_start": start,
        "claim_end": end,
        "claim_lagged": np.array([row["lagged"] for row in rows], dtype=float),
        "claim_is_rate": rate,
        "claim_days_before": np.where(rate, np.maximum(whole - (end - start), 0.0), 0.0),
        "claim_stated_error": np.nan_to_num(np.array([row["error_sd"] for row in rows], dtype=float)),
        **_briefings(seen, category, float(priors["briefing_share"].numbers["value"])),
    }
    if seen.rooms["month"]:
        span = np.array([row["end_day"] - row["first_day"] for row in rows], dtype=float)
        arrays |= {"claim_span": span, "claim_month": np.where(span > 0, np.cumsum(span > 0) - 1, 0)}
    if seen.rooms["wave"]:
        observed = [waves[row["wave"]] if row["category"] == REINFORCEMENT else 0 for row in rows]
        arrays["claim_wave"] = np.array(observed, dtype=np.int64)
    if reporting.floors == "slack":
        arrays["claim_slack"] = np.array(plain_floor, dtype=float) * (spoken[:, 0] == LINEAR)
    if reporting.drift:
        arrays |= _drift(seen, category)
    if reporting.intensity:
        arrays["intensity_log_rate"] = numbers(priors["constant_rate"])[:1]
    anchors = _anchors(arrays | known, days, float(priors["killed_share_source_sd"].numbers["value"]))
    return {key: np.asarray(value) for key, value in (arrays | anchors).items()}


def _briefings(seen: Observations, category: np.ndarray, share: float) -> Arrays:
    """Slot of each claim's briefing, and how its error divides into a part of the briefing's and one of its own."""
    if not seen.rooms["briefing"]:
        return {"claim_own": np.ones(len(category))}
    rows = seen.rows
    slots = {briefing: slot for slot, briefing in enumerate(briefings_of(rows))}
    spoken = [row["category"] < SIZE and says_something(row) for row in rows]
    slot = np.array(
        [slots.get(briefing_of(row), -1) if ok else -1 for row, ok in zip(rows, spoken, strict=True)], dtype=np.int64
    )
    together = slot >= 0
    return {
        "claim_briefing": np.maximum(slot, 0),
        "claim_shared": np.where(together, np.sqrt(share), 0.0),
        "claim_own": np.where(together, np.sqrt(1.0 - share), 1.0),
    }


def _drift(seen: Observations, category: np.ndarray) -> Arrays:
    """Random walk of each source on the dates of its own claims: steps in root months, and each walk's first slot."""
    rows = seen.rows
    order = {source: number for number, (source, _, _) in enumerate(seen.sources)}
    dates = sorted({(order[row["source"]], row["end_day"]) for row in rows if row["category"] < SIZE})
    slots = {date: slot for slot, date in enumerate(dates)}
    step, first = np.zeros(seen.rooms["drift"]), np.zeros(seen.rooms["drift"], dtype=np.int64)
    for slot, (source, day) in enumerate(dates):
        same = slot > 0 and dates[slot - 1][0] == source
        first[slot] = first[slot - 1] if same else slot
        step[slot] = np.sqrt((day - dates[slot - 1][1]) / SHARE_KNOT_DAYS) if same else 0.0
    claim = np.array(
        [slots[order[row["source"]], row["end_day"]] if row["category"] < SIZE else 0 for row in rows], dtype=np.int64
    )
    return {"drift_step": step, "drift_first": first, "claim_drift": claim}


def _anchors(known: Arrays, days: int, killed_sd: float) -> Arrays:
    """The middle one of each source's bounded running totals: the sampler measures the source's effect from it."""
    slots = len(known["source_stance"])
    anchors = {
        "anchor_scale": np.zeros(slots),
        "anchor_end": np.full(slots, float(days)),
        "anchor_lagged": np.zeros(slots),
        "anchor_log_value": np.zeros(slots),
        "anchor_killed": np.zeros(slots),
    }
    low, high = cell(known["claim_value"], known["claim_form"], known["claim_unit"], known["claim_offset"])
    bounded = (low > 0) & np.isfinite(high)
    if killed_sd > 0:
        anchors["anchor_killed"][known["claim_source"][bounded & (known["claim_category"] == KILLED)]] = 1.0 / killed_sd
    running = bounded & (known["claim_start"] == 0) & np.isin(known["claim_category"], (TOTAL, LOSSES, WOUNDED))
    for source in np.flatnonzero(known["source_own_sd"] > 0):
        rows = np.flatnonzero(running & (known["claim_source"] == source))
        if not rows.size:
            continue
        row = rows[np.argsort(known["claim_end"][rows], kind="stable")[rows.size // 2]]
        anchors["anchor_scale"][source] = 1.0 / known["source_own_sd"][source]
        anchors["anchor_end"][source] = known["claim_end"][row]
        anchors["anchor_lagged"][source] = known["claim_lagged"][row]
        middle = 0.5 * (np.log(low[row]) + np.log(high[row]))
        length = known["claim_end"][row] + known["claim_days_before"][row]
        anchors["anchor_log_value"][source] = middle + (np.log(length) if known["claim_is_rate"][row] else 0.0)
    return anchors
