"""The source `sqlite`: a SQLite database file, which is only ever read and computes its own aggregates."""

from __future__ import annotations

import sqlite3
from contextlib import contextmanager
from threading import Lock
from typing import TYPE_CHECKING, ClassVar

from pydantic import BaseModel, ConfigDict, Field

from kpi_engine.api import DataError, SourceError, Table, files_version
from kpi_source_sqlite.columns import REFUSE, reading, type_held, type_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from arro3.core import Table as Arrow

    from kpi_engine.api import SourceContext

_TABLES = "SELECT name, type FROM sqlite_master WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name"


class SqliteSettings(BaseModel):
    """The settings of the source `sqlite`."""

    model_config = ConfigDict(extra="forbid")

    path: str = Field(description="The database file, relative to the project's folder.")


class SqliteSource:
    """The tables and views of a SQLite database."""

    name: ClassVar[str] = "sqlite"
    Config: ClassVar[type[BaseModel]] = SqliteSettings
    dialect: ClassVar[str] = "sqlite"

    def __init__(self, config: SqliteSettings, context: SourceContext) -> None:
        self._path = (context.root / config.path).resolve()
        self._lock = Lock()
        self._busy: set[sqlite3.Connection] = set()

    def tables(self) -> Sequence[Table]:
        """List the tables and views with their columns; a column that holds values of several types is left out."""
        with self._connected() as connection:
            found = [name for name, _ in connection.execute(_TABLES).fetchall()]
            return [self._table(connection, name) for name in found]

    def query(self, sql: str) -> Arrow:
        """Run one statement."""
        from kpi_source_sqlite.rows import arrow

        with self._connected() as connection:
            cursor = connection.execute(sql)
            return arrow([each[0] for each in cursor.description], cursor.fetchall())

    def interrupt(self) -> None:
        """Stop the queries that run at this moment."""
        with self._lock:
            for each in self._busy:
                each.interrupt()

    def version(self, table: str) -> str | None:
        """Say when the database was last written; None of a database that keeps a log beside it."""
        del table
        log = self._path.with_name(f"{self._path.name}-wal")
        return None if log.exists() else files_version([self._path])

    def _table(self, connection: sqlite3.Connection, name: str) -> Table:
        quoted = '"' + name.replace('"', '""') + '"'
        columns: dict[str, str] = {}
        for _, column, declared, *_ in connection.execute(f"PRAGMA table_xinfo({quoted})").fetchall():
            kind = type_of(declared or "") or self._held(connection, quoted, column)
            if kind:
                columns[column] = kind
        return Table(name, columns, reads={column: reading(column, kind) for column, kind in columns.items()})

    def _held(self, connection: sqlite3.Connection, table: str, column: str) -> str:
        quoted = '"' + column.replace('"', '""') + '"'
        rows = connection.execute(f"SELECT DISTINCT TYPEOF({quoted}) FROM {table}").fetchall()
        return type_held({kind for (kind,) in rows})

    @contextmanager
    def _connected(self) -> Iterator[sqlite3.Connection]:
        """Give a connection that only reads; what SQLite says against it becomes an error with the place and the mend."""
        refused: list[str] = []

        def refuse(value: object, column: str, kind: str) -> None:
            refused.append(f"`{str(value)[:60]}` in the column `{column}` is no {kind.lower()}")
            raise ValueError(column)

        if not self._path.is_file():
            message = f"the database {self._path} is not there"
            raise SourceError(
                message, code="missing_file", hint="`path` of the source is relative to the project's folder"
            )
        connection = sqlite3.connect(f"{self._path.as_uri()}?mode=ro", uri=True, check_same_thread=False)
        connection.create_function(REFUSE, 3, refuse)
        with self._lock:
            self._busy.add(connection)
        try:
            yield connection
        except sqlite3.Error as error:
            raise _said(error, self._path.name, refused) from error
        finally:
            with self._lock:
                self._busy.discard(connection)
            connection.close()


def _said(error: sqlite3.Error, name: str, refused: list[str]) -> DataError | SourceError:
    if refused:
        hint = "correct the data, or declare the column in the database as what it holds"
        return DataError(f"the database {name}: {refused[0]}", code="bad_value", hint=hint)
    if "interrupted" in str(error):
        return SourceError(f"the database {name} was interrupted", code="interrupted")
    if "integer overflow" in str(error):
        return DataError(f"the database {name}: a number is too large", code="overflow", hint="ask for less at once")
    hint = "check that the file is a SQLite database and that you may read it; `kpi explain` shows the statement"
    return SourceError(f"the database {name}: {error}", code="query_failed", hint=hint)
