"""Share of those lost who were killed, by day, forward and backward, for compiled code (``latent`` is the text)."""

from __future__ import annotations

import math

from .access import fill, inlined, new, part, zeros
from .layout import BLOCK, INDEX, NUMBER, SCALAR

SHARE, SHARE_SD = SCALAR["killed_share"], SCALAR["killed_share_walk_sd"]
UNIT, LEFT = BLOCK["share_unit"], INDEX["share_left"]
WEIGHT, MOVES = NUMBER["share_weight"], NUMBER["share_moves"]


@inlined
def killed_share(x, numbers, indices, scalars, days, room):
    """Share of each day: its logit at the start, the sd of its walk from month to month, the share, and the walk's knots."""
    unit, left_of, weight_of = part(x, indices, UNIT), part(indices, indices, LEFT), part(numbers, indices, WEIGHT)
    knots, share = zeros(room, unit.size + 1), new(room, days)
    for k in range(unit.size):
        knots[k + 1] = knots[k] + unit[k]
    logit = math.log(scalars[SHARE]) - math.log1p(-scalars[SHARE])
    sd = scalars[SHARE_SD] * part(numbers, indices, MOVES)[0]
    if sd == 0.0:
        fill(share, scalars[SHARE])
        return logit, sd, share, knots
    odds, growth, last_left, last_weight, step = 0.0, 0.0, -1, 0.0, 0.0
    for d in range(days):
        left, weight = left_of[d], weight_of[d]
        if left == last_left and abs(weight - last_weight - step) < 1e-12:
            odds *= growth  # within a month the logit is a line
        else:
            slope = sd * (knots[left + 1] - knots[left])
            odds = math.exp(logit + sd * knots[left] + slope * weight)
            step = weight_of[d + 1] - weight if d + 1 < days else 0.0
            growth = math.exp(slope * step)
        last_left, last_weight = left, weight
        share[d] = odds / (1.0 + odds)
    return logit, sd, share, knots


@inlined
def killed_share_back(numbers, indices, scalars, sd, share, knots, bar_share, bar_logit, bar_scalars, grad, room):
    """Turn slopes in the shares, and in the logit at the start, into slopes in what makes them."""
    left_of, weight_of = part(indices, indices, LEFT), part(numbers, indices, WEIGHT)
    moves, bar_knots, by_share = part(numbers, indices, MOVES)[0], zeros(room, knots.size), 0.0
    if sd == 0.0:
        for d in range(share.size):
            by_share += bar_share[d]
    else:
        left, by, by_right = left_of[0], 0.0, 0.0
        for d in range(share.size):
            if left_of[d] != left:  # the slope in a knot is added up before it is stored
                bar_knots[left] += by - by_right
                bar_knots[left + 1] += by_right
                bar_logit += by
                left, by, by_right = left_of[d], 0.0, 0.0
            bar = bar_share[d] * share[d] * (1.0 - share[d])
            by += bar
            by_right += bar * weight_of[d]
        bar_knots[left] += by - by_right
        bar_knots[left + 1] += by_right
        bar_logit += by
    bar_scalars[SHARE] += by_share + bar_logit / (scalars[SHARE] * (1.0 - scalars[SHARE]))
    grad_unit, later = part(grad, indices, UNIT), 0.0
    for k in range(grad_unit.size - 1, -1, -1):
        bar_scalars[SHARE_SD] += bar_knots[k + 1] * knots[k + 1] * moves
        later += bar_knots[k + 1]
        grad_unit[k] += later * sd
