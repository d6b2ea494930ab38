"""Floors with slack: probability and slopes against 50 digits by brute force, sums to one, and the law of the slack."""

from __future__ import annotations

import itertools

import mpmath as mp
import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest
from scipy import stats

import exact
from attrition.reporting import (
    ERRORS,
    SLACK_CELLS,
    log_probability,
    log_probability_with_slack,
    slack_steps,
    stated_value,
)
from attrition.rounding import CEILING, FLOOR, GEOMETRIC, LINEAR, POINT

QS = (1e-6, 0.05, 0.3, 0.5, 0.8, 0.99, 0.999999)
# index of the stated cell, unit, origin, whether it is a share
GRIDS = (
    (3, 1000.0, 0.0, False), (0, 1000.0, 0.0, False), (1, 50.0, 0.0, False), (37, 100.0, 50.0, False), (0, 100.0, 50.0, False),
    (-1, 100.0, 50.0, False), (4_000_000, 1.0, 0.0, False), (2, 0.125, 0.0, True), (0, 0.25, 0.0, True),
    (5, 0.0625, 0.03125, True),
)  # fmt: skip


def cases(scales=(0.04, 0.3), distances=(-30.0, -4.0, -0.7, 0.0, 0.5, 3.0, 25.0)):
    """Every grid and q, with the center at standardised distances from the stated cell."""
    found = []
    for (index, unit, origin, share), q, scale, z in itertools.product(GRIDS, QS, scales, distances):
        place = max(origin + (index + 0.5) * unit, 0.25 * unit)
        anchor = place / (1.0 - place) if share else place
        found.append((index, unit, origin, share, q, float(np.log(anchor) - z * scale), scale))
    return found


def arrays(found):
    index, unit, origin, share, q, mu, scale = (np.array(column, dtype=float) for column in zip(*found, strict=True))
    return origin + index * unit, mu, scale, np.full(len(found), float(LINEAR)), unit, 0.0 * unit, origin, q, share


def package(found, errors):
    *how, origin, q, share = arrays(found)
    return log_probability_with_slack(*how, errors, np, origin, q, share)


def by_hand(case, errors, mu=None, scale=None, q=None):
    index, unit, origin, share, slack, center, width = case
    slack, center, width = (
        given if other is None else other for given, other in ((slack, q), (center, mu), (width, scale))
    )
    return mp.log(exact.probability_with_slack(index, unit, 0.0, origin, slack, center, width, errors, share))


@pytest.mark.parametrize("errors", ERRORS)
def test_log_probability_to_ten_digits(errors):
    found = cases()
    expected = np.array([float(by_hand(case, errors)) for case in found])
    got = package(found, errors)
    near_one = 1e-15 / (1.0 - np.array([case[4] for case in found]))  # 1 - q has fewer digits than q
    wrong = np.abs(got - expected) > 1e-10 * np.abs(expected) + 1e-12 + near_one
    assert not [(found[k], got[k], expected[k]) for k in np.flatnonzero(wrong)[:5]]


@pytest.mark.parametrize("errors", ERRORS)
def test_slopes_by_center_scale_and_slack(errors):
    found = cases(scales=(0.2,), distances=(-12.0, -0.7, 0.3, 9.0))
    inputs = [pt.dvector(f"input{n}") for n in range(9)]
    value, mu, scale, form, unit, offset, origin, q, share = inputs
    logp = log_probability_with_slack(value, mu, scale, form, unit, offset, errors, pt, origin, q, share)
    graph = [logp, *pytensor.grad(logp.sum(), [mu, scale, q])]
    got, by_mu, by_scale, by_q = pytensor.function(inputs, graph, mode="FAST_COMPILE")(*arrays(found))
    np.testing.assert_allclose(got, package(found, errors), rtol=1e-12, atol=1e-14)
    for number, case in enumerate(found):
        q_, mu_, scale_ = (mp.mpf(case[place]) for place in (4, 5, 6))
        expected = (
            mp.diff(lambda x, c=case: by_hand(c, errors, mu=x), mu_),
            mp.diff(lambda x, c=case: by_hand(c, errors, scale=x), scale_),
            mp.diff(lambda x, c=case: by_hand(c, errors, q=x), q_),
        )
        wide = 1e-6 + 1e-11 / (1.0 - case[4])  # 1 - q has fewer digits than q
        for name, slope, right in zip(("mu", "scale", "q"), (by_mu, by_scale, by_q), expected, strict=True):
            assert slope[number] == pytest.approx(float(right), rel=wide, abs=0.1 * wide), (name, case)


@pytest.mark.parametrize("errors", ERRORS)
def test_no_slack_is_the_plain_cell_exactly(errors):
    """Also beside claims that have slack, for every form; slack of a claim that cannot have any is 0."""
    forms = [(LINEAR, 3000.0, 1000.0, 0.0, 0.0), (LINEAR, 3800.0, 100.0, -0.5, 0.0), (LINEAR, 0.0, 100.0, -0.5, 0.0),
             (POINT, 1234.5, 1.0, 0.0, 0.0), (GEOMETRIC, 300.0, 1.5, 0.0, 300.0), (FLOOR, 200.0, 200.0, 0.0, 0.0),
             (CEILING, 200.0, 200.0, 0.0, 0.0), (CEILING, 400.0, 200.0, 0.0, 0.0),
             (LINEAR, 2000.0, 1000.0, 0.0, 0.0)]  # fmt: skip
    form, value, unit, offset, origin = (np.array(column, dtype=float) for column in zip(*forms, strict=True))
    for mu in (2.0, 7.9, 12.0):
        how = (value, np.full(9, mu), np.full(9, 0.2), form, unit, offset, errors, np)
        plain = log_probability(*how)
        slack = np.array([0.0] * 8 + [0.4])
        got = log_probability_with_slack(*how, origin, slack)
        np.testing.assert_array_equal(got[:8], plain[:8])
        assert got[8] != plain[8]


@pytest.mark.parametrize("errors", ERRORS)
@pytest.mark.parametrize("q", [0.0, *QS])
@pytest.mark.parametrize(
    ("unit", "origin", "share"), [(100.0, 0.0, 0), (100.0, 30.0, 0), (0.05, 0.0, 1), (0.05, 0.02, 1)]
)
def test_the_values_that_can_be_stated_add_up_to_one(errors, q, unit, origin, share):
    mu, scale = (-0.6, 0.5) if share else (np.log(300.0), 0.25)
    least = -1 if origin else 0
    value = origin + unit * np.arange(least, round(1 / unit) if share else 400_000)
    many = np.full(len(value), 1.0)
    how = (value, mu * many, scale * many, LINEAR * many, unit * many, 0.0 * many, errors, np)
    total = np.exp(log_probability_with_slack(*how, origin * many, q * many, share * many)).sum()
    law = stats.logistic if errors == "logistic" else stats.norm
    beyond = 0.0 if share else law.sf(np.log(value[-1] + unit), mu, scale)
    # of the estimates beyond, some are said within reach of seven units: nothing that could be seen here
    assert total + beyond == pytest.approx(1.0, abs=1e-9)


@pytest.mark.parametrize("q", [*QS, 0.0])
def test_slack_steps_follow_their_law(q):
    """The uniform's line is cut where the distribution function of the law has its steps."""
    chances = np.array([float(p) for p in exact.slack_pmf(q)]) if q else np.eye(SLACK_CELLS)[0]
    edges = np.concatenate([[0.0], np.cumsum(chances)])
    for k, (low, high) in enumerate(itertools.pairwise(edges)):
        if high - low > 1e-9:
            inside = low + (high - low) * np.array([1e-6, 0.3, 0.7, 1.0 - 1e-6])
            np.testing.assert_array_equal(slack_steps(inside, np.array(q), np), k)
    drawn = slack_steps(np.random.default_rng(3).random(100_000), np.array(q), np)
    counts = np.bincount(drawn.astype(int), minlength=SLACK_CELLS)
    assert len(counts) == SLACK_CELLS
    enough = chances * 1e5 >= 5
    score = ((counts - chances * 1e5)[enough] ** 2 / (chances * 1e5)[enough]).sum()
    assert score < stats.chi2.ppf(1 - 1e-4, max(enough.sum() - 1, 1))
    assert counts[~enough].sum() < 60


def test_nobody_states_less_than_the_first_cell():
    estimate = np.array([30.0, 130.0, 130.0, 130.0, 530.0, 530.0])
    steps = np.array([3.0, 0.0, 1.0, 7.0, 2.0, 7.0])
    got = stated_value(estimate, np.full(6, LINEAR), 100.0, 0.0, 0.0, 0.0, np, steps)
    np.testing.assert_array_equal(got, [0.0, 100.0, 0.0, 0.0, 300.0, 0.0])
    got = stated_value(estimate, np.full(6, LINEAR), 100.0, 0.0, 50.0, 0.0, np, steps)
    np.testing.assert_array_equal(got, [-50.0, 50.0, 50.0, 50.0, 250.0, 50.0])


@pytest.mark.parametrize("errors", ERRORS)
def test_slopes_stay_finite_where_a_sampler_may_stray(errors):
    """Shares whose slack would pass 1, and centers hundreds of scales away."""
    inputs = [pt.dvector(f"input{n}") for n in range(9)]
    value, mu, scale, form, unit, offset, origin, q, share = inputs
    logp = log_probability_with_slack(value, mu, scale, form, unit, offset, errors, pt, origin, q, share)
    run = pytensor.function(inputs, [logp, *pytensor.grad(logp.sum(), [mu, scale, q])], mode="FAST_COMPILE")
    found = cases(scales=(1e-3, 0.1, 5.0), distances=(-900.0, -60.0, 0.0, 60.0, 900.0))
    found += [(index, 0.1, 0.0, True, q, mu, 0.3) for index in (3, 5, 9) for q in QS for mu in (-9.0, -0.8, 0.0, 9.0)]
    for output in run(*arrays(found)):
        assert np.isfinite(output).all()
