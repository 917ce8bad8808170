"""The lengths of time by which a result is split."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kpi_engine.calendar.units import unit_word
from kpi_engine.errors import RequestError, nearest

if TYPE_CHECKING:
    from collections.abc import Collection

Grain = str
"""A length of time by which a result is split: one of `GRAINS`, or a unit of the project's own."""

GRAINS: Final = (
    "second", "minute", "hour", "day", "week", "month", "quarter", "year", "fiscal_quarter", "fiscal_year",
)  # fmt: skip
"""The grains that every project has, from the shortest calendar unit to the longest, fiscal ones last."""
CLOCK: Final = frozenset({"second", "minute", "hour"})
"""The grains below a day."""


def parse_grain(text: str, units: Collection[str] = ()) -> Grain:
    """Read a grain as people write it: `month`, `Fiscal quarter`, `fiscal-year`, or one of the project's own units.

    Raise `unknown_grain` for anything else.

    >>> parse_grain("fiscal quarter")
    'fiscal_quarter'
    """
    known = (*GRAINS, *units)
    word = unit_word(text, units)
    if word not in known:
        raise RequestError(f"`{text}` is not a grain", code="unknown_grain", hint=nearest(word, known))
    return word
