"""What earlier versions saved and published is read by this one, with the same numbers."""

from __future__ import annotations

import json
import lzma
from importlib.metadata import version
from pathlib import Path

import jsonschema
import numpy as np
import pytest

import attrition as at
from attrition.publishing.differences import first_difference
from attrition.publishing.manifest import read_manifest
from attrition.publishing.table_text import json_of
from attrition.publishing.tables import all_tables

FILES = Path(__file__).parent / "files"
VERSIONS = sorted(path.name for path in FILES.iterdir())
every_version = pytest.mark.parametrize("kept", [FILES / name for name in VERSIONS], ids=VERSIONS)


@pytest.fixture
def fit(kept, tmp_path):
    path = tmp_path / "fit.nc"
    path.write_bytes(lzma.decompress((kept / "fit.nc.xz").read_bytes()))
    return at.load(path)


def test_this_version_has_kept_its_files():
    assert version("attrition") in VERSIONS


@every_version
def test_a_saved_fit_loads_with_its_numbers(kept, fit):
    content = json.loads((kept / "summary.json").read_text(encoding="utf-8"))
    for name, one in at.summarize(fit)["quantities"].items():
        assert one["quantiles"] == pytest.approx(content["quantities"][name]["quantiles"], rel=1e-9), name
    for name, one in at.summarize(fit)["scenarios"].items():
        assert one["quantiles"] == content["scenarios"][name]["quantiles"]
    assert fit.seen.notes == tuple(content["notes"])
    assert fit.array("daily_rate").shape == (4, 12, 74)
    assert np.isfinite(fit.array("daily_rate")).all()


@every_version
def test_its_record_reads_back(kept, fit):
    assert at.read_claims(kept / "claims.csv").digest == fit.claims.digest
    assert at.read_campaign(kept / "campaign.toml") == fit.campaign


@every_version
def test_its_summary_obeys_the_schema_that_was_published_with_it(kept):
    schema = json.loads((kept / "summary.schema.json").read_text(encoding="utf-8"))
    jsonschema.validate(json.loads((kept / "summary.json").read_text(encoding="utf-8")), schema)


@every_version
def test_it_can_be_compared_and_its_manifest_read(kept, fit):
    found = at.compare(kept, fit)
    assert (found.table["change"].dropna().abs() < 1e-6).all()
    assert read_manifest(kept)["vintage"] == "2025-01-16"
    assert "summary.json" in read_manifest(kept)["sha256"]


@every_version
def test_its_tables_hold_what_its_draws_say(kept, fit):
    for name in ("quantities", "dates"):
        text = (kept / "tables" / f"{name}.json").read_text(encoding="utf-8")
        title = json.loads(text)["title"]
        again = json_of(all_tables(fit)[name], title, (0.5, 0.9))
        assert first_difference(f"{name}.json", again, text) is None
