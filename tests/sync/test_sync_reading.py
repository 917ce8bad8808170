"""KPIs over synced data: they read the last whole state; closed periods that change are recorded."""

from __future__ import annotations

import time_machine
from scripted import project, script, served

import kpi_engine

DEFINITIONS = """
datasets:
  orders: {key: id, time: placed_at}
  restated: {table: sync.restatements, time: time}
kpis:
  revenue: {inputs: [orders], formula: sum(amount)}
  restatements: {inputs: [restated], formula: count(restated)}
"""
ORDERS = {"name": "orders", "columns": {"id": "BIGINT", "placed_at": "TIMESTAMPTZ", "amount": "BIGINT"}, "key": ["id"]}


def order(number, day, amount):
    return {"id": number, "placed_at": f"{day}T10:00:00Z", "amount": amount}


def monthly(engine, kpi):
    return [row[kpi] for row in engine.run(kpi, grain="month", period="2026-Q1", as_of="2026-12-31").rows()]


def test_one_engine_reads_what_was_synced_last(tmp_path) -> None:
    root = project(tmp_path, definitions=DEFINITIONS)
    with kpi_engine.open(root) as engine:
        script(root, [ORDERS], ["rows", "orders", [order(1, "2026-01-05", 10)]])
        assert engine.sync().ok
        assert monthly(engine, "revenue") == [10, 0, 0]
        script(root, [ORDERS], ["rows", "orders", [order(1, "2026-01-05", 15), order(2, "2026-03-05", 7)]])
        assert engine.sync("api").ok
        assert monthly(engine, "revenue") == [15, 0, 7]


def test_before_the_first_sync_the_error_says_what_to_do(tmp_path) -> None:
    root = project(tmp_path, definitions=DEFINITIONS)
    script(root, [ORDERS])
    with kpi_engine.open(root) as engine:
        found = {(each.code, each.subject) for each in engine.check()}
    assert ("not_synced", "source api") in found


def test_rows_of_a_closed_period_that_change_are_recorded_by_key(tmp_path) -> None:
    root = project(tmp_path, definitions=DEFINITIONS)
    with kpi_engine.open(root) as engine:
        with time_machine.travel("2026-03-10T12:00:00Z", tick=False):
            rows = [
                order(1, "2026-01-05", 10),
                order(2, "2026-02-05", 20),
                order(3, "2026-03-05", 30),
                order(6, "2026-01-20", 60),
            ]
            script(root, [ORDERS], ["rows", "orders", rows])
            assert engine.sync().sources[0].streams[0].restated == 0
        with time_machine.travel("2026-03-11T12:00:00Z", tick=False):
            rows = [
                order(1, "2026-01-05", 11),
                order(2, "2026-02-05", 20),
                order(3, "2026-03-05", 31),
                order(4, "2026-02-25", 40),
            ]
            script(root, [ORDERS], ["rows", "orders", rows], ["deleted", "orders", [{"id": 6}]])
            assert engine.sync().sources[0].streams[0].restated == 3
        with time_machine.travel("2026-04-11T12:00:00Z", tick=False):
            assert engine.sync().sources[0].streams[0].restated == 0
        assert monthly(engine, "restatements") == [2, 1, 0]
    found = served(
        root, "SELECT run, change, key, CAST(period AS VARCHAR), before IS NULL, after IS NULL FROM sync.restatements"
    )
    assert sorted(found) == [
        (2, "added", '{"id":4}', "2026-02-01", True, False),
        (2, "changed", '{"id":1}', "2026-01-01", False, False),
        (2, "removed", '{"id":6}', "2026-01-01", False, True),
    ]


def test_a_whole_table_without_a_key_is_compared_row_by_row(tmp_path) -> None:
    root = project(tmp_path, ", sync: {closes: day, streams: {spend: {time: day}}}")
    spend = {"name": "spend", "columns": {"day": "DATE", "cost": "BIGINT"}}
    with kpi_engine.open(root) as engine:
        with time_machine.travel("2026-03-10T12:00:00Z", tick=False):
            rows = [
                {"day": "2026-03-09", "cost": 1},
                {"day": "2026-03-09", "cost": 1},
                {"day": "2026-03-10", "cost": 2},
            ]
            script(root, [spend], ["rows", "spend", rows])
            engine.sync()
        with time_machine.travel("2026-03-11T12:00:00Z", tick=False):
            script(root, [spend], ["rows", "spend", [*rows[1:2], {"day": "2026-03-10", "cost": 3}]])
            assert engine.sync().sources[0].streams[0].restated == 1
    assert served(root, "SELECT change, before, CAST(period AS VARCHAR) FROM sync.restatements") == [
        ("removed", '{"day":"2026-03-09","cost":1}', "2026-03-09")
    ]


def test_fetching_all_anew_compares_with_what_was_read(tmp_path) -> None:
    root = project(tmp_path, definitions=DEFINITIONS)
    with kpi_engine.open(root) as engine:
        with time_machine.travel("2026-03-10T12:00:00Z", tick=False):
            script(root, [ORDERS], ["rows", "orders", [order(1, "2026-01-05", 10), order(2, "2026-01-06", 20)]])
            engine.sync()
        with time_machine.travel("2026-03-11T12:00:00Z", tick=False):
            script(root, [ORDERS], ["rows", "orders", [order(2, "2026-01-06", 20)]])
            assert engine.sync(full=True).sources[0].streams[0].restated == 1
