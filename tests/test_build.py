"""The graph says what the model says: against an independent evaluation, without the claims, and as data only."""

from __future__ import annotations

import math

import numpy as np
import pytest

import attrition as at
from attrition.containers import CONTAINERS


@pytest.fixture(scope="module")
def model(record, campaign):
    return at.build_model(record.known_by("2025-01-16"), campaign)


def test_names_and_dims(model):
    assert {"daily_rate", "cumulative_loss", "source_bias", "contingent_size", "claims"} <= set(model.named_vars)
    assert model.named_vars_to_dims["cumulative_loss"] == ("day",)
    assert model.named_vars_to_dims["source_bias"] == ("source",)
    assert model.named_vars_to_dims["claims"] == ("claim",)
    assert not any("claim" in (model.named_vars_to_dims.get(v.name) or ()) for v in model.deterministics)


def test_containers_stand_in_their_order(model):
    names = [variable.name for variable in model.data_vars]
    assert names == [spec.name for spec in CONTAINERS if spec.name in names]


def test_prior_predictive_goes_the_same_path(record, campaign):
    bare = at.build_model(record.known_by("2025-01-16"), campaign, likelihood=False)
    assert "claims" not in bare.named_vars
    assert "still_fighting" in bare.named_vars
    assert "cumulative_loss" in bare.named_vars


def logistic_cell(low, high, center, scale):
    def cdf(x):
        return 1.0 / (1.0 + math.exp(-(math.log(x) - center) / scale))

    return math.log((cdf(high) if math.isfinite(high) else 1.0) - (cdf(low) if low > 0 else 0.0))


def test_claims_log_density_against_plain_python(january):
    """Evaluate the likelihood of three draws claim by claim, from named quantities and the table's own words."""
    from attrition.latent import claim_location, claim_scale, latent, lookup
    from attrition.reporting import log_probability

    arrays = {name: array.values for name, array in january.draws["constant_data"].items()}
    raw = {name: array.values for name, array in january.draws["free"].data_vars.items()}
    q = latent(lookup(raw), arrays, january.priors, january.curve)
    how = (arrays["claim_form"], arrays["claim_unit"], arrays["claim_offset"])
    mu, scale = claim_location(q, arrays), claim_scale(q, arrays, january.reporting)
    fast = log_probability(arrays["claim_value"], mu, scale, *how, "logistic", np)
    posterior = january.posterior
    for chain, draw in ((0, 3), (2, 500), (3, 999)):
        one = posterior.isel(chain=chain, draw=draw)
        for number, row in enumerate(january.seen.claims.to_dict("records")):
            source = one.sel(source=row["source"])
            if row["quantity"] == "deployed":
                continue
            end = float(one["cumulative_loss"].sel(day=str(row["as_of"])))
            start = 0.0
            if row["window_start"]:
                before = np.datetime64(row["window_start"]) - np.timedelta64(1, "D")
                start = float(one["cumulative_loss"].sel(day=before))
            center = math.log(end - start) + float(source["source_bias"])
            share = float(source["source_killed_share"])
            error = float(one["claim_error"])
            if row["quantity"] == "killed":
                center += math.log(share) + (0.25 if row["source_kind"] == "adversary" else 0.0)
                error = float(one["claim_error_killed"])
            if row["quantity"] == "wounded":
                center += math.log(1.0 - share)
            slow = logistic_cell(row["interval_low"], row["interval_high"], center, error * math.sqrt(3.0) / math.pi)
            assert fast[chain, draw, number] == pytest.approx(slow, rel=1e-7, abs=1e-9), row["claim_id"]


def test_source_bias_has_the_total_sd_of_the_table(record, campaign):
    """Stance mean, group and own effects add up to the table's total, drawn from the prior by simulation."""
    from attrition.simulate import simulate

    known, cut = record.known_by("2025-01-16"), campaign.known_by("2025-01-16")
    draws = np.array([simulate(known, cut, seed=seed).truth["source_bias"] for seed in range(1500)])
    names = [source for source, _, _ in known.sources]
    nis, president = draws[:, names.index("rok-nis")], draws[:, names.index("ukraine-president")]
    assert president.mean() == pytest.approx(0.35, abs=0.05)
    assert president.std() == pytest.approx(0.45, rel=0.07)
    assert nis.mean() == pytest.approx(0.0, abs=0.03)
    assert nis.std() == pytest.approx(0.30, rel=0.07)
    # two Ukrainian sources share the stance mean and a group effect
    shared = np.cov(president, draws[:, names.index("ukraine-hur")])[0, 1]
    assert shared == pytest.approx(0.35**2 + 0.15**2, rel=0.2)
