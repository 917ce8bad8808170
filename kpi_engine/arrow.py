"""Values as Arrow, of the types that DuckDB gives columns of theirs."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from arro3.core import Array, DataType, Table

from kpi_engine.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

DIGITS = 38
"""So many has the longest number of Arrow that DuckDB writes."""


def table_of(columns: Mapping[str, list[Any]], types: Mapping[str, str]) -> Table:
    """Make a table of values by column, whose SQL types are plain."""
    return Table.from_pydict({name: _array(values, types[name]) for name, values in columns.items()})


def _array(values: list[Any], sql_type: str) -> Array:
    if sql_type == "HUGEINT" or sql_type.startswith("DECIMAL"):
        return _decimals(values, sql_type)
    kinds: dict[str, Callable[[], DataType]] = {
        "BOOLEAN": DataType.bool, "TINYINT": DataType.int8, "SMALLINT": DataType.int16, "INTEGER": DataType.int32,
        "BIGINT": DataType.int64, "UTINYINT": DataType.uint8, "USMALLINT": DataType.uint16, "UINTEGER": DataType.uint32,
        "UBIGINT": DataType.uint64, "FLOAT": DataType.float32, "DOUBLE": DataType.float64, "VARCHAR": DataType.utf8,
    }  # fmt: skip
    if sql_type in kinds:
        return Array(values, type=kinds[sql_type]())
    kind = DataType.date32() if sql_type == "DATE" else DataType.timestamp("us")
    return _texts([None if value is None else value.isoformat() for value in values]).cast(kind)


def _decimals(values: list[Any], sql_type: str) -> Array:
    precision, scale = map(int, sql_type[8:-1].split(",")) if sql_type != "HUGEINT" else (DIGITS, 0)
    if any(value is not None and abs(value) >= Decimal(10) ** (precision - scale) for value in values):
        message = f"a number has more than {precision - scale} digits, which Arrow has no room for"
        raise DataError(message, code="overflow", hint="ask for the rows")
    texts = [None if value is None else f"{value:f}" if isinstance(value, Decimal) else str(value) for value in values]
    return _texts(texts).cast(DataType.decimal128(precision, scale))


def _texts(values: list[str | None]) -> Array:
    return Array(values, type=DataType.utf8())
