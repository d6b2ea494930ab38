"""Many fits: the same job over many datasets, in this process, in worker processes, or on a cluster.

Results come in the order of the datasets, each as soon as it and those before it are there; a dataset that fails gives its
error as its result; no more jobs wait than keep the workers busy. Worker processes are spawned, never forked: threads of the
sampler do not survive a fork. They find the compiled code on disk.
"""

from __future__ import annotations

import itertools
import multiprocessing
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from .campaign import Campaign
from .claims import Claims
from .curves import Curve
from .errors import AttritionError, InputError, Problem, shown
from .fitted import Fit
from .inference import fit
from .priors import Priors
from .reporting import Reporting
from .sampling import Settings

AHEAD = 2


@dataclass(frozen=True)
class Failed:
    """Result of a dataset that could not be fitted: its place among the datasets, and the error's kind and words."""

    number: int
    kind: str
    words: str

    def __str__(self) -> str:
        return f"dataset {self.number}: {self.kind}: {self.words}"


@dataclass(frozen=True)
class _Job:
    """One call of ``fit`` and what is kept of its result, as it travels to a worker."""

    campaign: Campaign
    options: Mapping[str, Any]
    keep: Callable[[Fit], Any] | None

    def __call__(self, numbered: tuple[int, Claims, int]) -> Any:
        number, claims, seed = numbered
        try:
            done = fit(claims, self.campaign, seed=seed, progress=False, **self.options)
            return done if self.keep is None else self.keep(done)
        except (AttritionError, ArithmeticError, LookupError, OSError, RuntimeError, TypeError, ValueError) as error:
            return Failed(number, type(error).__name__, str(error))


def fit_many(
    datasets: Iterable[Claims],
    campaign: Campaign,
    priors: Priors | None = None,
    *,
    seed: int,
    curve: Curve | None = None,
    reporting: Reporting | None = None,
    settings: Settings | None = None,
    keep: Callable[[Fit], Any] | None = None,
    executor: Executor | int | None = None,
) -> Iterator[Any]:
    """Fit many records of one campaign, with seeds of their own.

    Parameters
    ----------
    datasets
        Records, taken one by one as workers are free.
    campaign, priors, curve, reporting, settings
        As in ``fit``. In worker processes each fit has one core.
    seed
        From which the seed of every fit follows.
    keep
        What to keep of each fit, a function of it, for worker processes one that can be imported; by default the fit itself.
    executor
        None for this process; a number of worker processes; or any ``concurrent.futures`` executor, a dask client's too
        (``client.get_executor()``).

    Yields
    ------
    Fit, or what ``keep`` returns, or Failed
        In the order of the datasets.

    Raises
    ------
    InputError
        If the executor is none of these.
    """
    settings = settings or Settings()
    if executor is not None and settings.cores is None:
        settings = replace(settings, cores=1)
    options = {"priors": priors, "curve": curve, "reporting": reporting, "settings": settings}
    job = _Job(campaign, options, keep)
    numbered = ((number, claims, _seed(seed, number)) for number, claims in enumerate(datasets))
    yield from in_order(job, numbered, executor)


def in_order(job: Callable[[Any], Any], items: Iterable[Any], executor: Executor | int | None = None) -> Iterator[Any]:
    """Apply a job to every item and yield the results in order.

    Parameters
    ----------
    job
        A function of one item; for worker processes one that can be pickled.
    items
        Taken one by one as workers are free.
    executor
        As in ``fit_many``.
    """
    if executor is None:
        yield from map(job, items)
    elif isinstance(executor, bool) or not isinstance(executor, int | Executor) or executor == 0:
        problem = Problem("argument", "", "executor", shown(executor), "None, a number or an executor", "Try 2.")
        raise InputError("Nothing to run on", [problem])
    elif isinstance(executor, int):
        prepare()
        with ProcessPoolExecutor(executor, multiprocessing.get_context("spawn")) as pool:
            yield from _windowed(job, items, pool, executor * AHEAD)
    else:
        yield from _windowed(job, items, executor, getattr(executor, "_max_workers", 4) * AHEAD)


def prepare() -> None:
    """Have the compiled code on disk before workers look for it: it is compiled once, not by each of them."""
    from .kernel.callbacks import callbacks

    callbacks()


def _windowed(job: Callable[[Any], Any], items: Iterable[Any], executor: Executor, waiting: int) -> Iterator[Any]:
    """Results in order, with so many jobs under way at most; what has not begun is cancelled if the caller stops."""
    rest = iter(items)
    running: deque[Future[Any]] = deque(executor.submit(job, item) for item in itertools.islice(rest, waiting))
    try:
        while running:
            result = running.popleft().result()
            running.extend(executor.submit(job, item) for item in itertools.islice(rest, 1))
            yield result
    finally:
        for future in running:
            future.cancel()


def _seed(seed: int, number: int) -> int:
    return int(np.random.SeedSequence(seed, spawn_key=(number,)).generate_state(1, np.uint32)[0])
