"""Machine code on disk: files in the user's own cache folder, checked before they are used.

The entry is a pickle, the one exception to "no pickle": it holds machine code that this user's process wrote for itself. It is
read only if the folder and the file belong to this user and nobody else can write to them, and if its digest is right; anything
else is compiled again. The name of an entry says what it was made from: this package's text, the packages that compile, Python
and the processor. The kernel is one kind of entry; models that a user has extended are another, see ``kept_graph``.
"""

from __future__ import annotations

import functools
import hashlib
import logging
import os
import pickle
import platform
import stat
import sys
import tempfile
import time
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

log = logging.getLogger("attrition")

MAGIC = b"attrition kernel 1\n"
MAKERS = ("numba", "llvmlite", "numpy", "nutpie")
# Modules from which the kernel takes numbers: with its own they are the text that it is made from.
TEXT = ("build", "claim_error", "containers", "curves", "normal", "observations", "reporting", "rounding", "strength")
KEPT_ENTRIES = 4
UNFINISHED, LEFT_SECONDS = ".writing-", 3600.0  # a file that a killed process left is removed after an hour
VARIABLE = "ATTRITION_CACHE_DIR"
ENDING = ".kernel"


@dataclass(frozen=True)
class Entry:
    """One kept piece of code: its file, size in bytes, and whether this installation would use it."""

    path: Path
    size: int
    current: bool


def folder() -> Path:
    """Folder of kept code: ``ATTRITION_CACHE_DIR``, else the platform's cache folder of this user."""
    given = os.environ.get(VARIABLE)
    if given:
        return Path(given)
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "attrition"
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home()) / "attrition" / "cache"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "attrition"


@functools.cache
def key() -> str:
    """What a kernel depends on: its text, the packages that compile it, Python, and the processor."""
    root = Path(__file__).resolve().parents[1]
    return made_from([*(root / f"{name}.py" for name in TEXT), *root.glob("kernel/*.py")], MAKERS)


def made_from(texts: Iterable[Path], makers: Iterable[str]) -> str:
    """Digest of what compiled code depends on: texts of this package, packages by version, Python, and the processor."""
    from llvmlite import binding

    found = hashlib.sha256()
    for path in sorted(texts):
        found.update(path.name.encode() + b"\0" + path.read_bytes())
    made_by = [f"{name} {version(name)}" for name in makers]
    machine = [platform.python_version(), platform.machine(), binding.get_host_cpu_name()]
    features = binding.get_host_cpu_features().flatten()
    found.update("\n".join([*made_by, *machine, features]).encode())
    return found.hexdigest()[:24]


def entries(ending: str = ENDING, current: str | None = None) -> list[Entry]:
    """Entries of one kind, kernels by default, the newest first; ``current`` is how the names of those in use begin."""
    where, begins = folder(), key() if current is None else current
    found = []
    for path in where.glob(f"*{ending}") if where.is_dir() else ():
        try:
            about = path.stat()
        except FileNotFoundError:  # another process has just removed it
            continue
        found.append((about.st_mtime, Entry(path, about.st_size, path.stem.startswith(begins))))
    return [entry for _, entry in sorted(found, key=lambda one: one[0], reverse=True)]


def clear(ending: str = ENDING) -> int:
    """Remove every entry of one kind, kernels by default; returns how many there were."""
    return _remove(entry.path for entry in entries(ending))


def read(name: str | None = None) -> Any | None:
    """Entry of this name, by default this installation's kernel; None if there is none that may be used."""
    path = folder() / (name or f"{key()}{ENDING}")
    try:
        with path.open("rb") as file:
            if not (_private(os.fstat(file.fileno())) and _private(path.parent.stat())):
                log.warning("%s can be written by others: not used", path)
                return None
            content = file.read()
    except OSError:
        return None
    digest, payload = content[len(MAGIC) : len(MAGIC) + 32], content[len(MAGIC) + 32 :]
    if not content.startswith(MAGIC) or hashlib.sha256(payload).digest() != digest:
        log.warning("%s is damaged: compiling again", path)
        return None
    return pickle.loads(payload)  # noqa: S301


def write(payload: bytes, name: str | None = None, limit: int = KEPT_ENTRIES) -> Path | None:
    """Keep an entry, by default the kernel, whole or not at all; None if the folder cannot be written.

    The oldest of its kind beyond the limit are removed.
    """
    where = folder()
    path = where / (name or f"{key()}{ENDING}")
    try:
        where.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=where, prefix=UNFINISHED)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(MAGIC + hashlib.sha256(payload).digest() + payload)
            os.replace(name, path)
        finally:
            Path(name).unlink(missing_ok=True)
        old = time.time() - LEFT_SECONDS
        _remove(left for left in where.glob(f"{UNFINISHED}*") if left.stat().st_mtime < old)
        _remove(entry.path for entry in entries(path.suffix)[limit:])
    except OSError as error:
        log.warning(
            "The compiled model could not be kept in %s (%s): it will be compiled again next time", where, error
        )
        return None
    return path


def _private(found: os.stat_result) -> bool:
    """Whether only this user can write there."""
    if not hasattr(os, "getuid"):
        return True
    return found.st_uid == os.getuid() and not found.st_mode & (stat.S_IWGRP | stat.S_IWOTH)


def _remove(paths: Iterable[Path]) -> int:
    number = 0
    for path in list(paths):
        path.unlink(missing_ok=True)
        number += 1
    return number
