"""The January problem as one would write it in plain PyMC: the same model and priors, without this package's parametrisation.

Run: python plain_pymc.py --data january.json --out draws.npz [--sampler default|pymc|nutpie]
``default`` is ``pm.sample()``, which takes nutpie where it is installed; ``pymc`` is PyMC's own sampler; ``nutpie`` is nutpie called
directly. Called with --again N, it samples N times more in the same process, each time from the model built anew.
"""

from __future__ import annotations

import time

started = time.perf_counter()

import numpy as np
import pymc as pm
import pytensor.tensor as pt
from program import Clock, arguments, published, read, write


def smooth(total, place, days):
    """A running total (0 first) at a fractional place, averaged over the day around it."""
    padded = pt.concatenate([pt.zeros(1), total, [2.0 * total[-1] - total[-2]]])
    inside = pt.clip(place, 0.0, days)
    near = pt.clip(pt.floor(inside + 0.5), 0, days).astype("int64")
    t = inside - near
    return (
        0.5 * (0.5 - t) ** 2 * padded[near] + (0.75 - t**2) * padded[near + 1] + 0.5 * (0.5 + t) ** 2 * padded[near + 2]
    )


def straight(total, place, days):
    """A running total (0 first) at a fractional place, linear within the day."""
    inside = pt.clip(place, 0.0, days)
    left = pt.clip(pt.floor(inside), 0, days - 1).astype("int64")
    return total[left] + (inside - left) * (total[left + 1] - total[left])


def log_cells(low, high, center, scale):
    """Log probability that a logistic variable lies between logs of the ends; a high of 1e9 is none."""
    z_low, width = (np.log(low) - center) / scale, np.log(high / low) / scale
    above = -pt.softplus(z_low)
    return pt.switch(high >= 1e9, above, above - pt.softplus(-z_low - width) + pt.log(-pt.expm1(-width)))


def log_claims(data, rows, center, scale, slack):
    """Log probability of claims; "over 3,000" is that cell or, with geometrically falling probability, one of seven above it."""
    steps, unit = np.arange(8), data["unit"][rows][:, None]
    low, high = data["low"][rows][:, None] + steps * unit, data["high"][rows][:, None] + steps * unit
    cells = log_cells(low, high, center[:, None], scale[:, None])
    weights = pt.log1p(-slack)[:, None] + steps * pt.log(slack)[:, None] - pt.log1p(-(slack**8))[:, None]
    return pt.switch(unit[:, 0] > 0, pt.logsumexp(weights + cells, axis=1), cells[:, 0])


def build(data):
    """The model of a problem that ``record`` wrote."""
    kind, group, source = data["kind"], data["group"], data["source"]
    number_of_sources, days = len(kind), np.arange(data["days"])
    with pm.Model() as model:
        size = pm.LogNormal("size", *data["prior_size"])
        share = pm.Beta("share", *data["prior_share"])
        error = pm.LogNormal("error", *data["prior_error"])
        error_killed = pm.LogNormal("error_killed", *data["prior_error_killed"])
        contact = pm.LogNormal("contact", *data["prior_contact"])
        escalation = pm.LogNormal("escalation", *data["prior_escalation"])
        level = pm.LogNormal("long_run_fraction", *data["prior_long_run_fraction"]) * size
        rate_sd = pm.LogNormal("rate_sd", *data["prior_rate_sd"])
        half_life = pm.LogNormal("half_life", *data["prior_half_life"])
        late = pm.TruncatedNormal("late", 0.0, 1.0, lower=-5.0, upper=data["onset_latest"])
        onset = data["onset"] + data["onset_sd"] * late
        innovation = pm.Normal("innovation", 0.0, 1.0, shape=data["knots"])
        phi = 2.0 ** (-1.0 / half_life)
        walk = [pt.zeros(())]
        for knot in range(data["knots"]):
            walk.append(phi * walk[-1] + pt.sqrt(1.0 - phi**2) * innovation[knot])
        walk = pt.stack(walk)
        left, weight = data["knot_left"], data["knot_weight"]
        wave = rate_sd * (walk[left] * (1.0 - weight) + walk[left + 1] * weight)
        age = pt.maximum(days - 0.5 - onset, 0.0)
        back = 1.0 - 2.0 ** (-age / 7.0 / half_life)
        log_rate = pt.log(escalation) + (pt.log(level) - pt.log(escalation)) * back + wave
        gate = pt.clip(days - onset, 0.0, 1.0)
        rate = contact * np.clip(days, 0.0, 1.0) * (1.0 - gate) + gate * pt.exp(log_rate)
        intended = pt.cumsum(rate)
        lost = intended * pt.exp(-pt.softplus(16.0 * (pt.log(intended + 1e-9) - pt.log(size))) / 16.0)  # nobody twice
        total = pt.concatenate([pt.zeros(1), lost])

        stance = data["stance_mean"] + data["stance_sd"] * pm.Normal("stance", 0.0, 1.0, shape=4)
        group_effect = pm.Normal("group", 0.0, 1.0, shape=data["groups"])
        own = pm.Normal("own", 0.0, 1.0, shape=number_of_sources)
        bias = stance[kind] + data["group_sd"] * group_effect[group] + data["own_sd"] * own
        departure = data["killed_share_source_sd"] * pm.Normal("killed_logit", 0.0, 1.0, shape=number_of_sources)
        reported = pt.log(share) - pt.log1p(-share) + departure
        lag = pm.LogNormal("lag", data["lag_log_median"], data["lag_sd"], shape=number_of_sources)
        slack = pm.Beta("floor_slack", *data["prior_slack"], shape=4)

        # killed and wounded: a figure speaks of a day before its publication, by its source's delay
        rows = np.flatnonzero(data["category"] < 8)
        who, category, start = source[rows], data["category"][rows], data["start"][rows]
        until = pt.maximum(data["end"][rows] - lag[who], start + 1.0)
        part = pt.where(category == 1, data["killed_shift"][who] - pt.softplus(-reported[who]), 0.0)
        part = pt.where(category == 2, -pt.softplus(reported[who]), part)
        sd = pt.where(category == 1, error_killed, error)
        common = pm.Normal("briefing", 0.0, 1.0, shape=data["briefings"])
        together = data["briefing"][rows] >= 0
        shared = data["briefing_share"]
        center = pt.log(smooth(total, until, len(days)) - total[start.astype(int)]) + bias[who] + part
        center = center + sd * np.sqrt(shared) * together * common[np.maximum(data["briefing"][rows], 0)]
        scale = sd * np.where(together, np.sqrt(1.0 - shared), 1.0) * np.sqrt(3.0) / np.pi
        pm.Potential("losses", log_claims(data, rows, center, scale, slack[kind[who]]).sum())

        # how many there are: the present, less the lost, with the wounded who came back
        rows = np.flatnonzero(data["category"] >= 8)
        who, present = source[rows], data["category"][rows] == 9
        headcount = data["deployed_source_sd"] * pm.Normal("headcount", 0.0, 1.0, shape=number_of_sources)
        place = pt.maximum(data["end"][rows] - data["lagged"][rows] * lag[who], 0.0)
        home, away = pm.Beta("evacuated", *data["prior_evacuated"]), pm.Beta("returning", *data["prior_returning"])
        delay = pm.LogNormal("return_delay", *data["prior_return_delay"])
        returned = (1.0 - home) * away * (1.0 - share) * straight(total, place - delay, len(days))
        there = pt.where(present, size - straight(total, place, len(days)) + returned, size)
        scale = np.where(present, data["present_error"], data["deployed_error"]) * np.sqrt(3.0) / np.pi
        pm.Potential(
            "sizes", log_claims(data, rows, pt.log(there) + headcount[who], pt.as_tensor(scale), slack[kind[who]]).sum()
        )

        pm.Potential("fighting", -pt.softplus(-(pt.log(size) - pt.log(intended[-1])) / 0.05))
        pm.Deterministic("total", total[-1])
        pm.Deterministic("total_then", total[data["onset"] + 1])
        pm.Deterministic("total_before", total[-2])
        pm.Deterministic("stance_bias", stance)
        pm.Deterministic("source_bias", bias)
    return model


def sample(model, seed, given, clock):
    """Draws, by the sampler asked for."""
    if given.sampler == "nutpie":
        import nutpie

        compiled = nutpie.compile_pymc_model(model)
        clock.part("compile")
        return nutpie.sample(
            compiled,
            draws=given.draws,
            tune=given.draws,
            chains=4,
            seed=seed,
            target_accept=given.accept,
            progress_bar=False,
        )
    options = {"nuts_sampler": "pymc"} if given.sampler == "pymc" else {}
    return pm.sample(
        given.draws,
        tune=given.draws,
        chains=4,
        model=model,
        random_seed=seed,
        target_accept=given.accept,
        progressbar=False,
        **options,
    )


def main():
    given = arguments(__doc__, "sampler", "again")
    if given.sampler == "nutpie":
        import nutpie  # noqa: F401
    clock = Clock(started)
    clock.part("import")
    data = read(given.data)
    model = build(data)
    clock.part("build")
    trace = sample(model, given.seed, given, clock)
    clock.part("sample")
    if given.sampler != "nutpie":  # pm.sample tells of its sampling; the rest of it is compiling, then diagnostics
        whole, clock.seconds["sample"] = clock.seconds["sample"], float(trace["posterior"].attrs["sampling_time"])
        clock.seconds["compile"] = whole - clock.seconds["sample"]
    again = []
    for number in range(1, int(given.again or 0) + 1):
        before = time.perf_counter()
        sample(build(data), given.seed + number, given, Clock(before))
        again.append(time.perf_counter() - before)
    posterior, stats = trace["posterior"], trace["sample_stats"]
    names = ("total", "total_then", "total_before", "size", "share", "error", "stance_bias", "source_bias")
    write(
        given.out,
        published(data, {name: posterior[name].values for name in names}),
        seconds=clock.seconds,
        again=again,
        divergences=int(stats["diverging"].sum()),
        steps=float(stats["n_steps"].mean()) if "n_steps" in stats else None,
        accept=given.accept,
        sampler=str(
            trace["posterior"].attrs.get("inference_library", trace["sample_stats"].attrs.get("inference_library", ""))
        ),
    )


if __name__ == "__main__":
    main()
