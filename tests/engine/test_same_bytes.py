"""The same inputs give the same bytes: whatever the number of threads, the seed of Python's hashes and the order of the rows."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

import kpi_engine

DEFINITIONS = {
    "datasets": {
        "facts": {"table": "fact", "key": "id", "time": "day", "dimensions": ["g", "h"]},
    },
    "roles": {"team": {"label": "Team"}, "press": {"label": "Press"}},
    "kpis": {
        "money": {"role": ["team", "press"], "inputs": ["facts"], "formula": "sum(amount)"},
        "people": {"role": "team", "inputs": ["facts"], "formula": "count(distinct h)"},
        "rate": {"role": "press", "inputs": ["facts"], "formula": "sum(amount) / count(facts)", "format": "percent"},
        "mean": {"inputs": ["facts"], "formula": "avg(amount)"},
        "middle": {"inputs": ["facts"], "formula": "median(amount)"},
        "highest": {"inputs": ["facts"], "formula": "max(x)"},
        "wrong": {"role": "press", "inputs": ["facts"], "formula": "sum(nothing)"},
    },
}
"""No KPI adds up binary floating-point numbers: their sums may differ in the last digits, as `docs/explanation/numbers.md` says."""
NUMBERS = ["money", "people", "rate", "mean", "middle", "highest"]
ROWS = """
    SELECT i AS id, DATE '2026-01-01' + CAST(hash(i) % 180 AS INTEGER) AS day, chr(97 + CAST(hash(i + 1) % 5 AS INTEGER)) AS g,
           CAST(hash(i + 2) % 300 AS INTEGER) AS h, CAST(CAST(hash(i + 3) % 2000001 AS BIGINT) - 1000000 AS DECIMAL(18,2)) / 100 AS raw,
           CAST(raw AS DECIMAL(18,2)) AS amount, (hash(i + 4) % 1000003) / 7.0 AS x
    FROM range({rows}) AS t(i) {order}
"""
SAYING = """
import sys
from test_same_bytes import connected, said
import json
print(json.dumps(said(connected(1, rows=2000))))
"""


def connected(threads: int, order: str = "", rows: int = 400_000) -> duckdb.DuckDBPyConnection:
    """Make the data, in several row groups, for a database with so many threads."""
    connection = duckdb.connect(config={"threads": threads})
    connection.execute(f"CREATE TABLE fact AS {ROWS.format(rows=rows, order=order)}")
    return connection


def said(connection: duckdb.DuckDBPyConnection) -> dict[str, str]:
    """Give what every output says of every kind of answer."""
    asked = {
        "split": {"by": ["g"], "grain": "month"},
        "first": {"by": "h", "order": "-money", "limit": 20},
        "all": {},
        "compared": {"by": "g", "compare": ["previous_period"], "period": "2026-03"},
        "ranked": {"by": "g", "rank": "money", "share": "money"},
    }
    with kpi_engine.open(DEFINITIONS, connection) as engine:
        shown = {name: engine.run(NUMBERS, as_of="2026-12-31", **how) for name, how in asked.items()}
        shown["report"] = engine.report(period="2026-Q1", as_of="2026-12-31")
        found = {
            f"{name} as {output}": engine.render(answer, output).decode()
            for name, answer in shown.items()
            for output in ("json", "csv", "html", "table")
        }
        how = engine.explain(NUMBERS, by=["g", "h"], grain="month", period="2026-Q1", as_of="2026-12-31")
        return found | {"explained": how, "checked": repr(engine.check(live=True))}


@pytest.fixture(scope="module")
def alone() -> dict[str, str]:
    return said(connected(1))


@pytest.mark.parametrize(("threads", "order"), [(1, ""), (2, ""), (4, ""), (4, "ORDER BY hash(i + 9)")])
def test_threads_and_the_order_of_rows_change_no_byte(alone, threads, order):
    assert said(connected(threads, order)) == alone


@pytest.fixture(scope="module")
def few() -> dict[str, str]:
    return said(connected(1, rows=2000))


@pytest.mark.parametrize("seed", [0, 1, 7])
def test_the_seed_of_hashes_changes_no_byte(few, seed):
    paths = os.pathsep.join([str(Path(kpi_engine.__file__).parents[1]), str(Path(__file__).parent)])
    environment = os.environ | {"PYTHONHASHSEED": str(seed), "PYTHONPATH": paths}
    ran = subprocess.run([sys.executable, "-c", SAYING], env=environment, capture_output=True, text=True, check=True)
    assert json.loads(ran.stdout) == few
