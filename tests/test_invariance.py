"""What must not matter does not: order, names, dates and units; totals are sums of windows; an empty statement says nothing."""

from __future__ import annotations

import dataclasses
import datetime as dt

import numpy as np
import pytest

from attrition import claim_error
from attrition.observations import observe
from attrition.reporting import Reporting
from attrition.rounding import rounding_unit
from everything import ALL, CAMPAIGN, CURVES, KINDS, PRIORS, VINTAGE, claims, day, table, taken, world

CELL = Reporting(errors="normal", floors="cell")
OPTIONS = pytest.mark.parametrize("reporting", [ALL, CELL], ids=["all", "cell"])
SAME = {"rel": 1e-9}


@OPTIONS
@pytest.mark.parametrize("seed", range(5))
def test_the_order_of_the_claims(reporting, seed):
    rows = table()
    base = world(claims(rows), reporting=reporting, seed=seed)
    mixed = [rows[place] for place in np.random.default_rng(seed).permutation(len(rows))]
    other = world(claims(mixed), reporting=reporting, seed=seed)
    assert other.seen.claims["claim_id"].tolist() != base.seen.claims["claim_id"].tolist()
    assert other.log_density() == pytest.approx(base.log_density(), **SAME)
    place = {name: number for number, name in enumerate(base.seen.claims["claim_id"])}
    order = [place[name] for name in other.seen.claims["claim_id"]]
    np.testing.assert_allclose(other.log_claims(), base.log_claims()[order], rtol=1e-9, atol=1e-12)


@OPTIONS
def test_the_names_of_sources_and_groups(reporting):
    new = {source: f"a-{len(KINDS) - number}" for number, source in enumerate(KINDS)}
    old = {name: source for source, name in new.items()}

    def alias(key):
        first = key.partition(" ")[0].partition(":")[0]
        return key.replace(first, old[first], 1) if first in old else key

    rows = [{**row, "source": new[row["source"]], "source_group": f"g-{row['source_group']}"} for row in table()]
    base, other = world(reporting=reporting), world(claims(rows), reporting=reporting, alias=alias)
    np.testing.assert_allclose(other.log_claims(), base.log_claims(), rtol=1e-12)
    assert other.log_density() == pytest.approx(base.log_density(), **SAME)


def moved(thing, days):
    """A dataclass with every date shifted."""
    later = dt.timedelta(days=days)

    def shift(value):
        if isinstance(value, dt.date):
            return value + later
        if isinstance(value, tuple):
            return tuple(shift(one) for one in value)
        return moved(value, days) if dataclasses.is_dataclass(value) else value

    names = [field.name for field in dataclasses.fields(thing)]
    return dataclasses.replace(thing, **{name: shift(getattr(thing, name)) for name in names})


@OPTIONS
@pytest.mark.parametrize("curve", CURVES)
def test_the_calendar(reporting, curve):
    days = 37
    rows = [
        {name: value + dt.timedelta(days=days) if isinstance(value, dt.date) else value for name, value in row.items()}
        for row in table()
    ]
    named = {f"{s}:{day(d) + dt.timedelta(days=days)}": f"{s}:{day(d)}" for s in KINDS for d in range(120)}
    base = world(reporting=reporting, curve=CURVES[curve])
    later = moved(CAMPAIGN, days)
    vintage = VINTAGE + dt.timedelta(days=days)
    seen = observe(
        claims(rows).known_by(vintage), later.known_by(vintage), reporting, zero_until=CURVES[curve].zero_until(later)
    )
    other = taken(seen, later.known_by(vintage), PRIORS, CURVES[curve], reporting, 0, lambda key: named.get(key, key))
    np.testing.assert_allclose(other.log_claims(), base.log_claims(), rtol=1e-12)
    assert other.log_density() == pytest.approx(base.log_density(), **SAME)
    for name, array in base.arrays.items():
        np.testing.assert_array_equal(other.arrays[name], array, err_msg=name)


PERSONS = ("contact_rate", "escalation_rate", "pause_rate", "resume_rate", "constant_rate", "contingent_size")


@OPTIONS
@pytest.mark.parametrize("curve", CURVES)
def test_persons_or_thousands_of_persons(reporting, curve, monkeypatch):
    """Everything that is counted in persons a thousand times as large; a point claim is a density per person."""
    k = 1000.0
    rows = []
    for row in table():
        share = row["quantity"].endswith("_share")
        unit = row.get("unit")
        if unit is None and row["value"] is not None and row["bound"] not in ("range", "point"):
            unit = rounding_unit(row["value"], row["bound"])
        numbers = () if share else [name for name in ("value", "low", "high") if row.get(name) is not None]
        more = {name: row[name] * k for name in numbers}
        rows.append({**row, "unit": unit if share or unit is None else unit * k, **more})
    size = dataclasses.replace(CAMPAIGN.contingent_size, median=CAMPAIGN.contingent_size.median * k)
    waves = tuple(dataclasses.replace(wave, median=wave.median * k) for wave in CAMPAIGN.reinforcements)
    large = dataclasses.replace(CAMPAIGN, contingent_size=size, reinforcements=waves)
    priors = PRIORS.override({name: {"median": PRIORS[name].numbers["median"] * k} for name in PERSONS})
    plain = table()
    points = [row["bound"] == "point" and not row["quantity"].endswith("_share") for row in plain]
    base = world(claims(plain), reporting=reporting, curve=CURVES[curve])
    counted = dataclasses.replace(reporting, min_persons=reporting.min_persons * k)
    other = world(claims(rows), campaign=large, priors=priors, reporting=counted, curve=CURVES[curve])
    np.testing.assert_allclose(other.q["cumulative_loss"], k * base.q["cumulative_loss"], rtol=1e-10)
    np.testing.assert_allclose(other.q["arrivals"], k * base.q["arrivals"], rtol=1e-10)
    for name in base.arrays:
        if name.startswith(("claim_start", "claim_end", "claim_category", "claim_source", "claim_slack", "claim_form")):
            np.testing.assert_array_equal(other.arrays[name], base.arrays[name])
    # a number of persons under one is read as one: such claims are not asked about
    above = np.exp(base.center_and_scale()[0]) > 2.0
    above |= base.arrays["claim_category"] < 8
    expected = base.log_claims() - np.log(k) * np.array(points)
    monkeypatch.setattr("attrition.claim_error.FEW", k * claim_error.FEW)  # it is a number of persons too
    np.testing.assert_allclose(other.log_claims()[above], expected[above], rtol=1e-9, atol=1e-9)
    assert above.sum() >= len(above) - 1
    assert other.log_prior == pytest.approx(base.log_prior, **SAME)
    assert other.log_fighting() == pytest.approx(base.log_fighting(), rel=1e-9, abs=1e-15)


def centers(quantity, windows, priors=PRIORS, seed=0, **row):
    """Numbers that one source means for windows (first day or None, last day), in one world."""
    made = [
        {"claim_id": f"W{n}", "source": "wise", "source_kind": "analyst", "published": day(99 + n), "as_of": day(last),
         "quantity": quantity, "value": 1000, "bound": "approx", "window_start": None if first is None else day(first), **row}
        for n, (first, last) in enumerate(windows)
    ]  # fmt: skip
    told = {**made[0], "source": "other", "window_start": None}
    counts = [{**told, "claim_id": name, "quantity": name} for name in ("captured", "missing")]
    moves = [{**told, "claim_id": f"K{number}", "quantity": "killed", "as_of": day(number)} for number in (10, 90)]
    reporting = Reporting(min_persons=0.0)
    there = world(claims([*made, *counts, *moves]), priors=priors, seed=seed, reporting=reporting)
    names = there.seen.claims["claim_id"].tolist()
    assert names[: len(windows)] == [f"W{n}" for n in range(len(windows))]
    return np.exp(there.center_and_scale()[0][: len(windows)])


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("quantity", ["casualties", "losses", "captured", "missing"])
@pytest.mark.parametrize("cut", [13, 45, 88])
def test_a_total_is_the_sum_of_two_adjoining_windows(quantity, cut, seed):
    total, first, second = centers(quantity, [(None, 95), (0, cut), (cut + 1, 95)], seed=seed)
    assert total == pytest.approx(first + second, rel=1e-10)
    whole, early, late = centers(quantity, [(10, 95), (10, cut), (cut + 1, 95)], seed=seed)
    assert whole == pytest.approx(early + late, rel=1e-10)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("quantity", ["killed", "wounded"])
def test_killed_and_wounded_of_windows_add_up_where_the_source_splits_as_it_was(quantity, seed):
    priors = PRIORS.override({"killed_share_source_sd": {"value": 0.0}})
    total, first, second = centers(quantity, [(None, 95), (0, 50), (51, 95)], priors, seed)
    assert total == pytest.approx(first + second, rel=1e-10)
    casualties, killed, wounded = (
        centers(q, [(None, 95)], priors, seed)[0] for q in ("casualties", "killed", "wounded")
    )
    assert casualties == pytest.approx(killed + wounded, rel=1e-10)


@pytest.mark.parametrize("seed", range(3))
def test_a_source_splits_its_total_into_its_killed_and_its_wounded(seed):
    """Whatever its bias and its departure on the split."""
    casualties, killed, wounded = (centers(q, [(None, 95)], seed=seed)[0] for q in ("casualties", "killed", "wounded"))
    assert casualties == pytest.approx(killed + wounded, rel=1e-10)


@pytest.mark.parametrize("seed", range(3))
def test_a_daily_rate_is_the_window_over_its_days(seed):
    (window,) = centers("casualties", [(41, 70)], seed=seed)
    (rate,) = centers("daily_rate", [(41, 70)], seed=seed)
    assert 30 * rate == pytest.approx(window, rel=1e-12)


@OPTIONS
@pytest.mark.parametrize(
    "empty",
    [
        {"value": 0, "bound": "at_least", "open": "yes"},
        {"value": 10**9, "bound": "at_most", "open": "yes"},
        {"quantity": "killed_share", "value": 1, "bound": "at_most", "open": "yes"},
        {"quantity": "killed_share", "value": 0, "bound": "at_least", "open": "yes"},
        {"quantity": "deployed", "value": 0, "bound": "at_least", "open": "yes"},
    ],
    ids=lambda empty: f"{empty.get('quantity', 'casualties')}-{empty['bound']}",
)
def test_a_statement_that_is_always_true_says_nothing(reporting, empty):
    rows = table()
    more = {**rows[-2], "claim_id": "Z", "quantity": "casualties", **empty}
    # a briefing of its own, or the claims made with it would share an error with it
    more |= {"briefing": "alone", "published": rows[-1]["published"], "as_of": None}
    with_it = world(claims([*rows, more]), reporting=dataclasses.replace(reporting, min_persons=0.0))
    without = world(claims(rows), reporting=dataclasses.replace(reporting, min_persons=0.0))
    assert len(with_it.seen.claims) == len(without.seen.claims) + 1
    assert with_it.log_claims()[-1] == pytest.approx(0.0, abs=1e-10)
    if not reporting.drift:  # with drift a date of its own is a step of its own
        np.testing.assert_allclose(with_it.log_claims()[:-1], without.log_claims(), rtol=1e-12)


@pytest.mark.parametrize("quantity", ["casualties", "killed", "captured", "missing", "losses"])
@pytest.mark.parametrize("told", ["everything", "losses", "totals"])
def test_an_open_floor_at_zero_changes_nothing(quantity, told):
    """Not even beside a figure of the same source and day, weeks after its other figures, or as the first of its kind."""
    left_out = {"losses": ("captured", "missing"), "totals": ("captured", "missing", "losses", "loss_share")}.get(
        told, ()
    )
    rows = [row for row in table() if row["quantity"] not in left_out]
    beside = next(row for row in rows if row["source"] == "wise" and row["quantity"] == "killed")
    reporting = Reporting(min_persons=0.0)
    without = world(claims(rows), reporting=reporting)
    for neighbour in (beside, rows[-1]):
        floor = {"quantity": quantity, "value": 0, "bound": "at_least", "open": "yes", "window_start": None}
        with_it = world(claims([*rows, {**neighbour, **floor, "claim_id": "Z"}]), reporting=reporting)
        assert len(with_it.seen.claims) == len(without.seen.claims) + 1
        np.testing.assert_array_equal(with_it.log_claims()[:-1], without.log_claims())
        assert with_it.log_claims()[-1] == 0.0


@OPTIONS
def test_more_room_than_needed_changes_nothing(reporting):
    """A compiled model may have room for more sources, briefings, months and dates than a record has."""
    record, campaign = claims().known_by(VINTAGE), CAMPAIGN.known_by(VINTAGE)
    base = world(reporting=reporting)
    room = {name: size + 16 for name, size in base.seen.rooms.items()}
    seen = observe(record, campaign, reporting, room)
    assert seen.rooms["source"] == base.seen.rooms["source"] + 16
    other = taken(seen, campaign, PRIORS, CURVES["phased"], reporting, 0)
    np.testing.assert_allclose(other.log_claims(), base.log_claims(), rtol=1e-12)
    assert other.log_fighting() == pytest.approx(base.log_fighting(), rel=1e-12)
