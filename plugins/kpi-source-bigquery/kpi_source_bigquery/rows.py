"""Rows of an answer as Arrow."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from arro3.core import DataType, Table

BATCH = 20_000


def arrow(fields: Sequence[Any], rows: Iterable[Any]) -> Table:
    """Give all rows, batch by batch: whole numbers, numbers, truths, and everything else as text."""
    from arro3.core import Array, Field, RecordBatch, Schema, Table

    held = [_held(each.field_type) for each in fields]
    schema = Schema([Field(each.name, kind, nullable=True) for each, (kind, _) in zip(fields, held, strict=True)])
    batches: list[RecordBatch] = []
    coming = iter(rows)
    while part := [row.values() for row in islice(coming, BATCH)]:
        columns = zip(zip(*part, strict=True), held, strict=True)
        arrays = [Array([_given(value, make) for value in values], kind) for values, (kind, make) in columns]
        batches.append(RecordBatch.from_arrays(arrays, schema=schema))
    return Table.from_batches(batches, schema=schema)


def _given(value: Any, make: Callable[[Any], Any]) -> Any:  # noqa: ANN401
    return None if value is None else make(value)


def _held(written: str) -> tuple[DataType, Callable[[Any], Any]]:
    from arro3.core import DataType

    if written in {"INTEGER", "INT64"}:
        return DataType.int64(), int
    if written in {"FLOAT", "FLOAT64"}:
        return DataType.float64(), float
    return (DataType.bool(), bool) if written in {"BOOLEAN", "BOOL"} else (DataType.string(), str)
