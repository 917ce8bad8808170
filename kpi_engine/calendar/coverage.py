"""How far an input reaches beyond the period: to date, trailing, or since the beginning."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from kpi_engine.calendar.buckets import unit_of
from kpi_engine.calendar.durations import Duration, shift_span
from kpi_engine.calendar.grains import GRAINS, Grain, parse_grain
from kpi_engine.calendar.spans import DAY, Span, is_midnight, start_of_day
from kpi_engine.calendar.zones import shown_until
from kpi_engine.errors import RequestError

if TYPE_CHECKING:
    from collections.abc import Collection

    from kpi_engine.calendar.calendars import Calendar


@dataclass(frozen=True)
class AllTime:
    """Since the beginning."""


@dataclass(frozen=True)
class ToDate:
    """Since the start of the calendar unit in which the period ends."""

    grain: Grain


@dataclass(frozen=True)
class Trailing:
    """A stretch of this length that ends with the period."""

    length: Duration


@dataclass(frozen=True)
class FirstDay:
    """The first day of the calendar unit in which the period starts."""

    grain: Grain


Coverage = AllTime | ToDate | Trailing


def parse_to_date(text: str, units: Collection[str] = ()) -> ToDate:
    """Read the unit of a running total: `year`, `fiscal year`, `month`, or one of the project's own `units`.

    Raise `unknown_grain` for what is no unit of a day or more.
    """
    grain = parse_grain(text, units)
    known = (*GRAINS[GRAINS.index("week") :], *units)
    if grain not in known:
        message = f"`{text}` is not a unit to run a total over"
        raise RequestError(message, code="unknown_grain", hint=f"it is one of {', '.join(known)}")
    return ToDate(grain)


def parse_first_day(text: str, units: Collection[str] = ()) -> FirstDay | None:
    """Read `start of month`; nothing where the text says something else."""
    words = text.casefold().split(maxsplit=2)
    return FirstDay(parse_to_date(words[2], units).grain) if words[:2] == ["start", "of"] and len(words) > 2 else None  # noqa: PLR2004


def first_day(span: Span, of: FirstDay, calendar: Calendar) -> Span:
    """Give the first day of the unit in which a span starts; a span without a start has none, and time in no unit nothing."""
    if span.start is None:
        return span
    whole = unit_of(span.start, of.grain, calendar)
    if whole is None or whole.start is None:
        return Span(span.start, span.start)
    return Span(whole.start, whole.start + DAY)


def covered(span: Span, coverage: Coverage, calendar: Calendar, as_of: datetime) -> Span:
    """Widen a span: what it covers ends with it, and with `as_of` where that comes first.

    Of time in no unit of the project's own, nothing is covered to date. A trailing stretch keeps its length where `as_of` ends it; one of days or longer begins at the start of a day.
    """
    end = as_of if span.end is None else min(span.end, as_of)
    last = end if span.end == end else shown_until(end, calendar.zone)
    if isinstance(coverage, AllTime):
        return Span(None, span.end)
    if isinstance(coverage, ToDate):
        whole_unit = unit_of(end - timedelta(microseconds=1), coverage.grain, calendar)
        return Span(end if whole_unit is None else whole_unit.start, last)
    length = coverage.length
    whole = end if is_midnight(end) or _within_a_day(length) else start_of_day(end) + DAY
    if length.is_custom:
        return Span(calendar.units[length.unit].trailing(whole, length.count), last)
    return Span(shift_span(Span(None, whole), length).end, last)


def _within_a_day(length: Duration) -> bool:
    return not length.months and not length.is_custom and length.fixed < DAY
