"""Machine code of what a user added, or of a whole model, on disk: compiled once, then rebuilt in every later process.

The invariant protected here: what is rebuilt is what would have been compiled. An entry is found by the structure of the graph
(``graph_name``) and by all that compiles it, it holds the order of the shared data and the layout of the draws, and both are
compared with the live model before its code is used. Data, labels and starting points are always the live model's.
``kernel.store`` keeps the files and decides whether one may be read.
"""

from __future__ import annotations

import functools
import hashlib
import logging
import pickle
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np

from .graph_name import NotDescribed, Structure, structure
from .kernel import store

if TYPE_CHECKING:
    import pymc as pm

log = logging.getLogger("attrition")

ENDING = ".model"
MAKERS = (*store.MAKERS, "pymc", "pytensor", "scipy")
TEXT = ("graph_name", "kept_graph")
KEPT_ENTRIES = 12
BROKEN = (AttributeError, ImportError, KeyError, IndexError, RuntimeError, TypeError, ValueError, pickle.PickleError)


@dataclass(frozen=True)
class Callback:
    """One rebuilt function: its address, and what keeps its machine code alive."""

    address: int
    held: Any


@dataclass(frozen=True)
class Layout:
    """What stands where in a draw, as nutpie has it.

    Attributes
    ----------
    names, slices, shapes
        Of every variable, first the free ones on the sampler's scale, then what is worked out of them.
    dims
        How many numbers are sampled.
    """

    names: list[str]
    slices: list[slice]
    shapes: list[tuple[int, ...]]
    dims: int

    @property
    def told(self) -> tuple[Any, ...]:
        """In plain values, to be kept and compared."""
        return tuple(self.names), tuple((one.start, one.stop) for one in self.slices), tuple(self.shapes), self.dims


@functools.cache
def installation() -> str:
    """How the names of this installation's entries begin: this module's text, the packages that compile, the processor."""
    root = Path(__file__).resolve().parent
    return store.made_from([*(root / f"{name}.py" for name in TEXT), Path(store.__file__)], MAKERS)


def entries() -> list[store.Entry]:
    """Kept models, the newest first."""
    return store.entries(ENDING, installation())


def clear() -> int:
    """Remove every kept model; returns how many there were."""
    return store.clear(ENDING)


def compiled_model(model: pm.Model, names: Sequence[str]) -> Any:
    """Have a model as nutpie samples it: rebuilt from what was kept, else compiled, and kept if it can be.

    Parameters
    ----------
    model
        The model.
    names
        Variables that are wanted in the draws.

    Returns
    -------
    nutpie.compile_pymc.CompiledPyMCModel
        The first process also samples from the rebuilt code, so that every process draws the same.
    """
    import nutpie

    try:
        live = _Live(model, names)
    except NotDescribed as why:
        log.info("The compiled model is not kept: %s", why)
        return nutpie.compile_pymc_model(model, var_names=list(names))
    entry = _checked(store.read(live.file), live)
    if entry is not None:
        try:
            return live.rebuilt(entry)
        except BROKEN as error:
            log.warning("A kept model cannot be used (%s): compiling again", error)
    entry, compiled = _compile(live)
    if entry is None:
        return compiled
    try:
        found = live.rebuilt(entry)
        store.write(pickle.dumps(entry), live.file, KEPT_ENTRIES)
    except BROKEN as error:
        log.warning("The compiled model cannot be kept (%s)", error)
        return compiled
    return found


class _Live:
    """A model with what is known of it without compiling its density."""

    def __init__(self, model: pm.Model, names: Sequence[str]) -> None:
        from nutpie import compile_pymc
        from pymc.initial_point import make_initial_point_fn

        self.model, self.names = model, list(names)
        values = [model.rvs_to_values[variable] for variable in model.free_RVs]
        taken = {value.name for value in values}
        wanted = [one for one in model.unobserved_value_vars if one.name in names and one.name not in taken]
        self.structure: Structure = structure(model, wanted)
        starts = make_initial_point_fn(model=model, jitter_rvs=set(model.free_RVs), return_transformed=True)
        at_start = {name: tuple(map(int, value.shape)) for name, value in starts(0).items()}
        sized = dict.fromkeys((one.name for one in wanted), ())
        sized |= {one.name: one.type.shape for one in model.free_RVs + model.deterministics if one.name in sized}
        if any(None in shape for shape in sized.values()):
            sized = compile_pymc._compute_shapes(model)
        free, more = [value.name for value in values], [one.name for one in wanted]
        shapes = [at_start[name] for name in free] + [tuple(map(int, sized[name])) for name in more]
        ends = np.cumsum([int(np.prod(shape)) for shape in shapes], dtype=int).tolist()
        slices = [slice(start, stop) for start, stop in zip([0, *ends[:-1]], ends, strict=True)]
        dims = ends[len(free) - 1] if free else 0
        self.layout = Layout(free + more, slices, shapes, dims)
        self.start = compile_pymc._rv_dict_to_flat_array_wrapper(
            compile_pymc._wrap_with_lock(starts), names=free, shapes=shapes[: len(free)]
        )
        self.reparameterized = [
            model.rvs_to_values[one].name for one in model.free_RVs if model.rvs_to_transforms.get(one) is not None
        ]
        told = repr((self.structure.digest, self.layout.told, self.names))
        self.key = hashlib.sha256(told.encode()).hexdigest()
        self.file = f"{installation()}-{self.key[:24]}{ENDING}"

    def shared(self, order: Sequence[int]) -> list[tuple[Any, ...]]:
        """What an entry says of its shared data, in its order."""
        found = [self.structure.shared[place] for place in order]
        return [(one.name, one.get_value(borrow=True).ndim, one.get_value(borrow=True).dtype.str) for one in found]

    def rebuilt(self, entry: dict[str, Any]) -> Any:
        """Model for nutpie of kept code and this model's own data, labels and starting points."""
        from numba.core import compiler, registry
        from nutpie import compile_pymc

        target = registry.cpu_target.target_context
        target.refresh()
        results = [compiler.CompileResult._rebuild(target, *reduced) for reduced in pickle.loads(entry["code"])]  # noqa: S301
        density, expand = (
            Callback(one.library.get_pointer_to_function(one.fndesc.llvm_cfunc_wrapper_name), one) for one in results
        )
        keys = {self.structure.shared[place]: f"shared_{number}" for number, place in enumerate(entry["order"])}
        data = {key: np.array(one.get_value(), order="C", copy=True) for one, key in keys.items()}
        for array in data.values():
            array.flags.writeable = False
        told = (self.layout.names, self.layout.slices, self.layout.shapes)
        dims, coords = compile_pymc._prepare_dims_and_coords(self._labelled(), told, self.reparameterized)
        return compile_pymc.CompiledPyMCModel(
            _n_dim=self.layout.dims,
            dims=dims,
            _coords=coords,
            _shapes=dict(zip(self.layout.names, self.layout.shapes, strict=True)),
            compiled_logp_func=density,
            compiled_expand_func=expand,
            initial_point_func=self.start,
            shared_data=data,
            shared_var_keys=keys,
            user_data=compile_pymc.make_user_data(keys, data),
            n_expanded=self.layout.slices[-1].stop if self.layout.slices else 0,
            shape_info=told,
            logp_func=None,
            expand_func=None,
            reparameterized_names=self.reparameterized,
        )

    def _labelled(self) -> Any:
        """What nutpie reads of a model for its labels; lengths without labels from the data, so that nothing is compiled."""
        import pandas as pd

        lengths: dict[str, int] = {}
        for name, dims in self.model.named_vars_to_dims.items():
            get = getattr(self.model.named_vars[name], "get_value", None)
            if get is not None:
                lengths |= dict(zip(dims, get(borrow=True).shape, strict=True))
        coords = {
            dim: pd.RangeIndex(lengths[dim]) if labels is None and dim in lengths else labels
            for dim, labels in self.model.coords.items()
        }
        return SimpleNamespace(
            coords=coords,
            dim_lengths=self.model.dim_lengths,
            value_vars=self.model.value_vars,
            values_to_rvs=self.model.values_to_rvs,
            named_vars_to_dims=self.model.named_vars_to_dims,
        )


def _checked(entry: Any, live: _Live) -> dict[str, Any] | None:
    """An entry, if it is one of this very model."""
    if entry is None:
        return None
    fields = {"key", "layout", "order", "shared", "code"}
    if not isinstance(entry, dict) or set(entry) != fields or not isinstance(entry["code"], bytes):
        log.warning("%s is not a kept model: compiling again", live.file)
        return None
    places = range(len(live.structure.shared))
    same = (
        entry["key"] == (installation(), live.key)
        and entry["layout"] == live.layout.told
        and all(place in places for place in entry["order"])
        and entry["shared"] == live.shared(entry["order"])
    )
    if not same:
        log.warning("%s was kept for another model: compiling again", live.file)
        return None
    return entry


def _compile(live: _Live) -> tuple[dict[str, Any] | None, Any]:
    """What is to be kept, None if it cannot be rebuilt elsewhere; and nutpie's own compiled model."""
    import nutpie
    from numba.core import compiler, serialize

    noted: list[Any] = []

    class Noting(compiler.Compiler):  # type: ignore[misc]
        def compile_extra(self, function: Any) -> Any:
            noted.append(super().compile_extra(function))
            return noted[-1]

    compiled = nutpie.compile_pymc_model(live.model, var_names=live.names, pipeline_class=Noting)
    names, slices, shapes = compiled.shape_info
    told = Layout(names, slices, [tuple(map(int, shape)) for shape in shapes], compiled.n_dim).told
    places = {variable: place for place, variable in enumerate(live.structure.shared)}
    bound = any(one.library.has_dynamic_globals or one.lifted for one in noted)  # to addresses of this process
    if len(noted) != 2 or bound or told != live.layout.told or not set(compiled.shared_var_keys) <= set(places):
        log.info("The compiled model is not kept: it holds what another process does not have")
        return None, compiled
    order = [places[variable] for variable in compiled.shared_var_keys]
    try:
        code = serialize.dumps([one._reduce() for one in noted])
    except BROKEN as error:
        log.warning("The compiled model cannot be kept (%s)", error)
        return None, compiled
    entry = {
        "key": (installation(), live.key),
        "layout": told,
        "order": order,
        "shared": live.shared(order),
        "code": code,
    }
    return entry, compiled
