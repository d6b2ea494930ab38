from __future__ import annotations

import dataclasses
import datetime as dt

import numpy as np
import pytest

import attrition as at
from attrition.campaign import Campaign, DateOfInterest, Strength
from attrition.crossing import first_crossing
from attrition.depletion import DaysToShare, DepletionDate, depletion_date
from attrition.manpower import gross_loss, loss_factor
from drawings import make

START = dt.date(2024, 12, 1)


def campaign(**changes):
    base = Campaign("c", START, dt.date(2025, 12, 31), Strength(100.0, 0.1), horizon_days=30)
    return dataclasses.replace(base, **changes)


def date_of(days, **changes):
    return DepletionDate("hold", "it goes on", np.array(days, float), campaign(**changes), dt.date(2024, 12, 11))


def test_first_crossing_interpolates_within_the_day():
    total = np.array([[10.0, 30.0, 60.0, 60.0, 90.0]])
    # 45 is reached halfway between the ends of day 1 (30) and day 2 (60)
    assert first_crossing(total, np.array([45.0]))[0] == 1.5
    assert first_crossing(total, np.array([60.0]))[0] == 2.0
    assert first_crossing(total, np.array([5.0]))[0] == -0.5
    assert first_crossing(total, np.array([90.5]))[0] == np.inf


def test_first_crossing_ignores_a_later_recovery_of_strength():
    total = np.array([[0.0, 50.0, 40.0, 70.0]])
    assert first_crossing(total, np.array([45.0]))[0] == pytest.approx(0.9)


def test_first_crossing_of_a_goal_that_rises():
    total = np.array([[10.0, 30.0, 60.0, 90.0]])
    # 40 from day 2 on would be reached within day 2; from the start of day 2 the goal is 75
    assert first_crossing(total, np.array([[40.0, 40.0, 75.0, 75.0]]))[0] == 2.5
    # reached within day 1, whatever arrives afterwards
    assert first_crossing(total, np.array([[20.0, 20.0, 75.0, 75.0]]))[0] == 0.5
    assert first_crossing(total, np.array([[40.0, 40.0, 75.0, 95.0]]))[0] == np.inf


def test_a_printed_date_is_the_day_in_which_depletion_falls():
    date = date_of([[10.0, 10.2, 10.9, 11.0]])
    assert date.quantile(0.0) == START + dt.timedelta(days=10)
    assert date.quantile(0.5) == START + dt.timedelta(days=11)
    assert date.probability_by("2024-12-11") == 0.25
    assert date.probability_by("2024-12-12") == 1.0


def test_never_is_a_value_that_a_quantile_can_take():
    date = date_of([[12.0, 20.0, np.inf, np.inf]])
    assert date.quantile(0.25) == START + dt.timedelta(days=12)
    assert date.quantile(0.75) is None
    assert date.quantile_text(0.75) == "after 2025-01-10"
    assert date.probability_within_horizon == 0.5
    assert "after 2025-01-10" in str(date)


def test_all_never_and_all_past():
    assert date_of([[np.inf, np.inf]]).table()["date"].unique().tolist() == ["after 2025-01-10"]
    done = date_of([[3.0, 4.0]])
    assert done.probability_within_horizon == 1.0
    assert done.quantile(0.5) == START + dt.timedelta(days=3)


def test_a_hold_date_after_the_horizon_is_not_printed():
    assert date_of([[41.0, 41.5]]).quantile(0.5) is None


def test_dates_after_the_horizon_are_refused():
    with pytest.raises(at.InputError, match="horizon"):
        date_of([[12.0]]).probability_by("2025-06-01")


def test_dates_of_interest_are_shown():
    shown = str(date_of([[12.0, 30.0]], dates_of_interest=(DateOfInterest(dt.date(2024, 12, 20)),)))
    assert "by 2024-12-20" in shown
    assert "50%" in shown


def test_hold_is_exact_whatever_the_horizon(january):
    day = depletion_date(january, at.hold()).day
    rate = at.rate_since(january) * loss_factor(january)
    left = january.array("contingent_size") - gross_loss(january)[..., -1]
    today = (january.vintage - january.campaign.start).days
    np.testing.assert_allclose(day, today + left / rate, rtol=1e-12)


def test_rate_since_is_the_mean_over_the_reported_window(january):
    total = january.draws["posterior"]["cumulative_loss"]
    days = (dt.date(2025, 1, 16) - dt.date(2024, 12, 6)).days
    assert days == 41
    difference = total.sel(day="2025-01-16").values - total.sel(day="2024-12-06").values
    np.testing.assert_allclose(at.rate_since(january), difference / days, rtol=1e-12)


def test_forecast_by_days_agrees_with_a_plain_loop(january):
    scenario = at.forecast()
    date = depletion_date(january, scenario)
    future = scenario.ahead(january, january.campaign.horizon_days).rate * loss_factor(january)[..., None]
    total, size = gross_loss(january)[..., -1], january.array("contingent_size")
    today = january.campaign.day(january.vintage)
    for chain, draw in ((0, 0), (1, 17), (3, 999)):
        lost, expected = total[chain, draw], np.inf
        for number, rate in enumerate(future[chain, draw]):
            if lost + rate >= size[chain, draw]:
                expected = today + number + (size[chain, draw] - lost) / rate
                break
            lost += rate
        assert date.day[chain, draw] == pytest.approx(expected)


def test_forecast_continues_the_fitted_curve(january):
    """On days the fit has seen, the scenario's curve is the fit's own."""
    future = at.forecast().ahead(january, 20).rate
    last = january.array("daily_rate")[..., -1]
    ratio = np.log(future[..., 0] / last)
    assert np.abs(ratio).max() < 1.0
    assert np.median(np.abs(ratio)) < 0.1


def test_forecast_returns_to_the_long_run_level(january):
    future = at.forecast().ahead(january, 3000).rate
    level = np.log(january.array("long_run_rate"))
    z = (np.log(future[..., -1]) - level) / january.array("rate_sd")
    assert abs(z.mean()) < 0.1
    # between knots the interpolated variance is below 1; at least half of it remains whatever the half-life
    assert 0.6 < z.std() < 1.1


def test_forecast_out_of_a_pause_returns_to_the_long_run_level(january, record, campaign):
    known = at.refit(january, record, campaign=campaign, known_by="2025-02-03", progress=False)
    scenario = at.forecast()
    assert "pause" in scenario.sentence(known)
    future = scenario.ahead(known, 365).rate
    now = known.array("daily_rate")[..., -1]
    assert np.median(np.abs(np.log(future[..., 0] / now))) < 0.4
    z = np.log(future[..., -1] / known.array("long_run_rate")) / known.array("rate_sd")
    assert abs(np.median(z)) < 0.25
    assert z.std() > 0.6


def test_a_reference_after_the_horizon_has_no_place(january):
    reference = dataclasses.replace(january.campaign.reference_projection, date=dt.date(2027, 1, 1))
    moved = dataclasses.replace(january, campaign=dataclasses.replace(january.campaign, reference_projection=reference))
    assert at.reference_place(moved, depletion_date(moved, at.forecast())).date_quantile is None
    assert 0 < at.reference_place(moved, depletion_date(moved, at.forecast())).rate_quantile < 1


@pytest.mark.parametrize("level", [50, -0.1, 1.5, float("nan"), True, "0.5", None])
def test_a_level_is_from_0_to_1(level):
    date = date_of([[10.0, 20.0]])
    days = DaysToShare("hold", "it goes on", 0.5, np.array([[1.0, 2.0]]), 30)
    for call in (date.quantile, days.quantile, days.quantile_text):
        with pytest.raises(at.InputError, match=r"from 0 to 1. Write 0.05 for 5%"):
            call(level)
    with pytest.raises(at.InputError, match=r"from 0 to 1. Write 0.05 for 5%"):
        date.table([0.5, level])
    assert days.quantile(np.float32(0.5)) == days.quantile(0.5)


@pytest.mark.parametrize("number", [np.float32, np.float64, float])
def test_a_share_may_be_a_number_of_numpy(number):
    fit = make(draws=10)
    expected = at.days_to_share(fit, share=0.5)
    np.testing.assert_array_equal(at.days_to_share(fit, share=number(0.5)).days, expected.days)
    assert type(at.days_to_share(fit, share=number(0.5)).share) is float
    for wrong in (number(1.5), number(0), "0.5", None):
        with pytest.raises(at.InputError, match="above 0 and at most 1"):
            at.days_to_share(fit, share=wrong)
