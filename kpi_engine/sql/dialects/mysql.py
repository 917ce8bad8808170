"""MySQL and MariaDB, in sessions whose collation compares byte by byte without padding: that is what a text is cast to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from kpi_engine.sql.dialects.dialect import (
    ABOVE,
    Dialect,
    average_of_exact_sum,
    call,
    cast,
    in_utc,
    of_a_pair,
    positive,
)
from kpi_engine.sql.dialects.kinds import is_narrow, kind_of

if TYPE_CHECKING:
    from kpi_engine.sql.dialects.kinds import Kind

_TYPES: dict[Kind, str] = {
    "int": "SIGNED", "decimal": "DECIMAL", "double": "DOUBLE", "text": "CHAR", "bool": "SIGNED", "date": "DATE", "local": "DATETIME(6)",
    "instant": "DATETIME(6)", "null": "CHAR",
}  # fmt: skip


def mysql() -> Dialect:
    """Give the dialect."""
    return Dialect(
        "mysql",
        _TYPES,
        bytewise=lambda tree: cast(tree, "CHAR"),
        moment=lambda kind, text: cast(exp.Literal.string(in_utc(kind, text)), _TYPES[kind]),
        carried=_carried,
        is_finite=lambda tree: exp.Paren(this=exp.EQ(this=tree, expression=tree.copy())),
        calls={
            "stddev": lambda args: call("STDDEV_SAMP", cast(args[0], "DOUBLE")),
            "floor": lambda args: call("FLOOR", *args),
            "ceil": lambda args: call("CEILING", *args),
            "least": of_a_pair("LEAST"),
            "greatest": of_a_pair("GREATEST"),
            "length": lambda args: call("CHAR_LENGTH", *args),
            "contains": lambda args: positive(call("INSTR", *args)),
            "starts_with": lambda args: exp.EQ(
                this=call("LEFT", args[0], call("CHAR_LENGTH", args[1])), expression=args[1].copy()
            ),
        },
        has_filter=False,
        typed_division=False,
        safe_division=True,
        average=average_of_exact_sum("DOUBLE"),
        lacks=frozenset({ABOVE, "cast(… as decimal)", "groups", "materialized"}),
    )


def _carried(sql_type: str, tree: exp.Expr) -> exp.Expr:
    kind = kind_of(sql_type)
    if kind == "int" and is_narrow(sql_type):
        return cast(tree, "SIGNED")
    if kind in {"double", "bool"}:
        return cast(tree, _TYPES[kind])
    text = cast(tree, "CHAR")
    return call("CONCAT", text, exp.Literal.string("+00:00")) if kind == "instant" else text
