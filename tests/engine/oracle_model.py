"""What the oracle works on: projects, their rows, and questions, as plain data."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from oracle_calendar import Almanac, Asked

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

Row = dict[str, Any]
Condition = tuple[Any, ...]
"""`("eq", path, value)`, also ne lt le gt ge in; `("null", path)`; `("not", c)`, `("and", c, …)`, `("or", c, …)`."""
Formula = tuple[Any, ...]
"""`("agg", function, input, path, condition)`, `("input", name)`, `("num", text)`, `("+", left, right)`, also - * /; `("coalesce", f, text)`."""


@dataclass(frozen=True)
class Link:
    """A join to the one side: `keys` are here: there."""

    to: str
    keys: Mapping[str, str]
    valid: tuple[str, str] | None = None


@dataclass(frozen=True)
class Dataset:
    """A table with what the language says of it; `types` are words of `TYPES`, `depends` names what follows from a dimension."""

    types: Mapping[str, str]
    rows: list[Row]
    key: tuple[str, ...] = ()
    time: str = ""
    times: Mapping[str, str] = field(default_factory=dict)
    dimensions: Mapping[str, str] = field(default_factory=dict)
    joins: Mapping[str, Link] = field(default_factory=dict)
    entity: tuple[str, ...] = ()
    keep_days: int | None = None
    depends: Mapping[str, frozenset[str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Input:
    """An input with its modifiers."""

    source: str
    where: Condition | None = None
    time: str = ""
    take: str = ""
    across: frozenset[str] = frozenset()
    offset: tuple[int, str] | str | None = None
    covers: tuple[Any, ...] = ()
    """`("all",)`, `("to_date", unit)` or `("window", count, unit)`."""
    per: tuple[str, ...] = ()


@dataclass(frozen=True)
class Kpi:
    """A KPI; `percent` is its format, `empty_unknown` that a sum of nothing is unknown."""

    inputs: Mapping[str, Input]
    formula: Formula
    percent: bool = False
    empty_unknown: bool = False


@dataclass(frozen=True)
class Model:
    """A project."""

    datasets: Mapping[str, Dataset]
    kpis: Mapping[str, Kpi]
    almanac: Almanac = field(default_factory=Almanac)


@dataclass(frozen=True)
class Question:
    """A request; `as_of` is the local time before which everything counts."""

    kpis: tuple[str, ...]
    period: Asked
    as_of: datetime
    by: tuple[str, ...] = ()
    grain: str | None = None
    where: tuple[Condition, ...] = ()
    compare: tuple[str, ...] = ()
