"""The report's text: its numbers are the package's, its policy names what is in it, what others wrote is inert."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import html
import json
import re
import sys
import zlib
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest

import attrition as at
from attrition.display import percent
from attrition.fitted import Fit
from attrition.publishing.chart import chart_data, packed
from attrition.publishing.html import json_text, link, table
from attrition.publishing.optional import optional
from attrition.publishing.report import HEADINGS, report_page
from attrition.publishing.sentences import answer_sentences
from payloads import hostile_fit


@pytest.fixture
def page(january_page: str) -> str:
    return january_page


def visible(page: str) -> str:
    """The text between tags, without scripts and styles."""
    bare = re.sub(r"<(script|style)\b.*?</\1>", " ", page, flags=re.DOTALL)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", "", bare)).split())


class Elements(HTMLParser):
    """Every element of a page with its attributes."""

    def __init__(self, page: str):
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def of(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.found if name == tag]


def test_the_policy_allows_what_is_in_the_page_and_nothing_else(page: str):
    elements = Elements(page)
    content = next(one["content"] for one in elements.of("meta") if "http-equiv" in one)
    rules = dict(rule.split(" ", 1) for rule in (content or "").split("; "))
    assert rules["default-src"] == "'none'"
    assert rules["img-src"] == "data:"
    assert {rules["base-uri"], rules["form-action"]} == {"'none'"}
    for tag, rule in (("script", "script-src"), ("style", "style-src")):
        texts = re.findall(rf"<{tag}>(.*?)</{tag}>", page, flags=re.DOTALL)
        digests = [base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in texts]
        assert rules[rule].split() == [f"'sha256-{digest}'" for digest in digests]
    assert "unsafe" not in (content or "")
    assert len(elements.of("script")) == 3


def test_nothing_in_the_page_is_loaded_or_styled_from_elsewhere(page: str):
    for tag, attributes in Elements(page).found:
        assert "style" not in attributes, tag
        assert not [name for name in attributes if name.startswith("on")], tag
        for name in ("src", "srcset", "data", "action"):
            assert (attributes.get(name) or "data:").startswith("data:"), (tag, name)
        if tag == "link":
            assert attributes["href"] == "data:,"
    assert "jsdelivr" not in page
    assert "unpkg" not in page
    assert len(page.encode()) < 3_000_000


def test_the_sections_stand_in_their_order_with_dates_on_the_first_screen(page: str, january: Fit):
    text = visible(page)
    places = [text.rindex(heading) for heading in HEADINGS.values()]
    assert places == sorted(places)
    first = text[: text.index("Killed and wounded so far")]
    assert f"Claims known by {january.vintage}" in first
    assert f"Generated on {january.created[:10]}" in first
    for sentence in answer_sentences(january):
        assert sentence in first


def test_the_page_is_built_for_a_screen_reader(page: str):
    elements = Elements(page)
    assert elements.of("html")[0]["lang"] == "en"
    assert len(elements.of("main")) == len(elements.of("h1")) == 1
    assert page.count("<caption>") == len(elements.of("table")) >= 9
    assert all(one.get("scope") in ("col", "row") for one in elements.of("th"))
    assert all(len(one["alt"] or "") > 40 for one in elements.of("img"))
    ids = [attributes["id"] for _, attributes in elements.found if "id" in attributes]
    assert len(set(ids)) == len(ids)
    named = " ".join(one["headers"] or "" for one in elements.of("td")).split()
    assert set(named) <= set(ids)
    for one in elements.of("td"):
        header = (one["headers"] or "").split()[-1]
        assert one["role"] == "cell"
        assert re.search(rf'id="{header}"[^>]*>(.*?)</th>', page)[1].replace('<span class="d">', "").replace(
            "</span>", ""
        ) == html.escape(one["data-label"] or "", quote=False)
    labelled = {one["for"] for one in elements.of("label") if "for" in one}
    assert {one["id"] for one in elements.of("input") if one["type"] != "radio"} <= labelled


def test_the_same_fit_gives_the_same_page(page: str, january: Fit):
    assert report_page(january) == page


def test_biases_dates_and_rows_left_out_are_those_of_the_fit(page: str, january: Fit):
    text = visible(page)
    draws = january.array("source_bias")[..., list(january.posterior["source"].values).index("rok-nis")]
    low, middle, high = (float(np.exp(np.quantile(draws, level))) for level in (0.05, 0.5, 0.95))
    assert f"rok-nis third party 4 {middle:.2f} {low:.2f} to {high:.2f}" in text
    for row in january.seen.set_aside.to_dict("records"):
        start = text.index(f"{row['claim_id']} {row['published']}", text.rindex(HEADINGS["aside"]))
        assert row["reason"] in text[start : start + 900], row["claim_id"]
    for scenario in (at.hold(), at.forecast()):
        for date in at.depletion_dates(january, scenario).values():
            never = percent(1.0 - date.probability_within_horizon)
            by = percent(date.probability_by("2025-04-15"))
            assert (
                f"{date.quantile_text(0.5)} {date.quantile_text(0.05)} to {date.quantile_text(0.95)} {by} {never}"
                in text
            )
    below = percent(float(np.mean(at.rate_since(january) <= 92)))
    assert f"Below its rate, 92 a day: {below}." in text


def test_checks_are_told_with_those_that_were_not_run(page: str, january: Fit):
    text = visible(page)
    for check in (at.convergence, at.prior_sensitivity, at.stance_shifts, at.prior_conflict):
        sentence = check(january).sentence
        assert f"passed {sentence[:1].upper()}{sentence[1:]}" in text
    for name in ("later claims", "claims left out", "sources left out"):
        assert f"{name}: " in text[text.index("Not run for this page") :]
    assert january.claims.digest in text
    assert f"--known-by {january.vintage} --seed {january.seed}" in text


def test_a_failed_gate_is_said_first_and_what_is_not_there_is_said(january: Fit):
    bare = dataclasses.replace(january.campaign, reference_projection=None, dates_of_interest=())
    gate = january.gate | {"passed": False, "sentence": "R-hat of x is 1.2"}
    page = report_page(dataclasses.replace(january, campaign=bare, gate=gate))
    text = visible(page)
    assert text.index("Not a final result: the convergence gate failed. R-hat of x is 1.2") < text.index("The answer")
    assert f"No projection to compare with was public by {january.vintage}." in text
    assert 'id="by" value="2025-04-16"' in page


def test_the_draws_in_the_page_are_those_of_the_fit(page: str, january: Fit):
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', page, flags=re.DOTALL)
    assert found is not None
    data = json.loads(found[1])["draws"]
    assert data == json.loads(json.dumps(chart_data(january)))
    for name, draws in (("rate", at.rate_since(january)), ("total", january.array("cumulative_loss")[..., -1])):
        read = np.frombuffer(base64.b64decode(data["draws"][name]), dtype="<f4")
        np.testing.assert_allclose(read, draws.ravel(), rtol=1e-6)


def test_packed_totals_come_back():
    rng = np.random.default_rng(1)
    total = np.cumsum(rng.gamma(2.0, 40.0, (2, 3, 50)) * (np.arange(50) > 5), axis=-1)
    total[1, 2] = 0.0
    planes = np.frombuffer(zlib.decompress(base64.b64decode(packed(total))), np.uint8).reshape(2, -1).astype(np.int64)
    share = np.cumsum(np.cumsum((planes[0] + 256 * planes[1]).reshape(6, 50), axis=-1), axis=-1) % 65_536 / 65_535
    np.testing.assert_allclose(share.reshape(2, 3, 50) * total[..., -1:], total, atol=total.max() / 65_535)


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)", "JaVaScRiPt:alert(1)", " javascript:alert(1)", "java\nscript:alert(1)", "data:text/html,x",
        "vbscript:x", "file:///etc/passwd", "//example.org/x", "https://", "https:///x", "http:\\example.org", "mailto:a@b.c",
        "https://example.org/a b", "https://example.org/\x00", "https://[", "", None, float("nan"), "ftp://example.org",
    ],
)  # fmt: skip
def test_only_web_addresses_become_links(url: object):
    assert link(url) is None
    frame = pd.DataFrame({"Claim": ["K1"], "Page": ["the page"], "address": [url]})
    assert "<a " not in table(frame, "t", "Links", links={"Page": "address"})


def test_a_web_address_becomes_a_link():
    url = 'https://example.org/a?b=1&c="d"'
    frame = pd.DataFrame({"Claim": ["K1"], "Page": ["<i>"], "address": [url]})
    found = str(table(frame, "t", "Links", links={"Page": "address"}))
    assert 'href="https://example.org/a?b=1&amp;c=&#34;d&#34;"' in found
    assert "&lt;i&gt;" in found
    assert link("http://example.org") == "http://example.org"


def test_odd_names_change_no_check(january: Fit):
    odd, plain = at.prior_sensitivity(hostile_fit(january)), at.prior_sensitivity(january)
    assert any("/" in name for name in odd.numbers)
    assert sorted(odd.numbers.values()) == sorted(plain.numbers.values())


def test_json_in_a_script_cannot_end_it():
    value = {"a": "</script><!-- <script>& \u2028"}
    assert not set("<>&\u2028") & set(json_text(value))
    assert json.loads(json_text(value)) == value


@pytest.mark.parametrize("module", ["jinja2", "great_tables", "altair", "vl_convert", "markupsafe"])
def test_a_missing_package_is_named_with_its_extra(monkeypatch: pytest.MonkeyPatch, module: str):
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(at.InputError, match=rf"{module}.*report.*pip install 'attrition\[report\]'"):
        optional(module)
