"""Predictive checks: places are uniform where the model is right, and a wrong model is told."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import xarray as xr
from scipy import stats

import attrition as at
from attrition.checks.pits import anderson_darling, below_and_at, holm, p_value, places, plain
from attrition.checks.predictive import central_share
from attrition.prior_draws import drawn, prepared
from attrition.simulate import simulate, statements

VINTAGE = "2025-04-30"
SHORT = at.Settings(draws=250, tune=300, target_accept=0.9)


@pytest.fixture(scope="module")
def world(record, campaign):
    """The record as known at the end of April: floors with slack, ranges, ceilings, shares, strength."""
    known, cut = record.known_by(VINTAGE), campaign.known_by(VINTAGE)
    return prepared(known, cut, reporting=at.Reporting(min_persons=0.0))


def test_closed_form_against_frequencies(world):
    """Chances of a smaller value and of the same value: the distribution function against the random generator."""
    rng = np.random.default_rng(1)
    q = drawn(world, 300, 3).quantities
    one = {name: value[:, :1] for name, value in q.items()}
    arrays = dict(world.arrays)
    made = 20_000
    for seed in (1, 2, 3):
        arrays["claim_value"] = statements(np.random.default_rng(seed), one, arrays, world.reporting)[0, 0]
        many = {name: np.broadcast_to(value, (1, made, *value.shape[2:])) for name, value in one.items()}
        copies = plain(statements(rng, many, arrays, world.reporting)[0])
        below, same = below_and_at(one, arrays, world.reporting)
        for exact, seen in (
            (below[0, 0], np.mean(copies < plain(arrays["claim_value"]), axis=0)),
            (same[0, 0], np.mean(copies == plain(arrays["claim_value"]), axis=0)),
        ):
            np.testing.assert_allclose(seen, exact, atol=1e-12 + 4.8 * np.sqrt(exact * (1 - exact) / made).max())
    assert len({float(form) for form in arrays["claim_form"]}) >= 3
    assert (arrays["claim_slack"] > 0).any()


@pytest.fixture(scope="module")
def copies(world):
    """Many records drawn from the prior at once."""
    many = drawn(world, 3000, 4)
    return statements(np.random.default_rng(5), many.quantities, many.arrays, world.reporting)[0]


@pytest.fixture(scope="module")
def records(world):
    """Records drawn from the prior one by one, by the other generator (record, claim)."""
    given = {"priors": world.priors, "reporting": world.reporting}
    return [simulate(world.claims, world.campaign, seed=s, **given).arrays["claim_value"] for s in range(120)]


def test_places_of_simulated_records_are_uniform(copies, records):
    rng = np.random.default_rng(6)
    found = [places(values, copies, rng) for values in records]
    pit = np.array([own for own, _ in found])
    each = [stats.kstest(pit[:, claim], "uniform").pvalue for claim in range(pit.shape[1])]
    assert min(each) > 0.001 / len(each) ** 0.5
    p = [p_value(own, others) for own, others in found]
    assert stats.kstest(p, "uniform").pvalue > 0.01
    share = np.mean([central_share(values, copies).mean() for values in records])
    assert share == pytest.approx(0.9, abs=0.03)


def test_places_without_the_random_part_are_not(copies, records):
    """The same with the lower end of each cell: the randomisation is what makes them uniform."""
    ends = np.array([np.mean(copies < values, axis=0) for values in records])
    worst = min(stats.kstest(ends[:, claim], "uniform").pvalue for claim in range(ends.shape[1]))
    assert worst < 1e-6


def test_records_of_another_prior_are_told(copies, world):
    """Sources that all exaggerate by a factor of twenty more than the prior has it: p-values pile up at 0."""
    kinds = ("adversary", "own_side", "third_party", "analyst")
    means = {f"bias_{kind}": world.priors[f"bias_{kind}"].numbers["mean"] + 3.0 for kind in kinds}
    wide = world.priors.override({name: {"mean": mean} for name, mean in means.items()})
    rng, p = np.random.default_rng(7), []
    for seed in range(30):
        made = simulate(world.claims, world.campaign, wide, seed=seed, reporting=world.reporting)
        p.append(p_value(*places(made.arrays["claim_value"], copies, rng)))
    assert stats.kstest(p, "uniform", alternative="greater").pvalue < 0.01


def test_the_distance_is_that_of_anderson_and_darling():
    u = 0.2
    assert anderson_darling(np.array([u])) == pytest.approx(-1 - np.log(u) - np.log(1 - u))
    rng = np.random.default_rng(1)
    distances = anderson_darling(rng.random((20_000, 30)))
    assert np.mean(distances > 2.492) == pytest.approx(0.05, abs=0.006)  # critical value at 5%
    assert np.mean(distances > 3.878) == pytest.approx(0.01, abs=0.003)


def test_places_by_hand():
    copies = np.array([[1.0], [2.0], [2.0], [3.0]])
    found = {
        round(float(places(np.array([2.0]), copies, np.random.default_rng(s))[0][0] * 5) - 0.5) for s in range(200)
    }
    assert found <= {1, 2, 3}  # ranks 1 to 3 of 0 to 4
    assert central_share(np.array([2.0]), copies) == pytest.approx(1.0)
    assert central_share(np.array([9.0]), np.arange(100.0)[:, None] / 100) == pytest.approx(0.0)


def test_numbers_reached_in_two_ways_are_one():
    assert plain(np.array([0.1 + 0.2])) == plain(np.array([0.3]))
    assert (plain(np.array([3800.0, 0.0, -200.0])) == [3800.0, 0.0, -200.0]).all()
    assert holm({"a": 0.03, "b": 0.01}) == pytest.approx({"a": 0.03, "b": 0.02})


# On the record


def revalued(fit, factor):
    """The fit with every stated number so many times as large; its draws stay."""
    groups = dict(fit.draws.to_dict())
    constant = groups["/constant_data"]
    groups["/constant_data"] = constant.assign(claim_value=constant["claim_value"] * factor)
    return dataclasses.replace(fit, draws=xr.DataTree.from_dict(groups))


def test_the_january_record_is_as_prior_and_posterior_predict(january):
    for check in (at.prior_predictive(january), at.posterior_predictive(january)):
        assert check.passed, check.sentence
        assert check.numbers["claims"] == len(january.seen.claims)
        assert 0.8 <= check.numbers["central_90"] <= 1.0
        sources = {key for key in check.numbers if key.startswith("p[source ")}
        assert sources == {f"p[source {name}]" for name in january.seen.claims["source"]}
        assert {"p[bound approx]", "p[bound at_least]", "p[bound at_least, open]"} < set(check.numbers)
        assert "least likely source" in check.sentence
    assert at.posterior_predictive(january).numbers == at.posterior_predictive(january).numbers


@pytest.mark.parametrize("factor", [30.0, 1 / 30])
def test_a_record_thirty_times_off_is_not_what_the_prior_predicts(january, factor):
    check = at.prior_predictive(revalued(january, factor))
    assert not check.passed
    assert "not as predicted" in check.sentence
    assert check.numbers["p"] < 0.01
    assert check.numbers["central_90"] < 0.6


def test_with_no_claim_there_is_nothing_to_check(january, record):
    empty = at.refit(january, at.read_claims(record.table.iloc[:0]), settings=SHORT, progress=False)
    for check in (
        at.prior_predictive,
        at.posterior_predictive,
        at.claims_left_out,
        at.sources_left_out,
        at.later_claims,
    ):
        assert check(empty).passed
        assert check(empty).numbers.get("claims", 0.0) == 0.0


@pytest.mark.parametrize("given", [{"seed": -1}, {"seed": True}, {"draws": 10}, {"draws": 1e3}])
def test_what_cannot_be_asked_for(january, given):
    with pytest.raises(at.InputError, match="whole number"):
        at.prior_predictive(january, **given)
