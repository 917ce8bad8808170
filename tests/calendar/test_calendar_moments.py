from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pandas as pd
import pytest

from kpi_engine.calendar import Calendar, parse_moment, to_utc
from kpi_engine.errors import KpiError

PARIS = Calendar("Europe/Paris")


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        # A date counts whole.
        (date(2026, 7, 15), "2026-07-16"),
        ("2026-07-15", "2026-07-16"),
        (" 2026-12-31 ", "2027-01-01"),
        # A time without an offset is local.
        (at("2026-07-15T14:30"), "2026-07-15T14:30"),
        ("2026-07-15T14:30", "2026-07-15T14:30"),
        ("2026-07-15 14:30:10", "2026-07-15T14:30:10"),
        # A time with an offset is converted.
        ("2026-07-15T12:30Z", "2026-07-15T14:30"),
        ("2026-01-15T12:30+00:00", "2026-01-15T13:30"),
        (datetime(2026, 7, 15, 23, 30, tzinfo=UTC), "2026-07-16T01:30"),
        (pd.Timestamp("2026-07-15 14:30"), "2026-07-15T14:30"),
        (pd.Timestamp("2026-07-15 12:30", tz="UTC"), "2026-07-15T14:30"),
    ],
)
def test_a_moment_is_a_local_time(value: str | date, expected: str) -> None:
    moment = parse_moment(value, PARIS)
    assert moment == at(expected)
    assert type(moment) is datetime
    assert moment.tzinfo is None


def test_no_moment_is_now() -> None:
    before = datetime.now(UTC)
    moment = to_utc(parse_moment(None, PARIS), PARIS.zone)
    assert before <= moment <= datetime.now(UTC)


@pytest.mark.parametrize("text", ["2026-10-25T00:30Z", "2026-10-25T01:30Z", "2026-03-29T01:00Z"])
def test_a_time_with_an_offset_stays_the_same_instant(text: str) -> None:
    assert to_utc(parse_moment(text, PARIS), PARIS.zone) == at(text)


def test_a_time_that_the_clock_shows_twice_keeps_which_one_it_is() -> None:
    moment = datetime(2026, 10, 25, 2, 30, tzinfo=PARIS.zone, fold=1)
    assert to_utc(parse_moment(moment, PARIS), PARIS.zone) == at("2026-10-25T01:30Z")


@pytest.mark.parametrize(
    "value",
    [
        "",
        "soon",
        "2026-02-30",
        "2026-13-01",
        "15/07/2026",
        "2026-07-15T25:00",
        "0001-01-01",
        "9999-12-31",
        20260715,
        pd.NaT,
        True,
    ],
)
def test_what_is_not_a_moment_is_refused_with_what_to_write(value: Any) -> None:
    with pytest.raises(KpiError) as caught:
        parse_moment(value, PARIS)
    assert caught.value.code == "bad_as_of"
    assert "2026-07-15" in caught.value.hint


def test_a_day_that_does_not_exist_says_how_many_there_are() -> None:
    with pytest.raises(KpiError, match="2026-02 has 28 days"):
        parse_moment("2026-02-30", PARIS)


def test_the_first_and_the_last_year_count() -> None:
    assert parse_moment("1900-01-01", PARIS) - timedelta(days=1) == at("1900-01-01")
    assert parse_moment("2200-12-30", PARIS) == at("2200-12-31")
    with pytest.raises(KpiError, match="outside 1900 to 2200"):
        parse_moment("1899-12-30", PARIS)
