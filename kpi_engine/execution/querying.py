"""A query asked: what it needs of other engines is computed there, in all of them at once, and travels; then DuckDB answers."""

from __future__ import annotations

from contextlib import suppress
from contextvars import copy_context
from functools import partial
from threading import Thread
from time import monotonic
from typing import TYPE_CHECKING, Any, TypeVar

from kpi_engine.execution.fetching import as_arrow, of_kept
from kpi_engine.execution.scanning import Stream, given, said_by_sources
from kpi_engine.plugins.limits import too_late

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence
    from concurrent.futures import Future

    import duckdb
    from arro3.core import Table

    from kpi_engine.execution.binding import Binder
    from kpi_engine.execution.database import Database
    from kpi_engine.sql import Query, Transfer

T = TypeVar("T")


def asked(
    query: Query,
    registered: Mapping[str, Any],
    binder: Binder,
    database: Database,
    *,
    timeout: float | None = None,
    about: str = "",
) -> tuple[Table, dict[str, str]]:
    """Run a query; give its rows as Arrow, and the SQL types of its columns."""
    return fetched(query, registered, binder, database, fetch=as_arrow, timeout=timeout, about=about)


def fetched(
    query: Query,
    registered: Mapping[str, Any],
    binder: Binder,
    database: Database,
    *,
    fetch: Callable[[duckdb.DuckDBPyConnection, str], T],
    timeout: float | None = None,
    about: str = "",
) -> T:
    """Run a query; give what `fetch` fetches."""
    if query.transfers:
        began = monotonic()
        registered = {**registered, **travelled(query.transfers, binder, database, timeout)}
        timeout = None if timeout is None else timeout - (monotonic() - began)
    tables = given(registered, query.reads, stream=not database.is_live)
    if any(isinstance(each, Stream) for each in tables.values()):
        fetch = of_kept(fetch, query.keeping)
    with said_by_sources(tables):
        [found] = database.tables([query.statement], tables, fetch=fetch, timeout=timeout, about=about)
    return found


def travelled(
    transfers: Sequence[Transfer], binder: Binder, database: Database, timeout: float | None = None
) -> dict[str, Table]:
    """Have every source answer, each in a thread of its own; give their answers by the names of the tables that they become."""
    from concurrent.futures import FIRST_EXCEPTION, wait

    import duckdb

    by_source: dict[str, list[Transfer]] = {}
    for each in transfers:
        by_source.setdefault(each.source, []).append(each)

    running: list[duckdb.DuckDBPyConnection] = []

    def noted(cursor: duckdb.DuckDBPyConnection, statement: str) -> Table:
        running.append(cursor)
        return as_arrow(cursor, statement)[0]

    def here(statement: str, _: Collection[str]) -> Table:
        return database.tables([statement], fetch=noted, timeout=timeout)[0]

    asking = {source: binder.asking(source) if source else here for source in by_source}

    def answers(source: str) -> dict[str, Table]:
        return {each.table: asking[source](each.statement, each.columns) for each in by_source[source]}

    futures = [_begun(partial(answers, source)) for source in by_source]
    try:
        done, waiting = wait(futures, timeout, FIRST_EXCEPTION)
        for future in done:
            future.result()
        _refuse_late(len(waiting), timeout)
    except BaseException:
        binder.interrupt(by_source)
        for cursor in running:
            with suppress(duckdb.Error):  # it may have ended and be closed
                cursor.interrupt()
        raise
    return {name: table for future in futures for name, table in future.result().items()}


def _refuse_late(waiting: int, timeout: float | None) -> None:
    if waiting and timeout is not None:
        raise too_late(timeout)


def _begun(task: Callable[[], T]) -> Future[T]:
    """Begin a task in a thread of its own, which does not keep the process alive when nobody waits for it any more."""
    from concurrent.futures import Future

    future: Future[T] = Future()
    context = copy_context()

    def run() -> None:
        try:
            future.set_result(context.run(task))
        except BaseException as error:  # noqa: BLE001 - raised again by whoever waits
            future.set_exception(error)

    Thread(target=run, daemon=True, name="kpi-leaf").start()
    return future


def described(query: Query, binder: Binder) -> list[tuple[str, str]]:
    """Say what travels, with how many rows where these are not aggregates, and by which statement of which engine: title and text."""
    found = []
    for each in query.transfers:
        what = "aggregates travel"
        if not each.source:
            found.append((f"SQL (DuckDB, as `{each.table}`: at the same time)", each.shown))
            continue
        if each.dataset:
            rows = binder.asking(each.source)(each.count, ["rows"])["rows"].to_pylist()[0]
            what = f"{rows:,} row{'' if rows == 1 else 's'} of `{each.dataset}` travel, because {each.reason}"
        found.append((f"SQL ({each.dialect}, source `{each.source}`, as `{each.table}`: {what})", each.shown))
    return found
