from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kpi_engine.calendar import Calendar, Span, buckets, to_utc
from kpi_engine.errors import KpiError

NAMES = [
    "Europe/Paris",
    "America/New_York",
    "America/Havana",
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "Asia/Kathmandu",
    "UTC",
]
zones = st.sampled_from(NAMES).map(lambda name: Calendar(name).zone)
moments = st.datetimes(datetime(1990, 1, 1), datetime(2060, 1, 1))  # noqa: DTZ001 - local times


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


@pytest.mark.parametrize(
    ("zone", "local", "instant"),
    [
        ("Europe/Paris", "2026-01-01", "2025-12-31T23:00Z"),
        ("Europe/Paris", "2026-07-01", "2026-06-30T22:00Z"),
        # Skipped by the clock: the instant at which the gap ends.
        ("Europe/Paris", "2026-03-29T02:00", "2026-03-29T01:00Z"),
        ("Europe/Paris", "2026-03-29T02:30", "2026-03-29T01:00Z"),
        ("Europe/Paris", "2026-03-29T02:59:59.999999", "2026-03-29T01:00Z"),
        ("Europe/Paris", "2026-03-29T03:00", "2026-03-29T01:00Z"),
        ("Australia/Lord_Howe", "2026-10-04T02:10", "2026-10-03T15:30Z"),
        ("Pacific/Apia", "2011-12-30T12:00", "2011-12-30T10:00Z"),
        ("America/Havana", "2026-03-08T00:00", "2026-03-08T05:00Z"),
        # Shown twice by the clock: the first.
        ("Europe/Paris", "2026-10-25T02:30", "2026-10-25T00:30Z"),
        ("America/Havana", "2026-11-01T00:00", "2026-11-01T04:00Z"),
    ],
)
def test_a_local_time_is_one_instant(zone: str, local: str, instant: str) -> None:
    assert to_utc(at(local), Calendar(zone).zone) == at(instant)


def test_the_second_of_two_equal_local_times_is_meant_only_when_it_says_so() -> None:
    local = at("2026-10-25T02:30")
    paris = Calendar("Europe/Paris").zone
    assert to_utc(local.replace(fold=1), paris) - to_utc(local, paris) == timedelta(hours=1)


@pytest.mark.parametrize(("day", "hours"), [("2026-03-29", 23), ("2026-03-30", 24), ("2026-10-25", 25)])
def test_the_days_on_which_the_clock_changes_have_23_and_25_hours(day: str, hours: int) -> None:
    paris = Calendar("Europe/Paris").zone
    start = at(day)
    assert to_utc(start + timedelta(days=1), paris) - to_utc(start, paris) == timedelta(hours=hours)


@pytest.mark.parametrize(("day", "lengths"), [("2026-03-29", {0: 1, 1: 23}), ("2026-10-25", {1: 23, 2: 1})])
def test_hours_of_a_day_on_which_the_clock_changes_still_meet(day: str, lengths: dict[int, int]) -> None:
    calendar = Calendar("Europe/Paris")
    start = at(day)
    hours = buckets(Span(start, start + timedelta(days=1)), "hour", calendar)
    bounds = [to_utc(hour.start, calendar.zone) for hour in hours] + [to_utc(start + timedelta(days=1), calendar.zone)]
    found = [(later - earlier) // timedelta(hours=1) for earlier, later in pairwise(bounds)]
    assert {length: found.count(length) for length in set(found)} == lengths


@given(moments, moments, zones)
def test_a_later_local_time_is_never_an_earlier_instant_across_days(
    one: datetime, other: datetime, zone: object
) -> None:
    early, late = sorted([one.replace(hour=0, minute=0), other.replace(hour=0, minute=0)])
    assert to_utc(early, zone) <= to_utc(late, zone)  # type: ignore[arg-type]


@given(moments, zones)
def test_the_instant_shows_the_local_time_or_the_first_after_it(local: datetime, zone: object) -> None:
    instant = to_utc(local, zone)  # type: ignore[arg-type]
    shown = instant.astimezone(zone).replace(tzinfo=None)  # type: ignore[arg-type]
    before = (instant - timedelta(microseconds=1)).astimezone(zone).replace(tzinfo=None)  # type: ignore[arg-type]
    assert instant.tzinfo is UTC
    assert shown == local or before < local < shown


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("Europe/Pari", "did you mean `Europe/Paris`?"),
        ("europe/paris", "did you mean `Europe/Paris`?"),
        ("Paris", "did you mean `Europe/Paris`?"),
        ("new york", "did you mean `America/New_York`?"),
        ("localtime", "IANA"),
        ("right/Europe/Paris", "did you mean `Europe/Paris`?"),
        ("../../etc/passwd", "IANA"),
        ("/etc/localtime", "IANA"),
        ("Europe/", "did you mean"),
        ("Europe", "did you mean"),
        ("", "IANA"),
    ],
)
def test_an_unknown_time_zone_names_the_nearest(name: str, hint: str) -> None:
    with pytest.raises(KpiError) as caught:
        _ = Calendar(name).zone
    assert caught.value.code == "unknown_timezone"
    assert f"`{name}`" in caught.value.message
    assert hint in caught.value.hint
