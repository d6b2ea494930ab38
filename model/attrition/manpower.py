"""Who was lost, who has arrived and who came back, from the draws: for the days known and for days ahead.

Day ``d`` ends at place ``d + 1`` of a running total (``running.at``). What the fit does not hold is taken as the simplest
case: everybody there from the first day, nobody captured or missing, a constant killed share, nobody back on duty.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from .fitted import Fit
from .threads import Slices, rows_at_once, spread

type Rows = Slices | np.ndarray


@dataclass(frozen=True, eq=False)
class Part:
    """Some of a fit's draws, read as a fit is.

    Attributes
    ----------
    held
        Draws of every quantity, of the whole fit.
    rows
        Which of (chain, draw) are read.
    """

    held: Mapping[str, np.ndarray]
    rows: Rows

    def array(self, name: str) -> np.ndarray:
        """Draws of one quantity as an array (chain, draw, ...)."""
        return np.asarray(self.held[name][self.rows])


def parts(fit: Fit) -> Iterator[Part]:
    """Split a fit into as many draws at a time as are best worked on at once."""
    held = fit.arrays()
    for rows in rows_at_once(*held["contingent_size"].shape):
        yield Part(held, rows)


def has(fit: Fit | Part, *names: str) -> bool:
    """Whether the fit's posterior holds all of these quantities."""
    held = fit.held if isinstance(fit, Part) else fit.draws.children["posterior"].data_vars
    return all(name in held for name in names)


def loss_factor(fit: Fit | Part) -> np.ndarray:
    """Gross loss per casualty (chain, draw): 1 and the captured and the missing per killed or wounded."""
    factor = np.ones_like(fit.array("contingent_size"))
    for name in ("captured_ratio", "missing_ratio"):
        if has(fit, name):
            factor = factor + fit.array(name)
    return factor


def loss_words(fit: Fit) -> str:
    """What counts as lost, in words."""
    ratios = {word: f"{word}_ratio" for word in ("captured", "missing")}
    beyond = [word for word, name in ratios.items() if has(fit, name) and fit.array(name).any()]
    *words, last = ["killed", "wounded", *beyond]
    return f"{', '.join(words)} or {last}"


def gross_loss(fit: Fit | Part) -> np.ndarray:
    """Persons lost by the end of each day (chain, draw, day): killed, wounded, captured and missing."""
    return np.asarray(fit.array("cumulative_loss") * loss_factor(fit)[..., None])


def killed(fit: Fit | Part) -> np.ndarray:
    """Persons killed by the end of each day (chain, draw, day)."""
    if has(fit, "cumulative_killed"):
        return fit.array("cumulative_killed")
    return np.asarray(fit.array("cumulative_loss") * fit.array("killed_share")[..., None])


def wounded(fit: Fit | Part, casualties_ahead: np.ndarray | None = None) -> np.ndarray:
    """Persons wounded by the end of each day (chain, draw, day).

    Parameters
    ----------
    fit
        The draws.
    casualties_ahead : (chain, draw, day), optional
        Killed and wounded after the vintage by the end of each day after it, in persons: those days are appended. The
        killed share of the last day goes on; where nobody was lost that day, the share of all losses.
    """
    past = np.asarray(fit.array("cumulative_loss") - killed(fit))
    if casualties_ahead is None:
        return past
    ahead = past[..., -1:] + wounded_share(fit)[..., None] * casualties_ahead
    return np.concatenate([past, ahead], axis=-1)


def wounded_share(fit: Fit | Part) -> np.ndarray:
    """Wounded as a share of killed and wounded on the days after the vintage (chain, draw)."""
    if not has(fit, "cumulative_killed"):
        return np.asarray(1.0 - fit.array("killed_share"))
    died, lost = killed(fit), fit.array("cumulative_loss")
    before = died[..., -2:-1].sum(axis=-1), lost[..., -2:-1].sum(axis=-1)
    today = died[..., -1] - before[0], lost[..., -1] - before[1]
    overall = np.divide(died[..., -1], lost[..., -1], out=np.zeros_like(today[0]), where=lost[..., -1] > 0)
    share = np.divide(today[0], today[1], out=overall, where=today[1] > 0)
    return np.asarray(1.0 - np.clip(share, 0.0, 1.0))


def comes_back(fit: Fit | Part) -> bool:
    """Whether the fit says that wounded come back on duty."""
    return has(fit, "evacuated_fraction", "return_fraction", "return_delay")


def returned(fit: Fit | Part, casualties_ahead: np.ndarray | None = None) -> np.ndarray:
    """Wounded back on duty by the end of each day (chain, draw, day), in persons; evacuated wounded never are.

    Parameters
    ----------
    fit
        The draws.
    casualties_ahead : (chain, draw, day), optional
        As ``wounded`` takes it.
    """
    if not comes_back(fit):
        past = fit.array("cumulative_loss").shape
        days = past[-1] + (0 if casualties_ahead is None else casualties_ahead.shape[-1])
        return np.broadcast_to(0.0, (*past[:-1], days))
    return np.asarray(_kept(fit)[..., None] * _delayed(wounded(fit, casualties_ahead), fit.array("return_delay")))


def _kept(fit: Fit | Part) -> np.ndarray:
    """Share of the wounded who come back in the end (chain, draw)."""
    return np.asarray((1.0 - fit.array("evacuated_fraction")) * fit.array("return_fraction"))


def _delayed(total: np.ndarray, delay: np.ndarray, first: int = 0) -> np.ndarray:
    """Running totals (..., day) as they were a delay (...) before the end of each day from the first on.

    That is ``running.at``, of one delay for all days: each draw's days are read as one piece, from behind as many days on
    which the total was zero as the longest delay has.
    """
    if not total.size:
        return total[..., first:]
    days = total.shape[-1]
    whole = np.floor(delay)
    part = (delay - whole)[..., None]
    back = np.minimum(whole, days).astype(np.int64)
    begin = first - int(back.max()) - 1  # the earliest day that is read
    none = max(-begin, 0)
    padded = np.concatenate([np.zeros((*total.shape[:-1], none)), total[..., max(begin, 0) :]], axis=-1)
    pieces = np.lib.stride_tricks.sliding_window_view(padded.reshape(-1), days - first + 1)
    where = np.arange(back.size) * padded.shape[-1] + (first - 1 - begin - back.ravel())
    then = pieces[where].reshape(*total.shape[:-1], -1)
    found = then[..., 1:] * (1.0 - part)
    found += np.multiply(then[..., :-1], part, out=then[..., :-1])
    return np.asarray(found)


def arrivals(fit: Fit | Part) -> np.ndarray:
    """Persons who have arrived by the end of each day (chain, draw, day)."""
    if has(fit, "arrivals"):
        return fit.array("arrivals")
    return np.broadcast_to(fit.array("contingent_size")[..., None], fit.array("cumulative_loss").shape)


def everyone(fit: Fit | Part) -> np.ndarray:
    """Persons to lose until all are lost (chain, draw, day): who has arrived, and at least the initial contingent.

    A contingent whose first company is lost while the rest is on the way is not depleted.
    """
    return np.asarray(np.maximum(arrivals(fit), fit.array("contingent_size")[..., None]))


def strength(fit: Fit, days: slice = slice(None)) -> np.ndarray:
    """Persons present at the end of each day (chain, draw, day): arrivals less gross loss, with those who came back.

    Parameters
    ----------
    fit
        The draws.
    days
        Which days up to the vintage; by default all.
    """

    def present(part: Part) -> np.ndarray:
        return np.asarray(np.maximum((arrivals(part) - gross_loss(part) + returned(part))[..., days], 0.0))

    return np.concatenate(spread(present, parts(fit)), axis=1)


@dataclass(frozen=True, eq=False)
class Recovery:
    """Who comes back on duty, of the wounded.

    Attributes
    ----------
    wounded : (chain, draw, day)
        Persons wounded by the end of each day up to the vintage.
    share : (chain, draw)
        Wounded as a share of killed and wounded on the days after it.
    kept : (chain, draw)
        Share of the wounded who come back in the end.
    delay : (chain, draw)
        Days from wound to duty.
    """

    wounded: np.ndarray
    share: np.ndarray
    kept: np.ndarray
    delay: np.ndarray

    def part(self, rows: Rows) -> Recovery:
        """Some of the draws."""
        return Recovery(self.wounded[rows], self.share[rows], self.kept[rows], self.delay[rows])

    def returned(self, casualties_ahead: np.ndarray, first: int) -> np.ndarray:
        """Persons back on duty by the end of each day from a first one on (chain, draw, day).

        Parameters
        ----------
        casualties_ahead : (chain, draw, day)
            Killed and wounded after the vintage by the end of each day after it, in persons.
        first
            Days since the campaign's start.
        """
        later = self.wounded[..., -1:] + self.share[..., None] * casualties_ahead
        total = np.concatenate([self.wounded, later], axis=-1)
        return np.asarray(self.kept[..., None] * _delayed(total, self.delay, first))


@dataclass(frozen=True, eq=False)
class Known:
    """What draws say of the days up to the vintage, read once for all that is asked of them.

    Attributes
    ----------
    size : (chain, draw)
        Initial contingent, in persons.
    factor : (chain, draw)
        As ``loss_factor``.
    lost, there : (chain, draw, day)
        As ``gross_loss`` and ``everyone``.
    recovery
        None where nobody comes back.
    """

    size: np.ndarray
    factor: np.ndarray
    lost: np.ndarray
    there: np.ndarray
    recovery: Recovery | None

    @property
    def days(self) -> int:
        """Days up to the vintage."""
        return int(self.lost.shape[-1])

    def part(self, rows: Rows) -> Known:
        """Some of the draws."""
        recovery = self.recovery and self.recovery.part(rows)
        return Known(self.size[rows], self.factor[rows], self.lost[rows], self.there[rows], recovery)


def known(fit: Fit | Part) -> Known:
    """Read what draws say of the days up to the vintage."""
    recovery = None
    if comes_back(fit):
        recovery = Recovery(wounded(fit), wounded_share(fit), _kept(fit), fit.array("return_delay"))
    return Known(fit.array("contingent_size"), loss_factor(fit), gross_loss(fit), everyone(fit), recovery)
