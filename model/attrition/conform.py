"""Exact problems: fit one set of a conformance file with the package's ordinary parts and compare with its answers.

Model of a set: a constant rate from a known onset, one bias per source around its stance's mean, Normal errors on the log
scale; every part is the package's own, with the priors of the set.
"""

from __future__ import annotations

import datetime as dt
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from .campaign import Campaign, Phase, Strength
from .claims import Claims, read_claims
from .coding import SOURCE_KINDS
from .curves import ConstantRate
from .depletion import depletion_date
from .errors import InputError, Problem, shown
from .fitted import Fit
from .inference import fit
from .priors import Prior, Priors, default_priors
from .reporting import Reporting
from .sampling import Settings
from .scenarios.rates import hold

ALLOWED_ERRORS = 4.0


@dataclass(frozen=True)
class Conformance:
    """One quantity of one set: worst departure from the exact quantiles in Monte Carlo standard errors, and the ESS."""

    name: str
    quantity: str
    worst: float
    level: float
    ess: float

    @property
    def passed(self) -> bool:
        """Within four Monte Carlo standard errors at every quantile."""
        return self.worst <= ALLOWED_ERRORS


def conform(path: str | Path, *, draws: int = 4000, seed: int = 1, progress: bool | None = None) -> list[Conformance]:
    """Fit every set of a conformance file and compare.

    Parameters
    ----------
    path
        JSON file with ``quantile_levels``, ``bias_mean_by_kind``, ``bias_sd`` and ``sets``.
    draws
        Per chain, of four.
    seed
        Of the sampler.
    progress
        As in ``fit``.

    Raises
    ------
    InputError
        If the file has not that form.
    """
    content = _read(Path(path))
    results = []
    bias = content["bias_mean_by_kind"], content["bias_sd"]
    for name, one in content["sets"].items():
        done = fit_set(one["inputs"], *bias, draws=draws, seed=seed, progress=progress)
        results += compare(name, done, one["posterior"], content.get("quantile_levels"))
    return results


def _read(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        problem = Problem(path.name, "", "file", str(error), "JSON", "Mend the file.")
        raise InputError("Not a conformance file", [problem]) from error
    needed = ("bias_mean_by_kind", "bias_sd", "sets")
    missing = [key for key in needed if not isinstance(content, dict) or key not in content]
    if missing:
        problems = [Problem(path.name, "", key, "nothing", "a value", "Add it.") for key in missing]
        raise InputError("Not a conformance file", problems)
    return dict(content)


def fit_set(
    inputs: Mapping[str, Any],
    bias_mean_by_kind: Mapping[str, float],
    bias_sd: float,
    *,
    draws: int = 4000,
    seed: int = 1,
    progress: bool | None = None,
) -> Fit:
    """Fit one set's inputs with the package's ordinary parts.

    Parameters
    ----------
    inputs
        ``onset``, ``prior_r``, ``prior_N``, ``sigma``, ``claims``, and optionally ``split_prior`` and ``strength_claims``.
    bias_mean_by_kind, bias_sd
        Of the file.
    draws, seed, progress
        As in ``conform``.
    """
    claims = _claims(inputs)
    campaign = _campaign(inputs, claims)
    reporting = Reporting(errors="normal", min_persons=0.0, truncate=False)
    settings = Settings(draws=draws, tune=1000, target_accept=0.9)
    priors = _priors(inputs, campaign, bias_mean_by_kind, bias_sd)
    return fit(
        claims,
        campaign,
        priors,
        seed=seed,
        curve=ConstantRate(),
        reporting=reporting,
        settings=settings,
        progress=progress,
    )


def _claims(inputs: Mapping[str, Any]) -> Claims:
    import pandas as pd

    rows: list[dict[str, Any]] = []
    bounds = {"rounded": "approx", "at_least": "at_least", "at_most": "at_most", "range": "range", "point": "point"}
    for number, claim in enumerate(inputs["claims"], start=1):
        bound = bounds.get(claim.get("bound", "point"))
        if bound is None:
            problem = Problem(f"claim {number}", "", "bound", shown(claim["bound"]), ", ".join(bounds), "Use one.")
            raise InputError("Not a conformance set", [problem])
        rows.append(
            {
                "claim_id": f"C{number:03}",
                "source": claim["source"],
                "source_kind": claim["kind"],
                "as_of": claim["as_of"],
                "quantity": claim.get("quantity", "casualties").replace("total", "casualties"),
                "value": None if bound == "range" else claim.get("value"),
                "low": claim.get("low") if bound == "range" else None,
                "high": claim.get("high") if bound == "range" else None,
                "bound": bound,
                "open": "yes" if bound in ("at_least", "at_most") else "",
                "unit": claim.get("unit") if bound == "approx" else None,
                "error_sd": None,
            }
        )
    last = max((row["as_of"] for row in rows), default=inputs["onset"])
    for number, claim in enumerate(inputs.get("strength_claims", ()), start=1):
        rows.append(
            {
                "claim_id": f"N{number:03}",
                "source": f"strength {number}",
                "source_kind": "third_party",
                "as_of": last,
                "quantity": "deployed",
                "value": claim["value"],
                "bound": "point",
                "error_sd": claim["sd_log"],
            }
        )
    columns = [
        "claim_id",
        "source",
        "source_kind",
        "as_of",
        "quantity",
        "value",
        "low",
        "high",
        "bound",
        "open",
        "unit",
    ]
    frame = pd.DataFrame(rows, columns=[*columns, "error_sd"], dtype=object)
    return read_claims(frame.assign(published=frame["as_of"]), name="conformance set")


def _campaign(inputs: Mapping[str, Any], claims: Claims) -> Campaign:
    onset = dt.date.fromisoformat(inputs["onset"])
    last = max([*claims.table["as_of"], onset + dt.timedelta(days=1)])
    size = inputs["prior_N"]
    start = onset - dt.timedelta(days=1)
    return Campaign(
        name="conformance set",
        start=start,
        end=last,
        contingent_size=Strength(float(size["median"]), float(size["sd_log"])),
        phases=(Phase("onset", "escalation", onset, 0.0, onset),),
    )


def _priors(
    inputs: Mapping[str, Any], campaign: Campaign, bias_mean_by_kind: Mapping[str, float], bias_sd: float
) -> Priors:
    rate, sigma, split = inputs["prior_r"], inputs["sigma"], inputs.get("split_prior")

    def prior(name: str, family: str, numbers: dict[str, float]) -> Prior:
        return Prior(name, family, numbers, "", "given by the conformance set")

    changes: dict[str, Mapping[str, float] | Prior] = {
        "constant_rate": {"median": rate["median"], "sd_log": rate["sd_log"]},
        "bias_group_sd": {"value": 0.0},
        "bias_killed_adversary": {"value": 0.0},
        "briefing_share": {"value": 0.0},
        "killed_share_source_sd": {"value": 0.0},
        "deployed_source_sd": {"value": 0.0},
    }
    for kind in SOURCE_KINDS:
        mean = float(bias_mean_by_kind.get(kind, 0.0))
        changes[f"bias_{kind}"] = {"mean": mean, "mean_sd": 0.0, "total_sd": float(bias_sd)}
    error = (
        prior("claim_error", "HalfNormal", {"scale": float(sigma["scale"])})
        if isinstance(sigma, Mapping)
        else prior("claim_error", "Fixed", {"value": float(sigma)})
    )
    changes["claim_error"] = error
    changes["claim_error_killed"] = prior("claim_error_killed", "SameAsTotals", {})
    if split:
        changes["killed_share"] = prior("killed_share", "Beta", {"a": float(split["a"]), "b": float(split["b"])})
    return default_priors(campaign).override(changes)


def compare(name: str, done: Fit, exact: Mapping[str, Any], levels: Any) -> list[Conformance]:
    """Compare a fit's quantiles with exact ones, in Monte Carlo standard errors.

    Notes
    -----
    The allowed difference at level p is 4 sqrt(p (1 - p) / ESS) / f(q), with f the exact density there by a normal
    approximation on the log scale, and ESS that of the quantile.
    """
    import arviz as az

    days = depletion_date(done, hold()).day - done.campaign.day(done.campaign.rate_since)
    drawn = {"r_per_day": done.array("constant_rate"), "days_to_depletion": days}
    results = []
    for quantity, draws in drawn.items():
        if quantity not in exact:
            continue
        quantiles = {float(p): float(q) for p, q in exact[quantity].items()}
        scale = _log_sd(quantiles)
        middle = math.log(quantiles[0.5])
        worst, at, least = 0.0, 0.5, math.inf
        for p, q in quantiles.items():
            ess = float(az.ess(draws, method="quantile", prob=p))
            density = math.exp(-(((math.log(q) - middle) / scale) ** 2) / 2) / (q * scale * math.sqrt(2 * math.pi))
            error = math.sqrt(p * (1 - p) / ess) / density
            departure = abs(float(np.quantile(draws, p)) - q) / error
            least = min(least, ess)
            if departure > worst:
                worst, at = departure, p
        least = min(least, float(az.ess(draws, method="bulk")))
        results.append(Conformance(name, quantity, worst, at, least))
    return results


def _log_sd(quantiles: Mapping[float, float]) -> float:
    from scipy.stats import norm

    outer = sorted(quantiles)
    low, high = outer[0], outer[-1]
    spread = math.log(quantiles[high]) - math.log(quantiles[low])
    return float(spread / (norm.ppf(high) - norm.ppf(low)))
