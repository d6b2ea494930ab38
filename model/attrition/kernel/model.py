"""A laid-out model as nutpie samples it, without PyMC."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from nutpie import _lib
from nutpie.sample import CompiledModel
from scipy import special

from ..curves import DATE_SDS, Curve
from ..latent import latent
from ..parameters import Parameter
from ..priors import Priors
from ..reporting import Reporting
from .callbacks import AS_IT_IS, BETWEEN, EXPONENTIAL, callbacks
from .layout import Layout, lay_out

VECTOR = "parameters"
AXIS = "parameter"
JITTER = 1.0


@dataclass(frozen=True, eq=False)
class KernelModel(CompiledModel):
    """One model with its data; the draws are one vector, which ``named`` takes apart.

    Attributes
    ----------
    layout
        The data and the order of the parameters.
    scales : (parameter, 3)
        How a parameter is bound (as it is, positive, or between two ends), and the ends.
    start
        Gives starting points: ``latent`` run with parameters near the middle of their priors.
    """

    layout: Layout
    scales: np.ndarray
    data: np.ndarray
    start: Any

    @property
    def n_dim(self) -> int:
        """Number of free parameters."""
        return self.layout.dims

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
        variables = _lib.PyVariable.new_variables([VECTOR], ["float64"], [(n,)], {AXIS: n}, {VECTOR: [AXIS]})
        return _lib.PyMcModel(
            _lib.LogpFunc(compiled.density, address, self),
            _lib.ExpandFunc(n, n, compiled.expand, address, self),
            variables,
            n,
            {AXIS: n},
            {},
            self.start,
            lambda *_: None,
        )

    def named(self, drawn: np.ndarray) -> dict[str, np.ndarray]:
        """Free parameters by name, (chain, draw, ...) each, of drawn vectors (chain, draw, parameter)."""
        return {
            parameter.name: np.ascontiguousarray(drawn[..., first : first + int(np.prod(shape))]).reshape(
                *drawn.shape[:-1], *shape
            )
            for parameter, shape, first in self.layout.parameters
        }


def kernel_model(
    arrays: Mapping[str, np.ndarray], sizes: Mapping[str, int], priors: Priors, curve: Curve, reporting: Reporting
) -> KernelModel:
    """Model of these data for the sampler; arguments as ``lay_out`` takes them."""
    layout = lay_out(arrays, sizes, priors, curve, reporting)
    scales = _scales(layout, arrays)
    addresses = [layout.numbers.ctypes.data, layout.numbers.size, layout.indices.ctypes.data, layout.indices.size]
    data = np.array([*addresses, scales.ctypes.data], dtype=np.int64)

    def start(seed: Any) -> np.ndarray:
        return _start(np.random.default_rng(seed), layout, arrays, priors, curve, reporting)

    return KernelModel(None, layout=layout, scales=scales, data=data, start=start)


def _scales(layout: Layout, arrays: Mapping[str, np.ndarray]) -> np.ndarray:
    scales = np.zeros((layout.dims, 3))
    for parameter, shape, first in layout.parameters:
        place = slice(first, first + int(np.prod(shape)))
        scales[place, 0] = AS_IT_IS if parameter.family == "normal" else BETWEEN
        if parameter.family == "halfnormal":
            scales[place, 0] = EXPONENTIAL
        elif parameter.family == "date":
            scales[place, 1], scales[place, 2] = -DATE_SDS, arrays[parameter.prior]
        else:
            scales[place, 2] = 1.0
    return scales


def _start(
    rng: np.random.Generator,
    layout: Layout,
    arrays: Mapping[str, np.ndarray],
    priors: Priors,
    curve: Curve,
    reporting: Reporting,
) -> np.ndarray:
    """A starting point: every parameter near the middle of its prior, give or take one."""
    shapes = {parameter.name: shape for parameter, shape, _ in layout.parameters}
    point: list[np.ndarray] = []

    def take(parameter: Parameter, mean: Any) -> Any:
        jitter = rng.uniform(-JITTER, JITTER, shapes[parameter.name])
        if parameter.family == "normal":
            point.append(np.ravel(mean + jitter))
            return mean + jitter
        if parameter.family == "halfnormal":
            point.append(np.ravel(jitter - 0.4))
            return np.exp(jitter - 0.4)
        low, high = (-DATE_SDS, arrays[parameter.prior]) if parameter.family == "date" else (0.0, 1.0)
        middle: Any = 0.5
        if parameter.family == "beta":
            a, b = arrays[f"prior_{parameter.prior}"]
            middle = a / (a + b)
        elif parameter.family == "date":
            middle = np.clip(DATE_SDS / (high - low), 0.1, 0.9)
        unbound = special.logit(middle) + jitter
        point.append(np.ravel(unbound))
        return low + (high - low) * special.expit(unbound)

    latent(take, arrays, priors, curve, reporting)
    return np.concatenate(point) if point else np.zeros(0)
