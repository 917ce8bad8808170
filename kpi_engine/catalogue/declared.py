"""The types that a definition may declare for a column of data."""

from __future__ import annotations

import re
from functools import lru_cache

from sqlglot import exp
from sqlglot.errors import SqlglotError

from kpi_engine.formula.functions import CAST_TYPES

TYPES = "for example bigint, double, decimal(18,2), varchar, boolean, date, timestamp, timestamptz"
_TYPE = re.compile(
    r"[a-z][a-z0-9_ ]*(?:\(\s*(?P<digits>\d{1,4})\s*(?:,\s*(?P<decimals>\d{1,4})\s*)?\))?", re.IGNORECASE
)
_SCALARS = frozenset({name for _, names, _ in CAST_TYPES for name in names} | {
    "INT128", "UINT128", "UTINYINT", "USMALLINT", "UINT", "UBIGINT", "TIME", "UUID", "JSON", "TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS",
})  # fmt: skip
"""Types of one value, as sqlglot names them."""
_STOP = "error"
MOST_DIGITS = 38
"""So many digits a decimal number may have."""


@lru_cache(maxsize=1024)
def is_type(text: str) -> bool:
    """Whether a text is the name of a type of one value, which a column of data may have."""
    if not (written := _TYPE.fullmatch(text.strip())):
        return False
    try:
        kind = exp.DataType.build(text, dialect="duckdb").this
    except (SqlglotError, ValueError):
        return False
    if kind.value == "DECIMAL":
        digits = int(written["digits"] or 18)
        return 1 <= digits <= MOST_DIGITS and int(written["decimals"] or 0) <= digits
    return kind.value in _SCALARS and (kind.value in {"VARCHAR", "TEXT"} or not written["digits"])


def may_round(given: str, kind: exp.DataType) -> bool:
    """Whether a cast makes whole numbers of a type that has others: then DuckDB rounds, and each type in its own way."""
    name, _, digits = given.upper().partition("(")
    has_others = name in ("DOUBLE", "FLOAT", "REAL", "VARCHAR") or (
        name == "DECIMAL" and digits.rpartition(",")[2].strip(" )") != "0"
    )
    return kind.this in exp.DataType.INTEGER_TYPES and has_others


def whole(found: exp.Expr, given: str) -> exp.Expr:
    """Give a column of a type of DuckDB's, and stop at a number in it that is not whole, in the words in which DuckDB stops at a text."""
    said = [
        exp.Literal.string("Could not convert string '"),
        exp.cast(found, "text", copy=False),
        exp.Literal.string(f"' to BIGINT when casting from source column {found.name}"),
    ]
    stop = exp.Anonymous(this=_STOP, expressions=[exp.Anonymous(this="concat", expressions=said)])
    number = exp.TryCast(this=found, to=exp.DataType.build("double")) if given == "VARCHAR" else found
    broken = exp.NEQ(this=number, expression=exp.Round(this=number))
    return exp.Case(ifs=[exp.If(this=broken, true=stop)], default=found)


def is_stop(node: exp.Expr) -> bool:
    """Whether a call stops the statement."""
    return isinstance(node, exp.Anonymous) and node.name == _STOP
