"""Two publications side by side: medians, intervals and changes are those of the draws, and what is given is checked."""

from __future__ import annotations

import dataclasses
import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import attrition as at
from attrition.publishing.comparison import Allowed, headline, moved
from drawings import make
from persons import force, replaced

COMMITTED = Path(__file__).parents[1] / "analysis" / "kursk-2025-01-16"
GATE = {"passed": True, "max_rhat": 1.0, "min_ess": 1000.0, "divergences": 0, "target_accept": 0.9, "escalated": ""}


def gated(fit, **changes):
    errors = np.random.default_rng(1).uniform(0.1, 0.2, fit.array("contingent_size").shape)
    return dataclasses.replace(replaced(fit, claim_error=errors), gate=GATE | changes)


@pytest.fixture(scope="module")
def old():
    return gated(make(at.load_claims("dprk-kursk").known_by("2024-12-18"), draws=200))


@pytest.fixture(scope="module")
def new():
    return gated(make(draws=200))


def test_every_number_is_that_of_its_draws(old, new):
    found = at.compare(old, new)
    table = found.table.set_index("quantity")
    for side, fit in (("old", old), ("new", new)):
        total = fit.array("cumulative_loss")[..., -1]
        ends = [table.loc["total_loss", f"{side}_{name}"] for name in ("lower_90", "median", "upper_90")]
        np.testing.assert_allclose(ends, np.quantile(total, (0.05, 0.5, 0.95)))
        for scenario in (at.hold(), at.forecast()):
            date = at.depletion_date(fit, scenario, "net")
            row = table.loc[f"depletion_date[{scenario.name}, net]"]
            expected = [date.quantile_text(0.05), date.quantile_text(0.5), date.quantile_text(0.95)]
            assert [row[f"{side}_{name}"] for name in ("lower_90", "median", "upper_90")] == expected
    row = table.loc["total_loss"]
    assert row["change"] == row["new_median"] - row["old_median"]
    assert row["change_share"] == pytest.approx(row["new_median"] / row["old_median"] - 1)
    row = table.loc["depletion_date[hold, gross]"]
    apart = pd.Timestamp(row["new_median"]) - pd.Timestamp(row["old_median"])
    assert row["change"] == apart.days
    assert pd.isna(table.loc["killed", "change_share"]) is False


def test_the_sentence_says_what_moved(old, new):
    found = at.compare(old, new)
    medians = [np.median(fit.array("cumulative_loss")[..., -1]) for fit in (old, new)]
    share = 100 * (medians[1] / medians[0] - 1)
    assert f"killed and wounded by the vintage from {at.fitted.count(medians[0])} to" in found.sentence
    assert f"({round(share):+d}%)" in found.sentence
    days = (at.depletion_date(new).quantile(0.5) - at.depletion_date(old).quantile(0.5)).days
    assert f"({abs(days)} day{'s' * (abs(days) > 1)} {'later' if days > 0 else 'earlier'})" in found.sentence
    assert "as known by 2024-12-18 -> " in str(found)
    assert found._repr_html_().startswith("<table")


def test_a_source_that_had_not_spoken_has_no_number(old, new):
    names = [set(at.summarize(fit)["quantities"]) for fit in (old, new)]
    later = next(name for name in sorted(names[1] - names[0]) if name.startswith("source_bias"))
    row = at.compare(old, new).table.set_index("quantity").loc[later]
    assert pd.isna(row["old_median"])
    assert pd.notna(row["new_median"])
    assert pd.isna(row["change"])


def test_files_and_fits_say_the_same(old, new, tmp_path):
    saved = old.save(tmp_path / "fit" / "fit.nc")
    (tmp_path / "summary.json").write_text(json.dumps(at.summarize(old)))
    whole = at.compare(old, new).table
    for given in (saved, saved.parent, tmp_path / "summary.json", tmp_path, str(tmp_path)):
        pd.testing.assert_frame_equal(at.compare(given, new).table, whole)


def test_levels_that_only_one_has_are_left_away(old, new, tmp_path):
    (tmp_path / "summary.json").write_text(json.dumps(at.summarize(old, [0.1, 0.25, 0.5, 0.75, 0.9])))
    assert [c for c in at.compare(tmp_path, new).table if c.startswith("old")] == [
        "old_median",
        "old_lower_50",
        "old_upper_50",
    ]
    (tmp_path / "summary.json").write_text(json.dumps(at.summarize(old, [0.1, 0.5, 0.9])))
    found = at.compare(tmp_path, new)
    assert [c for c in found.table if c.startswith("old")] == ["old_median"]
    assert "(+" in str(found) or "(-" in str(found)


def test_a_committed_summary_of_an_earlier_day_is_read(january):
    found = at.compare(COMMITTED, january)
    assert abs(found.table.set_index("quantity").loc["total_loss", "change_share"]) < 0.05


def test_a_date_after_the_horizon(old):
    late = gated(force(draws=40, size=9.0))
    row = at.compare(late, old).table.set_index("quantity").loc["depletion_date[hold, gross]"]
    assert row["old_median"] == "after 2026-01-16"
    assert pd.isna(row["change"])
    assert "the date under hold from after 2026-01-16 to 2025-" in at.compare(late, old).sentence


def test_failed_gates_and_other_campaigns_are_said(old, new):
    other = dataclasses.replace(new, campaign=dataclasses.replace(new.campaign, name="elsewhere"))
    assert "different campaigns, dprk-kursk and elsewhere" in at.compare(old, other).sentence
    failed = dataclasses.replace(new, gate=GATE | {"passed": False})
    assert "Not a final result, the convergence gate failed: 2025-01-16" in at.compare(old, failed).sentence


def test_what_cannot_be_compared_is_refused(new, tmp_path):
    with pytest.raises(at.InputError, match="a fit, or the path of one"):
        at.compare(1, new)
    with pytest.raises(at.FileError, match="holds neither"):
        at.compare(tmp_path, new)
    with pytest.raises(at.FileError, match="no such file"):
        at.compare(tmp_path / "summary.json", new)
    shutil.copy(COMMITTED / "summary.json", tmp_path)
    content = json.loads((tmp_path / "summary.json").read_text())
    for wrong in ("{}", "x", "[]", json.dumps(content | {"scenarios": {}}), json.dumps(content | {"quantities": []})):
        (tmp_path / "summary.json").write_text(wrong)
        with pytest.raises(at.FileError, match="not a readable summary"):
            at.compare(tmp_path, new)
    (tmp_path / "summary.json").write_text(json.dumps(content | {"schema_version": "9.0"}))
    with pytest.raises(at.FileError, match=r"schema 9\.0"):
        at.compare(tmp_path, new)


# How far a headline may move


def place(total=1000.0, rate=90.0, date="2025-04-04"):
    return {"total_loss": total, "rate_since_escalation": rate, "depletion_hold": date, "horizon": "2026-01-16"}


def test_headlines_are_medians(new):
    found = headline(at.summarize(new))
    assert found["total_loss"] == np.median(new.array("cumulative_loss")[..., -1])
    assert found["depletion_hold"] == str(at.depletion_date(new).quantile(0.5))


@pytest.mark.parametrize(
    ("now", "words"),
    [
        (place(), ""),
        (place(total=1099.0, rate=82.0, date="2025-04-18"), ""),
        (place(total=1101.0), "killed and wounded by the vintage from 1,000 to 1,100 (+10%), more than 10%"),
        (place(total=899.0), "(-10%)"),
        (place(rate=100.0), "killed and wounded a day from 90 to 100 (+11%), more than 10%"),
        (place(date="2025-04-19"), "the date under hold from 2025-04-04 to 2025-04-19, more than 14 days"),
        (place(date="2025-03-20"), "the date under hold"),
        (place(date=None), "from 2025-04-04 to after 2026-01-16"),
        (place(total=None), "killed and wounded by the vintage: 1,000 before, no number now"),
    ],
)
def test_what_moved_too_far_is_named(now, words):
    found = moved(place(), now)
    assert len(found) == bool(words)
    assert words in "".join(found)


def test_the_limits_are_the_callers():
    assert moved(place(), place(total=1101.0, date="2025-04-19"), Allowed(share=0.2, days=20)) == []
    assert len(moved(place(), place(total=1011.0, rate=91.0, date="2025-04-05"), Allowed(share=0.01, days=0))) == 3
    assert moved(place(date=None), place(date=None)) == []
    assert moved(place(total=None), place(total=None)) == []
    assert len(moved(place(date=None), place())) == 1
