"""Claims read otherwise: what each reading changes, what is refused before anything is fitted, and one run."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

import attrition as at
from attrition import readings
from attrition.readings import READINGS
from drawings import make

FIT = make(gate={"passed": True})


@pytest.fixture
def asked(monkeypatch):
    """What is asked of the sampler, in order: (function, what differs from the fit)."""
    calls = []

    def refit(fit, *, priors, progress):
        calls.append(("refit", priors))
        return dataclasses.replace(fit, priors=priors)

    def fit(claims, campaign, priors, *, reporting, settings, **given):
        assert (claims, campaign, priors) == (FIT.claims, FIT.campaign, FIT.priors)
        calls.append(("fit", reporting, settings))
        return dataclasses.replace(FIT, reporting=reporting)

    monkeypatch.setattr(readings, "refit", refit)
    monkeypatch.setattr(readings, "fit_model", fit)
    return calls


def test_each_reading_changes_what_it_says(asked):
    table = at.alternative_readings(FIT, progress=False)
    assert list(table["reading"]) == ["as fitted", *READINGS]
    assert table.loc[1, "what"] == "`over 3,000` read the other way: in its cell, 3,000 to 4,000"
    (_, reporting, settings), *others = asked
    assert reporting == dataclasses.replace(FIT.reporting, floors="cell")
    assert settings.draws == FIT.settings.draws
    changed = [{name for name in priors if priors[name] != FIT.priors[name]} for _, priors in others]
    biases = {name for name in FIT.priors if name.startswith("bias_")}
    lags = {name for name in FIT.priors if name.startswith("lag_")}
    assert changed[:3] == [lags, {"briefing_share"}, {"killed_share_walk_sd"}]
    assert changed[3] < biases
    assert "bias_adversary" in changed[3]
    delay, briefing, share, _ = (priors for _, priors in others)
    assert all(delay[name].numbers["median"] < 0.01 for name in lags)
    assert briefing["briefing_share"].numbers == share["killed_share_walk_sd"].numbers == {"value": 0.0}


@pytest.mark.parametrize("names", ["no delay", ["no delay"], ("no delay",)])
def test_one_name_may_be_plain(asked, names):
    assert list(at.alternative_readings(FIT, names)["reading"]) == ["as fitted", "no delay"]
    assert len(asked) == 1


def test_priors_of_other_families_are_replaced(asked):
    given = {
        "lag_adversary": at.Prior("", "Fixed", {"value": 3.0}, "days", "a test"),
        "killed_share_walk_sd": at.Prior("", "LogNormal", {"median": 0.1, "sd_log": 0.5}, "logit units", "a test"),
    }
    fit = dataclasses.replace(FIT, priors=FIT.priors.override(given))
    at.alternative_readings(fit, ("no delay", "one share"))
    (_, delay), (_, share) = asked
    assert str(delay["lag_adversary"]) == "LogNormal(median 0.001, sd_log 0.3)"
    assert "Fixed(value 3)" in delay["lag_adversary"].why
    assert str(share["killed_share_walk_sd"]) == "Fixed(value 0)"
    assert delay["killed_share_walk_sd"] == fit.priors["killed_share_walk_sd"]


@pytest.mark.parametrize("names", ["flors", ["floors", "flors"], ["one share", "no delays", 3]])
def test_unknown_names_are_refused_before_anything_is_fitted(asked, names):
    with pytest.raises(at.InputError, match="floors, no delay, briefings, one share, study priors") as error:
        at.alternative_readings(FIT, names)
    assert "Did you mean" in str(error.value)
    assert not asked


def test_an_extended_model_is_refused(asked):
    with pytest.raises(at.InputError, match="without the extension"):
        at.alternative_readings(dataclasses.replace(FIT, extended=True))
    assert not asked


def test_the_january_record_read_without_delay_and_with_floors_in_their_cell(record, campaign):
    few = at.Settings(draws=150, tune=300, chains=2, target_accept=0.995)
    fit = at.fit(record, campaign, known_by="2025-01-16", seed=2, settings=few, progress=False)
    table = at.alternative_readings(fit, ("floors", "no delay"), progress=False).set_index("reading")
    assert list(table.index) == ["as fitted", "floors", "no delay"]
    numbers = table.drop(columns=["what", "hold_date", "forecast_date", "gate"]).to_numpy(float)
    assert np.isfinite(numbers).all()
    assert (table["total_q05"] < table["total_q50"]).all()
    # a figure that speaks of a later day belongs to a smaller loss on any day before it
    assert table.loc["no delay", "total_q50"] < table.loc["as fitted", "total_q50"]
    assert set(table["gate"]) <= {"passed", "FAILED"}
