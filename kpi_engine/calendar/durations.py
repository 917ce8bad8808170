"""Lengths of time in words, and moving by them."""

from __future__ import annotations

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, cast

from kpi_engine.calendar.spans import DAY, Span, is_midnight, month_index, month_start
from kpi_engine.calendar.units import unit_word
from kpi_engine.errors import DefinitionError, Diagnostic, nearest

if TYPE_CHECKING:
    from collections.abc import Collection

    from kpi_engine.calendar.calendars import Calendar

Unit = str
"""A unit in which a length of time is said: one of `UNITS`, or a unit of the project's own."""

UNITS: Final = ("second", "minute", "hour", "day", "week", "month", "quarter", "year")
"""The units that every project has."""

_MONTHS: Final = MappingProxyType({"month": 1, "quarter": 3, "year": 12})
_SECONDS: Final = MappingProxyType({"second": 1, "minute": 60, "hour": 3600, "day": 86_400, "week": 604_800})
_LONGEST_YEARS: Final = 1000


@dataclass(frozen=True)
class Duration:
    """A length of time: 28 days, 1 month."""

    count: int
    unit: Unit

    def __str__(self) -> str:
        """`1 month`, `28 days`."""
        return f"{self.count} {self.unit}{'' if self.count == 1 else 's'}"

    @property
    def months(self) -> int:
        """Its length in months; 0 where it is a fixed number of seconds, or in a unit of the project's own."""
        return self.count * _MONTHS.get(self.unit, 0)

    @property
    def fixed(self) -> timedelta:
        """Its length in seconds; 0 where it is a number of months or of a project's own units, whose length varies."""
        return timedelta(seconds=self.count * _SECONDS.get(self.unit, 0))

    @property
    def is_custom(self) -> bool:
        """Whether it is in a unit of the project's own."""
        return self.unit not in UNITS


def parse_duration(text: str, units: Collection[str] = ()) -> Duration:
    """Read a length of time: `28 days`, `1 year`, `45 day`, or a number of the project's own `units`.

    Raise `bad_duration` unless it is a whole number above 0 and a known unit, and at most 1000 years.

    >>> parse_duration("28 days")
    Duration(count=28, unit='day')
    """
    match = re.fullmatch(r"([0-9]{1,12})\s*([^\W\d_].*)", text.strip().casefold())
    if match is None or (not units and not match[2].isalpha()):
        raise _bad(text, "write a whole number and a unit, such as `28 days` or `1 year`")
    known = (*UNITS, *units)
    count, unit = int(match[1]), unit_word(match[2], known)
    if unit not in known:
        raise _bad(text, f"`{match[2]}` is not a unit: {nearest(unit.removesuffix('s'), known)}")
    duration = Duration(count, unit)
    _check_length(text, duration)
    return duration


def _check_length(text: str, duration: Duration) -> None:
    if duration.count == 0:
        raise _bad(text, "a duration is at least 1")
    seconds_of_year = 366 * _SECONDS["day"]
    years = duration.months / 12 + duration.count * _SECONDS.get(duration.unit, 0) / seconds_of_year
    if years > _LONGEST_YEARS:
        raise _bad(text, f"a duration is at most {_LONGEST_YEARS} years")


def _bad(text: str, hint: str) -> DefinitionError:
    return DefinitionError([Diagnostic("bad_duration", f"`{text}` is not a duration", hint=hint)])


def shift(moment: datetime, duration: Duration, sign: int = -1) -> datetime:
    """Move a local time by a duration: earlier by default, later with `sign=1`.

    A day that the month of arrival lacks becomes that month's last: a month before 31 March is 28 or 29 February, a year before
    29 February is 28 February.
    """
    if not duration.months:
        return moment + sign * duration.fixed
    month = month_start(month_index(moment) + sign * duration.months)
    day = min(moment.day, monthrange(month.year, month.month)[1])
    return moment.replace(year=month.year, month=month.month, day=day, fold=0)


def shift_span(span: Span, duration: Duration, *, back: bool = True) -> Span:
    """Move a span by a duration, earlier by default; a span that holds something never becomes empty.

    - Seconds to weeks move both ends.
    - Whole months stay whole months: February a month later is the whole of March.
    - Of any other span the first and the last *day* move, so that 29 March a month earlier is the day 28 February.

    A bound that is None stays None.
    """
    sign = -1 if back else 1
    if span.start is None or span.end is None:
        return Span(span.start and shift(span.start, duration, sign), span.end and _shift_end(span, duration, sign))
    start = shift(span.start, duration, sign)
    if span.is_empty:
        return Span(start, start)
    end = _shift_end(span, duration, sign)
    # Two times of day can meet on the last day of a shorter month in the wrong order; then the length is kept.
    return Span(start, end if end > start else start + (span.end - span.start))


def earlier(span: Span, by: Duration, calendar: Calendar, grain: str | None = None) -> Span:
    """Move a span back by a length of time in any unit, also one of the project's own.

    `grain` is what the span is a unit of: where that is numbered in years of the length's unit, the same number of the year before
    is meant.
    """
    if not by.is_custom:
        return shift_span(span, by)
    unit = calendar.units[by.unit]
    own = calendar.units.get(grain) if grain is not None else None
    if own is not None and own.year == by.unit != own.name:
        return own.a_year_earlier(span, unit, by.count)
    return unit.earlier(span, by.count)


def _shift_end(span: Span, duration: Duration, sign: int) -> datetime:
    """Move the end of a span: of whole months as it stands, of whole days with the last day."""
    end = cast("datetime", span.end)
    whole_months = _starts_month(end) and (span.start is None or _starts_month(span.start))
    if not duration.months or whole_months or not is_midnight(end):
        return shift(end, duration, sign)
    return shift(end - DAY, duration, sign) + DAY


def _starts_month(moment: datetime) -> bool:
    return moment.day == 1 and is_midnight(moment)
