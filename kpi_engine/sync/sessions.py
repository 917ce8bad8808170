"""One sync of one source: its messages taken in, its rows committed at checkpoints."""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from kpi_engine.api import Activated, Checkpoint, Deleted, Notice, Rows, Schema, Wanted
from kpi_engine.errors import PluginError, shown
from kpi_engine.sync.failpoints import reached
from kpi_engine.sync.restating import record_restatements
from kpi_engine.sync.store import attach_served, now
from kpi_engine.sync.tables import StreamTable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from kpi_engine.api import Message, Stream
    from kpi_engine.sync.reports import StreamReport
    from kpi_engine.sync.restating import Closing
    from kpi_engine.sync.store import Store

_BATCH: Final = 20_000
"""So many rows of a stream are collected before they are written."""
_COMMIT_SECONDS: Final = 5.0
"""At a checkpoint is committed when so much time, or as many rows as the project says, lie behind the last commit."""


@dataclass
class Session:
    """Takes in what a source gives. `settle` gives a stream as the project's settings have it; `progress` is told of rows."""

    store: Store
    wanted: Sequence[Wanted]
    settle: Callable[[Stream], Stream]
    closing: Closing
    progress: Callable[[str, int], None]
    commit_rows: int
    notices: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.run = self.store.kept.runs + 1
        self._connection = self.store.connection
        self._started = now()
        self._state = self.store.kept.state
        self._buffers: dict[str, list[tuple[Any, int | None]]] = {}
        self._buffered: dict[str, int] = {}
        self._uncommitted, self._last_commit = 0, time.monotonic()
        self._is_compared = attach_served(self.store.folder, self._connection)
        if self.store.folder.served.exists() and not self._is_compared:
            self._say("what was served cannot be read: whether closed periods were restated is not known")
        self._connection.execute("BEGIN")
        self.tables = {each.stream.name: self._table(each) for each in self.wanted}
        self._clean()
        reached("begun")

    def take_all(self, messages: Iterable[Message]) -> None:
        """Take in messages to their end, which is a checkpoint."""
        for message in messages:
            self.take(message)
        self._flush_all()

    def take(self, message: Message) -> None:
        """Take in one message."""
        match message:
            case Rows(stream, data, version):
                if table := self._asked(stream):
                    self._collect(table, data, version)
            case Checkpoint(state):
                self._checkpoint(state)
            case Schema(described):
                self._change(described.name, lambda table: table.declare(self.settle(described)))
            case Deleted(stream, keys):
                self._change(stream, lambda table: table.remove(_arrow(keys)))
            case Activated(stream, version):
                self._change(stream, lambda table: table.activate(version))
            case Notice(text):
                self._say(text)
            case _:
                raise PluginError(
                    f"the source gave {shown(repr(message))}, which is no message", code="plugin_failed",
                    hint="the messages are those of `kpi_engine.api`",
                )  # fmt: skip

    def _checkpoint(self, state: Any) -> None:  # noqa: ANN401 - a JSON value
        self._state = self._state if state is None else state
        late = time.monotonic() - self._last_commit > _COMMIT_SECONDS
        if self._uncommitted >= self.commit_rows or (late and self._uncommitted):
            self._commit()

    def _change(self, stream: str, change: Callable[[StreamTable], None]) -> None:
        """Change the table of a stream, after the rows that came before."""
        if table := self._asked(stream):
            self._flush(stream)
            change(table)

    def finish(self) -> tuple[StreamReport, ...]:
        """Commit what is left with the record of the run, and say what happened to each stream."""
        self._flush_all()
        for table in self.tables.values():
            table.finish()
        restated: Mapping[str, int] = {}
        if self._is_compared:
            restated = record_restatements(self._connection, self.tables.values(), self.closing, self.run, self.notices)
        reports = tuple(
            replace(table.report, restated=restated.get(name, 0), rows=table.size())
            for name, table in self.tables.items()
        )
        self._write(finished=True, reports=reports)
        reached("finished")
        if self._is_compared:
            self._connection.execute("DETACH before")
        return reports

    def _table(self, wanted: Wanted) -> StreamTable:
        name, kept = wanted.stream.name, self.store.kept
        known = kept.tables.get(name, {})
        return StreamTable(
            wanted.stream, known, self._connection, self.run, wanted.since, kept.keys.get(name), self._say
        )

    def _clean(self) -> None:
        """Take out what a sync that did not come to its end left of streams that are replaced as a whole."""
        for name, table in self.tables.items():
            if table.stream.loading == "replace" and name in self.store.kept.tables:
                table.clean(self.store.kept.versions.get(name))

    def _asked(self, stream: str) -> StreamTable | None:
        if stream not in self.tables:
            self._say(f"the source gave rows of `{stream}`, which was not asked for: they are left out")
        return self.tables.get(stream)

    def _collect(self, table: StreamTable, data: Any, version: int | None) -> None:  # noqa: ANN401 - Arrow
        name, rows = table.stream.name, _arrow(data)
        self._buffers.setdefault(name, []).append((rows, version))
        self._buffered[name] = self._buffered.get(name, 0) + rows.num_rows
        self._uncommitted += rows.num_rows
        if self._buffered[name] >= _BATCH:
            self._flush(name)

    def _flush_all(self) -> None:
        for name in list(self._buffers):
            self._flush(name)

    def _flush(self, name: str) -> None:
        parts, table = self._buffers.pop(name, []), self.tables[name]
        self._buffered.pop(name, None)
        for rows, version in _joined(parts):
            table.add(rows, version)
        if parts:
            reached("landed")
            self.progress(name, table.report.received)

    def _commit(self) -> None:
        self._flush_all()
        self._write(finished=False, reports=[each.report for each in self.tables.values()])
        self._connection.execute("BEGIN")

    def _write(self, *, finished: bool, reports: Sequence[StreamReport]) -> None:
        """Commit rows, the state they belong to and the record of the run."""
        run = self._connection.execute
        run("UPDATE sync.store SET state = ?", [None if self._state is None else json.dumps(self._state)])
        for name, table in self.tables.items():
            stream = table.stream
            version = table.version if finished else self.store.kept.versions.get(name)
            run("DELETE FROM sync.streams WHERE stream = ?", [name])
            values = [name, json.dumps(table.key), stream.cursor, stream.loading, version]
            run("INSERT INTO sync.streams VALUES (?, ?, ?, ?, ?)", values)
        run("DELETE FROM sync.runs WHERE run = ?", [self.run])
        said = json.dumps({"streams": [asdict(each) for each in reports], "notices": self.notices})
        end = now().isoformat() if finished else None
        run("INSERT INTO sync.runs VALUES (?, ?, ?, ?)", [self.run, self._started.isoformat(), end, said])
        reached("before_commit")
        run("COMMIT")
        reached("committed")
        self._uncommitted, self._last_commit = 0, time.monotonic()

    def _say(self, text: str) -> None:
        if text not in self.notices:
            self.notices.append(text)


def _joined(parts: Sequence[tuple[Any, int | None]]) -> Iterable[tuple[Any, int | None]]:
    """Put tables of one schema and one version that follow one another together."""
    from arro3.core import Table

    group: list[Any] = []
    version: int | None = None
    for rows, each in parts:
        if group and (each != version or rows.schema != group[0].schema):
            yield Table.from_batches([b for t in group for b in t.to_batches()], schema=group[0].schema), version
            group = []
        group.append(rows)
        version = each
    if group:
        yield Table.from_batches([b for t in group for b in t.to_batches()], schema=group[0].schema), version


def _arrow(data: Any) -> Any:  # noqa: ANN401 - anything that speaks Arrow
    from arro3.core import Table

    return Table.from_arrow(data)
