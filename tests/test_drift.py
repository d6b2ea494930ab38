"""The check for biases that move: it finds a source that drifts, and leaves the others in peace."""

from __future__ import annotations

import dataclasses
import datetime as dt

import numpy as np
import pytest

import attrition as at
from attrition.campaign import Campaign, Strength
from attrition.checks.drift import _holm, _two_sided, drifting_sources
from attrition.curves import ConstantRate
from attrition.fitted import Fit, label
from attrition.latent import latent, lookup
from attrition.priors import default_priors
from attrition.reporting import Reporting
from attrition.sampling import Settings
from attrition.simulate import simulate
from tables import read

START = dt.date(2024, 1, 1)
DAYS = 240
SOURCES = ("alpha", "beta", "gamma", "delta")
KINDS = ("adversary", "third_party", "analyst", "own_side")
CAMPAIGN = Campaign("world", START, START + dt.timedelta(days=DAYS), Strength(200_000, 0.05))
FIXED = {"constant_rate_unit": 0.7, "claim_error_unit": 0.0}  # 100 a day, errors of ten percent
DRAWS = 200


def world(seed: int, drift: float = 0.0, source: str = "beta", floors: bool = False) -> Fit:
    """A fit whose draws stand around the truth, of a record in which one source's log bias moves by so much."""
    rows = [
        {
            "claim_id": f"{name}{number}",
            "source": name,
            "source_kind": kind,
            "published": (START + dt.timedelta(days=day)).isoformat(),
            "as_of": (START + dt.timedelta(days=day)).isoformat() if number % 2 else None,
            "quantity": "casualties",
            "value": 1500,
            "bound": "at_least" if floors else "approx",
            "unit": 100,
        }
        for name, kind in zip(SOURCES, KINDS, strict=True)
        for number, day in enumerate(range(30, DAYS, 30))
    ]
    priors, reporting = default_priors(CAMPAIGN), Reporting()
    claims = read(*rows)
    made = simulate(claims, CAMPAIGN, priors, seed=seed, curve=ConstantRate(), reporting=reporting, fixed=FIXED)
    arrays = dict(made.arrays)
    table = made.seen.claims
    moved = (table["source"] == source).to_numpy() * drift * (table["end_day"].to_numpy(float) - 30) / (DAYS - 60)
    arrays["claim_value"] = np.round(arrays["claim_value"] * np.exp(moved) / 100) * 100
    rng = np.random.default_rng(seed)
    raw: dict[str, np.ndarray] = {}

    def take(parameter, mean):
        value = np.broadcast_to(made.truth[parameter.name], (1, DRAWS, *np.shape(made.truth[parameter.name]))).copy()
        if parameter.name in ("source_own_shifted", "source_lag_unit"):
            value += 0.2 * rng.standard_normal(value.shape)
        raw[parameter.name] = value
        return value

    latent(take, arrays, priors, ConstantRate(), reporting)
    quantities = latent(lookup(raw), arrays, priors, ConstantRate(), reporting)
    draws = label(raw, {"diverging": np.zeros((1, DRAWS))}, quantities, arrays, made.seen, CAMPAIGN)
    return Fit(
        draws, claims, CAMPAIGN, priors, ConstantRate(), reporting, made.seen, Settings(draws=DRAWS, chains=1), seed
    )


@pytest.mark.parametrize("floors", [False, True])
@pytest.mark.parametrize("drift", [0.6, -0.6])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_drift_of_0_6_is_found_named_and_sized(seed, drift, floors):
    found = drifting_sources(world(seed, drift, floors=floors))
    assert not found.passed
    assert f"beta drifts {'up' if drift > 0 else 'down'}" in found.sentence
    assert not any(name in found.sentence for name in ("alpha", "gamma", "delta"))
    per_month = drift / (DAYS - 60) * 30
    assert found.numbers["slope[beta]"] == pytest.approx(per_month, abs=0.05)
    assert found.numbers["p[beta]"] < 0.05
    assert "Reporting(drift=True)" in found.sentence


def test_false_alarms_are_rare():
    found = [drifting_sources(world(seed)) for seed in range(40)]
    assert sum(not check.passed for check in found) <= 6  # at 5%, more than 6 of 40 in one case of a hundred
    least = [min(p for name, p in check.numbers.items() if name.startswith("p[")) for check in found]
    assert np.median(least) > 0.3  # the least of four corrected p-values, were they uniform: about 0.6


def test_the_answer_is_reproducible():
    fit = world(1, 0.6)
    assert drifting_sources(fit) == drifting_sources(fit)


def test_with_too_few_totals_nothing_is_said():
    fit = world(1, 0.6)
    few = dataclasses.replace(fit.seen, claims=fit.seen.claims.assign(interval_high=np.inf))
    found = drifting_sources(dataclasses.replace(fit, seen=few))
    assert found.passed
    assert found.numbers == {"sources": 0.0}


def test_the_january_record_calls_for_no_drift(january):
    found = drifting_sources(january)
    assert found.passed, found.sentence
    assert "ukraine-president" in found.sentence
    assert at.drifting_sources is drifting_sources


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ({"draws": 0}, "draws"),
        ({"draws": -1}, "draws"),
        ({"draws": 1.5}, "draws"),
        ({"seed": -1}, "seed"),
        ({"seed": True}, "seed"),
    ],
)
def test_draws_and_seeds_that_cannot_be(given, name):
    with pytest.raises(at.InputError, match=f"{name}: got .*whole number"):
        drifting_sources(world(1), **given)


def test_one_source_is_one():
    fit = world(3)
    one = dataclasses.replace(
        fit.seen,
        claims=fit.seen.claims.assign(interval_high=lambda t: t["interval_high"].where(t["source"] == "beta", np.inf)),
    )
    found = drifting_sources(dataclasses.replace(fit, seen=one))
    assert found.numbers["sources"] == 1
    assert found.sentence.startswith("the totals of one source agree with")
    assert drifting_sources(fit).sentence.startswith("the totals of 4 sources agree with")


def test_holm_by_hand():
    got = _holm({"a": 0.03, "b": 0.01, "c": 0.02, "d": 0.9})
    assert got == pytest.approx({"a": 0.06, "b": 0.04, "c": 0.06, "d": 0.9})


def test_two_sided_p_value_by_hand():
    copies = np.array([[0.0, 1.0, 2.0, 3.0]])
    assert _two_sided(np.full(4, 9.0), copies) == pytest.approx(2 / 5)
    assert _two_sided(np.full(4, -9.0), copies) == pytest.approx(2 / 5)
    assert _two_sided(np.full(4, 1.5), copies) == 1.0
