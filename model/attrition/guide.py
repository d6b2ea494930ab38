"""The prior guide: for every prior what it does, when to change it, and what it implies before any claim is read."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from .campaign import Campaign
from .claim_error import location_and_scale
from .claims import Claims, as_date, read_claims
from .coding import SOURCE_KINDS
from .depletion import DepletionDate, depletion_date
from .display import Shown, count
from .errors import AttritionError, InputError, Problem, shown
from .fitted import rate_since
from .observations import CATEGORIES, SHARES
from .prior_draws import FEWEST, PriorDraws, drawn, prepared, quantile
from .prior_texts import TEXTS
from .priors import Priors, default_priors
from .scenarios.rates import hold

if TYPE_CHECKING:
    import pandas as pd

LEVELS = {"low": 0.05, "high": 0.95}
SAID_BY = {
    **{f"bias_{kind}": f"{kind} total" for kind in SOURCE_KINDS},
    **{f"lag_{kind}": f"{kind} total" for kind in SOURCE_KINDS},
    "claim_error": "third_party total",
    "claim_error_killed": "third_party killed",
    "movement_error": "third_party evacuated",
}
PROBES = (
    *((kind, "casualties", "total") for kind in SOURCE_KINDS),
    ("third_party", "killed", "killed"),
    ("third_party", "evacuated", "evacuated"),
)


@dataclass(frozen=True)
class Outcome:
    """What draws from the prior say: quantiles at 5%, 50% and 95%, all empty if hardly a draw left the force fighting.

    Attributes
    ----------
    total
        Killed and wounded by the vintage, persons.
    rate
        Mean daily loss from the reported escalation to the vintage, persons per day.
    hold
        Depletion date if that rate is held, as text ("after" the horizon).
    said
        An undated figure published at the vintage, over the truth of that day; empty where no figure is asked.
    rejected
        Draws in which the force was no longer fighting at the vintage; at least so many where the quantiles are empty.
    """

    total: tuple[float, ...]
    rate: tuple[float, ...]
    hold: tuple[str, ...]
    said: tuple[float, ...]
    rejected: int

    def median(self, name: str) -> str:
        """Write the median of ``total``, ``rate`` or ``hold``, or that there is none."""
        numbers = getattr(self, name)
        return (numbers[1] if name == "hold" else count(numbers[1])) if numbers else "none"


@dataclass(frozen=True, repr=False, eq=False)
class PriorGuide(Shown):
    """What every prior does and implies.

    Attributes
    ----------
    campaign, priors
        Which they are, the campaign as public by the vintage.
    vintage
        Day of the totals.
    overall
        All priors made.
    held
        By name of a prior with a spread: all others drawn while it stands at its 5% and at its 95% point.
    against_claims
        Table of what the claims say beside what the prior would have them say; empty without claims.
    draws, seed
        Of the simulation.
    """

    campaign: Campaign
    priors: Priors
    vintage: dt.date
    overall: Outcome
    held: Mapping[str, tuple[Outcome, Outcome]]
    against_claims: pd.DataFrame
    draws: int
    seed: int

    @property
    def table(self) -> pd.DataFrame:
        """One row for each prior.

        Columns: ``name``, ``prior``, ``unit``, ``does``, ``change``, ``why``; its own ``q05``, ``q50``, ``q95`` (StanceBias:
        of one source); and for ``low`` and ``high``, its 5% and 95% points (StanceBias: of the mean), ``total_<..>``,
        ``rate_<..>`` and ``hold_<..>`` with ``_q05``, ``_q50`` and ``_q95``, ``said_<..>`` (a figure over the truth) likewise,
        and ``rejected_<..>``.
        """
        import pandas as pd

        rows = []
        for prior in self.priors.rows:
            text = TEXTS[prior.name]
            row: dict[str, Any] = {"name": prior.name, "prior": str(prior), "unit": prior.unit}
            row |= {"does": text.does, "change": text.change, "why": prior.why}
            row |= {f"q{level}": quantile(prior, int(level) / 100) for level in ("05", "50", "95")}
            for side, outcome in zip(LEVELS, self.held.get(prior.name, ()), strict=False):
                for what in ("total", "rate", "hold", "said"):
                    numbers = getattr(outcome, what)
                    row |= {
                        f"{what}_{side}_{q}": number for q, number in zip(("q05", "q50", "q95"), numbers, strict=False)
                    }
                row[f"rejected_{side}"] = outcome.rejected
            rows.append(row)
        return pd.DataFrame(rows)

    def moves(self, name: str) -> bool:
        """Whether a prior moves the losses or the date at all before any claim is read."""
        if name not in self.held:
            return False
        low, high = self.held[name]
        return (low.total, low.rate, low.hold) != (high.total, high.rate, high.hold)

    def summary_rows(self) -> tuple[str, list[tuple[str, str]]]:
        """Title and labelled facts, for display."""
        facts = [
            (f"total by {self.vintage}", _three(self.overall.total)),
            (f"a day since {self.campaign.rate_since}", _three(self.overall.rate)),
            ("hold date", f"{self.overall.hold[1]} (90% interval {self.overall.hold[0]} to {self.overall.hold[2]})"),
            ("draws", f"{self.draws}, of which {self.overall.rejected} did not leave the force fighting"),
        ]
        for name in self.held:
            if self.moves(name):
                low, high = self.held[name]
                dates = f"hold date {low.median('hold')} to {high.median('hold')}"
                total = f"total {low.median('total')} to {high.median('total')}"
                facts.append((f"{name}, 5% to 95%", f"{total}, {dates}"))
        return f"Priors of {self.campaign.title or self.campaign.name}: {self.priors.label}, before any claim", facts


def prior_guide(
    campaign: Campaign,
    priors: Priors | None = None,
    known_by: dt.date | str | None = None,
    claims: Claims | None = None,
    draws: int = 2000,
    seed: int = 1,
) -> PriorGuide:
    """Say what each prior does and what it implies for the losses, before any claim is read.

    Parameters
    ----------
    campaign
        What is being depleted.
    priors
        By default ``default_priors(campaign)``.
    known_by
        Vintage; by default that of the claims or the campaign, else the day of the claims' last publication, else the end of
        the campaign's calendar.
    claims
        Set beside what the prior would have them say; the losses drawn do not depend on their values.
    draws, seed
        Of the simulation.

    Returns
    -------
    PriorGuide

    Raises
    ------
    InputError
        If there are too few draws, or no text for a prior.
    AttritionError
        If hardly a draw leaves the force fighting at the vintage: choose an earlier one or more draws, or change the prior of
        contingent_size or of the rates. Where that happens at one point of one prior only, its outcome is empty.

    Notes
    -----
    Draws come from the model's own text, by default curve and reporting options, with the same random numbers whatever is
    held; those in which the force is no longer fighting at the vintage are rejected, as the model is conditioned.
    """
    if isinstance(draws, bool) or not isinstance(draws, int) or draws < FEWEST:
        problem = Problem("argument", "", "draws", shown(draws), f"a whole number of at least {FEWEST}", "Try 2000.")
        raise InputError("Too few draws", [problem])
    priors = priors or default_priors(campaign)
    day = _vintage(campaign, claims) if known_by is None else as_date(known_by, "known_by")
    claims = None if claims is None else claims.known_by(day)
    campaign = campaign.known_by(day)
    probes = _probes(campaign, day)
    asked = prepared(probes, campaign, priors)
    record = asked if claims is None else prepared(claims, campaign, priors)

    everything = drawn(record, draws, seed)

    def outcome(name: str, level: float) -> Outcome:
        held = {name: level}
        try:
            said = _said(drawn(asked, draws, seed, held), SAID_BY[name]) if name in SAID_BY else ()
            return _outcome(drawn(record, draws, seed, held), said)
        except AttritionError:  # all other priors leave it fighting: this point is the one at odds with it
            return Outcome((), (), (), (), draws - FEWEST + 1)

    spread = [prior.name for prior in priors.rows if prior.family not in ("Fixed", "SameAsTotals")]
    held = {name: (outcome(name, LEVELS["low"]), outcome(name, LEVELS["high"])) for name in spread}
    table = _against(everything) if claims is not None else _no_table()
    return PriorGuide(campaign, priors, day, _outcome(everything, ()), held, table, draws, seed)


def _vintage(campaign: Campaign, claims: Claims | None) -> dt.date:
    """Day of the totals where none is asked for."""
    given = campaign.vintage if claims is None else claims.vintage or campaign.vintage
    if given is not None:
        return given
    return campaign.end if claims is None else max(claims.table["published"], default=campaign.end)


def _probes(campaign: Campaign, day: dt.date) -> Claims:
    """One undated figure of each kind asked, each of a source of its own."""
    import pandas as pd

    rows = [
        {
            "claim_id": f"P{number}",
            "contingent": campaign.contingent,
            "source": f"{kind} {what}",
            "source_kind": kind,
            "published": day.isoformat(),
            "as_of": None,
            "quantity": quantity,
            "value": 1000,
            "bound": "approx",
        }
        for number, (kind, quantity, what) in enumerate(PROBES)
    ]
    return read_claims(pd.DataFrame(rows, dtype=object), "probes").known_by(day)


def _quantiles(draws: np.ndarray) -> tuple[float, ...]:
    return tuple(float(q) for q in np.quantile(draws, (0.05, 0.5, 0.95)))


def _outcome(made: PriorDraws, said: tuple[float, ...]) -> Outcome:
    fit = made.fit
    date: DepletionDate = depletion_date(fit, hold())
    return Outcome(
        _quantiles(fit.array("cumulative_loss")[..., -1]),
        _quantiles(rate_since(fit)),
        tuple(date.quantile_text(level) for level in (0.05, 0.5, 0.95)),
        said,
        made.rejected,
    )


def _stated(made: PriorDraws) -> np.ndarray:
    """Number behind every claim as its source would put it, before rounding (draw, claim)."""
    fit = made.fit
    center, scale = location_and_scale(made.quantities, made.arrays, fit.reporting)
    rng = np.random.default_rng(np.random.SeedSequence(fit.seed, spawn_key=(1,)))
    noise = rng.logistic(size=center.shape) if fit.reporting.errors == "logistic" else rng.normal(size=center.shape)
    estimate = np.exp(center + scale * noise)[0]
    return np.asarray(np.where(made.arrays["claim_is_share"] > 0.5, estimate / (1.0 + estimate), estimate))


def _said(made: PriorDraws, source: str) -> tuple[float, ...]:
    """A source's figure over the truth on the day of publication."""
    column = list(made.fit.seen.claims["source"]).index(source)
    fit, killed = made.fit, made.fit.array("cumulative_killed")[0, :, -1]
    lost = fit.array("cumulative_loss")[0, :, -1]
    true = {"total": lost, "killed": killed, "evacuated": fit.array("evacuated_fraction")[0] * (lost - killed)}
    return _quantiles(_stated(made)[:, column] / true[source.split()[1]])


def _against(made: PriorDraws) -> pd.DataFrame:
    """What the claims say beside what the prior would have the same sources say, by category.

    Columns: ``what``; ``claims``, how many; ``least`` and ``most``, ends of their intervals (persons, a rate times its days;
    shares: 1); ``q05``, ``q50``, ``q95`` of the prior's statements, all claims together; ``outside``, how many claims have an
    interval that lies outside the 90% interval of their own statement.
    """
    import pandas as pd

    rows, stated = made.fit.seen.claims.reset_index(drop=True), _stated(made)
    found = []
    for number, name in enumerate(CATEGORIES):
        own = np.flatnonzero(rows["category"] == number)
        if not len(own):
            continue
        days = np.where(number in SHARES, 1.0, rows["days"].to_numpy(float)[own])
        low, high = (rows[f"interval_{end}"].to_numpy(float)[own] * days for end in ("low", "high"))
        said = stated[:, own] * days
        least, most = np.quantile(said, (0.05, 0.95), axis=0)
        ends = np.concatenate([low[low > 0], high[np.isfinite(high)]])
        q05, q50, q95 = _quantiles(said)
        row = {"what": name.replace("_", " "), "claims": len(own), "least": ends.min(), "most": ends.max()}
        row |= {"q05": q05, "q50": q50, "q95": q95, "outside": int(np.sum((high < least) | (low > most)))}
        found.append(row)
    return pd.DataFrame(found)


def _no_table() -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame(columns=["what", "claims", "least", "most", "q05", "q50", "q95", "outside"])


def _three(numbers: tuple[float, ...]) -> str:
    low, middle, high = (count(number) for number in numbers)
    return f"{middle} (90% interval {low} to {high})"
