"""Synced tables as KPIs read them: a source like any other, which asks no plugin and needs no secret."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Final

from kpi_engine.api import DatabaseRelation, SourceError, Table, files_version, nearest
from kpi_engine.sync.folders import folder_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from kpi_engine.api import Scan, Source, SourceContext
    from kpi_engine.plugins import Plugins

_RECORDS: Final = ("runs", "quarantine", "restatements")
_HIDDEN: Final = "_kpi_version"
_COLUMNS: Final = """
    SELECT schema_name, table_name, column_name, data_type FROM duckdb_columns()
    WHERE database_name = current_database() AND NOT internal ORDER BY schema_name, table_name, column_index
"""


def is_fetched(cls: type[Any]) -> bool:
    """Whether the rows of a source's class are fetched by `kpi sync`."""
    return callable(getattr(cls, "streams", None)) and callable(getattr(cls, "read", None))


def made_source(plugins: Plugins, word: str, settings: Mapping[str, Any], context: SourceContext) -> Source:
    """Make a source as KPIs read it: the plugin's own, or of one that is fetched its store."""
    made: Any = plugins.source(word)
    if is_fetched(made):
        return SyncedSource(context)
    source: Source = plugins.make("source", made, plugins.configure(made, settings), context)
    return source


class SyncedSource:
    """The tables of a source that `kpi sync` has fetched, and the records of its syncs."""

    name: ClassVar[str] = "synced"
    Config: ClassVar[Any] = None
    """It takes no settings: those in the project are the plugin's."""

    def __init__(self, context: SourceContext) -> None:
        self._source = context.name
        self._path: Path = folder_of(context.root, context.name).served
        self._known: tuple[object, dict[tuple[str, str], dict[str, str]]] = (None, {})

    def tables(self) -> Sequence[Table]:
        """List the streams that were synced, then the records `sync.runs`, `sync.quarantine` and `sync.restatements`."""
        return [Table(_written(name), columns) for name, columns in self._columns().items()]

    def relation(self, scan: Scan) -> DatabaseRelation:
        """Say which table of the store is meant; raise `SourceError` when nothing of that name was synced."""
        found = {_written(name): name for name in self._columns()}
        if scan.table not in found:
            raise SourceError(
                f"the source `{self._source}` has no table `{scan.table}`",
                code="unknown_table",
                hint=nearest(scan.table, found) or f"`kpi sync {self._source}` fetches what it has now",
            )
        return DatabaseRelation(str(self._path), found[scan.table])

    def folders(self) -> tuple[str, ...]:
        """Name the folder of the store."""
        return (str(self._path.parent.resolve()),)

    def version(self, table: str) -> str | None:  # noqa: ARG002 - all tables change at once
        """Say when a sync last put a new state in place."""
        return files_version([self._path])

    def _columns(self) -> dict[tuple[str, str], dict[str, str]]:
        """Give the columns of every table; they are looked up again when another state is served."""
        try:
            status = self._path.stat()
        except FileNotFoundError:
            raise SourceError(
                f"the source `{self._source}` has not been synced yet",
                code="not_synced",
                hint=f"`kpi sync {self._source}` fetches its rows",
            ) from None
        stamp = (status.st_size, status.st_mtime_ns, status.st_ino)
        if self._known[0] != stamp:
            self._known = stamp, _contents(self._path)
        return self._known[1]


def _contents(path: Path) -> dict[tuple[str, str], dict[str, str]]:
    import duckdb

    tables: dict[tuple[str, str], dict[str, str]] = {}
    try:
        with duckdb.connect(str(path), read_only=True) as connection:
            rows = connection.execute(_COLUMNS).fetchall()
    except duckdb.Error as error:
        raise SourceError(
            f"{path} is damaged: {str(error).splitlines()[0]}",
            code="damaged_store",
            hint="`kpi sync` puts it in place again; `kpi sync --full` fetches all rows anew",
        ) from error
    for schema, table, column, kind in sorted(rows, key=lambda row: row[0] != "main"):
        if column != _HIDDEN and (schema == "main" or table in _RECORDS):
            tables.setdefault((schema, table), {})[column] = kind
    return tables


def _written(name: tuple[str, str]) -> str:
    return name[1] if name[0] == "main" else ".".join(name)
