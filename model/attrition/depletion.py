"""The date on which the contingent is depleted, under a scenario and a definition of what is depleted.

A draw that does not get there within the horizon has no date. That is a value a quantile can take ("after ..."), never
dropped and never averaged.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from .campaign import Campaign
from .claims import as_date
from .crossing import day_lost, days_lost, go_on
from .display import Shown, percent
from .errors import InputError, Problem, shown
from .fitted import Fit, rate_since
from .manpower import Part, known, parts
from .scenarios.base import Scenario, inner
from .scenarios.rates import hold
from .threads import spread

if TYPE_CHECKING:
    import pandas as pd

LEVELS = (0.05, 0.25, 0.5, 0.75, 0.95)
DEFINITIONS = {
    "gross": "the initial contingent, each person once",
    "gross_with_reinforcement": "everyone who has arrived, each person once",
    "net": "everyone who has arrived, less those back on duty",
}


def _is_number(value: object) -> bool:
    return isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)


def level_of(level: float) -> float:
    """Read a quantile level.

    Raises
    ------
    InputError
        If it is no number from 0 to 1.
    """
    if not _is_number(level) or not 0.0 <= level <= 1.0:
        problem = Problem("argument", "", "level", shown(level), "a number from 0 to 1", "Write 0.05 for 5%.")
        raise InputError("Not a quantile level", [problem])
    return float(level)


@dataclass(frozen=True, repr=False, eq=False)
class DepletionDate(Shown):
    """Posterior of the depletion date under one scenario.

    Attributes
    ----------
    scenario, sentence
        Name of the scenario, and what it assumes.
    day
        Days from the campaign's start to depletion (chain, draw); infinite where it is not reached. Fractions count:
        a printed date is the day in which depletion falls.
    campaign
        Gives the calendar.
    vintage
        Day up to which claims were known.
    definition
        What is depleted, a key of ``DEFINITIONS``: ``gross`` (the initial contingent, each person once),
        ``gross_with_reinforcement`` (everyone who has arrived, each person once) or ``net`` (everyone who has arrived, less
        those back on duty, who can be lost again).
    """

    scenario: str
    sentence: str
    day: np.ndarray
    campaign: Campaign
    vintage: dt.date
    definition: str = "gross"

    @property
    def horizon(self) -> dt.date:
        """Last day on which depletion is looked for."""
        return self.vintage + dt.timedelta(days=self.campaign.horizon_days)

    @property
    def probability_within_horizon(self) -> float:
        """P(depleted by the horizon)."""
        return self.probability_by(self.horizon)

    def probability_by(self, date: dt.date | str) -> float:
        """P(depleted by the end of a date).

        Raises
        ------
        InputError
            If the date lies after the horizon: nothing is known there.
        """
        day = as_date(date, "date")
        if day > self.horizon:
            do = "Choose a longer horizon_days."
            problem = Problem("argument", "", "date", str(day), f"at most the horizon, {self.horizon}", do)
            raise InputError("After the horizon", [problem])
        return float(np.mean(self.day <= self.campaign.day(day)))

    def quantile(self, level: float) -> dt.date | None:
        """Date of a quantile of the whole distribution; None if it lies after the horizon.

        Raises
        ------
        InputError
            If the level is not from 0 to 1: write 0.05 for 5%.
        """
        day = float(np.quantile(self.day, level_of(level), method="inverted_cdf"))
        return None if day > self.campaign.day(self.horizon) else self.campaign.date(day)

    def quantile_text(self, level: float) -> str:
        """Date of a quantile as text, or ``after <horizon>``."""
        date = self.quantile(level)
        return f"after {self.horizon}" if date is None else str(date)

    def interval(self, probability: float = 0.9) -> tuple[dt.date | None, dt.date | None]:
        """Equal-tailed interval of dates; None for an end after the horizon."""
        return self.quantile((1 - probability) / 2), self.quantile((1 + probability) / 2)

    def table(self, levels: Sequence[float] = LEVELS) -> pd.DataFrame:
        """Quantiles of the date, one row each, with what is depleted."""
        import pandas as pd

        dates = [self.quantile_text(level) for level in levels]
        return pd.DataFrame({"definition": self.definition, "quantile": list(levels), "date": dates})

    def summary_rows(self) -> tuple[str, list[tuple[str, str]]]:
        """Title and labelled facts, for display."""
        facts = [
            ("if", self.sentence),
            ("of", DEFINITIONS[self.definition]),
            ("median", self.quantile_text(0.5)),
            ("50% interval", f"{self.quantile_text(0.25)} to {self.quantile_text(0.75)}"),
            ("90% interval", f"{self.quantile_text(0.05)} to {self.quantile_text(0.95)}"),
            (f"by {self.horizon} (horizon)", percent(self.probability_within_horizon)),
        ]
        for interest in self.campaign.dates_of_interest:
            if interest.date <= self.horizon:
                facts.append((f"by {interest.date}", percent(self.probability_by(interest.date))))
        return f"Depletion date, scenario {self.scenario} ({self.definition.replace('_', ' ')})", facts


def depletion_date(fit: Fit, scenario: Scenario | None = None, definition: str = "gross") -> DepletionDate:
    """Posterior of the depletion date.

    Parameters
    ----------
    fit
        The draws.
    scenario
        ``hold()`` by default: each draw's mean rate since the reported escalation goes on.
    definition
        ``gross``, ``gross_with_reinforcement`` or ``net``: see ``DepletionDate``.

    Returns
    -------
    DepletionDate

    Raises
    ------
    InputError
        For anything but a scenario, an unknown definition, and a scenario that does not fit the fit.

    Notes
    -----
    The date is looked for day by day up to the horizon. From when on the rate of a scenario no longer changes (under
    ``hold``, from the vintage), the gross dates are solved, exact whatever the horizon: with a constant rate from an onset,
    T = onset + N / rate. Arrivals count from the start of their day; a later recovery does not undo a crossing.
    """
    if definition not in DEFINITIONS:
        problem = Problem(
            "argument", "", "definition", shown(definition), ", ".join(DEFINITIONS), "Choose one of them."
        )
        raise InputError("Not a definition of depletion", [problem])
    scenario = hold() if scenario is None else inner("scenario", scenario)
    return _dates(fit, [scenario], [definition])[scenario.name][definition]


def depletion_dates(fit: Fit, scenario: Scenario | None = None) -> dict[str, DepletionDate]:
    """Posterior of the depletion date in every definition; the scenario is carried on once for all.

    Parameters
    ----------
    fit
        The draws.
    scenario
        ``hold()`` by default.

    Returns
    -------
    dict of DepletionDate
        By definition: ``gross``, ``gross_with_reinforcement`` and ``net``.

    Raises
    ------
    InputError
        For anything but a scenario, and for a scenario that does not fit the fit.
    """
    scenario = hold() if scenario is None else inner("scenario", scenario)
    return dates_under(fit, [scenario])[scenario.name]


def dates_under(fit: Fit, scenarios: Sequence[Scenario]) -> dict[str, dict[str, DepletionDate]]:
    """Posterior of the depletion date in every definition under several scenarios; the past is read once for all.

    Parameters
    ----------
    fit
        The draws.
    scenarios
        Each applied to the same draws.

    Returns
    -------
    dict of dict of DepletionDate
        By name of the scenario and by definition.

    Raises
    ------
    InputError
        For anything but scenarios, and for a scenario that does not fit the fit.
    """
    return _dates(fit, [inner("scenario", scenario) for scenario in scenarios], list(DEFINITIONS))


def _dates(fit: Fit, scenarios: Sequence[Scenario], definitions: Sequence[str]) -> dict[str, dict[str, DepletionDate]]:
    horizon = fit.campaign.horizon_days
    aheads = [scenario.ahead(fit, horizon) for scenario in scenarios]
    days = np.empty((len(scenarios), len(definitions), *fit.array("contingent_size").shape))

    def of_part(part: Part) -> None:
        before = known(part)
        for number, ahead in enumerate(aheads):
            found = days_lost(before, ahead.part(part.rows), horizon, definitions)
            days[(number, slice(None), *part.rows)] = found

    spread(of_part, parts(fit))
    return {
        scenario.name: {
            definition: DepletionDate(scenario.name, scenario.sentence(fit), day, fit.campaign, fit.vintage, definition)
            for definition, day in zip(definitions, of_scenario, strict=True)
        }
        for scenario, of_scenario in zip(scenarios, days, strict=True)
    }


@dataclass(frozen=True, repr=False, eq=False)
class DaysToShare(Shown):
    """Posterior of the days from the vintage until a share of everyone who has arrived is lost, each person once.

    Attributes
    ----------
    scenario, sentence
        Name of the scenario, and what it assumes.
    share
        The share, above 0 and at most 1.
    days
        Days from the end of the vintage day (chain, draw): negative if it is past, infinite if it is not reached.
    horizon_days
        Longer times are printed as later than this.
    """

    scenario: str
    sentence: str
    share: float
    days: np.ndarray
    horizon_days: int

    def quantile(self, level: float) -> float:
        """Days of a quantile of the whole distribution; infinite where it is not reached.

        Raises
        ------
        InputError
            If the level is not from 0 to 1: write 0.05 for 5%.
        """
        return float(np.quantile(self.days, level_of(level), method="inverted_cdf"))

    def quantile_text(self, level: float) -> str:
        """Days of a quantile as text, or ``over <horizon>``."""
        days = self.quantile(level)
        return f"over {self.horizon_days}" if days > self.horizon_days else f"{days:.0f}"

    def summary_rows(self) -> tuple[str, list[tuple[str, str]]]:
        """Title and labelled facts, for display."""
        facts = [
            ("if", self.sentence),
            ("median", f"{self.quantile_text(0.5)} days"),
            ("90% interval", f"{self.quantile_text(0.05)} to {self.quantile_text(0.95)} days"),
        ]
        return f"Days until {100 * self.share:g}% are lost, scenario {self.scenario}", facts


def days_to_share(fit: Fit, scenario: Scenario | None = None, share: float = 0.5) -> DaysToShare:
    """Posterior of the days from the vintage until a share of everyone who has arrived is lost.

    Parameters
    ----------
    fit
        The draws.
    scenario
        ``hold()`` by default.
    share
        Above 0, at most 1; 0.5 and 0.9 are what a report of ``per_capita`` gives.

    Returns
    -------
    DaysToShare

    Raises
    ------
    InputError
        For a share that is not above 0 and at most 1, anything but a scenario, and a scenario that does not fit the fit.
    """
    if not _is_number(share) or not 0.0 < share <= 1.0:
        problem = Problem("argument", "", "share", shown(share), "above 0 and at most 1", "Write 0.5 for half.")
        raise InputError("Not a share", [problem])
    scenario = hold() if scenario is None else inner("scenario", scenario)
    horizon = fit.campaign.horizon_days
    ahead = scenario.ahead(fit, horizon)
    day = np.empty(fit.array("contingent_size").shape)
    for part in parts(fit):
        before = known(part)
        day[part.rows] = day_lost(before, go_on(before, ahead.part(part.rows), horizon), float(share), initial=False)
    return DaysToShare(
        scenario.name, scenario.sentence(fit), float(share), day - fit.campaign.day(fit.vintage), horizon
    )


@dataclass(frozen=True)
class ReferencePlace:
    """Where a published projection lies in the posterior: the share of draws below its rate, and before its date.

    ``date_quantile`` is None where the projection's date lies after the horizon.
    """

    rate: float
    rate_quantile: float
    date: dt.date
    date_quantile: float | None


def reference_place(fit: Fit, date: DepletionDate) -> ReferencePlace | None:
    """Place the campaign's reference projection in the posterior.

    Parameters
    ----------
    fit
        Gives the rate since the reported escalation, and the campaign with its reference projection.
    date
        The depletion date to compare with.

    Returns
    -------
    ReferencePlace or None
        None if there is no reference projection, or none was public by the vintage.
    """
    reference = fit.campaign.reference_projection
    if reference is None:
        return None
    by = None if reference.date > date.horizon else date.probability_by(reference.date)
    below = float(np.mean(rate_since(fit) <= reference.daily_rate))
    return ReferencePlace(reference.daily_rate, below, reference.date, by)
