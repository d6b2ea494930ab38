"""Calibration: the rank test itself, blocks that are kept, a hundred campaigns as a smoke test, and mistakes that are seen."""

from __future__ import annotations

import json

import numpy as np
import pytest
from scipy import stats

from attrition.calibration import calibrate, rank_test, run, write_summary
from attrition.calibration.designs import CONTROLS, DESIGNS, MISSPECIFIED
from attrition.calibration.ranks import band
from attrition.calibration.replicate import LARGEST, QUANTITIES, Block, Ranked, run_block

SMOKE = 100


def test_uniform_ranks_are_rejected_as_often_as_said():
    rng = np.random.default_rng(1)
    rejected = [not rank_test(rng.integers(0, 101, 400), 100).passed for _ in range(400)]
    assert 0.02 < np.mean(rejected) < 0.085


@pytest.mark.parametrize("shape", [(1.25, 1.25), (0.8, 0.8), (1.2, 1.0), (1.0, 1.2)])
def test_ranks_that_are_not_uniform_are_rejected(shape):
    """Too wide, too narrow, too low, too high: by a fifth or a quarter."""
    rng = np.random.default_rng(2)
    ranks = rng.binomial(100, rng.beta(*shape, size=1000))
    test = rank_test(ranks, 100, quantities=12)
    assert not test.passed
    assert test.replicates == 1000


def test_the_band_holds_a_uniform_sample_95_times_in_a_hundred():
    points, low, high = band(300, 50)
    rng = np.random.default_rng(3)
    ranks = rng.integers(0, 51, size=(2000, 300))
    below = (ranks[:, :, None] < np.arange(1, 51)).mean(axis=1)
    inside = ((below >= low) & (below <= high)).all(axis=1).mean()
    assert 0.93 < inside < 0.98
    np.testing.assert_allclose(points, np.arange(1, 51) / 51)


def test_the_worlds_of_a_design_speak_of_the_same_claims():
    for make in DESIGNS.values():
        design = make()
        assert len(design.truth.seen.claims) == len(design.fitted.seen.claims), design.name
        if design.retold is None and make in (*CONTROLS, *MISSPECIFIED) and design.noise == "usual":
            assert design.truth is not design.fitted, f"{design.name} is no mistake"


def test_a_block_is_the_same_anywhere_and_others_differ():
    one, again, other = (run_block(Block("slipped", 1, number, 4)) for number in (0, 0, 1))
    np.testing.assert_array_equal(one.ranks, again.ranks)
    np.testing.assert_array_equal(one.below, again.below)
    assert not np.array_equal(one.ranks, other.ranks)
    assert one.ranks.shape == (4, len(QUANTITIES))
    assert one.ranks.min() >= 0
    assert one.ranks.max() <= LARGEST


def test_what_is_finished_is_not_done_again(tmp_path, monkeypatch):
    done = []

    def block(asked):
        done.append(asked)
        if len(done) == 3:
            raise KeyboardInterrupt
        rng = np.random.default_rng(asked.number)
        shape = (asked.size, len(QUANTITIES))
        return Ranked(rng.integers(0, LARGEST + 1, shape), rng.random(shape), np.zeros(asked.size, dtype=int))

    monkeypatch.setattr(run, "run_block", block)
    with pytest.raises(KeyboardInterrupt):
        calibrate(tmp_path, 110, 0, 0, executor=None, progress=False)
    first = list(done)
    found = calibrate(tmp_path, 110, 0, 0, executor=None, progress=False)
    assert [one.number for one in done[len(first) :]] == [2, 3, 4]
    assert found.summary["n"] == 110
    assert {path.suffix for path in (tmp_path / "replicates").iterdir()} == {".npz"}
    written = json.loads(write_summary(found, tmp_path).read_text())
    assert written == found.summary
    assert set(written["quantities"]) == set(QUANTITIES)


@pytest.fixture(scope="module")
def smoke(tmp_path_factory):
    return calibrate(tmp_path_factory.mktemp("smoke"), SMOKE, 0, 0, seed=7, executor=2, progress=False)


def test_a_hundred_campaigns(smoke):
    """A fixed seed and a fixed band: 5% for all twelve quantities together."""
    assert smoke.summary["n"] == SMOKE
    assert smoke.ranked["january"].ranks.shape == (SMOKE, len(QUANTITIES))
    failed = {name: one for name, one in smoke.summary["quantities"].items() if not one["passed"]}
    assert not failed


def test_intervals_cover(smoke):
    """Within four standard errors of a hundred campaigns."""
    for name, one in smoke.summary["coverage"].items():
        for level in ("90", "50"):
            p = int(level) / 100
            assert abs(one[level] - p) < 4 * np.sqrt(p * (1 - p) / SMOKE), (name, level)


def test_a_slip_of_a_day_is_seen_at_once():
    ranks = np.concatenate([run_block(Block("slipped", 1, number, 25)).ranks for number in range(2)])
    place = QUANTITIES.index("log_rate")
    assert not rank_test(ranks[:, place], LARGEST, quantities=len(QUANTITIES)).passed
    # what the slip does not touch stays as it is
    size = ranks[:, QUANTITIES.index("contingent_size")]
    assert stats.kstest((size + 0.5) / (LARGEST + 1), "uniform").pvalue > 1e-3
