"""The January problem as one would write it in plain PyMC: the same model, without this package's parametrisation.

Run: python analysis/benchmarks/plain_pymc.py [OUT.json]
It reads the record through attrition (so that both see the same intervals) and writes quantiles of what is published.
"""

from __future__ import annotations

import json
import sys
import time

started = time.perf_counter()

import numpy as np
import pymc as pm
import pytensor.tensor as pt

import attrition as at
from attrition.observations import briefings_of, observe

VINTAGE = "2025-01-16"

campaign = at.load_campaign("dprk-kursk").known_by(VINTAGE)
seen = observe(at.load_claims("dprk-kursk").known_by(VINTAGE), campaign, at.Reporting())
rows = seen.claims
losses, sizes = rows[rows["category"] < 8], rows[rows["category"] >= 8]
if not (set(losses["category"]) <= {0, 1, 2} and set(sizes["category"]) <= {8, 9}):
    raise SystemExit("written for the January record")
sources = sorted(set(rows["source"]))
kinds = ["adversary", "own_side", "third_party", "analyst"]
of_source = {name: (group, kind) for name, group, kind in seen.sources}
kind = np.array([kinds.index(of_source[name][1]) for name in sources])
all_groups = [entry[1:] for entry in seen.sources]
shared = np.array([all_groups.count(of_source[name]) > 1 for name in sources])
groups = sorted({of_source[name] for name in sources})
group = np.array([groups.index(of_source[name]) for name in sources])

mean = np.array([0.35, -0.50, 0.0, 0.0])
mean_sd = np.array([0.35, 0.40, 0.20, 0.20])
total_sd = np.array([0.45, 0.60, 0.30, 0.30])
group_sd = 0.15 * shared
own_sd = np.sqrt(total_sd[kind] ** 2 - mean_sd[kind] ** 2 - group_sd**2)

days = np.arange(campaign.day(seen.vintage) + 1)
onset_day = campaign.day(campaign.escalation.date)
latest = (campaign.escalation.published - campaign.escalation.date).days / 4.0 + 1e-3
position = np.clip((days - 0.5 - onset_day) / 7.0, 0.0, None)
left = np.floor(position).astype(int)
weight = position - left
knots = int(left.max()) + 1

with pm.Model() as model:
    size = pm.LogNormal("contingent_size", np.log(campaign.contingent_size.median), campaign.contingent_size.sd_log)
    share = pm.Beta("killed_share", 3, 9)
    error = pm.LogNormal("claim_error", np.log(0.10), 0.5)
    error_killed = pm.LogNormal("claim_error_killed", np.log(0.25), 0.5)
    contact = pm.LogNormal("contact_rate", 0.0, 1.0)
    escalation = pm.LogNormal("escalation_rate", np.log(50.0), 1.0)
    level = pm.LogNormal("long_run_fraction", np.log(0.003), 0.9) * size
    sd = pm.LogNormal("rate_sd", np.log(0.8), 0.25)
    half_life = pm.LogNormal("rate_half_life", np.log(3.0), 0.56)
    onset = onset_day + 4.0 * pm.TruncatedNormal("onset", 0.0, 1.0, lower=-5.0, upper=latest)
    innovation = pm.Normal("innovation", 0.0, 1.0, shape=knots)
    phi = 2.0 ** (-1.0 / half_life)
    walk = [pt.zeros(())]
    for knot in range(knots):
        walk.append(phi * walk[-1] + pt.sqrt(1.0 - phi**2) * innovation[knot])
    walk = pt.stack(walk)
    wave = sd * (walk[left] * (1.0 - weight) + walk[left + 1] * weight)
    age = pt.maximum(days - 0.5 - onset, 0.0)
    log_rate = (
        pt.log(escalation) + (pt.log(level) - pt.log(escalation)) * (1.0 - 2.0 ** (-age / 7.0 / half_life)) + wave
    )
    gate = pt.clip(days - onset, 0.0, 1.0)
    started_contact = np.clip(days, 0.0, 1.0)
    rate = contact * started_contact * (1.0 - gate) + gate * pt.exp(log_rate)
    intended = pt.cumsum(rate)
    lost = intended * (1.0 + (intended / size) ** 16) ** (-1.0 / 16.0)  # nobody is lost twice
    total = pt.concatenate([pt.zeros(1), lost])
    killed = pt.concatenate([pt.zeros(1), share * lost])

    stance = mean + mean_sd * pm.Normal("stance", 0.0, 1.0, shape=4)
    group_effect = pm.Normal("group", 0.0, 1.0, shape=len(groups))
    own = pm.Normal("own", 0.0, 1.0, shape=len(sources))
    bias = stance[kind] + group_sd * group_effect[group] + own_sd * own
    logit = pt.log(share) - pt.log1p(-share) + 0.6 * pm.Normal("killed_logit", 0.0, 1.0, shape=len(sources))
    reported = pm.math.sigmoid(logit)

    def interval(lower, upper, center, scale):
        below = pt.where(lower > 0, pm.math.sigmoid((np.log(np.where(lower > 0, lower, 1.0)) - center) / scale), 0.0)
        finite = np.where(np.isfinite(upper), upper, 1.0)
        above = pt.where(np.isfinite(upper), pm.math.sigmoid((np.log(finite) - center) / scale), 1.0)
        return pt.log(above - below)

    # a figure without a date speaks of a day before its publication, by its source's delay
    lag = pm.LogNormal("lag", np.log(np.array([1.5, 2.5, 2.5, 2.0]))[kind], 0.3, shape=len(sources))

    def read(sum_by_day, place):
        inside = pt.clip(place, 0.0, len(days))
        whole = pt.clip(pt.floor(inside), 0, len(days) - 1).astype("int64")
        return sum_by_day[whole] + (inside - whole) * (sum_by_day[whole + 1] - sum_by_day[whole])

    at_source = np.array([sources.index(name) for name in losses["source"]])
    category = losses["category"].to_numpy(int)
    start, end = losses["start_day"].to_numpy(int), losses["end_day"].to_numpy(int) + 1
    shift = np.array([0.25 if of_source[name][1] == "adversary" else 0.0 for name in losses["source"]])
    until = pt.maximum(end - losses["lagged"].to_numpy(float) * lag[at_source], start + 1.0)
    part = pt.where(
        category == 1,
        pt.log(reported[at_source]) + shift,
        pt.where(category == 2, pt.log1p(-reported[at_source]), 0.0),
    )
    sd = pt.where(category == 1, error_killed, error)
    names = briefings_of(rows.to_dict("records"))
    common = pm.Normal("briefing", 0.0, 1.0, shape=len(names))
    briefing = np.array([names.index(name) if name in names else -1 for name in losses["briefing"]])
    together = briefing >= 0
    center = pt.log(read(total, until) - total[start]) + bias[at_source] + part
    center = center + sd * np.sqrt(0.5) * together * common[np.maximum(briefing, 0)]
    scale = sd * np.where(together, np.sqrt(0.5), 1.0) * np.sqrt(3.0) / np.pi

    # "over 3,000": that cell of the source's grid, or with geometrically falling probability one of the seven above it
    low, high = losses["interval_low"].to_numpy(float), losses["interval_high"].to_numpy(float)
    floors = (losses["bound"] == "at_least").to_numpy() & (losses["open"] != "yes").to_numpy()
    slack = pm.Beta("floor_slack", 1.0, 2.0, shape=4)[kind[at_source]]
    steps = np.arange(8)
    unit = np.where(floors, high - low, 0.0)
    cells = interval(
        low[:, None] + steps * unit[:, None], high[:, None] + steps * unit[:, None], center[:, None], scale[:, None]
    )
    weights = (1.0 - slack[:, None]) * slack[:, None] ** steps / (1.0 - slack[:, None] ** 8)
    pm.Potential("floors", pt.logsumexp(pt.log(weights) + cells, axis=1)[np.flatnonzero(floors)].sum())
    pm.Potential("losses", cells[np.flatnonzero(~floors), 0].sum())

    size_source = np.array([sources.index(name) for name in sizes["source"]])
    size_bias = 0.07 * pm.Normal("size_bias", 0.0, 1.0, shape=len(sources))
    day = sizes["end_day"].to_numpy(float) + 1.0
    place = pt.maximum(day - sizes["lagged"].to_numpy(float) * lag[size_source], 0.0)
    away, home = pm.Beta("return_fraction", 2.0, 4.0), pm.Beta("evacuated_fraction", 2.0, 4.0)
    delay = pm.LogNormal("return_delay", np.log(45.0), 0.5)
    back = (1.0 - home) * away * (read(total, place - delay) - read(killed, place - delay))
    present = (sizes["category"] == 9).to_numpy()
    there = pt.where(present, size - read(total, place) + back, size)
    size_scale = np.where(present, 0.10, 0.05) * np.sqrt(3.0) / np.pi
    low, high = sizes["interval_low"].to_numpy(float), sizes["interval_high"].to_numpy(float)
    size_floor = (sizes["bound"] == "at_least").to_numpy()
    step = np.where(size_floor, high - low, 0.0)
    size_slack = pm.math.stack([model["floor_slack"][kind[number]] for number in size_source])
    size_cells = interval(
        low[:, None] + steps * step[:, None],
        high[:, None] + steps * step[:, None],
        (pt.log(there) + size_bias[size_source])[:, None],
        size_scale[:, None],
    )
    weights = (1.0 - size_slack[:, None]) * size_slack[:, None] ** steps / (1.0 - size_slack[:, None] ** 8)
    pm.Potential("size_floors", pt.logsumexp(pt.log(weights) + size_cells, axis=1)[np.flatnonzero(size_floor)].sum())
    pm.Potential("sizes", size_cells[np.flatnonzero(~size_floor), 0].sum())
    pm.Potential("fighting", pt.log(pm.math.sigmoid((pt.log(size) - pt.log(intended[-1])) / 0.05)))
    pm.Deterministic("total_loss", total[-1])
    pm.Deterministic("rate_since_escalation", (total[-1] - total[onset_day + 1]) / (days[-1] - onset_day))

sampling = time.perf_counter()
trace = pm.sample(1000, tune=1000, chains=4, model=model, random_seed=1, target_accept=0.95, progressbar=False)
ended = time.perf_counter()

import arviz as az

names = ("total_loss", "rate_since_escalation", "killed_share", "contingent_size", "claim_error")
posterior = trace["posterior"]
result = {
    "seconds": {"build": sampling - started, "compile_and_sample": ended - sampling, "whole": ended - started},
    "divergences": int(trace["sample_stats"]["diverging"].sum()),
    "min_ess": min(float(az.ess(posterior[name].values)) for name in names),
    "quantiles": {name: [float(q) for q in np.quantile(posterior[name].values, (0.05, 0.5, 0.95))] for name in names},
}
text = json.dumps(result, indent=1)
print(text)
if len(sys.argv) > 1:
    with open(sys.argv[1], "w", encoding="utf-8") as stream:
        stream.write(text + "\n")
