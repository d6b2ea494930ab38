from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

import attrition as at

ATTRITION = str(Path(sys.executable).parent / "attrition")
DATA = Path(__file__).parents[1] / "data" / "kursk"


def run(*arguments, cwd=None):
    done = subprocess.run([ATTRITION, *map(str, arguments)], capture_output=True, text=True, cwd=cwd, check=False)
    return done.returncode, done.stdout, done.stderr


def test_help_names_every_verb():
    code, out, _ = run("--help")
    assert code == 0
    assert all(verb in out for verb in ("check", "fit", "summary", "conform", "publish", "compare", "verify"))


def test_help_takes_little_longer_than_the_libraries_that_print_it():
    """About twice as long as Python with these two, 0.15 s; seconds would measure the machine."""
    libraries = [sys.executable, "-c", "import typer, rich.console"]
    turns = [(_seconds([ATTRITION, "--help"]), _seconds(libraries)) for _ in range(5)]
    ours, theirs = (min(seconds) for seconds in zip(*turns, strict=True))
    assert ours < 3.3 * theirs


def _seconds(command):
    started = time.perf_counter()
    subprocess.run(command, capture_output=True, check=True)
    return time.perf_counter() - started


def test_check_accepts_the_record():
    code, out, err = run("check", DATA / "claims.csv")
    assert code == 0, err
    assert "112" in out
    assert "K056" in out
    assert "Possible copies" in out
    assert "K088: wounded 3,600 = casualties 4,000 (K072, ukraine-hur) - killed 400 (K087, ukraine-hur)" in out


def test_bad_input_is_2_with_every_problem(tmp_path):
    text = (
        (DATA / "claims.csv")
        .read_text()
        .replace(",3800,", ',"3,800",')
        .replace("2025-01-13,2025-01-13", "13/01/2025,x")
    )
    path = tmp_path / "claims.csv"
    path.write_text(text)
    code, _, err = run("check", path)
    assert code == 2
    assert "K043" in err
    assert "K050" in err
    assert "YYYY-MM-DD" in err
    assert "Traceback" not in err


@pytest.mark.parametrize(
    "arguments",
    [
        ("check", "nowhere.csv"),
        ("summary", "nowhere.nc"),
        ("fit", "--known-by", "16/01/2025"),
        ("fit", "--campaign", "no-such-campaign"),
        ("fit", "--priors", "wishful"),
        ("conform", "nowhere.json"),
        ("no-such-verb",),
    ],
)
def test_bad_arguments_are_2_without_a_traceback(arguments, tmp_path):
    code, _, err = run(*arguments, cwd=tmp_path)
    assert code == 2, err
    assert err.strip()
    assert "Traceback" not in err


def test_summary_of_a_saved_fit(january, tmp_path):
    january.save(tmp_path / "fit.nc")
    code, out, err = run("summary", tmp_path)
    assert code == 0, err
    assert "90% interval" in out
    assert "92 a day" in out
    assert out.strip() == at.summary_text(january).strip()


def test_a_failed_gate_is_1_saved_marked_and_not_published(tmp_path):
    code, out, err = run("fit", "--known-by", "2025-01-16", "--draws", "100", "--out", tmp_path / "few")
    assert code == 1, err
    assert "NOT A FINAL RESULT" in out
    assert [entry.name for entry in (tmp_path / "few").iterdir()] == ["fit.nc"]
    assert at.load(tmp_path / "few" / "fit.nc").passed is False
    assert run("summary", tmp_path / "few")[0] == 1


def test_fit_publishes_outside_the_repository(tmp_path):
    code, out, err = run("fit", "--known-by", "2025-01-16", "--out", "published", cwd=tmp_path)
    assert code == 0, err
    folder = tmp_path / "published"
    names = {entry.name for entry in folder.iterdir()}
    figures = {
        f"{stem}.{end}"
        for stem in ("cumulative_loss", "daily_rate", "depletion_date", "strength")
        for end in ("svg", "png", "csv")
    }
    tables = {"claims_used.csv", "claims_set_aside.csv", "priors.csv", "summary.csv", "summary.txt", "summary.json"}
    assert names == figures | tables | {"fit.nc"}
    assert (folder / "summary.txt").read_text().strip() == out.strip()
    assert json.loads((folder / "summary.json").read_text())["gate"]["passed"] is True
    assert json.loads((folder / "summary.json").read_text()) == at.summarize(at.load(folder / "fit.nc"))


def test_anything_else_is_3(tmp_path, january):
    """A folder that cannot be made: a file stands in its place."""
    (tmp_path / "taken").write_text("a file")
    code, _, err = run("fit", "--known-by", "2025-01-16", "--draws", "100", "--out", tmp_path / "taken")
    assert code == 3
    assert "taken" in err


def test_conform_exits_by_the_result(tmp_path):
    content = json.loads((Path(__file__).parent / "conformance.json").read_text())
    one = content["sets"]["A_january_2025"]
    off = {p: 1.2 * q for p, q in one["posterior"]["r_per_day"].items()}
    content["sets"] = {"A": one, "off": {**one, "posterior": {"r_per_day": off}}}
    path = tmp_path / "sets.json"
    path.write_text(json.dumps(content))
    code, out, err = run("conform", path, "--draws", "2000")
    assert code == 1, err
    assert out.count("passed") == 2
    assert out.count("FAILED") == 1
