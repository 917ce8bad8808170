"""The dialects of SQL that leaves are written in: what each states once, so that a number is the same on every engine.

Problem: a statement translated word by word runs elsewhere, and now and then gives another number. Shape: leaves use few constructs,
each known to mean the same; what differs between engines is one small table for each dialect, and whatever is in neither is not sent.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp, parse_one

from kpi_engine.errors import PluginError, nearest
from kpi_engine.formula.trees import column, identifier, named
from kpi_engine.sql.dialects.bigquery import bigquery
from kpi_engine.sql.dialects.clickhouse import clickhouse
from kpi_engine.sql.dialects.kinds import kind_of
from kpi_engine.sql.dialects.mysql import mysql
from kpi_engine.sql.dialects.postgres import postgres
from kpi_engine.sql.dialects.snowflake import snowflake
from kpi_engine.sql.dialects.spark import spark
from kpi_engine.sql.dialects.sqlite import sqlite
from kpi_engine.sql.dialects.trino import trino

if TYPE_CHECKING:
    from kpi_engine.sql.dialects.dialect import Dialect
    from kpi_engine.sql.relations import Remote

__all__ = ["DIALECTS", "dialect_of", "rows_of"]

NATIVE = "native"
"""What a part of a statement says of itself that is written in the words of its engine already."""
HOME = "duckdb"
"""The dialect that needs no translation."""
_MADE = {
    "bigquery": bigquery,
    "clickhouse": clickhouse,
    "databricks": lambda: spark("databricks"),
    "mysql": mysql,
    "postgres": postgres,
    "snowflake": snowflake,
    "spark": spark,
    "sqlite": sqlite,
    "trino": trino,
}
DIALECTS = (HOME, *_MADE)
"""The dialects there are."""


def dialect_of(name: str) -> Dialect | None:
    """Give a dialect; None for the one that needs no translation."""
    if name == HOME:
        return None
    if name not in _MADE:
        message = f"leaves cannot be written in the dialect `{name}`"
        raise PluginError(message, code="unknown_dialect", hint=nearest(name, DIALECTS))
    return _MADE[name]()


def rows_of(origin: Remote) -> exp.Select:
    """Give the rows of a table in its own engine, with each column as what it is."""
    dialect = dialect_of(origin.dialect)
    columns: list[exp.Expr] = []
    for name, kind in origin.columns.items():
        read: exp.Expr = column(name)
        if name in origin.reads:
            read = parse_one(origin.reads[name], read=origin.dialect)
        if dialect is not None and kind_of(kind) == "text":
            read = dialect.bytewise(read)
        columns.append(named(read, name))
    names = [identifier(part) for part in origin.path]
    table = exp.Table(
        this=names[-1],
        db=names[-2] if len(names) > 1 else None,
        catalog=names[-3] if len(names) > 2 else None,  # noqa: PLR2004
    )
    made = exp.Select(expressions=columns).from_(table, copy=False)
    made.meta[NATIVE] = True
    return made
