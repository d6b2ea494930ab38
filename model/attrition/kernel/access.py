"""Reading and adding to laid-out data and running totals, for compiled code."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit, types
from numba.core.imputils import impl_ret_borrowed
from numba.extending import intrinsic

# Inlined, so that references to views need not be counted. A product and a sum may be one instruction, nothing else is relaxed.
# Only compiled code calls them: an entry for Python takes as long to compile as the function, and without one such a call ends
# the process. Tests call them from a function of their own under ``njit``.
inlined = njit(
    error_model="numpy", forceinline=True, fastmath={"contract"}, no_cpython_wrapper=True, no_cfunc_wrapper=True
)
ITEM = 8  # bytes of a number
LANES = 16  # numbers that a processor adds up in one turn of an unrolled loop


def _view(context: Any, builder: Any, kind: types.Array, start: Any, shape: list[Any], memory: Any = None) -> Any:
    """A contiguous array of 8-byte numbers in memory that it does not own, unless it is told whose that is."""
    from numba.np.arrayobj import populate_array  # only compiling needs it, and it takes long to load

    made = context.make_array(kind)(context, builder)
    item = context.get_constant(types.intp, ITEM)
    strides = [item, builder.mul(shape[-1], item)][: kind.ndim][::-1]
    populate_array(made, data=start, shape=shape, strides=strides, itemsize=item, meminfo=memory)
    return made._getvalue()


def _from_address(dtype: types.Type, ndim: int) -> Any:
    """Intrinsic that makes a view of so many dims at an address, of the sizes that follow."""
    kind = types.Array(dtype, ndim, "C")

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        start = builder.inttoptr(arguments[0], context.get_data_type(dtype).as_pointer())
        return _view(context, builder, kind, start, list(arguments[1:]))

    sizes = (types.intp,) * ndim
    return kind(types.uintp, *sizes), generate


@intrinsic
def reals(typing_context: Any, address: Any, size: Any) -> Any:
    """Vector of real numbers at an address."""
    return _from_address(types.float64, 1)


@intrinsic
def wholes(typing_context: Any, address: Any, size: Any) -> Any:
    """Vector of whole numbers at an address."""
    return _from_address(types.int64, 1)


@intrinsic
def rows_of_reals(typing_context: Any, address: Any, rows: Any, columns: Any) -> Any:
    """Rows of real numbers at an address."""
    return _from_address(types.float64, 2)


def _is_vector(kind: types.Type) -> bool:
    """Whether these are 8-byte numbers that lie side by side."""
    return isinstance(kind, types.Array) and kind.ndim == 1 and kind.layout == "C" and kind.dtype.bitwidth == 8 * ITEM


@intrinsic
def piece(typing_context: Any, vector: Any, first: Any, size: Any) -> Any:
    """Piece of a contiguous vector of 8-byte numbers, whose memory it sees but does not own.

    References to it are not counted: the vector must be named again after the last use of its piece, or be an argument.
    """
    if not _is_vector(vector):
        return None  # compiling then fails

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        given, begin, number = arguments
        data = context.make_array(vector)(context, builder, given).data
        return _view(context, builder, signature.return_type, builder.gep(data, [begin]), [number])

    return types.Array(vector.dtype, 1, "C")(vector, types.intp, types.intp), generate


@intrinsic
def part(typing_context: Any, vector: Any, indices: Any, at: Any) -> Any:
    """Part of a vector that the directory entry ``at`` names, where it begins and its size: a view, as ``piece``."""
    if not (_is_vector(vector) and indices == types.Array(types.int64, 1, "C")):
        return None  # compiling then fails

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        given, directory, entry = arguments
        data = context.make_array(vector)(context, builder, given).data
        named = builder.gep(context.make_array(indices)(context, builder, directory).data, [entry])
        begin, number = builder.load(named), builder.load(builder.gep(named, [context.get_constant(types.intp, 1)]))
        return _view(context, builder, signature.return_type, builder.gep(data, [begin]), [number])

    return types.Array(vector.dtype, 1, "C")(vector, indices, types.intp), generate


@intrinsic
def table(typing_context: Any, vector: Any, rows: Any) -> Any:
    """A contiguous vector as so many rows: a view that keeps its memory alive."""
    if not _is_vector(vector):
        return None  # compiling then fails

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        given, kind = context.make_array(vector)(context, builder, arguments[0]), signature.return_type
        shape = [arguments[1], builder.udiv(given.nitems, arguments[1])]
        made = _view(context, builder, kind, given.data, shape, given.meminfo)
        return impl_ret_borrowed(context, builder, kind, made)

    return types.Array(vector.dtype, 2, "C")(vector, types.intp), generate


@inlined
def new(room, size):
    """Next numbers of a workspace, not set: its first number says where they begin; where it is full, from elsewhere."""
    first = int(room[0])
    if first + size > room.size:
        return np.empty(size)
    room[0] = first + size
    return piece(room, first, size)


@inlined
def fill(vector, value):
    """Set all numbers of a vector."""
    for i in range(vector.size):
        vector[i] = value


@inlined
def zeros(room, size):
    """As ``new``, all set to 0."""
    found = new(room, size)
    fill(found, 0.0)
    return found


@inlined
def add_rows(total, by, rows, first):
    """Add rows from the first on, each times a number; four at a time, so that the total is read and written a fourth as often.

    The size of the total and of the rows is a multiple of ``LANES``.
    """
    whole, size = by.size - by.size % 4, total.size // LANES * LANES
    for i in range(0, whole, 4):
        one, two, three, four = by[i], by[i + 1], by[i + 2], by[i + 3]
        row = first + i
        for j in range(size):
            total[j] += one * rows[row, j] + two * rows[row + 1, j] + three * rows[row + 2, j] + four * rows[row + 3, j]
    for i in range(whole, by.size):
        for j in range(size):
            total[j] += by[i] * rows[first + i, j]


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
