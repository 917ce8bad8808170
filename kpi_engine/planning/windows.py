"""Coverage: which stretch of time each input of each period needs."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from kpi_engine.calendar import (
    AllTime,
    Bucket,
    Duration,
    Period,
    Span,
    ToDate,
    Trailing,
    buckets,
    covered,
    previous,
    shift_span,
    year_before,
)

if TYPE_CHECKING:
    from datetime import datetime

    from kpi_engine.calendar import Calendar, Grain

Compare = Literal["previous_period", "previous_year"]


@dataclass(frozen=True)
class Offset:
    """That much earlier, or one step of the window itself."""

    by: Duration | Literal["period"]


@dataclass(frozen=True)
class Comparison:
    """What the request compares with."""

    name: Compare


Shift = Offset | AllTime | ToDate | Trailing | Comparison


@dataclass(frozen=True)
class Window:
    """A stretch of time, and how it steps back: by a length, or as the period that was asked for steps."""

    span: Span
    step: Duration | Period
    grain: Grain | None

    def moved(self, shift: Shift, calendar: Calendar, as_of: datetime) -> Window:
        """Apply one modifier."""
        if isinstance(shift, AllTime | ToDate | Trailing):
            return replace(self, span=covered(self.span, shift, calendar, as_of))
        if shift == Comparison("previous_year"):
            return replace(self, span=year_before(self.span, calendar, self.grain))
        if isinstance(shift, Offset) and isinstance(shift.by, Duration):
            return replace(self, span=shift_span(self.span, shift.by))
        if isinstance(self.step, Duration):
            return replace(self, span=shift_span(self.span, self.step))
        return replace(self, span=previous(replace(self.step, span=self.span), calendar))


_STEPS = {"fiscal_quarter": Duration(1, "quarter"), "fiscal_year": Duration(1, "year")}


def windows(period: Period, grain: Grain | None, calendar: Calendar) -> tuple[tuple[Bucket, Window], ...]:
    """Cut a period into the buckets of a grain, each with its window; without a grain the period is one bucket."""
    if grain is None:
        return ((Bucket(period.span.start, period.span), Window(period.span, period, period.grain)),)  # type: ignore[arg-type]
    step = _STEPS.get(grain) or Duration(1, grain)  # type: ignore[arg-type]
    return tuple((bucket, Window(bucket.span, step, grain)) for bucket in buckets(period.span, grain, calendar))


def until(span: Span, as_of: datetime) -> Span:
    """End a span at `as_of`: what comes later is not known yet."""
    return (
        span
        if span.end is not None and span.end <= as_of
        else Span(span.start, max(as_of, span.start) if span.start else as_of)
    )
