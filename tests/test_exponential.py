"""Exponentials of many numbers at a time against mpmath's, which carries 40 digits."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest
from numba import njit

from attrition.kernel.exponential import FARTHEST, exponentials


@njit
def exponentials_of(values):
    found = values.copy()
    exponentials(found)
    return found


def of(values):
    return exponentials_of(np.asarray(values, dtype=float))


def test_as_mpmath_has_them_to_two_units_in_the_last_place():
    rng = np.random.default_rng(1)
    edge = np.nextafter(FARTHEST, 0.0)
    values = np.concatenate(
        [rng.normal(0.0, 5.0, 3000), rng.uniform(-edge, edge, 3000), [0.0, -0.0, 1e-300, edge, -edge]]
    )
    found = of(values)
    with mpmath.workdps(40):
        exact = [mpmath.exp(mpmath.mpf(float(value))) for value in values]
        away = max(abs(mpmath.mpf(float(got)) / true - 1) for got, true in zip(found, exact, strict=True))
    assert away < 2.0 * np.finfo(float).eps
    assert away > 0.0  # the comparison is finer than the numbers


@pytest.mark.parametrize("far", [FARTHEST, 709.0, 710.0, 1e300, np.inf, -FARTHEST, -720.0, -800.0, -np.inf])
def test_far_out_they_are_those_of_the_c_library(far):
    values = [0.5, far, 1.0, 2.0, 3.0]
    with np.errstate(over="ignore"):
        assert of(values) == pytest.approx(np.exp(values), rel=1e-15, abs=0.0)


def test_what_is_no_number_stays_so():
    found = of([1.0, np.nan, 2.0])
    assert np.isnan(found[1])
    assert np.isfinite(found[[0, 2]]).all()
