"""Conditions on the periods of an answer: which are kept, by when they start or by the unit of time they lie in."""

from __future__ import annotations

from datetime import datetime
from operator import eq, ge, gt, le, lt, ne
from typing import TYPE_CHECKING, Any

from kpi_engine.calendar import PARTS, unit_of
from kpi_engine.errors import RequestError, nearest, shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from kpi_engine.calendar import Bucket, Calendar
    from kpi_engine.planning.request import Filter

_ORDER = {"eq": eq, "ne": ne, "gt": gt, "gte": ge, "lt": lt, "lte": le}


def kept(period: Bucket, conditions: Iterable[Filter], calendar: Calendar, part: str | None = None) -> bool:
    """Say whether a period is asked for; one that lies in no unit fulfils no condition on that unit."""
    return all(_fulfils(period, each, calendar, part) for each in conditions)


def _fulfils(period: Bucket, condition: Filter, calendar: Calendar, part: str | None) -> bool:
    grain = condition.unit
    if part in PARTS:
        message = f"`period` is filtered, and by `{part}` a period is no stretch of time"
        raise RequestError(
            message, code="bad_filter_value", hint="say with `period=` which time, or filter rows with `where_sql`"
        )
    if not grain:
        return _holds(period.start, condition, [_moment(each) for each in _values(condition)])
    if period.span.start is None or (whole := unit_of(period.span.start, grain, calendar)) is None:
        return False
    if whole.start is None or whole.intersect(period.span) != period.span:
        message = f"a condition on the `{grain}` of periods, and a period does not lie in one `{grain}`"
        hint = f"ask by the grain `{grain}` as well, or by a finer one"
        raise RequestError(message, code="bad_filter_value", hint=hint)
    if grain not in calendar.units:
        return _holds(whole.start, condition, [_moment(each) for each in _values(condition)])
    names = calendar.units[grain].names
    number = calendar.units[grain].place(whole.start)
    dates = [_date(each) for each in names]
    values = [_date(each) for each in _values(condition)]
    if number is not None and None not in dates and None not in values:
        return _holds(dates[number], condition, values)
    return _holds(number, condition, [_number(each, names, grain) for each in _values(condition)])


def _values(condition: Filter) -> tuple[object, ...]:
    return condition.value if isinstance(condition.value, tuple) else (condition.value,)


def _number(value: object, names: tuple[str, ...], unit: str) -> int:
    """Give the number of the period of a unit that has this name."""
    if str(value) not in names:
        message = f"the unit `{unit}` has no period called {shown(str(value))}"
        raise RequestError(message, code="bad_filter_value", hint=nearest(str(value), names))
    return names.index(str(value))


def _holds(found: Any, condition: Filter, values: Sequence[Any]) -> bool:  # noqa: ANN401 - what can be compared
    if condition.operator in {"in", "not_in"}:
        return (found in values) == (condition.operator == "in")
    if condition.operator == "between":
        return bool(_ORDER["lte"](values[0], found) and _ORDER["lte"](found, values[1]))
    if condition.operator not in _ORDER:
        message = f"`period` cannot be filtered with `{condition.operator}`"
        raise RequestError(message, code="bad_filter_value", hint="for example {gte: 2026-01-01}")
    return bool(_ORDER[condition.operator](found, values[0]))


def _moment(value: object) -> datetime:
    if (found := _date(value)) is None:
        message = f"`period` is compared with {shown(str(value))}, which is no date"
        raise RequestError(message, code="bad_filter_value", hint="for example {gte: 2026-01-01}")
    return found


def _date(value: object) -> datetime | None:
    if isinstance(value, datetime) and value.tzinfo is None:
        return value
    try:
        return datetime.fromisoformat(str(value))
    except ValueError:
        return None
