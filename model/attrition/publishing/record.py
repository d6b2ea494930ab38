"""The record of a fit as files that can be fitted again: its campaign as TOML."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ..campaign import Campaign


def campaign_toml(campaign: Campaign) -> str:
    """TOML of a campaign as it was known by the vintage; ``read_campaign`` reads it back.

    Parameters
    ----------
    campaign
        Any.

    Returns
    -------
    str
        What has no value is left away.
    """
    lines: list[str] = []
    _write(campaign.as_dict(), "", lines)
    return "\n".join(lines).lstrip("\n") + "\n"


def _write(content: Mapping[str, Any], name: str, lines: list[str]) -> None:
    """Values first: in TOML what follows the head of a table belongs to it."""
    tables = {key: value for key, value in content.items() if isinstance(value, dict) or _is_tables(value)}
    lines += [f"{key} = {_value(value)}" for key, value in content.items() if key not in tables and value is not None]
    for key, value in tables.items():
        full = f"{name}.{key}" if name else key
        for one in value if isinstance(value, list) else [value]:
            lines += ["", f"[[{full}]]" if isinstance(value, list) else f"[{full}]"]
            _write(one, full, lines)


def _is_tables(value: object) -> bool:
    return isinstance(value, list) and bool(value) and isinstance(value[0], dict)


def _value(value: Any) -> str:
    if isinstance(value, list):
        return f"[{', '.join(_value(one) for one in value)}]"
    if isinstance(value, str):  # a JSON string is a TOML string, but for the one control character that JSON leaves
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007F")
    return json.dumps(value, allow_nan=False)
