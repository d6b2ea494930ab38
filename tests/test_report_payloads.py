"""Whatever sources, coders and campaign files wrote stays text in the report: nothing of it runs, loads, styles or links."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from attrition.fitted import Fit
from attrition.publishing.report import report_page
from browser import Opened, launched, opened
from payloads import PAYLOADS, hostile_fit

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def hostile(january: Fit) -> Fit:
    return hostile_fit(january)


@pytest.fixture(scope="module")
def seen(hostile: Fit, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Opened]:
    path = tmp_path_factory.mktemp("hostile") / "report.html"
    path.write_text(report_page(hostile), encoding="utf-8")
    with launched() as browser, opened(browser, path.as_uri()) as page:
        yield page


def test_nothing_runs_and_nothing_is_asked_for(seen: Opened):
    seen.move("pace", 1.3)
    for selector in ("#said", "#claims-table", "#aside-table", "h1"):
        seen.page.locator(selector).hover()
    seen.page.wait_for_timeout(200)
    assert seen.page.evaluate("window.ran") is None
    assert seen.dialogs == []
    assert seen.console == []
    assert [one for one in seen.requests if not one.startswith("data:")] == [seen.page.url]


def test_no_element_of_theirs_is_in_the_page(seen: Opened):
    inventory = "names => names.map(name => document.querySelectorAll(name).length)"
    names = [
        "script",
        "style",
        "base",
        "iframe",
        "object",
        "embed",
        "form:not(.vega-bindings)",
        "svg",
        "math",
        "marquee",
        "video",
        "details",
    ]
    assert seen.page.evaluate(inventory, names) == [3, 1, *[0] * 10]
    handlers = (
        "() => [...document.querySelectorAll('*')].flatMap(one => [...one.attributes])"
        ".filter(one => one.name.startsWith('on') || one.name === 'srcdoc').map(one => one.name)"
    )
    assert seen.page.evaluate(handlers) == []
    images = "() => [...document.querySelectorAll('img, source')].filter(one => !(one.src || one.srcset).startsWith('data:'))"
    assert seen.page.evaluate(images) == []


def test_only_web_addresses_are_links(seen: Opened):
    links = seen.page.evaluate("[...document.links].map(one => [one.protocol, one.host, one.attributes.length])")
    outside = [one for one in links if one[0] != "file:"]
    assert outside
    assert {one[0] for one in outside} == {"https:"}
    assert {one[1] for one in outside} == {"example.org"}
    assert {one[2] for one in outside} == {2}


def test_every_text_can_be_read_as_it_was_written(seen: Opened):
    body = seen.page.evaluate("document.body.textContent")
    missing = [text for text in PAYLOADS if text not in body]
    assert missing == []
