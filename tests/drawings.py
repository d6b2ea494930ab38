"""Helpers of the figure tests: a fit of random draws, and what a figure holds."""

from __future__ import annotations

import dataclasses
import io
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.text import Text

import attrition as at
from attrition.build import one_vintage
from attrition.campaign import Campaign
from attrition.claims import Claims
from attrition.coding import SOURCE_KINDS
from attrition.depletion import DepletionDate
from attrition.fitted import Fit, label
from attrition.observations import observe
from attrition.priors import default_priors
from attrition.publishing import figures
from attrition.reporting import Reporting
from attrition.sampling import Settings

QUANTILES = {"q05": 0.05, "q25": 0.25, "q50": 0.5, "q75": 0.75, "q95": 0.95}
CAMPAIGN = dataclasses.replace(at.load_campaign("dprk-kursk"), contingent="")
BARE = dataclasses.replace(CAMPAIGN, phases=(), reference_projection=None, dates_of_interest=())
HOSTILE = "a$b_c <script>alert(1)</script>"


def make(
    claims: Claims | None = None, campaign: Campaign | None = None, chains: int = 2, draws: int = 60, **changes: object
) -> Fit:
    """A fit of random draws: the right shapes and names, without sampling."""
    claims = at.load_claims("dprk-kursk").known_by("2025-01-16") if claims is None else claims
    claims, campaign = one_vintage(claims, campaign or at.load_campaign("dprk-kursk"))
    reporting = Reporting()
    seen = observe(claims, campaign, reporting)
    rng = np.random.default_rng(3)
    days = campaign.day(seen.vintage) + 1
    shape = (chains, draws)
    since = campaign.day(campaign.rate_since)
    level = np.where(np.arange(days) < since, 1.0, 80.0)
    rate = level * np.exp(rng.normal(0, 0.3, (*shape, 1)) + rng.normal(0, 0.1, (*shape, days)))
    reported = np.array([float(campaign.day(phase.date)) for phase in campaign.phases])
    size = 11_500 * np.exp(rng.normal(0, 0.1, shape))
    quantities = {
        "daily_rate": rate,
        "cumulative_loss": np.cumsum(rate, axis=-1),
        "contingent_size": size,
        "arrivals": np.broadcast_to(size[..., None], (*shape, days)),
        "constant_rate": rng.lognormal(4.4, 0.2, shape),
        "cumulative_killed": 0.25 * np.cumsum(rate, axis=-1),
        "stance_bias": rng.normal(0, 0.2, (*shape, len(SOURCE_KINDS))),
        "source_bias": rng.normal(0, 0.2, (*shape, seen.slots)),
        "source_killed_deviation": rng.normal(0, 0.2, (*shape, seen.slots)),
        "phase_day": reported + rng.normal(0, 3, (*shape, len(reported))),
    }
    if not len(reported):
        del quantities["phase_day"]
    arrays = {"claim_value": np.array([np.nan if v is None else v for v in seen.claims["value"]], dtype=float)}
    fit = Fit(
        draws=label({"z": rng.normal(size=shape)}, {"diverging": np.zeros(shape)}, quantities, arrays, seen, campaign),
        claims=claims,
        campaign=campaign,
        priors=default_priors(campaign),
        curve=at.ConstantRate(),
        reporting=reporting,
        seen=seen,
        settings=Settings(draws=draws, chains=chains),
        seed=1,
        gate={"passed": True},
        created="2026-03-04T05:06:07+00:00",
    )
    return dataclasses.replace(fit, **changes)


def date_at(fit: Fit, day: np.ndarray, name: str = "hold") -> DepletionDate:
    return DepletionDate(name, "as the test says", day, fit.campaign, fit.vintage)


def texts(ax: Axes) -> list[str]:
    """Every text that the figure holds."""
    figure = ax.get_figure(root=True)
    assert figure is not None
    return [text.get_text() for text in figure.findobj(Text) if isinstance(text, Text)]


def svg(ax: Axes, folder: Path, name: str = "figure") -> str:
    return figures.save_figure(ax, folder / name)[0].read_text(encoding="utf-8")


def drawn(ax: Axes) -> bytes:
    """The figure as drawn, without a file."""
    figure = ax.get_figure(root=True)
    assert figure is not None
    stream = io.BytesIO()
    figure.savefig(stream, format="svg")
    return stream.getvalue()


def all_figures(fit: Fit, **options: object) -> list[Axes]:
    return [
        figures.cumulative_figure(fit, **options),
        figures.rate_figure(fit, **options),
        figures.date_figure(fit, **options),
    ]
