"""The gate fails where chains have not moved, and where a quantity is no number."""

from __future__ import annotations

import dataclasses

import numpy as np

import attrition as at


def with_draws(fit, **changed):
    """The fit with some of its posterior's draws changed."""
    tree = fit.draws.copy()
    posterior = tree["posterior"].to_dataset().copy(deep=True)
    for name, change in changed.items():
        posterior[name].values[:] = change(posterior[name].values)
    tree["posterior"] = type(tree)(posterior)
    return dataclasses.replace(fit, draws=tree)


def test_a_quantity_that_is_no_number_somewhere_fails(january):
    def spoil(draws):
        draws[0, 3] = np.nan
        return draws

    check = at.convergence(with_draws(january, claim_error=spoil))
    assert not check.passed
    assert "R-hat of claim_error is nan" in check.sentence


def test_chains_that_have_not_moved_fail(january):
    names = january.draws["posterior"].data_vars
    still = with_draws(january, **{name: lambda draws: np.broadcast_to(draws[:1, :1], draws.shape) for name in names})
    check = at.convergence(still)
    assert not check.passed
    assert "not moved" in check.sentence
