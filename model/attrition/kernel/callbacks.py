"""The two functions that the sampler calls, as C callbacks: compiled once on a machine, then rebuilt from what was kept."""

from __future__ import annotations

import functools
import time
from dataclasses import dataclass
from typing import Any

import numba
import numpy as np
from numba import carray, types
from numba.core import compiler, registry, serialize

from . import store
from .access import add_rows, inlined, new, piece, pointer, zeros
from .centred import CENTRED, from_centred, from_centred_back, middles
from .density import log_density
from .layout import BLOCK, OPTION

DAYS, DIMS, PHASES = OPTION["days"], OPTION["dims"], BLOCK["phase_day_unit"] + 1
_REAL, _WHOLE = types.CPointer(types.double), types.CPointer(types.int64)
DENSITY = types.int64(types.uint64, _REAL, _REAL, _REAL, _WHOLE)
EXPAND = types.int64(types.uint64, types.uint64, _REAL, _REAL, _WHOLE)


@inlined
def _workspace(data_):
    """Workspace for all that a call makes; one that is too small would only be slower."""
    data = carray(data_, (8,))
    indices = carray(pointer(data[2]), (data[3],), np.int64)
    a_day, a_parameter = 16 + 5 * indices[PHASES], 32
    owner = np.empty(a_day * indices[DAYS] + a_parameter * (indices[DIMS] + 8))
    owner[0] = 1.0
    return owner


@inlined
def _unpacked(dims, z_, data_, room):
    """The data, and a point of the sampler's frame as parameters: the sampler's and the text's, with the log Jacobian."""
    data = carray(data_, (8,))
    numbers = carray(pointer(data[0]), (data[1],), np.float64)
    indices = carray(pointer(data[2]), (data[3],), np.int64)
    where = carray(pointer(data[4]), (dims,), np.int64)
    turn = carray(pointer(data[5]), (2, dims, dims), np.float64)  # the turn, and its transpose
    middle = carray(pointer(data[6]), (data[7],), np.float64)
    z, moved = carray(z_, (dims,)), zeros(room, dims)
    add_rows(moved, z, turn[1])
    y = new(room, middle.size)
    y[:] = middle
    for i in range(dims):
        y[where[i]] += moved[i]
    x, knots = new(room, y.size), new(room, indices[CENTRED] + 1)
    known = middles(y, numbers, indices, room)
    jacobian = from_centred(y, numbers, indices, known, x, knots)
    return numbers, indices, where, turn, y, known, x, knots, jacobian


def at_point(dims, z_, gradient_, log_density_, data_):
    """Log density and gradient at a point of the sampler's frame; the result is not 0 where they are not finite."""
    owner = _workspace(data_)
    room = piece(owner, 0, owner.size)
    numbers, indices, where, turn, y, known, x, knots, jacobian = _unpacked(dims, z_, data_, room)
    gradient, slopes = carray(gradient_, (dims,)), new(room, x.size)
    value = log_density(x, numbers, indices, slopes, room) + jacobian
    log_density_[0] = value
    for i in range(dims):
        gradient[i] = 0.0
    if not np.isfinite(value):
        return 4
    from_centred_back(y, numbers, indices, known, x, knots, slopes, room)
    moved = new(room, dims)
    for i in range(dims):
        moved[i] = slopes[where[i]]
        if not np.isfinite(moved[i]):
            return 3
    add_rows(gradient, moved, turn[0])
    owner[0] = 1.0  # keeps the workspace alive until here
    return 0


def of_draw(dims, expanded, z_, out_, data_):
    """The text's parameters of a draw, those that are sampled."""
    owner = _workspace(data_)
    room = piece(owner, 0, owner.size)
    _, _, where, _, _, _, x, _, _ = _unpacked(dims, z_, data_, room)
    for k in range(expanded):
        out_[k] = x[where[k]]
    owner[0] = 1.0  # keeps the workspace alive until here
    return 0


class _Noting(compiler.Compiler):
    """numba's compiler, which notes its last result: that is what can be kept."""

    last: Any = None

    def compile_extra(self, function: Any) -> Any:
        _Noting.last = super().compile_extra(function)
        return _Noting.last


@dataclass(frozen=True)
class Callbacks:
    """Addresses of the two callbacks, and the seconds it took to have them.

    ``held`` keeps the machine code alive.
    """

    density: int
    expand: int
    seconds: float
    held: tuple[Any, ...]


def is_kept() -> bool:
    """Whether the callbacks need no compiling."""
    return callbacks.cache_info().currsize > 0 or any(entry.current for entry in store.entries())


@functools.cache
def callbacks() -> Callbacks:
    """The callbacks of this process: rebuilt from the kept machine code, or compiled and kept."""
    started = time.perf_counter()
    found = store.read()
    if found is None:
        found = _compile()
        store.write(serialize.dumps(found))
    target = registry.cpu_target.target_context
    target.refresh()
    results = [compiler.CompileResult._rebuild(target, *reduced) for reduced in found]
    addresses = [one.library.get_pointer_to_function(one.fndesc.llvm_cfunc_wrapper_name) for one in results]
    return Callbacks(addresses[0], addresses[1], time.perf_counter() - started, tuple(results))


def _compile() -> list[Any]:
    """Reduced results of compiling both callbacks."""
    found = []
    for function, signature in ((at_point, DENSITY), (of_draw, EXPAND)):
        numba.cfunc(signature, pipeline_class=_Noting)(function)
        found.append(_Noting.last._reduce())
    return found
