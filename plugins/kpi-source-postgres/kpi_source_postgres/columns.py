"""What a column of PostgreSQL holds, in DuckDB's words, and how it is read where that is something else."""

from __future__ import annotations

from typing import NamedTuple

MOST_DIGITS = 38
"""So many digits an exact decimal has at most."""
_PLAIN = {
    "int2": "SMALLINT", "int4": "INTEGER", "int8": "BIGINT", "float8": "DOUBLE", "text": "VARCHAR", "varchar": "VARCHAR",
    "bool": "BOOLEAN", "date": "DATE", "timestamp": "TIMESTAMP", "timestamptz": "TIMESTAMPTZ",
}  # fmt: skip
_AS_TEXT = frozenset({"bpchar", "name", "uuid", "citext", "char"})
"""What is read as text: padded with blanks, compared without case, or written in a form of its own there."""


class Column(NamedTuple):
    """A column's type in DuckDB's words, and the expression that reads it; empty where its name does."""

    kind: str
    read: str = ""


def column_of(name: str, base: str, type_: str, modifier: int) -> Column | None:
    """Say what a column holds; None where nothing can be computed with it.

    `base` is `e` of an enumeration; `modifier` is PostgreSQL's, which of a `numeric` holds its precision and scale.

    >>> column_of("amount", "b", "numeric", ((18 << 16) | 2) + 4)
    Column(kind='DECIMAL(18,2)', read='')
    """
    quoted = '"' + name.replace('"', '""') + '"'
    if base == "e" or type_ in _AS_TEXT:
        return Column("VARCHAR", f"CAST({quoted} AS TEXT)")
    if type_ == "float4":
        return Column("DOUBLE", f"CAST({quoted} AS DOUBLE PRECISION)")
    if type_ == "numeric":
        precision, scale = (modifier - 4) >> 16, (modifier - 4) & 0xFFFF
        if modifier >= 0 and precision <= MOST_DIGITS and scale <= precision:
            return Column(f"DECIMAL({precision},{scale})")
        return Column("DOUBLE", f"CAST({quoted} AS DOUBLE PRECISION)")
    return Column(_PLAIN[type_]) if type_ in _PLAIN else None
