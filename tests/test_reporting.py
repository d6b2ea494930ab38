"""The interval likelihood: value and gradient against 50 digits, into both tails, and its random draws."""

import mpmath as mp
import numpy as np
import pymc as pm
import pytensor
import pytensor.tensor as pt
import pytest
from scipy import stats

import exact
from attrition.errors import InputError
from attrition.reporting import (
    ERRORS,
    LOGISTIC_SCALE,
    Reporting,
    claim_variable,
    log_probability,
    log_probability_with_slack,
    slack_steps,
    stated_value,
)
from attrition.rounding import CEILING, FLOOR, GEOMETRIC, LINEAR, POINT

SCALES = (0.02, 0.1, 0.7)
FAMILY = {"logistic": stats.logistic, "normal": stats.norm}


def numpy_version(errors, cases):
    value, mu, scale, form, unit, offset = exact.columns(cases)
    return log_probability(value, mu, scale, form, unit, offset, errors, np)


@pytest.fixture(scope="module")
def graphs():
    """Value and gradients as compiled functions, by error family."""
    made = {}
    for errors in ERRORS:
        inputs = [pt.dvector(name) for name in ("value", "mu", "scale", "form", "unit", "offset")]
        logp = log_probability(*inputs, errors, pt, 0.0 * inputs[0])
        outputs = [logp, *pytensor.grad(logp.sum(), inputs[1:3])]
        made[errors] = pytensor.function(inputs, outputs, mode="FAST_COMPILE")
    return made


def assert_close(got, expected, cases, relative, absolute):
    expected = np.array([float(number) for number in expected])
    assert np.all(np.isfinite(got))
    wrong = np.abs(got - expected) > relative * np.abs(expected) + absolute
    worst = [(cases[k][0].label, *cases[k][1:], got[k], expected[k]) for k in np.flatnonzero(wrong)[:5]]
    assert not worst


@pytest.mark.parametrize("errors", ERRORS)
def test_log_probability_in_every_form_and_tail(errors):
    cases = exact.grid(exact.FORMS, np.linspace(-40, 40, 41), SCALES)
    expected = [exact.log_probability(*case, errors) for case in cases]
    assert_close(numpy_version(errors, cases), expected, cases, 1e-10, 2e-15)


@pytest.mark.parametrize("errors", ERRORS)
def test_log_probability_of_intervals_of_every_width(errors):
    """From one in a hundred million of a scale to thousands of scales; includes the switch between two formulas."""
    ratios = 1.0 + np.geomspace(1e-9, 1e6, 46)
    forms = [exact.Spoken(f"ratio {r}", GEOMETRIC, 700.0, r, 0.0, 700.0, 700.0 * r) for r in ratios]
    forms = [s for s in forms if s.high > s.low]
    cases = exact.grid(forms, [-37.0, -8.0, -0.3, 0.0, 1.0, 5.0, 38.0], (0.1,))
    expected = [exact.log_probability(*case, errors) for case in cases]
    assert_close(numpy_version(errors, cases), expected, cases, 1e-10, 2e-15)


@pytest.mark.parametrize("errors", ERRORS)
def test_gradient_in_every_form_and_tail(graphs, errors):
    cases = exact.grid(exact.FORMS, [-40.0, -11.0, -3.0, -1.0, -0.2, 0.0, 0.6, 2.0, 9.0, 40.0], (0.05, 0.5))
    logp, by_mu, by_scale = graphs[errors](*exact.columns(cases))
    slopes = [exact.gradient(*case, errors) for case in cases]
    assert_close(by_mu, [slope[0] for slope in slopes], cases, 1e-8, 1e-9)
    assert_close(by_scale, [slope[1] for slope in slopes], cases, 1e-8, 1e-8)
    np.testing.assert_allclose(logp, numpy_version(errors, cases), rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("errors", ERRORS)
def test_gradient_is_finite_beyond_any_tail(graphs, errors):
    """Where a sampler may stray in its first steps: hundreds of scales away."""
    cases = exact.grid(exact.FORMS, [-3000.0, -500.0, -90.0, 90.0, 500.0, 3000.0], (1e-3, 0.1, 5.0))
    for output in graphs[errors](*exact.columns(cases)):
        assert np.all(np.isfinite(output))


@pytest.mark.parametrize("errors", ERRORS)
def test_numpy_and_compiled_pytensor_agree_in_the_default_mode(errors):
    cases = exact.grid(exact.FORMS, np.linspace(-40, 40, 27), SCALES)
    inputs = [pt.dvector(name) for name in ("value", "mu", "scale", "form", "unit", "offset")]
    run = pytensor.function(inputs, log_probability(*inputs, errors, pt, 0.0 * inputs[0]))
    np.testing.assert_allclose(run(*exact.columns(cases)), numpy_version(errors, cases), rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("errors", ERRORS)
def test_a_point_is_the_density_of_the_log_value_over_the_value(errors):
    value, mu, scale = 1234.5, np.linspace(4, 10, 61), 0.3
    expected = FAMILY[errors].logpdf(np.log(value), mu, scale) - np.log(value)
    got = log_probability(value, mu, scale, np.full(61, POINT), 1.0, 0.0, errors, np)
    np.testing.assert_allclose(got, expected, rtol=1e-12)


@pytest.mark.parametrize("errors", ERRORS)
@pytest.mark.parametrize("offset", [-1.0, -0.5, 0.0])
@pytest.mark.parametrize("origin", [0.0, 30.0])
def test_probabilities_of_a_linear_grid_sum_to_one(errors, offset, origin):
    mu, scale, unit = np.log(3000.0), 0.25, 100.0
    value = origin + unit * np.arange(-1, 20_000)
    value = value[value + (offset + 1) * unit > 0]
    total = np.exp(log_probability(value, mu, scale, np.full(len(value), LINEAR), unit, offset, errors, np)).sum()
    beyond = FAMILY[errors].sf(np.log(value[-1] + (offset + 1) * unit), mu, scale)
    assert total + beyond == pytest.approx(1.0, abs=1e-12)


@pytest.mark.parametrize("errors", ERRORS)
def test_probabilities_of_the_other_grids_sum_to_one(errors):
    mu, scale = np.log(300.0), 0.4
    ratio = 4 / 3
    cells = 300.0 * ratio ** np.arange(-400, 400)
    logp = log_probability(cells, mu, scale, np.full(800, GEOMETRIC), ratio, 0.0, errors, np)
    assert np.exp(logp).sum() == pytest.approx(1.0, abs=1e-12)
    for form, values in ((FLOOR, [0.0, 250.0]), (CEILING, [250.0, 500.0])):
        logp = log_probability(np.array(values), mu, scale, np.full(2, form), 250.0, 0.0, errors, np)
        assert np.exp(logp).sum() == pytest.approx(1.0, abs=1e-15)


def test_the_50_digit_reference_is_right_where_scipy_can_tell():
    spoken = next(s for s in exact.FORMS if s.label == "approx")
    for errors in ERRORS:
        low, high = FAMILY[errors].cdf(np.log([3750.0, 3850.0]), 8.1, 0.2)
        assert float(mp.exp(exact.log_probability(spoken, 8.1, 0.2, errors))) == pytest.approx(high - low, rel=1e-12)


def test_claim_error_is_an_sd_in_both_families():
    assert stats.logistic.std(scale=LOGISTIC_SCALE) == pytest.approx(1.0, rel=1e-14)


def test_an_unknown_error_family_is_refused():
    with pytest.raises(InputError, match=r"'cauchy'.*logistic or normal"):
        Reporting(errors="cauchy")


DRAWN = [
    # form, value, unit, offset, origin, is it a share, chance of slack, center
    (LINEAR, 3000.0, 500.0, -0.5, 0.0, 0, 0.0, 8.0),
    (LINEAR, 3000.0, 1000.0, 0.0, 0.0, 0, 0.0, 8.0),
    (LINEAR, 3250.0, 1000.0, -1.0, 250.0, 0, 0.0, 8.0),
    (GEOMETRIC, 3000.0, 1.3, 0.0, 3000.0, 0, 0.0, 8.0),
    (FLOOR, 3300.0, 3300.0, 0.0, 0.0, 0, 0.0, 8.0),
    (CEILING, 3300.0, 3300.0, 0.0, 0.0, 0, 0.0, 8.0),
    (LINEAR, 0.3, 0.1, -0.5, 0.0, 1, 0.0, -0.8),
    (LINEAR, 0.95, 0.01, -1.0, 0.0, 1, 0.0, 3.0),
    (GEOMETRIC, 0.2, 1.5, 0.0, 0.2, 1, 0.0, -1.2),
    (FLOOR, 0.25, 0.25, 0.0, 0.0, 1, 0.0, -1.0),
    (CEILING, 0.25, 0.25, 0.0, 0.0, 1, 0.0, -1.0),
    (LINEAR, 3000.0, 1000.0, 0.0, 0.0, 0, 0.4, 8.0),
    (LINEAR, 3050.0, 250.0, 0.0, 50.0, 0, 0.9, 8.0),
    (LINEAR, 1000.0, 1000.0, 0.0, 0.0, 0, 0.97, 8.0),
    (LINEAR, 0.2, 0.1, 0.0, 0.0, 1, 0.5, -0.8),
]
NAMES = ("form", "value", "unit", "offset", "origin", "is_share")


@pytest.mark.parametrize("errors", ERRORS)
@pytest.mark.parametrize("slack_on", [True, False])
def test_draws_fall_into_cells_as_often_as_logp_says(errors, slack_on):
    """The model's own symbolic draw, the simulation's draw by numpy and the log probability are one and the same."""
    draws, width = 20_000, 0.2
    rows = [row for row in DRAWN if slack_on or row[6] == 0.0]
    *columns, slack, mu = (np.array(column, dtype=float) for column in zip(*rows, strict=True))
    spoken = dict(zip(NAMES, columns, strict=True))
    scale = np.full(len(rows), width)
    with pm.Model(coords={"claim": range(len(rows))}):
        data = {f"claim_{name}": pt.as_tensor(column) for name, column in spoken.items()} | {
            "claim_value": spoken["value"]
        }
        chance = pt.as_tensor(slack) if slack_on else None
        variable = claim_variable("claims", pt.as_tensor(mu), pt.as_tensor(scale), chance, data, errors)
    by_graph = pm.draw(variable, draws=draws, random_seed=20250117)
    assert by_graph.shape == (draws, len(rows))
    rng = np.random.default_rng(5)
    noise = rng.logistic(size=(draws, len(rows))) if errors == "logistic" else rng.standard_normal((draws, len(rows)))
    steps = slack_steps(rng.random((draws, len(rows))), slack, np)
    how = [spoken[name] for name in ("form", "unit", "offset", "origin", "is_share")]
    by_numpy = stated_value(np.exp(mu + width * noise), *how, np, steps)

    def logp(values, one):
        form, _, unit, offset, origin, share = (np.full(len(values), column[one]) for column in columns)
        return log_probability_with_slack(
            values, np.full(len(values), mu[one]), scale[one] + 0.0 * values, form, unit, offset, errors, np, origin,
            np.full(len(values), slack[one]), share,
        )  # fmt: skip

    at_value = np.array([logp(spoken["value"][one : one + 1], one)[0] for one in range(len(rows))])
    np.testing.assert_allclose(pm.logp(variable, spoken["value"]).eval(), at_value, rtol=1e-12)
    for drawn in (by_graph, by_numpy):
        for one in range(len(rows)):
            digits = 9 if spoken["is_share"][one] else 6
            stated, counts = np.unique(np.round(drawn[:, one], digits), return_counts=True)
            probability = np.exp(logp(stated, one))
            assert probability.sum() > 0.999
            common = probability * draws >= 10
            observed = np.append(counts[common], draws - counts[common].sum())
            expected = np.append(probability[common] * draws, max(1 - probability[common].sum(), 1e-12) * draws)
            enough = expected >= 1
            score = (((observed - expected) ** 2) / expected)[enough].sum()
            assert enough.sum() > 1, rows[one]
            assert score < stats.chi2.ppf(1 - 1e-4, enough.sum() - 1), rows[one]
