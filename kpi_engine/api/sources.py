"""Where data come from: the protocol of a source, and what it gives back."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from pydantic import BaseModel

    from kpi_engine.api.contracts import Contract


class ArrowStream(Protocol):
    """Anything that speaks the Arrow PyCapsule stream protocol: a pyarrow, polars, nanoarrow or arro3 table or reader."""

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """Give the stream as a capsule."""


@dataclass(frozen=True)
class Table:
    """A table that a source can read: its name as written in a definition, and its columns where they are known.

    `columns` maps a column's name to its SQL type in DuckDB's words (`VARCHAR`, `DECIMAL(18,2)`, `TIMESTAMPTZ` …).

    Of a SQL source: `path` is the table's name as its engine knows it, `("sales", "orders")`, where that is not `name` alone; `reads`
    gives, for a column that its engine holds as something else, the expression in the engine's own SQL that reads it as its type.
    """

    name: str
    columns: Mapping[str, str] = field(default_factory=dict)
    path: tuple[str, ...] = ()
    reads: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class FileRelation:
    """Files that DuckDB reads by itself.

    `format` is `csv`, `parquet` or `json`; `paths` are absolute; `options` are named arguments of DuckDB's reader
    (texts, numbers, booleans, lists and mappings of texts), for example `{"delim": ";", "types": {"amount": "DECIMAL(18,2)"}}`.
    """

    format: str
    paths: tuple[str, ...]
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class DatabaseRelation:
    """A table of a DuckDB database file, which the engine attaches read-only.

    `path` is absolute; `name` is the table's name with its schema where it has one: `("main", "visits")`.
    """

    path: str
    name: tuple[str, ...]


Relation = FileRelation | DatabaseRelation
"""Something DuckDB can read without the rows passing through Python."""


@dataclass(frozen=True)
class Scan:
    """What the engine wants of a table: columns and a bound are advice, the engine selects and filters again.

    `columns` are those that a statement names; empty means all. `types` holds the types that the definitions declare, by column.
    """

    table: str
    columns: tuple[str, ...] = ()
    types: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class SourceContext:
    """What a source may know of its surroundings: its name in the project, and the project's folder."""

    name: str
    root: Path


@runtime_checkable
class Source(Protocol):
    """A place data come from. The engine makes one per source of a project, with its validated settings.

    A source has `query` where it is an engine that answers SQL, else `relation` where DuckDB can read by itself, else `scan`; where it
    has several of them, the first is used.
    It raises `SourceError` with a message that names the place and the mend; anything else it raises is reported as the plugin's fault.
    A source that holds something open may also have `close()`, which the engine calls once when it is done. One that knows when its
    data change may have `version(table)`: see `VersionedSource`; one whose figures have terms, `contract(table)`: see `ContractedSource`.
    Its methods are called from several threads, `query` also from several at once.
    """

    name: ClassVar[str]
    """The word written in `kpi.yaml` as `plugin:`."""
    Config: ClassVar[type[BaseModel]]
    """The settings it takes; unknown ones are refused by the engine. Secrets are `SecretStr`."""

    def __init__(self, config: Any, context: SourceContext) -> None:  # noqa: ANN401 - an instance of this class's own Config
        """Keep the settings; do not connect yet."""

    def tables(self) -> Sequence[Table]:
        """List the tables there are."""


@runtime_checkable
class RelationSource(Source, Protocol):
    """A source whose tables DuckDB reads by itself."""

    def relation(self, scan: Scan) -> Relation:
        """Say what DuckDB is to read for this table; raise `SourceError` when there is none of that name."""


@runtime_checkable
class ScanSource(Source, Protocol):
    """A source that gives rows as Arrow."""

    def scan(self, scan: Scan) -> ArrowStream:
        """Give the table's rows; raise `SourceError` when there is none of that name."""


@runtime_checkable
class SqlSource(Source, Protocol):
    """A source that is an engine of its own: what can be computed there is, and only aggregates travel.

    `tables()` gives every column with its type. Sessions are in UTC. It may have `lacks`, a set of names of functions and clauses that its
    dialect has and this engine has not, and `interrupt()`, which stops its queries from another thread.
    """

    @property
    def dialect(self) -> str:
        """Name the dialect of SQL it speaks: one of `kpi_engine.sql.dialects.DIALECTS`, such as `postgres`."""

    def query(self, sql: str) -> ArrowStream:
        """Run one statement that only reads, and give its rows; called from several threads."""


@runtime_checkable
class FolderSource(Source, Protocol):
    """A source whose files lie in folders; DuckDB is allowed to read these folders and nothing else."""

    def folders(self) -> tuple[str, ...]:
        """Name the folders it reads, absolute and without symbolic links; folders of its own for temporary files among them."""


@runtime_checkable
class VersionedSource(Source, Protocol):
    """A source that knows when its data change, so that what was found out about them holds until then."""

    def version(self, table: str) -> str | None:
        """Give a text that changes whenever the rows of a table may have changed, or the way they are read; reading no rows.

        None where that cannot be said at this moment: then the engine looks at the data anew with each request. A source that can
        never say it has no such method; then columns are looked at once for each engine, and keys with each request.
        """


@runtime_checkable
class ContractedSource(Source, Protocol):
    """A source whose vendor says what its figures are and are not: what may be added, in which unit, until when they still change."""

    def contract(self, table: str) -> Mapping[str, Contract]:
        """Say what holds for the columns of a table, by their names; under `*`, how long its rows change and how they are sampled. It asks no data."""
