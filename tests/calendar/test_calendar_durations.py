from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from kpi_engine.calendar import Duration, Span, parse_duration, shift, shift_span
from kpi_engine.calendar.durations import UNITS
from kpi_engine.errors import KpiError

DAY = timedelta(days=1)
moments = st.datetimes(datetime(1905, 1, 1), datetime(2195, 1, 1))  # noqa: DTZ001 - local times
days = moments.map(lambda moment: moment.replace(hour=0, minute=0, second=0, microsecond=0))
durations = st.builds(Duration, st.integers(1, 40), st.sampled_from(UNITS))
month_durations = st.builds(Duration, st.integers(1, 40), st.sampled_from(["month", "quarter", "year"]))


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def span(start: str | None, end: str | None) -> Span:
    return Span(start and at(start), end and at(end))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("28 days", Duration(28, "day")),
        ("1 year", Duration(1, "year")),
        ("45 day", Duration(45, "day")),
        ("1 month", Duration(1, "month")),
        ("  2  Quarters ", Duration(2, "quarter")),
        ("90 seconds", Duration(90, "second")),
        ("6hours", Duration(6, "hour")),
        ("52 weeks", Duration(52, "week")),
    ],
)
def test_a_duration_is_a_whole_number_and_a_unit(text: str, expected: Duration) -> None:
    assert parse_duration(text) == expected


@given(durations)
def test_a_duration_reads_back_as_it_is_written(duration: Duration) -> None:
    assert parse_duration(str(duration)) == duration


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("1.5 months", "whole number"),
        ("1,5 months", "whole number"),
        ("-3 days", "whole number"),
        ("month", "whole number"),
        ("", "whole number"),
        ("28", "whole number"),
        ("1 month 2 days", "whole number"),
        ("0 days", "at least 1"),
        ("3 mounths", "did you mean `month`?"),
        ("1 fiscal", "there is `day`"),
        ("1001 years", "at most 1000 years"),
        ("999999999999 days", "at most 1000 years"),
    ],
)
def test_what_is_not_a_duration_is_refused_with_what_to_write(text: str, hint: str) -> None:
    with pytest.raises(KpiError) as caught:
        parse_duration(text)
    assert caught.value.code == "bad_duration"
    assert hint in caught.value.hint


@pytest.mark.parametrize(
    ("moment", "duration", "expected"),
    [
        ("2026-03-31", Duration(1, "month"), "2026-02-28"),
        ("2024-03-31", Duration(1, "month"), "2024-02-29"),
        ("2024-02-29", Duration(1, "year"), "2023-02-28"),
        ("2024-02-29", Duration(4, "year"), "2020-02-29"),
        ("2026-01-31", Duration(2, "month"), "2025-11-30"),
        ("2026-05-31", Duration(1, "quarter"), "2026-02-28"),
        ("2026-03-01", Duration(28, "day"), "2026-02-01"),
        ("2026-03-01", Duration(1, "week"), "2026-02-22"),
        ("2026-03-01T06:00", Duration(8, "hour"), "2026-02-28T22:00"),
        ("2026-03-31T14:30", Duration(1, "month"), "2026-02-28T14:30"),
    ],
)
def test_a_shift_clamps_to_the_end_of_a_shorter_month(moment: str, duration: Duration, expected: str) -> None:
    assert shift(at(moment), duration) == at(expected)


def test_a_shift_goes_later_with_a_positive_sign() -> None:
    assert shift(at("2026-01-31"), Duration(1, "month"), sign=1) == at("2026-02-28")
    assert shift(at("2024-02-29"), Duration(1, "year"), sign=1) == at("2025-02-28")
    assert shift(at("2026-01-31"), Duration(1, "day"), sign=1) == at("2026-02-01")


def test_a_shift_means_the_first_of_two_equal_local_times() -> None:
    second = at("2026-10-25T02:30").replace(fold=1)
    assert shift(second, Duration(1, "month")).fold == 0
    assert shift(second, Duration(1, "day")).fold == 0


MONTH, YEAR = Duration(1, "month"), Duration(1, "year")


@pytest.mark.parametrize(
    ("given_span", "duration", "expected"),
    [
        # Whole months stay whole months.
        (("2026-03-01", "2026-04-01"), MONTH, ("2026-02-01", "2026-03-01")),
        (("2024-02-01", "2024-03-01"), YEAR, ("2023-02-01", "2023-03-01")),
        (("2025-02-01", "2025-03-01"), YEAR, ("2024-02-01", "2024-03-01")),
        (("2026-04-01", "2026-07-01"), Duration(1, "quarter"), ("2026-01-01", "2026-04-01")),
        # One day never becomes none, and never two.
        (("2026-03-29", "2026-03-30"), MONTH, ("2026-02-28", "2026-03-01")),
        (("2026-03-31", "2026-04-01"), MONTH, ("2026-02-28", "2026-03-01")),
        (("2024-02-29", "2024-03-01"), YEAR, ("2023-02-28", "2023-03-01")),
        (("2025-02-28", "2025-03-01"), YEAR, ("2024-02-28", "2024-02-29")),
        # Days that are not whole months move by their first and their last day.
        (("2026-01-15", "2026-04-01"), MONTH, ("2025-12-15", "2026-03-01")),
        (("2026-03-01", "2026-03-31"), MONTH, ("2026-02-01", "2026-03-01")),
        (("2024-01-01", "2024-03-01"), YEAR, ("2023-01-01", "2023-03-01")),
        (("2024-01-01", "2024-02-29"), YEAR, ("2023-01-01", "2023-03-01")),
        # Times of day.
        (("2024-01-01", "2024-02-29T14:30"), YEAR, ("2023-01-01", "2023-02-28T14:30")),
        (("2026-03-29T23:00", "2026-03-30"), MONTH, ("2026-02-28T23:00", "2026-03-01")),
        (("2026-03-29T12:00", "2026-03-30T06:00"), MONTH, ("2026-02-28T12:00", "2026-03-01T06:00")),
        # Fixed lengths move both ends.
        (("2026-03-29", "2026-03-30"), Duration(28, "day"), ("2026-03-01", "2026-03-02")),
        (("2026-01-01", "2027-01-01"), Duration(52, "week"), ("2025-01-02", "2026-01-02")),
        # No bound stays no bound.
        ((None, "2026-04-01"), MONTH, (None, "2026-03-01")),
        ((None, "2026-03-30"), MONTH, (None, "2026-03-01")),
        (("2026-03-30", None), MONTH, ("2026-02-28", None)),
        ((None, None), MONTH, (None, None)),
    ],
)
def test_a_span_moves_as_a_reader_would_move_it(
    given_span: tuple[str | None, str | None], duration: Duration, expected: tuple[str | None, str | None]
) -> None:
    assert shift_span(span(*given_span), duration) == span(*expected)


def test_a_span_moves_later_on_request() -> None:
    assert shift_span(span("2026-02-01", "2026-03-01"), MONTH, back=False) == span("2026-03-01", "2026-04-01")
    assert shift_span(span("2026-02-28", "2026-03-01"), MONTH, back=False) == span("2026-03-28", "2026-03-29")


@given(moments, st.integers(1, 10**12), durations, st.booleans())
def test_a_span_that_holds_something_never_becomes_empty(
    start: datetime, microseconds: int, duration: Duration, back: bool
) -> None:
    moved = shift_span(Span(start, start + timedelta(microseconds=microseconds)), duration, back=back)
    assert not moved.is_empty


@given(days, st.integers(1, 800), durations.filter(lambda duration: duration.months), st.booleans())
def test_whole_days_stay_whole_days(start: datetime, count: int, duration: Duration, back: bool) -> None:
    moved = shift_span(Span(start, start + count * DAY), duration, back=back)
    assert moved.start is not None
    assert moved.end is not None
    assert moved.start.time() == moved.end.time() == start.time()


@given(days, month_durations)
def test_one_day_moves_to_one_day(start: datetime, duration: Duration) -> None:
    moved = shift_span(Span(start, start + DAY), duration)
    assert moved == Span(shift(start, duration), shift(start, duration) + DAY)


@given(moments | days, durations, st.booleans())
@example(at("2026-03-29"), Duration(1, "month"), True)
def test_an_empty_span_stays_empty(moment: datetime, duration: Duration, back: bool) -> None:
    assert shift_span(Span(moment, moment), duration, back=back).is_empty
