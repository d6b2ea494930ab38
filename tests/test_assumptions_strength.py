"""Who is there: those who came back, a reinforcement, a build-up; and what becomes of the date."""

from __future__ import annotations

import dataclasses
import functools

import numpy as np

import attrition as at
from attrition.campaign import Reinforcement
from attrition.manpower import returned, wounded
from worlds import CAMPAIGN, RATE, SIZE, date, fitted, inside, misses, off, record, recovers, says, sized, total

DAYS = (40, 50, 60, 70, 80, 90)
NOBODY_BACK = {"return_fraction": {"a": 1, "b": 1000}}
KNOWN = {"return_delay": {"median": 30, "sd_log": 0.1}, "killed_share": {"a": 75, "b": 225}}
HOME, BACK = 0.2, 0.5  # of the wounded sent home; of the others back after 30 days


def came_back(day: int) -> float:
    return 0.75 * (1 - HOME) * BACK * RATE * (day - 30)


def totals() -> list[dict[str, object]]:
    return [says("calm", day, RATE * day) for day in DAYS]


def sent_home(share: float) -> list[dict[str, object]]:
    return [says("calm", day, share * 0.75 * RATE * day, "evacuated") for day in (60, 90)]


def back_on_duty() -> list[dict[str, object]]:
    return [says("calm", day, came_back(day), "returned") for day in (70, 80, 90)]


@functools.cache
def nobody_back():
    return fitted(record(*totals()), **KNOWN, **NOBODY_BACK)


@functools.cache
def some_back():
    return fitted(record(*totals(), *back_on_duty(), *sent_home(HOME)), **KNOWN)


# Strength


def test_who_is_present_has_partly_come_back():
    """Headcounts with the returned in them look like fewer losses, if nobody is thought to come back."""
    rows = [says("third", day, RATE * day * np.exp(-0.2)) for day in DAYS]
    rows += [says("calm", day, SIZE - RATE * day + came_back(day), "present") for day in DAYS]
    rows.append(says("calm", 5, SIZE, "deployed"))
    misses(total(fitted(record(*rows), **KNOWN, **NOBODY_BACK)), 9_000, by=-0.15)
    new = fitted(record(*rows, *back_on_duty(), *sent_home(HOME)), **KNOWN)
    recovers(total(new), 9_000, within=0.05)


def test_a_reinforcement_is_seen_by_three_claims():
    """3,000 arrive on the 46th day; without them, those present at the end look like few losses."""
    days = (30, 40, 50, 60, 70, 80, 90)
    rows = [says("third", day, RATE * day * np.exp(-0.2)) for day in days]
    rows += [says("calm", day, SIZE - RATE * day + 3000 * (day >= 50), "present") for day in days]
    rows.append(says("calm", 5, SIZE, "deployed"))
    said = (("calm", 52, 3000), ("third", 55, 2700), ("foe", 60, 3400))
    seen = [says(source, day, size, "reinforcement", wave="second") for source, day, size in said]
    arrival = Reinforcement("second", date(46), 5.0, date(52), 2000, 1.0)
    misses(total(fitted(record(*rows), **NOBODY_BACK)), 9_000, by=-0.3)
    new = fitted(record(*rows, *seen), dataclasses.replace(CAMPAIGN, reinforcements=(arrival,)), **NOBODY_BACK)
    recovers(total(new), 9_000, within=0.05)
    recovers(new.array("wave_size")[..., 0], 3_000, within=0.05)
    arrivals = new.array("arrivals")
    for day, there in ((20, SIZE), (55, SIZE + 3000), (90, SIZE + 3000)):
        recovers(arrivals[..., day], there, within=0.03)
    assert (np.diff(arrivals, axis=-1) >= 0).all()


def test_a_force_still_arriving_is_not_a_small_force():
    """200 arrive each day for sixty days; what is there early on is not the contingent."""
    rows = [says("calm", day, 200 * (day + 1), "deployed", role="buildup") for day in (10, 20, 30, 40, 50)]
    rows += [says("calm", day, RATE * day) for day in (20, 40, 60, 80)]
    wide = sized(SIZE, 0.3)
    arriving = dataclasses.replace(wide, arrival_from=date(0), full_strength=date(59))
    as_if_complete = record(*({**row, "role": "evidence"} for row in rows))
    misses(fitted(as_if_complete, wide).array("contingent_size"), SIZE, by=-0.08)
    new = fitted(record(*rows), arriving)
    recovers(new.array("contingent_size"), SIZE, within=0.03)
    np.testing.assert_allclose(np.median(new.array("arrivals")[..., 29]), SIZE / 2, rtol=0.05)


# Those who come back


def test_the_share_that_comes_back_is_recovered():
    fit = some_back()
    recovers(fit.array("evacuated_fraction"), HOME, within=0.05)
    recovers(fit.array("return_fraction"), BACK, within=0.05)
    recovers(returned(fit)[..., -1], came_back(90), within=0.05)


def test_with_returns_the_net_date_is_later():
    """Gone on the 120th day counted once each; with 30 a day back after 30 days, on day 11,100 / 70."""
    old, new = nobody_back(), some_back()
    misses(at.depletion_date(old, definition="net").day, 11_100 / 70, by=-0.2)
    recovers(at.depletion_date(new, definition="net").day, 11_100 / 70, within=0.05)
    recovers(at.depletion_date(new).day, 120, within=0.03)
    gross = at.depletion_date(new, definition="gross_with_reinforcement").day
    assert (at.depletion_date(new, definition="net").day >= gross).all()


def test_the_evacuated_never_come_back():
    """Four in five of the wounded were sent home: at most one in five is ever on duty again."""
    fit = fitted(record(*totals(), *sent_home(0.8)), **KNOWN)
    recovers(fit.array("evacuated_fraction"), 0.8, within=0.06)
    most = (1 - fit.array("evacuated_fraction"))[..., None] * wounded(fit)
    assert (returned(fit) <= most * (1 + 1e-12)).all()
    later = at.depletion_date(fit, definition="net").day - at.depletion_date(fit).day
    with_fewer_home = at.depletion_date(some_back(), definition="net").day - at.depletion_date(some_back()).day
    assert np.median(later) < 0.3 * np.median(with_fewer_home)


def test_a_reinforcement_to_come_moves_the_date_of_everyone():
    """1,500 more at 100 a day are a fortnight more; the initial contingent's date stays."""
    fit = nobody_back()
    more = at.hold().reinforced(1500, date(100), sd_log=0.0)
    later = {
        name: at.depletion_date(fit, more, name).day - at.depletion_date(fit, at.hold(), name).day
        for name in ("gross", "gross_with_reinforcement")
    }
    np.testing.assert_allclose(later["gross"], 0.0, atol=1e-9)
    recovers(later["gross_with_reinforcement"], 15.0, within=0.05)
    assert inside(at.depletion_date(fit).day, 120)
    assert abs(off(at.depletion_date(fit).day, 120)) < 0.03
