"""Influence: what every published quantity would be without one claim, or without one source.

Each row is a refit with the rest of the record; nothing is approximated by reweighting, because a claim
that matters is the one for which weights fail.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import math
import sys
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from .checks.convergence import published_quantities
from .depletion import DepletionDate, depletion_date
from .display import Shown, count, percent
from .errors import InputError, Problem, shown
from .fitted import Fit
from .inference import refit
from .sampling import Settings
from .sayings import saying
from .scenarios.rates import forecast, hold

if TYPE_CHECKING:
    import pandas as pd

MEASURED = {
    "total_loss": "total",
    "rate_since_escalation": "rate since the escalation",
    "killed_share": "killed share",
    "depletion_hold": "depletion date under hold",
    "depletion_forecast": "depletion date under forecast",
}
LEFT_OUT = ("claim", "source")
SHOWN_ROWS = 10
TOLD = 0.25  # a shift of so many posterior sds is named in the sentence


@dataclass(frozen=True, repr=False, eq=False)
class Influence(Shown):
    """What every published quantity would be without each claim, or without each source.

    Attributes
    ----------
    table
        One row for each refit, the most influential first; columns as ``influence`` describes them.
    full
        Values of the fit with everything, by the same names as the table's columns.
    leave_out
        ``claim`` or ``source``.
    until
        Date of the probabilities in the columns ``hold_by`` and ``forecast_by``.
    sentence
        Which claims move which quantity most, and how many refits failed the convergence gate.
    seconds
        Time that all refits took.
    """

    table: pd.DataFrame
    full: Mapping[str, Any]
    leave_out: str
    until: dt.date
    sentence: str
    seconds: float

    @property
    def passed(self) -> bool:
        """Whether every refit, and the fit with everything, passed the convergence gate."""
        return bool(self.full["passed"]) and bool(self.table["passed"].all())

    def summary_rows(self) -> tuple[str, list[tuple[str, str]]]:
        """Title and labelled facts, for display."""
        facts = [("with everything", self._words(self.full)), ("columns", f"P: probability by {self.until}")]
        for row in self.table.head(SHOWN_ROWS).to_dict("records"):
            state = "" if row["passed"] else f"; GATE {row['gate']}"
            who = f"{row['claim_id']}, {row['source']}" if self.leave_out == "claim" else str(row["source"])
            label = f"without {who}: {row['says']}" if self.leave_out == "claim" else f"without {who}"
            facts.append((label, f"{self._words(row)}; {row['largest_shift']:.2f} sd in {row['moves_most']}{state}"))
        if len(self.table) > SHOWN_ROWS:
            facts.append(("", f"and {len(self.table) - SHOWN_ROWS} more with smaller shifts (.table)"))
        facts.append(("in words", self.sentence))
        noun = "claim" if self.leave_out == "claim" else "source"
        return f"Influence: each {noun} left out, {len(self.table)} refits", facts

    @staticmethod
    def _words(row: Mapping[Any, Any]) -> str:
        return (
            f"total {count(row['total_loss'])}, {count(row['rate_since_escalation'])} a day, killed share "
            f"{percent(row['killed_share'])}, hold {row['hold_date']} (P {percent(row['hold_by'])}), "
            f"forecast {row['forecast_date']} (P {percent(row['forecast_by'])})"
        )


def influence(
    fit: Fit,
    progress: bool | None = None,
    settings: Settings | None = None,
    *,
    leave_out: str = "claim",
    claim_ids: Iterable[str] | None = None,
) -> Influence:
    """Leave out each claim that entered, or each source, and fit again.

    Parameters
    ----------
    fit
        The fit with everything.
    progress
        False for silence; otherwise a line for each refit on standard error.
    settings
        Of the sampler for the refits; by default those of the fit. With fewer draws the comparison with the fit is less
        exact, which ``monte_carlo`` says.
    leave_out
        ``claim``: one row for each claim; ``source``: one for each source, without all its claims that entered.
    claim_ids
        Only these claims (or only the sources of these claims).

    Returns
    -------
    Influence
        Its table has the columns ``claim_id`` (several for a source), ``source``, ``published``, ``says``; for
        ``total_loss`` (persons), ``rate_since_escalation`` (persons per day) and ``killed_share`` the median without the
        claim and, in ``<name>_shift``, that less the fit's; for each scenario ``<scenario>_date`` (median, or "after" the
        horizon) with ``<scenario>_date_shift`` (days, positive is later; NaN where both medians lie after the horizon,
        infinite where one does) and ``<scenario>_by`` with ``<scenario>_by_shift`` (probability by the first date of
        interest after the vintage; by the horizon if there is none); ``largest_shift`` (in posterior sds of the fit),
        ``moves_most`` (the quantity of that shift), ``monte_carlo`` (sd that the sampling error alone gives a shift, at most);
        and of each refit's gate ``passed``, ``max_rhat``, ``min_ess``, ``divergences``, ``gate`` (in words).

    Raises
    ------
    InputError
        For a claim that did not enter, an unknown ``leave_out``, fewer than two claims or sources, or a saved fit of an
        extended model.

    Notes
    -----
    Shifts are standardised by the fit's posterior sd; dates as 1/T with never = 0, as the convergence gate has them. A refit
    that fails its gate is sampled again with a higher target acceptance, as every fit is; its row then says so. A figure
    coded as a repeat of the claim left out does not take its place.
    """
    import pandas as pd

    if leave_out not in LEFT_OUT:
        problem = Problem("argument", "", "leave_out", shown(leave_out), " or ".join(LEFT_OUT), "Choose one of them.")
        raise InputError("Nothing to leave out", [problem])
    groups = _groups(fit, leave_out, claim_ids)
    base = _standing(fit)
    until = _until(fit)
    full = _values(fit, until)
    whole = _measured(fit)
    rows, started = [], time.perf_counter()
    for number, claims in enumerate(groups, start=1):
        name = claims[0]["claim_id"] if leave_out == "claim" else claims[0]["source"]
        begun = time.perf_counter()
        rest = base.claims.without(*(claim["claim_id"] for claim in claims))
        again = refit(base, rest, settings=settings, progress=False)
        rows.append(_head(claims) | _compared(again, whole, full, until))
        if progress is not False:
            state = "" if again.passed else ", gate FAILED"
            seconds = time.perf_counter() - begun
            sys.stderr.write(f"{number} of {len(groups)}: without {name}, {seconds:.0f} s{state}\n")
            sys.stderr.flush()
    seconds = time.perf_counter() - started
    table = pd.DataFrame(rows).sort_values("largest_shift", ascending=False, kind="stable").reset_index(drop=True)
    return Influence(table, full, leave_out, until, _sentence(table, leave_out), seconds)


def _groups(fit: Fit, leave_out: str, claim_ids: Iterable[str] | None) -> list[list[dict[Any, Any]]]:
    """Claims to leave out together, in the order of the record."""
    rows = fit.seen.rows
    entered = [row["claim_id"] for row in rows]
    wanted = entered if claim_ids is None else [claim_ids] if isinstance(claim_ids, str) else list(claim_ids)
    unknown = [name for name in wanted if name not in entered]
    problems = [
        Problem(
            "argument", "", "claim_ids", shown(name), "a claim that entered the fit", "They are in fit.seen.claims."
        )
        for name in unknown
    ]
    if problems:
        raise InputError("These claims cannot be left out", problems)
    keys: dict[str, list[dict[Any, Any]]] = {}
    for row in rows:
        keys.setdefault(str(row["claim_id"] if leave_out == "claim" else row["source"]), []).append(row)
    if len(keys) < 2:
        do = "Leave claims out." if leave_out == "source" else "Nothing would be left."
        problem = Problem("argument", "", "fit", f"one {leave_out}", "at least two", do)
        raise InputError("Nothing would be left", [problem])
    return [group for group in keys.values() if any(row["claim_id"] in wanted for row in group)]


def _standing(fit: Fit) -> Fit:
    """The fit at a vintage that stays when its last claim is left out."""
    claims = dataclasses.replace(fit.claims, vintage=fit.vintage)
    campaign = dataclasses.replace(fit.campaign, vintage=fit.vintage)
    return dataclasses.replace(fit, claims=claims, campaign=campaign)


def _until(fit: Fit) -> dt.date:
    """First date of interest after the vintage and within the horizon; the horizon if there is none."""
    horizon = fit.vintage + dt.timedelta(days=fit.campaign.horizon_days)
    dates = [one.date for one in fit.campaign.dates_of_interest if fit.vintage < one.date <= horizon]
    return min(dates, default=horizon)


def _measured(fit: Fit) -> dict[str, np.ndarray]:
    """Draws (chain, draw) of the quantities on which shifts are standardised; dates as 1/T."""
    draws = published_quantities(fit)
    return {name: draws[name] for name in MEASURED if name in draws}


def _values(fit: Fit, until: dt.date) -> dict[str, Any]:
    """Medians and probabilities of one fit, with its gate."""
    values: dict[str, Any] = {
        name: float(np.median(draws)) for name, draws in _measured(fit).items() if not name.startswith("depletion_")
    }
    for name in ("total_loss", "rate_since_escalation", "killed_share"):
        values.setdefault(name, math.nan)
    for scenario in (hold(), forecast()):
        date = depletion_date(fit, scenario)
        values[f"{scenario.name}_date"] = date.quantile_text(0.5)
        values[f"{scenario.name}_by"] = date.probability_by(until)
        values[f"_{scenario.name}_day"] = _median_day(date)
    gate = fit.gate
    words = "passed" if fit.passed else f"FAILED: {gate.get('sentence', '')}"
    again = f"; {gate['escalated']}" if gate.get("escalated") else ""
    return values | {
        "passed": fit.passed,
        "max_rhat": float(gate.get("max_rhat", math.nan)),
        "min_ess": float(gate.get("min_ess", math.nan)),
        "divergences": int(gate.get("divergences", 0)),
        "gate": words + again,
    }


def _median_day(date: DepletionDate) -> float:
    """Median day as it is printed, infinite after the horizon."""
    found = date.quantile(0.5)
    return math.inf if found is None else float((found - date.vintage).days)


def _head(claims: list[dict[Any, Any]]) -> dict[str, Any]:
    days = sorted({row["published"] for row in claims})
    return {
        "claim_id": " ".join(row["claim_id"] for row in claims),
        "source": claims[0]["source"],
        "published": str(days[0]) if len(days) == 1 else f"{days[0]} to {days[-1]}",
        "says": "; ".join(saying(row) for row in claims),
    }


def _compared(again: Fit, whole: Mapping[str, np.ndarray], full: Mapping[str, Any], until: dt.date) -> dict[str, Any]:
    """Values of one refit beside those of the fit."""
    new = _values(again, until)
    row: dict[str, Any] = {}
    for name in ("total_loss", "rate_since_escalation", "killed_share"):
        row |= {name: new[name], f"{name}_shift": new[name] - full[name]}
    for name in ("hold", "forecast"):
        before, after = full[f"_{name}_day"], new[f"_{name}_day"]
        later = math.nan if math.isinf(before) and math.isinf(after) else after - before
        row |= {f"{name}_date": new[f"{name}_date"], f"{name}_date_shift": later}
        row |= {f"{name}_by": new[f"{name}_by"], f"{name}_by_shift": new[f"{name}_by"] - full[f"{name}_by"]}
    rest = _measured(again)
    shifts = {
        name: abs(float(np.median(rest[name]) - np.median(draws))) / float(draws.std())
        for name, draws in whole.items()
        if name in rest
    }
    largest = max(shifts, key=lambda name: shifts[name])
    sizes = [one["min_ess"] for one in (full, new)]
    spread = math.sqrt(math.pi / 2 * sum(1.0 / size if size > 0 else math.inf for size in sizes))
    row |= {"largest_shift": shifts[largest], "moves_most": MEASURED[largest], "monte_carlo": spread}
    return row | {key: new[key] for key in ("passed", "max_rhat", "min_ess", "divergences", "gate")}


def _sentence(table: pd.DataFrame, leave_out: str) -> str:
    """Which rows move the answer, how far the dates' probabilities go, and how many gates failed."""
    noun = "claim" if leave_out == "claim" else "source"
    column = "claim_id" if leave_out == "claim" else "source"
    moving = table.loc[table["largest_shift"] >= TOLD]
    parts = []
    for quantity, rows in moving.groupby("moves_most", sort=False):
        names = [f"{name} ({size:.1f} sd)" for name, size in zip(rows[column], rows["largest_shift"], strict=True)]
        parts.append(f"the {quantity} moves most without {', '.join(names[:5])}")
    text = "; ".join(parts) or f"no {noun} moves a published quantity by {TOLD:g} posterior sds or more"
    for scenario in ("hold", "forecast"):
        least, most = table[f"{scenario}_by"].min(), table[f"{scenario}_by"].max()
        text += f"; under {scenario}, P(by the date) lies between {percent(least)} and {percent(most)}"
    failed = int((~table["passed"]).sum())
    again = int(table["gate"].str.contains("sampled again").sum())
    gates = (
        "every refit passed its convergence gate"
        if not failed
        else f"{failed} of {len(table)} refits FAILED their gate"
    )
    if again:
        gates += f"; sampled again with a higher target acceptance: {again}"
    return f"{text[0].upper()}{text[1:]}. {gates[0].upper()}{gates[1:]}."
