"""Coverage: which stretch of time each input of each period needs."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Literal

from kpi_engine.calendar import (
    GRAINS,
    PARTS,
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
    stretches,
    unit_of,
    year_before,
)
from kpi_engine.errors import RequestError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
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
    others: tuple[Span, ...] = ()
    """The further stretches of a part of the calendar, such as each other May."""

    @property
    def spans(self) -> tuple[Span, ...]:
        """All its stretches."""
        return (self.span, *self.others)

    def moved(self, shift: Shift, calendar: Calendar, as_of: datetime) -> Window:
        """Apply one modifier to every stretch."""
        if isinstance(shift, Comparison):
            return self._compared(shift, calendar, as_of)
        moved = [self._moved(span, shift, calendar, self.known or as_of) for span in self.spans]
        return replace(self, span=moved[0], others=tuple(moved[1:]))

    def _moved(self, span: Span, shift: Shift, calendar: Calendar, known: datetime) -> Span:
        if isinstance(shift, AllTime | ToDate | Trailing):
            return covered(span, shift, calendar, known)
        if isinstance(shift, Offset) and isinstance(shift.by, FirstDay):
            if span.start is None:
                unit = shift.by.grain.replace("_", " ")
                message = f"all time starts in no {unit}, and the first day of one is asked for"
                hint = "say which period, such as 2026-Q3 or last month"
                raise RequestError(message, code="unbounded_period", hint=hint)
            return first_day(span, shift.by, calendar)
        if isinstance(shift, Offset) and isinstance(shift.by, Duration):
            return earlier(span, shift.by, calendar, self.grain)
        return self._before(calendar)

    def _before(self, calendar: Calendar) -> Span:
        self._refuse_part()
        if isinstance(self.step, Duration):
            return earlier(self.span, self.step, calendar)
        return previous(replace(self.step, span=self.span), calendar)

    def _refuse_part(self) -> None:
        """Of a part of the calendar there is no period before."""
        if self.grain in PARTS:
            message = f"by `{self.grain}` there is no period before: each comes many times"
            hint = "compare by a grain such as `month`, or give the input an `offset` such as `1 year`"
            raise RequestError(message, code="no_previous", hint=hint)

    def _compared(self, shift: Comparison, calendar: Calendar, as_of: datetime) -> Window:
        self._refuse_part()
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
    parts = [each for each in (grain, *also) if each in PARTS]
    if also and parts:
        message = f"`{parts[0]}` stands beside another grain, and its periods are no stretches of time"
        raise RequestError(
            message, code="bad_request", hint=f"ask by `{parts[0]}` alone, or by a grain such as `month`"
        )
    if parts and grain is not None:
        return _parts(period, grain, calendar)
    if also and grain is not None:
        return _pieces(period, (grain, *also), calendar)
    if grain is None:
        return ((Bucket(period.span.start, period.span), Window(period.span, period, period.grain)),)  # type: ignore[arg-type]
    step = one_step(grain)
    return tuple((bucket, Window(bucket.span, step, grain)) for bucket in buckets(period.span, grain, calendar))


def _parts(period: Period, part: Grain, calendar: Calendar) -> tuple[tuple[Bucket, Window], ...]:
    found = []
    for first, *others in stretches(period.span, part, calendar).values():
        if first.start is not None:
            found.append((Bucket(first.start, first), Window(first, period, part, others=tuple(others))))
    return tuple(found)


def numbered(periods: tuple[Bucket, ...], grain: Grain | None) -> tuple[int, ...]:
    """Number periods that are parts of the calendar; others have no numbers."""
    part = PARTS.get(grain) if grain else None
    return tuple(part.number(each.start) for each in periods) if part else ()


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
    frame: tuple[Window, ...], unit: Grain, calendar: Calendar, as_of: datetime
) -> tuple[tuple[tuple[Bucket, Window], ...], tuple[tuple[int, ...], ...]]:
    """Cut windows into the units of a grain up to `as_of`, and say for each window which of these lie in it.

    Raise `unbounded_period` for a window without a start.
    """
    found: list[tuple[Bucket, Window]] = []
    numbers: list[tuple[int, ...]] = []
    for window in frame:
        before = len(found)
        known = [until(span, window.known or as_of) for span in window.spans]
        if any(span.start is None for span in known):
            message = f"`per: {unit}` cuts time, and no period says where it begins and ends"
            hint = "ask for a period or by a grain; `all_time` above it has no beginning"
            raise RequestError(message, code="unbounded_period", hint=hint)
        found += _units([span for span in known if not span.is_empty], window, unit, calendar)
        numbers.append(tuple(range(before, len(found))))
    return tuple(found), tuple(numbers)


def _units(spans: list[Span], window: Window, unit: Grain, calendar: Calendar) -> Iterator[tuple[Bucket, Window]]:
    """Cut stretches into units, each of which is one, also where it has several of the stretches."""
    wholes: dict[datetime, list[Bucket]] = {}
    for each in (bucket for span in spans for bucket in buckets(span, unit, calendar)):
        wholes.setdefault(each.start, []).append(each)
    for first, *others in wholes.values():
        further = tuple(each.span for each in others)
        yield first, Window(first.span, one_step(unit), unit, window.known, further)


def apart(spans: Iterable[Span]) -> tuple[Span, ...]:
    """Put together the stretches of one period that touch or overlap, so that no row counts twice in it; empty ones are left out."""
    found: list[Span] = []
    for span in sorted(
        (each for each in spans if not each.is_empty), key=lambda each: (each.start is not None, each.start)
    ):
        last = found[-1] if found else None
        if last is None or (last.end is not None and span.start is not None and last.end < span.start):
            found.append(span)
        elif last.end is not None:
            found[-1] = Span(last.start, None if span.end is None else max(last.end, span.end))
    return tuple(found)


def until(span: Span, as_of: datetime) -> Span:
    """End a span at `as_of`: what comes later is not known yet."""
    return (
        span
        if span.end is not None and span.end <= as_of
        else Span(span.start, max(as_of, span.start) if span.start else as_of)
    )
