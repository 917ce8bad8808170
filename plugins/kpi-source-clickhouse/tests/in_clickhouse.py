"""Tables of a DuckDB copied into ClickHouse, each source in a database of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from scattered import literals

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    import duckdb

PLUGIN = '"""The source that is installed in practice."""\n\nfrom kpi_source_clickhouse import sources\n'
_TYPES = {
    "TINYINT": "Int8", "SMALLINT": "Int16", "INTEGER": "Int32", "BIGINT": "Int64", "DOUBLE": "Float64", "FLOAT": "Float32",
    "VARCHAR": "String", "BOOLEAN": "Bool", "DATE": "Date32", "TIMESTAMP": "DateTime64(6)", "TIMESTAMP WITH TIME ZONE": "DateTime64(6, 'UTC')",
}  # fmt: skip


def storing(
    connected: Any, path: Path
) -> Callable[[duckdb.DuckDBPyConnection, tuple[str, ...], Path], Mapping[str, Any]]:
    """Give what copies tables into a new database, and gives the settings of the source that reads it."""

    def store(connection: duckdb.DuckDBPyConnection, tables: tuple[str, ...], folder: Path) -> Mapping[str, Any]:
        name = f"s{abs(hash((str(folder), tables)))}"
        connected.query(f"CREATE DATABASE {name}")
        for table in tables:
            for statement in copying(connection, table, f"{name}.`{table}`"):
                connected.query(statement)
        return {"plugin": "clickhouse", "path": str(path), "database": name}

    return store


def copying(connection: duckdb.DuckDBPyConnection, table: str, name: str) -> list[str]:
    """Give the statements that make a table and fill it."""
    described = connection.execute(f'DESCRIBE "{table}"').fetchall()
    columns = ", ".join(
        f"`{column}` Nullable({_TYPES.get(kind, kind.replace('DECIMAL', 'Decimal'))})" for column, kind, *_ in described
    )
    instants = any("ZONE" in kind for _, kind, *_ in described)
    rows = [row.replace("+00'", "'") if instants else row for row in literals(connection, table)]
    filled = [f"INSERT INTO {name} VALUES {', '.join(rows[n : n + 500])}" for n in range(0, len(rows), 500)]
    return [f"CREATE TABLE {name} ({columns}) ENGINE = MergeTree ORDER BY tuple()", *filled]
