"""A model that is wrong on purpose fails its checks; the same model on a record of its own passes them."""

from __future__ import annotations

import numpy as np
import pytest

import attrition as at
from test_cli import run
from worlds import CAMPAIGN, RATE, fixed, priors, record, says

SHORT = at.Settings(draws=300, tune=300, target_accept=0.9)
SURE = {"claim_error": fixed(0.05)}
NAMES = [
    "convergence", "prior predictive", "posterior predictive", "drifting sources", "prior sensitivity", "stance shifts",
    "prior conflict", "later claims", "claims left out", "sources left out",
]  # fmt: skip


@pytest.fixture(autouse=True)
def once(monkeypatch):
    """Sample once: what is looked at here is the check, not the gate."""
    monkeypatch.setattr("attrition.inference.ESCALATED", 0.9)


def made(spread, seed=1, **more):
    """Totals of three sources with errors of a known sd, fitted as if that were 0.05."""
    rng = np.random.default_rng(seed)
    rows = [
        says(source, day, RATE * day * np.exp(spread * rng.logistic() * np.sqrt(3) / np.pi))
        for source in ("calm", "foe", "third")
        for day in range(20, 90, 10)
    ]
    return at.fit(
        record(*rows),
        CAMPAIGN,
        priors(**SURE),
        seed=1,
        curve=at.ConstantRate(),
        settings=SHORT,
        progress=False,
        **more,
    )


@pytest.fixture(scope="module")
def right():
    return made(0.05)


@pytest.fixture(scope="module")
def wrong():
    return made(0.40)


def test_errors_eight_times_as_large_as_assumed(right, wrong):
    good, bad = at.posterior_predictive(right), at.posterior_predictive(wrong)
    assert good.passed, good.sentence
    assert not bad.passed
    assert bad.numbers["p"] < 0.01
    assert bad.numbers["central_90"] < 0.8 < good.numbers["central_90"]


def test_they_surprise_one_by_one(wrong, right):
    good, bad = at.claims_left_out(right), at.claims_left_out(wrong)
    assert good.passed, good.sentence
    assert not bad.passed
    assert "a surprise: W" in bad.sentence
    assert bad.numbers["least_p"] < 1e-4
    assert bad.numbers["elpd"] < good.numbers["elpd"] - 10


def test_what_comes_later_is_not_as_predicted(wrong, right):
    assert at.later_claims(right).passed
    assert not at.later_claims(wrong).passed


def test_a_source_apart_from_the_others():
    """Two sources without bias, as assumed, and one that says six times as much, its bias assumed to be small."""
    rows = [says("calm", day, RATE * day) for day in (30, 40, 50)]
    rows += [says("calm-2", day, RATE * day) for day in (35, 45)] + [says("foe", 55, 6 * RATE * 55)]
    small = {"bias_adversary": {"mean": 0.0, "mean_sd": 0.09, "total_sd": 0.1}}
    fit = at.fit(
        record(*rows),
        CAMPAIGN,
        priors(**SURE, **small),
        seed=1,
        curve=at.ConstantRate(),
        settings=SHORT,
        progress=False,
    )
    check = at.sources_left_out(fit)
    assert not check.passed
    assert check.sentence.startswith("not as the other sources predict: ")
    assert check.numbers["p[foe]"] < 0.002
    conflict = at.prior_conflict(fit)
    assert not conflict.passed
    assert "above" in conflict.sentence
    assert "adversary-bias prior" in conflict.sentence


def test_every_check_from_the_command_line(right, tmp_path):
    right.save(tmp_path / "fit.nc")
    code, out, err = run("checks", tmp_path)
    lines = out.splitlines()
    assert [line.split(":")[0] for line in lines] == NAMES
    assert code == int("FAILED" in out), err
    assert "with the mean bias of analysts 0.1 log units higher" in out.lower()


def test_a_fit_that_is_not_there(tmp_path):
    code, _, err = run("checks", tmp_path / "nowhere.nc")
    assert code == 2
    assert "Traceback" not in err
