"""Values as Arrow, of the types that DuckDB gives columns of theirs."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from arro3.core import Array, DataType, Table

from kpi_engine.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from arro3.core import ChunkedArray

DIGITS = 38
"""So many has the longest number of Arrow that DuckDB writes."""
LONG_WHOLE = frozenset({"HUGEINT", "UHUGEINT"})
"""Whole numbers of 128 bits: the largest have 39 digits, and DuckDB writes all of them as decimals of 38."""
_WIDE, _UNSIGNED = 76, 2**128


def listed(column: ChunkedArray, sql_type: str) -> list[Any]:
    """Give the values of a column that DuckDB has written as Arrow, each exactly.

    Raises `DataError` where Python has no value for one: for an interval, or for a date before the year 1 or after 9999.
    """
    if sql_type in LONG_WHOLE:
        wide = column.cast(DataType.decimal256(_WIDE, 0)).to_pylist()
        signed = sql_type == "HUGEINT"
        return [None if each is None else int(each) if signed else int(each) % _UNSIGNED for each in wide]
    if "INTERVAL" in sql_type and not sql_type.startswith("ENUM"):
        raise DataError(
            f"a column of the type {sql_type} cannot be shown", code="types_do_not_fit",
            hint="make its values numbers or texts in the `sql` of the dataset",
        )  # fmt: skip
    try:
        values = list(column.to_pylist())
    except (ValueError, OverflowError) as error:
        raise _no_moment() from error
    if sql_type.startswith(("DATE", "TIMESTAMP")) and values.count(None) != column.null_count:
        raise _no_moment()
    return values


def _no_moment() -> DataError:
    message = "a dimension has a date that no calendar has: before the year 1, after 9999, or infinite"
    return DataError(message, code="bad_value", hint="correct the data, or leave such rows out with `where`")


def checked(table: Table, types: Mapping[str, str]) -> Table:
    """Give Arrow as DuckDB has written it; raise `DataError` where a whole number is longer than the decimals it is written as."""
    for name, sql_type in types.items():
        if sql_type in LONG_WHOLE:
            values = table[name].cast(DataType.decimal256(_WIDE, 0))
            is_wrong = sql_type == "UHUGEINT" and any(each is not None and each < 0 for each in values.to_pylist())
            if is_wrong or values.cast(DataType.decimal128(DIGITS, 0)).null_count != values.null_count:
                raise _too_long(DIGITS)
    return table


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
        raise _too_long(precision - scale)
    texts = [None if value is None else f"{value:f}" if isinstance(value, Decimal) else str(value) for value in values]
    return _texts(texts).cast(DataType.decimal128(precision, scale))


def _too_long(digits: int) -> DataError:
    message = f"a number has more than {digits} digits, which Arrow has no room for"
    return DataError(message, code="overflow", hint="ask for the rows")


def _texts(values: list[str | None]) -> Array:
    return Array(values, type=DataType.utf8())
