"""Totals read between days: straight lines, the mean over the day around a place, and one text for graph and draws."""

from __future__ import annotations

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate

from attrition.running import at, smoothly_at

DAYS = 9
PLACES = np.concatenate([np.linspace(-2.0, DAYS + 3.0, 301), np.arange(-1.0, DAYS + 2.0), np.arange(-0.5, DAYS + 2.0)])


def rising(seed=0, days=DAYS):
    return np.cumsum(np.random.default_rng(seed).exponential(50.0, days))


def line(total, x):
    """The broken line through nothing at the calendar's start; the last day's line goes on."""
    ends = np.concatenate([[0.0, 0.0], total, [2 * total[-1] - total[-2]]])
    return np.interp(x, np.arange(-1, len(total) + 2), ends)


def test_at_is_the_broken_line_and_stands_still_outside():
    total = rising()
    expected = np.interp(PLACES, np.arange(DAYS + 1), np.concatenate([[0.0], total]))
    np.testing.assert_allclose(at(total, PLACES), expected, rtol=1e-13, atol=1e-12)


@pytest.mark.parametrize("rate", [0.0, 1.0, 92.5])
def test_a_constant_rate_gives_rate_times_days(rate):
    total = rate * np.arange(1, DAYS + 1)
    inside = PLACES[(PLACES >= 0) & (PLACES <= DAYS)]
    np.testing.assert_allclose(at(total, inside), rate * inside, rtol=1e-13, atol=1e-12)
    later = inside[inside >= 0.5]
    np.testing.assert_allclose(smoothly_at(total, later), rate * later, rtol=1e-13, atol=1e-12)


@pytest.mark.parametrize("seed", range(3))
def test_smoothly_at_is_the_mean_over_the_day_around(seed):
    total = rising(seed)
    for place in PLACES:
        middle = float(np.clip(place, 0.0, DAYS))
        breaks = [x for x in range(-1, DAYS + 2) if middle - 0.5 < x < middle + 0.5]
        mean = integrate.quad(lambda x: line(total, x), middle - 0.5, middle + 0.5, points=breaks or None)[0]
        assert smoothly_at(total, np.array([place]))[0] == pytest.approx(mean, rel=1e-12, abs=1e-10)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.floats(0, 1e4), min_size=2, max_size=30), st.floats(-3, 35), st.floats(-3, 35))
def test_totals_that_never_shrink_are_read_so(steps, one, other):
    total = np.cumsum(steps)
    low, high = np.sort([one, other])
    for read in (at, smoothly_at):
        got = read(total, np.array([low, high]))
        assert got[0] <= got[1] + 1e-9 * total[-1]
        assert got[0] >= 0
    assert at(total, np.array([high]))[0] <= total[-1]


def test_the_slope_of_smoothly_at_has_no_jumps():
    """Value and slope meet where one day's formula takes over from the next; the slope of ``at`` jumps there."""
    total = rising(4)
    for join in np.arange(0.5, DAYS):
        values = smoothly_at(total, join + np.array([-1e-9, 1e-9]))
        assert values[0] == pytest.approx(values[1], rel=1e-7)
        step = 1e-5
        around = smoothly_at(total, join + step * np.array([-2, -1, 0, 1, 2]))
        slopes = np.diff(around) / step
        # the second derivative is at most the largest change of rate in a day
        assert (
            np.abs(np.diff(slopes)).max() < 2 * step * np.abs(np.diff(np.diff(total, prepend=0.0), prepend=0.0)).max()
        )
    by_line = np.diff(at(total, 3.0 + 1e-5 * np.array([-1, 0, 1]))) / 1e-5
    assert abs(by_line[1] - by_line[0]) > 1.0


def test_a_smooth_reading_stays_within_half_a_day_of_the_line():
    total = rising(5)
    inside = PLACES[(PLACES >= 0.5) & (PLACES <= DAYS - 0.5)]
    smooth = smoothly_at(total, inside)
    assert (smooth >= at(total, inside - 0.5) - 1e-9).all()
    assert (smooth <= at(total, inside + 0.5) + 1e-9).all()


@pytest.mark.parametrize("read", [at, smoothly_at])
def test_graph_and_numpy_agree_and_the_gradient_is_the_slope(read):
    total, place = pt.dvector("total"), pt.dvector("place")
    value = read(total, place, pt)
    run = pytensor.function([total, place], [value, *pytensor.grad(value.sum(), [total, place])], mode="FAST_COMPILE")
    known, places = rising(6), PLACES + 1e-3
    got, by_total, by_place = run(known, places)
    np.testing.assert_allclose(got, read(known, places), rtol=1e-13, atol=1e-12)
    step = 1e-6
    slope = (read(known, places + step) - read(known, places - step)) / (2 * step)
    inside = (places > step) & (places < DAYS - step)
    np.testing.assert_allclose(by_place[inside], slope[inside], rtol=1e-5, atol=1e-4)
    assert np.isfinite(by_place).all()
    bumped = [
        (read(known + step * one, places) - read(known - step * one, places)).sum() / (2 * step) for one in np.eye(DAYS)
    ]
    np.testing.assert_allclose(by_total, bumped, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("read", [at, smoothly_at])
def test_leading_axes_are_draws(read):
    totals = np.stack([[rising(3 * c + d) for d in range(3)] for c in range(2)])
    places = np.random.default_rng(8).uniform(-1, DAYS + 1, (2, 3, 5))
    both, one_place = read(totals, places), read(totals, places[0, 0])
    for c in range(2):
        for d in range(3):
            np.testing.assert_array_equal(both[c, d], read(totals[c, d], places[c, d]))
            np.testing.assert_array_equal(one_place[c, d], read(totals[c, d], places[0, 0]))
    np.testing.assert_array_equal(read(totals[0, 0], places)[1, 2], read(totals[0, 0], places[1, 2]))
