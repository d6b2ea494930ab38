"""What a claim says, in a few words: ``casualties over 3,000``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .coding import SHARE_QUANTITIES

_BEFORE = {"exact": "", "point": "", "approx": "about ", "at_least": "over ", "at_most": "nearly "}
_OPEN = {"at_least": "at least ", "at_most": "up to "}


def saying(row: Mapping[Any, Any]) -> str:
    """Short phrase for what a claim says.

    Parameters
    ----------
    row
        Of a claims table: quantity, value, low, high, bound, open, window_start and as_of.

    Returns
    -------
    str
        Quantity, then the number as its bound has it ("over": at_least; "nearly": at_most; "at least" and "up to": the
        open ones), then the window of a claim that has one.
    """
    quantity, bound = str(row["quantity"]), str(row["bound"])
    share = quantity in SHARE_QUANTITIES
    words = quantity.replace("_", " ")
    if bound == "range":
        number = f"{_number(row['low'], share)} to {_number(row['high'], share)}"
    elif row["value"] is None:
        number = "without a number"
    else:
        before = _OPEN[bound] if row["open"] == "yes" and bound in _OPEN else _BEFORE.get(bound, "")
        number = before + _number(row["value"], share)
    window = ""
    if row["window_start"] is not None:
        window = f", {row['window_start']} to {row['as_of'] or row['published']}"
    return f"{words} {number}{window}"


def _number(value: Any, share: bool) -> str:
    number = float(value)
    return f"{100 * number:.3g}%" if share else f"{number:,.10g}"
