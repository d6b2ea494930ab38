"""Verification: every number edited by hand is found, with its file and place, whatever the manifest says of the file."""

from __future__ import annotations

import hashlib
import json
import re
import shutil

import pytest

import attrition as at
from attrition.priors import Prior, Priors
from attrition.publishing import report, verification
from attrition.publishing.differences import first_difference
from attrition.publishing.html import policy
from small_fits import thinned

TEXTS = (".json", ".csv", ".txt", ".md", ".tex", ".toml", ".svg", ".html")
DIGITS = re.compile(r"\d+")


@pytest.fixture(autouse=True, scope="module")
def _quick_report():
    """A page that holds the summary: the report has tests of its own, and takes seconds."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(report, "report_page", lambda fit: f"<!doctype html>\n<p>{at.summary_text(fit)}</p>\n")
        yield


@pytest.fixture(scope="module")
def original(january, tmp_path_factory):
    folder = tmp_path_factory.mktemp("verified") / "kursk"
    fit = thinned(january, 25)
    prior = fit.priors.rows[0]
    turned = Prior(prior.name, prior.family, dict(reversed(prior.numbers.items())), prior.unit, prior.why)
    at.publish(replace(fit, priors=Priors(fit.priors.label, (turned, *fit.priors.rows[1:]))), folder, progress=False)
    return folder


def replace(fit, **changes):
    import dataclasses

    return dataclasses.replace(fit, **changes)


@pytest.fixture
def folder(original, tmp_path):
    return shutil.copytree(original, tmp_path / "kursk")


def texts_in(folder):
    files = [path for path in sorted(folder.rglob("*")) if path.suffix in TEXTS]
    return [path.relative_to(folder).as_posix() for path in files]


def mend_manifest(folder, *names):
    """Write the hashes of edited files into the manifest, as one would who wants an edit to pass."""
    path = folder / "manifest.json"
    manifest = json.loads(path.read_text())
    for name in names or manifest["sha256"]:
        manifest["sha256"][name] = hashlib.sha256((folder / name).read_bytes()).hexdigest()
    path.write_text(json.dumps(manifest, indent=1) + "\n")


def other_digit(text, place):
    """The text with one digit changed."""
    return text[:place] + str((int(text[place]) + 1) % 10) + text[place + 1 :]


def places_of(text):
    """A digit in every number of a text: of one with decimals the fourth significant digit, else the first."""
    for found in re.finditer(r"\d+(\.\d+)?", text):
        digits = [place for place in range(*found.span()) if text[place].isdigit()]
        while len(digits) > 1 and text[digits[0]] == "0":
            digits = digits[1:]
        yield digits[min(3, len(digits) - 1)] if found[1] else digits[0]


def test_every_number_in_every_text_file_is_compared(original):
    """Each number of each file edited, one at a time."""
    total = 0
    for name in texts_in(original):
        text = (original / name).read_text(encoding="utf-8")
        lines = text.split("\n")
        for number, line in enumerate(lines):
            for place in places_of(line):
                edited = other_digit(line, place)
                tolerance = verification.SVG_UNITS if name.endswith(".svg") else 0.0
                assert first_difference("x", edited, line, tolerance), (name, number, edited)
                total += 1
    assert total > 15_000


def test_an_edit_in_every_text_file_is_found_though_the_manifest_is_mended(folder):
    names = [name for name in texts_in(folder) if name != "manifest.json"]
    for name in names:
        path = folder / name
        text = path.read_text(encoding="utf-8")
        places = list(places_of(text))
        path.write_text(other_digit(text, places[len(places) // 2]), encoding="utf-8")
    mend_manifest(folder)
    found = at.verify(folder, progress=False)
    assert not found.passed
    assert {one.file for one in found.differences} == set(names)
    assert all(one.place for one in found.differences)
    assert "FAILED" in str(found)
    assert f"{len(names)} files not as the draws" in found.sentence


def test_places_are_named_in_the_words_of_the_format(folder):
    row = "row 2 (total_loss), column median"
    edits = {
        "summary.json": ('"mean": ', "quantities > total_loss > mean"),
        "tables/quantities.csv": ("total_loss,killed and wounded by the vintage,persons,", row),
        "summary.txt": ("Killed and wounded by then    ", "line 3, character 33"),
        "tables/dates.tex": ("gross & ", "line 6, character 73"),
        "campaign.toml": ("horizon_days = ", "line 7, character 16"),
    }
    for name, (before, _) in edits.items():
        text = (folder / name).read_text(encoding="utf-8")
        assert before in text, name
        (folder / name).write_text(text.replace(before, f"{before}1", 1), encoding="utf-8")
    (folder / "daily_rate.png").write_bytes((folder / "daily_rate.png").read_bytes() + b"x")
    (folder / "strength.pdf").unlink()
    (folder / "claims_used.csv").write_bytes((folder / "claims_used.csv").read_bytes().replace(b"\n", b"\r\n"))
    (folder / "notes.md").write_text("of my own")
    mend_manifest(folder, *edits, "daily_rate.png")
    found = at.verify(folder, progress=False)
    told = {one.file: one.place for one in found.differences}
    assert set(told) == {*edits, "daily_rate.png", "strength.pdf", "claims_used.csv"}
    for name, (_, place) in edits.items():
        assert told[name].startswith(place), (name, told[name])
    words = str(found)
    assert "strength.pdf: found no such file" in words
    assert "daily_rate.png: found another picture" in words
    assert "notes.md is not part of the publication" in words


def test_the_manifest_is_verified_too(folder):
    path = folder / "manifest.json"
    manifest = json.loads(path.read_text())
    manifest["headline"]["total_loss"] *= 1.2
    manifest["sha256"]["extra.csv"] = "0" * 64
    manifest["sha256"]["summary.json"] = "0" * 64
    path.write_text(json.dumps(manifest, indent=1) + "\n")
    found = at.verify(folder, progress=False)
    told = {one.file for one in found.differences}
    assert told == {"manifest.json", "summary.json"}
    assert "headline > total_loss" in str(found)
    assert "extra.csv" in str(found)


def test_other_drawing_versions_leave_figures_to_their_hash(folder):
    path = folder / "manifest.json"
    manifest = json.loads(path.read_text())
    manifest["published_with"]["matplotlib"] = "3.0.0"
    path.write_text(json.dumps(manifest, indent=1) + "\n")
    for name in ("daily_rate.svg", "daily_rate.png", "summary.txt", "strength.svg"):
        raw = (folder / name).read_bytes()
        (folder / name).write_bytes(raw.replace(b"1", b"2", 1) if name.endswith("t") else raw + b"\n ")
    mend_manifest(folder, "daily_rate.svg", "daily_rate.png", "summary.txt")
    found = at.verify(folder, progress=False)
    assert {one.file for one in found.differences} == {"summary.txt", "strength.svg"}
    assert sorted(name for name, way in found.how.items() if way == verification.HASHED) == [
        "daily_rate.png", "daily_rate.svg", "fit.nc"
    ]  # fmt: skip
    assert "matplotlib 3.0.0, here" in found.notes[0]
    assert "daily_rate.png, daily_rate.svg" in str(found)


def test_a_damaged_fit_is_a_difference(folder):
    raw = bytearray((folder / "fit.nc").read_bytes())
    raw[len(raw) // 2] ^= 1
    (folder / "fit.nc").write_bytes(raw)
    mend_manifest(folder)
    found = at.verify(folder, progress=False)
    assert [one.file for one in found.differences] == ["fit.nc"]
    assert "damaged or was edited" in str(found)


def test_levels_that_are_none_are_a_difference(folder):
    path = folder / "manifest.json"
    path.write_text(path.read_text().replace("0.5", "50", 1))
    found = at.verify(folder, progress=False)
    assert [(one.file, one.place) for one in found.differences] == [("manifest.json", "interval_levels")]


def test_a_folder_that_was_not_published_says_so(tmp_path):
    with pytest.raises(at.FileError, match="was not published"):
        at.verify(tmp_path)


# Two texts laid side by side


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ("0.1", "0.10000000000000001"), ("a 1.5e-05 b", "a 0.000015 b"), ("-2.5000000001", "-2.5"), ("", ""),
        ("1.0,2.0", "1.0,2.0000000001"),
    ],
)  # fmt: skip
def test_the_last_digits_do_not_matter(found, expected):
    assert first_difference("x.txt", found, expected) is None


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ("1.0", "1.00001"), ("1,000", "1,001"), ("12", "13"), ("-1.5", "1.5"), ("1.5", "1.5 "), ("a", "b"), ("a\n", "a"),
        ("a", "a\nb"), ("1e400", "2e400"), ("2025-01-16", "2025-01-17"), ("v1.2.3", "v1.2.4"), ("a1.5", "a1.6"), ("1.5", ""),
        ("3 1.5", "3  1.5"), ("e5", "e6"), ("1.5x", "1.6x"), ("0.0", "1e-12"), ("a", "A"), ("nan", "1.5"), ("1.5", "1"),
    ],
)  # fmt: skip
def test_anything_else_matters(found, expected):
    assert first_difference("x.txt", found, expected)
    assert first_difference("x.txt", expected, found)


def test_the_word_that_differs_is_shown():
    found = first_difference(
        "x.txt", "By then    3,870 (90% interval 2 to 5)", "By then    3,970 (90% interval 2 to 5)"
    )
    assert str(found) == "x.txt, line 1, character 14: found 3,870, expected 3,970"
    found = first_difference("x.txt", "at the end 12", "at the end 13")
    assert (found.found, found.expected) == ("12", "13")
    found = first_difference("x.txt", f"<p>{'x' * 900}1{'y' * 900}", f"<p>{'x' * 900}2{'y' * 900}")
    assert found.found.startswith("x" * 20 + "1y")
    assert len(str(found)) < 250
    assert first_difference("x.txt", "a b", "a  b").found


def test_json_and_csv_are_read_where_they_can_be():
    assert first_difference("x.json", '{"a": [1, {"b": 2.5}]}', '{"a": [1, {"b": 3.5}]}').place == "a[1] > b"
    assert first_difference("x.json", '{"a": 1, "b": 2}', '{"a": 1}').place == "b"
    assert first_difference("x.json", '{"a": 1', '{"a": 1}').place.startswith("line 1")
    assert first_difference("x.json", '{"a":  1}', '{"a": 1}').place.startswith("line 1")
    assert first_difference("x.csv", "n,v\nx,1.5\ny,2\n", "n,v\nx,1.5\ny,3\n").place == "row 3 (y), column v"
    assert first_difference("x.csv", "n,v\nx,1\n", "n,v\n").place.startswith("line 2")


def small_page(software, more="", picture="aaaa", own="own()"):
    rule = policy([software, own], ["p {}"])
    return (
        f'<meta http-equiv="Content-Security-Policy" content="{rule}"><img src="data:image/svg+xml;base64,{picture}">'
        f"<p>3,950</p>{more}<script>{software}</script><script>{own}</script>"
    )


@pytest.mark.parametrize(
    "edit",
    [
        lambda page: page.replace("3,950", "3,951"),
        lambda page: page.replace("<p>", '<svg><text x="1">12,000</text></svg><p>', 1),
        lambda page: page.replace("<p>", "<script>forge()</script><p>", 1),
        lambda page: page + "<script>forge()</script>",
        lambda page: page.replace("own()", "forge()"),
        lambda page: page.replace("<meta", "<span hidden></span><!--") + "-->",
        lambda page: page.replace("script-src", "script-src 'unsafe-inline'"),
        lambda page: page.replace("<img", '<img src="data:image/svg+xml;base64,bbbb"><img', 1),
    ],
)
def test_other_drawing_versions_excuse_no_edit_of_the_report(edit):
    """Its pictures and its chart's software may be drawn otherwise; nothing may stand beside them."""
    here, there = small_page("new software"), small_page("old software", picture="bbbb")
    aside = verification._drawings_aside
    assert aside(here) == aside(there)
    assert aside(edit(there)) != aside(here)


@pytest.mark.parametrize("headline", [{"total_loss": "3970"}, {"depletion_hold": "soon"}, {"horizon": 3}])
def test_a_manifest_with_an_impossible_headline_is_refused(folder, headline):
    path = folder / "manifest.json"
    manifest = json.loads(path.read_text())
    manifest["headline"] |= headline
    path.write_text(json.dumps(manifest))
    with pytest.raises(at.FileError, match="not a readable manifest"):
        at.verify(folder, progress=False)
