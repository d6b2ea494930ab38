"""Files that are damaged, foreign or meant to harm: none is taken for a fit, and nothing in one is run."""

from __future__ import annotations

import ast
import contextlib
import hashlib
import logging
import random

import h5py
import numpy as np
import pytest

import attrition as at
from attrition import storage
from small_fits import ROOT, script, small

log = logging.getLogger(__name__)
CASES = 1000


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    return small().save(tmp_path_factory.mktemp("small") / "fit.nc").read_bytes()


@pytest.fixture
def path(tmp_path):
    return tmp_path / "fit.nc"


def refused(path):
    """The words with which a file is refused; nothing else may come of it."""
    with pytest.raises(at.FileError) as caught:
        at.load(path)
    assert str(path) in str(caught.value)
    return str(caught.value)


def test_a_thousand_damaged_files_are_refused(saved, path):
    rng = random.Random(4)  # noqa: S311
    for case in range(CASES):
        raw = bytearray(saved)
        match case % 4:
            case 0:
                del raw[rng.randrange(len(raw)) :]
            case 1:
                raw[rng.randrange(len(raw))] ^= 1 << rng.randrange(8)
            case 2:
                place = len(raw) - 1 - (case // 4) % 90  # every byte of the checksum at the end
                raw[place] ^= 1 << rng.randrange(8)
            case _:
                place = rng.randrange(len(raw))
                raw[place : place + rng.choice((1, 8, 512, 5000))] = rng.randbytes(rng.choice((0, 1, 8, 512)))
        if raw == saved:
            continue
        path.write_bytes(raw)
        refused(path)


OLD = """
folder = Path(sys.argv[1])
path = folder / "fit.nc"
whole = fits[1].save(path).read_bytes()
from attrition import storage
import h5py
with h5py.File(path, "r+") as file:
    file.attrs["attrition_format"] = 1
old = path.read_bytes()
assert storage.ENDING not in old and at.load(path).seed == 1
resource.setrlimit(resource.RLIMIT_AS, (6 * 2**30, resource.RLIM_INFINITY))
rng = random.Random(6)
counts = {"refused": 0, "same": 0}
for case in range(60):
    raw = bytearray(old)
    if case % 3 == 0:
        del raw[rng.randrange(len(raw)):]
    else:
        raw[rng.randrange(len(raw))] ^= 1 << rng.randrange(8)
    path.write_bytes(raw)
    try:
        fit = at.load(path)
    except at.FileError:
        counts["refused"] += 1
    else:
        same = all((fit.array(n) == fits[1].array(n)).all() for n in ("daily_rate", "source_bias", "contingent_size"))
        assert same and fit.seed == 1 and fit.claims.digest == fits[1].claims.digest
        counts["same"] += 1
print(*counts.values())
"""


def test_a_file_of_format_1_is_read_and_if_damaged_refused_or_unharmed(tmp_path):
    """It has no checksum of its bytes: a flipped bit that nothing reads may stay unseen, a changed number not."""
    refused, same = map(int, script(OLD, tmp_path))
    log.info("format 1: %d refused, %d read with the same content", refused, same)
    assert refused > 30
    assert refused + same == 60


def resealed(path, change):
    """Change a saved file and give it checksums that agree again, as somebody could who means harm."""
    with h5py.File(path, "r+") as file:
        change(file)
    import xarray as xr

    with contextlib.suppress(ValueError, KeyError, TypeError):
        with xr.open_datatree(path, engine="h5netcdf", phony_dims="access") as tree:
            groups = {name: tree[name].to_dataset().load() for name in storage.GROUPS}
            digest = storage._digest(groups, str(tree.attrs["attrition_fit"]))
        with h5py.File(path, "r+") as file:
            file.attrs["attrition_sha256"] = digest
    raw = path.read_bytes()
    path.write_bytes(raw + storage.ENDING + hashlib.sha256(raw).hexdigest().encode())


def replaced(name, data, **options):
    def change(file):
        del file[name]
        file.create_dataset(name, data=data, **options)

    return change


def no_seed(file):
    file.attrs["attrition_fit"] = file.attrs["attrition_fit"].replace('"seed"', '"sead"')


def hidden_rule(file):
    file.attrs["attrition_fit"] = file.attrs["attrition_fit"].replace("third_party", "nobody")


def linked(file):
    del file["posterior/contingent_size"]
    file["posterior/contingent_size"] = h5py.ExternalLink("/etc/passwd", "/")


OBJECTS = np.array([[b"cos\nsystem\n(S'true'\ntR.", b"x"]], dtype=object)
FOREIGN = {
    "text": replaced("posterior/contingent_size", OBJECTS, dtype=h5py.string_dtype("ascii")),
    "lists": replaced("posterior/contingent_size", None, shape=(1, 2), dtype=h5py.vlen_dtype(np.int64)),
    "opaque bytes": replaced("posterior/contingent_size", np.zeros((1, 2), dtype="V16")),
    "references": replaced("posterior/contingent_size", np.full((1, 2), None), dtype=h5py.ref_dtype),
    "records": replaced("posterior/contingent_size", np.zeros((1, 2), dtype=[("a", "f8"), ("b", "S3")])),
    "a huge array": replaced("posterior/contingent_size", None, shape=(2**40, 2**20), dtype="f8", chunks=(1, 2**10)),
    "no posterior": lambda file: file.pop("posterior"),
    "another file": linked,
    "no JSON": lambda file: file.attrs.__setitem__("attrition_fit", "{"),
    "other JSON": lambda file: file.attrs.__setitem__("attrition_fit", "[]"),
    "a number for JSON": lambda file: file.attrs.__setitem__("attrition_fit", 5),
    "no seed": no_seed,
    "claims that break a rule": hidden_rule,
    "a format that is no number": lambda file: file.attrs.__setitem__("attrition_format", "new"),
}


@pytest.mark.parametrize("what", FOREIGN)
def test_a_file_with_right_checksums_and_wrong_content_is_refused(saved, path, what):
    path.write_bytes(saved)
    resealed(path, FOREIGN[what])
    refused(path)


def test_a_change_that_is_none_is_read(saved, path):
    """The tool of the test above does not itself break a file."""
    path.write_bytes(saved)
    resealed(path, lambda file: None)
    assert at.load(path).seed == 1


def test_what_is_missing_is_named(saved, path):
    assert "no such file" in refused(path)
    path.write_bytes(saved[: -len(storage.ENDING) - 64])
    assert "checksum at its end is missing" in refused(path)
    path.write_bytes(saved + b"\n")
    assert "checksum at its end is missing" in refused(path)
    path.write_bytes(saved[:-1] + b"?")
    assert "does not match its checksum" in refused(path)
    path.unlink()
    path.mkdir()
    assert "is a folder" in refused(path)
    assert "fit.nc" in refused(path)


def test_nothing_that_can_run_code_reads_a_file():
    """No pickle but the private compiler cache's, no YAML, and no array file with objects in it."""
    banned = {
        "pickle",
        "cPickle",
        "dill",
        "cloudpickle",
        "joblib",
        "shelve",
        "marshal",
        "yaml",
        "ruamel",
        "imp",
        "code",
    }
    found = set()
    for module in ROOT.rglob("*.py"):
        name = str(module.relative_to(ROOT))
        for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                imported = {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and not node.level:
                imported = {str(node.module).split(".")[0]}
            else:
                imported = set()
            found |= {(name, one) for one in imported & banned}
            if isinstance(node, ast.Call):
                called = ast.unparse(node.func)
                assert called not in ("eval", "exec", "compile", "__import__", "pd.read_pickle", "np.fromfile"), name
                if called in ("np.load", "numpy.load"):
                    assert "allow_pickle=False" in ast.unparse(node), name
                assert "allow_pickle=True" not in ast.unparse(node), name
    assert found == {("kept_graph.py", "pickle"), ("kernel/store.py", "pickle")}


def test_the_rules_against_it_are_on():
    import tomllib

    rules = tomllib.loads((ROOT.parents[1] / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["ruff"]["lint"]
    assert "S" in rules["select"]
    assert not [rule for rule in rules["ignore"] if rule.startswith("S")]
    for pattern, ignored in rules["per-file-ignores"].items():
        assert not pattern.startswith("model") or not [
            rule for rule in ignored if rule.startswith("S") and rule[1:2].isdigit()
        ]
