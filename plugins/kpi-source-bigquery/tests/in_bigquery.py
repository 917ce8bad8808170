"""Tables of a DuckDB copied into the server, each source in a dataset of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from scattered import literals
from sqlglot import transpile

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    import duckdb
    from emulator import Server

PLUGIN = '"""The source that is installed in practice."""\n\nfrom kpi_source_bigquery import sources\n'
HERE = {"bigquery_here": PLUGIN}
_TYPES = {
    "TINYINT": "INT64", "SMALLINT": "INT64", "INTEGER": "INT64", "BIGINT": "INT64", "DOUBLE": "FLOAT64", "VARCHAR": "STRING",
    "BOOLEAN": "BOOL", "TIMESTAMP": "DATETIME", "TIMESTAMP WITH TIME ZONE": "TIMESTAMP",
}  # fmt: skip


def storing(server: Server) -> Callable[[duckdb.DuckDBPyConnection, tuple[str, ...], Path], Mapping[str, Any]]:
    """Give what copies tables into a new dataset, and gives the settings of the source that reads it."""

    def store(connection: duckdb.DuckDBPyConnection, tables: tuple[str, ...], folder: Path) -> Mapping[str, Any]:
        name = f"s{abs(hash((str(folder), tables)))}"
        server.run(name, *(each for table in tables for each in copying(connection, table)))
        return {"plugin": "bigquery", **server.settings(name)}

    return store


def copying(connection: duckdb.DuckDBPyConnection, table: str) -> list[str]:
    """Give the statements that make a table and fill it."""
    described = connection.execute(f'DESCRIBE "{table}"').fetchall()
    kinds = [_TYPES.get(kind, kind.replace("DECIMAL", "NUMERIC")) for _, kind, *_ in described]
    columns = ", ".join(f"`{name}` {kind}" for (name, *_), kind in zip(described, kinds, strict=True))
    rows = literals(connection, table)
    filled = [f'INSERT INTO "{table}" VALUES {", ".join(rows[n : n + 500])}' for n in range(0, len(rows), 500)]
    written = [each for text in filled for each in transpile(text, read="duckdb", write="bigquery")]
    return [f"CREATE TABLE `{table}` ({columns})", *written]
