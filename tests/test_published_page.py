"""The page that is published here: small, whole, and as the published summary says."""

from __future__ import annotations

import html
import json
import re
from pathlib import Path

ANALYSIS = Path(__file__).parents[1] / "analysis"
PAGE = ANALYSIS / "published" / "kursk-2025-01-16.html"


def test_it_is_under_three_megabytes():
    assert PAGE.stat().st_size < 3_000_000


def test_its_dates_are_those_of_the_summary():
    text = PAGE.read_text(encoding="utf-8")
    summary = json.loads((ANALYSIS / "kursk-2025-01-16" / "summary.json").read_text(encoding="utf-8"))
    for scenario in summary["scenarios"].values():
        for level in ("0.05", "0.5"):
            assert scenario["quantiles"][level]["date"] in text
    for digest in ("claims_sha256", "campaign_sha256", "priors_sha256"):
        assert summary["made_with"][digest] in text


def test_it_loads_nothing():
    text = PAGE.read_text(encoding="utf-8")
    assert "default-src 'none'" in html.unescape(text[:5000])
    marked = re.sub(r"<script.*?</script>", "", text, flags=re.DOTALL)
    assert not re.search(r'<(?:link|script|img|iframe|source)[^>]*(?:src|href)="(?!data:)', marked)
