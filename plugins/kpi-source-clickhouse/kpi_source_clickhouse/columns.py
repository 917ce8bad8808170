"""What a column of ClickHouse holds, in DuckDB's words, and the expression that reads it as a value that may be unknown."""

from __future__ import annotations

import re
from typing import NamedTuple

_PLAIN = {
    "Int8": ("TINYINT", "Int64"), "Int16": ("SMALLINT", "Int64"), "Int32": ("INTEGER", "Int64"), "Int64": ("BIGINT", "Int64"),
    "UInt8": ("UTINYINT", "Int64"), "UInt16": ("USMALLINT", "Int64"), "UInt32": ("UINTEGER", "Int64"),
    "UInt64": ("DECIMAL(20,0)", "Decimal(20, 0)"), "Float32": ("DOUBLE", "Float64"), "Float64": ("DOUBLE", "Float64"),
    "Bool": ("BOOLEAN", "Bool"), "String": ("VARCHAR", "String"), "UUID": ("VARCHAR", "String"), "Date": ("DATE", "Date32"),
    "Date32": ("DATE", "Date32"),
}  # fmt: skip
_DECIMAL = re.compile(r"Decimal\((\d+), (\d+)\)")
_MOMENT = re.compile(r"DateTime(?:64)?(?:\((?:\d+(?:, )?)?('[^']*')?\))?")
_ABOUT = re.compile(r"(?:Nullable|LowCardinality)\((.*)\)")
MOST_DIGITS = 38


class Column(NamedTuple):
    """A column's type in DuckDB's words, and the expression that reads it."""

    kind: str
    read: str


def column_of(name: str, written: str) -> Column | None:
    """Say what a column holds; None where nothing can be computed with it.

    >>> column_of("amount", "Nullable(Decimal(12, 2))")
    Column(kind='DECIMAL(12,2)', read='CAST("amount" AS Nullable(Decimal(12, 2)))')
    """
    while found := _ABOUT.fullmatch(written):
        written = found[1]
    read = _read_as(written)
    if read is None:
        return None
    quoted = '"' + name.replace("\\", "\\\\").replace('"', '""') + '"'
    value = f"CAST({quoted} AS Nullable({read[1]}))"
    return Column(read[0], f"({value} + 0)" if read[0] == "DOUBLE" else value)  # minus nothing is nothing


def _read_as(written: str) -> tuple[str, str] | None:
    if written in _PLAIN:
        return _PLAIN[written]
    if written.startswith(("Enum8(", "Enum16(")):
        return "VARCHAR", "String"
    if found := _DECIMAL.fullmatch(written):
        precision, scale = int(found[1]), int(found[2])
        return (f"DECIMAL({precision},{scale})", written) if precision <= MOST_DIGITS else ("DOUBLE", "Float64")
    if found := _MOMENT.fullmatch(written):
        return ("TIMESTAMPTZ" if found[1] else "TIMESTAMP"), "DateTime64(6, 'UTC')"
    return None
