"""A frame for the sampler: where the posterior is highest, and how its parameters lean on each other there.

The sampler moves in ``z``, and the parameters are ``centre + turn @ z``: a linear change of variables, chosen so that the log
density falls off alike in every direction at its mode. Its Jacobian is constant, so the posterior is the same whatever
``turn`` is; only the number of steps that the sampler needs depends on it.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

MOST_STEPS, HALVINGS, CLOSE, ENOUGH = 200, 12, 1e-4, 0.3
SMALL = 1e-4  # step of the differences, in units in which priors have sd 1
FARTHEST = 2.0  # longest step of the search, in the same units
FLATTEST = 0.2  # curvature: no direction is taken for wider than about two prior sds

type Gradient = Callable[[np.ndarray], tuple[float, np.ndarray]]


def frame(gradient: Gradient, start: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mode of a log density, and the principal axes of its curvature there, each as long as it is wide.

    Parameters
    ----------
    gradient
        Gives log density and gradient (parameter,) at a point.
    start
        Where the search for the mode begins, (parameter,).

    Returns
    -------
    centre, turn
        (parameter,) and (parameter, axis). Axes that turn out wider or narrower than at the mode are left to the sampler, which
        learns their scales. Where the density is not finite at the start, the start and no turn: the sampler says what is
        wrong.
    """
    point = start
    value, slope = gradient(point)
    if not (np.isfinite(value) and np.isfinite(slope).all()):
        return start, np.eye(start.size)
    curvature, axes, is_new = *_curvature(gradient, point), True
    for _ in range(MOST_STEPS):
        step = axes @ ((slope @ axes) / curvature)
        step *= min(1.0, FARTHEST / np.abs(step).max(initial=FARTHEST))
        gain = 0.0
        for _ in range(HALVINGS):
            higher, its_slope = gradient(point + step)
            if higher > value and np.isfinite(its_slope).all():
                gain = higher - value
                point, value, slope = point + step, higher, its_slope
                break
            step = 0.5 * step
        if is_new and gain < CLOSE:
            break
        is_new = gain < ENOUGH  # a curvature costs many slopes: it serves for as long as its steps gain much
        if is_new:
            curvature, axes = _curvature(gradient, point)
    if not is_new:
        curvature, axes = _curvature(gradient, point)
    return point, axes / np.sqrt(curvature)


def _curvature(gradient: Gradient, point: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Curvature of the log density along its principal axes, by differences of the gradient: positive, and not too flat."""
    steps = SMALL * np.eye(point.size)
    second = np.array([gradient(point - step)[1] - gradient(point + step)[1] for step in steps]) / (2.0 * SMALL)
    second = np.where(np.isfinite(second), second, np.eye(point.size))
    curvature, axes = np.linalg.eigh(0.5 * (second + second.T))
    return np.maximum(np.abs(curvature), FLATTEST), axes
