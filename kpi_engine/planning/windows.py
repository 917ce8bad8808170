"""Coverage: which stretch of time each input of each period needs."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Literal

from kpi_engine.calendar import (
    GRAINS,
    AllTime,
    Bucket,
    Duration,
    FirstDay,
    Period,
    Span,
    ToDate,
    Trailing,
    as_far,
    buckets,
    covered,
    earlier,
    first_day,
    one_step,
    previous,
    unit_of,
    year_before,
)
from kpi_engine.errors import RequestError

if TYPE_CHECKING:
    from datetime import datetime

    from kpi_engine.calendar import Calendar, Grain

Compare = Literal["previous_period", "previous_year"]

_DAYS = (1 / 86_400, 1 / 1440, 1 / 24, 1, 7, 28, 90, 365, 90, 365)
"""How many days a unit of each grain has at least."""


@dataclass(frozen=True)
class Offset:
    """That much earlier, on the first day of a unit, or one step of the window itself."""

    by: Duration | FirstDay | Literal["period"]


@dataclass(frozen=True)
class Comparison:
    """What the request compares with; with `same_part`, of a period that is not over only as much of it as has passed of this one."""

    name: Compare
    same_part: bool = False


Shift = Offset | AllTime | ToDate | Trailing | Comparison


@dataclass(frozen=True)
class Window:
    """A stretch of time, and how it steps back: by a length, or as the period that was asked for steps.

    `known` is until when rows count in it, where that is not the `as_of` of the request.
    """

    span: Span
    step: Duration | Period
    grain: Grain | None
    known: datetime | None = None

    def moved(self, shift: Shift, calendar: Calendar, as_of: datetime) -> Window:
        """Apply one modifier."""
        if isinstance(shift, Comparison):
            return self._compared(shift, calendar, as_of)
        if isinstance(shift, AllTime | ToDate | Trailing):
            return replace(self, span=covered(self.span, shift, calendar, self.known or as_of))
        if isinstance(shift, Offset) and isinstance(shift.by, FirstDay):
            return replace(self, span=first_day(self.span, shift.by, calendar))
        if isinstance(shift, Offset) and isinstance(shift.by, Duration):
            return replace(self, span=earlier(self.span, shift.by, calendar, self.grain))
        return replace(self, span=self._before(calendar))

    def _before(self, calendar: Calendar) -> Span:
        if isinstance(self.step, Duration):
            return earlier(self.span, self.step, calendar)
        return previous(replace(self.step, span=self.span), calendar)

    def _compared(self, shift: Comparison, calendar: Calendar, as_of: datetime) -> Window:
        yearly = shift.name == "previous_year"
        before = year_before(self.span, calendar, self.grain) if yearly else self._before(calendar)
        if not shift.same_part or self.span.end is None or self.span.end <= as_of:
            return replace(self, span=before)
        known = as_far(as_of, self.span, before, calendar, self.grain, yearly=yearly)
        return replace(self, span=before, known=known)


def labelled(
    periods: tuple[Bucket, ...], grains: tuple[Grain, ...], calendar: Calendar
) -> dict[str, tuple[datetime | str | None, ...]]:
    """Name periods by the unit of each grain that they lie in: by its start, or by the name of a unit of the project's own.

    Of one grain that every project has the period itself is the name.
    """
    if len(grains) < 2 and not any(each in calendar.units for each in grains):  # noqa: PLR2004 - one
        return {}
    return {each: tuple(_label(p.span.start, each, calendar) for p in periods) for each in grains}


def _label(start: datetime | None, grain: Grain, calendar: Calendar) -> datetime | str | None:
    if start is None:
        return None
    if grain in calendar.units:
        number = calendar.units[grain].place(start)
        return None if number is None else calendar.units[grain].names[number]
    whole = unit_of(start, grain, calendar)
    return None if whole is None else whole.start


def windows(
    period: Period, grain: Grain | None, calendar: Calendar, also: tuple[Grain, ...] = ()
) -> tuple[tuple[Bucket, Window], ...]:
    """Cut a period into the buckets of a grain, each with its window; without a grain the period is one bucket.

    With further grains it is cut wherever a unit of any of them ends.
    """
    if also and grain is not None:
        return _pieces(period, (grain, *also), calendar)
    if grain is None:
        return ((Bucket(period.span.start, period.span), Window(period.span, period, period.grain)),)  # type: ignore[arg-type]
    step = one_step(grain)
    return tuple((bucket, Window(bucket.span, step, grain)) for bucket in buckets(period.span, grain, calendar))


def _pieces(period: Period, grains: tuple[Grain, ...], calendar: Calendar) -> tuple[tuple[Bucket, Window], ...]:
    units = [bucket for each in grains for bucket in buckets(period.span, each, calendar)]
    ends = {bound for bucket in units for bound in (bucket.span.start, bucket.span.end) if bound is not None}
    finest = min(grains, key=lambda each: _days(each, calendar))
    found: list[tuple[Bucket, Window]] = []
    for start, end in pairwise(sorted(ends)):
        wholes = [unit_of(start, each, calendar) for each in grains]
        starts = [start if whole is None or whole.start is None else whole.start for whole in wholes]
        if any(wholes):
            span = Span(start, end)
            found.append((Bucket(max(starts), span), Window(span, one_step(finest), finest)))
    return tuple(found)


def _days(grain: Grain, calendar: Calendar) -> float:
    """Say about how long a unit is; of the project's own, how long its shortest period."""
    if grain in calendar.units:
        return min((end - start).days for start, end in calendar.units[grain].spans)
    return _DAYS[GRAINS.index(grain)]


def divided(
    frame: tuple[Window, ...], unit: Grain | None, calendar: Calendar
) -> tuple[tuple[tuple[Bucket, Window], ...], tuple[tuple[int, ...], ...]]:
    """Cut windows into the units of a grain, and say for each window which of these lie in it; without a grain each stays whole.

    Raise `unbounded_period` for a window without a start or an end.
    """
    found: list[tuple[Bucket, Window]] = []
    numbers: list[tuple[int, ...]] = []
    for window in frame:
        span, before = window.span, len(found)
        if unit is None:
            found.append((Bucket(span.start, span), window))  # type: ignore[arg-type]
        else:
            if span.start is None or span.end is None:
                message = f"`per: {unit}` cuts time, and no period says where it begins and ends"
                hint = "ask for a period or by a grain; `all_time` above it has no beginning"
                raise RequestError(message, code="unbounded_period", hint=hint)
            step = one_step(unit)
            found += [(each, Window(each.span, step, unit, window.known)) for each in buckets(span, unit, calendar)]
        numbers.append(tuple(range(before, len(found))))
    return tuple(found), tuple(numbers)


def until(span: Span, as_of: datetime) -> Span:
    """End a span at `as_of`: what comes later is not known yet."""
    return (
        span
        if span.end is not None and span.end <= as_of
        else Span(span.start, max(as_of, span.start) if span.start else as_of)
    )
