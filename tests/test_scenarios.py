"""Scenarios as values: names, sentences, what is refused, and what they are when composed."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest

import attrition as at
from attrition.depletion import depletion_dates
from attrition.scenarios import projection_seed
from drawings import make
from persons import force

FIT = make(draws=40)
FORCE = force(draws=15)
KINDS = (
    at.hold(), at.hold("2024-12-20"), at.hold_last(14), at.forecast(), at.walk(), at.walk(0.35), at.per_capita(),
    at.pause(), at.pause("2025-02-01", 20, 5, at.hold()), at.multiply(0.5, at.per_capita()),
    at.reinforce(1500, "2025-02-15", at.hold()), at.then(at.hold(), 30, at.forecast()),
    at.then(at.multiply(0.5, at.hold()), 30, at.forecast()), at.multiply(0.5, at.then(at.hold(), 30, at.forecast())),
    at.pause(days=30, scenario=at.then(at.hold(), 60, at.forecast())),
    at.then(at.pause(days=30, scenario=at.hold()), 60, at.forecast()),
    at.then(at.hold(), "2025-02-15", at.forecast()), at.reinforce(1500, "2025-02-15", at.hold(), 0.2),
    at.reinforce(1500, "2025-02-15", at.hold(), 0.1, 3), at.pause(days=30, sd_days=1), at.multiply(0.1 + 0.2, at.hold()),
    at.multiply(0.3, at.hold()),
)  # fmt: skip
every_kind = pytest.mark.parametrize("scenario", KINDS, ids=lambda scenario: scenario.name)


def same(fit, first, second):
    for name in ("gross_total", "daily_rate", "arrivals", "returned", "losses_counted"):
        one, two = (getattr(at.project(fit, scenario), name) for scenario in (first, second))
        np.testing.assert_array_equal(one, two)
    one, two = depletion_dates(fit, first), depletion_dates(fit, second)
    for definition, date in one.items():
        np.testing.assert_array_equal(date.day, two[definition].day)


def test_names_are_keys_and_differ():
    names = [scenario.name for scenario in KINDS]
    assert len(set(names)) == len(names)
    assert all(name and not set(name) & set(' ,"\n') for name in names)
    assert at.hold().name == "hold"
    assert at.hold_last(14).name == "hold_last_14"
    assert at.pause(days=30).name == "pause_30_then_forecast"
    assert at.hold().then(30, at.forecast()).name == "hold_for_30_then_forecast"


@every_kind
def test_scenarios_are_values(scenario):
    assert scenario == type(scenario)(**vars(scenario))
    assert hash(scenario) == hash(type(scenario)(**vars(scenario)))


def test_sentences_can_follow_if():
    expected = {
        at.hold(): "losses go on at their mean daily rate since 2024-12-06",
        at.hold("2024-12-20"): "losses go on at their mean daily rate since 2024-12-20",
        at.hold_last(14): "losses go on at their mean daily rate of the 14 days up to 2025-01-16",
        at.hold_last(1): "losses go on at the rate of 2025-01-16",
        at.pause(days=30, scenario=at.hold()): (
            "nobody is lost for 30 days from 2025-01-17, and after that losses go on at their mean daily rate since 2024-12-06"
        ),
        at.hold().multiplied(0.5).then(30, at.per_capita()): (
            "for 30 days at 0.5 times the pace, losses go on at their mean daily rate since 2024-12-06, and after that the "
            "rate falls with the strength left, each one's risk staying that of 2025-01-16"
        ),
        at.reinforce(1500, "2025-02-15", at.hold(), sd_days=3): (
            "about 1,500 more arrive on 2025-02-15 (give or take 3 days), and losses go on at their mean daily rate since "
            "2024-12-06"
        ),
    }
    for scenario, words in expected.items():
        assert scenario.sentence(FIT) == words


@every_kind
def test_methods_are_the_functions(scenario):
    assert scenario.then(5, at.hold()) == at.then(scenario, 5, at.hold())
    assert scenario.multiplied(2) == at.multiply(2, scenario)
    assert scenario.paused("2025-02-01", 10, 2) == at.pause("2025-02-01", 10, 2, scenario)
    assert scenario.reinforced(10, "2025-02-01") == at.reinforce(10, dt.date(2025, 2, 1), scenario)


# Identities, bit for bit


@every_kind
@pytest.mark.parametrize("fit", [FIT, FORCE], ids=["plain", "force"])
def test_scenarios_that_change_nothing(fit, scenario):
    same(fit, at.multiply(1, scenario), scenario)
    if not scenario.begins_with_part:
        same(fit, at.then(scenario, 30, scenario), scenario)
        same(fit, at.then(scenario, "2025-02-20", scenario), scenario)
    same(fit, at.pause(days=0, scenario=scenario), scenario)
    same(fit, at.pause("2025-02-01", days=0, scenario=scenario), scenario)


def test_a_chain_that_turns_at_once_or_never():
    for first, second in ((at.hold(), at.walk()), (at.per_capita(), at.forecast())):
        for name in ("gross_total", "daily_rate", "returned"):
            for days, whole in ((0, second), (400, first)):
                chained = getattr(at.project(FORCE, at.then(first, days, second)), name)
                np.testing.assert_array_equal(chained, getattr(at.project(FORCE, whole), name))


def test_a_chain_is_its_parts():
    turn = 30
    rate = at.then(at.walk(), turn, at.hold()).ahead(FIT, 365).rate
    np.testing.assert_array_equal(rate[..., :turn], at.walk().ahead(FIT, 365).rate[..., :turn])
    np.testing.assert_array_equal(rate[..., turn:], at.hold().ahead(FIT, 365).rate[..., turn:])
    by_date = at.then(at.walk(), FIT.vintage + dt.timedelta(days=turn + 1), at.hold())
    np.testing.assert_array_equal(by_date.ahead(FIT, 365).rate, rate)


def test_the_second_part_takes_the_strength_left_at_the_turn():
    ahead = at.project(FIT, at.then(at.hold(), 5, at.per_capita()))
    left = ahead.arrivals - ahead.gross_total
    risk = -np.log(left[..., 6:46] / left[..., 5:45])
    start = FIT.array("contingent_size") - FIT.array("cumulative_loss")[..., -1]
    expected = FIT.array("daily_rate")[..., -1] / start
    np.testing.assert_allclose(risk, np.broadcast_to(expected[..., None], risk.shape), rtol=1e-6)


# Pauses and arrivals in a part of a chain


def rates(scenario, days=365):
    return scenario.ahead(FIT, days).rate


@pytest.mark.parametrize("when", [60, FIT.vintage + dt.timedelta(days=61)])
def test_a_pause_without_a_start_begins_with_its_part(when):
    chain = at.forecast().then(when, at.pause(days=30))
    free, paused = rates(at.forecast()), rates(chain)
    np.testing.assert_array_equal(paused[..., :60], free[..., :60])
    assert (paused[..., 60:90] == 0).all()
    np.testing.assert_array_equal(paused[..., 90:], free[..., 90:])
    assert "nobody is lost for 30 days from 2025-03-18, and after that the constant rate goes on" in chain.sentence(FIT)
    assert "2025-01-17" not in chain.sentence(FIT)


@pytest.mark.parametrize(
    "part",
    [
        at.pause(days=30, scenario=at.hold()),
        at.multiply(2, at.pause(days=30, scenario=at.hold())),
        at.pause(days=30, scenario=at.hold()).reinforced(100, "2025-02-20"),
        at.pause("2025-06-01", 10, scenario=at.pause(days=30, scenario=at.hold())),
        at.then(at.pause(days=30, scenario=at.hold()), 100, at.hold()),
    ],
    ids=lambda part: part.name,
)
def test_a_pause_in_a_later_part_has_all_its_days(part):
    chain = at.hold().then(20, part)
    paused = rates(chain)
    assert ((paused == 0).sum(axis=-1) == (40 if "2025-06-01" in chain.name else 30)).all()
    assert (paused[..., 20:50] == 0).all()
    assert "for 30 days from 2025-02-06" in chain.sentence(FIT)


def test_a_pause_in_the_middle_of_three_parts():
    chain = at.hold().then(20, at.pause(days=10, scenario=at.hold())).then(60, at.walk())
    np.testing.assert_array_equal(
        (rates(chain) == 0).nonzero()[-1].reshape(80, 10), np.tile(np.arange(20, 30), (80, 1))
    )
    again = at.hold().then(20, at.pause(days=10, scenario=at.hold()).then(60, at.walk()))
    np.testing.assert_array_equal(rates(again), rates(chain))


def test_only_the_end_is_uncertain_of_a_pause_that_begins_with_its_part():
    chain = at.hold().then(20, at.pause(days=30, sd_days=3, scenario=at.hold()))
    paused, free = rates(chain), rates(at.hold())
    np.testing.assert_array_equal(paused[..., :20], free[..., :20])
    assert (paused[..., 20] == 0).all()
    length = (1.0 - paused / free).sum(axis=-1)
    assert length.std() == pytest.approx(3, rel=0.3)
    assert "(its end give or take 3 days)" in chain.sentence(FIT)


def test_two_pauses_in_a_row_add_up():
    one = at.pause(days=20, scenario=at.hold())
    assert (rates(one.then(20, one)) == 0).sum(axis=-1).tolist() == np.full((2, 40), 40).tolist()


@pytest.mark.parametrize(
    "scenario",
    [
        at.pause("2025-03-01", 10).then(30, at.hold()),
        at.pause("2025-02-10", 10).then(30, at.hold()),
        at.pause(days=40).then(30, at.hold()),
        at.pause(days=5).then(0, at.hold()),
        at.hold().then(30, at.pause("2025-02-10", 30)),
        at.hold().then(30, at.multiply(0.5, at.pause("2025-02-10", 30))),
        at.hold().then(30, at.pause(days=20)).then(40, at.walk()),
        at.hold().then(30, at.reinforce(100, "2025-02-10", at.pause(days=20))),
        at.hold().then(30, at.reinforce(100, "2025-04-10", at.hold())).then(60, at.hold()),
        at.hold().then(400, at.reinforce(100, "2025-04-10", at.hold())),
    ],
    ids=lambda scenario: scenario.name,
)
def test_what_its_part_would_cut_is_refused(scenario):
    with pytest.raises(at.InputError, match=r"part of the chain.*the turn"):
        at.project(FIT, scenario)
    with pytest.raises(at.InputError, match="part of the chain"):
        scenario.sentence(FIT)


def test_a_pause_that_is_cut_says_which_days_its_part_has():
    with pytest.raises(at.InputError) as error:
        at.project(FIT, at.hold().then(30, at.pause("2025-02-10", 30)))
    assert "30 days from 2025-02-10" in str(error.value)
    assert "which begins on 2025-02-16" in str(error.value)
    with pytest.raises(at.InputError, match="goes from 2025-01-17 to 2025-02-15"):
        at.project(FIT, at.pause("2025-02-10", 10).then(30, at.hold()))
    with pytest.raises(at.InputError, match="has no days"):
        at.project(FIT, at.pause(days=5).then(0, at.hold()))


@pytest.mark.parametrize(
    "scenario",
    [
        at.pause(scenario=at.pause()),
        at.pause(days=10).multiplied(2).paused(days=20),
        at.pause(days=10).then(30, at.hold()).paused(days=20),
        at.hold().then(30, at.pause(scenario=at.pause())),
    ],
    ids=lambda scenario: scenario.name,
)
def test_two_pauses_from_one_day_are_one(scenario):
    with pytest.raises(at.InputError, match=r"two pauses from 2025.*Add up their days"):
        at.project(FIT, scenario)


def test_a_pause_around_a_pause_of_another_day():
    later = at.pause("2025-03-01", 10, scenario=at.pause(days=20, scenario=at.hold()))
    assert ((rates(later) == 0).sum(axis=-1) == 30).all()
    chained = at.hold().then(60, at.pause(days=20, scenario=at.hold())).paused(days=10)
    assert ((rates(chained) == 0).sum(axis=-1) == 30).all()


def test_nobody_is_lost_from_an_arrival_near_the_turn():
    free = at.hold().reinforced(3000, "2025-03-02", sd_days=10)
    near = at.hold().then(44, free)
    arrivals, apart = (at.project(FIT, one).arrivals for one in (near, free))
    np.testing.assert_array_equal(arrivals[..., -1], apart[..., -1])
    assert (apart[..., 43] > apart[..., 0]).any()
    assert (arrivals[..., 43] == arrivals[..., 0]).all()
    early = apart[..., 44] > apart[..., 0]
    np.testing.assert_array_equal(arrivals[..., 44], np.where(early, apart[..., -1], apart[..., 0]))


def test_an_arrival_on_the_day_before_its_part_is_refused():
    with pytest.raises(at.InputError, match=r"2025-03-02.*begins on 2025-03-03"):
        at.project(FIT, at.hold().then(45, at.hold().reinforced(3000, "2025-03-02", sd_days=10)))


def test_nobody_is_lost_from_an_arrival_before_the_turn():
    near = at.hold().reinforced(3000, "2025-03-02", sd_days=10).then(45, at.hold())
    arrivals, apart = (
        at.project(FIT, one).arrivals for one in (near, at.hold().reinforced(3000, "2025-03-02", sd_days=10))
    )
    assert (arrivals[..., 44] == apart[..., -1]).all()
    assert (apart[..., 44] < apart[..., -1]).any()
    dates = depletion_dates(FIT, near)
    assert np.isfinite(dates["gross_with_reinforcement"].day).all()


# Dates in closed form


def held(fit, rate):
    left = fit.array("contingent_size") - fit.array("cumulative_loss")[..., -1]
    return fit.campaign.day(fit.vintage) + left / rate


def test_hold_in_closed_form_whatever_the_horizon():
    total = FIT.array("cumulative_loss")
    np.testing.assert_allclose(at.depletion_date(FIT).day, held(FIT, at.rate_since(FIT)), rtol=1e-13)
    since = (total[..., -1] - total[..., -28]) / 27
    np.testing.assert_allclose(at.depletion_date(FIT, at.hold("2024-12-20")).day, held(FIT, since), rtol=1e-13)
    last = (total[..., -1] - total[..., -15]) / 14
    np.testing.assert_allclose(at.depletion_date(FIT, at.hold_last(14)).day, held(FIT, last), rtol=1e-13)
    slow = at.depletion_date(FIT, at.hold().multiplied(1e-3)).day
    np.testing.assert_allclose(slow, held(FIT, at.rate_since(FIT) * 1e-3), rtol=1e-12)
    assert slow.min() > 5_000
    assert np.isinf(at.depletion_date(FIT, at.hold().multiplied(0)).day).all()


def test_hold_since_the_escalation_is_hold():
    same(FIT, at.hold(), at.hold(FIT.campaign.rate_since))
    same(FIT, at.hold(), at.hold_last((FIT.vintage - FIT.campaign.rate_since).days))


def test_twice_the_pace_is_half_the_time():
    today = FIT.campaign.day(FIT.vintage)
    once, twice = (at.depletion_date(FIT, at.multiply(factor, at.hold())).day - today for factor in (1, 2))
    np.testing.assert_allclose(twice, once / 2, rtol=1e-12)


def test_a_pause_shifts_the_date_by_its_length():
    free = at.depletion_date(FIT, at.hold()).day
    for days in (30, 12.25):
        paused = at.depletion_date(FIT, at.pause(days=days, scenario=at.hold())).day
        np.testing.assert_allclose(paused, free + days, rtol=1e-12)
    later = at.depletion_date(FIT, at.pause("2025-01-20", 10, scenario=at.hold())).day
    np.testing.assert_allclose(later, free + 10, rtol=1e-12)


def test_the_ends_of_a_pause_are_uncertain():
    fit = make(draws=600)
    free = at.depletion_date(fit, at.hold()).day
    length = at.depletion_date(fit, at.pause(days=30, sd_days=5, scenario=at.hold())).day - free
    assert length.mean() == pytest.approx(30, abs=0.6)
    assert length.std() == pytest.approx(5, abs=0.5)
    length = at.depletion_date(fit, at.pause("2025-02-06", 30, 5, at.hold())).day - free
    assert length.mean() == pytest.approx(30, abs=0.9)
    assert length.std() == pytest.approx(5 * np.sqrt(2), abs=0.7)


def test_reinforcement_moves_the_dates_that_count_it():
    size = 2000.0
    with_more = depletion_dates(FIT, at.hold().reinforced(size, "2025-01-20", sd_log=0))
    free = depletion_dates(FIT, at.hold())
    np.testing.assert_allclose(with_more["gross"].day, free["gross"].day, rtol=1e-12)
    late = with_more["gross_with_reinforcement"].day - free["gross_with_reinforcement"].day
    np.testing.assert_allclose(late, size / at.rate_since(FIT), rtol=1e-9)


# Random numbers


def test_random_numbers_are_the_fit_s_and_common():
    walk = at.walk().ahead(FIT, 50).rate
    np.testing.assert_array_equal(walk, at.walk().ahead(FIT, 50).rate)
    np.testing.assert_array_equal(walk, at.walk().ahead(FIT, 90).rate[..., :50])
    steps = np.diff(np.log(walk), axis=-1)
    assert steps.std() == pytest.approx(0.2 / np.sqrt(7), rel=0.05)
    wide = np.diff(np.log(at.walk(0.4).ahead(FIT, 50).rate), axis=-1)
    np.testing.assert_allclose(wide, 2 * steps, rtol=1e-6)
    one, two, other = (projection_seed(FIT, key).random(3) for key in ("a", "a", "b"))
    assert one.tolist() == two.tolist() != other.tolist()
    old = np.random.default_rng(np.random.SeedSequence(FIT.seed).spawn(2)[1])
    assert projection_seed(FIT).random() == old.random()
