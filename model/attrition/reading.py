"""From a CSV file or a DataFrame to typed cells; nothing ambiguous is guessed.

A number is digits with an optional decimal point; ``1.234`` (a decimal or a thousand?), ``1,2`` and ``3 800``
are refused. A date is ``YYYY-MM-DD``; ``03/04/2025`` is refused. ``as_of`` may also be a month, ``YYYY-MM``: the
figure then speaks of some day of it. Every cell that is refused is reported. A file is read within bounds of size: of
the whole, of a row, of the number of rows, of columns and of cells.
"""

from __future__ import annotations

import calendar
import csv
import datetime as dt
import io
import math
import re
from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from pathlib import Path

import numpy as np

from .cells import plain
from .coding import COLUMNS, DATES, EXTRA_PREFIX, NAMES, NUMBERS, REQUIRED
from .errors import FileError, InputError, Problem, shown

MAX_BYTES = 64 * 2**20
MAX_ROW = 2**20
MAX_ROWS = 200_000
MAX_COLUMNS = 200
MAX_CELLS = 10_000_000
MAX_DIGITS = 17
MAX_NUMBER = 1e9
NEVER_NEGATIVE = "Losses and strengths are counted, never negative: check the sign."

_NUMBER = re.compile(r"(0|[1-9][0-9]*)(\.[0-9]+)?")
_THOUSANDS = re.compile(r"[1-9][0-9]{0,2}\.[0-9]{3}")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_MONTH = re.compile(r"([0-9]{4})-([0-9]{2})")
# What no printed page holds: control characters but tab and line ends, halves of characters, and no characters at all.
_UNPRINTED = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
# What a name cannot be told by: line ends, and marks without width that do not belong to a script's spelling.
_UNSEEN = re.compile("[\t\n\r\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]")

type Cell = str | float | dt.date | None
type Row = tuple[str, dict[str, object]]


def rows_of(source: object) -> list[Row]:
    """Read the raw rows of a path or a DataFrame: (where, {column: cell}). Cells of a frame stay as they are.

    Raises
    ------
    InputError
        For anything else, and for columns or rows that cannot be read.
    FileError
        If there is no such file, or it cannot be opened.
    """
    if isinstance(source, str | Path):
        return _rows_of_file(Path(source))
    import pandas as pd

    if not isinstance(source, pd.DataFrame):
        do = "Give the file's name, or read it with pandas first."
        raise _fail("argument", "source", shown(source), "a path or a pandas DataFrame", do)
    names = [str(column) for column in source.columns]
    _check_columns(names, "header")
    columns = [source[column].tolist() for column in source.columns]
    return [
        (f"row {number}", dict(zip(names, cells, strict=True)))
        for number, cells in enumerate(zip(*columns, strict=True), start=1)
    ]


def _fail(where: str, column: str, got: str, expected: str, do: str) -> InputError:
    return InputError("The claims table cannot be read", [Problem(where, "", column, got, expected, do)])


class _Lines:
    """Lines of a text for the CSV reader, which never holds more than ``MAX_ROW`` characters of one row."""

    def __init__(self, text: str):
        self._lines = io.StringIO(text, newline="")
        self._number = 0
        self._size = 0
        self.first = 1

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = next(self._lines)
        self._number += 1
        self._size += len(line)
        if self._size > MAX_ROW:
            expected, do = f"at most {MAX_ROW} characters", "Check the separator, and the quotes from this line on."
            raise _fail(f"line {self.first}", "row", f"a row of at least {self._size} characters", expected, do)
        return line

    def next_row(self) -> None:
        """Count the next row from its own first line."""
        self._size = 0
        self.first = self._number + 1


def _rows_of_file(path: Path) -> list[Row]:
    lines = _Lines(_text_of(path))
    reader = csv.reader(lines, strict=True)
    rows: list[Row] = []
    header: list[str] | None = None
    try:
        for number, cells in enumerate(reader):
            where = f"line {reader.line_num}"
            lines.next_row()
            if number > MAX_ROWS:
                raise _fail(where, "file", f"more than {MAX_ROWS} rows", f"at most {MAX_ROWS}", "Split the table.")
            if header is None:
                header = [cell.strip() for cell in cells]
                _check_columns(header, where)
                continue
            if not any(cell.strip() for cell in cells):
                continue
            if len(cells) != len(header):
                got, expected = f"{len(cells)} cells", f"{len(header)}, as in the header"
                raise _fail(where, "row", got, expected, "Quote any text that contains a comma.")
            if number * len(header) > MAX_CELLS:
                got, expected = f"more than {MAX_CELLS} cells", f"at most {MAX_CELLS}"
                raise _fail(where, "file", got, expected, "Split the table, or leave out columns of your own.")
            rows.append((where, {name: _unmarked(name, cell) for name, cell in zip(header, cells, strict=True)}))
    except csv.Error as error:
        where = f"line {lines.first}" + (f" to {reader.line_num}" if reader.line_num > lines.first else "")
        raise _fail(where, "row", str(error), "well-formed CSV", "Check quotes on and above it.") from error
    if header is None:
        raise _fail("line 1", "header", "an empty file", "a header: " + ",".join(REQUIRED), "Write one.")
    return rows


def _text_of(path: Path) -> str:
    """Text of a file: UTF-8, with or without a byte order mark."""
    if path.is_dir():
        raise FileError(f"{path} is a folder: name the claims table (CSV) in it")
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except FileNotFoundError as error:
        raise FileError(f"{path}: no such file. Give the path of a claims table (CSV).") from error
    except (OSError, ValueError) as error:
        raise FileError(f"{path}: the file cannot be read ({error})") from error
    if len(raw) > MAX_BYTES:
        where = f"line {_line_at(raw, MAX_BYTES)}"
        raise _fail(where, "file", f"more than {MAX_BYTES} bytes", f"at most {MAX_BYTES}", "Split the table.")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        got = f"byte {raw[error.start]:#04x}"
        do = "Save the table as CSV in UTF-8."
        raise _fail(f"line {_line_at(raw, error.start)}", "file", got, "UTF-8 text", do) from error
    if b"\0" in raw:
        where = f"line {_line_at(raw, raw.index(0))}"
        raise _fail(where, "file", "a NUL character", "UTF-8 text", "Save the table again as CSV.")
    return text


def _line_at(raw: bytes, place: int) -> int:
    """Number of the line that a byte stands in, whichever way lines end."""
    return raw.count(b"\n", 0, place) + raw.count(b"\r", 0, place) - raw.count(b"\r\n", 0, place) + 1


def _unmarked(column: str, cell: str) -> str:
    """The cell without the apostrophe by which a table made for spreadsheets marks text (``cells.inert``)."""
    return cell if column in NUMBERS or column in DATES else plain(cell)


def _check_columns(header: list[str], where: str) -> None:
    problems = []
    if len(header) > MAX_COLUMNS:
        raise _fail(where, "header", f"{len(header)} columns", f"at most {MAX_COLUMNS}", "Check the separator.")
    for name in sorted({name for name in header if header.count(name) > 1}):
        problems.append(Problem(where, "", shown(name), "this column twice", "once", "Remove one of them."))
    for name in REQUIRED:
        if name not in header:
            hint = "Add it. The separator must be a comma." if len(header) == 1 else "Add it."
            problems.append(Problem(where, "", name, "no such column", "it is required", hint))
    for name in header:
        if name not in COLUMNS and not name.startswith(EXTRA_PREFIX):
            near = get_close_matches(name, COLUMNS, 1)
            do = f"Did you mean {near[0]}? " if near else ""
            do += f"A column of your own starts with {EXTRA_PREFIX}."
            problems.append(Problem(where, "", shown(name), "an unknown column", "a known one", do))
    if problems:
        raise InputError("The claims table cannot be read", problems)


def number_of(cell: object) -> float | None:
    """Read one number; an empty cell is None. Raises ValueError with (expected, what to do)."""
    if _is_empty(cell):
        return None
    if isinstance(cell, (int, float, np.integer, np.floating)) and type(cell) is not bool:
        value = float(cell)
    else:
        text = cell.strip() if isinstance(cell, str) else ""
        if _THOUSANDS.fullmatch(text):
            do = f"{text} can be read as a decimal or as thousands: write {text.replace('.', '')} or {text}0."
            raise ValueError("an unambiguous number", do)
        if text.startswith("-") and _NUMBER.fullmatch(text[1:]):
            raise ValueError("zero or more", NEVER_NEGATIVE)
        if not _NUMBER.fullmatch(text):
            raise ValueError("digits with an optional decimal point", "Write it without separators or words.")
        digits = text.replace(".", "").lstrip("0")
        if len(digits.rstrip("0")) > MAX_DIGITS:
            raise ValueError(f"at most {MAX_DIGITS} digits that count", "Round it: nobody counts so finely.")
        value = float(text)
        if digits and not value:
            raise ValueError("zero, or a number that can be told from it", "Write 0, or the figure as it was stated.")
    if not math.isfinite(value):
        raise ValueError("a finite number", "Leave the cell empty if there is no number.")
    if value < 0:
        raise ValueError("zero or more", NEVER_NEGATIVE)
    if value > MAX_NUMBER:
        raise ValueError(f"at most {MAX_NUMBER:,.0f}", "Check the unit: figures are persons, not thousands.")
    return value


def date_of(cell: object) -> dt.date | None:
    """Read one date; an empty cell is None. Raises ValueError with (expected, what to do)."""
    if _is_empty(cell):
        return None
    if isinstance(cell, dt.datetime):
        if any((cell.hour, cell.minute, cell.second, cell.microsecond, getattr(cell, "nanosecond", 0))):
            raise ValueError("a date without a time of day", "Give the day alone.")
        date = cell.date()
    elif isinstance(cell, dt.date):
        date = cell
    else:
        text = cell.strip() if isinstance(cell, str) else ""
        if not _DATE.fullmatch(text):
            raise ValueError("a date as YYYY-MM-DD", "Day and month must not be guessed: write 2025-04-03.")
        try:
            date = dt.date.fromisoformat(text)
        except ValueError:
            raise ValueError("a day of the calendar", "Check the month and the day.") from None
    if not 1900 <= date.year <= 2100:
        raise ValueError("a year from 1900 to 2100", "Check the year.")
    return date


def as_of_span(cell: object) -> tuple[dt.date | None, dt.date | None]:
    """Read an ``as_of`` cell: (first, last) possible day.

    Parameters
    ----------
    cell
        A date, or text: ``YYYY-MM-DD``, or ``YYYY-MM`` for some day of that month.

    Returns
    -------
    tuple
        For a date (None, date), for a month its first and last day, for an empty cell (None, None).

    Raises
    ------
    ValueError
        With (expected, what to do).
    """
    text = cell.strip() if isinstance(cell, str) else ""
    month = _MONTH.fullmatch(text)
    if month is None:
        if text and not _DATE.fullmatch(text):
            do = "Nothing is guessed: write 2025-04-03, or 2025-04 for some day of that month."
            raise ValueError("a date as YYYY-MM-DD, or a month as YYYY-MM", do)
        return None, date_of(cell)
    if not 1 <= int(month[2]) <= 12:
        raise ValueError("a month from 01 to 12", "A month is written YYYY-MM: the year comes first.")
    first = date_of(f"{text}-01")
    if first is None:
        return None, None
    return first, first.replace(day=calendar.monthrange(first.year, first.month)[1])


def text_of(cell: object, name: bool = False) -> str:
    """Read text, without the blanks around it; raises ValueError with (expected, what to do).

    Parameters
    ----------
    cell
        The text; an empty cell is an empty text.
    name
        Whether it is a name, by which rows are told apart: then nothing that cannot be seen may be in it.
    """
    text = "" if _is_empty(cell) else str(cell).strip()
    if _UNPRINTED.search(text):
        raise ValueError("text without control characters", "Type it anew: something was lost in copying.")
    if name and _UNSEEN.search(text):
        raise ValueError("a name on one line, without invisible characters", "Type it anew, as in the other rows.")
    return text


def _is_empty(cell: object) -> bool:
    if cell is None:
        return True
    if isinstance(cell, str):
        return not cell.strip()
    try:
        return bool(cell != cell)  # NaN and NaT
    except (TypeError, ValueError):  # pandas.NA has no truth value
        return str(cell) == "<NA>"


def typed(rows: Iterable[Row]) -> tuple[list[dict[str, Cell]], list[str], list[Problem]]:
    """Type every cell of every row; returns (rows, where each stands, problems)."""
    out, wheres, problems = [], [], []
    for where, row in rows:
        name = str(row.get("claim_id", "")).strip()
        record: dict[str, Cell] = {}
        first: dt.date | None = None
        for column, cell in row.items():
            try:
                if column in NUMBERS:
                    record[column] = number_of(cell)
                elif column == "as_of":
                    first, record[column] = as_of_span(cell)
                elif column in DATES:
                    record[column] = date_of(cell)
                else:
                    record[column] = text_of(cell, column in NAMES)
            except ValueError as error:
                expected, do = error.args
                problems.append(Problem(where, shown(name), column, shown(cell), expected, do))
                record[column] = None if column in (*NUMBERS, *DATES) else ""
        if problems and (problems[-1].where, problems[-1].column) == (where, "as_of"):
            record["as_of_from"] = None  # reported once is enough
        if first is not None:
            if record.get("as_of_from") is not None:
                expected, do = "nothing where as_of is a month", "Empty it, or give the last possible day in as_of."
                got = shown(str(record["as_of_from"]))
                problems.append(Problem(where, shown(name), "as_of_from", got, expected, do))
            record |= {"as_of_from": first, "as_of": _last_of_month(first, record)}
        out.append(record)
        wheres.append(where)
    return out, wheres, problems


def _last_of_month(first: dt.date, record: dict[str, Cell]) -> Cell:
    """Last day of a month that a figure may speak of: the month's, or that of publication where it falls in the month."""
    last, published = record["as_of"], record.get("published")
    said = isinstance(published, dt.date) and isinstance(last, dt.date) and first <= published < last
    return published if said and record.get("role") != "forecast" else last
