"""What is published as tables: quantities, dates, source biases, claims used and left out, in full precision.

The level of an interval stands in the name of its columns: ``lower_90`` and ``upper_90`` end the equal-tailed 90% credible
interval, 5% of the draws on either side.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..checks.convergence import published_quantities
from ..depletion import DEFINITIONS, DepletionDate
from ..display import count, percent
from ..errors import InputError, Problem, shown
from ..fitted import Fit
from ..observations import SIZE
from ..sayings import saying
from .sentences import tails
from .summary import UNITS, published_dates

if TYPE_CHECKING:
    import pandas as pd

INTERVALS = (0.5, 0.9)
FACTOR = "stated / true"
VOCABULARY = ("quantity", "definition", "source_kind")
CLAIM_COLUMNS = ("claim_id", "source", "source_kind", "published", "as_of")


def intervals_of(levels: object) -> tuple[float, ...]:
    """Levels of intervals, each once, the narrowest first.

    Parameters
    ----------
    levels
        Probabilities above 0 and below 1, of 90% and 50% intervals for example (0.9, 0.5).

    Raises
    ------
    InputError
        If there are none, or one is not above 0 and below 1.
    """
    if isinstance(levels, str) or not isinstance(levels, Sequence | np.ndarray) or not len(levels):
        do = "Put them in a list: [0.5, 0.9]."
        raise InputError("No levels", [Problem("argument", "", "levels", shown(levels), "levels of intervals", do)])
    for level in levels:
        tails(level)
    return tuple(sorted({float(level) for level in levels}))


def quantile_levels(levels: Sequence[float]) -> list[float]:
    """Quantile levels of the median and of the ends of equal-tailed intervals, ascending."""
    return sorted({0.5, *(end for level in intervals_of(levels) for end in tails(level))})


def interval_columns(levels: Sequence[float]) -> dict[str, float]:
    """Column and the quantile level that it holds: ``median``, then ``lower_50``, ``upper_50`` and so on."""
    columns = {"median": 0.5}
    for level in intervals_of(levels):
        name = f"{round(100 * level, 10):g}"
        columns[f"lower_{name}"], columns[f"upper_{name}"] = tails(level)
    return columns


def quantity_table(
    fit: Fit, levels: Sequence[float] = INTERVALS, draws: Mapping[str, np.ndarray] | None = None
) -> pd.DataFrame:
    """Every published number but the dates and the sources' biases, one row each.

    Parameters
    ----------
    fit
        The draws.
    levels
        Of the equal-tailed intervals.
    draws
        What ``published_quantities`` gave for this fit, if it is at hand.

    Returns
    -------
    pandas.DataFrame
        ``quantity, meaning, unit, median``, and ``lower_`` and ``upper_`` with each level in percent.

    Raises
    ------
    InputError
        If a level is not above 0 and below 1.
    """
    import pandas as pd

    ends = interval_columns(levels)
    found = published_quantities(fit) if draws is None else draws
    rows = [
        {"quantity": name, "meaning": UNITS[name][1], "unit": UNITS[name][0]} | _quantiles(found[name], ends)
        for name in UNITS
        if name in found
    ]
    return pd.DataFrame(rows, columns=["quantity", "meaning", "unit", *ends])


def date_table(
    fit: Fit, levels: Sequence[float] = INTERVALS, dates: Mapping[str, Mapping[str, DepletionDate]] | None = None
) -> pd.DataFrame:
    """Depletion date under each published scenario, in each definition of what is depleted.

    Parameters
    ----------
    fit, levels
        As ``quantity_table``.
    dates
        What ``published_dates`` gave for this fit, if it is at hand.

    Returns
    -------
    pandas.DataFrame
        ``scenario, if, definition, depleted``; ``median`` and the ends of the intervals, ISO dates or ``after <horizon>``;
        ``horizon``; ``probability_by_horizon``, and ``probability_by_`` each date of interest.
    """
    import pandas as pd

    ends = interval_columns(levels)
    found = published_dates(fit) if dates is None else dates
    rows = []
    for scenario, definitions in found.items():
        for definition, date in definitions.items():
            row: dict[str, Any] = {"scenario": scenario, "if": date.sentence, "definition": definition}
            row |= {"depleted": DEFINITIONS[definition]} | {name: date.quantile_text(end) for name, end in ends.items()}
            row |= {"horizon": str(date.horizon), "probability_by_horizon": date.probability_within_horizon}
            days = [one.date for one in fit.campaign.dates_of_interest if one.date <= date.horizon]
            rows.append(row | {f"probability_by_{day}": date.probability_by(day) for day in days})
    return pd.DataFrame(rows)


def bias_table(fit: Fit, levels: Sequence[float] = INTERVALS) -> pd.DataFrame:
    """By what factor each source that gives losses departs from the true number.

    Parameters
    ----------
    fit, levels
        As ``quantity_table``.

    Returns
    -------
    pandas.DataFrame
        ``source, source_kind``; ``claims``: how many of its claims about losses enter; ``unit``; ``median`` and the ends of
        the intervals of the factor, stated over true: 1.2 says a fifth too many.
    """
    import pandas as pd

    ends = interval_columns(levels)
    speaking = fit.seen.claims[fit.seen.claims["category"] < SIZE]
    bias = fit.array("source_bias")
    rows = []
    for number, name in enumerate(fit.posterior["source"].values):
        own = speaking[speaking["source"] == name]
        if len(own):
            row = {"source": str(name), "source_kind": own["source_kind"].iloc[0], "claims": len(own), "unit": FACTOR}
            rows.append(row | _quantiles(np.exp(bias[..., number]), ends))
    return pd.DataFrame(rows, columns=["source", "source_kind", "claims", "unit", *ends])


def used_table(fit: Fit) -> pd.DataFrame:
    """Claims that entered: ``claim_id, source, source_kind, published, as_of, stated, url, note``."""
    return _claims(fit.seen.claims)


def left_out_table(fit: Fit) -> pd.DataFrame:
    """Claims that stayed out, as ``used_table``, each with its ``reason``."""
    return _claims(fit.seen.set_aside, "reason")


def all_tables(
    fit: Fit,
    levels: Sequence[float] = INTERVALS,
    draws: Mapping[str, np.ndarray] | None = None,
    dates: Mapping[str, Mapping[str, DepletionDate]] | None = None,
) -> dict[str, pd.DataFrame]:
    """Every published table by name: quantities, dates, source_biases, claims_used, claims_left_out.

    Parameters
    ----------
    fit, levels, draws, dates
        As ``quantity_table`` and ``date_table``.
    """
    return {
        "quantities": quantity_table(fit, levels, draws),
        "dates": date_table(fit, levels, dates),
        "source_biases": bias_table(fit, levels),
        "claims_used": used_table(fit),
        "claims_left_out": left_out_table(fit),
    }


TITLES = {
    "quantities": "Killed and wounded, rate and strength",
    "dates": "Date of depletion by scenario and definition",
    "source_biases": "Factor by which each source's figures depart from the true number",
    "claims_used": "Claims in the likelihood",
    "claims_left_out": "Claims left out, with the reason",
}


def for_people(table: pd.DataFrame) -> pd.DataFrame:
    """Round a table's numbers as people read them; every cell of the result is text.

    Parameters
    ----------
    table
        As the functions of this module return it.

    Returns
    -------
    pandas.DataFrame
        Persons to three significant digits, shares and factors to two decimals, probabilities in percent; headings in words.
    """
    rows = [
        [_cell(str(name), row[name], str(row.get("unit", ""))) for name in table] for row in table.to_dict("records")
    ]
    import pandas as pd

    return pd.DataFrame(rows, columns=[_heading(str(name)) for name in table], dtype=object)


def _quantiles(draws: np.ndarray, ends: Mapping[str, float]) -> dict[str, float]:
    values = np.quantile(draws, list(ends.values()))
    return dict(zip(ends, (float(value) for value in values), strict=True))


def _claims(table: pd.DataFrame, *more: str) -> pd.DataFrame:
    import pandas as pd

    rows = [{key: None if _missing(value) else value for key, value in row.items()} for row in table.to_dict("records")]
    taken = [
        {key: _day(row[key]) for key in CLAIM_COLUMNS}
        | {"stated": saying(row), "url": row["url"], "note": row["note"]}
        | {key: row[key] for key in more}
        for row in rows
    ]
    return pd.DataFrame(taken, columns=[*CLAIM_COLUMNS, "stated", "url", "note", *more], dtype=object)


def _missing(value: object) -> bool:
    return isinstance(value, float) and np.isnan(value)


def _day(value: object) -> object:
    return value.isoformat() if isinstance(value, dt.date) else value


def _two(value: float) -> str:
    return f"{value:.2f}"


ROUNDED: dict[str, Callable[[float], str]] = {"persons": count, "persons per day": count}


def _cell(column: str, value: object, unit: str) -> str:
    if value is None:
        return ""
    if column in VOCABULARY:
        return str(value).replace("_", " ")
    if column == "unit" and value == "1":
        return "share"
    if isinstance(value, bool | str) or not isinstance(value, int | float | np.number):
        return str(value)
    if column.startswith("probability_"):
        return percent(float(value))
    if isinstance(value, int | np.integer):
        return f"{value:,}"
    return ROUNDED.get(unit, _two)(float(value))


def _heading(name: str) -> str:
    """``lower_90`` as ``lower 90%``."""
    first, _, last = name.rpartition("_")
    return f"{first} {last}%" if first in ("lower", "upper") else name.replace("_", " ")
