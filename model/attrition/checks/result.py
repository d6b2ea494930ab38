"""What every check returns."""

from __future__ import annotations

from dataclasses import dataclass, field

from ..display import Shown


@dataclass(frozen=True, repr=False)
class CheckResult(Shown):
    """Outcome of one check: its name, whether it passed, its numbers and a sentence for people."""

    name: str
    passed: bool
    sentence: str
    numbers: dict[str, float] = field(default_factory=dict)

    def summary_rows(self) -> tuple[str, list[tuple[str, str]]]:
        """Title and labelled facts, for display."""
        state = "passed" if self.passed else "FAILED"
        return f"Check {self.name}: {state}", [
            ("in words", self.sentence),
            *((key, f"{value:g}") for key, value in self.numbers.items()),
        ]
