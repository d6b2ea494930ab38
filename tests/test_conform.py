"""Exact answers: sets A, C, G and I, through the public entry."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import attrition as at
from attrition.conform import conform, fit_set

FILE = Path(__file__).parent / "conformance.json"


@pytest.fixture(scope="module")
def results():
    return conform(FILE, draws=4000, seed=1, progress=False)


def test_every_set_is_reproduced(results):
    assert {result.name for result in results} == {
        "A_january_2025",
        "C_repeated_sources",
        "G_rounding",
        "I_killed_wounded_split",
    }
    assert len(results) == 8
    for result in results:
        assert result.worst <= 4.0, result
        assert result.ess >= 4000, result
        assert result.passed


def test_a_wrong_answer_is_noticed(tmp_path):
    """The same posterior against quantiles that are 3% off fails."""
    content = json.loads(FILE.read_text())
    one = content["sets"]["A_january_2025"]
    one["posterior"]["r_per_day"] = {p: 1.03 * q for p, q in one["posterior"]["r_per_day"].items()}
    content["sets"] = {"A": one}
    path = tmp_path / "off.json"
    path.write_text(json.dumps(content))
    rate, days = conform(path, draws=4000, seed=2, progress=False)
    assert not rate.passed
    assert days.passed


def quadrature(log_likelihood, prior_mean, prior_sd):
    """Quantiles of log r on a grid, from a prior and a log likelihood of log r."""
    x = np.linspace(prior_mean - 6 * prior_sd, prior_mean + 6 * prior_sd, 20001)
    log_p = -(((x - prior_mean) / prior_sd) ** 2) / 2 + log_likelihood(x)
    weight = np.exp(log_p - log_p.max())
    total = np.cumsum(weight) / weight.sum()
    return [float(np.exp(np.interp(p, total, x))) for p in (0.05, 0.5, 0.95)]


def test_bounds_ranges_and_an_unknown_error_against_quadrature():
    """A set of other forms: an open floor, an open ceiling, a range and strength claims, each from its own source."""
    from scipy.stats import norm

    inputs = {
        "onset": "2024-12-06",
        "prior_r": {"dist": "LogNormal", "median": 100, "sd_log": 1.0},
        "prior_N": {"dist": "LogNormal", "median": 12000, "sd_log": 0.1},
        "sigma": 0.15,
        "claims": [
            {"source": "a", "kind": "third_party", "as_of": "2025-01-05", "value": 2000, "bound": "at_least"},
            {"source": "b", "kind": "adversary", "as_of": "2025-01-05", "value": 5000, "bound": "at_most"},
            {"source": "c", "kind": "third_party", "as_of": "2025-01-13", "bound": "range", "low": 2500, "high": 4200},
        ],
        "strength_claims": [{"value": 11000, "sd_log": 0.05}, {"value": 13000, "sd_log": 0.2}],
    }
    done = fit_set(inputs, {"adversary": 0.3, "third_party": 0.0}, 0.3, draws=4000, seed=3, progress=False)
    sd = np.hypot(0.15, 0.3)

    def log_likelihood(x):
        floor = norm.logsf((np.log(2000) - x - np.log(30)) / sd)
        ceiling = norm.logcdf((np.log(5000) - x - np.log(30) - 0.3) / sd)
        center = x + np.log(38)
        inside = norm.cdf((np.log(4200) - center) / sd) - norm.cdf((np.log(2500) - center) / sd)
        return floor + ceiling + np.log(inside)

    exact = quadrature(log_likelihood, np.log(100), 1.0)
    got = np.quantile(done.array("constant_rate"), (0.05, 0.5, 0.95))
    np.testing.assert_allclose(got, exact, rtol=0.02)
    precision = 1 / 0.1**2 + 1 / 0.05**2 + 1 / 0.2**2
    mean = (np.log(12000) / 0.1**2 + np.log(11000) / 0.05**2 + np.log(13000) / 0.2**2) / precision
    size = np.log(done.array("contingent_size"))
    assert size.mean() == pytest.approx(mean, abs=0.002)
    assert size.std() == pytest.approx(precision**-0.5, rel=0.05)


def test_an_unknown_error_shared_by_all_claims():
    """sigma ~ HalfNormal: the posterior of log r against a two-dimensional grid."""
    values = {"2025-01-05": 3000.0, "2025-01-13": 4300.0, "2025-01-20": 4400.0}
    inputs = {
        "onset": "2024-12-06",
        "prior_r": {"dist": "LogNormal", "median": 100, "sd_log": 1.0},
        "prior_N": {"dist": "LogNormal", "median": 12000, "sd_log": 0.1},
        "sigma": {"dist": "HalfNormal", "scale": 0.3},
        "claims": [
            {"source": f"s{n}", "kind": "third_party", "as_of": day, "value": value}
            for n, (day, value) in enumerate(values.items())
        ],
    }
    done = fit_set(inputs, {"third_party": 0.0}, 0.2, draws=4000, seed=4, progress=False)
    y = np.log(list(values.values())) - np.log([30.0, 38.0, 45.0])
    x, s = np.meshgrid(np.linspace(3.5, 5.8, 2001), np.linspace(1e-4, 1.5, 1500), indexing="ij")
    spread = np.hypot(s, 0.2)
    log_p = -((x - np.log(100)) ** 2) / 2 - (s / 0.3) ** 2 / 2
    log_p = log_p + sum(-(((one - x) / spread) ** 2) / 2 - np.log(spread) for one in y)
    weight = np.exp(log_p - log_p.max()).sum(axis=1)
    total = np.cumsum(weight) / weight.sum()
    exact = np.exp(np.interp((0.05, 0.5, 0.95), total, x[:, 0]))
    got = np.quantile(done.array("constant_rate"), (0.05, 0.5, 0.95))
    np.testing.assert_allclose(got, exact, rtol=0.02)


def test_a_broken_file_is_refused(tmp_path):
    path = tmp_path / "broken.json"
    path.write_text("{")
    with pytest.raises(at.InputError, match="JSON"):
        conform(path)
    path.write_text("{}")
    with pytest.raises(at.InputError, match="bias_sd"):
        conform(path)
