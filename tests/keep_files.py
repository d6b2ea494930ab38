"""Write what this version saves and publishes of a small fit into ``tests/files``, for later versions to read.

Run by hand, once for each version that is released: ``python tests/keep_files.py``. Never overwrites what is there.
"""

from __future__ import annotations

import json
import lzma
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

import attrition as at
from attrition.publishing import manifest
from attrition.publishing.folder import publish
from small_fits import thinned

FILES = Path(__file__).parent / "files"
KEPT = ("fit.nc", "manifest.json", "summary.json", "summary.schema.json", "claims.csv", "campaign.toml", "priors.csv")
KEPT_TABLES = ("quantities.json", "dates.json")


def keep(folder: Path) -> None:
    """Fit the packaged record as known by 2025-01-16, publish twelve draws of each chain, and keep the files."""
    fit = at.fit(at.load_claims("dprk-kursk"), at.load_campaign("dprk-kursk"), known_by="2025-01-16", seed=1)
    with tempfile.TemporaryDirectory() as place:
        publish(thinned(fit, 12), place)
        for name in (*KEPT, *(f"tables/{table}" for table in KEPT_TABLES)):
            raw = (Path(place) / name).read_bytes()
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            if name == "fit.nc":
                (folder / "fit.nc.xz").write_bytes(lzma.compress(raw, preset=9))
            else:
                (folder / name).write_bytes(raw)
    told = json.loads((folder / manifest.NAME).read_text(encoding="utf-8"))
    sys.stdout.write(f"{folder}: {len(told['sha256'])} files published, {len(list(folder.rglob('*')))} kept\n")


if __name__ == "__main__":
    target = FILES / version("attrition")
    if target.exists():
        raise SystemExit(f"{target} is there: what a version wrote stays as it is")
    keep(target)
