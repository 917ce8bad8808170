"""Parts of the calendar that come again, as a grain: each Monday, each May, each hour after nine.

A period of such a grain is made of many stretches of time, one for each time that the part comes in the period asked for.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from kpi_engine.calendar.buckets import buckets

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from kpi_engine.calendar.calendars import Calendar
    from kpi_engine.calendar.grains import Grain
    from kpi_engine.calendar.spans import Span


@dataclass(frozen=True)
class Part:
    """A part of the calendar: the unit that it is one of, and its number there."""

    unit: str
    number: Callable[[datetime], int]


PARTS: Final[Mapping[str, Part]] = MappingProxyType(
    {
        "hour_of_day": Part("hour", lambda moment: moment.hour),
        "day_of_week": Part("day", lambda moment: moment.isoweekday()),
        "day_of_month": Part("day", lambda moment: moment.day),
        "day_of_year": Part("day", lambda moment: moment.timetuple().tm_yday),
        "month_of_year": Part("month", lambda moment: moment.month),
        "quarter_of_year": Part("quarter", lambda moment: (moment.month + 2) // 3),
    }
)
"""The parts there are: hours from 0, days of the week from Monday, which is 1, all others from 1."""


def unit_below(grain: Grain) -> Grain:
    """Give the unit that a grain cuts time by: of a part of the calendar the one it is made of, else the grain itself."""
    return PARTS[grain].unit if grain in PARTS else grain


def stretches(span: Span, part: str, calendar: Calendar) -> dict[int, tuple[Span, ...]]:
    """Give the stretches of each number of a part in a span, in order of the numbers."""
    found: dict[int, list[Span]] = {}
    for bucket in buckets(span, PARTS[part].unit, calendar):
        found.setdefault(PARTS[part].number(bucket.start), []).append(bucket.span)
    return {number: tuple(found[number]) for number in sorted(found)}
