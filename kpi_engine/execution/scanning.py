"""Tables that a source gives as a stream of rows: a statement is given the columns it names, straight from the source.

Problem: a source that scans may hold many rows, a statement names few of their columns, and DuckDB reads a stream as often as it stands in a
statement. Shape: a table is not read before a statement asks, and then for the columns that are named. Rows that are read once go to
DuckDB as they come; rows that are read more often, in one statement or in several of a request, are kept, so that all see the same ones.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from kpi_engine.errors import KpiError, SourceError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from arro3.core import RecordBatch, Schema

    from kpi_engine.sql import Use

    Opened = tuple[Schema, Iterator[RecordBatch]]
    Opening = Callable[[tuple[str, ...]], Opened]

MOST_ROWS = 122_880
"""So many rows are handed on at once: what one thread of DuckDB takes."""


@dataclass(frozen=True)
class Scanned:
    """A table that can be scanned: its columns, and how a stream of some of them is opened, of all where none are named.

    `is_kept` is whether all its rows are read at the first use, for all statements that it is given to.
    """

    open: Opening
    columns: tuple[str, ...]
    is_kept: bool = False
    _kept: list[Any] = field(default_factory=list, compare=False)

    def kept(self) -> Scanned:
        """Give the same table, whose rows are read once, with all their columns."""
        return self if self.is_kept else replace(self, is_kept=True, _kept=[])

    def given(self, use: Use, *, stream: bool) -> Any:  # noqa: ANN401 - something that speaks Arrow
        """Give what DuckDB reads for a statement, which makes this use of the table: a stream, where it may be one."""
        if self.is_kept:
            if not self._kept:
                self._kept.append(Stream(self.open).whole())
            return self._kept[0]
        rows = Stream(self.open, self._named(use))
        return rows if stream and use.times == 1 else rows.whole()

    def schema(self) -> Stream:
        """Give what DuckDB learns the columns of."""
        return Stream(self.open)

    def _named(self, use: Use) -> tuple[str, ...]:
        """Name the columns that a statement names; one, where it only counts rows, and none, which means all, where it names all."""
        if use.columns is None:
            return ()
        found = tuple(name for name in self.columns if name.casefold() in use.columns)
        return found or self.columns[:1]


class _TornError(Exception):
    """The rows of a stream came to an end too early; why, the stream knows."""


class Stream:
    """Rows on their way from a source to DuckDB; what the source raises on the way is kept, since DuckDB knows only its text."""

    def __init__(self, opening: Opening, columns: tuple[str, ...] = ()) -> None:
        self._open = opening
        self._columns = columns
        self._schema, batches = self._opened()
        self._unread: Iterator[RecordBatch] | None = batches
        self._failure: BaseException | None = None

    def __arrow_c_schema__(self) -> object:
        """Say the columns, without beginning to read."""
        return self._schema.__arrow_c_schema__()

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """Begin to read; again from the start where it was read before."""
        from arro3.core import RecordBatchReader

        return RecordBatchReader.from_batches(self._schema, self._batches()).__arrow_c_stream__(requested_schema)

    def whole(self) -> Any:  # noqa: ANN401 - an Arrow table
        """Read all rows."""
        from arro3.core import Table

        return Table.from_batches(list(self._pieces()), schema=self._schema)

    def taken_failure(self) -> BaseException | None:
        """Give what the source raised, once."""
        failure, self._failure = self._failure, None
        return failure

    def _batches(self) -> Iterator[RecordBatch]:
        """Give the rows to DuckDB. It keeps what is raised here for good, with all that hangs on it: so that is nearly nothing."""
        try:
            yield from self._pieces()
        except GeneratorExit:
            raise
        except BaseException as error:  # noqa: BLE001 - raised by whoever has run the statement
            self._failure = error
        else:
            return
        del self
        raise _TornError

    def _pieces(self) -> Iterator[RecordBatch]:
        unread, self._unread = self._unread, None
        for batch in unread if unread is not None else self._again():
            for start in range(0, batch.num_rows, MOST_ROWS):
                yield batch.slice(start, MOST_ROWS) if batch.num_rows > MOST_ROWS else batch

    def _again(self) -> Iterator[RecordBatch]:
        schema, batches = self._opened()
        if schema != self._schema:
            message = "the columns of a table that a source gives have changed while it was read"
            raise SourceError(message, code="data_changing", hint="ask again, when nobody writes it")
        return batches

    def _opened(self) -> Opened:
        """Open a stream; columns are advice, so that a source that cannot find one may still give the others."""
        if not self._columns:
            return self._open(())
        try:
            return self._open(self._columns)
        except KpiError:
            return self._open(())


def given(registered: Mapping[str, Any], reads: Mapping[str, Use], *, stream: bool) -> dict[str, Any]:
    """Give the tables that a statement is run with, as it reads them; what is read once as a stream, where `stream` says so.

    An answer that is computed from streams has to be kept before it is read.
    """
    return {
        name: each.given(reads[name], stream=stream) if isinstance(each, Scanned) else each
        for name, each in registered.items()
        if name in reads or not isinstance(each, Scanned)
    }


def schemas(registered: Mapping[str, Any]) -> dict[str, Any]:
    """Give the tables that a statement is bound with, but not run."""
    return {name: each.schema() if isinstance(each, Scanned) else each for name, each in registered.items()}


@contextmanager
def said_by_sources(tables: Mapping[str, Any]) -> Iterator[None]:
    """Run a statement over tables; what a source raised while its rows were read is raised, in place of what DuckDB makes of it."""
    try:
        yield
    except Exception:
        failures = [each.taken_failure() for each in tables.values() if isinstance(each, Stream)]
        if failure := next(filter(None, failures), None):
            raise failure from None
        raise
