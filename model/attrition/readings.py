"""The same claims read otherwise: what the published quantities become under each alternative that a critic would name."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

import numpy as np

from .coding import SOURCE_KINDS
from .depletion import depletion_date
from .errors import InputError, Problem, shown
from .fitted import Fit, rate_since
from .inference import fit as fit_model
from .inference import refit
from .priors import Prior, Priors, default_priors
from .sampling import Settings
from .scenarios.rates import forecast, hold

if TYPE_CHECKING:
    import pandas as pd

# Name: what is changed.
READINGS = {
    "floors": "`over 3,000` read the other way: {floors}",
    "no delay": "undated figures speak of the day of their publication",
    "briefings": "the figures of one briefing err independently",
    "one share": "the killed share is constant",
    "study priors": "bias priors from the published study alone",
}
FLOOR_WORDS = {"slack": "with slack above its cell", "cell": "in its cell, 3,000 to 4,000"}
NO_DELAY_DAYS = 1e-3


def alternative_readings(
    fit: Fit, names: str | Sequence[str] = tuple(READINGS), *, progress: bool | None = None
) -> pd.DataFrame:
    """Fit the same claims under alternative readings; the fit itself is the first row.

    Parameters
    ----------
    fit
        The fit to compare with.
    names
        Which of ``READINGS``, one or several: floors, no delay, briefings, one share, study priors.
    progress
        As in ``fit``.

    Returns
    -------
    pandas.DataFrame
        One row each: ``reading``, ``what``; medians and 90% intervals (``_q05``, ``_q50``, ``_q95``) of the total by the
        vintage (persons), the daily rate since the escalation (persons per day) and the killed share; median dates under
        hold and forecast, and P(by the horizon) under forecast; ``gate`` passed or not.

    Raises
    ------
    InputError
        For a name that is not among ``READINGS``, and for a fit of an extended model: fit the model without the extension.
        Both are found before anything is fitted.

    Notes
    -----
    Each reading is a fit of its own, which takes as long as the fit given.
    """
    import pandas as pd

    names = (names,) if isinstance(names, str) else tuple(names)
    _check(fit, names)
    priors = {name: _priors_of(fit, name) for name in names}
    rows = [_row("as fitted", f"floors {FLOOR_WORDS[fit.reporting.floors]}", fit)]
    for name in names:
        floors = name == "floors"
        other = _floors_otherwise(fit, progress) if floors else refit(fit, priors=priors[name], progress=progress)
        rows.append(_row(name, READINGS[name].format(floors=FLOOR_WORDS[other.reporting.floors]), other))
    return pd.DataFrame(rows)


def _check(fit: Fit, names: Sequence[str]) -> None:
    """Refuse everything that cannot be read otherwise, before anything is fitted."""
    problems = []
    for name in names:
        if name not in READINGS:
            near = get_close_matches(str(name), READINGS, 1)
            do = f"Did you mean {near[0]}?" if near else "Use some of these names."
            problems.append(Problem("argument", "", "names", shown(name), ", ".join(READINGS), do))
    if fit.extended:
        do = "Fit the model without the extension and compare that."
        problems.append(Problem("argument", "", "fit", "a fit of an extended model", "one of build_model's own", do))
    if problems:
        raise InputError("The claims cannot be read otherwise", problems)


def _priors_of(fit: Fit, name: str) -> Priors:
    """Priors of a reading: whole rows, whatever the family of those replaced."""
    rows: dict[str, Prior] = {}
    if name == "no delay":
        for kind in SOURCE_KINDS:
            rows[f"lag_{kind}"] = _changed(fit, f"lag_{kind}", "LogNormal", {"median": NO_DELAY_DAYS, "sd_log": 0.3})
    elif name == "briefings":
        rows["briefing_share"] = _changed(fit, "briefing_share", "Fixed", {"value": 0.0})
    elif name == "one share":
        rows["killed_share_walk_sd"] = _changed(fit, "killed_share_walk_sd", "Fixed", {"value": 0.0})
    elif name == "study priors":
        study = default_priors(fit.campaign, "study")
        rows |= {prior: study[prior] for prior in study if prior.startswith("bias_")}
    return fit.priors.override(rows)


def _changed(fit: Fit, name: str, family: str, numbers: Mapping[str, float]) -> Prior:
    why = f"another reading of the claims (fitted with {fit.priors[name]})"
    return Prior(name, family, numbers, fit.priors[name].unit, why)


def _floors_otherwise(fit: Fit, progress: bool | None) -> Fit:
    other = "cell" if fit.reporting.floors == "slack" else "slack"
    return fit_model(
        fit.claims,
        fit.campaign,
        fit.priors,
        seed=fit.seed,
        curve=fit.curve,
        reporting=dataclasses.replace(fit.reporting, floors=other),
        settings=dataclasses.replace(fit.settings, target_accept=Settings.target_accept),
        progress=progress,
    )


def _row(name: str, what: str, fit: Fit) -> dict[str, Any]:
    row: dict[str, Any] = {"reading": name, "what": what}
    drawn = {
        "total": fit.array("cumulative_loss")[..., -1],
        "rate": rate_since(fit),
        "killed_share": fit.array("killed_share"),
    }
    for quantity, draws in drawn.items():
        for level in (0.05, 0.5, 0.95):
            row[f"{quantity}_q{round(100 * level):02d}"] = float(np.quantile(draws, level))
    held, ahead = depletion_date(fit, hold()), depletion_date(fit, forecast())
    row |= {"hold_date": held.quantile_text(0.5), "forecast_date": ahead.quantile_text(0.5)}
    row["forecast_within_horizon"] = ahead.probability_within_horizon
    return row | {"gate": "passed" if fit.passed else "FAILED"}
