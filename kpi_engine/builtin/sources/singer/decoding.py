"""Lines of a tap made messages of the engine: many lines at once, by DuckDB's reader of JSON."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from kpi_engine.api import Activated, Checkpoint, Deleted, Notice, Rows, Schema, SourceError, Stream
from kpi_engine.builtin.sources.singer.schemas import checked, stream_of
from kpi_engine.errors import shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from kpi_engine.api import Message

_HEAD: Final = '{"type":"VARCHAR","stream":"VARCHAR","version":"BIGINT"}'
_GONE: Final = "_sdc_deleted_at"
_IGNORED: Final = frozenset({"ACTIVATE_VERSION", "RECORD", "SCHEMA", "STATE"})
_SHOWN: Final = 200


class Decoder:
    """Reads what a tap writes. `keys` are the keys that the project gives streams in place of the tap's; a stream without one is `whole`."""

    def __init__(self, keys: Mapping[str, tuple[str, ...]], *, whole: bool = False) -> None:
        import duckdb

        self._connection = duckdb.connect(":memory:")
        for statement in ("SET TimeZone = 'UTC'", "SET python_enable_replacements = false"):
            self._connection.execute(statement)
        self._keys, self._whole = keys, whole
        self.streams: dict[str, Stream] = {}
        """The streams that the tap has described so far."""

    def close(self) -> None:
        """End."""
        self._connection.close()

    def decode(self, lines: Sequence[str]) -> Iterator[Message]:
        """Read lines, in their order; of states only the last counts, which covers all rows before it."""
        controls = self._heads(lines)
        states = [number for number, kind, _, _ in controls if kind == "STATE"]
        begin = 0
        for number, kind, stream, version in controls:
            if kind == "STATE" and number != states[-1]:
                continue
            messages = list(self._control(kind, stream, version, lines[number]))
            if messages:
                yield from self._rows(begin, number)
                begin = number
                yield from messages
        yield from self._rows(begin, len(lines))

    def _heads(self, lines: Sequence[str]) -> list[tuple[int, str, str, int | None]]:
        """Take note of all lines, and give those that are no rows."""
        from arro3.core import Array, DataType, Table

        from kpi_engine.builtin.sources.singer.exactness import exact, is_inexact

        def registered(kept: Sequence[str]) -> list[int]:
            numbers = Array(range(len(kept)), DataType.int64())
            table = Table.from_pydict({"n": numbers, "line": Array(kept, DataType.string())})
            self._connection.register("lines", table)
            return [n for (n,) in run("SELECT n FROM lines WHERE NOT json_valid(line) ORDER BY n").fetchall()]

        run = self._connection.execute
        kept = [exact(line) if is_inexact(line) else line for line in lines]
        if bad := registered(kept):
            for n in bad:
                kept[n] = exact(kept[n])
            if still := registered(kept):
                raise _no_message(lines[still[0]], "is no JSON")
        run(
            f"""CREATE OR REPLACE TEMP TABLE said AS SELECT n, line, h.type AS kind, h.stream AS stream, h.version AS version
                FROM (SELECT n, line, from_json(line, '{_HEAD}') AS h FROM lines)"""
        )
        self._connection.unregister("lines")
        found: list[tuple[int, str, str, int | None]] = run(
            "SELECT n, kind, stream, version FROM said WHERE kind IS DISTINCT FROM 'RECORD' ORDER BY n"
        ).fetchall()
        return found

    def _control(self, kind: str | None, stream: str, version: int | None, line: str) -> Iterator[Message]:
        if kind is None:
            raise _no_message(line, "has no `type`")
        if kind == "STATE":
            yield Checkpoint(json.loads(line).get("value"))
        elif kind == "SCHEMA":
            described = self._described(line)
            if self.streams.get(described.name) != described:
                self.streams[described.name] = described
                yield Schema(described)
        elif kind == "ACTIVATE_VERSION" and version is not None:
            yield Activated(stream, version)
        elif kind == "BATCH":
            raise SourceError(
                f"the tap sends the rows of `{stream}` as files (BATCH), which is not supported",
                code="unsupported_message",
                hint="take `batch_config` out of the tap's settings",
            )
        else:
            yield Notice(f"messages of the type {kind} are left out")

    def _described(self, line: str) -> Stream:
        """Read what a stream looks like; one without a key that a tap was asked for whole takes the place of the whole table."""
        described = checked(stream_of(json.loads(line)))
        if self._whole and not (described.key or self._keys.get(described.name)):
            described = replace(described, loading="replace")
        return described

    def _rows(self, begin: int, end: int) -> Iterator[Message]:
        """Give the rows between two lines, stream by stream."""
        if begin >= end:
            return
        groups = self._connection.execute(
            """SELECT stream, version, list(DISTINCT keys) FROM
                 (SELECT stream, version, json_keys(line, '$.record') AS keys FROM said WHERE kind = 'RECORD' AND n >= ? AND n < ?)
               GROUP BY ALL ORDER BY stream, version""",
            [begin, end],
        ).fetchall()
        for name, version, shapes in groups:
            if name not in self.streams:
                raise SourceError(
                    f"the tap gives rows of `{name}` before it says what they look like",
                    code="bad_tap",
                    hint="the tap does not follow Singer: a SCHEMA comes before the first RECORD of its stream",
                )
            if not all(shapes):
                raise SourceError(
                    f"the tap gives a row of `{name}` that has no column",
                    code="bad_tap", hint="the tap does not follow Singer: `record` is an object",
                )  # fmt: skip
            given = list(dict.fromkeys(key for shape in shapes for key in shape))
            self._check_columns(name, given)
            yield from self._undeclared(name, given)
            yield from self._of_stream(name, version, given, (begin, end))

    def _check_columns(self, name: str, given: Sequence[str]) -> None:
        """Refuse columns that cannot be told apart, and one without a name."""
        seen: dict[str, str] = {}
        for key in given:
            other = seen.setdefault(key.casefold(), key)
            if other != key or not key:
                raise SourceError(
                    f"rows of `{name}` have the columns {shown(other)} and {shown(key)}, which are one in SQL" if key
                    else f"rows of `{name}` have a column without a name",
                    code="ambiguous_columns", hint="leave one of them out where the stream is selected",
                )  # fmt: skip

    def _undeclared(self, name: str, given: Sequence[str]) -> Iterator[Message]:
        for key in given:
            if key not in self.streams[name].columns and not key.startswith("_sdc_"):
                yield Notice(
                    f"the schema of `{name}` does not have the column `{key}`, which its rows have: it is kept as text"
                )

    def _of_stream(
        self, name: str, version: int | None, given: Sequence[str], span: tuple[int, int]
    ) -> Iterator[Message]:
        """Give the rows of one stream as texts, which the engine makes what the schema says; those that are deleted as such."""
        columns = [key for key in given if key in self.streams[name].columns] + [
            key for key in given if key not in self.streams[name].columns
        ]
        if not columns:
            return
        wanted = json.dumps({"record": dict.fromkeys(columns, "VARCHAR")})
        rows = self._connection.execute(
            f"""CREATE OR REPLACE TEMP TABLE part AS SELECT unnest(from_json(line, {_literal(wanted)}).record)
                FROM said WHERE kind = 'RECORD' AND stream = ? AND version IS NOT DISTINCT FROM ? AND n >= ? AND n < ? ORDER BY n""",
            [name, version, *span],
        )
        del rows
        key = self._keys.get(name) or self.streams[name].key
        if _GONE in columns and key:
            yield from self._without_deleted(name, version, key)
        else:
            yield Rows(name, self._connection.table("part"), version)

    def _without_deleted(self, name: str, version: int | None, key: Sequence[str]) -> Iterator[Message]:
        """Give the last state of each row: those that are deleted go, with the time at which that was said."""
        keys = ", ".join(map(_quoted, key))
        last = f"SELECT * FROM part QUALIFY row_number() OVER (PARTITION BY {keys} ORDER BY rowid DESC) = 1"
        yield Rows(name, self._table(f"SELECT * EXCLUDE ({_GONE}) FROM ({last}) WHERE {_GONE} IS NULL"), version)
        yield Deleted(name, self._table(f"SELECT {keys} FROM ({last}) WHERE {_GONE} IS NOT NULL"))

    def _table(self, query: str) -> Any:  # noqa: ANN401 - an Arrow table
        from arro3.core import Table

        return Table.from_arrow(self._connection.sql(query))


def _no_message(line: str, why: str) -> SourceError:
    shown = line if len(line) <= _SHOWN else f"{line[:_SHOWN]}…"
    return SourceError(
        f"the tap wrote a line that {why}: {shown!r}",
        code="bad_tap",
        hint="a tap writes Singer messages, and everything else to standard error",
    )


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
