"""Buckets: the calendar units of a grain, one after the other."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from kpi_engine.calendar.durations import Duration, earlier
from kpi_engine.calendar.spans import DAY, Span, midnight, month_index, month_start, start_of_day
from kpi_engine.calendar.units import in_no_unit
from kpi_engine.errors import RequestError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kpi_engine.calendar.calendars import Calendar
    from kpi_engine.calendar.grains import Grain

MOST_BUCKETS: Final = 100_000
"""More than these are a mistake in the grain, not a wish."""

_STEPS: Final = MappingProxyType(
    {
        "second": timedelta(seconds=1),
        "minute": timedelta(minutes=1),
        "hour": timedelta(hours=1),
        "day": DAY,
        "week": 7 * DAY,
    }
)
_MONTHS: Final = MappingProxyType({"month": 1, "quarter": 3, "year": 12, "fiscal_quarter": 3, "fiscal_year": 12})


@dataclass(frozen=True)
class Bucket:
    """One calendar unit of a grain, and the part of it that was asked for."""

    start: datetime
    """The start of the whole unit, also where the part asked for starts later."""
    span: Span
    """The part asked for."""


def floor(moment: datetime, grain: Grain, calendar: Calendar) -> datetime:
    """Give the start of the calendar unit that a local time lies in; raise `in_no_unit` where it lies in none."""
    if grain in calendar.units:
        if (whole := unit_of(moment, grain, calendar)) is None or whole.start is None:
            raise in_no_unit(moment, grain)
        return whole.start
    if grain in _MONTHS:
        return _floor_months(moment, grain, calendar)
    if grain == "day":
        return start_of_day(moment)
    if grain == "week":
        return start_of_day(moment) - (moment.weekday() - calendar.week_start) % 7 * DAY
    minute = moment.minute if grain != "hour" else 0
    return moment.replace(minute=minute, second=moment.second if grain == "second" else 0, microsecond=0, fold=0)


def _floor_months(moment: datetime, grain: Grain, calendar: Calendar) -> datetime:
    first = calendar.fiscal_start - 1 if grain.startswith("fiscal") else 0
    index = month_index(moment)
    return month_start(index - (index - first) % _MONTHS[grain])


def unit_of(moment: datetime, grain: Grain, calendar: Calendar) -> Span | None:
    """Give the calendar unit that a local time lies in; None where it lies in no unit of the project's own."""
    if grain not in calendar.units:
        start = floor(moment, grain, calendar)
        return Span(start, step(start, grain, calendar))
    number = calendar.units[grain].place(moment)
    return None if number is None else calendar.units[grain].of(number, number)


def whole_units(span: Span, grain: Grain, calendar: Calendar) -> Span:
    """Widen a bounded span to the units of a grain that it touches."""
    start, end = _bounds(span, grain)
    if grain not in calendar.units:
        last = floor(end - timedelta(microseconds=1), grain, calendar)
        return Span(floor(start, grain, calendar), step(last, grain, calendar))
    unit = calendar.units[grain]
    touched = unit.within(span)
    return unit.of(touched[0], touched[-1]) if touched else Span(start, start)


def step(start_of_bucket: datetime, grain: Grain, calendar: Calendar, n: int = 1) -> datetime:  # noqa: ARG001 - see below
    """Give the start of the calendar unit that lies n units later, or earlier with a negative n; of units that every project has.

    `start_of_bucket` comes from `floor` with the same calendar, which is what makes the result a start in that calendar.
    """
    if grain in _MONTHS:
        return month_start(month_index(start_of_bucket) + n * _MONTHS[grain])
    return start_of_bucket + n * _STEPS[grain]


def buckets(span: Span, grain: Grain, calendar: Calendar) -> tuple[Bucket, ...]:
    """Cut a span into its calendar units, in order, without overlap; the first and the last may be parts of units.

    There is no gap between them, unless the project's own unit has one.

    Raise `unbounded_period` for a span without a start or an end, `too_many_periods` above 100,000.
    """
    found: list[Bucket] = []
    if grain in _STEPS and grain not in calendar.units and _length(span, grain) > MOST_BUCKETS * _STEPS[grain]:
        raise _too_many(grain)
    for bucket in _each(span, grain, calendar):
        if len(found) == MOST_BUCKETS:
            raise _too_many(grain)
        found.append(bucket)
    return tuple(found)


def _length(span: Span, grain: Grain) -> timedelta:
    start, end = _bounds(span, grain)
    return end - start


def _too_many(grain: Grain) -> RequestError:
    return RequestError(
        f"the period holds more than {MOST_BUCKETS:,} periods of grain `{grain}`",
        code="too_many_periods",
        hint="ask for a shorter period or a coarser grain",
    )


def _each(span: Span, grain: Grain, calendar: Calendar) -> Iterator[Bucket]:
    start, end = _bounds(span, grain)
    if grain in calendar.units:
        unit = calendar.units[grain]
        yield from (Bucket(unit.starts[n], unit.of(n, n).intersect(span)) for n in unit.within(span))
        return
    bucket = floor(start, grain, calendar)
    while bucket < end:
        following = step(bucket, grain, calendar)
        if not (part := Span(bucket, following).intersect(span)).is_empty:
            yield Bucket(bucket, part)
        bucket = following


def _bounds(span: Span, grain: Grain) -> tuple[datetime, datetime]:
    if span.start is None or span.end is None:
        raise RequestError(
            f"a period without a {'start' if span.start is None else 'end'} cannot be cut by grain `{grain}`",
            code="unbounded_period",
            hint="say which period, such as 2026 or last 12 months",
        )
    return span.start, span.end


def bucket_offset(bucket: Bucket, grain: Grain, calendar: Calendar) -> Span:
    """Give what a bucket is compared with, one step of the grain earlier.

    That is the unit before; of a unit that the request cuts, the same days of the unit before.
    """
    return earlier(bucket.span, one_step(grain), calendar)


def one_step(grain: Grain) -> Duration:
    """Give the length of a grain: a fiscal quarter is three months."""
    if grain == "fiscal_quarter":
        return Duration(1, "quarter")
    return Duration(1, "year") if grain == "fiscal_year" else Duration(1, grain)


def week_number(start: datetime) -> tuple[int, int]:
    """Give the year and the number of a week by its first day.

    A week belongs to the year in which most of its days lie: with weeks that start on Monday, the ISO week.
    """
    middle = start + 3 * DAY
    return middle.year, (middle.timetuple().tm_yday - 1) // 7 + 1


def first_week(year: int, calendar: Calendar) -> datetime:
    """Give the first day of week 1 of a year: the week that holds 4 January."""
    return floor(midnight(year, 1, 4), "week", calendar)


def fiscal_year_start(year: int, calendar: Calendar) -> datetime:
    """Give the first day of the fiscal year that is named `year`."""
    late = calendar.fiscal_start > 1 and calendar.fiscal_named_after == "end"
    return midnight(year - late, calendar.fiscal_start)


def fiscal_year_name(start: datetime, calendar: Calendar) -> int:
    """Give the name of the fiscal year that a local time lies in; the inverse of `fiscal_year_start`."""
    year = floor(start, "fiscal_year", calendar).year
    return year + (calendar.fiscal_start > 1 and calendar.fiscal_named_after == "end")
