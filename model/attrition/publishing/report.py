"""The report: one page that holds everything itself, works from disk and loads nothing.

Whatever others wrote is escaped; nothing runs but the page's own scripts, whose hashes stand in its policy.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from functools import partial
from importlib.resources import files
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from ..checks.conflict import prior_conflict
from ..checks.convergence import convergence
from ..checks.drift import drifting_sources
from ..checks.predictive import posterior_predictive, prior_predictive
from ..checks.result import CheckResult
from ..checks.sensitivity import prior_sensitivity
from ..checks.stances import stance_shifts
from ..curves import default_curve
from ..depletion import DepletionDate, reference_place
from ..display import count, percent
from ..errors import InputError
from ..fitted import Fit
from ..reporting import Reporting
from ..sampling import Settings
from . import report_tables as tables
from .chart import LONGEST_DELAY, chart_data, chart_script, chart_spec
from .figures import cumulative_figure, date_figure, rate_figure
from .html import image, json_text, link, policy, unbroken
from .optional import optional
from .sentences import answer_sentences
from .style import STANCES, drawn_on, literal
from .summary import published_dates, scenarios

HEADINGS = {
    "total": "Killed and wounded so far, with every claim",
    "rate": "How many a day",
    "date": "The date under each scenario",
    "try": "The date under other conditions",
    "reference": "The published projection, placed in the posterior",
    "bias": "How far each source departs, as estimated",
    "rests": "What the answer rests on",
    "aside": "What was left out, and why",
    "checks": "Checks",
    "made": "How it was made",
}
NARROW = 4.0
UNRUN = {
    "later claims": "predicts the later half of the claims from the earlier half, and samples again for that",
    "claims left out": "predicts each claim from all others, and samples again where weights do not do",
    "sources left out": "fits again without each source",
}


def report_page(fit: Fit) -> str:
    """Write the report of a fit as one HTML page.

    Parameters
    ----------
    fit
        The draws; if their convergence gate failed, the page says first that it is not a final result.

    Returns
    -------
    str
        The whole page, in UTF-8: figures, data and scripts are in it, and its policy forbids to load anything.

    Raises
    ------
    InputError
        If the extra ``report`` is not installed.

    Notes
    -----
    Made of the fit alone: the same fit gives the same page. The checks that sample the model again are not run, and the
    page says so.
    """
    found = published_dates(fit)
    results, unrun = _checked(fit)
    data = chart_data(fit)
    scripts = [chart_script(), _template("draws.js") + _template("controls.js")]
    style = _template("report.css")
    markup = optional("markupsafe").Markup
    horizon = fit.vintage + dt.timedelta(days=fit.campaign.horizon_days)
    by = dt.date.fromisoformat(data["by"])
    context = {
        "policy": policy(scripts, [style]),
        "style": markup(style),
        "scripts": [markup(script) for script in scripts],
        "payload": markup(json_text({"draws": data, "spec": chart_spec()})),
        "title": fit.campaign.title or fit.campaign.name,
        "vintage": fit.vintage.isoformat(),
        "generated": drawn_on(fit, None),
        "entered": _entered(fit),
        "aside": len(fit.seen.set_aside),
        "passed": fit.passed,
        "gate_sentence": fit.gate.get("sentence", ""),
        "answer": answer_sentences(fit),
        "headings": HEADINGS,
        "contents": list(HEADINGS.items()),
        "horizon": horizon.isoformat(),
        "first_by": (fit.vintage + dt.timedelta(days=1)).isoformat(),
        "scenarios": [(name, f"if {one['gross'].sentence}") for name, one in found.items()],
        "figures": _figures(fit, [one["gross"] for one in found.values()]),
        "draws": f"{data['count']:,}",
        "since": fit.campaign.rate_since.isoformat(),
        "definitions": list(data["definitions"].items()),
        "by": by.isoformat(),
        **_sliders(fit, data),
        "tables": {
            "claims": tables.claims_table(fit),
            "phases": tables.phases_table(fit),
            "dates": tables.dates_table(fit, found),
            "now": tables.now_table({name: found["hold"][name] for name in data["definitions"]}, by),
            "levels": tables.levels_table(fit),
            "sources": tables.sources_table(fit),
            "sides": tables.sides_table(fit),
            "aside": tables.aside_table(fit),
            "checks": tables.checks_table(results),
            "made": tables.made_table(fit),
        },
        "reference": _reference(fit, {name: one["gross"] for name, one in found.items()}),
        "rests": _rests(results),
        "notes": [_sentence(note) for note in fit.seen.notes],
        "unrun": unrun,
        "commands": _commands(fit),
    }
    jinja = optional("jinja2")
    rules = jinja.Environment(autoescape=True, undefined=jinja.StrictUndefined, trim_blocks=True)
    rules.filters["unbroken"] = unbroken
    page: str = rules.from_string(_template("report.html.j2")).render(context)
    return page


def _entered(fit: Fit) -> str:
    claims, sources = len(fit.seen.claims), int(fit.seen.claims["source"].nunique())
    return f"{claims} claim{'s' * (claims != 1)} of {sources} source{'s' * (sources != 1)}"


def _template(name: str) -> str:
    return files("attrition.publishing").joinpath("templates", name).read_text(encoding="utf-8")


def _checked(fit: Fit) -> tuple[list[CheckResult], list[str]]:
    """Results of the checks that are quick, and a sentence for each check that was not run."""
    quick: dict[str, Callable[[Fit], CheckResult]] = {
        "convergence": convergence,
        "prior predictive": partial(prior_predictive, seed=0),
        "posterior predictive": partial(posterior_predictive, seed=0),
        "drifting sources": partial(drifting_sources, seed=0),
        "prior sensitivity": prior_sensitivity,
        "stance shifts": stance_shifts,
        "prior conflict": prior_conflict,
    }
    results, unrun = [], []
    for name, check in quick.items():
        try:
            results.append(check(fit))
        except InputError as error:
            unrun.append(f"{name}: it cannot be run on this fit. {error.problems[0]}")
    unrun += [f"{name}: {words}." for name, words in UNRUN.items()]
    return results, [*unrun, "All of them: attrition checks FOLDER, or all_checks(fit) in Python."]


def _figures(fit: Fit, dates: list[DepletionDate]) -> dict[str, dict[str, str]]:
    total = fit.array("cumulative_loss")[..., -1]
    low, middle, high = (count(value) for value in np.quantile(total, (0.05, 0.5, 0.95)))
    known = f"as known on {fit.vintage}"
    drawings: dict[str, tuple[Callable[..., Any], float, str, str]] = {
        "total": (
            cumulative_figure,
            5.6,
            f"Curve of the killed and wounded by the end of each day, {known}, with each claim as an interval by its source. "
            f"On the last day the median is {middle}, the 90% interval {low} to {high}. The claims are in the table below.",
            "Each claim stands at its own number, with the interval that its rounding leaves; biases are not taken out.",
        ),
        "rate": (
            rate_figure,
            4.6,
            f"Curve of the killed and wounded on each day, {known}, with the phases of the fighting as reported, which are in "
            "the table below.",
            "The phases are those reported by the vintage.",
        ),
        "date": (
            partial(date_figure, scenarios=dates),
            5.0,
            f"Probability of the depletion date by week under each scenario, {known}. The numbers are in the table below.",
            "The initial contingent, each person once. The bar at the right is the probability that lies after the horizon.",
        ),
    }
    found = {}
    for name, (draw, height, alt, caption) in drawings.items():
        axes = draw(fit)
        scale = " The axis of the rate is logarithmic." if axes.get_yscale() == "log" else ""
        found[name] = {
            "wide": image(axes),
            "narrow": _narrow(draw, fit, height),
            "alt": alt,
            "caption": caption + scale,
        }
    return found


def _narrow(draw: Callable[..., Any], fit: Fit, height: float) -> str:
    """The figure as wide as a phone. Its title, dates and sentences are left to the page, which has them all."""
    ax = draw(fit, ax=Figure(figsize=(NARROW, height)).add_axes((0.16, 0.32, 0.78, 0.66)))
    left_out = (f"{literal(fit.campaign.title or fit.campaign.name, 70)}: ", "Claims known by ", "median ")
    for text in [text for axes in (ax, *ax.child_axes) for text in axes.texts]:
        words = text.get_text()
        if words.startswith(left_out):
            text.set_visible(False)
        for scenario in scenarios():
            if words.startswith(f"{scenario.name}: "):
                text.set_text(scenario.name)
    return image(ax, tight=True)


def _sliders(fit: Fit, data: dict[str, Any]) -> dict[str, Any]:
    """Where the sliders end and begin."""
    latest = min(data["horizon"], 240)
    thousands = max(1, round(float(np.median(fit.array("contingent_size"))) / 1000))
    found: dict[str, Any] = {
        "net": data["net"],
        "longest_delay": LONGEST_DELAY,
        "latest": latest,
        "longest_pause": min(data["horizon"], 180),
        "most": 1000 * thousands,
        "most_step": 250,
        "stances": [
            {"kind": one["kind"], "label": f"{STANCES[one['kind']][2].capitalize()}: mean bias"}
            for one in data["stances"]
        ],
        "kept": 0,
        "delay": 0,
    }
    if data["net"]:
        kept = (1.0 - fit.array("evacuated_fraction")) * fit.array("return_fraction")
        found["kept"] = round(100 * float(np.median(kept)))
        found["delay"] = round(float(np.median(fit.array("return_delay"))))
    return found


def _reference(fit: Fit, dates: dict[str, DepletionDate]) -> dict[str, Any] | None:
    reference = fit.campaign.reference_projection
    if reference is None:
        return None
    places: list[str] = []
    for name, date in dates.items():
        place = reference_place(fit, date)
        if place is None:
            continue
        if not places:
            places.append(f"Below its rate, {place.rate:g} a day: {percent(place.rate_quantile)}.")
        if place.date_quantile is None:
            places.append(f"Its date, {place.date}, lies after the horizon.")
        else:
            places.append(f"At or before its date, {place.date}, under {name}: {percent(place.date_quantile)}.")
    text = reference.text or (
        f"{count(reference.daily_rate)} a day; {count(reference.strength)} killed or wounded by {reference.date}."
    )
    published = reference.published.isoformat()
    return {
        "text": text,
        "source": reference.source,
        "published": published,
        "url": link(reference.url),
        "places": places,
    }


def _rests(results: list[CheckResult]) -> list[dict[str, Any]]:
    """Sentences of the two checks that say what the answer rests on."""
    leads = {
        "stance shifts": "What would change if the sources of a side overstated a little more than assumed:",
        "prior sensitivity": "Which numbers move with the width of which prior (sensitivity; 0.05 and more is told):",
    }
    found = []
    for name, lead in leads.items():
        for result in results:
            if result.name == name:
                parts = result.sentence.split(" [power-scaling")[0].split("; ")
                found.append({"lead": lead, "sentences": [_sentence(part) for part in parts]})
    return found


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:].rstrip('.')}."


def _commands(fit: Fit) -> list[tuple[str, str]]:
    """How to make it again, on the command line or in Python."""
    label, usual = fit.priors.label, Settings(draws=fit.settings.draws)
    others = {
        "priors": label not in ("default", "study"),
        "curve": fit.curve != default_curve(fit.campaign),
        "reporting": fit.reporting != Reporting(),
        "settings": fit.settings != usual and not fit.gate.get("escalated"),
        "model": fit.extended,
    }
    own = [name for name, differs in others.items() if differs]
    if own:
        given = ", ".join(f"{name}=..." for name in own)
        lead = f"In Python, with {', '.join(own)} of its own, for which the command line has no options:"
        vintage = f'known_by="{fit.vintage}", seed={fit.seed}'
        commands = [(lead, f'fit = at.fit(claims, campaign, {vintage}, {given})\nat.publish(fit, "FOLDER")')]
    else:
        options = f"--known-by {fit.vintage} --seed {fit.seed}"
        if fit.settings.draws != Settings.draws:
            options += f" --draws {fit.settings.draws}"
        if label == "study":
            options += f" --priors {label}"
        lead = "With the same claims table and campaign file:"
        made = f"attrition fit CLAIMS.csv --campaign CAMPAIGN.toml {options} --out FOLDER\nattrition publish FOLDER"
        commands = [(lead, made)]
    commands.append(("To recompute every number of a published folder from its draws:", "attrition verify FOLDER"))
    return commands
