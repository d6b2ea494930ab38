"""The model's data: the schema, every fault refused before it reaches compiled code, and no leak from the future."""

import dataclasses
import datetime as dt

import numpy as np
import pytest

from attrition.campaign import load_campaign
from attrition.claims import load_claims, read_claims
from attrition.coding import LOSS_QUANTITIES
from attrition.containers import BY_NAME, CONTAINERS, FREE_DIMS, check, check_same, containers
from attrition.curves import ConstantRate, MeanRevertingRate, PhasedRate
from attrition.errors import InputError
from attrition.observations import KILLED, SIZE, observe
from attrition.priors import default_priors
from attrition.reporting import Reporting
from tables import read, row

RECORD = load_claims("dprk-kursk")
CAMPAIGN = load_campaign("dprk-kursk")
CURVES = (ConstantRate(), MeanRevertingRate(), PhasedRate())
VINTAGE = dt.date(2025, 1, 17)


def built(claims=RECORD, vintage=VINTAGE, curve=CURVES[2], campaign=CAMPAIGN, **changes):
    known = campaign.known_by(vintage)
    seen = observe(claims.known_by(vintage), known, Reporting())
    return containers(seen, known, default_priors(campaign).override(changes), curve)


@pytest.fixture
def arrays():
    return built()


def refused(arrays):
    with pytest.raises(InputError) as caught:
        check(arrays)
    return [problem.column for problem in caught.value.problems]


@pytest.mark.parametrize("curve", CURVES, ids=lambda curve: type(curve).__name__)
def test_names_order_dtypes_and_dims(curve):
    arrays = built(curve=curve)
    order = [spec.name for spec in CONTAINERS]
    assert list(arrays) == [name for name in order if name in arrays]
    for name, array in arrays.items():
        assert array.dtype == BY_NAME[name].dtype
        assert array.ndim == len(BY_NAME[name].dims)
        assert array.flags.c_contiguous
    assert {f"prior_{name}" for name in curve.prior_names()} & set(BY_NAME) <= set(arrays)


def test_every_container_is_used_by_some_curve():
    assert set().union(*(built(curve=curve) for curve in CURVES)) == set(BY_NAME)


def test_lengths_follow_the_vintage_only_on_claim_and_day():
    early, late = built(vintage="2024-12-20"), built(vintage="2025-02-28")
    for name in early:
        same = [a == b for a, b in zip(early[name].shape, late[name].shape, strict=True)]
        assert same == [dim not in FREE_DIMS for dim in BY_NAME[name].dims]
    assert len(early["day_number"]) == CAMPAIGN.day(dt.date(2024, 12, 20)) + 1
    check_same(late, {name: array.shape for name, array in early.items()})


def test_numbers_of_priors_change_values_and_no_shape(arrays):
    changed = built(claim_error={"median": 0.3}, bias_adversary={"mean": 0.1})
    different = [name for name in arrays if not np.array_equal(arrays[name], changed[name])]
    assert different == ["prior_claim_error", "stance_prior"]
    np.testing.assert_allclose(changed["prior_claim_error"], [np.log(0.3), 0.5])


def test_a_total_a_window_and_a_rate_are_read_by_the_day_convention():
    window = {"window_start": "2025-01-01", "as_of": "2025-01-09"}
    claims = read(
        row(as_of="2025-01-09"),
        row(claim_id="A2", **window),
        row(claim_id="A3", quantity="daily_rate", value="92", **window),
        row(claim_id="A4", quantity="daily_rate", value="92", window_start="2024-10-26", as_of="2025-01-09"),
        row(claim_id="A5", quantity="deployed", value="11000"),
        row(claim_id="A6", quantity="killed", error_sd="0.2"),
    )
    got = built(claims, "2025-01-10")
    last = CAMPAIGN.day(dt.date(2025, 1, 9))
    first = CAMPAIGN.day(dt.date(2025, 1, 1))
    days = CAMPAIGN.day(dt.date(2025, 1, 10)) + 1
    assert got["claim_end"].tolist() == [last + 1] * 4 + [days, last + 1]
    assert got["claim_start"].tolist() == [0, first, first, 0, 0, 0]
    np.testing.assert_allclose(np.exp(got["claim_log_days"]), [1, 1, 9, 76, 1, 1])
    assert got["claim_category"].tolist() == [0, 0, 0, 0, SIZE, KILLED]
    assert got["claim_cell"].tolist() == [0, 0, 0, 0, SIZE * 8, KILLED * 8]
    assert got["claim_stated_error"].tolist() == [0, 0, 0, 0, 0, 0.2]


def test_sources_share_a_group_effect_only_where_there_are_several():
    claims = read(
        row(source_group="g"), row(claim_id="A2", source="beta", source_group="g"), row(claim_id="A3", source="solo")
    )
    got = built(claims)
    assert got["source_group"][:3].tolist() == [0, 0, 2]
    np.testing.assert_allclose(got["source_group_sd"][:3], [0.15, 0.15, 0.0])
    total = got["source_group_sd"] ** 2 + got["source_own_sd"] ** 2 + 0.35**2
    np.testing.assert_allclose(total[:3], 0.45**2)


@pytest.mark.parametrize("name", sorted(BY_NAME))
def test_a_wrong_dtype_is_refused(name):
    curve = next(curve for curve in CURVES if name in built(curve=curve))
    arrays = built(curve=curve)
    narrow = "float32" if BY_NAME[name].dtype == "float64" else "int32"
    assert refused({**arrays, name: arrays[name].astype(narrow)}) == [name]


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_number_that_is_not_finite_is_refused(arrays, bad):
    for name in [name for name in arrays if BY_NAME[name].dtype == "float64"]:
        array = arrays[name].copy()
        array.flat[-1] = bad
        assert name in refused({**arrays, name: array})


def test_a_wrong_length_is_refused(arrays):
    for name, array in arrays.items():
        if BY_NAME[name].dims != ("prior_number",):
            assert refused({**arrays, name: array[:-1]}), name
            assert refused({**arrays, name: np.concatenate([array, array[-1:]])}), name


def test_a_wrong_number_of_dims_is_refused(arrays):
    for name, array in arrays.items():
        assert name in refused({**arrays, name: array[None]})


INDICES = [spec.name for spec in CONTAINERS if spec.dtype == "int64"]


@pytest.mark.parametrize("name", INDICES)
def test_an_index_out_of_range_is_refused(arrays, name):
    assert BY_NAME[name].below
    top = {
        "form": 5, "source": 32, "source_kind": 4, "category": 4, "cells": 4 * 32,
        "days": len(arrays["day_number"]) + 1, "knot": arrays["phase_window"].shape[1] - 1,
    }[BY_NAME[name].below]  # fmt: skip
    for index, ok in ((-1, False), (top, False), (2**40, False), (top - 1, True)):
        array = arrays[name].copy()
        array[-1] = index
        if ok:
            check({**arrays, name: array})
        else:
            assert name in refused({**arrays, name: array})


def test_an_unknown_container_is_refused(arrays):
    assert refused({**arrays, "claim_colour": np.zeros(3)}) == ["claim_colour"]


def test_faults_come_all_at_once(arrays):
    faulty = {
        **arrays,
        "claim_form": arrays["claim_form"] + 9,
        "prior_rate_sd": np.array([np.nan, 1.0]),
        "x": np.zeros(1),
    }
    assert sorted(refused(faulty)) == ["claim_form", "prior_rate_sd", "x"]


def test_a_compiled_model_takes_only_its_own_sizes(arrays):
    shapes = {name: array.shape for name, array in arrays.items()}
    check_same(arrays, shapes)
    for change in ({"prior_rate_sd": (1,)}, {"source_stance": (40,)}, {"phase_date": (3,)}, {"stance_prior": (4, 3)}):
        (name,) = change
        with pytest.raises(InputError, match=f"{name}: got .*Compile again"):
            check_same(arrays, {**shapes, **change})
    with pytest.raises(InputError, match="phase_date"):
        check_same({name: array for name, array in arrays.items() if name != "phase_date"}, shapes)
    with pytest.raises(InputError, match="phase_date"):
        check_same(arrays, {name: shape for name, shape in shapes.items() if name != "phase_date"})


def moved(table, later):
    """Rename the sources that spoke later only, and give them another stance and group."""
    new = later & ~table["source"].isin(table.loc[~later, "source"])
    table.loc[new, "source"] = "new-" + table.loc[new, "source"]
    table.loc[new, ["source_kind", "source_group"]] = ["analyst", "newcomers"]
    return table


def revalued(table, later):
    rows = later & table["quantity"].isin(LOSS_QUANTITIES) & (table["bound"] != "range")
    table.loc[rows, "value"] = table.loc[rows, "value"] * 3 + 1
    return table


def requantified(table, later):
    rows = later & table["quantity"].isin(("casualties", "killed", "wounded", "deployed")) & table["value"].notna()
    table.loc[rows, "quantity"] = "deployed"
    table.loc[rows, "role"] = "evidence"
    table.loc[rows, "derived_from"] = ""
    return table


def deleted(table, later):
    """Drop all later claims but the first of each source: the roster of the whole record stays."""
    keep = ~later | ~table["source"].duplicated()
    return table[keep]


@pytest.mark.parametrize("vintage", ["2024-12-20", "2025-01-17", "2025-02-28"])
@pytest.mark.parametrize("change", [moved, revalued, requantified, deleted])
def test_a_later_claim_leaves_no_trace(vintage, change):
    table = RECORD.table
    later = table["published"] > dt.date.fromisoformat(vintage)
    changed = read_claims(change(table, later), name=RECORD.name)
    assert changed.digest != RECORD.digest
    assert (len(changed) < len(RECORD)) == (change is deleted)
    for curve in CURVES:
        honest, tried = built(RECORD, vintage, curve), built(changed, vintage, curve)
        assert list(honest) == list(tried)
        for name, array in honest.items():
            assert array.tobytes() == tried[name].tobytes(), name
            assert array.shape == tried[name].shape


def test_a_later_phase_and_projection_leave_no_trace(arrays):
    phases = [dataclasses.replace(p, date=p.date + dt.timedelta(-2 * (p.published > VINTAGE))) for p in CAMPAIGN.phases]
    projection = dataclasses.replace(CAMPAIGN.reference_projection, daily_rate=5.0)
    tried = built(campaign=dataclasses.replace(CAMPAIGN, phases=tuple(phases), reference_projection=projection))
    assert {name: array.tobytes() for name, array in arrays.items()} == {n: a.tobytes() for n, a in tried.items()}


def test_a_visible_claim_leaves_a_trace():
    table = RECORD.table
    seen = observe(RECORD.known_by(VINTAGE), CAMPAIGN.known_by(VINTAGE), Reporting()).claims
    table.loc[table["claim_id"] == seen.loc[seen["bound"] == "approx", "claim_id"].iloc[0], "value"] = 1900.0
    assert built(read_claims(table))["claim_value"].tolist() != built()["claim_value"].tolist()
