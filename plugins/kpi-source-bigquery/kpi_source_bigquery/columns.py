"""What a column of BigQuery holds, in DuckDB's words, and how it is read where that is something else."""

from __future__ import annotations

import re
from typing import NamedTuple

_PLAIN = {
    "INT64": "BIGINT", "FLOAT64": "DOUBLE", "BOOL": "BOOLEAN", "STRING": "VARCHAR", "DATE": "DATE", "DATETIME": "TIMESTAMP",
    "TIMESTAMP": "TIMESTAMPTZ",
}  # fmt: skip
_WRITTEN = re.compile(r"(\w+)(?:\((\d+)(?:, *(\d+))?\))?")
_UNBOUND = {"NUMERIC": (38, 9), "BIGNUMERIC": (76, 38)}
"""How many digits a decimal has that is declared without a number of them, and how many of these behind the point."""
MOST_DIGITS = 38


class Column(NamedTuple):
    """A column's type in DuckDB's words, and the expression that reads it; empty where its name does."""

    kind: str
    read: str = ""


def column_of(name: str, written: str) -> Column | None:
    """Say what a column holds; None where nothing can be computed with it.

    >>> column_of("amount", "NUMERIC(12, 2)"), column_of("amount", "NUMERIC"), column_of("tags", "ARRAY<STRING>")
    (Column(kind='DECIMAL(12,2)', read=''), Column(kind='DECIMAL(38,9)', read=''), None)
    """
    found = _WRITTEN.fullmatch(written.upper())
    if found is None:
        return None
    base, digits, behind = found.groups()
    if base not in _UNBOUND:
        return Column(_PLAIN[base]) if base in _PLAIN else None
    precision, scale = (int(digits), int(behind or 0)) if digits else _UNBOUND[base]
    if precision <= MOST_DIGITS:
        return Column(f"DECIMAL({precision},{scale})")
    return Column("DOUBLE", f"CAST(`{name}` AS FLOAT64)")
