"""Tables of a DuckDB copied into the server, each source in a database of its own, under names in capitals as Snowflake has them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from scattered import literals

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    import duckdb
    from fake_server import Server

PLUGIN = '"""The source that is installed in practice."""\n\nfrom kpi_source_snowflake import sources\n'
HERE = {"snowflake_here": PLUGIN}
_TYPES = {
    "TINYINT": "NUMBER(3)", "SMALLINT": "NUMBER(5)", "INTEGER": "NUMBER(10)", "BIGINT": "NUMBER(38)", "VARCHAR": "VARCHAR",
    "TIMESTAMP": "TIMESTAMP_NTZ", "TIMESTAMP WITH TIME ZONE": "TIMESTAMP_LTZ",
}  # fmt: skip


def storing(server: Server) -> Callable[[duckdb.DuckDBPyConnection, tuple[str, ...], Path], Mapping[str, Any]]:
    """Give what copies tables into a new database, and gives the settings of the source that reads it."""

    def store(connection: duckdb.DuckDBPyConnection, tables: tuple[str, ...], folder: Path) -> Mapping[str, Any]:
        name = f"S{abs(hash((str(folder), tables)))}"
        server.run(name, *(each for table in tables for each in copying(connection, table)))
        return {"plugin": "snowflake", **server.settings(name)}

    return store


def copying(connection: duckdb.DuckDBPyConnection, table: str) -> list[str]:
    """Give the statements that make a table and fill it."""
    described = connection.execute(f'DESCRIBE "{table}"').fetchall()
    columns = ", ".join(f'"{column.upper()}" {_TYPES.get(kind, kind)}' for column, kind, *_ in described)
    name = f'"{table.upper()}"'
    rows = literals(connection, table)
    filled = [f"INSERT INTO {name} VALUES {', '.join(rows[n : n + 500])}" for n in range(0, len(rows), 500)]
    return [f"CREATE TABLE {name} ({columns})", *filled]
