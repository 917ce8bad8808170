"""What the database knows of a zone's clock, so that it can be compared with what the engine knows."""

from __future__ import annotations

from sqlglot import exp

from kpi_engine.formula.trees import integer, sql

MICROSECONDS_OF_A_DAY = 86_400_000_000


def clock_of_days(zone: str, first: int, last: int) -> str:
    """Write the statement that gives what a zone's clock shows, in microseconds since 1970, at midnight in UTC of days since 1970."""
    day = exp.Mul(this=exp.column("range"), expression=integer(MICROSECONDS_OF_A_DAY))
    instant = exp.Anonymous(this="make_timestamptz", expressions=[day])
    shown = exp.Anonymous(this="timezone", expressions=[exp.Literal.string(zone), instant])
    days = exp.Table(this=exp.Anonymous(this="range", expressions=[integer(first), integer(last)]))
    micros = exp.Anonymous(this="epoch_us", expressions=[shown])
    return sql(exp.select(exp.column("range"), micros).from_(days).order_by(exp.column("range")))
