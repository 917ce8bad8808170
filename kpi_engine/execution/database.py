"""The embedded DuckDB: one database per engine, one cursor per request, nothing reachable that no source declares."""

from __future__ import annotations

import tempfile
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from threading import Lock, Timer
from typing import TYPE_CHECKING, Any, TypeVar

from kpi_engine.execution.faults import translated

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    import duckdb

T = TypeVar("T")

READ_ONLY_SETTINGS = (
    "SET GLOBAL autoinstall_known_extensions = false",
    "SET GLOBAL autoload_known_extensions = false",
    "SET GLOBAL allow_community_extensions = false",
    "SET GLOBAL python_enable_replacements = false",
)
"""Global, so that they hold for every cursor."""


class Database:
    """A DuckDB database that requests run on, from any thread; one that is handed in stays its owner's and is not changed.

    In each query a time without a zone is in `zone`, whatever the machine's or the owner's is: so dates and instants compare and
    convert into one another by the project's clock.
    """

    def __init__(self, given: duckdb.DuckDBPyConnection | None = None, zone: str = "UTC") -> None:
        self._given = given
        self._zone = zone
        self._connection: duckdb.DuckDBPyConnection | None = None
        self._attached: dict[str, tuple[str, tuple[object, ...]]] = {}
        self._names = count()
        self.replaced = 0
        """How often a database was attached anew, because it was written since: statements made before name one that is gone."""
        self._lock = Lock()
        self._folders: tuple[str, ...] = ()
        self._busy: set[duckdb.DuckDBPyConnection] = set()

    @property
    def is_live(self) -> bool:
        """Whether the database was handed in, so that its owner may change the data between two requests."""
        return self._given is not None

    def allow(self, folders: Iterable[str]) -> None:
        """Let queries read below these folders; must come before the first query."""
        self._folders = (*self._folders, *folders)

    def attach(self, path: str) -> str:
        """Attach a database file read-only, and give the name it goes by; one that was written since is attached anew."""
        connection = self._open()
        with self._lock:
            stamp = _stamp(path)
            old, seen = self._attached.get(path, ("", ()))
            if not old or seen != stamp:
                name = f"db{next(self._names)}"
                quoted = path.replace("'", "''")
                with translated(f"the database {path}"):
                    connection.cursor().execute(f"ATTACH '{quoted}' AS {name} (READ_ONLY)").fetchall()
                    if old:
                        connection.cursor().execute(f"DETACH {old}").fetchall()
                        self.replaced += 1
                self._attached[path] = name, stamp
            return self._attached[path][0]

    def attached(self) -> tuple[str, ...]:
        """Name the database files that are attached, in the order of the names they go by."""
        with self._lock:
            return tuple(sorted(self._attached, key=lambda path: int(self._attached[path][0].removeprefix("db"))))

    @contextmanager
    def cursor(self, registered: Mapping[str, Any] | None = None) -> Iterator[duckdb.DuckDBPyConnection]:
        """Give a cursor of its own to one request, with tables registered for it alone."""
        cursor = self._open().cursor()
        with self._lock:
            self._busy.add(cursor)
        try:
            self._set_zone(cursor)
            for name, table in (registered or {}).items():
                cursor.register(name, table)
            yield cursor
        except BaseException:
            cursor.interrupt()  # after Ctrl-C a query may still run, and closing would wait for its end
            raise
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
        with translated(about), self.cursor(registered) as cursor:
            relation = cursor.sql(query)
            return {name: str(kind) for name, kind in zip(relation.columns, relation.types, strict=True)}

    def tables(
        self,
        queries: Iterable[str],
        registered: Mapping[str, Any] | None = None,
        *,
        fetch: Callable[[duckdb.DuckDBPyConnection, str], T],
        timeout: float | None = None,
        about: str = "",
    ) -> list[T]:
        """Run queries one after the other, of which each sees what DuckDB noted down while it ran those before; give what `fetch` does of each.

        Where DuckDB's optimizer fails on a query, the query is run without it: the answer is the same, and comes later.
        """
        import duckdb

        with translated(about, timeout), self.cursor(registered) as cursor, _interrupted(cursor, timeout):
            found = []
            for query in queries:
                try:
                    found.append(fetch(cursor, query))
                except duckdb.InternalException:
                    cursor.execute("PRAGMA disable_optimizer").fetchall()
                    found.append(fetch(cursor, query))
            return found

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

    def _set_zone(self, cursor: duckdb.DuckDBPyConnection) -> None:
        """Put one cursor on a database that was handed in into the project's zone; its owner's connection keeps its own."""
        import duckdb

        if self._given is None:
            return
        try:
            cursor.execute(f"SET SESSION TimeZone = '{self._zone}'").fetchall()
        except duckdb.InvalidInputException:  # settings that are locked may be the right ones
            if cursor.execute("SELECT current_setting('TimeZone')").fetchall() != [(self._zone,)]:
                raise

    def _embedded(self) -> duckdb.DuckDBPyConnection:
        import duckdb

        connection = duckdb.connect(":memory:")
        spill = _spill()
        allowed = ", ".join("'" + folder.replace("'", "''") + "'" for folder in dict.fromkeys(self._folders))
        for statement in (
            f"SET GLOBAL TimeZone = '{self._zone}'",
            f"SET temp_directory = '{spill.replace(chr(39), chr(39) * 2)}'",
            *READ_ONLY_SETTINGS,
            f"SET allowed_directories = [{allowed}]",
            "SET enable_external_access = false",
            "SET lock_configuration = true",
        ):
            connection.execute(statement).fetchall()
        return connection


def _spill() -> str:
    """Give the folder for what does not fit into memory; empty, which is none, where no temporary file can be written."""
    try:
        return str(Path(tempfile.gettempdir()) / "kpi-engine-spill")
    except FileNotFoundError:
        return ""


def _stamp(path: str) -> tuple[object, ...]:
    """Tell a database file, with its write-ahead log, from what it was before."""
    found: list[object] = []
    for file in (path, f"{path}.wal"):
        with suppress(OSError):
            status = Path(file).stat()
            found.append((file, status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino))
    return tuple(found)


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
