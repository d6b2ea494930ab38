"""The prior guide: complete, drawn from the model's own text, and written as the command writes it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy import special, stats
from typer.testing import CliRunner

import attrition as at
from attrition import cli
from attrition.build import ROOM_WIDTH
from attrition.coding import SOURCE_KINDS
from attrition.errors import AttritionError, InputError
from attrition.guide import LEVELS, prior_guide
from attrition.guide_text import guide_page
from attrition.prior_draws import prior_draws, quantile
from attrition.prior_texts import TEXTS
from attrition.simulate import simulate
from attrition.strength import log_room

VINTAGE = "2025-01-16"
PAGE = Path(__file__).parents[1] / "analysis" / "prior-guide.md"
LOSSES = {"contact_rate", "escalation_rate", "long_run_fraction", "rate_sd", "rate_half_life", "contingent_size"}


@pytest.fixture(scope="module")
def guide(campaign):
    return prior_guide(campaign, known_by=VINTAGE, draws=400, seed=2)


@pytest.fixture(scope="module")
def known(record):
    return record.known_by(VINTAGE)


def test_every_prior_has_a_text(campaign):
    assert set(TEXTS) == set(at.default_priors(campaign))
    for name, text in TEXTS.items():
        for words in (text.does, text.change):
            assert words[0].isupper(), name
            assert words.endswith("."), name
            assert len(words) > 15, name


def test_the_committed_page_is_what_the_command_writes(tmp_path):
    out = tmp_path / "guide.md"
    done = CliRunner().invoke(cli.app, ["priors", "--known-by", VINTAGE, "--out", str(out)])
    assert done.exit_code == 0, done.output
    again = f"attrition priors --known-by {VINTAGE} --out analysis/prior-guide.md"
    assert out.read_text(encoding="utf-8") == PAGE.read_text(encoding="utf-8"), f"write it again: {again}"


def test_draws_are_distributed_as_simulated_campaigns(known, campaign):
    """Against the simulation of one campaign at a time, which draws parameters by other means."""
    many = prior_draws(known, campaign, draws=4000, seed=5)
    one = [simulate(known, campaign, seed=seed).truth for seed in range(200)]
    fit = many.fit
    for name, place in (("cumulative_loss", -1), ("cumulative_killed", -1), ("phase_day", 1), ("source_bias", 0)):
        several = np.array([truth[name][place] for truth in one])
        drawn = fit.array(name)[0, :, place]
        assert stats.ks_2samp(several, drawn).pvalue > 1e-3, name
    several = np.array([float(truth["contingent_size"]) for truth in one])
    assert stats.ks_2samp(several, fit.array("contingent_size")[0]).pvalue > 1e-3


def test_draws_leave_the_force_fighting(known, campaign):
    kept = prior_draws(known, campaign, draws=2000, seed=3)
    free = prior_draws(known, campaign, draws=2000, seed=3, reporting=at.Reporting(truncate=False))
    assert free.rejected == 0
    chance = special.expit(log_room(free.quantities, np) / ROOM_WIDTH)
    assert abs(kept.rejected - (1.0 - chance).sum()) < 4.0 * np.sqrt((1.0 - chance).sum())
    assert kept.fit.array("contingent_size").shape == (1, 2000 - kept.rejected)
    assert log_room(free.quantities, np).min() < 0.0
    assert log_room(kept.quantities, np).min() > -6.0 * ROOM_WIDTH
    assert not kept.fit.passed


def test_a_held_prior_stands_still_and_leaves_the_others(known, campaign):
    def draws(**held):
        return prior_draws(known, campaign, draws=300, seed=4, reporting=at.Reporting(truncate=False), held=held)

    free = draws()
    priors = at.default_priors(campaign)
    size = draws(contingent_size=0.95)
    assert np.unique(size.fit.array("contingent_size")) == pytest.approx(quantile(priors["contingent_size"], 0.95))
    np.testing.assert_array_equal(size.fit.array("rate_sd"), free.fit.array("rate_sd"))
    rate = draws(escalation_rate=0.05)
    phases = list(rate.fit.posterior["phase"].values)
    place = phases.index("escalation")
    np.testing.assert_allclose(rate.fit.array("phase_rate")[..., place], quantile(priors["escalation_rate"], 0.05))
    np.testing.assert_array_equal(rate.fit.array("phase_rate")[..., 0], free.fit.array("phase_rate")[..., 0])
    bias = draws(bias_own_side=0.95)
    numbers = priors["bias_own_side"].numbers
    expected = numbers["mean"] + stats.norm.ppf(0.95) * numbers["mean_sd"]
    np.testing.assert_allclose(bias.quantities["stance_bias"][..., SOURCE_KINDS.index("own_side")], expected)
    lag = draws(lag_adversary=0.5)
    speaks = [name for name, _, kind in lag.fit.seen.sources if kind == "adversary"]
    place = [list(lag.fit.posterior["source"].values).index(name) for name in speaks]
    np.testing.assert_allclose(lag.fit.array("source_lag")[..., place], 1.5)
    share = draws(killed_share=0.05, floor_slack=0.95)
    np.testing.assert_allclose(share.quantities["killed_share_start"], stats.beta.ppf(0.05, 3, 9))
    np.testing.assert_allclose(share.fit.array("floor_slack"), stats.beta.ppf(0.95, 1, 2))


def test_quantiles_of_every_family(campaign):
    priors = at.default_priors(campaign)
    assert quantile(priors["claim_error"], 0.5) == pytest.approx(0.10)
    assert quantile(priors["claim_error"], 0.95) == pytest.approx(stats.lognorm.ppf(0.95, 0.5, scale=0.10))
    assert quantile(priors["bias_adversary"], 0.95) == pytest.approx(stats.norm.ppf(0.95, 0.35, 0.45))
    assert quantile(priors["adversary_intensity"], 0.05) == pytest.approx(stats.norm.ppf(0.05, 0.2, 0.2))
    assert quantile(priors["briefing_share"], 0.05) == 0.5
    assert quantile(at.Prior("rate_sd", "HalfNormal", {"scale": 2.0}, "", ""), 0.5) == pytest.approx(
        stats.halfnorm.ppf(0.5, scale=2.0)
    )
    assert np.isnan(quantile(at.Prior("claim_error_killed", "SameAsTotals", {}, "", ""), 0.5))


def test_only_the_priors_of_losses_move_them(guide):
    assert {name for name in guide.held if guide.moves(name)} == LOSSES
    low, high = guide.held["escalation_rate"]
    assert low.total[1] < guide.overall.total[1] < high.total[1]
    assert low.rejected <= guide.overall.rejected <= high.rejected
    assert low.hold[1] > high.hold[1]
    assert not guide.moves("briefing_share")


def test_a_figure_over_the_truth_follows_the_bias(guide):
    for kind in SOURCE_KINDS:
        low, high = guide.held[f"bias_{kind}"]
        spread = 2 * stats.norm.ppf(0.95) * guide.priors[f"bias_{kind}"].numbers["mean_sd"]
        assert np.log(high.said[1] / low.said[1]) == pytest.approx(spread, abs=0.02)
    low, high = guide.held["lag_third_party"]
    assert high.said[1] < low.said[1] < 1.1
    low, high = guide.held["claim_error_killed"]
    assert high.said[2] / high.said[0] > low.said[2] / low.said[0]


def test_the_table_has_a_row_for_every_prior(guide, campaign):
    table = guide.table.set_index("name")
    assert list(table.index) == list(at.default_priors(campaign))
    row = table.loc["contingent_size"]
    assert row["q05"] < row["q50"] < row["q95"]
    for side in LEVELS:
        assert row[f"total_{side}_q05"] < row[f"total_{side}_q50"] < row[f"total_{side}_q95"]
        assert isinstance(row[f"hold_{side}_q50"], str)
        assert row[f"rejected_{side}"] >= 0
    assert table.loc["claim_error", "said_low_q50"] > 0
    assert np.isnan(table.loc["briefing_share", "total_low_q50"])


def test_claims_stand_beside_what_the_prior_says(known, campaign):
    guide = prior_guide(campaign, claims=known, draws=50)
    assert str(guide.vintage) == VINTAGE
    table = guide.against_claims.set_index("what")
    assert table.loc["total", "claims"] == 7
    assert (table.loc["total", "least"], table.loc["total", "most"]) == (24, 4500)
    assert (table["q05"] < table["q50"]).all()
    assert (table["outside"] <= table["claims"]).all()
    page = guide_page(guide)
    assert "What the claims say" in page
    assert all(f"### {name}\n" in page for name in guide.priors)


def test_the_guide_is_the_same_for_the_same_seed(guide, campaign):
    again = prior_guide(campaign, known_by=VINTAGE, draws=400, seed=2)
    assert guide_page(again) == guide_page(guide)
    assert "What the claims say" not in guide_page(guide)
    assert "killed and wounded by 2025-01-16" in guide_page(guide)
    assert "escalation_rate, 5% to 95%" in str(guide)


def test_a_phase_that_was_not_public_is_not_named(campaign):
    guide = prior_guide(campaign, known_by="2024-12-10", draws=60)
    assert guide.campaign == campaign.known_by("2024-12-10")
    assert "a day since 2024-11-04" in str(guide)
    assert "2024-12-06" not in str(guide) + guide_page(guide).split("## Every prior")[0]
    assert "a day since 2024-12-06" in str(prior_guide(campaign, known_by="2024-12-12", draws=60))


@pytest.mark.parametrize(
    ("given", "vintage"),
    [
        ({"claims": "record"}, "2026-02-13"),
        ({"claims": "known"}, VINTAGE),
        ({"claims": "record", "campaign": "2025-03-01"}, "2025-03-01"),
        ({"campaign": "2025-03-01"}, "2025-03-01"),
        ({}, "2026-02-28"),
    ],
)
def test_the_vintage_where_none_is_asked_for(given, vintage, record, known, campaign):
    claims = {"record": record, "known": known}.get(given.get("claims"))
    day = given.get("campaign")
    guide = prior_guide(campaign.known_by(day) if day else campaign, claims=claims, draws=200)
    assert str(guide.vintage) == vintage
    assert guide.overall.total[1] > 0


def test_a_point_that_leaves_no_force_fighting_is_said_so(record, campaign):
    guide = prior_guide(campaign, claims=record, draws=200)
    low, high = guide.held["long_run_fraction"]
    assert low.total[1] > 0
    assert (high.total, high.rate, high.hold, high.rejected) == ((), (), (), 181)
    assert "to none, hold date" in str(guide)
    page = guide_page(guide)
    assert "| 95% | none: hardly a draw left the force fighting |  |  | over 181 |" in page
    ranked = page.split("## What moves the losses")[1].split("## Every prior")[0]
    assert ranked.splitlines()[6].startswith("| long_run_fraction | ")
    assert np.isnan(guide.table.set_index("name").loc["long_run_fraction", "total_high_q50"])


def test_the_command_runs_without_a_vintage(tmp_path):
    done = CliRunner().invoke(cli.app, ["priors", "--draws", "100"])
    assert done.exit_code == 0, done.output
    assert "As known by 2026-02-13" in done.output


def test_impossible_priors_and_draws_are_refused(known, campaign):
    many = at.default_priors(campaign).override({"escalation_rate": {"median": 1e5, "sd_log": 0.1}})
    with pytest.raises(
        AttritionError, match=r"at odds with that\. Choose an earlier known_by or more draws, or change the prior"
    ):
        prior_draws(known, campaign, many, draws=200)
    with pytest.raises(AttritionError, match="at odds"):
        prior_guide(campaign, many, VINTAGE, draws=200)
    with pytest.raises(InputError, match="at least 20"):
        prior_guide(campaign, draws=3)


def test_other_curves_and_families(known, campaign):
    priors = at.default_priors(campaign).override(
        {
            "rate_sd": at.Prior("", "HalfNormal", {"scale": 0.5}, "log units", "a test"),
            "claim_error_killed": at.Prior("", "SameAsTotals", {}, "", "a test"),
        }
    )
    held = prior_draws(known, campaign, priors, draws=100, held={"rate_sd": 0.95, "claim_error_killed": 0.5})
    np.testing.assert_allclose(held.fit.array("rate_sd"), 0.5 * stats.halfnorm.ppf(0.95))
    constant = prior_draws(known, campaign, draws=100, curve=at.ConstantRate(), held={"constant_rate": 0.5})
    np.testing.assert_allclose(constant.fit.array("constant_rate"), 50.0)
    assert "`claim_error_killed" not in guide_page(prior_guide(campaign, priors, VINTAGE, draws=30))
