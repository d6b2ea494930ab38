"""Work spread over threads: in order, whole, and with the error of the piece that fails."""

from __future__ import annotations

import dataclasses
import pickle
import threading

import numpy as np
import pytest

import attrition as at
from attrition import threads
from attrition.curves import default_curve
from attrition.latent import latent, latent_of_draws, lookup


def test_results_come_in_order():
    assert threads.spread(lambda number: number * number, range(50)) == [number * number for number in range(50)]
    assert threads.spread(abs, []) == []


def test_an_error_is_raised():
    def work(number):
        if number == 3:
            raise ValueError("the third")

    with pytest.raises(ValueError, match="the third"):
        threads.spread(work, range(9))


@pytest.mark.parametrize(("chains", "draws"), [(4, 1000), (1, 1), (4, 63), (4, 64), (4, 65), (300, 2)])
def test_rows_are_each_worked_on_once(chains, draws):
    seen = np.zeros((chains, draws), int)
    for rows in threads.rows_at_once(chains, draws):
        seen[rows] += 1
    assert (seen == 1).all()


def test_quantities_of_some_draws_at_a_time_are_those_of_all(january, monkeypatch):
    raw = {name: array.values for name, array in january.draws["free"].data_vars.items()}
    arrays = {name: array.values for name, array in january.draws["constant_data"].data_vars.items()}
    given = (arrays, january.priors, default_curve(january.campaign), january.reporting)
    whole = latent(lookup(raw), *given)
    for rows in (1, 300, 10_000):
        monkeypatch.setattr(threads, "ROWS", rows)
        some = latent_of_draws({name: array[:, :50] for name, array in raw.items()}, *given)
        assert list(some) == list(whole)
        for name, array in some.items():
            expected = whole[name][:, :50] if np.ndim(whole[name]) > 1 else whole[name]
            np.testing.assert_array_equal(array, expected, err_msg=name)


def test_numpys_error_state_is_the_callers():
    with np.errstate(divide="raise"):
        assert {threads.spread(lambda _: np.geterr()["divide"], range(4))[number] for number in range(4)} == {"raise"}


def test_a_worker_process_uses_one_thread(monkeypatch):
    here = threading.get_ident()
    assert set(threads.spread(lambda _: threading.get_ident(), range(4))) - {here} or threads._processors() == 1
    monkeypatch.setattr("multiprocessing.parent_process", lambda: object())
    assert set(threads.spread(lambda _: threading.get_ident(), range(4))) == {here}


def test_a_curve_of_the_users_own_is_called_from_one_thread(january):
    called = set()

    class Own(at.PhasedRate):
        def rate(self, quantities, data, xp):
            called.add(threading.get_ident())
            return super().rate(quantities, data, xp)

    at.forecast().ahead(dataclasses.replace(january, curve=Own()), 30)
    assert called == {threading.get_ident()}


def test_rows_of_claims_are_not_carried_along(january):
    assert january.seen.rows == january.seen.claims.to_dict("records")
    assert "rows" not in vars(pickle.loads(pickle.dumps(january.seen)))  # noqa: S301
