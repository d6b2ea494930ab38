"""Figures that look computed from other figures: proposals for the coder, never decisions.

Two things are looked for: a source whose running totals follow another's in a fixed proportion, and a figure that is
exactly the sum, the difference or the quotient of others published shortly before it. Round numbers meet by chance:
3,000 less 300 is 2,700 whoever counted, and a rate with few digits fits many quotients. Each suspicion is therefore
something to look up in the source; nothing is changed until the coder, or ``Claims.marked``, says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from .claims import Claims
from .errors import InputError, Problem, shown
from .rounding import rounding_unit

if TYPE_CHECKING:
    import pandas as pd

SHARED_DATES = 6
DAYS_APART = 3
LOG_RATIO_SD = 0.02
GROWTH = 0.1
PUBLISHED_BEFORE_DAYS = 60
LATEST = 100  # operands of one quantity tried for one figure
SHOWN = 6
COLUMNS = ("kind", "claim_ids", "of", "source", "of_source", "evidence", "coding")

SERIES = ("casualties", "losses", "killed", "wounded", "captured", "missing")
BOTH = "captured and missing"
# kind, figure, operands: figure = first (sign) second; in the order in which one identity is named
RELATIONS = (
    ("sum", "casualties", "killed", "wounded"),
    ("sum", "losses", "casualties", BOTH),
    ("sum", "losses", "casualties", "captured"),
    ("sum", "losses", "casualties", "missing"),
    ("difference", "wounded", "casualties", "killed"),
    ("difference", "killed", "casualties", "wounded"),
    ("difference", "present", "deployed", "casualties"),
    ("difference", "present", "deployed", "losses"),
    ("quotient", "daily_rate", "casualties"),
)


@dataclass(frozen=True, eq=False)
class _Figures:
    """Numbers of one quantity in order of publication: arrays over the numbers.

    Attributes
    ----------
    rows
        (number, 1 or 2): rows of the table behind each number, two where it is the sum of two figures.
    value
        Persons (a rate: persons per day).
    published, as_of, window
        Ordinal days; ``as_of`` -1 where it is not known to the day, ``window`` -1 for a running total.
    """

    rows: np.ndarray
    value: np.ndarray
    published: np.ndarray
    as_of: np.ndarray
    window: np.ndarray


def dependence(claims: Claims) -> pd.DataFrame:
    """Evidence that looks copied from other claims, or computed from them.

    ``proportional``: running totals of two sources for the same quantity stand in a nearly fixed proportion (standard
    deviation of the log ratio under 0.02) at 6 or more shared dates (at most 3 days apart), over which both grew by a
    tenth or more: totals that stand still say nothing. The source that publishes later is named as the copy; if they
    publish alike, the one with fewer figures.

    ``sum``, ``difference``: killed + wounded = casualties, casualties + captured + missing = losses, casualties -
    killed = wounded, casualties - wounded = killed, deployed - casualties (or losses) = present, to the person.
    ``quotient``: a daily rate is a running total of casualties divided by the days since the rate's first day, within
    the rate's rounding unit. The operands were published at most 60 days before the figure, or the same day, and are of
    role ``evidence`` or ``repeat``; where several fit, those of the fewest sources, then the latest, are named. Of the
    operands of one quantity the latest 100 are tried.

    It proposes and never decides. Round numbers often meet by chance, the more of them the more often: read the sources
    before marking a row.

    Parameters
    ----------
    claims
        Read as known by its vintage.

    Returns
    -------
    pandas.DataFrame
        One row for each suspicion: ``kind``; ``claim_ids`` and ``of``, tuples of the rows suspected and of those they
        seem derived from (``proportional``: of equal length, date by date); ``source`` and ``of_source``; ``evidence``,
        a sentence with the numbers; ``coding``, what to write in the table if the suspicion is right.

    Raises
    ------
    InputError
        For anything but claims: read the table with ``read_claims`` first.
    """
    import pandas as pd

    table = _claims(claims).table
    found = [*_proportional(table), *_computed(table)]
    return pd.DataFrame(found, columns=list(COLUMNS))


def _claims(given: object) -> Claims:
    if isinstance(given, Claims):
        return given
    got = f"a {type(given).__name__}" if hasattr(given, "columns") else shown(given)
    problem = Problem("argument", "", "claims", got, "Claims", "Read the table first: read_claims(...).")
    raise InputError("Nothing can be looked for", [problem])


def _days(cells: Iterable[Any]) -> np.ndarray:
    """Ordinal day of date cells (1 is the first of year 1); -1 where empty."""
    return np.array([-1 if cell is None else cell.toordinal() for cell in cells], dtype=np.int64)


def _numbers(table: pd.DataFrame) -> pd.DataFrame:
    """Evidence and repeat rows with a positive number, typed, in order of publication."""
    kept = table.loc[table["role"].isin(("evidence", "repeat")) & table["value"].notna()].copy()
    for name in ("published", "as_of", "window_start"):
        kept[f"{name}_day"] = _days(kept[name])
    kept.loc[kept["as_of_from"].notna() & (kept["as_of_from"] != kept["as_of"]), "as_of_day"] = -1
    kept["number"] = kept["value"].astype(float)
    return kept.loc[kept["number"] > 0].sort_values("published_day", kind="stable").reset_index(drop=True)


def _proportional(table: pd.DataFrame) -> Iterator[dict[str, object]]:
    rows = _numbers(table)
    dated = (rows["as_of_day"] >= 0) & (rows["window_start_day"] < 0) & (rows["role"] == "evidence")
    rows = rows.loc[dated & rows["quantity"].isin(SERIES)]
    rows = rows.drop_duplicates(["source", "quantity", "as_of_day"], keep="last")
    for quantity, group in rows.groupby("quantity", sort=False):
        counts = group["source"].value_counts(sort=False)
        names = counts[counts >= SHARED_DATES].sort_values(ascending=False, kind="stable").index
        rank = group["source"].map({name: place for place, name in enumerate(names)})
        group = group.assign(rank=rank).dropna(subset=["rank"]).sort_values(["rank", "as_of_day"], kind="stable")
        ranks, day = group["rank"].to_numpy(dtype=np.int64), group["as_of_day"].to_numpy()
        logs = np.log(group["number"].to_numpy())
        starts = np.searchsorted(ranks, np.arange(len(names) + 1))
        for place in range(len(names) - 1):
            own, others = slice(*starts[place : place + 2]), slice(starts[place + 1], None)
            left, right = _matched(day[own], day[others], ranks[others])
            left, right = left + starts[place], right + starts[place + 1]
            for other in _steady(logs[left], logs[right], ranks[right], len(names)):
                chosen = ranks[right] == other
                yield _copied(group.iloc[left[chosen]], group.iloc[right[chosen]], str(quantity), counts)


def _matched(own: np.ndarray, others: np.ndarray, ranks: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Pairs (row of one source, row of another) nearest in time, no row twice for one pair of sources."""
    after = np.clip(np.searchsorted(own, others), 1, len(own) - 1) if len(own) > 1 else np.zeros(len(others), int)
    before = np.maximum(after - 1, 0)
    nearest = np.where(np.abs(own[before] - others) <= np.abs(own[after] - others), before, after)
    apart = np.abs(own[nearest] - others)
    right = np.flatnonzero(apart <= DAYS_APART)
    right = right[np.lexsort((apart[right], nearest[right], ranks[right]))]
    first = np.ones(len(right), dtype=bool)
    first[1:] = (np.diff(ranks[right]) != 0) | (np.diff(nearest[right]) != 0)
    right = right[first]
    return nearest[right], right


def _steady(left: np.ndarray, right: np.ndarray, ranks: np.ndarray, size: int) -> np.ndarray:
    """Sources (by rank) whose log totals keep a fixed distance to the matched ones while both move."""
    number = np.bincount(ranks, minlength=size)
    least = np.maximum(number, 1)
    ratio = right - left
    mean = np.bincount(ranks, ratio, minlength=size) / least
    spread = np.bincount(ranks, (ratio - mean[ranks]) ** 2, minlength=size) / np.maximum(number - 1, 1)
    moved = np.ones(size, dtype=bool)
    for logs in (left, right):
        top, bottom = np.full(size, -np.inf), np.full(size, np.inf)
        np.maximum.at(top, ranks, logs)
        np.minimum.at(bottom, ranks, logs)
        moved &= top - bottom >= np.log1p(GROWTH)
    return np.flatnonzero((number >= SHARED_DATES) & (spread < LOG_RATIO_SD**2) & moved)


def _copied(more: pd.DataFrame, fewer: pd.DataFrame, quantity: str, counts: pd.Series) -> dict[str, object]:
    """Which of two proportional series is proposed as the copy; ``more`` has at least as many figures."""
    later = float(np.median(fewer["published_day"].to_numpy() - more["published_day"].to_numpy()))
    original, copy = (more, fewer) if later >= 0 else (fewer, more)
    ratio = np.log(copy["number"].to_numpy() / original["number"].to_numpy())
    source, of_source = str(copy["source"].iloc[0]), str(original["source"].iloc[0])
    ids, of = tuple(copy["claim_id"]), tuple(original["claim_id"])
    if later:
        why = f"it publishes {abs(later):g} days later (median)"
    elif counts[source] != counts[of_source]:
        why = f"published alike; it has {counts[source]} figures, {of_source} {counts[of_source]}"
    else:
        why = "published alike and as often: it may as well be the other way round"
    pairs = [f"{one}={other}" for one, other in zip(ids, of, strict=True)]
    more_pairs = f" and {len(pairs) - SHOWN} more" if len(pairs) > SHOWN else ""
    return {
        "kind": "proportional",
        "claim_ids": ids,
        "of": of,
        "source": source,
        "of_source": of_source,
        "evidence": (
            f"{quantity} of {source} are {np.exp(ratio.mean()):.3g} times those of {of_source} at {len(ids)} shared "
            f"dates (sd of the log ratio {ratio.std(ddof=1):.4f}); {why}"
        ),
        "coding": f"role=repeat, derived_from row by row: {' '.join(pairs[:SHOWN])}{more_pairs}",
    }


def _computed(table: pd.DataFrame) -> list[dict[str, object]]:
    rows = _numbers(table.loc[table["bound"] != "range"])
    records, ids = rows.to_dict("records"), rows["claim_id"].tolist()
    codes = (
        rows["source"].map({name: code for code, name in enumerate(rows["source"].unique())}).to_numpy(dtype=np.int64)
    )
    figures = {str(name): _figures(rows.loc[group.index]) for name, group in rows.groupby("quantity")}
    figures[BOTH] = _both(rows)
    empty = _figures(rows.iloc[:0])
    copies: dict[str, set[str]] = {}
    for claim, cell in zip(table["claim_id"], table["derived_from"], strict=True):
        for origin in cell.split():
            copies.setdefault(origin, set()).add(claim)
    suspects = rows.loc[rows["role"] == "evidence"]
    tasks = []
    for place, (_, quantity, *_) in enumerate(RELATIONS):
        named = suspects.loc[suspects["quantity"] == quantity]
        tasks += [(day, place, row) for day, row in zip(named["published_day"], named.index, strict=True)]
    found = []
    for _, place, row in sorted(tasks):
        kind, _, *names = RELATIONS[place]
        operands = [figures.get(name, empty) for name in names]
        match = _quotients if kind == "quotient" else _pairs
        hits, latest = match(records[row], kind, *operands)
        own = _copies_of(ids[row], copies)
        kept = ~rows["claim_id"].isin(own).to_numpy()[hits].any(axis=1) if own else np.ones(len(hits), dtype=bool)
        if kept.any():
            others = _best(hits[kept], latest[kept], codes, row)
            for other in others:
                copies.setdefault(ids[other], set()).add(ids[row])
            found.append(_report(records, row, kind, others, int(kept.sum())))
    return found


def _figures(rows: pd.DataFrame) -> _Figures:
    columns = ("number", "published_day", "as_of_day", "window_start_day")
    return _Figures(rows.index.to_numpy(dtype=np.int64)[:, None], *(rows[name].to_numpy() for name in columns))


def _both(rows: pd.DataFrame) -> _Figures:
    """Captured plus missing, where one source gives both on one day for the same period."""
    keys = ["source", "published_day", "window_start_day"]
    pair = rows.loc[rows["quantity"] == "captured", [*keys, "number", "as_of_day"]].reset_index()
    other = rows.loc[rows["quantity"] == "missing", [*keys, "number"]].reset_index()
    pair = pair.drop_duplicates(keys, keep="last").merge(other.drop_duplicates(keys, keep="last"), on=keys)
    pair = pair.sort_values("published_day", kind="stable")
    total = (pair["number_x"] + pair["number_y"]).to_numpy()
    both = pair[["index_x", "index_y"]].to_numpy(dtype=np.int64)
    return _Figures(
        both, total, *(pair[name].to_numpy() for name in ("published_day", "as_of_day", "window_start_day"))
    )


def _near_in_time(figure: Mapping[Any, Any], others: _Figures) -> np.ndarray:
    """Places of the latest operands published on or before a figure, at most 60 days earlier."""
    day = figure["published_day"]
    start = np.searchsorted(others.published, day - PUBLISHED_BEFORE_DAYS)
    stop = np.searchsorted(others.published, day, side="right")
    return np.arange(max(start, stop - LATEST), stop)


def _pairs(figure: Mapping[Any, Any], kind: str, ones: _Figures, twos: _Figures) -> tuple[np.ndarray, np.ndarray]:
    """Operands whose sum or difference is the figure: rows (match, operand), and the day of the latest (match)."""
    left, right = _near_in_time(figure, ones), _near_in_time(figure, twos)
    window = figure["window_start_day"]
    left, right = left[ones.window[left] == window], right[twos.window[right] == window]
    sign = 1.0 if kind == "sum" else -1.0
    one, two = np.nonzero(ones.value[left][:, None] + sign * twos.value[right] == figure["number"])
    one, two = left[one], right[two]
    return np.hstack([ones.rows[one], twos.rows[two]]), np.maximum(ones.published[one], twos.published[two])


def _quotients(figure: Mapping[Any, Any], kind: str, totals: _Figures) -> tuple[np.ndarray, np.ndarray]:
    """Running totals that give a daily rate when divided by the days since its first day; as of ``_pairs``."""
    near = _near_in_time(figure, totals)
    near = near[totals.window[near] < 0]
    unit = figure["unit"] or rounding_unit(figure["number"], figure["bound"])
    fits = np.zeros(len(near), dtype=bool)
    for days in _spans(figure, totals.as_of[near]):
        fits |= (days > 0) & (np.abs(totals.value[near] / np.maximum(days, 1) - figure["number"]) <= unit)
    return totals.rows[near[fits]], totals.published[near[fits]]


def _spans(figure: Mapping[Any, Any], as_of: Any) -> tuple[Any, Any]:
    """Days from a rate's first day to its own last day, and to that of a total; 0 and less where one is not known."""
    start, end = figure["window_start_day"], figure["as_of_day"]
    known = start >= 0
    return np.where(known & (end >= 0), end - start + 1, 0) + 0 * as_of, np.where(
        known & (as_of >= 0), as_of - start + 1, 0
    )


def _best(hits: np.ndarray, latest: np.ndarray, codes: np.ndarray, row: int) -> tuple[int, ...]:
    """Operands of the fewest sources, then the latest."""
    sources = np.sort(np.hstack([codes[hits], np.full((len(hits), 1), codes[row])]), axis=1)
    number = (np.diff(sources, axis=1) != 0).sum(axis=1)
    first = np.lexsort((*hits.T[::-1], -latest, number))[0]
    return tuple(int(other) for other in hits[first])


def _copies_of(claim: str, copies: Mapping[str, set[str]]) -> set[str]:
    """Claims derived from a claim, by the coding or by an earlier suspicion, at whatever remove."""
    seen: set[str] = set()
    left = [claim]
    while left:
        new = copies.get(left.pop(), set()) - seen
        seen |= new
        left += new
    return seen


def _report(
    records: list[dict[Any, Any]], row: int, kind: str, others: tuple[int, ...], matches: int
) -> dict[str, object]:
    figure, operands = records[row], [records[other] for other in others]
    names = [f"{item['quantity']} {item['number']:,.10g} ({item['claim_id']}, {item['source']})" for item in operands]
    computed = {"sum": " + ", "difference": " - "}.get(kind, "").join(names)
    equal = "="
    if kind == "quotient":
        total = operands[0]
        days = min(
            (int(span) for span in _spans(figure, total["as_of_day"]) if span > 0),
            key=lambda span: abs(total["number"] / span - figure["number"]),
        )
        equal, computed = "is about", f"{computed} / {days} days"
    also = f"; one of {matches} ways to get it" if matches > 1 else ""
    of = tuple(str(item["claim_id"]) for item in operands)
    return {
        "kind": kind,
        "claim_ids": (str(figure["claim_id"]),),
        "of": of,
        "source": str(figure["source"]),
        "of_source": " ".join(dict.fromkeys(str(item["source"]) for item in operands)),
        "evidence": f"{figure['quantity']} {figure['number']:,.10g} {equal} {computed}{also}",
        "coding": f"role=repeat, derived_from={' '.join(of)}",
    }
