"""Periods in a reader's words, in English and French."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from kpi_engine import months
from kpi_engine.calendar.buckets import fiscal_year_name, floor, step, unit_of, week_number
from kpi_engine.calendar.calendars import Calendar
from kpi_engine.calendar.periods import Period
from kpi_engine.calendar.spans import Span, last_day

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from kpi_engine.calendar.grains import Grain

_WORDS: Final[Mapping[str, Mapping[str, str]]] = MappingProxyType(
    {
        "en": {
            "quarter": "Q{number} {year}",
            "week": "week {number} of {year}",
            "fiscal_year": "fiscal {year}",
            "fiscal_quarter": "Q{number} of fiscal {year}",
            "all": "all time",
            "since": "since {day}",
            "until": "until {day}",
        },
        "fr": {
            "quarter": "T{number} {year}",
            "week": "semaine {number} de {year}",
            "fiscal_year": "exercice {year}",
            "fiscal_quarter": "T{number} de l\u2019exercice {year}",
            "all": "depuis le début",
            "since": "depuis le {day}",
            "until": "jusqu\u2019au {day}",
        },
    }
)
_CLOCKS: Final[Mapping[str, str]] = MappingProxyType({"hour": "%H:00", "minute": "%H:%M", "second": "%H:%M:%S"})
_DASH: Final = "\u2013"


def label(
    what: Period | datetime, language: str = "en", *, grain: Grain | None = None, calendar: Calendar | None = None
) -> str:
    """Name a period, or the calendar unit of `grain` that starts at a local time.

    `Q3 2026`, `juillet 2026`, `week 5 of 2026`, or `15 Jan` to `31 Mar 2026` with a dash. A fiscal year has its name only where the
    `calendar` is given, otherwise those of its months. Languages other than `fr` read English. Without a `grain`, a day is meant.

    >>> from datetime import date, datetime, time
    >>> label(datetime.combine(date(2026, 7, 1), time()), "fr", grain="quarter")
    'T3 2026'
    """
    if isinstance(what, Period):
        return _period(what, language, calendar)
    if grain and calendar and grain in calendar.units and (whole := unit_of(what, grain, calendar)) is not None:
        return span_label(whole, language, grain=grain, calendar=calendar)
    return _unit(what, grain or "day", language, calendar)


def _period(period: Period, language: str, calendar: Calendar | None) -> str:
    """Name a period by its kind, so that days which happen to fill a month still read as days."""
    start, end = period.span.start, period.span.end
    if start is None or end is None or period.grain is None or period.kind == "units" or _is_own(period, calendar):
        return span_label(period.span, language, grain=period.grain, calendar=calendar)
    if period.kind == "unit":
        return _unit(start, period.grain, language, calendar)
    return _days(start, last_day(end), language)


def _is_own(period: Period, calendar: Calendar | None) -> bool:
    """Say whether a period is one of a unit of the project's own."""
    return calendar is not None and period.kind == "unit" and period.grain in calendar.units


def span_label(
    span: Span, language: str = "en", *, grain: Grain | None = None, calendar: Calendar | None = None
) -> str:
    """Name a span, such as that of a comparison: a year, a quarter, a month or a day if it is just that, else from when to when.

    Whole units of `grain`, where that is given, are named as such: the period before April to June is January to March, not Q1.
    An empty span reads as a dash.
    """
    start, end = span.start, span.end
    if start is None or end is None:
        return _open(span, language)
    if span.is_empty:
        return _DASH
    if grain and calendar and grain in calendar.units:
        first, last = calendar.units[grain].said(span) or ("", "")
        if first:
            return first if first == last else f"{first} {_DASH} {last}"
        grain = None
    chosen = grain if grain and _is_whole(start, end, grain, calendar or Calendar()) else _recognised(start, end)
    if chosen != "day" and step(start, chosen, Calendar()) == end:
        return _unit(start, chosen, language, calendar)
    if chosen in _CLOCKS or chosen in {"day", "week"}:
        return _days(start, last_day(end), language)
    return _units(start, last_day(end), chosen, language)


def _is_whole(start: datetime, end: datetime, grain: Grain, calendar: Calendar) -> bool:
    """Say whether both ends are ends of units of the grain."""
    return all(floor(bound, grain, calendar) == bound for bound in (start, end))


def _recognised(start: datetime, end: datetime) -> Grain:
    """Choose the unit that a reader would name the span by: years, one quarter, months, else days."""
    plain = Calendar()
    if _is_whole(start, end, "year", plain):
        return "year"
    if _is_whole(start, end, "quarter", plain) and step(start, "quarter", plain) == end:
        return "quarter"
    return "month" if _is_whole(start, end, "month", plain) else "day"


def _open(span: Span, language: str) -> str:
    words = _words(language)
    if span.start is not None:
        return words["since"].format(day=_short_day(span.start, language))
    if span.end is not None:
        return words["until"].format(day=_short_day(last_day(span.end), language))
    return words["all"]


def _unit(start: datetime, grain: Grain, language: str, calendar: Calendar | None) -> str:
    """Name one calendar unit."""
    if grain in _CLOCKS:
        return f"{_day(start, language)} {start.strftime(_CLOCKS[grain])}"
    if grain.startswith("fiscal"):
        return _fiscal(start, grain, language, calendar)
    return _NAMERS[grain](start, language)


def _fiscal(start: datetime, grain: Grain, language: str, calendar: Calendar | None) -> str:
    if calendar is None:
        return _units(start, last_day(step(start, grain, Calendar())), "month", language)
    number = (start.month - calendar.fiscal_start) % 12 // 3 + 1
    return _words(language)[grain].format(number=number, year=fiscal_year_name(start, calendar))


def _units(first: datetime, last: datetime, grain: Grain, language: str) -> str:
    """Name several years, quarters or months by the first and the last, with the year once where it is the same."""
    name = _NAMERS["month" if grain.startswith("fiscal") else grain]
    start, end = name(first, language), name(last, language)
    if start == end:
        return start
    if first.year == last.year:
        start = start.removesuffix(f" {first.year}")
    return f"{start} {_DASH} {end}"


def _days(first: datetime, last: datetime, language: str) -> str:
    """Name a stretch of days, both ends included, with the month and the year once where they are the same."""
    if first.date() == last.date():
        return _day(first, language)
    end = _short_day(last, language)
    if first.year != last.year:
        return f"{_short_day(first, language)} {_DASH} {end}"
    if first.month != last.month:
        return f"{_short_day(first, language).removesuffix(f' {first.year}')} {_DASH} {end}"
    return f"{_ordinal(first, language)}{_DASH}{end}"


def _day(moment: datetime, language: str) -> str:
    return f"{_ordinal(moment, language)} {_month(moment, language)}"


def _short_day(moment: datetime, language: str) -> str:
    return f"{_ordinal(moment, language)} {months.name(moment.month, language, short=True)} {moment.year}"


def _ordinal(moment: datetime, language: str) -> str:
    """Give the day of the month; the first is `1er` in French."""
    return "1er" if language == "fr" and moment.day == 1 else str(moment.day)


def _month(start: datetime, language: str) -> str:
    return f"{months.name(start.month, language)} {start.year}"


def _quarter(start: datetime, language: str) -> str:
    return _words(language)["quarter"].format(number=(start.month + 2) // 3, year=start.year)


def _week(start: datetime, language: str) -> str:
    year, number = week_number(start)
    return _words(language)["week"].format(number=number, year=year)


def _year(start: datetime, _: str) -> str:
    return str(start.year)


def _words(language: str) -> Mapping[str, str]:
    return _WORDS["fr" if language == "fr" else "en"]


_NAMERS: Final[Mapping[str, Callable[[datetime, str], str]]] = MappingProxyType(
    {"day": _day, "week": _week, "month": _month, "quarter": _quarter, "year": _year}
)
