"""The table of one stream while it is synced: its columns follow the rows, and every row is counted."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from kpi_engine.errors import PluginError, SourceError, shown
from kpi_engine.sql import fetched
from kpi_engine.sql.casting import type_node
from kpi_engine.sync.reports import StreamReport
from kpi_engine.sync.types import kept_as, widened

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import duckdb

    from kpi_engine.api import ArrowStream, Stream


class StreamTable:
    """Keeps the rows of one stream, within the transaction that its connection is in."""

    def __init__(
        self, stream: Stream, columns: Mapping[str, str], connection: duckdb.DuckDBPyConnection, run: int, since: Any,  # noqa: ANN401
        key: tuple[str, ...] | None, say: Callable[[str], None],
    ) -> None:  # fmt: skip
        self.stream = stream
        self.columns = {name: kind for name, kind in columns.items() if name != fetched.VERSION}
        self.report = StreamReport(stream.name)
        self.version: int | None = None
        """Which rows are the whole table, of a stream that is replaced: those of this version. None until that is known."""
        self._is_made = bool(columns)
        self._connection = connection
        self._run = run
        self._since = since
        self._key = key
        self._say = say
        self._declared: dict[str, str] = {}
        self.declare(stream)

    @property
    def name(self) -> fetched.Name:
        """The table's name in the store."""
        return ("main", self.stream.name)

    @property
    def key(self) -> tuple[str, ...]:
        """The key by which its rows are kept."""
        return self.stream.key if self._key is None else self._key

    def declare(self, stream: Stream) -> None:
        """Take note of what the stream looks like from here on; the columns it says are there also where no row has them."""
        self.stream = stream
        self._declared = {name: self._kept_type(kind) for name, kind in stream.columns.items()}
        _check_names(stream.name, [*self.columns, *(n for n in self._declared if n not in self.columns)])
        if self._declared:
            self._fit(self._declared)

    def add(self, data: Any, version: int | None) -> None:  # noqa: ANN401 - an Arrow table
        """Keep rows."""
        given = self._arrived(data)
        _check_names(self.stream.name, list(given))
        self._fit({name: self._declared.get(name) or kept_as(kind) for name, kind in given.items()})
        stream = self.stream
        required = stream.key or ((stream.cursor,) if stream.loading == "append" and stream.cursor else ())
        if missing := [name for name in required if name not in self.columns]:
            raise PluginError(
                f"the stream `{stream.name}` has no column {', '.join(map(shown, missing))}, which is its key or cursor",
                code="plugin_failed",
                hint="correct `key` and `cursor` of the stream in kpi.yaml",
            )
        self._take_key()
        self._run_sql(fetched.batched(given, self.columns, required))
        received, fitting, keys = self._row(fetched.tallied(stream.key))
        if fitting < received:
            self._run_sql(fetched.requarantined(given, self.columns, required), [stream.name])
            self._run_sql(fetched.quarantined(given, self.columns, required), [self._run, stream.name])
        self._count(received=received, quarantined=received - fitting)
        if version is None and stream.loading == "replace":
            version = self._run
        self.version = self.version if version is None else version
        if stream.key:
            self._merge(version, once=keys == fitting)
        else:
            self._append(version)
        self._connection.unregister(fetched.ARRIVED)

    def remove(self, data: ArrowStream) -> None:
        """Take out the rows with these keys."""
        given = self._arrived(data)
        if self.columns and self.stream.key and all(name in self.columns for name in self.stream.key):
            key = {name: self.columns[name] for name in self.stream.key}
            self._count(removed=self._row(fetched.deleted(self.name, key, given))[0])
        self._connection.unregister(fetched.ARRIVED)

    def activate(self, version: int) -> None:
        """Take out the rows of every other version."""
        if self._is_made:
            self._count(removed=self._row(fetched.other_versions(self.name), [version])[0])

    def finish(self) -> None:
        """Take out, of a stream whose every sync gives all rows, those that were not given."""
        if self.stream.loading == "replace":
            self.version = self._run if self.version is None else self.version
            self.activate(self.version)

    def clean(self, version: int | None) -> None:
        """Take out what a sync left that did not come to its end: rows of another version than the whole table has."""
        self._run_sql(fetched.other_versions(self.name), [version])

    def size(self) -> int:
        """Count the rows that are kept."""
        return int(self._row(fetched.size(self.name))[0]) if self._is_made else 0

    def _take_key(self) -> None:
        """Keep rows by the stream's key from here on; refuse it where there are rows by another one, which it might not tell apart."""
        key = self.stream.key
        if key and set(self.key) != set(key) and self.size():
            raise SourceError(
                f"the rows of the stream `{self.stream.name}` are kept by {_listed(self.key)}, and its key is {_listed(key)} now",
                code="changed_key",
                hint="`kpi sync --full` fetches all rows anew; `key` of the stream in kpi.yaml says which key counts",
            )
        self._key = key

    def _merge(self, version: int | None, *, once: bool) -> None:
        names = list(self.columns)
        self._run_sql(fetched.compared(self.name, names, self.stream.key, once=once, version=version))
        added, changed = self._row(fetched.counted())
        self._run_sql(fetched.displaced(self.name))
        self._run_sql(fetched.written(self.name, names, version, merged=True))
        self._count(added=added, changed=changed)

    def _append(self, version: int | None) -> None:
        """Add rows; where they have a cursor, those from the smallest one on that earlier syncs brought give way to them."""
        if self.stream.loading == "append" and self.stream.cursor:
            version = self._run
            if self._since is not None:
                self._leave_out(self.stream.cursor)
            self._count(removed=self._row(fetched.given_again(self.name, self.stream.cursor), [self._run])[0])
        added = self._row(fetched.written(self.name, list(self.columns), version, merged=False))[0]
        self._count(added=added)

    def _leave_out(self, cursor: str) -> None:
        """Leave out rows from before what was asked for, which are kept already; say so where they are other than those kept."""
        others = self._row(fetched.other_than_kept(self.name, list(self.columns), cursor), [self._since])[0]
        if others:
            self._say(
                f"`{self.stream.name}`: {others} row{'s' if others > 1 else ''} from before {self._since} are other than those that are kept, "
                "and are left out: without a key they take no place; a longer `lookback` asks for them"
            )
        self._run_sql(fetched.too_early(cursor), [self._since])

    def _fit(self, wanted: Mapping[str, str]) -> None:
        """Give the table the columns that rows need, each wide enough; a value that does not fit all the same is quarantined."""
        if not self._is_made:
            self.columns = dict(wanted)
            self._run_sql(fetched.created(self.name, self.columns))
            self._is_made = True
            return
        after = dict(self.columns)
        for name, kind in wanted.items():
            if name not in after:
                after[name] = kind
                self._note(f"new column `{name}` ({kind})")
            elif (wider := self._wider(name, kind)) != after[name]:
                self._note(f"column `{name}` is {wider} instead of {after[name]}")
                after[name] = wider
        if after != self.columns:
            self._run_sql(fetched.reshaped(self.name, self.columns, after))
            self.columns = after

    def _wider(self, name: str, kind: str) -> str:
        """Give the type that a column needs: another one only where that changes no value that is kept."""
        old = self.columns[name]
        wider = widened(old, kind)
        if wider is None or wider == old:
            return old
        counting = fetched.misfits(self.name, name, old, wider)
        return old if counting is not None and self._row(counting)[0] else wider

    def _kept_type(self, kind: str) -> str:
        try:
            type_node(kind)
            return kept_as(str(self._connection.sql(f"SELECT CAST(NULL AS {type_node(kind).sql('duckdb')})").types[0]))
        except Exception as error:
            raise PluginError(
                f"the stream `{self.stream.name}` has a column of the type {shown(kind)}, which is none",
                code="plugin_failed",
                hint="types are written in DuckDB's words, such as BIGINT, VARCHAR or TIMESTAMPTZ",
            ) from error

    def _arrived(self, data: Any) -> dict[str, str]:  # noqa: ANN401 - an Arrow table
        """Register rows, and give their columns and types."""
        self._connection.register(fetched.ARRIVED, data)
        relation = self._connection.table(fetched.ARRIVED)
        arrived = {name: str(kind) for name, kind in zip(relation.columns, relation.types, strict=True)}
        kinds = {name: kept_as(kind) for name, kind in arrived.items()}
        self._run_sql(fetched.normalised(arrived, kinds))
        return kinds

    def _count(self, **counts: int) -> None:
        report = self.report
        self.report = replace(report, **{name: getattr(report, name) + int(more) for name, more in counts.items()})

    def _note(self, change: str) -> None:
        if change not in self.report.schema_changes:
            self.report = replace(self.report, schema_changes=(*self.report.schema_changes, change))

    def _run_sql(self, statement: str, values: list[Any] | None = None) -> None:
        self._connection.execute(statement, values or [])

    def _row(self, statement: str, values: list[Any] | None = None) -> tuple[Any, ...]:
        row: tuple[Any, ...] = self._connection.execute(statement, values or []).fetchall()[0]
        return row


def _listed(key: tuple[str, ...]) -> str:
    return ", ".join(map(shown, key)) or "no key"


def _check_names(stream: str, names: list[str]) -> None:
    """Refuse two columns whose names differ in capitals only: in SQL they are one; and one that the store has itself."""
    seen: dict[str, str] = {}
    for name in names:
        if name.casefold() == fetched.VERSION:
            raise SourceError(
                f"the stream `{stream}` has the column {shown(name)}, which the store has itself",
                code="reserved_column",
                hint="leave it out where the stream is selected, or have the source give it another name",
            )
        other = seen.setdefault(name.casefold(), name)
        if other != name:
            raise SourceError(
                f"the stream `{stream}` has the columns {shown(other)} and {shown(name)}, which are one in SQL",
                code="ambiguous_columns",
                hint="leave one of them out where the stream is selected",
            )
