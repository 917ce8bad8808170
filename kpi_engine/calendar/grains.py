"""The lengths of time by which a result is split."""

from __future__ import annotations

from typing import Literal, cast, get_args

from kpi_engine.errors import RequestError, nearest

Grain = Literal[
    "second", "minute", "hour", "day", "week", "month", "quarter", "year", "fiscal_quarter", "fiscal_year"
]  # fmt: skip
"""A length of time by which a result is split."""

GRAINS: tuple[str, ...] = get_args(Grain)
"""All grains, from the shortest calendar unit to the longest, fiscal ones last."""


def parse_grain(text: str) -> Grain:
    """Read a grain as people write it: `month`, `Fiscal quarter`, `fiscal-year`.

    Raise `unknown_grain` for anything else.

    >>> parse_grain("fiscal quarter")
    'fiscal_quarter'
    """
    word = "_".join(text.casefold().replace("-", " ").replace("_", " ").split())
    if word not in GRAINS:
        raise RequestError(f"`{text}` is not a grain", code="unknown_grain", hint=nearest(word, GRAINS))
    return cast("Grain", word)
