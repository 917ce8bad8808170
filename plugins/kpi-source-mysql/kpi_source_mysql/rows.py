"""Rows of a cursor as Arrow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from arro3.core import DataType, RecordBatch, Table

BATCH = 20_000


def arrow(cursor: Any) -> Table:  # noqa: ANN401 - a cursor of the driver's
    """Give all rows, batch by batch; columns are whole numbers, numbers or texts."""
    from arro3.core import Field, Schema, Table

    schema = Schema([Field(name, _type(code), nullable=True) for name, code, *_ in cursor.description])
    batches: list[RecordBatch] = []
    while rows := cursor.fetchmany(BATCH):
        batches.append(_batch(rows, schema))
    return Table.from_batches(batches, schema=schema)


def _batch(rows: Sequence[Sequence[object]], schema: Any) -> RecordBatch:  # noqa: ANN401 - a schema of arro3
    from arro3.core import Array, RecordBatch

    columns = zip(*rows, strict=True)
    types = [schema.field(n).type for n in range(len(schema))]
    arrays = [Array(list(values), type_) for values, type_ in zip(columns, types, strict=True)]
    return RecordBatch.from_arrays(arrays, schema=schema)


def _type(code: int) -> DataType:
    from arro3.core import DataType
    from pymysql.constants import FIELD_TYPE as TYPE

    if code in {TYPE.TINY, TYPE.SHORT, TYPE.INT24, TYPE.LONG, TYPE.LONGLONG}:
        return DataType.int64()
    return DataType.float64() if code in {TYPE.DOUBLE, TYPE.FLOAT} else DataType.string()
