"""Priors as data: complete, overridable by name, and impossible numbers refused."""

import dataclasses
import math

import pytest

from attrition.campaign import load_campaign
from attrition.coding import SOURCE_KINDS
from attrition.errors import InputError
from attrition.priors import FAMILIES, Prior, default_priors

CAMPAIGN = load_campaign("dprk-kursk")
PRIORS = default_priors(CAMPAIGN)


def problems_of(changes):
    with pytest.raises(InputError) as caught:
        PRIORS.override(changes)
    for problem in caught.value.problems:
        assert problem.got
        assert problem.expected
        assert problem.do
    return [(p.name or p.column, p.column) for p in caught.value.problems]


def test_every_prior_is_complete():
    for name, prior in PRIORS.items():
        assert prior.name == name
        assert set(prior.numbers) == set(FAMILIES[prior.family])
        assert all(math.isfinite(value) for value in prior.numbers.values())
        assert prior.unit
        assert len(prior.why) > 5
    assert len(set(PRIORS)) == len(PRIORS)
    assert {f"bias_{kind}" for kind in SOURCE_KINDS} <= set(PRIORS)


@pytest.mark.parametrize(
    ("name", "numbers"),
    [("bias_adversary", (0.35, 0.35, 0.45)), ("bias_own_side", (-0.5, 0.4, 0.6)), ("bias_third_party", (0.0, 0.2, 0.3)),
     ("bias_analyst", (0.0, 0.2, 0.3)), ("bias_group_sd", (0.15,)), ("bias_killed_adversary", (0.25,)),
     ("killed_share_source_sd", (0.6,)), ("claim_error", (0.10, 0.5)), ("claim_error_killed", (0.25, 0.5)),
     ("deployed_error", (0.05,)), ("deployed_source_sd", (0.07,)), ("contingent_size", (11500.0, 0.10)),
     ("killed_share", (3.0, 9.0)), ("killed_share_walk_sd", (0.15,)), ("captured_ratio", (0.005, 1.5)),
     ("missing_ratio", (0.03, 1.5)), ("lag_adversary", (1.5, 0.3)), ("lag_own_side", (2.5, 0.3)),
     ("lag_third_party", (2.5, 0.3)), ("lag_analyst", (2.0, 0.3)), ("briefing_share", (0.5,)), ("present_error", (0.10,)),
     ("movement_error", (0.30, 0.4)), ("evacuated_fraction", (2.0, 4.0)), ("return_fraction", (2.0, 4.0)),
     ("return_delay", (45.0, 0.5)), ("floor_slack", (1.0, 2.0)), ("source_drift_sd", (0.10, 0.5)),
     ("adversary_intensity", (0.2, 0.2))],
)  # fmt: skip
def test_defaults_are_those_of_the_design(name, numbers):
    assert tuple(PRIORS[name].numbers.values()) == numbers


def test_the_campaign_gives_the_prior_of_its_size():
    size = dataclasses.replace(CAMPAIGN.contingent_size, median=700.0, sd_log=0.3)
    prior = default_priors(dataclasses.replace(CAMPAIGN, contingent_size=size))["contingent_size"]
    assert dict(prior.numbers) == {"median": 700.0, "sd_log": 0.3}


def test_override_changes_what_is_named_and_nothing_else():
    changed = PRIORS.override({"claim_error": {"median": 0.2}, "bias_analyst": {"mean": 0.1}})
    assert dict(changed["claim_error"].numbers) == {"median": 0.2, "sd_log": 0.5}
    assert dict(changed["bias_analyst"].numbers) == {"mean": 0.1, "mean_sd": 0.2, "total_sd": 0.3}
    assert [n for n in PRIORS if changed[n] != PRIORS[n]] == ["bias_analyst", "claim_error"]
    assert "set by the user" in changed["claim_error"].why
    assert str(PRIORS["claim_error"]) in changed["claim_error"].why
    assert list(changed) == list(PRIORS)
    assert (PRIORS.label, changed.label) == ("default", "default, changed")
    assert dict(PRIORS["claim_error"].numbers) == {"median": 0.1, "sd_log": 0.5}


def test_a_whole_prior_takes_the_place_of_another():
    fixed = Prior("whatever", "Fixed", {"value": 0.1}, "log units", "as in the conformance set")
    changed = PRIORS.override({"claim_error": fixed})
    assert changed["claim_error"] == dataclasses.replace(fixed, name="claim_error")
    assert changed.digest != PRIORS.digest


def test_a_typo_lists_the_known_names_and_suggests_the_near_one():
    with pytest.raises(InputError) as caught:
        PRIORS.override({"claim_eror": {"median": 0.2}, "zzz": {"a": 1}, "claim_error": {"mediann": 1}})
    first, second, third = caught.value.problems
    assert "Did you mean claim_error?" in first.do
    assert "Did you mean" not in second.do
    assert all(name in first.expected for name in PRIORS)
    assert (third.name, third.expected) == ("claim_error", "median, sd_log")


IMPOSSIBLE = [
    {"claim_error": {"median": 0.0}},
    {"claim_error": {"median": -1.0}},
    {"claim_error": {"median": math.inf}},
    {"claim_error": {"median": math.nan}},
    {"claim_error": {"sd_log": -0.1}},
    {"claim_error": {"median": "a tenth"}},
    {"claim_error": {"median": None}},
    {"claim_error": 0.2},
    {"killed_share": {"a": 0.0}},
    {"killed_share": {"b": -2.0}},
    {"bias_adversary": {"total_sd": 0.2}},
    {"bias_adversary": {"mean_sd": -0.1}},
    {"bias_group_sd": {"value": -0.15}},
    {"deployed_error": {"value": -0.05}},
    {"killed_share_source_sd": {"value": math.nan}},
    {"killed_share": Prior("", "Fixed", {"value": 1.0}, "", "")},
    {"claim_error": Prior("", "Fixed", {"value": 0.0}, "", "")},
    {"claim_error": Prior("", "Cauchy", {"scale": 1.0}, "", "")},
    {"claim_error": Prior("", "LogNormal", {"mean": 0.0, "sd": 1.0}, "", "")},
    {"bias_adversary": Prior("", "Fixed", {"value": 0.3}, "", "")},
    {"bias_group_sd": Prior("", "LogNormal", {"median": 0.15, "sd_log": 0.3}, "", "")},
    {"briefing_share": {"value": 1.0}},
    {"briefing_share": {"value": -0.1}},
    {"briefing_share": Prior("", "Beta", {"a": 1.0, "b": 1.0}, "", "")},
    {"floor_slack": {"a": 0.0}},
    {"floor_slack": Prior("", "Fixed", {"value": 0.5}, "", "")},
    {"adversary_intensity": {"sd": -0.2}},
    {"adversary_intensity": Prior("", "LogNormal", {"median": 0.2, "sd_log": 0.2}, "", "")},
    {"lag_adversary": {"median": 0.0}},
    {"lag_own_side": Prior("", "Fixed", {"value": -1.0}, "", "")},
    {"lag_analyst": Prior("", "HalfNormal", {"scale": 1.0}, "", "")},
    {"evacuated_fraction": Prior("", "Fixed", {"value": 1.0}, "", "")},
    {"return_fraction": Prior("", "Fixed", {"value": 0.0}, "", "")},
    {"killed_share_walk_sd": {"value": -0.15}},
    {"return_delay": {"median": -45}},
]


@pytest.mark.parametrize("changes", IMPOSSIBLE, ids=[f"{n}-{next(iter(c))}" for n, c in enumerate(IMPOSSIBLE)])
def test_impossible_numbers_are_refused_by_name(changes):
    (name,) = changes
    assert {who for who, _ in problems_of(changes)} == {name}


def test_problems_of_several_priors_come_at_once():
    found = problems_of({"claim_error": {"median": -1, "sd_log": -1}, "killed_share": {"a": -1}, "nothing": {}})
    assert found == [
        ("nothing", "nothing"), ("claim_error", "median"), ("claim_error", "sd_log"), ("killed_share", "a"),
    ]  # fmt: skip


def test_effects_between_sources_may_be_zero():
    names = ("bias_group_sd", "bias_killed_adversary", "killed_share_source_sd", "deployed_source_sd", "briefing_share")
    names += ("killed_share_walk_sd",)
    lags = [f"lag_{kind}" for kind in SOURCE_KINDS]
    none = {name: Prior("", "Fixed", {"value": 0.0}, "", "") for name in lags}
    changed = PRIORS.override({**{name: {"value": 0.0} for name in names}, **none})
    assert {changed[name].numbers["value"] for name in (*names, *lags)} == {0.0}


def test_a_bias_may_be_negative():
    assert PRIORS.override({"bias_killed_adversary": {"value": -0.2}})["bias_killed_adversary"].numbers["value"] == -0.2


def test_the_study_set_differs_in_biases_alone():
    study = default_priors(CAMPAIGN, "study")
    assert study.label == "study"
    assert [name for name in PRIORS if study[name].numbers != PRIORS[name].numbers] == [
        "bias_adversary", "bias_own_side", "bias_third_party", "bias_analyst", "bias_killed_adversary",
    ]  # fmt: skip
    assert study["bias_adversary"].numbers["mean"] == 0.64
    changed = [name for name in study if study[name].numbers != PRIORS[name].numbers]
    assert all("without sight of any claim" in study[name].why for name in changed)
    with pytest.raises(InputError, match="default or study"):
        default_priors(CAMPAIGN, "published")


def test_the_digest_follows_numbers_and_families_and_not_words():
    row = PRIORS["claim_error"]
    reworded = PRIORS.override({"claim_error": dataclasses.replace(row, why="because", unit="nats")})
    assert reworded["claim_error"].why == "because"
    assert reworded.digest == PRIORS.digest == default_priors(CAMPAIGN).digest
    assert PRIORS.override({"claim_error": {"median": 0.1}}).digest == PRIORS.digest
    half = Prior("", "HalfNormal", {"scale": 0.1}, "", "")
    others = [PRIORS.override({"claim_error": change}).digest for change in ({"sd_log": 0.6}, half)]
    assert len({PRIORS.digest, *others}) == 3


def test_priors_cannot_be_changed_in_place():
    priors = default_priors(CAMPAIGN)
    with pytest.raises(dataclasses.FrozenInstanceError):
        priors["claim_error"].family = "Fixed"
    changes = {"claim_error": {"median": 0.3}}
    changed = priors.override(changes)
    changes["claim_error"]["median"] = 9.0
    assert changed["claim_error"].numbers["median"] == 0.3
    assert priors.digest == PRIORS.digest


def test_table_and_mapping_show_every_prior():
    table = PRIORS.table()
    assert table["name"].tolist() == list(PRIORS) == [prior.name for prior in PRIORS.values()]
    assert len(PRIORS) == len(table)
    assert table.loc[table["name"] == "claim_error", "prior"].item() == "LogNormal(median 0.1, sd_log 0.5)"
    assert "no such prior" not in PRIORS
    with pytest.raises(KeyError):
        PRIORS["no such prior"]
    assert "<th" in PRIORS._repr_html_()


def test_as_dict_holds_everything():
    plain = PRIORS.as_dict()
    rows = tuple(Prior(**row) for row in plain["rows"])
    assert type(PRIORS)(plain["label"], rows) == PRIORS
