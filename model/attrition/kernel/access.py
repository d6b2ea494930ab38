"""Reading and adding to laid-out data and running totals, for compiled code."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import carray, njit, types
from numba.core import cgutils
from numba.extending import intrinsic

# Inlined, so that references to views need not be counted; a product and a sum may be one instruction, nothing else is relaxed.
inlined = njit(error_model="numpy", forceinline=True, fastmath={"contract"})


@intrinsic
def pointer(typing_context: Any, address: Any) -> Any:
    """Make an address a pointer to nothing in particular."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.inttoptr(arguments[0], cgutils.voidptr_t)

    return types.voidptr(address), generate


@inlined
def piece(vector, first, size):
    """Piece of a contiguous vector of 8-byte numbers, whose memory it sees but does not own.

    References to it are not counted: the vector must be named again after the last use of its piece, or be an argument.
    """
    return carray(pointer(vector.ctypes.data + 8 * first), (size,), vector.dtype)


@inlined
def part(vector, indices, at):
    """Part of a vector that the directory entry ``at`` names: a view."""
    return piece(vector, indices[at], indices[at + 1])


@inlined
def new(room, size):
    """Next numbers of a workspace, not set: its first number says where they begin; where it is full, from elsewhere."""
    first = int(room[0])
    if first + size > room.size:
        return np.empty(size)
    room[0] = first + size
    return piece(room, first, size)


@inlined
def zeros(room, size):
    """As ``new``, all set to 0."""
    found = new(room, size)
    found[:] = 0.0
    return found


@inlined
def add_rows(total, by, rows):
    """Add rows, each times a number; four at a time, so that the total is read and written a fourth as often."""
    whole = by.size - by.size % 4
    for i in range(0, whole, 4):
        for j in range(total.size):
            total[j] += (
                by[i] * rows[i, j]
                + by[i + 1] * rows[i + 1, j]
                + by[i + 2] * rows[i + 2, j]
                + by[i + 3] * rows[i + 3, j]
            )
    for i in range(whole, by.size):
        for j in range(total.size):
            total[j] += by[i] * rows[i, j]


@inlined
def logistic(x):
    """Logistic function."""
    if x >= 0.0:
        return 1.0 / (1.0 + math.exp(-x))
    e = math.exp(x)
    return e / (1.0 + e)


@inlined
def log_logistic(x):
    """Log of the logistic function."""
    if x >= 0.0:
        return -math.log1p(math.exp(-x))
    return x - math.log1p(math.exp(x))


@inlined
def read(total, place):
    """Value of a running total at a fractional place, and its slope in the place (``running.at``)."""
    last = total.size
    if not place > 0.0:  # nor where it is no number: an index must never be one
        return 0.0, 0.0
    if place >= last:
        return total[last - 1], 0.0
    left = int(place)
    weight = place - left
    before = total[left - 1] if left > 0 else 0.0
    step = total[left] - before
    return before * (1.0 - weight) + total[left] * weight, step


@inlined
def add_read(bar, place, amount):
    """Add what a change of the value read at a place means for each day of the total."""
    last = bar.size
    if not place > 0.0:
        return
    if place >= last:
        bar[last - 1] += amount
        return
    left = int(place)
    weight = place - left
    if left > 0:
        bar[left - 1] += amount * (1.0 - weight)
    bar[left] += amount * weight


@inlined
def _smooth_weights(place, last):
    inside = min(place, float(last)) if place > 0.0 else 0.0
    near = int(min(math.floor(inside + 0.5), last))
    t = inside - near
    return near, 0.5 * (0.5 - t) ** 2, 0.75 - t * t, 0.5 * (0.5 + t) ** 2, t


@inlined
def _padded(total, place):
    last = total.size
    if place <= 0:
        return 0.0
    if place <= last:
        return total[place - 1]
    return 2.0 * total[last - 1] - total[last - 2]


@inlined
def _add_padded(bar, place, amount):
    last = bar.size
    if place <= 0:
        return
    if place <= last:
        bar[place - 1] += amount
        return
    bar[last - 1] += 2.0 * amount
    bar[last - 2] -= amount


@inlined
def read_smoothly(total, place):
    """Value of a running total averaged over the day around a place, and its slope (``running.smoothly_at``)."""
    last = total.size
    near, w_before, w_here, w_after, t = _smooth_weights(place, last)
    before, here, after = _padded(total, near - 1), _padded(total, near), _padded(total, near + 1)
    value = w_before * before + w_here * here + w_after * after
    slope = (t - 0.5) * before - 2.0 * t * here + (0.5 + t) * after
    return value, slope if 0.0 < place < last else 0.0


@inlined
def add_read_smoothly(bar, place, amount):
    """As ``add_read``, for ``read_smoothly``."""
    near, w_before, w_here, w_after, _ = _smooth_weights(place, bar.size)
    _add_padded(bar, near - 1, amount * w_before)
    _add_padded(bar, near, amount * w_here)
    _add_padded(bar, near + 1, amount * w_after)


@inlined
def read_level(level, place):
    """Level by day at a fractional place; before the calendar that of the first day. Value and slope."""
    last = level.size
    if not place > 0.0:
        return level[0], 0.0
    if place >= last:
        return level[last - 1], 0.0
    left = int(place)
    weight = place - left
    before = level[left - 1] if left > 0 else level[0]
    return before * (1.0 - weight) + level[left] * weight, level[left] - before


@inlined
def add_read_level(bar, place, amount):
    """As ``add_read``, for ``read_level``."""
    last = bar.size
    if not place > 0.0:
        bar[0] += amount
    elif place >= last:
        bar[last - 1] += amount
    else:
        left = int(place)
        weight = place - left
        bar[max(left - 1, 0)] += amount * (1.0 - weight)
        bar[left] += amount * weight
