"""The benchmark's data: visits, leads and spend of two years, as Parquet; every value is a hash of its row number.

python benchmarks/data.py FOLDER [ROWS]
"""

from __future__ import annotations

import sys
from pathlib import Path

import duckdb

CHANNELS = ["organic", "direct", "paid_search", "paid_social", "email", "referral", "display", "affiliate"]
SECTIONS = ["home", "blog", "shop", "docs", "pricing", "careers"]
START = "TIMESTAMP '2024-01-01'"


def uniform(salt: int) -> str:
    """Give a number from 0 up to 1 for each row, another one for each salt."""
    return f"(hash(i * 1000003 + {salt}) % 1000000) / 1000000.0"


def pick(names: list[str], salt: int, power: float) -> str:
    """Choose one of some names for each row; the higher the power, the more often the first."""
    return f"{names!r}[1 + CAST(floor(pow({uniform(salt)}, {power}) * {len(names)}) AS INT)]"


def write(folder: Path, rows: int = 10_000_000) -> None:
    """Write the three tables; a folder that holds them at this size already is left as it is."""
    done = folder / f"rows-{rows}"
    if done.exists():
        return
    folder.mkdir(parents=True, exist_ok=True)
    connection = duckdb.connect()
    for name, query in queries(rows).items():
        connection.execute(f"COPY ({query}) TO '{folder}/{name}.parquet' (FORMAT parquet, COMPRESSION zstd)")
    done.touch()


def queries(rows: int) -> dict[str, str]:
    """Write the query of each table, for so many visits."""
    people = max(rows // 8, 10)
    visits = f"""
        SELECT i AS visit_id, CAST(floor(pow({uniform(2)}, 2) * {people}) AS BIGINT) AS visitor_id,
          {START} + to_microseconds(CAST(((i * 1.0 / {rows}) * 728 + {uniform(1)} * 3) * 86400e6 AS BIGINT)) AS ts,
          CASE WHEN {uniform(9)} >= 0.01 THEN {pick(CHANNELS, 3, 1.5)} END AS channel, {pick(SECTIONS, 4, 1)} AS landing_section,
          CASE WHEN {uniform(9)} <= 0.98 THEN CAST(floor(pow({uniform(5)}, 3) * 1800) AS INTEGER) END AS duration_s,
          {uniform(6)} < 0.03 AS converted,
          CASE WHEN {uniform(6)} < 0.03 THEN CAST(10 + {uniform(7)} * 190 AS DECIMAL(10, 2)) END AS revenue
        FROM range({rows}) t(i)"""
    leads = f"""
        SELECT i AS lead_id, {START} + to_microseconds(CAST((i * 1.0 / {rows // 40}) * 730.99 * 86400e6 AS BIGINT)) AS created_at,
          CASE WHEN {uniform(19)} >= 0.01 THEN {pick(CHANNELS, 13, 1.5)} END AS channel
        FROM range({rows // 40}) t(i)"""
    spend = f"""
        SELECT CAST({START} + to_days(CAST(i // 30 AS INT)) AS DATE) AS day,
          ['paid_search', 'paid_social', 'email', 'display', 'affiliate', 'tv'][1 + CAST(i % 6 AS INT)] AS channel,
          CAST(20 + {uniform(21)} * 300 AS DECIMAL(12, 2)) AS amount
        FROM range({731 * 30}) t(i)"""
    return {"visits": visits, "leads": leads, "spend": spend}


if __name__ == "__main__":
    write(Path(sys.argv[1]), int(sys.argv[2]) if sys.argv[2:] else 10_000_000)
