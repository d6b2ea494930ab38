"""Machine code of the kernel on disk: one file in the user's own cache folder, checked before it is used.

The entry is a pickle, the one exception to "no pickle": it holds machine code that this user's process wrote for itself. It is
read only if the folder and the file belong to this user and nobody else can write to them, and if its digest is right; anything
else is compiled again. The name of an entry says what it was made from: this package's text, the packages that compile, Python
and the processor.
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
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

log = logging.getLogger("attrition")

MAGIC = b"attrition kernel 1\n"
MAKERS = ("numba", "llvmlite", "numpy", "nutpie")
# Modules from which the kernel takes numbers: with its own they are the text that it is made from.
TEXT = ("build", "claim_error", "containers", "curves", "observations", "reporting", "rounding", "strength")
KEPT_ENTRIES = 4
VARIABLE = "ATTRITION_CACHE_DIR"
ENDING = ".kernel"


@dataclass(frozen=True)
class Entry:
    """One kept kernel: its file, size in bytes, and whether this installation would use it."""

    path: Path
    size: int
    current: bool


def folder() -> Path:
    """Folder of kept kernels: ``ATTRITION_CACHE_DIR``, else the platform's cache folder of this user."""
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
    from llvmlite import binding

    found = hashlib.sha256()
    root = Path(__file__).resolve().parents[1]
    for path in sorted([*(root / f"{name}.py" for name in TEXT), *root.glob("kernel/*.py")]):
        found.update(path.name.encode() + b"\0" + path.read_bytes())
    made_by = [f"{name} {version(name)}" for name in MAKERS]
    machine = [platform.python_version(), platform.machine(), binding.get_host_cpu_name()]
    features = binding.get_host_cpu_features().flatten()
    found.update("\n".join([*made_by, *machine, features]).encode())
    return found.hexdigest()[:24]


def entries() -> list[Entry]:
    """Kept kernels, the newest first."""
    where = folder()
    if not where.is_dir():
        return []
    paths = sorted(where.glob(f"*{ENDING}"), key=lambda path: path.stat().st_mtime, reverse=True)
    return [Entry(path, path.stat().st_size, path.stem == key()) for path in paths]


def clear() -> int:
    """Remove every kept kernel; returns how many there were."""
    return _remove(entry.path for entry in entries())


def read() -> Any | None:
    """Kept kernel of this installation; None if there is none that may be used."""
    path = folder() / f"{key()}{ENDING}"
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


def write(payload: bytes) -> Path | None:
    """Keep a kernel, whole or not at all; None if the folder cannot be written. The oldest beyond four are removed."""
    where = folder()
    path = where / f"{key()}{ENDING}"
    try:
        where.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=where, prefix=".writing-")
        with os.fdopen(handle, "wb") as file:
            file.write(MAGIC + hashlib.sha256(payload).digest() + payload)
        os.replace(name, path)
        _remove(entry.path for entry in entries()[KEPT_ENTRIES:])
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
