"""Daily rates of the three curves, forward and backward, for compiled code (``curves`` is the text)."""

from __future__ import annotations

import math

from ..curves import KNOT_DAYS
from .access import fill, inlined, new, part, piece
from .exponential import exponentials
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
def plain_rate(numbers, indices, scalars, knots, rate):
    """Rate by day of the curves without phases."""
    share = part(numbers, indices, DAY_SHARE)
    if indices[FORM] == CONSTANT:
        for d in range(rate.size):
            rate[d] = scalars[RATE] * share[d]
        return
    left, weight = part(indices, indices, KNOT_LEFT), part(numbers, indices, KNOT_WEIGHT)
    level = math.log(scalars[FRACTION] * scalars[SIZE])
    for d in range(rate.size):
        rate[d] = level + scalars[SD] * _between(knots, left[d], weight[d])
    exponentials(rate)
    for d in range(rate.size):
        rate[d] *= share[d]


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
def phased_rate(numbers, indices, scalars, knots, levels, starts, rate, own, faded, before, spans):
    """Rate by day under phases, whose starts are finite; the first day of a phase is shared with those before.

    Of each phase are kept the days on which it counts (``spans``: the first, and that after the last), and on these its own
    rate (``own``), how much of the departure at its start is left (``faded``), and on a shared day the rate without it
    (``before``), each (phase * days + day).
    """
    day, reverts = part(numbers, indices, DAY_NUMBER), part(numbers, indices, REVERTS)
    left, weight = part(indices, indices, KNOT_LEFT), part(numbers, indices, KNOT_WEIGHT)
    phase_left, phase_weight = part(indices, indices, PHASE_LEFT), part(numbers, indices, PHASE_WEIGHT)
    sd, decay = scalars[SD], -DAILY / scalars[HALF_LIFE]
    log_long_run, days = math.log(scalars[FRACTION] * scalars[SIZE]), rate.size
    fill(rate, 0.0)
    _spans(numbers, indices, starts, days, spans)
    for p in range(starts.size):
        first, end, here = int(spans[2 * p]), int(spans[2 * p + 1]), p * days
        if reverts[p] != 0.0:
            departure = levels[p] - log_long_run - sd * _between(knots, phase_left[p], phase_weight[p])
            for d in range(first, end):
                faded[here + d] = decay * max(day[d] - starts[p] - 0.5, 0.0)
            exponentials(piece(faded, here + first, end - first))
            for d in range(first, end):
                own[here + d] = log_long_run + sd * _between(knots, left[d], weight[d]) + departure * faded[here + d]
            exponentials(piece(own, here + first, end - first))
        else:
            level = math.exp(levels[p])
            for d in range(first, end):
                own[here + d] = level
        alone = _alone_from(day, starts[p], first, end)
        for d in range(first, alone):
            before[here + d] = rate[d]
            rate[d] += (day[d] - starts[p]) * (own[here + d] - rate[d])
        for d in range(alone, end):
            rate[d] = own[here + d]


@inlined
def _alone_from(day, start, first, end):
    """First of these days that a phase shares with none before it."""
    while first < end and day[first] - start < 1.0:
        first += 1
    return first


@inlined
def _spans(numbers, indices, starts, days, spans):
    """Days on which each phase counts: from its start on, until a later one has begun for good."""
    day, known = part(numbers, indices, DAY_NUMBER), part(numbers, indices, KNOWN)
    end = days
    for p in range(starts.size - 1, -1, -1):
        spans[2 * p], spans[2 * p + 1] = end, end
        if known[p] != 0.0:
            first = last = end
            while first > 0 and day[first - 1] > starts[p]:
                first -= 1
            while last > 0 and day[last - 1] >= starts[p] + 1.0:
                last -= 1
            spans[2 * p], end = first, last


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
    before,
    spans,
    bar_rate,
    bar_knots,
    bar_levels,
    bar_starts,
    bar_scalars,
):
    """Turn slopes in the rates under phases into slopes in what makes them; those in knots begin at 0.

    ``bar_rate``, and of ``own`` and ``before`` the shared days, are used up.
    """
    day, reverts = part(numbers, indices, DAY_NUMBER), part(numbers, indices, REVERTS)
    left, weight = part(indices, indices, KNOT_LEFT), part(numbers, indices, KNOT_WEIGHT)
    phase_left, phase_weight = part(indices, indices, PHASE_LEFT), part(numbers, indices, PHASE_WEIGHT)
    sd, half_life = scalars[SD], scalars[HALF_LIFE]
    decay, long_run = -DAILY / half_life, scalars[FRACTION] * scalars[SIZE]
    log_long_run, days = math.log(long_run), bar_rate.size
    by_decay, by_long_run = 0.0, 0.0
    for p in range(starts.size - 1, -1, -1):
        first, end, here = int(spans[2 * p]), int(spans[2 * p + 1]), p * days
        departure = levels[p] - log_long_run - sd * _between(knots, phase_left[p], phase_weight[p])
        by_level, by_start, by_rate, by_since, by_fade = 0.0, 0.0, 0.0, 0.0, 0.0
        for d in range(first, _alone_from(day, starts[p], first, end)):
            since = day[d] - starts[p]
            by_start -= bar_rate[d] * (own[here + d] - before[here + d])
            own[here + d] *= since
            before[here + d] = 1.0 - since
            if since <= 0.5:  # nothing has faded yet
                by_fade -= bar_rate[d] * own[here + d] * faded[here + d]
        knot, by_left, by_right = left[first] if first < end else 0, 0.0, 0.0
        for d in range(first, end):
            by = bar_rate[d] * own[here + d]
            if reverts[p] == 0.0:
                by_level += by
                continue
            fade = by * faded[here + d]
            by_level += fade
            by_rate += by
            by_since += fade * max(day[d] - starts[p] - 0.5, 0.0)
            if left[d] != knot:  # the slope in a knot is added up before it is stored
                bar_knots[knot] += by_left
                bar_knots[knot + 1] += by_right
                knot, by_left, by_right = left[d], 0.0, 0.0
            by_left += by * (1.0 - weight[d])
            by_right += by * weight[d]
        for d in range(first, _alone_from(day, starts[p], first, end)):
            bar_rate[d] *= before[here + d]
        bar_levels[p] += by_level
        if reverts[p] == 0.0:
            bar_starts[p] += by_start
            continue
        bar_knots[knot] += by_left
        bar_knots[knot + 1] += by_right
        _add_between(bar_knots, phase_left[p], phase_weight[p], -by_level)
        bar_starts[p] += by_start - (by_level + by_fade) * departure * decay
        by_long_run += by_rate - by_level
        by_decay += by_since * departure
    by_sd = 0.0
    for k in range(knots.size):
        by_sd += bar_knots[k] * knots[k]
        bar_knots[k] *= sd
    bar_scalars[SD] += by_sd
    bar_scalars[FRACTION] += by_long_run / scalars[FRACTION]
    bar_scalars[SIZE] += by_long_run / scalars[SIZE]
    bar_scalars[HALF_LIFE] += by_decay * DAILY / (half_life * half_life)
