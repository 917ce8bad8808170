"""Ages: how many calendar units lie between two moments, by numbering the units of a calendar."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, Literal, cast

from kpi_engine.calendar.spans import month_index
from kpi_engine.errors import DefinitionError, Diagnostic, nearest

if TYPE_CHECKING:
    from datetime import datetime

    from kpi_engine.calendar.calendars import Calendar

AgeUnit = Literal["day", "week", "month", "quarter", "year", "fiscal_quarter", "fiscal_year"]
"""A calendar unit in which an age is counted."""

_LENGTHS: Final = MappingProxyType(
    {"day": 1, "week": 7, "month": 1, "quarter": 3, "year": 12, "fiscal_quarter": 3, "fiscal_year": 12}
)
_OF_DAYS: Final = ("day", "week")


@dataclass(frozen=True)
class Units:
    """The units of a calendar, numbered one after the other: so many days, or months, each.

    Days are numbered from 1 January of the year 1, which is 1, and months from January of the year 0; `before` is how many of them
    lie before the first unit, or after its start where it is negative.
    """

    of: Literal["days", "months"]
    length: int
    before: int

    def number(self, moment: datetime) -> int:
        """Give the number of the unit that a local time lies in.

        >>> from datetime import datetime
        >>> from kpi_engine.calendar import Calendar
        >>> months = units_of("month", Calendar())
        >>> months.number(datetime(2026, 3, 1)) - months.number(datetime(2026, 1, 31, 23, 59))
        2
        """
        place = moment.toordinal() if self.of == "days" else month_index(moment)
        return (place - self.before) // self.length


def units_of(unit: AgeUnit, calendar: Calendar) -> Units:
    """Give the numbering of the units of a calendar."""
    if unit in _OF_DAYS:
        before = calendar.week_start - 6 if unit == "week" else 0
        return Units("days", _LENGTHS[unit], before)
    return Units("months", _LENGTHS[unit], calendar.fiscal_start - 1 if unit.startswith("fiscal") else 0)


def parse_age(text: str) -> AgeUnit:
    """Read the unit of an age: a day, or a longer unit of the calendar. Raise `bad_age` for anything else."""
    word = "_".join(text.casefold().replace("-", " ").replace("_", " ").split())
    if word not in _LENGTHS:
        message = f"`{text}` is not a unit in which an age is counted"
        raise DefinitionError([Diagnostic("bad_age", message, hint=nearest(word, _LENGTHS))])
    return cast("AgeUnit", word)
