"""An engine stopped while it computes."""

from __future__ import annotations

import threading

import duckdb
import pytest

import kpi_engine
from kpi_engine.execution.database import translated

DEFINITIONS = {
    "project": "shop",
    "datasets": {
        "crossed": {
            "sql": "select a.id * b.id + c.id as n from many a join many b on a.one = b.one join many c on a.one = c.one"
        },
        "many": {"key": "id"},
    },
    "kpis": {
        "heavy": {"inputs": ["crossed"], "formula": "sum(n)"},
        "light": {"inputs": ["many"], "formula": "count(many)"},
    },
}


@pytest.fixture
def engine():
    with duckdb.connect() as connection:
        connection.execute("create table many as select 1 as one, range as id from range(20000)")
        with kpi_engine.open(DEFINITIONS, connection) as opened:
            yield opened


def test_another_thread_stops_a_long_request_and_the_engine_goes_on(engine):
    done = threading.Event()

    def stop():
        while not done.wait(0.01):
            engine.interrupt()

    stopper = threading.Thread(target=stop)
    stopper.start()
    try:
        with pytest.raises(kpi_engine.TimeoutExceeded) as caught:
            engine.run("heavy")
    finally:
        done.set()
        stopper.join()
    assert caught.value.code == "interrupted"
    assert engine.run("light").totals() == {"light": 20000}


def test_there_may_be_nothing_to_stop(engine):
    engine.interrupt()
    assert engine.run("light").totals() == {"light": 20000}


def test_ctrl_c_inside_a_query_is_ctrl_c():
    with pytest.raises(KeyboardInterrupt), translated():
        raise RuntimeError("Query interrupted")
    with pytest.raises(RuntimeError, match="something else"), translated():
        raise RuntimeError("something else")
