"""Two clocks of one zone: periods are computed with Python's zone data, and DuckDB brings its own along."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from kpi_engine.errors import Diagnostic
from kpi_engine.sql.casting import INSTANT
from kpi_engine.sql.clocks import MICROSECONDS_OF_A_DAY, clock_of_days

if TYPE_CHECKING:
    from collections.abc import Iterator

    import duckdb

    from kpi_engine.catalogue import Catalogue
    from kpi_engine.execution.database import Database

_EPOCH = date(1970, 1, 1)
_FIRST, _LAST = date(1990, 1, 1), date(2038, 1, 1)
"""The days that are compared: before, there are hardly any data, and after, zone data are guesses."""


def said_of_clock(catalogue: Catalogue, database: Database, zone: str) -> Iterator[Diagnostic]:
    """Warn where conditions and formulas over instants follow another clock than periods do."""
    if not any(INSTANT in (catalogue.names.schema(each) or {}).values() for each in catalogue.project.datasets):
        return
    days = _differing(database, zone)
    if not days:
        return
    import duckdb

    stretch = f"{len(days):,} days from {days[0]} to {days[-1]}" if len(days) > 1 else str(days[0])
    yield Diagnostic(
        "other_zone_data",
        f"DuckDB {duckdb.__version__} and Python know other rules of the time zone `{zone}`, for {stretch}: periods follow Python's; "
        "a condition or formula that compares an instant with a date, or takes its day, follows DuckDB's",
        catalogue.project.places.value("project", "calendar", "timezone"),
        "update the older one, with `pip install --upgrade duckdb tzdata`, or the zone data of the system",
        severity="warning",
        subject="project",
    )


def _differing(database: Database, zone: str) -> list[date]:
    """Find the days on which the two clocks of a zone show other times."""
    statement = clock_of_days(zone, (_FIRST - _EPOCH).days, (_LAST - _EPOCH).days)
    clock = ZoneInfo(zone)
    [shown] = database.tables([statement], fetch=_values)
    return [_EPOCH + timedelta(days=day) for day, micros in shown if micros != _python(day, clock)]


def _python(day: int, clock: ZoneInfo) -> int:
    moment = datetime.fromtimestamp(day * 86_400, UTC).astimezone(clock)
    offset = moment.utcoffset() or timedelta()
    return day * MICROSECONDS_OF_A_DAY + offset // timedelta(microseconds=1)


def _values(cursor: duckdb.DuckDBPyConnection, statement: str) -> list[tuple[int, int]]:
    return cursor.execute(statement).fetchall()
