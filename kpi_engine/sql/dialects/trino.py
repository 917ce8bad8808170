"""Trino."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from kpi_engine.sql.dialects.dialect import (
    Dialect,
    average_of_exact_sum,
    by_edge,
    call,
    cast,
    of_a_pair,
    positive,
)
from kpi_engine.sql.dialects.kinds import is_narrow, kind_of

if TYPE_CHECKING:
    from kpi_engine.sql.dialects.kinds import Kind

_LOCAL = "TIMESTAMP(6)"
_TYPES: dict[Kind, str] = {
    "int": "BIGINT", "decimal": "DECIMAL", "double": "DOUBLE", "text": "VARCHAR", "bool": "BOOLEAN", "date": "DATE", "local": _LOCAL,
    "instant": "TIMESTAMP(6) WITH TIME ZONE", "null": "VARCHAR",
}  # fmt: skip


def trino() -> Dialect:
    """Give the dialect."""
    return Dialect(
        "trino",
        _TYPES,
        bytewise=lambda tree: cast(tree, "VARCHAR"),
        moment=lambda kind, text: cast(exp.Literal.string(text), _TYPES[kind]),
        carried=_carried,
        is_finite=lambda tree: call("IS_FINITE", tree),
        calls={
            "stddev": lambda args: call("STDDEV_SAMP", cast(args[0], "DOUBLE")),
            "floor": lambda args: call("FLOOR", *args),
            "ceil": lambda args: call("CEIL", *args),
            "least": of_a_pair("LEAST"),
            "greatest": of_a_pair("GREATEST"),
            "length": lambda args: call("LENGTH", *args),
            "contains": lambda args: positive(call("STRPOS", *args)),
            "starts_with": lambda args: call("STARTS_WITH", *args),
            "first": by_edge("MIN_BY"),
            "last": by_edge("MAX_BY"),
        },
        average=average_of_exact_sum("DOUBLE"),
        has_filter=False,
        lacks=frozenset({"materialized"}),
        has_is_true=False,
    )


def _carried(sql_type: str, tree: exp.Expr) -> exp.Expr:
    kind = kind_of(sql_type)
    if kind in {"double", "bool"} or (kind == "int" and is_narrow(sql_type)):
        return cast(tree, _TYPES[kind])
    if kind != "instant":
        return cast(tree, "VARCHAR")
    local = cast(exp.AtTimeZone(this=tree, zone=exp.Literal.string("UTC")), _LOCAL)
    return call("CONCAT", cast(local, "VARCHAR"), exp.Literal.string("+00:00"))
