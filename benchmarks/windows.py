"""Running totals, trailing windows and totals to date, beside SQL that aggregates first and then takes a window over the sums."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from workloads import Limit, Workload

SECTION = "windows"
BASE = {"visits": "visit_count", "revenue": "revenue"}
MODIFIERS: dict[str, dict[str, Any]] = {
    "ever": {"all_time": True},
    "28_days": {"window": "28 days"},
    "3_months": {"window": "3 months"},
    "month_to_date": {"to_date": "month"},
    "year_to_date": {"to_date": "year"},
}
KPIS: dict[str, Any] = {
    f"{name}_{modifier}": {"inputs": {"value": {"from": base, **how}}, "formula": "value"}
    for modifier, how in MODIFIERS.items()
    for name, base in BASE.items()
}
"""`visits_ever`, `revenue_ever`, `visits_28_days` … : each the value of another KPI, with one modifier."""


@dataclass(frozen=True)
class Shape:
    """Sums of days, weeks or months, and a window over them."""

    modifier: str
    grain: str
    rows: str = "UNBOUNDED PRECEDING"
    """Where the window begins, counted in periods."""
    restarts: str = ""
    """The unit in which it begins anew."""
    first: str = "2024-01-01"
    last: str = "2025-12-31"
    reads_from: str = "2024-01-01"

    def workload(self, name: str, says: str, *split: str) -> Workload:
        """Give the request and its counterpart."""
        request: dict[str, Any] = {
            "kpis": [f"{base}_{self.modifier}" for base in BASE],
            "grain": self.grain,
            "period": f"{self.first}..{self.last}",
            "by": split,
        }
        return Workload(name, says, request, self.statement(split), SECTION, Limit(1.3))

    def statement(self, split: tuple[str, ...]) -> str:
        """Write it by hand: each member in each period, so that a window of n rows is one of n periods."""
        own, frame = ("".join(f"{prefix}{name}, " for name in split) for prefix in ("", "f."))
        members = f"(SELECT DISTINCT {', '.join(split)} FROM sums), " if split else ""
        joined = "".join(f" AND s.{name} IS NOT DISTINCT FROM f.{name}" for name in split)
        parts = [f"f.{name}" for name in split]
        parts += [f"date_trunc('{self.restarts}', f.period)"] if self.restarts else []
        partition = f"PARTITION BY {', '.join(parts)} " if parts else ""
        return f"""
          WITH sums AS (
            SELECT {own}date_trunc('{self.grain}', ts)::date AS period, count(*) AS visits, sum(revenue) AS revenue
            FROM visits WHERE ts >= DATE '{self.reads_from}' AND ts < DATE '{self.last}' + 1 GROUP BY ALL),
          periods AS (
            SELECT unnest(generate_series(DATE '{self.reads_from}', DATE '{self.last}', INTERVAL 1 {self.grain}))::date AS period),
          f AS (SELECT * FROM {members}periods),
          windows AS (
            SELECT {frame}f.period, coalesce(sum(visits) OVER w, 0) AS visits_{self.modifier},
              CASE WHEN sum(visits) OVER w > 0 THEN sum(revenue) OVER w ELSE 0 END AS revenue_{self.modifier}
            FROM f LEFT JOIN sums s ON s.period = f.period{joined}
            WINDOW w AS ({partition}ORDER BY f.period ROWS BETWEEN {self.rows} AND CURRENT ROW))
          SELECT * FROM windows WHERE period >= DATE '{self.first}'"""


WORKLOADS = (
    *(
        Shape("ever", grain).workload(
            f"ever-{grain}-{'-'.join(split) or 'total'}", f"running total by {grain}{said}", *split
        )
        for grain in ("day", "week", "month")
        for split, said in ((("channel",), " by channel"), ((), ""))
    ),
    Shape("28_days", "day", "27 PRECEDING").workload("last-28-days", "28 days, by day by channel", "channel"),
    Shape("3_months", "month", "2 PRECEDING", first="2025-01-01", reads_from="2024-11-01").workload(
        "last-3-months", "3 months, by month"
    ),
    Shape("month_to_date", "day", restarts="month").workload("month-to-date", "month to date, by day"),
    Shape("month_to_date", "day", restarts="month").workload(
        "month-to-date-channel", "month to date, by day by channel", "channel"
    ),
    Shape("year_to_date", "month", restarts="year").workload("year-to-date", "year to date, by month"),
)
