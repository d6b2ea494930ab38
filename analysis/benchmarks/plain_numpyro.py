"""The January problem in NumPyro: the same model and priors; with --shifted, in this package's parametrisation.

Run: python plain_numpyro.py --data january.json --out draws.npz [--shifted] [--method parallel|vectorized] [--cache FOLDER]
``parallel`` runs the four chains on four host devices; ``vectorized`` runs them as one program. Compiled programs are kept in the
cache folder, where there is one. The sampler's program, start of the chains, tuning and draws, is compiled ahead of time and then run, so
that the seconds of ``sample`` are free of compiling.
"""

from __future__ import annotations

import time

started = time.perf_counter()

import jax
import jax.numpy as jnp
import numpy as np
import numpyro
import numpyro.distributions as dist
from jax.nn import softplus
from numpyro.infer import MCMC, NUTS, init_to_median
from program import Clock, arguments, published, read, write

given = arguments(__doc__, "method", "cache")
method = given.method or "parallel"
numpyro.set_host_device_count(4 if method == "parallel" else 1)
numpyro.enable_x64()
if given.cache:
    jax.config.update("jax_compilation_cache_dir", given.cache)
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0)
    jax.config.update("jax_persistent_cache_min_entry_size_bytes", -1)
clock = Clock(started)
clock.part("import")
data = read(given.data)
kind, group, source = data["kind"], data["group"], data["source"]
number_of_sources = len(kind)
days = np.arange(data["days"])


def smooth(total, place):
    """A running total (0 first) at a fractional place, averaged over the day around it."""
    padded = jnp.concatenate([jnp.zeros(1), total, jnp.array([2.0 * total[-1] - total[-2]])])
    inside = jnp.clip(place, 0.0, len(days))
    near = jnp.clip(jnp.floor(inside + 0.5), 0, len(days)).astype(int)
    t = inside - near
    return (
        0.5 * (0.5 - t) ** 2 * padded[near] + (0.75 - t**2) * padded[near + 1] + 0.5 * (0.5 + t) ** 2 * padded[near + 2]
    )


def straight(total, place):
    """A running total (0 first) at a fractional place, linear within the day."""
    inside = jnp.clip(place, 0.0, len(days))
    left = jnp.clip(jnp.floor(inside), 0, len(days) - 1).astype(int)
    return total[left] + (inside - left) * (total[left + 1] - total[left])


def log_cells(low, high, center, scale):
    """Log probability that a logistic variable lies between logs of the ends; a high of 1e9 is none."""
    z_low, width = (np.log(low) - center) / scale, np.log(high / low) / scale
    above = -softplus(z_low)
    return jnp.where(high >= 1e9, above, above - softplus(-z_low - width) + jnp.log(-jnp.expm1(-width)))


def log_claims(rows, center, scale, slack):
    """Log probability of claims; "over 3,000" is that cell or, with geometrically falling probability, one of seven above it."""
    steps, unit = np.arange(8), data["unit"][rows][:, None]
    low, high = data["low"][rows][:, None] + steps * unit, data["high"][rows][:, None] + steps * unit
    cells = log_cells(low, high, center[:, None], scale[:, None])
    weights = jnp.log1p(-slack)[:, None] + steps * jnp.log(slack)[:, None] - jnp.log1p(-(slack**8))[:, None]
    return jnp.where(unit[:, 0] > 0, jax.scipy.special.logsumexp(weights + cells, axis=1), cells[:, 0])


def ahead(program):
    """The chains by NumPyro's program of one: mapped, compiled ahead, then run."""

    def call(chains):
        mapped = jax.pmap(program) if method == "parallel" else jax.jit(jax.vmap(program))
        compiled = mapped.lower(chains).compile()
        clock.part("compile")
        result = jax.block_until_ready(compiled(chains))
        clock.part("sample")
        return result

    return call


def model():
    def log_normal(name, numbers=None, shape=()):
        center, spread = data[f"prior_{name}"] if numbers is None else numbers
        return numpyro.sample(name, dist.LogNormal(center, spread).expand(shape).to_event(len(shape)))

    def normal(name, mean):
        """Unit normals; shifted, what the claims inform is sampled in their place (Jacobian 1)."""
        mean = jnp.asarray(mean)
        return numpyro.sample(name, dist.Normal(mean, 1.0).to_event(mean.ndim)) - mean

    def beta(name, shape=()):
        return numpyro.sample(name, dist.Beta(*data[f"prior_{name}"]).expand(shape).to_event(len(shape)))

    size, share, error, error_killed = (
        log_normal("size"),
        beta("share"),
        log_normal("error"),
        log_normal("error_killed"),
    )
    contact = log_normal("contact")
    log_level = jnp.log(log_normal("long_run_fraction") * size)
    rate_sd, half_life = log_normal("rate_sd"), log_normal("half_life")
    late = numpyro.sample("late", dist.TruncatedNormal(0.0, 1.0, low=-5.0, high=data["onset_latest"]))
    onset = data["onset"] + data["onset_sd"] * late
    innovation = normal("innovation", jnp.zeros(data["knots"]))
    phi = 2.0 ** (-1.0 / half_life)
    walk = [jnp.zeros(())]
    for knot in range(data["knots"]):
        walk.append(phi * walk[-1] + jnp.sqrt(1.0 - phi**2) * innovation[knot])
    walk = jnp.stack(walk)
    left, weight = data["knot_left"], data["knot_weight"]
    wave = rate_sd * (walk[left] * (1.0 - weight) + walk[left + 1] * weight)
    center, spread = data["prior_escalation"]
    mean_rate = 0.0
    if given.shifted:
        halfway = 1.0 - 2.0 ** (-data["shift_middle"] / 7.0 / half_life)
        mean_rate = (rate_sd * (data["shift_window"] * walk).sum() + halfway * (log_level - center)) / spread
    log_escalation = center + spread * normal("escalation", mean_rate)
    age = jnp.maximum(days - 0.5 - onset, 0.0)
    back = 1.0 - 2.0 ** (-age / 7.0 / half_life)
    log_rate = log_escalation + (log_level - log_escalation) * back + wave
    gate = jnp.clip(days - onset, 0.0, 1.0)
    rate = contact * np.clip(days, 0.0, 1.0) * (1.0 - gate) + gate * jnp.exp(log_rate)
    intended = jnp.cumsum(rate)
    lost = intended * jnp.exp(-softplus(16.0 * (jnp.log(intended + 1e-9) - jnp.log(size))) / 16.0)  # nobody twice
    total = jnp.concatenate([jnp.zeros(1), lost])

    stance = data["stance_mean"] + data["stance_sd"] * normal("stance", jnp.zeros(4))
    common = stance[kind] + data["group_sd"] * normal("group", jnp.zeros(data["groups"]))[group]
    lag = log_normal("lag", (data["lag_log_median"], data["lag_sd"]), (number_of_sources,))
    logit = jnp.log(share) - jnp.log1p(-share)
    mean_own = mean_killed = jnp.zeros(number_of_sources)
    if given.shifted:
        anchor = jnp.maximum(data["shift_end"] - data["shift_lagged"] * lag, 1.0)
        spoken = jnp.log(jnp.maximum(smooth(total, anchor), 1e-9)) - data["shift_log_value"]
        mean_own = data["shift_scale"] * (common + spoken)
        mean_killed = data["shift_killed"] * (logit + 1.0)
    bias = common + data["own_sd"] * normal("own", mean_own)
    departure = data["killed_share_source_sd"] * normal("killed_logit", mean_killed)
    reported = logit + departure
    slack = beta("slack", (4,))

    # killed and wounded: a figure speaks of a day before its publication, by its source's delay
    rows = np.flatnonzero(data["category"] < 8)
    who, category, start = source[rows], data["category"][rows], data["start"][rows]
    until = jnp.maximum(data["end"][rows] - lag[who], start + 1.0)
    part = jnp.where(category == 1, data["killed_shift"][who] - softplus(-reported[who]), 0.0)
    part = jnp.where(category == 2, -softplus(reported[who]), part)
    sd = jnp.where(category == 1, error_killed, error)
    briefing = normal("briefing", jnp.zeros(data["briefings"]))
    together, shared = data["briefing"][rows] >= 0, data["briefing_share"]
    where = jnp.log(smooth(total, until) - total[start.astype(int)]) + bias[who] + part
    where = where + sd * np.sqrt(shared) * together * briefing[np.maximum(data["briefing"][rows], 0)]
    scale = sd * np.where(together, np.sqrt(1.0 - shared), 1.0) * np.sqrt(3.0) / np.pi
    numpyro.factor("losses", log_claims(rows, where, scale, slack[kind[who]]).sum())

    # how many there are: the present, less the lost, with the wounded who came back
    rows = np.flatnonzero(data["category"] >= 8)
    who, present = source[rows], data["category"][rows] == 9
    headcount = data["deployed_source_sd"] * normal("headcount", jnp.zeros(number_of_sources))
    place = jnp.maximum(data["end"][rows] - data["lagged"][rows] * lag[who], 0.0)
    home, away, delay = beta("evacuated"), beta("returning"), log_normal("return_delay")
    returned = (1.0 - home) * away * (1.0 - share) * straight(total, place - delay)
    there = jnp.where(present, size - straight(total, place) + returned, size)
    scale = np.where(present, data["present_error"], data["deployed_error"]) * np.sqrt(3.0) / np.pi
    numpyro.factor("sizes", log_claims(rows, jnp.log(there) + headcount[who], scale, slack[kind[who]]).sum())

    numpyro.factor("fighting", -softplus(-(jnp.log(size) - jnp.log(intended[-1])) / 0.05))
    numpyro.deterministic("total", total[-1])
    numpyro.deterministic("total_then", total[data["onset"] + 1])
    numpyro.deterministic("total_before", total[-2])
    numpyro.deterministic("stance_bias", stance)
    numpyro.deterministic("source_bias", bias)


if __name__ == "__main__":
    clock.part("build")
    kernel = NUTS(model, target_accept_prob=given.accept, init_strategy=init_to_median)
    chains = MCMC(
        kernel,
        num_warmup=given.draws,
        num_samples=given.draws,
        num_chains=4,
        chain_method=ahead,
        progress_bar=False,
    )
    chains.run(jax.random.PRNGKey(given.seed), extra_fields=("num_steps", "diverging"))
    drawn = {name: np.asarray(draws) for name, draws in chains.get_samples(group_by_chain=True).items()}
    clock.part("gather")
    told = {name: np.asarray(values) for name, values in chains.get_extra_fields(group_by_chain=True).items()}
    write(
        given.out,
        published(data, drawn),
        seconds=clock.seconds,
        divergences=int(told["diverging"].sum()),
        steps=float(told["num_steps"].mean()),
        accept=given.accept,
        sampler=f"numpyro, {method}",
    )
