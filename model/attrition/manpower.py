"""Who was lost, who has arrived and who came back, from the draws: for the days known and for days ahead.

Day ``d`` ends at place ``d + 1`` of a running total (``running.at``). What the fit does not hold is taken as the simplest
case: everybody there from the first day, nobody captured or missing, a constant killed share, nobody back on duty.
"""

from __future__ import annotations

import numpy as np

from .fitted import Fit


def has(fit: Fit, *names: str) -> bool:
    """Whether the fit's posterior holds all of these quantities."""
    held = fit.draws["posterior"].data_vars
    return all(name in held for name in names)


def loss_factor(fit: Fit) -> np.ndarray:
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


def gross_loss(fit: Fit) -> np.ndarray:
    """Persons lost by the end of each day (chain, draw, day): killed, wounded, captured and missing."""
    return np.asarray(fit.array("cumulative_loss") * loss_factor(fit)[..., None])


def killed(fit: Fit) -> np.ndarray:
    """Persons killed by the end of each day (chain, draw, day)."""
    if has(fit, "cumulative_killed"):
        return fit.array("cumulative_killed")
    return np.asarray(fit.array("cumulative_loss") * fit.array("killed_share")[..., None])


def wounded(fit: Fit, casualties_ahead: np.ndarray | None = None) -> np.ndarray:
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


def wounded_share(fit: Fit) -> np.ndarray:
    """Wounded as a share of killed and wounded on the days after the vintage (chain, draw)."""
    if not has(fit, "cumulative_killed"):
        return np.asarray(1.0 - fit.array("killed_share"))
    died, lost = killed(fit), fit.array("cumulative_loss")
    before = died[..., -2:-1].sum(axis=-1), lost[..., -2:-1].sum(axis=-1)
    today = died[..., -1] - before[0], lost[..., -1] - before[1]
    overall = np.divide(died[..., -1], lost[..., -1], out=np.zeros_like(today[0]), where=lost[..., -1] > 0)
    share = np.divide(today[0], today[1], out=overall, where=today[1] > 0)
    return np.asarray(1.0 - np.clip(share, 0.0, 1.0))


def comes_back(fit: Fit) -> bool:
    """Whether the fit says that wounded come back on duty."""
    return has(fit, "evacuated_fraction", "return_fraction", "return_delay")


def returned(fit: Fit, casualties_ahead: np.ndarray | None = None) -> np.ndarray:
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
    total = wounded(fit, casualties_ahead)
    kept = (1.0 - fit.array("evacuated_fraction")) * fit.array("return_fraction")
    return np.asarray(kept[..., None] * _delayed(total, fit.array("return_delay")))


def _delayed(total: np.ndarray, delay: np.ndarray) -> np.ndarray:
    """Running totals (..., day) as they were a delay (...) before the end of each day: ``at``, of one delay for all days."""
    days = total.shape[-1]
    whole = np.floor(delay)
    part = (delay - whole)[..., None]
    place = np.arange(days + 1) - np.minimum(whole, days).astype(np.int64)[..., None]
    padded = np.concatenate([np.zeros_like(total[..., :1]), total], axis=-1)
    then = np.take_along_axis(padded, np.maximum(place, 0), axis=-1)
    return np.asarray(then[..., 1:] * (1.0 - part) + then[..., :-1] * part)


def arrivals(fit: Fit) -> np.ndarray:
    """Persons who have arrived by the end of each day (chain, draw, day)."""
    if has(fit, "arrivals"):
        return fit.array("arrivals")
    return np.broadcast_to(fit.array("contingent_size")[..., None], fit.array("cumulative_loss").shape)


def everyone(fit: Fit) -> np.ndarray:
    """Persons to lose until all are lost (chain, draw, day): who has arrived, and at least the initial contingent.

    A contingent whose first company is lost while the rest is on the way is not depleted.
    """
    return np.asarray(np.maximum(arrivals(fit), fit.array("contingent_size")[..., None]))


def strength(fit: Fit) -> np.ndarray:
    """Persons present at the end of each day (chain, draw, day): arrivals less gross loss, with those who came back."""
    return np.asarray(np.maximum(arrivals(fit) - gross_loss(fit) + returned(fit), 0.0))
