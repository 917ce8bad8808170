"""One project with its tables scattered over sources of several engines, beside the same tables in one DuckDB."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import duckdb
from arro3.core import Table as Arrow

import kpi_engine

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    Store = Callable[[duckdb.DuckDBPyConnection, tuple[str, ...], Path], Mapping[str, Any]]

SETTINGS = ("project", "calendar", "currency", "language", "definitions")
"""What stands in `kpi.yaml`; all else stands in a file of definitions."""
PLUGIN = '''
"""A SQL source that is a DuckDB database of its own."""

import threading

import duckdb
from arro3.core import Table as Arrow
from pydantic import BaseModel, ConfigDict

from kpi_engine.api import Table, hookimpl

asked = []


class Settings(BaseModel):
    model_config = ConfigDict(extra="forbid")
    path: str
    lacks: list[str] = []


class Elsewhere:
    name = "elsewhere"
    Config = Settings
    dialect = "duckdb"

    def __init__(self, config, context):
        self.lacks = frozenset(config.lacks)
        self.connection = duckdb.connect(str(context.root / config.path), read_only=True)
        self.connection.execute("SET TimeZone = 'UTC'")
        self.running = []

    def tables(self):
        found = {}
        query = "SELECT table_name, column_name, data_type FROM duckdb_columns() WHERE NOT internal ORDER BY column_index"
        for table, column, kind in self.connection.cursor().execute(query).fetchall():
            found.setdefault(table, {})[column] = kind
        return [Table(name, columns) for name, columns in found.items()]

    def query(self, sql):
        cursor = self.connection.cursor()
        cursor.execute("SET TimeZone = 'UTC'")
        self.running.append(cursor)
        rows = Arrow.from_arrow(cursor.sql(sql))
        asked.append((self, sql, rows.num_rows, threading.get_ident()))
        return rows

    def interrupt(self):
        for cursor in self.running:
            cursor.interrupt()


@hookimpl
def sources():
    return [Elsewhere]
'''


def in_duckdb(connection: duckdb.DuckDBPyConnection, tables: tuple[str, ...], folder: Path) -> Mapping[str, Any]:
    """Copy tables into a DuckDB database of their own; give the settings of a source that reads it."""
    file = folder / f"{'_'.join(sorted(tables))[:60]}.duckdb"
    with duckdb.connect(str(file)) as copy:
        copy.execute("SET TimeZone = 'UTC'")
        for table in tables:
            rows = Arrow.from_arrow(connection.sql(f'SELECT * FROM "{table}"'))
            created = connection.execute("SELECT sql FROM duckdb_tables() WHERE table_name = ?", [table]).fetchall()
            copy.execute(created[0][0])
            copy.register("rows", rows)
            copy.execute(f'INSERT INTO "{table}" SELECT * FROM rows')
            copy.unregister("rows")
    return {"plugin": "elsewhere", "path": file.name}


NUMBERS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "DECIMAL", "DOUBLE", "FLOAT", "BOOLEAN")


def literals(connection: duckdb.DuckDBPyConnection, table: str) -> list[str]:
    """Write the rows of a table as SQL that any engine reads: numbers as they are, all else in quotes, instants in UTC."""
    connection.execute("SET TimeZone = 'UTC'")
    described = connection.execute(f'DESCRIBE "{table}"').fetchall()
    rows = connection.execute(f'SELECT COLUMNS(*)::VARCHAR FROM "{table}"').fetchall()
    bare = [kind.startswith(NUMBERS) for _, kind, *_ in described]
    return [
        "(" + ", ".join(_literal(value, bare=is_bare) for value, is_bare in zip(row, bare, strict=True)) + ")"
        for row in rows
    ]


def _literal(value: str | None, *, bare: bool) -> str:
    if value is None:
        return "NULL"
    return value if bare and value not in {"nan", "inf", "-inf"} else "'" + value.replace("'", "''") + "'"


def tables_of(connection: duckdb.DuckDBPyConnection) -> tuple[str, ...]:
    """Name the tables of a connection."""
    found = connection.execute("SELECT table_name FROM duckdb_tables() WHERE NOT internal ORDER BY 1").fetchall()
    return tuple(name for (name,) in found)


def _read_by(name: str, model: Mapping[str, Any], tables: Iterable[str]) -> str:
    """Name the table that a dataset reads: its own, or the first that its query names."""
    words = model.get("sql", "").split()
    return next((each for each in tables if each in words), model.get("table") or name)


def scattered(
    connection: duckdb.DuckDBPyConnection,
    definitions: Mapping[str, Any],
    places: Mapping[str, tuple[Store, tuple[str, ...]]],
    folder: Path,
    plugins: Mapping[str, str] | None = None,
) -> kpi_engine.Engine:
    """Open a project whose tables lie in several sources: `{source: (how it is stored, its tables)}`."""
    (folder / "plugins").mkdir(parents=True, exist_ok=True)
    for name, text in {"elsewhere": PLUGIN, **(plugins or {})}.items():
        (folder / "plugins" / f"{name}.py").write_text(text, encoding="utf-8")
    sources = {name: dict(store(connection, tables, folder)) for name, (store, tables) in places.items()}
    of_table = {table: name for name, (_, tables) in places.items() for table in tables}
    datasets = {
        name: {**(model or {}), "source": of_table.get(_read_by(name, model or {}, of_table), next(iter(places)))}
        for name, model in definitions["datasets"].items()
    }
    rest = {**definitions, "datasets": datasets}
    settings = {key: rest.pop(key) for key in SETTINGS if key in rest}
    settings = {
        "project": "scattered",
        **settings,
        "sources": sources,
        "definitions": ["all.yaml", *settings.get("definitions", ())],
    }
    (folder / "kpi.yaml").write_text(json.dumps(settings, default=str), encoding="utf-8")
    (folder / "all.yaml").write_text(json.dumps(rest, default=str), encoding="utf-8")
    return kpi_engine.open(folder)
