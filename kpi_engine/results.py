"""The answer to a request: rows as they are asked for, totals apart, Arrow, and what each column is."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Context, Decimal
from functools import cached_property
from threading import Lock
from typing import TYPE_CHECKING, Any, cast

from kpi_engine.api import Breakdown, Column, Failure, Measure

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    import pandas as pd
    import polars as pl
    import pyarrow as pa
    from arro3.core import Table

    Columns = Table | dict[str, list[Any]]


@dataclass(frozen=True)
class Answered:
    """What came back: the columns shown, in order, as Arrow or as values, with the SQL type of each."""

    columns: Columns
    types: Mapping[str, str]

    def lists(self) -> dict[str, list[Any]]:
        """Give the values column by column, whole numbers as int."""
        return {name: _values(self.columns, name, kind) for name, kind in self.types.items()}

    @cached_property
    def table(self) -> Table:
        """The columns as Arrow."""
        from kpi_engine.arrow import checked, table_of

        return (
            table_of(self.columns, self.types) if isinstance(self.columns, dict) else checked(self.columns, self.types)
        )

    def __len__(self) -> int:
        """How many rows there are."""
        columns = self.columns
        return len(next(iter(columns.values()))) if isinstance(columns, dict) else int(columns.num_rows)


def values_of(columns: Columns, name: str) -> list[Any]:
    """Give the values of a column."""
    return list(columns[name] if isinstance(columns, dict) else columns[name].to_pylist())


@dataclass(frozen=True)
class Result:
    """The answer to a request.

    `columns` says what stands in each column; `failures` holds the KPIs that have no number, by id, with the reason: their column
    is there and unknown. `unfinished` is whether the period is not over at `as_of`; `provisional` says in words that its source may
    still change its figures, and is empty where it does not. `currencies` gives the one currency of a KPI
    whose amounts carry one. `language` is that of the labels and of `period`, which is the period in words.
    """

    columns: tuple[Column, ...]
    period: str
    as_of: datetime
    unfinished: bool
    failures: Mapping[str, Failure]
    currencies: Mapping[str, str]
    language: str
    _answered: Answered
    _totals: Callable[[], Mapping[str, Any]]
    provisional: str = ""
    _lock: Lock = field(default_factory=Lock, compare=False, repr=False)
    _kept: dict[str, Mapping[str, Any]] = field(default_factory=dict, compare=False, repr=False)

    @cached_property
    def keys(self) -> tuple[str, ...]:
        """The names of the columns, in order: dimensions, period, KPIs, comparisons."""
        return tuple(column.key for column in self.columns)

    def rows(self) -> list[dict[str, Any]]:
        """Give the rows as dicts, sorted by dimensions, then period.

        Dimensions are as in the data, the period is a date (a datetime below a day), counts are int, declared decimals `Decimal`,
        rates float fractions (3 % is 0.03), unknown is None.
        """
        lists = self._answered.lists()
        return [dict(zip(self.keys, row, strict=True)) for row in zip(*(lists[key] for key in self.keys), strict=True)]

    def totals(self) -> dict[str, Any]:
        """Give the totals over all members and the whole period, computed from the rows: KPIs and comparisons by column.

        Computed when first asked for, by the engine the result came from.
        """
        with self._lock:
            if "totals" not in self._kept:
                self._kept["totals"] = self._totals()
            return dict(self._kept["totals"])

    def measures(self) -> dict[str, Measure]:
        """Give what each KPI of the result is, by id."""
        return {column.key: column.measure for column in self.columns if column.role == "value" and column.measure}

    def measure(self, kpi: str) -> Measure:
        """Give what a KPI of the result is: its unit, and over what its values may be added up.

        Raises `RequestError` for what is no KPI of the result.
        """
        from kpi_engine.errors import RequestError, nearest, shown

        found = self.measures()
        if kpi not in found:
            message = f"{shown(kpi)} is not among the KPIs of the answer"
            raise RequestError(message, code="unknown_column", hint=nearest(kpi, found))
        return found[kpi]

    def breakdown(self, *, totals: bool = True) -> Breakdown:
        """Give the result as outputs want it."""
        lists = self._answered.lists()
        rows = tuple(zip(*(lists[key] for key in self.keys), strict=True))
        total = self.totals() if totals else None
        return Breakdown(
            self.columns, rows, None if total is None else tuple(total.get(key) for key in self.keys), self
        )

    def __len__(self) -> int:
        """How many rows there are."""
        return len(self._answered)

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """Give the rows as an Arrow stream, to anything that speaks Arrow."""
        return self._answered.table.__arrow_c_stream__(requested_schema)

    def to_arrow(self) -> pa.Table:
        """Give the rows as a pyarrow table; needs the extra `arrow`."""
        pyarrow = _optional("pyarrow", "arrow")
        return pyarrow.table(self)

    def to_pandas(self) -> pd.DataFrame:
        """Give the rows as a pandas frame; needs the extra `pandas`."""
        pandas = _optional("pandas", "pandas")
        return cast("pd.DataFrame", pandas.DataFrame(self._answered.lists(), columns=list(self.keys)))

    def to_polars(self) -> pl.DataFrame:
        """Give the rows as a polars frame; needs the extra `polars`."""
        polars = _optional("polars", "polars")
        return cast("pl.DataFrame", polars.DataFrame(self))


def _values(columns: Columns, name: str, sql_type: str) -> list[Any]:
    if isinstance(columns, dict):
        values = columns[name]
    else:
        from kpi_engine.arrow import listed

        values = listed(columns[name], sql_type)
    return [_short(value) for value in values] if sql_type in _LONG else values


_LONG = frozenset(f"DECIMAL(38,{digits})" for digits in range(13, 39))
"""Decimals with so many digits after the point come from multiplying decimals, such as an amount with a rate."""


def _short(value: Any) -> Any:  # noqa: ANN401 - a decimal, or nothing
    """Take off the zeros at the end that only say how an amount was multiplied; two digits stay."""
    if value is None:
        return None
    short = value.normalize(_EXACT)
    return short if short.as_tuple().exponent <= _CENTS.as_tuple().exponent else short.quantize(_CENTS, context=_EXACT)


_CENTS, _EXACT = Decimal("0.01"), Context(prec=60)


def _optional(module: str, extra: str) -> Any:  # noqa: ANN401 - a module
    from importlib import import_module

    from kpi_engine.errors import KpiError

    try:
        return import_module(module)
    except ImportError:
        hint = f"pip install 'kpi-engine-core[{extra}]'"
        raise KpiError(
            f"this needs the package {module}, which is not installed", code="missing_package", hint=hint
        ) from None
