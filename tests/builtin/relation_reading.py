"""Read what a source gives with DuckDB, as the engine does: every option written as a named argument."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import duckdb

if TYPE_CHECKING:
    from kpi_engine.api import FileRelation


def literal(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{literal(key)}: {literal(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(literal(item) for item in value) + "]"
    return str(value)


def call(relation: FileRelation) -> str:
    arguments = "".join(f", {name} => {literal(value)}" for name, value in relation.options.items())
    return f"read_{relation.format}({literal(list(relation.paths))}{arguments})"


def columns(relation: FileRelation) -> dict[str, str]:
    with duckdb.connect() as connection:
        found = connection.sql(f"FROM {call(relation)}")
        return dict(zip(found.columns, map(str, found.types), strict=True))


def rows(relation: FileRelation, select: str = "*") -> list[tuple[Any, ...]]:
    with duckdb.connect() as connection:
        return connection.sql(f"SELECT {select} FROM {call(relation)}").fetchall()
