"""What is asked of a source: its streams as the project has them, and from where on."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from kpi_engine.api import Wanted
from kpi_engine.calendar import parse_duration
from kpi_engine.errors import SourceError, nearest, shown
from kpi_engine.sql import fetched
from kpi_engine.sql.casting import INSTANT
from kpi_engine.sync.store import now
from kpi_engine.texttimes import earlier_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kpi_engine.api import Stream
    from kpi_engine.api.streams import Loading
    from kpi_engine.definitions.projectfile import SyncSettings
    from kpi_engine.sync.store import Store

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LAST: Final = (datetime.max.replace(tzinfo=UTC) - _EPOCH) // timedelta(microseconds=1)
_LONGEST_MONTH: Final = 31


def settled(stream: Stream, settings: SyncSettings) -> Stream:
    """Give a stream as the project has it: with its settings, and with the way its rows are kept."""
    own = settings.streams.get(stream.name)
    if own is not None:
        stream = replace(
            stream,
            key=own.key or stream.key,
            cursor=own.cursor or stream.cursor,
            lookback=length(own.lookback) if own.lookback else stream.lookback,
            loading=own.loading or stream.loading,
        )
    natural: Loading = "merge" if stream.key else "append" if stream.cursor else "replace"
    stream = replace(stream, loading=stream.loading or natural)
    if stream.loading == "merge" and not stream.key:
        raise SourceError(
            f"the rows of the stream `{stream.name}` cannot be merged: it has no key",
            code="no_key", hint=f"name the columns that tell its rows apart: `sync: {{streams: {{{stream.name}: {{key: …}}}}}}`",
        )  # fmt: skip
    return stream


def length(text: str) -> timedelta:
    """Read a lookback; a month is as long as the longest."""
    duration = parse_duration(text)
    return timedelta(days=duration.months * _LONGEST_MONTH) or duration.fixed


def selected(streams: Sequence[Stream], settings: SyncSettings, source: str) -> list[Stream]:
    """Give the streams that the project wants, in the source's order; raise `SourceError` where it names one that is not there."""
    known = [stream.name for stream in streams]
    for name in [*settings.only, *settings.streams]:
        if name not in known:
            raise SourceError(
                f"the source `{source}` has no stream {shown(name)}",
                code="unknown_stream",
                hint=nearest(name, known) or "it has no streams",
            )
    _refuse_twins(known, source)
    return [settled(stream, settings) for stream in streams if not settings.only or stream.name in settings.only]


def wishes(streams: Sequence[Stream], store: Store) -> list[Wanted]:
    """Say of each stream from where on its rows are wanted."""
    return [Wanted(stream, since_of(stream, store)) for stream in streams]


def since_of(stream: Stream, store: Store) -> Any:  # noqa: ANN401 - a date, a time, a number or a text
    """Give the largest value of a stream's cursor that is kept, less the lookback."""
    kind = store.kept.tables.get(stream.name, {}).get(stream.cursor)
    if kind is None or stream.loading == "replace":
        return None
    statement = fetched.largest(("main", stream.name), stream.cursor, kind)
    value = store.connection.execute(statement).fetchall()[0][0]
    if value is not None and kind == INSTANT:
        value = _EPOCH + timedelta(microseconds=min(value, _LAST))
        if value > now():
            store.notes.append(
                f"the newest row of `{stream.name}` is of {value.isoformat()}, which is still to come: "
                "what is changed until then is asked for only as far as the lookback goes"
            )
    return value if value is None or stream.lookback is None else _less(value, stream.lookback, stream, store)


def _less(value: Any, lookback: timedelta, stream: Stream, store: Store) -> Any:  # noqa: ANN401
    if isinstance(value, datetime):
        return value - lookback
    if isinstance(value, date):
        return value - max(lookback, timedelta(days=1))
    if isinstance(value, str) and (earlier := earlier_text(value, lookback)) is not None:
        return earlier
    store.notes.append(f"the lookback of `{stream.name}` has no effect: its cursor `{stream.cursor}` is no time")
    return value


def _refuse_twins(names: Sequence[str], source: str) -> None:
    """Refuse streams whose names differ in capitals only, and two of one name: in SQL they are one table."""
    seen: dict[str, str] = {}
    for name in names:
        if (other := seen.get(name.casefold())) is not None:
            raise SourceError(
                f"the source `{source}` has the streams {shown(other)} and {shown(name)}, which are one table in SQL",
                code="ambiguous_streams",
                hint="have the source give one of them another name",
            )
        seen[name.casefold()] = name
