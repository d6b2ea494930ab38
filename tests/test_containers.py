"""The model's data: the schema, every fault refused before it reaches compiled code, and no leak from the future."""

import dataclasses
import datetime as dt

import numpy as np
import pytest

from attrition.campaign import load_campaign
from attrition.claims import load_claims, read_claims
from attrition.coding import LOSS_QUANTITIES
from attrition.containers import BY_NAME, CONTAINERS, FREE_DIMS, check, check_same, containers, labels, pack, unpack
from attrition.curves import ConstantRate, MeanRevertingRate, PhasedRate
from attrition.errors import InputError
from attrition.observations import KILLED, SIZE, TOTAL, observe
from attrition.priors import default_priors
from attrition.reporting import Reporting
from tables import read, row

RECORD = load_claims("dprk-kursk")
CAMPAIGN = load_campaign("dprk-kursk")
CURVES = (ConstantRate(), MeanRevertingRate(), PhasedRate())
VINTAGE = dt.date(2025, 1, 17)
ALL = Reporting(drift=True, intensity=True)
KNOWN = CAMPAIGN.known_by(VINTAGE)
ROOMS = observe(RECORD.known_by(VINTAGE), KNOWN, ALL).rooms


def built(claims=RECORD, vintage=VINTAGE, curve=CURVES[2], campaign=CAMPAIGN, reporting=ALL, room=None, **changes):
    known = campaign.known_by(vintage)
    seen = observe(claims.known_by(vintage), known, reporting, room)
    return containers(seen, known, default_priors(campaign).override(changes), curve, reporting)


@pytest.fixture
def arrays():
    return built()


def refused(arrays, rooms=ROOMS):
    with pytest.raises(InputError) as caught:
        check(arrays, rooms)
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


@pytest.mark.parametrize("reporting", [Reporting(), ALL], ids=["plain", "all"])
def test_lengths_follow_the_vintage_only_on_claim_and_day(reporting):
    """Given the room that a compiled model has; of the plain model, the record as a whole gives the room."""
    known = CAMPAIGN.known_by("2025-02-28")
    rooms = observe(RECORD.known_by("2025-02-28"), known, reporting).rooms
    given = rooms if reporting.drift else None
    early = built(vintage="2024-12-20", reporting=reporting, room=given)
    late = built(vintage="2025-02-28", reporting=reporting)
    assert list(early) == list(late)
    for name in early:
        same = [a == b for a, b in zip(early[name].shape, late[name].shape, strict=True)]
        assert same == [dim not in FREE_DIMS for dim in BY_NAME[name].dims]
    assert len(early["day_number"]) == CAMPAIGN.day(dt.date(2024, 12, 20)) + 1
    check_same(late, labels(early), rooms)


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
        row(claim_id="A7", as_of="", as_of_basis="none"),
        row(claim_id="A8", as_of_from="2025-01-01", as_of_basis="inferred"),
    )
    got = built(claims, "2025-01-10")
    last = CAMPAIGN.day(dt.date(2025, 1, 9))
    first = CAMPAIGN.day(dt.date(2025, 1, 1))
    assert got["claim_end"].tolist() == [last + 1] * 6 + [last + 2, last + 1]
    assert got["claim_start"].tolist() == [0, first, first, 0, 0, 0, 0, 0]
    assert got["claim_is_rate"].tolist() == [0, 0, 1, 1, 0, 0, 0, 0]
    # the mean of A4 is over 76 days, of which nine lie before the calendar
    assert got["claim_days_before"].tolist() == [0, 0, 0, 9, 0, 0, 0, 0]
    assert got["claim_end"][3] - got["claim_start"][3] + got["claim_days_before"][3] == 76
    assert got["claim_category"].tolist() == [TOTAL] * 4 + [SIZE, KILLED, TOTAL, TOTAL]
    assert got["claim_stated_error"].tolist() == [0, 0, 0, 0, 0, 0.2, 0, 0]
    assert got["claim_lagged"].tolist() == [0] * 6 + [1, 0]
    assert got["claim_span"].tolist() == [0] * 7 + [8]
    # figures of one source and day are one briefing; a headcount has no part in it
    own = np.where(np.arange(8) == 4, 1.0, np.sqrt(0.5))
    np.testing.assert_allclose(got["claim_own"], own)
    np.testing.assert_allclose(got["claim_shared"], np.sqrt(1.0 - own**2))


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
        if "prior_number" not in BY_NAME[name].dims[:1]:
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
        "form": 5, "source": 32, "source_kind": 4, "category": 13, "share_knot": 17, "wave": 1, "briefing": 8, "month": 8,
        "drift": len(arrays["drift_step"]), "knot": ROOMS["knot"],
    }[BY_NAME[name].below]  # fmt: skip
    for index, ok in ((-1, False), (top, False), (2**40, False), (top - 1, True)):
        array = arrays[name].copy()
        array[-1] = index
        if ok:
            check({**arrays, name: array}, ROOMS)
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


def resized(arrays, name, change):
    """The same data with one array of another size."""
    return {**arrays, name: change(arrays[name])}


def test_a_compiled_model_takes_only_its_own_sizes(arrays):
    layout = labels(arrays)
    check_same(arrays, layout, ROOMS)
    for name in ("prior_rate_sd", "other_claimed", "source_stance", "phase_date", "stance_prior", "wave_log_size"):
        for change in (lambda array: array[:-1], lambda array: np.concatenate([array, array[-1:]])):
            with pytest.raises(InputError, match=f"{name}: got .*Compile again"):
                check_same(arrays, labels(resized(arrays, name, change)), ROOMS)
            with pytest.raises(InputError, match=f"{name}: got "):
                check_same(resized(arrays, name, change), layout, ROOMS)
    for name in ("phase_date", "claim_drift", "claim_value", "day_share", "day_arrived"):
        if name in arrays:
            fewer = {other: array for other, array in arrays.items() if other != name}
            with pytest.raises(InputError, match=name):
                check_same(fewer, layout, ROOMS)
            with pytest.raises(InputError, match=name):
                check_same(arrays, labels(fewer), ROOMS)


def test_another_order_of_the_same_containers_is_refused(arrays):
    """In a pack the order says what is what."""
    for first, second in (("claim_start", "claim_end"), ("anchor_scale", "anchor_end"), ("claim_form", "claim_source")):
        order = [{first: second, second: first}.get(name, name) for name in arrays]
        with pytest.raises(InputError, match="another order"):
            check_same({name: arrays[name] for name in order}, labels(arrays), ROOMS)


def test_less_room_than_the_data_need_is_refused(arrays):
    for name in ROOMS:
        if ROOMS[name]:
            assert refused(arrays, {**ROOMS, name: 0}), name


@pytest.mark.parametrize("curve", CURVES, ids=lambda curve: type(curve).__name__)
def test_packs_hold_every_number_once_and_give_it_back(curve):
    arrays = built(curve=curve)
    packs = pack(arrays)
    assert len(packs) <= 7
    assert sum(array.size for array in packs.values()) == sum(array.size for array in arrays.values())
    given = {}

    def register(name, array, names):
        given[name] = names
        return array

    back = unpack(arrays, register)
    assert list(back) == list(arrays)
    for name, array in arrays.items():
        assert back[name].dtype == array.dtype
        np.testing.assert_array_equal(back[name], array)
    assert given == labels(arrays)
    for name, array in packs.items():
        assert array.flags.c_contiguous
        assert len(given[name]) == (1 if name == "claim_value" else len(array))


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
    changed = dataclasses.replace(changed, briefings=RECORD.briefings, months=RECORD.months)
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
