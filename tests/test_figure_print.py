"""Figures are fit to print: levels and dates on them, hostile names literal, the same bytes twice, labels apart."""

from __future__ import annotations

import dataclasses
import datetime as dt
import re
import warnings
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text

from attrition.fitted import Fit
from attrition.publishing import figures
from attrition.publishing.label_places import Label, Surroundings, place
from attrition.publishing.style import GATE_NOTE, literal
from drawings import BARE, CAMPAIGN, HOSTILE, all_figures, make, svg, texts
from tables import read, row


@pytest.fixture(scope="module")
def fit() -> Fit:
    return make()


@pytest.fixture(autouse=True)
def _strict() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


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
