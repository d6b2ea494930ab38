"""How sources report: delays, own killed shares, biases that move, copies and briefings, each with a narrow model beside it."""

from __future__ import annotations

import numpy as np
import pytest

import attrition as at
from worlds import (
    LONGER,
    RATE,
    date,
    fitted,
    fixed,
    inside,
    misses,
    moving,
    record,
    recovers,
    says,
    sized,
    total,
    undated,
)

STILL = {"source_drift_sd": {"median": 1e-6}}
DEAF = {"adversary_intensity": {"mean": 0.0, "sd": 1e-6}}


# Delays


def test_undated_figures_are_old():
    """A source gives no dates and is a week behind; one dated figure of another lets the delay be told."""
    rows = [undated("calm-undated", day, RATE * (day - 7)) for day in range(21, 92, 7)]
    claims = record(*rows, says("calm-dated", 50, RATE * 50))
    misses(total(fitted(claims, lag_analyst=fixed(0.0))), 9_100, by=-0.08)
    new = fitted(claims, lag_analyst={"median": 4, "sd_log": 0.8})
    recovers(total(new), 9_100, within=0.03)
    lag = new.array("source_lag")[..., 0]
    recovers(lag, 7.0, within=0.2)
    assert np.std(lag) < 1.5


def test_a_figure_dated_to_a_month_may_speak_of_its_first_days():
    """3,300 in February was the 2nd of it, 6,200 in March the 2nd; read as of the months' last days they are low."""
    others = [says("third", day, RATE * day * np.exp(0.1)) for day in (20, 40, 60, 80)]
    others.append(says("calm", 31, RATE * 31))
    months = ((59, 33, 31), (91, 62, 60))
    read_as_last = [says("calm", last, RATE * spoken) for last, spoken, _ in months]
    read_as_month = [says("calm", last, RATE * spoken, as_of_from=date(first)) for last, spoken, first in months]
    known = {"settings": LONGER, "claim_error": {"median": 0.1}}
    misses(total(fitted(record(*others, *read_as_last), **known)), 9_100, by=-0.15)
    recovers(total(fitted(record(*others, *read_as_month), **known)), 9_100, within=0.06)


# Sources with something of their own


def test_a_source_has_a_killed_share_of_its_own():
    """One source says 15% killed in ten briefings, three others 33% to 42% in one each; 30% were."""
    rows = []
    for source, share, days in (
        ("third", 0.15, range(15, 90, 8)),
        ("calm-one", 0.36, (80,)),
        ("calm-two", 0.33, (82,)),
        ("calm-three", 0.42, (85,)),
    ):
        for day in days:
            rows += [says(source, day, RATE * day), says(source, day, share * RATE * day, "killed")]
    claims = record(*rows)
    misses(fitted(claims, killed_share_source_sd={"value": 0.01}).array("killed_share"), 0.30, by=-0.2)
    new = fitted(claims, settings=LONGER, killed_share_source_sd={"value": 0.6})
    recovers(new.array("killed_share"), 0.30, within=0.1)
    np.testing.assert_allclose(np.median(new.array("source_killed_share")[..., 0]), 0.15, atol=0.01)


def test_a_bias_drifts():
    """A source that starts out right understates by 45% eleven weeks later."""
    claims = record(*(says("calm", day, RATE * day * np.exp(-0.6 * (day - 11) / 77)) for day in range(11, 89, 7)))
    misses(total(moving(claims, **STILL, **DEAF)), 8_800, by=-0.2)
    recovers(total(moving(claims, source_drift_sd={"median": 0.3}, **DEAF)), 8_800, within=0.06)


def test_an_adversary_overstates_heavy_fighting():
    """20 a day, then 200: the bias of weekly figures goes with the 0.4th power of the rate, and is 0 at 50 a day."""
    weights = (0.4,) * 31 + (4.0,) * 30
    by_end = np.concatenate([[0.0, 0.0], np.cumsum(50 * np.array(weights[1:]))])
    rows = []
    for day in (21, 28, 45, 48, 52, 56, 60):
        week = by_end[day + 1] - by_end[day - 6]
        rate = (by_end[day + 1] - by_end[day - 13]) / 14
        rows.append(says("foe", day, week * (rate / 50) ** 0.4, window_start=date(day - 6)))
    truth, known = by_end[61], {"bias_adversary": {"mean": 0.0, "mean_sd": 0.03, "total_sd": 0.05}}
    misses(total(moving(record(*rows), weights, **known, **STILL, **DEAF)), truth, by=0.3)
    new = moving(record(*rows), weights, **known, **STILL)
    recovers(total(new), truth, within=0.1)
    recovers(new.array("adversary_intensity"), 0.4, within=0.15)


# Copies and briefings


def test_copies_are_found_and_marked_they_count_once():
    """Three sources repeat a fourth, which overstates by 46%; unmarked, agreement looks like knowledge."""
    days = range(11, 60, 7)
    own = [says("third", day, RATE * day * np.exp(0.38)) for day in days]
    copies = [
        says(f"third-copy-{factor}", day, factor * RATE * day * np.exp(0.38), published=date(day + 1))
        for factor in (1.0, 0.95, 1.05)
        for day in days
    ]
    known = {"bias_third_party": {"mean": 0.0, "mean_sd": 0.05, "total_sd": 0.3}}
    alone, unmarked = record(*own).known_by(date(59)), record(*own, *copies).known_by(date(59))
    found = at.dependence(unmarked)
    proportional = found[(found["kind"] == "proportional") & (found["of_source"] == "third")]
    assert set(proportional["source"]) == {"third-copy-1.0", "third-copy-0.95", "third-copy-1.05"}
    marked = unmarked
    for _, row in proportional.iterrows():
        marked = marked.marked(row["claim_ids"], derived_from=row["of"])
    once, naive, counted_once = (
        total(fitted(claims, sized(30_000), **known), 53) for claims in (alone, unmarked, marked)
    )
    misses(naive, 5_300, by=0.3)
    assert np.log(naive).std() < 0.7 * np.log(once).std()
    recovers(counted_once, 5_300, within=0.4)
    error = _mean_error(np.log(once)) + _mean_error(np.log(counted_once))
    assert abs(np.log(once).mean() - np.log(counted_once).mean()) < 3 * error
    assert np.log(counted_once).std() == pytest.approx(np.log(once).std(), rel=0.1)


def _mean_error(draws):
    import arviz as az

    return float(az.mcse(draws, method="mean"))


def test_a_marked_copy_narrows_no_interval():
    """A concordant record: a source is right, another repeats it to the digit, and is marked; the spread stays."""
    import arviz as az

    own = [says("third", day, RATE * day) for day in range(11, 60, 7)]
    copies = [says("third-copy", day, RATE * day, published=date(day + 1)) for day in range(11, 60, 7)]
    both = record(*own, *copies).known_by(date(59))
    found = at.dependence(both)
    proportional = found[found["kind"] == "proportional"]
    assert set(proportional["source"]) == {"third-copy"}
    marked = both
    for _, row in proportional.iterrows():
        marked = marked.marked(row["claim_ids"], derived_from=row["of"])
    alone, counted_once, twice = (
        np.log(total(fitted(claims, settings=LONGER), 52)) for claims in (record(*own).known_by(date(59)), marked, both)
    )
    error = np.hypot(*(float(az.mcse(draws, method="sd")) for draws in (alone, counted_once)))
    assert abs(counted_once.std() - alone.std()) < 3 * error
    assert twice.std() < counted_once.std() - 3 * error


def test_figures_of_one_briefing_share_an_error():
    """Five briefings give total, killed and wounded, all three too high by one and the same error of 7% to 14%."""
    rows = []
    for day, error in {20: 0.13, 35: 0.07, 50: 0.10, 65: 0.12, 80: 0.08}.items():
        spoken = RATE * day * np.exp(error)
        rows += [says("calm", day, spoken), says("calm", day, 0.25 * spoken, "killed")]
        rows.append(says("calm", day, 0.75 * spoken, "wounded"))
    known = {"killed_share": {"a": 300, "b": 900}}
    known |= {name: {"median": 0.2, "sd_log": 0.05} for name in ("claim_error", "claim_error_killed")}
    alone, shared = (
        total(fitted(record(*rows), settings=LONGER, briefing_share={"value": share}, **known)) for share in (0.0, 0.5)
    )
    assert np.log(shared).std() / np.log(alone).std() > 1.2  # root of 2 if errors were normal
    misses(alone, 8_000, by=0.08)
    assert inside(shared, 8_000, 0.95)
