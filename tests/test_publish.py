"""A published folder: what is in it, the same bytes twice, fit for print, and a gate before a headline that moved."""

from __future__ import annotations

import dataclasses
import hashlib
import io
import json
import re
import shutil
import zlib
from pathlib import Path

import jsonschema
import numpy as np
import pytest

import attrition as at
from attrition.publishing import folder as folder_module
from attrition.publishing import report, verification, write_results
from attrition.publishing.comparison import Allowed
from attrition.publishing.progress import steps
from drawings import make
from persons import replaced
from small_fits import thinned

FIGURES = ("cumulative_loss", "daily_rate", "depletion_date", "strength")
TABLES = ("claims_left_out", "claims_used", "dates", "quantities", "source_biases")
FILES = {
    *(f"{name}.{end}" for name in FIGURES for end in ("svg", "png", "pdf", "csv")),
    *(f"tables/{name}.{end}" for name in TABLES for end in ("csv", "md", "tex", "json")),
    *("summary.json", "summary.schema.json", "summary.csv", "summary.txt", "report.html", "manifest.json"),
    *("fit.nc", "claims.csv", "claims_used.csv", "claims_set_aside.csv", "campaign.toml", "priors.csv"),
}


@pytest.fixture(scope="module")
def fit(january):
    return thinned(january, 25)


@pytest.fixture(scope="module")
def folder(fit, tmp_path_factory):
    folder = tmp_path_factory.mktemp("published") / "kursk"
    written = at.publish(fit, folder, progress=False)
    assert {path.relative_to(folder).as_posix() for path in written} == FILES
    return folder


def stub_report(patch):
    """The report has tests of its own and takes seconds."""
    patch.setattr(report, "report_page", lambda fit: f"<!doctype html>\n{at.summary_text(fit)}\n")


def held_in(folder):
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_everything_is_there_with_its_hash(folder):
    assert held_in(folder) == FILES
    manifest = json.loads((folder / "manifest.json").read_text())
    assert set(manifest["sha256"]) == FILES - {"manifest.json"}
    for name, digest in manifest["sha256"].items():
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest


def test_it_verifies(folder):
    found = at.verify(folder, progress=False)
    assert found.passed, str(found)
    assert set(found.how) == FILES
    assert [name for name, way in found.how.items() if way.startswith("by SHA")] == ["fit.nc"]
    assert not found.notes
    assert "48 files verified: 35 recomputed from the draws, 12 drawn again" in str(found)


def test_the_fit_and_its_record_read_back(fit, folder):
    again = at.load(folder / "fit.nc")
    np.testing.assert_array_equal(again.array("daily_rate"), fit.array("daily_rate"))
    assert at.read_claims(folder / "claims.csv").digest == fit.claims.digest
    assert at.read_campaign(folder / "campaign.toml") == fit.campaign


def test_the_summary_has_its_schema_beside_it(folder):
    schema = json.loads((folder / "summary.schema.json").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(json.loads((folder / "summary.json").read_text()), schema)


def test_an_edit_in_the_report_is_found_wherever_it_is(folder, tmp_path):
    """In its text and in the numbers that its chart draws; the manifest would say that the file is as published."""
    page = (folder / "report.html").read_text(encoding="utf-8")
    payload = re.search(r'<script[^>]*type="application/json"[^>]*>(.*?)</script>', page, flags=re.S)
    inside = [place for place in range(*payload.span(1)) if page[place].isdigit()]
    text = [found.start() for found in re.finditer(r"(?<=>)\d[\d,.]*(?=[^<>]*</(?:td|p|li)>)", page)]
    assert len(inside) > 1000
    assert len(text) > 50
    edited = tmp_path / "report.html"
    for place in [*inside[:: len(inside) // 20], *text[::5]]:
        edited.write_text(page[:place] + str((int(page[place]) + 1) % 10) + page[place + 1 :], encoding="utf-8")
        listed = {"report.html": hashlib.sha256(edited.read_bytes()).hexdigest()}
        for other in (False, True):
            found = verification._compared(tmp_path, folder, Path("report.html"), listed, other)
            assert not isinstance(found, str), (place, page[place - 40 : place + 40])
            assert found.place.startswith("line ")


def test_no_path_and_no_time_but_that_of_the_fit(fit, folder):
    for path in folder.rglob("*"):
        if path.is_file() and path.suffix not in (".nc", ".png"):
            raw = path.read_bytes()
            assert str(folder).encode() not in raw
            assert b"/tmp/" not in raw
            assert b"/home/" not in raw


def test_the_pdf_embeds_its_fonts_and_keeps_to_itself(folder):
    for name in FIGURES:
        raw = (folder / f"{name}.pdf").read_bytes()
        streams = re.findall(rb"stream\r?\n(.*?)\r?\nendstream", raw, flags=re.S)
        texts = [raw, *(zlib.decompress(one) for one in streams if one[:1] == b"\x78")]
        whole = b"\n".join(texts)
        assert b"/FontFile2" in whole  # TrueType, embedded
        assert b"/Type3" not in whole
        assert b"/CIDFontType2" in whole or b"/TrueType" in whole
        assert b"CreationDate" not in whole
        assert b"ModDate" not in whole
        assert b"/Producer" not in whole
        assert b"/Creator (attrition)" in whole


LEVELLED = {f"tables/{name}.{end}" for name in TABLES for end in ("csv", "md", "tex", "json")}
LEVELLED |= {"summary.json", "summary.csv", "report.html", "manifest.json"}


@pytest.fixture(scope="module")
def eighty(fit, tmp_path_factory):
    """The fit published a second time, with other levels."""
    folder = tmp_path_factory.mktemp("eighty")
    with pytest.MonkeyPatch.context() as patch:
        stub_report(patch)
        at.publish(fit, folder, levels=[0.8], progress=False)
    return folder


def test_the_same_fit_gives_the_same_bytes(folder, eighty):
    for name in sorted(FILES - LEVELLED):
        assert (eighty / name).read_bytes() == (folder / name).read_bytes(), name


def test_what_a_fit_writes_is_a_part_of_what_is_published(fit, folder, tmp_path):
    for path in write_results(fit, tmp_path):
        assert path.read_bytes() == (folder / path.name).read_bytes(), path.name
    assert held_in(tmp_path) < FILES


def test_levels_are_those_asked_for(eighty):
    content = json.loads((eighty / "summary.json").read_text())
    assert list(content["quantities"]["total_loss"]["quantiles"]) == ["0.1", "0.5", "0.9"]
    assert "lower_80" in (eighty / "tables" / "quantities.csv").read_text().splitlines()[0]
    assert json.loads((eighty / "manifest.json").read_text())["interval_levels"] == [0.8]


def test_nothing_is_written_where_something_is_refused(fit, tmp_path, monkeypatch):
    for refused, options, error in (
        (dataclasses.replace(fit, gate=fit.gate | {"passed": False}), {}, at.GateError),
        (fit, {"levels": [90]}, at.InputError),
    ):
        with pytest.raises(error):
            at.publish(refused, tmp_path / "never", **options)
    monkeypatch.setitem(__import__("sys").modules, "jinja2", None)
    with pytest.raises(at.InputError, match=r"attrition\[report\]"):
        at.publish(fit, tmp_path / "never")
    assert not list(tmp_path.iterdir())


# The gate before a headline that moved


def scaled(fit, factor):
    return replaced(
        fit, **{name: factor * fit.array(name) for name in ("cumulative_loss", "daily_rate", "cumulative_killed")}
    )


@pytest.fixture
def published(eighty, tmp_path):
    return shutil.copytree(eighty, tmp_path / "published")


@pytest.fixture
def gate(monkeypatch, published):
    """Publish in the folder as far as the gate: whether it would be written."""
    reached = []

    def called(fit, **options):
        monkeypatch.setattr(folder_module, "write_publication", lambda *_: reached.append(1) or [])
        reached.clear()
        at.publish(fit, published, **options)
        return bool(reached)

    return called


def bytes_of(folder):
    return {name: (folder / name).read_bytes() for name in held_in(folder)}


def test_a_headline_that_moved_stops_until_it_is_confirmed(fit, published, gate, monkeypatch):
    before = bytes_of(published)
    other = scaled(fit, 1.12)
    with pytest.raises(at.GateError) as caught:
        gate(other)
    words = str(caught.value)
    assert "killed and wounded by the vintage from" in words
    assert "(+12%), more than 10%" in words
    assert "killed and wounded a day from" in words
    assert "--confirm" in words
    assert bytes_of(published) == before
    monkeypatch.undo()
    with pytest.MonkeyPatch.context() as patch:
        stub_report(patch)
        at.publish(other, published, confirm=True, progress=False)
    assert gate(other)  # the last publication is the measure
    with pytest.raises(at.GateError, match=r"\(-11%\), more than 10%"):
        gate(fit)


def test_a_headline_that_moved_a_little_is_published(fit, gate):
    assert gate(scaled(fit, 1.05))
    assert gate(scaled(fit, 0.95))
    with pytest.raises(at.GateError, match="more than 1%"):
        gate(scaled(fit, 1.05), allowed=Allowed(share=0.01, days=999))
    with pytest.raises(at.GateError, match="more than 1 days"):
        gate(scaled(fit, 1.05), allowed=Allowed(share=0.5, days=1))


def test_a_new_fit_in_the_folder_does_not_hide_that_it_moved(fit, published, gate):
    other = scaled(fit, 1.5)
    write_results(other, published)
    with pytest.raises(at.GateError, match="more than 14 days"):
        gate(other)


def test_another_campaign_stops(fit, gate):
    other = dataclasses.replace(fit, campaign=dataclasses.replace(fit.campaign, name="elsewhere"))
    with pytest.raises(at.GateError, match="the campaign from dprk-kursk to elsewhere"):
        gate(other)


@pytest.mark.parametrize("content", ["", "[]", '{"manifest_format": 1}', '{"manifest_format": 99}'])
def test_a_manifest_that_cannot_be_read_stops(fit, tmp_path, content):
    (tmp_path / "manifest.json").write_text(content)
    with pytest.raises(at.FileError, match=r"manifest\.json"):
        at.publish(fit, tmp_path, progress=False)


# How far it is


def test_steps_are_told_where_they_take_long(capsys, monkeypatch):
    now = iter(np.arange(0.0, 100.0, 1.5))
    monkeypatch.setattr("time.monotonic", lambda: next(now))
    with steps("Publishing", 3) as begin:
        for name in ("one", "two", "three"):
            begin(name)
    assert "Publishing: two, step 2 of 3" in capsys.readouterr().err
    with steps("Publishing", 3, progress=False) as begin:
        begin("one")
    assert capsys.readouterr().err == ""


def test_a_terminal_gets_a_bar(monkeypatch):
    import rich.console

    plain, stream = rich.console.Console, io.StringIO()
    monkeypatch.setattr(rich.console, "Console", lambda stderr: plain(file=stream, force_terminal=True, width=90))
    with steps("Publishing", 2) as begin:
        begin("the [tables]")
    assert "the [tables]" in stream.getvalue()


def test_a_made_up_fit_writes_results(tmp_path):
    made = make(
        gate={"passed": True, "max_rhat": 1.0, "min_ess": 1.0, "divergences": 0, "target_accept": 0.9, "escalated": ""}
    )
    made = replaced(made, claim_error=np.random.default_rng(0).uniform(0.1, 0.2, made.array("contingent_size").shape))
    assert len(write_results(made, tmp_path)) == 18
