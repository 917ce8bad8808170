"""The company's days: how busy each one is, and what happened."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from kpi_engine.sample.dice import Dice

if TYPE_CHECKING:
    from collections.abc import Iterator

FIRST_DAY = date(2024, 7, 1)
"""The first day of the sample data."""
LAST_DAY = date(2026, 6, 30)
"""The last day of the sample data; 2026-Q2 is their last full quarter."""
HISTORY_START = date(2024, 3, 1)
"""Visits before the first day are made and left out, so that visit numbers come from the whole history."""
ZONE = "Europe/Paris"
CAMPAIGN = "printemps_2026"
CAMPAIGN_START, CAMPAIGN_END = date(2026, 4, 13), date(2026, 5, 24)
OUTAGE = (date(2025, 11, 18), date(2025, 11, 20))
"""Nothing was tracked from the first to the last of these days."""
SLOW_MONTH = (2026, 2)

_WEEKDAY = (1.09, 1.16, 1.12, 1.10, 0.95, 0.46, 0.52)
_SEASON = (1.12, 1.00, 1.04, 1.01, 0.95, 1.01, 0.86, 0.62, 1.17, 1.09, 1.05, 0.92)
_GROWTH_PER_DAY = 1.00072
_HOLIDAYS = frozenset({(1, 1), (5, 1), (5, 8), (7, 14), (8, 15), (11, 1), (11, 11), (12, 25)})
_EASTER_MONDAYS = frozenset({date(2024, 4, 1), date(2025, 4, 21), date(2026, 4, 6)})


@dataclass(frozen=True)
class Day:
    """A day: `shape` is how busy it is for the time of year (1 is usual), `growth` how far the company has come (1 on the first day)."""

    date: date
    number: int
    """0 is the first day of the data; days before it are negative."""
    shape: float
    growth: float
    midnight: int
    """When the day begins in Paris, in seconds since 1970."""

    @property
    def weight(self) -> float:
        """How much happens on this day, of whatever follows season and growth."""
        return self.shape * self.growth

    @property
    def tracked(self) -> bool:
        """Whether the site's tracking worked."""
        return not OUTAGE[0] <= self.date <= OUTAGE[1]

    @property
    def in_campaign(self) -> bool:
        """Whether the spring campaign ran."""
        return CAMPAIGN_START <= self.date <= CAMPAIGN_END

    def at(self, seconds: int) -> datetime:
        """Give the instant so many seconds after the day began in Paris."""
        return instant(self.midnight + seconds)


def instant(seconds: int) -> datetime:
    """Give the instant so many seconds after 1970 began, in UTC."""
    return datetime.fromtimestamp(seconds, UTC)


@cache
def all_days() -> tuple[Day, ...]:
    """List the days, those of the history before the data included."""
    dice = Dice("days")
    return tuple(_day(day, growth, dice) for day, growth in _dates_and_growth())


@cache
def data_days() -> tuple[Day, ...]:
    """List the days of the data."""
    return tuple(day for day in all_days() if day.number >= 0)


def months() -> Iterator[date]:
    """Give the first day of every month of the data."""
    return (day.date for day in data_days() if day.date.day == 1)


def _dates_and_growth() -> Iterator[tuple[date, float]]:
    growth = 1.0
    for _ in range((FIRST_DAY - HISTORY_START).days):
        growth /= _GROWTH_PER_DAY
    for number in range((LAST_DAY - HISTORY_START).days + 1):
        yield HISTORY_START + timedelta(days=number), growth
        growth *= _GROWTH_PER_DAY


def _day(day: date, growth: float, dice: Dice) -> Day:
    shape = _WEEKDAY[day.weekday()] * _season(day) * _calm(day) * dice.around(0.09)
    midnight = datetime.combine(day, time(), ZoneInfo(ZONE))
    return Day(day, (day - FIRST_DAY).days, shape, growth, int(midnight.timestamp()))


def _season(day: date) -> float:
    """Go straight from the middle of one month to the middle of the next, so that no month begins with a step."""
    month, part = day.month - 1, (day.day - 15) / 30
    other = (month + (1 if part > 0 else -1)) % 12
    return _SEASON[month] + (_SEASON[other] - _SEASON[month]) * abs(part)


def _calm(day: date) -> float:
    if (day.month, day.day) >= (12, 21) or (day.month, day.day) <= (1, 3):
        return 0.5
    if (day.month, day.day) in _HOLIDAYS or day in _EASTER_MONDAYS:
        return 0.55
    return 0.76 if (day.year, day.month) == SLOW_MONTH else 1.0
