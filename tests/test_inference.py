from __future__ import annotations

import dataclasses
import datetime as dt

import numpy as np
import pytest

import attrition as at
from attrition.build import coordinates, graph_key
from attrition.inference import ESCALATED
from attrition.kernel.layout import lay_out
from attrition.observations import observe
from attrition.sampling import Settings

SHORT = Settings(draws=300, tune=300)


def total(fit):
    return fit.array("cumulative_loss")[..., -1]


def test_the_gate_passes_on_the_record(january):
    assert january.passed, january.gate
    assert january.gate["max_rhat"] < 1.01
    assert january.gate["min_ess"] >= 400
    assert january.gate["divergences"] == 0


def test_the_same_seed_gives_the_same_draws(january, record, campaign):
    again = at.refit(january, record, campaign=campaign, known_by="2025-01-16", progress=False)
    assert again.compiled is january.compiled is None
    np.testing.assert_array_equal(total(again), total(january))
    other = at.refit(january, record, campaign=campaign, known_by="2025-01-16", seed=2, progress=False)
    assert not np.array_equal(total(other), total(january))
    assert np.median(total(other)) == pytest.approx(np.median(total(january)), rel=0.05)


def test_what_became_public_later_cannot_change_a_fit(january, record, campaign):
    """Change every later claim and every later phase: the draws stay the same, bit for bit."""
    table = record.table
    later = table["published"] > dt.date(2025, 1, 16)
    share = table["quantity"].str.endswith("share")
    table.loc[later & ~share & (table["bound"] != "range"), "value"] = 777
    table.loc[later, "note"] = "changed"
    phases = tuple(
        dataclasses.replace(phase, date=phase.date - dt.timedelta(days=3), sd_days=9.0)
        if phase.published > dt.date(2025, 1, 16)
        else phase
        for phase in campaign.phases
    )
    changed = dataclasses.replace(campaign, phases=phases)
    assert changed != campaign
    assert at.read_claims(table).digest != record.digest
    again = at.refit(january, at.read_claims(table), campaign=changed, known_by="2025-01-16", progress=False)
    assert again.claims.digest == january.claims.digest
    assert again.campaign.digest == january.campaign.digest
    np.testing.assert_array_equal(total(again), total(january))
    for name in january.draws["constant_data"]:
        np.testing.assert_array_equal(again.draws["constant_data"][name], january.draws["constant_data"][name])


def test_one_claim_and_no_claim(january, record, campaign):
    one = at.read_claims(record.table[record.table["claim_id"] == "K043"])
    single = at.refit(january, one, campaign=campaign.known_by("2025-01-16"), progress=False, settings=SHORT)
    none = at.read_claims(record.table[record.table["claim_id"] == "K042"])
    prior = at.refit(january, none, campaign=campaign.known_by("2025-01-16"), progress=False, settings=SHORT)
    spread = np.log(total(prior)).std()
    assert np.log(total(single)).std() < spread
    assert len(prior.seen.claims) == 0
    # the prior's log total: escalation rate has log sd 1, the rest adds to it; truncation by strength takes some away
    assert 0.7 < spread < 1.6


def test_priors_change_without_compiling(january, campaign):
    shifted = at.default_priors(campaign).override(
        {"bias_adversary": {"mean": 0.85}, "bias_third_party": {"mean": 0.5}}
    )
    lower = at.refit(january, priors=shifted, progress=False)
    # both stance means up by 0.5: the level of all losses goes down by as much, where claims outweigh the rate's prior
    moved = np.median(np.log(total(lower))) - np.median(np.log(total(january)))
    assert -0.55 < moved < -0.35


def test_a_failed_gate_is_escalated_once_and_said(january, record, campaign):
    tiny = Settings(draws=100, tune=150)
    done = at.refit(january, record, campaign=campaign, known_by="2025-01-16", settings=tiny, progress=False)
    assert not done.passed
    assert done.gate["target_accept"] == ESCALATED
    assert "0.995" in done.gate["escalated"]
    assert "FAILED" in str(done)
    with pytest.raises(at.GateError, match="nothing is published"):
        at.publish(done, "never-made")


def test_another_size_is_another_graph(january, campaign):
    def key(end):
        longer = dataclasses.replace(january.campaign, end=end)
        seen = observe(january.claims, longer, january.reporting)
        return graph_key(january.curve, january.reporting, january.priors, seen)

    assert key(campaign.end) == key(campaign.end)
    assert key(campaign.end) != key(campaign.end + dt.timedelta(days=70))


def test_data_that_do_not_fit_are_refused_before_compiled_code(january):
    sizes = {dim: len(names) for dim, names in coordinates(january.seen, january.campaign).items()}

    def layout(changed):
        return lay_out(changed, sizes, january.priors, january.curve, january.reporting)

    arrays = {name: array.values for name, array in january.draws["constant_data"].items()}
    for name, broken in (
        ("claim_source", arrays["claim_source"] + 1000),
        ("claim_briefing", arrays["claim_briefing"] - 1),
        ("share_left", arrays["share_left"] + 1000),
        ("claim_value", arrays["claim_value"][:-1]),
        ("claim_category", arrays["claim_category"].astype(float)),
        ("source_own_sd", arrays["source_own_sd"][:-1]),
        ("claim_unit", arrays["claim_unit"] * np.nan),
    ):
        with pytest.raises(at.InputError, match=name):
            layout({**arrays, name: broken})
    for name in arrays:
        with pytest.raises(at.InputError, match=name):
            layout({n: a for n, a in arrays.items() if n != name})
    layout(arrays)


def test_a_vintage_outside_the_calendar_is_refused(record, campaign):
    with pytest.raises(at.InputError, match="calendar"):
        at.fit(record, campaign, known_by="2024-11-01", seed=1, progress=False)


def test_claims_and_campaign_share_one_vintage(january, record, campaign):
    """Whichever of the two carries the vintage, later claims stay out; a campaign that knows less is refused."""
    from attrition.build import one_vintage

    cut = campaign.known_by("2025-01-16")
    claims, same = one_vintage(record, cut)
    assert claims.vintage == cut.vintage
    assert max(claims.table["published"]) <= dt.date(2025, 1, 16)
    assert same == cut
    with pytest.raises(at.InputError, match="whole campaign"):
        at.refit(january, record, known_by="2026-02-13", progress=False)
    again = at.refit(january, record, progress=False)
    np.testing.assert_array_equal(total(again), total(january))


def test_an_empty_record_is_a_record(january, record, campaign):
    empty = record.known_by("2024-10-01")
    assert len(empty) == 0
    assert "0" in str(empty)
    assert len(empty.evidence) == len(empty.set_aside) == 0
    later = at.read_claims(record.table.iloc[:0])
    prior = at.refit(january, later, progress=False, settings=SHORT)
    assert len(prior.seen.claims) == 0


def test_an_extended_model_is_kept_or_refused(january, record, campaign):
    import pymc as pm

    known = record.known_by("2024-12-23")
    flat = at.ConstantRate()
    model = at.build_model(known, campaign, curve=flat)
    with model:
        pm.Normal("seen_by_a_witness", pm.math.log(model["cumulative_loss"][-1]), 0.01, observed=np.log(6000.0))
    done = at.fit(known, campaign, seed=1, model=model, curve=flat, settings=SHORT, progress=False)
    assert done.extended
    assert np.median(total(done)) == pytest.approx(6000, rel=0.03)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("nutpie.compile_pymc_model", None)  # what was kept needs no compiling
        kept = at.fit(known, campaign, seed=1, model=model, curve=flat, settings=SHORT, progress=False)
    np.testing.assert_array_equal(total(kept), total(done))
    fewer = at.refit(kept, known.without([known.table["claim_id"].iloc[0]]), progress=False)
    assert fewer.compiled is kept.compiled
    assert np.median(total(fewer)) == pytest.approx(6000, rel=0.03)
    again = at.refit(done, progress=False)
    assert again.compiled is done.compiled
    assert np.median(total(again)) == pytest.approx(6000, rel=0.03)
    with pytest.raises(at.InputError, match="extension"):
        at.refit(dataclasses.replace(done, compiled=None), progress=False)


def test_claims_before_a_constant_rate_begins_are_set_aside(record, campaign):
    from attrition.observations import observe

    cut = campaign.known_by("2025-01-16")
    onset = at.ConstantRate().zero_until(cut)
    early = dt.date(2024, 12, 5)
    table = record.known_by("2025-01-16").table
    rows = table["claim_id"] == "K126"
    table.loc[rows, "as_of"] = early
    table.loc[rows, "published"] = dt.date(2024, 12, 6)
    seen = observe(at.read_claims(table), cut, at.Reporting(), zero_until=onset)
    assert "K126" not in set(seen.claims["claim_id"])
    reason = seen.set_aside.set_index("claim_id").loc["K126", "reason"]
    assert "had not begun" in reason
