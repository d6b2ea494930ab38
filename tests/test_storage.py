from __future__ import annotations

import pickle

import numpy as np
import pytest

import attrition as at
from attrition import storage


@pytest.fixture(scope="module")
def saved(january, tmp_path_factory):
    return january.save(tmp_path_factory.mktemp("fit") / "fit.nc")


def test_round_trip(january, saved):
    again = at.load(saved)
    for group in ("posterior", "free", "sample_stats", "observed_data", "constant_data"):
        before, after = january.draws[group].to_dataset(), again.draws[group].to_dataset()
        assert list(before.data_vars) == list(after.data_vars)
        for name in before.variables:
            np.testing.assert_array_equal(before[name].values, after[name].values, err_msg=f"{group}/{name}")
            assert before[name].attrs == after[name].attrs
    assert again.claims.digest == january.claims.digest
    assert again.campaign == january.campaign
    assert again.priors.digest == january.priors.digest
    assert (again.curve, again.reporting, again.settings) == (january.curve, january.reporting, january.settings)
    assert (again.seed, again.gate, again.versions) == (january.seed, january.gate, january.versions)
    assert again.seen.notes == january.seen.notes
    assert again.seen.set_aside["claim_id"].tolist() == january.seen.set_aside["claim_id"].tolist()
    assert str(again) == str(january)


def test_a_loaded_fit_publishes_the_same_numbers(january, saved):
    assert at.summarize(at.load(saved)) == at.summarize(january)


def test_pickles_and_foreign_files_are_refused(tmp_path):
    path = tmp_path / "fit.nc"
    path.write_bytes(pickle.dumps({"draws": 1}))
    with pytest.raises(at.FileError, match="not a readable fit"):
        at.load(path)
    import xarray as xr

    xr.DataTree.from_dict({"posterior": xr.Dataset({"x": ("chain", [1.0])})}).to_netcdf(path, engine="h5netcdf")
    with pytest.raises(at.FileError, match="not written by attrition"):
        at.load(path)
    with pytest.raises(at.FileError, match="no such file"):
        at.load(tmp_path / "nothing.nc")


def test_damage_is_noticed(saved, tmp_path):
    raw = bytearray(saved.read_bytes())
    path = tmp_path / "fit.nc"
    path.write_bytes(raw[: len(raw) // 2])
    with pytest.raises(at.FileError):
        at.load(path)
    # flip one bit in the middle of the compressed draws
    raw[len(raw) // 2] ^= 0x10
    path.write_bytes(raw)
    with pytest.raises(at.FileError):
        at.load(path)


def test_an_edited_number_is_noticed(saved, tmp_path):
    import h5py

    path = tmp_path / "fit.nc"
    path.write_bytes(saved.read_bytes())
    with h5py.File(path, "r+") as file:
        file["posterior/contingent_size"][0, 0] += 1.0
    with pytest.raises(at.FileError, match="checksum"):
        at.load(path)


def test_a_newer_format_says_so(saved, tmp_path):
    import h5py

    path = tmp_path / "fit.nc"
    path.write_bytes(saved.read_bytes())
    with h5py.File(path, "r+") as file:
        file.attrs["attrition_format"] = 99
    with pytest.raises(at.FileError, match="upgrade"):
        at.load(path)


def test_names_of_earlier_formats_are_read(january):
    """A phase's level, once kept as a shifted parameter, comes back as its own unit; the data lose what nothing reads."""
    groups = {name: january.draws[name].to_dataset() for name in ("posterior", "free", "constant_data")}
    unit = groups["free"]["phase_rate_unit"]
    old = {
        "posterior": groups["posterior"],
        "free": groups["free"]
        .drop_vars("phase_rate_unit")
        .assign(phase_rate_shifted=([dim.replace("unit", "shifted") for dim in unit.dims], unit.values + 3.0)),
        "constant_data": groups["constant_data"].assign(phase_window=("a", [1.0]), phase_middle=("b", [1.0])),
    }
    again = storage._renamed(old)
    np.testing.assert_allclose(again["free"]["phase_rate_unit"].values, unit.values, atol=1e-12)
    assert again["free"]["phase_rate_unit"].dims == unit.dims
    for name in groups:
        assert set(again[name].data_vars) == set(groups[name].data_vars)
    assert storage._renamed(groups) is groups


def test_a_failed_write_leaves_the_old_file(tmp_path):
    from attrition.storage import write_whole

    path = tmp_path / "a.txt"
    path.write_text("old")

    def fail(part):
        part.write_text("half")
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        write_whole(path, fail)
    assert path.read_text() == "old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.txt"]
