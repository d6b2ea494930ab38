"""A simulated campaign with known truth is recovered, for three seeds."""

from __future__ import annotations

import numpy as np
import pytest

import attrition as at
from attrition.simulate import restated, simulate

SHARP = {
    "bias_adversary": {"mean_sd": 0.05, "total_sd": 0.08},
    "bias_own_side": {"mean_sd": 0.05, "total_sd": 0.08},
    "bias_third_party": {"mean_sd": 0.05, "total_sd": 0.08},
    "bias_group_sd": {"value": 0.02},
    "claim_error": {"median": 0.05, "sd_log": 0.2},
    "claim_error_killed": {"median": 0.05, "sd_log": 0.2},
    "killed_share_source_sd": {"value": 0.1},
}
QUANTITIES = ("total", "rate", "contingent_size", "killed_share", "claim_error", "adversary")


SHORT = at.Settings(draws=500, tune=700)
LONG = at.Settings(draws=2000, tune=700)


@pytest.fixture(autouse=True)
def once(monkeypatch):
    """Sample once, at the first target acceptance: what is checked here is where the truth lies, not the gate."""
    monkeypatch.setattr("attrition.inference.ESCALATED", 0.9)


def drawn(fit):
    return {
        "total": fit.array("cumulative_loss")[..., -1],
        "rate": at.rate_since(fit),
        "contingent_size": fit.array("contingent_size"),
        "killed_share": fit.array("killed_share"),
        "claim_error": fit.array("claim_error"),
        "adversary": fit.array("stance_bias")[..., 0],
    }


def true_values(truth, campaign):
    total = truth["cumulative_loss"]
    start = campaign.day(campaign.rate_since)
    return {
        "total": total[-1],
        "rate": (total[-1] - total[start]) / (len(total) - 1 - start),
        "contingent_size": truth["contingent_size"],
        "killed_share": truth["cumulative_killed"][-1] / total[-1],
        "claim_error": truth["claim_error"],
        "adversary": truth["stance_bias"][0],
    }


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_truth_lies_inside_the_posterior(january, record, campaign, seed):
    known, cut = record.known_by("2025-04-30"), campaign.known_by("2025-04-30")
    priors = at.default_priors(campaign)
    world = simulate(known, cut, priors, seed=seed)
    fit = at.refit(january, restated(known, world), campaign=cut, priors=priors, settings=LONG, progress=False)
    truth = true_values(world.truth, cut)
    for name, draws in drawn(fit).items():
        rank = float(np.mean(draws < truth[name]))
        assert 0.001 < rank < 0.999, (name, rank)  # the third world's claim error lies at 0.5% of its prior


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_with_sharp_priors_the_numbers_come_back(january, record, campaign, seed):
    known, cut = record.known_by("2025-04-30"), campaign.known_by("2025-04-30")
    priors = at.default_priors(campaign).override(SHARP)
    world = simulate(known, cut, priors, seed=seed)
    fit = at.refit(january, restated(known, world), campaign=cut, priors=priors, settings=SHORT, progress=False)
    truth, posterior = true_values(world.truth, cut), drawn(fit)
    assert np.median(posterior["total"]) == pytest.approx(truth["total"], rel=0.15)
    assert np.median(posterior["rate"]) == pytest.approx(truth["rate"], rel=0.15)
    assert np.std(np.log(posterior["total"])) < 0.12
    assert np.median(posterior["killed_share"]) == pytest.approx(truth["killed_share"], rel=0.25)


def test_simulated_values_are_stated_as_the_record_states_them(record, campaign):
    world = simulate(record, campaign, seed=4)
    arrays = world.arrays
    linear = arrays["claim_form"] == 1
    steps = (arrays["claim_value"] - arrays["claim_origin"])[linear] / arrays["claim_unit"][linear]
    np.testing.assert_allclose(steps, np.round(steps), atol=1e-9)
    floors = arrays["claim_form"] == 3
    assert set(np.unique(arrays["claim_value"][floors] / arrays["claim_unit"][floors])) <= {0.0, 1.0}


def test_restated_claims_give_the_simulated_data_back(record, campaign):
    from attrition.containers import containers
    from attrition.curves import default_curve
    from attrition.observations import observe

    known, cut = record.known_by("2025-01-16"), campaign.known_by("2025-01-16")
    world = simulate(known, cut, seed=9)
    again = restated(known, world)
    seen = observe(again, cut, at.Reporting(min_persons=0.0))
    arrays = containers(seen, cut, at.default_priors(cut), default_curve(cut))
    np.testing.assert_allclose(arrays["claim_value"], world.arrays["claim_value"])
