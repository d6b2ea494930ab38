"""Verify a published folder: write it again from the draws in it, and compare file by file.

What is verified how: every text file (JSON, CSV, TXT, Markdown, LaTeX, TOML, the report) is recomputed from ``fit.nc`` and
compared word by word and number by number, whatever the manifest says of it. Figures are drawn again. Where they were drawn
by other versions or on another kind of machine, which may draw otherwise, their SHA-256 in the manifest decides, and of the
report's pictures and its chart's software only that they stand where they should; that finds damage, not a forger who mends
the manifest, and the result says for which files it was so. ``fit.nc`` itself is held to its
own checksums and the manifest: who changes the draws, all checksums and every number in step is not found.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..display import Shown
from ..errors import FileError, InputError
from ..storage import load
from .differences import Difference, first_difference
from .folder import REPORT, publication, write_publication
from .html import script_hash
from .manifest import DRAWN_BY, NAME, published_with, read_manifest, sha256_of

FIT = "fit.nc"
TEXTS = (".json", ".csv", ".txt", ".md", ".tex", ".toml", ".svg", ".html")
RECOMPUTED, DRAWN, HASHED = "recomputed from the draws", "drawn again", "by SHA-256 in the manifest only"
PARTLY = "recomputed from the draws, its pictures and the chart's software by SHA-256 in the manifest only"
SVG_UNITS = 1e-5
_PICTURE = re.compile(r"data:image/svg\+xml;base64,[A-Za-z0-9+/=]*")
_SCRIPT = re.compile(r"<script>(.*?)</script>", re.DOTALL)


@dataclass(frozen=True, repr=False)
class Verification(Shown):
    """What a folder's verification found.

    Attributes
    ----------
    folder
        What was verified.
    differences
        What is not as the draws say; the first one of each file.
    how
        How each file was verified: recomputed from the draws, drawn again, or by its SHA-256 only.
    notes
        What limits the verification, and files that are not part of the publication.
    """

    folder: Path
    differences: tuple[Difference, ...]
    how: Mapping[str, str]
    notes: tuple[str, ...] = field(default=())

    @property
    def passed(self) -> bool:
        """Whether nothing differs."""
        return not self.differences

    @property
    def sentence(self) -> str:
        """The outcome in words."""
        if self.passed:
            counts = {way: sum(one == way for one in self.how.values()) for way in (RECOMPUTED, PARTLY, DRAWN, HASHED)}
            ways = ", ".join(f"{number} {way}" for way, number in counts.items() if number)
            return f"{len(self.how)} files verified: {ways}"
        files = {one.file for one in self.differences}
        return f"{len(files)} file{'s' * (len(files) > 1)} not as the draws in {FIT} say"

    def summary_rows(self) -> tuple[str, list[tuple[str, str]]]:
        """Title and labelled facts, for display."""
        rows = [("in words", self.sentence), *(("differs", str(one)) for one in self.differences)]
        hashed = sorted(name for name, way in self.how.items() if way == HASHED and name != FIT)
        rows += [(HASHED, ", ".join(hashed))] * bool(hashed) + [("note", note) for note in self.notes]
        return f"Verification of {self.folder}: {'passed' if self.passed else 'FAILED'}", rows


def verify(folder: str | Path, progress: bool | None = None) -> Verification:
    """Recompute every number of a published folder from the draws in it.

    Parameters
    ----------
    folder
        As ``publish`` wrote it.
    progress
        False for silence.

    Returns
    -------
    Verification
        ``passed`` if nothing differs. Each difference names the file, the place in it, what stands there and what the draws
        say.

    Raises
    ------
    FileError
        If the folder has no manifest that can be read.
    InputError
        If the extra ``report`` is not installed.
    """
    folder = Path(folder)
    manifest = read_manifest(folder)
    listed = manifest["sha256"]
    try:
        fit = load(folder / FIT)
    except FileError as error:
        return Verification(folder, (Difference(FIT, "", str(error), "the fit that was published"),), {})
    notes = []
    differences: list[Difference] = []
    if not fit.passed:
        differences.append(Difference(FIT, "", "a fit whose convergence gate failed", "one that may be published"))
    try:
        shared = publication(fit, manifest["interval_levels"])
    except InputError as error:
        return Verification(folder, (Difference(NAME, "interval_levels", str(error), "levels of intervals"),), {})
    how: dict[str, str] = {}
    other = _other_versions(manifest["published_with"])
    if other:
        notes.append(f"published with other versions than are here: {other}")
    wrote, here = manifest["published_with"].get("attrition"), published_with()["attrition"]
    if wrote != here:
        notes.append(
            f"published by attrition {wrote}, this is {here}: where only words differ, verify with that version"
        )
    with tempfile.TemporaryDirectory(prefix="attrition-") as again:
        written = write_publication(shared, Path(again), "Verifying", progress, keep_fit=False)
        fresh = [*(path.relative_to(again) for path in written), Path(FIT)]
        for name in fresh:
            found = _compared(folder, Path(again), name, listed, bool(other))
            if isinstance(found, Difference):
                differences.append(found)
            else:
                how[name.as_posix()] = found
    expected = {name.as_posix() for name in fresh}
    gone = [
        Difference(NAME, name, "a file", "no such file in a publication") for name in listed if name not in expected
    ]
    beside = [path.relative_to(folder).as_posix() for path in sorted(folder.rglob("*")) if path.is_file()]
    notes += [f"{name} is not part of the publication and was not looked at" for name in beside if name not in expected]
    return Verification(folder, (*differences, *gone), how, tuple(notes))


def _other_versions(recorded: Mapping[str, Any]) -> str:
    """What drew the figures in other versions than it would here."""
    here = published_with()
    differing = [key for key in DRAWN_BY if recorded.get(key) != here.get(key)]
    return ", ".join(f"{key} {recorded.get(key, 'none')}, here {here.get(key, 'none')}" for key in differing)


def _compared(folder: Path, again: Path, name: Path, listed: Mapping[str, Any], other: bool) -> Difference | str:
    """How a file was verified, or how it differs."""
    file, label = folder / name, name.as_posix()
    if not file.is_file():
        return Difference(label, "", "no such file", "a file of the publication")
    hashed = listed.get(label)
    genuine = label == NAME or hashed == sha256_of(file)
    drawn = name.suffix in (".svg", ".png", ".pdf")
    raw, expected = (b"", b"") if label == FIT else (file.read_bytes(), (again / name).read_bytes())
    if label == FIT:  # loaded, so its own checksums hold
        difference = None
    elif name.suffix not in TEXTS:
        difference = (
            None if raw == expected else Difference(label, "", "another picture", "the one drawn from the draws")
        )
    else:
        difference = _text_difference(label, raw, expected, listed, other)
    if difference is not None:
        return HASHED if drawn and other and genuine else difference
    if not genuine:
        return Difference(
            label, "", f"SHA-256 {sha256_of(file)[:12]}...", f"that of the manifest, {str(hashed)[:12]}..."
        )
    if label == REPORT and other:
        return PARTLY
    return HASHED if label == FIT else DRAWN if drawn else RECOMPUTED


def _text_difference(
    label: str, raw: bytes, expected: bytes, listed: Mapping[str, Any], other: bool
) -> Difference | None:
    try:
        found, right = raw.decode("utf-8"), expected.decode("utf-8")
    except UnicodeDecodeError as error:
        return Difference(label, f"byte {error.start}", "no UTF-8", "text")
    if label == NAME:
        found, right = (_own_part(text) for text in (found, right))
    elif label == REPORT and other:
        found, right = _drawings_aside(found), _drawings_aside(right)
    return first_difference(label, found, right, SVG_UNITS if label.endswith(".svg") else 0.0)


def _drawings_aside(page: str) -> str:
    """A report with marks in place of what other versions draw otherwise: its pictures, and the chart's software and hash.

    The software is the first script of the page. Whatever else stands in it, or stands there more or less often, is compared.
    """
    software = _SCRIPT.search(page)
    if software is not None:
        text = software.group(1)
        page = page.replace(text, "(software)", 1).replace(script_hash(text), "(its hash)", 1)
    return _PICTURE.sub("(picture)", page)


def _own_part(manifest: str) -> str:
    """A manifest without the hashes and versions, which are compared with the files and noted."""
    import json

    content = json.loads(manifest)
    content["sha256"] = sorted({*content["sha256"], FIT})
    content.pop("published_with")
    return json.dumps(content, indent=1)
