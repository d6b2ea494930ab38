"""Scenarios of the rate alone: a rate held, the fitted dynamics, a random walk, a constant risk for those left."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import numpy as np

from ..curves import KNOT_DAYS, PhasedRate, continue_noise, knot_count, knot_grid, phases_of
from ..fitted import Fit, rate_since
from ..kernel.forms import form_of
from ..manpower import Part, everyone, gross_loss, has, loss_factor, parts
from ..threads import spread
from .base import Ahead, Scenario, Settled, number, optional_date, plain, projection_seed, refuse, whole


@dataclass(frozen=True)
class Hold(Scenario):
    """Each draw keeps its own mean rate since a date: the posterior of a held-rate projection.

    ``since`` is None for the reported escalation.
    """

    since: dt.date | None = None

    @property
    def name(self) -> str:
        """Key in every output."""
        return "hold" if self.since is None else f"hold_since_{self.since}"

    def sentence(self, fit: Fit) -> str:
        """Say what is assumed."""
        return f"losses go on at their mean daily rate since {self.since or fit.campaign.rate_since}"

    def ahead(self, fit: Fit, days: int) -> Ahead:
        """Losses on each of the days after the vintage."""
        if self.since is None:
            return _constant(rate_since(fit), days)
        last = fit.vintage - dt.timedelta(days=1)
        if not fit.campaign.start <= self.since <= last:
            refuse("since", str(self.since), f"{fit.campaign.start} to {last}", "Choose a day that the fit knows.")
        return _constant(_mean_rate(fit, (fit.vintage - self.since).days), days)


@dataclass(frozen=True)
class HoldLast(Scenario):
    """Each draw keeps its own mean rate of the last so many days before the vintage."""

    days: int

    def __post_init__(self) -> None:
        object.__setattr__(self, "days", whole("days", self.days, 1))

    @property
    def name(self) -> str:
        """Key in every output."""
        return f"hold_last_{self.days}"

    def sentence(self, fit: Fit) -> str:
        """Say what is assumed."""
        if self.days == 1:
            return f"losses go on at the rate of {fit.vintage}"
        return f"losses go on at their mean daily rate of the {self.days} days up to {fit.vintage}"

    def ahead(self, fit: Fit, days: int) -> Ahead:
        """Losses on each of the days after the vintage."""
        known = fit.array("cumulative_loss").shape[-1] - 1
        if self.days > known:
            refuse("days", self.days, f"at most {known}, the days since {fit.campaign.start}", "Choose fewer.")
        return _constant(_mean_rate(fit, self.days), days)


@dataclass(frozen=True)
class Forecast(Scenario):
    """The fitted dynamics go on: the rate returns to its long-run level with its half-life."""

    @property
    def name(self) -> str:
        """Key in every output."""
        return "forecast"

    def sentence(self, fit: Fit) -> str:
        """Say what is assumed."""
        if not has(fit, "rate_noise"):
            return "the constant rate goes on"
        quiet = _quiet(fit)
        if quiet:
            return f"the rate returns from that of the last phase known ({quiet}) to its long-run level"
        return "the rate goes on moving as it has, returning to its long-run level"

    def ahead(self, fit: Fit, days: int) -> Ahead:
        """Losses on each of the days after the vintage."""
        quantities = fit.arrays()
        today = fit.campaign.day(fit.vintage)
        coming = np.arange(today + 1, today + days + 1)
        knots = max(int((today + days) / KNOT_DAYS) + 2, knot_count(fit.campaign))
        rooms = {"knot": knots, "phase": len(phases_of(fit.campaign))}
        if "rate_noise" in quantities:
            quantities["rate_noise"] = continue_noise(
                quantities["rate_noise"], quantities["rate_half_life"], knots, projection_seed(fit)
            )
        every_day = np.arange(today + days + 1)
        data = fit.curve.containers(fit.campaign, fit.priors, every_day, rooms)
        on_day = ("day_number", "day_share", "knot_left", "knot_weight")
        data = {name: array[coming] if name in on_day else array for name, array in data.items()}
        if _quiet(fit):
            _resume(quantities, data, fit, today)
        if type(fit.curve) is PhasedRate:
            _leave_out_what_is_over(quantities, data)
        rate = np.empty((*fit.array("contingent_size").shape, days))

        def of_part(part: Part) -> None:
            draws_of_part = {name: draws[part.rows] for name, draws in quantities.items()}
            rate[part.rows] = fit.curve.rate(draws_of_part, data, np)

        if form_of(fit.curve) is None:  # a curve that may keep something between calls
            for part in parts(fit):
                of_part(part)
        else:
            spread(of_part, parts(fit))
        return Ahead(rate)


@dataclass(frozen=True)
class Walk(Scenario):
    """The log rate walks at random from that of the last day, with so many log units of sd in a week."""

    sd_per_week: float = 0.2

    def __post_init__(self) -> None:
        object.__setattr__(self, "sd_per_week", number("sd_per_week", self.sd_per_week))

    @property
    def name(self) -> str:
        """Key in every output."""
        return "walk" if self.sd_per_week == Walk.sd_per_week else f"walk_{plain(self.sd_per_week)}"

    def sentence(self, fit: Fit) -> str:
        """Say what is assumed."""
        return (
            f"the rate drifts at random from that of {fit.vintage}, by {plain(self.sd_per_week)} log units (sd) a week"
        )

    def ahead(self, fit: Fit, days: int) -> Ahead:
        """Losses on each of the days after the vintage."""
        now = fit.array("daily_rate")[..., -1:]
        steps = projection_seed(fit, "walk").standard_normal((days, *now.shape[:-1]))
        drift = np.moveaxis(np.cumsum(steps, axis=0), 0, -1) * (self.sd_per_week / np.sqrt(7.0))
        return Ahead(now * np.exp(drift))


@dataclass(frozen=True)
class PerCapita(Scenario):
    """Each of those left runs the risk of the last day: losses fall with the strength, and the last is never lost.

    The risk is the last day's loss divided by those not lost by then, each person counted once; who came back does not
    run it again.
    """

    @property
    def name(self) -> str:
        """Key in every output."""
        return "per_capita"

    def sentence(self, fit: Fit) -> str:
        """Say what is assumed."""
        return f"the rate falls with the strength left, each one's risk staying that of {fit.vintage}"

    def ahead(self, fit: Fit, days: int) -> Ahead:
        """Losses on each of the days after the vintage."""
        lost = fit.array("daily_rate")[..., -1] * loss_factor(fit)
        left = everyone(fit)[..., -1] - gross_loss(fit)[..., -1]
        hazard = np.divide(lost, left, out=np.zeros_like(lost), where=left > 0)
        none = np.zeros_like(hazard)
        return Ahead(_every_day(none, days), _every_day(hazard, days), settled=Settled(0, none, hazard))


def _constant(rate: np.ndarray, days: int) -> Ahead:
    return Ahead(_every_day(rate, days), settled=Settled(0, rate, np.zeros_like(rate)))


def _every_day(value: np.ndarray, days: int) -> np.ndarray:
    return np.broadcast_to(value[..., None], (*value.shape, days))


def _mean_rate(fit: Fit, days: int) -> np.ndarray:
    """Mean daily loss of the last days (chain, draw)."""
    total = fit.array("cumulative_loss")
    return np.asarray((total[..., -1] - total[..., -1 - days]) / days)


def _quiet(fit: Fit) -> str:
    """Name of the last known phase if it has a level of its own, which does not return to the long-run level."""
    last = phases_of(fit.campaign)[-1]
    return last.name if has(fit, "phase_rate") and last.kind in ("contact", "pause") else ""


def _resume(quantities: dict[str, np.ndarray], data: dict[str, np.ndarray], fit: Fit, today: int) -> None:
    """Let a reverting phase begin at the vintage, from the rate of that day."""
    position = len(phases_of(fit.campaign))
    noise = quantities["rate_noise"]
    grid = knot_grid(np.array([today + 0.5]), float(fit.campaign.day(fit.campaign.rate_since)), noise.shape[-1] - 1)
    quantities["phase_rate"] = np.append(quantities["phase_rate"], fit.array("daily_rate")[..., -1:], axis=-1)
    begun = np.full((*noise.shape[:2], 1), float(today))
    quantities["phase_day"] = np.append(quantities["phase_day"], begun, axis=-1)
    new = {"phase_known": 1.0, "phase_reverts": 1.0, "phase_left": grid["knot_left"][0]}
    for name, value in {**new, "phase_weight": grid["knot_weight"][0]}.items():
        data[name] = np.insert(data[name], position, value)


def _leave_out_what_is_over(quantities: dict[str, np.ndarray], data: dict[str, np.ndarray]) -> None:
    """Drop the phases that have no part in these days: a phase that has begun by then in every draw ends those before it."""
    begun = data["day_number"][0] - quantities["phase_day"].max(axis=(0, 1)) >= 1.0
    first = int(np.flatnonzero(begun & (data["phase_known"] > 0)).max(initial=0))
    for name in ("phase_rate", "phase_day"):
        quantities[name] = quantities[name][..., first:]
    for name in ("phase_known", "phase_reverts", "phase_left", "phase_weight"):
        data[name] = data[name][first:]


def hold(since: dt.date | str | None = None) -> Scenario:
    """Keep each draw's own mean rate since a date.

    Parameters
    ----------
    since
        First day of the mean, within the days that the fit knows; by default that of the reported escalation.

    Returns
    -------
    Scenario

    Raises
    ------
    InputError
        For a date that cannot be read. When it is applied to a fit: for one that the fit does not know.
    """
    return Hold(optional_date(since, "since"))


def hold_last(days: int) -> Scenario:
    """Keep each draw's own mean rate of the last days before the vintage.

    Parameters
    ----------
    days
        How many, at least 1.

    Returns
    -------
    Scenario

    Raises
    ------
    InputError
        For anything but a whole number of days. When it is applied to a fit: for more days than the fit knows.
    """
    return HoldLast(days)


def forecast() -> Scenario:
    """Let the fitted dynamics go on: the rate returns to its long-run level with its half-life.

    Returns
    -------
    Scenario
    """
    return Forecast()


def walk(sd_per_week: float = 0.2) -> Scenario:
    """Let the log rate walk at random from that of the last day.

    Parameters
    ----------
    sd_per_week
        Standard deviation of its change in a week, in log units; at least 0.

    Returns
    -------
    Scenario

    Raises
    ------
    InputError
        For anything but a number of at least 0.
    """
    return Walk(sd_per_week)


def per_capita() -> Scenario:
    """Keep each one's risk: losses in proportion to the strength left, so that full depletion never comes.

    Returns
    -------
    Scenario
    """
    return PerCapita()
