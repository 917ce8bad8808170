"""Periods read from the words people use, in English and French."""

from __future__ import annotations

import re
import unicodedata
from calendar import monthrange
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, cast

from kpi_engine.calendar.buckets import first_week, fiscal_year_start, floor, step, unit_of, week_number
from kpi_engine.calendar.moments import FIRST_YEAR, LAST_YEAR
from kpi_engine.calendar.periods import Kind, Period
from kpi_engine.calendar.spans import DAY, Span, last_day, midnight
from kpi_engine.calendar.units import in_no_unit
from kpi_engine.calendar.zones import shown_until
from kpi_engine.errors import RequestError, nearest, shown

if TYPE_CHECKING:
    from kpi_engine.calendar.calendars import Calendar
    from kpi_engine.calendar.grains import Grain
    from kpi_engine.calendar.units import CustomUnit

_WORDS: Final = MappingProxyType(
    {
        "last": "last previous dernier derniere derniers dernieres precedent precedente precedents precedentes",
        "this": "current ce cet cette",
        "day": "days jour jours",
        "week": "weeks semaine semaines",
        "month": "months mois",
        "quarter": "quarters trimestre trimestres",
        "year": "years an ans annee annees",
        "fiscal": "fiscale fiscaux fiscales",
        "fiscal year": "exercice exercices",
        "yesterday": "hier",
        "today": "aujourd'hui",
        "": "le la les the",
    }
)
"""The words that stand for each word of the grammar below; accents and case are gone by then."""

_EXAMPLES: Final = (
    "2026, 2026-Q3, 2026-07, 2026-W05, 2026-07-15, 2026-01-15..2026-03-31, fiscal 2026, fiscal 2026-Q3, "
    "last 28 days, last 3 months, last quarter, this month, yesterday, year to date"
)
_PHRASES: Final = (
    "today", "yesterday", "this month", "this quarter", "this year", "last week", "last month", "last quarter", "last year",
    "month to date", "quarter to date", "year to date",
)  # fmt: skip

LONGEST: Final = 100
"""A longer text means no period."""
_ADVICE: Final = (
    (r"all\b|forever$|ever$|always$|tout\b|toujours$", "leave the period out: then all the data are taken"),
    (r"next\b|tomorrow$|demain$|prochain|.*\bprochaine?s?$", "write the period itself, such as 2026-07"),
    (r"[0-9]{1,4}[/.][0-9]{1,2}[/.][0-9]{1,4}$", "write year, month and day in this order, such as 2026-07-15"),
    (
        r"(?:jan|feb|fev|mar|apr|avr|may|mai|jun|jui|jul|aug|aou|sep|oct|nov|dec)[a-z]*\.? [0-9]{2,4}$",
        "write a month such as 2026-07",
    ),
    (r"[qt][1-4]$", "write the year as well, such as 2026-Q3"),
    (r"[a-z0-9]+_[a-z0-9_]+$", "write blanks between the words, such as last 28 days"),
    (r"[0-9-]+t[0-9:]+|[0-9-]+ [0-9]+:[0-9:]+", "a period begins and ends with a day: write it without the time"),
    (r"[0-9]{8}$", "write a day such as 2026-07-15"),
)
"""What to say of texts that one often meets, in the words of the grammar."""
_UNIT: Final = r"(?P<unit>fiscal quarter|fiscal year|day|week|month|quarter|year)"
_YEAR: Final = r"(?P<year>[0-9]{4})"


@dataclass(frozen=True)
class _Asking:
    """All that the words of a period depend on."""

    text: str
    words: str
    calendar: Calendar
    today: datetime
    as_of: datetime

    def match(self, pattern: str, words: str) -> re.Match[str] | None:
        """Match words with a form, in which a unit may also be one of the project's own."""
        own = "".join(f"|{unit}" for unit in self.calendar.units)
        return re.fullmatch(pattern.replace(_UNIT, f"{_UNIT[:-1]}{own})") if own else pattern, words)


def parse_period(text: str | int | date | tuple[date, date] | None, calendar: Calendar, as_of: datetime) -> Period:
    """Read a period in words, as a date, or as two dates that are both included; None is no period.

    `as_of` is a local time before which everything counts, as `parse_moment` gives it: today is the day of the last instant before it,
    so that an `as_of` at midnight still speaks of the day that has just ended. Periods to date end at `as_of`.
    Raise `bad_period`, `reversed_period` (the end is before the start) or `impossible_date` (30 February).
    """
    if text is None:
        return Period(Span(None, None), "all", None, 0, "")
    written = _written(text)
    if len(written) > LONGEST:
        raise _refused(_Asking(written, written, calendar, as_of, as_of))
    asking = _Asking(written, _canonical(written, calendar), calendar, last_day(as_of), as_of)
    for pattern, read in _FORMS:
        if match := asking.match(pattern, asking.words):
            return _checked(replace(read(match, asking), text=written), asking)
    if (named := _named(asking.words, asking)) is not None:
        return replace(named, text=written)
    raise _refused(asking)


def _written(text: object) -> str:
    """Write what stands for a period as a text: a date as ISO, two dates as a range."""
    if isinstance(text, tuple | list):
        return "..".join(_written(end) for end in text)
    return text.isoformat().removesuffix("T00:00:00") if isinstance(text, date) else str(text).strip()


def _canonical(text: str, calendar: Calendar) -> str:
    """Say it in the words of the grammar: lower case, no accents or articles, single blanks, English words, units by their names."""
    plain = unicodedata.normalize("NFKD", text.casefold().replace("\u2019", "'"))
    plain = "".join(letter for letter in plain if not unicodedata.combining(letter))
    plain = re.sub(r"\bl'|-ci\b", "", plain)
    english = {word: name for name, words in _WORDS.items() for word in words.split()}
    said = " ".join(filter(None, (english.get(word, word) for word in plain.split())))
    for unit in calendar.units:
        said = re.sub(rf"\b{unit.replace('_', '[ _-]')}s?(?![\w-])", unit, said)
    return re.sub(r"\b(quarter|year) fiscal\b", r"fiscal \1", re.sub(r"\s*\.{2,}\s*", "..", said))


def _checked(period: Period, asking: _Asking) -> Period:
    """Refuse what reaches too far back; the first fiscal year may begin in the year before."""
    if cast("datetime", period.span.start).year < FIRST_YEAR - 1:
        raise _refused(asking, f"it reaches beyond the years {FIRST_YEAR} to {LAST_YEAR}")
    return period


def _refused(asking: _Asking, why: str = "") -> RequestError:
    said = f"{shown(asking.text)} is not a period that is understood" if asking.words else "the period is empty"
    close = (
        ""
        if len(asking.words) > LONGEST or any(letter.isdigit() for letter in asking.words)
        else nearest(asking.words, _PHRASES)
    )
    meant = f"{close} " if close.endswith("?") else ""
    hint = next(
        (advice for pattern, advice in _ADVICE if re.match(pattern, asking.words)),
        f"{meant}what is understood: {_EXAMPLES}",
    )
    return RequestError(said + (why and f": {why}"), code="bad_period", hint=hint)


def _impossible(asking: _Asking, why: str, hint: str) -> RequestError:
    return RequestError(f"{shown(asking.text)} does not exist: {why}", code="impossible_date", hint=hint)


def _unit(start: datetime, grain: Grain, asking: _Asking) -> Period:
    """Make a period of the calendar unit that starts at `start`."""
    return Period(Span(start, step(start, grain, asking.calendar)), "unit", grain, 1, asking.text)


def _grain(word: str) -> Grain:
    return word.replace(" ", "_")


def _named(words: str, asking: _Asking) -> Period | None:
    """Find a period of the project's own units by its name, with the unit before it or without; None where there is none.

    A name may begin with the unit itself, as `Term 7` of the unit `term` does.
    """
    unit, _, name = words.partition(" ")
    if unit in asking.calendar.units and name:
        own = asking.calendar.units[unit]
        found = _numbers_named(name, own, asking) or _numbers_named(words, own, asking)
        if len(found) != 1:
            raise _unnamed(asking, f"`{unit}` has {'several periods' if found else 'no period'} of this name", unit)
        return _own(own, found[0], asking)
    every = {each.name: _numbers_named(words, each, asking) for each in asking.calendar.units.values()}
    having = [each for each, numbers in every.items() if numbers]
    if not having:
        return None
    if len(having) > 1 or len(every[having[0]]) > 1:
        several = " and ".join(f"`{each}`" for each in having)
        raise RequestError(
            f"{shown(asking.text)} names several periods, of {several}",
            code="bad_period",
            hint=f"write the unit before it: `{having[0]} {asking.text}`",
        )
    return _own(asking.calendar.units[having[0]], every[having[0]][0], asking)


def _unnamed(asking: _Asking, why: str, unit: str) -> RequestError:
    name = asking.words.partition(" ")[2]
    message = f"{shown(asking.text)} is not a period that is understood: {why}"
    return RequestError(message, code="bad_period", hint=nearest(name, asking.calendar.units[unit].names))


def _numbers_named(words: str, unit: CustomUnit, asking: _Asking) -> list[int]:
    """Give the numbers of the periods of a unit that are called so, whatever the capitals and accents."""
    return [number for number, name in enumerate(unit.names) if _canonical(name, asking.calendar) == words]


def _own(unit: CustomUnit, number: int, asking: _Asking) -> Period:
    return Period(unit.of(number, number), "unit", unit.name, 1, asking.text)


def _year_of(match: re.Match[str], asking: _Asking) -> int:
    year = int(match["year"])
    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise _refused(asking, f"the year {match['year']} is outside {FIRST_YEAR} to {LAST_YEAR}")
    return year


def _read_year(match: re.Match[str], asking: _Asking) -> Period:
    return _unit(midnight(_year_of(match, asking)), "year", asking)


def _read_quarter(match: re.Match[str], asking: _Asking) -> Period:
    quarter = _quarter_of(match, asking)
    return _unit(midnight(_year_of(match, asking), 3 * quarter - 2), "quarter", asking)


def _quarter_of(match: re.Match[str], asking: _Asking) -> int:
    quarter = int(match["quarter"])
    if not 1 <= quarter <= 4:  # noqa: PLR2004
        raise _impossible(asking, "a year has the quarters 1 to 4", "write a quarter such as 2026-Q3")
    return quarter


def _read_month(match: re.Match[str], asking: _Asking) -> Period:
    return _unit(midnight(_year_of(match, asking), _month_of(match, asking)), "month", asking)


def _month_of(match: re.Match[str], asking: _Asking) -> int:
    month = int(match["month"])
    if not 1 <= month <= 12:  # noqa: PLR2004
        raise _impossible(asking, "a year has the months 1 to 12", "write a month such as 2026-07")
    return month


def _read_week(match: re.Match[str], asking: _Asking) -> Period:
    year, week = _year_of(match, asking), int(match["week"])
    start = first_week(year, asking.calendar) + 7 * (week - 1) * DAY
    if week_number(start) != (year, week):
        weeks = week_number(first_week(year + 1, asking.calendar) - 7 * DAY)[1]
        raise _impossible(asking, f"{year} has the weeks 1 to {weeks}", f"its last week is {year}-W{weeks}")
    return _unit(start, "week", asking)


def _read_day(match: re.Match[str], asking: _Asking) -> Period:
    year, month, day = _year_of(match, asking), _month_of(match, asking), int(match["day"])
    days = monthrange(year, month)[1]
    if not 1 <= day <= days:
        name = f"{year}-{month:02}"
        raise _impossible(asking, f"the month {name} has {days} days, not {day}", f"its last day is {name}-{days}")
    return _unit(midnight(year, month, day), "day", asking)


def _read_fiscal(match: re.Match[str], asking: _Asking) -> Period:
    start = fiscal_year_start(_year_of(match, asking), asking.calendar)
    if match["quarter"] is None:
        return _unit(start, "fiscal_year", asking)
    quarter = _quarter_of(match, asking)
    return _unit(step(start, "fiscal_quarter", asking.calendar, quarter - 1), "fiscal_quarter", asking)


def _read_today(_: re.Match[str], asking: _Asking) -> Period:
    return _unit(asking.today, "day", asking)


def _read_yesterday(_: re.Match[str], asking: _Asking) -> Period:
    return _unit(asking.today - DAY, "day", asking)


def _read_this(match: re.Match[str], asking: _Asking) -> Period:
    grain = _grain(match["unit"])
    if (whole := unit_of(asking.today, grain, asking.calendar)) is None:
        raise in_no_unit(asking.today, grain)
    return Period(whole, "unit", grain, 1, asking.text)


def _read_last(match: re.Match[str], asking: _Asking) -> Period:
    grain = _grain(match["unit"])
    if grain in asking.calendar.units:
        return _several(asking.calendar.units[grain].ended(asking.today, 1), grain, 1, asking)
    return _unit(step(floor(asking.today, grain, asking.calendar), grain, asking.calendar, -1), grain, asking)


def _read_last_units(match: re.Match[str], asking: _Asking) -> Period:
    """Take the n whole units before the one that is running."""
    grain, count = _grain(match["unit"]), int(match["count"])
    if count < 1:
        raise _refused(asking, "ask for at least 1")
    if grain in asking.calendar.units:
        return _several(asking.calendar.units[grain].ended(asking.today, count), grain, count, asking)
    end = floor(asking.today, grain, asking.calendar)
    try:
        start = step(end, grain, asking.calendar, -count)
    except (ValueError, OverflowError) as error:
        raise _refused(asking, f"it reaches beyond the years {FIRST_YEAR} to {LAST_YEAR}") from error
    return _several(Span(start, end), grain, count, asking)


def _several(span: Span, grain: Grain, count: int, asking: _Asking) -> Period:
    """Make a period of n units; one unit is that unit, and several days are a range."""
    kind: Kind = "unit" if count == 1 else "range" if grain == "day" else "units"
    return Period(span, kind, grain, count, asking.text)


def _read_to_date(match: re.Match[str], asking: _Asking) -> Period:
    grain = _grain(match["unit"])
    end = shown_until(asking.as_of, asking.calendar.zone)
    return Period(Span(floor(asking.today, grain, asking.calendar), end), "to_date", grain, 1, asking.text)


def _read_range(match: re.Match[str], asking: _Asking) -> Period:
    """From the start of the first unit to the end of the second."""
    fiscal = match["first"].startswith(("fiscal", "fy"))
    again = fiscal and re.fullmatch(r"[0-9]{4}(?:-?[qt][0-9])?", match["last"])
    first, last = (
        _read_end(words, asking) for words in (match["first"], f"fiscal {match['last']}" if again else match["last"])
    )
    span = Span(first.span.start, last.span.end)
    if cast("datetime", first.span.start) >= cast("datetime", last.span.end):
        raise RequestError(
            f"`{asking.text}` ends before it starts",
            code="reversed_period",
            hint="write "
            + re.sub(r"(?<=[0-9]-)[wq]", lambda unit: unit[0].upper(), f"{match['last']}..{match['first']}"),
        )
    if first.grain == last.grain and first.grain is not None:
        return _several(span, first.grain, _count(span, first.grain, asking), asking)
    return _several(span, "day", _count(span, "day", asking), asking)


def _read_end(words: str, asking: _Asking) -> Period:
    """Read one end of a range, which is one calendar unit."""
    for pattern, read in _UNIT_FORMS:
        if match := asking.match(pattern, words):
            return read(match, asking)
    if (named := _named(words, asking)) is not None:
        return named
    raise _refused(
        asking, f"{shown(words)} is not a date, a week, a month, a quarter or a year" if words else "an end is missing"
    )


def _count(span: Span, grain: Grain, asking: _Asking) -> int:
    start, end = cast("datetime", span.start), cast("datetime", span.end)
    if grain in asking.calendar.units:
        return len(asking.calendar.units[grain].within(span))
    if grain in {"day", "week"}:
        return (end - start).days // (7 if grain == "week" else 1)
    units = 0
    while start < end:
        start, units = step(start, grain, asking.calendar), units + 1
    return units


_Reader = Callable[[re.Match[str], _Asking], Period]

_UNIT_FORMS: Final[tuple[tuple[str, _Reader], ...]] = (
    (_YEAR, _read_year),
    (rf"{_YEAR}-?[qt](?P<quarter>[0-9])", _read_quarter),
    (rf"[qt](?P<quarter>[0-9]) {_YEAR}", _read_quarter),
    (rf"{_YEAR}-(?P<month>[0-9]{{1,2}})", _read_month),
    (rf"{_YEAR}-?w(?P<week>[0-9]{{1,2}})", _read_week),
    (rf"{_YEAR}-(?P<month>[0-9]{{1,2}})-(?P<day>[0-9]{{1,2}})", _read_day),
    (rf"(?:fiscal(?: year)?|fy) ?{_YEAR}(?:-?[qt](?P<quarter>[0-9]))?", _read_fiscal),
    ("today", _read_today),
    ("yesterday", _read_yesterday),
    (rf"this {_UNIT}", _read_this),
    (rf"last {_UNIT}", _read_last),
    (rf"{_UNIT} last", _read_last),
)
"""One calendar unit."""

_FORMS: Final[tuple[tuple[str, _Reader], ...]] = (
    *_UNIT_FORMS,
    (rf"last (?P<count>[0-9]{{1,6}}) {_UNIT}", _read_last_units),
    (rf"(?P<count>[0-9]{{1,6}}) last {_UNIT}", _read_last_units),
    (rf"{_UNIT} to date", _read_to_date),
    (rf"{_UNIT} en cours", _read_to_date),
    (r"(?P<first>.*?)\.\.(?P<last>.*)", _read_range),
)
"""All that a period may be."""
