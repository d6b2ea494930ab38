"""Published tables: every number is recomputed from the draws; the level stands in the column; each format reads back."""

from __future__ import annotations

import io
import json
import re

import numpy as np
import pandas as pd
import pytest

import attrition as at
from attrition.publishing.table_text import csv_text, json_of, latex_of, markdown_of
from attrition.publishing.tables import TITLES, all_tables, for_people, interval_columns
from drawings import BARE, make
from persons import force, replaced

ENDS = {"median": 0.5, "lower_50": 0.25, "upper_50": 0.75, "lower_90": 0.05, "upper_90": 0.95}


@pytest.fixture(scope="module")
def fit():
    return with_error(force(draws=200, size=2.4))


def with_error(made):
    return replaced(made, claim_error=np.random.default_rng(1).uniform(0.1, 0.2, made.array("contingent_size").shape))


def test_quantities_are_quantiles_of_the_draws(fit):
    table = at.quantity_table(fit).set_index("quantity")
    total, killed = fit.array("cumulative_loss"), fit.array("cumulative_killed")
    day = fit.campaign.day(fit.campaign.rate_since)
    expected = {
        "total_loss": total[..., -1],
        "killed": killed[..., -1],
        "rate_since_escalation": (total[..., -1] - total[..., day]) / (total.shape[-1] - 1 - day),
        "daily_rate_now": total[..., -1] - total[..., -2],
        "contingent_size": fit.array("contingent_size"),
    }
    assert set(expected) <= set(table.index)
    for name, draws in expected.items():
        for column, level in ENDS.items():
            np.testing.assert_allclose(table.loc[name, column], np.quantile(draws, level), rtol=1e-9)
    assert table.loc["rate_since_escalation", "unit"] == "persons per day"
    assert list(table.columns) == ["meaning", "unit", *ENDS]


def test_dates_count_the_draws(fit):
    table = at.date_table(fit).set_index(["scenario", "definition"])
    assert len(table) == 6
    for scenario in (at.hold(), at.forecast()):
        for definition in ("gross", "gross_with_reinforcement", "net"):
            days = np.sort(at.depletion_date(fit, scenario, definition).day.ravel())
            row = table.loc[(scenario.name, definition)]
            horizon = fit.campaign.day(fit.vintage) + fit.campaign.horizon_days
            for column, level in ENDS.items():
                day = days[int(np.ceil(level * days.size)) - 1]
                late = f"after {fit.campaign.date(horizon)}"
                assert row[column] == (late if day > horizon else str(fit.campaign.date(day)))
            assert row["probability_by_horizon"] == np.mean(days <= horizon)
            until = fit.campaign.day(fit.campaign.dates_of_interest[0].date)
            assert row["probability_by_2025-04-15"] == np.mean(days <= until)
    assert any("after" in text for text in table["upper_90"])


def test_biases_are_factors_of_those_who_give_losses(fit):
    table = at.bias_table(fit).set_index("source")
    for number, name in enumerate(fit.posterior["source"].values):
        own = fit.seen.claims[(fit.seen.claims["source"] == name) & (fit.seen.claims["category"] < 8)]
        assert (name in table.index) == (len(own) > 0)
        if len(own):
            assert table.loc[name, "claims"] == len(own)
            ends = np.quantile(np.exp(fit.array("source_bias")[..., number]), list(ENDS.values()))
            np.testing.assert_allclose(table.loc[name, list(ENDS)].to_numpy(float), ends)


def test_every_claim_is_used_or_left_out_with_a_reason(fit):
    used, left = at.used_table(fit), at.left_out_table(fit)
    assert sorted([*used["claim_id"], *left["claim_id"]]) == sorted(fit.claims.table["claim_id"])
    assert all(left["reason"])
    stated = dict(zip(used["claim_id"], used["stated"], strict=True))
    assert stated["K006"] == "present about 11,000"


@pytest.mark.parametrize("levels", [[0.9], (0.8, 0.5, 0.8), [0.975], np.array([0.5])])
def test_the_levels_are_the_callers(fit, levels):
    table = at.quantity_table(fit, levels).set_index("quantity")
    ends = interval_columns(levels)
    assert list(table.columns)[2:] == list(ends)
    for level in levels:
        name = f"{100 * level:g}"
        assert table.loc["total_loss", f"upper_{name}"] == np.quantile(
            fit.array("cumulative_loss")[..., -1], (1 + level) / 2
        )
    assert list(at.date_table(fit, levels).columns)[4 : 4 + len(ends)] == list(ends)


@pytest.mark.parametrize("levels", [[], "0.9", 0.9, [90], [0], [1], [None], [True], None])
def test_levels_that_are_none_are_refused(fit, levels):
    for table in (at.quantity_table, at.date_table, at.bias_table):
        with pytest.raises(at.InputError, match=r"0\.9"):
            table(fit, levels)


def test_without_claims_left_out_or_dates_of_interest():
    bare = with_error(make(campaign=BARE))
    assert "probability_by_horizon" in at.date_table(bare)
    for name, table in all_tables(bare).items():
        people = for_people(table)
        assert people.shape == table.shape
        assert latex_of(people.iloc[:0], TITLES[name]).count("\\\\\n") == 1
        assert len(markdown_of(people.iloc[:0], TITLES[name]).splitlines()) == 4


def test_people_read_rounded_numbers():
    table = pd.DataFrame(
        {
            "quantity": ["total_loss", "killed_share", "rate"], "unit": ["persons", "1", "persons per day"],
            "claims": [1234, 2, 3], "median": [3968.6, 0.1539, 92.71], "lower_90": [2679.2, 0.0849, 0.04],
            "probability_by_horizon": [1.0, 0.0, 0.625],
        }
    )  # fmt: skip
    people = for_people(table)
    assert people.columns.tolist() == ["quantity", "unit", "claims", "median", "lower 90%", "probability by horizon"]
    assert people.iloc[0].tolist() == ["total loss", "persons", "1,234", "3,970", "2,680", "100%, every draw"]
    assert people.iloc[1].tolist() == ["killed share", "share", "2", "0.15", "0.08", "0%, no draw"]
    assert people.iloc[2].tolist() == ["rate", "persons per day", "3", "93", "0", "62%"]


def test_machines_read_every_digit(fit):
    for name, table in all_tables(fit).items():
        again = json.loads(json_of(table, TITLES[name], (0.5, 0.9)))
        assert again["interval_levels"] == [0.5, 0.9]
        assert again["columns"] == list(table)
        assert again["rows"] == json.loads(json.dumps(table.to_dict("records")))
        assert all(list(row) == again["columns"] for row in again["rows"])
        read = pd.read_csv(io.StringIO(csv_text(table)))
        for column in table.select_dtypes("number"):
            assert read[column].tolist() == table[column].tolist()


def test_latex_is_a_whole_booktabs_table(fit):
    for name, table in all_tables(fit).items():
        text = latex_of(for_people(table), TITLES[name])
        for rule in ("toprule", "midrule", "bottomrule", "begin{tabular}", "end{tabular}"):
            assert text.count(f"\\{rule}") == 1
        columns = re.sub(r">\{[^}]*\}p\{[^}]*\}", "p", re.search(r"\{@\{\}(.*)@\{\}\}\n", text)[1])
        assert re.fullmatch(r"[lrp]+", columns)
        assert len(columns) == table.shape[1]
        rows = text.split("\\midrule\n")[1].split("\\bottomrule")[0].splitlines()
        assert len(rows) == len(table)
        assert all(len(re.findall(r"(?<!\\)&", row)) == table.shape[1] - 1 for row in rows)


def test_markdown_is_a_table_to_its_readers(fit):
    from markdown_it import MarkdownIt

    parser = MarkdownIt("commonmark").enable("table")
    for name, table in all_tables(fit).items():
        tokens = parser.parse(markdown_of(for_people(table), TITLES[name]))
        assert sum(token.type == "tr_open" for token in tokens) == len(table) + 1
        assert sum(token.type == "td_open" for token in tokens) == table.size
