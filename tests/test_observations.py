"""Which claims enter, and how each is read: every way in, every way out, and how much room a model makes."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from attrition.observations import CATEGORIES, CATEGORY_OF, briefings_of, observe, source_table
from attrition.reporting import Reporting
from attrition.rounding import CEILING, FLOOR, LINEAR
from everything import CAMPAIGN, VINTAGE, claims, day, table

ROW = {**table()[0], "published": day(30), "as_of": day(29)}
BARE = dataclasses.replace(CAMPAIGN, arrival_from=None, full_strength=None)


def read(*rows, campaign=CAMPAIGN, reporting=None, **more):
    rows = [{**ROW, "claim_id": f"R{number}", **row} for number, row in enumerate(rows)]
    known = campaign.known_by(VINTAGE)
    return observe(claims(rows).known_by(VINTAGE), known, reporting or Reporting(), **more)


def only(seen):
    assert (len(seen.claims), len(seen.set_aside)) == (1, 0), seen.set_aside.get("reason")
    return seen.claims.to_dict("records")[0]


def reason(seen):
    assert (len(seen.claims), len(seen.set_aside)) == (0, 1)
    return seen.set_aside.loc[0, "reason"]


def test_every_quantity_has_its_category():
    assert set(CATEGORY_OF) - set(CATEGORIES) == {"casualties", "daily_rate"}
    for name, number in CATEGORY_OF.items():
        assert CATEGORIES[number] == ("total" if name in ("casualties", "daily_rate") else name)


@pytest.mark.parametrize(
    ("how", "form", "value"),
    [
        ({"value": 300, "bound": "approx"}, FLOOR, 300), ({"value": 300, "bound": "exact"}, FLOOR, 300),
        ({"value": 300, "bound": "at_least"}, FLOOR, 300), ({"value": 300, "bound": "point"}, FLOOR, 300),
        ({"value": 300, "bound": "at_least", "open": "yes"}, FLOOR, 300),
        ({"value": None, "bound": "range", "low": 200, "high": 400}, FLOOR, 200),
    ],
)  # fmt: skip
def test_figures_for_a_part_are_floors_on_request(how, form, value):
    part = {**how, "role": "partial"}
    assert "one engagement" in reason(read(part))
    row = only(read(part, reporting=Reporting(partial_floors=True)))
    assert row["spoken"][:2] == (form, value)
    assert (row["interval_low"], row["interval_high"]) == (value, np.inf)


def test_a_ceiling_on_a_part_never_enters():
    part = {"value": 300, "bound": "at_most", "role": "partial"}
    assert "ceiling on a part" in reason(read(part, reporting=Reporting(partial_floors=True)))


@pytest.mark.parametrize("more", [{"quantity": "deployed", "value": 3000}, {"quantity": "killed_share", "value": 0.3}])
def test_a_part_of_the_strength_or_a_share_of_a_part_stays_out(more):
    assert "one engagement" in reason(read({**more, "role": "partial"}, reporting=Reporting(partial_floors=True)))


def test_figures_of_the_build_up_enter_where_the_campaign_has_one():
    row = {"quantity": "deployed", "value": 6000, "role": "buildup"}
    assert only(read(row))["category"] == CATEGORY_OF["deployed"]
    assert "before the force was complete" in reason(read(row, campaign=BARE))
    assert "before the force was complete" in reason(read({**row, "quantity": "casualties"}))


def test_a_headcount_before_the_calendar_is_of_the_first_day_unless_the_force_was_arriving():
    row = {"quantity": "deployed", "value": 6000, "published": day(-4), "as_of": day(-5)}
    assert only(read(row, campaign=BARE))["end_day"] == -5
    assert "while the force was arriving" in reason(read(row))


def test_an_arrival_is_of_a_wave_that_the_campaign_knows():
    row = {"quantity": "reinforcement", "value": 1000, "published": day(90), "as_of": day(90)}
    assert only(read({**row, "wave": "second"}))["wave"] == "second"
    assert "knows no arrival fourth by then" in reason(read({**row, "wave": "fourth"}))
    early = dataclasses.replace(CAMPAIGN, reinforcements=CAMPAIGN.reinforcements[1:])
    assert "knows no arrival second by then" in reason(read({**row, "wave": "second"}, campaign=early))


@pytest.mark.parametrize(
    ("more", "enters"),
    [
        ({"value": 40, "bound": "exact", "unit": 1}, False), ({"value": 60, "bound": "exact", "unit": 1}, True),
        ({"value": 40, "bound": "at_least"}, True), ({"value": 40, "bound": "at_least", "open": "yes"}, True),
        ({"value": 40, "bound": "at_most"}, False), ({"quantity": "killed_share", "value": 0.2}, True),
        ({"quantity": "loss_share", "value": 0.2}, True),
        ({"quantity": "daily_rate", "value": 1, "window_start": day(20)}, False),
        ({"quantity": "daily_rate", "value": 9, "window_start": day(20)}, True), ({"quantity": "captured", "value": 8}, False),
    ],
)  # fmt: skip
def test_counting_noise_is_left_out(more, enters):
    seen = read(more)
    assert bool(len(seen.claims)) == enters
    if not enters:
        assert "counting noise" in reason(seen)
        assert len(read(more, reporting=Reporting(min_persons=0.0)).claims) == 1


def test_dates_stated_spanned_and_missing():
    plain, month, none, published = (
        only(read(row))
        for row in (
            {},
            {"as_of_from": day(10)},
            {"as_of": None, "as_of_basis": "none"},
            {"as_of": day(30), "as_of_basis": "published"},
        )
    )
    assert [(row["first_day"], row["end_day"], row["lagged"]) for row in (plain, month, none, published)] == [
        (29, 29, False), (10, 29, False), (30, 30, True), (30, 30, True),
    ]  # fmt: skip


def test_windows_are_cut_to_the_calendar_and_remembered():
    rate = {"quantity": "daily_rate", "value": 40}
    inside, cut = only(read({**rate, "window_start": day(20)})), read({**rate, "window_start": day(-6)})
    assert (inside["start_day"], inside["days"], inside["clipped"]) == (20, 10, False)
    row = only(cut)
    assert (row["start_day"], row["days"], row["clipped"]) == (0, 36, True)
    assert any("were cut to it: R0" in note for note in cut.notes)


def test_claims_about_days_without_losses_stay_out():
    assert "had not begun" in reason(read({}, zero_until=29))
    assert only(read({}, zero_until=28))["end_day"] == 29
    assert only(read({"quantity": "deployed", "value": 9000}, zero_until=29))["end_day"] == 29


def test_notes_say_what_a_user_should_know():
    losses = {"quantity": "losses"}
    assert any("no figure for captured or missing" in note and "(R0)" in note for note in read(losses).notes)
    counted = {"quantity": "missing", "value": 200}
    assert any("no figure for captured:" in note for note in read(losses, counted).notes)
    told = (losses, counted, {"quantity": "captured", "value": 80})
    assert not any("no figure" in note for note in read(*told).notes)
    assert any(
        "1 of 2 figures came without a date" in note for note in read({}, {"as_of": None, "as_of_basis": "none"}).notes
    )
    assert any("R0: more than the" in note for note in read({"value": 900_000}).notes)


def test_briefings_hold_two_figures_about_losses_or_more():
    rows = [{}, {"quantity": "killed", "value": 200}, {"quantity": "deployed", "value": 9000}, {"published": day(31)}]
    rows += [
        {"published": day(40), "briefing": "press"},
        {"published": day(41), "briefing": "press", "quantity": "killed"},
    ]
    seen = read(*rows)
    assert briefings_of(seen.claims.to_dict("records")) == [f"foe:{day(30)}", "press"]
    assert seen.rooms["briefing"] == 8
    assert read({}).rooms["briefing"] == 0


def test_a_room_never_shrinks_and_comes_in_steps_of_eight():
    seen = read({}, room={"source": 40, "briefing": 24, "month": 8, "drift": 16})
    assert {name: seen.rooms[name] for name in ("source", "briefing", "month", "drift")} == {
        "source": 40, "briefing": 24, "month": 8, "drift": 16,
    }  # fmt: skip
    assert seen.rooms["wave"] == CAMPAIGN.wave_slots
    drift = read({}, {"published": day(31), "as_of": day(30)}, reporting=Reporting(drift=True))
    assert (drift.rooms["drift"], read({}).rooms["drift"]) == (8, 0)
    names = source_table(seen)
    assert all(len(column) == 40 for column in names.values())
    assert not names["several"].any()


def test_slack_is_for_floors_that_are_not_open():
    from attrition.containers import containers
    from attrition.curves import default_curve
    from attrition.priors import default_priors

    rows = [{"bound": bound, "open": is_open} for bound, is_open in
            (("at_least", ""), ("at_least", "yes"), ("at_most", ""), ("approx", ""), ("exact", ""))]  # fmt: skip
    rows += [{"bound": "at_least", "role": "partial"}, {"bound": "range", "value": None, "low": 500, "high": 900}]
    reporting = Reporting(partial_floors=True)
    seen = read(*rows, reporting=reporting)
    known = CAMPAIGN.known_by(VINTAGE)
    arrays = containers(seen, known, default_priors(known), default_curve(known), reporting)
    slack = dict(zip(seen.claims["claim_id"], arrays["claim_slack"], strict=True))
    assert [slack[f"R{number}"] for number in range(7)] == [1, 0, 0, 0, 0, 0, 0]
    forms = dict(zip(seen.claims["claim_id"], arrays["claim_form"], strict=True))
    assert [forms[f"R{number}"] for number in (0, 1, 2, 5)] == [LINEAR, FLOOR, LINEAR, FLOOR]
    assert CEILING not in forms.values()
