"""Tables of a DuckDB copied into MariaDB, each source in a database of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from scattered import literals

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    import duckdb
    from mariadb_server import Server

PLUGIN = '"""The source that is installed in practice."""\n\nfrom kpi_source_mysql import sources\n'
_TYPES = {
    "VARCHAR": "LONGTEXT",
    "TIMESTAMP": "DATETIME(6)",
    "TIMESTAMP WITH TIME ZONE": "TIMESTAMP(6) NULL",
    "FLOAT": "FLOAT",
}


def storing(server: Server) -> Callable[[duckdb.DuckDBPyConnection, tuple[str, ...], Path], Mapping[str, Any]]:
    """Give what copies tables into a new database, and gives the settings of the source that reads it."""

    def store(connection: duckdb.DuckDBPyConnection, tables: tuple[str, ...], folder: Path) -> Mapping[str, Any]:
        name = f"s{abs(hash((str(folder), tables)))}"
        statements = [
            f"CREATE DATABASE `{name}` COLLATE utf8mb4_general_ci",
            f"USE `{name}`",
            "SET time_zone = '+00:00'",
        ]
        statements += ["SET sql_mode = 'STRICT_ALL_TABLES,NO_BACKSLASH_ESCAPES'"]
        for table in tables:
            statements += copying(connection, table)
        server.run(*statements)
        return {"plugin": "mysql", "dsn": {"env": "KPI_TEST_MYSQL"}, "database": name}

    return store


def copying(connection: duckdb.DuckDBPyConnection, table: str) -> list[str]:
    """Give the statements that make a table and fill it."""
    described = connection.execute(f'DESCRIBE "{table}"').fetchall()
    columns = ", ".join(f"`{column}` {_TYPES.get(kind, kind)}" for column, kind, *_ in described)
    instants = any("ZONE" in kind for _, kind, *_ in described)
    rows = [row.replace("+00'", "'") if instants else row for row in literals(connection, table)]
    filled = [f"INSERT INTO `{table}` VALUES {', '.join(rows[n : n + 500])}" for n in range(0, len(rows), 500)]
    return [f"CREATE TABLE `{table}` ({columns})", *filled]
