"""Rows of closed periods that are other than they were when their period's numbers were final."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

from kpi_engine.calendar import floor
from kpi_engine.sql import fetched
from kpi_engine.sql.casting import INSTANT

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import duckdb

    from kpi_engine.calendar import Calendar
    from kpi_engine.sync.tables import StreamTable

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_TIMES: Final = frozenset({"DATE", "TIMESTAMP", INSTANT})
_COLUMNS: Final = """
    SELECT column_name, data_type FROM duckdb_columns()
    WHERE database_name = 'before' AND schema_name = 'main' AND table_name = ? ORDER BY column_index
"""


@dataclass(frozen=True)
class Closing:
    """When a period is closed: once it was over at the last sync. `times` names the column of a stream that says when a row counts."""

    calendar: Calendar
    grain: str
    times: Mapping[str, str] = field(default_factory=dict)


def record_restatements(
    connection: duckdb.DuckDBPyConnection, tables: Iterable[StreamTable], closing: Closing, run: int, notices: list[str]
) -> dict[str, int]:
    """Compare with what is served, record what closed periods have other than before, and count it by stream."""
    found = connection.execute(
        "SELECT epoch_us(max(started)), max(run) FROM before.sync.runs WHERE finished IS NOT NULL"
    ).fetchall()[0]
    if found[0] is None:
        return {}
    connection.execute("DELETE FROM sync.restatements WHERE run > ?", [found[1]])
    zone = closing.calendar.timezone
    last = (_EPOCH + timedelta(microseconds=found[0])).astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    bound = floor(last, closing.grain, closing.calendar)
    counts: dict[str, int] = {}
    for table in tables:
        name = table.stream.name
        before = dict(connection.execute(_COLUMNS, [name]).fetchall())
        column = closing.times.get(name, "")
        kind = table.columns.get(column, "")
        if not before or column not in before:
            continue
        if not {kind, before[column]} <= _TIMES:
            notices.append(f"closed periods of `{name}` are not watched: its time `{column}` is {kind}, and no time")
            continue
        common = [each for each in table.columns if each in before]
        key = table.stream.key if all(each in before for each in table.stream.key) else ()
        closed = fetched.Closed(column, kind, bound, zone)
        statement = fetched.restated(("before", "main", name), table.name, common, key, closed)
        counts[name] = int(connection.execute(statement, [run, name]).fetchall()[0][0])
    if any(counts.values()):
        _name_periods(connection, closing, run)
    return counts


def _name_periods(connection: duckdb.DuckDBPyConnection, closing: Closing, run: int) -> None:
    """Say of each row which period it lies in, by its first day."""
    from arro3.core import Array, DataType, Table

    rows: list[Any] = connection.execute(
        "SELECT DISTINCT CAST(time AS DATE) FROM sync.restatements WHERE run = ? AND time IS NOT NULL", [run]
    ).fetchall()
    grain = closing.grain
    days = [day for (day,) in rows]
    firsts = [floor(datetime.combine(day, time()), grain, closing.calendar).date() for day in days]
    columns = {"day": [day.isoformat() for day in days], "first": [first.isoformat() for first in firsts]}
    arrays: dict[str, Any] = {name: Array(values, DataType.string()) for name, values in columns.items()}
    connection.register("days", Table.from_pydict(arrays))
    connection.execute(
        """UPDATE sync.restatements SET period = CAST(days.first AS DATE)
           FROM days WHERE run = ? AND CAST(time AS DATE) = CAST(days.day AS DATE)""",
        [run],
    )
    connection.unregister("days")
