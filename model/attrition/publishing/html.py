"""Pieces of a page that holds everything itself: images, tables, links and the policy that forbids anything else.

What others wrote is escaped wherever it stands, and becomes a link only if it is an http(s) address.
"""

from __future__ import annotations

import base64
import hashlib
import io
import itertools
import json
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from matplotlib import rc_context

from .optional import optional
from .style import STYLE

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

_TABLE = re.compile(r"<table class=\"gt_table\"[^>]*>(.*)</table>", re.DOTALL)
_BETWEEN = re.compile(r">[^<>]*<")
_DATE, _SPAN = re.compile(r"\b(\d{4}-\d\d-\d\d)\b"), r'<span class="d">\1</span>'
_NAME = re.compile(r"(?<= )(id|headers)=\"([^\"]*)\"")


def policy(scripts: Sequence[str], styles: Sequence[str]) -> str:
    """Content-Security-Policy of a page that may run and apply these texts, and load nothing.

    Parameters
    ----------
    scripts, styles
        Texts of the script and style elements, exactly as they stand between the tags.

    Returns
    -------
    str
        The value of the meta element.
    """
    return "; ".join(
        [
            "default-src 'none'",
            f"script-src {' '.join(map(script_hash, scripts))}",
            f"style-src {' '.join(map(script_hash, styles))}",
            "img-src data:",
            "base-uri 'none'",
            "form-action 'none'",
        ]
    )


def script_hash(text: str) -> str:
    """Source expression of a script or a style in a policy."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def json_text(value: object) -> str:
    """JSON that can stand in a script element: no sign in it ends the element or opens another."""
    text = json.dumps(value, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def link(url: object) -> str | None:
    """The address if a reader may follow it: http or https, with a host and without blanks or controls; else None."""
    text = str(url or "")
    if any(sign.isspace() or not sign.isprintable() for sign in text):
        return None
    try:
        parts = urlsplit(text)
        host = parts.hostname
    except ValueError:
        return None
    return text if parts.scheme in ("http", "https") and host else None


def unbroken(text: object) -> Any:
    """Text escaped, in which no line breaks inside a date (markupsafe.Markup)."""
    markup = optional("markupsafe")
    return markup.Markup(_DATE.sub(_SPAN, str(markup.escape(text))))


def image(axes: Axes, tight: bool = False) -> str:
    """A figure as an address that holds it (SVG); ``tight``: cut to what is drawn."""
    figure = axes.get_figure(root=True)
    if figure is None:
        raise TypeError("image: got axes without a figure, expected axes that a figure function returned")
    stream = io.BytesIO()
    with rc_context(STYLE):
        figure.savefig(
            stream,
            format="svg",
            metadata={"Date": None, "Creator": "attrition"},
            bbox_inches="tight" if tight else None,
        )
    return f"data:image/svg+xml;base64,{base64.b64encode(stream.getvalue()).decode()}"


def table(
    frame: pd.DataFrame, name: str, caption: str, *, numbers: Sequence[str] = (), links: dict[str, str] | None = None
) -> Any:
    """HTML of a table: a caption, a header for each column, and the first column as the header of each row.

    Parameters
    ----------
    frame
        Texts, escaped here; its columns' names are the headers.
    name
        Its id, and the prefix of the ids in it; letters and hyphens.
    caption
        What the table holds.
    numbers
        Columns that are aligned to the right.
    links
        For a column whose cells are linked: the column that holds the addresses, which is not shown itself. An address
        that may not be followed is not linked.

    Returns
    -------
    markupsafe.Markup

    Raises
    ------
    InputError
        If the extra ``report`` is not installed.
    """
    great = optional("great_tables")
    markup = optional("markupsafe").Markup
    links = links or {}
    first = str(frame.columns[0])
    shown = frame.drop(columns=list(links.values())).astype(str).reset_index(drop=True)
    for column, address in links.items():
        cells = zip(frame[column], frame[address], strict=True)
        shown[column] = [_linked(markup, str(text), url) for text, url in cells]
    plain = [column for column in shown.columns if column not in links]
    escaped = shown.assign(**{column: [str(markup.escape(cell)) for cell in shown[column]] for column in plain})
    made = great.GT(escaped, rowname_col=first, id=name).tab_stubhead(first)
    made = made.fmt(lambda cell: cell, columns=list(escaped.columns), is_substitution=False)
    made = made.cols_align("left", list(escaped.columns))
    if numbers:
        made = made.cols_align("right", list(numbers))
    found = _TABLE.search(made.as_raw_html())
    if found is None:
        raise ValueError("great_tables: got no table, expected one: its version does not fit")
    body = _NAME.sub(lambda one: f'{one[1]}="{_ids(one[2], name)}"', found[1])
    body = _BETWEEN.sub(lambda one: _DATE.sub(_SPAN, one[0]), body)
    body = _roles(body, [str(markup.escape(column)) for column in escaped.columns[1:]])
    return markup(f'<table id="{name}" role="table"><caption>{unbroken(caption)}</caption>{body}</table>')


def _roles(body: str, columns: Sequence[str]) -> str:
    """Say what each element is, and of which column each cell: on a phone rows are shown as blocks, not as a table."""
    for tag, role in (("thead", "rowgroup"), ("tbody", "rowgroup"), ("tr", "row")):
        body = re.sub(rf"<{tag}\b", f'<{tag} role="{role}"', body)
    for scope, role in (("col", "columnheader"), ("row", "rowheader")):
        body = body.replace(f'scope="{scope}"', f'scope="{scope}" role="{role}"')
    labels = itertools.cycle(columns)
    return re.sub(r"<td\b", lambda _: f'<td role="cell" data-label="{next(labels)}"', body)


def _linked(markup: Any, text: str, url: object) -> str:
    address = link(url)
    if address is None:
        return str(markup.escape(text))
    return str(markup('<a href="{}" rel="noopener noreferrer">{}</a>').format(address, text))


def _ids(text: str, name: str) -> str:
    """Ids as great_tables makes them from the columns' names, which may hold blanks."""
    parts = [part for part in re.split(rf"(?={re.escape(name)}-)", text) if part.strip()]
    return " ".join(re.sub(r"[^A-Za-z0-9-]+", "-", part.strip()) for part in parts)
