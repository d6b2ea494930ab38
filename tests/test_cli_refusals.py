"""What the command line refuses, before any work is lost: one message, the right code, nothing left behind."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

import attrition as at
from attrition import cli
from drawings import make

DATA = Path(__file__).parents[1] / "data" / "kursk"


@pytest.fixture
def run(monkeypatch, capsys):
    """Run the command in this process: (exit code, output, errors)."""

    def called(*arguments):
        monkeypatch.setattr("sys.argv", ["attrition", *map(str, arguments)])
        with pytest.raises(SystemExit) as caught:
            cli.main()
        shown = capsys.readouterr()
        return caught.value.code, shown.out, shown.err

    return called


def one_line(err):
    assert "Traceback" not in err
    return len(err.strip().splitlines()) == 1


@pytest.fixture
def no_fit(monkeypatch):
    """Fail if anything is fitted or read before the refusal."""

    def never(*_, **__):
        raise AssertionError("work was begun")

    monkeypatch.setattr("attrition.inference.fit", never)
    monkeypatch.setattr("attrition.leaving_out.influence", never)
    monkeypatch.setattr("attrition.guide.prior_guide", never)
    monkeypatch.setattr("attrition.storage.load", never)


@pytest.mark.parametrize("below", ["", "deeper"])
def test_a_file_in_the_place_of_the_folder_is_3_in_one_line(run, no_fit, tmp_path, below):
    taken = tmp_path / "taken"
    taken.write_text("a file")
    code, _, err = run("fit", "--out", taken / below)
    assert code == 3
    assert one_line(err)
    assert "taken is a file" in err
    assert taken.read_text() == "a file"


def test_a_folder_that_cannot_be_written_to_is_3(run, no_fit, monkeypatch, tmp_path):
    monkeypatch.setattr(os, "access", lambda path, mode: path != tmp_path)
    code, _, err = run("fit", "--out", tmp_path / "new")
    assert code == 3
    assert one_line(err)
    assert f"{tmp_path} cannot be written to" in err


def test_a_refused_vintage_leaves_no_folder_behind(run, tmp_path):
    code, _, err = run("fit", "--known-by", "2024-10-01", "--out", tmp_path / "a" / "new")
    assert code == 2
    assert "2024-10-01" in err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("verb", ["influence", "priors"])
def test_out_is_checked_before_the_work(run, no_fit, tmp_path, verb):
    (tmp_path / "taken").write_text("a file")
    code, _, err = run(verb, "--out", tmp_path)
    assert (code, one_line(err)) == (2, True)
    assert "is a folder: name a file" in err
    code, _, err = run(verb, "--out", tmp_path / "taken" / "table.csv")
    assert (code, one_line(err)) == (3, True)


@pytest.mark.parametrize("name", ["fit", "fit.csv", "fit.nc"])
def test_a_fit_is_known_by_its_content(run, monkeypatch, tmp_path, name):
    asked = []

    def influence(fit, **_):
        asked.append(fit.vintage)
        raise at.InputError("asked", [])

    monkeypatch.setattr("attrition.leaving_out.influence", influence)
    monkeypatch.setattr("attrition.storage.load", lambda path: make() if path == tmp_path / name else None)
    (tmp_path / name).write_bytes(cli.HDF5 + b"the rest")
    assert run("influence", tmp_path / name)[0] == 2
    assert asked == [make().vintage]


def test_a_saved_fit_begins_as_expected(monkeypatch, tmp_path):
    import h5py

    with h5py.File(tmp_path / "file", "w") as file:
        file["a"] = 1
    assert cli._is_fit(tmp_path / "file")
    assert cli._is_fit(tmp_path)
    assert cli._is_fit(tmp_path / "nowhere.nc")
    assert not cli._is_fit(DATA / "claims.csv")
    assert not cli._is_fit(tmp_path / "nowhere.csv")


def test_priors_at_odds_with_the_record_are_2_with_the_fix(run, monkeypatch):
    def at_odds(*_, **__):
        raise at.AttritionError("3 of 2000 draws left the force fighting. Choose an earlier known_by")

    monkeypatch.setattr("attrition.guide.prior_guide", at_odds)
    code, _, err = run("priors")
    assert (code, one_line(err)) == (2, True)
    assert "Choose an earlier known_by" in err


def test_an_error_of_our_own_is_3_with_its_trace(run, monkeypatch):
    def broken(*_, **__):
        raise RuntimeError("a mistake of ours")

    monkeypatch.setattr("attrition.guide.prior_guide", broken)
    code, _, err = run("priors")
    assert code == 3
    assert "Traceback" in err
    assert "a mistake of ours" in err
