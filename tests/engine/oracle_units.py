"""Units of time of a project's own, for the oracle: named periods of whole days, in order, perhaps with time between them that is in none."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from oracle_model import Row

DAY = timedelta(days=1)
Stretch = tuple[datetime, datetime]


class NoYearError(Exception):
    """Periods that are numbered in no year have none before."""


@dataclass(frozen=True)
class OwnUnit:
    """A unit: its periods, and how they stand in a table `of`: by `form`, which is `first`, `last` or `day`.

    What another unit is numbered in is a year, and its own.
    """

    name: str
    periods: tuple[tuple[datetime, datetime, str], ...]
    form: str
    year: str = ""
    outside: str = "refused"

    @property
    def of(self) -> str:
        """Name the table that the periods stand in."""
        return f"{self.name}_rows"

    def rows(self) -> list[Row]:
        """Give the rows of its table."""
        if self.form == "last":
            return [{"begins": s.date(), "ends": (e - DAY).date(), "called": name} for s, e, name in self.periods]
        if self.form == "first":
            end = {"begins": self.periods[-1][1].date(), "called": "end"}
            return [*({"begins": s.date(), "called": name} for s, _, name in self.periods), end]
        day, found = self.periods[0][0] - 3 * DAY, []
        while day < self.periods[-1][1] + 2 * DAY:
            number = self.number(day)
            found.append({"day": day.date(), "called": None if number is None else self.periods[number][2]})
            day += DAY
        return found

    def number(self, moment: datetime) -> int | None:
        """Number the period that a moment lies in."""
        return next((n for n, (start, end, _) in enumerate(self.periods) if start <= moment < end), None)

    def touched(self, start: datetime | None, end: datetime) -> list[Stretch]:
        """Give the parts of periods that lie in a stretch."""
        cut = [(s if start is None else max(s, start), min(e, end)) for s, e, _ in self.periods]
        return [(s, e) for s, e in cut if s < e]

    def last_begun(self, end: datetime) -> int | None:
        """Number the last period that begins before a moment."""
        return max((n for n, (start, _, _) in enumerate(self.periods) if start < end), default=None)

    def earlier(
        self, start: datetime | None, end: datetime | None, count: int
    ) -> tuple[datetime | None, datetime | None]:
        """Move a stretch back by so many periods."""
        return self._moved(start, end, lambda n: None if n < count else self.periods[n - count][:2])

    def years_earlier(
        self, start: datetime | None, end: datetime | None, years: OwnUnit, count: int
    ) -> tuple[datetime | None, datetime | None]:
        """Move a stretch to the periods that have the same numbers in an earlier year."""

        def before(n: int) -> Stretch | None:
            year = years.number(self.periods[n][0])
            if year is None:
                return self.periods[n][0], self.periods[n][0]
            if year < count:
                return None
            here, there = (
                [each for each in self.periods if s <= each[0] < e]
                for s, e, _ in (years.periods[year], years.periods[year - count])
            )
            place = here.index(self.periods[n])
            end = years.periods[year - count][1]
            return there[place][:2] if place < len(there) else (end, end)

        return self._moved(start, end, before)

    def _moved(
        self, start: datetime | None, end: datetime | None, before: Callable[[int], Stretch | None]
    ) -> tuple[datetime | None, datetime | None]:
        """Move the first moment with the period that it lies in, or the next, and the end with the last period that has begun.

        Whole periods become whole ones, a part the part that is as many days from the start, as far as there is one.
        """
        if start is not None and start == end:
            return start, end
        nothing = (self.periods[0][0], self.periods[0][0])
        following = None if start is None else next((n for n, each in enumerate(self.periods) if start < each[1]), None)
        begins = start is None or following is None or start <= self.periods[following][0]
        since = start
        if start is not None and following is not None:
            first, last = before(following) or nothing
            since = min(first + max(start - self.periods[following][0], 0 * DAY), last)
        until = end
        if end is not None and (begun := self.last_begun(end)) is not None:
            first, last = before(begun) or nothing
            whole = begins and end >= self.periods[begun][1]
            until = last if whole else min(first + (min(end, self.periods[begun][1]) - self.periods[begun][0]), last)
        return since, until if since is None or until is None else max(since, until)

    def trailing(self, end: datetime, count: int) -> datetime:
        """Give the start of so many periods that end at a moment."""
        begun = self.last_begun(end)
        if begun is None:
            return end
        whole = end >= self.periods[begun][1]
        first = begun - count + whole
        if first < 0:
            return self.periods[0][0]
        start, last, _ = self.periods[first]
        return start if whole else min(start + (end - self.periods[begun][0]), last)
