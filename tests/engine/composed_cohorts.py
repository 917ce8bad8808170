"""What a cohort means, for the table of compositions: the first visit of each entity, and who of them came again some weeks later."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from fractions import Fraction
from typing import TYPE_CHECKING

from composed import ALMANAC, Kind, Place, Row, Rows, Value, divided, holds, midnight
from oracle_calendar import Window, floor

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

WEEK = timedelta(days=7)
Entity = tuple[object, ...]


@dataclass(frozen=True)
class Cohort(Kind):
    """How many different visitors came again at any of the ages, in weeks, for each entity whose first visit it was.

    Where `later` rows are named it is their number.
    """

    rows: Rows
    keys: tuple[str, ...]
    ages: tuple[int, int]
    later: Rows | None = None

    def value(self, place: Place) -> Value:
        firsts = {
            entity: row for entity, row in self.firsts(place).items() if self._is_old(midnight(row["day"]), place)
        }
        starts = [window.start for window in place.windows]
        if not firsts and not any(start is not None and self._is_old(start, place) for start in starts):
            return None
        later = self._timed(place) if self.later is None else self.later.at(Place({}, Window(None, None), place.as_of))
        back = [row for row in later if self._is_back(row, firsts.get(self._entity(row)))]
        if self.later is not None:
            return Fraction(len(back))
        return divided(Fraction(len({row["visitor"] for row in back})), Fraction(len(firsts)))

    def seen(self, place: Place) -> Iterator[tuple[Row, Place]]:
        yield from ((row, place) for row in self.firsts(place).values() if self._is_old(midnight(row["day"]), place))

    def firsts(self, place: Place) -> dict[Entity, Row]:
        """Give the first row of each entity, of all time, where it lies in the place."""
        found: dict[Entity, Row] = {}
        for row in sorted(self._timed(place), key=lambda each: (each["day"], each["id"])):
            if None not in self._entity(row):
                found.setdefault(self._entity(row), row)
        return {entity: row for entity, row in found.items() if self._lies_in(place, row)}

    def _lies_in(self, place: Place, row: Row) -> bool:
        return place.within(row) and any(holds(window, midnight(row["day"])) for window in place.windows)

    def _timed(self, place: Place) -> list[Row]:
        rows = self.rows.tables[self.rows.dataset]
        return [row for row in rows if row["day"] is not None and midnight(row["day"]) < place.as_of]

    def _entity(self, row: Row) -> Entity:
        return tuple(row[key] for key in self.keys)

    def _is_old(self, moment: datetime, place: Place) -> bool:
        return floor(moment, "week", ALMANAC) + (self.ages[1] + 1) * WEEK <= place.as_of

    def _is_back(self, row: Row, first: Row | None) -> bool:
        if first is None:
            return False
        days = [midnight(first["day"]), midnight(row["day" if self.later is None else self.later.time])]
        if days[1] < days[0]:
            return False
        weeks = [floor(day, "week", ALMANAC) for day in days]
        return self.ages[0] <= (weeks[1] - weeks[0]) // WEEK <= self.ages[1]
