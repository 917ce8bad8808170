"""What a column of MySQL holds, in DuckDB's words, and how it is read where that is something else."""

from __future__ import annotations

from typing import NamedTuple

MOST_DIGITS = 38
"""So many digits an exact decimal has at most."""
_PLAIN = {
    "tinyint": "TINYINT", "smallint": "SMALLINT", "mediumint": "INTEGER", "int": "INTEGER", "bigint": "BIGINT", "double": "DOUBLE",
    "date": "DATE", "datetime": "TIMESTAMP", "timestamp": "TIMESTAMPTZ",
}  # fmt: skip
_WHOLE = frozenset({"tinyint", "smallint", "mediumint", "int", "bigint"})
_TEXTS = frozenset({"char", "varchar", "tinytext", "text", "mediumtext", "longtext", "enum", "set", "uuid"})


class Column(NamedTuple):
    """A column's type in DuckDB's words, and the expression that reads it; empty where its name does."""

    kind: str
    read: str = ""


def column_of(name: str, base: str, written: str, precision: int | None, scale: int | None) -> Column | None:
    """Say what a column holds; None where nothing can be computed with it.

    `base` is the type alone, `written` the whole type as it is declared.

    >>> column_of("amount", "decimal", "decimal(18,2)", 18, 2), column_of("paid", "tinyint", "tinyint(1)", 3, 0)
    (Column(kind='DECIMAL(18,2)', read=''), Column(kind='BOOLEAN', read='(`paid` <> 0)'))
    """
    quoted = "`" + name.replace("`", "``") + "`"
    if base in _TEXTS:
        return Column("VARCHAR")
    if base == "decimal" and precision is not None and precision <= MOST_DIGITS:
        return Column(f"DECIMAL({precision},{scale or 0})")
    read = _read_as(base, written, precision, scale)
    if read is not None:
        return Column(read[0], read[1].format(quoted))
    return Column(_PLAIN[base]) if base in _PLAIN else None


def _read_as(base: str, written: str, precision: int | None, scale: int | None) -> tuple[str, str] | None:
    """Give the type and the expression of a column that is read as something else than it is."""
    if written == "tinyint(1)" or (base == "bit" and precision == 1):
        return "BOOLEAN", "({} <> 0)"
    if base in {"float", "decimal"} or (base == "double" and scale is not None):
        return "DOUBLE", "CAST({} AS DOUBLE)"
    if base == "year":
        return "INTEGER", "CAST({} AS SIGNED)"
    if "unsigned" in written and base in _WHOLE:
        return ("DECIMAL(20,0)", "CAST({} AS DECIMAL(20,0))") if base == "bigint" else ("BIGINT", "CAST({} AS SIGNED)")
    return None
