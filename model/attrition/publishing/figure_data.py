"""What the figures draw, as tables: every figure has a twin here, and draws nothing that its twins do not hold.

Quantiles are of the draws, equal-tailed: ``q05`` to ``q95`` is the 90% interval, ``q25`` to ``q75`` the 50% interval.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from ..depletion import LEVELS, DepletionDate, depletion_date
from ..fitted import Fit
from ..manpower import strength
from ..observations import DEPLOYED, KILLED, LOSSES, PRESENT, TOTAL, WOUNDED
from ..scenarios.base import Scenario
from ..scenarios.rates import forecast, hold

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = tuple(f"q{round(100 * level):02d}" for level in LEVELS)
MEASURES = {TOTAL: "total", LOSSES: "total", KILLED: "killed", WOUNDED: "wounded"}
DAYS_BEFORE = 21
WEEK = 7
NORMAL_90 = 1.6448536269514722


def first_day(fit: Fit) -> dt.date:
    """First day drawn: three weeks before the reported escalation, or earlier if a claim speaks of an earlier day."""
    start = fit.campaign.rate_since - dt.timedelta(days=DAYS_BEFORE)
    spoken = [day for row in _loss_claims(fit) for day in (row["as_of"], row["window_start"]) if day is not None]
    earliest = min(spoken, default=start) - dt.timedelta(days=2)
    last = fit.vintage - dt.timedelta(days=1)
    return max(min(start, earliest, last), fit.campaign.start)


def cumulative_data(fit: Fit) -> pd.DataFrame:
    """Killed and wounded by the end of each day: quantiles of the draws, in persons.

    Returns
    -------
    pandas.DataFrame
        ``date``, ``q05``, ``q25``, ``q50``, ``q75``, ``q95``; from three weeks before the escalation to the vintage.
    """
    return _by_day(fit, "cumulative_loss")


def rate_data(fit: Fit) -> pd.DataFrame:
    """Killed and wounded on each day: quantiles of the draws, in persons per day; columns as ``cumulative_data``."""
    return _by_day(fit, "daily_rate")


def strength_data(fit: Fit) -> pd.DataFrame:
    """Persons present at the end of each day: arrivals less losses, with wounded who came back; as ``cumulative_data``."""
    return _by_day(fit, "strength")


def strength_claims_data(fit: Fit) -> pd.DataFrame:
    """Claims about the strength in the likelihood.

    Returns
    -------
    pandas.DataFrame
        ``claim_id``, ``source``, ``quantity`` (deployed or present), ``as_of``, ``value`` as stated (of a range the middle),
        ``interval_low`` and ``interval_high``.
    """
    import pandas as pd

    columns = ["claim_id", "source", "quantity", "as_of", "value", "interval_low", "interval_high"]
    rows = []
    for row in fit.seen.rows:
        if row["category"] in (DEPLOYED, PRESENT):
            low, high = float(row["interval_low"]), float(row["interval_high"])
            value = (low + high) / 2 if row["value"] is None else float(row["value"])
            day = row["published"] if pd.isna(row["as_of"]) else row["as_of"]
            rows.append([row["claim_id"], row["source"], row["quantity"], day, value, low, high])
    frame = pd.DataFrame(rows, columns=columns)
    return frame.assign(as_of=pd.to_datetime(frame["as_of"]))


def _by_day(fit: Fit, name: str) -> pd.DataFrame:
    import pandas as pd

    days = pd.to_datetime(np.asarray(fit.draws["posterior"]["day"].values))
    shown = days >= pd.Timestamp(first_day(fit))
    draws = strength(fit) if name == "strength" else fit.array(name)
    quantiles = np.quantile(draws[..., shown], LEVELS, axis=(0, 1))
    return pd.DataFrame({"date": days[shown], **dict(zip(COLUMNS, quantiles, strict=True))})


def claims_data(fit: Fit) -> pd.DataFrame:
    """Every claim about losses that entered the likelihood, at its own stated number.

    Returns
    -------
    pandas.DataFrame
        ``claim_id, source, source_kind, quantity``; ``measure``: total, killed or wounded; ``figure``: cumulative (persons)
        or rate (persons per day); ``window_start``: first day of the period that the claim is about, missing for a
        running total; ``as_of``; ``value`` as stated (of a range the middle); ``interval_low`` and ``interval_high``: what
        the stated number says about the source's estimate, infinite or zero where the bound is open.
    """
    import pandas as pd

    columns = ["claim_id", "source", "source_kind", "quantity", "measure", "figure", "window_start", "as_of", "value"]
    columns += ["interval_low", "interval_high"]
    frame = pd.DataFrame([_claim(row) for row in _loss_claims(fit)], columns=columns)
    for column in ("window_start", "as_of"):
        frame[column] = pd.to_datetime(frame[column])
    for column in ("value", "interval_low", "interval_high"):
        frame[column] = frame[column].astype(float)
    return frame


def _loss_claims(fit: Fit) -> list[dict[Any, Any]]:
    """Claims about losses in the likelihood; one without a date of its own stands on the day it was published."""
    import pandas as pd

    rows = [row for row in fit.seen.rows if row["category"] in MEASURES]
    return [row | {"as_of": row["published"] if pd.isna(row["as_of"]) else row["as_of"]} for row in rows]


def _claim(row: dict[Any, Any]) -> dict[str, Any]:
    low, high = float(row["interval_low"]), float(row["interval_high"])
    rate = row["quantity"] == "daily_rate"
    return {
        **{key: row[key] for key in ("claim_id", "source", "source_kind", "quantity", "as_of")},
        "measure": MEASURES[row["category"]],
        "figure": "rate" if rate else "cumulative",
        "window_start": row["window_start"] or (row["as_of"] if rate else None),
        "value": float(row["value"]) if row["value"] is not None else (low + high) / 2,
        "interval_low": low,
        "interval_high": high,
    }


def phase_data(fit: Fit) -> pd.DataFrame:
    """Phases of the campaign known by the vintage: the reported date and the 90% interval of the date.

    Returns
    -------
    pandas.DataFrame
        ``phase, kind, date``, and ``q05, q95``: of the draws if the curve has dated phases (``basis`` posterior), else
        of the reported date with its stated spread (``basis`` reported). Fractions of a day are kept.
    """
    import pandas as pd

    rows = []
    fitted = "phase_day" in fit.posterior
    start = pd.Timestamp(fit.campaign.start)
    for number, phase in enumerate(fit.campaign.phases):
        day = float(fit.campaign.day(phase.date))
        low, high = day - NORMAL_90 * phase.sd_days, day + NORMAL_90 * phase.sd_days
        high = max(min(high, float(fit.campaign.day(phase.published))), day)
        if fitted:
            low, high = (float(end) for end in np.quantile(fit.array("phase_day")[..., number], (0.05, 0.95)))
        rows.append(
            {
                "phase": phase.name,
                "kind": phase.kind,
                "date": pd.Timestamp(phase.date),
                "q05": start + pd.Timedelta(days=low),
                "q95": start + pd.Timedelta(days=high),
                "basis": "posterior" if fitted else "reported",
            }
        )
    return pd.DataFrame(rows, columns=["phase", "kind", "date", "q05", "q95", "basis"])


def dates_of(fit: Fit, scenarios: Sequence[Scenario | DepletionDate] | None = None) -> list[DepletionDate]:
    """Depletion date under each scenario (by default ``hold`` and ``forecast``); dates at hand are taken as they are."""
    chosen = (hold(), forecast()) if scenarios is None else scenarios
    return [one if isinstance(one, DepletionDate) else depletion_date(fit, one) for one in chosen]


def date_data(fit: Fit, scenarios: Sequence[Scenario | DepletionDate] | None = None) -> pd.DataFrame:
    """Probability of depletion in each week under each scenario, and of no depletion by the horizon.

    Returns
    -------
    pandas.DataFrame
        ``scenario``; ``first_day, last_day`` of the week (weeks count from the vintage; days left over at the horizon
        belong to the last week); ``after_horizon``: True for the last row of a scenario, which has no ``last_day``;
        ``probability``, summing to 1 within a scenario; ``per_week``: probability per seven days, what is drawn.
    """
    import pandas as pd

    bins = [date_bins(date) for date in dates_of(fit, scenarios)]
    columns = ["scenario", "first_day", "last_day", "after_horizon", "probability", "per_week"]
    return pd.concat(bins, ignore_index=True) if bins else pd.DataFrame(columns=columns)


def date_bins(date: DepletionDate) -> pd.DataFrame:
    """One scenario's rows of ``date_data``."""
    import pandas as pd

    today, horizon = date.campaign.day(date.vintage), date.campaign.day(date.horizon)
    day = date.day.ravel()
    earliest = min(float(day.min()), float(today))
    before = max(0, int(np.ceil((today - earliest) / WEEK)))
    # A draw exactly at an edge belongs to the week that ends there: one more week holds a draw at the first edge.
    before += int(earliest <= today - before * WEEK and earliest < today)
    weeks = max((horizon - today) // WEEK, 1)
    edges = today + WEEK * np.arange(-before, weeks + 1)
    edges[-1] = horizon
    within = np.array([np.mean((day > low) & (day <= high)) for low, high in pairwise(edges)])
    start = pd.Timestamp(date.campaign.start)
    first = start + pd.to_timedelta(np.append(edges[:-1] + 1, horizon + 1), unit="D")
    last = start + pd.to_timedelta(edges[1:], unit="D")
    return pd.DataFrame(
        {
            "scenario": date.scenario,
            "first_day": first,
            "last_day": [*last, pd.NaT],
            "after_horizon": [False] * len(within) + [True],
            "probability": np.append(within, np.mean(day > horizon)),
            "per_week": np.append(within * WEEK / np.diff(edges), np.nan),
        }
    )


def date_quantile_data(fit: Fit, scenarios: Sequence[Scenario | DepletionDate] | None = None) -> pd.DataFrame:
    """Quantiles of the depletion date under each scenario; missing where a quantile lies after the horizon.

    Returns
    -------
    pandas.DataFrame
        ``scenario, sentence, horizon, q05, q25, q50, q75, q95, after_horizon`` (a probability).
    """
    import pandas as pd

    rows: list[dict[str, Any]] = []
    for date in dates_of(fit, scenarios):
        row: dict[str, Any] = {"scenario": date.scenario, "sentence": date.sentence, "horizon": date.horizon}
        row |= {column: date.quantile(level) for column, level in zip(COLUMNS, LEVELS, strict=True)}
        rows.append(row | {"after_horizon": float(np.mean(date.day > date.campaign.day(date.horizon)))})
    frame = pd.DataFrame(rows, columns=["scenario", "sentence", "horizon", *COLUMNS, "after_horizon"])
    for column in ("horizon", *COLUMNS):
        frame[column] = pd.to_datetime(frame[column])
    return frame
