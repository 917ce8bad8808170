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
