"""The answer in sentences: every number in one is recomputed from the draws, and odd posteriors get no false precision."""

from __future__ import annotations

import dataclasses
import re

import numpy as np
import pytest

import attrition as at
from attrition.display import count
from attrition.publishing.sentences import chance, date_sentence, rate_sentence, tails, total_sentence
from drawings import date_at, make
from persons import replaced

HORIZON = "2026-01-16"


@pytest.fixture(scope="module")
def fit():
    return make(chains=4, draws=1000)


def dated(fit, *days):
    """Dates from so many days after the vintage; infinite where depletion is not reached."""
    return date_at(fit, fit.campaign.day(fit.vintage) + np.array([days], dtype=float))


def test_the_three_sentences_hold_the_quantiles_of_the_draws(fit):
    total, rate, date = at.answer_sentences(fit)
    loss = fit.array("cumulative_loss").reshape(4000, -1)
    low, middle, high = np.quantile(loss[:, -1], (0.05, 0.5, 0.95))
    assert f"{count(low)} to {count(high)} killed and wounded by 2025-01-16 (median {count(middle)}" in total
    assert "90% of its probability" in total
    assert "17 claims of 7 sources known by 2025-01-16" in total
    day = fit.campaign.day(fit.campaign.rate_since)
    ends = np.quantile((loss[:, -1] - loss[:, day]) / (loss.shape[1] - 1 - day), (0.05, 0.5, 0.95))
    low, middle, high = (count(end) for end in ends)
    assert f"a mean of {low} to {high} killed and wounded a day since 2024-12-06 (median {middle}" in rate
    day = np.sort(at.depletion_date(fit).day.ravel())
    low, high = (fit.campaign.date(day[place]) for place in (199, 3799))
    assert f"between {low} and {high} " in date
    assert date.startswith(
        "Under a held rate (losses go on at their mean daily rate since 2024-12-06), the model puts 90%"
    )


def test_the_level_is_the_one_asked_for(fit):
    total = total_sentence(fit, 0.5)
    ends = np.quantile(fit.array("cumulative_loss")[..., -1], (0.25, 0.75))
    assert f"puts 50% of its probability on {count(ends[0])} to {count(ends[1])} killed" in total
    assert tails(0.9) == (0.05, 0.95)
    assert tails(0.8) == (0.1, 0.9)
    assert "97.5% of" in rate_sentence(fit, 0.975)


@pytest.mark.parametrize("level", [0, 1, -0.1, 90, "0.9", None, True, float("nan")])
def test_no_level_but_one_between_0_and_1(fit, level):
    with pytest.raises(at.InputError, match=r"Write 0\.9 for 90%"):
        at.answer_sentences(fit, level)


def test_depletion_is_certain(fit):
    text = date_sentence(dated(fit, *np.linspace(10, 90, 4000)))
    assert f"and 0% (none of 4,000 draws) on no depletion by {HORIZON}, the horizon" in text


def test_an_end_after_the_horizon_is_said(fit):
    days = np.append(np.linspace(10, 300, 3600), np.full(400, np.inf))
    text = date_sentence(dated(fit, *days))
    assert (
        f"the model's 90% interval for depletion (the initial contingent, each person once) runs from {day(fit, days, 199)}"
        in text
    )
    assert (
        f"to after {HORIZON} (median {day(fit, days, 1999)}), with 10% on no depletion by {HORIZON}, the horizon"
        in text
    )


def day(fit, days, place):
    return fit.campaign.date(fit.campaign.day(fit.vintage) + float(np.sort(days)[place]))


def test_depletion_is_unlikely(fit):
    days = np.append(np.linspace(10, 300, 120), np.full(3880, np.inf))
    assert "the model puts 3% of its probability on depletion" in date_sentence(dated(fit, *days))
    days = np.append([10.0], np.full(3999, np.inf))
    assert "the model puts under 1% of its probability on depletion" in date_sentence(dated(fit, *days))


@pytest.mark.parametrize("draws", [1, 40, 4000])
def test_never_depleted(fit, draws):
    text = date_sentence(dated(fit, *np.full(draws, np.inf)))
    who = "not even the only draw" if draws == 1 else f"none of {draws:,} draws"
    assert f"{who} reaches depletion (the initial contingent, each person once) by {HORIZON}, the horizon" in text
    assert "%" not in text
    assert "between" not in text


@pytest.mark.parametrize("draws", [1, 40, 4000])
def test_depleted_at_the_vintage_already(fit, draws):
    text = date_sentence(dated(fit, *np.linspace(-9, 0, draws)))
    who = "the only draw" if draws == 1 else f"every one of {draws:,} draws"
    assert f"{who} had reached depletion (the initial contingent, each person once) by the vintage, 2025-01-16" in text
    assert "horizon" not in text


def test_some_depleted_at_the_vintage(fit):
    text = date_sentence(dated(fit, *np.append(np.full(1000, -3.5), np.linspace(1, 90, 3000))))
    assert "with 25% on a date up to the vintage, 2025-01-16" in text
    assert "between 2025-01-13 and" in text


def test_ties_are_at_least_the_level(fit):
    text = date_sentence(dated(fit, *np.append(np.full(3960, 3.5), np.linspace(10, 90, 40))))
    assert (
        "puts at least 90% of its probability on depletion (the initial contingent, each person once) on 2025-01-20"
        in text
    )


def test_few_draws_have_no_interval():
    few = make(chains=1, draws=40)
    total, rate, date = at.answer_sentences(few)
    draws = few.array("cumulative_loss")[..., -1]
    assert f"40 draws, too few for a 90% interval, say {count(draws.min())} to {count(draws.max())} killed" in total
    assert "40 draws, too few for a 90% interval, say a mean of" in rate
    assert "of 40 draws, too few for a 90% interval, 40 reach depletion" in date
    assert not any("probability" in text or "median" in text for text in (total, rate, date))
    text = date_sentence(dated(few, *np.append(np.linspace(-4, 50, 30), np.full(10, np.inf))))
    assert "30 reach depletion" in text
    assert "between 2025-01-12 and 2025-03-07, 3 of them up to the vintage" in text
    assert "for a 50% interval" not in total_sentence(few, 0.5)


def test_one_draw_is_called_one_draw():
    total, rate, date = at.answer_sentences(make(chains=1, draws=1))
    assert "the only draw says" in total
    assert "the only draw says a mean of" in rate
    assert re.search(r"the only draw reaches depletion .* on 2025-\d\d-\d\d, given", date)


def test_a_chance_claims_no_certainty():
    assert chance(0, 4000) == "0% (none of 4,000 draws)"
    assert chance(4000, 4000) == "100% (every one of 4,000 draws)"
    assert chance(1, 4000) == "under 1%"
    assert chance(3999, 4000) == "over 99%"
    assert chance(12, 40) == "12 of 40 draws"


def test_net_is_named(fit):
    text = date_sentence(at.depletion_date(fit, at.forecast(), "net"))
    assert text.startswith("Under the forecast (")
    assert "depletion (everyone who has arrived, less those back on duty)" in text
    assert date_sentence(at.depletion_date(fit, at.multiply(2.0, at.hold()))).startswith("Under the scenario ")


def test_a_failed_gate_is_said_in_every_sentence(fit):
    failed = dataclasses.replace(fit, gate={"passed": False})
    for text, final in zip(at.answer_sentences(failed), at.answer_sentences(fit), strict=True):
        assert text == "Not a final result, the convergence gate failed: " + final


def test_no_losses_and_equal_ends():
    none = make(chains=4, draws=100)
    none = replaced(
        none, cumulative_loss=0.0 * none.array("cumulative_loss"), daily_rate=0.0 * none.array("daily_rate")
    )
    assert "on about 0 killed and wounded by" in total_sentence(none)
    assert "on a mean of about 0 killed and wounded a day" in rate_sentence(none)
