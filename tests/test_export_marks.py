"""Scripts, commands and formulas in what sources said: inert in every published format, and read back as they were."""

from __future__ import annotations

import dataclasses
import json
import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.common.normalize_url import normalizeLink

import attrition as at
from attrition.cells import plain
from attrition.publishing import report
from attrition.publishing.table_text import latex_of, latex_text, markdown_link, markdown_of, markdown_text, visible
from attrition.publishing.tables import left_out_table, used_table
from drawings import CAMPAIGN
from persons import force, replaced
from tables import read, row
from test_export import GATE, IN_NOTES, PAYLOADS, cells, formulas

pytestmark = pytest.mark.filterwarnings("ignore:Glyph")

SCRIPTS = (
    "<script>alert(1)</script>", "</script><script>alert(1)</script>", "<img src=x onerror=alert(1)>",
    '"><svg onload=alert(1)>',
    "<a href='javascript:alert(1)'>x</a>", "javascript:alert(1)", "<javascript:alert(1)>", "[x](javascript:alert(1))",
    "![x](https://e.org/x.png)", "[x]: javascript:alert(1)", "[x][y]", "<https://e.org>", "ftp://e.org/x", "data:text/html,<b>",
    "`code`", "``code``", "*b* _i_ **bb** __ii__ ~~s~~", "| a | b |", "a | b", "# heading", "> quote", "---", "$x^2$", "$$x$$",
    r"\input{/etc/passwd}", r"\write18{ls}", r"}\end{tabular}\input{x}", "^^5cinput x", "100% of it", r"a \\ b & c", r"\\[5pt]",
    "[5pt]", "*", "{{7*7}}", "${7*7}", "#{7*7}", "]]>", "<!-- x -->", "&lt;script&gt;", "&#60;b&#62;", "&amp;",
    "--x--", "''x''",
    "``x''", "<?php x ?>", "<![CDATA[x]]>", "~x~", 'quote " quote', r"C:\temp\x", "a_b^c", "{x}", "x\\",
)  # fmt: skip
UNSEEN = ("a\u202eb", "a\u200bb", "a\u2028b", "a\tb", "two\nlines")
WEB = (
    "https://e.org/?a=1&copy=2", 'https://e.org/"><script>alert(1)</script>', "https://e.org/)(javascript:alert(1))",
    "https://e.org/a|b", r"https://e.org/a\b", "https://e.org/[x](y)", "http://e.org/'onload='x", "https://e.org/%00",
    "https://e.org/$x$", "https://e.org/a_b_c", "https://e.org/~x#y", "https://e.org/=1+1",
)  # fmt: skip
TEX = re.compile(
    r"\\text(?P<name>backslash|asciitilde|asciicircum|less|greater|bar|quotedbl|asciigrave)\{\}|\\(?P<sign>[&%$#_{}])"
    r"|\{(?P<kept>[-\[\]*',])\}|(?P<plain>[^\\{}$&#^_%~<>|\"`\[\]*])"
)
NAMED = {"backslash": "\\", "asciitilde": "~", "asciicircum": "^", "less": "<", "greater": ">", "bar": "|"}
NAMED |= {"quotedbl": '"', "asciigrave": "`"}
MARKDOWN = MarkdownIt("commonmark").enable("table")


def tex_plain(text):
    """What LaTeX sets for an escaped text; fails on anything that it would act on."""
    found, end = [], 0
    for match in TEX.finditer(text):
        assert match.start() == end, text
        end = match.end()
        found.append(NAMED.get(match["name"]) or match["sign"] or match["kept"] or match["plain"])
    assert end == len(text), text
    return "".join(found)


def markdown_cells(text):
    """Rows of text as a reader shows them, and the addresses of links; fails on any other markup."""
    rows, links = [], []
    tokens = MARKDOWN.parse(text)
    for place, token in enumerate(tokens):
        assert token.type not in ("html_block", "fence", "code_block", "heading_open", "blockquote_open", "hr")
        if token.type == "tr_open":
            rows.append([])
        if token.type == "inline" and tokens[place - 1].type in ("td_open", "th_open"):
            kinds = {child.type for child in token.children}
            assert kinds <= {"text", "text_special", "link_open", "link_close"}, token.content
            rows[-1].append("".join(child.content for child in token.children))
            links += [child.attrs["href"] for child in token.children if child.type == "link_open"]
    return rows, links


def hostile_claims():
    rows = []
    texts = [*dict.fromkeys((*SCRIPTS, *PAYLOADS, *UNSEEN, *IN_NOTES))]
    for number, text in enumerate(texts):
        name = text if text.isprintable() else f"n{number}"
        for role in ("evidence", "repeat"):
            rows.append(row(
                claim_id=f"c{number}{role}", role=role, source=name, source_group=name, note=text, value=str(2000 + number),
                derived_from=name if role == "repeat" else "", url=WEB[number % len(WEB)], briefing="",
            ))  # fmt: skip
    return read(*rows)


@pytest.fixture(scope="module")
def fit():
    campaign = dataclasses.replace(CAMPAIGN, title="<b>\\input{x} | *title*</b>")
    made = force(claims=hostile_claims(), campaign=campaign, chains=2, draws=20)
    errors = np.random.default_rng(1).uniform(0.1, 0.2, made.array("contingent_size").shape)
    return dataclasses.replace(replaced(made, claim_error=errors, killed_share=errors), gate=GATE | {"sentence": "x"})


@pytest.fixture(scope="module")
def folder(fit, tmp_path_factory):
    folder = tmp_path_factory.mktemp("published")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(report, "report_page", lambda _: "<!doctype html>\n")  # has tests of its own
        at.publish(fit, folder, progress=False)
    return folder


def as_published(fit):
    return {"claims_used": used_table(fit), "claims_left_out": left_out_table(fit)}.items()


def test_there_are_payloads_enough(fit):
    assert len(SCRIPTS) + len(PAYLOADS) >= 60
    assert set(SCRIPTS) <= set(fit.claims.table["source"])
    assert {text.strip() for text in (*SCRIPTS, *PAYLOADS)} <= set(fit.claims.table["note"])
    assert set(WEB) <= set(fit.claims.table["url"])


def test_csv(fit, folder):
    for name, table in as_published(fit):
        head, *lines = cells(folder / "tables" / f"{name}.csv")
        assert head == list(table)
        assert not [cell for line in lines for cell in line if formulas(cell)]
        assert [[plain(cell) for cell in line] for line in lines] == table.to_numpy().tolist()


def test_json(fit, folder):
    for path in folder.rglob("*.json"):
        assert not set("<>&\u2028\u2029") & set(path.read_text(encoding="utf-8")) or path.name == "summary.schema.json"
    for name, table in as_published(fit):
        again = json.loads((folder / "tables" / f"{name}.json").read_text(encoding="utf-8"))
        assert again["rows"] == table.to_dict("records")
        assert again["title"].startswith(fit.campaign.title)


def test_markdown(fit, folder):
    for name, table in as_published(fit):
        text = (folder / "tables" / f"{name}.md").read_text(encoding="utf-8")
        assert not set("<>") & set(re.sub(r"\]\(<[^<>]*>\)", "", text))
        (_, *rows), links = markdown_cells(text)
        expected = [[visible(cell) for cell in line] for line in table.to_numpy().tolist()]
        assert [[" ".join(cell.split()) for cell in line] for line in rows] == [
            [" ".join(cell.split()) for cell in line] for line in expected
        ]
        wanted = [url for url in table["url"] if not set("<>") & set(url)]
        assert [re.match("https?://", link) is not None for link in links] == [True] * len(wanted)
        assert links == [normalizeLink(url.replace("|", "%7C").replace("\\", "%5C")) for url in wanted]


def test_latex(fit, folder):
    for name, table in as_published(fit):
        text = (folder / "tables" / f"{name}.tex").read_text(encoding="utf-8")
        comment, begin, top, _, middle, *rows, bottom, end, rest = text.split("\n")
        assert comment.startswith("% <b>") and rest == ""  # noqa: PT018
        assert begin.startswith("\\begin{tabular}")
        assert (top, middle, bottom, end) == ("\\toprule", "\\midrule", "\\bottomrule", "\\end{tabular}")
        for line, expected in zip(rows, table.to_numpy().tolist(), strict=True):
            assert line.endswith(r" \\")
            found = [tex_plain(cell.replace("\\allowbreak{}", "")) for cell in re.split(r" (?<!\\)& ", line[:-3])]
            assert found == [visible(cell) for cell in expected]


def test_figures(folder):
    for path in folder.glob("*.svg"):
        for node in ET.fromstring(path.read_text(encoding="utf-8")).iter():  # noqa: S314
            assert node.tag.rpartition("}")[2] not in ("script", "foreignObject", "a", "image", "iframe")
            for name, value in node.attrib.items():
                assert not name.rpartition("}")[2].startswith("on")
                assert "href" not in name or value.startswith("#")


def test_the_record_reads_back(fit, folder):
    assert at.read_claims(folder / "claims.csv").digest == fit.claims.digest
    assert at.read_campaign(folder / "campaign.toml") == fit.campaign


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "ftp://e.org", "//e.org", "", "HTTPS://e.org", " https://e.org", "x"]
)
def test_only_web_addresses_are_links(url):
    assert markdown_link(url) == markdown_text(url)
    assert markdown_link("https://e.org/x").startswith("[https")


SIGNS = st.text(st.sampled_from("\\`*_{}[]()#+-.!|<>&$%^~\"':/@=?;, a1\n\t\u202e"), max_size=12) | st.text(max_size=20)


@given(SIGNS)
def test_any_text_is_set_as_it_is(text):
    assert tex_plain(latex_text(text)) == visible(text)


@given(SIGNS, SIGNS)
def test_any_text_is_shown_as_it_is(one, other):
    import pandas as pd

    table = pd.DataFrame({"a": [one], "url": [other]})
    (_, shown), links = markdown_cells(markdown_of(table, "t"))
    assert [" ".join(cell.split()) for cell in shown] == [" ".join(visible(text).split()) for text in (one, other)]
    assert not [link for link in links if not re.match("https?://", link)]
    assert latex_of(table, one).count("\n") == 8
