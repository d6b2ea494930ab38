"""Claims of shares are read as odds: densities, cells, bounds and both ends, against scipy and finite differences."""

from __future__ import annotations

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest
from scipy import integrate, special, stats

from attrition.reporting import ERRORS, NEVER, log_probability, stated_value
from attrition.rounding import CEILING, FLOOR, GEOMETRIC, LINEAR, POINT, cell, form_of

LAW = {"logistic": stats.logistic, "normal": stats.norm}
CENTERS = np.array([-6.0, -1.3, -0.2, 0.0, 0.9, 4.0])


def one(value, form, unit, offset, mu, scale, errors):
    n = len(np.atleast_1d(mu))
    return log_probability(
        np.full(n, value),
        np.atleast_1d(mu),
        np.full(n, scale),
        np.full(n, float(form)),
        unit,
        offset,
        errors,
        np,
        np.ones(n),
    )


@pytest.mark.parametrize("errors", ERRORS)
@pytest.mark.parametrize("mu", CENTERS)
def test_a_point_is_a_density_of_the_share(errors, mu):
    """The logit has the law of the errors: the density of the share carries the slope of the logit, and sums to one."""
    shares = np.array([0.001, 0.1, 0.25, 0.5, 0.8, 0.999])
    for share in shares:
        expected = LAW[errors].logpdf(special.logit(share), mu, 0.3) - np.log(share) - np.log1p(-share)
        assert one(share, POINT, 1.0, 0.0, mu, 0.3, errors)[0] == pytest.approx(expected, rel=1e-11, abs=1e-12)
    middle = special.expit(mu + 0.3 * np.linspace(-20, 20, 81))
    total, _ = integrate.quad(
        lambda x: np.exp(one(x, POINT, 1.0, 0.0, mu, 0.3, errors)[0]), 0.0, 1.0, points=middle[1:-1], limit=500
    )
    assert total == pytest.approx(1.0, abs=1e-7)


def spoken(value, bound, is_open=False, unit=None, low=0.0, high=0.0):
    return form_of(value, bound, is_open, unit, low, high)


# what is said, and the ends of the share behind it
SAID = (
    (spoken(0.3, "approx"), 0.25, 0.35),
    (spoken(0.25, "approx"), 0.245, 0.255),
    (spoken(0.3, "at_least"), 0.3, 0.4),
    (spoken(0.3, "at_most"), 0.2, 0.3),
    (spoken(0.3, "at_least", True), 0.3, 1.0),
    (spoken(0.3, "at_most", True), 0.0, 0.3),
    (spoken(0.0, "range", low=0.2, high=0.45), 0.2, 0.45),
    (spoken(0.0, "range", low=0.2, high=1.0), 0.2, 1.0),
    (spoken(0.0, "range", low=0.0, high=0.45), 0.0, 0.45),
    (spoken(0.1, "at_most"), 0.0, 0.1),
    (spoken(0.9, "at_least"), 0.9, 1.0),
    (spoken(1.0, "at_most", True), 0.0, 1.0),
    (spoken(1.0, "approx", unit=0.1), 0.95, 1.0),
    (spoken(0.0, "approx", unit=0.1), 0.0, 0.05),
)


@pytest.mark.parametrize("errors", ERRORS)
@pytest.mark.parametrize("case", range(len(SAID)))
def test_the_probability_is_that_of_the_logit_between_the_ends(errors, case):
    (form, value, unit, offset, _), low, high = SAID[case]
    got = np.exp(one(value, form, unit, offset, CENTERS, 0.4, errors))
    ends = [LAW[errors].cdf(special.logit(end), CENTERS, 0.4) for end in (low, high)]
    np.testing.assert_allclose(got, ends[1] - ends[0], rtol=1e-9, atol=1e-13)


@pytest.mark.parametrize("errors", ERRORS)
def test_slopes_are_finite_and_right_at_every_end(errors):
    inputs = [pt.dvector(f"input{n}") for n in range(7)]
    value, mu, scale, form, unit, offset, share = inputs
    logp = log_probability(value, mu, scale, form, unit, offset, errors, pt, share)
    run = pytensor.function(inputs, [logp, *pytensor.grad(logp.sum(), [mu, scale])], mode="FAST_COMPILE")
    said = [(*how[:4], center) for how, _, _ in SAID for center in (-40.0, -3.0, -0.4, 0.5, 3.0, 40.0)]
    said += [(POINT, share, 1.0, 0.0, center) for share in (0.01, 0.5, 0.99) for center in (-40.0, 0.2, 40.0)]
    how, stated, step, shift, center = (np.array(column, dtype=float) for column in zip(*said, strict=True))
    width = np.full(len(said), 0.5)
    got, by_mu, by_scale = run(stated, center, width, how, step, shift, np.ones(len(said)))
    assert np.isfinite([by_mu, by_scale]).all()

    def again(mu, scale):
        return log_probability(stated, mu, scale, how, step, shift, errors, np, np.ones(len(said)))

    np.testing.assert_allclose(got, again(center, width), rtol=1e-12, atol=1e-15)
    eps = 1e-5
    for slope, up, down in (
        (by_mu, again(center + eps, width), again(center - eps, width)),
        (by_scale, again(center, width + eps), again(center, width - eps)),
    ):
        np.testing.assert_allclose(slope, (up - down) / (2 * eps), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("errors", ERRORS)
def test_a_share_of_more_than_everything_is_never_said(errors):
    got = one(1.2, LINEAR, 0.1, 0.0, CENTERS, 0.4, errors)
    np.testing.assert_array_equal(got, NEVER)


@pytest.mark.parametrize("errors", ERRORS)
@pytest.mark.parametrize("form", [LINEAR, GEOMETRIC, FLOOR, CEILING])
def test_the_shares_that_can_be_stated_add_up_to_one(errors, form):
    unit = {LINEAR: 0.1, GEOMETRIC: 1.25, FLOOR: 0.3, CEILING: 0.3}[form]
    offset = -0.5 if form == LINEAR else 0.0
    values = {
        LINEAR: np.arange(11) * 0.1,
        GEOMETRIC: 0.2 * 1.25 ** np.arange(-200.0, 8.0),
        FLOOR: np.array([0.0, 0.3]),
        CEILING: np.array([0.3, 0.6]),
    }[form]
    for mu in CENTERS:
        n = np.ones(len(values))
        logp = log_probability(values, mu * n, 0.7 * n, form * n, unit, offset, errors, np, n)
        assert np.exp(logp).sum() == pytest.approx(1.0, abs=1e-9)


def test_a_share_stated_from_odds_is_that_of_its_cell():
    """From the odds of every share the same value is stated as from the share itself, and its cell holds the share."""
    shares = np.linspace(0.003, 0.997, 250)
    for (form, _, unit, offset, origin), _, _ in SAID:
        said = stated_value(shares / (1 - shares), form, unit, offset, origin, 1.0, np)
        low, high = cell(said, form, unit, offset)
        assert ((low <= shares + 1e-9) & (shares <= high + 1e-9)).all()


def test_numbers_are_not_read_as_odds():
    value, n = np.array([0.3, 3.0, 3000.0]), np.ones(3)
    for form in (LINEAR, POINT, GEOMETRIC, FLOOR, CEILING):
        how = (value, n, 0.4 * n, form * n, 1.5, 0.0, "logistic", np)
        np.testing.assert_array_equal(log_probability(*how), log_probability(*how, 0.0 * n))
