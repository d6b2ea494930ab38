"""Sample with nutpie: the kernel that every built-in model has in common, or a model of the user's own, compiled by PyMC.

The invariant protected here: data never reach compiled code unchecked, where a wrong length would crash the process.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from .containers import check_same, pack
from .errors import AttritionError, InputError, Problem, shown
from .extension import added, only
from .kept_graph import compiled_model

if TYPE_CHECKING:
    import pymc as pm


PREPARING = "Preparing what was added to the model (up to a minute the first time, then it is kept)"
COMPILING = "Preparing the model (some minutes the first time, then it is kept)"
COMPILING_ONCE = "Compiling the sampler's code (about half a minute, once on this machine: it is kept)"

NO_START = (
    "Sampling could not start: the log density or its slopes could not be computed, or were not finite, at any starting point. "
    "If you extended the model, look at what you added: an index beyond the days that are known, a logarithm of what can be "
    "negative, a free variable that nothing holds."
)

type Drawn = tuple[dict[str, np.ndarray], dict[str, np.ndarray]]


class SamplingError(AttritionError):
    """Sampling could not start or was interrupted."""


@dataclass(frozen=True)
class Settings:
    """Sampler settings; ``cores`` None uses all.

    Raises
    ------
    InputError
        If the target acceptance is not between 0 and 1.
    """

    draws: int = 1000
    tune: int = 1000
    chains: int = 4
    target_accept: float = 0.93
    cores: int | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.target_accept, int | float) or not 0.0 < self.target_accept < 1.0:
            got = shown(self.target_accept)
            problem = Problem(
                "settings", "", "target_accept", got, "a number between 0 and 1", "Leave it out for 0.93."
            )
            raise InputError("The settings cannot be used", [problem])


@dataclass(frozen=True)
class Compiled:
    """A user's own model compiled by nutpie, with what a refit must match.

    Attributes
    ----------
    key
        What the graph depends on (curve, error family, prior families, sizes): data with another key need another one.
    model
        nutpie's compiled model.
    layout
        What stands where in every pack of data.
    rooms
        How many sources, briefings, months and so on it has parameters for.
    seconds
        Time that compilation took.
    extended
        Whether a user added to the model.
    places, reached
        As ``kernel.model.Added`` has them, if ``model`` is only of what a user added and the kernel serves for what is built
        in; None and empty if it is the whole.
    """

    key: str
    model: Any
    layout: Mapping[str, tuple[str, ...]]
    rooms: Mapping[str, int]
    seconds: float
    extended: bool = False
    places: Mapping[str, slice] | None = None
    reached: frozenset[str] = frozenset()


def compile_model(
    model: pm.Model,
    key: str,
    rooms: Mapping[str, int],
    extended: bool = False,
    has_kernel: bool = False,
    progress: bool | None = None,
) -> Compiled:
    """Compile a model once: what a user added to a built-in one, or the whole.

    Parameters
    ----------
    model
        From ``build_model``, possibly extended.
    key
        Names the graph, see ``Compiled``.
    rooms
        Sizes of the model's padded dims, from ``observe``.
    extended
        Whether a user added to the model.
    has_kernel
        Whether the kernel knows the model without what was added.
    progress
        Show what is going on; by default where somebody can see it.
    """
    names, places, reached = [variable.name for variable in model.free_RVs], None, frozenset[str]()
    more = added(model, key) if has_kernel else []
    with _notice(PREPARING if more else COMPILING, progress):
        started = time.perf_counter()
        if more:
            with only(model, more) as reached:
                compiled = compiled_model(model, names)
            where = dict(zip(*compiled.shape_info[:2], strict=True))
            places = {variable.name: where[model.rvs_to_values[variable].name] for variable in model.free_RVs}
        else:
            compiled = compiled_model(model, names)
    layout = {name: tuple(model.coords.get(f"{name}_{axis}") or (name,)) for name, axis in _PACKS}
    layout = {name: labels for name, labels in layout.items() if name in model.named_vars}
    return Compiled(key, compiled, layout, rooms, time.perf_counter() - started, extended, places, reached)


_PACKS = (
    ("claim_value", ""),
    *((f"{free}_{kind}", "row") for free in ("claim", "day") for kind in ("numbers", "indices")),
    *((f"fixed_{kind}", "place") for kind in ("numbers", "indices")),
)


def have_kernel(progress: bool | None = None) -> None:
    """Rebuild or compile the sampler's code, if this process does not have it, and say so where that takes long."""
    from .kernel.callbacks import callbacks, is_kept

    if not is_kept():
        with _notice(COMPILING_ONCE, progress):
            callbacks()


def with_data(compiled: Compiled, arrays: Mapping[str, np.ndarray]) -> Any:
    """Give a user's own compiled model other data.

    Parameters
    ----------
    compiled
        The model.
    arrays
        Its data containers, all of them; claims and days may differ in number from those compiled with.

    Returns
    -------
    nutpie.compile_pymc.CompiledPyMCModel

    Raises
    ------
    InputError
        If the data do not fit the compiled model.
    """
    check_same(arrays, compiled.layout, compiled.rooms)
    used = {var.name for var in compiled.model.shared_var_keys}
    return compiled.model.with_data(**{name: array for name, array in pack(arrays).items() if name in used})


def run(model: Any, settings: Settings, seed: int, progress: bool | None = None) -> Drawn:
    """Draw from the posterior of a model as nutpie samples it: the kernel's, or a user's own compiled as a whole.

    Parameters
    ----------
    model
        From ``kernel.model.kernel_model`` or ``with_data``, which have checked the data.
    settings, seed
        Of the sampler.
    progress
        Show a bar in a terminal or a notebook, lines of text elsewhere; False for silence.

    Returns
    -------
    (draws, stats)
        Every variable of the model, and the sampler statistics worth keeping, by name, each (chain, draw, ...).

    Raises
    ------
    SamplingError
        If sampling cannot start or is interrupted.
    """
    import nutpie

    with _bar(settings, progress) as callback:
        try:
            trace = nutpie.sample(
                model,
                draws=settings.draws,
                tune=settings.tune,
                chains=settings.chains,
                cores=settings.cores,
                target_accept=settings.target_accept,
                seed=seed,
                save_warmup=False,
                progress_bar=False,
                progress_callback=callback,
                progress_rate=200,
                return_raw_trace=True,
            )
        except RuntimeError as error:
            if "nitiali" not in str(error):
                raise
            raise SamplingError(f"{NO_START} The sampler says: {str(error).splitlines()[0]}") from error
    posterior, stats = trace.get_arrow_trace()
    return _columns(posterior, stats, settings)


def _in_notebook() -> bool:
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    return shell is not None and "Terminal" not in type(shell).__name__


def _mode(progress: bool | None) -> str:
    """One of bar, notebook, text or silent."""
    if progress is False:
        return "silent"
    if _in_notebook():
        return "notebook"
    if sys.stderr.isatty():
        return "bar"
    return "text"


@contextmanager
def _notice(text: str, progress: bool | None) -> Iterator[None]:
    mode = _mode(progress)
    if mode == "silent":
        yield
        return
    from rich.console import Console

    console = Console(stderr=True)
    if mode == "bar":
        with console.status(text + " ..."):
            yield
    else:
        _write(text + " ...")
        yield


def _write(text: str) -> None:
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


@contextmanager
def _bar(settings: Settings, progress: bool | None) -> Iterator[Any]:
    """Yield a callback for nutpie that shows how far sampling is."""
    mode = _mode(progress)
    if mode == "silent":
        yield None
    elif mode == "text":
        yield _TextProgress()
    elif mode == "notebook":
        yield _NotebookProgress()
    else:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

        columns = (TextColumn("Sampling"), BarColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
        with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
            task = bar.add_task("", total=settings.chains * (settings.draws + settings.tune))

            def update(chains: Any) -> None:
                done, _, words = _state(chains)
                bar.update(task, completed=done, description=words)

            yield update


def _state(chains: Any) -> tuple[int, int, str]:
    done = sum(chain.finished_draws for chain in chains)
    total = sum(chain.total_draws for chain in chains)
    divergent = sum(chain.divergences for chain in chains)
    return done, total, f"{done} of {total} draws, {divergent} divergences"


class _TextProgress:
    """A line of text every five seconds, where there is no terminal."""

    def __init__(self) -> None:
        self.last = time.monotonic()

    def __call__(self, chains: Any) -> None:
        if time.monotonic() - self.last >= 5.0:
            self.last = time.monotonic()
            _write(f"Sampling: {_state(chains)[2]}")


class _NotebookProgress:
    """One output cell that is updated in place."""

    def __init__(self) -> None:
        from IPython.display import HTML, display

        self.html = HTML
        self.handle = display(HTML("Sampling ..."), display_id=True)

    def __call__(self, chains: Any) -> None:
        done, total, words = _state(chains)
        if self.handle is not None:
            self.handle.update(self.html(f'Sampling <progress value="{done}" max="{total}"></progress> {words}'))


KEPT = ("diverging", "n_steps", "depth", "step_size", "energy", "logp")


def _columns(posterior: Any, stats: Any, settings: Settings) -> Drawn:
    """Draws and statistics of nutpie's own columns, one table a chain, warm-up left out."""
    tables: list[list[Any]] = []
    for drawn, stat in zip(posterior, stats, strict=True):
        first = int(np.count_nonzero(_values(stat.column("tuning"))))
        tables.append([table.slice(first, table.num_rows - first) for table in (drawn, stat)])
    got = {drawn.num_rows for drawn, _ in tables}
    if len(tables) != settings.chains or got != {settings.draws}:
        raise SamplingError(
            f"Sampling was interrupted: {min(got, default=0)} of {settings.draws} draws. Nothing is kept."
        )
    return (
        {name: np.stack([_column(drawn, name) for drawn, _ in tables]) for name in tables[0][0].column_names},
        {
            name: np.stack([_column(stat, name) for _, stat in tables])
            for name in KEPT
            if name in tables[0][1].column_names
        },
    )


def _column(table: Any, name: str) -> np.ndarray:
    """One variable of one chain (draw, ...)."""
    column = table.column(name)
    shape = [int(size) for size in (column.field.metadata or {}).get(b"shape", b"").decode().split(",") if size]
    return np.asarray(_values(column)).reshape(table.num_rows, *shape)


def _values(column: Any) -> np.ndarray:
    import pyarrow

    array = pyarrow.array(column)
    return np.asarray((array.flatten() if hasattr(array, "flatten") else array).to_numpy(False))
