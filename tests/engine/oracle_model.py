"""What the oracle works on: projects, their rows, and questions, as plain data."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from oracle_calendar import Almanac, Asked

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from oracle_cohorts import Followed
    from oracle_money import Rates

Row = dict[str, Any]
Term = Any
"""A path as a text, or `("lit", value)`, `("+", a, b)`, also - * /, `("coalesce", a, b)`, `("case", condition, a, b)`, and others of `oracle_terms`."""
Condition = tuple[Any, ...]
"""`("eq", term, value)`, also ne lt le gt ge; `("in", term, values)` and others of `oracle_terms`; `("not", c)`, `("and", c, …)`, `("or", c, …)`.

Of a question only: `("among", dimension, having, by)`.
"""
Formula = tuple[Any, ...]
"""`("agg", function, input, term, condition)`, `("input", name)`, `("lit", value)`, and what terms are made of."""


@dataclass(frozen=True)
class Param:
    """A parameter in the place of a value."""

    name: str


@dataclass(frozen=True)
class Link:
    """A join to the one side: `keys` are here: there."""

    to: str
    keys: Mapping[str, str]
    valid: tuple[str, str] | None = None


@dataclass(frozen=True)
class Dataset:
    """A table with what the language says of it; `types` are words of `TYPES`, `depends` names what follows from a dimension.

    `query` makes the rows of the table `table` into these; `entity` None is no snapshot.
    """

    types: Mapping[str, str]
    rows: list[Row]
    key: tuple[str, ...] = ()
    time: str = ""
    times: Mapping[str, Term] = field(default_factory=dict)
    dimensions: Mapping[str, Term] = field(default_factory=dict)
    joins: Mapping[str, Link] = field(default_factory=dict)
    entity: tuple[str, ...] | None = None
    keep: tuple[int, str] | None = None
    depends: Mapping[str, frozenset[str]] = field(default_factory=dict)
    query: str = ""
    currencies: Mapping[str, str] = field(default_factory=dict)
    """For a column of amounts the one that their currencies stand in."""
    rates: Rates | None = None


@dataclass(frozen=True)
class Conversion:
    """Each row is given to one row of the input `after`: of the same `keys` (here, there), at most `within` earlier."""

    after: str
    keys: tuple[tuple[str, str], ...]
    within: tuple[int, str] | None = None
    first: bool = False
    age: str = ""
    """The unit of an age: then the earlier input is a cohort."""


@dataclass(frozen=True)
class Input:
    """An input with its modifiers."""

    source: str
    where: Condition | None = None
    time: str = ""
    take: str = ""
    across: frozenset[str] = frozenset()
    offset: tuple[int, str] | str | None = None
    """A count and a unit, `period`, or `start of` a unit."""
    covers: tuple[Any, ...] = ()
    """`("all",)`, `("to_date", unit)` or `("window", count, unit)`."""
    per: tuple[str, ...] = ()
    unit: str = ""
    """The unit of time that `per` names too."""
    conversion: Conversion | None = None
    among: tuple[tuple[str, tuple[tuple[Any, ...], ...]], ...] = ()
    """Conditions on KPIs, by dimension: of each a KPI, an operator and its values."""
    followed: Followed | None = None
    """How its rows are followed as a cohort, as a question asks for it; definitions say nothing here."""


@dataclass(frozen=True)
class Kpi:
    """A KPI; `percent` is its format, `empty_unknown` that a sum of nothing is unknown."""

    inputs: Mapping[str, Input]
    formula: Formula
    percent: bool = False
    empty_unknown: bool = False
    frame: str = "whole"
    currency: str = ""


@dataclass(frozen=True)
class Model:
    """A project; `parameters` have a type and a default."""

    datasets: Mapping[str, Dataset]
    kpis: Mapping[str, Kpi]
    almanac: Almanac = field(default_factory=Almanac)
    parameters: Mapping[str, tuple[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True)
class Top:
    """The first members of a dimension by a KPI; `others` shows all the rest as one."""

    first: int
    of: str
    by: str
    others: bool = False


@dataclass(frozen=True)
class Question:
    """A request; `as_of` is the local time before which everything counts, `said` how it is written.

    Without KPIs it asks for the members of the datasets `of`.
    """

    kpis: tuple[str, ...]
    period: Asked
    as_of: datetime
    said: str
    by: tuple[str, ...] = ()
    grains: tuple[str, ...] = ()
    where: tuple[Condition, ...] = ()
    where_sql: Condition | None = None
    periods: tuple[tuple[str, datetime], ...] = ()
    """Conditions on `period`: an operator and the start of a unit."""
    compare: tuple[str, ...] = ()
    having: tuple[tuple[str, str, Any], ...] = ()
    order: tuple[str, ...] = ()
    limit: int | None = None
    dense: bool = True
    parameters: Mapping[str, Any] = field(default_factory=dict)
    of: tuple[str, ...] = ()
    dated: bool = True
    totals: bool = False
    rank: tuple[str, ...] = ()
    share: tuple[str, ...] = ()
    top: Top | None = None
    like_for_like: bool = False
    currency: str = ""
