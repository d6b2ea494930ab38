"""Records at the edge: nothing, one claim, thousands, all the same, two sources a factor of a hundred apart."""

from __future__ import annotations

import datetime as dt

import arviz as az
import numpy as np
import pytest

import attrition as at
from attrition.campaign import Campaign, Phase, Strength
from attrition.prior_draws import prior_draws
from tables import read, row

START, END = dt.date(2024, 11, 1), dt.date(2025, 6, 1)
CAMPAIGN = Campaign(
    name="odd",
    start=START,
    end=END,
    contingent_size=Strength(12_000, 0.1),
    phases=(Phase("escalation", "escalation", dt.date(2024, 12, 1), 3.0, dt.date(2024, 12, 10)),),
)
VINTAGE = "2025-02-01"
FAILURES = ("R-hat of", "effective sample size of", "divergent transition")  # what a failed gate names
SHORT = at.Settings(draws=300, tune=500)


def claim(number, source, value, day="2025-01-20", **changes):
    kind = ("third_party", "adversary", "own_side", "analyst")[sum(map(ord, source)) % 4]
    given = {"claim_id": f"X{number}", "source": source, "source_kind": kind, "value": str(value)}
    return row(**{"as_of": day, "published": day, "as_of_basis": "stated", **given, **changes})


def sound(fit):
    """No NaN, and either a clean gate or a stated failure."""
    for name, draws in fit.posterior.data_vars.items():
        assert np.all(np.isfinite(draws)), name
    assert fit.passed or any(what in fit.gate["sentence"] for what in FAILURES), fit.gate["sentence"]
    for scenario in (at.hold(), at.forecast()):
        dates = at.depletion_dates(fit, scenario)
        assert all(not np.isnan(date.day).any() for date in dates.values())
    return fit


@pytest.fixture(scope="module")
def one():
    """One claim."""
    fit = at.fit(read(claim(1, "a", 3000)), CAMPAIGN, seed=1, known_by=VINTAGE, settings=SHORT, progress=False)
    return sound(fit)


def total(fit):
    return fit.array("cumulative_loss")[..., -1]


def test_one_claim_draws_the_total_to_it(one):
    assert one.passed
    assert 1500 < np.median(total(one)) < 6000


def test_no_claim_gives_the_prior_back(one):
    longer = at.Settings(draws=1500, tune=700)
    fit = sound(at.refit(one, one.claims.without("X1"), campaign=CAMPAIGN, settings=longer, progress=False))
    assert len(fit.seen.claims) == 0
    assert np.std(np.log(total(fit))) > 1.2 * np.std(np.log(total(one)))
    prior = prior_draws(fit.claims, fit.campaign, fit.priors, draws=4000, seed=1, curve=fit.curve).fit
    for name, place in (
        ("cumulative_loss", -1), ("daily_rate", -1), ("daily_rate", 20), ("long_run_rate", ()), ("rate_sd", ()),
        ("contingent_size", ()), ("claim_error", ()), ("return_delay", ()),
    ):  # fmt: skip
        drawn, expected = fit.array(name)[..., *np.atleast_1d(place)], prior.array(name)[..., *np.atleast_1d(place)]
        for level in (0.1, 0.5, 0.9):
            chance = float(np.mean(drawn <= np.quantile(expected, level)))
            error = np.sqrt(level * (1 - level) * (1 / az.ess(drawn, method="bulk") + 1 / expected.size))
            assert abs(chance - level) < 4.5 * error, (name, level, chance)


def test_claims_that_are_all_the_same(one):
    same = read(*[claim(number, "ab"[number % 2], 3000) for number in range(12)])
    fit = sound(at.refit(one, same, campaign=CAMPAIGN, known_by=VINTAGE, settings=SHORT, progress=False))
    assert 1200 < np.median(total(fit)) < 7500


def test_two_sources_a_factor_of_a_hundred_apart(one):
    days = ("2025-01-05", "2025-01-12", "2025-01-20")
    rows = [
        claim(f"{source}{n}", source, value, day)
        for source, value in (("a", 90), ("b", 9000))
        for n, day in enumerate(days)
    ]
    fit = sound(at.refit(one, read(*rows), campaign=CAMPAIGN, known_by=VINTAGE, settings=SHORT, progress=False))
    low, high = np.quantile(total(fit), (0.05, 0.95))
    assert 90 < low < high < 12_500


def test_five_thousand_claims(one):
    rng = np.random.default_rng(5)
    rows = []
    for number in range(5000):
        day = START + dt.timedelta(days=int(rng.integers(36, 92)))
        truth = 50.0 * ((day - START).days - 30)
        value = max(int(round(truth * np.exp(rng.normal(0, 0.1)) / 10) * 10), 60)
        rows.append(
            claim(number, "abcdefgh"[number % 8], value, day.isoformat(), briefing=f"n{number}", bound="approx")
        )
    few = at.Settings(draws=100, tune=150, chains=2)
    fit = sound(at.refit(one, read(*rows), campaign=CAMPAIGN, known_by=VINTAGE, settings=few, progress=False))
    assert len(fit.seen.claims) > 4900
    rate = at.rate_since(fit)
    assert np.std(np.log(total(fit))) < 0.5
    assert 20 < np.median(rate) < 110
