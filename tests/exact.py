"""The reporting model in 50 digits, straight from its definition: a difference of two distribution functions."""

from __future__ import annotations

from dataclasses import dataclass

import mpmath as mp
import numpy as np

from attrition.rounding import CEILING, FLOOR, GEOMETRIC, LINEAR, POINT

mp.mp.dps = 50


@dataclass(frozen=True)
class Spoken:
    """A stated number with its interval as the design has it (low, high), written down by hand."""

    label: str
    form: int
    value: float
    unit: float
    offset: float
    low: float
    high: float


FORMS = (
    Spoken("point", POINT, 1234.5, 1.0, 0.0, 1234.5, 1234.5),
    Spoken("count", LINEAR, 312.0, 1.0, -0.5, 311.5, 312.5),
    Spoken("narrow", LINEAR, 4e6, 1.0, -0.5, 3999999.5, 4000000.5),
    Spoken("approx", LINEAR, 3800.0, 100.0, -0.5, 3750.0, 3850.0),
    Spoken("approx zero", LINEAR, 0.0, 100.0, -0.5, 0.0, 50.0),
    Spoken("at_least", LINEAR, 3000.0, 1000.0, 0.0, 3000.0, 4000.0),
    Spoken("at_least narrow", LINEAR, 4e6, 1.0, 0.0, 4e6, 4e6 + 1),
    Spoken("at_most", LINEAR, 1000.0, 100.0, -1.0, 900.0, 1000.0),
    Spoken("at_most first cell", LINEAR, 100.0, 100.0, -1.0, 0.0, 100.0),
    Spoken("range", GEOMETRIC, 300.0, 4 / 3, 0.0, 300.0, 300.0 * (4 / 3)),
    Spoken("wide range", GEOMETRIC, 1.0, 2.0**20, 0.0, 1.0, 2.0**20),
    Spoken("floor met", FLOOR, 200.0, 200.0, 0.0, 200.0, np.inf),
    Spoken("floor not met", FLOOR, 0.0, 200.0, 0.0, 0.0, 200.0),
    Spoken("ceiling kept", CEILING, 200.0, 200.0, 0.0, 0.0, 200.0),
    Spoken("ceiling passed", CEILING, 400.0, 200.0, 0.0, 200.0, np.inf),
    Spoken("range from zero", CEILING, 400.0, 400.0, 0.0, 0.0, 400.0),
)


def tail(z, errors):
    """Probability of an error below z, resolved for z far below 0."""
    return 1 / (1 + mp.exp(-z)) if errors == "logistic" else mp.erfc(-z / mp.sqrt(2)) / 2


def log_probability(spoken, mu, scale, errors):
    """Log of F((log high - mu) / scale) - F((log low - mu) / scale), or of the density at the value."""
    mu, scale = mp.mpf(mu), mp.mpf(scale)
    if spoken.form == POINT:
        z = (mp.log(mp.mpf(spoken.value)) - mu) / scale
        shape = mp.sech(z / 2) ** 2 / 4 if errors == "logistic" else mp.npdf(z)
        return mp.log(shape / scale / mp.mpf(spoken.value))
    low = (mp.log(mp.mpf(spoken.low)) - mu) / scale if spoken.low > 0 else -mp.inf
    high = (mp.log(mp.mpf(spoken.high)) - mu) / scale if spoken.high < np.inf else mp.inf
    below = tail(low, errors) if low > -mp.inf else mp.mpf(0)
    above = tail(-high, errors) if high < mp.inf else mp.mpf(0)
    if low < 0 < high:
        return mp.log1p(-(below + above))
    if low >= 0:
        return mp.log(tail(-low, errors) - above)
    return mp.log(tail(high, errors) - below)


def odds(share):
    """Odds of a share, infinite from 1 on; written in the digits of the share as it is given."""
    share = mp.mpf(share)
    return mp.inf if share >= 1 else share / (1 - share)


def cell_probability(low, high, mu, scale, errors):
    """Probability that an estimate lies between two numbers (or odds)."""
    mu, scale = mp.mpf(mu), mp.mpf(scale)
    ends = [-mp.inf if x <= 0 else mp.inf if x == mp.inf else (mp.log(mp.mpf(x)) - mu) / scale for x in (low, high)]
    if ends[0] == mp.inf or ends[1] == -mp.inf:
        return mp.mpf(0)
    below = tail(ends[0], errors) if ends[0] > -mp.inf else mp.mpf(0)
    above = tail(-ends[1], errors) if ends[1] < mp.inf else mp.mpf(0)
    if ends[0] >= 0:
        return tail(-ends[0], errors) - above
    return tail(ends[1], errors) - below if ends[1] <= 0 else 1 - below - above


def slack_pmf(q, most=8):
    """Chances of 0, 1, ... units of slack: geometric, cut after seven and scaled to 1."""
    q = mp.mpf(q)
    whole = sum(q**k for k in range(most))
    return [q**k / whole for k in range(most)]


def probability_with_slack(index, unit, offset, origin, q, mu, scale, errors, share=False):
    """Probability of the value ``origin + index * unit``, by walking over cells and slacks.

    A source whose estimate lies in cell j says that of cell j - k, but of none below cell 0 if its estimate is not.
    """
    total = mp.mpf(0)
    unit, origin = mp.mpf(unit), mp.mpf(origin)
    for cell in range(index, index + 8):
        ends = [origin + (cell + mp.mpf(offset) + more) * unit for more in (0, 1)]
        inside = cell_probability(*(map(odds, ends) if share else ends), mu, scale, errors)
        for slack, chance in enumerate(slack_pmf(q)):
            said = cell if cell < 0 else max(cell - slack, 0)
            if said == index:
                total += inside * chance
    return total


def gradient(spoken, mu, scale, errors):
    """Derivative of the log probability wrt mu and wrt scale, by differences in 50 digits."""
    return (
        mp.diff(lambda m: log_probability(spoken, m, scale, errors), mp.mpf(mu)),
        mp.diff(lambda s: log_probability(spoken, mu, s, errors), mp.mpf(scale)),
    )


def grid(forms, standardised, scales):
    """Cases (spoken, mu, scale) such that the claim's finite end lies at each standardised distance from mu."""
    cases = []
    for spoken in forms:
        for end in {spoken.low, spoken.high} - {0.0, np.inf}:
            for scale in scales:
                cases += [(spoken, float(np.log(end) - z * scale), scale) for z in standardised]
    return cases


def columns(cases):
    """Arrays (value, mu, scale, form, unit, offset) of these cases."""
    rows = [(s.value, mu, scale, float(s.form), s.unit, s.offset) for s, mu, scale in cases]
    return tuple(np.array(rows).T)
