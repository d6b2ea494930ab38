"""How far a publication is: a bar in a terminal, a line now and then elsewhere, nothing for what is quick."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

QUIET_SECONDS = 2.0


@contextmanager
def steps(what: str, total: int, progress: bool | None = None) -> Iterator[Callable[[str], None]]:
    """Yield a function to call with the name of each step as it begins.

    Parameters
    ----------
    what
        What is going on, in a word.
    total
        Number of steps.
    progress
        False for silence.
    """
    if progress is False:
        yield lambda _: None
        return
    from rich.console import Console

    console = Console(stderr=True)
    if not (console.is_terminal or console.is_jupyter):
        yield _Lines(what, total)
        return
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn(what), BarColumn(), TextColumn("{task.description}", markup=False), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("", total=total)
        begun = iter(range(total + 1))
        yield lambda name: bar.update(task, completed=next(begun, total), description=name)


class _Lines:
    """A line for each step that begins two seconds or more after the last line."""

    def __init__(self, what: str, total: int) -> None:
        self.what, self.total, self.begun, self.last = what, total, 0, time.monotonic()

    def __call__(self, name: str) -> None:
        self.begun += 1
        if time.monotonic() - self.last >= QUIET_SECONDS:
            self.last = time.monotonic()
            sys.stderr.write(f"{self.what}: {name}, step {self.begun} of {self.total}\n")
            sys.stderr.flush()
