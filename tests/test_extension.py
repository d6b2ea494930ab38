"""Models that a user extended: the kernel and what was added are PyMC's model, and what was changed is taken as a whole."""

from __future__ import annotations

import ctypes
import dataclasses

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest
from numba import njit
from scipy import stats

import attrition as at
from attrition import extension
from attrition.build import coordinates, graph_key
from attrition.containers import containers
from attrition.curves import default_curve
from attrition.extension import NOTED, added, only
from attrition.kernel.callbacks import callbacks
from attrition.kernel.extension import in_order
from attrition.kernel.layout import OPTION
from attrition.kernel.model import OWN_TURNED, Added, _addresses, _gradient, bound, kernel_model
from attrition.observations import observe
from attrition.sampling import compile_model, with_data
from everything import ALL, CAMPAIGN, CURVES, PRIORS, VINTAGE, claims

CURVE = CURVES["phased"]
AS_WRITTEN = pytensor.compile.mode.Mode(linker="py", optimizer=None)
STANCE = 0.3  # log units


def built():
    return at.build_model(claims().known_by(VINTAGE), CAMPAIGN, PRIORS, curve=CURVE, reporting=ALL)


def extend(model):
    """A free variable of the user's own with a transform, something observed of the losses, a potential of a bias."""
    import pymc as pm

    with model:
        more = pm.HalfNormal("unseen", 0.3)
        pm.Normal("witness", pm.math.log(model["cumulative_loss"][-1]) + more, 0.2, observed=8.0)
        pm.Potential("trusted", -0.5 * ((model["source_bias"][1] - STANCE) / 0.1) ** 2)
    return model


def joined(model, record, campaign, priors, curve, reporting):
    """What was compiled of an extended model, and the sampler's model."""
    seen = observe(record, campaign, reporting, zero_until=curve.zero_until(campaign))
    arrays = containers(seen, campaign, priors, curve, reporting)
    compiled = compile_model(model, getattr(model, NOTED).key, seen.rooms, True, True, False)
    sizes = {dim: len(labels) for dim, labels in coordinates(seen, campaign).items()}
    own = Added(with_data(compiled, arrays), compiled.places, compiled.reached)
    return compiled, kernel_model(arrays, sizes, priors, curve, reporting, own)


@pytest.fixture(scope="module")
def parts():
    """An extended model, what was compiled of it, and the sampler's model."""
    model = extend(built())
    return model, *joined(model, claims().known_by(VINTAGE), CAMPAIGN.known_by(VINTAGE), PRIORS, CURVE, ALL)


def everywhere(sampler):
    """Log density and gradient in all of the text's parameters, the user's own last; data that compiled code reads are held."""
    n, layout = sampler.added.compiled.n_dim, sampler.layout
    indices, order = layout.indices.copy(), sampler.added.order(layout)
    indices[OPTION["centred"]] = 0
    data, held = _addresses(layout.numbers, indices, np.arange(n), n, np.zeros(n), sampler.added, order)
    gradient = _gradient(data, n)
    return lambda x: (*gradient(x), held)[:2]


def test_kernel_and_addition_are_the_model_s_density(parts):
    model, _, sampler = parts
    values = [model.rvs_to_values[variable] for variable in model.free_RVs]
    density = sum(one.sum() for one in model.logp(sum=False))
    whole = pytensor.function(values, [density, *pt.grad(density, values)], mode=AS_WRITTEN)
    start, order = model.initial_point(), sampler.added.order(sampler.layout)
    n, rng, found = order.size, np.random.default_rng(3), []
    for _ in range(4):
        x = 0.5 * rng.standard_normal(n)
        in_order = np.empty(n)
        in_order[order] = x
        given, first = [], 0
        for value in values:
            shape = start[value.name].shape
            given.append(in_order[first : first + int(np.prod(shape))].reshape(shape))
            first += given[-1].size
        expected, *slopes = whole(*given)
        value, slope = everywhere(sampler)(x)
        np.testing.assert_allclose(
            slope, np.concatenate([np.ravel(one) for one in slopes])[order], rtol=1e-6, atol=1e-6
        )
        found.append(value - expected)
    np.testing.assert_allclose(found, found[0], rtol=0, atol=1e-9)
    assert found[0] == pytest.approx(-sampler.layout.constant, abs=1e-5)


def test_slopes_in_the_sampler_s_frame(record, campaign):
    """Against differences: the slopes of what was added go back through the centred parameters too."""
    import pymc as pm

    known, then = record.known_by("2025-01-16"), campaign.known_by("2025-01-16")
    model = at.build_model(known, then)
    with model:
        pm.Potential("early", 5.0 * pm.math.log(model["cumulative_loss"][45]))
    _, sampler = joined(model, known, then, at.default_priors(then), default_curve(then), at.Reporting())
    assert sampler.layout.indices[OPTION["centred"]] > 0
    gradient, rng = _gradient(sampler.data, sampler.n_dim), np.random.default_rng(5)
    for _ in range(5):
        z, direction = 0.3 * rng.standard_normal((2, sampler.n_dim))
        step = 1e-5 * direction
        difference = (gradient(z + step)[0] - gradient(z - step)[0]) / 2e-5
        assert gradient(z)[1] @ direction == pytest.approx(difference, rel=1e-5, abs=1e-4)
    at_mode = np.sort(np.abs(gradient(np.zeros(sampler.n_dim))[1]))
    assert (
        at_mode[-2] < 0.7
    )  # 1.0 if the mode is sought without what was added; one, the sd of the rate, is not at its mode


def test_what_the_addition_depends_on_is_sampled(parts):
    """The bias of a source, which rests on what the losses are where it is anchored, and nothing of how figures were dated."""
    _, compiled, sampler = parts
    assert {"unseen", "stance_unit", "source_own_shifted", "contingent_size_unit"} <= compiled.reached
    assert not compiled.reached & {"briefing_unit", "month_unit", "claim_error_unit", "floor_slack"}
    sampled = {
        parameter.name: np.isin(np.arange(first, first + int(np.prod(shape))), sampler.where)
        for parameter, shape, first in sampler.layout.parameters
    }
    assert sampled["source_own_shifted"].all()
    assert not sampled["source_deployed_unit"].all()
    assert sampler.layout.dims in sampler.where  # the user's own
    assert len(sampler.where) < sampler.added.compiled.n_dim


def test_draws_have_every_variable_and_the_prior_of_what_nothing_informs(parts):
    import nutpie

    model, _, sampler = parts
    trace = nutpie.sample(sampler, draws=500, tune=500, chains=2, seed=4, progress_bar=False, target_accept=0.93)
    drawn = {name: one.values for name, one in trace.posterior.data_vars.items()}
    found = sampler.named(drawn, 5)
    assert list(found) == [variable.name for variable in model.free_RVs]  # and none on the sampler's scale
    np.testing.assert_allclose(np.log(found["unseen"]), drawn["unseen_log__"], rtol=1e-12)
    sampled = np.isin(np.arange(sampler.layout.dims), sampler.where)
    (first,) = (first for parameter, _, first in sampler.layout.parameters if parameter.name == "source_deployed_unit")
    place = int(np.flatnonzero(~sampled[first:])[0])
    assert stats.kstest(np.ravel(found["source_deployed_unit"][..., place]), stats.norm().cdf).pvalue > 1e-3
    assert np.ptp(drawn["source_deployed_unit"][..., place]) == 0.0
    assert stats.kstest(np.ravel(found["unseen"]), stats.halfnorm(scale=0.3).cdf).statistic > 0.05  # it was informed


def test_a_draw_is_every_parameter_in_its_place(parts):
    """A point of the sampler's, expanded by PyMC's code, against this package's own scales."""
    sampler = parts[2]
    layout, compiled = sampler.layout, sampler.added.compiled
    z, out = 0.3 * np.random.default_rng(6).standard_normal(sampler.n_dim), np.empty(compiled.n_expanded)
    called = ctypes.CFUNCTYPE(ctypes.c_int64, *[ctypes.c_uint64] * 2, *[ctypes.c_void_p] * 3)(callbacks().expand)
    assert called(z.size, out.size, z.ctypes.data, out.ctypes.data, sampler.data.ctypes.data) == 0
    text = sampler.held[4].copy()  # in the middle of what is not sampled; no parameter of this record is centred
    text[sampler.where] += sampler.turn @ z
    places = dict(zip(*compiled.shape_info[:2], strict=True))
    for parameter, shape, first in layout.parameters:
        expected = bound(parameter, text[first : first + int(np.prod(shape))].reshape(shape), sampler.arrays)
        np.testing.assert_allclose(out[places[parameter.name]], np.ravel(expected), rtol=1e-9, atol=1e-12)
    assert out[places["unseen"]] == pytest.approx(np.exp(text[layout.dims]))


def test_a_built_in_parameter_of_another_size_is_refused(parts):
    sampler = parts[2]
    (name,) = (parameter.name for parameter, _, _ in sampler.layout.parameters if parameter.name == "stance_unit")
    places = {**sampler.added.places, name: slice(0, 2)}
    with pytest.raises(at.InputError, match="stance_unit"):
        dataclasses.replace(sampler.added, places=places).order(sampler.layout)


def small(record, campaign, extend_):
    """Extended model of a constant rate, and what ``joined`` takes beside it."""
    known, then, flat = record.known_by("2024-12-23"), campaign.known_by("2024-12-23"), at.ConstantRate()
    model = at.build_model(known, then, curve=flat)
    with model:
        extend_(model)
    return model, known, then, at.default_priors(then), flat, at.Reporting()


def test_many_parameters_of_the_user_s_own_stay_out_of_the_frame(record, campaign):
    import pymc as pm

    def many(model):
        effect = pm.Normal("effect", 0.0, 1.0, shape=3 * OWN_TURNED)
        pm.Potential("size", -0.5 * (model["contingent_size"] / 1000.0 - 11.0 - effect.mean() - effect[0]) ** 2)

    _, sampler = joined(*small(record, campaign, many))
    assert sampler.turn.shape[0] == sampler.n_dim - 3 * OWN_TURNED
    gradient, rng = _gradient(sampler.data, sampler.n_dim), np.random.default_rng(5)
    for _ in range(3):
        z, direction = 0.3 * rng.standard_normal((2, sampler.n_dim))
        difference = (gradient(z + 1e-5 * direction)[0] - gradient(z - 1e-5 * direction)[0]) / 2e-5
        assert gradient(z)[1] @ direction == pytest.approx(difference, rel=1e-6, abs=1e-5)
    z, own = sampler.start(3), slice(sampler.turn.shape[0], None)
    assert np.abs(sampler.centre[own] + z[own]).max() <= 1.0  # PyMC starts these at 0, give or take one


def test_where_an_addition_is_not_finite_no_draw_lies(record, campaign):
    """The kernel's density is finite there; the sampler is told that the sum is not."""
    import pymc as pm

    most = 12_500.0

    def cut(model):
        pm.Potential("cut", pm.math.log(most - model["contingent_size"]))

    given = small(record, campaign, cut)
    _, sampler = joined(*given)
    called = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_uint64, *[ctypes.c_void_p] * 4)(callbacks().density)
    codes = []
    for data in (sampler.data, np.append(sampler.data[:-4], [0, 0, 0, 0])):  # with the addition, and without
        codes.append([])
        for z in 3.0 * np.random.default_rng(1).standard_normal((30, sampler.n_dim)):
            slope, value = np.empty(z.size), np.empty(1)
            codes[-1].append(called(z.size, z.ctypes.data, slope.ctypes.data, value.ctypes.data, data.ctypes.data))
    assert max(codes[0]) > 0
    assert min(codes[0]) == 0
    assert set(codes[1]) == {0}
    done = at.fit(*given[1:3], seed=1, model=given[0], curve=given[4], progress=False)
    assert done.array("contingent_size").max() < most


def test_what_cannot_be_computed_is_said_to_be_in_what_was_added(record, campaign):
    import pymc as pm

    def nowhere(model):
        pm.Potential("nowhere", pm.math.log(-model["contingent_size"]))

    model, known, then, _, flat, _ = small(record, campaign, nowhere)
    with pytest.raises(at.AttritionError, match="what you added"):
        at.fit(known, then, seed=1, model=model, curve=flat, progress=False)


def test_what_was_added_is_told_from_what_is_built_in():
    import pymc as pm

    model = built()
    key = getattr(model, NOTED).key
    assert added(model, key) == []
    extend(model)
    assert [one.name for one in added(model, key)] == ["unseen", "witness", "trusted"]
    assert added(model, key + " of other sizes") == []
    assert added(pm.Model(), key) == []

    class PhasedRate(type(CURVE)):
        """A curve of the user's own that has a built-in one's name."""

    seen = observe(claims().known_by(VINTAGE), CAMPAIGN.known_by(VINTAGE), ALL, zero_until=CURVE.zero_until(CAMPAIGN))
    assert graph_key(CURVE, ALL, PRIORS, seen) == key
    assert graph_key(PhasedRate(), ALL, PRIORS, seen) != key


def test_a_model_that_was_changed_is_taken_as_a_whole():
    """Replaced by PyMC's own ways, which make another model, or by hand."""
    import pymc as pm

    model = extend(built())
    key = getattr(model, NOTED).key
    assert added(pm.do(model, {"claim_error_unit": 0.0}), key) == []
    variable = model.free_RVs[0]
    transform = model.rvs_to_transforms[variable]
    model.rvs_to_transforms[variable] = pm.distributions.transforms.log
    assert added(model, key) == []
    model.rvs_to_transforms[variable] = transform
    assert len(added(model, key)) == 3
    value = model.rvs_to_values[variable]
    model.rvs_to_values[variable] = value.clone()
    assert added(model, key) == []
    model.rvs_to_values[variable] = value
    assert len(added(model, key)) == 3
    model.free_RVs.remove(variable)
    assert added(model, key) == []


def test_a_model_that_lacks_a_built_in_variable_is_refused(record, campaign):
    import pymc as pm

    model, known, then, _, flat, _ = small(record, campaign, lambda model: None)
    lacking = pm.do(model, {"contingent_size_unit": 0.0})
    with pytest.raises(at.InputError, match="contingent_size_unit"):
        at.fit(known, then, seed=1, model=lacking, curve=flat, progress=False)


@njit
def in_pymc_s_order(x, order):
    room = np.ones(20)
    found = in_order(x, order, room).copy()
    room[0] = 1.0
    return found


def test_a_point_is_put_in_another_order():
    x, order = np.array([10.0, 20.0, 30.0]), np.array([2, 0, 1])
    np.testing.assert_array_equal(in_pymc_s_order(x, order), [20.0, 30.0, 10.0])


def test_a_density_of_some_factors_is_only_that_and_the_model_is_as_before():
    model = extend(built())
    more = added(model, getattr(model, NOTED).key)
    with only(model, more[2:]) as reached:
        density = model.logp()
        assert "unseen" not in reached
    assert "logp" not in vars(model)
    model.logp = whole = model.logp
    with pytest.raises(ZeroDivisionError), only(model, more):
        raise ZeroDivisionError
    assert model.logp is whole
    values = {model.rvs_to_values[variable]: model[variable.name] for variable in model.free_RVs}
    at_start = model.initial_point()
    at_random = {name: 0.1 + np.zeros_like(value) for name, value in at_start.items()}
    given = {value: at_random[value.name] for value in values}
    bias = model.replace_rvs_by_values([model["source_bias"]])[0]
    found, expected = pytensor.function([], [density, bias[1]], givens=given, mode=AS_WRITTEN)()
    assert found == pytest.approx(-0.5 * ((expected - STANCE) / 0.1) ** 2, rel=1e-9)
    assert extension.NOTHING in {one.name for one in pytensor.graph.traversal.graph_inputs([density])}


def test_an_extended_posterior_is_that_of_the_whole_model(record, campaign):
    """Sampled with the kernel, and once more with all of it compiled by PyMC."""
    import pymc as pm

    known, flat = record.known_by("2024-12-23"), at.ConstantRate()
    fits = []
    for whole in (False, True):
        model = at.build_model(known, campaign, curve=flat)
        with model:
            more = pm.HalfNormal("unseen", 0.2)
            pm.Normal("witness", pm.math.log(model["cumulative_loss"][-1]) + more, 0.1, observed=np.log(3000.0))
        if whole:
            delattr(model, NOTED)
        done = at.fit(known, campaign, seed=1, model=model, curve=flat, progress=False)
        assert (done.compiled.places is None) == whole
        fits.append(done)
    for name, of in (("cumulative_loss", "posterior"), ("contingent_size", "posterior"), ("unseen", "free")):
        one, other = (fit.draws[of][name].values.reshape(4, 1000, -1)[..., -1] for fit in fits)
        for level in (0.05, 0.5, 0.95):
            low, high = np.quantile(one, level), np.quantile(other, level)
            assert low == pytest.approx(high, abs=0.15 * other.std()), (name, level)
