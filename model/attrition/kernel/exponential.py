"""Exponentials of many numbers at a time: LLVM does not vectorise calls of the C library's.

By reduction to a power of two and a rest of at most half a log of two, whose exponential is a Taylor polynomial (Muller 2016,
Elementary Functions, ch. 5 and 11); the power of two is added to the exponent's bits.
"""

from __future__ import annotations

import math

import numpy as np
from numba import carray

from .access import inlined, new, pointer

FARTHEST = 700.0  # from there on one at a time by the C library, infinities and what is no number too
PER_POWER = 1.0 / math.log(2.0)
POWER_HIGH = 0.693147180369123816490  # log of two with the last 33 bits 0: its product with a power is exact
POWER_LOW = 1.90821492927058770002e-10
ROUNDING = 1.5 * 2.0**52  # a number to which this is added has its nearest integer in its last bits
FRACTION_BITS = 52


@inlined
def exponentials(values, room):
    """Set numbers to their exponentials, to within two units in the last place."""
    wild = False
    for i in range(values.size):
        wild |= not abs(values[i]) < FARTHEST
    if wild:
        for i in range(values.size):
            values[i] = math.exp(values[i])
        return
    powers = new(room, values.size)
    for i in range(values.size):
        shifted = values[i] * PER_POWER + ROUNDING
        power = shifted - ROUNDING
        rest = values[i] - power * POWER_HIGH - power * POWER_LOW
        powers[i], values[i] = shifted, _exponential_near_zero(rest)
    bits, shifts = _bits(values), _bits(powers)
    for i in range(values.size):
        bits[i] += shifts[i] << FRACTION_BITS


@inlined
def _bits(values):
    return carray(pointer(values.ctypes.data), (values.size,), np.int64)


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
