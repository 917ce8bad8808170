"""The embedded DuckDB: one database per engine, one cursor per request, nothing reachable that no source declares."""

from __future__ import annotations

import tempfile
from contextlib import contextmanager
from pathlib import Path
from threading import Lock, Timer
from typing import TYPE_CHECKING, Any

from kpi_engine.errors import DataError, KpiError, SourceError, TimeoutExceeded

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    import duckdb
    from arro3.core import Table

READ_ONLY_SETTINGS = (
    "SET TimeZone = 'UTC'",
    "SET autoinstall_known_extensions = false",
    "SET autoload_known_extensions = false",
    "SET allow_community_extensions = false",
    "SET python_enable_replacements = false",
)


class Database:
    """A DuckDB database that requests run on, from any thread; one that is handed in stays its owner's and is not changed."""

    def __init__(self, given: duckdb.DuckDBPyConnection | None = None) -> None:
        self._given = given
        self._connection: duckdb.DuckDBPyConnection | None = None
        self._attached: dict[str, str] = {}
        self._lock = Lock()
        self._folders: tuple[str, ...] = ()
        self._busy: set[duckdb.DuckDBPyConnection] = set()

    def allow(self, folders: Iterable[str]) -> None:
        """Let queries read below these folders; must come before the first query."""
        self._folders = (*self._folders, *folders)

    def attach(self, path: str) -> str:
        """Attach a database file read-only, once, and give the name it goes by."""
        connection = self._open()
        with self._lock:
            if path not in self._attached:
                name = f"db{len(self._attached)}"
                quoted = path.replace("'", "''")
                with translated(f"the database {path}"):
                    connection.cursor().execute(f"ATTACH '{quoted}' AS {name} (READ_ONLY)").fetchall()
                self._attached[path] = name
            return self._attached[path]

    @contextmanager
    def cursor(self, registered: Mapping[str, Any] | None = None) -> Iterator[duckdb.DuckDBPyConnection]:
        """Give a cursor of its own to one request, with tables registered for it alone."""
        cursor = self._open().cursor()
        with self._lock:
            self._busy.add(cursor)
        try:
            for name, table in (registered or {}).items():
                cursor.register(name, table)
            yield cursor
        finally:
            with self._lock:
                self._busy.discard(cursor)
            cursor.close()

    def interrupt(self) -> None:
        """Stop the queries that run at this moment; may be called from any thread."""
        with self._lock:
            for cursor in self._busy:
                cursor.interrupt()

    def columns(self, query: str, registered: Mapping[str, Any] | None = None, about: str = "") -> dict[str, str]:
        """Give the names and SQL types of a query's columns, without running it."""
        with self.cursor(registered) as cursor, translated(about):
            relation = cursor.sql(query)
            return {name: str(kind) for name, kind in zip(relation.columns, relation.types, strict=True)}

    def table(
        self, query: str, registered: Mapping[str, Any] | None = None, *, timeout: float | None = None, about: str = ""
    ) -> tuple[Table, dict[str, str]]:
        """Run a query; give its rows as Arrow, and the SQL types of its columns."""
        from arro3.core import Table

        with self.cursor(registered) as cursor, translated(about, timeout), _interrupted(cursor, timeout):
            relation = cursor.sql(query)
            types = {name: str(kind) for name, kind in zip(relation.columns, relation.types, strict=True)}
            return Table.from_arrow(relation), types

    def close(self) -> None:
        """Close the database, unless it was handed in."""
        with self._lock:
            if self._connection is not None and self._given is None:
                self._connection.close()
            self._connection = None
            self._attached.clear()

    def _open(self) -> duckdb.DuckDBPyConnection:
        with self._lock:
            if self._connection is None:
                self._connection = self._given if self._given is not None else self._embedded()
            return self._connection

    def _embedded(self) -> duckdb.DuckDBPyConnection:
        import duckdb

        connection = duckdb.connect(":memory:")
        spill = Path(tempfile.gettempdir()) / "kpi-engine-spill"
        allowed = ", ".join("'" + folder.replace("'", "''") + "'" for folder in dict.fromkeys(self._folders))
        for statement in (
            f"SET temp_directory = '{str(spill).replace(chr(39), chr(39) * 2)}'",
            *READ_ONLY_SETTINGS,
            f"SET allowed_directories = [{allowed}]",
            "SET enable_external_access = false",
            "SET lock_configuration = true",
        ):
            connection.execute(statement).fetchall()
        return connection


@contextmanager
def _interrupted(cursor: duckdb.DuckDBPyConnection, timeout: float | None) -> Iterator[None]:
    if timeout is None:
        yield
        return
    timer = Timer(max(timeout, 0.001), cursor.interrupt)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


@contextmanager
def translated(about: str = "", timeout: float | None = None) -> Iterator[None]:
    """Turn what DuckDB raises into the engine's errors, in words for the reader."""
    import duckdb

    try:
        yield
    except duckdb.Error as error:
        raise _translated(error, about, timeout) from error
    except RuntimeError as error:
        if str(error) == "Query interrupted":  # what DuckDB makes of Ctrl-C
            raise KeyboardInterrupt from error
        raise


def _translated(error: Exception, about: str, timeout: float | None) -> KpiError:
    import duckdb

    text = _first_lines(str(error))
    prefix = f"{about}: " if about else ""
    if isinstance(error, duckdb.InterruptException):
        if timeout is None:
            return TimeoutExceeded("the request was stopped before it had finished", code="interrupted")
        return TimeoutExceeded(f"the request did not finish within its time of {timeout:g} seconds", hint="ask for less, or give a longer `timeout`")
    if isinstance(error, duckdb.IOException):
        return SourceError(f"{prefix}{text}", code="unreadable", hint="check that the file is there and can be read")
    if isinstance(error, duckdb.ConversionException) or "Could not convert" in text or "converting column" in text:
        return DataError(f"{prefix}{text}", code="bad_value", hint="correct the data, or declare another `type` for the column")
    if isinstance(error, duckdb.OutOfRangeException):
        return DataError(f"{prefix}{text}", code="overflow", hint="the numbers are too large for their type; declare `type: double`")
    if isinstance(error, duckdb.OutOfMemoryException):
        return KpiError(f"{prefix}the request needs more memory than there is", code="out_of_memory", hint="ask for less at once")
    if isinstance(error, duckdb.BinderException):
        return DataError(f"{prefix}{text}", code="types_do_not_fit", hint="check the types of the columns in this formula or condition")
    return SourceError(f"{prefix}{text}", code="query_failed")


def _first_lines(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    kept = [line for line in lines if not line.startswith(("LINE ", "^", "Candidate", "Possible", "* ", "Possible fixes"))]
    return " ".join(kept[:4])
