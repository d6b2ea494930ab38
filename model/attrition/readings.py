"""The same claims read otherwise: what the published quantities become under each alternative that a critic would name."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from .depletion import depletion_date
from .fitted import Fit, rate_since
from .inference import fit as fit_model
from .inference import refit
from .priors import default_priors
from .scenarios.rates import forecast, hold

if TYPE_CHECKING:
    import pandas as pd

# Name: (what is changed, changes of the reporting model, changes of the priors).
READINGS: dict[str, tuple[str, dict[str, Any], dict[str, dict[str, float]]]] = {
    "floors": ("`over 3,000` read the other way: {floors}", {"floors": "other"}, {}),
    "no delay": (
        "undated figures speak of the day of their publication",
        {},
        {f"lag_{kind}": {"median": 1e-3} for kind in ("adversary", "own_side", "third_party", "analyst")},
    ),
    "briefings": ("the figures of one briefing err independently", {}, {"briefing_share": {"value": 0.0}}),
    "one share": ("the killed share is constant", {}, {"killed_share_walk_sd": {"value": 0.0}}),
    "study priors": ("bias priors from the published study alone", {}, {}),
}
FLOOR_WORDS = {"slack": "with slack above its cell", "cell": "in its cell, 3,000 to 4,000"}


def alternative_readings(
    fit: Fit, names: Sequence[str] = tuple(READINGS), *, progress: bool | None = None
) -> pd.DataFrame:
    """Fit the same claims under alternative readings; the fit itself is the first row.

    Parameters
    ----------
    fit
        The fit to compare with.
    names
        Which of ``READINGS``: floors, no delay, briefings, one share, study priors.
    progress
        As in ``fit``.

    Returns
    -------
    pandas.DataFrame
        One row each: ``reading``, ``what``; medians and 90% intervals (``_q05``, ``_q50``, ``_q95``) of the total by the
        vintage (persons), the daily rate since the escalation (persons per day) and the killed share; median dates under
        hold and forecast, and P(by the horizon) under forecast; ``gate`` passed or not.

    Notes
    -----
    Reading floors the other way compiles another model, which takes about a minute; the others are refits.
    """
    import pandas as pd

    rows = [_row("as fitted", f"floors {FLOOR_WORDS[fit.reporting.floors]}", fit)]
    for name in names:
        what, reporting, priors = READINGS[name]
        other = _read_otherwise(fit, name, reporting, priors, progress)
        rows.append(_row(name, what.format(floors=FLOOR_WORDS[other.reporting.floors]), other))
    return pd.DataFrame(rows)


def _read_otherwise(
    fit: Fit,
    name: str,
    reporting: Mapping[str, Any],
    priors: Mapping[str, Mapping[str, float]],
    progress: bool | None,
) -> Fit:
    if "floors" in reporting:
        other = "cell" if fit.reporting.floors == "slack" else "slack"
        changed = dataclasses.replace(fit.reporting, floors=other)
        settings = dataclasses.replace(fit.settings, target_accept=0.95)
        return fit_model(
            fit.claims,
            fit.campaign,
            fit.priors,
            seed=fit.seed,
            curve=fit.curve,
            reporting=changed,
            settings=settings,
            progress=progress,
        )
    if name == "study priors":
        study = default_priors(fit.campaign, "study")
        biases = {prior: study[prior] for prior in study if prior.startswith("bias_")}
        return refit(fit, priors=fit.priors.override(biases), progress=progress)
    return refit(fit, priors=fit.priors.override(priors), progress=progress)


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
