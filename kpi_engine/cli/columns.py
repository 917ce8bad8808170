"""Lists for the terminal: texts in columns."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def lined_up(rows: Sequence[Sequence[str]], indent: str = "") -> list[str]:
    """Write rows of texts below each other, each column as wide as its longest text.

    >>> lined_up([("a", "one"), ("bcd", "two")])
    ['a    one', 'bcd  two']
    """
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        indent + "  ".join(f"{cell:{width}}" for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    ]
