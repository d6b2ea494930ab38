"""The graph says what the model says: against an independent evaluation, without the claims, and as data only."""

from __future__ import annotations

import numpy as np
import pytest

import attrition as at
from attrition.containers import BY_NAME, CONTAINERS, labels


@pytest.fixture(scope="module")
def model(record, campaign):
    return at.build_model(record.known_by("2025-01-16"), campaign)


def test_names_and_dims(model):
    assert {"daily_rate", "cumulative_loss", "source_bias", "contingent_size", "claims"} <= set(model.named_vars)
    assert model.named_vars_to_dims["cumulative_loss"] == ("day",)
    assert model.named_vars_to_dims["source_bias"] == ("source",)
    assert model.named_vars_to_dims["claims"] == ("claim",)
    assert not any("claim" in (model.named_vars_to_dims.get(v.name) or ()) for v in model.deterministics)


def test_containers_stand_in_their_order_in_labelled_packs(model):
    """Every number that the model is given has a name in its coordinates, in the order of the list."""
    names = [variable.name for variable in model.data_vars]
    packs = {f"{free}_{kind}" for free in ("claim", "day", "fixed") for kind in ("numbers", "indices")}
    assert sorted(names) == sorted({"claim_value", *packs})
    order = [spec.name for spec in CONTAINERS]
    found = ["claim_value"]
    for name in set(names) - {"claim_value"}:
        rows = model.coords[model.named_vars_to_dims[name][0]]
        assert len(rows) == model[name].get_value().shape[0]
        containers = list(dict.fromkeys(row.split("[")[0] for row in rows))
        assert containers == sorted(containers, key=order.index)
        assert len({BY_NAME[container].dtype for container in containers}) == 1
        found += containers
    assert len(found) == len(set(found))
    assert {"claim_lagged", "source_stance", "prior_floor_slack", "day_arrived", "wave_date"} <= set(found)


def test_the_labels_of_the_packs_are_those_of_the_containers(model, record, campaign):
    from attrition.containers import containers
    from attrition.curves import default_curve
    from attrition.observations import observe

    known, cut = record.known_by("2025-01-16"), campaign.known_by("2025-01-16")
    arrays = containers(observe(known, cut, at.Reporting()), cut, at.default_priors(cut), default_curve(cut))
    for name, rows in labels(arrays).items():
        if name != "claim_value":
            assert tuple(model.coords[model.named_vars_to_dims[name][0]]) == rows


@pytest.mark.parametrize("options", [{"floors": "cell"}, {"drift": True, "intensity": True}, {"errors": "normal"}])
def test_every_option_builds(record, campaign, options):
    model = at.build_model(record.known_by("2025-01-16"), campaign, reporting=at.Reporting(**options))
    assert ("floor_slack" in model.named_vars) == (options.get("floors") != "cell")
    assert ("source_drift_sd_unit" in model.named_vars) == options.get("drift", False)
    assert model["claims"].type.ndim == 1


def test_prior_predictive_goes_the_same_path(record, campaign):
    bare = at.build_model(record.known_by("2025-01-16"), campaign, likelihood=False)
    assert "claims" not in bare.named_vars
    assert "still_fighting" in bare.named_vars
    assert "cumulative_loss" in bare.named_vars


def test_source_bias_has_the_total_sd_of_the_table(record, campaign):
    """Stance mean, group and own effects add up to the table's total, drawn from the prior by simulation."""
    from attrition.prior_draws import prior_draws

    known, cut = record.known_by("2025-01-16"), campaign.known_by("2025-01-16")
    draws = prior_draws(known, cut, draws=6000, seed=1).quantities["source_bias"][0]
    names = [source for source, _, _ in known.sources]
    nis, president = draws[:, names.index("rok-nis")], draws[:, names.index("ukraine-president")]
    assert president.mean() == pytest.approx(0.35, abs=0.05)
    assert president.std() == pytest.approx(0.45, rel=0.07)
    assert nis.mean() == pytest.approx(0.0, abs=0.03)
    assert nis.std() == pytest.approx(0.30, rel=0.07)
    # two Ukrainian sources share the stance mean and a group effect
    shared = np.cov(president, draws[:, names.index("ukraine-hur")])[0, 1]
    assert shared == pytest.approx(0.35**2 + 0.15**2, rel=0.2)
