"""Every rule that a typed claims table must obey, checked all at once."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from .coding import (
    AS_OF_BASES,
    BOUNDS,
    QUANTITIES,
    ROLES,
    SHARE_QUANTITIES,
    SOURCE_KINDS,
)
from .errors import Problem, shown

if TYPE_CHECKING:
    import pandas as pd

WORDS = {
    "source_kind": SOURCE_KINDS,
    "quantity": QUANTITIES,
    "bound": BOUNDS,
    "role": ROLES,
    "as_of_basis": AS_OF_BASES,
    "open": ("", "yes"),
}

type Rule = tuple[str, str, str, Callable[[dict[Any, Any]], bool]]


def _within_one(column: str) -> Callable[[dict[Any, Any]], bool]:
    return lambda r: r["quantity"] not in SHARE_QUANTITIES or r[column] is None or r[column] <= 1


# (column, what is expected, what to do, is the row in order?): a row with an empty cell passes what needs the cell.
ROW_RULES: tuple[Rule, ...] = (
    ("claim_id", "a name", "Give every claim a unique claim_id.", lambda r: bool(r["claim_id"])),
    ("source", "a name", "Say who made the claim.", lambda r: bool(r["source"])),
    ("published", "a date", "Say when the claim became public.", lambda r: r["published"] is not None),
    (
        "as_of",
        "a date, or as_of_basis none",
        "Give the date that the figure speaks of.",
        lambda r: r["as_of"] is not None or r["as_of_basis"] == "none",
    ),
    (
        "as_of_basis",
        "a basis other than none where as_of is given",
        "Say how the date is known.",
        lambda r: r["as_of"] is None or r["as_of_basis"] != "none",
    ),
    (
        "as_of",
        "a day not after the day of publication",
        "Nobody counts tomorrow's losses: check both dates, or set role to forecast.",
        lambda r: not (r["as_of"] and r["published"]) or r["as_of"] <= r["published"] or r["role"] == "forecast",
    ),
    (
        "window_start",
        "a day not after as_of",
        "A window must not end before it starts.",
        lambda r: not (r["window_start"] and r["as_of"]) or r["window_start"] <= r["as_of"],
    ),
    (
        "window_start",
        "a day not after the first day that the figure may speak of (as_of_from, or the first of the month in as_of)",
        "A window must have begun before the figure can speak of its end: check both dates.",
        lambda r: (
            None in (r["window_start"], r["as_of_from"], r["as_of"])
            or r["window_start"] <= r["as_of_from"]
            or r["window_start"] > r["as_of"]
        ),
    ),
    (
        "window_start",
        "a day not after the day of publication",
        "Nobody counts what has not begun: check both dates, or set role to forecast.",
        lambda r: (
            r["as_of"] is not None
            or None in (r["window_start"], r["published"])
            or r["window_start"] <= r["published"]
            or r["role"] == "forecast"
        ),
    ),
    (
        "as_of_from",
        "empty unless as_of is given",
        "Give the last possible day in as_of, or empty both.",
        lambda r: r["as_of_from"] is None or r["as_of"] is not None,
    ),
    (
        "as_of_from",
        "a day not after as_of",
        "as_of_from is the first possible day and as_of the last: exchange them.",
        lambda r: None in (r["as_of_from"], r["as_of"]) or r["as_of_from"] <= r["as_of"],
    ),
    (
        "as_of_from",
        "empty where as_of_basis is published or none",
        "A span or a month is stated or inferred: set as_of_basis so, or give no span.",
        lambda r: None in (r["as_of_from"], r["as_of"]) or r["as_of_basis"] not in ("published", "none"),
    ),
    (
        "value",
        "a number",
        "Give the number, or set role to something other than evidence.",
        lambda r: r["value"] is not None or r["bound"] == "range" or r["role"] != "evidence",
    ),
    (
        "low",
        "low and high, with low < high",
        "A range needs both ends.",
        lambda r: r["bound"] != "range" or (r["low"] is not None and r["high"] is not None and r["low"] < r["high"]),
    ),
    (
        "value",
        "a value from low to high",
        "Leave value empty or put it inside the range.",
        lambda r: (
            r["bound"] != "range" or None in (r["value"], r["low"], r["high"]) or r["low"] <= r["value"] <= r["high"]
        ),
    ),
    (
        "low",
        "empty unless bound is range",
        "Remove low and high, or set bound to range.",
        lambda r: r["bound"] == "range" or (r["low"] is None and r["high"] is None),
    ),
    (
        "open",
        "empty unless bound is at_least or at_most",
        "Only a bound with no other side is open.",
        lambda r: r["open"] == "" or r["bound"] in ("at_least", "at_most"),
    ),
    (
        "window_start",
        "the first day of the period",
        "A daily rate is a mean over days: say over which.",
        lambda r: r["quantity"] != "daily_rate" or r["window_start"] is not None or r["role"] != "evidence",
    ),
    (
        "value",
        "whole persons",
        "Round it, or use daily_rate or a share.",
        lambda r: r["quantity"] in ("daily_rate", *SHARE_QUANTITIES) or r["value"] is None or _counted(r),
    ),
    *(
        (column, "a share from 0 to 1", "Write 0.3, not 30.", _within_one(column))
        for column in ("value", "low", "high", "unit")
    ),
    (
        "unit",
        "the step on which a share of 0 or 1 was rounded, which has no digits to read it off",
        "Give it (0.1 if 1 stands for 0.95 and more), give a range, or leave an at_most open.",
        lambda r: not _is_whole_share(r) or r["open"] == "yes" or r["unit"] is not None,
    ),
    (
        "bound",
        "exact, approx or at_most for a share of 1",
        "Nothing is more than all: give approx and a unit, or at_least a smaller share.",
        lambda r: not _is_whole_share(r) or r["value"] == 0 or r["bound"] not in ("at_least", "point"),
    ),
    (
        "value",
        "more than 0 for a point claim",
        "A point claim is a density on the log scale: use exact or approx for zero.",
        lambda r: r["bound"] != "point" or r["value"] is None or r["value"] > 0,
    ),
    (
        "value",
        "more than 0 for a ceiling",
        "An at_most needs a threshold: use exact or approx for zero.",
        lambda r: r["bound"] != "at_most" or r["value"] is None or r["value"] > 0,
    ),
    (
        "unit",
        "more than 0",
        "Leave it empty to read it off the digits.",
        lambda r: r["unit"] is None or r["unit"] > 0,
    ),
    (
        "error_sd",
        "more than 0",
        "Leave it empty unless the source states its own error.",
        lambda r: r["error_sd"] is None or r["error_sd"] > 0,
    ),
    (
        "error_sd",
        "at most 3: it is in log units",
        "Write 0.1 for an error of 10%.",
        lambda r: r["error_sd"] is None or r["error_sd"] <= 3,
    ),
    (
        "derived_from",
        "the claims that it repeats",
        "Name them by claim_id.",
        lambda r: r["role"] != "repeat" or bool(r["derived_from"]),
    ),
    (
        "url",
        "an http(s) address or nothing",
        "Give the page that carries the figure.",
        lambda r: _is_web(r["url"]),
    ),
)


def _is_whole_share(row: dict[str, Any]) -> bool:
    """Whether it is a share of 0 or 1, which says nothing of how finely it was rounded."""
    return row["quantity"] in SHARE_QUANTITIES and row["bound"] != "range" and row["value"] in (0, 1)


def _counted(row: dict[str, Any]) -> bool:
    return bool(row["bound"] == "point" or row["value"] == int(row["value"]))


def _is_web(url: str) -> bool:
    return url == "" or url.startswith(("https://", "http://"))


def validate(records: list[dict[str, Any]], wheres: list[str], already: Iterable[tuple[str, str]]) -> list[Problem]:
    """Problems of a typed table, none of them twice.

    Parameters
    ----------
    records
        Typed rows.
    wheres
        Where each row stands, for the messages.
    already
        Cells, as (where, column), that have been reported: not reported again.
    """
    import pandas as pd

    table = pd.DataFrame(records, dtype=object)
    if table.empty:
        return []
    failures = _failures(table.astype(object).where(table.notna(), None))
    skip = set(already)
    problems = []
    for index, column, expected, do in failures:
        where = wheres[index]
        if (where, column) in skip:
            continue
        record = records[index]
        got = "nothing" if record[column] in (None, "") else shown(_plain(record[column]))
        problems.append(Problem(where, shown(record["claim_id"]), column, got, expected, do))
    return problems


def _plain(value: object) -> object:
    return value.isoformat() if hasattr(value, "isoformat") else value


def _failures(table: pd.DataFrame) -> list[tuple[int, str, str, str]]:
    """(row index, column, expected, do) of every failed check, row by row."""
    import numpy as np

    records = [{**row} for row in table.to_dict("records")]
    checks: list[tuple[str, str, str, str, Any]] = []
    for column, words in WORDS.items():
        allowed = " or ".join(word or "empty" for word in words)
        in_order = table[column].isin(words) | table[column].isna()
        checks.append((f"word:{column}", column, allowed, "Use one of these words.", in_order))
    for number, (column, expected, do, rule) in enumerate(ROW_RULES):
        checks.append((f"rule:{number}", column, expected, do, [rule(row) for row in records]))
    for column, key, expected, do in CONSISTENT:
        checks.append((f"same:{column}", column, expected, do, _consistent(key, column)(table)))
    for column, expected, do in SPELLED:
        checks.append((f"spelled:{column}", column, expected, do, _spelled(column)(table)))
    once = ~table["claim_id"].duplicated()
    checks.append(("unique", "claim_id", "a claim_id used once", "Rename one of them.", once))
    found = [
        (int(index), label, column, expected, do)
        for label, column, expected, do, in_order in checks
        for index in np.flatnonzero(~np.asarray(in_order, dtype=bool))
    ]
    return [(index, column, expected, do) for index, _, column, expected, do in sorted(found)]


CONSISTENT = (
    (
        "source_kind",
        "source",
        "one stance for each source",
        "A source with two stances is two sources: name them so.",
    ),
    ("source_group", "source", "one group for each source", "Give all claims of a source the same group."),
    ("contingent", "all", "one contingent in a table", "Split the table by contingent."),
)


SPELLED = (
    ("source", "one spelling for each source", "Two spellings are two sources: write one of them, or name them apart."),
    ("source_group", "one spelling for each group", "Two spellings are two groups: write one of them everywhere."),
    ("wave", "one spelling for each wave", "Two spellings are two arrivals: write one of them everywhere."),
)


def _consistent(key: str, column: str) -> Callable[[pd.DataFrame], pd.Series]:
    def check(frame: pd.DataFrame) -> pd.Series:
        keys = frame[key] if key in frame else frame[column].map(lambda _: "all")
        return frame[column] == frame.groupby(keys)[column].transform("first")

    return check


def _spelled(column: str) -> Callable[[pd.DataFrame], pd.Series]:
    """Names that differ only in case, in blanks or in the form of letters and digits are one name, spelled in two ways."""

    def check(frame: pd.DataFrame) -> pd.Series:
        names = frame[column]
        first = frame.groupby(names.map(_spelling))[column].transform("first")
        default = names == frame["source"] if column == "source_group" else names == ""
        return (names == first) | default

    return check


def _spelling(name: str) -> str:
    forms = [unicodedata.normalize("NFKC", one) if one.isalnum() else one for one in unicodedata.normalize("NFC", name)]
    return " ".join("".join(forms).casefold().split())
