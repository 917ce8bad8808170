from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from kpi_engine.calendar import Calendar, Period, Span, parse_moment, parse_period, previous, step, year_before
from kpi_engine.errors import KpiError

CALENDAR = Calendar("Europe/Paris", fiscal_start=4)
AS_OF = parse_moment("2026-07-15", CALENDAR)
PERIODS = [
    "2026", "2026-Q3", "2026-07", "2026-W05", "2026-07-15", "fiscal 2026", "fiscal 2026-Q3", "last 3 months", "last 2 quarters",
    "last 28 days", "2026-01-15..2026-03-31", "2026-02..2026-03", "last 5 weeks", "last 2 fiscal years",
]  # fmt: skip
moments = st.datetimes(datetime(1950, 1, 1), datetime(2150, 1, 1))  # noqa: DTZ001 - local times


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def asked(text: str, as_of: datetime = AS_OF) -> Period:
    return parse_period(text, CALENDAR, as_of)


def span(start: str, end: str) -> Span:
    return Span(at(start), at(end))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026", ("2025-01-01", "2026-01-01")),
        ("2026-Q3", ("2026-04-01", "2026-07-01")),
        ("2026-Q1", ("2025-10-01", "2026-01-01")),
        ("2026-03", ("2026-02-01", "2026-03-01")),
        ("2026-W01", ("2025-12-22", "2025-12-29")),
        ("2026-03-01", ("2026-02-28", "2026-03-01")),
        ("fiscal 2026", ("2024-04-01", "2025-04-01")),
        ("fiscal 2026-Q1", ("2025-01-01", "2025-04-01")),
        ("this month", ("2026-06-01", "2026-07-01")),
        ("last 3 months", ("2026-01-01", "2026-04-01")),
        ("last 2 quarters", ("2025-07-01", "2026-01-01")),
        ("2026-02..2026-03", ("2025-12-01", "2026-02-01")),
        # A range is compared with as many days, also where it happens to be a month.
        ("last 28 days", ("2026-05-20", "2026-06-17")),
        ("2026-01-15..2026-03-31", ("2025-10-31", "2026-01-15")),
        ("2026-03-01..2026-03-31", ("2026-01-29", "2026-03-01")),
        # A period to date is compared with as many days of the unit before.
        ("year to date", ("2025-01-01", "2025-07-16")),
        ("quarter to date", ("2026-04-01", "2026-04-16")),
        ("month to date", ("2026-06-01", "2026-06-16")),
        ("week to date", ("2026-07-06", "2026-07-09")),
        ("fiscal year to date", ("2025-04-01", "2025-07-16")),
    ],
)
def test_the_previous_period(text: str, expected: tuple[str, str]) -> None:
    assert previous(asked(text), CALENDAR) == span(*expected)


def test_a_period_to_date_is_compared_with_no_more_than_the_unit_before() -> None:
    assert previous(asked("month to date", at("2026-04-01")), CALENDAR) == span("2026-02-01", "2026-03-01")
    assert previous(asked("year to date", at("2025-01-01")), CALENDAR) == span("2023-01-01", "2024-01-01")


def test_a_period_to_date_in_the_middle_of_a_day_is_compared_to_the_same_time() -> None:
    period = asked("month to date", at("2026-07-15T14:30"))
    assert previous(period, CALENDAR) == span("2026-06-01", "2026-06-15T14:30")


@pytest.mark.parametrize(
    ("text", "moved", "expected"),
    [
        ("2026-07", Span(None, at("2026-08-01")), Span(None, at("2026-07-01"))),
        ("last 28 days", Span(None, at("2026-07-15")), Span(None, at("2026-06-17"))),
        ("year to date", Span(None, at("2026-07-16")), Span(None, at("2025-07-16"))),
        ("2026-07", span("2026-01-01", "2026-08-01"), span("2025-12-01", "2026-07-01")),
        ("2026-07", span("2026-06-21", "2026-07-22"), span("2026-05-21", "2026-06-22")),
        ("2026-07", span("2025-07-01", "2025-08-01"), span("2025-06-01", "2025-07-01")),
        ("year to date", span("2025-12-16", "2026-06-30"), span("2024-12-16", "2025-06-30")),
    ],
)
def test_a_span_that_a_modifier_has_moved_steps_back_by_one_period(text: str, moved: Span, expected: Span) -> None:
    assert previous(replace(asked(text), span=moved), CALENDAR) == expected


def test_without_a_period_there_is_no_previous_one() -> None:
    with pytest.raises(KpiError) as caught:
        previous(parse_period(None, CALENDAR, AS_OF), CALENDAR)
    assert caught.value.code == "no_previous"
    assert "2026-Q3" in caught.value.hint


@given(st.sampled_from(PERIODS), moments)
def test_the_previous_period_ends_where_the_period_starts(text: str, as_of: datetime) -> None:
    period = asked(text, as_of)
    before = previous(period, CALENDAR)
    assert before.end == period.span.start
    assert before.start is not None
    assert period.grain is not None
    assert step(before.start, period.grain, CALENDAR, period.count) == before.end


@given(st.sampled_from(["year", "quarter", "month", "week", "fiscal year", "fiscal quarter"]), moments)
def test_the_previous_period_to_date_is_as_long_or_ends_with_its_unit(unit: str, as_of: datetime) -> None:
    period = asked(f"{unit} to date", as_of)
    before = previous(period, CALENDAR)
    assert period.span.start is not None
    assert period.span.end is not None
    assert before.start is not None
    assert before.end is not None
    assert before.end == period.span.start or before.end - before.start == period.span.end - period.span.start
    assert before.start < before.end <= period.span.start


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026", ("2025-01-01", "2026-01-01")),
        ("2026-Q3", ("2025-07-01", "2025-10-01")),
        ("2024-02", ("2023-02-01", "2023-03-01")),
        ("2025-02", ("2024-02-01", "2024-03-01")),
        ("2024-02-29", ("2023-02-28", "2023-03-01")),
        ("2026-W05", ("2025-01-27", "2025-02-03")),
        ("last 5 weeks", ("2025-06-09", "2025-07-14")),
        ("fiscal 2026", ("2024-04-01", "2025-04-01")),
        ("last 28 days", ("2025-06-17", "2025-07-15")),
        ("2026-01-15..2026-03-31", ("2025-01-15", "2025-04-01")),
        ("year to date", ("2025-01-01", "2025-07-16")),
    ],
)
def test_the_year_before(text: str, expected: tuple[str, str]) -> None:
    period = asked(text)
    assert year_before(period.span, CALENDAR, period.grain) == span(*expected)


def test_without_bounds_the_year_before_has_none() -> None:
    assert year_before(Span(None, None), CALENDAR) == Span(None, None)


@given(moments.map(lambda moment: parse_period(moment.date(), CALENDAR, AS_OF)))
def test_weeks_of_the_year_before_start_on_the_same_day_of_the_week(period: Period) -> None:
    start = period.span.start
    before = year_before(period.span, CALENDAR, "week").start
    assert start is not None
    assert before is not None
    assert before.weekday() == start.weekday()
    assert start - before == timedelta(days=364)


@given(moments)
def test_the_year_before_has_the_same_date(moment: datetime) -> None:
    assume((moment.month, moment.day) != (2, 29))
    period = parse_period(moment.date(), CALENDAR, AS_OF)
    before = year_before(period.span, CALENDAR).start
    assert period.span.start is not None
    assert before == period.span.start.replace(year=period.span.start.year - 1)
