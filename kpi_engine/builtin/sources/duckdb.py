"""The source `duckdb`: an existing DuckDB database file, which is only ever read."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from kpi_engine.api import DatabaseRelation, SourceError, Table, files_version, nearest
from kpi_engine.builtin.deferred import Deferred

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from kpi_engine.api import Scan, SourceContext
    from kpi_engine.builtin.sources.settings import DuckdbSettings

    Columns = Mapping["Name", Mapping[str, str]]

Name = tuple[str, str]
"""A table's schema and name."""

_MARK = b"DUCK"
_MARK_AT = 8
_COLUMNS = """
    SELECT schema_name, table_name, column_name, data_type
    FROM duckdb_columns()
    WHERE NOT internal AND database_name = current_database()
    ORDER BY schema_name, table_name, column_index
"""
_VIEWS = "SELECT schema_name, view_name FROM duckdb_views() WHERE NOT internal AND database_name = current_database()"


class DuckdbSource:
    """The tables and views of a database file; those outside the schema `main` are written `schema.table`."""

    name: ClassVar[str] = "duckdb"
    Config = Deferred("kpi_engine.builtin.sources.settings", "DuckdbSettings")

    def __init__(self, config: DuckdbSettings, context: SourceContext) -> None:
        self._path = context.root / config.path
        self._known: tuple[object, Columns, frozenset[Name]] = (None, {}, frozenset())

    def tables(self) -> Sequence[Table]:
        """List the tables and views with their columns."""
        return [Table(_written(name), columns) for name, columns in self._columns().items()]

    def relation(self, scan: Scan) -> DatabaseRelation:
        """Say which table of the database is meant; raise `SourceError` when there is none of that name."""
        found = {_written(name): name for name in self._columns()}
        name = _named(scan.table, found)
        if name is None:
            raise SourceError(
                f"the database {self._path} has no table `{scan.table}`",
                code="unknown_table",
                hint=nearest(scan.table, found) or "the database holds no tables",
            )
        return DatabaseRelation(str(self._path.resolve()), name)

    def folders(self) -> tuple[str, ...]:
        """Name the folder that the database lies in."""
        return (str(self._path.resolve().parent),)

    def version(self, table: str) -> str | None:
        """Say when the database was last written; None of a view, which may read what stands elsewhere."""
        try:
            columns, views = self._contents()
        except SourceError:
            return None
        name = _named(table, {_written(name): name for name in columns})
        return None if name is None or name in views else self._written_at()

    def _written_at(self) -> str | None:
        """Say when the database and its write-ahead log, if it has one, were last written."""
        return files_version(self._files())

    def _files(self) -> list[Path]:
        path = self._path.resolve()
        log = path.with_name(f"{path.name}.wal")
        return [path, log] if log.exists() else [path]

    def _columns(self) -> Columns:
        return self._contents()[0]

    def _contents(self) -> tuple[Columns, frozenset[Name]]:
        """Give the columns of every table, and which of them are views.

        They are looked up again when the database has changed, and once more when it has settled: until then it may change unseen.
        """
        path = self._path.resolve()
        _check(path)
        written, known = ([_stamp(file) for file in self._files()], self._written_at()), self._known
        if known[0] != written:
            known = self._known = (written, *_contents(path))
        return known[1], known[2]


def _stamp(file: Path) -> tuple[int, ...]:
    try:
        stat = file.stat()
    except OSError:
        return ()  # whoever wrote it has just taken it away
    return (stat.st_size, stat.st_mtime_ns, stat.st_ino)


def _contents(path: Path) -> tuple[Columns, frozenset[Name]]:
    import duckdb

    try:
        with duckdb.connect(str(path), read_only=True) as connection:
            rows = connection.execute(_COLUMNS).fetchall()
            views = frozenset((schema, view) for schema, view in connection.execute(_VIEWS).fetchall())
    except duckdb.Error as error:
        raise _refusal(path, str(error)) from error
    tables: dict[Name, dict[str, str]] = {}
    for schema, table, column, kind in rows:
        tables.setdefault((schema, table), {})[column] = kind
    return tables, views


def _named(table: str, found: Mapping[str, Name]) -> Name | None:
    return found.get(table) or found.get(table.removeprefix("main."))


def _written(name: Name) -> str:
    return name[1] if name[0] == "main" else ".".join(name)


def _check(path: Path) -> None:
    """Refuse what is no DuckDB file before DuckDB sees it: for a file of another database it would try to load an extension."""
    if not path.is_file():
        kind = "a folder, not a database file" if path.is_dir() else "not there"
        raise SourceError(
            f"the database {path} is {kind}",
            code="missing_file",
            hint="`path` of the source is relative to the project's folder, where `kpi.yaml` is",
        )
    try:
        with path.open("rb") as stream:
            start = stream.read(_MARK_AT + len(_MARK))
    except OSError as error:
        raise SourceError(
            f"the database {path} cannot be read: {error.strerror}",
            code="unreadable_file",
            hint="check that you may read it",
        ) from error
    if start[_MARK_AT:] != _MARK:
        raise SourceError(f"{path} is no DuckDB database", code="not_a_database", hint=_hint(start))


def _hint(start: bytes) -> str:
    if start.startswith(b"SQLite"):
        return "it is a SQLite database: copy its tables into a DuckDB database, or export them as Parquet or CSV"
    return "for CSV, Parquet and JSON files the plugin is `files`"


def _refusal(path: Path, said: str) -> SourceError:
    """Say in the user's words why DuckDB does not open a database."""
    import duckdb

    first = said.splitlines()[0]
    if "version number" in said:
        return SourceError(
            f"the database {path} was written by another version of DuckDB than {duckdb.__version__}, most likely a newer one: {first}",
            code="newer_database",
            hint="update DuckDB (`pip install --upgrade duckdb`), or write the database again with an older `STORAGE_VERSION`",
        )
    if "lock on file" in said or "different configuration" in said:
        return SourceError(
            f"the database {path} is open for writing elsewhere",
            code="locked_database",
            hint="close the program that writes to it, or give the engine its connection as the data",
        )
    return SourceError(
        f"the database {path} cannot be opened: {first}",
        code="unreadable_database",
        hint="it may be damaged: restore it, or write it again",
    )
