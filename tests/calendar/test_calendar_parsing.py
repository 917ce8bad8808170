from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any, Literal

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kpi_engine.calendar import Calendar, Period, Span, floor, parse_moment, parse_period
from kpi_engine.errors import KpiError

CALENDAR = Calendar("Europe/Paris", fiscal_start=4)
AS_OF = parse_moment("2026-07-15", CALENDAR)
days = st.dates(date(1900, 1, 1), date(2199, 12, 31))


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def asked(text: Any, as_of: datetime = AS_OF) -> Period:
    return parse_period(text, CALENDAR, as_of)


def refused(text: Any) -> KpiError:
    with pytest.raises(KpiError) as caught:
        asked(text)
    return caught.value


@pytest.mark.parametrize(
    ("text", "grain", "start", "end"),
    [
        ("2026", "year", "2026-01-01", "2027-01-01"),
        ("2026-Q3", "quarter", "2026-07-01", "2026-10-01"),
        ("2026-q3", "quarter", "2026-07-01", "2026-10-01"),
        ("2026Q3", "quarter", "2026-07-01", "2026-10-01"),
        ("Q3 2026", "quarter", "2026-07-01", "2026-10-01"),
        ("T3 2026", "quarter", "2026-07-01", "2026-10-01"),
        ("2026-07", "month", "2026-07-01", "2026-08-01"),
        ("2026-7", "month", "2026-07-01", "2026-08-01"),
        ("2026-W05", "week", "2026-01-26", "2026-02-02"),
        ("2026-W53", "week", "2026-12-28", "2027-01-04"),
        ("2026-07-15", "day", "2026-07-15", "2026-07-16"),
        ("2024-02-29", "day", "2024-02-29", "2024-03-01"),
        ("fiscal 2026", "fiscal_year", "2025-04-01", "2026-04-01"),
        ("FY2026", "fiscal_year", "2025-04-01", "2026-04-01"),
        ("fiscal 2026-Q3", "fiscal_quarter", "2025-10-01", "2026-01-01"),
        ("fiscal 2026-Q4", "fiscal_quarter", "2026-01-01", "2026-04-01"),
        ("last year", "year", "2025-01-01", "2026-01-01"),
        ("last quarter", "quarter", "2026-04-01", "2026-07-01"),
        ("previous quarter", "quarter", "2026-04-01", "2026-07-01"),
        ("last month", "month", "2026-06-01", "2026-07-01"),
        ("last week", "week", "2026-07-06", "2026-07-13"),
        ("last fiscal year", "fiscal_year", "2025-04-01", "2026-04-01"),
        ("last fiscal quarter", "fiscal_quarter", "2026-04-01", "2026-07-01"),
        ("this month", "month", "2026-07-01", "2026-08-01"),
        ("current year", "year", "2026-01-01", "2027-01-01"),
        ("today", "day", "2026-07-15", "2026-07-16"),
        ("yesterday", "day", "2026-07-14", "2026-07-15"),
        ("last 1 month", "month", "2026-06-01", "2026-07-01"),
        ("2026-03..2026-03", "month", "2026-03-01", "2026-04-01"),
        # French.
        ("dernier trimestre", "quarter", "2026-04-01", "2026-07-01"),
        ("le trimestre dernier", "quarter", "2026-04-01", "2026-07-01"),
        ("le mois dernier", "month", "2026-06-01", "2026-07-01"),
        ("mois dernier", "month", "2026-06-01", "2026-07-01"),
        ("la semaine dernière", "week", "2026-07-06", "2026-07-13"),
        ("l'année dernière", "year", "2025-01-01", "2026-01-01"),
        ("l\u2019année dernière", "year", "2025-01-01", "2026-01-01"),
        ("année dernière", "year", "2025-01-01", "2026-01-01"),
        ("l'an dernier", "year", "2025-01-01", "2026-01-01"),
        ("dernier exercice", "fiscal_year", "2025-04-01", "2026-04-01"),
        ("l'exercice 2026", "fiscal_year", "2025-04-01", "2026-04-01"),
        ("exercice 2026-T3", "fiscal_quarter", "2025-10-01", "2026-01-01"),
        ("trimestre fiscal dernier", "fiscal_quarter", "2026-04-01", "2026-07-01"),
        ("cette année", "year", "2026-01-01", "2027-01-01"),
        ("cette annee", "year", "2026-01-01", "2027-01-01"),
        ("ce mois", "month", "2026-07-01", "2026-08-01"),
        ("ce mois-ci", "month", "2026-07-01", "2026-08-01"),
        ("hier", "day", "2026-07-14", "2026-07-15"),
        ("aujourd'hui", "day", "2026-07-15", "2026-07-16"),
        ("  LAST \t Quarter ", "quarter", "2026-04-01", "2026-07-01"),
    ],
)
def test_one_calendar_unit(text: str, grain: str, start: str, end: str) -> None:
    assert asked(text) == Period(Span(at(start), at(end)), "unit", grain, 1, text.strip())  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "grain", "count", "start", "end"),
    [
        ("last 3 months", "month", 3, "2026-04-01", "2026-07-01"),
        ("last 2 quarters", "quarter", 2, "2026-01-01", "2026-07-01"),
        ("last 4 weeks", "week", 4, "2026-06-15", "2026-07-13"),
        ("last 2 fiscal years", "fiscal_year", 2, "2024-04-01", "2026-04-01"),
        ("2026-01..2026-03", "month", 3, "2026-01-01", "2026-04-01"),
        ("2026-01 .. 2026-03", "month", 3, "2026-01-01", "2026-04-01"),
        ("2026-01\u20262026-03", "month", 3, "2026-01-01", "2026-04-01"),
        ("2024..2026", "year", 3, "2024-01-01", "2027-01-01"),
        ("2025-Q4..2026-Q2", "quarter", 3, "2025-10-01", "2026-07-01"),
        ("2025-W52..2026-W02", "week", 3, "2025-12-22", "2026-01-12"),
        ("fiscal 2026-Q1..fiscal 2026-Q3", "fiscal_quarter", 3, "2025-04-01", "2026-01-01"),
        ("fiscal 2026-Q1..2026-Q3", "fiscal_quarter", 3, "2025-04-01", "2026-01-01"),
        ("fiscal 2025..2026", "fiscal_year", 2, "2024-04-01", "2026-04-01"),
        ("2026-01..last month", "month", 6, "2026-01-01", "2026-07-01"),
        ("3 derniers mois", "month", 3, "2026-04-01", "2026-07-01"),
        ("les 12 dernières semaines", "week", 12, "2026-04-20", "2026-07-13"),
    ],
)
def test_several_calendar_units(text: str, grain: str, count: int, start: str, end: str) -> None:
    assert asked(text) == Period(Span(at(start), at(end)), "units", grain, count, text)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "count", "start", "end"),
    [
        ("2026-01-15..2026-03-31", 76, "2026-01-15", "2026-04-01"),
        ("2026-01-01..2026-01-31", 31, "2026-01-01", "2026-02-01"),
        ("2026-01..2026-03-15", 74, "2026-01-01", "2026-03-16"),
        ("2026-07-01..today", 15, "2026-07-01", "2026-07-16"),
        ("last 28 days", 28, "2026-06-17", "2026-07-15"),
        ("28 derniers jours", 28, "2026-06-17", "2026-07-15"),
        ("les 28 derniers jours", 28, "2026-06-17", "2026-07-15"),
    ],
)
def test_days(text: str, count: int, start: str, end: str) -> None:
    assert asked(text) == Period(Span(at(start), at(end)), "range", "day", count, text)


@pytest.mark.parametrize(
    ("text", "grain", "start"),
    [
        ("year to date", "year", "2026-01-01"),
        ("quarter to date", "quarter", "2026-07-01"),
        ("month to date", "month", "2026-07-01"),
        ("week to date", "week", "2026-07-13"),
        ("fiscal year to date", "fiscal_year", "2026-04-01"),
        ("année en cours", "year", "2026-01-01"),
        ("l'exercice en cours", "fiscal_year", "2026-04-01"),
    ],
)
def test_a_period_to_date_ends_with_the_day_of_as_of(text: str, grain: str, start: str) -> None:
    assert asked(text) == Period(Span(at(start), at("2026-07-16")), "to_date", grain, 1, text)  # type: ignore[arg-type]


def test_a_period_to_date_ends_at_the_time_of_as_of_if_it_has_one() -> None:
    assert asked("year to date", at("2026-07-15T14:30")).span == Span(at("2026-01-01"), at("2026-07-15T14:30"))


def test_an_as_of_that_ends_a_month_still_speaks_of_that_month() -> None:
    end_of_june = parse_moment("2026-06-30", CALENDAR)
    assert asked("today", end_of_june).span.start == at("2026-06-30")
    assert asked("this month", end_of_june).span == Span(at("2026-06-01"), at("2026-07-01"))
    assert asked("last quarter", end_of_june).span == Span(at("2026-01-01"), at("2026-04-01"))
    assert asked("month to date", end_of_june).span == Span(at("2026-06-01"), at("2026-07-01"))


def test_an_as_of_just_after_midnight_speaks_of_the_new_day() -> None:
    assert asked("today", at("2026-07-01T00:00:01")).span.start == at("2026-07-01")
    assert asked("last quarter", at("2026-07-01T00:00:01")).span == Span(at("2026-04-01"), at("2026-07-01"))


@pytest.mark.parametrize(
    ("named_after", "fiscal_start", "start"),
    [("end", 4, "2025-04-01"), ("start", 4, "2026-04-01"), ("end", 1, "2026-01-01"), ("start", 1, "2026-01-01")],
)
def test_a_fiscal_year_is_named_after_its_start_or_its_end(
    named_after: Literal["start", "end"], fiscal_start: int, start: str
) -> None:
    calendar = Calendar(fiscal_start=fiscal_start, fiscal_named_after=named_after)
    assert parse_period("fiscal 2026", calendar, AS_OF).span.start == at(start)


def test_no_period_is_all_of_them() -> None:
    assert asked(None) == Period(Span(None, None), "all", None, 0, "")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (date(2026, 7, 15), "2026-07-15"),
        (at("2026-07-15"), "2026-07-15"),
        (pd.Timestamp("2026-07-15"), "2026-07-15"),
        (2026, "2026"),
        ((date(2026, 1, 15), date(2026, 3, 31)), "2026-01-15..2026-03-31"),
        ((pd.Timestamp("2026-01-15"), date(2026, 3, 31)), "2026-01-15..2026-03-31"),
        (["2026-01", "2026-03"], "2026-01..2026-03"),
    ],
)
def test_a_date_or_two_stand_for_their_text(value: Any, text: str) -> None:
    assert asked(value) == asked(text)


@given(days)
def test_every_day_is_read_as_that_day(day: date) -> None:
    start = datetime.fromisoformat(day.isoformat())
    assert asked(day).span == asked(str(day)).span == Span(start, start + timedelta(days=1))


@given(days, days)
def test_a_range_holds_both_ends_or_is_reversed(one: date, other: date) -> None:
    if other < one:
        assert refused((one, other)).code == "reversed_period"
    else:
        period = asked((one, other))
        assert period.count == (other - one).days + 1
        assert period.span.start is not None
        assert floor(period.span.start, "day", CALENDAR).date() == one


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("2026-03-31..2026-01-15", "2026-01-15..2026-03-31"),
        ("2026-03..2026-01", "2026-01..2026-03"),
        ("2026..2025", "2025..2026"),
        ("2026-03..2026-02-15", "2026-02-15..2026-03"),
    ],
)
def test_a_period_that_ends_before_it_starts_is_refused(text: str, hint: str) -> None:
    error = refused(text)
    assert error.code == "reversed_period"
    assert text in error.message
    assert hint in error.hint


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("2026-02-30", "2026-02 has 28 days"),
        ("2024-02-30", "2024-02 has 29 days"),
        ("2026-06-00", "2026-06 has 30 days"),
        ("2026-01-15..2026-02-31", "2026-02 has 28 days"),
        ("2026-13", "months 1 to 12"),
        ("2026-00-10", "months 1 to 12"),
        ("2026-Q5", "quarters 1 to 4"),
        ("fiscal 2026-Q0", "quarters 1 to 4"),
        ("2025-W53", "weeks 1 to 52"),
        ("2026-W54", "weeks 1 to 53"),
        ("2026-W00", "weeks 1 to 53"),
    ],
)
def test_a_date_that_does_not_exist_says_what_does(text: str, why: str) -> None:
    error = refused(text)
    assert error.code == "impossible_date"
    assert f"`{text}`" in error.message
    assert why in error.message


@pytest.mark.parametrize(
    "text",
    [
        "", "   ", "soon", "2026-", "26", "fiscal 2026-07", "last 0 days", "last -3 days",
        "last 2.5 months", "last 24 hours", "2026-01..", "..2026-01", "..", "2026-01..2026-02..2026-03", "last 3 months..today",
        "1899", "2201", "0026", "x" * 101, "last 200 years", "last 999999 years", "last 999999 days", "last 9999999 days",
        True, 3.5, (1, 2, 3), (), pd.NaT,
    ],
)  # fmt: skip
def test_what_is_not_a_period_is_refused_with_examples(text: Any) -> None:
    error = refused(text)
    assert error.code == "bad_period"
    assert "2026-Q3" in error.hint
    assert "last 28 days" in error.hint


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        ("15/07/2026", "such as 2026-07-15"),
        ("15.07.2026", "such as 2026-07-15"),
        ("20260715", "such as 2026-07-15"),
        ("2026-07-15T10:00", "without the time"),
        (at("2026-07-15T10:00"), "without the time"),
        ("January 2026", "such as 2026-07"),
        ("févr. 2026", "such as 2026-07"),
        ("Q3", "such as 2026-Q3"),
        ("T3", "such as 2026-Q3"),
        ("last_28_days", "such as last 28 days"),
        ("all", "leave the period out"),
        ("toujours", "leave the period out"),
        ("next month", "such as 2026-07"),
        ("le mois prochain", "such as 2026-07"),
        ("demain", "such as 2026-07"),
    ],
)
def test_what_one_often_meets_has_advice_of_its_own(text: Any, advice: str) -> None:
    error = refused(text)
    assert error.code == "bad_period"
    assert advice in error.hint
    assert "what is understood" not in error.hint


@pytest.mark.parametrize(("text", "meant"), [("last quater", "last quarter"), ("yeserday", "yesterday")])
def test_a_misspelt_period_names_the_nearest(text: str, meant: str) -> None:
    assert f"did you mean `{meant}`?" in refused(text).hint


def test_a_year_too_far_is_named() -> None:
    assert "the year 3026 is outside 1900 to 2200" in refused("3026").message


words = st.sampled_from(
    [
        "last", "this", "2", "3", "28", "2026", "2026-07", "2026-Q3", "days", "month", "quarter", "year",
        "to", "date", "fiscal", "..", "dernier", "en", "cours",
    ]
)  # fmt: skip


@given(st.text(max_size=30) | st.lists(words, max_size=5).map(" ".join))
def test_any_text_is_a_period_or_a_mistake_of_the_asker(text: str) -> None:
    try:
        period = asked(text)
    except KpiError as error:
        assert error.code in {"bad_period", "reversed_period", "impossible_date"}  # noqa: PT017 - either is right
    else:
        assert not period.span.is_empty
