"""Daily rates of the three curves, forward and backward, for compiled code (``curves`` is the text)."""

from __future__ import annotations

import math

from ..curves import KNOT_DAYS
from .access import inlined, new, part
from .forms import CONSTANT
from .layout import BLOCK, INDEX, NUMBER, OPTION, SCALAR

FORM = OPTION["form"]
RATE, HALF_LIFE, FRACTION, SD, SIZE = (
    SCALAR[name] for name in ("constant_rate", "rate_half_life", "long_run_fraction", "rate_sd", "contingent_size")
)
FIRST_UNIT, UNIT, DAY_UNIT, PHASE_UNIT = (
    BLOCK[name] for name in ("rate_first_unit", "rate_unit", "phase_day_unit", "phase_rate_unit")
)
DAY_SHARE, DAY_NUMBER, KNOT_WEIGHT = (NUMBER[name] for name in ("day_share", "day_number", "knot_weight"))
KNOT_LEFT, PHASE_LEFT = INDEX["knot_left"], INDEX["phase_left"]
KNOWN, REVERTS, LOG_RATE, PHASE_WEIGHT = (
    NUMBER[f"phase_{name}"] for name in ("known", "reverts", "log_rate", "weight")
)
WEEKLY = math.log(2.0) * KNOT_DAYS / 7.0
DAILY = math.log(2.0) / 7.0


@inlined
def _between(knots, left, weight):
    return knots[left] * (1.0 - weight) + knots[left + 1] * weight


@inlined
def _add_between(bar, left, weight, amount):
    bar[left] += amount * (1.0 - weight)
    bar[left + 1] += amount * weight


@inlined
def walk(x, numbers, indices, scalars, room):
    """Autoregression at the knots, from its innovations."""
    unit = part(x, indices, UNIT)
    knots = new(room, unit.size + 1)
    knots[0] = x[indices[FIRST_UNIT]] if indices[FIRST_UNIT + 1] > 0 else 0.0
    log_phi = -WEEKLY / scalars[HALF_LIFE]
    phi, step = math.exp(log_phi), math.sqrt(-math.expm1(2.0 * log_phi))
    for k in range(unit.size):
        knots[k + 1] = phi * knots[k] + step * unit[k]
    return knots


@inlined
def walk_back(x, indices, scalars, knots, bar_knots, bar_scalars, grad):
    """Turn slopes in the knots into slopes in innovations and half-life; ``bar_knots`` is used up."""
    unit, grad_unit = part(x, indices, UNIT), part(grad, indices, UNIT)
    half_life = scalars[HALF_LIFE]
    log_phi = -WEEKLY / half_life
    phi, step = math.exp(log_phi), math.sqrt(-math.expm1(2.0 * log_phi))
    by_phi, by_step = 0.0, 0.0
    for k in range(unit.size - 1, -1, -1):
        bar = bar_knots[k + 1]
        grad_unit[k] += step * bar
        by_step += unit[k] * bar
        by_phi += knots[k] * bar
        bar_knots[k] += phi * bar
    if indices[FIRST_UNIT + 1] > 0:
        grad[indices[FIRST_UNIT]] += bar_knots[0]
    by_log_phi = by_phi * phi - by_step * phi * phi / step
    bar_scalars[HALF_LIFE] += by_log_phi * WEEKLY / (half_life * half_life)


@inlined
def phase_levels(x, numbers, indices, room):
    """Log rate at the start of each phase."""
    log_rate, unit = part(numbers, indices, LOG_RATE), part(x, indices, PHASE_UNIT)
    levels = new(room, unit.size)
    for p in range(unit.size):
        levels[p] = log_rate[2 * p] + log_rate[2 * p + 1] * unit[p]
    return levels


@inlined
def plain_rate(x, numbers, indices, scalars, knots, rate):
    """Rate by day of the curves without phases."""
    share = part(numbers, indices, DAY_SHARE)
    if indices[FORM] == CONSTANT:
        for d in range(rate.size):
            rate[d] = scalars[RATE] * share[d]
        return
    left, weight = part(indices, indices, KNOT_LEFT), part(numbers, indices, KNOT_WEIGHT)
    level = math.log(scalars[FRACTION] * scalars[SIZE])
    for d in range(rate.size):
        rate[d] = math.exp(level + scalars[SD] * _between(knots, left[d], weight[d])) * share[d]


@inlined
def plain_rate_back(numbers, indices, scalars, knots, rate, bar_rate, bar_knots, bar_scalars):
    """Turn slopes in the rates of a curve without phases into slopes in what makes them."""
    if indices[FORM] == CONSTANT:
        share = part(numbers, indices, DAY_SHARE)
        for d in range(rate.size):
            bar_scalars[RATE] += bar_rate[d] * share[d]
        return
    left, weight = part(indices, indices, KNOT_LEFT), part(numbers, indices, KNOT_WEIGHT)
    by_level, by_sd = 0.0, 0.0
    for d in range(rate.size):
        bar = bar_rate[d] * rate[d]
        by_level += bar
        by_sd += bar * _between(knots, left[d], weight[d])
        _add_between(bar_knots, left[d], weight[d], bar * scalars[SD])
    bar_scalars[SD] += by_sd
    bar_scalars[FRACTION] += by_level / scalars[FRACTION]
    bar_scalars[SIZE] += by_level / scalars[SIZE]


@inlined
def phased_rate(numbers, indices, scalars, knots, levels, starts, rate, own, faded, base, room):
    """Rate by day under phases.

    Of each day are kept the last phase that has begun for good (``base``), and of it and the later ones the rate (``own``)
    and how much of the departure at its start is left (``faded``), each (day * phases + phase).
    """
    day, known, reverts = (
        part(numbers, indices, DAY_NUMBER),
        part(numbers, indices, KNOWN),
        part(numbers, indices, REVERTS),
    )
    left, weight = part(indices, indices, KNOT_LEFT), part(numbers, indices, KNOT_WEIGHT)
    phase_left, phase_weight = part(indices, indices, PHASE_LEFT), part(numbers, indices, PHASE_WEIGHT)
    sd, decay = scalars[SD], -DAILY / scalars[HALF_LIFE]
    log_long_run = math.log(scalars[FRACTION] * scalars[SIZE])
    phases = starts.size
    then, steady = new(room, phases), new(room, phases)
    for p in range(phases):
        then[p] = sd * _between(knots, phase_left[p], phase_weight[p])
        steady[p] = math.exp(levels[p])
    daily = math.exp(decay)
    for d in range(rate.size):
        first = -1
        for p in range(phases - 1, -1, -1):
            if known[p] == 1.0 and day[d] - starts[p] >= 1.0:
                first = p
                break
        base[d] = first
        total = 0.0
        wave = sd * _between(knots, left[d], weight[d])
        for p in range(max(first, 0), phases):
            since = day[d] - starts[p]
            if known[p] == 0.0 or since <= 0.0:
                continue
            here, fade = steady[p], 1.0
            if reverts[p] != 0.0:
                if since >= 1.5 and d > 0 and day[d] - day[d - 1] == 1.0:
                    fade = faded[(d - 1) * phases + p] * daily
                else:
                    fade = math.exp(decay * max(since - 0.5, 0.0))
                here = math.exp(levels[p] + (log_long_run - levels[p]) * (1.0 - fade) + wave - then[p] * fade)
            gate = min(since, 1.0)
            own[d * phases + p], faded[d * phases + p] = here, fade
            total = total * (1.0 - gate) + gate * here
        rate[d] = total


@inlined
def phased_rate_back(
    numbers,
    indices,
    scalars,
    knots,
    levels,
    starts,
    own,
    faded,
    base,
    bar_rate,
    bar_knots,
    bar_levels,
    bar_starts,
    bar_scalars,
    room,
):
    """Turn slopes in the rates under phases into slopes in what makes them; those in knots and levels begin at 0."""
    day, known, reverts = (
        part(numbers, indices, DAY_NUMBER),
        part(numbers, indices, KNOWN),
        part(numbers, indices, REVERTS),
    )
    left, weight = part(indices, indices, KNOT_LEFT), part(numbers, indices, KNOT_WEIGHT)
    phase_left, phase_weight = part(indices, indices, PHASE_LEFT), part(numbers, indices, PHASE_WEIGHT)
    sd, half_life = scalars[SD], scalars[HALF_LIFE]
    decay, long_run = -DAILY / half_life, scalars[FRACTION] * scalars[SIZE]
    log_long_run = math.log(long_run)
    phases = starts.size
    before, departure = new(room, phases + 1), new(room, phases)
    for p in range(phases):
        departure[p] = levels[p] - log_long_run - sd * _between(knots, phase_left[p], phase_weight[p])
    by_sd, by_decay, by_long_run = 0.0, 0.0, 0.0
    for d in range(bar_rate.size):
        lowest = int(max(base[d], 0.0))
        before[lowest] = 0.0
        for p in range(lowest, phases - 1):
            since = day[d] - starts[p]
            gate = min(since, 1.0) if known[p] != 0.0 else 0.0
            before[p + 1] = before[p] * (1.0 - gate) + gate * own[d * phases + p] if gate > 0.0 else before[p]
        bar, by_wave = bar_rate[d], 0.0
        for p in range(phases - 1, lowest - 1, -1):
            since = day[d] - starts[p]
            if known[p] == 0.0 or since <= 0.0:
                continue
            gate, rate = min(since, 1.0), own[d * phases + p]
            by_since = bar * (rate - before[p]) if since < 1.0 else 0.0
            by_log = bar * gate * rate
            bar *= 1.0 - gate
            if reverts[p] == 0.0:
                bar_levels[p] += by_log
            else:
                fade = faded[d * phases + p]
                bar_levels[p] += by_log * fade
                by_long_run += by_log * (1.0 - fade)
                by_wave += by_log
                by_fade = by_log * departure[p] * fade
                if since > 0.5:
                    by_decay += by_fade * (since - 0.5)
                    by_since += by_fade * decay
            bar_starts[p] -= by_since
        _add_between(bar_knots, left[d], weight[d], by_wave)
    for p in range(phases):
        if reverts[p] != 0.0:
            _add_between(bar_knots, phase_left[p], phase_weight[p], -bar_levels[p])
    for k in range(knots.size):
        by_sd += bar_knots[k] * knots[k]
        bar_knots[k] *= sd
    bar_scalars[SD] += by_sd
    bar_scalars[FRACTION] += by_long_run / scalars[FRACTION]
    bar_scalars[SIZE] += by_long_run / scalars[SIZE]
    bar_scalars[HALF_LIFE] += by_decay * DAILY / (half_life * half_life)
