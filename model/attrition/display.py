"""How the nouns show themselves: aligned text in a terminal, a small table in a notebook."""

from __future__ import annotations

from abc import ABC, abstractmethod
from html import escape


class Shown(ABC):
    """Mixin for a noun that has ``summary_rows() -> (title, [(label, text), ...])``."""

    @abstractmethod
    def summary_rows(self) -> tuple[str, list[tuple[str, str]]]:
        """Title and labelled facts, for display."""

    def __str__(self) -> str:
        title, rows = self.summary_rows()
        width = max((len(label) for label, _ in rows), default=0)
        return "\n".join([title, *(f"  {label:<{width}}  {text}" for label, text in rows)])

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        title, rows = self.summary_rows()
        body = "".join(
            f'<tr><th scope="row" style="text-align:left">{escape(label)}</th>'
            f'<td style="text-align:left">{escape(text)}</td></tr>'
            for label, text in rows
        )
        return f"<table><caption><strong>{escape(title)}</strong></caption><tbody>{body}</tbody></table>"


def count(value: float) -> str:
    """Round a number of persons for people: three significant digits, thousands separated, one decimal below ten."""
    if not abs(value) < float("inf"):
        return str(value)
    tenths = round(value, 1)
    if tenths == 0:
        return "0"
    if abs(tenths) < 10:
        return f"{tenths:.1f}"
    step = 10 ** max(0, len(str(int(abs(value)))) - 3)
    return f"{round(value / step) * step:,}"


def percent(probability: float) -> str:
    """Write a probability for people, without claiming certainty."""
    if probability < 0.01:
        return "under 1%" if probability > 0 else "0%, no draw"
    if probability > 0.99:
        return "over 99%" if probability < 1 else "100%, every draw"
    return f"{100 * probability:.0f}%"
