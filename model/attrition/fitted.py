"""Fit: labelled draws and what produced them."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from .campaign import Campaign
from .coding import SOURCE_KINDS
from .curves import Curve, phases_of
from .display import Shown, count
from .observations import Observations
from .priors import Priors
from .reporting import Reporting
from .sampling import Compiled, Settings

if TYPE_CHECKING:
    import xarray as xr

    from .claims import Claims

# Name: dims after (chain, draw), unit, meaning. Names and dims are public API.
SCHEMA: dict[str, tuple[tuple[str, ...], str, str]] = {
    "daily_rate": (("day",), "persons per day", "expected killed and wounded on each day"),
    "cumulative_loss": (("day",), "persons", "killed and wounded by the end of each day"),
    "cumulative_killed": (("day",), "persons", "killed by the end of each day"),
    "arrivals": (("day",), "persons", "all who have arrived by the end of each day"),
    "contingent_size": ((), "persons", "size of the initial contingent"),
    "killed_share": ((), "1", "killed as a share of killed and wounded, by the vintage"),
    "captured_ratio": ((), "1", "captured per killed or wounded; 0 where nobody gives a figure"),
    "missing_ratio": ((), "1", "missing per killed or wounded; 0 where nobody gives a figure"),
    "wave_size": (("wave",), "persons", "size of each arrival of reinforcements"),
    "wave_day": (("wave",), "days", "day of each arrival, in days from the calendar's first"),
    "evacuated_fraction": ((), "1", "share of the wounded sent home for good"),
    "return_fraction": ((), "1", "share of the other wounded who come back to duty in the end"),
    "return_delay": ((), "days", "from wound to duty"),
    "claim_error": ((), "log units", "sd of a claim around its source's level, for totals and wounded"),
    "claim_error_killed": ((), "log units", "the same for killed"),
    "deployed_error": ((), "log units", "the same for deployed"),
    "present_error": ((), "log units", "the same for present"),
    "movement_error": ((), "log units", "the same for reinforcements, returned and evacuated"),
    "floor_slack": (("source_kind",), "1", "chance of one more unit of slack below an `over`"),
    "source_drift_sd": ((), "log units per root month", "how fast a source's bias moves"),
    "adversary_intensity": ((), "1", "log units of an adversary's bias per log unit of the daily rate"),
    "stance_bias": (("source_kind",), "log units", "mean log bias of sources of a stance"),
    "source_bias": (("source",), "log units", "log bias of a source's totals"),
    "source_lag": (("source",), "days", "age of a source's undated figures when they are published"),
    "source_killed_share": (("source",), "1", "killed share that a source reports, without error"),
    "constant_rate": ((), "persons per day", "the constant rate"),
    "long_run_rate": ((), "persons per day", "level to which the rate returns"),
    "rate_sd": ((), "log units", "stationary sd of the log rate"),
    "rate_half_life": ((), "weeks", "time in which a departure from the long-run level halves"),
    "rate_noise": (("knot",), "1", "autoregression at weekly knots, in stationary sds"),
    "phase_rate": (("phase",), "persons per day", "rate at the start of each phase"),
    "phase_day": (("phase",), "days", "start of each phase, in days from the calendar's first"),
}


@dataclass(frozen=True, repr=False, eq=False)
class Fit(Shown):
    """Posterior draws with what produced them.

    Attributes
    ----------
    draws
        DataTree with groups ``posterior`` (named quantities), ``free`` (free parameters), ``sample_stats``,
        ``observed_data`` (claims as read) and ``constant_data`` (the model's data).
    claims, campaign, priors, curve, reporting
        What was fitted, as known by the vintage.
    seen
        Claims that entered, those set aside, and notes.
    settings, seed
        Of the sampler, as used in the end.
    gate
        Numbers of the convergence gate: passed, max_rhat, min_ess, divergences, and what was done.
    versions
        Of the packages.
    created
        When, in UTC.
    timings
        Seconds for compiling and sampling; not saved.
    extended
        Whether a user added to the model.
    compiled
        The compiled model, for a refit; not saved.
    """

    draws: xr.DataTree
    claims: Claims
    campaign: Campaign
    priors: Priors
    curve: Curve
    reporting: Reporting
    seen: Observations
    settings: Settings
    seed: int
    gate: dict[str, Any] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    created: str = ""
    timings: dict[str, float] = field(default_factory=dict)
    extended: bool = False
    compiled: Compiled | None = None

    @property
    def vintage(self) -> dt.date:
        """Day up to which claims were known."""
        return self.seen.vintage

    @property
    def posterior(self) -> xr.Dataset:
        """Named quantities, each (chain, draw, ...)."""
        return self.draws["posterior"].to_dataset()

    @property
    def passed(self) -> bool:
        """Whether the convergence gate passed: only then is a result presented as final."""
        return bool(self.gate.get("passed"))

    def array(self, name: str) -> np.ndarray:
        """Draws of one quantity as an array (chain, draw, ...)."""
        return np.asarray(self.draws.children["posterior"].variables[name].values)

    def arrays(self) -> dict[str, np.ndarray]:
        """Draws of every quantity by name, each (chain, draw, ...)."""
        posterior = self.draws.children["posterior"]
        variables = posterior.variables
        return {str(name): np.asarray(variables[name].values) for name in posterior.data_vars}

    def save(self, path: str | Path) -> Path:
        """Write to one file, whole or not at all; ``load`` reads it back."""
        from .storage import save

        return save(self, path)

    def summary_rows(self) -> tuple[str, list[tuple[str, str]]]:
        """Title and labelled facts, for display."""
        total = self.array("cumulative_loss")[..., -1]
        low, middle, high = np.quantile(total, (0.05, 0.5, 0.95))
        state = "passed" if self.passed else "FAILED: not a final result"
        facts = [
            (
                "vintage",
                f"{self.vintage}, {len(self.seen.claims)} claims from {self.seen.claims['source'].nunique()} sources",
            ),
            ("killed and wounded by then", f"{count(middle)} (90% interval {count(low)} to {count(high)})"),
            ("draws", f"{total.shape[0]} chains of {total.shape[1]}, seed {self.seed}"),
            (
                "convergence gate",
                f"{state}; R-hat at most {self.gate.get('max_rhat', float('nan')):.3f}, effective sample size at least "
                f"{self.gate.get('min_ess', float('nan')):.0f}, {self.gate.get('divergences', '?')} divergences",
            ),
        ]
        return f"Fit: {self.campaign.title or self.campaign.name}", facts


def rate_since(fit: Fit) -> np.ndarray:
    """Mean daily loss from the reported escalation to the vintage, (chain, draw), in persons per day."""
    total = fit.array("cumulative_loss")
    start = min(fit.campaign.day(fit.campaign.rate_since), total.shape[-1] - 2)
    before = total[..., start]
    return np.asarray((total[..., -1] - before) / (total.shape[-1] - 1 - start))


def label(
    raw: dict[str, np.ndarray],
    stats: dict[str, np.ndarray],
    quantities: dict[str, np.ndarray],
    arrays: dict[str, np.ndarray],
    seen: Observations,
    campaign: Campaign,
) -> xr.DataTree:
    """Labelled draws: names, dims, units and real dates as coordinates.

    Only sources that have spoken by the vintage are named; the model's empty slots are dropped.
    """
    import pandas as pd
    import xarray as xr

    names = [source for source, _, _ in seen.sources]
    chains, draws = next(iter(raw.values())).shape[:2]
    days = quantities["daily_rate"].shape[-1]
    coords: dict[str, Any] = {
        "chain": np.arange(chains),
        "draw": np.arange(draws),
        "source_kind": list(SOURCE_KINDS),
        "source": names,
        "phase": [phase.name for phase in phases_of(campaign)],
        "wave": [wave.wave for wave in campaign.reinforcements],
        "day": pd.date_range(campaign.start, periods=days, freq="D"),
    }
    killed = quantities["cumulative_killed"][..., -1]
    share = killed / quantities["cumulative_loss"][..., -1]
    odds = (share / (1.0 - share))[..., None] * np.exp(quantities["source_killed_deviation"])
    named = {**quantities, "killed_share": share, "source_killed_share": odds / (1.0 + odds)}
    shape = (chains, draws)
    posterior = {}
    for name, (dims, unit, meaning) in SCHEMA.items():
        if name not in named:
            continue
        value = np.broadcast_to(named[name], shape) if not dims else named[name]
        if dims and dims[0] in ("source", "phase", "wave"):
            value = value[..., : len(coords[dims[0]])]
        posterior[name] = (("chain", "draw", *dims), np.array(value), {"units": unit, "long_name": meaning})
    used = {dim for name in posterior for dim in posterior[name][0]}
    free = {
        name: (("chain", "draw", *(f"{name}_{axis}" for axis in range(value.ndim - 2))), value)
        for name, value in raw.items()
    }
    rows = seen.claims
    observed = {
        "value": ("claim", arrays["claim_value"], {"units": "persons, or persons per day"}),
        "interval_low": ("claim", rows["interval_low"].to_numpy(float), {"units": "as value"}),
        "interval_high": ("claim", rows["interval_high"].to_numpy(float), {"units": "as value"}),
        "quantity": ("claim", rows["quantity"].to_numpy(str)),
        "claim_source": ("claim", rows["source"].to_numpy(str)),
        "as_of": ("claim", pd.to_datetime(rows["as_of"].fillna(rows["published"])).to_numpy("datetime64[ns]")),
    }
    constant = {name: (tuple(f"{name}_{axis}" for axis in range(array.ndim)), array) for name, array in arrays.items()}
    return xr.DataTree.from_dict(
        {
            "posterior": xr.Dataset(posterior, {k: v for k, v in coords.items() if k in used}),
            "free": xr.Dataset(free, {"chain": coords["chain"], "draw": coords["draw"]}),
            "sample_stats": xr.Dataset({name: (("chain", "draw"), value) for name, value in stats.items()}),
            "observed_data": xr.Dataset(observed, {"claim": rows["claim_id"].to_numpy(str)}),
            "constant_data": xr.Dataset(constant),
        }
    )
