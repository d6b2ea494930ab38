"""Running totals read between days: the total at a fractional day, and the part of it between two days.

``total[d]`` is the total at the end of day ``d``; the place of that moment is ``d + 1``, and place 0 is the calendar's first
moment, when nothing had been lost. Written once, for the graph (PyTensor) and for the draws (numpy).
"""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np


def at(total: Any, place: Any, xp: ModuleType = np) -> Any:
    """Value of running totals at fractional places, linear within a day.

    Parameters
    ----------
    total : (..., day)
        Totals at the end of each day.
    place : (..., place)
        Days since the calendar's first moment; 0 and less give 0, more than the days known gives the last total.
    xp
        Array module; a numpy place may lack the leading axes of the total.
    """
    padded = xp.concatenate([0.0 * total[..., :1], total], axis=-1)
    last = total.shape[-1]
    inside = xp.clip(place, 0.0, last)
    left = xp.clip(xp.floor(inside), 0, last - 1).astype("int64")
    weight = inside - left
    if xp is not np:
        return padded[left] * (1.0 - weight) + padded[left + 1] * weight
    leading = np.broadcast_shapes(padded.shape[:-1], left.shape[:-1])
    padded = np.broadcast_to(padded, (*leading, padded.shape[-1]))
    left = np.broadcast_to(left, (*leading, left.shape[-1]))
    before, after = (np.take_along_axis(padded, left + step, axis=-1) for step in (0, 1))
    return before * (1.0 - weight) + after * weight
