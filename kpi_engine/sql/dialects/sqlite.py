"""SQLite: dates, times and instants are texts in one form, `2026-01-31`, `2026-01-31 12:00:00.5`, the last of these in UTC."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from kpi_engine.sql.dialects.dialect import Dialect, between_infinities, canonical, cast, in_utc
from kpi_engine.sql.dialects.kinds import kind_of

if TYPE_CHECKING:
    from kpi_engine.sql.dialects.kinds import Kind

_TYPES: dict[Kind, str] = {
    "int": "INTEGER", "double": "REAL", "text": "TEXT", "bool": "INTEGER", "date": "TEXT", "local": "TEXT", "instant": "TEXT",
    "null": "TEXT",
}  # fmt: skip


def sqlite() -> Dialect:
    """Give the dialect.

    `length` is not sent: of a text with a zero byte in it, SQLite counts what stands before that.
    """
    return Dialect(
        "sqlite",
        _TYPES,
        bytewise=lambda tree: exp.Collate(this=tree, expression=exp.Identifier(this="BINARY")),
        moment=_moment,
        carried=_carried,
        is_finite=between_infinities(exp.Literal.number("-9e999"), exp.Literal.number("9e999")),
        names_literals=False,
        calls={
            "contains": lambda args: exp.GT(
                this=exp.Anonymous(this="INSTR", expressions=[*args]), expression=exp.Literal.number(0)
            ),
            "starts_with": lambda args: exp.EQ(
                this=exp.Anonymous(
                    this="SUBSTR",
                    expressions=[
                        args[0],
                        exp.Literal.number(1),
                        exp.Anonymous(this="LENGTH", expressions=[args[1]]),
                    ],
                ),
                expression=args[1],
            ),
        },
    )


def _moment(kind: Kind, text: str) -> exp.Expr:
    text = in_utc(kind, text)
    return exp.Literal.string(text if kind == "date" else canonical(text))


def _carried(sql_type: str, tree: exp.Expr) -> exp.Expr:
    kind = kind_of(sql_type)
    if kind == "instant":
        return exp.DPipe(this=tree, expression=exp.Literal.string("+00:00"), safe=True)
    if kind == "int":
        return _whole(tree)
    return cast(tree, _TYPES[kind]) if kind in _TYPES else tree


def _whole(tree: exp.Expr) -> exp.Expr:
    """Give a whole number; where SQLite has made another of one that is too large, stop with its own error of an overflow."""
    least = exp.Literal.number("9223372036854775807")
    nothing = exp.Mul(this=cast(tree, "INTEGER"), expression=exp.Literal.number(0))
    beyond = exp.Sub(this=exp.Sub(this=nothing, expression=least), expression=exp.Literal.number(1))
    is_other = exp.EQ(this=exp.Anonymous(this="TYPEOF", expressions=[tree]), expression=exp.Literal.string("real"))
    overflow = exp.Anonymous(this="ABS", expressions=[beyond])
    return exp.Case(ifs=[exp.If(this=is_other, true=overflow)], default=tree)
