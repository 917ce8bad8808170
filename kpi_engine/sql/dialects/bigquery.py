"""BigQuery."""

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
    positive,
)
from kpi_engine.sql.dialects.kinds import is_narrow, kind_of

if TYPE_CHECKING:
    from kpi_engine.sql.dialects.kinds import Kind

_EXACT = "BIGNUMERIC"
"""The other type of decimals rounds what has more than nine digits behind the point."""
_TYPES: dict[Kind, str] = {
    "int": "INT64", "decimal": _EXACT, "double": "FLOAT64", "text": "STRING", "bool": "BOOL", "date": "DATE", "local": "DATETIME",
    "instant": "TIMESTAMP", "null": "STRING",
}  # fmt: skip


def bigquery() -> Dialect:
    """Give the dialect."""
    return Dialect(
        "bigquery",
        _TYPES,
        bytewise=lambda tree: call("COLLATE", tree, exp.Literal.string("")),
        moment=lambda kind, text: cast(exp.Literal.string(text), _TYPES[kind]),
        carried=_carried,
        is_finite=between_infinities(*(cast(exp.Literal.string(end), "FLOAT64") for end in ("-inf", "inf"))),
        calls={
            "stddev": lambda args: call("STDDEV_SAMP", cast(args[0], "FLOAT64")),
            "floor": lambda args: call("FLOOR", *args),
            "ceil": lambda args: call("CEIL", *args),
            "least": of_a_pair("LEAST"),
            "greatest": of_a_pair("GREATEST"),
            "length": lambda args: call("CHAR_LENGTH", *args),
            "contains": lambda args: positive(call("STRPOS", *args)),
            "starts_with": lambda args: call("STARTS_WITH", *args),
            "first": by_edge("MIN_BY"),
            "last": by_edge("MAX_BY"),
        },
        has_filter=False,
        typed_division=False,
        average=average_of_exact_sum("FLOAT64"),
        lacks=frozenset({"cast(… as decimal)", "groups", "materialized"}),
        exact=lambda text: cast(exp.Literal.string(text), _EXACT),
        wide={"decimal": _EXACT},
        has_dots=False,
    )


def _carried(sql_type: str, tree: exp.Expr) -> exp.Expr:
    kind = kind_of(sql_type)
    if kind in {"double", "bool"} or (kind == "int" and is_narrow(sql_type)):
        return cast(tree, _TYPES[kind])
    return cast(tree, "STRING")
