"""What lies ahead of a fit, against plain loops over single draws and closed forms."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import attrition as at
from attrition import manpower
from attrition.depletion import DEFINITIONS, depletion_dates
from attrition.projection import absorbed
from drawings import make
from persons import force, plain_at, plain_crossing, replaced

FORCE = force(draws=12)
PLAIN = make(draws=30)
TODAY = PLAIN.campaign.day(PLAIN.vintage)


GATE = {"passed": True, "max_rhat": 1.0, "min_ess": 400.0, "divergences": 0, "target_accept": 0.9, "escalated": ""}


def gated(fit):
    """The fit as published: with a gate, and with what a summary quotes varying over the draws."""
    errors = np.random.default_rng(1).uniform(0.1, 0.2, fit.array("contingent_size").shape)
    return dataclasses.replace(replaced(fit, claim_error=errors, killed_share=errors), gate=GATE)


def names():
    """Scenarios of every kind, composed at random."""
    simple = st.sampled_from(
        [at.hold(), at.hold("2024-12-20"), at.hold_last(9), at.forecast(), at.walk(), at.per_capita()]
    )

    def more(part):
        date = st.sampled_from(["2025-01-17", "2025-02-10", "2025-06-01"])
        return st.one_of(
            st.builds(at.multiply, st.floats(0, 30), part),
            st.builds(at.pause, st.one_of(st.none(), date), st.integers(0, 90), st.sampled_from([0.0, 9.0]), part),
            st.builds(at.reinforce, st.floats(1, 9000), date, part, st.just(0.1), st.sampled_from([0.0, 9.0])),
            st.builds(at.then, part, st.integers(0, 400), part),
        )

    return st.recursive(simple, more, max_leaves=4)


@settings(max_examples=60, deadline=None)
@given(names())
def test_invariants_of_every_scenario(scenario):
    for fit in (FORCE, PLAIN):
        try:
            ahead = at.project(fit, scenario)
        except at.InputError as error:
            assert "part of the chain" in str(error) or "two pauses" in str(error)  # noqa: PT017
            return
        assert ahead.gross_total.shape == (2, fit.settings.draws, 365)
        assert (np.diff(ahead.gross_total, axis=-1) >= 0).all()
        assert (ahead.gross_total <= ahead.arrivals).all()
        assert (np.diff(ahead.arrivals, axis=-1) >= 0).all()
        assert (ahead.daily_rate >= 0).all()
        assert (ahead.strength >= 0).all()
        dates = depletion_dates(fit, scenario)
        assert (dates["gross"].day <= dates["gross_with_reinforcement"].day).all()
        assert (dates["net"].day >= dates["gross_with_reinforcement"].day).all()
        words = scenario.sentence(fit)
        assert words
        assert "  " not in words
        assert words == words.strip(" .")
        assert str(ahead)


@pytest.mark.parametrize(
    "scenario",
    [
        at.hold(),
        at.walk(0.5).multiplied(3),
        at.forecast().paused("2025-01-25", 20, 4),
        at.hold().multiplied(4).reinforced(3000, "2025-02-10", sd_days=6),
        at.hold().multiplied(6).then("2025-03-01", at.walk()).reinforced(500, "2025-03-10"),
    ],
    ids=lambda scenario: scenario.name,
)
@pytest.mark.parametrize("definition", DEFINITIONS)
def test_dates_agree_with_a_loop_over_draws(scenario, definition):
    fit = force(draws=8, size=0.5)
    ahead, date = scenario.ahead(fit, 365), at.depletion_date(fit, scenario, definition)
    carried = at.project(fit, scenario)
    for draw in np.ndindex(2, 8):
        factor = 1 + fit.array("captured_ratio")[draw] + fit.array("missing_ratio")[draw]
        casualties = [float(x) for x in fit.array("cumulative_loss")[draw]]
        killed = [float(x) for x in fit.array("cumulative_killed")[draw]]
        share = (killed[-1] - killed[-2]) / (casualties[-1] - casualties[-2])
        first = float(fit.array("contingent_size")[draw])
        there = [max(float(x), first) for x in fit.array("arrivals")[draw]]
        once = min(casualties[-1] * factor, there[-1])
        for day in range(365):
            lost = float(ahead.rate[draw][day])
            casualties.append(casualties[-1] + lost)
            killed.append(killed[-1] + share * lost)
            there.append(there[TODAY] + (0.0 if ahead.arriving is None else float(ahead.arriving[draw][day])))
            once = min(once + lost * factor, there[-1])
            assert carried.gross_total[draw][day] == pytest.approx(once, rel=1e-9)
            assert carried.arrivals[draw][day] == pytest.approx(there[-1])
        delay = float(fit.array("return_delay")[draw])
        kept = (1 - float(fit.array("evacuated_fraction")[draw])) * float(fit.array("return_fraction")[draw])
        wounded = [one - dead for one, dead in zip(casualties, killed, strict=True)]
        back = [kept * plain_at(wounded, day + 1 - delay) for day in range(len(wounded))]
        np.testing.assert_allclose(carried.returned[draw], back[TODAY + 1 :], rtol=1e-9)
        total = [one * factor for one in casualties]
        size = [first] * len(total) if definition == "gross" else there
        if definition == "net":
            total = [one - two for one, two in zip(total, back, strict=True)]
        expected = plain_crossing(total, size)
        if math.isinf(expected) and ahead.settled is not None and definition != "net":
            # solved after the horizon
            assert TODAY + 365 < date.day[draw] < math.inf
        else:
            assert date.day[draw] == pytest.approx(expected, rel=1e-9)


def test_fewer_days_are_the_first_of_more():
    for scenario in (at.walk(), at.forecast().paused(sd_days=5), at.per_capita()):
        few, many = at.project(FORCE, scenario, 40), at.project(FORCE, scenario)
        np.testing.assert_array_equal(few.gross_total, many.gross_total[..., :40])
        np.testing.assert_array_equal(few.returned, many.returned[..., :40])
        assert at.project(FORCE, scenario, 500).gross_total.shape[-1] == 500


def test_the_daily_rate_adds_up_to_the_total():
    ahead = at.project(FORCE, at.hold().multiplied(5))
    factor = manpower.loss_factor(FORCE)[..., None]
    added = manpower.gross_loss(FORCE)[..., -1:] + np.cumsum(ahead.daily_rate * factor, axis=-1)
    np.testing.assert_allclose(added, ahead.gross_total, rtol=1e-12)
    assert (ahead.daily_rate[..., -1] == 0).all()


def test_absorbed_losses_go_on_after_an_arrival():
    arrivals = np.array([[10.0, 10.0, 10.0, 20.0, 20.0, 20.0]])
    counted = 6.0 + 3.0 * np.arange(6)[None]
    # stuck at 10 for two days, then 3 a day of the ten that came
    assert absorbed(counted, arrivals, np.zeros(1)).tolist() == [[6.0, 9.0, 10.0, 13.0, 16.0, 19.0]]


def test_who_was_lost_twice_counts_once_and_net_later():
    fit = force(draws=40, returns=1.0, size=0.45)
    dates = depletion_dates(fit, at.hold())
    assert (dates["net"].day > dates["gross_with_reinforcement"].day).all()
    assert (dates["gross_with_reinforcement"].day > dates["gross"].day).mean() > 0.9
    nobody = replaced(fit, return_fraction=np.zeros((2, 40)))
    same = depletion_dates(nobody, at.hold())
    np.testing.assert_allclose(same["net"].day, same["gross_with_reinforcement"].day, rtol=1e-12)


def test_a_fit_without_arrivals_or_returns_has_one_date():
    for scenario in (at.hold(), at.walk(), at.per_capita()):
        dates = depletion_dates(PLAIN, scenario)
        np.testing.assert_array_equal(dates["net"].day, dates["gross"].day)
        np.testing.assert_array_equal(dates["gross_with_reinforcement"].day, dates["gross"].day)


def test_a_draw_lost_beyond_its_contingent_stays_there():
    size = PLAIN.array("cumulative_loss")[..., -1] * 0.9
    fit = replaced(PLAIN, contingent_size=size, arrivals=np.broadcast_to(size[..., None], (*size.shape, TODAY + 1)))
    for scenario in (at.hold(), at.per_capita(), at.walk()):
        ahead = at.project(fit, scenario)
        np.testing.assert_array_equal(ahead.gross_total, ahead.arrivals)
        assert (ahead.daily_rate == 0).all()
        assert (at.depletion_date(fit, scenario).day < TODAY).all()


# Per capita


def hazard(fit):
    lost = fit.array("daily_rate")[..., -1] * manpower.loss_factor(fit)
    return lost / (manpower.everyone(fit)[..., -1] - manpower.gross_loss(fit)[..., -1])


def test_per_capita_is_an_exponential():
    for fit in (PLAIN, FORCE):
        ahead = at.project(fit, at.per_capita())
        left = ahead.arrivals - ahead.gross_total
        start = manpower.everyone(fit)[..., -1] - manpower.gross_loss(fit)[..., -1]
        expected = start[..., None] * np.exp(-hazard(fit)[..., None] * np.arange(1, 366))
        np.testing.assert_allclose(left, expected, rtol=1e-6, atol=2e-5)
        for definition in ("gross_with_reinforcement", "net"):
            assert np.isinf(at.depletion_date(fit, at.per_capita(), definition).day).all()
    assert at.depletion_date(PLAIN, at.per_capita()).probability_within_horizon == 0


def test_per_capita_never_ends_however_high_the_risk():
    for factor in (1e2, 1e4):
        scenario = at.per_capita().multiplied(factor)
        assert np.isinf(depletion_dates(PLAIN, scenario)["gross"].day).all()
        searched = scenario.then(400, at.forecast())
        assert np.isinf(depletion_dates(FORCE, searched)["net"].day).all()


def test_days_to_a_share_of_everyone():
    new = replaced(PLAIN, cumulative_loss=PLAIN.array("cumulative_loss") * 1e-12)
    for share in (0.5, 0.9):
        found = at.days_to_share(new, at.per_capita(), share)
        np.testing.assert_allclose(found.days, -np.log(1 - share) / hazard(new), rtol=1e-9)
    half = at.days_to_share(PLAIN, at.hold(), 0.5)
    size, lost = PLAIN.array("contingent_size"), PLAIN.array("cumulative_loss")[..., -1]
    expected = (size / 2 - lost) / at.rate_since(PLAIN)
    np.testing.assert_allclose(half.days[expected > 0], expected[expected > 0], rtol=1e-9)
    assert (half.days[expected < 0] < 0).all()
    whole = at.days_to_share(PLAIN, at.hold(), 1.0)
    np.testing.assert_allclose(whole.days, at.depletion_date(PLAIN).day - TODAY, rtol=1e-12)
    assert np.isinf(at.days_to_share(PLAIN, at.per_capita(), 1.0).days).all()
    assert "50%" in str(half)
    for bad in (0.0, 1.5, True, "half", float("nan")):
        with pytest.raises(at.InputError, match="share"):
            at.days_to_share(PLAIN, at.hold(), bad)


def test_a_searched_share_agrees_with_the_solved_one():
    """The walk without spread is a rate held: day by day it must arrive where the closed form does."""
    searched = at.days_to_share(PLAIN, at.walk(0.0), 0.6).days
    solved = at.days_to_share(PLAIN, at.hold_last(1), 0.6).days
    np.testing.assert_allclose(searched, solved, rtol=1e-9)


def test_per_capita_after_a_pause_meets_the_strength_left_then():
    ahead = at.project(PLAIN, at.pause(days=30, scenario=at.per_capita()))
    free = at.project(PLAIN, at.per_capita())
    assert (ahead.daily_rate[..., :30] == 0).all()
    np.testing.assert_allclose(ahead.gross_total[..., 30:], free.gross_total[..., :-30], rtol=1e-9)


def test_more_arrivals_raise_the_losses_per_capita():
    ahead = at.project(PLAIN, at.per_capita().reinforced(5000, "2025-02-10"))
    free = at.project(PLAIN, at.per_capita())
    day = 24  # 2025-02-10 is the 25th day after 2025-01-16
    np.testing.assert_array_equal(ahead.daily_rate[..., :day], free.daily_rate[..., :day])
    more = (ahead.arrivals - free.arrivals)[..., day]
    np.testing.assert_allclose(np.log(more / 5000).std(), 0.1, atol=0.04)
    rise = ahead.daily_rate[..., day] - free.daily_rate[..., day]
    np.testing.assert_allclose(rise, more * -np.expm1(-hazard(PLAIN)), rtol=1e-9)


def test_half_the_pace_is_half_the_risk():
    slow, fast = at.project(PLAIN, at.per_capita().multiplied(0.5)), at.project(PLAIN, at.per_capita())
    np.testing.assert_allclose(slow.gross_total[..., 1::2], fast.gross_total[..., : len(slow.gross_total[0, 0]) // 2])


@pytest.mark.parametrize("days", [0, -1, 1.5, True, "30"])
def test_days_that_cannot_be_projected(days):
    with pytest.raises(at.InputError, match="whole number"):
        at.project(PLAIN, at.hold(), days)


# Persons


def test_what_a_fit_does_not_say_is_the_simplest_case():
    size, loss = PLAIN.array("contingent_size"), PLAIN.array("cumulative_loss")
    np.testing.assert_array_equal(manpower.gross_loss(PLAIN), loss)
    np.testing.assert_array_equal(manpower.arrivals(PLAIN), np.broadcast_to(size[..., None], loss.shape))
    np.testing.assert_allclose(manpower.killed(PLAIN), 0.25 * loss)
    assert (manpower.returned(PLAIN) == 0).all()
    np.testing.assert_array_equal(manpower.strength(PLAIN), manpower.everyone(PLAIN) - loss)
    assert manpower.loss_words(PLAIN) == "killed or wounded"
    assert manpower.loss_words(FORCE) == "killed, wounded, captured or missing"


def test_the_shares_of_the_last_day_go_on():
    killed = FORCE.array("cumulative_killed")
    last = (killed[..., -1] - killed[..., -2]) / FORCE.array("daily_rate")[..., -1]
    np.testing.assert_allclose(manpower.wounded_share(FORCE), 1 - last, rtol=1e-9)
    still = replaced(
        FORCE,
        cumulative_killed=np.broadcast_to(killed[..., -2:-1], killed.shape),
        cumulative_loss=np.broadcast_to(FORCE.array("cumulative_loss")[..., -2:-1], killed.shape),
    )
    overall = killed[..., -2] / FORCE.array("cumulative_loss")[..., -2]
    np.testing.assert_allclose(manpower.wounded_share(still), 1 - overall, rtol=1e-9)


def test_a_contingent_on_its_way_is_not_depleted():
    """On the first day hardly anybody has arrived; a loss greater than that is not the end of the contingent."""
    arrivals = FORCE.array("arrivals").copy()
    arrivals[..., 0] = 0.0
    fit = replaced(FORCE, arrivals=arrivals)
    for date in depletion_dates(fit, at.hold()).values():
        assert (date.day > 30).all()


def test_the_summary_gives_every_definition():
    fit = gated(FORCE)
    content = at.summarize(fit)
    for name in ("hold", "forecast"):
        one = content["scenarios"][name]
        gross = at.depletion_date(fit, getattr(at, name)())
        assert one["probability_within_horizon"] == gross.probability_within_horizon
        for definition, date in one["other_definitions"].items():
            expected = at.depletion_date(fit, getattr(at, name)(), definition)
            assert date["probability_within_horizon"] == expected.probability_within_horizon
            assert date["definition"].startswith(f"{definition}: ")
    assert "strength_now" in content["quantities"]
    assert "hold, net" in at.summary_text(fit)
    assert "killed, wounded, captured or missing" in at.summary_text(fit)


def test_the_summary_of_any_fit_obeys_its_schema():
    import jsonschema

    from attrition.publishing.summary import summary_schema, summary_table

    for fit in (FORCE, PLAIN):
        jsonschema.validate(at.summarize(gated(fit)), summary_schema())
        keys = set(summary_table(gated(fit))["quantity"])
        assert {"depletion_date[hold]", "depletion_date[hold, net]"} <= keys


@pytest.mark.parametrize("levels", [[5, 50], [0.5, -0.1], 0.5, "0.5", ["0.5"]])
def test_levels_of_a_summary_are_from_0_to_1(levels):
    from attrition.publishing.summary import summary_table

    for work in (at.summarize, summary_table):
        with pytest.raises(at.InputError, match=r"0\.05"):
            work(gated(PLAIN), levels)
    few = at.summarize(gated(PLAIN), (level for level in (0.1, 0.9)))
    assert list(few["quantities"]["total_loss"]["quantiles"]) == ["0.1", "0.9"]
    assert list(few["scenarios"]["hold"]["quantiles"]) == ["0.1", "0.9"]
