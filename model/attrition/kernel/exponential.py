"""Exponentials of many numbers at a time: LLVM does not vectorise calls of the C library's.

By reduction to a power of two and a rest of at most half a log of two, whose exponential is a Taylor polynomial (Cody and
Waite 1980, Software manual for the elementary functions); the power of two is added to the exponent's bits.
"""

from __future__ import annotations

import math
from typing import Any

from numba import types
from numba.extending import intrinsic

from .access import inlined

FARTHEST = 700.0  # where one lies farther out, or is no number, all are left to the C library
PER_POWER = 1.0 / math.log(2.0)
POWER_HIGH = 0.693147180369123816490  # log of two with the last 21 bits 0: its product with a power is exact
POWER_LOW = 1.90821492927058770002e-10
ROUNDING = 1.5 * 2.0**52  # a number to which this is added has its nearest integer in its last bits
FRACTION_BITS = 52


def _same_bits(given: types.Type, wanted: types.Type) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.bitcast(arguments[0], context.get_data_type(wanted))

    return wanted(given), generate


@intrinsic
def bits_of(typing_context: Any, number: Any) -> Any:
    """Bits of a real number as a whole one."""
    return _same_bits(types.float64, types.int64)


@intrinsic
def number_of(typing_context: Any, bits: Any) -> Any:
    """Real number with these bits."""
    return _same_bits(types.int64, types.float64)


@inlined
def exponentials(values):
    """Set numbers to their exponentials, to within two units in the last place."""
    wild = False
    for i in range(values.size):
        wild |= not abs(values[i]) < FARTHEST
    if wild:
        for i in range(values.size):
            values[i] = math.exp(values[i])
        return
    for i in range(values.size):
        shifted = values[i] * PER_POWER + ROUNDING
        power = shifted - ROUNDING
        near = _exponential_near_zero(values[i] - power * POWER_HIGH - power * POWER_LOW)
        values[i] = number_of(bits_of(near) + (bits_of(shifted) << FRACTION_BITS))


@inlined
def _exponential_near_zero(r):
    """Taylor polynomial of degree 13: for a rest of at most 0.35 the next term is below 1e-17."""
    total = 1.0 / 6227020800.0
    total = total * r + 1.0 / 479001600.0
    total = total * r + 1.0 / 39916800.0
    total = total * r + 1.0 / 3628800.0
    total = total * r + 1.0 / 362880.0
    total = total * r + 1.0 / 40320.0
    total = total * r + 1.0 / 5040.0
    total = total * r + 1.0 / 720.0
    total = total * r + 1.0 / 120.0
    total = total * r + 1.0 / 24.0
    total = total * r + 1.0 / 6.0
    total = total * r + 0.5
    total = total * r + 1.0
    return total * r + 1.0
