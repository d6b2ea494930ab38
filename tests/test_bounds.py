"""More is known, never less: an added floor moves no quantile down and a ceiling none up, exactly, on a grid of the rate."""

from __future__ import annotations

import numpy as np
import pytest

from attrition.curves import ConstantRate
from attrition.observations import observe
from attrition.priors import Prior
from attrition.reporting import Reporting
from everything import CAMPAIGN, PRIORS, VINTAGE, claims, day, table, taken

RATES = np.exp(np.linspace(np.log(2.0), np.log(400.0), 301))
QUANTILES = np.linspace(0.01, 0.99, 25)
FIXED = PRIORS.override(
    {
        "claim_error": Prior("", "Fixed", {"value": 0.2}, "", ""),
        "killed_share_walk_sd": Prior("", "Fixed", {"value": 0.0}, "", ""),
        "constant_rate": {"median": 40, "sd_log": 0.8},
    }
)
KEPT = ("E00", "E03", "E04", "E07", "E14", "E16", "E18", "E20", "E21", "E26", "E31")
THRESHOLDS = (100, 1200, 3300, 6000)
BEFORE = table()
ADDED = (
    # quantity, thresholds as shares of those of totals, and what the statement has besides
    ("casualties", 1.0, {}), ("casualties", 1.0, {"as_of": None}), ("casualties", 0.4, {"window_start": day(60)}),
    ("casualties", 1.0, {"as_of_from": day(62), "as_of": day(89)}), ("killed", 0.3, {}), ("wounded", 0.7, {}),
    ("captured", 0.02, {}), ("missing", 0.04, {}), ("losses", 1.0, {}), ("daily_rate", 0.012, {"window_start": day(30)}),
    ("loss_share", 1.2e-4, {}), ("evacuated", 0.2, {}), ("returned", 0.1, {}),
)  # fmt: skip


def posterior(added, reporting, others=("captured", "missing")):
    """Weights on the grid of rates, all other parameters held: prior times likelihood, summed to one."""
    rows = [row for row in BEFORE if row["claim_id"] in (*KEPT, "E11") or row["quantity"] in others]
    record = claims([*rows, *added]).known_by(VINTAGE)
    campaign = CAMPAIGN.known_by(VINTAGE)
    seen = observe(record, campaign, reporting)
    assert len(seen.claims) == len(rows) + len(added)
    held = {"claim_error_unit": 0.0, "source_drift_sd_unit": 0.0, "adversary_intensity_unit": 0.5}
    grid = (np.log(RATES) - np.log(40.0)) / 0.8
    made = taken(seen, campaign, FIXED, ConstantRate(), reporting, 0, held={**held, "constant_rate_unit": grid})
    log_weight, totals = made.log_density(), made.q["cumulative_loss"][:, -1]
    weight = np.exp(log_weight - log_weight.max())
    return weight / weight.sum(), totals


def quantiles(weight, totals):
    return np.interp(QUANTILES, np.cumsum(weight), totals)


@pytest.fixture(scope="module", params=["logistic", "normal"])
def base(request):
    reporting = Reporting(errors=request.param, min_persons=0.0, intensity=True, floors="slack")
    weight, totals = posterior([], reporting)
    assert (np.diff(totals) > 0).all()
    assert weight[0] < 1e-6
    assert weight[-1] < 1e-6
    return reporting, weight, totals


def statement(quantity, value, bound, more):
    return {
        "claim_id": "Z", "contingent": "all", "source": "wise", "source_kind": "analyst", "source_group": "wise",
        "published": day(101), "as_of": day(100), "as_of_basis": "none" if more.get("as_of", 0) is None else "stated",
        "quantity": quantity, "value": value, "bound": bound, "open": "yes", "role": "evidence", **more,
    }  # fmt: skip


@pytest.mark.parametrize("bound", ["at_least", "at_most"])
@pytest.mark.parametrize("case", range(len(ADDED)), ids=lambda case: f"{ADDED[case][0]}-{case}")
def test_an_open_bound_moves_every_quantile_its_own_way(base, case, bound):
    reporting, weight, totals = base
    quantity, part, more = ADDED[case]
    before = np.cumsum(weight)
    for threshold in THRESHOLDS:
        value = (
            round(part * threshold, 6) if quantity in ("daily_rate", "loss_share") else max(round(part * threshold), 1)
        )
        tilted, same = posterior([statement(quantity, value, bound, more)], reporting)
        np.testing.assert_allclose(same, totals, rtol=1e-12)
        gain = np.cumsum(tilted) - before if bound == "at_most" else before - np.cumsum(tilted)
        assert gain.min() > -1e-12, (quantity, threshold)
        way = quantiles(tilted, totals) - quantiles(weight, totals)
        assert (way >= -1e-9 * totals.max()).all() if bound == "at_least" else (way <= 1e-9 * totals.max()).all()


@pytest.mark.parametrize("quantity", ["captured", "missing"])
def test_the_first_floor_on_the_missing_moves_no_quantile_down(base, quantity):
    """Among losses in all there may be missing, whether or not somebody counts them."""
    reporting, _, _ = base
    before, totals = posterior([], reporting, others=())
    for threshold in (1, 50):
        tilted, same = posterior([statement(quantity, threshold, "at_least", {})], reporting, others=())
        np.testing.assert_allclose(same, totals, rtol=1e-12)
        assert (np.cumsum(before) - np.cumsum(tilted)).min() > -1e-12


def test_bounds_that_matter_do_move_the_median(base):
    reporting, weight, totals = base
    middle = float(np.interp(0.5, np.cumsum(weight), totals))
    for bound, sign in (("at_least", 1.0), ("at_most", -1.0)):
        tilted, _ = posterior([statement("casualties", round(middle), bound, {})], reporting)
        moved = float(np.interp(0.5, np.cumsum(tilted), totals)) / middle - 1.0
        assert sign * moved > 0.005


def test_a_floor_with_slack_says_no_more_than_without(base):
    """With slack the cells above the stated one are likely too: the posterior lies no lower."""
    reporting, _, _ = base
    closed = statement("casualties", 2000, "at_least", {"open": ""})
    plain = Reporting(errors=reporting.errors, min_persons=0.0, intensity=True, floors="cell")
    slack, totals = posterior([closed], reporting)
    cell, same = posterior([closed], plain)
    # the same record has no other floor that is not open
    np.testing.assert_allclose(same, totals)
    assert (np.cumsum(cell) - np.cumsum(slack)).min() > -1e-12
