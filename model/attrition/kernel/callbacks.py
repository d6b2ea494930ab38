"""The two functions that the sampler calls, as C callbacks: compiled once on a machine, then rebuilt from what was kept."""

from __future__ import annotations

import functools
import time
from dataclasses import dataclass
from typing import Any

import numba
import numpy as np
from numba import carray, types
from numba.core import cgutils, compiler, registry, serialize
from numba.extending import intrinsic

from . import store
from .access import logistic
from .density import density

AS_IT_IS, EXPONENTIAL, BETWEEN = range(3)


@intrinsic
def _pointer(typing_context: Any, address: Any) -> Any:
    """Make an address a pointer to nothing in particular."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.inttoptr(arguments[0], cgutils.voidptr_t)

    return types.voidptr(address), generate


_REAL, _WHOLE = types.CPointer(types.double), types.CPointer(types.int64)
DENSITY = types.int64(types.uint64, _REAL, _REAL, _REAL, _WHOLE)
EXPAND = types.int64(types.uint64, types.uint64, _REAL, _REAL, _WHOLE)


def at_point(dims, x_, gradient_, log_density_, data_):
    """Log density and gradient at a point; the result is not 0 where they are not finite."""
    data = carray(data_, (5,))
    numbers = carray(_pointer(data[0]), (data[1],), np.float64)
    indices = carray(_pointer(data[2]), (data[3],), np.int64)
    x, gradient = carray(x_, (dims,)), carray(gradient_, (dims,))
    value = density(x, numbers, indices, gradient)
    log_density_[0] = value
    if not np.isfinite(value):
        return 4
    for slope in gradient:
        if not np.isfinite(slope):
            return 3
    return 0


def of_draw(dims, expanded, x_, out_, data_):
    """Free parameters on their own scales."""
    data = carray(data_, (5,))
    scales = carray(_pointer(data[4]), (dims, 3), np.float64)
    for k in range(dims):
        if scales[k, 0] == AS_IT_IS:
            out_[k] = x_[k]
        elif scales[k, 0] == EXPONENTIAL:
            out_[k] = np.exp(x_[k])
        else:
            out_[k] = scales[k, 1] + (scales[k, 2] - scales[k, 1]) * logistic(x_[k])
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
