"""Requests over a PostgreSQL server, and the SQL that somebody would send it by hand over the same driver.

What is timed is the CPU time of this process and of the server, all its backends and workers included: see `with_server`.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from measuring import differences, side_by_side
from tables import Line
from workloads import Limit, Workload

import kpi_engine

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from adbc_driver_manager.dbapi import Connection

SECTION = "push-down"
PLUGIN = Path(__file__).parents[1] / "plugins" / "kpi-source-postgres"
ADDRESS = "KPI_BENCH_POSTGRES"
PERIOD = "2024-01-01..2025-12-31"
FILL = """CREATE TABLE visits AS
  SELECT n AS visit_id, (hashint8extended(n, 1) & 1073741823) % {people} AS visitor_id,
    TIMESTAMP '2024-01-01' + n * (INTERVAL '728 days' / {rows}) AS ts,
    (ARRAY['organic', 'direct', 'paid_search', 'paid_social', 'email', 'referral', 'display', NULL])[1 + (hashint8extended(n, 2) & 7)] AS channel,
    CASE WHEN hashint8extended(n, 3) & 31 = 0 THEN CAST((hashint8extended(n, 4) & 32767) / 100.0 AS NUMERIC(10, 2)) END AS revenue
  FROM generate_series(1::bigint, {rows}) AS s(n)"""
DEFINITIONS: dict[str, Any] = {
    "datasets": {"visits": {"key": "visit_id", "time": "ts", "dimensions": ["channel"]}},
    "kpis": {
        "visit_count": {"inputs": ["visits"], "formula": "count(visits)"},
        "revenue": {"inputs": ["visits"], "formula": "sum(revenue)"},
        "visitors": {"inputs": ["visits"], "formula": "count(distinct visitor_id)"},
    },
}
SUMS = "count(*) AS visit_count, sum(revenue)::float8 AS revenue"  # the driver gives an exact decimal as a text
_made = partial(Workload, section=SECTION, limit=Limit(1.1))
WORKLOADS = (
    _made(
        "postgres-total",
        "two KPIs, total until now",
        {"kpis": ["visit_count", "revenue"]},
        f"SELECT {SUMS} FROM visits WHERE ts < '{datetime.now(UTC):%Y-%m-%d}'",
    ),
    _made(
        "postgres-year",
        "two KPIs, total of a year",
        {"kpis": ["visit_count", "revenue"], "period": "2025"},
        f"SELECT {SUMS} FROM visits WHERE ts >= '2025-01-01' AND ts < '2026-01-01'",
    ),
    _made(
        "postgres-month",
        "two KPIs by month by channel",
        {"kpis": ["visit_count", "revenue"], "by": "channel", "grain": "month", "period": PERIOD},
        f"SELECT channel, date_trunc('month', ts)::date AS period, {SUMS} FROM visits GROUP BY 1, 2",
    ),
    _made(
        "postgres-week",
        "distinct visitors by week",
        {"kpis": "visitors", "grain": "week", "period": PERIOD},
        "SELECT date_trunc('week', ts)::date AS period, count(DISTINCT visitor_id) AS visitors FROM visits GROUP BY 1",
    ),
)


def figures(workloads: tuple[Workload, ...], rows: int, repeats: int) -> Iterator[Line]:
    """Measure workloads over so many visits, in a server that is started for them; nothing where none is installed."""
    sys.path[:0] = [str(PLUGIN), str(PLUGIN / "tests")]
    from server import programs_found, server

    if programs_found() is None or find_spec("adbc_driver_postgresql") is None:
        print("without a PostgreSQL server and its driver push-down is not measured", file=sys.stderr)
        return
    from adbc_driver_postgresql import dbapi

    with server() as address, dbapi.connect(address, autocommit=True) as connection:
        _run(connection, FILL.format(rows=rows, people=max(rows // 8, 10)))
        _run(connection, "VACUUM (ANALYZE, FREEZE) visits")
        clock = with_server(by_hand(connection, "SELECT pg_backend_pid() AS pid")[0]["pid"])
        with _project(address) as asked:
            for workload in workloads:
                yield measured(workload, asked, connection, clock, rows, repeats)


def measured(
    workload: Workload,
    asked: kpi_engine.Engine,
    connection: Connection,
    clock: Callable[[], float],
    rows: int,
    repeats: int,
) -> Line:
    """Time a request from its arguments to its rows, beside the hand-written statement, and compare the answers."""
    (mine, ours), (theirs, hand) = side_by_side(
        repeats,
        lambda: asked.run(**workload.request).rows(),
        lambda: by_hand(connection, workload.statement),
        clock=clock,
    )
    keys = [name for name in ("channel", "period") if name in hand[0]]
    wrong = differences(ours, hand, keys)
    return Line(
        workload.section,
        workload.name,
        f"{workload.says}, of {rows:,} visits",
        mine * 1e3,
        theirs * 1e3,
        workload.limit.over(theirs * 1e3),
        str(workload.limit),
        f"{wrong} differ" if wrong else "equal",
    )


def by_hand(connection: Connection, statement: str) -> list[dict[str, Any]]:
    """Run a hand-written statement over the driver that the plugin uses; give its rows as dicts, as the engine does."""
    from arro3.core import Table

    with connection.cursor() as cursor:
        cursor.execute(statement)
        found = Table.from_arrow(cursor.fetch_arrow())
    columns = [found.column(name).to_pylist() for name in found.column_names]
    return [dict(zip(found.column_names, row, strict=True)) for row in zip(*columns, strict=True)]


def with_server(backend: int) -> Callable[[], float]:
    """Give a clock that counts the CPU time of this process, and of a server of which the process of one session is named."""
    root = int(_stat(backend)[1])
    ticks = os.sysconf("SC_CLK_TCK")

    def clock() -> float:
        found = {
            int(each.name): stat
            for each in Path("/proc").iterdir()
            if each.name.isdecimal() and (stat := _stat(int(each.name)))
        }
        own = sum(int(field) for field in found[root][11:15])  # those of workers that have ended among them
        sessions = sum(int(field) for stat in found.values() if int(stat[1]) == root for field in stat[11:13])
        return time.process_time() + (own + sessions) / ticks

    return clock


def _stat(process: int) -> list[str]:
    """Give what Linux counts of a process, from its state on; nothing of one that has ended."""
    try:
        return Path(f"/proc/{process}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return []


def _run(connection: Connection, statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


@contextmanager
def _project(address: str) -> Iterator[kpi_engine.Engine]:
    """Open a project whose source is the server."""
    with tempfile.TemporaryDirectory(prefix="kpi-bench-") as folder:
        root = Path(folder)
        for name in ("plugins", "definitions"):
            (root / name).mkdir()
        source = {"plugin": "postgres", "dsn": {"env": ADDRESS}}
        (root / "kpi.yaml").write_text(json.dumps({"project": "bench", "sources": {"shop": source}}))
        (root / "plugins" / "postgres_here.py").write_text("from kpi_source_postgres import sources\n")
        (root / "definitions" / "all.yaml").write_text(json.dumps(DEFINITIONS))
        os.environ[ADDRESS] = address
        try:
            with kpi_engine.open(root) as engine:
                yield engine
        finally:
            del os.environ[ADDRESS]
