"""Rows of a cursor as Arrow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from arro3.core import DataType, Table

BATCH = 20_000
_FIXED, _REAL, _BOOLEAN = 0, 1, 13
_NARROW = 18
"""Of numbers with more digits not all have room in eight bytes: they travel as text."""


def arrow(cursor: Any) -> Table:  # noqa: ANN401 - a cursor of the connector's
    """Give all rows, batch by batch: whole numbers, numbers, truths, and everything else as text."""
    from arro3.core import Array, Field, RecordBatch, Schema, Table

    held = [_held(each) for each in cursor.description]
    schema = Schema(
        [Field(each.name, kind, nullable=True) for each, (kind, _) in zip(cursor.description, held, strict=True)]
    )
    batches: list[RecordBatch] = []
    while rows := cursor.fetchmany(BATCH):
        columns = zip(zip(*rows, strict=True), held, strict=True)
        arrays = [Array([_given(value, make) for value in values], kind) for values, (kind, make) in columns]
        batches.append(RecordBatch.from_arrays(arrays, schema=schema))
    return Table.from_batches(batches, schema=schema)


def _given(value: Any, make: Callable[[Any], Any]) -> Any:  # noqa: ANN401
    return None if value is None else make(value)


def _held(column: Any) -> tuple[DataType, Callable[[Any], Any]]:  # noqa: ANN401 - what the connector says of a column
    from arro3.core import DataType

    if column.type_code == _FIXED and not column.scale and (column.precision or _NARROW + 1) <= _NARROW:
        return DataType.int64(), int
    if column.type_code == _REAL:
        return DataType.float64(), float
    return (DataType.bool(), bool) if column.type_code == _BOOLEAN else (DataType.string(), str)
