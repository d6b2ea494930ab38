"""Claims: a validated table of public statements, and which of them are evidence at a date.

The invariant protected here: every row in a ``Claims`` has been checked, nothing was guessed, and a claim published
after ``known_by`` cannot be seen.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
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
    """

    name: str
    vintage: dt.date | None
    sources: tuple[tuple[str, str, str], ...]
    _table: pd.DataFrame = field(compare=False)

    def __len__(self) -> int:
        return len(self._table)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Claims):
            return NotImplemented
        mine, theirs = ((claims.name, claims.vintage, claims.sources, claims.digest) for claims in (self, other))
        return mine == theirs

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
        return Claims(self.name, day, self.sources, kept.reset_index(drop=True))

    @property
    def evidence(self) -> pd.DataFrame:
        """Rows that the model reads: evidence about losses, or about how many were deployed."""
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
        reasons = [reason_aside(row) for row in self._table.to_dict("records")]
        aside = [reason is not None for reason in reasons]
        kept = self._table.loc[_mask(not out for out in aside)]
        left = self._table.loc[_mask(aside)].assign(reason=[reason for reason in reasons if reason])
        return kept.reset_index(drop=True), left.reset_index(drop=True)

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


def _mask(flags: Iterable[bool]) -> np.ndarray:
    return np.fromiter(flags, dtype=bool)


def reason_aside(row: Mapping[Any, Any]) -> str | None:
    """Why a row stays out of the likelihood, by its coding alone; None if it is evidence."""
    role, quantity = str(row["role"]), str(row["quantity"])
    if role != "evidence":
        return ROLE_REASONS[role]
    if quantity in SHARE_QUANTITIES:
        return "a share; the model reads numbers of persons"
    if quantity not in (*LOSS_QUANTITIES, "deployed"):
        return f"{quantity}: not a quantity of this model"
    if row["as_of"] is None:
        return "no date that the figure speaks of"
    if row["value"] is None and row["bound"] != "range":
        return "no number"
    return None


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
    """Claims of a data package that ships with attrition, for example ``dprk-kursk``.

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
        quantity, value, bound. The codebook of the packaged record explains every column.
    name
        What to call the record; by default the file's name.

    Returns
    -------
    Claims

    Raises
    ------
    InputError
        With every problem of the table at once: where, claim_id, what was got, what was expected, what to do.
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
    return Claims(label, None, tuple(roster.values()), table)


def _fill(record: dict[str, Cell]) -> None:
    for column in TEXT:
        record.setdefault(column, "")
    for column in (*NUMBERS, *DATES):
        record.setdefault(column, None)
    record["source_group"] = record["source_group"] or record["source"]
    record["role"] = record["role"] or "evidence"
    record["as_of_basis"] = record["as_of_basis"] or ("stated" if record["as_of"] else "none")
