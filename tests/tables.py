"""Small claims tables for the tests."""

from __future__ import annotations

import csv
from pathlib import Path

import pandas as pd

from attrition.claims import Claims, read_claims
from attrition.errors import InputError, Problem

BASE = {
    "claim_id": "A1",
    "source": "alpha",
    "source_kind": "adversary",
    "published": "2025-01-10",
    "as_of": "2025-01-09",
    "quantity": "casualties",
    "value": "3000",
    "bound": "approx",
}


def row(**changes: object) -> dict[str, object]:
    return {**BASE, **changes}


def write(folder: Path, *rows: dict[str, object]) -> Path:
    """CSV of rows that may have different columns."""
    columns = list(dict.fromkeys(column for record in rows for column in record))
    path = folder / "claims.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns, restval="")
        writer.writeheader()
        writer.writerows(rows)
    return path


def read(*rows: dict[str, object]) -> Claims:
    return read_claims(pd.DataFrame(list(rows), dtype=object))


def problems_of(source: object) -> tuple[Problem, ...]:
    """Problems that reading this table raises; none if it is read."""
    try:
        read_claims(source)
    except InputError as error:
        return error.problems
    return ()
