"""Apache Spark, and what speaks its SQL: sessions are in ANSI mode, in UTC, and keep the digits of decimals."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from kpi_engine.sql.dialects.dialect import Dialect, between_infinities, cast
from kpi_engine.sql.dialects.kinds import is_narrow, kind_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kpi_engine.sql.dialects.dialect import Call
    from kpi_engine.sql.dialects.kinds import Kind

_TYPES: dict[Kind, str] = {
    "int": "BIGINT", "decimal": "DECIMAL", "double": "DOUBLE", "text": "STRING", "bool": "BOOLEAN", "date": "DATE",
    "local": "TIMESTAMP_NTZ", "instant": "TIMESTAMP", "null": "STRING",
}  # fmt: skip


def spark(name: str = "spark") -> Dialect:
    """Give the dialect; Databricks speaks it too.

    `floor` and `ceil` are not sent: of a floating-point number they give a whole number there, of 64 bits, and of no number 0.
    """
    return Dialect(
        name,
        _TYPES,
        bytewise=lambda tree: tree,  # a source reads a column that is compared otherwise as one that is not
        moment=lambda kind, text: cast(exp.Literal.string(text), _TYPES[kind]),
        carried=_carried,
        is_finite=between_infinities(*(cast(exp.Literal.string(end), "DOUBLE") for end in ("-Infinity", "Infinity"))),
        calls={
            "quantile_cont": _named("PERCENTILE"),
            "quantile_disc": lambda args: exp.WithinGroup(
                this=exp.Anonymous(this="PERCENTILE_DISC", expressions=[args[1]]),
                expression=exp.Order(expressions=[exp.Ordered(this=args[0], nulls_first=True)]),
            ),
            "stddev": _named("STDDEV_SAMP"),
            "least": _named("LEAST"),
            "greatest": _named("GREATEST"),
            "length": _named("LENGTH"),
            "contains": _named("CONTAINS"),
            "starts_with": _named("STARTSWITH"),
            "first": lambda args: _edge("MIN_BY", args),
            "last": lambda args: _edge("MAX_BY", args),
        },
        lacks=frozenset({"groups", "materialized"}),
        has_filter=False,
        typed_division=False,
        average=_mean,
    )


def _mean(tree: exp.Expr, kind: Kind) -> exp.Expr:
    """Give the mean; there that of decimals is rounded, and that of whole numbers is of their floating-point numbers."""
    if kind == "double":
        return exp.Avg(this=tree)
    number = exp.Nullif(this=exp.Count(this=tree.copy()), expression=exp.Literal.number(0))
    return exp.Div(this=cast(exp.Sum(this=tree), "DOUBLE"), expression=number, typed=False, safe=False)


def _named(name: str) -> Call:
    return lambda args: exp.Anonymous(this=name, expressions=[*args])


def _edge(name: str, args: Sequence[exp.Expr]) -> exp.Expr:
    """Give the known value with the lowest, or the highest, number."""
    known = exp.Not(this=exp.Is(this=args[0].copy(), expression=exp.Null()))
    number = exp.Case(ifs=[exp.If(this=known, true=args[1])])
    return exp.Anonymous(this=name, expressions=[args[0], number])


def _carried(sql_type: str, tree: exp.Expr) -> exp.Expr:
    kind = kind_of(sql_type)
    if kind == "decimal" or (kind == "int" and not is_narrow(sql_type)):
        return cast(tree, "STRING")
    return cast(tree, _TYPES[kind])
