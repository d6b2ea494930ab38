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
    return _take(padded, left, xp) * (1.0 - weight) + _take(padded, left + 1, xp) * weight


def smoothly_at(total: Any, place: Any, xp: ModuleType = np) -> Any:
    """As ``at``, averaged over the day around each place: its slope has no jumps, which a sampler needs.

    A line stays as it is. The weights are those of a quadratic B-spline on the ends of the three days around the place.
    """
    beyond = 2.0 * total[..., -1:] - total[..., -2:-1]
    padded = xp.concatenate([0.0 * total[..., :1], 0.0 * total[..., :1], total, beyond], axis=-1)
    last = total.shape[-1]
    inside = xp.clip(place, 0.0, last)
    near = xp.clip(xp.floor(inside + 0.5), 0, last).astype("int64")
    t = inside - near
    before, here, after = (_take(padded, near + step, xp) for step in (0, 1, 2))
    return 0.5 * (0.5 - t) ** 2 * before + (0.75 - t**2) * here + 0.5 * (0.5 + t) ** 2 * after


def _take(padded: Any, index: Any, xp: ModuleType) -> Any:
    if xp is not np:
        return padded[index]
    leading = np.broadcast_shapes(padded.shape[:-1], index.shape[:-1])
    padded = np.broadcast_to(padded, (*leading, padded.shape[-1]))
    return np.take_along_axis(padded, np.broadcast_to(index, (*leading, index.shape[-1])), axis=-1)
