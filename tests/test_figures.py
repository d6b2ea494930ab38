"""Figures draw what their twins hold, name every source, survive odd posteriors and give the same bytes twice."""

from __future__ import annotations

import dataclasses
import datetime as dt
import io
import re
import warnings
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Text

import attrition as at
from attrition.build import cut_to_vintage
from attrition.campaign import Campaign
from attrition.claims import Claims
from attrition.coding import SOURCE_KINDS
from attrition.depletion import DepletionDate
from attrition.fitted import Fit, label
from attrition.observations import observe
from attrition.priors import default_priors
from attrition.publishing import figures
from attrition.publishing.figure_data import dates_of
from attrition.publishing.label_places import Label, Surroundings, place
from attrition.publishing.style import GATE_NOTE, literal
from attrition.reporting import Reporting
from attrition.sampling import Settings
from tables import read, row

QUANTILES = {"q05": 0.05, "q25": 0.25, "q50": 0.5, "q75": 0.75, "q95": 0.95}
HOSTILE = "a$b_c <script>alert(1)</script>"


def make(
    claims: Claims | None = None, campaign: Campaign | None = None, chains: int = 2, draws: int = 60, **changes: object
) -> Fit:
    """A fit of random draws: the right shapes and names, without sampling."""
    claims = at.load_claims("dprk-kursk").known_by("2025-01-16") if claims is None else claims
    campaign = cut_to_vintage(claims, campaign or at.load_campaign("dprk-kursk"))
    reporting = Reporting()
    seen = observe(claims, campaign, reporting)
    rng = np.random.default_rng(3)
    days = campaign.day(seen.vintage) + 1
    shape = (chains, draws)
    since = campaign.day(campaign.rate_since)
    level = np.where(np.arange(days) < since, 1.0, 80.0)
    rate = level * np.exp(rng.normal(0, 0.3, (*shape, 1)) + rng.normal(0, 0.1, (*shape, days)))
    reported = np.array([float(campaign.day(phase.date)) for phase in campaign.phases])
    quantities = {
        "daily_rate": rate,
        "cumulative_loss": np.cumsum(rate, axis=-1),
        "contingent_size": 11_500 * np.exp(rng.normal(0, 0.1, shape)),
        "constant_rate": rng.lognormal(4.4, 0.2, shape),
        "killed_share": np.full(shape, 0.25),
        "stance_bias": rng.normal(0, 0.2, (*shape, len(SOURCE_KINDS))),
        "source_bias": rng.normal(0, 0.2, (*shape, seen.slots)),
        "source_killed_logit": rng.normal(-1, 0.2, (*shape, seen.slots)),
        "phase_day": reported + rng.normal(0, 3, (*shape, len(reported))),
    }
    if not len(reported):
        del quantities["phase_day"]
    arrays = {"claim_value": np.array([np.nan if v is None else v for v in seen.claims["value"]], dtype=float)}
    fit = Fit(
        draws=label({"z": rng.normal(size=shape)}, {"diverging": np.zeros(shape)}, quantities, arrays, seen, campaign),
        claims=claims,
        campaign=campaign,
        priors=default_priors(campaign),
        curve=at.ConstantRate(),
        reporting=reporting,
        seen=seen,
        settings=Settings(draws=draws, chains=chains),
        seed=1,
        gate={"passed": True},
        created="2026-03-04T05:06:07+00:00",
    )
    return dataclasses.replace(fit, **changes)


@pytest.fixture(scope="module")
def fit() -> Fit:
    return make()


@pytest.fixture(autouse=True)
def _strict() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def date_at(fit: Fit, day: np.ndarray, name: str = "hold") -> DepletionDate:
    return DepletionDate(name, "as the test says", day, fit.campaign, fit.vintage)


def texts(ax: Axes) -> list[str]:
    """Every text that the figure holds."""
    figure = ax.get_figure(root=True)
    assert figure is not None
    return [text.get_text() for text in figure.findobj(Text) if isinstance(text, Text)]


def svg(ax: Axes, folder: Path, name: str = "figure") -> str:
    return figures.save_figure(ax, folder / name)[0].read_text(encoding="utf-8")


def drawn(ax: Axes) -> bytes:
    """The figure as drawn, without a file."""
    figure = ax.get_figure(root=True)
    assert figure is not None
    stream = io.BytesIO()
    figure.savefig(stream, format="svg")
    return stream.getvalue()


def all_figures(fit: Fit, **options: object) -> list[Axes]:
    return [
        figures.cumulative_figure(fit, **options),
        figures.rate_figure(fit, **options),
        figures.date_figure(fit, **options),
    ]


# The twins


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


def test_claims_are_those_of_the_likelihood_untransformed(fit: Fit):
    table = figures.claims_data(fit).set_index("claim_id")
    losses = fit.seen.claims[fit.seen.claims["quantity"] != "deployed"].set_index("claim_id")
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


CAMPAIGN = dataclasses.replace(at.load_campaign("dprk-kursk"), contingent="")
BARE = dataclasses.replace(CAMPAIGN, phases=(), reference_projection=None, dates_of_interest=())


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


# What every figure says


def test_levels_units_and_dates_are_on_every_figure(fit: Fit):
    for ax in all_figures(fit, drawn=dt.date(2026, 1, 2)):
        words = texts(ax)
        assert "50% credible interval, equal-tailed" in words
        assert "90% credible interval, equal-tailed" in words
        assert "Claims known by 2025-01-16; drawn 2026-01-02" in words
        assert any(re.search(r"persons|% per week", text) for text in words)
        assert any(text.startswith("North Korean troops in Kursk: ") for text in words)
        assert GATE_NOTE not in words
    assert any("drawn 2026-03-04" in text for text in texts(figures.rate_figure(fit)))


def test_a_failed_gate_is_said_in_red(fit: Fit):
    for ax in all_figures(dataclasses.replace(fit, gate={"passed": False})):
        figure = ax.get_figure(root=True)
        assert figure is not None
        note = next(t for t in figure.findobj(Text) if isinstance(t, Text) and t.get_text() == GATE_NOTE)
        assert note.get_color() == "#b00020"


def test_the_reference_and_the_phases_are_labelled(fit: Fit):
    words = texts(figures.rate_figure(fit))
    assert {"escalation", "isw: 92 a day"} <= set(words)
    assert figures.rate_figure(fit).get_yscale() == "log"


def test_a_rate_within_a_decade_has_a_plain_axis():
    assert figures.rate_figure(make(campaign=BARE)).get_yscale() == "linear"


def test_axes_that_are_given_are_drawn_on(fit: Fit, tmp_path: Path):
    figure = Figure(figsize=(14, 4))
    axes = figure.subplots(1, 3)
    for ax, draw in zip(axes, (figures.cumulative_figure, figures.rate_figure, figures.date_figure), strict=True):
        assert draw(fit, ax=ax) is ax
    figures.save_figure(figure, tmp_path / "three")


def test_nothing_leaks_into_pyplot_or_the_settings(fit: Fit, tmp_path: Path):
    import matplotlib

    before = dict(matplotlib.rcParams)
    for ax in all_figures(fit):
        svg(ax, tmp_path)
    assert dict(matplotlib.rcParams) == before


def test_settings_of_the_user_do_not_change_the_figure(fit: Fit, tmp_path: Path):
    import matplotlib

    plain = svg(figures.cumulative_figure(fit), tmp_path)
    with matplotlib.rc_context(
        {"font.size": 20, "svg.fonttype": "path", "axes.spines.top": True, "font.family": "serif"}
    ):
        assert svg(figures.cumulative_figure(fit), tmp_path) == plain


# Hostile names, files


def test_a_hostile_source_appears_literally(tmp_path: Path):
    fit = make(read(row(source=HOSTILE), row(claim_id="A2", source="x$y$z", quantity="killed", value="300")), CAMPAIGN)
    title = dataclasses.replace(fit.campaign, title="<b>$\\alpha$ & co</b>")
    content = svg(figures.cumulative_figure(dataclasses.replace(fit, campaign=title)), tmp_path)
    assert "<script" not in content
    found = ["".join(node.itertext()) for node in ET.fromstring(content).iter() if node.tag.endswith("}text")]  # noqa: S314
    assert HOSTILE in found
    assert "x$y$z, killed" in found
    assert any(text.startswith("<b>$\\alpha$ & co</b>: ") for text in found)


def test_literal_text_is_one_short_line():
    assert literal("a\nb\x00c\x1b[31m") == "a b c [31m"
    assert literal("x" * 500) == "x" * 47 + "…"


def test_the_same_fit_gives_the_same_bytes(tmp_path: Path):
    first = [p.read_bytes() for ax in all_figures(make()) for p in figures.save_figure(ax, tmp_path / "a")]
    again = [p.read_bytes() for ax in all_figures(make()) for p in figures.save_figure(ax, tmp_path / "b")]
    assert len(first) == 6
    assert first == again
    ax = figures.rate_figure(make())
    assert svg(ax, tmp_path, "one") == svg(ax, tmp_path, "two")


def test_files_carry_no_time_and_keep_text_as_text(fit: Fit, tmp_path: Path):
    paths = figures.save_figure(figures.cumulative_figure(fit), tmp_path / "v1.2" / "killed.wounded")
    assert [path.name for path in paths] == ["killed.wounded.svg", "killed.wounded.png"]
    assert sorted(path.name for path in paths[0].parent.iterdir()) == ["killed.wounded.png", "killed.wounded.svg"]
    content = paths[0].read_text(encoding="utf-8")
    assert "<dc:date>" not in content
    assert "ukraine-president</text>" in content
    png = paths[1].read_bytes()
    assert b"Software" not in png
    width = int.from_bytes(png[16:20], "big")
    assert width == 2100


# Places of labels


def test_labels_do_not_overlap_each_other_or_marks():
    rng = np.random.default_rng(1)
    points = rng.uniform((20, 20), (380, 180), (18, 2))
    labels = [Label(f"n{n}", ((x, y),), (50.0, 8.0)) for n, (x, y) in enumerate(points.tolist())]
    marks = np.column_stack([points - 2.5, points + 2.5])
    places = place(labels, Surroundings((0, 0, 400, 200), marks))
    boxes = [(p.corner[0], p.corner[1], p.corner[0] + 50, p.corner[1] + 8) for p in places]
    for n, one in enumerate(boxes):
        assert 0 <= one[0] <= one[2] <= 400
        assert 0 <= one[1] <= one[3] <= 200
        for other in [*boxes[:n], *marks.tolist()]:
            apart = one[0] >= other[2] or one[2] <= other[0] or one[1] >= other[3] or one[3] <= other[1]
            assert apart
    assert places == place(labels, Surroundings((0, 0, 400, 200), marks))


def test_a_label_without_room_is_placed_all_the_same():
    labels = [Label("wide", ((5.0, 5.0),), (500.0, 8.0)), Label("high", ((5.0, 5.0),), (5.0, 80.0))]
    assert len(place(labels, Surroundings((0, 0, 40, 20)))) == 2
    assert place([], Surroundings((0, 0, 40, 20))) == []
