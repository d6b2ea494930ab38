"""The summary: every published number, as plain values and as a table. ``summary.schema.json`` documents its form."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import numpy as np

from ..checks.convergence import published_quantities
from ..depletion import DEFINITIONS, LEVELS, DepletionDate, depletion_dates, level_of, reference_place
from ..errors import InputError, Problem, shown
from ..fitted import Fit
from ..scenarios.base import Scenario
from ..scenarios.rates import forecast, hold

if TYPE_CHECKING:
    import pandas as pd

SCHEMA_VERSION = "1.1"
UNITS = {
    "total_loss": ("persons", "killed and wounded by the vintage"),
    "killed": ("persons", "killed by the vintage"),
    "killed_share": ("1", "killed as a share of killed and wounded"),
    "rate_since_escalation": ("persons per day", "mean daily loss from the reported escalation to the vintage"),
    "daily_rate_now": ("persons per day", "daily loss on the vintage day"),
    "contingent_size": ("persons", "size of the initial contingent"),
    "strength_now": ("persons", "arrived less lost, with those back on duty, at the vintage"),
    "claim_error": ("log units", "sd of a claim around its source's level"),
}


def scenarios() -> tuple[Scenario, ...]:
    """Scenarios of a publication, in order."""
    return (hold(), forecast())


def published_dates(fit: Fit) -> dict[str, dict[str, DepletionDate]]:
    """Depletion date by scenario and definition: what every table, text and figure of a publication says of the date."""
    return {scenario.name: depletion_dates(fit, scenario) for scenario in scenarios()}


def summarize(
    fit: Fit,
    levels: Sequence[float] = LEVELS,
    dates: Mapping[str, dict[str, DepletionDate]] | None = None,
    draws: Mapping[str, np.ndarray] | None = None,
) -> dict[str, Any]:
    """Every published number of a fit, as plain values (JSON-ready, full precision).

    Parameters
    ----------
    fit
        The draws.
    levels
        Quantile levels; the default gives the median and equal-tailed 50% and 90% intervals.
    dates, draws
        What ``published_dates`` and ``published_quantities`` gave for this fit, if they are at hand.

    Returns
    -------
    dict
        As ``summary_schema()`` documents.

    Raises
    ------
    InputError
        If a level is not from 0 to 1: write 0.05 for 5%.
    """
    levels = _levels(levels)
    dates = published_dates(fit) if dates is None else dates
    draws = published_quantities(fit, dates) if draws is None else draws
    return {
        "schema_version": SCHEMA_VERSION,
        "campaign": {"name": fit.campaign.name, "title": fit.campaign.title},
        "vintage": fit.vintage.isoformat(),
        "created": fit.created,
        "gate": {key: fit.gate[key] for key in ("passed", "max_rhat", "min_ess", "divergences")}
        | {"target_accept": fit.gate["target_accept"], "escalated": fit.gate["escalated"]},
        "claims": {
            "used": len(fit.seen.claims),
            "sources": int(fit.seen.claims["source"].nunique()),
            "set_aside": len(fit.seen.set_aside),
        },
        "rate_since": fit.campaign.rate_since.isoformat(),
        "quantities": _quantities(draws, levels),
        "scenarios": {name: _scenario(one, levels) for name, one in dates.items()},
        "reference": _reference(fit, {name: one["gross"] for name, one in dates.items()}),
        "notes": list(fit.seen.notes),
        "priors": {"label": fit.priors.label, "rows": fit.priors.as_dict()["rows"]},
        "made_with": {
            "seed": fit.seed,
            "draws": fit.settings.draws,
            "chains": fit.settings.chains,
            "tune": fit.settings.tune,
            "curve": type(fit.curve).__name__,
            "errors": fit.reporting.errors,
            "versions": fit.versions,
            "claims_sha256": fit.claims.digest,
            "campaign_sha256": fit.campaign.digest,
            "priors_sha256": fit.priors.digest,
        },
    }


def summary_schema() -> dict[str, Any]:
    """JSON Schema of ``summarize``'s result."""
    text = files("attrition.publishing").joinpath("summary.schema.json").read_text(encoding="utf-8")
    schema: dict[str, Any] = json.loads(text)
    return schema


def _levels(levels: object) -> list[float]:
    if isinstance(levels, str) or not isinstance(levels, Iterable):
        do = "Put it in a list: [0.05, 0.5, 0.95]."
        raise InputError("No quantile levels", [Problem("argument", "", "levels", shown(levels), "several levels", do)])
    return [level_of(level) for level in levels]


def _quantities(published: Mapping[str, np.ndarray], levels: Sequence[float]) -> dict[str, Any]:
    found = {}
    for name, draws in published.items():
        if name.startswith("depletion_"):
            continue
        unit, meaning = UNITS.get(name, ("log units", f"log bias of {name[12:-1]}: stated over true"))
        quantiles = {f"{level:g}": float(np.quantile(draws, level)) for level in levels}
        found[name] = {"unit": unit, "meaning": meaning, "mean": float(draws.mean()), "quantiles": quantiles}
    return found


def _scenario(dates: dict[str, DepletionDate], levels: Sequence[float]) -> dict[str, Any]:
    """The gross date in full, and what the other definitions say of the same draws."""
    gross = dates["gross"]
    others = {name: _date(date, levels) for name, date in dates.items() if name != "gross"}
    horizon = {"sentence": gross.sentence, "horizon": gross.horizon.isoformat()}
    return horizon | _date(gross, levels) | {"other_definitions": others}


def _date(date: DepletionDate, levels: Sequence[float]) -> dict[str, Any]:
    interests = [interest.date for interest in date.campaign.dates_of_interest]
    quantiles = {}
    for level in levels:
        found = date.quantile(level)
        quantiles[f"{level:g}"] = {"date": found and found.isoformat(), "after_horizon": found is None}
    return {
        "definition": f"{date.definition}: {DEFINITIONS[date.definition]}",
        "quantiles": quantiles,
        "probability_within_horizon": date.probability_within_horizon,
        "probability_by": {day.isoformat(): date.probability_by(day) for day in interests if day <= date.horizon},
    }


def _reference(fit: Fit, dates: dict[str, DepletionDate]) -> dict[str, Any] | None:
    reference = fit.campaign.reference_projection
    places = {name: reference_place(fit, date) for name, date in dates.items()}
    if reference is None:
        return None
    return {
        "source": reference.source,
        "text": reference.text,
        "url": reference.url,
        "published": reference.published.isoformat(),
        "daily_rate": reference.daily_rate,
        "strength": reference.strength,
        "date": reference.date.isoformat(),
        "rate_quantile": next(place.rate_quantile for place in places.values() if place),
        "date_quantile": {
            name: place.date_quantile for name, place in places.items() if place and place.date_quantile is not None
        },
    }


def summary_table(fit: Fit, levels: Sequence[float] = LEVELS, content: Mapping[str, Any] | None = None) -> pd.DataFrame:
    """Every published quantity, one row each, with its quantiles as columns (``q05``: 5% lie below).

    Parameters
    ----------
    fit, levels
        As in ``summarize``.
    content
        What ``summarize`` gave for this fit and these levels, if it is at hand.

    Returns
    -------
    pandas.DataFrame
        Columns ``quantity``, ``unit``, ``meaning`` and one for each level.

    Raises
    ------
    InputError
        As ``summarize``.
    """
    import pandas as pd

    levels = _levels(levels)
    content = summarize(fit, levels) if content is None else content
    rows = []
    for name, one in content["quantities"].items():
        row = {"quantity": name, "unit": one["unit"], "meaning": one["meaning"]}
        rows.append(row | {_column(level): one["quantiles"][f"{level:g}"] for level in levels})
    for name, one in content["scenarios"].items():
        for definition, date in {"": one, **one["other_definitions"]}.items():
            key = f"{name}, {definition}" if definition else name
            meaning = f"{one['sentence']}; {DEFINITIONS[definition or 'gross']}"
            row = {"quantity": f"depletion_date[{key}]", "unit": "date", "meaning": meaning}
            for level in levels:
                found = date["quantiles"][f"{level:g}"]
                row[_column(level)] = found["date"] or f"after {one['horizon']}"
            rows.append(row)
    return pd.DataFrame(rows)


def _column(level: float) -> str:
    percent = 100 * level
    return f"q{percent:02.0f}" if math.isclose(percent, round(percent)) else f"q{percent:g}"
