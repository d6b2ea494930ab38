"""What is simulated and how it is fitted: the January record, three mistakes that must be seen, four assumptions that fail.

A design has two worlds, one in which truths and statements are drawn and one in which they are fitted. Where they are the same,
ranks are uniform if model and sampler are right.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from ..campaign import Campaign, Phase, Strength, load_campaign
from ..claims import load_claims, read_claims
from ..curves import ConstantRate
from ..prior_draws import Prepared, prepared
from ..priors import Priors, default_priors
from ..reporting import Reporting

VINTAGE = "2025-01-16"
ONSET = dt.date(2024, 12, 6)
PLAIN = Reporting(min_persons=0.0)

type Retold = Callable[[np.random.Generator, np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Design:
    """Where truths come from, and what fits them.

    Attributes
    ----------
    name, sentence
        What it is, for people.
    truth, fitted
        Worlds from ``prior_draws.prepared``, with the same claims in the same order.
    retold
        Changes the statements (draw, claim) after they were made; None leaves them.
    noise
        ``usual``, or ``heavy`` for errors of a Student t with 2 degrees of freedom and the same interquartile range.
    """

    name: str
    sentence: str
    truth: Prepared
    fitted: Prepared
    retold: Retold | None = None
    noise: str = "usual"


def january() -> Design:
    """The model and the record of 16 January 2025, as they are fitted by default."""
    world = _kursk()
    return Design("january", f"the record of {VINTAGE}, drawn and fitted by the same model", world, world)


def _kursk(reporting: Reporting = PLAIN, campaign: Campaign | None = None) -> Prepared:
    claims = load_claims("dprk-kursk").known_by(VINTAGE)
    whole = campaign or load_campaign("dprk-kursk").known_by(VINTAGE)
    return prepared(claims, whole, default_priors(whole), reporting=reporting)


# Mistakes that must be seen, on small records where they can be


def per_claim() -> Design:
    """Two sources speak three times each; the fit takes each statement for a source of its own."""
    days = (14, 24, 34)
    rows = [(source, kind, day) for source, kind in (("a", "third_party"), ("b", "adversary")) for day in days]
    apart = [(f"{source}{day}", kind, day) for source, kind, day in rows]
    priors = {"bias_third_party": _bias(0.0, 0.0, 0.3), "bias_adversary": _bias(0.35, 0.0, 0.3)}
    return Design(
        "bias per claim",
        "a bias for each claim where each source has one",
        _small(rows, priors),
        _small(apart, priors),
    )


def slipped() -> Design:
    """Claims three to seven days after a known onset; the fit reads each as of the day after."""
    rows = [("a", "third_party", day) for day in (3, 4, 5, 6, 7)]
    priors = {"bias_third_party": _bias(0.0, 0.0, 0.05)}
    world = _small(rows, priors)
    later = {**world.arrays, "claim_end": world.arrays["claim_end"] + 1.0}
    days = {name: np.append(later[name], later[name][-1]) for name in ("day_arrived", "share_weight")}
    days |= {"day_share": np.append(later["day_share"], 1.0), "share_left": np.append(later["share_left"], 0)}
    days["day_number"] = np.append(later["day_number"], later["day_number"][-1] + 1.0)
    return Design(
        "a day's slip",
        "every claim read as of one day later",
        world,
        dataclasses.replace(world, arrays={**later, **days}),
    )


def wide_prior() -> Design:
    """One source of each stance; the fit takes the spread of their biases a quarter wider than it is."""
    kinds = ("adversary", "own_side", "third_party", "analyst")
    rows = [(kind, kind, day) for kind in kinds for day in (20, 34)]
    right = {f"bias_{kind}": _bias(0.0, 0.2, 0.4) for kind in kinds}
    wrong = {f"bias_{kind}": _bias(0.0, 0.25, 0.5) for kind in kinds}
    return Design("a wider prior", "the sd of all biases a quarter too wide", _small(rows, right), _small(rows, wrong))


def _bias(mean: float, mean_sd: float, total_sd: float) -> dict[str, float]:
    return {"mean": mean, "mean_sd": mean_sd, "total_sd": total_sd}


def _small(rows: list[tuple[str, str, int]], changes: Mapping[str, Any]) -> Prepared:
    """A constant rate from a known onset and running totals of some sources, in a world of few other unknowns."""
    last = max(day for _, _, day in rows)
    start = ONSET - dt.timedelta(days=1)
    campaign = Campaign(
        "small",
        start,
        ONSET + dt.timedelta(days=last),
        Strength(11_500, 0.1),
        phases=(Phase("onset", "escalation", ONSET, 0.0, ONSET),),
    )
    dates = [(ONSET + dt.timedelta(days=day)).isoformat() for _, _, day in rows]
    table = pd.DataFrame(
        {
            "claim_id": [f"S{number:02d}" for number in range(len(rows))],
            "source": [source for source, _, _ in rows],
            "source_kind": [kind for _, kind, _ in rows],
            "published": dates,
            "as_of": dates,
            "quantity": "casualties",
            "value": 1000.0,
            "bound": "point",
        }
    )
    claims = read_claims(table.astype(object), name="small")
    priors: Priors = default_priors(campaign).override({"bias_group_sd": {"value": 0.0}, **changes})
    reporting = Reporting(min_persons=0.0, truncate=False)
    return prepared(claims, campaign, priors, ConstantRate(), reporting)


# Assumptions that fail, reported as they come


def drifting() -> Design:
    """Every source's bias drifts; the fit takes it to stay."""
    return Design(
        "drifting bias",
        "biases walk by 0.1 log units in a month (prior median); the fit takes them to stay",
        _kursk(Reporting(min_persons=0.0, drift=True)),
        _kursk(),
    )


def heavy() -> Design:
    """Errors have far heavier tails than the fit takes them to have."""
    world = _kursk()
    return Design("heavy-tailed error", "errors of a Student t with 2 degrees of freedom", world, world, noise="heavy")


def hidden_pause() -> Design:
    """The force pauses from 28 December to 8 January, and nobody says so."""
    known = load_campaign("dprk-kursk").known_by(VINTAGE)
    pause = Phase("hidden pause", "pause", dt.date(2024, 12, 28), 2.0, dt.date(2025, 1, 3))
    again = Phase("hidden end", "resume", dt.date(2025, 1, 8), 2.0, dt.date(2025, 1, 12))
    paused = dataclasses.replace(known, phases=(*known.phases, pause, again), phase_slots=len(known.phases) + 2)
    return Design(
        "a hidden pause", "twelve days of next to no losses that no report tells of", _kursk(campaign=paused), _kursk()
    )


def copied() -> Design:
    """Ukraine's president repeats what the source before him had said, and the fit takes it for his own."""
    world = _kursk()
    rows = world.seen.claims.reset_index(drop=True)
    running = zip(rows["quantity"], rows["window_start"], strict=True)
    totals = [place for place, (what, start) in enumerate(running) if what == "casualties" and start is None]
    copies = [(place, totals[number - 1]) for number, place in enumerate(totals) if number % 2 == 1]

    def retold(rng: np.random.Generator, stated: np.ndarray) -> np.ndarray:
        told = stated.copy()
        for copy, original in copies:
            told[:, copy] = stated[:, original]
        return told

    return Design("a copied source", "every second total repeats the one before it", world, world, retold=retold)


CONTROLS = (per_claim, slipped, wide_prior)
MISSPECIFIED = (drifting, heavy, hidden_pause, copied)
DESIGNS: dict[str, Callable[[], Design]] = {make.__name__: make for make in (january, *CONTROLS, *MISSPECIFIED)}
