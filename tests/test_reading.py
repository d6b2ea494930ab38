"""Cells and files: nothing ambiguous is guessed, and every refusal says where, what and what to do."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from attrition.claims import read_claims
from attrition.errors import InputError
from attrition.reading import as_of_span, date_of, number_of
from tables import BASE, problems_of, read, row, write

BAD_NUMBERS = [
    "1.234", "12.500", "999.000", "1,2", "1,234", "1,234.5", "1.234,5", "3 800", "3\u00a0800", "3\u202f800", "3'800",
    "3_800", "1e3", "1E3", "1e400", "1e-3", "1d3", "NaN", "nan", "inf", "-inf", "Infinity", "-5", "-0", "+5", "--5",
    "007", "00", "00.5", ".5", "5.", "5..0", "1.2.3", "0x10", "0b1", "1/2", "50%", "$100", "3k", "3,000+", "~3000",
    ">3000", "3000-4000", "3000\u20134000", "three", "several hundred", "n/a", "null", "None", "-", "?", "true",
    "\uff13\uff18\uff10\uff10", "\u0663\u0668\u0660\u0660", "\u096b", "\u00b2", "\u00bd", "\u2162", "3800 persons",
    "3\n800", "10000000000", "9" * 400, "1000000000.5", "\u22125",
]  # fmt: skip
GOOD_NUMBERS = [
    ("0", 0.0), ("5", 5.0), ("3800", 3800.0), ("0.5", 0.5), ("0.350", 0.35), ("1.5", 1.5), ("1.2340", 1.234),
    ("4000.25", 4000.25), ("1234.567", 1234.567), ("1000000000", 1e9), ("  3800 ", 3800.0), ("0.1", 0.1),
]  # fmt: skip
BAD_DATES = [
    "03/04/2025", "3.4.2025", "04-03-2025", "2025/01/02", "2025-1-2", "20250102", "2025-W01-1", "2025-002",
    "2025-13-01", "2025-00-10", "2025-02-29", "2025-04-31", "2025-01-00", "2025-01-32", "0000-01-01", "0001-01-01",
    "1899-12-31",
    "2101-01-01", "9999-12-31", "10000-01-01", "2025-01-02T00:00", "2025-01-02 13:45", "2025-01-02T13:45:00Z",
    "2 January 2025", "Jan 2025", "2025", "2025-01", "45659", "yesterday", "NaT", "n/a", "-2025-01-02",
    "\uff12\uff10\uff12\uff15-01-02", "\u0662\u0660\u0662\u0665-01-02", "2025\u201301\u201302", "2025-01-02x",
]  # fmt: skip


@pytest.mark.parametrize("text", BAD_NUMBERS)
def test_a_bad_number_is_refused_with_what_to_do(text):
    with pytest.raises(ValueError, match=r".") as caught:
        number_of(text)
    expected, do = caught.value.args
    assert expected
    assert do.endswith(".")


@pytest.mark.parametrize("text", BAD_DATES)
def test_a_bad_date_is_refused_with_what_to_do(text):
    with pytest.raises(ValueError, match=r".") as caught:
        date_of(text)
    expected, do = caught.value.args
    assert expected
    assert do.endswith(".")


@pytest.mark.parametrize(("text", "value"), GOOD_NUMBERS)
def test_a_good_number_is_read_exactly(text, value):
    assert number_of(text) == value


@pytest.mark.parametrize("text", ["", "  ", "\t", None, float("nan"), np.nan, pd.NaT, pd.NA])
def test_an_empty_cell_is_none(text):
    assert number_of(text) is None
    assert date_of(text) is None


@pytest.mark.parametrize(
    ("cell", "date"),
    [
        ("2025-01-02", dt.date(2025, 1, 2)),
        (" 2024-02-29 ", dt.date(2024, 2, 29)),
        ("1900-01-01", dt.date(1900, 1, 1)),
        ("2100-12-31", dt.date(2100, 12, 31)),
        (dt.date(2025, 1, 2), dt.date(2025, 1, 2)),
        (dt.datetime(2025, 1, 2), dt.date(2025, 1, 2)),
        (pd.Timestamp("2025-01-02"), dt.date(2025, 1, 2)),
    ],
)
def test_a_good_date_is_read_exactly(cell, date):
    read = date_of(cell)
    assert type(read) is dt.date
    assert read == date


@pytest.mark.parametrize(
    "cell",
    [dt.datetime(2025, 1, 2, 13), pd.Timestamp("2025-01-02 00:00:01"), pd.Timestamp("2025-01-02 00:00:00.000000001"),
     20250102, 45659.0, True, dt.date(1, 1, 1), dt.time(1)],
)  # fmt: skip
def test_native_dates_that_are_not_a_day_are_refused(cell):
    with pytest.raises(ValueError, match=r"."):
        date_of(cell)


@pytest.mark.parametrize(
    "cell", [True, False, np.True_, -1, -0.5, np.inf, -np.inf, 1e10, 2 + 0j, [3], b"3", dt.date(2025, 1, 2)]
)
def test_native_numbers_that_are_not_a_count_are_refused(cell):
    with pytest.raises(ValueError, match=r"."):
        number_of(cell)


@pytest.mark.parametrize("cell", [3800, 3800.0, np.int64(3800), np.int16(3800), np.float32(3800)])
def test_native_numbers_are_read(cell):
    assert number_of(cell) == 3800.0
    assert type(number_of(cell)) is float


def test_the_thousands_message_offers_both_readings():
    with pytest.raises(ValueError, match=r"1234 or 1\.2340") as caught:
        number_of("1.234")
    assert number_of("1.2340") == 1.234
    assert caught.value.args[0] == "an unambiguous number"


def test_every_bad_cell_of_a_file_is_reported_at_once(tmp_path):
    rows = [row(claim_id=f"N{n}", value=text) for n, text in enumerate(BAD_NUMBERS) if "\n" not in text]
    rows += [row(claim_id=f"D{n}", published=text) for n, text in enumerate(BAD_DATES)]
    found = problems_of(write(tmp_path, *rows))
    assert [(p.where, p.name) for p in found] == [(f"line {n}", repr(r["claim_id"])) for n, r in enumerate(rows, 2)]
    assert [p.column for p in found] == ["value" if r["claim_id"][0] == "N" else "published" for r in rows]
    for problem, record in zip(found, rows, strict=True):
        assert problem.got.startswith(repr(record[problem.column])[:60])
        assert problem.expected
        assert problem.do


def test_cell_and_rule_problems_come_together_in_one_error(tmp_path):
    rows = [
        row(value="1,2"),
        row(claim_id="A2", bound="roughly"),
        row(claim_id="A3", as_of="2025-02-01"),
        row(claim_id="A3"),
    ]
    with pytest.raises(InputError) as caught:
        read_claims(write(tmp_path, *rows))
    found = {(p.where, p.name, p.column) for p in caught.value.problems}
    assert found == {
        ("line 2", "'A1'", "value"),
        ("line 3", "'A2'", "bound"),
        ("line 4", "'A3'", "as_of"),
        ("line 5", "'A3'", "claim_id"),
    }
    for problem in caught.value.problems:
        assert str(problem) in str(caught.value)


def test_a_frame_is_located_by_row():
    frame = pd.DataFrame([row(), row(claim_id="A2", value="3 800")], index=[10, 20])
    (problem,) = problems_of(frame)
    assert (problem.where, problem.name, problem.column, problem.got) == ("row 2", "'A2'", "value", "'3 800'")


def test_native_frames_equal_the_csv_route(tmp_path):
    text = [
        row(window_start="", low="", high=""),
        row(
            claim_id="A2",
            value="",
            bound="range",
            low="0.5",
            high="2000",
            quantity="daily_rate",
            window_start="2025-01-02",
        ),
        row(claim_id="A3", as_of="", as_of_basis="none", value="4500", bound="at_least"),
    ]
    native = [
        row(value=3000, published=dt.date(2025, 1, 10), as_of=pd.Timestamp("2025-01-09"), low=np.nan,
            window_start=pd.NaT),
        row(claim_id="A2", value=np.nan, bound="range", low=0.5, high=np.int64(2000), quantity="daily_rate",
            published=pd.Timestamp("2025-01-10"), window_start=dt.datetime(2025, 1, 2)),
        row(claim_id="A3", as_of=None, as_of_basis="none", value=4500.0, bound="at_least"),
    ]  # fmt: skip
    from_file = read_claims(write(tmp_path, *text))
    from_frame = read_claims(pd.DataFrame(native))
    pd.testing.assert_frame_equal(from_file.table, from_frame.table)
    assert from_file.digest == from_frame.digest
    assert from_file.sources == from_frame.sources


def test_nullable_dtypes_of_pandas_are_read(tmp_path):
    text = [row(low="", x_n="1"), row(claim_id="A2", value="", bound="range", low="100", high="200", x_n="")]
    path = write(tmp_path, *text)
    frame = pd.read_csv(path, dtype_backend="numpy_nullable", parse_dates=["published", "as_of"])
    assert frame["value"].dtype == "Int64"
    assert read_claims(frame).digest == read_claims(path).digest


def test_the_table_holds_only_plain_types():
    table = read_claims(pd.DataFrame([row(value=np.int64(3000), published=pd.Timestamp("2025-01-10"))])).table
    assert type(table.loc[0, "value"]) is float
    assert type(table.loc[0, "published"]) is dt.date
    assert table.loc[0, "low"] is None
    assert set(BASE) <= set(table.columns)


def spans(claims):
    return list(zip(claims.table["as_of_from"], claims.table["as_of"], claims.table["as_of_basis"], strict=True))


@pytest.mark.parametrize(
    ("changes", "first", "last"),
    [
        ({"as_of": "2024-12"}, (2024, 12, 1), (2024, 12, 31)),
        ({"as_of": " 2024-02 "}, (2024, 2, 1), (2024, 2, 29)),
        ({"as_of": "2025-01"}, (2025, 1, 1), (2025, 1, 10)),  # published on the 10th
        ({"as_of": "2025-01", "published": "2025-01-01"}, (2025, 1, 1), (2025, 1, 1)),
        ({"as_of": "2025-01", "published": "2025-01-31"}, (2025, 1, 1), (2025, 1, 31)),
        ({"as_of": "2025-01", "role": "forecast"}, (2025, 1, 1), (2025, 1, 31)),
        ({"as_of": "2025-03", "role": "forecast"}, (2025, 3, 1), (2025, 3, 31)),
    ],
)
def test_a_month_is_read_as_its_days(changes, first, last):
    claims = read(row(**changes))
    assert spans(claims) == [(dt.date(*first), dt.date(*last), "stated")]
    assert claims.months == (changes.get("role") != "forecast" and first != last)


def test_a_span_can_be_given_in_full():
    claims = read(row(as_of_from="2025-01-02", as_of_basis="inferred"))
    assert spans(claims) == [(dt.date(2025, 1, 2), dt.date(2025, 1, 9), "inferred")]
    assert claims.months == 1
    assert read(row(as_of_from="2025-01-09")).months == 0
    assert read(row(as_of="2024-12", window_start="2024-12-01")).months == 1


@pytest.mark.parametrize(
    "cell", ["2025-13", "2025-00", "2025-3", "03-2025", "2025/03", "2025-03-", "2025 03", "March 2025", "202503", "0000-01",
             "1899-12", "2025-W03", "2025-Q1", "2025", "\uff12\uff10\uff12\uff15-01"],
)  # fmt: skip
def test_a_wrong_month_is_refused_with_what_to_do(cell):
    (problem,) = problems_of(pd.DataFrame([row(), row(claim_id="A2", as_of=cell, as_of_from="2025-01-01")]))
    assert (problem.where, problem.name, problem.column) == ("row 2", "'A2'", "as_of")
    assert problem.expected
    assert problem.do.endswith(".")


@pytest.mark.parametrize("column", ["published", "window_start", "as_of_from"])
def test_only_as_of_may_be_a_month(column):
    (problem,) = problems_of(pd.DataFrame([row(**{column: "2025-01"})]))
    assert problem.column == column


def test_a_month_to_come_is_refused():
    (problem,) = problems_of(pd.DataFrame([row(as_of="2025-02")]))
    assert (problem.column, problem.expected) == ("as_of", "a day not after the day of publication")


def test_a_month_and_a_first_day_are_refused_together():
    (problem,) = problems_of(pd.DataFrame([row(as_of="2025-01", as_of_from="2025-01-03")]))
    assert (problem.column, problem.got) == ("as_of_from", "'2025-01-03'")
    assert "as_of is a month" in problem.expected


@given(day=st.dates(dt.date(1900, 1, 1), dt.date(2100, 12, 31)))
def test_a_month_spans_the_days_that_begin_with_it(day):
    first, last = as_of_span(f"{day:%Y-%m}")
    assert first <= day <= last
    assert first.day == 1
    assert (last + dt.timedelta(days=1)).day == 1
    assert (first.month, last.month) == (day.month, day.month)
    assert as_of_span(day.isoformat()) == as_of_span(day) == (None, day)


@settings(deadline=None)
@given(
    day=st.dates(dt.date(2024, 10, 1), dt.date(2025, 2, 28)),
    value=st.integers(1, 10**6),
    month=st.booleans(),
)
def test_spans_round_trip_through_the_table(day, value, month):
    cell = f"{day:%Y-%m}" if month else day.isoformat()
    claims = read(row(as_of=cell, value=value, published="2025-03-01"))
    assert read_claims(claims.table).digest == claims.digest
    as_text = claims.table.map(lambda cell: "" if cell is None else str(cell)).replace(
        {"value": {r"\.0$": ""}}, regex=True
    )
    again = read_claims(as_text)
    assert (again.digest, again.months) == (claims.digest, int(month))


@pytest.mark.parametrize("source", [5, None, [row()], {"claim_id": ["A1"]}])
def test_what_is_no_table_is_refused(source):
    with pytest.raises(InputError, match="expected a path or a pandas DataFrame"):
        read_claims(source)
