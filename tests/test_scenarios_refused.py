"""What no scenario can be, and what no date can be asked for, is refused with the fix."""

from __future__ import annotations

import pytest

import attrition as at
from attrition.depletion import depletion_dates
from drawings import make
from persons import force

FIT = make(draws=40)
FORCE = force(draws=15)


@pytest.mark.parametrize(
    "make_it",
    [
        lambda: at.hold("soon"),
        lambda: at.hold_last(0),
        lambda: at.hold_last(1.5),
        lambda: at.walk(-0.1),
        lambda: at.walk(float("nan")),
        lambda: at.pause(days=-1),
        lambda: at.pause(sd_days=float("inf")),
        lambda: at.pause(scenario="hold"),
        lambda: at.multiply(-1, at.hold()),
        lambda: at.multiply("2", at.hold()),
        lambda: at.multiply(True, at.hold()),
        lambda: at.multiply(2, None),
        lambda: at.reinforce(0, "2025-02-01", at.hold()),
        lambda: at.reinforce(100, None, at.hold()),
        lambda: at.reinforce(100, "2025-02-01", at.hold(), sd_log=-1),
        lambda: at.then(at.hold(), -1, at.forecast()),
        lambda: at.then(at.hold(), 1.5, at.forecast()),
        lambda: at.then(at.hold(), "soon", at.forecast()),
        lambda: at.then(at.hold(), 5, 7),
    ],
)
def test_bad_arguments(make_it):
    with pytest.raises(at.InputError):
        make_it()


@pytest.mark.parametrize(
    "scenario",
    [
        at.hold("2024-11-03"),
        at.hold("2025-01-16"),
        at.hold("2025-03-01"),
        at.hold_last(74),
        at.pause("2025-01-16"),
        at.then(at.hold(), "2025-01-16", at.forecast()),
        at.reinforce(100, "2025-01-10", at.hold()),
        at.then(at.hold(), 30, at.reinforce(100, "2025-01-20", at.hold())),
        at.then(at.reinforce(100, "2025-03-20", at.hold()), 30, at.hold()),
    ],
    ids=lambda scenario: scenario.name,
)
def test_dates_that_do_not_fit_the_fit(scenario):
    with pytest.raises(at.InputError):
        at.depletion_date(FIT, scenario)


@pytest.mark.parametrize("work", [at.project, at.depletion_date, depletion_dates, at.days_to_share])
@pytest.mark.parametrize(
    ("given", "fix"),
    [(at.hold, r"Call it: hold\(\)"), ("hold", r"hold\(\)"), (30, "a scenario"), (FIT, "a scenario")],
    ids=["function", "text", "number", "fit"],
)
def test_anything_but_a_scenario_is_refused_with_the_fix(work, given, fix):
    with pytest.raises(at.InputError, match=fix):
        work(FIT, given)


def test_the_definition_must_be_known():
    with pytest.raises(at.InputError, match="gross_with_reinforcement"):
        at.depletion_date(FIT, at.hold(), "grossly")
    shown = str(at.depletion_date(FORCE, at.hold(), "net"))
    assert "(net)" in shown
    assert "less those back on duty" in shown
    assert set(at.depletion_date(FORCE, at.hold(), "net").table()["definition"]) == {"net"}
