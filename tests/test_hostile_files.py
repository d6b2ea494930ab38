"""Hostile files: every one is read exactly or refused in our own words, at a line, within bounds of time and memory."""

import csv
import logging
import os
import re
import resource
import time
from collections import Counter

import pytest

import attrition as at
import hostile
from attrition import reading
from attrition.coding import COLUMNS, DATES, NUMBERS
from attrition.reading import rows_of, typed
from attrition.validation import ROW_RULES

log = logging.getLogger(__name__)

COUNT = int(os.environ.get("ATTRITION_FUZZ", "600"))
SECONDS, SECONDS_IF_WIDE = 2.0, 5.0
MEMORY = 400 * 2**20
NUMBER = re.compile(r"(0|[1-9][0-9]*)(\.[0-9]+)?", re.ASCII)
DATE = re.compile(r"[0-9]{4}-[0-9]{2}(-[0-9]{2})?", re.ASCII)
WHERE = re.compile(r"line [0-9]+")


def check_refusal(error):
    text = str(error)
    assert isinstance(error, at.InputError)
    assert error.problems
    assert all(WHERE.match(problem.where) and problem.expected and problem.do for problem in error.problems)
    assert len(text) < 200_000
    assert text.replace("\n", "").isprintable()


def check_claims(claims, path):
    """Every cell read is the cell that stands in the file."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = [row for row in csv.reader(file) if any(cell.strip() for cell in row)]
    table = claims.table
    assert len(table) == len(rows) - 1
    for place, name in enumerate(cell.strip() for cell in rows[0] if len(table)):
        for cell, value in zip((row[place].strip() for row in rows[1:]), table[name], strict=True):
            if name in NUMBERS and cell:
                assert NUMBER.fullmatch(cell)
                assert value == float(cell) <= reading.MAX_NUMBER
            elif name in DATES and cell:
                assert DATE.fullmatch(cell)
                assert value.isoformat().startswith(cell) or name == "as_of"
                assert 1900 <= value.year <= 2100
    assert len(claims.evidence) + len(claims.set_aside) == len(claims)
    assert len(claims.digest) == 64
    assert claims.name in str(claims)


def test_no_hostile_file_breaks_the_reader(tmp_path):
    at.read_claims(hostile.package_folder("dprk-kursk") / "claims.csv")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    outcomes = Counter()
    slowest = 0.0
    for number in range(COUNT):
        kind, path = hostile.write(tmp_path, number)
        start = time.process_time()
        try:
            claims = at.read_claims(path)
        except at.AttritionError as error:
            seconds = time.process_time() - start
            check_refusal(error)
            outcomes[kind, "refused"] += 1
        else:
            seconds = time.process_time() - start
            check_claims(claims, path)
            outcomes[kind, "read"] += 1
        assert seconds < (SECONDS_IF_WIDE if kind == "million columns" else SECONDS), (number, kind, seconds)
        slowest = max(slowest, seconds)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 - before
    log.info(
        "%d files, slowest %.2f s, memory +%.0f MiB: %s", COUNT, slowest, grown / 2**20, dict(sorted(outcomes.items()))
    )
    assert grown < MEMORY
    kinds = {kind for kind, _ in outcomes}
    assert kinds >= set(hostile.KINDS) or len(hostile.KINDS) > COUNT
    assert sum(count for (_, what), count in outcomes.items() if what == "read") > 0.02 * COUNT


def test_a_number_is_a_file():
    assert hostile.file_of(77) == hostile.file_of(77)
    assert len({hostile.file_of(number)[1] for number in range(200)}) > 180


def test_no_rule_fails_on_what_the_reader_lets_through(tmp_path):
    """A rule that raised an exception would be passed over: none does, whatever the cells."""
    seen = 0
    for number in range(0, 200):
        _, path = hostile.write(tmp_path, number)
        try:
            records, _, _ = typed(rows_of(path))
        except at.AttritionError:
            continue
        for record in records:
            full = {name: None if name in (*NUMBERS, *DATES) else "" for name in COLUMNS} | record
            for column, _, _, rule in ROW_RULES:
                assert rule(full) in (True, False), column
                seen += 1
    assert seen > 1000


@pytest.fixture
def path(tmp_path):
    return tmp_path / "claims.csv"


def refusal(path):
    with pytest.raises(at.InputError) as caught:
        at.read_claims(path)
    return caught.value.problems[0]


def test_a_million_columns_are_refused_at_their_line(path):
    path.write_bytes(b"," * 999_999)
    assert (refusal(path).where, refusal(path).got) == ("line 1", "1000000 columns")
    path.write_bytes(b"value," * 1_000_000)
    assert (refusal(path).where, refusal(path).expected) == ("line 1", "at most 1048576 characters")
    path.write_bytes(hostile.RECORD + b"K900" + b"," * 999_999)
    assert (refusal(path).where, refusal(path).got) == ("line 114", "1000000 cells")


def test_a_row_that_never_ends_is_refused_where_it_begins(path):
    path.write_bytes(hostile.RECORD + b'"a\nb",' * 1_000_000)
    assert (refusal(path).where, refusal(path).expected) == ("line 114", "at most 1048576 characters")
    path.write_text(",".join(COLUMNS) + '\n\n"K1,a\nK2,b\nK3,c\n')
    assert refusal(path).where == "line 3 to 5"


def test_too_many_rows_are_refused_at_the_first_too_many(path):
    header = hostile.RECORD.split(b"\n")[0]
    for row in (b"\n", b"K1" + b"," * header.count(b",") + b"\n"):
        path.write_bytes(header + b"\n" + row * (reading.MAX_ROWS + 5))
        problem = refusal(path)
        assert (problem.where, problem.got) == (f"line {reading.MAX_ROWS + 2}", f"more than {reading.MAX_ROWS} rows")


def test_too_many_cells_are_refused_at_the_first_too_many(path):
    header = hostile.RECORD.split(b"\n")[0]
    own = reading.MAX_COLUMNS - header.count(b",") - 1
    header += b"".join(b",x_%d" % number for number in range(own))
    rows = reading.MAX_CELLS // reading.MAX_COLUMNS
    path.write_bytes(header + b"\n" + (b"K1" + b"," * (reading.MAX_COLUMNS - 1) + b"\n") * (rows + 5))
    problem = refusal(path)
    assert (problem.where, problem.got) == (f"line {rows + 2}", f"more than {reading.MAX_CELLS} cells")


def test_a_file_too_large_is_refused_without_being_held(path):
    with path.open("wb") as file:
        file.write(b"a\nb\n")
        file.truncate(2**40)  # sparse: nothing is stored
    problem = refusal(path)
    assert (problem.where, problem.column) == ("line 3", "file")


def test_the_line_is_right_whichever_way_lines_end(path):
    for end in ("\n", "\r\n", "\r"):
        for bad, got in ((b"\xff", "byte 0xff"), (b"\0", "a NUL character")):
            path.write_bytes(end.join(["claim_id", "A", ""]).encode() + bad)
            assert (refusal(path).where, refusal(path).got) == ("line 3", got)


def test_what_cannot_be_opened_is_named(tmp_path):
    for path, words in (
        (tmp_path / "none.csv", "no such file"),
        (tmp_path, "is a folder"),
        ("a\0b.csv", "cannot be read"),
    ):
        with pytest.raises(at.FileError, match=words) as caught:
            at.read_claims(path)
        assert str(path) in str(caught.value)
