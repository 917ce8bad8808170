"""Apache Spark, and what speaks its SQL: sessions are in ANSI mode, in UTC, and keep the digits of decimals."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from kpi_engine.sql.dialects.dialect import Dialect, average_of_exact_sum, between_infinities, call, cast
from kpi_engine.sql.dialects.kinds import is_narrow, kind_of

if TYPE_CHECKING:
    from collections.abc import Sequence

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
            "quantile_cont": lambda args: call("PERCENTILE", *args),
            "quantile_disc": lambda args: exp.WithinGroup(
                this=call("PERCENTILE_DISC", args[1]),
                expression=exp.Order(expressions=[exp.Ordered(this=args[0], nulls_first=True)]),
            ),
            "stddev": lambda args: call("STDDEV_SAMP", *args),
            "least": lambda args: call("LEAST", *args),
            "greatest": lambda args: call("GREATEST", *args),
            "length": lambda args: call("LENGTH", *args),
            "contains": lambda args: call("CONTAINS", *args),
            "starts_with": lambda args: call("STARTSWITH", *args),
            "first": lambda args: _edge("MIN_BY", args),
            "last": lambda args: _edge("MAX_BY", args),
        },
        lacks=frozenset({"groups", "materialized"}),
        has_filter=False,
        typed_division=False,
        average=average_of_exact_sum("DOUBLE"),
    )


def _edge(name: str, args: Sequence[exp.Expr]) -> exp.Expr:
    """Give the known value with the lowest, or the highest, number."""
    known = exp.Not(this=exp.Is(this=args[0].copy(), expression=exp.Null()))
    number = exp.Case(ifs=[exp.If(this=known, true=args[1])])
    return call(name, args[0], number)


def _carried(sql_type: str, tree: exp.Expr) -> exp.Expr:
    kind = kind_of(sql_type)
    if kind == "decimal" or (kind == "int" and not is_narrow(sql_type)):
        return cast(tree, "STRING")
    return cast(tree, _TYPES[kind])
