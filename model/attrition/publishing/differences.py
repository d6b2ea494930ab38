"""Where two texts differ: words and whole numbers must be the same, numbers with decimals nearly.

The place is named as the format allows: the path in a JSON file, the line and column of a CSV file, else line and character.
"""

from __future__ import annotations

import csv
import io
import json
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

SAME = 1e-9  # relative; other versions of numpy may differ in the last digits
NUMBER = re.compile(r"(?<![\w.])-?\d+(?:\.\d+(?:e[+-]?\d+)?|e[+-]?\d+)(?![\w.])")
SHOWN = 60


@dataclass(frozen=True)
class Difference:
    """One thing in a folder that is not what the draws say.

    Attributes
    ----------
    file
        Path in the folder.
    place
        Where in the file; empty for the whole of it.
    found, expected
        What stands there, and what was computed.
    """

    file: str
    place: str
    found: str
    expected: str

    def __str__(self) -> str:
        where = f"{self.file}, {self.place}" if self.place else self.file
        return f"{where}: found {self.found}, expected {self.expected}"


def first_difference(file: str, found: str, expected: str, absolute: float = 0.0) -> Difference | None:
    """Find the first place where a text differs from what was computed.

    Parameters
    ----------
    file
        Path in the folder; its ending says how places are named.
    found, expected
        The two texts.
    absolute
        By how much numbers with decimals may differ, beside a billionth of themselves.

    Returns
    -------
    Difference or None
        None if no word, no whole number and no number with decimals differs.
    """
    if found == expected:
        return None
    lines = zip_longest(found.split("\n"), expected.split("\n"))
    for number, (left, right) in enumerate(lines, start=1):
        if left is None or right is None:
            return Difference(file, f"line {number}", _quoted(left), _quoted(right))
        at = None if left == right else _apart(left, right, absolute)
        if at is not None:
            named = _named(file, found, expected)
            return named or Difference(file, f"line {number}, character {at[0] + 1}", _quoted(at[1]), _quoted(at[2]))
    return None


def same_number(left: float, right: float, absolute: float = 0.0) -> bool:
    """Whether two numbers are the same but for what another version of a library may change."""
    return math.isfinite(left) and math.isfinite(right) and math.isclose(left, right, rel_tol=SAME, abs_tol=absolute)


def _apart(left: str, right: str, absolute: float) -> tuple[int, str, str] | None:
    """First place at which two lines differ, with what stands there in each."""
    pairs = [[*_pieces(line)] for line in (left, right)]
    for one, other in zip_longest(*pairs, fillvalue=(len(left), "", False)):
        if one[1] == other[1]:
            continue
        if one[2] and other[2] and same_number(float(one[1]), float(other[1]), absolute):
            continue
        if one[2] or other[2]:
            return one[0], one[1], other[1]
        same = next((n for n, (a, b) in enumerate(zip(one[1], other[1], strict=False)) if a != b), 0)
        return one[0] + same, _word(one[1], same), _word(other[1], same)
    return None


def _word(text: str, place: int) -> str:
    """The word at a place, or what stands around it where words are long."""
    start = max(text.rfind(" ", 0, place) + 1, place - 20, 0)
    return text[start : max(text.find(" ", place), place + 1 if " " in text[place:] else len(text))]


def _pieces(line: str) -> Iterator[tuple[int, str, bool]]:
    """Numbers with decimals, and what stands between them, each with its place."""
    last = 0
    for found in NUMBER.finditer(line):
        yield last, line[last : found.start()], False
        yield found.start(), found[0], True
        last = found.end()
    yield last, line[last:], False


def _named(file: str, found: str, expected: str) -> Difference | None:
    """The difference with its place in the words of the format; None where the two cannot be laid side by side."""
    if file.endswith(".json"):
        try:
            pair = next(_json(json.loads(found), json.loads(expected), ""), None)
        except ValueError:
            return None
        return pair and Difference(file, pair[0], _quoted(pair[1]), _quoted(pair[2]))
    if not file.endswith(".csv"):
        return None
    left, right = (list(csv.reader(io.StringIO(text, newline=""))) for text in (found, expected))
    if [len(row) for row in left] != [len(row) for row in right] or not left or left[0] != right[0]:
        return None
    for number, rows in enumerate(zip(left, right, strict=True), start=1):
        for name, one, other in zip(left[0], *rows, strict=True):
            if one != other and not (_is_number(one, other) and same_number(float(one), float(other))):
                return Difference(file, f"row {number} ({rows[1][0]}), column {name}", _quoted(one), _quoted(other))
    return None


def _json(found: Any, expected: Any, path: str) -> Iterator[tuple[str, Any, Any]]:
    if isinstance(found, dict) and isinstance(expected, dict):
        for key in dict.fromkeys([*expected, *found]):
            yield from _json(found.get(key), expected.get(key), f"{path} > {key}" if path else str(key))
    elif isinstance(found, list) and isinstance(expected, list):
        for number, (one, other) in enumerate(zip_longest(found, expected)):
            yield from _json(one, other, f"{path}[{number}]")
    elif isinstance(found, float) and isinstance(expected, float):
        if not same_number(found, expected):
            yield path, found, expected
    elif found != expected or type(found) is not type(expected):
        yield path, found, expected


def _is_number(*texts: str) -> bool:
    return all(NUMBER.fullmatch(text) for text in texts)


def _quoted(value: object) -> str:
    if value is None or value == "":
        return "nothing"
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}..."
