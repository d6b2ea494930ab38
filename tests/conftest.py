"""Fixtures shared by the tests: the packaged record, one fit of it that many tests read, and a watch over every fit."""

from __future__ import annotations

import numpy as np
import pytest

import attrition as at
from attrition import inference
from attrition.publishing.report import report_page


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


@pytest.fixture(scope="session")
def january_page(january):
    """The report of that fit."""
    return report_page(january)


def what_cannot_be(fit):
    """Impossible states in any draw of a fit, in words."""
    named = {group: fit.draws[group].to_dataset().data_vars for group in ("posterior", "free")}
    drawn = {f"{group}/{name}": array.values for group, arrays in named.items() for name, array in arrays.items()}
    loss, killed = fit.array("cumulative_loss"), fit.array("cumulative_killed")
    size = 1e-12 * loss[..., -1:]  # rounding of running sums
    found = [f"{name} is NaN or infinite" for name, array in drawn.items() if not np.isfinite(array).all()]
    if (loss[..., 0] < 0).any() or (np.diff(loss, axis=-1) < -size).any():
        found.append("losses shrink")
    if (killed[..., 0] < 0).any() or (np.diff(killed, axis=-1) < -size).any():
        found.append("the killed rise again")
    if (killed > loss + size).any() or (np.diff(killed, axis=-1) > np.diff(loss, axis=-1) + size).any():
        found.append("more killed than killed and wounded")
    gross = loss * (1.0 + fit.array("captured_ratio") + fit.array("missing_ratio"))[..., None]
    if fit.reporting.truncate and (gross > (1.0 + 1e-12) * fit.array("arrivals")).any():
        found.append("more lost than had come")
    return found


@pytest.fixture(scope="session", autouse=True)
def every_fit_is_possible():
    """Look at every draw of every fit that any test makes."""
    plain = inference._sampled

    def watched(*given):
        fit = plain(*given)
        assert not what_cannot_be(fit)
        return fit

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(inference, "_sampled", watched)
        yield
