"""The normal distribution without scipy is scipy's."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import special

from attrition import normal


def test_its_quantiles():
    p = np.concatenate([np.geomspace(1e-300, 0.5, 400), 1.0 - np.geomspace(1e-16, 0.5, 400)]).reshape(4, -1)
    np.testing.assert_allclose(normal.quantile(p), special.ndtri(p), rtol=1e-13, atol=1e-15)
    assert np.isnan(normal.quantile([-0.1, 0.0, 1.0, np.nan])).all()


def test_its_distribution_function():
    x = np.linspace(-20.0, 9.0, 500).reshape(2, -1)
    np.testing.assert_allclose(normal.distribution(x), special.ndtr(x), rtol=1e-12)
    assert normal.distribution(0.0) == pytest.approx(0.5)
