"""Two sets of zone data in one answer: periods follow Python's, and `check(live=True)` says where DuckDB knows other rules."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import duckdb
import pytest

import kpi_engine
from kpi_engine.execution import clocks
from kpi_engine.execution.database import Database
from kpi_engine.sql.clocks import clock_of_days


def opened(zone, kind="timestamptz"):
    connection = duckdb.connect()
    connection.execute(f"CREATE TABLE fact (id INTEGER, at_ {kind})")
    connection.execute("INSERT INTO fact VALUES (1, '2026-01-01 12:00:00')")
    definitions = {
        "calendar": {"timezone": zone},
        "datasets": {"facts": {"table": "fact", "key": "id", "time": "at_"}},
        "kpis": {"n": {"inputs": ["facts"], "formula": "count(facts)"}},
    }
    return kpi_engine.open(definitions, connection)


@pytest.mark.parametrize("zone", ["UTC", "Europe/Paris", "Asia/Tokyo"])
def test_where_both_know_the_same_nothing_is_said(zone):
    with opened(zone) as engine:
        assert engine.check(live=True) == []


def test_what_duckdb_shows_is_asked_for_day_by_day():
    zone = "America/New_York"
    [rows] = Database().tables([clock_of_days(zone, 20_000, 20_400)], fetch=clocks._values)
    for day, micros in rows:
        moment = datetime.fromtimestamp(day * 86_400, UTC).astimezone(ZoneInfo(zone)).replace(tzinfo=UTC)
        assert datetime.fromtimestamp(0, UTC) + timedelta(microseconds=micros) == moment
    assert len(rows) == 400


def test_where_they_differ_the_days_are_said(monkeypatch):
    """Python is given the rules of another zone, as if those of this one had been changed by decree."""
    monkeypatch.setattr(clocks, "ZoneInfo", lambda _: ZoneInfo("Europe/Brussels"))
    with opened("Europe/Paris") as engine:
        assert engine.check(live=True) == []
    monkeypatch.setattr(clocks, "ZoneInfo", lambda _: ZoneInfo("Africa/Algiers"))
    with opened("Europe/Paris") as engine:
        (found,) = engine.check(live=True)
        assert (found.code, found.severity) == ("other_zone_data", "warning")
        assert "`Europe/Paris`" in found.message
        assert "from 1990-03-26 to 2037-10-25" in found.message
        assert engine.check() == []


@pytest.mark.parametrize("kind", ["timestamp", "date"])
def test_without_instants_nothing_is_said(monkeypatch, kind):
    monkeypatch.setattr(clocks, "ZoneInfo", lambda _: ZoneInfo("Africa/Algiers"))
    with opened("Europe/Paris", kind) as engine:
        assert engine.check(live=True) == []
