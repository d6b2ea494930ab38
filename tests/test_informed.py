"""What no claim informs keeps its prior exactly; the frame in which the rest is sampled changes nothing but the way there."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

import attrition as at
from attrition.build import coordinates, one_vintage
from attrition.containers import containers
from attrition.curves import DATE_SDS, default_curve
from attrition.kernel.density import density
from attrition.kernel.frame import frame
from attrition.kernel.model import _gradient, kernel_model
from attrition.observations import observe
from attrition.reporting import Reporting
from everything import ALL, CAMPAIGN, CURVES, PRIORS, VINTAGE, claims

LEFT_OUT = ("killed", "wounded", "present", "returned", "deployed", "reinforcement", "captured", "losses", "loss_share")


def laid_out(record, campaign, priors, curve, reporting):
    record, campaign = one_vintage(record, campaign)
    seen = observe(record, campaign, reporting, None, curve.zero_until(campaign), exact=True)
    arrays = containers(seen, campaign, priors, curve, reporting)
    sizes = {dim: len(labels) for dim, labels in coordinates(seen, campaign).items()}
    return kernel_model(arrays, sizes, priors, curve, reporting)


def kursk(vintage):
    campaign = at.load_campaign("dprk-kursk")
    record = at.load_claims("dprk-kursk").known_by(vintage)
    return laid_out(record, campaign, at.default_priors(campaign), default_curve(campaign), Reporting())


def everything(without=(), curve="phased", reporting=ALL):
    table = claims().table
    record = claims().without(table["claim_id"][table["quantity"].isin(without)])
    return laid_out(record.known_by(VINTAGE), CAMPAIGN.known_by(VINTAGE), PRIORS, CURVES[curve], reporting)


MODELS = {
    "Kursk, December": lambda: kursk("2024-12-23"),
    "Kursk, January": lambda: kursk("2025-01-16"),
    "Kursk, whole": lambda: kursk("2026-02-13"),
    "everything": everything,
    "everything, reverting": lambda: everything(curve="reverting", reporting=Reporting(floors="cell")),
    "everything, constant": lambda: everything(curve="constant", reporting=Reporting(truncate=False)),
    **{f"without {one}": lambda one=one: everything((one,)) for one in LEFT_OUT},
    "only killed": lambda: everything(tuple(set(claims().table["quantity"]) - {"killed"})),
}


@pytest.fixture(scope="module", params=MODELS)
def model(request):
    return MODELS[request.param]()


def at_point(model, x):
    gradient = np.empty(model.layout.dims)
    value = density(x, model.layout.numbers, model.layout.indices, gradient)
    return value, gradient


def test_no_claim_moves_what_is_not_sampled(model):
    """Its slope is that of its prior, wherever the others are."""
    rng = np.random.default_rng(1)
    others = np.setdiff1d(np.arange(model.layout.dims), model.where)
    normal = np.concatenate(
        [np.full(int(np.prod(shape)), parameter.family == "normal") for parameter, shape, _ in model.layout.parameters]
    )
    seen = 0
    for wide in np.repeat((0.5, 1.0, 2.0, 4.0), 5):
        here, there = (model.held[4] + wide * rng.standard_normal(model.layout.dims) for _ in range(2))
        there[others] = here[others]
        (value, slope), (other_value, other_slope) = at_point(model, here), at_point(model, there)
        if not np.isfinite([value, other_value, *slope, *other_slope]).all():
            continue  # so far out that nothing is sampled there
        seen += 1
        slopes = [slope[others], other_slope[others]]
        np.testing.assert_array_equal(*slopes)
        np.testing.assert_array_equal(slopes[0][normal[others]], -here[others][normal[others]])
    assert seen >= 10


def test_the_frame_is_a_change_of_variables(model):
    rng = np.random.default_rng(2)
    through = _gradient(model.data, model.n_dim)
    for _ in range(10):
        z = rng.standard_normal(model.n_dim)
        x = model.held[4].copy()
        x[model.where] = model.centre + model.turn @ z
        (value, slope), (expected, direct) = through(z), at_point(model, x)
        assert value == pytest.approx(expected, rel=1e-12)
        np.testing.assert_allclose(
            slope, model.turn.T @ direct[model.where], rtol=1e-9, atol=1e-9 * np.abs(slope).max()
        )


def test_the_centre_is_the_mode(model):
    _, slope = _gradient(model.data, model.n_dim)(np.zeros(model.n_dim))
    assert np.abs(slope).max() < 0.5  # in units in which the curvature there is 1


def test_what_the_january_record_informs():
    model = kursk("2025-01-16")
    assert model.n_dim == 46
    assert model.layout.dims == 126


def test_the_frame_of_a_normal_is_its_own():
    """Of a correlated normal the mode is the mean, and the axes make a standard normal of it."""
    rng = np.random.default_rng(3)
    root = rng.standard_normal((5, 5))
    precision, mean = root @ root.T + np.eye(5), rng.standard_normal(5)

    def gradient(x):
        slope = -precision @ (x - mean)
        return 0.5 * float(slope @ (x - mean)), slope

    centre, turn = frame(gradient, np.full(5, 7.0))
    np.testing.assert_allclose(centre, mean, atol=1e-6)
    np.testing.assert_allclose(turn.T @ precision @ turn, np.eye(5), atol=1e-5)


def test_a_density_that_is_nowhere_finite_gets_no_frame():
    centre, turn = frame(lambda x: (-np.inf, np.full(x.size, np.nan)), np.ones(3))
    np.testing.assert_array_equal(centre, np.ones(3))
    np.testing.assert_array_equal(turn, np.eye(3))


def test_draws_of_what_is_not_sampled_are_of_the_prior():
    model = kursk("2025-01-16")
    drawn = np.random.default_rng(4).standard_normal((4, 1000, model.n_dim))
    found, again, other = model.named(drawn, 5), model.named(drawn, 5), model.named(drawn, 6)
    cases = [
        (found["source_deployed_unit"][..., 2], stats.norm()),
        (found["floor_slack"][..., 1], stats.beta(*model.arrays["prior_floor_slack"])),
        (found["source_own_shifted"][..., 1], stats.norm()),
        (found["phase_day_unit"][..., 0], stats.truncnorm(-DATE_SDS, model.arrays["phase_latest"][0])),
    ]
    for draws, law in cases:
        assert stats.kstest(np.ravel(draws), law.cdf).pvalue > 1e-3
    for name, values in found.items():
        np.testing.assert_array_equal(values, again[name])
    assert not np.array_equal(found["source_own_shifted"][..., 1], other["source_own_shifted"][..., 1])
    np.testing.assert_array_equal(found["claim_error_unit"], other["claim_error_unit"])
