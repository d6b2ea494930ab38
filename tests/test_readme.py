"""What the README shows is what happens."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

import attrition as at

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def block(language):
    return re.findall(rf"```{language}\n(.*?)```", README, flags=re.S)


def test_the_whole_job_is_at_most_eight_lines_and_runs(tmp_path, monkeypatch, january, capsys):
    code = block("python")[0]
    assert len([line for line in code.splitlines() if line.strip()]) <= 8
    monkeypatch.chdir(tmp_path)
    space: dict[str, object] = {}
    exec(compile(code, "README.md", "exec"), space)  # noqa: S102
    out = capsys.readouterr().out
    assert "90% interval" in out
    assert isinstance(space["fit"], at.Fit)
    assert (tmp_path / "kursk" / "summary.json").is_file()


def test_the_output_shown_is_the_committed_one():
    shown = block("text")[0]
    assert shown.strip() == (ROOT / "analysis" / "kursk-2025-01-16" / "summary.txt").read_text(encoding="utf-8").strip()


def test_files_that_the_readme_names_exist():
    for target in re.findall(r"\]\(([^)#:]+)\)", README):
        assert (ROOT / target).exists(), target


def test_the_extension_shown_runs_and_moves_the_total(january, record, campaign):
    space: dict[str, object] = {"at": at, "claims": record, "campaign": campaign}
    exec(compile(block("python")[1], "README.md", "exec"), space)  # noqa: S102
    extended = space["extended"]
    assert isinstance(extended, at.Fit)
    assert extended.compiled is not None
    assert extended.compiled.places is not None
    before, after = (np.log(fit.array("cumulative_loss")[..., -1]) for fit in (january, extended))
    narrower = (before.std() ** -2 + 0.3**-2) ** -0.5  # two independent pieces of evidence, both nearly lognormal
    between = (before.mean() / before.var() + np.log(4500) / 0.09) * narrower**2
    assert after.std() == pytest.approx(narrower, rel=0.1)
    assert after.mean() == pytest.approx(between, abs=0.2 * narrower)
