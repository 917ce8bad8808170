"""A day of seconds: 86,400 periods, the numbers as counted in plain Python; what would take too long is refused by name."""
# ruff: noqa: DTZ001 - local times carry no zone

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta

import duckdb
import pytest

import kpi_engine
from kpi_engine import RequestError

DAY = datetime(2026, 3, 1)
SECONDS = [(n * 7919 + n // 400) % 86_400 for n in range(5_000)] + [0, 86_399, 86_399]
ASKED = {"period": "2026-03-01", "grain": "second", "as_of": "2026-03-20"}
PROJECT = {
    "datasets": {"hits": {"key": "id", "time": "at"}},
    "kpis": {
        "n": {"inputs": ["hits"], "formula": "count(hits)"},
        "earlier": {"inputs": {"x": {"from": "n", "offset": "1 hour"}}, "formula": "x"},
        "last_week": {"inputs": {"x": {"from": "n", "window": "7 days"}}, "formula": "x"},
    },
}  # fmt: skip


@pytest.fixture(scope="module")
def engine():
    with duckdb.connect() as made:
        made.execute('create table hits (id int, "at" timestamp)')
        listed = ", ".join(f"({n}, timestamp '{DAY + timedelta(seconds=second)}')" for n, second in enumerate(SECONDS))
        made.execute(f"insert into hits values {listed}")
        with kpi_engine.open(PROJECT, made) as engine:
            yield engine


def test_every_second_of_a_day_is_counted(engine):
    rows = engine.run(["n", "earlier"], **ASKED).rows()
    counted = Counter(SECONDS)
    assert [row["period"] for row in rows] == [DAY + timedelta(seconds=n) for n in range(86_400)]
    assert [row["n"] for row in rows] == [counted[n] for n in range(86_400)]
    assert [row["earlier"] for row in rows] == [counted[n - 3600] for n in range(86_400)]


def test_overlapping_stretches_of_a_day_of_seconds_are_refused_by_name(engine):
    with pytest.raises(RequestError) as caught:
        engine.run("last_week", **ASKED)
    assert caught.value.code == "too_many_periods"
    assert "86,400" in caught.value.message
