"""Several pieces of array work at a time: numpy lets other threads run while it works."""

from __future__ import annotations

import contextvars
import multiprocessing
import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor

ROWS = 256  # draws worked on at once: what is made of them on the way stays in the processor's cache
MOST_THREADS = 8

type Slices = tuple[slice, slice]


def rows_at_once(chains: int, draws: int) -> Iterator[Slices]:
    """Split (chain, draw) into as many draws at a time as are best worked on at once."""
    step = max(ROWS // max(chains, 1), 1)
    for first in range(0, draws, step):
        yield slice(None), slice(first, first + step)


def spread[Item, Result](work: Callable[[Item], Result], items: Iterable[Item]) -> list[Result]:
    """Do the same work on each item, several at a time; in a worker process one by one, as its like have the other processors.

    Parameters
    ----------
    work
        Called with one item; calls must not depend on each other. Context variables (numpy's error state) are the caller's.
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
    items = list(items)
    threads = min(len(items), _processors(), MOST_THREADS)
    if threads <= 1 or multiprocessing.parent_process() is not None:
        return [work(item) for item in items]
    with ThreadPoolExecutor(threads) as pool:
        begun = [pool.submit(contextvars.copy_context().run, work, item) for item in items]
        return [one.result() for one in begun]


def _processors() -> int:
    """Processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
