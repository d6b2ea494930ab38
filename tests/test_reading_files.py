"""Whole files: encodings, quotes, ragged rows, columns."""

import pandas as pd
import pytest

from attrition.claims import read_claims
from attrition.coding import REQUIRED
from tables import BASE, problems_of, row, write

HEADER = ",".join(BASE)
LINE = ",".join(BASE.values())


def only(path):
    found = problems_of(path)
    assert len(found) == 1
    return found[0]


def raw(folder, content):
    path = folder / "claims.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("bom", ["", "\ufeff"])
def test_a_plain_file_is_read_with_or_without_bom(tmp_path, bom, newline):
    claims = read_claims(raw(tmp_path, bom + newline.join([HEADER, LINE, ""])))
    assert claims.table.loc[0, "claim_id"] == "A1"
    assert claims.table.loc[0, "value"] == 3000.0
    assert claims.name == "claims"


def test_blank_lines_are_skipped_and_lines_still_counted(tmp_path):
    bad = LINE.replace("A1", "A2").replace("3000", "3 000")
    problem = only(raw(tmp_path, f"{HEADER}\n\n{LINE}\n,,,,,,,\n{bad}\n"))
    assert (problem.where, problem.name) == ("line 5", "'A2'")


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_wide_encodings_are_refused_by_name_of_the_right_one(tmp_path, encoding):
    problem = only(raw(tmp_path, f"{HEADER}\n{LINE}\n".encode(encoding)))
    assert problem.expected == "UTF-8 text"
    assert problem.where == "line 1"


def test_latin1_is_refused_at_its_line(tmp_path):
    problem = only(raw(tmp_path, f"{HEADER}\n{LINE}\n".encode() + LINE.replace("alpha", "\u00e9tat").encode("latin-1")))
    assert (problem.where, problem.got) == ("line 3", "byte 0xe9")
    assert "UTF-8" in problem.do


def test_nul_is_refused_at_its_line(tmp_path):
    problem = only(raw(tmp_path, f"{HEADER}\n{LINE}\n" + LINE.replace("alpha", "al\0pha")))
    assert (problem.where, problem.got) == ("line 3", "a NUL character")


@pytest.mark.parametrize("line", [LINE.replace("alpha", '"alpha'), LINE.replace("alpha", '"al"pha'), '"'])
def test_unbalanced_quotes_are_refused(tmp_path, line):
    problem = only(raw(tmp_path, f"{HEADER}\n{LINE}\n{line}\n"))
    assert problem.where.startswith("line 3")
    assert problem.expected == "well-formed CSV"


@pytest.mark.parametrize(("line", "cells"), [(LINE + ",more", 9), (LINE.rsplit(",", 1)[0], 7), ("A1", 1)])
def test_ragged_rows_are_refused(tmp_path, line, cells):
    problem = only(raw(tmp_path, f"{HEADER}\n{LINE}\n{line}\n"))
    assert (problem.where, problem.got, problem.expected) == ("line 3", f"{cells} cells", "8, as in the header")


def test_an_empty_file_asks_for_a_header(tmp_path):
    problem = only(raw(tmp_path, b""))
    assert problem.got == "an empty file"
    assert all(name in problem.expected for name in REQUIRED)


def test_a_header_alone_is_an_empty_record(tmp_path):
    claims = read_claims(raw(tmp_path, HEADER + "\n"))
    assert len(claims) == 0
    assert claims.sources == ()
    assert len(claims.evidence) == len(claims.set_aside) == 0


def test_every_missing_column_is_named(tmp_path):
    found = problems_of(raw(tmp_path, "claim_id,source\nA1,alpha\n"))
    assert [p.column for p in found] == [name for name in REQUIRED if name not in ("claim_id", "source")]


def test_a_wrong_separator_is_suggested(tmp_path):
    found = problems_of(raw(tmp_path, f"{HEADER}\n{LINE}\n".replace(",", ";")))
    assert any("separator must be a comma" in p.do for p in found)


def test_duplicate_and_unknown_columns_come_with_a_suggestion(tmp_path):
    found = problems_of(raw(tmp_path, f"{HEADER},value,publishd,zzzz\n{LINE},1,2,3\n"))
    by_column = {p.column: p for p in found}
    assert by_column["'value'"].got == "this column twice"
    assert "Did you mean published?" in by_column["'publishd'"].do
    assert "Did you mean" not in by_column["'zzzz'"].do
    assert "x_" in by_column["'zzzz'"].do
    assert len(found) == 3


def test_frames_obey_the_same_rules_for_columns():
    frame = pd.DataFrame([row(sorce="beta")])
    (problem,) = problems_of(frame)
    assert "Did you mean source?" in problem.do
    twice = pd.concat([pd.DataFrame([row()]), pd.DataFrame({"value": ["1"]})], axis=1)
    assert [p.got for p in problems_of(twice)] == ["this column twice"]


def test_own_columns_are_kept_as_text(tmp_path):
    table = read_claims(write(tmp_path, row(x_page="12, left", x_seen="yes"))).table
    assert table.loc[0, "x_page"] == "12, left"
    assert table.loc[0, "x_seen"] == "yes"


def test_text_with_commas_quotes_and_newlines_survives(tmp_path):
    note = 'he said "over 3,000",\nthen left'
    claims = read_claims(write(tmp_path, row(note=note), row(claim_id="A2")))
    assert claims.table["note"].tolist() == [note, ""]
