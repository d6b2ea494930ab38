r"""A table as Markdown, LaTeX, CSV or JSON: what a source said stands there as it was said, and nothing in it acts.

Markdown and LaTeX take text for commands; here every sign that could be one is escaped. A character that is not seen
(a line break, a mark that reverses the line) is written out, ``[U+202E]``. Only http and https addresses are links.
"""

from __future__ import annotations

import json
import math
import re
from typing import TYPE_CHECKING, Any

import numpy as np

from ..cells import csv_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

WIDE = 28  # a LaTeX column with longer texts than this is broken into lines
_MARKDOWN = re.compile(r"[\\`*_\[\]~|$]|:(?=//)")
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
_TEX = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\textquotedbl{}",
    "`": r"\textasciigrave{}",
    "[": "{[}",
    "]": "{]}",
    "*": "{*}",
    **{sign: f"\\{sign}" for sign in "&%$#_{}"},
}
_JOINED = re.compile(r"--+|''+|,,+")  # signs that LaTeX joins into one
_WEB = re.compile(r"https?://[^\s<>]+")
_ISO = re.compile(r"(after )?\d{4}-\d\d-\d\d")


def visible(text: str) -> str:
    """One line of text whose every character is seen: others are written out as ``[U+000A]``."""
    return "".join(sign if sign.isprintable() else f"[U+{ord(sign):04X}]" for sign in text)


def markdown_text(text: str) -> str:
    """Text that Markdown shows as it is: no emphasis, heading, code, formula, HTML or link of its own making."""
    escaped = _MARKDOWN.sub(r"\\\g<0>", visible(text))
    for sign, entity in _ENTITIES.items():
        escaped = escaped.replace(sign, entity)
    return escaped


def latex_text(text: str) -> str:
    """Text that LaTeX sets as it is: no command, and no sign that means something to it."""
    escaped = "".join(_TEX.get(sign, sign) for sign in visible(text))
    return _JOINED.sub(lambda found: "".join(f"{{{sign}}}" for sign in found[0]), escaped)


def markdown_link(url: str) -> str:
    """An http or https address as a link that shows it; anything else as plain text."""
    if not _WEB.fullmatch(url) or visible(url) != url:
        return markdown_text(url)
    target = url.replace("&", "&amp;").replace("|", "%7C").replace("\\", "%5C")
    return f"[{markdown_text(url)}](<{target}>)"


def markdown_of(table: pd.DataFrame, title: str) -> str:
    """Markdown (pipe table) of a table of texts, with its title; addresses in a column ``url`` are links."""
    head = [markdown_text(str(name)) for name in table]
    rows = [
        [markdown_link(cell) if name == "url" else markdown_text(cell) for name, cell in zip(table, row, strict=True)]
        for row in _texts(table)
    ]
    lines = [head, ["---"] * len(head), *rows]
    return f"**{markdown_text(title)}**\n\n" + "".join(f"| {' | '.join(line)} |\n" for line in lines)


def latex_of(table: pd.DataFrame, title: str) -> str:
    r"""Tabular with booktabs of a table of texts; ``\input`` it in a table environment. Addresses are text, not links."""
    rows = _texts(table)
    kinds = [_kind([row[place] for row in rows]) for place in range(table.shape[1])]
    wide = sum(kind == "p" for kind in kinds)
    columns = "".join(_column(kind, wide) for kind in kinds)
    cells = [
        [_breakable(cell) if name == "url" else latex_text(cell) for name, cell in zip(table, row, strict=True)]
        for row in rows
    ]
    head, *body = [f"{' & '.join(line)} \\\\\n" for line in ([latex_text(str(name)) for name in table], *cells)]
    needs = r"\usepackage{booktabs,array,textcomp} and \usepackage[T1]{fontenc}"
    begin = f"% {visible(title)}. Needs {needs}.\n\\begin{{tabular}}{{@{{}}{columns}@{{}}}}\n\\toprule\n"
    return f"{begin}{head}\\midrule\n{''.join(body)}\\bottomrule\n\\end{{tabular}}\n"


def json_text(content: Any) -> str:
    """JSON in full precision that is inert inside a page as well: no sign in it can end or begin a tag."""
    text = json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False)
    for sign in ("<", ">", "&", "\u2028", "\u2029"):
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return text + "\n"


def json_of(table: pd.DataFrame, title: str, levels: Sequence[float]) -> str:
    """JSON of a table: its title, the levels of its intervals, its columns and its rows; null where there is nothing."""
    rows = [{str(name): _plain(value) for name, value in row.items()} for row in table.to_dict("records")]
    return json_text(
        {"title": title, "interval_levels": list(levels), "columns": [str(c) for c in table], "rows": rows}
    )


def csv_text(table: pd.DataFrame) -> str:
    """CSV of a table, in full precision; a text that a spreadsheet would take for a formula has an apostrophe before it."""
    return csv_of(table)


def _breakable(url: str) -> str:
    return latex_text(url).replace("/", "/\\allowbreak{}")


def _texts(table: pd.DataFrame) -> list[list[str]]:
    return [[str(cell) for cell in row] for row in table.itertuples(index=False, name=None)]


def _kind(cells: Sequence[str]) -> str:
    if any(len(cell) > WIDE for cell in cells):
        return "p"
    return "r" if cells and all(re.match(r"[-\d]", cell) and not _ISO.match(cell) for cell in cells) else "l"


def _column(kind: str, wide: int) -> str:
    share = f"{0.6 / wide:.2f}" if wide else ""
    return f">{{\\raggedright\\arraybackslash}}p{{{share}\\linewidth}}" if kind == "p" else kind


def _plain(value: object) -> object:
    if isinstance(value, np.generic):
        value = value.item()
    return None if isinstance(value, float) and not math.isfinite(value) else value
