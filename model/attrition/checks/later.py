"""Claims published after an earlier vintage, predicted from what was known by it."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Mapping
from typing import Any

import numpy as np

from ..campaign import Campaign
from ..claims import as_date
from ..coding import SOURCE_KINDS
from ..containers import containers
from ..errors import InputError, Problem
from ..fitted import Fit, label
from ..manpower import wounded_share
from ..observations import REINFORCEMENT, observe
from ..projection import project
from ..scenarios.rates import forecast
from .pits import p_value, places
from .pointwise import log_mean, scored
from .predictive import LEVEL, central_share, copies_of, whole
from .result import CheckResult
from .without import data, free, quantities, redrawn

NAME = "later claims"


def later_claims(fit: Fit, known_by: dt.date | str | None = None, seed: int = 0) -> CheckResult:
    """Predict the claims published after an earlier vintage from what was known by it.

    Parameters
    ----------
    fit
        Gives the record up to its own vintage.
    known_by
        The earlier vintage; by default the day by which half of the claims were public.
    seed
        Of new sources' biases and of the replicated statements.

    Returns
    -------
    CheckResult
        ``passed``: the later claims stray no further from what was predicted than replicates do (p at least 0.05).
        ``numbers``: ``claims`` that are predicted, ``earlier`` claims that were known, ``days`` from the earlier vintage to the
        fit's; ``central_90``, share of the claims in the central 90% of their predictive distributions; ``p``; ``score``, mean
        log probability of a claim (a point claim: log density).

    Raises
    ------
    InputError
        For a vintage that is not before the fit's, or before the calendar; for a fit with drift, whose walks are not carried
        on; for a saved fit of an extended model.

    Notes
    -----
    The model is sampled with the claims and the phases public by the earlier vintage. Its draws go on under ``forecast`` to the
    fit's vintage; a source that had not spoken has a bias drawn from its stance's prior, apart from its group. Claims for an
    arrival that was not yet known of are not predicted.
    """
    import pandas as pd

    whole(100, seed)
    published = pd.Series(fit.seen.claims["published"]).sort_values().tolist()
    if known_by is None and len(published) < 2:
        return CheckResult(NAME, True, "fewer than two claims: none comes later", {"claims": 0.0})
    cut = published[(len(published) - 1) // 2] if known_by is None else as_date(known_by, "known_by")
    if known_by is None and not fit.campaign.start < cut < fit.vintage:
        words = f"half of the claims were public by {cut}, which leaves no days of the calendar between"
        return CheckResult(NAME, True, words, {"claims": 0.0})
    _check(fit, cut)
    early = _earlier(fit, cut)
    rows = _later_rows(fit, early.campaign, cut)
    numbers = {"claims": float(len(rows)), "earlier": float(len(early.seen.claims))}
    numbers["days"] = float((fit.vintage - cut).days)
    if not len(rows):
        return CheckResult(NAME, True, f"no claim came after {cut}", numbers)
    rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(10,)))
    arrays = {name: array[rows] if name.startswith("claim_") else array for name, array in data(fit).items()}
    q = _carried_on(early, fit, arrays, rng)
    copies = copies_of(q, arrays, fit, rng)
    pit, pit_copies = places(arrays["claim_value"], copies, rng)
    numbers |= {
        "central_90": float(central_share(arrays["claim_value"], copies).mean()),
        "p": p_value(pit, pit_copies),
        "score": float(log_mean(scored(q, arrays, fit.reporting)).mean()),
    }
    sentence = (
        f"{len(rows)} claims published after {cut}, up to {fit.vintage}, predicted from {len(early.seen.claims)} known by "
        f"then: {100 * numbers['central_90']:.0f}% lie in their central 90%, and claims as far from the prediction have "
        f"probability {numbers['p']:.2g}"
    )
    return CheckResult(NAME, numbers["p"] >= LEVEL, sentence, numbers)


def _check(fit: Fit, cut: dt.date) -> None:
    problems = []
    if not fit.campaign.start < cut < fit.vintage:
        expected = f"after {fit.campaign.start} and before the fit's vintage, {fit.vintage}"
        problems.append(Problem("argument", "", "known_by", str(cut), expected, "Choose an earlier vintage."))
    if fit.reporting.drift:
        do = "Fit without drift."
        problems.append(Problem("argument", "", "fit", "a fit with drift", "a fit whose biases stay", do))
    if problems:
        raise InputError("Later claims cannot be predicted", problems)


def _earlier(fit: Fit, cut: dt.date) -> Fit:
    """The same model sampled with what was public by an earlier day; its gate is the fit's."""
    import xarray as xr

    claims, campaign = fit.claims.known_by(cut), fit.campaign.known_by(cut)
    own = fit.compiled is not None
    room = fit.compiled.rooms if fit.compiled is not None else None
    seen = observe(claims, campaign, fit.reporting, room, fit.curve.zero_until(campaign), exact=not own)
    arrays = containers(seen, campaign, fit.priors, fit.curve, fit.reporting)
    bare = dataclasses.replace(fit, draws=xr.DataTree(), claims=claims, campaign=campaign, seen=seen)
    raw, stats = redrawn(bare, arrays)
    q = quantities(bare, raw, arrays)
    return dataclasses.replace(bare, draws=label(raw, stats, q, arrays, seen, campaign))


def _later_rows(fit: Fit, known: Campaign, cut: dt.date) -> np.ndarray:
    """Positions of the claims published after a day, but for those of arrivals unknown by then."""
    waves = {wave.wave for wave in known.reinforcements}
    rows = fit.seen.claims
    return np.array(
        [
            place
            for place, (day, category, wave) in enumerate(
                zip(rows["published"], rows["category"], rows["wave"], strict=True)
            )
            if day > cut and (category != REINFORCEMENT or wave in waves)
        ],
        dtype=np.int64,
    )


def _carried_on(early: Fit, fit: Fit, arrays: Mapping[str, np.ndarray], rng: np.random.Generator) -> dict[str, Any]:
    """Named quantities on the days and for the sources of the later fit, in the draws of the earlier one."""
    q = dict(quantities(early, free(early), data(early)))
    coming = project(early, forecast(), (fit.vintage - early.vintage).days)
    ahead = np.cumsum(coming.daily_rate, axis=-1)
    died = (1.0 - wounded_share(early))[..., None] * ahead
    q["daily_rate"] = np.concatenate([q["daily_rate"], coming.daily_rate], axis=-1)
    for name, more in (("cumulative_loss", ahead), ("cumulative_killed", died)):
        q[name] = np.concatenate([q[name], q[name][..., -1:] + more], axis=-1)
    q["arrivals"] = np.concatenate([q["arrivals"], coming.arrivals], axis=-1)
    shape = q["cumulative_loss"].shape[:2]
    q |= _sources(q, early, fit, arrays, rng)
    if "claim_briefing" in arrays:
        q["briefing_unit"] = rng.standard_normal((*shape, fit.seen.rooms["briefing"]))
    if "claim_month" in arrays:
        q["month_unit"] = rng.random((*shape, fit.seen.rooms["month"]))
    if "claim_wave" in arrays:
        before = [wave.wave for wave in early.campaign.reinforcements]
        after = [wave.wave for wave in fit.campaign.reinforcements]
        sizes = np.ones((*shape, fit.seen.rooms["wave"]))
        for place, name in enumerate(after):
            if name in before:
                sizes[..., place] = q["wave_size"][..., before.index(name)]
        q["wave_size"] = sizes
    return q


def _sources(
    q: Mapping[str, Any], early: Fit, fit: Fit, arrays: Mapping[str, np.ndarray], rng: np.random.Generator
) -> dict[str, np.ndarray]:
    """Bias, departures and delay of every source of the later fit: known ones keep theirs, new ones are drawn."""
    before = [name for name, _, _ in early.seen.sources]
    shape = q["cumulative_loss"].shape[:2]
    names = ("source_bias", "source_killed_deviation", "source_deployed_bias", "source_lag")
    found = {name: np.zeros((*shape, fit.seen.slots)) for name in names}
    for place, (source, _, kind) in enumerate(fit.seen.sources):
        if source in before:
            for name in names:
                found[name][..., place] = np.broadcast_to(q[name], (*shape, q[name].shape[-1]))[
                    ..., before.index(source)
                ]
            continue
        number = SOURCE_KINDS.index(kind)
        units = rng.standard_normal((4, *shape))
        own = np.hypot(arrays["source_group_sd"][place], arrays["source_own_sd"][place])
        center, spread = arrays["lag_prior"][number]
        found["source_bias"][..., place] = q["stance_bias"][..., number] + own * units[0]
        found["source_killed_deviation"][..., place] = arrays["prior_killed_share_source_sd"][0] * units[1]
        found["source_deployed_bias"][..., place] = arrays["prior_deployed_source_sd"][0] * units[2]
        found["source_lag"][..., place] = np.exp(center + spread * units[3])
    return found
