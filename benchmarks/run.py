"""Time requests against hand-written SQL over the same Parquet files, in the same run, and compare the answers.

    python benchmarks/run.py FOLDER [--rows 10000000] [--repeats 5] [--only a b]

The data are written to FOLDER first, unless they are there. CPU time of the process (all threads) is reported as a median, and the ratio
of the engine to the hand-written SQL; a request's whole way is timed, from the arguments to the rows.
"""

from __future__ import annotations

import argparse
import statistics
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import data
import duckdb

import kpi_engine

if TYPE_CHECKING:
    from collections.abc import Callable

DEFINITIONS: dict[str, Any] = {
    "datasets": {
        "visits": {"key": "visit_id", "time": "ts", "dimensions": ["channel", "landing_section"]},
        "leads": {"key": "lead_id", "time": "created_at", "dimensions": ["channel"]},
        "spend": {"time": "day", "dimensions": ["channel"]},
    },
    "kpis": {
        "visit_count": {"inputs": ["visits"], "formula": "count(visits)"},
        "visitors": {"inputs": ["visits"], "formula": "count(distinct visitor_id)"},
        "revenue": {"inputs": ["visits"], "formula": "sum(revenue)"},
        "conversions": {"inputs": {"c": {"from": "visits", "where": "converted"}}, "formula": "count(c)"},
        "conversion_rate": {"inputs": ["conversions", "visit_count"], "formula": "conversions / visit_count"},
        "avg_duration": {"inputs": ["visits"], "formula": "avg(duration_s)"},
        "blog_visits": {
            "inputs": {"b": {"from": "visits", "where": "landing_section = 'blog'"}},
            "formula": "count(b)",
        },
        "blog_share": {"inputs": ["blog_visits", "visit_count"], "formula": "blog_visits / visit_count"},
        "revenue_per_visit": {"inputs": ["revenue", "visit_count"], "formula": "revenue / visit_count"},
        "avg_order_value": {"inputs": ["revenue", "conversions"], "formula": "revenue / conversions"},
        "lead_count": {"inputs": ["leads"], "formula": "count(leads)"},
        "spent": {"inputs": ["spend"], "formula": "sum(amount)", "empty": "unknown"},
        "cost_per_lead": {"inputs": ["spent", "lead_count"], "formula": "spent / lead_count"},
    },
}
TEN = list(DEFINITIONS["kpis"])[:10]
PERIOD = "2024-01-01..2025-12-31"
AGGREGATES = """count(*) AS visit_count, count(DISTINCT visitor_id) AS visitors, sum(revenue) AS revenue,
  count(*) FILTER (converted) AS conversions, count(*) FILTER (converted) / nullif(count(*), 0) AS conversion_rate,
  avg(duration_s) AS avg_duration, count(*) FILTER (landing_section = 'blog') AS blog_visits,
  count(*) FILTER (landing_section = 'blog') / nullif(count(*), 0) AS blog_share, sum(revenue) / nullif(count(*), 0) AS revenue_per_visit,
  sum(revenue) / nullif(count(*) FILTER (converted), 0) AS avg_order_value"""
MONTH = "date_trunc('month', {})::date"
REQUESTS: dict[str, tuple[dict[str, Any], str]] = {
    "a": ({"kpis": "visit_count"}, "SELECT count(*) AS visit_count FROM visits"),
    "b": (
        {"kpis": TEN, "by": "channel", "grain": "month", "period": PERIOD},
        f"SELECT channel, {MONTH.format('ts')} AS period, {AGGREGATES} FROM visits GROUP BY 1, 2",
    ),
    "c": (
        {"kpis": TEN, "grain": "month", "period": "2025", "compare": ["previous_period", "previous_year"]},
        f"SELECT {MONTH.format('ts')} AS period, {AGGREGATES} FROM visits GROUP BY 1",
    ),
    "d": (
        {"kpis": "visitors", "by": "channel", "grain": "week", "period": PERIOD},
        "SELECT channel, date_trunc('week', ts)::date AS period, count(DISTINCT visitor_id) AS visitors FROM visits GROUP BY 1, 2",
    ),
    "e": (
        {"kpis": "cost_per_lead", "by": "channel", "grain": "month", "period": PERIOD},
        f"""WITH s AS (SELECT channel, {MONTH.format("day")} AS period, sum(amount) AS spent FROM spend GROUP BY 1, 2),
          l AS (SELECT channel, {MONTH.format("created_at")} AS period, count(*) AS leads FROM leads GROUP BY 1, 2)
          SELECT coalesce(s.channel, l.channel) AS channel, coalesce(s.period, l.period) AS period,
            spent / nullif(coalesce(leads, 0), 0) AS cost_per_lead
          FROM s FULL JOIN l ON s.channel IS NOT DISTINCT FROM l.channel AND s.period = l.period""",
    ),
}


def cpu(call: Callable[[], Any]) -> tuple[float, Any]:
    start = time.process_time()
    result = call()
    return time.process_time() - start, result


def by_key(rows: list[dict[str, Any]]) -> dict[tuple[Any, ...], dict[str, Any]]:
    keys = ("channel", "period")
    return {
        tuple(row[key] for key in keys if key in row): {
            name: None if value is None else float(f"{float(value):.9g}")
            for name, value in row.items()
            if name not in keys
        }
        for row in rows
    }


def differences(mine: list[dict[str, Any]], hand: list[dict[str, Any]]) -> int:
    """Count the numbers of the hand-written answer that the engine gives otherwise; the engine's extra columns are its comparisons."""
    ours, theirs = by_key(mine), by_key(hand)
    return sum(
        1 for key, row in ours.items() for name, value in theirs.get(key, {}).items() if row[name] != value
    ) + sum(1 for key in ours if key not in theirs and any(value for value in ours[key].values()))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--only", nargs="*", default=list(REQUESTS))
    arguments = parser.parse_args()
    data.write(arguments.folder, arguments.rows)
    connection = duckdb.connect()
    connection.execute("SET threads = 2")
    for table in ("visits", "leads", "spend"):
        connection.execute(f"CREATE VIEW {table} AS SELECT * FROM read_parquet('{arguments.folder}/{table}.parquet')")
    print(f"DuckDB {duckdb.__version__}, {arguments.rows:,} visits, CPU ms, median of {arguments.repeats}")
    with kpi_engine.open(DEFINITIONS, connection) as engine:
        for name in arguments.only:
            request, statement = REQUESTS[name]
            mine, hand = [], []
            for _ in range(arguments.repeats + 1):
                spent, rows = cpu(lambda request=request: engine.run(**request).rows())
                mine.append(spent)
                spent, relation = cpu(lambda statement=statement: connection.execute(statement).fetchall())
                hand.append(spent)
            columns = [column[0] for column in connection.execute(statement).description]
            wrong = differences(rows, [dict(zip(columns, row, strict=True)) for row in relation])
            ours, theirs = statistics.median(mine[1:]) * 1e3, statistics.median(hand[1:]) * 1e3
            print(
                f"  {name}  engine {ours:8.1f}  hand-written {theirs:8.1f}  ratio {ours / theirs:5.2f}  differences {wrong}"
            )
    connection.close()


if __name__ == "__main__":
    main()
