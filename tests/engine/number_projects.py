"""Small projects for tests of numbers: tables written in place, definitions as dicts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import duckdb

import kpi_engine

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

LATE = "2030-01-01"
"""An `as_of` after all the data."""


def connected(tables: Mapping[str, tuple[str, str]]) -> duckdb.DuckDBPyConnection:
    """Make an in-memory database with tables: `{name: (columns, rows)}`, both as SQL writes them."""
    connection = duckdb.connect()
    for name, (columns, rows) in tables.items():
        connection.execute(f'CREATE TABLE "{name}" ({columns})')
        if rows.strip():
            connection.execute(f'INSERT INTO "{name}" VALUES {rows}')
    return connection


def opened(
    tables: Mapping[str, tuple[str, str]],
    datasets: Mapping[str, Any],
    kpis: Mapping[str, Any],
    calendar: Mapping[str, str] | None = None,
    **rest: Any,
) -> kpi_engine.Engine:
    """Open an engine over such tables; a KPI may be its formula alone, over the first dataset."""
    first = next(iter(datasets))
    made = {name: {"inputs": [first], "formula": kpi} if isinstance(kpi, str) else kpi for name, kpi in kpis.items()}
    definitions = {"calendar": calendar or {"timezone": "Europe/Paris"}, "datasets": datasets, "kpis": made, **rest}
    return kpi_engine.open(definitions, connected(tables))


def table(result: kpi_engine.Result, *columns: str) -> list[tuple[Any, ...]]:
    """Give columns of the rows as tuples; all of them where none is named."""
    return [tuple(row[name] for name in columns or row) for row in result.rows()]


def column(result: kpi_engine.Result, name: str) -> list[Any]:
    """Give one column."""
    return [row[name] for row in result.rows()]


def by_member(result: kpi_engine.Result, dimension: str, value: str) -> dict[Any, Any]:
    """Give the values by the members of a dimension."""
    return {row[dimension]: row[value] for row in result.rows()}


def same_values(one: kpi_engine.Result, other: kpi_engine.Result, columns: Iterable[str], keys: Sequence[str]) -> bool:
    """Say whether two results agree on some columns, by their keys, whatever else stands in them."""
    left, right = (
        {tuple(row[k] for k in keys): tuple(row[c] for c in columns) for row in each.rows()} for each in (one, other)
    )
    shared = left.keys() & right.keys()
    return bool(shared) and all(left[key] == right[key] for key in shared)
