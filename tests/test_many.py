"""Many fits: order, seeds, errors as results, few jobs under way, worker processes that are spawned."""

from __future__ import annotations

import multiprocessing
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import attrition as at
from attrition.many import in_order

FEW = at.Settings(draws=60, tune=150, chains=2)


def middle(fit):
    """What is kept of a fit: vintage of the claims by their last publication, median total, and how the process began."""
    how = multiprocessing.get_start_method(allow_none=True), multiprocessing.parent_process() is not None
    return len(fit.seen.claims), float(np.median(fit.array("cumulative_loss")[..., -1])), how


@pytest.fixture(scope="module")
def records(record):
    known = record.known_by("2025-01-16")
    names = list(known.evidence["claim_id"])
    return [known, known.without(names[3]), known.known_by("2024-12-23"), known]


def test_in_this_process(records, campaign):
    found = list(at.fit_many(records, campaign, seed=1, settings=FEW, keep=middle))
    assert [number for number, _, _ in found] == [17, 16, 11, 17]
    assert found[0][1] != found[3][1]  # the same record, another seed
    assert list(at.fit_many(records, campaign, seed=1, settings=FEW, keep=middle)) == found
    assert not any(worker for _, _, (_, worker) in found)


def test_in_spawned_workers_with_an_error_among_the_datasets(records, campaign):
    bad = records[0].known_by("2024-11-01")
    found = list(at.fit_many([records[2], bad, records[2]], campaign, seed=5, settings=FEW, keep=middle, executor=2))
    assert isinstance(found[1], at.Failed)
    assert found[1].number == 1
    assert "calendar" in found[1].words
    here = list(at.fit_many([records[2], bad, records[2]], campaign, seed=5, settings=FEW, keep=middle))
    assert [one[1] for one in (found[0], found[2])] == [one[1] for one in (here[0], here[2])]
    assert all(how == ("spawn", True) for _, _, how in (found[0], found[2]))


def test_few_jobs_are_under_way():
    begun = []

    def items():
        for number in range(50):
            begun.append(number)
            yield number

    with ThreadPoolExecutor(2) as pool:
        results = in_order(lambda number: number * number, items(), pool)
        assert next(results) == 0
        assert len(begun) <= 6
        assert list(results) == [number * number for number in range(1, 50)]


def test_what_is_no_executor_is_refused(records, campaign):
    for wrong in ("two", 0, True):
        with pytest.raises(at.InputError, match="executor"):
            list(at.fit_many(records, campaign, seed=1, executor=wrong))


def test_on_a_cluster(records, campaign):
    """A dask cluster of two processes does the same work."""
    distributed = pytest.importorskip("distributed", reason="needs the extra dask")
    with (
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None) as cluster,
        distributed.Client(cluster) as client,
    ):
        found = list(
            at.fit_many([records[2]] * 3, campaign, seed=5, settings=FEW, keep=middle, executor=client.get_executor())
        )
    here = list(at.fit_many([records[2]] * 3, campaign, seed=5, settings=FEW, keep=middle))
    assert [one[:2] for one in found] == [one[:2] for one in here]
