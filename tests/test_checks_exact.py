"""Checks against answers known exactly: point claims, normal errors, a constant rate; everything is one normal vector."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

import attrition as at
from attrition.checks.stances import _by_refit, _by_weights, _log_weights, _smoothed
from attrition.conform import fit_set

CONTENT = json.loads((Path(__file__).parent / "conformance.json").read_text(encoding="utf-8"))
ONSET = dt.date(2024, 12, 6)
PRIOR = {"dist": "LogNormal", "median": 100, "sd_log": 1.0}
MEANS = {"adversary": 0.35, "third_party": 0.0}
SIGMA, BIAS_SD = 0.15, 0.30
CLAIMS = [
    ("one", "adversary", "2024-12-26", 2600),
    ("one", "adversary", "2025-01-05", 3800),
    ("two", "third_party", "2025-01-09", 2300),
    ("one", "adversary", "2025-01-11", 4900),
    ("three", "third_party", "2025-01-13", 3000),
    ("four", "adversary", "2025-01-20", 5600),
]


@pytest.fixture(scope="module")
def six():
    """Six claims of four sources."""
    inputs = {
        "onset": str(ONSET),
        "prior_r": PRIOR,
        "prior_N": {"dist": "LogNormal", "median": 12000, "sd_log": 0.1},
        "sigma": SIGMA,
        "claims": [dict(zip(("source", "kind", "as_of", "value"), claim, strict=True)) for claim in CLAIMS],
    }
    return fit_set(inputs, MEANS, BIAS_SD, draws=2000, seed=1, progress=False)


@pytest.fixture(scope="module")
def set_a():
    """The first conformance set: two claims of two stances."""
    inputs = CONTENT["sets"]["A_january_2025"]["inputs"]
    return fit_set(inputs, CONTENT["bias_mean_by_kind"], CONTENT["bias_sd"], draws=2000, seed=1, progress=False)


def joint():
    """Mean and covariance of (log r, log values), and the values."""
    days = np.array([(dt.date.fromisoformat(day) - ONSET).days for _, _, day, _ in CLAIMS], dtype=float)
    mean = np.log(100) + np.concatenate([[0.0], np.log(days) + [MEANS[kind] for _, kind, _, _ in CLAIMS]])
    same = np.array([[a[0] == b[0] for b in CLAIMS] for a in CLAIMS])
    covariance = np.ones((7, 7))
    covariance[1:, 1:] += BIAS_SD**2 * same + SIGMA**2 * np.eye(6)
    return mean, covariance, np.log([value for *_, value in CLAIMS])


def given(rows):
    """Mean and covariance of everything, given the claims of these rows."""
    mean, covariance, values = joint()
    known = np.array(rows) + 1
    gain = covariance[:, known] @ np.linalg.inv(covariance[np.ix_(known, known)])
    return mean + gain @ (values[np.array(rows)] - mean[known]), covariance - gain @ covariance[known, :]


def predicted(row, known):
    """Log density of a value, and two-sided tail probability of it, given others."""
    mean, covariance = given(known)
    value = np.log(CLAIMS[row][3])
    normal = stats.norm(mean[row + 1], np.sqrt(covariance[row + 1, row + 1]))
    return normal.logpdf(value) - value, 2 * min(normal.cdf(value), normal.sf(value))


def test_the_fit_is_the_exact_one(six):
    mean, covariance = given(range(6))
    log_rate = np.log(six.array("constant_rate"))
    assert log_rate.mean() == pytest.approx(mean[0], abs=0.01)
    assert log_rate.std() == pytest.approx(np.sqrt(covariance[0, 0]), rel=0.04)


def test_each_claim_left_out(six):
    check = at.claims_left_out(six, max_k=0.5)
    assert check.passed, check.sentence
    exact = [predicted(row, [other for other in range(6) if other != row]) for row in range(6)]
    for row, (score, _) in enumerate(exact):
        assert check.numbers[f"elpd[C{row + 1:03}]"] == pytest.approx(score, abs=0.06)
    assert check.numbers["elpd"] == pytest.approx(sum(score for score, _ in exact), abs=0.15)
    assert check.numbers["least_p"] == pytest.approx(min(p for _, p in exact), abs=0.02)
    assert check.numbers["central_90"] == pytest.approx(np.mean([p > 0.1 for _, p in exact]), abs=0.01)


def test_each_source_left_out(six):
    check = at.sources_left_out(six)
    assert check.passed, check.sentence
    all_known = given(range(6))
    for source in ("one", "two", "three", "four"):
        own = [row for row, claim in enumerate(CLAIMS) if claim[0] == source]
        rest = [row for row in range(6) if row not in own]
        exact = [predicted(row, rest) for row in own]
        assert check.numbers[f"score[{source}]"] == pytest.approx(np.mean([s for s, _ in exact]), abs=0.06)
        shift = (given(rest)[0][0] - all_known[0][0]) / np.sqrt(all_known[1][0, 0])
        assert check.numbers[f"shift[{source}]"] == pytest.approx(shift, abs=0.08)
        if len(own) == 1:
            assert check.numbers[f"p[{source}]"] == pytest.approx(exact[0][1], abs=0.025)
    assert check.numbers["max_rhat"] < 1.01


def test_later_claims(six):
    """The last one is of a source that had not spoken: its bias is drawn from its stance's prior."""
    check = at.later_claims(six, "2025-01-13")
    score, p = predicted(5, range(5))
    assert check.numbers["claims"] == 1
    assert check.numbers["earlier"] == 5
    assert check.numbers["days"] == 7
    assert check.numbers["score"] == pytest.approx(score, abs=0.04)
    assert check.numbers["p"] == pytest.approx(p, abs=0.03)
    several = at.later_claims(six, "2025-01-09")
    exact = [predicted(row, range(3))[0] for row in (3, 4, 5)]
    assert several.numbers["claims"] == 3
    assert several.numbers["score"] == pytest.approx(np.mean(exact), abs=0.04)


@pytest.mark.parametrize("known_by", ["2024-12-01", "2025-01-20", "2026-01-01"])
def test_a_vintage_must_be_an_earlier_one(six, known_by):
    with pytest.raises(at.InputError, match="known_by"):
        at.later_claims(six, known_by)


def test_claims_of_one_day_have_no_later_ones(six):
    """By default the vintage is the day by which half of the claims were public; here that is the fit's own."""
    one_day = six.seen.claims.assign(published=six.vintage)
    check = at.later_claims(dataclasses.replace(six, seen=dataclasses.replace(six.seen, claims=one_day)))
    assert check.passed
    assert check.numbers == {"claims": 0.0}


def test_a_far_claim_surprises(six):
    """Two sources say ten times too many: the claims are named, and what comes later is not as predicted."""
    far = 3
    values = six.draws["constant_data"]["claim_value"].values.copy()
    values[[far, 5]] *= 10
    fit = revalued(six, values)
    raw, stats_, arrays = redraw(fit)
    wrong = dataclasses.replace(fit, draws=relabelled(fit, raw, stats_, arrays))
    claims = at.claims_left_out(wrong)
    assert not claims.passed
    assert "a surprise: C0" in claims.sentence
    assert not at.later_claims(fit, "2025-01-13").passed  # what was known by then comes from the record, as it was


def revalued(fit, values):
    """The fit with other stated values in its data; its draws stay."""
    import xarray as xr

    groups = dict(fit.draws.to_dict())
    groups["/constant_data"] = groups["/constant_data"].assign(claim_value=("claim_value_0", values))
    return dataclasses.replace(fit, draws=xr.DataTree.from_dict(groups))


def redraw(fit):
    from attrition.checks.without import data, redrawn

    return (*redrawn(fit, data(fit)), data(fit))


def relabelled(fit, raw, sampler, arrays):
    from attrition.checks.without import quantities
    from attrition.fitted import label

    return label(raw, sampler, quantities(fit, raw, arrays), arrays, fit.seen, fit.campaign)


# The mean of a stance, shifted


def shift_of_log_rate(means_sd=0.0):
    """Exact shift of E[log r] per +0.1 in the adversary mean of set A, whose two claims come from two sources."""
    claim = 0.15**2 + 0.30**2 - means_sd**2
    covariance = 1.0 + np.diag([claim + means_sd**2] * 2)
    return float(-0.1 * (np.ones(2) @ np.linalg.inv(covariance))[0])


def test_the_exact_shift_is_the_published_one():
    assert shift_of_log_rate() == pytest.approx(-0.0473, abs=5e-5)


@pytest.mark.parametrize("kind", ["adversary", "third_party"])
def test_set_a_shifts_by_what_is_known(set_a, kind):
    log_rate = {"log": np.log(set_a.array("constant_rate"))}
    weights, k = _smoothed(_log_weights(set_a, kind))
    shift, error = _by_weights(weights, log_rate)["log"]
    assert k < 0.5
    assert error < 0.002
    assert shift == pytest.approx(-0.0473, abs=4 * error)


def test_set_a_in_what_is_published(set_a):
    check = at.stance_shifts(set_a)
    assert check.passed, check.sentence
    assert check.numbers["refits"] == 0
    assert "adversaries" in check.sentence
    mean = np.exp(4.463158352 + 0.2307692308**2 / 2)
    exact = {"rate_since_escalation": mean * np.expm1(-0.0473)}
    per_person = np.exp(4.463158352 - np.log(12000) + (0.2307692308**2 + 0.1**2) / 2)
    for name, shift in exact.items():
        assert check.numbers[f"shift[{name}, adversary]"] == pytest.approx(
            shift, abs=4 * check.numbers[f"error[{name}, adversary]"]
        )
    # 1/T counts from the calendar's first day, one before the onset
    one_over_t = check.numbers["shift[depletion_hold, adversary]"]
    assert one_over_t == pytest.approx(per_person * np.expm1(-0.0473), rel=0.1)


def test_draws_made_again_say_the_same(set_a):
    from attrition.checks.sensitivity import published_draws

    before = published_draws(set_a)
    shift, error = _by_refit(set_a, "adversary", before)["rate_since_escalation"]
    mean = np.exp(4.463158352 + 0.2307692308**2 / 2)
    assert shift == pytest.approx(mean * np.expm1(-0.0473), abs=4 * error)
    assert abs(shift) > 4 * error


def test_a_stance_whose_mean_is_uncertain(set_a):
    """Of the bias's variance a part is the stance's: the shift of E[log r] is the same, weighed by another density."""
    spread = {"mean_sd": 0.2}
    fit = at.refit(
        set_a,
        priors=set_a.priors.override({"bias_adversary": spread, "bias_third_party": spread}),
        progress=False,
    )
    weights, _ = _smoothed(_log_weights(fit, "adversary"))
    shift, error = _by_weights(weights, {"log": np.log(fit.array("constant_rate"))})["log"]
    assert shift == pytest.approx(shift_of_log_rate(0.2), abs=4 * error)


def test_without_any_spread_draws_are_made_again(set_a):
    known = {"mean_sd": 0.0, "total_sd": 0.0}
    short = at.Settings(draws=500, tune=300)
    priors = set_a.priors.override({"bias_adversary": known, "bias_third_party": known})
    fit = at.refit(set_a, priors=priors, settings=short, progress=False)
    check = at.stance_shifts(fit)
    assert check.numbers["refits"] == 2
    precision = 1.0 + 2 / 0.15**2
    exact = -0.1 / 0.15**2 / precision
    mean = fit.array("constant_rate").mean()
    shift, error = (check.numbers[f"{what}[rate_since_escalation, adversary]"] for what in ("shift", "error"))
    assert shift == pytest.approx(mean * np.expm1(exact), abs=4 * error)


def test_too_few_draws_are_said():
    inputs = CONTENT["sets"]["A_january_2025"]["inputs"]
    fit = fit_set(inputs, {"adversary": 0.35, "third_party": 0.0}, 0.01, draws=30, seed=1, progress=False)
    check = at.stance_shifts(fit)
    assert not check.passed
    assert "take more draws" in check.sentence


# Power-scaling


def sensitivity(draws_cdf, scaled_cdf, grid):
    """Cumulative Jensen-Shannon distance per doubling of the power (Kallioinen et al. 2024), exact on a grid."""

    def divergence(p, q, x):
        return np.trapezoid(p * np.log2(2 * p / (p + q)), x) + np.trapezoid(q - p, x) / (2 * np.log(2))

    def distance(p, q, x):
        return np.sqrt((divergence(p, q, x) + divergence(q, p, x)) / np.trapezoid(p + q, x))

    def worse(alpha):
        p, q = draws_cdf(grid), scaled_cdf(alpha)(grid)
        return max(distance(p, q, grid), distance((1 - p)[::-1], (1 - q)[::-1], -grid[::-1]))

    return 0.5 * (worse(1.01) / np.log2(1.01) - worse(0.99) / np.log2(0.99))


def test_power_scaling_of_a_normal(set_a):
    """The rate's prior and the contingent's: both posteriors are lognormal at every power."""
    check = at.prior_sensitivity(set_a)
    assert check.passed
    claims = 2 / (0.15**2 + 0.30**2)
    mean, sd = 4.463158352, 0.2307692308
    pulled = (mean * (1 + claims) - np.log(100)) / claims

    def rate(alpha):
        precision = alpha + claims
        return stats.lognorm(precision**-0.5, scale=np.exp((alpha * np.log(100) + claims * pulled) / precision))

    assert rate(1).std() == pytest.approx(stats.lognorm(sd, scale=np.exp(mean)).std(), rel=1e-6)
    grid = np.exp(np.linspace(mean - 3.7 * sd, mean + 3.7 * sd, 4001))
    exact = sensitivity(rate(1.0).cdf, lambda alpha: rate(alpha).cdf, grid)
    found = check.numbers["psense[rate_since_escalation, constant_rate]"]
    assert found == pytest.approx(exact, rel=0.25, abs=0.002)

    def size(alpha):
        return stats.lognorm(0.1 / np.sqrt(alpha), scale=12000)

    grid = np.exp(np.linspace(np.log(12000) - 0.37, np.log(12000) + 0.37, 4001))
    exact = sensitivity(size(1.0).cdf, lambda alpha: size(alpha).cdf, grid)
    assert exact > 0.05
    assert check.numbers["psense[contingent_size, contingent_size]"] == pytest.approx(exact, rel=0.12)
    assert check.numbers["psense[rate_since_escalation, contingent_size]"] < 0.03


def test_only_top_level_priors_are_scaled(january):
    check = at.prior_sensitivity(january)
    scaled = {name.rsplit(", ", 1)[1].rstrip("]") for name in check.numbers if name.startswith("psense")}
    assert {"bias_adversary", "bias_third_party", "escalation_rate", "contact_rate", "floor_slack"} < scaled
    assert scaled <= set(january.priors)
    # analysts and its own side had not spoken; delays are of single sources; the others are fixed
    assert not scaled & {
        "bias_analyst",
        "bias_own_side",
        "lag_adversary",
        "bias_group_sd",
        "deployed_error",
        "pause_rate",
    }
    assert np.isfinite(list(check.numbers.values())).all()
    assert check.numbers["psense[claim_error, claim_error]"] > 0.05
    dates = {name for name in check.numbers if name.startswith("psense[depletion_forecast_days,")}
    assert len(dates) == len(scaled)
    assert "the date under hold" in check.sentence
    assert "strength now" in check.sentence


# Conflict


def test_where_the_posterior_stands_in_the_prior(set_a):
    check = at.prior_conflict(set_a)
    assert check.passed
    assert check.numbers["level[constant_rate]"] == pytest.approx(stats.norm.cdf(4.463158352 - np.log(100)), abs=0.005)
    assert check.numbers["level[contingent_size]"] == pytest.approx(0.5, abs=0.02)


def test_a_prior_at_odds_with_the_claims_is_named(set_a):
    inputs = dict(CONTENT["sets"]["A_january_2025"]["inputs"])
    inputs["prior_r"] = {"dist": "LogNormal", "median": 1000, "sd_log": 1.0}
    bias = CONTENT["bias_mean_by_kind"], CONTENT["bias_sd"]
    fit = fit_set(inputs, *bias, draws=1000, seed=1, progress=False)
    check = at.prior_conflict(fit)
    assert not check.passed
    assert "constant-rate prior" in check.sentence
    assert "below" in check.sentence
    exact = 4.463158352 + 0.2307692308**2 * np.log(10)
    assert check.numbers["level[constant_rate]"] == pytest.approx(stats.norm.cdf(exact - np.log(1000)), abs=0.003)
