"""Load nutpie without ArviZ: nutpie needs it for its own traces only, which are not asked for here."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any


class _Later(ModuleType):
    """Stands for a module until one of its names is wanted."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        if sys.modules.get(self.__name__) is self:
            del sys.modules[self.__name__]
        return getattr(importlib.import_module(self.__name__), name)


@contextmanager
def without_arviz() -> Iterator[None]:
    """Imports inside get a stand-in for ArviZ, which loads it when it is used; afterwards imports are as ever."""
    if "arviz" in sys.modules:
        yield
        return
    stand_in = _Later("arviz")
    sys.modules["arviz"] = stand_in
    try:
        yield
    finally:
        if sys.modules.get("arviz") is stand_in:
            del sys.modules["arviz"]
