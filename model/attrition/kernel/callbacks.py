"""The two functions that the sampler calls, as C callbacks: compiled once on a machine, then rebuilt from what was kept."""

from __future__ import annotations

import functools
import time
from dataclasses import dataclass
from typing import Any

import numba
import numpy as np
from numba import carray, njit, types
from numba.core import cgutils, compiler, registry, serialize
from numba.extending import intrinsic

from . import store
from .centred import CENTRED, from_centred, from_centred_back, middles
from .density import density


@intrinsic
def _pointer(typing_context: Any, address: Any) -> Any:
    """Make an address a pointer to nothing in particular."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.inttoptr(arguments[0], cgutils.voidptr_t)

    return types.voidptr(address), generate


_REAL, _WHOLE = types.CPointer(types.double), types.CPointer(types.int64)
DENSITY = types.int64(types.uint64, _REAL, _REAL, _REAL, _WHOLE)
EXPAND = types.int64(types.uint64, types.uint64, _REAL, _REAL, _WHOLE)


@njit(error_model="numpy")
def _unpacked(dims, z_, data_):
    """The data, and a point of the sampler's frame as parameters: the sampler's and the text's, with the log Jacobian."""
    data = carray(data_, (8,))
    numbers = carray(_pointer(data[0]), (data[1],), np.float64)
    indices = carray(_pointer(data[2]), (data[3],), np.int64)
    where = carray(_pointer(data[4]), (dims,), np.int64)
    turn = carray(_pointer(data[5]), (2, dims, dims), np.float64)  # the turn, and its transpose
    middle = carray(_pointer(data[6]), (data[7],), np.float64)
    z, moved = carray(z_, (dims,)), np.zeros(dims)
    for i in range(dims):
        for j in range(dims):
            moved[j] += z[i] * turn[1, i, j]
    y = middle.copy()
    for i in range(dims):
        y[where[i]] += moved[i]
    x, knots = np.empty(y.size), np.empty(indices[CENTRED] + 1)
    known = middles(y, numbers, indices)
    jacobian = from_centred(y, numbers, indices, known, x, knots)
    return numbers, indices, where, turn, y, known, x, knots, jacobian


def at_point(dims, z_, gradient_, log_density_, data_):
    """Log density and gradient at a point of the sampler's frame; the result is not 0 where they are not finite."""
    numbers, indices, where, turn, y, known, x, knots, jacobian = _unpacked(dims, z_, data_)
    gradient, slopes = carray(gradient_, (dims,)), np.empty(x.size)
    value = density(x, numbers, indices, slopes) + jacobian
    log_density_[0] = value
    for i in range(dims):
        gradient[i] = 0.0
    if not np.isfinite(value):
        return 4
    from_centred_back(y, numbers, indices, known, x, knots, slopes)
    for i in range(dims):
        slope = slopes[where[i]]
        if not np.isfinite(slope):
            return 3
        for j in range(dims):
            gradient[j] += slope * turn[0, i, j]
    return 0


def of_draw(dims, expanded, z_, out_, data_):
    """The text's parameters of a draw, those that are sampled."""
    _, _, where, _, _, _, x, _, _ = _unpacked(dims, z_, data_)
    for k in range(expanded):
        out_[k] = x[where[k]]
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
