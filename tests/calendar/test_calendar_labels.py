from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from kpi_engine.calendar import (
    Calendar,
    Period,
    Span,
    label,
    parse_moment,
    parse_period,
    previous,
    span_label,
    year_before,
)

CALENDAR = Calendar("Europe/Paris", fiscal_start=4)
AS_OF = parse_moment("2026-07-15", CALENDAR)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def asked(text: str | None) -> Period:
    return parse_period(text, CALENDAR, AS_OF)


@pytest.mark.parametrize(
    ("text", "english", "french"),
    [
        ("2026", "2026", "2026"),
        ("2026-Q3", "Q3 2026", "T3 2026"),
        ("2026-07", "July 2026", "juillet 2026"),
        ("2026-02", "February 2026", "février 2026"),
        ("2026-W05", "week 5 of 2026", "semaine 5 de 2026"),
        ("2026-07-15", "15 July 2026", "15 juillet 2026"),
        ("2026-08-01", "1 August 2026", "1er août 2026"),
        ("fiscal 2026", "fiscal 2026", "exercice 2026"),
        ("fiscal 2026-Q3", "Q3 of fiscal 2026", "T3 de l\u2019exercice 2026"),
        ("2026-01-15..2026-03-31", "15 Jan \u2013 31 Mar 2026", "15 janv. \u2013 31 mars 2026"),
        ("2025-12-15..2026-01-14", "15 Dec 2025 \u2013 14 Jan 2026", "15 déc. 2025 \u2013 14 janv. 2026"),
        ("2026-01-01..2026-01-31", "1\u201331 Jan 2026", "1er\u201331 janv. 2026"),
        ("2026-01-01..2026-12-31", "1 Jan \u2013 31 Dec 2026", "1er janv. \u2013 31 déc. 2026"),
        ("last 3 months", "April \u2013 June 2026", "avril \u2013 juin 2026"),
        ("2025-11..2026-01", "November 2025 \u2013 January 2026", "novembre 2025 \u2013 janvier 2026"),
        ("last 2 quarters", "Q1 \u2013 Q2 2026", "T1 \u2013 T2 2026"),
        ("2024..2026", "2024 \u2013 2026", "2024 \u2013 2026"),
        ("last 2 weeks", "29 Jun \u2013 12 Jul 2026", "29 juin \u2013 12 juil. 2026"),
        ("fiscal 2026-Q1..2026-Q3", "April \u2013 December 2025", "avril \u2013 décembre 2025"),
        ("year to date", "1 Jan \u2013 15 Jul 2026", "1er janv. \u2013 15 juil. 2026"),
        (None, "all time", "depuis le début"),
    ],
)
def test_a_period_in_the_words_of_a_reader(text: str | None, english: str, french: str) -> None:
    assert label(asked(text), "en", calendar=CALENDAR) == english
    assert label(asked(text), "fr", calendar=CALENDAR) == french


def test_a_fiscal_period_without_the_calendar_is_named_by_its_months() -> None:
    assert label(asked("fiscal 2026")) == "April 2025 \u2013 March 2026"
    assert label(asked("fiscal 2026-Q4"), "fr") == "janvier \u2013 mars 2026"


def test_a_week_is_a_week_whatever_its_first_day() -> None:
    sundays = Calendar(week_start=6)
    assert label(parse_period("2026-W05", sundays, AS_OF)) == "week 5 of 2026"


def test_a_period_to_date_that_ends_with_its_unit_still_reads_as_days() -> None:
    period = parse_period("quarter to date", CALENDAR, parse_moment("2026-03-31", CALENDAR))
    assert label(period) == "1 Jan \u2013 31 Mar 2026"


@pytest.mark.parametrize(
    ("start", "grain", "english", "french"),
    [
        ("2026-01-01", "year", "2026", "2026"),
        ("2026-07-01", "quarter", "Q3 2026", "T3 2026"),
        ("2026-12-01", "month", "December 2026", "décembre 2026"),
        ("2024-12-30", "week", "week 1 of 2025", "semaine 1 de 2025"),
        ("2026-07-15", "day", "15 July 2026", "15 juillet 2026"),
        ("2026-07-15T14:00", "hour", "15 July 2026 14:00", "15 juillet 2026 14:00"),
        ("2026-07-15T14:05", "minute", "15 July 2026 14:05", "15 juillet 2026 14:05"),
        ("2026-07-15T14:05:09", "second", "15 July 2026 14:05:09", "15 juillet 2026 14:05:09"),
        ("2026-04-01", "fiscal_year", "fiscal 2027", "exercice 2027"),
        ("2026-04-01", "fiscal_quarter", "Q1 of fiscal 2027", "T1 de l\u2019exercice 2027"),
    ],
)
def test_the_start_of_a_unit_in_the_words_of_a_reader(start: str, grain: Any, english: str, french: str) -> None:
    assert label(at(start), "en", grain=grain, calendar=CALENDAR) == english
    assert label(at(start), "fr", grain=grain, calendar=CALENDAR) == french


@pytest.mark.parametrize(
    ("start", "end", "english", "french"),
    [
        ("2025-01-01", "2026-01-01", "2025", "2025"),
        ("2024-01-01", "2026-01-01", "2024 \u2013 2025", "2024 \u2013 2025"),
        ("2026-04-01", "2026-07-01", "Q2 2026", "T2 2026"),
        ("2026-01-01", "2026-07-01", "January \u2013 June 2026", "janvier \u2013 juin 2026"),
        ("2026-02-01", "2026-03-01", "February 2026", "février 2026"),
        ("2026-02-01", "2026-05-01", "February \u2013 April 2026", "février \u2013 avril 2026"),
        ("2026-07-14", "2026-07-15", "14 July 2026", "14 juillet 2026"),
        ("2026-01-26", "2026-02-02", "26 Jan \u2013 1 Feb 2026", "26 janv. \u2013 1er févr. 2026"),
        ("2026-01-01", "2026-07-15T14:30", "1 Jan \u2013 15 Jul 2026", "1er janv. \u2013 15 juil. 2026"),
        ("2026-07-14T14:00", "2026-07-15T14:00", "14\u201315 Jul 2026", "14\u201315 juil. 2026"),
        (None, "2026-04-01", "until 31 Mar 2026", "jusqu\u2019au 31 mars 2026"),
        ("2026-01-15", None, "since 15 Jan 2026", "depuis le 15 janv. 2026"),
        (None, None, "all time", "depuis le début"),
        ("2026-01-15", "2026-01-15", "\u2013", "\u2013"),
    ],
)
def test_a_span_in_the_words_of_a_reader(start: str | None, end: str | None, english: str, french: str) -> None:
    span = Span(at(start) if start else None, at(end) if end else None)
    assert span_label(span, "en") == english
    assert span_label(span, "fr") == french


@pytest.mark.parametrize(
    ("text", "before", "a_year_before"),
    [
        ("2026-Q3", "Q2 2026", "Q3 2025"),
        ("last 3 months", "January \u2013 March 2026", "April \u2013 June 2025"),
        ("2026-W05", "week 4 of 2026", "week 5 of 2025"),
        ("fiscal 2026-Q4", "Q3 of fiscal 2026", "Q4 of fiscal 2025"),
        ("2026-01-01..2026-01-31", "1\u201331 Dec 2025", "1\u201331 Jan 2025"),
        ("2026-07-15", "14 July 2026", "15 July 2025"),
    ],
)
def test_a_comparison_is_named_in_the_grain_of_the_period(text: str, before: str, a_year_before: str) -> None:
    period = asked(text)
    earlier = previous(period, CALENDAR), year_before(period.span, CALENDAR, period.grain)
    names = tuple(span_label(span, grain=period.grain, calendar=CALENDAR) for span in earlier)
    assert names == (before, a_year_before)
