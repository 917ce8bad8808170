"""Periods as they are asked for, and what they are compared with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from kpi_engine.calendar.buckets import one_step, unit_of
from kpi_engine.calendar.durations import Duration, earlier, shift_span
from kpi_engine.calendar.spans import Span
from kpi_engine.errors import RequestError

if TYPE_CHECKING:
    from datetime import datetime

    from kpi_engine.calendar.calendars import Calendar
    from kpi_engine.calendar.grains import Grain

Kind = Literal["unit", "units", "range", "to_date", "all"]
"""What a period is made of."""

WEEKS_OF_A_YEAR = Duration(52, "week")


@dataclass(frozen=True)
class Period:
    """A period as it was asked for.

    - `unit`: one calendar unit, such as 2026-Q3 or last month;
    - `units`: `count` whole units of `grain`, such as the last 3 months;
    - `range`: `count` days, such as 15 January to 31 March or the last 28 days; its grain is `day`;
    - `to_date`: from the start of the unit `grain` to the `as_of`;
    - `all`: no period was asked for; the span is unbounded, the grain None, the count 0.
    """

    span: Span
    kind: Kind
    grain: Grain | None
    count: int
    text: str
    """The period in the asker's words."""


def previous(period: Period, calendar: Calendar) -> Span:
    """Give the period before, for a comparison.

    Before a calendar unit is the unit before, before n units the n units before, before a range the same number of days. A period
    to date is compared with the same number of days of the unit before, or the whole of it where that unit is shorter.
    A period whose span a modifier has moved steps back by as much; a span without a start keeps none.
    Raise `no_previous` where no period was asked for.
    """
    if period.grain is None:
        raise RequestError(
            "there is no previous period to compare with, because no period was asked for",
            code="no_previous",
            hint="say which period, such as 2026-Q3 or last month",
        )
    length = Duration(period.count, one_step(period.grain).unit)
    start, end = period.span.start, period.span.end
    if period.kind == "to_date" and start is not None and end is not None:
        before = earlier(Span(start, None), length, calendar).start or start
        ended = _end_of_unit(before, period.grain, calendar) or start
        return Span(before, min(before + (end - start), start, ended))
    return earlier(period.span, length, calendar)


def _end_of_unit(start: datetime, grain: Grain, calendar: Calendar) -> datetime | None:
    """Give the end of a unit of the project's own, which may come before the next begins; nothing where a modifier has moved the start."""
    whole = unit_of(start, grain, calendar) if grain in calendar.units else None
    return whole.end if whole is not None and whole.start == start else None


def as_far(
    moment: datetime, period: Span, before: Span, calendar: Calendar, grain: Grain | None, *, yearly: bool
) -> datetime:
    """Give the moment at which an earlier period had got as far as a period has at a moment, for comparing like with like.

    That is as much later on the clock as the moment is after the start of its period, and the end of the earlier one where that is
    shorter: twelve days and an hour into June is twelve days and an hour into May, whatever the clock did in between. A year before,
    `yearly`, it goes by dates instead, but for weeks and units of the project's own: 15 March is 15 March, also after a 29 February.
    """
    if period.start is None or before.start is None:
        return moment
    by_dates = yearly and grain != "week" and grain not in calendar.units
    part = Span(period.start if period.start < moment else None, moment)
    reached = year_before(part, calendar).end if by_dates else before.start + (moment - period.start)
    return min(reached or moment, before.end or moment)


def year_before(span: Span, calendar: Calendar, grain: Grain | None = None) -> Span:
    """Give the same span a year earlier; weeks go back by 52 weeks, so that Mondays meet Mondays.

    `grain` is the grain of the bucket, or of the period where the request has no grain. Of a unit of the project's own it is the
    period with the same number in the year before; raise `no_year_of_unit` where it does not say what its years are.
    """
    if grain is not None and grain in calendar.units:
        if not (year := calendar.units[grain].year):
            raise RequestError(
                f"the unit `{grain}` does not say what its years are, so there is no year to go back by",
                code="no_year_of_unit",
                hint=f"write `year:` in `{grain}`, below `units:` in kpi.yaml: the unit that its periods are numbered in",
            )
        return earlier(span, Duration(1, year), calendar, grain)
    return shift_span(span, WEEKS_OF_A_YEAR if grain == "week" else Duration(1, "year"))
