"""What a stated number says about the source's own estimate: an interval, a cell of the grid it rounds on.

``cell`` maps a stated value to its interval, ``state`` maps an estimate to the value that would be stated. They are
inverse to each other, and the cells of one form tile the positive numbers, so a rounded claim has a proper
probability. Both run on numpy arrays and inside a PyTensor graph (``xp`` is the array module).
"""

from __future__ import annotations

import math
from types import ModuleType
from typing import Any

import numpy as np

POINT, LINEAR, GEOMETRIC, FLOOR, CEILING = range(5)
OFFSETS = {"exact": -0.5, "approx": -0.5, "at_least": 0.0, "at_most": -1.0}


def rounding_unit(value: float, bound: str) -> float:
    """Unit on which a source rounds, read off the digits of the number it states.

    Parameters
    ----------
    value : float
        The stated number: persons, persons per day or a share.
    bound : str
        ``exact``, ``approx``, ``at_least`` or ``at_most``.

    Returns
    -------
    float
        The place of the last significant digit (3,800: 100); ``exact`` whole numbers: 1. A number with decimals has the
        place of its last decimal, whatever the bound (0.25: 0.01). An exact power of ten is read one place finer for
        ``approx`` and ``at_most`` (about 1,000: 100); ``at_least`` a number of several digits that ends in 5 uses
        five of its place (over 4,500: 500).

    Examples
    --------
    >>> rounding_unit(3800, "approx"), rounding_unit(1000, "approx"), rounding_unit(4500, "at_least")
    (100.0, 100.0, 500.0)
    """
    if value != int(value):
        return 10.0 ** -len(f"{value:.9f}".rstrip("0").split(".")[1])
    if bound == "exact" or value == 0:
        return 1.0
    digits = str(int(value)).rstrip("0")
    place = 10.0 ** (len(str(int(value))) - len(digits))
    if digits == "1" and bound in ("approx", "at_most"):
        return max(place / 10, 1.0)
    if bound == "at_least" and len(digits) > 1 and digits.endswith("5"):
        return 5 * place
    return place


def form_of(
    value: float, bound: str, is_open: bool, unit: float | None, low: float, high: float
) -> tuple[int, float, float, float, float]:
    """How one claim speaks: (form, stated value, unit, offset, origin).

    ``unit`` is the step of a linear grid, the ratio of a geometric one (a range) or the threshold of an open bound;
    ``offset`` places the value in its cell (-0.5 in the middle, 0 at the lower end, -1 at the upper end);
    ``origin`` is the part of the value that is not on the grid through zero.
    """
    if bound == "point":
        return POINT, value, 1.0, 0.0, 0.0
    if bound == "range" and low > 0:
        return GEOMETRIC, low, high / low, 0.0, low
    if bound == "range":
        return CEILING, high, high, 0.0, 0.0
    if is_open:
        return (FLOOR if bound == "at_least" else CEILING), value, value, 0.0, 0.0
    step = unit if unit else rounding_unit(value, bound)
    return LINEAR, value, step, OFFSETS[bound], math.fmod(value, step)


def _is(form: Any, code: int) -> Any:
    return abs(form - code) < 0.5


def cell(value: Any, form: Any, unit: Any, offset: Any, xp: ModuleType = np) -> tuple[Any, Any]:
    """Interval (low, high) of the estimate behind a stated value; high may be infinite, low zero.

    For ``POINT`` both ends are the value itself. A floor that is not met is stated as 0, a ceiling that is passed as
    twice the threshold.
    """
    start = value + offset * unit
    low, high = xp.maximum(start, 0.0), start + unit
    point, geometric = _is(form, POINT), _is(form, GEOMETRIC)
    low = xp.where(point | geometric, value, low)
    high = xp.where(point, value, xp.where(geometric, value * unit, high))
    above = xp.where(_is(form, FLOOR), value >= unit, value > unit)
    opened = _is(form, FLOOR) | _is(form, CEILING)
    low = xp.where(opened, xp.where(above, unit, 0.0), low)
    high = xp.where(opened, xp.where(above, np.inf, unit), high)
    return low, high


def state(estimate: Any, form: Any, unit: Any, offset: Any, origin: Any, xp: ModuleType = np) -> Any:
    """Value that a source with this estimate would state: the inverse of ``cell``."""
    linear = xp.floor((estimate - origin) / unit - offset) * unit + origin
    geometric = _is(form, GEOMETRIC)
    log_ratio = xp.log(xp.where(geometric, unit, 2.0))
    anchor = xp.where(geometric, origin, 1.0)
    ratio_cell = anchor * xp.exp(xp.floor(xp.log(estimate / anchor) / log_ratio) * log_ratio)
    stated = xp.where(_is(form, POINT), estimate, xp.where(geometric, ratio_cell, linear))
    stated = xp.where(_is(form, FLOOR), xp.where(estimate >= unit, unit, 0.0), stated)
    return xp.where(_is(form, CEILING), xp.where(estimate > unit, 2 * unit, unit), stated)
