"""Claims: a validated table of public statements, and which of them are evidence at a date.

The invariant protected here: every row in a ``Claims`` has been checked, nothing was guessed, and a claim published
after ``known_by`` cannot be seen.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from .coding import (
    COLUMNS,
    DATES,
    LOSS_QUANTITIES,
    NUMBERS,
    ROLE_REASONS,
    SHARE_QUANTITIES,
    TEXT,
    UNREAD_QUANTITIES,
)
from .display import Shown
from .errors import InputError, Problem, shown
from .packages import package_folder
from .reading import Cell, date_of, rows_of, typed

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, repr=False)
class Claims(Shown):
    """Public statements about one contingent, one row each, validated.

    Attributes
    ----------
    name
        What the record is called.
    vintage
        Only claims published by this date are present; None for the whole record.
    sources
        Every source of the whole record in order of its first claim, with its group and stance: a source that has
        not spoken yet by the vintage is still one that can.
    briefings
        Number of briefings of the whole record with two or more evidence rows about losses (numbers or shares).
    months
        Number of evidence rows of the whole record that speak of some day of a span (as_of_from before as_of).
    """

    name: str
    vintage: dt.date | None
    sources: tuple[tuple[str, str, str], ...]
    briefings: int
    months: int
    _table: pd.DataFrame = field(compare=False)

    def __len__(self) -> int:
        return len(self._table)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Claims):
            return NotImplemented
        if (self.name, self.vintage, self.sources) != (other.name, other.vintage, other.sources):
            return False
        return (self.briefings, self.months, self.digest) == (other.briefings, other.months, other.digest)

    @property
    def table(self) -> pd.DataFrame:
        """All rows known by the vintage, with their provenance (a copy)."""
        return self._table.copy()

    def known_by(self, date: dt.date | str) -> Claims:
        """Only the claims published on or before a date: what a forecaster could have known."""
        day = as_date(date, "known_by")
        if self.vintage is not None and day > self.vintage:
            do = "Start from the whole record."
            problem = Problem("known_by", "", "date", str(day), f"at most {self.vintage}", do)
            raise InputError("Claims published later are no longer here", [problem])
        kept = self._table.loc[_mask(published <= day for published in self._table["published"])]
        return replace(self, vintage=day, _table=kept.reset_index(drop=True))

    def without(self, *claim_ids: str | Iterable[str]) -> Claims:
        """All claims but these; vintage, sources and the sizes of the whole record stay.

        Parameters
        ----------
        *claim_ids
            Each a claim_id, or several in a list.

        Returns
        -------
        Claims

        Raises
        ------
        InputError
            For a claim_id that is not among the claims.
        """
        ids = _names(claim_ids)
        self._check_known(ids)
        kept = self._table.loc[~self._table["claim_id"].isin(ids)]
        return replace(self, _table=kept.reset_index(drop=True))

    def marked(
        self,
        claim_ids: str | Iterable[str] = (),
        *,
        source: str | None = None,
        derived_from: str | Iterable[str],
    ) -> Claims:
        """Claims of which some are marked as copies: role ``repeat``, so that they are counted once.

        Parameters
        ----------
        claim_ids
            The copies: one claim_id, or several.
        source
            Instead of claim_ids: every row of role ``evidence`` of this source.
        derived_from
            What they copy: the claim_id of a claim known by the vintage, a source of the record, or several of them.

        Returns
        -------
        Claims

        Raises
        ------
        InputError
            For an unknown claim or source, for both or neither of them, for a source without evidence by the vintage, or if
            nothing, or nothing known, is named in derived_from.
        """
        ids = _names([claim_ids])
        origin = [name for one in _names([derived_from]) for name in str(one).split()]
        sources = [name for name, _, _ in self.sources]
        if bool(ids) == (source is not None):
            got = "both" if ids else "neither"
            do = "Name the copies by claim_id, or all evidence of one source."
            raise _refused(self.name, "claim_ids or source", got, "one of them", do)
        if source is not None:
            if source not in sources:
                raise _refused(self.name, "source", shown(source), "a source of the record", _near(source, sources))
            rows = (self._table["source"] == source) & (self._table["role"] == "evidence")
            if not rows.any():
                when = f" known by {self.vintage}" if self.vintage else ""
                expected, do = f"a source with evidence{when}", "Choose a later vintage, or name the rows by claim_id."
                raise _refused(self.name, "source", shown(source), expected, do)
        else:
            self._check_known(ids)
            rows = self._table["claim_id"].isin(ids)
        if not origin:
            do = "Name the claims that they copy."
            raise _refused(self.name, "derived_from", "nothing", "what the copies are derived from", do)
        own = sorted(set(origin) & set(self._table.loc[rows, "claim_id"]))
        if own:
            do = "A claim is no copy of itself: name the other one."
            raise _refused(", ".join(own), "derived_from", shown(" ".join(origin)), "other claims", do)
        known = [*self._table["claim_id"], *sources]
        expected = f"claims known by {self.vintage}, or sources" if self.vintage else "claims or sources of the record"
        problems = [
            Problem(self.name, "", "derived_from", shown(name), expected, _near(name, known))
            for name in origin
            if name not in known
        ]
        if problems:
            raise InputError("The claims cannot be marked", problems)
        table = self._table.copy()
        table.loc[rows, "role"] = "repeat"
        table.loc[rows, "derived_from"] = " ".join(origin)
        return replace(self, _table=table)

    def _check_known(self, claim_ids: Iterable[str]) -> None:
        known = self._table["claim_id"].tolist()
        known_ids = set(known)
        when = f"a claim known by {self.vintage}" if self.vintage else "a claim of the record"
        unknown = [name for name in claim_ids if not isinstance(name, str) or name not in known_ids]
        if unknown:
            problems = [Problem(self.name, "", "claim_id", shown(name), when, _near(name, known)) for name in unknown]
            raise InputError("No such claim", problems)

    @property
    def evidence(self) -> pd.DataFrame:
        """Rows that the model reads: evidence about losses, shares of them, or the strength of the force."""
        return self._split()[0]

    @property
    def set_aside(self) -> pd.DataFrame:
        """Rows that stay out, each with its ``reason``."""
        return self._split()[1]

    @property
    def digest(self) -> str:
        """SHA-256 over every visible row: equal digests, equal evidence."""
        text = self._table.to_csv(index=False, date_format="%Y-%m-%d", lineterminator="\n")
        return hashlib.sha256(text.encode()).hexdigest()

    def _split(self) -> tuple[pd.DataFrame, pd.DataFrame]:
        reasons = self._reasons
        aside = [reason is not None for reason in reasons]
        kept = self._table.loc[_mask(not out for out in aside)]
        left = self._table.loc[_mask(aside)].assign(reason=[reason for reason in reasons if reason])
        return kept.reset_index(drop=True), left.reset_index(drop=True)

    @cached_property
    def _reasons(self) -> tuple[str | None, ...]:
        """Of each row, why it stays out; None of evidence."""
        cells = zip(*(self._table[name].tolist() for name in DECIDING), strict=True)
        return tuple(reason_aside(dict(zip(DECIDING, row, strict=True))) for row in cells)

    def summary_rows(self) -> tuple[str, list[tuple[str, str]]]:
        """Title and labelled facts, for display."""
        kept, left = self._split()
        when = f"known by {self.vintage}" if self.vintage else "whole record"
        facts = [
            ("claims", f"{len(self)} ({when})"),
            ("evidence", f"{len(kept)} from {kept['source'].nunique()} sources"),
            ("set aside", f"{len(left)}, each with a reason (.set_aside)"),
        ]
        return f"Claims: {self.name}", facts


def _names(given: Iterable[object]) -> list[Any]:
    """Names given one by one or in lists, as one list."""
    nested = [[one] if isinstance(one, str) or not isinstance(one, Iterable) else list(one) for one in given]
    return [name for names in nested for name in names]


def _mask(flags: Iterable[bool]) -> np.ndarray:
    return np.fromiter(flags, dtype=bool)


DECIDING = ("role", "quantity", "wave", "value", "bound")  # the cells that say whether a row stays out


def reason_aside(row: Mapping[Any, Any]) -> str | None:
    """Why a row stays out of the likelihood, by its coding alone; None if it is evidence."""
    role, quantity = str(row["role"]), str(row["quantity"])
    if role != "evidence":
        return ROLE_REASONS[role]
    if quantity in UNREAD_QUANTITIES:
        return f"{quantity}: not a quantity of this model"
    if quantity == "reinforcement" and not row["wave"]:
        return "a reinforcement without a wave: nothing says which arrival it observes"
    if row["value"] is None and row["bound"] != "range":
        return "no number"
    return None


def briefing_of(row: Mapping[Any, Any]) -> str:
    """Name of the briefing that a row is of: its ``briefing`` cell, else ``source:published``."""
    return str(row["briefing"]) or f"{row['source']}:{row['published']}"


def _sizes(records: list[dict[str, Cell]]) -> tuple[int, int]:
    """Briefings with two or more evidence rows about losses, and evidence rows that speak of a span of days."""
    kept = [row for row in records if reason_aside(row) is None]
    said = Counter(briefing_of(row) for row in kept if row["quantity"] in (*LOSS_QUANTITIES, *SHARE_QUANTITIES))
    spans = [row for row in kept if row["as_of_from"] is not None and row["as_of_from"] != row["as_of"]]
    return sum(number >= 2 for number in said.values()), len(spans)


def _refused(where: str, what: str, got: str, expected: str, do: str) -> InputError:
    return InputError("The claims cannot be marked", [Problem(where, "", what, got, expected, do)])


def _near(name: object, known: list[str]) -> str:
    near = get_close_matches(str(name), known, 1)
    return f"Did you mean {near[0]}?" if near else "The ids are in .table, the sources in .sources."


def as_date(value: dt.date | str, name: str) -> dt.date:
    """Read a date given by a caller; refuse anything but a date or ``YYYY-MM-DD``."""
    try:
        date = date_of(value)
    except ValueError as error:
        expected, do = error.args
        problem = Problem("argument", "", name, shown(value), expected, do)
        raise InputError("A date cannot be read", [problem]) from error
    if date is None:
        problem = Problem("argument", "", name, shown(value), "a date as YYYY-MM-DD", "Give a date.")
        raise InputError("A date is missing", [problem])
    return date


def load_claims(name: str) -> Claims:
    """Claims of a data package that ships with attrition.

    Parameters
    ----------
    name
        Of the package, for example ``dprk-kursk``.

    Returns
    -------
    Claims
        The whole record; ``known_by`` cuts it to a vintage.

    Raises
    ------
    InputError
        If there is no such package.
    """
    return read_claims(package_folder(name) / "claims.csv", name=name)


def read_claims(source: str | Path | pd.DataFrame, name: str | None = None) -> Claims:
    """Read and validate claims from a CSV file (UTF-8, comma separated) or a DataFrame.

    Parameters
    ----------
    source
        Path of the table, or the table. Required columns: claim_id, source, source_kind, published, as_of,
        quantity, value, bound. The codebook of the packaged record explains every column. A file of at most 64 MiB and
        50,000 rows; a text cell of it that was marked with an apostrophe against spreadsheets (``publish``) is read
        without the mark.
    name
        What to call the record; by default the file's name.

    Returns
    -------
    Claims

    Raises
    ------
    InputError
        With every problem of the table at once: where, claim_id, what was got, what was expected, what to do.
    FileError
        If there is no such file, or it cannot be opened: check the path.
    """
    import pandas as pd

    from .validation import validate

    rows = rows_of(source)
    records, wheres, problems = typed(rows)
    for record in records:
        _fill(record)
    problems += validate(records, wheres, {(p.where, p.column) for p in problems})
    if problems:
        raise InputError("The claims cannot be used", problems)
    extra = [key for key in (records[0] if records else {}) if key not in COLUMNS]
    table = pd.DataFrame(records, columns=[*COLUMNS, *extra], dtype=object)
    table = table.astype(object).where(table.notna(), None)
    label = name or (Path(source).stem if isinstance(source, str | Path) else "claims")
    roster: dict[str, tuple[str, str, str]] = {}
    for row in sorted(records, key=lambda row: (str(row["published"]), str(row["claim_id"]))):
        entry = (str(row["source"]), str(row["source_group"]), str(row["source_kind"]))
        roster.setdefault(entry[0], entry)
    return Claims(label, None, tuple(roster.values()), *_sizes(records), table)


def _fill(record: dict[str, Cell]) -> None:
    for column in TEXT:
        record.setdefault(column, "")
    for column in (*NUMBERS, *DATES):
        record.setdefault(column, None)
    record["source_group"] = record["source_group"] or record["source"]
    record["role"] = record["role"] or "evidence"
    record["as_of_basis"] = record["as_of_basis"] or ("stated" if record["as_of"] else "none")
