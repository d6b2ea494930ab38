"""The day on which a running total of losses reaches what there is to lose, draw by draw: numbers alone, no dates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .manpower import Known, Recovery
from .projection import casualties, counted_losses
from .scenarios.base import Ahead, Settled


def first_crossing(total: np.ndarray, size: np.ndarray, before: np.ndarray | float = 0.0, first: int = 0) -> np.ndarray:
    """Day on which a running total first reaches a size, interpolated within the day; infinite if it does not.

    Parameters
    ----------
    total : (..., day)
        Total at the end of each day, one at least.
    size : (...) or (..., day)
        Number to reach; of each day, what holds from its start.
    before : (...)
        Total before the first of the days.
    first
        Number of the first of the days.
    """
    size = np.broadcast_to(size[..., None] if size.ndim < total.ndim else size, total.shape)
    reached = total >= size
    day = reached.argmax(axis=-1)
    draw = np.ogrid[tuple(slice(number) for number in day.shape)]
    goal, after = size[*draw, day], total[*draw, day]
    earlier = np.where(day > 0, total[*draw, np.maximum(day - 1, 0)], before)
    step = after - earlier
    share = np.where(step > 0, np.maximum(goal - earlier, 0.0) / np.where(step > 0, step, 1.0), 1.0)
    return np.where(reached[*draw, day], day + (first - 1) + share, np.inf)


def days_lost(before: Known, ahead: Ahead, horizon: int, definitions: Sequence[str]) -> list[np.ndarray]:
    """Find the day of depletion in each of some definitions, each (chain, draw), in days from the campaign's start.

    Parameters
    ----------
    before
        The days up to the vintage.
    ahead
        Those after it, of the same draws.
    horizon
        Days after the vintage that are gone through one by one, unless nothing changes any more.
    definitions
        Of ``depletion.DEFINITIONS``.
    """
    coming = go_on(before, ahead, horizon)
    found = {initial: day_lost(before, coming, 1.0, initial) for initial in {name == "gross" for name in definitions}}
    days = [found[name == "gross"] for name in definitions]
    if "net" in definitions and before.recovery is not None:
        # never earlier, whatever rounding says
        net = np.maximum(found[False], _day_net(before, before.recovery, ahead, coming, horizon, found[False]))
        days[definitions.index("net")] = net
    return days


@dataclass(frozen=True, eq=False)
class Coming:
    """The days ahead, as far as they are gone through one by one.

    Attributes
    ----------
    arrivals, counted : (chain, draw, day)
        As ``projection.counted_losses`` gives them.
    settled
        What follows; None if nothing does up to the horizon.
    """

    arrivals: np.ndarray
    counted: np.ndarray
    settled: Settled | None


def go_on(before: Known, ahead: Ahead, horizon: int) -> Coming:
    """Carry losses on for as many days after the vintage as have to be gone through one by one."""
    settled = ahead.settled if ahead.settled and ahead.settled.after <= horizon else None
    return Coming(*counted_losses(before, ahead, settled.after if settled else horizon), settled)


def day_lost(before: Known, coming: Coming, share: float, initial: bool) -> np.ndarray:
    """Find the day on which a share of everyone who has arrived has been lost, each person once.

    Parameters
    ----------
    before, coming
        The days up to the vintage and after it, of the same draws.
    share
        Above 0 and at most 1.
    initial
        Of the initial contingent instead.

    Returns
    -------
    (chain, draw)
        Days from the campaign's start, infinite where it is not reached.
    """
    goal = before.size[..., None] if initial else before.there
    day = first_crossing(before.lost, share * goal)
    lost, there, days = before.lost[..., -1], before.there[..., -1], before.days
    if coming.counted.shape[-1]:
        goal = goal if initial else coming.arrivals
        day = np.minimum(day, first_crossing(coming.counted, share * goal, lost, days))
        lost, there, days = coming.counted[..., -1], coming.arrivals[..., -1], days + coming.counted.shape[-1]
    if coming.settled is None:
        return day
    missing = share * goal[..., -1] - lost
    return np.where(np.isfinite(day), day, days - 1 + _solved(coming.settled, before.factor, missing, there - lost))


def _solved(settled: Settled, factor: np.ndarray, missing: np.ndarray, left: np.ndarray) -> np.ndarray:
    """Days until so many more are lost of those left, where nothing changes any more (chain, draw)."""
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        at_rate = missing / (settled.rate * factor)
        at_risk = np.log(left / np.maximum(left - missing, 0.0)) / settled.hazard
    return np.asarray(np.where(settled.hazard > 0, at_risk, at_rate))


def _day_net(
    before: Known, recovery: Recovery, ahead: Ahead, coming: Coming, horizon: int, gross: np.ndarray
) -> np.ndarray:
    """Day (chain, draw) on which losses less those back on duty reach everyone who has arrived, up to the horizon.

    Nobody has come back who was not lost: the day is not before the ``gross`` one of the same draw, and is looked for from
    two days before the first of those on.
    """
    day = np.full(gross.shape, np.inf)
    within = gross < before.days + horizon
    if not within.any():
        return day
    first = max(int(gross[within].min()) - 2, 0)
    before, recovery = before.part(within), recovery.part(within)
    if coming.settled is None:
        arrivals, counted = coming.arrivals[within], coming.counted[within]
    else:
        arrivals, counted = counted_losses(before, ahead.part(within), horizon)
    back = recovery.returned(casualties(before, counted), first)
    if first < before.days:
        counted = np.concatenate([before.lost[..., first:], counted], axis=-1)
        arrivals = np.concatenate([before.there[..., first:], arrivals], axis=-1)
    skipped = max(first - before.days, 0)
    day[within] = first_crossing(counted[..., skipped:] - back, arrivals[..., skipped:], first=first)
    return day
