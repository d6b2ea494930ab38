"""What every published number would be without one claim: the same as leaving it out by hand."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
from typer.testing import CliRunner

import attrition as at
from attrition import cli, leaving_out
from attrition.errors import InputError
from attrition.leaving_out import influence
from attrition.sayings import saying
from drawings import make

FEW = at.Settings(draws=200, tune=300)
CLAIMS = ["K126", "K043"]


@pytest.fixture(scope="module")
def found(january):
    return influence(january, progress=False, settings=FEW, claim_ids=CLAIMS)


def test_a_row_is_the_refit_without_the_claim(found, january):
    claim = "K126"
    by_hand = at.refit(january, january.claims.without(claim), settings=FEW, progress=False)
    row = found.table.set_index("claim_id").loc[claim]
    assert row["total_loss"] == np.median(by_hand.array("cumulative_loss")[..., -1])
    assert row["total_loss_shift"] == row["total_loss"] - np.median(january.array("cumulative_loss")[..., -1])
    assert row["rate_since_escalation"] == np.median(at.rate_since(by_hand))
    assert row["killed_share"] == np.median(by_hand.array("killed_share"))
    for name, scenario in (("hold", at.hold()), ("forecast", at.forecast())):
        date, before = at.depletion_date(by_hand, scenario), at.depletion_date(january, scenario)
        assert row[f"{name}_date"] == date.quantile_text(0.5)
        assert row[f"{name}_by"] == date.probability_by("2025-04-15")
        shift = date.probability_by("2025-04-15") - before.probability_by("2025-04-15")
        assert row[f"{name}_by_shift"] == pytest.approx(shift)
        if date.quantile(0.5) and before.quantile(0.5):
            assert row[f"{name}_date_shift"] == (date.quantile(0.5) - before.quantile(0.5)).days
    assert row["passed"] == by_hand.passed
    assert row["min_ess"] == by_hand.gate["min_ess"]


def test_rows_are_sorted_and_say_who_spoke(found, january):
    table = found.table
    assert set(table["claim_id"]) == set(CLAIMS)
    assert list(table["largest_shift"]) == sorted(table["largest_shift"], reverse=True)
    said = table.set_index("claim_id")
    assert said.loc["K126", "says"] == "casualties at least 24"
    assert said.loc["K043", "says"] == "casualties about 3,800"
    assert said.loc["K043", "source"] == "ukraine-president"
    assert said.loc["K043", "published"] == "2025-01-05"
    assert set(table["moves_most"]) <= set(leaving_out.MEASURED.values())
    assert found.full["total_loss"] == np.median(january.array("cumulative_loss")[..., -1])
    assert found.until.isoformat() == "2025-04-15"
    shown = str(found)
    assert all(claim in shown for claim in CLAIMS)
    assert found.sentence in shown


def test_a_failed_gate_is_shown(found):
    """200 draws of 4 chains are seldom enough: every row says what its gate said."""
    for row in found.table.to_dict("records"):
        assert row["gate"].startswith("passed" if row["passed"] else "FAILED: ")
    failed = int((~found.table["passed"]).sum())
    assert found.passed == (failed == 0)
    assert (f"{failed} of 2 refits FAILED" in found.sentence) == (failed > 0)
    assert (str(found).count("GATE FAILED")) == failed


def test_a_source_takes_all_its_claims_along(january):
    found = influence(january, progress=False, settings=FEW, leave_out="source", claim_ids=["K126"])
    (row,) = found.table.to_dict("records")
    assert (row["claim_id"], row["source"]) == ("K126 K038", "us-whitehouse")
    assert row["published"] == "2024-12-16 to 2024-12-27"
    assert row["says"] == "casualties at least 24; casualties over 1,000, 2024-12-21 to 2024-12-27"


def test_a_saved_fit_serves_as_well(january, tmp_path, monkeypatch):
    loaded = at.load(january.save(tmp_path / "fit.nc"))
    monkeypatch.setattr(leaving_out, "refit", lambda before, claims, **options: january)
    found = influence(loaded, progress=False, claim_ids=CLAIMS)
    assert found.table["largest_shift"].max() == 0.0
    assert "no claim moves" in found.sentence.lower()


def test_the_last_claim_does_not_take_the_vintage_along(record, campaign):
    fit = make(record, campaign)
    assert fit.claims.vintage is None
    ready = leaving_out._standing(fit)
    last = max(fit.seen.claims["published"])
    rest = ready.claims.without(*fit.seen.claims.loc[fit.seen.claims["published"] == last, "claim_id"])
    assert rest.vintage == ready.campaign.vintage == fit.vintage
    assert ready.campaign.phases == fit.campaign.phases


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"claim_ids": ["K056"]}, "a claim that entered"),
        ({"leave_out": "row"}, "claim or source"),
    ],
)
def test_what_cannot_be_left_out_is_refused(january, options, words):
    with pytest.raises(InputError, match=words):
        influence(january, progress=False, **options)


def test_progress_names_each_refit(january, monkeypatch, capsys):
    monkeypatch.setattr(leaving_out, "refit", lambda *_, **__: january)
    influence(january, claim_ids=CLAIMS)
    assert [line.split(",")[0] for line in capsys.readouterr().err.splitlines()] == [
        "1 of 2: without K126",
        "2 of 2: without K043",
    ]


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ({}, "casualties about 3,800"),
        ({"bound": "at_least", "value": 3000}, "casualties over 3,000"),
        ({"bound": "at_least", "value": 24, "open": "yes"}, "casualties at least 24"),
        ({"bound": "at_most", "value": 1000, "quantity": "wounded"}, "wounded nearly 1,000"),
        ({"bound": "at_most", "value": 1000, "open": "yes"}, "casualties up to 1,000"),
        ({"bound": "exact", "value": 77.0}, "casualties 77"),
        ({"bound": "range", "value": None, "low": 3000, "high": 4500}, "casualties 3,000 to 4,500"),
        ({"quantity": "killed_share", "value": 0.25}, "killed share about 25%"),
        ({"quantity": "daily_rate", "value": 92.5, "window_start": "2025-01-01"}, None),
        ({"value": None}, "casualties without a number"),
    ],
)
def test_what_a_claim_says(row, words):
    base = {"quantity": "casualties", "value": 3800, "low": None, "high": None, "bound": "approx", "open": ""}
    base |= {"window_start": None, "as_of": "2025-01-05", "published": "2025-01-06"}
    words = words or "daily rate about 92.5, 2025-01-01 to 2025-01-05"
    assert saying({**base, **row}) == words


def test_the_command_prints_and_writes_the_table(january, tmp_path, monkeypatch):
    january.save(tmp_path / "fit.nc")
    monkeypatch.setattr(leaving_out, "refit", lambda *_, **__: january)
    out = tmp_path / "table.csv"
    done = CliRunner().invoke(cli.app, ["influence", str(tmp_path), "--leave-out", "source", "--out", str(out)])
    assert done.exit_code == 0, done.output
    assert "Influence: each source left out, 7 refits" in done.output
    assert len(out.read_text().splitlines()) == 8
    failed = dataclasses.replace(january, gate=january.gate | {"passed": False, "sentence": "few draws"})
    monkeypatch.setattr(leaving_out, "refit", lambda *_, **__: failed)
    done = CliRunner().invoke(cli.app, ["influence", str(tmp_path / "fit.nc")])
    assert done.exit_code == 1
    assert "GATE FAILED: few draws" in done.output


def test_a_saved_fit_has_its_own_options(january, tmp_path):
    january.save(tmp_path / "fit.nc")
    done = CliRunner().invoke(cli.app, ["influence", str(tmp_path), "--known-by", "2025-01-01"])
    assert isinstance(done.exception, InputError)


def test_no_shift_is_later_than_never(january):
    """Where the median date lies after the horizon it has no shift in days; 1/T still tells which way it goes."""
    names = ("total_loss", "rate_since_escalation", "killed_share", "hold_by", "forecast_by", "min_ess")
    full = dict.fromkeys(names, 1.0)
    full |= {"_hold_day": math.inf, "_forecast_day": 10.0}
    again = dataclasses.replace(january, campaign=dataclasses.replace(january.campaign, horizon_days=1))
    row = leaving_out._compared(again, leaving_out._measured(january), full, again.vintage)
    assert math.isnan(row["hold_date_shift"])
    assert row["forecast_date_shift"] == math.inf
