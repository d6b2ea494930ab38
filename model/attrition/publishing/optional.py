"""Packages that only some outputs need: imported when they are used, with an error that names what to install."""

from __future__ import annotations

import importlib
from types import ModuleType

from ..errors import InputError, Problem

EXTRA = "report"


def optional(module: str) -> ModuleType:
    """Import a package of the extra ``report``.

    Parameters
    ----------
    module
        Name of the module, for example ``jinja2``.

    Returns
    -------
    module

    Raises
    ------
    InputError
        If it is not installed; the message names the extra to install.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        do = f"Install it with the rest of the extra: pip install 'attrition[{EXTRA}]'."
        problem = Problem("environment", "", module, "not installed", f"a package of the extra {EXTRA}", do)
        raise InputError("The report cannot be made", [problem]) from error
