"""Fixtures shared by the tests: the packaged record, and one fit of it that many tests read."""

from __future__ import annotations

import pytest

import attrition as at


@pytest.fixture(scope="session")
def record():
    return at.load_claims("dprk-kursk")


@pytest.fixture(scope="session")
def campaign():
    return at.load_campaign("dprk-kursk")


@pytest.fixture(scope="session")
def january(record, campaign):
    """The record as known on 2025-01-16, fitted in full: compiled once for the whole session."""
    return at.fit(record, campaign, known_by="2025-01-16", seed=1, progress=False)
