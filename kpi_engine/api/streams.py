"""Data that are fetched and kept: the protocol of a stream source, and the messages it gives.

A stream source asks an API, a program or a file for rows, and remembers nothing: `kpi sync` hands it the state that it gave last, keeps
its rows in the project's store, and commits rows, state and the record of the run together. What it delivers twice is kept once.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import timedelta

    from pydantic import BaseModel

    from kpi_engine.api.sources import ArrowStream, SourceContext

Loading = Literal["merge", "replace", "append"]
"""How rows are kept.

`merge`: a row takes the place of the one with its key. `replace`: each sync that comes to its end gives all rows, and those of before
go. `append`: rows are added; of those from `Wanted.since` on, the ones that are kept go first, so that a second delivery adds none.
"""


@dataclass(frozen=True)
class Stream:
    """One table that a stream source gives, and what is known of it; what is not known is empty.

    `columns` maps a column's name to its SQL type in DuckDB's words; columns that are not named come with the types of their rows.
    `key` names the columns that tell rows apart. `cursor` names the column by which newer rows are asked for. `lookback` says how long
    the vendor still changes rows that it has given, counted back from the newest. `loading` empty is `merge` where there is a key,
    `append` where there is only a cursor, and otherwise `replace`.
    """

    name: str
    columns: Mapping[str, str] = field(default_factory=dict)
    key: tuple[str, ...] = ()
    cursor: str = ""
    lookback: timedelta | None = None
    loading: Loading | Literal[""] = ""


@dataclass(frozen=True)
class Wanted:
    """A stream that the engine asks for, with what the project's settings say of it.

    `since` is the largest value of its cursor at the last checkpoint, less the lookback (a date, a time, a number or a text): rows from
    there on are wanted, that one included; more do no harm. None: all rows are wanted.
    """

    stream: Stream
    since: Any = None


@dataclass(frozen=True)
class Rows:
    """Rows of a stream. `data` is a table or a stream of Arrow, with at best some ten thousand rows; columns may be missing.

    `version` is for sources that send whole tables again under a new number: see `Activated`.
    """

    stream: str
    data: ArrowStream
    version: int | None = None


@dataclass(frozen=True)
class Schema:
    """What a stream looks like from here on: new columns, other types, its key. The next rows are kept by it."""

    stream: Stream


@dataclass(frozen=True)
class Checkpoint:
    """From here the next sync can go on: `state`, a JSON value that the engine keeps and never looks into, covers all rows before.

    A source that is content with `Wanted.since` gives a checkpoint with None wherever the rows so far are all there are up to the
    largest value of their cursor. The end of `read` is a checkpoint by itself, with the state of the last one.
    """

    state: Any = None


@dataclass(frozen=True)
class Deleted:
    """Rows that are no more: `keys` are rows of Arrow with the columns of the stream's key."""

    stream: str
    keys: ArrowStream


@dataclass(frozen=True)
class Activated:
    """All rows of this version have been given: those of the stream that have another version, or none, are no more."""

    stream: str
    version: int


@dataclass(frozen=True)
class Notice:
    """Something that whoever reads the report of the sync has to know. It holds no secret."""

    text: str


Message = Rows | Schema | Checkpoint | Deleted | Activated | Notice
"""What a stream source gives, in the order in which it happened."""


@runtime_checkable
class StreamSource(Protocol):
    """A source whose rows `kpi sync` fetches into the project's store, from which KPIs read them as any other table.

    It raises `SourceError` with a message that names the place and the mend; anything else it raises is reported as the plugin's fault.
    What it has open it closes when `read` ends, also when the engine stops it early by closing the iterator. It is made for a sync
    only, never for computing a KPI.
    """

    name: ClassVar[str]
    """The word written in `kpi.yaml` as `plugin:`."""
    Config: ClassVar[type[BaseModel]]
    """The settings it takes; unknown ones are refused by the engine. Secrets are `SecretStr`. `sync` is the engine's own key."""

    def __init__(self, config: Any, context: SourceContext) -> None:  # noqa: ANN401 - an instance of this class's own Config
        """Keep the settings; do not connect yet."""

    def streams(self) -> Sequence[Stream]:
        """List the streams there are."""

    def read(self, wanted: Sequence[Wanted], state: Any) -> Iterator[Message]:  # noqa: ANN401 - a JSON value
        """Give the rows of streams. `state` is that of the last checkpoint that was committed; None where all is wanted anew."""
