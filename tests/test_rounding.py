"""A stated number and the interval behind it: cells tile the positive numbers, and state inverts cell."""

import math

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from attrition.rounding import CEILING, FLOOR, GEOMETRIC, LINEAR, OFFSETS, POINT, cell, form_of, rounding_unit, state

UNITS = [
    (3800, "approx", 100), (3800, "at_least", 100), (3800, "at_most", 100), (3800, "exact", 1),
    (4000, "approx", 1000), (4000, "at_least", 1000), (4000, "at_most", 1000), (4000, "exact", 1),
    (1000, "approx", 100), (1000, "at_most", 100), (1000, "at_least", 1000), (10000, "approx", 1000),
    (4500, "at_least", 500), (4500, "approx", 100), (4500, "at_most", 100), (5000, "at_least", 1000),
    (15000, "at_least", 5000), (15000, "approx", 1000), (11500, "at_least", 500), (150, "at_least", 50),
    (15, "at_least", 5), (5, "at_least", 1), (7, "approx", 1), (10, "approx", 1), (1, "approx", 1), (1, "at_most", 1),
    (10, "at_least", 10), (100, "at_most", 10), (1234, "approx", 1), (12340, "approx", 10), (0, "approx", 1),
    (0.3, "exact", 0.1), (0.25, "exact", 0.01), (0.3, "approx", 0.1), (0.25, "at_least", 0.01), (0.333, "at_most", 0.001),
    (91.5, "approx", 0.1), (92.75, "at_least", 0.01), (3_000_000, "approx", 1_000_000),
]  # fmt: skip


@pytest.mark.parametrize(("value", "bound", "unit"), UNITS)
def test_unit_is_read_off_the_digits(value, bound, unit):
    assert rounding_unit(value, bound) == unit


INTERVALS = [
    ((3800, "approx", False, None, 0, 0), (3750, 3850)),
    ((3800, "exact", False, None, 0, 0), (3799.5, 3800.5)),
    ((3000, "at_least", False, None, 0, 0), (3000, 4000)),
    ((4500, "at_least", False, None, 0, 0), (4500, 5000)),
    ((1000, "at_most", False, None, 0, 0), (900, 1000)),
    ((1000, "approx", False, None, 0, 0), (950, 1050)),
    ((1000, "approx", False, 500, 0, 0), (750, 1250)),
    ((0, "range", False, None, 300, 400), (300, 400)),
    ((350, "range", False, None, 300, 400), (300, 400)),
    ((0, "range", False, None, 0, 400), (0, 400)),
    ((200, "at_least", True, None, 0, 0), (200, math.inf)),
    ((200, "at_most", True, None, 0, 0), (0, 200)),
    ((0, "exact", False, None, 0, 0), (0, 0.5)),
    ((0, "approx", False, 100, 0, 0), (0, 50)),
    ((0.3, "exact", False, None, 0, 0), (0.25, 0.35)),
    ((0.25, "exact", False, None, 0, 0), (0.245, 0.255)),
    ((1, "exact", False, 0.1, 0, 0), (0.95, 1.05)),
    ((0, "at_least", False, None, 0, 0), (0, 1)),
    ((1234.5, "point", False, None, 0, 0), (1234.5, 1234.5)),
]


@pytest.mark.parametrize(("claim", "interval"), INTERVALS)
def test_interval_behind_a_claim(claim, interval):
    _, stated, unit, offset, _ = form = form_of(*claim)
    assert tuple(map(float, cell(stated, form[0], unit, offset))) == pytest.approx(interval, rel=1e-15)


positive = st.floats(1e-3, 1e8)
units = st.sampled_from([0.5, 1.0, 5.0, 10.0, 50.0, 100.0, 500.0, 1000.0, 1e6])
offsets = st.sampled_from(sorted(set(OFFSETS.values())))


@st.composite
def spoken(draw):
    """Any way of speaking: (form, unit, offset, origin)."""
    form = draw(st.sampled_from([LINEAR, LINEAR, GEOMETRIC, FLOOR, CEILING]))
    if form == LINEAR:
        unit = draw(units)
        return form, unit, draw(offsets), draw(st.sampled_from([0.0, 0.25, 0.5, 0.9])) * unit
    if form == GEOMETRIC:
        return form, draw(st.floats(1.001, 50.0)), 0.0, draw(st.floats(1.0, 1e5))
    return form, draw(st.floats(0.5, 1e6)), 0.0, 0.0


@settings(max_examples=500, deadline=None)
@given(estimate=positive, how=spoken())
def test_an_estimate_lies_in_the_cell_of_what_is_stated(estimate, how):
    form, unit, offset, origin = how
    stated = state(estimate, form, unit, offset, origin)
    low, high = cell(stated, form, unit, offset)
    slack = 1e-9 * max(unit, 1.0) if form == LINEAR else 1e-12 * estimate
    assert low - slack <= estimate <= high + slack
    assert low < high


@settings(max_examples=500, deadline=None)
@given(estimate=positive, how=spoken(), inside=st.floats(0.001, 0.999))
def test_every_estimate_in_a_cell_is_stated_alike(estimate, how, inside):
    form, unit, offset, origin = how
    stated = state(estimate, form, unit, offset, origin)
    low, high = cell(stated, form, unit, offset)
    other = low + inside * (min(float(high), 1e12) - low)
    assume(other > 1e-9 * unit)
    assert state(other, form, unit, offset, origin) == pytest.approx(stated, rel=1e-9, abs=1e-9)


@settings(max_examples=300, deadline=None)
@given(estimate=positive, how=spoken())
def test_cells_tile(estimate, how):
    form, unit, offset, origin = how
    _, high = cell(state(estimate, form, unit, offset, origin), form, unit, offset)
    assume(np.isfinite(high))
    step = 1e-6 * (unit if form == LINEAR else high)
    above_low, _ = cell(state(high + step, form, unit, offset, origin), form, unit, offset)
    assert above_low == pytest.approx(high, rel=1e-9, abs=1e-9 * unit)


@pytest.mark.parametrize("claim", [claim for claim, _ in INTERVALS if claim[1] != "point"])
def test_a_claim_restates_itself_from_inside_its_interval(claim):
    form, stated, unit, offset, origin = form_of(*claim)
    low, high = (float(end) for end in cell(stated, form, unit, offset))
    for estimate in (low + 1e-6, (low + min(high, 1e9)) / 2, min(high, 1e9) - 1e-6):
        assert state(estimate, form, unit, offset, origin) == pytest.approx(stated, rel=1e-12)


def test_a_point_is_stated_as_it_is():
    estimates = np.array([0.3, 17.25, 4e6])
    np.testing.assert_array_equal(state(estimates, POINT, 1.0, 0.0, 0.0), estimates)


@settings(max_examples=200, deadline=None)
@given(
    value=st.integers(1, 10**6),
    bound=st.sampled_from(sorted(OFFSETS)),
    unit=st.one_of(st.none(), units),
    is_open=st.booleans(),
)
def test_the_stated_value_is_on_its_own_grid(value, bound, unit, is_open):
    assume(not is_open or bound in ("at_least", "at_most"))
    form, stated, step, offset, origin = form_of(float(value), bound, is_open, unit, 0.0, 0.0)
    low, high = (float(end) for end in cell(stated, form, step, offset))
    assert low <= value <= high
    middle = (low + min(high, 2 * low + 1)) / 2
    assume(middle > 0)
    assert state(middle, form, step, offset, origin) == pytest.approx(stated, rel=1e-12)


def test_numpy_and_pytensor_agree():
    rng = np.random.default_rng(7)
    n = 4000
    form = rng.integers(0, 5, n)
    unit = np.where(form == GEOMETRIC, 1.0 + rng.exponential(1.0, n), rng.choice([1.0, 50.0, 1000.0], n))
    offset = np.where(form == LINEAR, rng.choice([-1.0, -0.5, 0.0], n), 0.0)
    origin = np.where(form == GEOMETRIC, 10.0 * rng.exponential(1.0, n) + 0.1, rng.choice([0.0, 0.25], n) * unit)
    estimate = np.exp(rng.normal(7.0, 2.0, n))
    inputs = [pt.dvector(name) for name in "efuor"]
    value, kind, step, shift, start = inputs
    graph = state(value, kind, step, shift, start, pt)
    run = pytensor.function(inputs, [graph, *cell(graph, kind, step, shift, pt)], mode="FAST_COMPILE")
    stated, low, high = run(estimate, form.astype(float), unit, offset, origin)
    expected = state(estimate, form, unit, offset, origin)
    np.testing.assert_allclose(stated, expected, rtol=1e-13)
    for got, ends in zip((low, high), cell(expected, form, unit, offset), strict=True):
        np.testing.assert_allclose(got, ends, rtol=1e-13)
