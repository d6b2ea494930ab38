"""The search for the day of depletion in parts of the draws and of the days finds what a plain search of everything finds."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import xarray as xr

import attrition as at
from attrition.crossing import first_crossing
from attrition.curves import PhasedRate
from attrition.depletion import dates_under, depletion_dates
from attrition.manpower import _delayed, arrivals, gross_loss, known, loss_factor, parts, returned, strength
from attrition.running import at as read_at
from attrition.scenarios import forecast, hold, per_capita, reinforce
from attrition.scenarios.rates import _leave_out_what_is_over
from drawings import make
from persons import plain_crossing


def with_returns(**changes):
    """A fit of random draws, in several parts, whose wounded come back after very different delays."""
    fit = make(chains=2, draws=150)
    rng = np.random.default_rng(5)
    shape = fit.array("contingent_size").shape
    new = {
        "evacuated_fraction": rng.uniform(0.1, 0.4, shape),
        "return_fraction": rng.uniform(0.2, 0.9, shape),
        "return_delay": rng.lognormal(3.5, 1.0, shape),
        **changes,
    }
    draws = fit.draws.copy()
    draws["posterior"] = xr.DataTree(
        fit.posterior.assign({name: (("chain", "draw"), value) for name, value in new.items()})
    )
    return dataclasses.replace(fit, draws=draws)


def net_by_hand(fit, scenario):
    """Net date of each draw: every day of it, from the first of the campaign to the horizon."""
    ahead, horizon = scenario.ahead(fit, fit.campaign.horizon_days), fit.campaign.horizon_days
    found = np.empty(fit.array("contingent_size").shape)
    wounded_past = fit.array("cumulative_loss") - fit.array("cumulative_killed")
    for draw in np.ndindex(found.shape):
        died, lost = fit.array("cumulative_killed")[draw], fit.array("cumulative_loss")[draw]
        share = 1.0 - (died[-1] - died[-2]) / (lost[-1] - lost[-2])
        more = np.cumsum(ahead.rate[draw])
        wounded = np.concatenate([wounded_past[draw], wounded_past[draw][-1] + share * more])
        places = np.arange(1, len(wounded) + 1) - fit.array("return_delay")[draw]
        kept = (1.0 - fit.array("evacuated_fraction")[draw]) * fit.array("return_fraction")[draw]
        factor = loss_factor(fit)[draw]
        total = np.concatenate([factor * lost, factor * (lost[-1] + more)]) - kept * read_at(wounded, places)
        there = arrivals(fit)[draw]
        coming = there[-1] + (np.zeros(horizon) if ahead.arriving is None else ahead.arriving[draw])
        found[draw] = plain_crossing(total, np.concatenate([there, coming]))
    return found


@pytest.mark.parametrize("size", [1.0, 0.15, 0.4], ids=["ahead", "past", "both"])
@pytest.mark.parametrize("scenario", [hold(), forecast(), reinforce(2000.0, "2025-02-20", hold(), sd_days=5.0)])
def test_net_dates_are_those_of_every_day_of_every_draw(scenario, size):
    fit = with_returns()
    scaled = {name: fit.posterior[name] * size for name in ("contingent_size", "arrivals")}
    draws = fit.draws.copy()
    draws["posterior"] = xr.DataTree(fit.posterior.assign(scaled))
    fit = dataclasses.replace(fit, draws=draws)
    day = depletion_dates(fit, scenario)["net"].day
    assert 0.2 < np.isfinite(day).mean() <= 1.0
    np.testing.assert_allclose(day, net_by_hand(fit, scenario), rtol=1e-10)


def test_several_scenarios_at_once_are_each_alone():
    fit = with_returns()
    scenarios = (hold(), forecast(), per_capita())
    found = dates_under(fit, scenarios)
    for scenario in scenarios:
        for definition, date in depletion_dates(fit, scenario).items():
            assert np.array_equal(found[scenario.name][definition].day, date.day)
            assert np.array_equal(at.depletion_date(fit, scenario, definition).day, date.day)


@pytest.mark.parametrize("first", [0, 1, 7, 39])
def test_a_delayed_total_is_the_running_total_read_between_days(first):
    rng = np.random.default_rng(1)
    total = np.cumsum(rng.uniform(0, 9, (3, 5, 40)), axis=-1)
    delay = np.array([0.0, 0.5, 1.0, 7.25, 39.0, 39.5, 40.0, 41.5, 300.0, 12.0, 3.3, 2.0, 5.9, 20.1, 33.0]).reshape(
        3, 5
    )
    expected = read_at(total, np.arange(1.0, 41.0) - delay[..., None])[..., first:]
    np.testing.assert_allclose(_delayed(total, delay, first), expected, rtol=1e-12, atol=1e-12)


def test_a_crossing_in_the_later_days_alone_is_that_in_all_of_them():
    rng = np.random.default_rng(2)
    total = np.cumsum(rng.uniform(0, 9, (200, 30)), axis=-1)
    size = rng.uniform(60, 160, 200)
    whole = first_crossing(total, size)
    later = first_crossing(total[:, 10:], size, total[:, 9], 10)
    assert (whole > 9).sum() > 50
    assert np.array_equal(np.minimum(first_crossing(total[:, :10], size), later), whole)


def test_parts_hold_every_draw_once():
    fit = make(chains=3, draws=101)
    seen = np.zeros((3, 101), int)
    for part in parts(fit):
        seen[part.rows] += 1
        assert np.array_equal(known(part).lost, gross_loss(fit)[part.rows])
    assert (seen == 1).all()


def test_strength_of_some_days_is_that_of_all():
    fit = with_returns()
    expected = np.maximum(arrivals(fit) - gross_loss(fit) + returned(fit), 0.0)
    assert np.array_equal(strength(fit), expected)
    assert np.array_equal(strength(fit, slice(3, None, 7)), expected[..., 3::7])


@pytest.mark.parametrize(("latest", "left"), [(88.0, 1), (88.5, 2), (95.0, 2)])
def test_phases_that_are_over_change_nothing(latest, left):
    rng = np.random.default_rng(4)
    shape, days = (2, 6), np.arange(89.0, 140.0)
    quantities = {
        "phase_rate": rng.lognormal(4, 0.3, (*shape, 3)),
        "phase_day": np.stack([np.zeros(shape), rng.uniform(30, 40, shape), rng.uniform(70, 87, shape)], axis=-1),
        "long_run_rate": rng.lognormal(4, 0.3, shape),
        "rate_half_life": rng.lognormal(1, 0.3, shape),
        "rate_sd": rng.lognormal(-1, 0.3, shape),
        "rate_noise": rng.normal(size=(*shape, 30)),
    }
    quantities["phase_day"][1, 2, 2] = latest  # one draw decides whether the phase has begun for all
    data = {
        "day_number": days,
        "knot_left": (days // 7).astype(int),
        "knot_weight": days % 7 / 7,
        "phase_known": np.ones(3),
        "phase_reverts": np.array([0.0, 1.0, 1.0]),
        "phase_left": np.array([0, 5, 11]),
        "phase_weight": np.array([0.0, 0.3, 0.9]),
    }
    before = PhasedRate().rate(quantities, data, np)
    _leave_out_what_is_over(quantities, data)
    assert quantities["phase_rate"].shape[-1] == left
    assert np.array_equal(PhasedRate().rate(quantities, data, np), before)


def test_a_forecast_in_parts_is_that_of_all_draws(january, monkeypatch):
    monkeypatch.setattr("attrition.threads.ROWS", 60)
    in_parts = forecast().ahead(january, 60)
    monkeypatch.setattr("attrition.threads.ROWS", january.array("contingent_size").size)
    assert len(list(parts(january))) == 1
    assert np.array_equal(in_parts.rate, forecast().ahead(january, 60).rate)
