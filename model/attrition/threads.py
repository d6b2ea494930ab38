"""Several pieces of array work at a time: numpy lets other threads run while it works."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor

ROWS = 256  # draws worked on at once: what is made of them on the way stays in the processor's cache

type Slices = tuple[slice, slice]


def rows_at_once(chains: int, draws: int) -> Iterator[Slices]:
    """Split (chain, draw) into as many draws at a time as are best worked on at once."""
    step = max(ROWS // max(chains, 1), 1)
    for first in range(0, draws, step):
        yield slice(None), slice(first, first + step)


def spread[Item, Result](work: Callable[[Item], Result], items: Iterable[Item]) -> list[Result]:
    """Do the same work on each item, as many at a time as there are processors.

    Parameters
    ----------
    work
        Called with one item; calls must not depend on each other.
    items
        Taken in order.

    Returns
    -------
    list
        Results in the order of the items.

    Raises
    ------
    Exception
        The first that work raises.
    """
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        return list(pool.map(work, items))
