"""Find the data packages: in an installed wheel, or beside the source in an editable install."""

from __future__ import annotations

import tomllib
from importlib.resources import files
from pathlib import Path

from .errors import InputError, Problem, shown


def data_root() -> Path:
    """Folder that holds one sub-folder per data package."""
    installed = Path(str(files("attrition"))) / "_data"
    if installed.is_dir():
        return installed
    root = Path(__file__).resolve().parents[2]
    if (root / "pyproject.toml").is_file() and (root / "data").is_dir():
        return root / "data"
    raise FileNotFoundError(f"no data packages at {installed} nor at {root / 'data'}: reinstall attrition")


def available() -> dict[str, Path]:
    """Name of every data package (``name`` in its campaign.toml) and its folder."""
    found = {}
    for path in sorted(data_root().glob("*/campaign.toml")):
        name = tomllib.loads(path.read_text(encoding="utf-8")).get("name")
        if isinstance(name, str):
            found[name] = path.parent
    return found


def package_folder(name: str) -> Path:
    """Folder of one data package.

    Raises
    ------
    InputError
        If there is no such package; the message lists those there are.
    """
    known = available()
    if name not in known:
        problem = Problem(
            "data packages", "", "name", shown(name), "one of " + ", ".join(known), "Use one of these names."
        )
        raise InputError("No such data package", [problem])
    return known[name]
