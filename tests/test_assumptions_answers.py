"""Answers on small forces whose truth and whose future are known: pauses and paces to come, and a claim that is wrong."""

from __future__ import annotations

import functools

import numpy as np

import attrition as at
from worlds import LONGER, RATE, SIZE, date, fitted, misses, off, record, recovers, says, sized, total

NOBODY_BACK = {"return_fraction": {"a": 1, "b": 1000}}
DAYS = (30, 40, 50, 60, 70, 80)


@functools.cache
def known():
    """100 a day of 12,000, known up to the 80th day: without a change all are lost on the 120th."""
    return fitted(record(*(says("calm", day, RATE * day) for day in DAYS)), **NOBODY_BACK)


def test_a_pause_to_come():
    """Nobody is lost from the 90th day to the 120th: the last are lost on the 150th, not on the 120th."""
    fit = known()
    misses(at.depletion_date(fit, at.hold()).day, 150, by=-0.15)
    recovers(at.depletion_date(fit, at.pause(date(91), 30, scenario=at.hold())).day, 150, within=0.03)


def test_half_the_pace_after_a_while():
    """From the 101st day on at half the pace: 2,000 are left then, and take forty days."""
    fit = known()
    slower = at.hold().then(20, at.hold().multiplied(0.5))
    misses(at.depletion_date(fit, at.hold()).day, 140, by=-0.1)
    recovers(at.depletion_date(fit, slower).day, 140, within=0.03)


def test_a_share_of_those_left_each_day():
    """Of 4,000 left 2.5% are lost each day: nine tenths of all are lost in 48 days, where a held number takes 28."""
    fit = fitted(record(*(says("calm", day, RATE * day) for day in DAYS)), sized(SIZE, 0.01), **NOBODY_BACK)
    left = SIZE - RATE * 80
    days = np.log(left / (0.1 * SIZE)) * left / RATE
    misses(at.days_to_share(fit, at.hold(), 0.9).days, days, by=-0.3)
    recovers(at.days_to_share(fit, at.per_capita(), 0.9).days, days, within=0.1)


def test_the_claim_that_is_wrong_moves_most():
    """One of six figures is twice too high: with it the total is off, influence names it, without it all is well."""
    rows = [says("calm", day, RATE * day) for day in DAYS[:-1]]
    alike = {f"bias_{kind}": {"mean": 0.0, "mean_sd": 0.05, "total_sd": 0.1} for kind in ("analyst", "third_party")}
    fit = fitted(record(*rows, says("third", 80, 2 * RATE * 80)), settings=LONGER, **alike)
    found = at.influence(fit, progress=False).table
    assert found.iloc[0]["claim_id"] == "W005"
    assert off(total(fit), RATE * 80) > 0.05
    assert abs(found.iloc[0]["total_loss"] / (RATE * 80) - 1.0) < 0.03
