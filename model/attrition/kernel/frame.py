"""A frame for the sampler: where the posterior is highest, and how its parameters lean on each other there.

The sampler moves in ``z``, and the parameters are ``centre + turn @ z``: a linear change of variables, chosen so that the log
density falls off alike in every direction at its mode. Its Jacobian is constant, so the posterior is the same whatever
``turn`` is; only the number of steps that the sampler needs depends on it.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

MOST_CURVATURES, REUSED, HALVINGS, CLOSE, ENOUGH = 30, 5, 12, 1e-4, 0.3
SMALL = 1e-4  # step of the differences, in units in which priors have sd 1
FARTHEST = 2.0  # longest step of the search, in the same units
FLATTEST = 0.2  # curvature: no direction is taken for wider than about two prior sds

type Gradient = Callable[[np.ndarray], tuple[float, np.ndarray]]


def mode(gradient: Gradient, start: np.ndarray) -> np.ndarray:
    """Where a log density is highest, by Newton's method; a curvature costs many slopes, and serves for several steps.

    Parameters
    ----------
    gradient
        Gives log density and gradient (parameter,) at a point.
    start
        Where the search begins, (parameter,).

    Returns
    -------
    (parameter,)
        The start itself where the density is not finite: the sampler says what is wrong.
    """
    point = start
    value, slope = gradient(point)
    if not (np.isfinite(value) and np.isfinite(slope).all()):
        return start
    taken, age = 0, REUSED
    while True:
        if age >= REUSED:
            if taken == MOST_CURVATURES:
                return point
            ahead = np.array([gradient(point + step)[1] for step in SMALL * np.eye(point.size)])
            (curvature, axes), taken, age = _axes((slope - ahead) / SMALL), taken + 1, 0
        whole = axes @ ((slope @ axes) / curvature)
        whole *= min(1.0, FARTHEST / np.abs(whole).max(initial=FARTHEST))
        gain, length = 0.0, 1.0
        for _ in range(HALVINGS):
            higher, its_slope = gradient(point + length * whole)
            if higher > value and np.isfinite(its_slope).all():
                gain = higher - value
                point, value, slope = point + length * whole, higher, its_slope
                break
            length *= 0.5
        if age == 0 and gain < CLOSE:
            return point
        age = age + 1 if length == 1.0 and gain >= ENOUGH else REUSED


def axes_of(gradient: Gradient, point: np.ndarray) -> np.ndarray:
    """Principal axes of the curvature of a log density, each as long as it is wide, (parameter, axis).

    Axes that turn out wider or narrower than at this point are left to the sampler, which learns their scales. Where the
    density is not finite there is no turn.
    """
    value, slope = gradient(point)
    if not (np.isfinite(value) and np.isfinite(slope).all()):
        return np.eye(point.size)
    around = [gradient(point - step)[1] - gradient(point + step)[1] for step in SMALL * np.eye(point.size)]
    curvature, axes = _axes(np.array(around) / (2.0 * SMALL))
    return np.asarray(axes / np.sqrt(curvature))


def _axes(second: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Curvature along its principal axes, from differences of the slope: positive, and not too flat."""
    second = np.where(np.isfinite(second), second, np.eye(len(second)))
    curvature, axes = np.linalg.eigh(0.5 * (second + second.T))
    return np.maximum(np.abs(curvature), FLATTEST), axes
