"""What no claim informs keeps its prior exactly; the frame in which the rest is sampled changes nothing but the way there."""

from __future__ import annotations

import ctypes
import dataclasses
import datetime as dt

import numpy as np
import pandas as pd
import pytest
from numba import njit
from scipy import stats

import attrition as at
from attrition.build import coordinates, one_vintage
from attrition.campaign import Campaign, Phase, Strength
from attrition.containers import containers
from attrition.curves import DATE_SDS, default_curve
from attrition.kernel.callbacks import callbacks
from attrition.kernel.centred import from_centred, middles, to_centred
from attrition.kernel.density import SLIGHT, density
from attrition.kernel.frame import axes_of, mode
from attrition.kernel.layout import OPTION
from attrition.kernel.model import HELD, VECTOR, _gradient, _quantities, kernel_model
from attrition.observations import observe
from attrition.reporting import Reporting
from attrition.strength import gross
from everything import ALL, CAMPAIGN, CURVES, PRIORS, VINTAGE, claims

LEFT_OUT = ("killed", "wounded", "present", "returned", "deployed", "reinforcement", "captured", "losses", "loss_share")


MADE_WITH = {}


def observed(record, campaign, priors, curve, reporting):
    """Observations, the campaign as it was known, and the model's data."""
    record, campaign = one_vintage(record, campaign)
    seen = observe(record, campaign, reporting, None, curve.zero_until(campaign), exact=True)
    return seen, campaign, containers(seen, campaign, priors, curve, reporting)


def laid_out(record, campaign, priors, curve, reporting):
    seen, campaign, arrays = observed(record, campaign, priors, curve, reporting)
    sizes = {dim: len(labels) for dim, labels in coordinates(seen, campaign).items()}
    model = kernel_model(arrays, sizes, priors, curve, reporting)
    MADE_WITH[id(model)] = priors, curve, reporting
    return model


def kursk(vintage, **of_escalation):
    campaign = at.load_campaign("dprk-kursk")
    first, escalation, *others = campaign.phases
    campaign = dataclasses.replace(campaign, phases=(first, dataclasses.replace(escalation, **of_escalation), *others))
    record = at.load_claims("dprk-kursk").known_by(vintage)
    return laid_out(record, campaign, at.default_priors(campaign), default_curve(campaign), Reporting())


def everything(without=(), curve="phased", reporting=ALL):
    table = claims().table
    record = claims().without(table["claim_id"][table["quantity"].isin(without)])
    return laid_out(record.known_by(VINTAGE), CAMPAIGN.known_by(VINTAGE), PRIORS, CURVES[curve], reporting)


def many(number=2000, days=400, curve=None):
    """A record of many claims, whose mode lies far from where the search begins."""
    start = dt.date(2024, 1, 1)
    rng = np.random.default_rng(1)
    when = np.sort(rng.integers(5, days, size=number))
    spoken = 50.0 * when * np.exp(0.1 * rng.standard_normal(number) + np.sin(when / 40.0))
    dates = [(start + dt.timedelta(days=int(day))).isoformat() for day in when]
    table = pd.DataFrame(
        {
            "claim_id": [f"M{place}" for place in range(number)], "source": [f"source {place % 12}" for place in range(number)],
            "source_kind": [("adversary", "third_party", "own_side", "analyst")[place % 4] for place in range(number)],
            "published": dates, "as_of": dates, "as_of_basis": "stated", "quantity": "casualties",
            "value": np.round(spoken, -1),
            "unit": 10.0, "bound": "approx", "briefing": [f"M{place}" for place in range(number)],
        }
    )  # fmt: skip
    phase = Phase("onset", "escalation", start, 0.0, start)
    end = start + dt.timedelta(days=days - 1)
    campaign = Campaign("many", start, end, Strength(125.0 * days, 0.1), phases=(phase,), phase_slots=1)
    record = at.read_claims(table.astype(object), name="many")
    return laid_out(
        record, campaign, at.default_priors(campaign), curve or default_curve(campaign), Reporting(min_persons=0.0)
    )


MODELS = {
    "Kursk, December": lambda: kursk("2024-12-23"),
    "Kursk, January": lambda: kursk("2025-01-16"),
    "Kursk, whole": lambda: kursk("2026-02-13"),
    "many, reverting": lambda: many(120, 100, at.MeanRevertingRate()),
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
        middle, _ = text_of(model, model.held[4])
        here, there = (middle + wide * rng.standard_normal(model.layout.dims) for _ in range(2))
        there[others] = here[others]
        (value, slope), (other_value, other_slope) = at_point(model, here), at_point(model, there)
        if not np.isfinite([value, other_value, *slope, *other_slope]).all():
            continue  # so far out that nothing is sampled there
        seen += 1
        slopes = [slope[others], other_slope[others]]
        np.testing.assert_array_equal(*slopes)
        np.testing.assert_array_equal(slopes[0][normal[others]], -here[others][normal[others]])
    assert seen >= 10


def text_of(model, y):
    """The text's parameters of the sampler's, with the log Jacobian."""
    x = np.empty_like(y)
    return x, _to_text(y, model.layout.numbers, model.layout.indices, x)


@njit
def _to_text(y, numbers, indices, x):
    knots = np.empty(y.size + 1)
    return from_centred(y, numbers, indices, middles(y, numbers, indices, np.ones(1)), x, knots)


def sampled_at(model, z):
    y = model.held[4].copy()
    y[model.where] = model.centre + model.turn @ z
    return y


def place_of(model, name):
    return next(first for parameter, _, first in model.layout.parameters if parameter.name == name)


def quantities_of(model, x):
    """Of the text, not of compiled code."""
    return _quantities(x, model.layout, model.arrays, *MADE_WITH[id(model)])


def goes_back(model, x, y):
    back = to_centred(x, model.layout, model.arrays, quantities_of(model, x))
    np.testing.assert_allclose(back, y, rtol=1e-9, atol=1e-9)


def is_the_density(through, z, value_there, step):
    value, slope = through(z)
    assert value == pytest.approx(value_there, rel=1e-12)
    ends = [[through(z + sign * step * way)[0] for way in np.eye(z.size)] for sign in (1.0, -1.0)]
    differences = np.subtract(*ends) / (2.0 * step)
    np.testing.assert_allclose(slope, differences, rtol=1e-4, atol=1e-5 * np.abs(slope).max())


def test_the_frame_and_the_coordinates_are_a_change_of_variables(model):
    """Density through both is the text's and the Jacobian; slopes are differences of it; draws are in the text's parameters."""
    rng = np.random.default_rng(2)
    through, n = _gradient(model.data, model.n_dim), model.n_dim
    expand = ctypes.CFUNCTYPE(ctypes.c_int64, *[ctypes.c_uint64] * 2, *[ctypes.c_void_p] * 3)(callbacks().expand)
    for _ in range(4):
        z = rng.standard_normal(n)
        x, jacobian = text_of(model, sampled_at(model, z))
        is_the_density(through, z, at_point(model, x)[0] + jacobian, step=1e-5)
        drawn = np.empty(n)
        expand(n, n, z.ctypes.data, drawn.ctypes.data, model.data.ctypes.data)
        np.testing.assert_allclose(drawn, x[model.where], rtol=1e-12, atol=1e-12)


def test_the_jacobian_is_that_of_the_coordinates_and_there_is_a_way_back(model):
    rng, step = np.random.default_rng(3), 1e-6
    y = sampled_at(model, 0.5 * rng.standard_normal(model.n_dim))
    x, jacobian = text_of(model, y)
    goes_back(model, x, y)
    ways = [step * np.eye(model.layout.dims)[place] for place in model.where]
    slopes = np.array([text_of(model, y + way)[0] - text_of(model, y - way)[0] for way in ways]) / (2.0 * step)
    assert jacobian == pytest.approx(np.linalg.slogdet(slopes[:, model.where])[1], abs=1e-5)
    np.testing.assert_array_equal(np.delete(slopes, model.where, axis=1), 0.0)


def test_log_rates_are_the_coordinates_where_claims_are_many():
    found = {name: int(make().layout.indices[OPTION["centred"]]) for name, make in MODELS.items()}
    kursk_found = {name.split()[-1]: number for name, number in found.items() if "Kursk" in name}
    assert kursk_found == {"December": 3, "January": 6, "whole": 7}
    assert (
        found["everything, constant"] == found["everything"] == 0
    )  # its priors let claims err as much as the rate moves


def test_log_rates_stay_where_they_are_when_a_phase_begins_earlier_or_later():
    """From a fortnight after its reported date on; before that, the first rates rise where it begins late."""
    model, rates, began = kursk("2026-02-13"), [], []
    escalation = place_of(model, "phase_day_unit") + 1
    for later in (-1.5, 0.0, 1.5, 3.0):
        y = sampled_at(model, np.zeros(model.n_dim))
        y[escalation] += later
        x, _ = text_of(model, y)
        quantities = quantities_of(model, x)
        began.append(float(quantities["phase_day"][1]))
        rates.append(np.log(quantities["daily_rate"][1:]))
    left, weight = model.arrays["knot_left"][1:], model.arrays["knot_weight"][1:]
    at_knot = (weight < 0.1) & (left >= 1) & (left <= model.layout.indices[OPTION["centred"]])
    moved = np.ptp(rates, axis=0)[at_knot]
    assert began[-1] - began[0] > 7.0
    assert moved.size >= 5
    assert moved[0] > 0.3
    assert moved[1] < 0.01  # a fortnight after
    assert moved[1:].max() < 0.05  # half a day beside the knot, as days are


def test_a_phase_may_begin_after_knots_that_its_reported_date_comes_before():
    model = kursk("2025-01-16", sd_days=8.0, published=dt.date(2025, 1, 10))
    escalation = place_of(model, "phase_day_unit") + 1
    through, back = _gradient(model.data, model.n_dim), np.linalg.inv(model.turn)
    for days in (-5.3, 3.3, 10.3, 17.3):
        y = sampled_at(model, np.zeros(model.n_dim))
        inside = (days / 8.0 + DATE_SDS) / (model.arrays["phase_latest"][1] + DATE_SDS)
        y[escalation] = np.log(inside) - np.log1p(-inside)
        x, jacobian = text_of(model, y)
        quantities = quantities_of(model, x)
        assert quantities["phase_day"][1] - model.arrays["phase_date"][1] == pytest.approx(days)
        goes_back(model, x, y)
        is_the_density(through, back @ (y[model.where] - model.centre), at_point(model, x)[0] + jacobian, step=1e-6)


def test_the_density_goes_on_where_losses_cease_to_be_few_beside_those_who_have_arrived():
    """On either side of that the kernel takes another formula for who is still left to be lost."""
    model = kursk("2025-01-16")
    x, _ = text_of(model, sampled_at(model, np.zeros(model.n_dim)))
    level = place_of(model, "phase_rate_unit") + 1

    def at_level(unit):
        return np.where(np.arange(x.size) == level, unit, x)

    def taken(unit):
        quantities = quantities_of(model, at_level(unit))
        return np.max(gross(quantities["intended_loss"], quantities) / quantities["arrivals"])

    under, over = x[level] - 2.0, x[level] + 4.0
    assert taken(under) < SLIGHT < taken(over)
    while over - under > 1e-11:
        middle = 0.5 * (under + over)
        under, over = (middle, over) if taken(middle) < SLIGHT else (under, middle)
    values, slopes = zip(*(at_point(model, at_level(unit)) for unit in (under, over)), strict=True)
    assert values[0] == pytest.approx(values[1], abs=1e-8)
    np.testing.assert_allclose(*slopes, rtol=1e-8, atol=1e-8)


def test_a_source_is_measured_from_the_middle_one_of_its_bounded_totals():
    campaign = at.load_campaign("dprk-kursk")
    record = at.load_claims("dprk-kursk").known_by("2026-02-13")
    seen, _, arrays = observed(record, campaign, at.default_priors(campaign), default_curve(campaign), Reporting())
    totals = {}
    for place, row in enumerate(seen.rows):
        total = row["quantity"] in ("casualties", "losses", "wounded") and not row["start_day"]
        if total and row["open"] != "yes":  # "over 3,000" has an upper side, "several hundred" has none
            totals.setdefault(row["source"], []).append((row["end_day"], place))
    assert len(totals["rok-nis"]) == 5
    for source, (name, _, _) in enumerate(seen.sources):
        if name in totals:
            _, middle = sorted(totals[name])[len(totals[name]) // 2]
            row = seen.rows[middle]
            assert arrays["anchor_end"][source] == row["end_day"] + 1, name
            assert arrays["anchor_lagged"][source] == row["lagged"], name
            assert np.exp(arrays["anchor_log_value"][source]) == pytest.approx(row["value"], rel=0.25), name


def test_the_centre_is_the_mode_of_the_text_at_the_sd_of_the_rate_that_is_held(model):
    """Over the sd as well it would lie where the sd is large; in the sampler's coordinates, where it is small."""
    x, _ = text_of(model, model.held[4])
    sds = [first for parameter, _, first in model.layout.parameters if parameter.name == HELD]
    free = np.setdiff1d(model.where, sds)
    np.testing.assert_array_equal(x[sds], 0.0)

    def gradient(of_free):
        here = x.copy()
        here[free] = of_free
        value, slope = at_point(model, here)
        return value, slope[free]

    _, slope = gradient(x[free])
    assert np.abs(slope @ axes_of(gradient, x[free])).max() < 0.5  # in units in which the curvature is 1


def test_the_mode_of_a_record_of_many_claims_is_found():
    test_the_centre_is_the_mode_of_the_text_at_the_sd_of_the_rate_that_is_held(many())


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

    np.testing.assert_allclose(mode(gradient, np.full(5, 7.0)), mean, atol=1e-6)
    turn = axes_of(gradient, mean)
    np.testing.assert_allclose(turn.T @ precision @ turn, np.eye(5), atol=1e-5)


def test_a_density_that_is_nowhere_finite_gets_no_frame():
    def nowhere(x):
        return -np.inf, np.full(x.size, np.nan)

    np.testing.assert_array_equal(mode(nowhere, np.ones(3)), np.ones(3))
    np.testing.assert_array_equal(axes_of(nowhere, np.ones(3)), np.eye(3))


def test_draws_of_what_is_not_sampled_are_of_the_prior():
    model = kursk("2025-01-16")
    drawn = {VECTOR: np.random.default_rng(4).standard_normal((4, 1000, model.n_dim))}
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
