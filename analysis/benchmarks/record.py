"""The January problem as plain numbers: what every program of the comparison reads, so that none but ours needs attrition."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

import attrition as at
from attrition.containers import containers
from attrition.curves import default_curve
from attrition.observations import SIZE, Observations, briefings_of, observe
from attrition.rounding import cell

VINTAGE = "2025-01-16"
ENDLESS = 1e9  # upper end of a bound with none
SCALARS = {
    "contingent_size": "size",
    "claim_error": "error",
    "claim_error_killed": "error_killed",
    "rate_sd": "rate_sd",
    "rate_half_life": "half_life",
    "return_delay": "return_delay",
    "killed_share": "share",
    "floor_slack": "slack",
    "evacuated_fraction": "evacuated",
    "return_fraction": "returning",
    "contact_rate": "contact",
    "escalation_rate": "escalation",
    "long_run_fraction": "long_run_fraction",
}
FIXED = ("deployed_error", "present_error", "deployed_source_sd", "killed_share_source_sd", "briefing_share")


def january() -> dict[str, Any]:
    """Claims as intervals with their days, sources with their stances, and every prior's numbers.

    Lists by claim: ``source``, ``category`` (0 total, 1 killed, 2 wounded, 8 deployed, 9 present), ``start`` and ``end``
    (places on the calendar), ``low`` and ``high`` (persons), ``unit`` (persons; 0 where the bound is plain), ``briefing``
    (-1 for none). Lists by source: ``kind``, ``group``, spreads, and the anchor of our parametrisation (``shift_...``).
    """
    campaign = at.load_campaign("dprk-kursk").known_by(VINTAGE)
    claims, priors = at.load_claims("dprk-kursk").known_by(VINTAGE), at.default_priors(campaign)
    curve, reporting = default_curve(campaign), at.Reporting()
    seen = observe(claims, campaign, reporting, None, curve.zero_until(campaign))
    arrays = containers(seen, campaign, priors, curve, reporting)
    _check(seen, arrays)
    rows = seen.claims.to_dict("records")
    low, high = cell(*(arrays[f"claim_{name}"] for name in ("value", "form", "unit", "offset")))
    heard = sorted(set(arrays["claim_source"].tolist()))
    own = {slot: number for number, slot in enumerate(heard)}
    groups = sorted({int(arrays["source_group"][slot]) for slot in heard})
    knots = int(arrays["knot_left"].max()) + 1
    briefing = np.where(arrays["claim_shared"] > 0, arrays["claim_briefing"], -1)
    names = [name for name, _, _ in seen.sources]
    data: dict[str, Any] = {
        "vintage": VINTAGE,
        "days": len(arrays["day_number"]),
        "onset": int(arrays["phase_date"][1]),
        "onset_sd": float(arrays["phase_sd"][1]),
        "onset_latest": float(arrays["phase_latest"][1]),
        "knots": knots,
        "knot_left": arrays["knot_left"],
        "knot_weight": arrays["knot_weight"],
        "names": [names[slot] for slot in heard],
        "speaks": sorted({own[int(row)] for row in arrays["claim_source"][arrays["claim_category"] < SIZE]}),
        "kind": arrays["source_stance"][heard],
        "group": [groups.index(int(arrays["source_group"][slot])) for slot in heard],
        "groups": len(groups),
        "group_sd": arrays["source_group_sd"][heard],
        "own_sd": arrays["source_own_sd"][heard],
        "killed_shift": arrays["source_killed_shift"][heard],
        "stance_mean": arrays["stance_prior"][:, 0],
        "stance_sd": arrays["stance_prior"][:, 1],
        "lag_log_median": arrays["lag_prior"][arrays["source_stance"][heard], 0],
        "lag_sd": arrays["lag_prior"][arrays["source_stance"][heard], 1],
        "source": [own[int(slot)] for slot in arrays["claim_source"]],
        "category": arrays["claim_category"],
        "start": arrays["claim_start"],
        "end": arrays["claim_end"],
        "lagged": arrays["claim_lagged"],
        "low": low,
        "high": np.where(np.isfinite(high), high, ENDLESS),
        "unit": arrays["claim_unit"] * arrays["claim_slack"],
        "briefing": briefing,
        "briefings": len(briefings_of(rows)),
        "shift_scale": arrays["anchor_scale"][heard],
        "shift_end": arrays["anchor_end"][heard],
        "shift_lagged": arrays["anchor_lagged"][heard],
        "shift_log_value": arrays["anchor_log_value"][heard],
        "shift_killed": arrays["anchor_killed"][heard],
        **_shift_of_phase(arrays, knots),
    }
    for name, short in SCALARS.items():
        numbers = list(priors[name].numbers.values())
        if priors[name].family == "LogNormal":
            numbers[0] = float(np.log(numbers[0]))
        data[f"prior_{short}"] = numbers
    data |= {name: float(priors[name].numbers["value"]) for name in FIXED}
    return {name: value.tolist() if isinstance(value, np.ndarray) else value for name, value in data.items()}


def _shift_of_phase(arrays: dict[str, np.ndarray], knots: int) -> dict[str, Any]:
    """Mean weight of each knot over the days since the escalation, and half their number: the programs' shift of its level."""
    days = arrays["day_number"][arrays["day_number"] > arrays["phase_date"][1]].astype(int)
    left, weight = arrays["knot_left"][days], arrays["knot_weight"][days]
    window = np.bincount(left, 1.0 - weight, knots + 1) + np.bincount(left + 1, weight, knots + 1)
    return {"shift_window": window / days.size, "shift_middle": days.size / 2.0}


def _check(seen: Observations, arrays: dict[str, np.ndarray]) -> None:
    """Refuse a record that the programs were not written for."""
    losses = arrays["claim_category"] < SIZE
    good = (
        set(arrays["claim_category"].tolist()) <= {0, 1, 2, 8, 9}
        and bool((arrays["claim_lagged"][losses] > 0.5).all())
        and not arrays["claim_is_rate"].any()
        and not arrays["claim_stated_error"].any()
        and not seen.share_moves
        and not arrays["wave_known"].any()
        and arrays["phase_known"].tolist()[:3] == [1.0, 1.0, 0.0]
        and arrays["phase_left"][1] == arrays["phase_weight"][1] == 0
        and bool((arrays["day_arrived"] == 1.0).all())
    )
    if not good:
        raise SystemExit("the programs are written for the January record")


def write(path: Path) -> None:
    """Write the problem as JSON."""
    path.write_text(json.dumps(january(), indent=1) + "\n", encoding="utf-8")
