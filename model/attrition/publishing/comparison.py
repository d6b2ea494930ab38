"""Two publications side by side, and the gate that stops a headline from moving unseen."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..display import Shown, count
from ..errors import FileError, InputError, Problem, shown
from ..fitted import Fit
from .summary import SCHEMA_VERSION, summarize
from .tables import interval_columns, quantile_levels

if TYPE_CHECKING:
    import pandas as pd

SHARE, DAYS = 0.1, 14
HEADLINE = {
    "total_loss": "killed and wounded by the vintage",
    "rate_since_escalation": "killed and wounded a day",
    "depletion_hold": "the date under hold",
}
WIDEST = 0.9


@dataclass(frozen=True)
class Allowed:
    """How far a headline may move from one publication to the next without being confirmed.

    Attributes
    ----------
    share
        Of the last median of the total and of the rate: 0.1 allows a tenth up or down.
    days
        Of the median date under ``hold``.
    """

    share: float = SHARE
    days: int = DAYS


@dataclass(frozen=True, repr=False, eq=False)
class Comparison(Shown):
    """Two publications side by side.

    Attributes
    ----------
    old, new
        Vintage and campaign of each, in words.
    table
        One row for each published number of either: ``quantity, unit``; ``old_`` and ``new_`` with ``median``, ``lower_``
        and ``upper_`` and the level; ``change`` of the median (persons, days or as the unit has it), missing where a date
        lies after the horizon or a side has no such number; ``change_share``, of the old median.
    sentence
        What moved of the total, the rate and the date under ``hold``.
    """

    old: str
    new: str
    table: pd.DataFrame
    sentence: str

    def summary_rows(self) -> tuple[str, list[tuple[str, str]]]:
        """Title and labelled facts, for display."""
        ends = [str(name)[4:] for name in self.table if str(name).startswith("old_")]
        level = next((name.removeprefix("lower_") for name in ends if name.startswith("lower_")), "")
        rows = []
        for row in self.table.to_dict("records"):
            if str(row["quantity"]).startswith("source_bias"):
                continue
            sides = [_side(row, side, level) for side in ("old", "new")]
            rows.append((str(row["quantity"]).replace("_", " "), " -> ".join(sides) + _change_text(row)))
        return f"{self.old} -> {self.new}: medians with {level}% intervals", [*rows, ("in words", self.sentence)]


def compare(old: Fit | str | Path, new: Fit | str | Path) -> Comparison:
    """Lay two fits or publications side by side: two vintages, two sets of priors, or one before and after a correction.

    Parameters
    ----------
    old, new
        A fit, a saved fit (``fit.nc``), a ``summary.json``, or a folder that holds one of the two. Of a folder its
        ``summary.json`` is read; ``verify`` says whether it is what the draws say.

    Returns
    -------
    Comparison

    Raises
    ------
    FileError
        If a path holds neither, or a summary of a later version.
    InputError
        If one of the two is nothing of these.
    """
    before, after = _content(old), _content(new)
    both = [set(_quantiles(content)) for content in (before, after)]
    levels = [level for level in (WIDEST, 0.5) if all(set(_keys(level)) <= keys for keys in both)][:1]
    columns = {"median": "0.5"} | ({} if not levels else dict(zip(_ends(levels[0]), _keys(levels[0]), strict=True)))
    rows = list(_rows(before, after, columns))
    import pandas as pd

    names = [_name(content) for content in (before, after)]
    sentence = _sentence(before, after)
    return Comparison(names[0], names[1], pd.DataFrame(rows), sentence)


def headline(content: Mapping[str, Any]) -> dict[str, Any]:
    """Medians of the total, the rate and the date under ``hold`` of a summary; a date after the horizon is None."""
    hold = content["scenarios"]["hold"]
    medians = {name: one["quantiles"]["0.5"] for name, one in content["quantities"].items() if name in HEADLINE}
    return {
        "total_loss": medians.get("total_loss"),
        "rate_since_escalation": medians.get("rate_since_escalation"),
        "depletion_hold": hold["quantiles"]["0.5"]["date"],
        "horizon": hold["horizon"],
    }


def moved(old: Mapping[str, Any], new: Mapping[str, Any], allowed: Allowed | None = None) -> list[str]:
    """Say which headline moved by more than is allowed, a phrase each; none if nothing did.

    Parameters
    ----------
    old, new
        As ``headline`` gives them.
    allowed
        A tenth of the total and of the rate and fourteen days by default.
    """
    allowed = allowed or Allowed()
    found = []
    for name in ("total_loss", "rate_since_escalation"):
        before, after = old.get(name), new.get(name)
        if before is None or after is None:
            if before is not after:
                found.append(f"{HEADLINE[name]}: {_text(before)} before, {_text(after)} now")
        elif abs(after - before) > allowed.share * abs(before):
            limit = f"more than {100 * allowed.share:g}%"
            found.append(f"{HEADLINE[name]} from {count(before)} to {count(after)}{_by(before, after)}, {limit}")
    days = _days(old, new)
    if days is None or abs(days) > allowed.days:
        ends = [_date_text(one) for one in (old, new)]
        limit = "one of them past its horizon" if days is None else f"more than {allowed.days} days"
        found.append(f"{HEADLINE['depletion_hold']} from {ends[0]} to {ends[1]}, {limit}")
    return found


def _content(given: object) -> Mapping[str, Any]:
    """Summary of what was given."""
    if isinstance(given, Fit):
        return summarize(given, quantile_levels([0.5, WIDEST]))
    if not isinstance(given, str | Path):
        problem = Problem("argument", "", "old or new", shown(given), "a fit, or the path of one", "Name a folder.")
        raise InputError("Nothing to compare", [problem])
    path = Path(given)
    if path.is_dir():
        inside = [path / name for name in ("summary.json", "fit.nc") if (path / name).is_file()]
        if not inside:
            raise FileError(
                f"{path} holds neither summary.json nor fit.nc: `attrition publish FIT --out FOLDER` writes both"
            )
        path = inside[0]
    if path.suffix != ".json":
        from ..storage import load

        return _content(load(path))
    try:
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        major = str(content["schema_version"]).split(".")[0]
        headline(content), _name(content), list(_quantiles(content))
    except FileNotFoundError as error:
        raise FileError(f"{path}: no such file") from error
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise FileError(f"{path}: not a readable summary ({type(error).__name__}: {error})") from error
    if major != SCHEMA_VERSION.split(".")[0]:
        raise FileError(f"{path}: schema {content['schema_version']}; this version of attrition reads {SCHEMA_VERSION}")
    return content


def _name(content: Mapping[str, Any]) -> str:
    campaign = content["campaign"]
    return f"{campaign['title'] or campaign['name']} as known by {content['vintage']}"


def _quantiles(content: Mapping[str, Any]) -> Iterator[str]:
    return iter(content["scenarios"]["hold"]["quantiles"])


def _ends(level: float) -> list[str]:
    return [name for name in interval_columns([level]) if name != "median"]


def _keys(level: float) -> list[str]:
    columns = interval_columns([level])
    return [f"{columns[name]:g}" for name in _ends(level)]


def _rows(old: Mapping[str, Any], new: Mapping[str, Any], columns: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    for name in list(dict.fromkeys([*old["quantities"], *new["quantities"]])):
        sides = {side: content["quantities"].get(name) for side, content in (("old", old), ("new", new))}
        unit = next(one["unit"] for one in sides.values() if one)
        row: dict[str, Any] = {"quantity": name, "unit": unit}
        for side, one in sides.items():
            row |= {f"{side}_{column}": one and one["quantiles"][key] for column, key in columns.items()}
        before, after = row["old_median"], row["new_median"]
        known = before is not None and after is not None
        row["change"] = after - before if known else None
        row["change_share"] = (after - before) / before if known and before > 0 and unit != "log units" else None
        yield row
    for name in [name for name in old["scenarios"] if name in new["scenarios"]]:
        found = [_definitions(content["scenarios"][name]) for content in (old, new)]
        for definition in [key for key in found[0] if key in found[1]]:
            pair = [one[definition] for one in found]
            row = {"quantity": f"depletion_date[{name}, {definition}]", "unit": "date"}
            horizons = [content["scenarios"][name]["horizon"] for content in (old, new)]
            for side, date, horizon in zip(("old", "new"), pair, horizons, strict=True):
                values = {
                    column: date["quantiles"][key]["date"] or f"after {horizon}" for column, key in columns.items()
                }
                row |= {f"{side}_{column}": value for column, value in values.items()}
            ends = [date["quantiles"]["0.5"]["date"] for date in pair]
            row["change"] = None if None in ends else float(_apart(*ends))
            yield row | {"change_share": None}


def _definitions(scenario: Mapping[str, Any]) -> dict[str, Any]:
    return {"gross": scenario, **scenario["other_definitions"]}


def _apart(before: str, after: str) -> int:
    return (dt.date.fromisoformat(after) - dt.date.fromisoformat(before)).days


def _days(old: Mapping[str, Any], new: Mapping[str, Any]) -> int | None:
    """Days from one date to the other; 0 if both lie after their horizons, None if one does and the other cannot be near."""
    before, after = old.get("depletion_hold"), new.get("depletion_hold")
    if before is None and after is None:
        return 0
    return None if before is None or after is None else _apart(before, after)


def _date_text(one: Mapping[str, Any]) -> str:
    return str(one.get("depletion_hold") or f"after {one.get('horizon')}")


def _text(value: float | None) -> str:
    return "no number" if value is None else count(value)


def _by(before: float, after: float) -> str:
    return f" ({round(100 * (after - before) / before):+d}%)" if before else ""


def _sentence(old: Mapping[str, Any], new: Mapping[str, Any]) -> str:
    before, after = headline(old), headline(new)
    parts = []
    for name in ("total_loss", "rate_since_escalation"):
        low, high = before[name], after[name]
        by = _by(low, high) if low is not None and high is not None else ""
        parts.append(f"{HEADLINE[name]} from {_text(low)} to {_text(high)}{by}")
    days = _days(before, after)
    by = "" if not days else f" ({abs(days)} day{'s' * (abs(days) > 1)} {'later' if days > 0 else 'earlier'})"
    parts.append(f"{HEADLINE['depletion_hold']} from {_date_text(before)} to {_date_text(after)}{by}")
    text = f"Medians: {'; '.join(parts)}"
    if old["campaign"]["name"] != new["campaign"]["name"]:
        text += f". They are of different campaigns, {old['campaign']['name']} and {new['campaign']['name']}"
    failed = [content["vintage"] for content in (old, new) if not content["gate"]["passed"]]
    return text + (f". Not a final result, the convergence gate failed: {', '.join(failed)}" if failed else "")


def _side(row: Mapping[Any, Any], side: str, level: str) -> str:
    ends = [row.get(f"{side}_{name}") for name in ("median", f"lower_{level}", f"upper_{level}")]
    if ends[0] is None or ends[0] != ends[0]:
        return "none"
    middle, *interval = [end if isinstance(end, str) else _number(end, row["unit"]) for end in ends if end is not None]
    return f"{middle} ({' to '.join(interval)})" if len(interval) == 2 else middle


def _number(value: float, unit: str) -> str:
    return count(value) if unit.startswith("persons") else f"{value:.2f}"


def _change_text(row: Mapping[Any, Any]) -> str:
    change, share = row["change"], row["change_share"]
    if change is None or change != change:
        return ""
    if row["unit"] == "date":
        return f", {change:+.0f} days"
    return f", {round(100 * share):+d}%" if share is not None and share == share else f", {change:+.2f}"
