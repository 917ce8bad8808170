"""Kinds of values, as far as engines treat them alike."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Sequence

Kind = Literal["int", "decimal", "double", "text", "bool", "date", "local", "instant", "null", "made", "other"]
"""`made` is what a statement computed for itself; `other` is a type that no leaf may hold."""
NUMBERS: frozenset[Kind] = frozenset({"int", "decimal", "double"})
TIMES: frozenset[Kind] = frozenset({"date", "local", "instant"})
_STARTS: tuple[tuple[str, Kind], ...] = (
    ("DECIMAL", "decimal"), ("NUMERIC", "decimal"), ("DOUBLE", "double"), ("FLOAT", "double"), ("REAL", "double"), ("TINYINT", "int"),
    ("SMALLINT", "int"), ("INT", "int"), ("BIGINT", "int"), ("HUGEINT", "int"), ("UTINYINT", "int"), ("USMALLINT", "int"), ("UINT", "int"),
    ("UBIGINT", "int"), ("UHUGEINT", "int"), ("VARCHAR", "text"), ("TEXT", "text"), ("CHAR", "text"), ("ENUM", "text"), ("BOOL", "bool"),
    ("TIMESTAMP WITH TIME ZONE", "instant"), ("TIMESTAMPTZ", "instant"), ("TIMESTAMP", "local"), ("DATETIME", "local"), ("DATE", "date"),
    ('"NULL"', "null"), ("NULL", "null"),
)  # fmt: skip
_NARROW = frozenset({"TINYINT", "SMALLINT", "INT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER"})


def kind_of(sql_type: str) -> Kind:
    """Say what a type of DuckDB's holds.

    >>> kind_of("DECIMAL(18,2)"), kind_of("TIMESTAMP WITH TIME ZONE"), kind_of("INTEGER[]")
    ('decimal', 'instant', 'other')
    """
    written = sql_type.strip().upper()
    if written.endswith("]") or written.startswith("INTERVAL"):
        return "other"
    return next((kind for start, kind in _STARTS if written.startswith(start)), "other")


def is_narrow(sql_type: str) -> bool:
    """Whether a whole number of this type has at most 64 bits."""
    return sql_type.strip().upper() in _NARROW


def number_of(one: Kind, other: Kind) -> Kind:
    """Say what a sum, difference or product of two numbers is."""
    for kind in ("made", "double", "decimal"):
        if kind in {one, other}:
            return kind
    return "int"


def common(kinds: Sequence[Kind]) -> Kind:
    """Say what one of several values is."""
    known = [kind for kind in kinds if kind != "null"]
    if not known:
        return "null"
    if set(known) <= NUMBERS:
        return next(kind for kind in ("double", "decimal", "int") if kind in known)
    return known[0]
