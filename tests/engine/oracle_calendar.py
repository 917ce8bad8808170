"""Periods in plain Python, for the oracle: written from the language's rules, sharing no code with the engine."""

from __future__ import annotations

import itertools
from calendar import monthrange
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from oracle_units import NoYearError

if TYPE_CHECKING:
    from oracle_units import OwnUnit

DAY = timedelta(days=1)
MOMENT = timedelta(microseconds=1)
MONTHS = {"month": 1, "quarter": 3, "year": 12, "fiscal_quarter": 3, "fiscal_year": 12}
DAYS = {"day": 1, "week": 7}
LENGTHS = {
    "second": timedelta(seconds=1),
    "minute": timedelta(minutes=1),
    "hour": timedelta(hours=1),
    "day": DAY,
    "week": 7 * DAY,
}
ORDER_DAYS = {
    "second": 1e-5, "minute": 1e-3, "hour": 0.04, "day": 1, "week": 7, "month": 28, "quarter": 90, "year": 365,
    "fiscal_quarter": 90, "fiscal_year": 365,
}  # fmt: skip
"""About how many days a unit has at least."""


class NoPreviousError(Exception):
    """Nothing comes before everything."""


@dataclass(frozen=True)
class Almanac:
    """A project's zone, first day of the week (0 is Monday), and first month of the fiscal year, which is named after its start or end."""

    zone: str = "UTC"
    week_start: int = 0
    fiscal_start: int = 1
    named_after: str = "end"
    units: tuple[OwnUnit, ...] = ()

    def own(self, unit: str) -> OwnUnit | None:
        """Give a unit of the project's own."""
        return next((each for each in self.units if each.name == unit), None)


PLAIN = Almanac()


@dataclass(frozen=True)
class Window:
    """Local time from `start` to `end`; `previous` says how it steps back, `weekly` that a year is 52 weeks."""

    start: datetime | None
    end: datetime | None
    previous: tuple[str, int, str] = ("none", 0, "")
    weekly: bool = False


@dataclass(frozen=True)
class Asked:
    """A period as asked for: its text, and the window it means."""

    text: str | None
    window: Window


def in_unit(moment: datetime, grain: str, almanac: Almanac) -> datetime | None:
    """Find the start of the unit that a local time lies in, if it lies in one."""
    if (own := almanac.own(grain)) is None:
        return floor(moment, grain, almanac)
    number = own.number(moment)
    return None if number is None else own.periods[number][0]


def floor(moment: datetime, grain: str, almanac: Almanac) -> datetime:
    """Find the start of the unit of every project that a local time lies in."""
    day = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    if grain in {"hour", "minute", "second"}:
        return moment - (moment - day) % LENGTHS[grain]
    if grain == "day":
        return day
    if grain == "week":
        while day.weekday() != almanac.week_start:
            day -= DAY
        return day
    day = day.replace(day=1)
    first = almanac.fiscal_start if grain.startswith("fiscal") else 1
    while (day.month - first) % MONTHS[grain]:
        day = (day - DAY).replace(day=1)
    return day


def following(start: datetime, grain: str) -> datetime:
    """Find the start of the next unit."""
    return start + LENGTHS[grain] if grain in LENGTHS else plus_months(start, MONTHS[grain])


def plus_months(moment: datetime, months: int) -> datetime:
    """Move by months; the last day of a shorter month stands for those it lacks."""
    number = moment.year * 12 + moment.month - 1 + months
    year, month = divmod(number, 12)
    return moment.replace(year=year, month=month + 1, day=min(moment.day, monthrange(year, month + 1)[1]))


def back(window: Window, count: int, unit: str, almanac: Almanac = PLAIN) -> Window:
    """Move a window earlier: whole months stay whole months; of another stretch the first and the last moment move."""
    if (own := almanac.own(unit)) is not None:
        named = almanac.own(window.previous[2])
        if named is not None and named.year == unit != named.name:
            start, end = named.years_earlier(window.start, window.end, own, count)
        else:
            start, end = own.earlier(window.start, window.end, count)
        return replace(window, start=start, end=end)
    if unit in LENGTHS:
        length = count * LENGTHS[unit]
        return replace(window, start=window.start and window.start - length, end=window.end and window.end - length)
    months = -count * MONTHS[unit]
    start, end = window.start, window.end
    whole = all(edge is None or edge == edge.replace(day=1, hour=0, minute=0) for edge in (start, end))
    if whole:
        return replace(window, start=start and plus_months(start, months), end=end and plus_months(end, months))
    return replace(
        window, start=start and plus_months(start, months), end=end and plus_months(end - MOMENT, months) + MOMENT
    )


def first_day(window: Window, unit: str, almanac: Almanac) -> Window:
    """Give the first day of the unit in which a window starts."""
    if window.start is None:
        raise NoPreviousError
    start = in_unit(window.start, unit, almanac)
    if start is None:
        return replace(window, end=window.start)
    return replace(window, start=start, end=start + DAY)


def previous(window: Window, almanac: Almanac = PLAIN) -> Window:
    """Give the window before: one step of the grain, or the period before."""
    kind, count, unit = window.previous
    if kind == "to_date" and window.start is None:
        return back(window, 1, unit, almanac)
    if kind == "to_date":
        assert window.start is not None
        assert window.end is not None
        whole = back(Window(window.start, window.start + DAY), 1, unit, almanac)
        start = whole.start
        assert start is not None
        end = min(start + (window.end - window.start), window.start)
        own = almanac.own(unit)
        ends = [e for s, e, _ in own.periods if s == start] if own is not None else []
        return replace(window, start=start, end=min(end, *ends) if ends else end)
    if kind != "step":
        raise NoPreviousError
    return back(window, count, unit, almanac)


def year_before(window: Window, almanac: Almanac = PLAIN) -> Window:
    """Give the window a year before; weeks go back by 52 weeks, and units of the project's own to the same number of the year before."""
    if (own := almanac.own(window.previous[2])) is not None:
        if not own.year:
            raise NoYearError
        return back(window, 1, own.year, almanac)
    return back(window, 52, "week") if window.weekly else back(window, 1, "year")


def frame(asked: Window, grains: tuple[str, ...], almanac: Almanac) -> list[tuple[datetime | None, Window]]:
    """Cut a window into the units of a grain, or wherever a unit of several ends: the start of each, and the part that was asked for."""
    if not grains:
        return [(None, asked)]
    start, end = asked.start, asked.end
    assert start is not None
    assert end is not None
    cuts = set()
    for grain in grains:
        if (own := almanac.own(grain)) is not None:
            cuts |= {bound for part in own.touched(start, end) for bound in part}
            continue
        cuts.add(end)
        unit = floor(start, grain, almanac)
        while unit < end:
            cuts.add(max(unit, start))
            unit = following(unit, grain)
    finest = min(grains, key=lambda each: _length(each, almanac))
    found = []
    for since, until in itertools.pairwise(sorted(cuts)):
        starts = [in_unit(since, grain, almanac) for grain in grains]
        if any(starts):
            found.append(
                (max(each or since for each in starts), Window(since, until, ("step", 1, finest), finest == "week"))
            )
    return found


def _length(unit: str, almanac: Almanac) -> float:
    """Say about how many days a unit has; one of the project's own has those of its shortest period."""
    own = almanac.own(unit)
    return (ORDER_DAYS[unit]) if own is None else min((end - start).days for start, end, _ in own.periods)


def covering(window: Window, covers: tuple[Any, ...], as_of: datetime, almanac: Almanac) -> Window:
    """Widen a window to the unit it ends in, to a length, or to the beginning; what is not known yet ends it."""
    if covers[0] == "all":
        return replace(window, start=None)
    end = as_of if window.end is None else min(window.end, as_of)
    if covers[0] == "to_date":
        start = in_unit(end - MOMENT, covers[1], almanac)
        return replace(window, start=end if start is None else start, end=end)
    midnight = end.replace(hour=0, minute=0, second=0, microsecond=0)
    days_end = midnight if midnight == end else midnight + DAY
    if (own := almanac.own(covers[2])) is not None:
        return replace(window, start=own.trailing(days_end, covers[1]), end=end)
    return replace(window, start=back(Window(None, days_end), *covers[1:]).end, end=end)
