"""The types in which fetched values are kept: few, and each as wide as its kind needs."""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

from kpi_engine.sql.casting import INSTANT, decimals

_SMALL: Final = MappingProxyType(
    dict.fromkeys(("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER"), "BIGINT")
    | dict.fromkeys(("UBIGINT", "HUGEINT", "UHUGEINT"), "HUGEINT")
    | dict.fromkeys(("FLOAT", "DOUBLE"), "DOUBLE")
    | dict.fromkeys(("TIMESTAMP", "TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS"), "TIMESTAMP")
    | {
        INSTANT: INSTANT,
        "TIMESTAMPTZ_NS": INSTANT,
        "DATE": "DATE",
        "TIME": "TIME",
        "BOOLEAN": "BOOLEAN",
        "BLOB": "BLOB",
        "JSON": "JSON",
    }
)
_DIGITS: Final = MappingProxyType({"BIGINT": 19, "HUGEINT": 38})
_MOST_DIGITS: Final = 38


def kept_as(kind: str) -> str:
    """Give the type in which values of a type are kept: whole numbers wide, lists and structures as JSON, all else as text.

    >>> kept_as("INTEGER"), kept_as("STRUCT(a INTEGER)"), kept_as("UUID")
    ('BIGINT', 'JSON', 'VARCHAR')
    """
    if kind in _SMALL:
        return _SMALL[kind]
    if decimals(kind):
        return kind
    return "JSON" if kind.endswith("]") or kind.startswith(("STRUCT", "MAP", "UNION")) else "VARCHAR"


def widened(old: str, new: str) -> str | None:
    """Give the type that holds all values of two types without changing one; None where there is none that is no text.

    >>> widened("BIGINT", "DECIMAL(18,2)"), widened("DATE", "TIMESTAMP"), widened("BIGINT", "VARCHAR")
    ('DECIMAL(21,2)', 'TIMESTAMP', None)
    """
    if old == new or old in ("VARCHAR", "JSON"):
        return old
    if {old, new} == {"DATE", "TIMESTAMP"}:
        return "TIMESTAMP"
    if {old, new} == {"BIGINT", "HUGEINT"}:
        return "HUGEINT"
    if "DOUBLE" in (old, new) and (old in _DIGITS or new in _DIGITS):
        return "DOUBLE"
    return _common_decimal(old, new)


def _common_decimal(old: str, new: str) -> str | None:
    before, after = _digits(old), _digits(new)
    if before is None or after is None:
        return None
    whole, behind = max(before[0], after[0]), max(before[1], after[1])
    return f"DECIMAL({whole + behind},{behind})" if whole + behind <= _MOST_DIGITS else None


def _digits(kind: str) -> tuple[int, int] | None:
    """Give the digits before and after the point."""
    if kind in _DIGITS:
        return _DIGITS[kind], 0
    found = decimals(kind)
    return (found[0] - found[1], found[1]) if found else None
