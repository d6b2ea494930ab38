"""The log density at random points is the prior times the likelihood, each written from its definition.

The graph's and the kernel's: the kernel's gradient is that which PyTensor derives from the graph.
"""

from __future__ import annotations

import mpmath as mp
import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest
from scipy import stats

import attrition as at
import exact
from attrition.build import ROOM_WIDTH, coordinates
from attrition.curves import DATE_SDS
from attrition.kernel.density import density
from attrition.kernel.layout import lay_out
from attrition.reporting import Reporting
from attrition.rounding import OFFSETS, rounding_unit
from everything import ALL, CAMPAIGN, CURVES, PRIORS, VINTAGE, claims, world
from plain import Plain

OPTIONS = {
    "slack, drift, intensity": ("phased", ALL),
    "cell, normal": ("reverting", Reporting(errors="normal", floors="cell")),
    "slack, normal, drift": ("constant", Reporting(errors="normal", drift=True, truncate=False)),
    "slack, intensity": ("reverting", Reporting(intensity=True)),
    "as it comes": ("phased", Reporting()),
}
SEEDS = (1, 2, 3)
MODE = pytensor.compile.mode.Mode(linker="py", optimizer=None)  # the graph as written, nothing rewritten


def unit_of(row):
    given = row["unit"]
    return given if given and not np.isnan(given) else rounding_unit(row["value"], row["bound"])


def interval(row):
    """Ends of the source's own estimate, by the words of the table alone; a point has none."""
    bound, is_open = row["bound"], row["open"] == "yes"
    if bound == "range":
        return row["low"], row["high"]
    if bound == "at_least" and is_open:
        return row["value"], mp.inf
    if bound == "at_most" and is_open:
        return 0, row["value"]
    unit = unit_of(row)
    low = mp.mpf(row["value"]) + mp.mpf(OFFSETS[bound]) * mp.mpf(unit)
    return low, low + unit


def log_claim(row, center, scale, q, errors):
    """Log probability of one claim in 50 digits."""
    share = row["quantity"] in ("killed_share", "loss_share")
    if row["bound"] == "point":
        value = mp.mpf(row["value"])
        x = value / (1 - value) if share else value
        z = (mp.log(x) - mp.mpf(center)) / mp.mpf(scale)
        density = mp.sech(z / 2) ** 2 / 4 if errors == "logistic" else mp.npdf(z)
        return mp.log(density / mp.mpf(scale) / (value * (1 - value) if share else value))
    if row["bound"] == "at_least" and row["open"] != "yes" and q is not None:
        unit = unit_of(row)
        index = round(row["value"] / unit)
        assert index * unit == pytest.approx(row["value"])
        return mp.log(exact.probability_with_slack(index, unit, 0.0, 0.0, q, center, scale, errors, share))
    low, high = interval(row)
    if share:
        low, high = exact.odds(low), exact.odds(high)
    return mp.log(exact.cell_probability(low, high, center, scale, errors))


def from_scratch(made):
    """Log density of the free parameters and of the claims given them, per claim."""
    plain = Plain(made)
    errors, reporting = made.reporting.errors, made.reporting
    likelihood = []
    for row, (center, scale) in zip(plain.rows, plain.all_said().T, strict=True):
        kinds = plain.named["source_kind"]
        slack = made.units["floor_slack"][kinds.index(row["source_kind"])] if reporting.floors == "slack" else None
        likelihood.append(float(log_claim(row, center, scale, slack, errors)))
    fighting = 0.0
    if reporting.truncate:
        fighting = float(-mp.log1p(mp.exp(-mp.mpf(plain.log_room()) / ROOM_WIDTH)))
    return made.log_prior, fighting, np.array(likelihood)


def unbounded(model, made):
    """The same point on the sampler's scale, with the log Jacobian of the way there."""
    point, jacobian = {}, 0.0
    for variable in model.free_RVs:
        name = variable.name
        value = np.asarray(made.free[name], dtype=float)
        free = model.rvs_to_values[variable].name
        if free == name:
            point[name] = value
            continue
        if free.endswith("_log__"):
            point[free], slope = np.log(value), np.log(value)
        else:
            low, high = 0.0, 1.0
            if name in ("wave_day_unit", "phase_day_unit"):
                low, high = -DATE_SDS, made.arrays[f"{name.split('_')[0]}_latest"]
            part = (value - low) / (high - low)
            point[free] = np.log(part) - np.log1p(-part)
            slope = np.log(high - low) + np.log(part) + np.log1p(-part)
        jacobian += float(np.sum(slope))
    return point, jacobian


@pytest.fixture(scope="module", params=OPTIONS)
def built(request):
    """A model, its log density and slope by free parameter, and the same density of the claims one by one."""
    curve, reporting = OPTIONS[request.param]
    model = at.build_model(
        claims().known_by(VINTAGE), CAMPAIGN.known_by(VINTAGE), PRIORS, curve=CURVES[curve], reporting=reporting
    )
    by_claim = model.logp(vars=[model["claims"]], sum=False)[0]
    total = pt.stack([factor.sum() for factor in model.logp(jacobian=True, sum=False)]).sum()
    values = model.value_vars
    slopes = pytensor.grad(total, values)
    inputs = [value for value in values if value not in model.observed_RVs]
    run = pytensor.function(inputs, [total, by_claim, *slopes], mode=MODE, on_unused_input="ignore")
    return model, run, [value.name for value in inputs], curve, reporting


def test_the_density_is_prior_times_likelihood(built):
    model, run, names, curve, reporting = built
    for seed in SEEDS:
        made = world(curve=CURVES[curve], reporting=reporting, seed=seed)
        point, jacobian = unbounded(model, made)
        assert set(point) == set(names)
        total, by_claim, *slopes = run(*[point[name] for name in names])
        prior, fighting, likelihood = from_scratch(made)
        np.testing.assert_allclose(by_claim, likelihood, rtol=1e-8, atol=1e-10)
        np.testing.assert_allclose(made.log_claims(), likelihood, rtol=1e-8, atol=1e-10)
        assert made.log_fighting() == pytest.approx(fighting, rel=1e-8, abs=1e-12)
        assert float(total) == pytest.approx(prior + jacobian + fighting + likelihood.sum(), rel=1e-8)
        assert all(np.isfinite(slope).all() for slope in slopes)


def test_the_kernel_is_the_graph(built):
    """Density and every slope, at points drawn from the prior; the constants of the priors aside."""
    model, run, names, curve, reporting = built
    differences = []
    for seed in (1, 2, 3, 4):
        made = world(curve=CURVES[curve], reporting=reporting, seed=seed)
        point, _ = unbounded(model, made)
        total, _, *slopes = run(*[point[name] for name in names])
        sizes = {dim: len(labels) for dim, labels in coordinates(made.seen, CAMPAIGN.known_by(VINTAGE)).items()}
        layout = lay_out(made.arrays, sizes, PRIORS, CURVES[curve], reporting)
        free = [model.rvs_to_values[model[parameter.name]].name for parameter, _, _ in layout.parameters]
        x = np.concatenate([np.ravel(point[name]) for name in free])
        gradient = np.zeros(layout.dims)
        differences.append(density(x, layout.numbers, layout.indices, gradient) + layout.constant - float(total))
        slope = dict(zip(names, slopes, strict=True))
        expected = np.concatenate([np.ravel(slope[name]) for name in free])
        np.testing.assert_allclose(gradient, expected, rtol=1e-7, atol=1e-7 * np.abs(expected).max())
    assert abs(differences[0]) < 1e-6
    np.testing.assert_allclose(differences, differences[0], atol=1e-8)


def test_the_slope_is_that_of_the_density(built):
    """Along random lines through a random point; what the sampler follows is what it weighs."""
    model, run, names, curve, reporting = built
    rng = np.random.default_rng(5)
    made = world(curve=CURVES[curve], reporting=reporting, seed=11)
    point, _ = unbounded(model, made)
    _, _, *slopes = run(*[point[name] for name in names])
    for _ in range(5):
        way = {name: rng.standard_normal(np.shape(value)) for name, value in point.items()}
        step = 1e-6
        ends = [run(*[point[name] + sign * step * way[name] for name in names])[0] for sign in (-1.0, 1.0)]
        expected = sum(float(np.sum(slope * way[name])) for name, slope in zip(names, slopes, strict=True))
        assert (ends[1] - ends[0]) / (2 * step) == pytest.approx(expected, rel=1e-4, abs=1e-3)


def test_the_prior_is_the_sum_of_its_parts():
    """The log density of units by name, once with scipy's frozen laws, once by formula."""
    made = world(seed=3)
    total = 0.0
    for name, value in made.units.items():
        value = np.atleast_1d(value)
        if name in ("killed_share_drawn", "evacuated_fraction_drawn", "floor_slack"):
            prior = PRIORS[name.removesuffix("_drawn")].numbers
            total += stats.beta.logpdf(value, prior["a"], prior["b"]).sum()
        elif name in ("claim_error_unit", "killed_share_walk_sd_unit"):
            total += (np.log(2) + stats.norm.logpdf(value)).sum()
        elif name == "month_unit":
            continue
        elif name in ("wave_day_unit", "phase_day_unit"):
            latest = made.arrays[f"{name.split('_')[0]}_latest"]
            inside = stats.norm.cdf(latest) - stats.norm.cdf(-DATE_SDS)
            total += (stats.norm.logpdf(value) - np.log(inside)).sum()
        else:
            total += stats.norm.logpdf(value).sum()
    assert made.log_prior == pytest.approx(total, rel=1e-12)
