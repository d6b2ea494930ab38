"""What is there and how each claim speaks of it, a second time: in plain Python, one draw and one claim at a time.

Written from the words of the design, with the table's own dates; only the losses that the rate intends are taken as given.
"""

from __future__ import annotations

import datetime as dt
import itertools
import math
from typing import Any

import numpy as np

from attrition.campaign import Campaign
from everything import World, places

RECENT = 14.0
LOSSES = (
    "casualties",
    "killed",
    "wounded",
    "captured",
    "missing",
    "losses",
    "daily_rate",
    "killed_share",
    "loss_share",
)


def broken_line(total: list[float], place: float) -> float:
    """Straight lines between the ends of days; nothing before the calendar, no more after the last day."""
    ends = [0.0, *total]
    place = min(max(place, 0.0), float(len(total)))
    left = min(int(place), len(total) - 1)
    return ends[left] + (place - left) * (ends[left + 1] - ends[left])


def day_around(total: list[float], place: float) -> float:
    """Mean of the broken line over the day around a place, piece by piece; the last line goes on after the last day."""
    ends = [0.0, *total, 2.0 * total[-1] - total[-2]]

    def line(x: float) -> float:
        if x <= 0.0:
            return 0.0
        left = min(int(x), len(ends) - 2)
        return ends[left] + (x - left) * (ends[left + 1] - ends[left])

    place = min(max(place, 0.0), float(len(total)))
    low, high = place - 0.5, place + 0.5
    cuts = [low, *(c for c in (math.ceil(low), math.floor(high)) if low < c < high), high]
    cuts = sorted(set(cuts))
    return sum((b - a) * 0.5 * (line(a) + line(b)) for a, b in itertools.pairwise(cuts))


def expit(x: float) -> float:
    return 1.0 / (1.0 + math.exp(-x))


def log_head(number: float) -> float:
    """Log of a number of people, known to no closer than thirty."""
    return math.log(math.hypot(max(number, 0.0), 30.0))


def logit(p: float) -> float:
    return math.log(p / (1.0 - p))


class Plain:
    """Named quantities of one draw, from its free parameters and the campaign alone."""

    def __init__(self, world: World) -> None:
        self.world, self.campaign, self.priors = world, world.campaign, world.priors
        self.named = places(world.seen, world.campaign)
        self.rows = world.seen.claims.to_dict("records")
        self.stance = {source: kind for source, _, kind in world.seen.sources}
        self.group = {source: group for source, group, _ in world.seen.sources}
        wanted = [float(value) for value in world.q["intended_loss"]]
        self.intended = wanted
        self.captured = self.scalar("captured_ratio") if self.told("captured") else 0.0
        self.missing = self.scalar("missing_ratio") if self.told("missing") else 0.0
        self.size = {wave: self.wave_size(wave) for wave in self.named["wave"]}
        self.arrivals = [self.arrived(d) for d in range(len(wanted))]
        self.loss = [self.absorbed(x, a) for x, a in zip(wanted, self.arrivals, strict=True)]
        rate = [after - before for before, after in zip([0.0, *self.loss[:-1]], self.loss, strict=True)]
        share = self.killed_share(len(rate))
        self.killed = [sum(r * s for r, s in zip(rate[: d + 1], share, strict=False)) for d in range(len(rate))]
        self.wounded = [a - b for a, b in zip(self.loss, self.killed, strict=True)]

    def told(self, quantity: str) -> bool:
        return any(row["quantity"] == quantity for row in self.rows)

    def unit(self, name: str, dim: str = "", key: object = None) -> float:
        values = self.world.units[name]
        return float(values[self.named[dim].index(str(key))]) if dim else float(values)

    def scalar(self, name: str) -> float:
        prior = self.priors[name]
        n = prior.numbers
        if prior.family == "LogNormal":
            return n["median"] * math.exp(n["sd_log"] * self.unit(f"{name}_unit"))
        if prior.family == "HalfNormal":
            return n["scale"] * self.unit(f"{name}_unit")
        if prior.family == "Normal":
            return n["mean"] + n["sd"] * self.unit(f"{name}_unit")
        return self.unit(f"{name}_drawn") if prior.family == "Beta" else float(n["value"])

    def killed_share(self, days: int) -> list[float]:
        """Monthly steps of the logit, straight lines between; still where nobody speaks of it four weeks apart."""
        spoken: dict[str, list[dt.date]] = {}
        for row in self.rows:
            if row["quantity"] in ("killed", "killed_share"):
                spoken.setdefault(row["source"], []).append(row["as_of"] or row["published"])
        moves = any((max(dates) - min(dates)).days >= 28 for dates in spoken.values())
        knots = [0.0]
        for step in self.world.units["share_unit"]:
            knots.append(knots[-1] + (self.scalar("killed_share_walk_sd") if moves else 0.0) * float(step))
        start = logit(self.scalar("killed_share"))
        found = []
        for d in range(days):
            place = max(d - 0.5, 0.0) / 30.0
            left = int(place)
            found.append(expit(start + knots[left] + (place - left) * (knots[left + 1] - knots[left])))
        return found

    def wave_size(self, name: str) -> float:
        known = {wave.wave: (wave.median, wave.sd_log) for wave in self.campaign.reinforcements}
        median, sd = known.get(name, (1.0, 1.0))
        return median * math.exp(sd * self.unit("wave_size_unit", "wave", name))

    def arrived(self, d: int) -> float:
        """All who have come by the end of a day: a reinforcement comes in over the seven days before its moment."""
        campaign: Campaign = self.campaign
        part = 1.0
        if campaign.arrival_from and campaign.full_strength:
            first, full = campaign.day(campaign.arrival_from), campaign.day(campaign.full_strength)
            part = min(max((d - first + 1) / (full - first + 1), 0.0), 1.0)
        total = self.scalar("contingent_size") * part
        for wave in campaign.reinforcements:
            moment = campaign.day(wave.date) + wave.sd_days * self.unit("wave_day_unit", "wave", wave.wave)
            total += self.size[wave.wave] * min(max((d + 7 - moment) / 7, 0.0), 1.0)
        return total

    def absorbed(self, intended: float, arrived: float) -> float:
        """Smooth minimum of what the rate would add up to and of who is there, in the 16th power; nobody is lost twice."""
        if not self.world.reporting.truncate or intended <= 0.0:
            return intended
        gross = intended * (1.0 + self.captured + self.missing)
        return intended * (1.0 + (gross / arrived) ** 16) ** (-1.0 / 16)

    def log_room(self) -> float:
        gross = 1.0 + self.captured + self.missing
        return min(math.log(a / (gross * x)) for a, x in zip(self.arrivals, self.intended, strict=True) if x > 0)

    # Sources

    def bias(self, source: str) -> float:
        prior = self.priors[f"bias_{self.stance[source]}"].numbers
        mean = prior["mean"] + prior["mean_sd"] * self.unit("stance_unit", "source_kind", self.stance[source])
        members = [other for other in self.group if self.group[other] == self.group[source]]
        rest = prior["total_sd"] ** 2 - prior["mean_sd"] ** 2
        shared = 0.0
        if len(members) > 1:
            shared = min(self.priors["bias_group_sd"].numbers["value"], math.sqrt(rest))
            mean += shared * self.unit("source_group_unit", "source", members[0])
        return mean + math.sqrt(rest - shared**2) * self.unit("source_own_shifted", "source", source)

    def lag(self, source: str) -> float:
        prior = self.priors[f"lag_{self.stance[source]}"]
        if prior.family == "Fixed":
            return prior.numbers["value"]
        spread = prior.numbers["sd_log"] * self.unit("source_lag_unit", "source", source)
        return prior.numbers["median"] * math.exp(spread)

    def deviation(self, source: str) -> float:
        sd = self.priors["killed_share_source_sd"].numbers["value"]
        return sd * self.unit("source_killed_shifted", "source", source)

    def headcount(self, source: str) -> float:
        sd = self.priors["deployed_source_sd"].numbers["value"]
        return sd * self.unit("source_deployed_unit", "source", source)

    def drift(self, row: dict[Any, Any]) -> float:
        """Sum of a source's steps since its first date; a step's sd is the root of the time in months of 30 days."""
        own = [r for r in self.rows if r["source"] == row["source"] and r["quantity"] in LOSSES]
        days = sorted({self.campaign.day(r["as_of"] or r["published"]) for r in own})
        here = self.campaign.day(row["as_of"] or row["published"])
        total = 0.0
        for before, after in itertools.pairwise(days):
            if after <= here:
                step = self.unit("drift_unit", "drift", f"{row['source']} {after}")
                total += math.sqrt((after - before) / 30.0) * step
        return self.scalar("source_drift_sd") * total

    # Claims

    def moment(self, row: dict[Any, Any]) -> tuple[float, float, bool]:
        """First and last place of the period, and whether its end is uncertain."""
        day = self.campaign.day
        end, uncertain = float(day(row["as_of"] or row["published"]) + 1), False
        if row["as_of_basis"] in ("none", "published"):
            end, uncertain = end - self.lag(row["source"]), True
        if row["as_of_from"] is not None and row["as_of_from"] < row["as_of"]:
            span = (row["as_of"] - row["as_of_from"]).days
            end, uncertain = end - span * self.unit("month_unit", "month", row["claim_id"]), True
        start = float(max(day(row["window_start"]), 0)) if row["window_start"] else 0.0
        least = start + 1.0 if row["quantity"] in LOSSES else start
        return start, max(end, least), uncertain

    def level(self, by_day: list[float], place: float) -> float:
        """A level between days; before the end of the first day it rises from that day's."""
        return by_day[0] + broken_line([value - by_day[0] for value in by_day], place)

    def back(self, place: float) -> float:
        kept = (1.0 - self.scalar("evacuated_fraction")) * self.scalar("return_fraction")
        return kept * broken_line(self.wounded, place - self.scalar("return_delay"))

    def center(self, row: dict[Any, Any]) -> float:
        """Log of the number that the source means, or logit of the share."""
        start, end, uncertain = self.moment(row)
        quantity, source, at_end = row["quantity"], row["source"], day_around if uncertain else broken_line
        head = self.headcount(source)
        if quantity == "deployed":
            return math.log(self.level(self.arrivals, end)) + head
        if quantity == "present":
            lost = broken_line(self.loss, end) * (1.0 + self.captured + self.missing)
            return math.log(max(self.level(self.arrivals, end) - lost + self.back(end), 1.0)) + head
        if quantity == "reinforcement":
            return math.log(self.size[row["wave"]]) + head
        if quantity == "returned":
            return log_head(self.back(end) - self.back(start))
        if quantity == "evacuated":
            hurt = broken_line(self.wounded, end) - broken_line(self.wounded, start)
            return log_head(self.scalar("evacuated_fraction") * hurt)
        loss = at_end(self.loss, end) - broken_line(self.loss, start)
        killed = at_end(self.killed, end) - broken_line(self.killed, start)
        adversary = self.stance[source] == "adversary"
        shift = self.priors["bias_killed_adversary"].numbers["value"] if adversary else 0.0
        split = expit(logit(killed / loss) + self.deviation(source))
        if quantity == "killed_share":
            return logit(split) + shift
        bias = self.bias(source)
        if self.world.reporting.drift:
            bias += self.drift(row)
        if self.world.reporting.intensity and adversary:
            first = max(end - RECENT, 0.0)
            recent = (broken_line(self.loss, end) - broken_line(self.loss, first)) / max(end - first, 1.0)
            usual = self.priors["constant_rate"].numbers["median"]
            bias += self.scalar("adversary_intensity") * math.log(max(recent, 1e-9) / usual)
        if quantity == "loss_share":
            gross = loss * (1.0 + self.captured + self.missing)
            return math.log(gross / (self.level(self.arrivals, end) - gross)) + bias
        if quantity == "daily_rate":
            first = self.campaign.day(row["window_start"])
            loss /= end - first if first < 0 else end - start
        factor = {
            "killed": split * math.exp(shift), "wounded": 1.0 - split, "captured": self.captured, "missing": self.missing,
            "losses": 1.0 + self.captured + self.missing,
        }.get(quantity, 1.0)  # fmt: skip
        return math.log(loss * factor) + bias

    def sd(self, row: dict[Any, Any]) -> float:
        if row["error_sd"] and not math.isnan(row["error_sd"]):
            return float(row["error_sd"])
        quantity = row["quantity"]
        names = {"deployed": "deployed_error", "present": "present_error"}
        names |= dict.fromkeys(("killed", "killed_share"), "claim_error_killed")
        names |= dict.fromkeys(("reinforcement", "returned", "evacuated"), "movement_error")
        name = names.get(quantity, "claim_error")
        if name == "claim_error_killed" and self.priors[name].family == "SameAsTotals":
            name = "claim_error"
        return self.scalar(name)

    def said(self, row: dict[Any, Any]) -> tuple[float, float]:
        """Center and scale of what the source says, its briefing's part of the error given."""
        center, sd, own = self.center(row), self.sd(row), 1.0
        if row["quantity"] in LOSSES:
            key = row["briefing"] or f"{row['source']}:{row['published']}"
            together = [
                r for r in self.rows
                if r["quantity"] in LOSSES and (r["briefing"] or f"{r['source']}:{r['published']}") == key
            ]  # fmt: skip
            if len(together) > 1:
                share = self.priors["briefing_share"].numbers["value"]
                center += sd * math.sqrt(share) * self.unit("briefing_unit", "briefing", key)
                own = math.sqrt(1.0 - share)
        scale = sd * own * (math.sqrt(3.0) / math.pi if self.world.reporting.errors == "logistic" else 1.0)
        return center, scale

    def all_said(self) -> np.ndarray:
        return np.array([self.said(row) for row in self.rows]).T
