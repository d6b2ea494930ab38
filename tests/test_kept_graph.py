"""Kept models: the same numbers as a fresh compilation, nothing compiled where an entry serves, and what is refused of it."""

from __future__ import annotations

import os
import pickle
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from attrition import kept_graph
from attrition.kernel import store
from own_models import NAMES, called, points, small_model


class CompilingError(Exception):
    """Something was about to be compiled."""


@pytest.fixture(scope="module")
def first(tmp_path_factory):
    """Folder with one kept model, its compiled model, and nutpie's own compiled model of the same."""
    import nutpie

    folder = tmp_path_factory.mktemp("kept") / "cache"
    plain = nutpie.compile_pymc_model
    fresh = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(store.VARIABLE, str(folder))
        patch.setattr(nutpie, "compile_pymc_model", lambda *a, **k: fresh.append(plain(*a, **k)) or fresh[-1])
        made = kept_graph.compiled_model(small_model(), NAMES)
    assert len(fresh) == 1
    return folder, made, fresh[0]


@pytest.fixture
def cache(first, tmp_path, monkeypatch):
    """A copy of that folder, where compiling raises ``CompilingError``."""
    import nutpie

    def refuse(*given, **named):
        raise CompilingError

    monkeypatch.setenv(store.VARIABLE, str(tmp_path / "cache"))
    monkeypatch.setattr(nutpie, "compile_pymc_model", refuse)
    shutil.copytree(first[0], tmp_path / "cache")
    return tmp_path / "cache"


def entry_of(cache):
    (path,) = cache.iterdir()
    return path


def entry_of_kind(cache, ending):
    (path,) = cache.glob(f"*{ending}")
    return path


def draws(compiled):
    import nutpie

    trace = nutpie.sample(compiled, draws=50, tune=100, chains=2, seed=3, progress_bar=False)
    assert trace.posterior["mu"].dims == ("chain", "draw", "group")
    return {name: trace.posterior[name].values for name in NAMES}


def test_kept_and_fresh_agree_to_the_last_digit(first, cache):
    _, made, fresh = first
    rebuilt = kept_graph.compiled_model(small_model(), NAMES)
    for x in points(rebuilt):
        for one, other, third in zip(called(rebuilt, x), called(fresh, x), called(made, x), strict=True):
            np.testing.assert_array_equal(one, other)
            np.testing.assert_array_equal(one, third)
    expected, found, again = draws(fresh), draws(rebuilt), draws(made)
    for name in NAMES:
        np.testing.assert_array_equal(found[name], expected[name])
        np.testing.assert_array_equal(found[name], again[name])


def test_labels_and_layout_are_nutpie_s(first, cache):
    _, _, fresh = first
    rebuilt = kept_graph.compiled_model(small_model(), NAMES)
    assert rebuilt.dims == fresh.dims
    assert {name: list(labels) for name, labels in rebuilt.coords.items()} == {
        name: list(labels) for name, labels in fresh.coords.items()
    }
    assert rebuilt.n_dim == fresh.n_dim
    assert rebuilt.shapes == {name: tuple(shape) for name, shape in fresh.shapes.items()}


@pytest.mark.parametrize("values", [(7.0, -2.0, 0.3), (0.5,), (1.0, 2.0, 3.0, 4.0, 5.0)])
def test_other_data_reach_the_kept_code(first, cache, values):
    """By ``with_data``, and by a model built of them; three values, fewer and more."""
    data = {"values": np.array(values), "weights": np.linspace(0.2, 1.0, len(values))}
    rebuilt = kept_graph.compiled_model(small_model(), NAMES).with_data(**data)
    expected = first[2].with_data(**data)
    built = kept_graph.compiled_model(small_model(**data), NAMES)
    for x in points(rebuilt):
        for one, other, third in zip(called(rebuilt, x), called(expected, x), called(built, x), strict=True):
            np.testing.assert_array_equal(one, other)
            np.testing.assert_array_equal(one, third)


def test_another_model_is_compiled(cache):
    with pytest.raises(CompilingError):
        kept_graph.compiled_model(small_model(sign=1.0), NAMES)
    with pytest.raises(CompilingError):
        kept_graph.compiled_model(small_model(), ("mu",))
    with pytest.raises(CompilingError):
        kept_graph.compiled_model(small_model(groups=("a", "b", "c")), NAMES)


def changed(path, **fields):
    """The entry with other fields, its digest right."""
    entry = store.read(path.name)
    store.write(pickle.dumps(entry | fields), path.name)


def swap(path):
    entry = store.read(path.name)
    changed(path, order=entry["order"][::-1])


def foreign(path):
    changed(path, key=("other", store.read(path.name)["key"][1]))


def layout(path):
    names, *rest = store.read(path.name)["layout"]
    changed(path, layout=(names[::-1], *rest))


DAMAGE = {
    "flip": lambda path: path.write_bytes(path.read_bytes()[:-2] + b"\x00\x00"),
    "cut": lambda path: path.write_bytes(path.read_bytes()[:-1]),
    "empty": lambda path: path.write_bytes(b""),
    "foreign text": lambda path: path.write_bytes(b"cos\nsystem\n(S'echo hacked'\ntR."),
    "others may write": lambda path: path.chmod(0o666),
    "folder open": lambda path: path.parent.chmod(0o777),
    "another pickle": lambda path: store.write(b"\x80\x04K*.", path.name),
    "another installation": foreign,
    "another order of the data": swap,
    "another layout": layout,
    "no machine code": lambda path: changed(path, code=b"nothing"),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_what_cannot_be_trusted_is_compiled_again(cache, damage, caplog):
    DAMAGE[damage](entry_of(cache))
    with pytest.raises(CompilingError):
        kept_graph.compiled_model(small_model(), NAMES)
    assert caplog.records


@pytest.mark.skipif(not hasattr(os, "getuid") or os.getuid() != 0, reason="only root can give a file away")
def test_another_user_s_entry_is_not_used(cache, caplog):
    os.chown(entry_of(cache), 12345, -1)
    with pytest.raises(CompilingError):
        kept_graph.compiled_model(small_model(), NAMES)


def test_versions_are_part_of_the_name(cache, monkeypatch):
    name = kept_graph.installation()
    plain = store.version
    for maker in ("pymc", "pytensor", "nutpie", "numba", "llvmlite", "numpy"):
        monkeypatch.setattr(store, "version", lambda one, maker=maker: "0" if one == maker else plain(one))
        assert kept_graph.installation.__wrapped__() != name
    monkeypatch.setattr(store, "version", plain)
    assert kept_graph.installation.__wrapped__() == name
    monkeypatch.setattr(kept_graph, "installation", lambda: "0" * 24)
    with pytest.raises(CompilingError):
        kept_graph.compiled_model(small_model(), NAMES)


def test_a_damaged_entry_is_replaced(first, tmp_path, monkeypatch, caplog):
    monkeypatch.setenv(store.VARIABLE, str(tmp_path / "cache"))
    shutil.copytree(first[0], tmp_path / "cache")
    path = entry_of(tmp_path / "cache")
    path.write_bytes(b"")
    made = kept_graph.compiled_model(small_model(), NAMES)
    assert "damaged" in caplog.text
    assert path.stat().st_mode & 0o077 == 0
    assert path.stat().st_size > 100_000
    x = points(made)[0]
    assert called(made, x)[0] == pytest.approx(called(first[1], x)[0], rel=1e-12)


def test_what_has_no_name_is_compiled_and_not_kept(cache):
    from test_graph_name import OwnOp

    before = entry_of(cache)
    with pytest.raises(CompilingError):
        kept_graph.compiled_model(small_model(more=lambda mu: OwnOp()(mu)), NAMES)
    assert entry_of(cache) == before


def test_old_models_go_and_kernels_stay(cache):
    kernel = store.write(b"\x80\x04K*.")
    for number in range(20):
        store.write(b"x", f"{kept_graph.installation()}-{number}{kept_graph.ENDING}", kept_graph.KEPT_ENTRIES)
    assert len(kept_graph.entries()) == kept_graph.KEPT_ENTRIES
    assert all(entry.current for entry in kept_graph.entries())
    assert [entry.path for entry in store.entries()] == [kernel]
    assert kept_graph.clear() == kept_graph.KEPT_ENTRIES
    assert store.read() == 42


def test_the_command_line_lists_and_clears_both_kinds(cache):
    from typer.testing import CliRunner

    from attrition.cli import app

    store.write(b"\x80\x04K*.")
    listed = CliRunner().invoke(app, ["cache"]).output
    model = entry_of_kind(cache, kept_graph.ENDING)
    assert f"{model.name}  {model.stat().st_size / 1e6:.1f} MB  extended model, in use" in listed
    assert f"{entry_of_kind(cache, store.ENDING).name}  0.0 MB  sampler, in use" in listed
    assert "Removed: 2" in CliRunner().invoke(app, ["cache", "--clear"]).output
    assert list(cache.iterdir()) == []


AT_ONCE = """
import numpy as np
from attrition import kept_graph
from own_models import NAMES, called, points, small_model
made = kept_graph.compiled_model(small_model(), NAMES)
print(np.concatenate([np.ravel(part) for x in points(made) for part in called(made, x)]).tobytes().hex())
"""


def test_two_processes_at_once(tmp_path):
    environment = os.environ | {store.VARIABLE: str(tmp_path / "cache")}
    command = [sys.executable, "-c", AT_ONCE]
    here = Path(__file__).parent
    runs = [subprocess.Popen(command, stdout=subprocess.PIPE, env=environment, cwd=here, text=True) for _ in range(2)]
    said = [run.communicate(timeout=500)[0] for run in runs]
    assert said[0] == said[1] != ""
    entry_of(tmp_path / "cache")
