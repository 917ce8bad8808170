"""The moment as of which a result is true."""

from __future__ import annotations

import re
from calendar import monthrange
from datetime import date, datetime, time
from typing import TYPE_CHECKING

from kpi_engine.calendar.spans import DAY
from kpi_engine.errors import RequestError, shown

if TYPE_CHECKING:
    from kpi_engine.calendar.calendars import Calendar

FIRST_YEAR = 1900
LAST_YEAR = 2200


def parse_moment(value: str | date | datetime | None, calendar: Calendar) -> datetime:
    """Read an `as_of` as a local time before which everything counts.

    A date counts whole, so it becomes the midnight that ends it. A time with an offset is converted to the project's zone, one without
    is taken to be local. None is now. Texts are ISO: `2026-07-15`, `2026-07-15T14:30`, `2026-07-15T12:30Z`.
    Raise `bad_as_of` for anything else, and outside the years 1900 to 2200.
    """
    if value is None:
        return datetime.now(calendar.zone).replace(tzinfo=None)
    moment = _read(value) if isinstance(value, str) else value
    if not isinstance(moment, date):
        raise _bad(value)
    try:
        local = _local(moment, calendar)
    except (TypeError, ValueError, OverflowError) as error:
        beyond = f"; its year is outside {FIRST_YEAR} to {LAST_YEAR}" if isinstance(error, OverflowError) else ""
        raise _bad(value, beyond) from error
    if not FIRST_YEAR <= local.year <= LAST_YEAR:
        raise _bad(value, f"; its year is outside {FIRST_YEAR} to {LAST_YEAR}")
    return local


def _read(text: str) -> date | datetime:
    """Read an ISO date or time."""
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        pass
    try:
        return datetime.fromisoformat(text.strip())
    except ValueError as error:
        raise _bad(text, _no_such_day(text)) from error


def _no_such_day(text: str) -> str:
    """Say of a text that looks like a date how many days its month has; nothing of other texts."""
    match = re.match(r"([0-9]{4})-(0[1-9]|1[0-2])-([0-9]{2})", text.strip())
    if match is None or match[1] == "0000":
        return ""
    days = monthrange(int(match[1]), int(match[2]))[1]
    return f"; the month {match[1]}-{match[2]} has {days} days" if not 1 <= int(match[3]) <= days else ""


def _local(moment: date | datetime, calendar: Calendar) -> datetime:
    if not isinstance(moment, datetime):
        return datetime.combine(moment, time()) + DAY
    # Rebuilt, because a data frame's timestamp is a datetime with arithmetic of its own.
    clock = time(moment.hour, moment.minute, moment.second, moment.microsecond, moment.tzinfo, fold=moment.fold)
    plain = datetime.combine(date(moment.year, moment.month, moment.day), clock)
    return plain if plain.tzinfo is None else plain.astimezone(calendar.zone).replace(tzinfo=None)


def _bad(value: object, why: str = "") -> RequestError:
    return RequestError(
        f"{shown(value) if value != '' else 'an empty text'} is not a moment as of which a result can be given{why}",
        code="bad_as_of",
        hint="write a date such as 2026-07-15, or a time such as 2026-07-15T14:30 or 2026-07-15T12:30Z",
    )
