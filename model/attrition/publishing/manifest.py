"""The manifest of a published folder: what it holds, with SHA-256, and what it was made with. No time, no path."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import platform
import sys
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from ..errors import FileError
from ..fitted import Fit
from .table_text import json_text

NAME = "manifest.json"
FORMAT = 1
PACKAGES = ("attrition", "altair", "matplotlib", "numpy", "pandas", "vl-convert-python")
DRAWN_BY = ("altair", "matplotlib", "vl-convert-python", "freetype", "platform")


def sha256_of(path: Path) -> str:
    """SHA-256 of a file's bytes."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def manifest_text(
    fit: Fit, folder: Path, written: Sequence[Path], levels: Sequence[float], headline: Mapping[str, Any]
) -> str:
    """Manifest of the files written into a folder, as JSON text.

    Parameters
    ----------
    fit
        What is published.
    folder, written
        The folder, and the files in it that belong to the publication.
    levels
        Of the intervals.
    headline
        Medians by which the next publication in this folder is judged.
    """
    files = {path.relative_to(folder).as_posix(): sha256_of(path) for path in written}
    return json_text(
        {
            "manifest_format": FORMAT,
            "campaign": fit.campaign.name,
            "vintage": fit.vintage.isoformat(),
            "interval_levels": list(levels),
            "headline": dict(headline),
            "published_with": published_with(),
            "sha256": dict(sorted(files.items())),
        }
    )


def published_with() -> dict[str, str]:
    """Versions of what writes and draws a publication, where it is installed, and the kind of machine."""
    from matplotlib.ft2font import __freetype_version__

    found = {}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    drawn = {
        "freetype": str(__freetype_version__),
        "platform": f"{sys.platform} {platform.machine()}",
    }
    return found | drawn


def _is_headline(name: str, value: object) -> bool:
    """Whether a headline is a number, a date of those that are dates, or nothing."""
    if value is None:
        return True
    if name not in ("depletion_hold", "horizon"):
        return isinstance(value, int | float) and not isinstance(value, bool)
    try:
        return dt.date.fromisoformat(str(value)) is not None
    except ValueError:
        return False


def read_manifest(folder: Path) -> dict[str, Any]:
    """Read a folder's manifest.

    Raises
    ------
    FileError
        If there is none, if it is not one, or if it is of a later format than this version reads.
    """
    path = folder / NAME
    if not path.is_file():
        raise FileError(
            f"{folder} was not published: it has no {NAME}. `attrition publish FIT --out {folder}` makes it."
        )
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        number = int(content["manifest_format"])
        shape = {"interval_levels": list, "headline": dict, "published_with": dict, "sha256": dict}
        wrong = [key for key, kind in shape.items() if not isinstance(content[key], kind)]
        headline = {} if wrong else content["headline"]
        wrong += [f"headline {name}" for name, one in headline.items() if not _is_headline(name, one)]
    except (ValueError, LookupError, TypeError) as error:
        raise FileError(f"{path}: not a readable manifest ({type(error).__name__}: {error})") from error
    if number > FORMAT:
        raise FileError(f"{path}: format {number} is newer than this version of attrition reads ({FORMAT}): upgrade")
    if wrong:
        raise FileError(f"{path}: not a readable manifest ({', '.join(wrong)} of the wrong kind)")
    found: dict[str, Any] = content
    return found
