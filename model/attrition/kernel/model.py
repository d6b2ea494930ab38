"""A laid-out model as nutpie samples it, without PyMC."""

from __future__ import annotations

import ctypes
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..curves import DATE_SDS, Curve
from ..errors import InputError, Problem
from ..latent import latent
from ..parameters import Parameter
from ..priors import Priors
from ..reporting import Reporting
from .access import LANES
from .callbacks import callbacks
from .centred import to_centred
from .frame import axes_of, mode
from .informed import from_prior, informed
from .layout import OPTION, Layout, lay_out
from .without_arviz import without_arviz

with without_arviz():
    from nutpie import _lib
    from nutpie.sample import CompiledModel

VECTOR = "parameters"
AXIS = "parameter"
JITTER = 1.0
HELD = "rate_sd_unit"
OWN_TURNED = 50  # so many parameters of a user's own are in the frame; more stay out: it grows with the square


@dataclass(frozen=True, eq=False)
class Added:
    """What a user added to a built-in model: its log density as compiled by PyMC and nutpie over all free variables.

    Attributes
    ----------
    compiled
        nutpie's model, with its data; a draw is expanded to what it gives.
    places
        Where each free variable stands in its point, by name.
    reached
        Names of those that what was added depends on.
    """

    compiled: Any
    places: Mapping[str, slice]
    reached: frozenset[str]

    def order(self, layout: Layout) -> np.ndarray:
        """Place in PyMC's order of each parameter: first those of a layout, then the user's own.

        Raises
        ------
        InputError
            If a built-in parameter has another size there: compiled code would not notice.
        """
        every, problems = np.arange(self.compiled.n_dim), []
        for parameter, shape, _ in layout.parameters:
            got, expected = every[self.places[parameter.name]].size, math.prod(shape)
            if got != expected:
                do = "Build the model from the same claims and campaign."
                problems.append(Problem("model", "", parameter.name, f"{got} numbers", f"{expected}", do))
        if problems:
            raise InputError("The extended model does not fit these data", problems)
        built = np.concatenate([every[self.places[parameter.name]] for parameter, _, _ in layout.parameters])
        return np.concatenate([built, np.setdiff1d(every, built)])

    def depends_on(self, layout: Layout) -> np.ndarray:
        """Whether what was added depends on each parameter, in the same order."""
        known = [np.full(math.prod(shape), parameter.name in self.reached) for parameter, shape, _ in layout.parameters]
        return np.concatenate([*known, np.ones(self.compiled.n_dim - layout.dims, dtype=bool)])


@dataclass(frozen=True, eq=False)
class KernelModel(CompiledModel):
    """One model with its data; a draw is the vector of its sampled parameters, which ``named`` takes apart.

    Attributes
    ----------
    layout
        The data and the order of the parameters.
    arrays
        Containers, as laid out.
    added
        What a user added, None for a built-in model.
    where : (sampled parameter,)
        Places of the parameters that are sampled; the others have their prior, and are drawn from it. A user's own come after
        those that are built in.
    centre, turn
        From ``mode`` and ``axes_of``: the sampler moves in z, and ``centre + turn @ z`` are the sampled parameters as
        ``centred`` has them; many of a user's own are not turned, see ``OWN_TURNED``.
    data
        Addresses that compiled code reads; ``held`` keeps alive what they point to.
    start
        Gives starting points: ``latent`` run with parameters near the middle of their priors.
    """

    layout: Layout
    arrays: Mapping[str, np.ndarray]
    added: Added | None
    where: np.ndarray
    centre: np.ndarray
    turn: np.ndarray
    data: np.ndarray
    held: tuple[Any, ...]
    start: Any

    @property
    def n_dim(self) -> int:
        """Number of parameters that are sampled."""
        return len(self.where)

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Shape of the one vector."""
        return {VECTOR: (self.n_dim,)}

    @property
    def coords(self) -> dict[str, Any]:
        """No labels: they are put on afterwards."""
        return {}

    def _make_sampler(
        self, settings: Any, init_mean: Any, cores: int, progress: Any, callback: Any, rate: int, store: Any
    ) -> Any:
        return _lib.PySampler.from_pymc(settings, cores, self._make_model(init_mean), progress, callback, rate, store)

    def _make_model(self, init_mean: Any) -> Any:
        compiled, address, n = callbacks(), self.data.ctypes.data, self.n_dim
        shapes, sizes, labels, dims = self._variables()
        variables = _lib.PyVariable.new_variables(
            list(shapes), ["float64"] * len(shapes), list(shapes.values()), sizes, dims
        )
        return _lib.PyMcModel(
            _lib.LogpFunc(compiled.density, address, self),
            _lib.ExpandFunc(n, sum(map(math.prod, shapes.values())), compiled.expand, address, self),
            variables,
            n,
            sizes,
            labels,
            self.start,
            lambda *_: None,
        )

    def _variables(self) -> tuple[dict[str, tuple[int, ...]], dict[str, int], dict[str, Any], dict[str, Any]]:
        """What a draw is expanded to: shapes by name, lengths of dims, their labels, and dims by name."""
        if self.added is not None:
            labels = dict(self.added.compiled.coords or {})
            shapes = {name: tuple(shape) for name, shape in self.added.compiled.shapes.items()}
            return shapes, {dim: len(names) for dim, names in labels.items()}, labels, dict(self.added.compiled.dims)
        return self.shapes, {AXIS: self.n_dim}, {}, {VECTOR: [AXIS]}

    def named(self, drawn: Mapping[str, np.ndarray], seed: int) -> dict[str, np.ndarray]:
        """Free parameters by name on their own scales, (chain, draw, ...) each.

        Parameters
        ----------
        drawn
            What the sampler gave: the sampled parameters without ends (chain, draw, sampled parameter), or by name what PyMC's
            code made of them, of which only the free variables on their own scales are kept.
        seed
            From which the parameters that nothing informs are drawn.
        """
        rng = np.random.default_rng(np.random.SeedSequence([seed, self.layout.dims]))
        sampled = np.isin(np.arange(self.layout.dims), self.where)
        found = self._bound(drawn[VECTOR]) if self.added is None else {name: drawn[name] for name in self.added.places}
        for parameter, shape, first in self.layout.parameters:
            here = sampled[first : first + math.prod(shape)]
            if not here.all():
                values = found[parameter.name]
                drawn_here = from_prior(parameter, self.arrays, values.shape, rng)
                found[parameter.name] = np.where(here.reshape(shape), values, drawn_here)
        return found

    def _bound(self, drawn: np.ndarray) -> dict[str, np.ndarray]:
        """Every built-in parameter by name on its own scale, those that are not sampled in the middle of it."""
        before = drawn.shape[:-1]
        unbound = np.zeros((*before, self.layout.dims))
        unbound[..., self.where] = drawn
        return {
            parameter.name: bound(
                parameter, unbound[..., first : first + math.prod(shape)].reshape(*before, *shape), self.arrays
            )
            for parameter, shape, first in self.layout.parameters
        }


def bound(parameter: Parameter, unbound: np.ndarray, arrays: Mapping[str, np.ndarray]) -> np.ndarray:
    """A parameter (..., its shape) on its own scale, of its value on the sampler's, which has no ends."""
    if parameter.family == "normal":
        return unbound
    if parameter.family == "halfnormal":
        return np.exp(unbound)
    low, high = _ends(parameter, arrays)
    return np.asarray(low + (high - low) * _logistic(unbound))


def _logistic(x: np.ndarray) -> np.ndarray:
    small = np.exp(-np.abs(x))
    return np.where(x < 0.0, small, 1.0) / (1.0 + small)


def _ends(parameter: Parameter, arrays: Mapping[str, np.ndarray]) -> tuple[Any, Any]:
    return (-DATE_SDS, arrays[parameter.prior]) if parameter.family == "date" else (0.0, 1.0)


def kernel_model(
    arrays: Mapping[str, np.ndarray],
    sizes: Mapping[str, int],
    priors: Priors,
    curve: Curve,
    reporting: Reporting,
    added: Added | None = None,
) -> KernelModel:
    """Model of these data for the sampler; arguments as ``lay_out`` takes them, and what a user added."""
    layout = lay_out(arrays, sizes, priors, curve, reporting)
    order = added.order(layout) if added is not None else np.arange(layout.dims)
    sampled = np.ones(order.size, dtype=bool)
    sampled[: layout.dims] = informed(arrays, layout.parameters)
    where = np.flatnonzero(sampled if added is None else sampled | added.depends_on(layout))
    turned = where if order.size - layout.dims <= OWN_TURNED else where[where < layout.dims]

    def point(rng: np.random.Generator | None) -> tuple[np.ndarray, Mapping[str, Any]]:
        text, quantities = _start(rng, layout, arrays, priors, curve, reporting)
        if added is not None:
            seed = 0 if rng is None else int(rng.integers(2**32))
            text = np.append(text, np.asarray(added.compiled.initial_point_func(seed))[order[layout.dims :]])
        return text, quantities

    text, _ = point(None)
    indices = layout.indices.copy()
    indices[OPTION["centred"]] = 0
    # a mode over the sd of the rate says little: in innovations it lies too high, in log rates far too low; so it is held
    sought = np.setdiff1d(turned, [first for parameter, _, first in layout.parameters if parameter.name == HELD])
    data, held = _addresses(layout.numbers, indices, sought, sought.size, text, added, order)
    text[sought] += mode(_gradient(data, sought.size), np.zeros(sought.size))
    middle = to_centred(text, layout, arrays, _quantities(text, layout, arrays, priors, curve, reporting))
    data, held = _addresses(layout.numbers, layout.indices, turned, turned.size, middle, added, order)
    turn = axes_of(_gradient(data, turned.size), np.zeros(turned.size))
    data, held = _addresses(layout.numbers, layout.indices, where, turned.size, middle, added, order)
    _set_turn(held[3], turn)
    centre, back = middle[where].copy(), np.linalg.inv(turn)

    def start(seed: Any) -> np.ndarray:
        text, quantities = point(np.random.default_rng(seed))
        away = to_centred(text, layout, arrays, quantities)[where] - centre
        # no BLAS here: the sampler's threads have too small a stack for it
        return np.append((back * away[: turned.size]).sum(axis=1), away[turned.size :])

    return KernelModel(
        None,
        layout=layout,
        arrays=arrays,
        added=added,
        where=where,
        centre=centre,
        turn=turn,
        data=data,
        held=held,
        start=start,
    )


def _addresses(
    numbers: np.ndarray,
    indices: np.ndarray,
    where: np.ndarray,
    turned: int,
    middle: np.ndarray,
    added: Added | None,
    order: np.ndarray,
) -> tuple[np.ndarray, tuple[Any, ...]]:
    """Where compiled code finds data, sampled parameters, the turn of so many of them (none yet), the middle, what was added.

    And what is held there.
    """
    width = -(-turned // LANES) * LANES
    rows = np.zeros((2, turned, width))
    _set_turn(rows, np.eye(turned))
    held = (numbers, indices, where, rows, middle, added, order)
    places: tuple[int, ...] = numbers.ctypes.data, numbers.size, indices.ctypes.data, indices.size, where.ctypes.data
    more = [0, 0, 0, 0]
    if added is not None:
        functions = added.compiled.compiled_logp_func, added.compiled.compiled_expand_func
        more = [order.ctypes.data, *(one.address for one in functions), added.compiled.user_data.ctypes.data]
    places = (*places, rows.ctypes.data, width, middle.ctypes.data, middle.size, turned)
    return np.array([*places, *more], dtype=np.int64), held


def _set_turn(rows: np.ndarray, turn: np.ndarray) -> None:
    """Write the turn and its transpose (2, parameter, padded parameter), as ``add_rows`` reads them."""
    rows[..., : len(turn)] = turn, turn.T


def _gradient(data: np.ndarray, dims: int) -> Any:
    """Log density and gradient (parameter,) as Python calls them."""
    number = ctypes.c_int64
    called = ctypes.CFUNCTYPE(number, ctypes.c_uint64, *[ctypes.c_void_p] * 4)(callbacks().density)

    def gradient(z: np.ndarray) -> tuple[float, np.ndarray]:
        slope, value = np.empty(dims), np.empty(1)
        failed = called(dims, z.ctypes.data, slope.ctypes.data, value.ctypes.data, data.ctypes.data)
        return (-np.inf, np.full(dims, np.nan)) if failed else (float(value[0]), slope)

    return gradient


def _start(
    rng: np.random.Generator | None,
    layout: Layout,
    arrays: Mapping[str, np.ndarray],
    priors: Priors,
    curve: Curve,
    reporting: Reporting,
) -> tuple[np.ndarray, Mapping[str, Any]]:
    """A starting point and its named quantities: every parameter near the middle of its prior, give or take one.

    Without a generator it is the middle.
    """
    shapes = {parameter.name: shape for parameter, shape, _ in layout.parameters}
    point: list[np.ndarray] = []

    def take(parameter: Parameter, mean: Any) -> Any:
        shape = shapes[parameter.name]
        unbound = rng.uniform(-JITTER, JITTER, shape) if rng is not None else np.zeros(shape)
        if parameter.family == "normal":
            unbound = unbound + mean
        elif parameter.family == "halfnormal":
            unbound = unbound - 0.4
        else:
            low, high = _ends(parameter, arrays)
            middle: Any = 0.5
            if parameter.family == "beta":
                a, b = arrays[f"prior_{parameter.prior}"]
                middle = a / (a + b)
            elif parameter.family == "date":
                middle = np.clip(DATE_SDS / (high - low), 0.1, 0.9)
            unbound = unbound + np.log(middle / (1.0 - middle))
        point.append(np.ravel(unbound))
        return bound(parameter, unbound, arrays)

    quantities = latent(take, arrays, priors, curve, reporting)
    return (np.concatenate(point) if point else np.zeros(0)), quantities


def _quantities(
    x: np.ndarray,
    layout: Layout,
    arrays: Mapping[str, np.ndarray],
    priors: Priors,
    curve: Curve,
    reporting: Reporting,
) -> Mapping[str, Any]:
    """Named quantities of the text at a point without ends."""
    places = {parameter.name: (shape, first) for parameter, shape, first in layout.parameters}

    def take(parameter: Parameter, mean: Any) -> Any:
        shape, first = places[parameter.name]
        return bound(parameter, x[first : first + int(np.prod(shape))].reshape(shape), arrays)

    return latent(take, arrays, priors, curve, reporting)
