"""One record that holds a claim of every kind, a campaign with build-up and arrivals, and parameters named by what they are of.

A parameter's value follows from its name and from what it belongs to (a source, a briefing, a claim), not from its place: so
two ways of writing the same record can be compared.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import zlib
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd
from scipy import special, stats

import attrition as at
from attrition.build import ROOM_WIDTH, claim_slack
from attrition.campaign import Campaign, Phase, Reinforcement, Strength
from attrition.claim_error import location_and_scale
from attrition.coding import SOURCE_KINDS
from attrition.containers import containers
from attrition.curves import DATE_SDS, ConstantRate, MeanRevertingRate, PhasedRate, phases_of
from attrition.latent import latent
from attrition.observations import SIZE, briefings_of, observe
from attrition.priors import Prior, default_priors
from attrition.reporting import Reporting, log_probability, log_probability_with_slack
from attrition.strength import log_room

START = dt.date(2025, 1, 1)
VINTAGE = dt.date(2025, 4, 25)


def day(number: int) -> dt.date:
    return START + dt.timedelta(days=number)


CAMPAIGN = Campaign(
    "everything", START, day(149), Strength(9000.0, 0.1), contingent="all",
    phases=(
        Phase("contact", "contact", day(0), 0.0, day(0)), Phase("attack", "escalation", day(12), 2.0, day(16)),
        Phase("pause", "pause", day(60), 3.0, day(70)), Phase("again", "resume", day(80), 0.0, day(80)),
    ),
    reinforcements=(
        Reinforcement("second", day(40), 3.5, day(52), 1500.0, 0.6),
        Reinforcement("third", day(75), 0.0, day(75), 700.0, 0.0),
    ),
    arrival_from=day(-3), full_strength=day(20), wave_slots=3,
)  # fmt: skip
KINDS = {"foe": "adversary", "foe2": "adversary", "home": "own_side", "third": "third_party", "wise": "analyst"}
GROUPS = {"foe": "enemy", "foe2": "enemy"}
ROWS: tuple[tuple[str, int, str, float, str, Mapping[str, Any]], ...] = (
    # source, day of publication, quantity, value, bound, the rest; dated a day before publication unless it says otherwise
    ("foe", 20, "casualties", 700, "approx", {}),
    ("foe", 20, "killed", 200, "at_least", {}),
    ("foe", 55, "casualties", 2800, "at_least", {"as_of": 54}),
    ("foe", 55, "wounded", 1900, "approx", {"as_of": 54}),
    ("foe", 90, "killed", 900, "approx", {"as_of": None}),
    ("foe", 90, "killed_share", 0.3, "at_least", {"as_of": None}),
    ("foe", 91, "present", 8000, "approx", {}),
    ("foe2", 30, "casualties", 1400, "exact", {"as_of": None, "unit": 20}),
    ("foe2", 62, "killed", 1000, "at_most", {"open": "yes"}),
    ("foe2", 62, "daily_rate", 52, "approx", {"window_start": 40, "unit": 2}),
    ("foe2", 63, "daily_rate", 47, "approx", {"window_start": -9, "unit": 1, "as_of": 50}),
    ("foe2", 100, "losses", 4500, "at_least", {"open": "yes"}),
    ("foe2", 100, "captured", 60, "approx", {}),
    ("home", 45, "casualties", 900, "at_most", {"as_of": None}),
    ("home", 58, "missing", 150, "approx", {"error_sd": 0.4}),
    ("home", 58, "deployed", 10_000, "approx", {"unit": 500}),
    ("home", 110, "evacuated", 400, "approx", {"window_start": 50}),
    ("third", 35, "casualties", 1500, "point", {"error_sd": 0.15}),
    ("third", 66, "casualties", None, "range", {"low": 2000, "high": 2600, "as_of": 58, "as_of_from": 31}),
    ("third", 66, "wounded", 300, "approx", {"window_start": 50, "as_of": 58}),
    ("third", 96, "losses", 3300, "approx", {"as_of": 89, "as_of_from": 62}),
    ("third", 96, "loss_share", 0.4, "approx", {"as_of": 89, "as_of_from": 62}),
    ("third", 97, "reinforcement", None, "range", {"low": 1000, "high": 2000, "wave": "second"}),
    ("third", 97, "reinforcement", 600, "at_least", {"wave": "third"}),
    ("third", 98, "returned", 300, "approx", {"window_start": 60}),
    ("wise", 44, "killed_share", 0.26, "point", {}),
    ("wise", 50, "loss_share", None, "range", {"low": 0.2, "high": 0.5, "as_of": None}),
    ("wise", 88, "killed", 60, "approx", {"window_start": 70, "as_of": None}),
    ("wise", 112, "killed_share", 0.2, "at_most", {"open": "yes", "as_of": 111}),
    ("wise", 113, "casualties", None, "range", {"low": 0, "high": 9000, "as_of": 112}),
    ("wise", 114, "evacuated", 250, "at_least", {"as_of": None}),
    ("wise", 114, "deployed", 11_000, "at_least", {"as_of": None}),
    ("wise", 114, "returned", 100, "point", {}),
)  # fmt: skip


def table(rows: tuple[Any, ...] = ROWS) -> list[dict[str, Any]]:
    """Rows as a claims table has them; dates are ``datetime.date``."""
    found = []
    for number, (source, published, quantity, value, bound, more) in enumerate(rows):
        row = {
            "claim_id": f"E{number:02d}", "contingent": "all", "source": source, "source_kind": KINDS[source],
            "source_group": GROUPS.get(source, source), "published": day(published), "as_of": published - 1,
            "as_of_from": None, "as_of_basis": "stated", "window_start": None, "quantity": quantity, "value": value,
            "bound": bound, "role": "evidence", **more,
        }  # fmt: skip
        for name in ("as_of", "as_of_from", "window_start"):
            row[name] = None if row[name] is None else day(row[name])
        if row["as_of"] is None:
            row["as_of_basis"] = "none"
        found.append(row)
    return found


def claims(rows: list[dict[str, Any]] | None = None) -> at.Claims:
    frame = pd.DataFrame(table() if rows is None else rows, dtype=object)
    return at.read_claims(frame.astype(object).where(frame.notna(), None), name="everything")


ALL = Reporting(drift=True, intensity=True)
CURVES = {"phased": PhasedRate(), "reverting": MeanRevertingRate(), "constant": ConstantRate()}
PRIORS = default_priors(CAMPAIGN).override(
    {
        "claim_error": Prior("", "HalfNormal", {"scale": 0.3}, "", ""),
        "present_error": Prior("", "LogNormal", {"median": 0.1, "sd_log": 0.5}, "", ""),
        "killed_share_walk_sd": Prior("", "HalfNormal", {"scale": 0.5}, "", ""),
        "return_fraction": Prior("", "Fixed", {"value": 0.3}, "", ""),
        "lag_third_party": Prior("", "Fixed", {"value": 3.0}, "", ""),
    }
)


def seed_of(*words: object) -> int:
    return zlib.crc32("/".join(map(str, words)).encode())


def places(seen: Any, campaign: Campaign) -> dict[str, list[str]]:
    """What each place of a dim belongs to, in words that do not depend on the order of a table."""
    rows = seen.claims.to_dict("records")
    order = {source: number for number, (source, _, _) in enumerate(seen.sources)}
    losses = [row for row in rows if row["category"] < SIZE]
    dates = sorted({(order[row["source"]], row["end_day"]) for row in losses})
    named = {
        "source": [source for source, _, _ in seen.sources],
        "briefing": briefings_of(rows),
        "month": [row["claim_id"] for row in rows if row["first_day"] < row["end_day"]],
        "drift": [f"{seen.sources[source][0]} {end}" for source, end in dates],
        "wave": [wave.wave for wave in campaign.reinforcements],
        "source_kind": list(SOURCE_KINDS),
        "phase": [phase.name for phase in phases_of(campaign)],
    }
    lengths = {**seen.rooms, "source_kind": len(SOURCE_KINDS), "phase": campaign.phase_slots + 1}
    for dim, length in lengths.items():
        known = named.get(dim, [])
        named[dim] = known + [f"{dim} {place}" for place in range(len(known), length)]
    return named


@dataclasses.dataclass
class World:
    """A record read, with parameters taken by name: what is there, the prior's log density, and the data."""

    seen: Any
    arrays: dict[str, np.ndarray]
    q: dict[str, Any]
    free: dict[str, Any]
    units: dict[str, Any]
    log_prior: Any
    reporting: Reporting
    priors: Any
    campaign: Campaign

    def center_and_scale(self) -> tuple[np.ndarray, np.ndarray]:
        return location_and_scale(self.q, self.arrays, self.reporting)

    def log_claims(self) -> np.ndarray:
        """Log probability of every claim, by the package in numpy."""
        a = self.arrays
        mu, scale = self.center_and_scale()
        how = (
            a["claim_value"],
            mu,
            scale,
            a["claim_form"],
            a["claim_unit"],
            a["claim_offset"],
            self.reporting.errors,
            np,
        )
        slack = claim_slack(self.q, a)
        if slack is None:
            return log_probability(*how, a["claim_is_share"])
        return log_probability_with_slack(*how, a["claim_origin"], slack, a["claim_is_share"])

    def log_fighting(self) -> Any:
        if not self.reporting.truncate:
            return 0.0
        return special.log_expit(log_room(self.q, np) / ROOM_WIDTH)

    def log_density(self) -> Any:
        return self.log_prior + self.log_fighting() + self.log_claims().sum(axis=-1)


def world(
    record: at.Claims | None = None,
    campaign: Campaign = CAMPAIGN,
    priors: Any = PRIORS,
    curve: Any = CURVES["phased"],
    reporting: Reporting = ALL,
    seed: int = 0,
    alias: Callable[[str], str] = str,
    held: Mapping[str, Any] | None = None,
) -> World:
    """Read a record and draw every free parameter from its prior by name."""
    record = (claims() if record is None else record).known_by(VINTAGE)
    campaign = campaign.known_by(VINTAGE)
    seen = observe(record, campaign, reporting, zero_until=curve.zero_until(campaign))
    return taken(seen, campaign, priors, curve, reporting, seed, alias, held)


def taken(
    seen: Any,
    campaign: Campaign,
    priors: Any,
    curve: Any,
    reporting: Reporting,
    seed: int,
    alias: Any = str,
    held: Any = None,
) -> World:
    arrays = containers(seen, campaign, priors, curve, reporting)
    named = places(seen, campaign)
    free: dict[str, Any] = {}
    units: dict[str, Any] = {}
    density: list[Any] = [0.0]

    def take(parameter: Any, mean: Any) -> Any:
        if parameter.dims == ("knot",):
            keys = [str(knot) for knot in range(seen.rooms["knot"])]
        else:
            keys = [alias(key) for dim in parameter.dims for key in named[dim]]
        rngs = [np.random.default_rng(seed_of(seed, parameter.name, key)) for key in (keys or [""])]
        low = np.full(len(rngs), -DATE_SDS)
        if parameter.family == "beta":
            law = stats.beta(*(float(number) for number in arrays[f"prior_{parameter.prior}"]))
        elif parameter.family == "halfnormal":
            law = stats.halfnorm()
        elif parameter.family == "uniform":
            law = stats.uniform()
        elif parameter.family == "date":
            law = stats.truncnorm(low, arrays[parameter.prior])
        else:
            law = stats.norm()
        value = law.ppf(np.array([rng.uniform(0.05, 0.95) for rng in rngs]))
        if held and parameter.name in held:
            value = np.asarray(held[parameter.name], float)  # of a scalar: one number, or a grid of them
            density[0] = density[0] + law.logpdf(value)
        else:
            density[0] = density[0] + float(law.logpdf(value).sum())
            value = value if keys else value[0]
        units[parameter.name] = value
        free[parameter.name] = value + mean if parameter.family == "normal" else value
        return free[parameter.name]

    q = latent(take, arrays, priors, curve, reporting)
    return World(seen, arrays, q, free, units, density[0], reporting, priors, campaign)
