"""The page's own recursion, draw by draw, against the package's: forces lost before the vintage, long delays, odd settings."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import attrition as at
from attrition.depletion import depletion_dates
from attrition.fitted import Fit
from attrition.publishing import chart
from browser import executable, launched, missing
from drawings import make

pytestmark = pytest.mark.browser
SCRIPT = Path(chart.__file__).parent / "templates" / "draws.js"
PLAIN = {"pace": 1, "pauseStart": 1, "pauseDays": 0, "more": 0, "moreDay": 1, "kept": None, "delay": None}


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    blank = tmp_path_factory.mktemp("blank") / "blank.html"
    blank.write_text("<!doctype html><html lang=en><title>blank</title></html>", encoding="utf-8")
    with launched() as browser:
        opened = browser.new_page()
        opened.goto(blank.as_uri())
        opened.add_script_tag(path=SCRIPT)
        yield opened


def changed(scale: float, back: bool, **ratios: float) -> Fit:
    """A fit of random draws with so many times the losses, and, if asked, wounded who come back after up to 300 days."""
    fit = make(chains=2, draws=200)
    posterior = fit.posterior.copy()
    for name in ("daily_rate", "cumulative_loss", "cumulative_killed"):
        posterior[name] = scale * posterior[name]
    one, rng = posterior["contingent_size"], np.random.default_rng(7)
    for name, ratio in ratios.items():
        posterior[name] = 0.0 * one + ratio
    if back:
        posterior["evacuated_fraction"] = 0.0 * one + rng.uniform(0, 0.5, one.shape)
        posterior["return_fraction"] = 0.0 * one + rng.uniform(0, 1, one.shape)
        posterior["return_delay"] = 0.0 * one + rng.uniform(0.3, 300, one.shape)
    fit.draws["posterior"].dataset = posterior
    return fit


FITS = {
    "nobody comes back": (1.0, False, {}),
    "wounded come back": (0.9, True, {"captured_ratio": 0.05, "missing_ratio": 0.02}),
    "lost before the vintage": (4.5, True, {"missing_ratio": 0.1}),
}
SETTINGS = {
    "published": {},
    "changed": {"pace": 1.35, "pauseStart": 11, "pauseDays": 25, "more": 2500, "moreDay": 40},
    "standstill": {"pace": 0},
}


@pytest.mark.parametrize("setting", SETTINGS)
@pytest.mark.parametrize("name", FITS)
def test_every_draw_has_the_package_s_day(page: Any, name: str, setting: str):
    scale, back, ratios = FITS[name]
    fit = changed(scale, back, **ratios)
    now = PLAIN | SETTINGS[setting]
    scenario = at.pause(fit.vintage + dt.timedelta(days=now["pauseStart"]), now["pauseDays"], scenario=at.hold())
    scenario = at.multiply(now["pace"], scenario)
    if now["more"]:
        scenario = at.reinforce(now["more"], fit.vintage + dt.timedelta(days=now["moreDay"]), scenario, sd_log=0.0)
    data = chart.chart_data(fit)
    run = "async ([data, now]) => Object.fromEntries(Object.entries(depletionDays(await readDraws(data), now))" \
        ".map(([name, days]) => [name, [...days].map(day => day === Infinity ? null : day)]))"  # fmt: skip
    found = page.evaluate(run, [data, now])
    today, horizon = fit.campaign.day(fit.vintage), fit.campaign.horizon_days
    expected = depletion_dates(fit, scenario)
    lost = (expected["gross_with_reinforcement"].day <= today).any()
    assert bool(lost) == (name == "lost before the vintage")
    assert set(found) == set(expected) - ({"net"} if lost or not back else set())
    for definition, days in found.items():
        package = expected[definition].day.ravel() - today
        package = np.where(package > horizon, np.inf, package)
        mine = np.array([np.inf if day is None else day for day in days])
        np.testing.assert_array_equal(np.isinf(mine), np.isinf(package))
        ends = np.isfinite(package)
        np.testing.assert_allclose(mine[ends], package[ends], atol=2e-2)


def test_weighted_quantiles_and_shares_are_numpy_s(page: Any):
    rng = np.random.default_rng(3)
    values, weight = rng.normal(size=501), rng.gamma(1.0, size=501)
    values[:40] = np.inf
    weight = weight / weight.sum()
    sent = [[None if np.isinf(value) else value for value in values], weight.tolist()]
    run = "([values, weight]) => [0.05, 0.5, 0.9, 0.99]" \
        ".map(level => quantile(values.map(value => value ?? Infinity), weight, level))"  # fmt: skip
    found = page.evaluate(run, sent)
    expected = np.quantile(values, (0.05, 0.5, 0.9, 0.99), weights=weight, method="inverted_cdf")
    np.testing.assert_allclose(found, expected)
    plain = "values => [0.05, 0.5, 0.95].map(level => between(values, null, level))"
    some = rng.normal(size=400)
    np.testing.assert_allclose(page.evaluate(plain, some.tolist()), np.quantile(some, (0.05, 0.5, 0.95)))


def test_without_a_browser_tests_are_skipped_but_fail_in_ci(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert executable("/nowhere") is None
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match="why"):
        missing("why")
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="why"):
        missing("why")
