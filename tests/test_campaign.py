"""Campaign: dates in order, nothing unknown accepted, nothing known before it was public."""

import dataclasses
import datetime as dt

import pytest

from attrition.campaign import (
    PHASE_KINDS,
    Campaign,
    Strength,
    campaign_of,
    load_campaign,
    read_campaign,
)
from attrition.errors import InputError

MINIMAL = {
    "name": "small",
    "start": dt.date(2025, 1, 1),
    "end": dt.date(2025, 6, 1),
    "contingent_size": {"median": 1000, "sd_log": 0.1},
}
PHASE = {
    "name": "attack",
    "kind": "escalation",
    "date": dt.date(2025, 2, 1),
    "sd_days": 3,
    "published": dt.date(2025, 2, 5),
}
WAVE = {
    "wave": "second",
    "date": dt.date(2025, 3, 1),
    "sd_days": 5,
    "published": dt.date(2025, 3, 3),
    "median": 400,
    "sd_log": 0.5,
}
REFERENCE = {
    "source": "isw",
    "published": dt.date(2025, 1, 16),
    "daily_rate": 92,
    "strength": 12000,
    "date": dt.date(2025, 4, 15),
}


@pytest.fixture(scope="module")
def campaign():
    return load_campaign("dprk-kursk")


def problems_of(content):
    with pytest.raises(InputError) as caught:
        campaign_of(content)
    for problem in caught.value.problems:
        assert problem.got
        assert problem.expected
        assert problem.do
    return {(p.where, p.column) for p in caught.value.problems}


def test_the_packaged_campaign_reads(campaign):
    assert (campaign.name, campaign.contingent) == ("dprk-kursk", "dprk-kursk")
    assert (campaign.start, campaign.end) == (dt.date(2024, 11, 4), dt.date(2026, 2, 28))
    assert campaign.contingent_size.median == 11500.0
    assert [phase.kind for phase in campaign.phases] == list(PHASE_KINDS)
    assert campaign.escalation.date == campaign.rate_since == dt.date(2024, 12, 6)
    assert (campaign.arrival_from, campaign.full_strength) == (None, None)
    assert [wave.wave for wave in campaign.reinforcements] == ["second-wave-2025"]
    assert campaign.wave_slots == 1
    assert [interest.date for interest in campaign.dates_of_interest] == [dt.date(2025, 4, 15)]
    assert (campaign.reference_projection.daily_rate, campaign.reference_projection.strength) == (92.0, 12000.0)
    assert campaign.phase_slots == 4


def test_days_and_dates_are_inverse(campaign):
    assert [campaign.day(date) for date in (campaign.start, campaign.end)] == [0, 481]
    assert all(campaign.day(campaign.date(day)) == day for day in range(482))
    assert campaign.date(162.0) == dt.date(2025, 4, 15)
    assert campaign.date(161.01) == dt.date(2025, 4, 15)


@pytest.mark.parametrize(
    ("vintage", "phases", "projection"),
    [("2024-11-03", 0, False), ("2024-12-11", 1, False), ("2024-12-12", 2, False), ("2025-01-15", 2, False),
     ("2025-01-16", 2, True), ("2025-01-29", 2, True), ("2025-01-30", 3, True), ("2025-02-07", 4, True)],
)  # fmt: skip
def test_known_by_drops_what_was_not_public(campaign, vintage, phases, projection):
    known = campaign.known_by(vintage)
    assert known.phases == campaign.phases[:phases]
    assert known.reinforcements == ()
    assert known.wave_slots == campaign.wave_slots
    assert (known.reference_projection is not None) == projection
    assert known.vintage == dt.date.fromisoformat(vintage)
    assert known.phase_slots == campaign.phase_slots
    assert (known.start, known.end, known.contingent_size) == (campaign.start, campaign.end, campaign.contingent_size)


def test_known_by_drops_an_arrival_until_it_is_public(campaign):
    assert [len(campaign.known_by(day).reinforcements) for day in ("2025-02-13", "2025-02-14")] == [0, 1]


def test_without_a_known_escalation_the_rate_is_measured_from_the_start(campaign):
    known = campaign.known_by("2024-12-01")
    assert known.escalation is None
    assert known.rate_since == campaign.start


def test_a_vintage_cannot_be_widened_again(campaign):
    known = campaign.known_by("2025-01-17")
    assert known.known_by("2024-12-12").phases == campaign.phases[:2]
    with pytest.raises(InputError, match="whole campaign"):
        known.known_by("2025-02-07")


@pytest.mark.parametrize("vintage", [None, "2024-12-11", "2025-01-17"])
def test_as_dict_and_back_is_the_same_campaign(campaign, vintage):
    whole = campaign.known_by(vintage) if vintage else campaign
    again = campaign_of(whole.as_dict())
    assert again == whole
    assert again.digest == whole.digest


def test_the_digest_follows_every_visible_number(campaign):
    size = dataclasses.replace(campaign.contingent_size, median=11501.0)
    arrives = {"arrival_from": campaign.start, "full_strength": dt.date(2024, 12, 1)}
    later = {**arrives, "full_strength": dt.date(2024, 12, 2)}
    wave = campaign.reinforcements[0]
    changes = [
        {"contingent_size": size},
        {"end": dt.date(2026, 3, 1)},
        {"horizon_days": 366},
        {"phases": ()},
        arrives,
        later,
    ]
    changes += [
        {"reinforcements": (dataclasses.replace(wave, **change),)}
        for change in (
            {"median": 2001.0},
            {"sd_log": 0.9},
            {"sd_days": 9.0},
            {"date": dt.date(2025, 2, 6)},
            {"wave": "x"},
        )
    ]
    digests = {dataclasses.replace(campaign, **change).digest for change in changes}
    assert len(digests | {campaign.digest}) == len(changes) + 1
    assert load_campaign("dprk-kursk").digest == campaign.digest


def test_every_unknown_missing_and_mistyped_key_at_once():
    found = problems_of(
        {
            "name": 3,
            "start": "first of May",
            "contingent_size": {"median": "many", "sdlog": 0.1},
            "phases": [PHASE, {**PHASE, "dat": 1, "sd_days": True}, {"name": "bare"}],
            "reference_projection": {**REFERENCE, "daily_rate": float("nan")},
            "dates_of_interest": [{"date": dt.datetime(2025, 4, 15, 12)}],
            "reinforcements": [{**WAVE, "size": 3}, {"wave": 7}],
            "full_strength": "soon",
            "initial_until": dt.date(2025, 1, 31),
            "colour": "red",
        }
    )
    assert found == {
        ("campaign", "name"), ("campaign", "start"), ("campaign", "end"), ("campaign", "colour"),
        ("contingent_size", "median"), ("contingent_size", "sdlog"), ("contingent_size", "sd_log"),
        ("phases[1]", "dat"), ("phases[1]", "sd_days"), ("phases[2]", "kind"), ("phases[2]", "date"),
        ("phases[2]", "sd_days"), ("phases[2]", "published"), ("reference_projection", "daily_rate"),
        ("dates_of_interest[0]", "date"), ("reinforcements[0]", "size"), ("reinforcements[1]", "wave"),
        ("reinforcements[1]", "date"), ("reinforcements[1]", "sd_days"), ("reinforcements[1]", "published"),
        ("reinforcements[1]", "median"), ("reinforcements[1]", "sd_log"), ("campaign", "full_strength"),
        ("campaign", "initial_until"),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("where", "change"),
    [("phases[0]", {"phases": [{**PHASE, "dat": 1}]}),
     ("phases[0]", {"phases": [3]}),
     ("reinforcements[0]", {"reinforcements": [{**WAVE, "sizes": 1}]}),
     ("contingent_size", {"contingent_size": {"median": 5}}),
     ("reference_projection", {"reference_projection": {"source": "isw"}})],
)  # fmt: skip
def test_a_broken_part_alone_is_reported_as_such(where, change):
    assert {place for place, _ in problems_of({**MINIMAL, **change})} == {where}


@pytest.mark.parametrize(
    "change",
    [
        {"contingent_size": 1000},
        {"phases": PHASE},
        {"phases": 3},
        {"dates_of_interest": ["2025-04-15"]},
        {"reference_projection": "isw"},
        {"reference_projection": [REFERENCE]},
        {"phases": [{**PHASE, "events": "K022"}]},
        {"phases": [{**PHASE, "events": [22]}]},
        {"reinforcements": WAVE},
        {"arrival_from": 3},
        {"horizon_days": 365.5},
        {"horizon_days": float("inf")},
        {"start": "01/02/2025"},
        {"start": "20250101"},
    ],
)
def test_a_value_of_the_wrong_shape_is_refused(change):
    assert problems_of({**MINIMAL, **change})


IMPOSSIBLE = [
    ("end", {"end": dt.date(2025, 1, 1)}),
    ("end", {"end": dt.date(2055, 1, 1)}),
    ("contingent_size.median", {"contingent_size": {"median": 0, "sd_log": 0.1}}),
    ("contingent_size.sd_log", {"contingent_size": {"median": 5, "sd_log": -0.1}}),
    ("horizon_days", {"horizon_days": 0}),
    ("phases[0].kind", {"phases": [{**PHASE, "kind": "surge"}]}),
    ("phases[0].sd_days", {"phases": [{**PHASE, "sd_days": -1}]}),
    ("phases[0].date", {"phases": [{**PHASE, "date": dt.date(2024, 12, 31)}]}),
    ("phases[1].date", {"phases": [PHASE, {**PHASE, "kind": "pause"}]}),
    ("phases", {"phases": [PHASE, {**PHASE, "date": dt.date(2025, 3, 1), "published": dt.date(2025, 3, 2)}]}),
    ("phases[0].published", {"phases": [{**PHASE, "published": dt.date(2025, 1, 3)}]}),
    ("full_strength", {"full_strength": dt.date(2025, 2, 1)}),
    ("full_strength", {"arrival_from": dt.date(2025, 2, 1)}),
    ("full_strength", {"arrival_from": dt.date(2024, 11, 2), "full_strength": dt.date(2024, 11, 1)}),
    ("arrival_from", {"arrival_from": dt.date(2025, 2, 1), "full_strength": dt.date(2025, 3, 1)}),
    ("reinforcements[0].wave", {"reinforcements": [{**WAVE, "wave": ""}]}),
    ("reinforcements[0].median", {"reinforcements": [{**WAVE, "median": 0}]}),
    ("reinforcements[0].sd_log", {"reinforcements": [{**WAVE, "sd_log": -0.5}]}),
    ("reinforcements[0].sd_days", {"reinforcements": [{**WAVE, "sd_days": -5}]}),
    ("reinforcements[0].date", {"reinforcements": [{**WAVE, "date": dt.date(2024, 12, 31)}]}),
    ("reinforcements[0].published", {"reinforcements": [{**WAVE, "published": dt.date(2025, 2, 28)}]}),
    ("reference_projection.daily_rate", {"reference_projection": {**REFERENCE, "daily_rate": 0}}),
]


@pytest.mark.parametrize(("column", "change"), IMPOSSIBLE, ids=[f"{n}-{case[0]}" for n, case in enumerate(IMPOSSIBLE)])
def test_an_impossible_value_is_refused(column, change):
    assert problems_of({**MINIMAL, **change}) == {("campaign", column)}


def test_two_arrivals_need_two_names():
    found = problems_of({**MINIMAL, "reinforcements": [WAVE, {**WAVE, "date": dt.date(2025, 3, 2)}]})
    assert found == {("campaign", "reinforcements[0].wave"), ("campaign", "reinforcements[1].wave")}
    assert campaign_of({**MINIMAL, "reinforcements": [WAVE, {**WAVE, "wave": "third"}]}).wave_slots == 2


def test_impossible_values_come_all_at_once():
    change = {"end": dt.date(2024, 1, 1), "horizon_days": 0, "contingent_size": {"median": -5, "sd_log": -1}}
    columns = {column for _, column in problems_of({**MINIMAL, **change})}
    assert columns == {"end", "horizon_days", "contingent_size.median", "contingent_size.sd_log"}


@pytest.mark.parametrize("text", ["name = ", "\xff\xfe", 'name = "a"\nname = "b"'])
def test_a_file_that_is_not_toml_is_refused(tmp_path, text):
    path = tmp_path / "campaign.toml"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(InputError, match=r"campaign\.toml.*TOML in UTF-8"):
        read_campaign(path)


def test_a_campaign_is_frozen_and_shows_itself(campaign):
    with pytest.raises(dataclasses.FrozenInstanceError):
        campaign.end = campaign.start
    assert "92 a day, 12,000 by 2025-04-15" in str(campaign)
    hostile = Campaign("<b>x</b>", campaign.start, campaign.end, Strength(10.0, 0.1))
    assert "<b>" not in hostile._repr_html_()
