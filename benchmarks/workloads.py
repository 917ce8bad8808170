"""Requests over visits, leads and spend, and the SQL that somebody would write by hand instead."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from measuring import differences, side_by_side
from tables import Line

import kpi_engine

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    import duckdb

SECTION = "requests"
TABLES = ("visits", "leads", "spend")
PERIOD = "2024-01-01..2025-12-31"
DATASETS: dict[str, Any] = {
    "visits": {"key": "visit_id", "time": "ts", "dimensions": ["channel", "landing_section"]},
    "leads": {"key": "lead_id", "time": "created_at", "dimensions": ["channel"]},
    "spend": {"time": "day", "dimensions": ["channel"]},
}
KPIS: dict[str, Any] = {
    "visit_count": {"inputs": ["visits"], "formula": "count(visits)"},
    "visitors": {"inputs": ["visits"], "formula": "count(distinct visitor_id)"},
    "revenue": {"inputs": ["visits"], "formula": "sum(revenue)"},
    "conversions": {"inputs": {"c": {"from": "visits", "where": "converted"}}, "formula": "count(c)"},
    "conversion_rate": {"inputs": ["conversions", "visit_count"], "formula": "conversions / visit_count"},
    "avg_duration": {"inputs": ["visits"], "formula": "avg(duration_s)"},
    "blog_visits": {"inputs": {"b": {"from": "visits", "where": "landing_section = 'blog'"}}, "formula": "count(b)"},
    "blog_share": {"inputs": ["blog_visits", "visit_count"], "formula": "blog_visits / visit_count"},
    "revenue_per_visit": {"inputs": ["revenue", "visit_count"], "formula": "revenue / visit_count"},
    "avg_order_value": {"inputs": ["revenue", "conversions"], "formula": "revenue / conversions"},
    "lead_count": {"inputs": ["leads"], "formula": "count(leads)"},
    "spent": {"inputs": ["spend"], "formula": "sum(amount)", "empty": "unknown"},
    "cost_per_lead": {"inputs": ["spent", "lead_count"], "formula": "spent / lead_count"},
}
TEN = list(KPIS)[:10]
AGGREGATES = """count(*) AS visit_count, count(DISTINCT visitor_id) AS visitors, sum(revenue) AS revenue,
  count(*) FILTER (converted) AS conversions, count(*) FILTER (converted) / nullif(count(*), 0) AS conversion_rate,
  avg(duration_s) AS avg_duration, count(*) FILTER (landing_section = 'blog') AS blog_visits,
  count(*) FILTER (landing_section = 'blog') / nullif(count(*), 0) AS blog_share,
  sum(revenue) / nullif(count(*), 0) AS revenue_per_visit,
  sum(revenue) / nullif(count(*) FILTER (converted), 0) AS avg_order_value"""
MONTH = "date_trunc('month', {})::date"


@dataclass(frozen=True)
class Limit:
    """How much more than the hand-written SQL a request may take: so many times as much, and so many milliseconds."""

    times: float
    more: float = 0.0

    def over(self, milliseconds: float) -> float:
        """Give the limit beside a hand-written time."""
        return self.times * milliseconds + self.more

    def __str__(self) -> str:
        """As it stands in a table."""
        return f"{self.times} ×" + (f" + {self.more:g} ms" if self.more else "")


@dataclass(frozen=True)
class Workload:
    """A request, and its counterpart in SQL, with columns of the same names."""

    name: str
    says: str
    request: Mapping[str, Any]
    statement: str
    section: str = SECTION
    limit: Limit = Limit(1.1, 5)


def compared() -> str:
    """Write the months of 2025 beside the month and the year before each."""
    earlier = {"previous_period": "1 MONTH", "previous_year": "1 YEAR"}
    lag = "max({0}) OVER (ORDER BY period RANGE BETWEEN INTERVAL {2} PRECEDING AND INTERVAL {2} PRECEDING) AS {0}__{1}"
    change = "{0}__{1}, ({0} - {0}__{1}) / nullif({0}__{1}, 0) AS {0}__{1}_change"
    lags = ", ".join(lag.format(kpi, name, step) for kpi in TEN for name, step in earlier.items())
    changes = ", ".join(change.format(kpi, name) for kpi in TEN for name in earlier)
    return f"""WITH m AS (SELECT {MONTH.format("ts")} AS period, {AGGREGATES} FROM visits GROUP BY 1), l AS (SELECT *, {lags} FROM m)
      SELECT period, {", ".join(TEN)}, {changes} FROM l WHERE period >= DATE '2025-01-01'"""


WORKLOADS = (
    Workload("a", "one KPI, total", {"kpis": "visit_count"}, "SELECT count(*) AS visit_count FROM visits"),
    Workload(
        "b",
        "10 KPIs by month by channel",
        {"kpis": TEN, "by": "channel", "grain": "month", "period": PERIOD},
        f"SELECT channel, {MONTH.format('ts')} AS period, {AGGREGATES} FROM visits GROUP BY 1, 2",
    ),
    Workload(
        "c",
        "10 KPIs by month, with the month and the year before",
        {"kpis": TEN, "grain": "month", "period": "2025", "compare": ["previous_period", "previous_year"]},
        compared(),
    ),
    Workload(
        "d",
        "distinct visitors by week by channel",
        {"kpis": "visitors", "by": "channel", "grain": "week", "period": PERIOD},
        """SELECT channel, date_trunc('week', ts)::date AS period, count(DISTINCT visitor_id) AS visitors
          FROM visits GROUP BY 1, 2""",
    ),
    Workload(
        "e",
        "cost per lead (two tables) by month by channel",
        {"kpis": "cost_per_lead", "by": "channel", "grain": "month", "period": PERIOD},
        f"""WITH s AS (SELECT channel, {MONTH.format("day")} AS period, sum(amount) AS spent FROM spend GROUP BY 1, 2),
          l AS (SELECT channel, {MONTH.format("created_at")} AS period, count(*) AS leads FROM leads GROUP BY 1, 2)
          SELECT coalesce(s.channel, l.channel) AS channel, coalesce(s.period, l.period) AS period,
            spent / nullif(coalesce(leads, 0), 0) AS cost_per_lead
          FROM s FULL JOIN l ON s.channel IS NOT DISTINCT FROM l.channel AND s.period = l.period""",
    ),
)


def opened(folder: Path, threads: int = 2) -> duckdb.DuckDBPyConnection:
    """Open a database with the benchmark's tables as views."""
    import duckdb

    connection = duckdb.connect()
    connection.execute(f"SET threads = {threads}")
    for table in TABLES:
        connection.execute(f"CREATE VIEW {table} AS SELECT * FROM read_parquet('{folder}/{table}.parquet')")
    return connection


def engine(connection: duckdb.DuckDBPyConnection, more: Mapping[str, Any]) -> kpi_engine.Engine:
    """Open the engine over a database, with KPIs beside those of this module."""
    return kpi_engine.open({"datasets": DATASETS, "kpis": {**KPIS, **more}}, connection)


def by_hand(connection: duckdb.DuckDBPyConnection, statement: str) -> list[dict[str, Any]]:
    """Run a hand-written statement; give its rows as dicts, as the engine does."""
    cursor = connection.execute(statement)
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def measured(workload: Workload, asked: kpi_engine.Engine, connection: duckdb.DuckDBPyConnection, repeats: int) -> Line:
    """Time a request from its arguments to its rows, beside the hand-written statement, and compare the answers."""
    line = partial(Line, workload.section, workload.name, workload.says, target=str(workload.limit))
    try:
        (mine, ours), (theirs, hand) = side_by_side(
            repeats,
            lambda: asked.run(**workload.request).rows(),
            lambda: by_hand(connection, workload.statement),
        )
    except kpi_engine.KpiError as error:
        return line(answers=f"refused: {error.code}")
    keys = [name for name in ("channel", "period") if name in hand[0]]
    wrong = differences(ours, hand, keys)
    limit = workload.limit.over(theirs * 1e3)
    return line(value=mine * 1e3, beside=theirs * 1e3, limit=limit, answers=f"{wrong} differ" if wrong else "equal")


def figures(workloads: tuple[Workload, ...], kpis: Mapping[str, Any], folder: Path, repeats: int) -> Iterator[Line]:
    """Measure workloads over the data of a folder."""
    connection = opened(folder)
    with engine(connection, kpis) as asked:
        for workload in workloads:
            yield measured(workload, asked, connection, repeats)
    connection.close()
