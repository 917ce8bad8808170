from __future__ import annotations

from datetime import date, datetime, time, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kpi_engine.calendar import (
    GRAINS,
    Bucket,
    Calendar,
    Grain,
    Span,
    bucket_offset,
    buckets,
    floor,
    parse_grain,
    parse_period,
    step,
)
from kpi_engine.calendar.buckets import fiscal_year_name, fiscal_year_start, week_number
from kpi_engine.errors import KpiError

PLAIN = Calendar()
APRIL = Calendar(fiscal_start=4)
DAY = timedelta(days=1)

calendars = st.builds(
    Calendar,
    timezone=st.just("Europe/Paris"),
    week_start=st.integers(0, 6),
    fiscal_start=st.integers(1, 12),
    fiscal_named_after=st.sampled_from(["start", "end"]),
)
grains = st.sampled_from(GRAINS).map(parse_grain)
moments = st.datetimes(datetime(1905, 1, 1), datetime(2195, 1, 1))  # noqa: DTZ001 - local times
LONGEST = {"second": timedelta(seconds=1), "minute": timedelta(minutes=1), "hour": timedelta(hours=1), "day": DAY}


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


@st.composite
def spans_and_grains(draw: st.DrawFn) -> tuple[Span, Grain]:
    """A span of at most a hundred or so units of a grain."""
    grain, start = draw(grains), draw(moments)
    length = draw(st.floats(0.01, 100)) * LONGEST.get(grain, 7 * DAY)
    return Span(start, start + max(length, timedelta(microseconds=1))), grain


@given(spans_and_grains(), calendars)
def test_buckets_tile_the_span(asked: tuple[Span, Grain], calendar: Calendar) -> None:
    span, grain = asked
    found = buckets(span, grain, calendar)
    assert found[0].span.start == span.start
    assert found[-1].span.end == span.end
    assert all(one.span.end == other.span.start for one, other in pairwise(found))
    assert not any(bucket.span.is_empty for bucket in found)


@given(spans_and_grains(), calendars)
def test_every_bucket_is_the_part_of_one_unit(asked: tuple[Span, Grain], calendar: Calendar) -> None:
    span, grain = asked
    for bucket in buckets(span, grain, calendar):
        whole = Span(bucket.start, step(bucket.start, grain, calendar))
        assert bucket.start == floor(bucket.start, grain, calendar)
        assert bucket.span == whole.intersect(span)


@given(moments, grains, calendars)
def test_floor_gives_the_unit_that_holds_the_moment(moment: datetime, grain: Grain, calendar: Calendar) -> None:
    start = floor(moment, grain, calendar)
    assert start <= moment < step(start, grain, calendar)
    assert floor(start, grain, calendar) == start


@given(moments, grains, calendars, st.integers(-50, 50))
def test_steps_add_up_and_go_back(moment: datetime, grain: Grain, calendar: Calendar, n: int) -> None:
    start = floor(moment, grain, calendar)
    there = step(start, grain, calendar, n)
    assert floor(there, grain, calendar) == there
    assert step(there, grain, calendar, -n) == start
    assert step(there, grain, calendar) == step(start, grain, calendar, n + 1)


@given(moments.map(lambda moment: moment.replace(fold=1)), grains, calendars)
def test_a_start_is_the_first_of_two_equal_local_times(moment: datetime, grain: Grain, calendar: Calendar) -> None:
    assert floor(moment, grain, calendar).fold == 0


@pytest.mark.parametrize(
    ("grain", "expected"),
    [
        ("second", "2026-08-12T14:35:27"),
        ("minute", "2026-08-12T14:35"),
        ("hour", "2026-08-12T14:00"),
        ("day", "2026-08-12"),
        ("week", "2026-08-10"),
        ("month", "2026-08-01"),
        ("quarter", "2026-07-01"),
        ("year", "2026-01-01"),
        ("fiscal_quarter", "2026-07-01"),
        ("fiscal_year", "2026-04-01"),
    ],
)
def test_floor_of_a_wednesday_afternoon(grain: str, expected: str) -> None:
    assert floor(at("2026-08-12T14:35:27.5"), parse_grain(grain), APRIL) == at(expected)


def test_fiscal_quarters_follow_the_month_in_which_the_fiscal_year_starts() -> None:
    assert floor(at("2026-01-15"), "fiscal_quarter", Calendar(fiscal_start=2)) == at("2025-11-01")
    assert floor(at("2026-01-15"), "fiscal_year", Calendar(fiscal_start=2)) == at("2025-02-01")


@pytest.mark.parametrize(
    ("week_start", "expected"), [(0, "2026-08-10"), (6, "2026-08-09"), (3, "2026-08-06"), (2, "2026-08-12")]
)
def test_a_week_starts_on_the_day_the_project_says(week_start: int, expected: str) -> None:
    assert floor(at("2026-08-12"), "week", Calendar(week_start=week_start)) == at(expected)


def test_weeks_are_iso_weeks_on_every_day_of_seventy_years() -> None:
    day = date(1990, 1, 1)
    while day < date(2060, 1, 1):
        start = floor(datetime.combine(day, time(13)), "week", PLAIN)
        iso = day.isocalendar()
        assert start.date() == date.fromisocalendar(iso.year, iso.week, 1)
        assert week_number(start) == (iso.year, iso.week)
        day += DAY


def test_the_written_iso_week_starts_where_the_iso_week_starts() -> None:
    for year in range(1990, 2060):
        for week in range(1, date(year, 12, 28).isocalendar().week + 1):
            period = parse_period(f"{year}-W{week:02}", PLAIN, at("2026-01-01"))
            assert period.span.start == datetime.combine(date.fromisocalendar(year, week, 1), time())


@given(st.integers(1900, 2200), calendars)
def test_a_fiscal_year_is_found_by_its_name(year: int, calendar: Calendar) -> None:
    start = fiscal_year_start(year, calendar)
    assert floor(start, "fiscal_year", calendar) == start
    assert fiscal_year_name(start, calendar) == year
    assert fiscal_year_name(step(start, "fiscal_year", calendar) - DAY, calendar) == year


def test_a_range_cuts_its_first_and_last_month() -> None:
    found = buckets(Span(at("2026-01-15"), at("2026-03-11")), "month", PLAIN)
    assert found == (
        Bucket(at("2026-01-01"), Span(at("2026-01-15"), at("2026-02-01"))),
        Bucket(at("2026-02-01"), Span(at("2026-02-01"), at("2026-03-01"))),
        Bucket(at("2026-03-01"), Span(at("2026-03-01"), at("2026-03-11"))),
    )


def test_an_empty_span_has_no_buckets() -> None:
    assert buckets(Span(at("2026-01-15"), at("2026-01-15")), "month", PLAIN) == ()


def test_a_hundred_thousand_buckets_are_given_and_one_more_is_refused() -> None:
    start = at("2026-01-01")
    assert len(buckets(Span(start, start + timedelta(minutes=100_000)), "minute", PLAIN)) == 100_000
    with pytest.raises(KpiError) as caught:
        buckets(Span(start, start + timedelta(minutes=100_001)), "minute", PLAIN)
    assert caught.value.code == "too_many_periods"
    assert "coarser grain" in caught.value.hint


@pytest.mark.parametrize("span", [Span(None, at("2026-01-01")), Span(at("2026-01-01"), None), Span(None, None)])
def test_a_span_without_a_bound_cannot_be_cut(span: Span) -> None:
    with pytest.raises(KpiError) as caught:
        buckets(span, "month", PLAIN)
    assert caught.value.code == "unbounded_period"


@given(moments, grains, calendars)
def test_a_whole_bucket_is_compared_with_the_bucket_before(moment: datetime, grain: Grain, calendar: Calendar) -> None:
    start = floor(moment, grain, calendar)
    bucket = Bucket(start, Span(start, step(start, grain, calendar)))
    assert bucket_offset(bucket, grain, calendar) == Span(step(start, grain, calendar, -1), start)


@pytest.mark.parametrize(
    ("start", "part", "grain", "expected"),
    [
        ("2026-03-01", ("2026-03-01", "2026-04-01"), "month", ("2026-02-01", "2026-03-01")),
        ("2026-03-02", ("2026-03-02", "2026-03-09"), "week", ("2026-02-23", "2026-03-02")),
        ("2026-04-01", ("2026-04-01", "2026-07-01"), "quarter", ("2026-01-01", "2026-04-01")),
        ("2026-04-01", ("2026-04-01", "2027-04-01"), "fiscal_year", ("2025-04-01", "2026-04-01")),
        ("2026-03-01", ("2026-03-01", "2026-03-02"), "day", ("2026-02-28", "2026-03-01")),
        # Of a unit that the request cuts, the same days of the unit before: to 30 June is to 30 March.
        ("2026-01-01", ("2026-01-15", "2026-02-01"), "month", ("2025-12-15", "2026-01-01")),
        ("2026-03-01", ("2026-03-01", "2026-03-11"), "month", ("2026-02-01", "2026-02-11")),
        ("2026-03-02", ("2026-03-04", "2026-03-09"), "week", ("2026-02-25", "2026-03-02")),
        ("2026-04-01", ("2026-04-20", "2026-07-01"), "fiscal_quarter", ("2026-01-20", "2026-03-31")),
        ("2026-04-01", ("2026-04-20", "2026-07-01"), "fiscal_year", ("2025-04-20", "2025-07-01")),
    ],
)
def test_a_bucket_is_compared_with_one_step_earlier(
    start: str, part: tuple[str, str], grain: Grain, expected: tuple[str, str]
) -> None:
    bucket = Bucket(at(start), Span(at(part[0]), at(part[1])))
    assert bucket_offset(bucket, grain, APRIL) == Span(at(expected[0]), at(expected[1]))
