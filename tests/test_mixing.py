"""R-hat and effective sample sizes of many quantities at once: each is ArviZ's."""

import arviz as az
import numpy as np
import pytest

from attrition.checks.mixing import mixing


def chain(rng, chains, draws, correlation):
    noise = rng.normal(size=(chains, draws))
    for number in range(1, draws):
        noise[:, number] += correlation * noise[:, number - 1]
    return noise


@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning", "ignore:divide by zero:RuntimeWarning")
@pytest.mark.parametrize("draws", [4, 5, 6, 7, 8, 9, 50, 51, 333, 1000])
@pytest.mark.parametrize("chains", [2, 3, 4])
def test_each_is_that_of_arviz(chains, draws):
    rng = np.random.default_rng(chains * draws)
    shape = (chains, draws)
    quantities = [chain(rng, *shape, correlation) for correlation in (-0.9, -0.5, 0.0, 0.3, 0.6, 0.9, 0.97, 1.0)]
    quantities += [
        np.round(chain(rng, *shape, 0.5)),  # ties
        (chain(rng, *shape, 0.5) > 1).astype(float),
        chain(rng, *shape, 0.2) + np.arange(chains)[:, None],  # chains apart
        np.cumsum(np.ones(shape), axis=1),  # a trend
        np.exp(3 * chain(rng, *shape, 0.0)),  # a long tail
    ]
    found = mixing(np.stack(quantities))
    for number, one in enumerate(quantities):
        wanted = [az.rhat(one), az.ess(one, method="bulk"), az.ess(one, method="tail", prob=(0.05, 0.95))]
        got = [found.rhat[number], found.bulk[number], found.tail[number]]
        np.testing.assert_allclose(got, np.array(wanted, float), rtol=1e-9, err_msg=str(number))
    np.testing.assert_array_equal(found.ess, np.minimum(found.bulk, found.tail))


@pytest.mark.parametrize("wrong", [np.nan, np.inf])
def test_what_is_not_finite_has_not_mixed_and_spoils_no_other(wrong):
    rng = np.random.default_rng(1)
    draws = rng.normal(size=(3, 4, 100))
    alone = mixing(draws[[0, 2]])
    draws[1, 2, 3] = wrong
    found = mixing(draws)
    assert np.isnan([found.rhat[1], found.bulk[1], found.tail[1]]).all()
    np.testing.assert_array_equal(found.rhat[[0, 2]], alone.rhat)
    np.testing.assert_array_equal(found.ess[[0, 2]], alone.ess)


@pytest.mark.parametrize("shape", [(4, 3), (1, 100), (1, 3)])
def test_few_draws_and_one_chain_say_what_arviz_says(shape):
    one = np.random.default_rng(2).normal(size=shape)
    found = mixing(one[None])
    wanted = [az.rhat(one), az.ess(one, method="bulk"), az.ess(one, method="tail", prob=(0.05, 0.95))]
    np.testing.assert_allclose([found.rhat[0], found.bulk[0], found.tail[0]], np.array(wanted, float), rtol=1e-9)
    assert np.isnan(found.rhat[0])


def test_other_axes_are_refused():
    with pytest.raises(ValueError, match="quantity, chain, draw"):
        mixing(np.zeros((4, 100)))
