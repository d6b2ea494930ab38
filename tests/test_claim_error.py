"""Centers and scales of every kind of claim, and all that they speak of, against plain Python written from the design."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from attrition.claim_error import location_and_scale
from attrition.latent import latent, lookup
from attrition.observations import CATEGORIES
from attrition.priors import Prior
from attrition.reporting import Reporting
from attrition.strength import absorbed, log_room
from everything import ALL, CAMPAIGN, CURVES, PRIORS, claims, day, table, world
from plain import Plain

TIGHT = {"rtol": 1e-10, "atol": 1e-10}
OPTIONS = {
    "plain": Reporting(), "drift": Reporting(drift=True), "intensity": Reporting(intensity=True), "all": ALL,
    "normal": Reporting(errors="normal", drift=True, intensity=True, floors="cell"),
}  # fmt: skip


def test_the_record_holds_every_category():
    seen = world().seen
    assert set(seen.claims["category"]) == set(range(len(CATEGORIES)))
    assert not len(seen.set_aside)
    assert seen.claims["lagged"].sum() >= 5
    assert (seen.claims["first_day"] < seen.claims["end_day"]).sum() >= 3
    assert seen.claims["clipped"].any()
    assert seen.share_moves


@pytest.mark.parametrize("curve", CURVES)
@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize("seed", range(4))
def test_every_claim_is_said_as_the_design_says(curve, options, seed):
    made = world(curve=CURVES[curve], reporting=OPTIONS[options], seed=seed)
    plain = Plain(made)
    center, scale = made.center_and_scale()
    expected = plain.all_said()
    np.testing.assert_allclose(scale, expected[1], **TIGHT)
    wrong = np.abs(center - expected[0]) > 1e-10 * (1.0 + np.abs(expected[0]))
    rows = [(row["claim_id"], row["quantity"]) for row, bad in zip(plain.rows, wrong, strict=True) if bad]
    assert not rows, (center[wrong], expected[0][wrong])


CHANGES = {
    "same error for killed": {"claim_error_killed": Prior("", "SameAsTotals", {}, "", "")},
    "no delay": {f"lag_{kind}": Prior("", "Fixed", {"value": 0.0}, "", "") for kind in ("adversary", "third_party")},
    "long delays": {f"lag_{kind}": {"median": 20.0} for kind in ("adversary", "own_side", "analyst")},
    "one error for a briefing": {"briefing_share": {"value": 0.0}},
    "no group": {"bias_group_sd": {"value": 0.0}},
    "all group": {"bias_group_sd": {"value": 9.0}},
    "still share": {"killed_share_walk_sd": Prior("", "Fixed", {"value": 0.0}, "", "")},
}


@pytest.mark.parametrize("change", CHANGES)
def test_priors_at_their_ends(change):
    made = world(priors=PRIORS.override(CHANGES[change]), seed=7)
    np.testing.assert_allclose(np.array(made.center_and_scale()), Plain(made).all_said(), **TIGHT)


@pytest.mark.parametrize("seed", range(4))
def test_what_is_there_is_as_the_design_says(seed):
    """The killed share's walk, arrivals with a build-up and waves on fractions of days, room, and the sources."""
    made = world(seed=seed)
    plain, q = Plain(made), made.q
    np.testing.assert_allclose(q["cumulative_loss"], plain.loss, **TIGHT)
    np.testing.assert_allclose(q["cumulative_killed"], plain.killed, **TIGHT)
    np.testing.assert_allclose(q["arrivals"], plain.arrivals, **TIGHT)
    assert float(log_room(q, np)) == pytest.approx(plain.log_room(), rel=1e-10)
    for number, (source, _, _) in enumerate(made.seen.sources):
        assert q["source_bias"][number] == pytest.approx(plain.bias(source), rel=1e-10)
        assert q["source_lag"][number] == pytest.approx(plain.lag(source), rel=1e-9)
        assert q["source_killed_deviation"][number] == pytest.approx(plain.deviation(source), rel=1e-9)
    share = np.diff(q["cumulative_killed"]) / np.diff(q["cumulative_loss"])
    assert share.max() - share.min() > 1e-3


def test_the_killed_share_stands_still_where_nobody_could_tell():
    """Two figures of one source four weeks apart can tell a change, less cannot."""
    rows = [row for row in table() if row["quantity"] not in ("killed", "killed_share")]
    for apart, moves in ((27, False), (28, True)):
        killed = [
            {**table()[1], "claim_id": f"K{d}", "published": day(d), "as_of": day(d)} for d in (20, 20 + apart)
        ]  # fmt: skip
        made = world(claims([*rows, *killed]))
        share = np.diff(made.q["cumulative_killed"]) / np.diff(made.q["cumulative_loss"])
        assert (share.max() - share.min() > 1e-3) == moves
        np.testing.assert_allclose(np.array(made.center_and_scale()), Plain(made).all_said(), **TIGHT)


def test_captured_and_missing_count_only_where_somebody_speaks_of_them_or_of_all_losses():
    for left_out in ("captured", "missing"):
        made = world(claims([row for row in table() if row["quantity"] != left_out]))
        assert float(made.q[f"{left_out}_ratio"]) > 0.0
        made = world(claims([row for row in table() if row["quantity"] not in (left_out, "losses")]))
        assert float(made.q[f"{left_out}_ratio"]) == 0.0
        np.testing.assert_allclose(np.array(made.center_and_scale()), Plain(made).all_said(), **TIGHT)


def test_without_a_build_up_the_contingent_is_there_from_the_start():
    bare = dataclasses.replace(CAMPAIGN, arrival_from=None, full_strength=None, reinforcements=(), wave_slots=0)
    made = world(claims([row for row in table() if row["quantity"] != "reinforcement"]), campaign=bare)
    assert "wave_size" not in made.q
    np.testing.assert_array_equal(made.q["arrivals"], made.q["contingent_size"] + 0.0 * made.q["arrivals"])
    np.testing.assert_allclose(np.array(made.center_and_scale()), Plain(made).all_said(), **TIGHT)


@pytest.mark.parametrize("captured", [0.0, 0.4])
def test_nobody_is_lost_twice(captured):
    """Losses never exceed who has come, grow with the rate and with arrivals, and are as intended while many are left."""
    arrived = np.full(400, 1000.0)
    q = {"arrivals": arrived, "captured_ratio": np.array(captured), "missing_ratio": np.array(0.0)}
    gross = np.geomspace(1e-6, 1e6, 400)
    lost = (1.0 + captured) * absorbed(gross / (1.0 + captured), q, np)
    assert (lost <= 1000.0 * (1.0 + 1e-12)).all()
    assert (lost <= gross * (1.0 + 1e-12)).all()
    assert (np.diff(lost) >= -1e-9).all()
    more = (1.0 + captured) * absorbed(gross / (1.0 + captured), {**q, "arrivals": 1.1 * arrived}, np)
    assert (more >= lost * (1.0 - 1e-12)).all()
    few = gross < 500.0
    np.testing.assert_allclose(lost[few], gross[few], rtol=1e-5)
    at_end = absorbed(np.array([1000.0 / (1.0 + captured)]), {**q, "arrivals": np.array([1000.0])}, np)
    assert (1.0 + captured) * at_end[0] == pytest.approx(1000.0 * 2.0 ** (-1 / 16), rel=1e-12)
    assert absorbed(np.array([0.0]), {**q, "arrivals": np.array([0.0])}, np)[0] == 0.0


def test_many_draws_at_once_are_each_draw_by_itself():
    """The same text reads draws with leading (chain, draw) axes."""
    worlds = [world(seed=seed) for seed in range(6)]
    raw = {name: np.stack([one.free[name] for one in worlds]) for name in worlds[0].free}
    raw = {name: value.reshape(2, 3, *value.shape[1:]) for name, value in raw.items()}
    q = latent(lookup(raw), worlds[0].arrays, PRIORS, CURVES["phased"], ALL)
    center, scale = location_and_scale(q, worlds[0].arrays, ALL)
    assert center.shape == (2, 3, len(worlds[0].seen.claims))
    for number, one in enumerate(worlds):
        place = np.unravel_index(number, (2, 3))
        np.testing.assert_allclose(center[place], one.center_and_scale()[0], rtol=1e-12)
        np.testing.assert_allclose(np.broadcast_to(scale, center.shape)[place], one.center_and_scale()[1], rtol=1e-12)
        assert log_room(q, np)[place] == pytest.approx(float(log_room(one.q, np)), rel=1e-12)
