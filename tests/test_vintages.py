"""The Kursk record as known at five dates: a clean gate, and nobody lost twice, now or ahead."""

from __future__ import annotations

import numpy as np
import pytest

import attrition as at
from attrition.manpower import everyone, gross_loss, strength

VINTAGES = ("2024-12-23", "2025-01-16", "2025-02-28", "2025-04-30", "2026-02-13")


@pytest.fixture(scope="module", params=VINTAGES)
def fit(request, record, campaign):
    return at.fit(record, campaign, known_by=request.param, seed=1, progress=False)


def test_the_gate_passes(fit):
    """With the usual target acceptance or after one escalation."""
    assert fit.passed, fit.gate["sentence"]


def test_losses_never_pass_the_strength(fit):
    assert (gross_loss(fit) <= fit.array("arrivals") * (1 + 1e-12)).all()
    assert (strength(fit) >= 0).all()
    for scenario in (at.forecast(), at.hold(), at.walk(1.0), at.hold().multiplied(5.0)):
        ahead = at.project(fit, scenario, days=365)
        assert (ahead.gross_total <= ahead.arrivals * (1 + 1e-9)).all(), scenario
        assert (np.diff(ahead.gross_total, axis=-1) >= -1e-6).all()


def test_the_answers_are_where_the_record_puts_them(fit):
    """South Korea counted 4,700 by the end of April 2025 and about 6,000 in all: no vintage is far from what came after."""
    total = fit.array("cumulative_loss")[..., -1]
    low, high = np.quantile(total, (0.05, 0.95))
    by_vintage = {"2024-12-23": 3000, "2025-01-16": 3300, "2025-02-28": 4000, "2025-04-30": 4700, "2026-02-13": 6000}
    assert low < by_vintage[str(fit.vintage)] < high
    assert (everyone(fit)[..., -1] > total).all()
