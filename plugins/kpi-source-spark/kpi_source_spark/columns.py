"""What a column of Spark holds, in DuckDB's words, and how it is read where that is something else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from pyspark.sql.types import StructField

BYTEWISE = "UTF8_BINARY"
_WRITTEN_AS = "__CHAR_VARCHAR_TYPE_STRING"
"""Where Spark keeps that a text is padded with blanks."""
_PLAIN = {
    "byte": "TINYINT", "short": "SMALLINT", "integer": "INTEGER", "long": "BIGINT", "double": "DOUBLE", "boolean": "BOOLEAN",
    "date": "DATE", "timestamp_ntz": "TIMESTAMP", "timestamp": "TIMESTAMPTZ",
}  # fmt: skip


class Column(NamedTuple):
    """A column's type in DuckDB's words, and the expression that reads it; empty where its name does."""

    kind: str
    read: str = ""


def column_of(field: StructField) -> Column | None:
    """Say what a column holds; None where nothing can be computed with it."""
    type_: Any = field.dataType
    quoted = "`" + field.name.replace("`", "``") + "`"
    name = type_.typeName().split("(")[0].split(" ")[0]
    if name == "decimal":
        return Column(f"DECIMAL({type_.precision},{type_.scale})")
    if name == "float":
        return Column("DOUBLE", f"CAST({quoted} AS DOUBLE)")
    if name == "char" or str(field.metadata.get(_WRITTEN_AS, "")).startswith("char"):
        return Column("VARCHAR", f"RTRIM(CAST({quoted} AS STRING))")
    if name in {"string", "varchar"}:
        is_bytewise = getattr(type_, "collation", BYTEWISE) == BYTEWISE
        return Column("VARCHAR", "" if is_bytewise else f"COLLATE({quoted}, '{BYTEWISE}')")
    return Column(_PLAIN[name]) if name in _PLAIN else None
