"""Cells that a reader might guess at, written by hand: each is refused, or read as exactly what is stated here."""

import pytest

from ambiguous import CASES, SETTINGS, Refused
from attrition.claims import read_claims
from tables import problems_of, row, write


@pytest.mark.parametrize(("what", "text", "expected"), CASES)
def test_a_cell_is_refused_or_read_as_stated(tmp_path, what, text, expected):
    column, others = SETTINGS[what]
    path = write(tmp_path, row(**others | {column: text}))
    if isinstance(expected, Refused):
        found = problems_of(path)
        assert found, "it was read"
        assert {problem.where for problem in found} <= {"line 2", "line 3"}  # a name with a line end ends a line later
        assert (expected.column or column) in {problem.column for problem in found}
        assert all(problem.expected and problem.do.endswith(".") for problem in found)
        return
    (read,) = read_claims(path).table.to_dict("records")
    got = (read["as_of_from"], read["as_of"]) if what == "as_of" else read[column]
    assert got == expected
    assert type(got) is type(expected)


def test_the_table_is_long_and_without_doubles():
    assert len({(what, text) for what, text, _ in CASES}) == len(CASES)
    assert len(CASES) >= 200
    assert {what for what, _, _ in CASES} == set(SETTINGS)


@pytest.mark.parametrize(
    ("column", "one", "two"),
    [
        ("source", "alpha", "Alpha"),
        ("source", "alpha", "ａｌｐｈａ"),
        ("source", "al pha", "al  pha"),
        ("source", "al pha", "al\u00a0pha"),
        ("source", "Straße", "STRASSE"),
        ("source", "e\u0301tat", "\u00e9tat"),
        ("source_group", "east", "East"),
        ("wave", "w1", "W1"),
    ],
)
def test_two_spellings_of_one_name_are_refused(tmp_path, column, one, two):
    rows = [row(**{column: one}), row(**{"claim_id": "A2", "source": "beta", column: two})]
    path = write(tmp_path, *rows)
    (problem,) = problems_of(path)
    assert (problem.where, problem.column, problem.got) == ("line 3", column, repr(two))
    assert problem.expected.startswith("one spelling for each")


@pytest.mark.parametrize(
    ("column", "one", "two"),
    [("source", "alpha", "alpha2"), ("source", "a b", "a-b"), ("source", "+1", "＋1"), ("wave", "w1", "")],
)
def test_different_names_stay_different(tmp_path, column, one, two):
    claims = read_claims(write(tmp_path, row(**{column: one}), row(claim_id="A2", **{column: two})))
    assert claims.table[column].tolist() == [one, two]
