"""Errors that say what was got, what was expected and what to do; all problems of a table at once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


class AttritionError(Exception):
    """Base of every error that this package raises on purpose."""


@dataclass(frozen=True)
class Problem:
    """One thing wrong with the input.

    Attributes
    ----------
    where
        File line (``line 7``), table row (``row 5``) or setting (``phases[2].date``).
    name
        The claim_id or other name of the row, empty if it has none.
    column
        Column or key.
    got, expected, do
        What was found, what would be right, and what to do about it.
    """

    where: str
    name: str
    column: str
    got: str
    expected: str
    do: str

    def __str__(self) -> str:
        who = f"{self.where}, {self.name}" if self.name else self.where
        return f"{who}, {self.column}: got {self.got}; expected {self.expected}. {self.do}"


class InputError(AttritionError, ValueError):
    """Claims, campaign, priors or settings that cannot be used. ``problems`` lists every one of them."""

    def __init__(self, what: str, problems: Iterable[Problem]):
        self.problems = tuple(problems)
        count = len(self.problems)
        shown = [f"  - {problem}" for problem in self.problems[:200]]
        if count > 200:
            shown.append(f"  - and {count - 200} more")
        noun = "problem" if count == 1 else "problems"
        super().__init__("\n".join([f"{what}: {count} {noun}", *shown]))


class FileError(AttritionError, OSError):
    """A file that cannot be read or written, or a saved fit that is damaged, not ours, or of a later version."""


class GateError(AttritionError):
    """A result that failed the convergence gate was asked to be published."""


def shown(value: object, limit: int = 60) -> str:
    """Quote a value for a message: printable, one line, bounded in length."""
    text = repr(value)
    return text if len(text) <= limit else f"{text[:limit]}... ({len(text)} characters)"
