"""A small PyMC model that can be changed in one place at a time, and its compiled functions as Python calls them."""

from __future__ import annotations

import ctypes

import numpy as np

VALUES = (1.0, 2.0, 4.0)
NAMES = ("mu", "spread")


def small_model(
    values=VALUES,
    weights=(1.0, 1.0, 0.5),
    prior=3.0,
    family="Normal",
    strength=0.5,
    sign=-1.0,
    name="mu",
    data_name="values",
    groups=("a", "b"),
    axis=0,
    swapped=False,
    turned=False,
    dtype="float64",
    transformed=True,
    fixed=(0.1, 0.2),
    dim="group",
    more=None,
):
    """Values of two groups around two means; every argument but the data's values changes the structure."""
    import pymc as pm
    import pytensor.tensor as pt

    with pm.Model(coords={dim: list(groups)}) as model:
        data = pm.Data(data_name, np.array(values, dtype=dtype), dims="seen")
        weight = pm.Data("weights", np.array(weights), dims="seen")
        mu = getattr(pm, family)(name, 0.0, prior, dims=dim)
        spread = pm.HalfNormal("spread", 2.0, **({} if transformed else {"default_transform": None}))
        first, second = (weight, data) if swapped else (data, weight)
        off = mu[0] - first if turned else first - mu[0]
        pm.Potential("fit", (second * pm.logp(pm.Normal.dist(0.0, spread), off)).sum())
        pm.Potential("close", sign * strength * (mu[0] - mu[1]) ** 2)
        pm.Potential("fixed", -(pt.cumsum(mu[:, None] * np.array(fixed), axis=axis) ** 2).sum())
        if more is not None:
            pm.Potential("more", more(mu))
    return model


def called(compiled, x):
    """Log density, gradient and expanded draw of a nutpie model at a point."""
    number, pointer = ctypes.c_int64, ctypes.c_void_p
    at_point = ctypes.CFUNCTYPE(number, ctypes.c_uint64, *[pointer] * 4)(compiled.compiled_logp_func.address)
    of_draw = ctypes.CFUNCTYPE(number, *[ctypes.c_uint64] * 2, *[pointer] * 3)(compiled.compiled_expand_func.address)
    slope, value, out = np.empty(x.size), np.empty(1), np.empty(compiled.n_expanded)
    data = compiled.user_data.ctypes.data
    assert at_point(x.size, x.ctypes.data, slope.ctypes.data, value.ctypes.data, data) == 0
    assert of_draw(x.size, out.size, x.ctypes.data, out.ctypes.data, data) == 0
    return value[0], slope, out


def points(compiled, number=20):
    """Random points on the sampler's scale."""
    return np.random.default_rng(1).normal(size=(number, compiled.n_dim))
