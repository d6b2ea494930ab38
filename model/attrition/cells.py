"""Text of a table in a CSV file that a spreadsheet may open: nothing in it is run, and it reads back as it was.

A spreadsheet takes a cell that begins with ``=``, ``+``, ``-`` or ``@`` for a formula, and so may run what a web page
said. Such a text is written with an apostrophe before it, the spreadsheets' own mark of a text. Where a text holds a
semicolon, a tab or a line break, at which some spreadsheets begin a new cell, what follows is marked in the same way.
``plain`` takes the marks away. Numbers and dates are not touched.
"""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

# Signs that begin a formula, and what looks like them: some spreadsheets read wide, small and raised forms alike.
_LIKE = "".join(char for char in map(chr, range(0x10000)) if unicodedata.normalize("NFKC", char) in tuple("=+-@\u2212"))
_SIGN = f"[{re.escape(_LIKE)}\u2010-\u2015\u02d7\u2795\u2796]"
# Blanks, quotes and characters without width, which a spreadsheet may drop before it looks at the first sign.
_DROPPED = r'\s"\u201c\u201d\u00ad\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\x00-\x1f'
_NEW_CELL = ";\t\r\n"
_FIRST = re.compile(rf"'*+(?:[{_DROPPED}]*+'*+{_SIGN}|[\t\r\n])")
_LATER = re.compile(rf"(?<![{_DROPPED};])([{_DROPPED};]++)('*+)(?={_SIGN})")


def inert(text: str) -> str:
    """Text that no spreadsheet takes for a formula; any other text is returned as it is."""
    return "'" + _LATER.sub(_marked, text) if _is_risky(text) else text


def plain(text: str) -> str:
    """Text as it was before ``inert``."""
    return _LATER.sub(_unmarked, text[1:]) if text.startswith("'") and _is_risky(text[1:]) else text


def csv_of(table: pd.DataFrame) -> str:
    """CSV of a table without its index: every text inert, every number and date as it is."""
    safe = table.rename(columns=lambda name: inert(str(name)))
    for place, kind in enumerate(table.dtypes):
        if kind.kind not in "iufbMm":
            cells = [inert(cell) if isinstance(cell, str) else cell for cell in table.iloc[:, place]]
            safe.isetitem(place, np.fromiter(cells, dtype=object, count=len(cells)))
    return safe.to_csv(index=False, lineterminator="\n")


def _is_risky(text: str) -> bool:
    return bool(_FIRST.match(text)) or any(_begins_a_cell(found) for found in _LATER.finditer(text))


def _begins_a_cell(found: re.Match[str]) -> bool:
    return any(char in _NEW_CELL for char in found[1])


def _marked(found: re.Match[str]) -> str:
    return f"{found[1]}'{found[2]}" if _begins_a_cell(found) else found[0]


def _unmarked(found: re.Match[str]) -> str:
    return f"{found[1]}{found[2][1:]}" if _begins_a_cell(found) else found[0]
