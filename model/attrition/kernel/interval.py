"""Log probability of one stated value with its derivatives, for compiled code.

The formulas are those of ``reporting.log_probability`` and ``log_probability_with_slack``; here each comes with its slopes in
the center ``mu``, the ``scale`` and the chance of slack, worked out by hand and tested against those of PyTensor.
"""

from __future__ import annotations

import math

from ..reporting import NEVER, SLACK_CELLS
from .access import inlined

BOUNDED, ABOVE, BELOW, AT, IMPOSSIBLE, CERTAIN = range(6)
HALF_LOG_TWO_PI = 0.5 * math.log(2.0 * math.pi)
ROOT_TWO = math.sqrt(2.0)
ROOT_PI = math.sqrt(math.pi)
LARGE = 24.0
NEAR, LEAST = 100.0, 1e-250


@inlined
def softplus(z):
    """Return log(1 + exp(z)) and its slope, the logistic function of z."""
    if z > 0.0:
        e = math.exp(-z)
        return z + math.log1p(e), 1.0 / (1.0 + e)
    e = math.exp(z)
    return math.log1p(e), e / (1.0 + e)


@inlined
def log_ndtr(z):
    """Log of the standard normal distribution function; far in the tail by the asymptotic series of erfcx."""
    if z >= -1.0:
        return math.log1p(-0.5 * math.erfc(z / ROOT_TWO))
    y = -z / ROOT_TWO
    if y < LARGE:
        return math.log(0.5 * math.erfc(y))
    r = 0.5 / (y * y)
    series = 1.0 - r * (1.0 - 3.0 * r * (1.0 - 5.0 * r * (1.0 - 7.0 * r)))
    return math.log(0.5 * series / (y * ROOT_PI)) - y * y


@inlined
def near_cell(odds_low, width):
    """Probability of a logistic cell that is not far out, from the odds of lying above its lower end.

    Returns the probability; the logistic function at the lower end, and of minus the upper one; width / (exp(width) - 1);
    and the odds of lying above the upper end.
    """
    fall = math.exp(-width)
    inside = 1.0 - fall if width > 0.5 else -math.expm1(-width)
    odds_high = odds_low * fall
    above_low, above_high = 1.0 / (1.0 + odds_low), 1.0 / (1.0 + odds_high)
    return (
        odds_low * inside * above_low * above_high,
        above_low,
        odds_high * above_high,
        width * fall / inside,
        odds_high,
    )


@inlined
def logistic_cell(kind, log_low, log_high, log_width, mu, scale):
    """Log probability of a cell under logistic errors; slopes in mu and in the scale."""
    if kind == BOUNDED:
        low, high, width = (log_low - mu) / scale, (log_high - mu) / scale, log_width / scale
        if abs(low) < NEAR and abs(high) < NEAR:
            share, slope_under, slope_over, stretch, _ = near_cell(math.exp(-low), width)
            mu_slope = (slope_under - slope_over) / scale
            return math.log(share), mu_slope, (low * slope_under - high * slope_over - stretch) / scale
        under, slope_under = softplus(low)
        over, slope_over = softplus(-high)
        log_p = math.log(-math.expm1(-width)) - over - under
        stretch = width / math.expm1(width) if width < 700.0 else 0.0
        return log_p, (slope_under - slope_over) / scale, (low * slope_under - high * slope_over - stretch) / scale
    z = (log_low - mu) / scale
    if kind == ABOVE:
        under, slope = softplus(z)
        return -under, slope / scale, z * slope / scale
    if kind == BELOW:
        over, slope = softplus(-z)
        return -over, -slope / scale, -z * slope / scale
    over, slope = softplus(-z)
    along = 2.0 * slope - 1.0
    return -z - 2.0 * over - math.log(scale), -along / scale, (-along * z - 1.0) / scale


@inlined
def normal_cell(kind, log_low, log_high, log_width, mu, scale):
    """Log probability of a cell under normal errors; slopes in mu and in the scale."""
    z = (log_low - mu) / scale
    if kind == AT:
        return -0.5 * z * z - HALF_LOG_TWO_PI - math.log(scale), z / scale, (z * z - 1.0) / scale
    if kind == ABOVE:
        log_p = log_ndtr(-z)
        slope = math.exp(-0.5 * z * z - HALF_LOG_TWO_PI - log_p)
        return log_p, slope / scale, z * slope / scale
    if kind == BELOW:
        log_p = log_ndtr(z)
        slope = math.exp(-0.5 * z * z - HALF_LOG_TWO_PI - log_p)
        return log_p, -slope / scale, -z * slope / scale
    width = log_width / scale
    below, above = z, z + width
    middle = 0.5 * (below + above)
    if width * (1.0 + abs(middle)) < 1e-2:
        bend = (middle * middle - 1.0) / 24.0
        part = 1.0 + width * width * bend
        log_p = -0.5 * middle * middle - HALF_LOG_TWO_PI + math.log(width) + math.log(part)
        by_middle = -middle + width * width * middle / 12.0 / part
        by_width = 1.0 / width + 2.0 * width * bend / part
        return log_p, -by_middle / scale, -(by_middle * middle + by_width * width) / scale
    if below + above > 0.0:
        upper, lower = -below, -above
    else:
        upper, lower = above, below
    top, bottom = log_ndtr(upper), log_ndtr(lower)
    log_p = top + math.log(-math.expm1(bottom - top))
    at_above = math.exp(-0.5 * above * above - HALF_LOG_TWO_PI - log_p)
    at_below = math.exp(-0.5 * below * below - HALF_LOG_TWO_PI - log_p)
    return log_p, (at_below - at_above) / scale, (below * at_below - above * at_above) / scale


@inlined
def cell(normal, kind, log_low, log_high, log_width, mu, scale):
    """Log probability of any cell; slopes in mu and in the scale."""
    if kind == CERTAIN:
        return 0.0, 0.0, 0.0
    if kind == IMPOSSIBLE:
        return NEVER, 0.0, 0.0
    if normal:
        return normal_cell(kind, log_low, log_high, log_width, mu, scale)
    return logistic_cell(kind, log_low, log_high, log_width, mu, scale)


@inlined
def with_slack(normal, first, cells, kinds, log_lows, log_highs, log_widths, place, q, mu, scale):
    """Log probability of a stated floor, mixed over its steps of slack; slopes in mu, in the scale and in q.

    ``place`` is the stated value's place on its grid: below the first cell there is no slack, at it all larger steps end.
    """
    last = q * q
    last *= last
    last *= last  # q to the power of the eight cells
    norm, by_norm = 1.0 - last, SLACK_CELLS * last / q
    by_first, power = by_norm / norm - 1.0 / (1.0 - q), 1.0
    low = (log_lows[first] - mu) / scale
    if place >= -0.5 and not normal and abs(low) < NEAR and abs((log_highs[first + cells - 1] - mu) / scale) < NEAR:
        odds, total, by_mu, by_scale, by_q, bounded = math.exp(-low), 0.0, 0.0, 0.0, 0.0, True
        for j in range(cells):  # the cells are neighbours: the upper end of one is the lower end of the next
            at = first + j
            bounded = bounded and kinds[at] == BOUNDED
            share, slope_under, slope_over, stretch, odds = near_cell(odds, log_widths[at] / scale)
            low, high = (log_lows[at] - mu) / scale, (log_highs[at] - mu) / scale
            if place < 0.5:
                weight = (power - last) / norm
                w_slope = (j * power / q - by_norm) / (power - last) + by_norm / norm
            else:
                weight, w_slope = (1.0 - q) * power / norm, j / q + by_first
            power *= q
            share *= weight
            total += share
            by_mu += share * (slope_under - slope_over)
            by_scale += share * (low * slope_under - high * slope_over - stretch)
            by_q += share * w_slope
        if bounded and total > LEAST:
            return math.log(total), by_mu / (scale * total), by_scale / (scale * total), by_q / total
    return _far_with_slack(normal, first, cells, kinds, log_lows, log_highs, log_widths, place, q, mu, scale)


@inlined
def _far_with_slack(normal, first, cells, kinds, log_lows, log_highs, log_widths, place, q, mu, scale):
    """The same by logarithms, for statements far out or of any other kind."""
    log_q, power, last = math.log(q), 1.0, q**SLACK_CELLS
    norm, by_norm = 1.0 - last, SLACK_CELLS * last / q
    log_first, by_first = math.log((1.0 - q) / norm), by_norm / norm - 1.0 / (1.0 - q)
    most, total, by_mu, by_scale, by_q = NEVER, 0.0, 0.0, 0.0, 0.0
    for j in range(1 if place < -0.5 else cells):
        at = first + j
        if place < -0.5:
            log_w, w_slope = 0.0, 0.0
        elif place < 0.5:
            rest = power - last
            log_w, w_slope = math.log(rest / norm), (j * power / q - by_norm) / rest + by_norm / norm
        else:
            log_w, w_slope = log_first + j * log_q, j / q + by_first
        power *= q
        log_p, mu_slope, scale_slope = cell(normal, kinds[at], log_lows[at], log_highs[at], log_widths[at], mu, scale)
        here = log_w + log_p
        if here > most:
            fade = math.exp(most - here)
            total, by_mu, by_scale, by_q = total * fade, by_mu * fade, by_scale * fade, by_q * fade
            most = here
        share = math.exp(here - most)
        total += share
        by_mu += share * mu_slope
        by_scale += share * scale_slope
        by_q += share * w_slope
    return most + math.log(total), by_mu / total, by_scale / total, by_q / total
