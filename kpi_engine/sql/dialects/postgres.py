"""PostgreSQL."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from kpi_engine.sql.dialects.dialect import Dialect, between_infinities, call, cast
from kpi_engine.sql.dialects.kinds import is_narrow, kind_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kpi_engine.sql.dialects.kinds import Kind

DOUBLE = "DOUBLE PRECISION"
_TYPES: dict[Kind, str] = {
    "int": "BIGINT", "decimal": "NUMERIC", "double": DOUBLE, "text": "TEXT", "bool": "BOOLEAN", "date": "DATE", "local": "TIMESTAMP",
    "instant": "TIMESTAMPTZ", "null": "TEXT",
}  # fmt: skip


def postgres() -> Dialect:
    """Give the dialect."""
    return Dialect(
        "postgres",
        _TYPES,
        bytewise=lambda tree: exp.Collate(this=tree, expression=exp.Identifier(this="C", quoted=True)),
        moment=lambda kind, text: cast(exp.Literal.string(text), _TYPES[kind]),
        carried=_carried,
        searched=_searched,
        is_finite=between_infinities(*(cast(exp.Literal.string(end), DOUBLE) for end in ("-Infinity", "Infinity"))),
        calls={
            "quantile_cont": lambda args: _percentile("PERCENTILE_CONT", args),
            "quantile_disc": lambda args: _percentile("PERCENTILE_DISC", args),
            "stddev": lambda args: exp.Anonymous(this="STDDEV_SAMP", expressions=[*args]),
            "floor": lambda args: exp.Anonymous(this="FLOOR", expressions=[*args]),
            "ceil": lambda args: exp.Anonymous(this="CEIL", expressions=[*args]),
            "least": lambda args: exp.Anonymous(this="LEAST", expressions=[*args]),
            "greatest": lambda args: exp.Anonymous(this="GREATEST", expressions=[*args]),
            "length": lambda args: exp.Anonymous(this="LENGTH", expressions=[*args]),
            "contains": lambda args: exp.GT(
                this=exp.Anonymous(this="STRPOS", expressions=[*args]), expression=exp.Literal.number(0)
            ),
            "starts_with": lambda args: exp.Anonymous(this="STARTS_WITH", expressions=[*args]),
            "first": lambda args: _edge(args, desc=False),
            "last": lambda args: _edge(args, desc=True),
        },
    )


def _searched(value: exp.Expr, starts: Sequence[exp.Expr], numbers: Sequence[exp.Expr]) -> exp.Expr:
    """Search by halves in the list of starts: nested comparisons are compiled for each query, which takes longer than to run them."""
    place = call("WIDTH_BUCKET", value, exp.Array(expressions=[*starts]))
    if [str(each.this) for each in numbers] == [str(n) for n in range(len(numbers))]:
        return place
    following = exp.Add(this=place, expression=exp.Literal.number(1))
    listed = exp.Paren(this=exp.Array(expressions=[*numbers]))
    return exp.Bracket(this=listed, expressions=[following], offset=1)


def _percentile(name: str, args: Sequence[exp.Expr]) -> exp.Expr:
    order = exp.Order(expressions=[exp.Ordered(this=args[0], nulls_first=False)])
    return exp.WithinGroup(this=exp.Anonymous(this=name, expressions=[args[1]]), expression=order)


def _edge(args: Sequence[exp.Expr], *, desc: bool) -> exp.Expr:
    """Give the known value with the lowest, or the highest, number."""
    order = exp.Order(this=args[0], expressions=[exp.Ordered(this=args[1], desc=desc, nulls_first=False)])
    known = exp.Not(this=exp.Is(this=args[0], expression=exp.Null()))
    collected = exp.Filter(this=exp.Anonymous(this="ARRAY_AGG", expressions=[order]), expression=exp.Where(this=known))
    return exp.Bracket(this=exp.Paren(this=collected), expressions=[exp.Literal.number(1)], offset=1)


def _carried(sql_type: str, tree: exp.Expr) -> exp.Expr:
    kind = kind_of(sql_type)
    if kind == "decimal" or (kind == "int" and not is_narrow(sql_type)):
        return cast(tree, "TEXT")
    return cast(tree, _TYPES[kind])
