"""Tables of the report, as text: claims, phases, dates, biases, what was set aside, how it was made."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..checks.result import CheckResult
from ..coding import SOURCE_KINDS
from ..depletion import DEFINITIONS, DepletionDate
from ..display import count, percent
from ..fitted import Fit, rate_since
from ..observations import SIZE
from ..sayings import saying
from .figure_data import phase_data
from .html import link, table
from .style import STANCES

if TYPE_CHECKING:
    import pandas as pd

INTERVAL = (0.05, 0.5, 0.95)


def claims_table(fit: Fit) -> Any:
    """Claims that entered the likelihood, each with the page that carries it."""
    caption = f"Claims that entered, as known by {fit.vintage}"
    return _claims(fit.seen.claims, "claims-table", caption)


def aside_table(fit: Fit) -> Any:
    """Claims that were left out, row by row, with the reason; None if there is none."""
    rows = fit.seen.set_aside
    if not len(rows):
        return None
    caption = f"Claims known by {fit.vintage} that did not enter the likelihood"
    return _claims(rows, "aside-table", caption, reason=True)


def _claims(rows: pd.DataFrame, name: str, caption: str, reason: bool = False) -> Any:
    import pandas as pd

    records = rows.to_dict("records")
    frame = pd.DataFrame(
        {
            "Claim": [row["claim_id"] for row in records],
            "Published": [row["published"] for row in records],
            "As of": ["" if pd.isna(row["as_of"]) else row["as_of"] for row in records],
            "Source": [f"{row['source']} ({stance_words(row['source_kind'])})" for row in records],
            "What it says, and a note": [_said(row) for row in records],
        }
    )
    if reason:
        frame["Why it was left out"] = [row["reason"] for row in records]
    frame["Page"] = [_site(row["url"]) for row in records]
    frame["address"] = [row["url"] for row in records]
    return table(frame, name, caption, links={"Page": "address"})


def _said(row: dict[Any, Any]) -> str:
    said = saying({key: None if value is None or value != value else value for key, value in row.items()})
    note = str(row["note"] or "")
    return f"{said}. {note[:1].upper()}{note[1:]}" if note else said


def _site(url: object) -> str:
    """What a link to a page says: its host; of an address that may not be followed, the address itself."""
    from urllib.parse import urlsplit

    followed = link(url)
    return str(url or "") if followed is None else str(urlsplit(followed).hostname).removeprefix("www.")


def stance_words(kind: object) -> str:
    """Stance of a source in words."""
    return STANCES[str(kind)][2] if str(kind) in STANCES else str(kind)


def phases_table(fit: Fit) -> Any:
    """Phases known by the vintage; None if there is none."""
    import pandas as pd

    rows = phase_data(fit).to_dict("records")
    if not rows:
        return None
    fitted = all(row["basis"] == "posterior" for row in rows)
    words = "Fitted date, 90% interval" if fitted else "Reported date, 90% interval"
    known = {phase.name: phase for phase in fit.campaign.phases}
    frame = pd.DataFrame(
        {
            "Phase": [row["phase"] for row in rows],
            "Kind": [row["kind"] for row in rows],
            "Reported for": [row["date"].date() for row in rows],
            words: [f"{row['q05'].ceil('D').date()} to {row['q95'].ceil('D').date()}" for row in rows],
            "Why": [known[row["phase"]].why for row in rows],
        }
    )
    return table(frame, "phases-table", "Phases of the fighting, as reported by the vintage")


def dates_table(fit: Fit, found: dict[str, dict[str, DepletionDate]]) -> Any:
    """The date under each scenario in every definition, with what lies after the horizon."""
    import pandas as pd

    rows = []
    for name, dates in found.items():
        for definition, date in dates.items():
            row = {
                "Scenario, and what is depleted": f"{name}: {DEFINITIONS[definition]}",
                "Median": date.quantile_text(0.5),
            }
            row["90% interval"] = _interval(date)
            for day in _asked(fit, date):
                row[f"By {day}"] = percent(date.probability_by(day))
            row[f"Not within the horizon ({date.horizon})"] = percent(1.0 - date.probability_within_horizon)
            rows.append(row)
    frame = pd.DataFrame(rows)
    return table(frame, "dates-table", "Date of depletion under each scenario", numbers=list(frame.columns[1:]))


def _interval(date: DepletionDate) -> str:
    """90% interval of a date; where all of it lies after the horizon, that once."""
    low, high = date.quantile_text(0.05), date.quantile_text(0.95)
    return low if date.quantile(0.05) is None else f"{low} to {high}"


def _asked(fit: Fit, date: DepletionDate) -> list[Any]:
    return [one.date for one in fit.campaign.dates_of_interest if fit.vintage < one.date <= date.horizon]


def now_table(dates: dict[str, DepletionDate], by: Any) -> Any:
    """The dates under hold, as the interactive part begins and then rewrites them."""
    import pandas as pd

    rows = [
        {
            "What is depleted": DEFINITIONS[definition],
            "Median": date.quantile_text(0.5),
            "90% interval": _interval(date),
            "By then": percent(date.probability_by(by)),
            "By the horizon": percent(date.probability_within_horizon),
        }
        for definition, date in dates.items()
    ]
    frame = pd.DataFrame(rows)
    return table(frame, "now-table", "Date of depletion under this setting", numbers=list(frame.columns[1:]))


def levels_table(fit: Fit) -> Any:
    """Total and rate, as the interactive part begins and then rewrites them."""
    import pandas as pd

    rows = []
    words = (f"Killed and wounded by {fit.vintage}", f"Killed and wounded a day since {fit.campaign.rate_since}")
    for what, draws in zip(words, (fit.array("cumulative_loss")[..., -1], rate_since(fit)), strict=True):
        low, middle, high = np.quantile(draws, INTERVAL)
        rows.append({"Persons": what, "Median": count(middle), "90% interval": f"{count(low)} to {count(high)}"})
    return table(
        pd.DataFrame(rows), "levels-table", "Losses so far under this setting", numbers=["Median", "90% interval"]
    )


def sources_table(fit: Fit) -> Any:
    """Bias of each source that gives a figure for losses, as a factor and in log units; None without one."""
    import pandas as pd

    rows = []
    figures = fit.seen.claims["source"][fit.seen.claims["category"] < SIZE].value_counts()
    names = [str(name) for name in fit.posterior["source"].values]
    kinds = {source: kind for source, _, kind in fit.seen.sources}
    spoken = [name for name in names if name in figures.index]
    for name in sorted(spoken, key=lambda one: (list(SOURCE_KINDS).index(kinds[one]), one)):
        draws = fit.array("source_bias")[..., names.index(name)]
        row = {"Source": name, "Side": stance_words(kinds[name]), "Figures": str(int(figures[name]))}
        rows.append(row | _factor(draws, "Stated over true"))
    columns = [column for column in rows[0] if column not in ("Source", "Side")] if rows else []
    caption = "Estimated bias of each source of a figure for losses: medians with 90% intervals"
    return table(pd.DataFrame(rows), "sources-table", caption, numbers=columns) if rows else None


def sides_table(fit: Fit) -> Any:
    """Mean bias of each side: its prior, and the posterior; None without a claim."""
    import pandas as pd

    rows = []
    spoken = set(fit.seen.claims["source_kind"])
    for number, kind in enumerate(SOURCE_KINDS):
        if kind not in spoken:
            continue
        prior = fit.priors[f"bias_{kind}"].numbers
        center, spread = prior["mean"], prior["mean_sd"]
        low, high = center - 1.6448536269514722 * spread, center + 1.6448536269514722 * spread
        row = {
            "Side": stance_words(kind),
            "Prior: factor": f"{np.exp(center):.2f}",
            "Prior: 90% interval": f"{np.exp(low):.2f} to {np.exp(high):.2f}",
        }
        rows.append(row | _factor(fit.array("stance_bias")[..., number], "Posterior: factor"))
    frame = pd.DataFrame(rows)
    caption = "Mean bias of the sources of each side, before and after the claims: medians with 90% intervals"
    return table(frame, "sides-table", caption, numbers=list(frame.columns[1:])) if rows else None


def _factor(draws: np.ndarray, words: str) -> dict[str, str]:
    low, middle, high = np.quantile(draws, INTERVAL)
    return {
        words: f"{np.exp(middle):.2f}",
        "90% interval": f"{np.exp(low):.2f} to {np.exp(high):.2f}",
        "Log units": _signed(middle),
        "90% interval, log units": f"{_signed(low)} to {_signed(high)}",
    }


def _signed(value: float) -> str:
    return "0.00" if abs(value) < 0.005 else f"{value:+.2f}".replace("-", "−")


def checks_table(results: Sequence[CheckResult]) -> Any:
    """Checks that were run, with their sentences."""
    import pandas as pd

    rows = [
        {
            "Check": result.name,
            "Result": "passed" if result.passed else "FAILED",
            "In words": f"{result.sentence[:1].upper()}{result.sentence[1:]}.",
        }
        for result in results
    ]
    return table(pd.DataFrame(rows), "checks-table", "Checks that were run on this fit")


def made_table(fit: Fit) -> Any:
    """Versions, seed, settings and digests."""
    import pandas as pd

    settings = fit.settings
    facts = {
        "Fitted (UTC)": fit.created,
        "Seed": str(fit.seed),
        "Draws": f"{settings.chains} chains of {settings.draws}, after {settings.tune} for tuning",
        "Target acceptance": f"{fit.gate['target_accept']:g}"
        + (f"; {fit.gate['escalated']}" if fit.gate.get("escalated") else ""),
        "Rate": type(fit.curve).__name__,
        "Reporting model": str(fit.reporting),
        "Priors": fit.priors.label,
        "Versions": ", ".join(f"{name} {version}" for name, version in sorted(fit.versions.items())),
        "SHA-256 of the claims": fit.claims.digest,
        "SHA-256 of the campaign": fit.campaign.digest,
        "SHA-256 of the priors": fit.priors.digest,
    }
    frame = pd.DataFrame({"What": list(facts), "Value": list(facts.values())})
    return table(frame, "made-table", "What it was made from")
