"""Times in nanoseconds, as pandas, Polars and Parquet files have them, read in the microseconds that all else is computed in.

DuckDB rounds them to the nearest microsecond, so that the last moment of a day falls into the next one, and compares instants in
nanoseconds with nothing else. Cut off, each time stays in its own second, day and year.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

from sqlglot import exp

COARSER: Final = MappingProxyType({"TIMESTAMP_NS": "TIMESTAMP", "TIMESTAMPTZ_NS": "TIMESTAMPTZ"})
"""The type in which times of a type in nanoseconds are read."""
_MADE: Final = MappingProxyType({"TIMESTAMP_NS": "make_timestamp", "TIMESTAMPTZ_NS": "make_timestamptz"})
_THOUSAND: Final = 1000


def in_microseconds(value: exp.Expr, kind: str) -> exp.Expr:
    """Give a value of a type in nanoseconds, in microseconds; a value of any other type as it is."""
    if kind not in _MADE:
        return value
    nanoseconds = exp.Anonymous(this="epoch_ns", expressions=[value])
    thousand = exp.Literal.number(_THOUSAND)
    # a remainder of a time before 1970 is below zero, and so is made one that is not
    remainder = exp.Mod(
        this=exp.paren(exp.Add(this=exp.Mod(this=nanoseconds, expression=thousand), expression=thousand)),
        expression=thousand,
    )
    whole = exp.paren(exp.Sub(this=nanoseconds.copy(), expression=exp.paren(remainder)))
    return exp.Anonymous(this=_MADE[kind], expressions=[exp.IntDiv(this=whole, expression=thousand.copy())])


def compared(operator: type[exp.Binary], value: exp.Expr, bound: exp.Expr) -> exp.Expr:
    """Compare a value with a bound in microseconds; one in nanoseconds as it stands, so that DuckDB passes over parts of a file without it."""
    if not isinstance(value, exp.Anonymous) or value.name not in _MADE.values():
        return operator(this=value, expression=bound)
    call = next((each for each in value.find_all(exp.Anonymous) if each.name == "epoch_ns"), None)
    if call is None:
        return operator(this=value, expression=bound)
    kind = next(kind for kind, made in _MADE.items() if made == value.name)
    return operator(
        this=call.expressions[0].copy(), expression=exp.Cast(this=bound, to=exp.DataType.build(kind, udt=True))
    )
