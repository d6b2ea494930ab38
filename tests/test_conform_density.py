"""Log density of the exact problems at random points, against their model written out with scipy from its definition alone."""

from __future__ import annotations

import datetime as dt
import json
import math
from pathlib import Path

import numpy as np
import pytest
from scipy import special, stats

from attrition.build import coordinates, one_vintage
from attrition.conform import _campaign, _claims, _priors
from attrition.containers import containers
from attrition.curves import ConstantRate
from attrition.kernel.density import density
from attrition.kernel.layout import lay_out
from attrition.latent import latent
from attrition.observations import observe
from attrition.reporting import Reporting

CONTENT = json.loads((Path(__file__).parent / "conformance.json").read_text(encoding="utf-8"))
POINTS = 50


def with_densities(inputs):
    """The same set with every rounded claim as a density at its value."""
    return inputs | {"claims": [{**claim, "bound": "point"} for claim in inputs["claims"]]}


CASES = {name: one["inputs"] for name, one in CONTENT["sets"].items()}
CASES |= {f"{name}, as points": with_densities(inputs) for name, inputs in list(CASES.items())}
CASES["unknown error, every bound, strength"] = {
    **CASES["A_january_2025"],
    "sigma": {"dist": "HalfNormal", "scale": 0.4},
    "claims": [
        {"value": 1000, "as_of": "2024-12-30", "source": "a", "kind": "third_party", "bound": "at_least"},
        {"value": 4000, "as_of": "2025-01-10", "source": "b", "kind": "adversary", "bound": "at_most"},
        {"low": 2500, "high": 3500, "as_of": "2025-01-12", "source": "a", "kind": "third_party", "bound": "range"},
        {"value": 3000, "unit": 100, "as_of": "2025-01-13", "source": "c", "kind": "own_side", "bound": "rounded"},
        {"value": 2700, "as_of": "2025-01-14", "source": "c", "kind": "own_side"},
    ],
    "strength_claims": [{"value": 11000, "sd_log": 0.1}, {"value": 12000, "sd_log": 0.2}],
}


class Point:
    """A random point: units by name as the model takes them, and the same on the scale without ends."""

    def __init__(self, rng, shapes, names):
        self.rng, self.shapes, self.names, self.unit, self.x, self.log_prior = rng, shapes, names, {}, [], 0.0

    def __call__(self, parameter, mean):
        shape = self.shapes[parameter.name]
        if parameter.family == "normal":
            unit = self.rng.standard_normal(shape)
            self.unit[parameter.name] = unit
            self.log_prior += stats.norm.logpdf(unit).sum()
            self.x.append(np.ravel(mean + unit))
            return mean + unit
        if parameter.family == "halfnormal":
            value = np.exp(self.rng.normal(-0.5, 0.5, shape))
            self.log_prior += (stats.halfnorm.logpdf(value) + np.log(value)).sum()
            self.x.append(np.ravel(np.log(value)))
        else:
            assert parameter.family == "beta"
            value = self.rng.uniform(0.05, 0.95, shape)
            law = stats.beta(*self.names[f"prior_{parameter.prior}"])
            self.log_prior += (law.logpdf(value) + np.log(value) + np.log1p(-value)).sum()
            self.x.append(np.ravel(special.logit(value)))
        self.unit[parameter.name] = value
        return value


def log_likelihood(inputs, point, sources):
    """Sum over the claims, from the README of the sets; densities are those of the logarithm."""
    prior_r, prior_n, sigma = inputs["prior_r"], inputs["prior_N"], inputs["sigma"]
    log_r = math.log(prior_r["median"]) + prior_r["sd_log"] * float(point.unit["constant_rate_unit"])
    log_n = math.log(prior_n["median"]) + prior_n["sd_log"] * float(point.unit["contingent_size_unit"])
    if isinstance(sigma, dict):
        sigma = sigma["scale"] * float(point.unit["claim_error_unit"])
    own = dict(zip(sources, point.unit["source_own_shifted"], strict=True))
    total = 0.0
    for claim in inputs["claims"]:
        days = (dt.date.fromisoformat(claim["as_of"]) - dt.date.fromisoformat(inputs["onset"])).days
        mean = CONTENT["bias_mean_by_kind"].get(claim["kind"], 0.0)
        center = log_r + math.log(days) + mean + CONTENT["bias_sd"] * own[claim["source"]]
        if claim.get("quantity", "total") in ("killed", "wounded"):
            share = float(point.unit["killed_share_drawn"])
            center += math.log(share if claim["quantity"] == "killed" else 1.0 - share)
        law, bound = stats.norm(center, sigma), claim.get("bound", "point")
        if bound == "point":
            total += law.logpdf(math.log(claim["value"]))
        elif bound == "at_least":
            total += law.logsf(math.log(claim["value"]))
        elif bound == "at_most":
            total += law.logcdf(math.log(claim["value"]))
        else:
            half = claim["unit"] / 2 if bound == "rounded" else 0.0
            low = claim["value"] - half if half else claim["low"]
            high = claim["value"] + half if half else claim["high"]
            ends = (np.log([low, high]) - center) / sigma
            ends = -ends[::-1] if ends[0] > 0 else ends  # in the tail that is accurate
            first, last = stats.norm.logcdf(ends)
            total += last + math.log1p(-math.exp(first - last))
    for claim in inputs.get("strength_claims", ()):
        total += stats.norm(log_n, claim["sd_log"]).logpdf(math.log(claim["value"]))
    return float(total)


@pytest.mark.parametrize("case", CASES)
def test_differences_of_the_log_density(case):
    inputs = CASES[case]
    claims = _claims(inputs)
    campaign = _campaign(inputs, claims)
    priors = _priors(inputs, campaign, CONTENT["bias_mean_by_kind"], CONTENT["bias_sd"])
    reporting, curve = Reporting(errors="normal", min_persons=0.0, truncate=False), ConstantRate()
    claims, campaign = one_vintage(claims, campaign)
    seen = observe(claims, campaign, reporting, None, curve.zero_until(campaign), exact=True)
    arrays = containers(seen, campaign, priors, curve, reporting)
    sizes = {dim: len(labels) for dim, labels in coordinates(seen, campaign).items()}
    layout = lay_out(arrays, sizes, priors, curve, reporting)
    shapes = {parameter.name: shape for parameter, shape, _ in layout.parameters}
    sources = coordinates(seen, campaign)["source"]
    differences = []
    for seed in range(POINTS):
        point = Point(np.random.default_rng(seed), shapes, arrays)
        latent(point, arrays, priors, curve, reporting)
        x, gradient = np.concatenate(point.x), np.empty(layout.dims)
        value = density(x, layout.numbers, layout.indices, gradient)
        differences.append(value - point.log_prior - log_likelihood(inputs, point, sources))
    assert np.isfinite(differences).all()
    np.testing.assert_allclose(differences, differences[0], rtol=0, atol=1e-8)
