"""What a file's columns are good for: its key, its time, its dimensions, and what may be summed."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kpi_engine.sample.profiling import Column, Profile

MEMBERS: Final = 50
"""A column with more different values than this is no dimension."""
DIMENSIONS: Final = 20
"""No more dimensions than this are suggested."""
_LONGEST_NAME: Final = 50
_ENOUGH_ROWS: Final = 5
"""With fewer rows, a column is unique by chance."""
_SHORT: Final = 64
_ID: Final = frozenset({"id", "key", "uuid", "guid", "code", "number", "no", "nr", "ref", "reference", "numero"})
_ID_FIRST: Final = frozenset({"id", "n", "no", "num", "numero", "ref"})
_TIME: Final = frozenset({"date", "day", "jour", "time", "timestamp", "datetime", "at", "on", "le"})
_BEGUN: Final = frozenset(
    {
        "created",
        "creation",
        "ordered",
        "order",
        "placed",
        "started",
        "start",
        "occurred",
        "published",
        "sent",
        "posted",
        "cree",
    }
)
_LATER: Final = frozenset(
    {
        "updated",
        "modified",
        "changed",
        "deleted",
        "closed",
        "ended",
        "end",
        "expires",
        "due",
        "birth",
        "birthday",
        "born",
        "until",
        "fin",
    }
)
_SUMMED: Final = frozenset(
    {
        "amount", "amounts", "revenue", "revenues", "spend", "spent", "cost", "costs", "expense", "expenses", "sales", "turnover", "budget",
        "montant", "montants", "cout", "couts", "depense", "depenses", "recette", "recettes", "ca",
    }
)  # fmt: skip
_RESERVED: Final = frozenset({"period", "all"})


@dataclass(frozen=True)
class Choices:
    """What was chosen of a file; `key` is empty where no column or pair is unique."""

    key: tuple[str, ...]
    time: Column | None
    times: tuple[Column, ...]
    dimensions: tuple[Column, ...]
    sums: tuple[Column, ...]
    currency: Column | None
    """The column that holds the currency of the amounts."""


def chosen(profile: Profile, table: str) -> Choices:
    """Choose from a profile; `table` is its name, after which a key is often called."""
    key = _key(profile, table)
    times = sorted(
        (column for column in profile.columns if column.kind in {"day", "moment"}),
        key=lambda one: _lateness(one, profile),
    )
    dimensions = [column for column in profile.columns if _is_dimension(column) and (column.name,) != key]
    sums = [
        column for column in profile.columns if column.kind in {"whole", "real"} and _SUMMED & set(_words(column.name))
    ]
    currency = next((column for column in profile.columns if column.is_currency and column.distinct <= MEMBERS), None)
    return Choices(
        key,
        times[0] if times else None,
        tuple(times[1:]),
        tuple(dimensions[:DIMENSIONS]),
        tuple(sums),
        currency if sums else None,
    )


def sanitised(text: str, taken: Iterable[str] = ()) -> str:
    """Make a name of the definition language of any text, and one that is not taken.

    >>> sanitised("Post Month"), sanitised("orderId"), sanitised("2026 Été"), sanitised("day", ["day"])
    ('post_month', 'order_id', 'x_2026_ete', 'day_2')
    """
    parted = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", text)
    ascii_only = unicodedata.normalize("NFKD", parted).encode("ascii", "ignore").decode().lower()
    name = re.sub(r"[^a-z0-9]+", "_", ascii_only)[:_LONGEST_NAME].strip("_") or "unnamed"
    name = name if name[0].isalpha() else f"x_{name}"
    name = f"{name}_value" if name in _RESERVED else name
    used, number, free = set(taken), 2, name
    while free in used:
        free, number = f"{name}_{number}", number + 1
    return free


def _words(name: str) -> list[str]:
    return sanitised(name).split("_")


def _key(profile: Profile, table: str) -> tuple[str, ...]:
    """Take the most key-like column that is unique and never empty; else such a pair; else none."""
    first = profile.columns[0].name
    ranked = sorted(profile.columns, key=lambda column: _rank(column, table, first))
    for column in ranked:
        is_unique = column.filled == column.distinct == profile.rows
        if is_unique and _may_be_key(column, profile.rows, _rank(column, table, first)):
            return (column.name,)
    ranks = {column.name: _rank(column, table, first) for column in profile.columns}
    pairs = [pair for pair, count in profile.counts.items() if count == profile.rows and profile.rows >= _ENOUGH_ROWS]
    likely = [pair for pair in pairs if all(ranks[name] < _UNLIKELY for name in pair)]
    return min(likely, key=lambda pair: sum(ranks[name] for name in pair), default=())


_UNLIKELY: Final = 9


def _rank(column: Column, table: str, first: str) -> int:
    """Say how key-like a column is: the table's own id first, then any id, the first column, a day, a text."""
    words = _words(column.name)
    name = "_".join(words)
    if column.kind not in {"text", "whole", "day", "moment"}:
        return _UNLIKELY
    if name == "id" or (
        words[-1] in _ID and "_".join(words[:-1]) in {table, table.removesuffix("s"), table.removesuffix("es")}
    ):
        return 0
    if words[-1] in _ID or words[0] in _ID_FIRST:
        return 1
    if column.name == first or column.kind == "day":
        return 2
    return {"text": 3, "moment": 4}.get(column.kind, _UNLIKELY)


def _may_be_key(column: Column, rows: int, rank: int) -> bool:
    return rank < _UNLIKELY and (rank <= 1 or rows >= _ENOUGH_ROWS) and column.longest <= _SHORT


def _lateness(column: Column, profile: Profile) -> int:
    """Say how little a column tells when a row came about: `date` and `created_at` before others, `updated_at` and gaps last."""
    words = set(_words(column.name))
    late = 10 if words & _LATER else 0
    gaps = 5 if column.filled < 0.9 * profile.rows else 0
    if words <= _TIME:
        return late + gaps
    return late + gaps + (1 if words & _BEGUN else 2 if words & _TIME else 3)


def _is_dimension(column: Column) -> bool:
    if column.kind == "boolean":
        return column.distinct > 0
    return column.kind == "text" and 1 < column.distinct <= MEMBERS and column.distinct < column.filled
