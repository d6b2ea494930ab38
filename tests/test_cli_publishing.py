"""The commands that publish, compare and verify: what they print, what they write, and their exit codes."""

from __future__ import annotations

import dataclasses
import json

import pytest

import attrition as at
from attrition import cli
from attrition.publishing import folder as folder_module
from attrition.publishing import report
from small_fits import thinned


@pytest.fixture(autouse=True)
def _quick_report(monkeypatch):
    monkeypatch.setattr(report, "report_page", lambda fit: f"<!doctype html>\n<p>{at.summary_text(fit)}</p>\n")


@pytest.fixture
def run(monkeypatch, capsys):
    """Run the command in this process: (exit code, output, errors)."""

    def called(*arguments):
        monkeypatch.setattr("sys.argv", ["attrition", *map(str, arguments)])
        with pytest.raises(SystemExit) as caught:
            cli.main()
        shown = capsys.readouterr()
        return caught.value.code or 0, shown.out, shown.err

    return called


@pytest.fixture(scope="module")
def fit(january):
    return thinned(january, 25)


@pytest.fixture
def saved(fit, tmp_path):
    return fit.save(tmp_path / "fits" / "fit.nc").parent


def test_publish_edit_and_verify(run, saved, tmp_path):
    out = tmp_path / "kursk"
    code, shown, err = run("publish", saved, "--out", out, "--level", "0.8", "--level", "0.9")
    assert code == 0, err
    assert shown.strip() == f"Published 48 files in {out}"
    assert "upper_80,lower_90" in (out / "tables" / "dates.csv").read_text()
    path = out / "tables" / "quantities.md"
    path.write_text(
        path.read_text().replace("total loss | killed and wounded by the vintage | persons | ", "x | y | 1", 1)
    )
    code, shown, err = run("verify", out)
    assert code == 1
    assert "1 file not as the draws" in shown
    assert "tables/quantities.md, line 5" in shown
    assert "Traceback" not in err


def test_a_headline_that_moved_is_1_until_confirmed(run, saved, tmp_path, monkeypatch):
    out = tmp_path / "kursk"
    out.mkdir()
    last = {
        "total_loss": 1000.0,
        "rate_since_escalation": 20.0,
        "depletion_hold": "2026-01-01",
        "horizon": "2026-01-16",
    }
    manifest = {"manifest_format": 1, "campaign": "dprk-kursk", "vintage": "2024-12-20", "interval_levels": [0.9]}
    (out / "manifest.json").write_text(json.dumps(manifest | {"headline": last, "published_with": {}, "sha256": {}}))
    code, shown, err = run("publish", saved, "--out", out)
    assert code == 1
    assert shown == ""
    assert err.startswith("Nothing is published: since the publication in")
    assert "known by 2024-12-20" in err
    assert [entry.name for entry in out.iterdir()] == ["manifest.json"]
    monkeypatch.setattr(folder_module, "write_publication", lambda *_: [])
    code, shown, _ = run("publish", saved, "--out", out, "--confirm")
    assert code == 0
    assert "Published 0 files" in shown


def test_a_failed_gate_is_1_and_publishes_nothing(run, fit, tmp_path):
    failed = dataclasses.replace(fit, gate=fit.gate | {"passed": False})
    failed.save(tmp_path / "fit.nc")
    code, _, err = run("publish", tmp_path / "fit.nc", "--confirm")
    assert code == 1
    assert "the convergence gate failed" in err
    assert [entry.name for entry in tmp_path.iterdir()] == ["fit.nc"]


def test_compare_prints_and_writes(run, saved, tmp_path):
    code, shown, err = run("compare", saved, saved / "fit.nc", "--out", tmp_path / "both.csv")
    assert code == 0, err
    assert "killed and wounded a day from" in shown
    assert (tmp_path / "both.csv").read_text().splitlines()[0].startswith("quantity,unit,old_median,old_lower_90")


@pytest.mark.parametrize(
    "arguments",
    [
        ("publish", "nowhere"),
        ("verify", "nowhere"),
        ("verify", "."),
        ("compare", "nowhere", "."),
        ("publish", "nowhere", "--level", "x"),
    ],
)
def test_bad_arguments_are_2(run, arguments, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, _, err = run(*arguments)
    assert code == 2
    assert err.strip()
    assert "Traceback" not in err


def test_a_level_that_is_none_is_2(run, saved):
    code, _, err = run("publish", saved, "--level", "90")
    assert code == 2
    assert "Write 0.9 for 90%" in err
    assert [entry.name for entry in saved.iterdir()] == ["fit.nc"]
