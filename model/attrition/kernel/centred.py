"""Coordinates in which claims tell parameters apart: the log rate itself at the first knots, not the innovations behind it.

The text's parameters are innovations of unit sd. Claims that come thick inform the log rates which these make together with
the sd, the half-life and the level of a phase; there the sampler moves in log rates, and the priors stand between them (a
centred parametrisation: Papaspiliopoulos, Roberts and Skold 2007, doi 10.1214/088342307000000014). Where claims are few, the
innovations are the better coordinates and stay. A phase that begins late takes its first log rates up with it, so that as many
are lost in its first fortnight. The change of variables has a Jacobian: the posterior is the same.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from ..curves import DATE_SDS
from .access import inlined, logistic, new, part, table, zeros
from .forms import REVERTING
from .layout import BLOCK, FIRST_SCALAR, INDEX, NUMBER, OPTION, SCALAR, Layout
from .rate import DAILY, WEEKLY
from .units import scalar_value

CENTRED, FORM = OPTION["centred"], OPTION["form"]
HALF_LIFE, FRACTION, SD, SIZE = (
    SCALAR[name] for name in ("rate_half_life", "long_run_fraction", "rate_sd", "contingent_size")
)
FIRST_UNIT, UNIT, LEVEL_UNIT, DAY_UNIT = (
    BLOCK[name] for name in ("rate_first_unit", "rate_unit", "phase_rate_unit", "phase_day_unit")
)
REVERTS, LOG_RATE, DATE_SD, LATEST = (NUMBER[f"phase_{name}"] for name in ("reverts", "log_rate", "sd", "latest"))
PHASE_LEFT, KNOT_PHASE, KNOT_SINCE = INDEX["phase_left"], INDEX["knot_phase"], NUMBER["knot_since"]
SOFTENED = 0.25  # a beginning even later than those days has a finite rise
RISE_IN_TIME = 2.0 * math.log(0.5 * (1.0 + math.sqrt(1.0 + SOFTENED)))
FIRST_DAYS = 14.0  # over which a phase's losses stay as they are when it begins earlier or later


@inlined
def _dynamics(point, numbers, indices):
    """Half-life, sd, log of the long-run rate, weekly autocorrelation and sd of an innovation.

    Then slopes: of half-life and sd in their parameters, of the log of the long-run rate in those of its fraction and size.
    """
    half_life, half_life_slope = scalar_value(point, numbers, indices, HALF_LIFE)
    sd, sd_slope = scalar_value(point, numbers, indices, SD)
    fraction, fraction_slope = scalar_value(point, numbers, indices, FRACTION)
    size, size_slope = scalar_value(point, numbers, indices, SIZE)
    log_phi = -WEEKLY / half_life
    phi, step = math.exp(log_phi), math.sqrt(-math.expm1(2.0 * log_phi))
    slopes = (half_life_slope, sd_slope, fraction_slope / fraction, size_slope / size)
    return half_life, sd, math.log(fraction * size), phi, step, slopes


@inlined
def _beginnings(point, numbers, indices, room):
    """Days by which each phase begins late, what that adds to its first log rate, and slopes in the beginning's parameter.

    Returns
    -------
    (4, phase)
        Days late and their slope; what is added and its slope.
    """
    unit, reverts = part(point, indices, DAY_UNIT), part(numbers, indices, REVERTS)
    latest, sd = part(numbers, indices, LATEST), part(numbers, indices, DATE_SD)
    found = table(zeros(room, 4 * unit.size), 4)
    for p in range(unit.size):
        if reverts[p] != 0.0 and sd[p] != 0.0:
            inside, width = logistic(unit[p]), latest[p] + DATE_SDS
            found[0, p] = sd[p] * (width * inside - DATE_SDS)
            found[1, p] = sd[p] * width * inside * (1.0 - inside)
            left = 1.0 - found[0, p] / FIRST_DAYS
            root = math.sqrt(left * left + SOFTENED)
            found[2, p] = RISE_IN_TIME - 2.0 * math.log(0.5 * (left + root))
            found[3, p] = 2.0 / root * found[1, p] / FIRST_DAYS
    return found


@inlined
def middles(point, numbers, indices, room):
    """What log rates at the first knots are without the autoregression, and what that is made of.

    Returns
    -------
    half_life, sd, long_run, phi, step, slopes
        As from ``_dynamics``.
    level, beginnings
        Level of each phase, and what ``_beginnings`` gives.
    middle
        (4, knot): the log rate in the middle; how much of its phase's level, and of its rise, is in it; days since the phase.
    """
    centred, phases = indices[CENTRED], indices[LEVEL_UNIT + 1]
    middle, level, beginnings = table(zeros(room, 4 * centred), 4), zeros(room, phases), table(zeros(room, 4), 4)
    if centred == 0:
        return 1.0, 1.0, 0.0, 0.0, 1.0, (0.0, 0.0, 0.0, 0.0), level, beginnings, middle
    half_life, sd, long_run, phi, step, slopes = _dynamics(point, numbers, indices)
    beginnings = _beginnings(point, numbers, indices, room)
    log_rate, unit = part(numbers, indices, LOG_RATE), part(point, indices, LEVEL_UNIT)
    for p in range(phases):
        level[p] = log_rate[2 * p] + log_rate[2 * p + 1] * unit[p]
    phase_of, since = part(indices, indices, KNOT_PHASE), part(numbers, indices, KNOT_SINCE)
    for k in range(centred):
        p = phase_of[k]
        if p < 0:
            middle[0, k] = long_run if indices[FORM] == REVERTING else 0.0
            continue
        middle[3, k] = max(since[k] - beginnings[0, p], 0.0)
        middle[1, k] = math.exp(-DAILY * middle[3, k] / half_life)
        # the level brings its rise in; a coordinate leaves out what is left of it
        middle[2, k] = middle[1, k] - max(1.0 - since[k] / FIRST_DAYS, 0.0)
        middle[0, k] = long_run + (level[p] - long_run) * middle[1, k] + beginnings[2, p] * middle[2, k]
    return half_life, sd, long_run, phi, step, slopes, level, beginnings, middle


@inlined
def from_centred(y, numbers, indices, known, x, knots):
    """Write the text's parameters ``x`` and the autoregression at the first knots, of the sampler's ``y``; the log Jacobian.

    ``known`` is what ``middles`` gives at ``y``.
    """
    for i in range(x.size):
        x[i] = y[i]
    centred = indices[CENTRED]
    if centred == 0:
        return 0.0
    _, sd, _, phi, step, _, _, beginnings, middle = known
    log_rate, level_unit = part(numbers, indices, LOG_RATE), part(x, indices, LEVEL_UNIT)
    for p in range(level_unit.size):
        level_unit[p] += beginnings[2, p] / log_rate[2 * p + 1]
    seen, unit = part(y, indices, UNIT), part(x, indices, UNIT)
    phase_of, left = part(indices, indices, KNOT_PHASE), part(indices, indices, PHASE_LEFT)
    knots[0] = y[indices[FIRST_UNIT]] if indices[FIRST_UNIT + 1] > 0 else 0.0
    for k in range(centred):
        then = knots[min(left[phase_of[k]], k)] * middle[1, k] if phase_of[k] >= 0 else 0.0
        knots[k + 1] = (seen[k] - middle[0, k]) / sd + then
        unit[k] = (knots[k + 1] - phi * knots[k]) / step
    return -centred * math.log(sd * step)


@inlined
def from_centred_back(y, numbers, indices, known, x, knots, grad, room):
    """Turn slopes in the text's parameters, in place, into slopes in the sampler's, the Jacobian's included."""
    centred = indices[CENTRED]
    if centred == 0:
        return
    half_life, sd, long_run, phi, step, slopes, level, beginnings, middle = known
    log_rate, grad_level = part(numbers, indices, LOG_RATE), part(grad, indices, LEVEL_UNIT)
    seen, unit, grad_unit = part(y, indices, UNIT), part(x, indices, UNIT), part(grad, indices, UNIT)
    phase_of, left = part(indices, indices, KNOT_PHASE), part(indices, indices, PHASE_LEFT)
    by_level, by_risen, by_late = zeros(room, level.size), new(room, level.size), zeros(room, level.size)
    for p in range(level.size):
        by_risen[p] = grad_level[p] / log_rate[2 * p + 1]
    by_knot = zeros(room, centred + 1)
    by_sd, by_long_run, by_decay, by_phi, by_step = -centred / sd, 0.0, 0.0, 0.0, -centred / step
    for k in range(centred - 1, -1, -1):
        by = grad_unit[k] / step
        by_knot[k] -= by * phi
        by_phi -= by * knots[k]
        by_step -= by * unit[k]
        by += by_knot[k + 1]
        by_middle, fade = -by / sd, middle[1, k]
        p = phase_of[k]
        if p >= 0:
            start = min(left[p], k)
            by_knot[start] += by * fade
            by_level[p] += by_middle * fade
            by_risen[p] += by_middle * middle[2, k]
            by_fade = (by * knots[start] + by_middle * (level[p] + beginnings[2, p] - long_run)) * fade
            by_decay += by_fade * middle[3, k]
            if middle[3, k] > 0.0:
                by_late[p] += by_fade * DAILY / half_life
        if p >= 0 or indices[FORM] == REVERTING:
            by_long_run += by_middle * (1.0 - fade)
        by_sd -= by * (seen[k] - middle[0, k]) / (sd * sd)
        grad_unit[k] = by / sd
    if indices[FIRST_UNIT + 1] > 0:
        grad[indices[FIRST_UNIT]] += by_knot[0]
    grad_day = part(grad, indices, DAY_UNIT)
    for p in range(level.size):
        grad_level[p] += by_level[p] * log_rate[2 * p + 1]
        grad_day[p] += by_risen[p] * beginnings[3, p] + by_late[p] * beginnings[1, p]
    by_log_phi = by_phi * phi - by_step * phi * phi / step
    by_half_life = (by_log_phi * WEEKLY + by_decay * DAILY) / (half_life * half_life)
    by_scalar = (
        (HALF_LIFE, by_half_life * slopes[0]),
        (SD, by_sd * slopes[1]),
        (FRACTION, by_long_run * slopes[2]),
        (SIZE, by_long_run * slopes[3]),
    )
    for s, by in by_scalar:
        place = indices[FIRST_SCALAR + 2 * s + 1]
        if place >= 0:
            grad[place] += by


def _part(vector: np.ndarray, indices: np.ndarray, at: int) -> np.ndarray:
    """As ``part``, for Python."""
    return vector[indices[at] : indices[at] + indices[at + 1]]


def to_centred(
    x: np.ndarray, layout: Layout, arrays: Mapping[str, np.ndarray], q: Mapping[str, np.ndarray]
) -> np.ndarray:
    """The way back: the sampler's parameters (parameter,) of the text's, whose named quantities are ``q``."""
    y, centred = x.copy(), int(layout.indices[CENTRED])
    if centred == 0:
        return y
    phase_of = _part(layout.indices, layout.indices, KNOT_PHASE)[:centred]
    since, knots = _part(layout.numbers, layout.indices, KNOT_SINCE)[:centred], q["rate_noise"]
    long_run = np.log(q["long_run_rate"])
    middle = np.full(centred, long_run if layout.indices[FORM] == REVERTING else 0.0)
    then = np.zeros(centred)
    if "phase_day" in q:
        uncertain = arrays["phase_reverts"] * arrays["phase_sd"] != 0.0
        late = np.where(uncertain, q["phase_day"] - arrays["phase_date"], 0.0)
        risen = np.where(uncertain, RISE_IN_TIME - _rise(1.0 - late / FIRST_DAYS, np), 0.0)
        _part(y, layout.indices, LEVEL_UNIT)[:] -= risen / arrays["phase_log_rate"][:, 1]
        level = np.log(q["phase_rate"]) - risen
        fade = np.exp(-DAILY * np.maximum(since - late[phase_of], 0.0) / q["rate_half_life"])
        net = fade - np.maximum(1.0 - since / FIRST_DAYS, 0.0)
        reverts, start = phase_of >= 0, np.minimum(arrays["phase_left"][phase_of], np.arange(centred))
        middle = np.where(reverts, long_run + (level[phase_of] - long_run) * fade + risen[phase_of] * net, middle)
        then = np.where(reverts, knots[start] * fade, 0.0)
    _part(y, layout.indices, UNIT)[:centred] = middle + q["rate_sd"] * (knots[1 : centred + 1] - then)
    return y


def _rise(left: Any, xp: Any) -> Any:
    return 2.0 * xp.log(0.5 * (left + xp.sqrt(left * left + SOFTENED)))
