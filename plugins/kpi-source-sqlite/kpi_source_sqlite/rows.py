"""Rows of Python values as Arrow."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from arro3.core import Array, Table


def arrow(names: Sequence[str], rows: Sequence[Sequence[object]]) -> Table:
    """Give rows as an Arrow table: whole numbers, numbers or texts, as a column's values are."""
    from arro3.core import Table

    columns = list(zip(*rows, strict=True)) if rows else [()] * len(names)
    return Table.from_arrays([_array(column) for column in columns], names=list(names))


def _array(values: Sequence[object]) -> Array:
    from arro3.core import Array, DataType

    kinds = {type(value) for value in values} - {type(None)}
    if kinds <= {int} and kinds:
        return Array(list(values), DataType.int64())
    if kinds <= {int, float} and kinds:
        return Array([None if value is None else float(value) for value in values], DataType.float64())  # type: ignore[arg-type]
    return Array([None if value is None else str(value) for value in values], DataType.string())
