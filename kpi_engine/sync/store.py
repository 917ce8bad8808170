"""The database in which a sync commits: rows, the state they belong to and the record of the run, always together."""

from __future__ import annotations

import json
import os
import shutil
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from kpi_engine.errors import SourceError, shown
from kpi_engine.sync.failpoints import reached
from kpi_engine.sync.folders import unwritable

if TYPE_CHECKING:
    from pathlib import Path

    import duckdb

    from kpi_engine.sync.folders import Folder

FORMAT: Final = 1
"""To be raised when the store is laid out in another way."""
_TABLES: Final = (
    "CREATE SCHEMA sync",
    "CREATE TABLE sync.store (format INTEGER, source VARCHAR, plugin VARCHAR, settings VARCHAR, state VARCHAR)",
    "CREATE TABLE sync.streams (stream VARCHAR, keys VARCHAR, cursor VARCHAR, loading VARCHAR, version BIGINT)",
    "CREATE TABLE sync.runs (run BIGINT, started TIMESTAMPTZ, finished TIMESTAMPTZ, report VARCHAR)",
    "CREATE TABLE sync.quarantine (run BIGINT, stream VARCHAR, reason VARCHAR, row VARCHAR)",
    """CREATE TABLE sync.restatements (run BIGINT, stream VARCHAR, change VARCHAR, key VARCHAR, time TIMESTAMP, before VARCHAR,
       after VARCHAR, period DATE)""",
)
_COLUMNS: Final = """
    SELECT table_name, column_name, data_type FROM duckdb_columns()
    WHERE database_name = current_database() AND schema_name = 'main' AND NOT internal
    ORDER BY table_name, column_index
"""


_TABLES_BEFORE: Final = "SELECT table_name FROM duckdb_tables() WHERE database_name = 'before' AND schema_name = 'main'"


@dataclass(frozen=True)
class Kept:
    """What a store knows of its source when a sync begins."""

    source: str
    plugin: str
    settings: str
    state: Any
    tables: dict[str, dict[str, str]]
    versions: dict[str, int | None]
    keys: dict[str, tuple[str, ...]]
    """The key by which the rows of each stream are kept."""
    runs: int


@dataclass
class Store:
    """A store that is open for a sync. `notes` say what was put right when it was opened."""

    folder: Folder
    connection: duckdb.DuckDBPyConnection
    kept: Kept
    notes: list[str] = field(default_factory=list)

    def close(self) -> None:
        """Close it; what is not committed is gone."""
        import duckdb

        with suppress(duckdb.Error):
            self.connection.execute("ROLLBACK")
        with suppress(duckdb.Error):
            self.connection.close()


def open_store(folder: Folder, source: str, plugin: str, settings: str, *, full: bool) -> Store:
    """Open the store of a source for writing; make it where there is none, or where all is to be fetched anew.

    What a sync that died left is used: what it committed stands, the rest is gone. A file that is damaged is made again from what is
    served. Raises `SourceError` where it is of something else.
    """
    notes: list[str] = []
    for left in (folder.draft, _log(folder.draft)):
        left.unlink(missing_ok=True)
    shutil.rmtree(folder.private, ignore_errors=True)
    if full:
        discard(folder)
    elif not folder.work.exists() and folder.served.exists():
        _copy(folder.served, folder.work)
    if not folder.work.exists():
        return _made(folder, source, plugin, settings, notes)
    try:
        store = _read(folder, notes)
    except SourceError as error:
        if error.code != "damaged_store" or not folder.served.exists():
            raise
        discard(folder)
        _copy(folder.served, folder.work)
        notes.append(f"{folder.work.name} was damaged: what was served last was taken in its place")
        store = _read(folder, notes)
    _check_owner(store, source, plugin)
    if store.kept.settings != settings:
        notes.append("the settings of the source are others than at the last sync; `--full` fetches all rows by them")
        store.connection.execute("UPDATE sync.store SET settings = ?", [settings])
    return store


def connect(path: Path, *, read_only: bool = False) -> duckdb.DuckDBPyConnection:
    """Open a database of a store, in UTC, with nothing reachable but itself and the one beside it."""
    import duckdb

    connection = duckdb.connect(str(path), read_only=read_only)
    for statement in (
        "SET TimeZone = 'UTC'",
        "SET autoinstall_known_extensions = false",
        "SET autoload_known_extensions = false",
        "SET python_enable_replacements = false",
    ):
        connection.execute(statement)
    return connection


def publish(store: Store) -> None:
    """Let KPIs read what was committed: a copy takes the place of what was served, at once; who reads that goes on reading it."""
    folder = store.folder
    store.connection.execute("CHECKPOINT")
    store.close()
    reached("checkpointed")
    _copy(folder.work, folder.draft)
    reached("copied")
    try:
        os.replace(folder.draft, folder.served)  # noqa: PTH105
        _settle(folder.path)
    except OSError as error:
        raise unwritable(folder.served, error) from error
    reached("published")


def _made(folder: Folder, source: str, plugin: str, settings: str, notes: list[str]) -> Store:
    """Make an empty store; a file appears only when it is complete, so that none is ever without an owner."""
    connection = connect(folder.draft)
    connection.execute("BEGIN")
    for statement in _TABLES:
        connection.execute(statement)
    connection.execute("INSERT INTO sync.store VALUES (?, ?, ?, ?, NULL)", [FORMAT, source, plugin, settings])
    connection.execute("COMMIT")
    if folder.served.exists():
        _carry_over(folder.served, connection, notes)
    connection.execute("CHECKPOINT")
    connection.close()
    os.replace(folder.draft, folder.work)  # noqa: PTH105
    return _read(folder, notes)


def attach_served(folder: Folder, connection: duckdb.DuckDBPyConnection) -> bool:
    """Attach what is served as `before`, to be read only; say whether there is any that can be read."""
    import duckdb

    if not folder.served.exists():
        return False
    path = str(folder.served).replace("'", "''")
    try:
        connection.execute(f"ATTACH '{path}' AS before (READ_ONLY)")
        connection.execute("SELECT format FROM before.sync.store").fetchall()
    except duckdb.Error:
        _detach(connection)
        return False
    return True


def _detach(connection: duckdb.DuckDBPyConnection) -> None:
    """Let go of what is served, if it was attached at all."""
    import duckdb

    with suppress(duckdb.Error):
        connection.execute("DETACH before")


def _carry_over(served: Path, connection: duckdb.DuckDBPyConnection, notes: list[str]) -> None:
    """Take over the records of earlier runs where all rows are fetched anew; what was served is read whole, or taken away."""
    import duckdb

    path = str(served).replace("'", "''")
    try:
        connection.execute(f"ATTACH '{path}' AS before (READ_ONLY)")
        for table in ("runs", "restatements"):
            connection.execute(f"INSERT INTO sync.{table} SELECT * FROM before.sync.{table}")
        for (table,) in connection.execute(_TABLES_BEFORE).fetchall():
            quoted = table.replace('"', '""')
            connection.execute(f'SELECT count(COLUMNS(*)) FROM before.main."{quoted}"').fetchall()
    except duckdb.Error as error:
        notes.append(f"{served.name} was damaged, and is not compared with: {str(error).splitlines()[0]}")
        served.unlink(missing_ok=True)
    finally:
        _detach(connection)


def _read(folder: Folder, notes: list[str]) -> Store:
    import duckdb

    try:
        connection = connect(folder.work)
    except duckdb.Error as error:
        if "version number" in str(error):
            raise SourceError(
                f"{folder.work} was written by another version of DuckDB than {duckdb.__version__}, most likely a newer one",
                code="newer_database",
                hint="update DuckDB (`pip install --upgrade duckdb`), or fetch all rows anew: `kpi sync --full`",
            ) from error
        raise _damaged(folder.work, error) from error
    try:
        found = connection.execute("SELECT format, source, plugin, settings, state FROM sync.store").fetchall()
        runs = connection.execute("SELECT coalesce(max(run), 0) FROM sync.runs").fetchall()[0][0]
        streams = connection.execute("SELECT stream, version, keys FROM sync.streams").fetchall()
        versions = {stream: version for stream, version, _ in streams}
        keys = {stream: tuple(json.loads(key)) for stream, _, key in streams}
        tables: dict[str, dict[str, str]] = {}
        for table, column, kind in connection.execute(_COLUMNS).fetchall():
            tables.setdefault(table, {})[column] = kind
        ((made, owner, plugin, settings, state),) = found
        if made != FORMAT:
            raise _foreign(folder.work, f"was laid out by another version of the engine (format {made})")
        kept = Kept(owner, plugin, settings, None if state is None else json.loads(state), tables, versions, keys, runs)
    except (duckdb.Error, ValueError) as error:
        connection.close()
        raise _damaged(folder.work, error) from error
    except SourceError:
        connection.close()
        raise
    return Store(folder, connection, kept, notes)


def _check_owner(store: Store, source: str, plugin: str) -> None:
    owner, made_by = store.kept.source, store.kept.plugin
    if (owner, made_by) == (source, plugin):
        return
    store.close()
    of = f"holds rows of the source {shown(owner)}" if owner != source else f"was filled by the plugin {shown(made_by)}"
    raise _foreign(store.folder.work, of)


def _foreign(path: Path, what: str) -> SourceError:
    return SourceError(
        f"{path} {what}, and cannot be continued", code="foreign_store", hint="`kpi sync --full` fetches all rows anew"
    )


def _damaged(path: Path, error: Exception) -> SourceError:
    return SourceError(
        f"{path} is damaged: {str(error).splitlines()[0]}",
        code="damaged_store",
        hint="`kpi sync --full` fetches all rows anew",
    )


def discard(folder: Folder) -> None:
    """Take away what a sync writes; what is served stays."""
    for left in (folder.work, _log(folder.work)):
        left.unlink(missing_ok=True)


def _log(database: Path) -> Path:
    return database.with_name(f"{database.name}.wal")


def _copy(origin: Path, target: Path) -> None:
    """Copy a database and have it on the disk; one that cannot be finished is taken away."""
    try:
        with origin.open("rb") as read, target.open("wb") as written:
            shutil.copyfileobj(read, written, 1 << 22)
            written.flush()
            os.fsync(written.fileno())
    except OSError as error:
        with suppress(OSError):
            target.unlink(missing_ok=True)
        raise unwritable(target, error) from error


def _settle(folder: Path) -> None:
    """Have the change of a folder on the disk."""
    if os.name == "posix":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def now() -> datetime:
    """Give this moment."""
    return datetime.now(UTC)
