"""Tables of a DuckDB copied into SQLite, each source in a file of its own."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, Any

from scattered import literals

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import duckdb

PLUGIN = '"""The source that is installed in practice."""\n\nfrom kpi_source_sqlite import sources\n'


def in_sqlite(connection: duckdb.DuckDBPyConnection, tables: tuple[str, ...], folder: Path) -> Mapping[str, Any]:
    """Copy tables into a new database; give the settings of the source that reads it."""
    file = folder / f"{'_'.join(sorted(tables))[:60]}.sqlite"
    there = sqlite3.connect(file)
    for table in tables:
        described = connection.execute(f'DESCRIBE "{table}"').fetchall()
        there.execute(
            f'CREATE TABLE "{table}" ({", ".join(f"{chr(34)}{column}{chr(34)} {kind}" for column, kind, *_ in described)})'
        )
        rows = literals(connection, table)
        if rows:
            there.execute(f'INSERT INTO "{table}" VALUES {", ".join(rows)}')
    there.commit()
    there.close()
    return {"plugin": "sqlite", "path": file.name}
