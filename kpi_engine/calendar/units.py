"""Units of time that a project's own data define: retail months, campaigns, fiscal periods.

A unit is a list of named periods of whole days, in order and without overlap. Between two of them there may be a gap: time in no
unit. What reaches beyond the days that the data are about is refused, unless the unit says that nothing is there.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal

from kpi_engine.calendar.spans import DAY, INSTANT, Span
from kpi_engine.errors import RequestError, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

Outside = Literal["refused", "nothing"]


@dataclass(frozen=True)
class CustomUnit:
    """A unit of time: its periods in order, each with a name; `year` is the unit that they are numbered in.

    `known` is the time that its data are about, from the first period or before it to the last or after it.
    """

    name: str
    spans: tuple[tuple[datetime, datetime], ...]
    names: tuple[str, ...]
    known: tuple[datetime, datetime]
    year: str = ""
    outside: Outside = "refused"

    @cached_property
    def starts(self) -> tuple[datetime, ...]:
        """When each period starts."""
        return tuple(start for start, _ in self.spans)

    @cached_property
    def ends(self) -> tuple[datetime, ...]:
        """When each period ends; that instant is no part of it."""
        return tuple(end for _, end in self.spans)

    def place(self, moment: datetime) -> int | None:
        """Give the number of the period that a local time lies in; None of time in no period."""
        self._refuse_outside(moment, moment + INSTANT)
        number = bisect_right(self.starts, moment) - 1
        return number if number >= 0 and moment < self.ends[number] else None

    def within(self, span: Span) -> range:
        """Give the numbers of the periods that a span touches."""
        if span.start is None or span.end is None or span.is_empty:
            return range(0)
        self._refuse_outside(span.start, span.end)
        return range(bisect_right(self.ends, span.start), bisect_left(self.starts, span.end))

    def of(self, first: int, last: int) -> Span:
        """Give the span from the start of a period to the end of another."""
        return Span(self.starts[first], self.ends[last])

    def ended(self, moment: datetime, count: int) -> Span:
        """Give the last `count` periods that have ended at a local time."""
        self._refuse_outside(moment, moment)
        last = bisect_right(self.ends, moment) - 1
        self._refuse_before(last - count + 1)
        return self.of(last - count + 1, last)

    def trailing(self, end: datetime, count: int) -> datetime:
        """Give the start of a stretch of `count` periods that ends at a local time: of whole periods where one ends there."""
        self._refuse_outside(end, end)
        last = bisect_left(self.starts, end) - 1
        if last < 0:
            return end
        whole = end >= self.ends[last]
        first = last - count + (1 if whole else 0)
        if first < 0:
            self._refuse_before(first)
            return self.starts[0]
        return self.starts[first] if whole else min(self.starts[first] + (end - self.starts[last]), self.ends[first])

    def earlier(self, span: Span, count: int) -> Span:
        """Move a span `count` periods back.

        Whole periods become whole periods; a part of one becomes the part of the earlier one that is as many days from its start,
        and nothing where that one is shorter.
        """

        def before(number: int) -> tuple[datetime, datetime]:
            if number < count:
                self._refuse_before(number - count)
                return self.starts[0], self.starts[0]
            return self.spans[number - count]

        return self.moved(span, before)

    def a_year_earlier(self, span: Span, years: CustomUnit, count: int) -> Span:
        """Move a span to the periods that have the same number in the year `count` years before; one that has none there is empty."""

        def before(number: int) -> tuple[datetime, datetime]:
            year = years.place(self.starts[number])
            if year is None:
                return self.starts[number], self.starts[number]
            if year < count:
                years._refuse_before(year - count)
                return self.starts[0], self.starts[0]
            here, there = years.spans[year], years.spans[year - count]
            self._refuse_outside(min(here[0], there[0]))
            same = number - bisect_right(self.ends, here[0]) + bisect_right(self.ends, there[0])
            if same < len(self.spans) and self.starts[same] < there[1]:
                return self.spans[same]
            self._refuse_outside(there[1])
            return there[1], there[1]

        return self.moved(span, before)

    def moved(self, span: Span, before: Callable[[int], tuple[datetime, datetime]]) -> Span:
        """Move both ends of a span: each goes with the period that it lies in; an end that is not there stays so."""
        if span.is_empty:
            return span
        self._refuse_outside(*(bound for bound in (span.start, span.end) if bound is not None))
        start = None if span.start is None else self._start(span.start, before)
        end = None if span.end is None else self._end(span.end, before, whole=self._begins(span.start))
        return Span(start, end if start is None or end is None else max(start, end))

    def said(self, span: Span) -> tuple[str, str] | None:
        """Name the first and the last of the whole periods that a span is made of; None where it is made of others."""
        touched = range(0) if span.start is None or span.end is None else self.within(span)
        if not touched or span != self.of(touched[0], touched[-1]):
            return None
        return self.names[touched[0]], self.names[touched[-1]]

    def _start(self, moment: datetime, before: Callable[[int], tuple[datetime, datetime]]) -> datetime:
        number = bisect_right(self.ends, moment)
        if number == len(self.ends):
            return moment
        start, end = before(number)
        return min(start + max(moment - self.starts[number], 0 * DAY), end)

    def _begins(self, moment: datetime | None) -> bool:
        """Say whether a period begins at a local time, or is the next to begin after it."""
        number = len(self.ends) if moment is None else bisect_right(self.ends, moment)
        return number == len(self.ends) or (moment is not None and moment <= self.starts[number])

    def _end(self, moment: datetime, before: Callable[[int], tuple[datetime, datetime]], *, whole: bool) -> datetime:
        number = bisect_left(self.starts, moment) - 1
        if number < 0:
            return moment
        start, end = before(number)
        if whole and moment >= self.ends[number]:
            return end
        return min(start + (min(moment, self.ends[number]) - self.starts[number]), end)

    def _refuse_outside(self, *bounds: datetime) -> None:
        if self.outside == "nothing" or not bounds:
            return
        if min(bounds) < self.known[0] or max(bounds) > self.known[1]:
            day = min(bounds) if min(bounds) < self.known[0] else max(bounds) - INSTANT
            raise self._outside(f"the unit `{self.name}` is not known on {day.date()}")

    def _refuse_before(self, number: int) -> None:
        if number < 0 and self.outside == "refused":
            missing = f"{-number} more than there are" if number < -1 else "one more than there is"
            raise self._outside(f"the request needs earlier periods of `{self.name}`, {missing}")

    def _outside(self, message: str) -> RequestError:
        first, last = (moment.date() for moment in (self.known[0], self.known[1] - INSTANT))
        return RequestError(
            f"{message}: its data go from {first} to {last}",
            code="outside_calendar",
            hint=f"ask for a period within these days, or add rows to the data of `{self.name}`",
        )


def unit_word(text: str, units: Iterable[str]) -> str:
    """Give the unit that a word or its plural names, whatever its capitals and blanks; else the word itself, in small letters.

    >>> unit_word("Retail months", ["retail_month"])
    'retail_month'
    """
    word = "_".join(text.casefold().replace("-", " ").replace("_", " ").split())
    known = set(units)
    return word if word in known else next((each for each in (word.removesuffix("s"),) if each in known), word)


def in_no_unit(moment: datetime, unit: str) -> RequestError:
    """Say that a day lies between two periods of a unit."""
    message = f"{moment.date()} lies in no {shown(unit)}"
    return RequestError(message, code="in_no_unit", hint=f"ask for a period by its name, or for `last {unit}`")
