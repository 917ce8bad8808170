"""What the terminal's scorecards and tables are made of: columns that fit, changes with their signs, small charts."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING, Literal

from rich.table import Table
from rich.text import Text

from kpi_engine.api.formatting import direction, one_line
from kpi_engine.builtin.outputs.words import words

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from decimal import Decimal

    from kpi_engine.api import Failure
    from kpi_engine.api.formatting import Verdict

GAP = 2
"""Blank columns between two columns of text."""
_BLOCKS = "▁▂▃▄▅▆▇█"


@dataclass(frozen=True)
class Head:
    """The top of a column: numbers stand right and are never folded, labels are where the terminal is narrow."""

    text: str
    right: bool = True
    fold: int = 0
    """Down to which width cells may be folded; 0 for not at all."""


@dataclass(frozen=True)
class Stack:
    """A column: its head, and its cells from top to bottom."""

    head: Head
    cells: tuple[Text, ...]

    @property
    def generous(self) -> int:
        """The width that folds nothing."""
        return max(self.natural, Text(self.head.text).cell_len)

    @property
    def natural(self) -> int:
        """The width that folds no cell, and the header between words only."""
        header = (Text(word).cell_len for word in self.head.text.split(" "))
        return max((*header, *(cell.cell_len for cell in self.cells)), default=0)

    @property
    def least(self) -> int:
        """The width below which the column cannot be read."""
        return min(self.natural, self.head.fold) if self.head.fold else self.natural


def needed(stacks: Sequence[Stack]) -> int:
    """Say how wide a terminal must be for these columns side by side."""
    return sum(stack.least for stack in stacks) + GAP * (len(stacks) - 1)


def fitted(stacks: Sequence[Stack], width: int) -> tuple[int, ...]:
    """Share out a terminal's width: first what cannot be folded, then whole labels, then whole headers, from left to right."""
    widths = [min(stack.least, width) for stack in stacks]
    for wanted in ([stack.natural for stack in stacks], [stack.generous for stack in stacks]):
        for place, most in enumerate(wanted):
            spare = width - sum(widths) - GAP * (len(widths) - 1)
            widths[place] += max(0, min(spare, most - widths[place]))
    return tuple(widths)


def headers(heads: Sequence[Head], widths: Iterable[int]) -> Table:
    """Set the headers; the last words of all stand on one line."""
    return grid(heads, widths, [[Text(head.text, "dim") for head in heads]], vertical="bottom")


def grid(
    heads: Iterable[Head],
    widths: Iterable[int],
    rows: Iterable[Sequence[Text]],
    vertical: Literal["top", "bottom"] = "top",
) -> Table:
    """Set rows in columns of these widths."""
    table = Table.grid(padding=(0, GAP, 0, 0), pad_edge=False)
    for head, width in zip(heads, widths, strict=True):
        table.add_column(width=width, justify="right" if head.right else "left", vertical=vertical, overflow="fold")
    for row in rows:
        table.add_row(*row)
    return table


def blocks(leading: Sequence[Stack], stacks: Sequence[Stack], width: int) -> list[list[Stack]]:
    """Part columns into groups that fit the terminal, each beginning with the leading columns."""
    groups: list[list[Stack]] = [[*leading]]
    for stack in stacks:
        if len(groups[-1]) > len(leading) and needed([*groups[-1], stack]) > width:
            groups.append([*leading])
        groups[-1].append(stack)
    return groups


def change(value: float | Decimal | None, written: str, judgement: Verdict) -> Text:
    """Write a change with an arrow for its way, and a sign and a colour for whether it is good news."""
    way = direction(value)
    arrow = {"up": "▲ ", "down": "▼ ", "level": "= ", "unknown": ""}[way]
    news = judgement if way in ("up", "down") else "neutral"
    sign, style = {"good": ("✓", "green"), "bad": ("✗", "red"), "neutral": (" ", "")}[news]
    return Text(f"{arrow}{written} {sign}", style)


def failed(failure: Failure, language: str) -> Text:
    """Say that a KPI failed, why, and what to do."""
    hint = f" ({one_line(failure.hint)})" if failure.hint else ""
    return Text.assemble(
        (words(language).failed, "bold red"), f"{words(language).colon}{one_line(failure.message)}{hint}"
    )


def spark(values: Sequence[float | None]) -> str:
    """Draw values as blocks of eight heights; an unknown one is a gap, and equal ones stand at half height.

    >>> spark([1, None, 2, 3])
    '▁ ▅█'
    """
    known = [value for value in values if value is not None and isfinite(value)]
    if not known:
        return ""
    low, high = min(known), max(known)
    return "".join(" " if value is None or not isfinite(value) else _block(value, low, high) for value in values)


def _block(value: float, low: float, high: float) -> str:
    share = (
        (value / 2 - low / 2) / (high / 2 - low / 2) if high > low else 0.5
    )  # halves, so that no difference overflows
    return _BLOCKS[round(share * (len(_BLOCKS) - 1))]
