"""Campaign: what is being depleted: the contingent, its calendar, phases and strength, and the sentence to confront.

The invariant protected here: dates are in order, and what became public after ``known_by`` is not there.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import hashlib
import json
import math
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .claims import as_date
from .display import Shown, count
from .errors import InputError, Problem, shown
from .packages import package_folder
from .reading import date_of

PHASE_KINDS = ("contact", "escalation", "pause", "resume")
MAX_DAYS = 5000
SCHEMA = 1


@dataclass(frozen=True)
class Phase:
    """A dated change in the fighting; its date is uncertain by ``sd_days`` and public from ``published`` on.

    ``kind`` is contact (small losses before the escalation), escalation, pause or resume.
    """

    name: str
    kind: str
    date: dt.date
    sd_days: float
    published: dt.date
    why: str = ""
    events: tuple[str, ...] = ()


@dataclass(frozen=True)
class Strength:
    """Prior of the contingent's initial size: LogNormal(log median, sd_log), in persons."""

    median: float
    sd_log: float
    why: str = ""


@dataclass(frozen=True)
class Reinforcement:
    """One arrival of reinforcements: an uncertain size, LogNormal(log median, sd_log) persons, all there by an uncertain date.

    It comes in over the week before that date, which lies at the latest on the day of the report: one that is still under way
    then is modelled some days early. (The scenario ``reinforce`` adds all of it on its day.) Claims with the same ``wave``
    observe this one arrival. It is public from ``published`` on, like a phase.
    """

    wave: str
    date: dt.date
    sd_days: float
    published: dt.date
    median: float
    sd_log: float
    why: str = ""


@dataclass(frozen=True)
class DateOfInterest:
    """A date for which P(by date) is published."""

    date: dt.date
    label: str = ""


@dataclass(frozen=True)
class ReferenceProjection:
    """A published projection to place in the posterior; it is never fed to the model."""

    source: str
    published: dt.date
    daily_rate: float
    strength: float
    date: dt.date
    text: str = ""
    url: str = ""
    claim_ids: tuple[str, ...] = ()


@dataclass(frozen=True, repr=False)
class Campaign(Shown):
    """What is being depleted.

    Attributes
    ----------
    name, title, contingent
        Key, words for people, and the key of the contingent in the claims table.
    start, end
        First day of the calendar, and the last day that the model's calendar can cover.
    contingent_size
        Prior of the initial contingent.
    phases
        Dated changes, in order.
    reinforcements
        Arrivals after the initial contingent, in order.
    arrival_from, full_strength
        The initial contingent arrives evenly from the morning of the first of these days to the evening of the second; if they
        are empty it is there from the start.
    horizon_days
        The date is sought this many days past the vintage.
    dates_of_interest, reference_projection
        What to report against.
    vintage
        Only what was public by this date is present; None for everything.
    """

    name: str
    start: dt.date
    end: dt.date
    contingent_size: Strength
    title: str = ""
    contingent: str = ""
    phases: tuple[Phase, ...] = ()
    reinforcements: tuple[Reinforcement, ...] = ()
    arrival_from: dt.date | None = None
    full_strength: dt.date | None = None
    horizon_days: int = 365
    dates_of_interest: tuple[DateOfInterest, ...] = ()
    reference_projection: ReferenceProjection | None = None
    vintage: dt.date | None = None
    phase_slots: int = 0
    wave_slots: int = 0

    def __post_init__(self) -> None:
        problems = _problems(self)
        if problems:
            raise InputError("The campaign cannot be used", problems)
        object.__setattr__(self, "phase_slots", max(self.phase_slots, len(self.phases)))
        object.__setattr__(self, "wave_slots", max(self.wave_slots, len(self.reinforcements)))

    def known_by(self, date: dt.date | str) -> Campaign:
        """Only the phases, the reinforcements and the projection that were public by a date."""
        day = as_date(date, "known_by")
        if self.vintage is not None and day > self.vintage:
            do = "Start from the whole campaign."
            problem = Problem("known_by", "", "date", str(day), f"at most {self.vintage}", do)
            raise InputError("What became public later is no longer here", [problem])
        reference = self.reference_projection
        return dataclasses.replace(
            self,
            phases=tuple(phase for phase in self.phases if phase.published <= day),
            reinforcements=tuple(wave for wave in self.reinforcements if wave.published <= day),
            reference_projection=reference if reference and reference.published <= day else None,
            vintage=day,
        )

    def day(self, date: dt.date) -> int:
        """Days from ``start`` to a date."""
        return (date - self.start).days

    def date(self, day: float) -> dt.date:
        """Date that a day number falls on; a fraction of a day belongs to the day it ends in."""
        return self.start + dt.timedelta(days=math.ceil(day))

    @property
    def escalation(self) -> Phase | None:
        """The phase from which the rate is measured; None without one."""
        return next((phase for phase in self.phases if phase.kind == "escalation"), None)

    @property
    def rate_since(self) -> dt.date:
        """Reported date from which the mean rate is measured: the escalation, else the calendar's first day."""
        return self.escalation.date if self.escalation else self.start

    def as_dict(self) -> dict[str, Any]:
        """Plain values (dates as ISO text), for storage and digests."""
        plain: dict[str, Any] = json.loads(json.dumps(dataclasses.asdict(self), default=str))
        return plain

    @property
    def digest(self) -> str:
        """SHA-256 over everything visible."""
        return hashlib.sha256(json.dumps(self.as_dict(), sort_keys=True).encode()).hexdigest()

    def summary_rows(self) -> tuple[str, list[tuple[str, str]]]:
        """Title and labelled facts, for display."""
        size = self.contingent_size
        facts = [
            ("calendar", f"{self.start} to {self.end}, horizon {self.horizon_days} days past the vintage"),
            ("strength prior", f"median {count(size.median)} persons, log sd {size.sd_log}"),
        ]
        facts += [
            (phase.name, f"{phase.date} (sd {phase.sd_days:g} days), public from {phase.published}")
            for phase in self.phases
        ]
        facts += [
            (
                wave.wave,
                f"{wave.date} (sd {wave.sd_days:g} days), median {count(wave.median)} persons, log sd {wave.sd_log:g}",
            )
            for wave in self.reinforcements
        ]
        if self.reference_projection:
            ref = self.reference_projection
            words = f"{ref.source}: {ref.daily_rate:g} a day, {count(ref.strength)} by {ref.date}"
            facts.append(("projection to confront", words))
        return f"Campaign: {self.title or self.name}", facts


def _problems(campaign: Campaign) -> list[Problem]:
    found: list[Problem] = []

    def need(ok: bool, where: str, got: object, expected: str, do: str) -> None:
        if not ok:
            found.append(Problem("campaign", campaign.name, where, shown(str(got)), expected, do))

    days = (campaign.end - campaign.start).days
    need(0 < days <= MAX_DAYS, "end", campaign.end, f"1 to {MAX_DAYS} days after start", "Check both dates.")
    size = campaign.contingent_size
    need(size.median > 0, "contingent_size.median", size.median, "more than 0", "Give it in persons.")
    need(size.sd_log >= 0, "contingent_size.sd_log", size.sd_log, "0 or more", "0.1 is about ten percent.")
    need(1 <= campaign.horizon_days <= MAX_DAYS, "horizon_days", campaign.horizon_days, "days", "Try 365.")
    for number, phase in enumerate(campaign.phases):
        where = f"phases[{number}]"
        allowed = ", ".join(PHASE_KINDS)
        need(phase.kind in PHASE_KINDS, f"{where}.kind", phase.kind, allowed, "Use one of these words.")
        need(phase.sd_days >= 0, f"{where}.sd_days", phase.sd_days, "0 or more", "Give it in days.")
        inside = campaign.start <= phase.date <= campaign.end
        late = phase.published >= phase.date
        need(
            late, f"{where}.published", phase.published, f"{phase.date} or later", "A phase is reported once it began."
        )
        need(inside, f"{where}.date", phase.date, f"{campaign.start} to {campaign.end}", "Check it.")
        if number:
            before = campaign.phases[number - 1].date
            need(phase.date > before, f"{where}.date", phase.date, f"after {before}", "List phases in order.")
    kinds = [phase.kind for phase in campaign.phases]
    need(kinds.count("escalation") <= 1, "phases", kinds, "one escalation at most", "Call a later one resume.")
    _check_arrivals(campaign, need)
    if campaign.reference_projection:
        rate = campaign.reference_projection.daily_rate
        need(rate > 0, "reference_projection.daily_rate", rate, "> 0", "Check it.")
    return found


def _check_arrivals(campaign: Campaign, need: Callable[[bool, str, object, str, str], None]) -> None:
    first, full = campaign.arrival_from, campaign.full_strength
    need((first is None) == (full is None), "full_strength", full, "both ends of the build-up or none", "Give both.")
    if first and full:
        need(first <= full, "full_strength", full, f"{first} or later", "Check both dates.")
        do = "Before anybody has come nobody can be lost: let the calendar (start) begin with the first arrivals."
        need(first <= campaign.start, "arrival_from", first, f"{campaign.start} or earlier", do)
    names = [wave.wave for wave in campaign.reinforcements]
    for number, wave in enumerate(campaign.reinforcements):
        where = f"reinforcements[{number}]"
        need(
            bool(wave.wave) and names.count(wave.wave) == 1, f"{where}.wave", wave.wave, "a name of its own", "Name it."
        )
        need(wave.median > 0, f"{where}.median", wave.median, "more than 0", "Give it in persons.")
        need(wave.sd_log >= 0, f"{where}.sd_log", wave.sd_log, "0 or more", "0.5 is about a factor of 1.6.")
        need(wave.sd_days >= 0, f"{where}.sd_days", wave.sd_days, "0 or more", "Give it in days.")
        inside = campaign.start <= wave.date <= campaign.end
        need(inside, f"{where}.date", wave.date, f"{campaign.start} to {campaign.end}", "Check it.")
        late = wave.published >= wave.date
        need(late, f"{where}.published", wave.published, f"{wave.date} or later", "What is only planned is a scenario.")


def load_campaign(name: str) -> Campaign:
    """Campaign of a data package that ships with attrition.

    Parameters
    ----------
    name
        Of the package, for example ``dprk-kursk``.

    Returns
    -------
    Campaign

    Raises
    ------
    InputError
        If there is no such package; the message lists those there are.
    """
    return read_campaign(package_folder(name) / "campaign.toml")


def read_campaign(path: str | Path) -> Campaign:
    """Read a campaign from a TOML file; the packaged ``data/kursk/campaign.toml`` shows every key.

    Parameters
    ----------
    path
        Of the file.

    Returns
    -------
    Campaign

    Raises
    ------
    InputError
        With every unknown or missing key and every value that cannot be used.
    """
    raw = Path(path).read_bytes()
    try:
        content = tomllib.loads(raw.decode("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        problem = Problem(Path(path).name, "", "file", str(error), "TOML in UTF-8", "Mend the line.")
        raise InputError("The campaign cannot be read", [problem]) from error
    if content.pop("schema", SCHEMA) != SCHEMA:
        problem = Problem(
            Path(path).name, "", "schema", "another number", str(SCHEMA), "Upgrade attrition, or correct it."
        )
        raise InputError("The campaign cannot be read", [problem])
    return campaign_of(content)


_PARTS: dict[str, type] = {
    "contingent_size": Strength,
    "phases": Phase,
    "reinforcements": Reinforcement,
    "dates_of_interest": DateOfInterest,
    "reference_projection": ReferenceProjection,
}
_REFUSED = object()


def campaign_of(content: dict[str, Any]) -> Campaign:
    """Build a campaign from plain values, as a TOML file or ``Campaign.as_dict`` holds them."""
    problems: list[Problem] = []
    values = dict(content)
    for key, part in _PARTS.items():
        given = values.get(key)
        if isinstance(given, dict):
            values[key] = _make(part, given, key, problems)
        elif isinstance(given, list):
            values[key] = tuple(
                _make(part, item if isinstance(item, dict) else {}, f"{key}[{number}]", problems)
                for number, item in enumerate(given)
            )
    campaign: Campaign = _make(Campaign, values, "campaign", problems)
    if problems:
        raise InputError("The campaign cannot be read", problems)
    return campaign


def _make(kind: type, given: dict[str, Any], where: str, problems: list[Problem]) -> Any:
    fields = {field.name: field for field in dataclasses.fields(kind)}
    values: dict[str, Any] = {}
    for key, value in given.items():
        if key not in fields:
            known = ", ".join(fields)
            problems.append(Problem(where, "", key, "an unknown key", f"one of {known}", "Correct it."))
            continue
        try:
            values[key] = _typed(str(fields[key].type), value)
        except (TypeError, ValueError):
            expected = str(fields[key].type).replace("dt.", "")
            problems.append(Problem(where, "", key, shown(value), expected, "Correct it."))
    for key, field in fields.items():
        required = field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
        if required and key not in given:
            problems.append(Problem(where, "", key, "nothing", "a value", "Add it."))
    return _REFUSED if problems else kind(**values)


def _typed(annotation: str, value: Any) -> Any:
    if annotation.startswith("dt.date"):
        if value is None and "None" in annotation:
            return None
        if isinstance(value, str):
            value = date_of(value)
        if not isinstance(value, dt.date) or isinstance(value, dt.datetime):
            raise TypeError
        return value
    if annotation in ("float", "int"):
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise TypeError
        if annotation == "int" and value != int(value):
            raise TypeError
        return float(value) if annotation == "float" else int(value)
    if annotation == "str":
        if not isinstance(value, str):
            raise TypeError
        return value
    if annotation == "tuple[str, ...]":
        if not isinstance(value, list | tuple) or not all(isinstance(item, str) for item in value):
            raise TypeError
        return tuple(value)
    part = value is _REFUSED or isinstance(value, tuple(_PARTS.values()))
    optional = value is None and "None" in annotation
    if not (isinstance(value, tuple) if annotation.startswith("tuple") else part or optional):
        raise TypeError
    return value
