"""What a user added to a model, for compiled code: PyMC's functions of all parameters, in PyMC's order, at their addresses."""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from .access import inlined, new, wholes

# Addresses that the callbacks read, and sizes: ten of the built-in model, then these (0 where nothing was added).
ORDER, DENSITY_AT, EXPAND_AT, DATA_AT = range(10, 14)
ADDRESSES = DATA_AT + 1
_VECTOR = types.Array(types.float64, 1, "C")


@intrinsic
def address_of(typing_context: Any, vector: Any) -> Any:
    """Address of a contiguous vector; it must be named again after the last use of its address."""
    if vector != _VECTOR:
        return None  # compiling then fails

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        data = context.make_array(vector)(context, builder, arguments[0]).data
        return builder.ptrtoint(data, context.get_value_type(types.uintp))

    return types.uintp(vector), generate


def _called(arguments: int) -> Any:
    """Call the C function at the first argument with the others, each of 8 bytes; it returns a whole number."""
    word = ir.IntType(64)

    def generate(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        kind = ir.FunctionType(word, [word] * arguments)
        return builder.call(builder.inttoptr(given[0], kind.as_pointer()), given[1:])

    return types.int64(*[types.uintp] * (arguments + 1)), generate


@intrinsic
def call_density(typing_context: Any, function: Any, dims: Any, x: Any, gradient: Any, value: Any, data: Any) -> Any:
    """Call a log density and gradient; 0 if they are finite."""
    return _called(5)


@intrinsic
def call_expand(typing_context: Any, function: Any, dims: Any, size: Any, x: Any, out: Any, data: Any) -> Any:
    """Call the expansion of a draw; 0 if it went well."""
    return _called(5)


@inlined
def in_order(x, order, room):
    """A point in PyMC's order."""
    found = new(room, x.size)
    for k in range(x.size):
        found[order[k]] = x[k]
    return found


@inlined
def add_density(x, data, slopes, room):
    """Log density of what was added at the text's parameters, whose slopes are added, and 0 if they are finite."""
    if data[DENSITY_AT] == 0:
        return 0.0, 0
    order = wholes(data[ORDER], x.size)
    point, by, value = in_order(x, order, room), new(room, x.size), new(room, 1)
    failed = call_density(data[DENSITY_AT], x.size, address_of(point), address_of(by), address_of(value), data[DATA_AT])
    point[0] = 0.0
    for k in range(x.size):
        slopes[k] += by[order[k]]
    return value[0], failed


@inlined
def expand_added(x, data, expanded, out_at, room):
    """Write all free variables on their own scales, from the text's parameters; 0 if it went well."""
    point = in_order(x, wholes(data[ORDER], x.size), room)
    failed = call_expand(data[EXPAND_AT], x.size, expanded, address_of(point), out_at, data[DATA_AT])
    point[0] = 0.0
    return failed
