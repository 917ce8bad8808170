"""ClickHouse, in sessions whose settings make unknown values of joins and empty aggregates unknown.

A type is written here without `Nullable`, which sqlglot writes around the type of every cast.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from kpi_engine.sql.dialects.dialect import (
    Dialect,
    average_of_exact_sum,
    by_edge,
    call,
    cast,
    in_utc,
    of_a_pair,
    positive,
)
from kpi_engine.sql.dialects.kinds import kind_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kpi_engine.sql.dialects.kinds import Kind

_DOUBLE, _TEXT = "Float64", "String"
_TYPES: dict[Kind, str] = {
    "int": "Int64", "decimal": "Decimal", "double": _DOUBLE, "text": _TEXT, "bool": "Bool",
    "date": "Date32", "local": "DateTime64(6, 'UTC')", "instant": "DateTime64(6, 'UTC')", "null": _TEXT,
}  # fmt: skip
_WHOLE = "Decimal(38, 0)"
"""Whole numbers wrap around in silence, decimals stop the query where they are too large."""


def clickhouse() -> Dialect:
    """Give the dialect."""
    return Dialect(
        "clickhouse",
        _TYPES,
        bytewise=lambda tree: cast(tree, _TEXT),
        moment=lambda kind, text: cast(exp.Literal.string(in_utc(kind, text)), _TYPES[kind]),
        carried=_carried,
        is_finite=lambda tree: call("isFinite", tree),
        calls={
            "quantile_cont": _percentile,
            "stddev": _deviation,
            "floor": lambda args: call("floor", *args),
            "ceil": lambda args: call("ceil", *args),
            "least": of_a_pair("least"),
            "greatest": of_a_pair("greatest"),
            "length": lambda args: cast(call("lengthUTF8", *args), "Int64"),
            "contains": lambda args: positive(call("position", *args)),
            "starts_with": lambda args: call("startsWith", *args),
            "first": by_edge("argMin"),
            "last": by_edge("argMax"),
        },
        has_filter=False,
        typed_division=False,
        average=average_of_exact_sum(_DOUBLE),
        lacks=frozenset(
            {
                "a choice of decimals",
                "cast(… as decimal)",
                "count(distinct …) of floating-point numbers",
                "groups",
                "lag",
                "lead",
                "materialized",
            }
        ),
        exact=_exact,
        wide={"int": _WHOLE},
        roomy=_roomy,
    )


def _roomy(tree: exp.Expr) -> exp.Expr:
    """Products and sums of decimals of 38 digits wrap around in silence, too; times one of 76 digits, they have as many."""
    return exp.Paren(
        this=exp.Mul(this=exp.Paren(this=tree), expression=cast(exp.Literal.string("1"), "Decimal(76, 0)"))
    )


def _percentile(args: Sequence[exp.Expr]) -> exp.Expr:
    """Give the percentile between the two nearest values; how much is a parameter of the function, in brackets of its own."""
    return call(f"quantileExactInclusiveOrNull({args[1].sql()})", cast(args[0], _DOUBLE))


def _deviation(args: Sequence[exp.Expr]) -> exp.Expr:
    several = exp.GT(this=exp.Count(this=args[0].copy()), expression=exp.Literal.number(1))
    made = call("stddevSampStable", cast(args[0], _DOUBLE))
    return exp.Case(ifs=[exp.If(this=several, true=made)])


def _exact(text: str) -> exp.Expr:
    scale = len(text.partition(".")[2])
    return cast(exp.Literal.string(text), f"Decimal(38, {scale})")


def _carried(sql_type: str, tree: exp.Expr) -> exp.Expr:
    """Whole numbers travel as text, too: a cast of one that is too large would wrap around."""
    kind = kind_of(sql_type)
    if kind in {"double", "bool"}:
        return cast(tree, _TYPES[kind])
    text = cast(tree, _TEXT)
    return call("concat", text, exp.Literal.string("+00:00")) if kind == "instant" else text
