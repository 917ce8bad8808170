"""Tables of a DuckDB copied into PostgreSQL, each source in a schema of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from adbc_driver_postgresql import dbapi
from scattered import literals

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    import duckdb

PLUGIN = '"""The source that is installed in practice."""\n\nfrom kpi_source_postgres import sources\n'
_TYPES = {"DOUBLE": "DOUBLE PRECISION", "VARCHAR": "TEXT", "TINYINT": "SMALLINT", "FLOAT": "REAL"}


def storing(dsn: str) -> Callable[[duckdb.DuckDBPyConnection, tuple[str, ...], Path], Mapping[str, Any]]:
    """Give what copies tables into a new schema, and gives the settings of the source that reads it."""

    def store(connection: duckdb.DuckDBPyConnection, tables: tuple[str, ...], folder: Path) -> Mapping[str, Any]:
        schema = f"s{abs(hash((str(folder), tables)))}"
        with dbapi.connect(dsn, autocommit=True) as there, there.cursor() as cursor:
            cursor.execute(f'CREATE SCHEMA "{schema}"')
            for table in tables:
                for statement in copying(connection, table, f'"{schema}"."{table}"'):
                    cursor.execute(statement)
        return {"plugin": "postgres", "dsn": {"env": "KPI_TEST_POSTGRES"}, "schema": schema}

    return store


def copying(connection: duckdb.DuckDBPyConnection, table: str, name: str) -> list[str]:
    """Give the statements that make a table and fill it."""
    described = connection.execute(f'DESCRIBE "{table}"').fetchall()
    columns = ", ".join(f'"{column}" {_TYPES.get(kind, kind)}' for column, kind, *_ in described)
    rows = literals(connection, table)
    filled = [f"INSERT INTO {name} VALUES {', '.join(rows[n : n + 500])}" for n in range(0, len(rows), 500)]
    return [f"CREATE TABLE {name} ({columns})", *filled]
