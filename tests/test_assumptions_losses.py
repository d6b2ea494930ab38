"""What figures of losses say: shares, captured and missing, stale floors and parts of the force."""

from __future__ import annotations

import functools

import numpy as np

from worlds import LONGER, RATE, date, fitted, fixed, inside, misses, off, record, recovers, says, sized, total

LOW = np.exp(-0.4)


@functools.cache
def understated():
    """Two sources that understate by a third, and nothing else: the truth is 8,000 of 20,000."""
    return fitted(record(*_low()), sized(20_000))


def _low():
    return [says(source, day, RATE * day * LOW) for source in ("third-a", "third-b") for day in (30, 50, 70, 80)]


# Shares


def test_the_killed_share_moves():
    """From 10% to 35% of a day's losses in five months; both totals are told every 17 days."""
    days = np.arange(181)
    logit = np.log(0.1 / 0.9) + (np.log(0.35 / 0.65) - np.log(0.1 / 0.9)) * days / 163
    share = 1.0 / (1.0 + np.exp(-logit))
    killed = RATE * np.concatenate([[0.0], np.cumsum(share[1:])])
    rows = []
    for day in range(10, 164, 17):
        rows += [says("calm", day, RATE * day), says("calm", day, killed[day], "killed")]
    old, new = (fitted(record(*rows), sized(25_000), killed_share_walk_sd=fixed(sd)) for sd in (0.0, 0.4))
    misses(old.array("cumulative_killed")[..., -1], killed[163], by=-0.25)
    misses(_share_now(old), share[160], by=-0.5)
    recovers(new.array("cumulative_killed")[..., -1], killed[163], within=0.1)
    recovers(_share_now(new), share[160], within=0.15)


def _share_now(fit):
    """Killed share of the last week."""
    killed, lost = (fit.array(name) for name in ("cumulative_killed", "cumulative_loss"))
    return (killed[..., -1] - killed[..., -8]) / (lost[..., -1] - lost[..., -8])


def test_captured_and_missing_are_lost_beside_the_killed_and_wounded():
    """Of each 125 lost, 5 were captured and 20 are missing: losses without them are no killed and wounded."""
    losses = [says("calm", day, 1.25 * RATE * day, "losses") for day in range(20, 90, 10)]
    others = [
        says("calm-counts", day, ratio * RATE * day, quantity)
        for quantity, ratio in (("captured", 0.05), ("missing", 0.20))
        for day in (40, 60, 80)
    ]
    nobody = {name: {"median": 1e-6} for name in ("captured_ratio", "missing_ratio")}
    old = fitted(record(*losses), settings=LONGER, **nobody)
    new = fitted(record(*losses, *others), settings=LONGER)
    assert any("captured or missing" in note for note in old.seen.notes)
    misses(total(old), 8_000, by=0.2)
    recovers(total(new), 8_000, within=0.03)
    recovers(new.array("captured_ratio"), 0.05, within=0.05)
    recovers(new.array("missing_ratio"), 0.20, within=0.05)


def test_about_a_third_killed():
    rows = [says("calm", day, RATE * day) for day in range(20, 90, 10)]
    third = says("third", 81, None, "killed_share", bound="range", low=0.28, high=0.38)
    old, new = (fitted(claims).array("killed_share") for claims in (record(*rows), record(*rows, third)))
    assert off(old, 0.33) < -0.2
    recovers(new, 0.33, within=0.05)
    assert np.std(new) < 0.4 * np.std(old)


def test_a_share_of_the_force_is_a_total():
    """ "About 40% of the force" of 20,000, beside two sources that understate."""
    share = says("calm", 80, None, "loss_share", bound="range", low=0.35, high=0.45)
    assert off(total(understated()), 8_000) < -0.25
    new = total(fitted(record(*_low(), share), sized(20_000)))
    recovers(new, 8_000, within=0.08)
    assert np.std(np.log(new)) < 0.5 * np.std(np.log(total(understated())))


# Floors


def test_stale_floors_do_not_pull_the_total_down():
    """A source says "over 1,000" from the 12th day to the 60th, when 6,000 are lost."""
    known = {"bias_adversary": {"mean": 0.0, "mean_sd": 0.1, "total_sd": 0.15}, "settings": LONGER}
    known["claim_error"] = {"median": 0.1, "sd_log": 0.4}
    others = [says("third", day, RATE * day) for day in (30, 60)]
    stale = [says("foe", day, 1000, bound="at_least") for day in range(12, 62, 6)]
    plain, slack = (fitted(record(*others, *stale), **known, **extra) for extra in (_CELLS, {}))
    misses(total(plain), 6_000, by=-0.25)
    recovers(total(slack), 6_000, within=0.3)
    assert np.median(slack.array("floor_slack")[..., 0]) > 0.4


_CELLS = {"floor_slack": {"a": 1, "b": 2000}}


def test_tight_floors_lose_little_by_slack():
    known = {"bias_adversary": {"mean": 0.0, "mean_sd": 0.1, "total_sd": 0.15}, "claim_error": {"median": 0.1}}
    others = [says("third", day, RATE * day) for day in (40, 80)]
    tight = [says("foe", day, day // 10 * 1000, bound="at_least") for day in range(13, 82, 6)]
    plain, slack = (total(fitted(record(*others, *tight), **known, **extra)) for extra in (_CELLS, {}))
    recovers(plain, 8_000, within=0.06)
    recovers(slack, 8_000, within=0.06)
    assert abs(np.median(slack) / np.median(plain) - 1.0) < 0.05
    assert 0.9 < np.std(slack) / np.std(plain) < 1.2


def test_parts_of_the_force_are_floors():
    """ "At least 2,900 in this battle", of 3,000 in a month, beside two sources that understate."""
    parts = [
        says("calm", 80, 2900, bound="at_least", role="partial", window_start=date(51)),
        says("calm", 40, 1000, bound="at_least", role="partial", window_start=date(30)),
    ]
    old, new = total(understated()), total(fitted(record(*_low(), *parts), sized(20_000), partial=True))
    assert np.quantile(old, 0.05) < 4_500
    assert np.quantile(new, 0.05) > 6_800
    assert inside(new, 8_000, 0.9)
    assert abs(off(new, 8_000)) < 0.1 < 0.25 < -off(old, 8_000)
