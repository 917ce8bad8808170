"""What a column of Snowflake holds, in DuckDB's words, by which name it is known, and how it is read."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

_PLAIN = {
    "TEXT": "VARCHAR",
    "FLOAT": "DOUBLE",
    "BOOLEAN": "BOOLEAN",
    "DATE": "DATE",
    "TIMESTAMP_NTZ": "TIMESTAMP",
    "TIMESTAMP_LTZ": "TIMESTAMPTZ",
}
_NARROW = 18
"""So many digits a whole number of eight bytes has at least."""


class Column(NamedTuple):
    """A column's type in DuckDB's words, and the expression that reads it."""

    kind: str
    read: str


def column_of(name: str, written: str, precision: int | None, scale: int | None) -> Column | None:
    """Say what a column holds; None where nothing can be computed with it.

    >>> column_of("AMOUNT", "NUMBER", 12, 2), column_of("ID", "NUMBER", 38, 0).kind
    (Column(kind='DECIMAL(12,2)', read='"AMOUNT"'), 'HUGEINT')
    """
    quoted = '"' + name.replace('"', '""') + '"'
    if written == "NUMBER" and precision is not None:
        if scale:
            return Column(f"DECIMAL({precision},{scale})", quoted)
        return Column("BIGINT" if precision <= _NARROW else "HUGEINT", quoted)
    if written == "TIMESTAMP_TZ":
        return Column("TIMESTAMPTZ", f"CAST({quoted} AS TIMESTAMP_LTZ)")
    return Column(_PLAIN[written], quoted) if written in _PLAIN else None


def known_as(names: Iterable[str]) -> dict[str, str]:
    """Give the name by which each is known here: what Snowflake wrote in capitals, as it does with names without quotes, in small letters.

    Names that would be known by one name are left out: which is meant cannot be said.

    >>> known_as(["ID", "Shop", "DAY", "day"])
    {'ID': 'id', 'Shop': 'Shop'}
    """
    found = {name: name.lower() if name == name.upper() else name for name in names}
    folded = [each.casefold() for each in found.values()]
    return {name: each for name, each in found.items() if folded.count(each.casefold()) == 1}
