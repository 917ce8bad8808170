"""Rows fetched: as Arrow, or at once as values where they are few numbers and texts.

DuckDB says the columns of a statement and gives its rows as Arrow only by reading and binding it twice. Values need one binding. Which
answers are small is known of those without a split, and of a split once it was asked for; where that is wrong, all is right but slower.
"""

from __future__ import annotations

import re
from math import inf
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    import duckdb
    from arro3.core import Table

    from kpi_engine.results import Answered, Columns

    Fetched = tuple[Columns, dict[str, str]]
    Fetch = Callable[[duckdb.DuckDBPyConnection, str], Fetched]

T = TypeVar("T")
_PLAIN = re.compile(r"BOOLEAN|U?(TINY|SMALL|BIG)INT|U?INTEGER|HUGEINT|FLOAT|DOUBLE|VARCHAR|DECIMAL\(\d+,\d+\)")
"""Types whose values are the same whether they come as Arrow or at once."""
_DATES = frozenset({"DATE", "TIMESTAMP"})
"""Types of which this holds for all but values that no calendar has, such as `infinity`."""


SMALL = 10_000
"""Up to so many rows are expected to be fetched faster as values."""


class Sizes:
    """How many rows there were for each period, by split; beyond all bounds where a column was of a type that is not plain."""

    def __init__(self) -> None:
        self._rows: dict[tuple[object, ...], float] = {}

    def are_small(self, split: tuple[object, ...], periods: int) -> bool:
        """Whether an answer is known to be small."""
        return self._rows.get(split, inf) * periods <= SMALL

    def note(self, split: tuple[object, ...], periods: int, answer: Answered, calendar: Collection[str]) -> None:
        """Note an answer."""
        rows = len(answer) / periods if are_plain(answer.types, calendar) else inf
        self._rows[split] = max(rows, self._rows.get(split, 0))


def are_plain(types: Mapping[str, str], calendar: Collection[str]) -> bool:
    """Whether all values are the same in both ways, where dates in the columns of `calendar` are such that there are."""
    return all(_PLAIN.fullmatch(kind) or (kind in _DATES and name in calendar) for name, kind in types.items())


def as_arrow(cursor: duckdb.DuckDBPyConnection, query: str) -> tuple[Table, dict[str, str]]:
    """Run a query; give its rows as Arrow, and the SQL types of its columns."""
    from arro3.core import Table

    relation = cursor.sql(query)
    types = {name: str(kind) for name, kind in zip(relation.columns, relation.types, strict=True)}
    return Table.from_arrow(relation), types


def of_kept(
    fetch: Callable[[duckdb.DuckDBPyConnection, str], T], keeping: str
) -> Callable[[duckdb.DuckDBPyConnection, str], T]:
    """Fetch an answer after DuckDB has computed and kept it, by the statement `keeping`.

    Who reads Arrow holds Python's lock while DuckDB computes, and does not let go of it where rows stream in from Python: see arro3's
    readers of batches, which then run without it. Nothing is read while an answer is kept.
    """
    from kpi_engine.sql import kept_answer

    def fetched(cursor: duckdb.DuckDBPyConnection, _: str) -> T:
        cursor.execute(keeping).fetchall()
        return fetch(cursor, kept_answer())

    return fetched


def fetching(calendar: Collection[str] | None) -> Fetch:
    """Choose how rows are fetched: as Arrow, or as values where they are few numbers beside columns of the calendar, which are named.

    Where a column is of a type that is not plain after all, rows are given as Arrow.
    """
    if calendar is None:
        return as_arrow

    def fetched(cursor: duckdb.DuckDBPyConnection, query: str) -> Fetched:
        cursor.execute(query)
        types = {each[0]: str(each[1]) for each in cursor.description or ()}
        if not are_plain(types, calendar):
            cursor.execute("SELECT NULL").fetchall()  # lets go of the rows that are not fetched
            return as_arrow(cursor, query)
        rows = cursor.fetchall()
        return {name: [row[place] for row in rows] for place, name in enumerate(types)}, types

    return fetched
