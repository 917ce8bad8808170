"""Cohorts in a plan: at which ages they are asked for, which of these are over, and from which age on nothing is known."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from operator import eq, ge, gt, le, lt, ne
from typing import TYPE_CHECKING

from sqlglot import exp

from kpi_engine.calendar import PARTS, units_of
from kpi_engine.errors import RequestError
from kpi_engine.formula.trees import column, integer
from kpi_engine.planning.nodes import Cohort

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from kpi_engine.calendar import Calendar
    from kpi_engine.catalogue import Expr
    from kpi_engine.catalogue.resolved import Age, Followed
    from kpi_engine.planning.request import Filter
    from kpi_engine.planning.windows import Window

FRAME = "f"
"""The table name, in an outer expression, of the members and limits of the frame."""
OLDEST = 1_000_000
"""No age is larger."""
_ORDER = {"eq": eq, "ne": ne, "gt": gt, "gte": ge, "lt": lt, "lte": le}


@dataclass(frozen=True)
class Asked:
    """The ages that are asked for: as members of the split, or all up to the `oldest` at once."""

    age: Age
    oldest: int | None


def asked(age: Age, split: Iterable[str], filters: Iterable[Filter]) -> Asked | None:
    """Say which ages are asked for; None where neither the split nor the filters say an end."""
    if age.name in split:
        return Asked(age, None)
    oldest = oldest_of([each for each in filters if each.name == age.name])
    return None if oldest is None else Asked(age, oldest)


def oldest_of(filters: list[Filter]) -> int | None:
    """Give the largest age that some filters let through, where they say an end."""
    for each in filters:
        if each.operator not in {*_ORDER, "in", "not_in", "between", "is_null"}:
            message = f"`{each.operator}` on `{each.name}` is no condition on an age, which is a number"
            raise RequestError(message, code="bad_filter_value", hint="for example {lte: 12}")
    ends = [end for each in filters if (end := _end(each)) is not None]
    if not ends:
        return None
    oldest = min([OLDEST, *ends])
    while oldest >= 0 and not all(_holds(oldest, each) for each in filters):
        oldest -= 1
    if oldest < 0:
        message = f"no age is let through by the filter on `{filters[0].name}`"
        raise RequestError(message, code="bad_filter_value", hint="ages are 0, 1, 2 and so on")
    return oldest


def cohort(followed: Followed, wanted: Asked, filters: frozenset[Expr], calendar: Calendar, as_of: datetime) -> Cohort:
    """Plan a cohort of rows that satisfy some conditions."""
    units = units_of(followed.age.unit, calendar)
    return Cohort(followed.keys, units, units.number(as_of), filters, wanted.oldest)


def limits(made: Cohort, windows: Iterable[Window]) -> tuple[int | None, ...]:
    """Give, for each window of a frame, the first age at which no row in it is known; None where the window has no start."""
    frame = tuple(windows)
    if any(window.grain in PARTS for window in frame):
        message = "a cohort is followed from one period on, and the periods of this grain come many times"
        raise RequestError(message, code="bad_request", hint="ask by a grain such as `month`")
    starts = (window.span.start for window in frame)
    return tuple(None if start is None else max(made.until - made.units.number(start), 0) for start in starts)


def limit_name(number: int) -> str:
    """Name the column of the frame that holds the limits of that number."""
    return f"__limit{number}"


@dataclass(frozen=True)
class Limits:
    """The limits beside the periods of one frame, each once, and the units of the ages in it."""

    numbers: dict[tuple[int | None, ...], int] = field(default_factory=dict)
    units: dict[str, str] = field(default_factory=dict)

    def is_over(self, made: Cohort, age: Age, limits: tuple[int | None, ...]) -> exp.Expr:
        """Say that a cohort's age is over; unknown where there is no limit."""
        if self.units.setdefault(age.name, age.unit) != age.unit:
            message = f"`{age.name}` is counted in units of a {self.units[age.name]} and of a {age.unit}"
            raise RequestError(message, code="bad_age", hint="ask one by one, or call one of them otherwise with `as`")
        reached = column(age.name, FRAME) if made.oldest is None else integer(made.oldest)
        limit = limit_name(self.numbers.setdefault(limits, len(self.numbers)))
        return exp.LT(this=reached, expression=column(limit, FRAME))


def _end(condition: Filter) -> int | None:
    """Give the end that a filter says, rounded up."""
    if condition.operator not in {"eq", "in", "lt", "lte", "between"}:
        return None
    return max(map(int, _numbers(condition)), default=-1)


def _numbers(condition: Filter) -> list[Decimal]:
    listed = condition.value if isinstance(condition.value, tuple) else (condition.value,)
    try:
        numbers = [Decimal(str(each)) for each in listed if each is not None]
    except InvalidOperation:
        numbers = [Decimal("nan")]
    if not all(each.is_finite() for each in numbers):
        message = f"the filter on `{condition.name}` compares an age with {condition.value!r:.40}, which is no number"
        raise RequestError(message, code="bad_filter_value", hint="ages are 0, 1, 2 and so on")
    return numbers


def _holds(age: int, condition: Filter) -> bool:
    if condition.operator == "is_null":
        return not condition.value
    values = _numbers(condition)
    if condition.operator in {"in", "not_in"}:
        return (age in values) == (condition.operator == "in")
    if condition.operator == "between":
        return values[0] <= age <= values[1]
    return bool(values) and bool(_ORDER[condition.operator](age, values[0]))
