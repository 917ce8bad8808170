"""Intervals of local time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

DAY = timedelta(days=1)
INSTANT = timedelta(microseconds=1)
"""The shortest time that is told apart."""


@dataclass(frozen=True)
class Span:
    """A half-open interval `[start, end)` of local time; None is unbounded."""

    start: datetime | None
    end: datetime | None

    @property
    def is_empty(self) -> bool:
        """Whether no instant lies in it."""
        return self.start is not None and self.end is not None and self.end <= self.start

    def contains(self, instant: datetime) -> bool:
        """Say whether a local time lies in it: the start does, the end does not."""
        return (self.start is None or self.start <= instant) and (self.end is None or instant < self.end)

    def intersect(self, other: Span) -> Span:
        """Keep what lies in both; an empty span when nothing does."""
        starts = [bound for bound in (self.start, other.start) if bound is not None]
        ends = [bound for bound in (self.end, other.end) if bound is not None]
        start = max(starts, default=None)
        end = min(ends, default=None)
        return Span(start, end if start is None or end is None else max(start, end))

    def clip_end(self, end: datetime) -> Span:
        """Keep what lies before `end`, such as the part of an open month that is over."""
        return self.intersect(Span(None, end))


def midnight(year: int, month: int = 1, day: int = 1) -> datetime:
    """Give the start of a day, in local time."""
    return datetime.combine(date(year, month, day), time())


def start_of_day(moment: datetime) -> datetime:
    """Give the start of the day that `moment` lies in."""
    return datetime.combine(moment.date(), time())


def is_midnight(moment: datetime) -> bool:
    """Say whether a day starts at `moment`."""
    return moment.time() == time()


def last_day(end: datetime) -> datetime:
    """Give the start of the last day that lies, wholly or in part, before `end`."""
    return start_of_day(end - INSTANT)


def month_index(moment: datetime) -> int:
    """Give the number of a month, counted from January of the year 0."""
    return moment.year * 12 + moment.month - 1


def month_start(index: int) -> datetime:
    """Give the start of the month with that number; the inverse of `month_index`."""
    return midnight(index // 12, index % 12 + 1)
