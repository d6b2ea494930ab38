"""Every prior as data: name, family, numbers, unit, why, and where it comes from; overridable by name.

Changing numbers never changes the compiled model; changing a family does.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from .campaign import Campaign
from .display import Shown
from .errors import InputError, Problem, shown

if TYPE_CHECKING:
    import pandas as pd

FAMILIES = {
    "LogNormal": ("median", "sd_log"),
    "HalfNormal": ("scale",),
    "Beta": ("a", "b"),
    "Normal": ("mean", "sd"),
    "Fixed": ("value",),
    "StanceBias": ("mean", "mean_sd", "total_sd"),
    "SameAsTotals": (),
}


@dataclass(frozen=True)
class Prior:
    """One prior. ``numbers`` are those of its family, in ``unit``; ``why`` gives the reason and the source.

    ``StanceBias`` is Normal with a mean that is itself uncertain: of the total sd of a source's log bias, ``mean_sd``
    is shared by all sources of the stance. ``SameAsTotals`` (for claim_error_killed) is the error of totals.
    """

    name: str
    family: str
    numbers: Mapping[str, float]
    unit: str
    why: str

    def __str__(self) -> str:
        inside = ", ".join(f"{key} {value:g}" for key, value in self.numbers.items())
        return f"{self.family}({inside})"


_STUDY = "Radford et al. 2023 (PNAS, doi 10.1073/pnas.2307372120)"
_RECORD = "the coded record of the Kursk deployment"


def _defaults(campaign: Campaign) -> list[Prior]:
    size = campaign.contingent_size
    log_rate = "persons per day"
    return [
        Prior("contact_rate", "LogNormal", {"median": 1, "sd_log": 1.0}, log_rate,
              "before the escalation: skirmishes, a few losses at most"),
        Prior("escalation_rate", "LogNormal", {"median": 50, "sd_log": 1.0}, log_rate,
              "90% from 10 to 260, that is 0.1% to 2.3% of 11,500 a day: between whole forces in theatre (0.2%) and sides "
              "of multi-day battles after 1939 (CDB90: median 2.3% of strength a day, log sd 1.4)"),
        Prior("long_run_fraction", "LogNormal", {"median": 0.003, "sd_log": 0.9}, "fraction of strength per day",
              "level to which the rate returns: battle days lose 1% to 6% a day (CDB90), whole forces in theatre "
              "about 0.2% (General Staff daily figures, 2024-25); months contain pauses"),
        Prior("rate_sd", "LogNormal", {"median": 0.8, "sd_log": 0.25}, "log units",
              "stationary sd of the log rate around its level; 0.5 to 1.3 covers 95%"),
        Prior("rate_half_life", "LogNormal", {"median": 3, "sd_log": 0.56}, "weeks",
              "time in which a departure from the long-run level halves; 1 to 9 weeks covers 95%"),
        Prior("pause_rate", "LogNormal", {"median": 2, "sd_log": 1.0}, log_rate,
              "in a reported pause: shelling and accidents, no assaults"),
        Prior("resume_rate", "LogNormal", {"median": 35, "sd_log": 1.0}, log_rate,
              "at a resumption: the long-run level of a force of this size, 0.3% a day"),
        Prior("constant_rate", "LogNormal", {"median": 50, "sd_log": 1.0}, log_rate,
              "used by the constant-rate curve alone; as escalation_rate"),
        Prior("contingent_size", "LogNormal", {"median": size.median, "sd_log": size.sd_log}, "persons",
              size.why or "given by the campaign"),
        Prior("killed_share", "Beta", {"a": 3, "b": 9}, "share of casualties",
              "a quarter killed, 95% from 6% to 52%: 2.9 casualties per death (Russia) and 4.9 (Ukraine) in " + _STUDY),
        Prior("bias_adversary", "StanceBias", {"mean": 0.35, "mean_sd": 0.35, "total_sd": 0.45}, "log units",
              "those fighting the contingent overstate its losses: +0.64 and +1.46 for deaths in " + _STUDY +
              "; less for killed and wounded together, where part of the gap is a word and not a bias"),
        Prior("bias_own_side", "StanceBias", {"mean": -0.50, "mean_sd": 0.40, "total_sd": 0.60}, "log units",
              "its own side understates them: -1.20 (Russia) and about 0 (Ukraine) for deaths in " + _STUDY),
        Prior("bias_third_party", "StanceBias", {"mean": 0.0, "mean_sd": 0.20, "total_sd": 0.30}, "log units",
              "no direction is published; third parties differ among themselves by 0.3 in " + _RECORD),
        Prior("bias_analyst", "StanceBias", {"mean": 0.0, "mean_sd": 0.20, "total_sd": 0.30}, "log units",
              "as third parties"),
        Prior("bias_group_sd", "Fixed", {"value": 0.15}, "log units",
              "shared by sources of one group (one briefing room), where a group has several"),
        Prior("bias_killed_adversary", "Fixed", {"value": 0.25}, "log units",
              "on killed alone an adversary's mean is higher: +0.64 for deaths in " + _STUDY + " against +0.35 here"),
        Prior("killed_share_source_sd", "Fixed", {"value": 0.6}, "logit units",
              "a source's killed share departs from the truth: one source moved its killed figure by a factor of "
              "three on a nearly constant total in " + _RECORD),
        Prior("claim_error", "LogNormal", {"median": 0.10, "sd_log": 0.5}, "log units",
              "sd of a claim around its source's level, for totals and wounded; about ten percent"),
        Prior("claim_error_killed", "LogNormal", {"median": 0.25, "sd_log": 0.5}, "log units",
              "the same for killed, which are revised far more than totals in " + _RECORD),
        Prior("killed_share_walk_sd", "Fixed", {"value": 0.15}, "logit units per root month",
              "how fast the killed share moves, where claims far enough apart can tell: by a factor of 1.7 in a year"),
        Prior("captured_ratio", "LogNormal", {"median": 0.005, "sd_log": 1.5}, "captured per killed or wounded",
              "a handful in " + _RECORD + "; used only where somebody speaks of captured or of losses in all"),
        Prior("missing_ratio", "LogNormal", {"median": 0.03, "sd_log": 1.5}, "missing per killed or wounded",
              "a judgement, 90% from 0.3% to 35%; used only where somebody speaks of missing or of losses in all"),
        *(
            Prior(f"lag_{kind}", "LogNormal", {"median": days, "sd_log": 0.3}, "days",
                  "mean age of a source's figures on the day they are published, where it gives no date; " + why)
            for kind, days, why in (
                ("adversary", 1.5, "it counts every day"),
                ("own_side", 2.5, "a judgement"),
                ("third_party", 2.5, "figures to which it gives a date are 1 to 16 days old in " + _RECORD + ", but an old "
                 "figure is the one that gets a date"),
                ("analyst", 2, "it reads the others"),
            )
        ),
        Prior("briefing_share", "Fixed", {"value": 0.5}, "share of the variance of a claim's error",
              "what the figures of one briefing have in common; a judgement between none and all"),
        Prior("deployed_error", "Fixed", {"value": 0.05}, "log units", "sd of a `deployed` figure"),
        Prior("present_error", "Fixed", {"value": 0.10}, "log units", "sd of a `present` figure: a headcount at a distance"),
        Prior("movement_error", "LogNormal", {"median": 0.30, "sd_log": 0.4}, "log units",
              "sd of a figure for reinforcements, wounded who came back, or wounded sent home"),
        Prior("evacuated_fraction", "Beta", {"a": 2, "b": 4}, "share of the wounded",
              "sent home for good: a judgement, 90% from 8% to 66%; one claim says 2,000 by March 2025 in " + _RECORD),
        Prior("return_fraction", "Beta", {"a": 2, "b": 4}, "share of the wounded not sent home",
              "back on duty in the end: a judgement, 90% from 8% to 66%; one claim says 300 of 3,600 in " + _RECORD),
        Prior("return_delay", "LogNormal", {"median": 45, "sd_log": 0.5}, "days",
              "from wound to duty: a judgement, 90% from 20 to 100 days"),
        Prior("floor_slack", "Beta", {"a": 1, "b": 2}, "chance of one more unit of slack",
              "how far below its own estimate a source says `over`, by stance: half a unit on average"),
        Prior("source_drift_sd", "LogNormal", {"median": 0.10, "sd_log": 0.5}, "log units per root month",
              "how fast a source's bias moves; used only with reporting option drift"),
        Prior("adversary_intensity", "Normal", {"mean": 0.2, "sd": 0.2}, "log units of bias per log unit of rate",
              "an adversary's bias rises with the intensity of the fighting; used only with reporting option intensity"),
        Prior("deployed_source_sd", "Fixed", {"value": 0.07}, "log units",
              "a source's own departure in its `deployed` figures"),
    ]  # fmt: skip


_FIXED_ONLY = (
    "bias_group_sd",
    "bias_killed_adversary",
    "killed_share_source_sd",
    "deployed_source_sd",
    "briefing_share",
)
_LAGS = ("lag_adversary", "lag_own_side", "lag_third_party", "lag_analyst")
_SHARES = ("killed_share", "evacuated_fraction", "return_fraction", "floor_slack")
_MAY_BE_ZERO = (*(name for name in _FIXED_ONLY if name != "bias_killed_adversary"), "killed_share_walk_sd", *_LAGS)
_STUDY_SET: dict[str, dict[str, float]] = {
    "bias_adversary": {"mean": 0.64, "mean_sd": 0.45, "total_sd": 0.6},
    "bias_own_side": {"mean": -0.6, "mean_sd": 0.6, "total_sd": 0.8},
    "bias_third_party": {"mean": 0.0, "mean_sd": 0.3, "total_sd": 0.4},
    "bias_analyst": {"mean": 0.0, "mean_sd": 0.3, "total_sd": 0.4},
    "bias_killed_adversary": {"value": 0.0},
}
_STUDY_WHY = {
    "bias_adversary": "+0.64, Ukrainian sources on Russian deaths, in " + _STUDY,
    "bias_own_side": "half of -1.20, Russian sources on Russian deaths, in " + _STUDY,
    "bias_killed_adversary": "the study's ratios are for deaths already",
}
_UNSEEN = "set without sight of any claim about the North Korean contingent"
SETS = ("default", "study")


@dataclass(frozen=True, repr=False)
class Priors(Shown, Mapping[str, Prior]):
    """All priors of a model, by name. Immutable; ``override`` returns a changed copy."""

    label: str
    rows: tuple[Prior, ...]

    def __getitem__(self, name: str) -> Prior:
        for row in self.rows:
            if row.name == name:
                return row
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        return (row.name for row in self.rows)

    def __len__(self) -> int:
        return len(self.rows)

    def override(self, changes: Mapping[str, Mapping[str, float] | Prior]) -> Priors:
        """Change some priors by name.

        Parameters
        ----------
        changes
            For each name either new numbers of the same family, all or some of them, or a whole ``Prior``.

        Raises
        ------
        InputError
            For a name or a number that does not exist (the message lists those that do), or an impossible value.
        """
        problems: list[Problem] = []
        changed: dict[str, Prior] = {}
        for name, change in changes.items():
            if name not in self:
                near = get_close_matches(name, list(self), 1)
                do = f"Did you mean {near[0]}?" if near else "Use one of these names."
                problems.append(Problem("priors", "", name, "an unknown name", ", ".join(self), do))
            elif isinstance(change, Prior):
                changed[name] = dataclasses.replace(change, name=name)
            else:
                numbers = {**self[name].numbers, **_floats(name, change, problems)}
                why = f"set by the user (default {self[name]}); {self[name].why}"
                changed[name] = dataclasses.replace(self[name], numbers=numbers, why=why)
        for prior in changed.values():
            problems += _check(prior)
        if problems:
            raise InputError("The priors cannot be used", problems)
        rows = tuple(changed.get(row.name, row) for row in self.rows)
        label = self.label if self.label.endswith(", changed") else f"{self.label}, changed"
        return Priors(label if rows != self.rows else self.label, rows)

    def table(self) -> pd.DataFrame:
        """One row each: name, family, numbers, unit, why."""
        import pandas as pd

        return pd.DataFrame([{"name": p.name, "prior": str(p), "unit": p.unit, "why": p.why} for p in self.rows])

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for storage and digests."""
        return {
            "label": self.label,
            "rows": [{**dataclasses.asdict(p), "numbers": dict(p.numbers)} for p in self.rows],
        }

    @property
    def digest(self) -> str:
        """SHA-256 over names, families and numbers."""
        numbers = [(p.name, p.family, sorted(p.numbers.items())) for p in self.rows]
        return hashlib.sha256(json.dumps(numbers).encode()).hexdigest()

    def summary_rows(self) -> tuple[str, list[tuple[str, str]]]:
        """Title and labelled facts, for display."""
        return f"Priors: {self.label}", [(p.name, f"{p}, {p.unit}: {p.why}") for p in self.rows]


def _floats(name: str, change: object, problems: list[Problem]) -> dict[str, float]:
    if not isinstance(change, Mapping):
        problems.append(Problem("priors", name, "numbers", shown(change), "numbers by name", "Name them."))
        return {}
    numbers = {}
    for key, value in change.items():
        try:
            numbers[key] = float(value)
        except (TypeError, ValueError):
            problems.append(Problem("priors", name, key, shown(value), "a number", "Correct it."))
    return numbers


def _check(prior: Prior) -> list[Problem]:
    def fail(column: str, got: object, expected: str) -> Problem:
        return Problem("priors", prior.name, column, shown(got), expected, "Correct it.")

    if prior.family not in FAMILIES:
        return [fail("family", prior.family, ", ".join(FAMILIES))]
    bias = prior.name.startswith("bias_") and prior.name not in _FIXED_ONLY
    only = "Fixed" if prior.name in _FIXED_ONLY else "StanceBias" if bias else prior.family
    if prior.name == "adversary_intensity":
        only = "Normal"
    if prior.name == "floor_slack":
        only = "Beta"
    if prior.name in _LAGS and prior.family not in ("LogNormal", "Fixed"):
        only = "LogNormal or Fixed"
    if prior.family != only:
        return [fail("family", prior.family, only)]
    names = FAMILIES[prior.family]
    problems = []
    if set(prior.numbers) != set(names):
        problems.append(fail("numbers", sorted(prior.numbers), ", ".join(names)))
        return problems
    for key, value in prior.numbers.items():
        if not math.isfinite(value):
            problems.append(fail(key, value, "a finite number"))
        elif (key in ("median", "a", "b", "scale") and value <= 0) or ("sd" in key and value < 0):
            problems.append(fail(key, value, "more than 0"))
        elif key == "value" and prior.name in _MAY_BE_ZERO and value < 0:
            problems.append(fail(key, value, "0 or more"))
        elif key == "value" and prior.name not in (*_FIXED_ONLY, *_MAY_BE_ZERO) and value <= 0:
            problems.append(fail(key, value, "more than 0"))
        elif key == "value" and prior.name in (*_SHARES, "briefing_share") and value >= 1:
            problems.append(fail(key, value, "less than 1"))
    if not problems and prior.family == "StanceBias" and prior.numbers["mean_sd"] > prior.numbers["total_sd"]:
        problems.append(fail("mean_sd", prior.numbers["mean_sd"], "at most total_sd"))
    return problems


def default_priors(campaign: Campaign, name: str = "default") -> Priors:
    """Priors for a campaign.

    Parameters
    ----------
    campaign
        Gives the prior of the contingent's size.
    name
        ``default``, or ``study``: bias priors from the published study alone, chosen without sight of any claim about
        the North Korean contingent (for backtests). The other rows are those of the default set.

    Returns
    -------
    Priors

    Raises
    ------
    InputError
        If there is no set of that name.
    """
    if name not in SETS:
        problem = Problem("priors", "", "name", shown(name), " or ".join(SETS), "Use one of these.")
        raise InputError("No such set of priors", [problem])
    priors = Priors("default", tuple(_defaults(campaign)))
    if name == "default":
        return priors
    changed = priors.override(_STUDY_SET)
    rows = tuple(
        dataclasses.replace(row, why=f"{_STUDY_WHY.get(row.name, 'no direction is published; wider')}; {_UNSEEN}")
        if row.name in _STUDY_SET
        else row
        for row in changed.rows
    )
    return Priors("study", rows)
