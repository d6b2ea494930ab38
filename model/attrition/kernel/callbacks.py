"""The two functions that the sampler calls, as C callbacks: compiled once on a machine, then rebuilt from what was kept."""

from __future__ import annotations

import functools
import time
from dataclasses import dataclass
from typing import Any

import numba
import numpy as np
from numba import types
from numba.core import compiler, registry, serialize
from numba.core.runtime import rtsys

from . import store
from .access import add_rows, fill, inlined, new, piece, reals, rows_of_reals, wholes, zeros
from .centred import CENTRED, from_centred, from_centred_back, middles
from .density import log_density
from .extension import ADDRESSES, EXPAND_AT, add_density, expand_added
from .layout import BLOCK, OPTION

DAYS, PHASES = OPTION["days"], BLOCK["phase_day_unit"] + 1
_ADDRESS = types.uintp  # a pointer, in C
DENSITY = types.int64(types.uint64, _ADDRESS, _ADDRESS, _ADDRESS, _ADDRESS)
EXPAND = types.int64(types.uint64, types.uint64, _ADDRESS, _ADDRESS, _ADDRESS)


@inlined
def _workspace(data_at):
    """Workspace for all that a call makes; one that is too small would only be slower."""
    data = wholes(data_at, ADDRESSES)
    indices = wholes(data[2], data[3])
    a_day, a_parameter = 16 + 5 * indices[PHASES], 36
    owner = np.empty(a_day * indices[DAYS] + a_parameter * (data[8] + 8))
    owner[0] = 1.0
    return owner


@inlined
def _unpacked(dims, z_at, data_at, room):
    """The data, and a point of the sampler's frame as parameters: the sampler's and the text's, with the log Jacobian.

    Only the first of the sampled parameters are turned; the others stay as they are.
    """
    data = wholes(data_at, ADDRESSES)
    numbers, indices, where = reals(data[0], data[1]), wholes(data[2], data[3]), wholes(data[4], dims)
    turned, middle, z = data[9], reals(data[7], data[8]), reals(z_at, dims)
    turn, moved = rows_of_reals(data[5], 2 * turned, data[6]), zeros(room, data[6])
    add_rows(moved, reals(z_at, turned), turn, turned)
    y = new(room, middle.size)
    for i in range(y.size):
        y[i] = middle[i]
    for i in range(turned):
        y[where[i]] += moved[i]
    for i in range(turned, dims):
        y[where[i]] += z[i]
    x, knots = new(room, y.size), new(room, indices[CENTRED] + 1)
    known = middles(y, numbers, indices, room)
    jacobian = from_centred(y, numbers, indices, known, x, knots)
    return numbers, indices, where, turn, y, known, x, knots, jacobian


def at_point(dims, z_at, gradient_at, log_density_at, data_at):
    """Log density and gradient at a point of the sampler's frame; the result is not 0 where they are not finite."""
    owner = _workspace(data_at)
    room = piece(owner, 0, owner.size)
    numbers, indices, where, turn, y, known, x, knots, jacobian = _unpacked(dims, z_at, data_at, room)
    gradient, slopes = reals(gradient_at, dims), new(room, x.size)
    value = log_density(x, numbers, indices, slopes, room) + jacobian
    more, failed = add_density(x, wholes(data_at, ADDRESSES), slopes, room)
    value += more
    reals(log_density_at, 1)[0] = value
    fill(gradient, 0.0)
    if failed != 0:
        return failed
    if not np.isfinite(value):
        return 4
    from_centred_back(y, numbers, indices, known, x, knots, slopes, room)
    data = wholes(data_at, ADDRESSES)
    turned, moved = data[9], zeros(room, data[6])
    for i in range(dims):
        gradient[i] = slopes[where[i]]
        if not np.isfinite(gradient[i]):
            return 3
    add_rows(moved, reals(gradient_at, turned), turn, 0)
    for i in range(turned):
        gradient[i] = moved[i]
    owner[0] = 1.0  # keeps the workspace alive until here
    return 0


def of_draw(dims, expanded, z_at, out_at, data_at):
    """The text's parameters of a draw, those that are sampled; or what PyMC's code makes of all, where a user added to them."""
    owner = _workspace(data_at)
    room = piece(owner, 0, owner.size)
    _, _, where, _, _, _, x, _, _ = _unpacked(dims, z_at, data_at, room)
    data, failed = wholes(data_at, ADDRESSES), 0
    if data[EXPAND_AT] != 0:
        failed = expand_added(x, data, expanded, out_at, room)
    else:
        out = reals(out_at, expanded)
        for k in range(expanded):
            out[k] = x[where[k]]
    owner[0] = 1.0  # keeps the workspace alive until here
    return failed


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
    rtsys.initialize(target)  # all that rebuilding needs; compiling loads more
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
