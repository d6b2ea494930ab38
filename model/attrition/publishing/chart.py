"""The interactive chart of the depletion date: the posterior draws that it works on, and how it looks.

The page recomputes each draw's date under ``hold``, changed as the reader says (``templates/draws.js``). It holds every
draw, so that its numbers before any change are those published.
"""

from __future__ import annotations

import base64
import datetime as dt
import zlib
from functools import cache
from typing import Any

import numpy as np

from ..checks.stances import PEOPLE
from ..checks.top_level import stances_spoken
from ..checks.without import data, free
from ..coding import SOURCE_KINDS
from ..depletion import DEFINITIONS, depletion_dates
from ..fitted import Fit, rate_since
from ..manpower import comes_back, everyone, gross_loss, loss_factor, wounded, wounded_share
from ..scenarios.rates import hold
from .optional import optional

SCALE = 65_535
FEWEST = 400
LONGEST_DELAY = 180  # days that a reader can ask for
BAR, LINE, MARK = "#7fa3c7", "#555555", "#7a4f00"


def chart_data(fit: Fit) -> dict[str, Any]:
    """Everything that the page needs to compute the date of each draw, as plain values.

    Parameters
    ----------
    fit
        The draws.

    Returns
    -------
    dict
        ``draws``: arrays with one number a draw, 32-bit floats in base64: ``rate`` (killed and wounded a day since the
        escalation), ``factor`` (gross loss per casualty), ``lost`` (gross), ``arrived``, ``size`` (persons), ``total``
        (killed and wounded by the vintage), ``kept`` (share of the wounded who come back), ``delay`` (days),
        ``wounded_share``, ``wounded_now``; where the initial contingent, or everyone, was lost by the vintage in some
        draw, ``past_gross`` and ``past_all`` (that day, in days after the vintage, else infinite). ``wounded``: running
        total of the wounded on each of the last ``days``, before which no delay reaches, as a share of ``wounded_now``
        (see ``packed``). ``stances``: ``unit`` (each draw's mean bias of a stance, in sds of its prior), ``spread``.
        ``net``: whether the definition net can be recomputed.
    """
    lost, there = gross_loss(fit), everyone(fit)
    arrays = {
        "rate": rate_since(fit),
        "factor": loss_factor(fit),
        "lost": lost[..., -1],
        "arrived": there[..., -1],
        "size": fit.array("contingent_size"),
        "total": fit.array("cumulative_loss")[..., -1],
    }
    days = lost.shape[-1]
    net = comes_back(fit) and not bool((lost >= there).any())
    if net:
        arrays["kept"] = (1.0 - fit.array("evacuated_fraction")) * fit.array("return_fraction")
        arrays["delay"] = fit.array("return_delay")
        arrays["wounded_share"] = wounded_share(fit)
        arrays["wounded_now"] = wounded(fit)[..., -1]
        days = min(days, max(LONGEST_DELAY, int(np.ceil(arrays["delay"].max()))) + 1)
    dates = depletion_dates(fit, hold())
    for name, definition in (("past_gross", "gross"), ("past_all", "gross_with_reinforcement")):
        day = dates[definition].day - fit.campaign.day(fit.vintage)
        if (day <= 0).any():
            arrays[name] = np.where(day <= 0, day, np.inf)
    return {
        "passed": fit.passed,
        "count": int(arrays["rate"].size),
        "vintage": fit.vintage.isoformat(),
        "horizon": fit.campaign.horizon_days,
        "since": fit.campaign.rate_since.isoformat(),
        "days": days,
        "net": net,
        "definitions": DEFINITIONS if net else {name: text for name, text in DEFINITIONS.items() if name != "net"},
        "by": _date_asked(fit).isoformat(),
        "fewest": FEWEST,
        "draws": {name: _floats(array) for name, array in arrays.items()},
        "wounded": packed(wounded(fit)[..., -days:]) if net else "",
        "stances": _stances(fit),
    }


def _date_asked(fit: Fit) -> dt.date:
    """The first date of interest ahead, else ninety days ahead."""
    horizon = fit.vintage + dt.timedelta(days=fit.campaign.horizon_days)
    asked = [one.date for one in fit.campaign.dates_of_interest if fit.vintage < one.date <= horizon]
    return min(asked, default=min(fit.vintage + dt.timedelta(days=90), horizon))


def _floats(array: np.ndarray) -> str:
    return base64.b64encode(np.ascontiguousarray(array.ravel(), dtype="<f4").tobytes()).decode()


def packed(total: np.ndarray) -> str:
    """Running totals (chain, draw, day) as shares of their last value, in few signs.

    Each share is a whole number of 65,535ths. Written are the second differences of each draw's days, all low bytes before
    all high bytes, compressed (zlib), in base64: the rate is smooth, so that most differences are small.
    """
    flat = total.reshape(-1, total.shape[-1])
    share = np.divide(flat, flat[:, -1:], out=np.zeros_like(flat), where=flat[:, -1:] > 0)
    steps = np.diff(np.rint(share * SCALE).astype(np.int64), n=2, axis=-1, prepend=np.zeros((len(flat), 2), np.int64))
    words = np.ascontiguousarray((steps % (SCALE + 1)).astype("<u2"))
    planes = words.view(np.uint8).reshape(-1, 2).T
    return base64.b64encode(zlib.compress(np.ascontiguousarray(planes).tobytes(), 9)).decode()


def _stances(fit: Fit) -> list[dict[str, Any]]:
    """Stances whose mean bias has a prior with a spread: only those can be shifted by weights on the draws."""
    if "stance_prior" not in fit.draws["constant_data"] or "stance_unit" not in fit.draws["free"]:
        return []
    prior, unit = data(fit)["stance_prior"], free(fit)["stance_unit"]
    found = []
    for kind in stances_spoken(fit):
        number = SOURCE_KINDS.index(kind)
        center, spread = (float(value) for value in prior[number])
        if spread > 0:
            found.append(
                {
                    "kind": kind,
                    "people": PEOPLE[kind],
                    "center": center,
                    "spread": spread,
                    "unit": _floats(unit[..., number]),
                }
            )
    return found


@cache
def chart_script() -> str:
    """The chart's own software with everything that it needs, as one script; it gives ``vegaEmbed`` to the page.

    Raises
    ------
    InputError
        If the extra ``report`` is not installed.
    """
    bundle: str = optional("vl_convert").javascript_bundle("window.vegaEmbed = vegaEmbed;")
    return bundle.replace("</script", "<\\/script").replace("<!--", "<\\!--")


def chart_spec() -> dict[str, Any]:
    """Vega-Lite specification of the chart; its data sets ``weeks``, ``before`` and ``marks`` are filled by the page.

    Raises
    ------
    InputError
        If the extra ``report`` is not installed.
    """
    alt = optional("altair")
    axis = {
        "labelFont": "sans-serif",
        "titleFont": "sans-serif",
        "labelFontSize": 12,
        "titleFontSize": 12,
        "titleFontWeight": "normal",
    }
    when = alt.X(
        "first:T",
        scale=alt.Scale(type="utc"),
        title="Week in which depletion falls",
        axis=alt.Axis(
            format="%b %Y", labelAngle=0, tickCount="month", labelOverlap="greedy", labelSeparation=10, grid=False
        ),
    )
    share = alt.Y("share:Q", title="Probability per week", stack=None, axis=alt.Axis(format="~%", tickCount=5))
    bars = alt.Chart(alt.NamedData("weeks")).mark_rect(color=BAR).encode(when, alt.X2("last:T"), share, y2=alt.datum(0))
    before = (
        alt.Chart(alt.NamedData("before"))
        .mark_line(interpolate="step-after", color=LINE, strokeWidth=1.2)
        .encode(alt.X("first:T"), share)
    )
    marks = (
        alt.Chart(alt.NamedData("marks"))
        .mark_rule(strokeWidth=1.6)
        .encode(
            alt.X("date:T"),
            color=alt.Color("color:N", scale=None),
            strokeDash=alt.StrokeDash(
                "dash:N", scale=alt.Scale(domain=["solid", "dashed"], range=[[1, 0], [5, 3]]), legend=None
            ),
        )
    )
    chart = alt.layer(bars, before, marks).properties(width="container", height=240)
    spec: dict[str, Any] = chart.configure_axis(**axis).configure_view(stroke=None).to_dict()
    return spec
