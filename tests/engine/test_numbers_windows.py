"""Trailing stretches, totals to date and totals since the beginning, against statements written by hand."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlglot import exp

import kpi_engine
from kpi_engine import DefinitionError
from kpi_engine.calendar import Calendar, Duration, Span, ToDate, Trailing, covered
from kpi_engine.catalogue.resolved import Expr, TimeColumn
from kpi_engine.sql.times import Clock

LATE = "2030-01-01"
ROWS = """
CREATE TABLE visits AS SELECT i AS id, TIMESTAMP '2024-01-01' + to_hours((i * 7919) % 17000) AS seen_at,
  ['a', 'b', NULL][1 + i % 3] AS channel, (i * 31) % 101 AS visitor, CASE WHEN i % 11 > 0 THEN (i * 17) % 1000 / 10 END::DECIMAL(9,1) AS amount
FROM range(5000) t(i)"""
AGGREGATES = {
    "total": ("sum(x.amount)", "sum(amount)"),
    "rows": ("count(x)", "count(*)"),
    "mean": ("avg(x.amount)", "avg(amount)"),
    "least": ("min(x.amount)", "min(amount)"),
    "most": ("max(x.visitor)", "max(visitor)"),
    "people": ("count(distinct x.visitor)", "count(distinct visitor)"),
    "middle": ("median(x.amount)", "median(amount::double)"),
    "some": (
        "count(distinct x.visitor) filter (where x.amount > 50)",
        "count(distinct visitor) filter (where amount > 50)",
    ),
}
COVERED = {
    "window: 28 days": "seen_at >= day + interval 1 day - interval 28 days",
    "window: 2 months": """seen_at >= CASE WHEN extract(day FROM day + interval 1 day) = 1 THEN day + interval 1 day - interval 2 months
      ELSE day - interval 2 months + interval 1 day END""",
    "to_date: month": "seen_at >= date_trunc('month', day)",
    "to_date: week": "seen_at >= date_trunc('week', day)",
    "all_time: true": "true",
}


@pytest.fixture(scope="module")
def connection():
    with duckdb.connect() as connection:
        connection.execute(ROWS)
        yield connection


def engine_of(connection, covers):
    key, value = covers.split(": ")
    source = {"from": "visits", key: value if value != "true" else True}
    kpis = {name: {"inputs": {"x": source}, "formula": mine} for name, (mine, _) in AGGREGATES.items()}
    datasets = {"visits": {"key": "id", "time": "seen_at", "dimensions": ["channel"]}}
    return kpi_engine.open({"datasets": datasets, "kpis": kpis}, connection)


def by_hand(connection, covers, days, columns):
    return connection.execute(f"""
        SELECT channel, day::date, {", ".join(hand for _, hand in columns.values())}
        FROM (SELECT unnest({days})::timestamp AS day), visits
        WHERE seen_at < day + interval 1 day AND {COVERED[covers]} GROUP BY 1, 2 ORDER BY 1 NULLS LAST, 2""").fetchall()


def rounded(rows):
    return {tuple(row[:2]): [None if v is None else float(f"{float(v):.11g}") for v in row[2:]] for row in rows}


@pytest.mark.parametrize("covers", COVERED)
@pytest.mark.parametrize("alone", [True, False], ids=["each alone", "all together"])
def test_every_day_has_what_its_stretch_holds(connection, covers, alone):
    days = "range(timestamp '2025-01-20', timestamp '2025-03-15', interval 1 day)"
    wanted = rounded(by_hand(connection, covers, days, AGGREGATES))
    with engine_of(connection, covers) as engine:
        for n, names in enumerate([[name] for name in AGGREGATES] if alone else [list(AGGREGATES)]):
            result = engine.run(names, by="channel", grain="day", period="2025-01-20..2025-03-14", as_of=LATE)
            found = rounded([list(row.values()) for row in result.rows()])
            for key, values in wanted.items():
                assert found[key] == (values[n : n + 1] if alone else values), (names, key)


@pytest.mark.parametrize("covers", ["window: 28 days", "to_date: month"])
def test_an_unfinished_period_ends_now_and_so_does_its_stretch(connection, covers):
    with engine_of(connection, covers) as engine:
        (row,) = engine.run(["rows", "people"], grain="month", period="2025-03", as_of="2025-03-12T10:30").rows()
    start = "2025-02-13" if covers.startswith("window") else "2025-03-01"
    statement = f"SELECT count(*), count(DISTINCT visitor) FROM visits WHERE seen_at >= '{start}' AND seen_at < '2025-03-12 10:30'"
    assert (row["rows"], row["people"]) == connection.execute(statement).fetchone()


def test_a_comparison_moves_the_period_and_the_stretch_follows(connection):
    with engine_of(connection, "window: 28 days") as engine:
        (row,) = engine.run("rows", period="2025-03", compare="previous_period", as_of=LATE).rows()
    statement = "SELECT count(*) FROM visits WHERE seen_at >= '{}' AND seen_at < '{}'"
    assert row["rows"] == connection.execute(statement.format("2025-03-04", "2025-04-01")).fetchone()[0]
    assert (
        row["rows__previous_period"] == connection.execute(statement.format("2025-02-01", "2025-03-01")).fetchone()[0]
    )


def test_last_year_to_date_and_a_stretch_of_a_kpi(connection):
    definitions = {
        "datasets": {"visits": {"key": "id", "time": "seen_at", "dimensions": ["channel"]}},
        "kpis": {
            "rows": {"inputs": ["visits"], "formula": "count(visits)"},
            "before": {"inputs": {"x": {"from": "rows", "to_date": "year", "offset": "1 year"}}, "formula": "x"},
            "daily": {"inputs": {"x": {"from": "rows", "window": "7 days"}}, "formula": "x / 7"},
        },
    }
    with kpi_engine.open(definitions, connection) as engine:
        (row,) = engine.run(["before", "daily"], period="2025-03", as_of=LATE).rows()
    statement = "SELECT count(*) FROM visits WHERE seen_at >= '{}' AND seen_at < '{}'"
    assert row["before"] == connection.execute(statement.format("2024-01-01", "2024-04-01")).fetchone()[0]
    assert row["daily"] == connection.execute(statement.format("2025-03-25", "2025-04-01")).fetchone()[0] / 7


@pytest.mark.parametrize(
    ("source", "code"),
    [
        ({"window": "28 days", "all_time": True}, "two_stretches"),
        ({"window": "28 days", "to_date": "month"}, "two_stretches"),
        ({"window": "28 dayz"}, "bad_duration"),
        ({"window": "0 days"}, "bad_duration"),
        ({"to_date": "decade"}, "unknown_grain"),
        ({"to_date": "hour"}, "unknown_grain"),
    ],
)
def test_a_stretch_that_means_nothing_is_refused(connection, source, code):
    definitions = {
        "datasets": {"visits": {"key": "id", "time": "seen_at"}},
        "kpis": {"k": {"inputs": {"x": {"from": "visits", **source}}, "formula": "count(x)"}},
    }
    with kpi_engine.open(definitions, connection) as engine, pytest.raises(DefinitionError) as caught:
        engine.run("k", as_of=LATE)
    assert [each.code for each in caught.value.diagnostics] == [code]


def test_a_stretch_needs_a_time(connection):
    definitions = {
        "datasets": {"visits": {"key": "id"}},
        "kpis": {"k": {"inputs": {"x": {"from": "visits", "window": "28 days"}}, "formula": "count(x)"}},
    }
    with kpi_engine.open(definitions, connection) as engine, pytest.raises(DefinitionError) as caught:
        engine.run("k", as_of=LATE)
    assert [each.code for each in caught.value.diagnostics] == ["no_time"]


@pytest.mark.parametrize(
    ("end", "coverage", "start"),
    [
        ("2026-03-01", Trailing(Duration(1, "month")), "2026-02-01"),
        ("2026-03-31", Trailing(Duration(1, "month")), "2026-03-01"),
        ("2024-03-01", Trailing(Duration(1, "year")), "2023-03-01"),
        ("2026-03-29", Trailing(Duration(28, "day")), "2026-03-01"),
        ("2026-01-01", ToDate("year"), "2025-01-01"),
        ("2026-01-02", ToDate("year"), "2026-01-01"),
        ("2026-01-02", ToDate("week"), "2025-12-29"),
    ],
)
def test_where_a_stretch_begins(end, coverage, start):
    found = covered(Span(None, datetime.fromisoformat(end)), coverage, Calendar(), datetime.fromisoformat(LATE))
    assert found == Span(datetime.fromisoformat(start), datetime.fromisoformat(end))


BEGIN = datetime.fromisoformat("2024-02-20")
KINDS = {"date": "DATE", "local": "TIMESTAMP", "instant": "TIMESTAMPTZ"}


@settings(max_examples=60)
@given(
    kind=st.sampled_from(sorted(KINDS)),
    zone=st.sampled_from(["UTC", "Europe/Paris", "America/Sao_Paulo", "Australia/Lord_Howe"]),
    steps=st.lists(st.tuples(st.sampled_from([1, 1, 7, 31]), st.integers(1, 9)), min_size=1, max_size=6),
    skipped=st.sets(st.integers(0, 40), max_size=4),
    moments=st.lists(st.integers(-40 * 24, 500 * 24), min_size=1, max_size=20),
    inside=st.booleans(),
)
def test_a_moment_lies_in_the_stretch_that_it_lies_in(connection, kind, zone, steps, skipped, moments, inside):
    bounds = [BEGIN]
    for days, count in steps:
        bounds += [bounds[-1] + timedelta(days=days) * (n + 1) for n in range(count)]
    stretches = [(bounds[n - 1] if n else None, bounds[n] if n < len(bounds) else None) for n in range(len(bounds) + 1)]
    stretches = stretches[1:-1] if inside else stretches
    numbers = [None if n in skipped else 100 + n for n in range(len(stretches))]
    clock = Clock(TimeColumn(Expr(exp.column("seen_at", table="r", quoted=True)), kind), ZoneInfo(zone))
    statement = clock.numbered(bounds, numbers, inside=inside).sql("duckdb")
    for hours in moments:
        local = BEGIN + timedelta(hours=hours)
        wanted = [
            n
            for n, (start, end) in zip(numbers, stretches, strict=True)
            if (start is None or start <= local) and (end is None or local < end)
        ]
        if not wanted:
            continue
        value = {"date": local.date(), "local": local, "instant": local.replace(tzinfo=ZoneInfo(zone))}[kind]
        found = connection.execute(
            f'SELECT {statement} FROM (SELECT ?::{KINDS[kind]} AS "seen_at") AS r', [value]
        ).fetchone()
        assert found == (wanted[0],), (local, statement)


def test_a_day_is_a_day_where_the_clock_changes():
    rows = "SELECT * FROM (VALUES (1, timestamptz '2026-03-28 23:30:00+00'), (2, timestamptz '2026-03-29 21:59:00+00'), (3, timestamptz '2026-03-29 22:00:00+00')) v(id, seen_at)"
    definitions = {
        "datasets": {"events": {"key": "id", "time": "seen_at"}},
        "kpis": {"n": {"inputs": ["events"], "formula": "count(events)"}},
        "calendar": {"timezone": "Europe/Paris"},
        "project": "p",
    }
    with duckdb.connect() as connection:
        connection.execute(f"CREATE TABLE events AS {rows}")
        with kpi_engine.open(definitions, connection) as engine:
            result = engine.run("n", grain="day", period="2026-03-20..2026-04-05", as_of=LATE)
    found = {row["period"]: row["n"] for row in result.rows() if row["n"]}
    assert found == {date(2026, 3, 29): 2, date(2026, 3, 30): 1}
