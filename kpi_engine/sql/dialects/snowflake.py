"""Snowflake, in sessions in UTC."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from kpi_engine.sql.dialects.dialect import (
    Dialect,
    average_of_exact_sum,
    between_infinities,
    by_edge,
    call,
    cast,
    of_a_pair,
    within_group,
)
from kpi_engine.sql.dialects.kinds import is_narrow, kind_of

if TYPE_CHECKING:
    from kpi_engine.sql.dialects.kinds import Kind

_TYPES: dict[Kind, str] = {
    "int": "NUMBER(38, 0)", "decimal": "NUMBER", "double": "DOUBLE", "text": "VARCHAR", "bool": "BOOLEAN", "date": "DATE",
    "local": "TIMESTAMP_NTZ", "instant": "TIMESTAMP_LTZ", "null": "VARCHAR",
}  # fmt: skip
_WRITTEN: dict[Kind, str] = {
    "date": "YYYY-MM-DD", "local": "YYYY-MM-DD HH24:MI:SS.FF6", "instant": "YYYY-MM-DD HH24:MI:SS.FF6TZH:TZM",
}  # fmt: skip


def snowflake() -> Dialect:
    """Give the dialect."""
    return Dialect(
        "snowflake",
        _TYPES,
        bytewise=lambda tree: call("COLLATE", tree, exp.Literal.string("utf8")),
        moment=lambda kind, text: cast(exp.Literal.string(text), _TYPES[kind]),
        carried=_carried,
        is_finite=between_infinities(*(cast(exp.Literal.string(end), "DOUBLE") for end in ("-inf", "inf"))),
        calls={
            "quantile_cont": within_group("PERCENTILE_CONT", "DOUBLE"),
            "stddev": lambda args: call("STDDEV_SAMP", cast(args[0], "DOUBLE")),
            "floor": lambda args: call("FLOOR", *args),
            "ceil": lambda args: call("CEIL", *args),
            "least": of_a_pair("LEAST"),
            "greatest": of_a_pair("GREATEST"),
            "length": lambda args: call("LENGTH", *args),
            "contains": lambda args: call("CONTAINS", *args),
            "starts_with": lambda args: call("STARTSWITH", *args),
            "first": by_edge("MIN_BY"),
            "last": by_edge("MAX_BY"),
        },
        has_filter=False,
        typed_division=False,
        average=average_of_exact_sum("DOUBLE"),
        lacks=frozenset({"groups", "materialized"}),
        has_is_true=False,
    )


def _carried(sql_type: str, tree: exp.Expr) -> exp.Expr:
    kind = kind_of(sql_type)
    if kind in _WRITTEN:
        return call("TO_CHAR", tree, exp.Literal.string(_WRITTEN[kind]))
    if kind == "decimal" or (kind == "int" and not is_narrow(sql_type)):
        return cast(tree, "VARCHAR")
    return cast(tree, _TYPES[kind])
