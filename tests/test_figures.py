"""Figures draw what their twins hold, name every source, survive odd posteriors and give the same bytes twice."""

from __future__ import annotations

import dataclasses
import datetime as dt
import warnings
from collections.abc import Callable, Iterator

import numpy as np
import pandas as pd
import pytest

import attrition as at
from attrition.fitted import Fit
from attrition.publishing import figures
from attrition.publishing.figure_data import MEASURES, dates_of
from drawings import BARE, CAMPAIGN, QUANTILES, all_figures, date_at, drawn, make, texts
from tables import read, row


@pytest.fixture(scope="module")
def fit() -> Fit:
    return make()


@pytest.fixture(autouse=True)
def _strict() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


@pytest.mark.parametrize(
    ("twin", "name"), [(figures.cumulative_data, "cumulative_loss"), (figures.rate_data, "daily_rate")]
)
def test_bands_are_quantiles_of_the_draws(fit: Fit, twin, name: str):
    table = twin(fit)
    first = (table["date"].iloc[0].date() - fit.campaign.start).days
    pooled = fit.array(name).reshape(-1, fit.array(name).shape[-1])[:, first:]
    assert list(table.columns) == ["date", *QUANTILES]
    for column, level in QUANTILES.items():
        np.testing.assert_allclose(table[column], [np.quantile(day, level) for day in pooled.T], rtol=1e-12)
    assert table["date"].iloc[0].date() == dt.date(2024, 11, 15)
    assert table["date"].iloc[-1].date() == fit.vintage
    assert (table["date"].diff().dropna() == pd.Timedelta(days=1)).all()


def test_what_is_drawn_is_the_twin(fit: Fit):
    ax = figures.cumulative_figure(fit)
    table = figures.cumulative_data(fit)
    median = ax.lines[0]
    np.testing.assert_array_equal(median.get_ydata(), table["q50"])
    for band, (low, high) in zip(ax.collections[:2], (("q05", "q95"), ("q25", "q75")), strict=True):
        y = band.get_paths()[0].vertices[:, 1]
        assert y.max() == table[high].max()
        assert y.min() == table[low].min()


def test_so_many_claims_that_labels_would_cover_each_other_are_drawn_as_marks(monkeypatch):
    from attrition.publishing import claim_marks

    fit = make()
    named = {text for text in texts(figures.cumulative_figure(fit).figure) if "rok-nis" in text}
    marks = len(figures.cumulative_figure(fit).lines)
    assert named
    monkeypatch.setattr(claim_marks, "MOST_NAMED", 3)
    monkeypatch.setattr(claim_marks, "place", None)  # not called: its time grows with the square of their number
    ax = figures.cumulative_figure(fit)
    assert not named & set(texts(ax.figure))
    assert 0 < len(ax.lines) <= marks


def test_claims_are_those_of_the_likelihood_untransformed(fit: Fit):
    table = figures.claims_data(fit).set_index("claim_id")
    losses = fit.seen.claims[fit.seen.claims["category"].isin(MEASURES)].set_index("claim_id")
    assert set(table.index) == set(losses.index)
    for column in ("interval_low", "interval_high"):
        np.testing.assert_array_equal(table[column], losses.loc[table.index, column].astype(float))
    assert table.loc["K126", ["value", "interval_low", "interval_high"]].tolist() == [24, 24, np.inf]
    assert table.loc["K038", "window_start"] == pd.Timestamp("2024-12-21")
    assert table.loc["K043", ["interval_low", "interval_high"]].tolist() == [3750, 3850]
    assert table["measure"].value_counts().to_dict() == {"total": 7, "killed": 2, "wounded": 2}


def test_every_claim_is_drawn_at_its_number(fit: Fit):
    ax = figures.cumulative_figure(fit)
    marks = {
        (float(x), float(y)) for line in ax.lines if line.get_marker() in list("soDh") for x, y in line.get_xydata()
    }
    table = figures.claims_data(fit)
    epoch = np.datetime64("1970-01-01", "D")
    for one in table.to_dict("records"):
        day = float((np.datetime64(one["as_of"].date(), "D") - epoch).astype(int))
        assert (day, one["value"]) in marks, one["claim_id"]


def test_every_source_of_a_loss_claim_is_named(fit: Fit):
    words = texts(figures.cumulative_figure(fit))
    for one in figures.claims_data(fit).to_dict("records"):
        suffix = "" if one["measure"] == "total" else f", {one['measure']}"
        assert any(text.startswith(f"{one['source']}{suffix}") for text in words), one["claim_id"]
    assert "us-whitehouse, 21–27 Dec" in words


def test_a_claimed_rate_is_drawn_with_the_rate():
    extra = row(claim_id="R1", source="beta", quantity="daily_rate", value="90", window_start="2025-01-01")
    fit = make(read(row(), extra), CAMPAIGN)
    assert not any(text.startswith("beta") for text in texts(figures.cumulative_figure(fit)))
    assert "beta, 1–9 Jan" in texts(figures.rate_figure(fit))


def test_a_claim_before_the_escalation_is_not_cut_off():
    fit = make(read(row(), row(claim_id="A0", as_of="2024-11-09", published="2024-11-10", value="60")), CAMPAIGN)
    assert figures.cumulative_data(fit)["date"].iloc[0] == pd.Timestamp("2024-11-07")


def test_phase_dates_of_the_draws_and_of_the_report(fit: Fit):
    table = figures.phase_data(fit).set_index("phase")
    draws = fit.array("phase_day")[..., 1]
    start = pd.Timestamp(fit.campaign.start)
    hours = (table.loc["escalation", ["q05", "q95"]] - start) / pd.Timedelta(days=1)
    np.testing.assert_allclose(hours.astype(float), np.quantile(draws, (0.05, 0.95)), atol=1e-6)
    posterior = fit.draws["posterior"].to_dataset().drop_vars("phase_day")
    tree = fit.draws.copy()
    tree["posterior"] = type(tree)(posterior)
    reported = figures.phase_data(dataclasses.replace(fit, draws=tree)).set_index("phase")
    assert reported.loc["escalation", "basis"] == "reported"
    assert reported.loc["escalation", "q95"] <= pd.Timestamp("2024-12-12")


# The date


def test_date_probabilities_are_those_of_the_draws_and_sum_to_one(fit: Fit):
    table = figures.date_data(fit, (at.hold(), at.forecast()))
    for scenario in (at.hold(), at.forecast()):
        date = at.depletion_date(fit, scenario)
        rows = table[table["scenario"] == scenario.name]
        assert rows["probability"].sum() == pytest.approx(1, abs=1e-12)
        assert rows["after_horizon"].tolist() == [False] * (len(rows) - 1) + [True]
        assert rows["probability"].iloc[-1] == pytest.approx(1 - date.probability_within_horizon)
        cumulative = np.cumsum(rows["probability"].to_numpy(float))
        for last, share in zip(rows["last_day"].iloc[:-1], cumulative[:-1], strict=True):
            assert share == pytest.approx(date.probability_by(last.date()))
        assert str(rows["last_day"].dtype).startswith("datetime64")
        days = (rows["last_day"] - rows["first_day"]).dt.days.iloc[:-1] + 1
        per_week = rows["probability"].iloc[:-1].astype(float) * 7 / days
        np.testing.assert_allclose(rows["per_week"].iloc[:-1].astype(float), per_week)
        assert set(days.iloc[:-1]) == {7}
        assert rows["last_day"].iloc[-2].date() == date.horizon


def test_quantiles_after_the_horizon_are_missing_not_dropped(fit: Fit):
    day = np.array([[100.0] * 6 + [np.inf] * 4])
    date = date_at(fit, day)
    table = figures.date_quantile_data(fit, [date]).iloc[0]
    assert table["q50"] == pd.Timestamp(date.quantile(0.5))
    assert pd.isna(table["q75"])
    assert table["after_horizon"] == pytest.approx(0.4)


def test_the_date_figure_says_what_lies_after_the_horizon(fit: Fit):
    horizon = fit.vintage + dt.timedelta(days=365)
    day = np.full((2, 50), 150.5)
    day[0, :12] = np.inf
    ax = figures.date_figure(fit, [date_at(fit, day)])
    words = texts(ax)
    assert f"after {horizon}: 12%" in words
    assert "isw: 2025-04-15" in words
    assert f"median {fit.campaign.date(150.5)}; 90% interval {fit.campaign.date(150.5)} to after {horizon}" in words
    panel, gauge = ax.child_axes
    assert sum(bar.get_height() * bar.get_width() / 7 for bar in panel.patches) == pytest.approx(88)
    assert gauge.patches[0].get_height() == pytest.approx(12)


@pytest.mark.parametrize(
    "day",
    [
        pytest.param(np.full((2, 5), np.inf), id="all after the horizon"),
        pytest.param(np.full((2, 5), 5000.25), id="dates after the horizon"),
        pytest.param(np.full((2, 5), 20.5), id="already depleted"),
        pytest.param(np.full((2, 5), -0.5), id="depleted before the calendar"),
        pytest.param(np.array([[20.0, 73.0, 73.0001, 80.0, 438.0, 438.0001]]), id="at the edges"),
        pytest.param(np.array([[73.0 - 14.0]]), id="one draw at the first edge"),
    ],
)
def test_odd_dates_are_drawn(fit: Fit, day: np.ndarray):
    dates = [date_at(fit, day), at.forecast()]
    rows = figures.date_data(fit, dates)
    first = rows[rows["scenario"] == "hold"]
    assert first["probability"].sum() == pytest.approx(1, abs=1e-12)
    assert first["probability"].iloc[-1] == pytest.approx(np.mean(day > 438))
    for shown in (dates, dates[:1]):
        assert len(drawn(figures.date_figure(fit, shown))) > 5000


def test_dates_already_computed_are_taken_as_they_are(fit: Fit):
    date = at.depletion_date(fit, at.hold())
    assert dates_of(fit, [date])[0] is date


# Odd fits


@pytest.mark.parametrize(
    "odd",
    [
        pytest.param(lambda: make(chains=1, draws=1), id="one draw"),
        pytest.param(lambda: make(chains=4, draws=1), id="one draw per chain"),
        pytest.param(lambda: make(campaign=BARE), id="no phases, no reference"),
        pytest.param(lambda: make(read(row(role="context")), CAMPAIGN), id="no claims"),
        pytest.param(lambda: make(read(row(role="context")), BARE), id="nothing"),
        pytest.param(lambda: make(read(row()).known_by("2025-01-10"), CAMPAIGN), id="one claim"),
        pytest.param(lambda: make(read(row(as_of="2024-11-05", published="2024-11-05")), BARE), id="one day"),
        pytest.param(lambda: make(read(row(bound="at_most", open="yes")), CAMPAIGN), id="open below"),
        pytest.param(
            lambda: make(read(row(bound="range", low="0", high="4000", value="")), CAMPAIGN), id="range from zero"
        ),
        pytest.param(lambda: make(read(row(bound="point", value="900000")), CAMPAIGN), id="far off"),
        pytest.param(lambda: make(created=""), id="no date of making"),
    ],
)
def test_odd_fits_are_drawn(odd: Callable[[], Fit]):
    fit = odd()
    for ax in all_figures(fit):
        assert len(drawn(ax)) > 5000
        assert any(f"Claims known by {fit.vintage}" in text for text in texts(ax))


def test_rates_of_zero_are_drawn():
    fit = make()
    for share in (0.0, 0.5):
        posterior = fit.draws["posterior"].to_dataset().copy(deep=True)
        keep = np.arange(posterior.sizes["draw"]) >= (1 - share) * posterior.sizes["draw"]
        for name in ("daily_rate", "cumulative_loss"):
            posterior[name].values[:, ~keep] = 0.0
        tree = fit.draws.copy()
        tree["posterior"] = type(tree)(posterior)
        still = dataclasses.replace(fit, draws=tree)
        for ax in all_figures(still):
            assert len(drawn(ax)) > 5000


def test_many_claims_are_all_named_in_reasonable_time():
    rng = np.random.default_rng(0)
    rows = [
        row(claim_id=f"M{n}", source=f"source-{n}", as_of=str(dt.date(2024, 12, 1) + dt.timedelta(days=int(day))))
        | {"value": str(100 * int(value))}
        for n, (day, value) in enumerate(zip(rng.integers(0, 39, 90), rng.integers(2, 60, 90), strict=True))
    ]
    words = texts(figures.cumulative_figure(make(read(*rows), CAMPAIGN)))
    assert {f"source-{n}" for n in range(90)} <= set(words)
