"""Free parameters and what they stand for, with the slopes and the log density of their priors, for compiled code."""

from __future__ import annotations

import math

from ..curves import DATE_SDS
from .access import inlined, log_logistic, logistic, part
from .layout import BETA, FIRST_SCALAR, FIXED, HALF_NORMAL, LOG_NORMAL, SCALARS

NUMBER_OF_SCALARS = len(SCALARS)


@inlined
def scalar_value(x, numbers, indices, s):
    """Value of one scalar quantity and its slope in its parameter (0 where it is fixed)."""
    family, place = indices[FIRST_SCALAR + 2 * s], indices[FIRST_SCALAR + 2 * s + 1]
    first, second = numbers[2 * s], numbers[2 * s + 1]
    if family == FIXED:
        return first, 0.0
    if family == LOG_NORMAL:
        value = math.exp(first + second * x[place])
        return value, second * value
    if family == HALF_NORMAL:
        value = first * math.exp(x[place])
        return value, value
    if family == BETA:
        value = logistic(x[place])
        return value, value * (1.0 - value)
    return first + second * x[place], second


@inlined
def scalar_values(x, numbers, indices, values, slopes, grad):
    """Value of each scalar quantity, its slope in its parameter, and the log prior of the parameters (up to constants)."""
    logp = 0.0
    for s in range(NUMBER_OF_SCALARS):
        family, place = indices[FIRST_SCALAR + 2 * s], indices[FIRST_SCALAR + 2 * s + 1]
        first, second = numbers[2 * s], numbers[2 * s + 1]
        if family == FIXED:
            values[s], slopes[s] = first, 0.0
            continue
        u = x[place]
        if family == LOG_NORMAL:
            values[s] = math.exp(first + second * u)
            slopes[s] = second * values[s]
            logp -= 0.5 * u * u
            grad[place] -= u
        elif family == HALF_NORMAL:
            v = math.exp(u)
            values[s] = slopes[s] = first * v
            logp += u - 0.5 * v * v
            grad[place] += 1.0 - v * v
        elif family == BETA:
            v = logistic(u)
            values[s], slopes[s] = v, v * (1.0 - v)
            logp += first * log_logistic(u) + second * log_logistic(-u)
            grad[place] += first * (1.0 - v) - second * v
        else:
            values[s], slopes[s] = first + second * u, second
            logp -= 0.5 * u * u
            grad[place] -= u
    return logp


@inlined
def dates(x, numbers, indices, block, latest_at, date_at, sd_at, found, slopes, grad):
    """Uncertain dates, cut at their reports; their slopes in the parameters; their log prior (up to constants)."""
    unit, grad_unit = part(x, indices, block), part(grad, indices, block)
    latest, date, sd = part(numbers, indices, latest_at), part(numbers, indices, date_at), part(numbers, indices, sd_at)
    logp = 0.0
    for p in range(unit.size):
        inside = logistic(unit[p])
        width = latest[p] + DATE_SDS
        late = width * inside - DATE_SDS
        slope = width * inside * (1.0 - inside)
        found[p] = date[p] + sd[p] * late
        slopes[p] = sd[p] * slope
        logp += log_logistic(unit[p]) + log_logistic(-unit[p]) - 0.5 * late * late
        grad_unit[p] += 1.0 - 2.0 * inside - late * slope
    return logp


@inlined
def standard(x, indices, block, grad):
    """Log density of standard normal parameters (up to constants)."""
    unit, grad_unit = part(x, indices, block), part(grad, indices, block)
    logp = 0.0
    for k in range(unit.size):
        logp -= 0.5 * unit[k] * unit[k]
        grad_unit[k] -= unit[k]
    return logp


@inlined
def uniform(x, indices, block, grad):
    """Log density of parameters that are uniform between 0 and 1."""
    unit, grad_unit = part(x, indices, block), part(grad, indices, block)
    logp = 0.0
    for k in range(unit.size):
        logp += log_logistic(unit[k]) + log_logistic(-unit[k])
        grad_unit[k] += 1.0 - 2.0 * logistic(unit[k])
    return logp
