"""Rows fetched: as Arrow, or at once as values where they are few numbers and texts.

DuckDB says the columns of a statement and gives its rows as Arrow only by reading and binding it twice. Values need one binding.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    import duckdb
    from arro3.core import Table

    from kpi_engine.results import Columns

    Fetched = tuple[Columns, dict[str, str]]
    Fetch = Callable[[duckdb.DuckDBPyConnection, str], Fetched]

_PLAIN = re.compile(r"BOOLEAN|U?(TINY|SMALL|BIG)INT|U?INTEGER|HUGEINT|FLOAT|DOUBLE|VARCHAR|DECIMAL\(\d+,\d+\)")
"""Types whose values are the same whether they come as Arrow or at once."""
_DATES = frozenset({"DATE", "TIMESTAMP"})
"""Types of which this holds for all but values that no calendar has, such as `infinity`."""


def as_arrow(cursor: duckdb.DuckDBPyConnection, query: str) -> tuple[Table, dict[str, str]]:
    """Run a query; give its rows as Arrow, and the SQL types of its columns."""
    from arro3.core import Table

    relation = cursor.sql(query)
    types = {name: str(kind) for name, kind in zip(relation.columns, relation.types, strict=True)}
    return Table.from_arrow(relation), types


def fetching(calendar: Collection[str] | None) -> Fetch:
    """Choose how rows are fetched: as Arrow, or as values where they are few numbers beside columns of the calendar, which are named.

    Where a column is of a type that is not plain after all, rows are given as Arrow.
    """
    if calendar is None:
        return as_arrow

    def fetched(cursor: duckdb.DuckDBPyConnection, query: str) -> Fetched:
        cursor.execute(query)
        types = {each[0]: str(each[1]) for each in cursor.description or ()}
        if not all(_PLAIN.fullmatch(kind) or (kind in _DATES and name in calendar) for name, kind in types.items()):
            cursor.execute("SELECT NULL").fetchall()  # lets go of the rows that are not fetched
            return as_arrow(cursor, query)
        rows = cursor.fetchall()
        return {name: [row[place] for row in rows] for place, name in enumerate(types)}, types

    return fetched
