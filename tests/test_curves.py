"""The rate per day: the autoregression in closed form, the day convention, and phases against a slow evaluation."""

import dataclasses
import datetime as dt
import math

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest

import attrition as at
from attrition.campaign import load_campaign
from attrition.curves import (
    CURVES,
    ConstantRate,
    MeanRevertingRate,
    PhasedRate,
    continue_noise,
    default_curve,
    knot_count,
    knot_grid,
    noise,
    phase_slots,
)
from attrition.errors import InputError
from attrition.priors import default_priors

CAMPAIGN = load_campaign("dprk-kursk")
PRIORS = default_priors(CAMPAIGN)


def recursion(unit, half_life, first):
    phi = 0.5 ** (1.0 / half_life)
    values = [first]
    for step in unit:
        values.append(phi * values[-1] + math.sqrt(1.0 - phi**2) * step)
    return np.array(values)


@pytest.mark.parametrize("half_life", [0.93, 1.0, 3.0, 52.0, 1e4, 1e7])
@pytest.mark.parametrize("knots", [1, 69, 600])
def test_noise_is_the_plain_recursion(half_life, knots):
    rng = np.random.default_rng(knots)
    unit, first = rng.standard_normal((3, knots)), np.array([-1.5, 0.0, 2.0])
    got = noise(unit, np.full(3, half_life), first, np)
    assert got.shape == (3, knots + 1)
    for chain in range(3):
        np.testing.assert_allclose(got[chain], recursion(unit[chain], half_life, first[chain]), rtol=1e-7, atol=1e-7)


def test_noise_in_the_graph_is_noise_in_numpy():
    unit, half_life = np.random.default_rng(1).standard_normal(69), 3.0
    innovations = pt.as_tensor(unit, name="unit")
    graph = noise(innovations, pt.as_tensor(half_life), 0.0 * innovations[0], pt)
    np.testing.assert_allclose(pytensor.function([], graph)(), recursion(unit, half_life, 0.0), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("half_life", [0.7, 3.0, 200.0])
def test_noise_is_stationary_with_unit_sd(half_life):
    """Noise is linear in what drives it: its covariance is exact, no draws needed."""
    knots = 60
    drive = np.eye(knots + 1)
    response = noise(drive[:, 1:], np.full(knots + 1, half_life), drive[:, 0], np)
    apart = np.abs(np.subtract.outer(np.arange(knots + 1), np.arange(knots + 1)))
    np.testing.assert_allclose(response.T @ response, 0.5 ** (apart / half_life), atol=1e-9)


def test_continued_noise_keeps_the_past_and_follows_the_conditional_law():
    draws, ahead, half_life = 40_000, 6, 2.0
    past = np.broadcast_to(np.array([0.3, -0.7, 1.8]), (draws, 3))
    longer = continue_noise(past, np.full(draws, half_life), 2 + ahead, np.random.default_rng(11))
    assert longer.shape == (draws, 3 + ahead)
    np.testing.assert_array_equal(longer[:, :3], past)
    steps = np.arange(1, ahead + 1)
    phi = 0.5 ** (1 / half_life)
    variance = 1 - phi ** (2 * steps)
    later = longer[:, 3:]
    np.testing.assert_allclose(later.mean(axis=0), 1.8 * phi**steps, atol=4.5 / math.sqrt(draws))
    np.testing.assert_allclose(later.var(axis=0), variance, rtol=4.5 * math.sqrt(2 / draws))
    residual = later[:, 1:] - phi * later[:, :-1]
    np.testing.assert_allclose(residual.var(axis=0), 1 - phi**2, rtol=4.5 * math.sqrt(2 / draws))
    assert np.all(np.abs(np.corrcoef(residual, rowvar=False)[~np.eye(ahead - 1, dtype=bool)]) < 4.5 / math.sqrt(draws))


def test_noise_that_is_long_enough_is_not_continued():
    past = np.zeros((2, 5))
    assert continue_noise(past, np.ones(2), 4, np.random.default_rng(0)) is past


def test_days_are_read_at_their_middle_between_weekly_knots():
    grid = knot_grid(np.arange(0, 30), 3.0, 10)
    position = grid["knot_left"] + grid["knot_weight"]
    np.testing.assert_allclose(position[4:], (np.arange(4, 30) - 0.5 - 3.0) / 7.0, atol=1e-12)
    assert np.all(position[:4] == 0.0)
    late = knot_grid(np.arange(500), 0.0, 10)
    assert late["knot_left"].max() == 9


@pytest.mark.parametrize("onset", [0.0, 3.0, 3.25, 31.999])
def test_constant_rate_totals_rate_times_days_since_onset(onset):
    days = np.arange(120)
    rate = ConstantRate().rate({"constant_rate": np.array([92.0])}, {"day_share": np.clip(days - onset, 0, 1)}, np)
    total = np.cumsum(rate[0])
    np.testing.assert_allclose(total, 92.0 * np.maximum(days - onset, 0.0), rtol=1e-12)


def test_the_containers_of_constant_rate_start_at_the_escalation():
    days = np.arange(100)
    data = ConstantRate().containers(CAMPAIGN, PRIORS, days, {})
    np.testing.assert_array_equal(np.cumsum(data["day_share"]), np.maximum(days - 32.0, 0.0))


def test_mean_reverting_rate_interpolates_the_log_rate():
    rng = np.random.default_rng(3)
    days, knots = np.arange(80), 12
    data = {"day_share": np.clip(days, 0.0, 1.0), **knot_grid(days, 0.0, knots)}
    wave = rng.standard_normal(knots + 1)
    quantities = {"rate_sd": np.array(0.8), "rate_noise": wave, "long_run_rate": np.array(40.0)}
    rate = MeanRevertingRate().rate(quantities, data, np)
    expected = 40.0 * np.exp(0.8 * np.interp(days - 0.5, 7.0 * np.arange(knots + 1), wave))
    np.testing.assert_allclose(rate[1:], expected[1:], rtol=1e-12)
    assert rate[0] == 0.0


def rooms(campaign):
    return {"knot": knot_count(campaign), "phase": phase_slots(campaign)}


def slow_rate(day, starts, kinds, levels, long_run, half_life, sd, wave, first_knot, reported):
    """One day, one draw, no arrays: phases take over from each other, each for its part of the day."""

    def walk_at(time):
        place = min(max((time - first_knot) / 7.0, 0.0), len(wave) - 1 - 1e-9)
        left = int(place)
        return sd * (wave[left] + (place - left) * (wave[left + 1] - wave[left]))

    rate = 0.0
    for start, kind, level, known in zip(starts, kinds, levels, reported, strict=True):
        if day <= start:
            continue
        part = min(day - start, 1.0)
        log_rate = math.log(level)
        if kind in ("escalation", "resume"):
            left_of_it = 0.5 ** (max(day - start - 0.5, 0.0) / 7.0 / half_life)
            log_rate = math.log(long_run) + (log_rate - math.log(long_run)) * left_of_it
            log_rate += walk_at(day - 0.5) - walk_at(known) * left_of_it
        rate = rate * (1.0 - part) + math.exp(log_rate) * part
    return rate


def phased_data(campaign, days):
    return PhasedRate().containers(campaign, PRIORS, days, rooms(campaign))


def test_phased_rate_is_a_slow_evaluation_day_by_day():
    rng = np.random.default_rng(5)
    days, draws = np.arange(140), 6
    data = phased_data(CAMPAIGN, days)
    kinds = [phase.kind for phase in CAMPAIGN.phases]
    knots = knot_count(CAMPAIGN)
    starts = np.sort((data["phase_date"] + data["phase_sd"] * rng.standard_normal((draws, 5)))[:, :4], axis=-1)
    starts[0] = data["phase_date"][:4]
    starts[1, 2] = starts[1, 1] + 0.4
    quantities = {
        "phase_day": starts,
        "phase_rate": np.exp(rng.normal(3.0, 1.5, (draws, 4))),
        "long_run_rate": np.exp(rng.normal(3.5, 0.9, draws)),
        "rate_sd": np.exp(rng.normal(-0.2, 0.25, draws)),
        "rate_half_life": np.exp(rng.normal(1.1, 0.5, draws)),
        "rate_noise": rng.standard_normal((draws, knots + 1)),
    }
    got = PhasedRate().rate(quantities, data, np)
    for draw in range(draws):
        one = {name: value[draw] for name, value in quantities.items()}
        expected = [
            slow_rate(int(day), one["phase_day"], kinds, one["phase_rate"], one["long_run_rate"],
                      one["rate_half_life"], one["rate_sd"], one["rate_noise"], 32.0, data["phase_date"][:4])
            for day in days
        ]  # fmt: skip
        np.testing.assert_allclose(got[draw], expected, rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize("shift", [0.0, 0.3, 1.0, 4.75])
def test_an_onset_shifts_the_total_by_rate_times_shift(shift):
    days, rate = np.arange(80), 40.0
    campaign = dataclasses.replace(CAMPAIGN, phases=CAMPAIGN.phases[1:2], phase_slots=1)
    data = phased_data(campaign, days)
    quantities = {
        "phase_day": np.array([32.0 + shift]),
        "phase_rate": np.array([rate]),
        "long_run_rate": np.array(rate),
        "rate_sd": np.array(0.0),
        "rate_half_life": np.array(3.0),
        "rate_noise": np.zeros(knot_count(campaign) + 1),
    }
    total = np.cumsum(PhasedRate().rate(quantities, data, np))
    np.testing.assert_allclose(total, rate * np.maximum(days - 32.0 - shift, 0.0), rtol=1e-12, atol=1e-9)


@pytest.mark.parametrize(
    ("vintage", "known"), [(dt.date(2024, 12, 20), 2), (dt.date(2025, 1, 17), 2), (dt.date(2025, 2, 1), 3)]
)
@pytest.mark.parametrize("change", [{"date": dt.date(2025, 2, 17)}, {"kind": "pause"}, {"sd_days": 9.0}, {"name": "x"}])
def test_a_phase_not_yet_public_leaves_no_trace(vintage, known, change):
    last = dataclasses.replace(CAMPAIGN.phases[-1], published=dt.date(2025, 2, 18), **change)
    changed = dataclasses.replace(CAMPAIGN, phases=(*CAMPAIGN.phases[:-1], last))
    assert changed.digest != CAMPAIGN.digest
    days = np.arange(CAMPAIGN.day(vintage) + 1)
    before, after = (phased_data(campaign.known_by(vintage), days) for campaign in (CAMPAIGN, changed))
    assert before.keys() == after.keys()
    for name, array in before.items():
        assert array.tobytes() == after[name].tobytes(), name
    assert before["phase_known"].tolist() == [1.0] * known + [0.0] * (5 - known)


def test_a_phase_begins_no_later_than_the_report_of_it():
    data = phased_data(CAMPAIGN, np.arange(120))
    latest = data["phase_date"] + data["phase_latest"] * data["phase_sd"]
    published = [CAMPAIGN.day(phase.published) for phase in CAMPAIGN.phases]
    uncertain = data["phase_sd"][:4] > 0
    np.testing.assert_allclose(latest[:4][uncertain], np.array(published)[uncertain], atol=0.01)


@pytest.mark.parametrize("numbers", [{"median": 0.05}, {"median": 3.0, "sd_log": 2.0}])
@pytest.mark.parametrize("curve", [MeanRevertingRate(), PhasedRate()])
def test_half_lives_that_would_underflow_are_refused(curve, numbers):
    priors = PRIORS.override({"rate_half_life": numbers})
    with pytest.raises(InputError, match="half-lives above"):
        curve.containers(CAMPAIGN, priors, np.arange(50), rooms(CAMPAIGN))


def test_the_default_curve_follows_the_campaign():
    plain = dataclasses.replace(CAMPAIGN, phases=(), phase_slots=0)
    assert isinstance(default_curve(CAMPAIGN), PhasedRate)
    assert isinstance(default_curve(CAMPAIGN.known_by("2024-11-05")), PhasedRate)
    assert isinstance(default_curve(plain), MeanRevertingRate)
    assert {name: type(make()).__name__ for name, make in CURVES.items()} == {name: name for name in CURVES}
    for curve in (ConstantRate(), MeanRevertingRate(), PhasedRate()):
        assert set(curve.prior_names()) <= set(PRIORS)


def test_a_resumption_starts_at_its_own_level():
    """At the start of an escalation and of a resumption the log rate has the spread of its prior, whatever the walk did."""
    from attrition.prior_draws import prior_draws

    record, campaign = at.load_claims("dprk-kursk"), at.load_campaign("dprk-kursk")
    exact = tuple(dataclasses.replace(phase, sd_days=0.0) for phase in campaign.phases)
    fixed = dataclasses.replace(campaign, phases=exact)
    known = record.known_by("2025-04-30")
    cut = fixed.known_by("2025-04-30")
    reporting = at.Reporting(truncate=False)
    rates = prior_draws(known, cut, draws=3000, seed=1, reporting=reporting).quantities["daily_rate"][0]
    for phase, median in ((cut.phases[1], 50.0), (cut.phases[3], 35.0)):
        first = np.log(rates[:, cut.day(phase.date) + 1])
        assert first.mean() == pytest.approx(np.log(median), abs=0.12)
        assert first.std() == pytest.approx(1.0, rel=0.08)
