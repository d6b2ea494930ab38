"""Log likelihoods by claim are the same however many draws are worked on at once."""

import numpy as np
import pytest

import attrition as at
from attrition.checks import pointwise
from attrition.checks.without import data, free, quantities


@pytest.fixture(scope="module")
def fit(record, campaign):
    fixed = at.Prior("claim_error", "Fixed", {"value": 0.1}, "log units", "a quantity without draws")
    priors = at.default_priors(campaign).override({"claim_error": fixed})
    settings = at.Settings(draws=110, tune=300)
    return at.fit(record, campaign, priors, known_by="2025-01-16", seed=1, settings=settings, progress=False)


@pytest.mark.parametrize("block", [1, 10_000, 1_000_000])
def test_blocks_of_draws_change_nothing(fit, monkeypatch, block):
    whole = pointwise.scored(quantities(fit, free(fit), data(fit)), data(fit), fit.reporting)
    monkeypatch.setattr(pointwise, "BLOCK", block)
    found = pointwise.log_likelihood(fit)
    assert found.shape == (4, 110, len(fit.seen.claims))
    np.testing.assert_array_equal(found, whole)
