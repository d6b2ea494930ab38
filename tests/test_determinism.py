"""Same seed, same kernel, same machine: the same bytes."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys

import numpy as np
import pytest

import attrition as at

SHORT = at.Settings(draws=60, tune=150, chains=3, target_accept=0.9)


@pytest.fixture(scope="module")
def record():
    return at.load_claims("dprk-kursk").known_by("2025-01-16"), at.load_campaign("dprk-kursk")


@pytest.fixture(autouse=True)
def one_sampling(monkeypatch):
    """So few draws fail the gate: they are not drawn again."""
    monkeypatch.setattr("attrition.inference.ESCALATED", 0.0)


def digest(fit):
    found = hashlib.sha256()
    for group in ("posterior", "free", "sample_stats"):
        for name, variable in sorted(fit.draws[group].data_vars.items()):
            found.update(name.encode() + np.ascontiguousarray(variable.values).tobytes())
    return found.hexdigest()


def fitted(record, seed=7, settings=SHORT):
    return at.fit(*record, seed=seed, settings=settings, progress=False)


def test_twenty_runs_give_the_same_bytes(record):
    assert len({digest(fitted(record)) for _ in range(20)}) == 1


def test_a_refit_of_the_same_is_the_same(record):
    first = fitted(record)
    assert digest(at.refit(first, settings=SHORT, progress=False)) == digest(first)


@pytest.mark.parametrize("cores", [1, 2, 3])
def test_the_number_of_cores_does_not_enter(record, cores):
    there = at.Settings(draws=60, tune=150, chains=3, target_accept=0.9, cores=cores)
    assert digest(fitted(record, settings=there)) == digest(fitted(record))


THREADS = """
import hashlib, attrition as at, attrition.inference as inference
inference.ESCALATED = 0.0
fit = at.fit(at.load_claims("dprk-kursk"), at.load_campaign("dprk-kursk"), known_by="2026-02-13", seed=1,
             settings=at.Settings(draws=20, tune=60, chains=2, target_accept=0.9), progress=False)
print(hashlib.sha256(fit.array("cumulative_loss").tobytes()).hexdigest())
"""


def test_the_threads_of_matrix_algebra_do_not_enter():
    """On the whole record, where the last bits of an eigenvector differ between one thread and two."""
    runs = [
        subprocess.run(
            [sys.executable, "-c", THREADS],
            env={**os.environ, "OPENBLAS_NUM_THREADS": number},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for number in ("1", "2")
    ]
    assert runs[0] == runs[1] != ""


def test_the_seed_enters(record):
    assert digest(fitted(record)) != digest(fitted(record, seed=8))


def test_each_chain_starts_elsewhere_and_draws_its_own(record):
    total = fitted(record).array("cumulative_loss")[..., -1]
    assert len(np.unique(total[:, 0])) == 3
    assert not np.array_equal(total[0], total[1])
