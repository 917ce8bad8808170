"""Grains from second to year, and offsets and windows that are no multiple of the grain: compared with plain Python, row by row."""

import random
from collections import defaultdict
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

import kpi_engine

DAY = timedelta(days=1)
PARIS = ZoneInfo("Europe/Paris")
UTC = ZoneInfo("UTC")


def month_before(day):
    """A month earlier; a day that the month lacks is its last."""
    last = day.replace(day=1) - DAY
    return last.replace(day=min(day.day, last.day))


def opened(rows, kpis, time="day", calendar=None):
    import pyarrow as pa

    kind = pa.timestamp("us", "UTC") if time == "at" else pa.date32()
    table = pa.table({"id": range(len(rows)), time: pa.array(rows, kind)})
    made = {"calendar": calendar or {}, "datasets": {"hits": {"key": "id", "time": time}}}
    counted = {"n": {"inputs": ["hits"], "formula": "count(hits)"}}
    return kpi_engine.open({**made, "kpis": counted | kpis}, {"hits": table})


@pytest.fixture(scope="module")
def days():
    dice = random.Random(3)  # noqa: S311 - the same rows each time
    return [date(2023, 11, 1) + dice.randrange(900) * DAY for _ in range(3000)]


@pytest.mark.parametrize(("grain", "step", "clock"), [
    ("second", 1, "2026-03-29"), ("second", 1, "2026-06-15"),
    ("minute", 60, "2026-03-29"), ("minute", 60, "2026-06-15"),
    ("hour", 3600, "2026-03-29"), ("hour", 3600, "2026-10-25"), ("hour", 3600, "2026-06-15"),
])  # fmt: skip
def test_grains_below_a_day_are_those_of_the_clock(grain, step, clock):
    """The hour that the clock shows twice holds both, and the one that it skips holds nothing."""
    dice = random.Random(5)  # noqa: S311 - the same rows each time
    start = datetime.fromisoformat(f"{clock}T00:00").replace(tzinfo=PARIS).astimezone(UTC)
    moments = [start + timedelta(seconds=dice.randrange(3600 * 4)) for _ in range(400)]
    with opened(moments, {}, "at", {"timezone": PARIS.key}) as engine:
        found = engine.run("n", grain=grain, as_of="2027-01-01", dense=False).rows()
    expected = defaultdict(int)
    for each in moments:
        local = each.astimezone(PARIS).replace(tzinfo=None)
        place = (local - datetime.fromisoformat(clock)) // timedelta(seconds=step)
        expected[datetime.fromisoformat(clock) + place * timedelta(seconds=step)] += 1
    assert {row["period"]: row["n"] for row in found} == expected


@pytest.mark.parametrize("first", range(7))
def test_weeks_begin_on_the_day_of_the_project(days, first):
    names = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
    with opened(days, {}, calendar={"week_start": names[first]}) as engine:
        found = engine.run("n", grain="week", period="2024", as_of="2026-12-31").rows()
    expected = defaultdict(int)
    for day in days:
        if day.year == 2024:
            expected[day - (day.weekday() - first) % 7 * DAY] += 1
    assert {row["period"]: row["n"] for row in found if row["n"]} == expected


def test_week_53_is_a_week_of_its_own(days):
    with opened([*days, date(2026, 12, 30), date(2027, 1, 3), date(2027, 1, 4)], {}) as engine:
        assert engine.run("n", period="2026-W53", as_of="2027-12-31").rows() == [{"n": 2}]
        (row,) = engine.run("n", period="2026-W53", compare="previous_year", as_of="2027-12-31").rows()
    assert row["n__previous_year"] == sum(date(2025, 12, 29) <= day <= date(2026, 1, 4) for day in days)


@pytest.mark.parametrize(
    ("grain", "last"),
    [("week", "2024-12-29"), ("day", "2024-05-31"), ("month", "2024-12-31"), ("quarter", "2024-12-31")],
)
def test_an_offset_of_a_month_moves_the_first_and_the_last_day(days, grain, last):
    """Whole months become whole months; of all else the first and the last day move."""
    kpis = {"before": {"inputs": {"v": {"from": "n", "offset": "1 month"}}, "formula": "v"}}
    with opened(days, kpis) as engine:
        found = engine.run("before", grain=grain, period=f"2024-01-01..{last}", as_of="2026-12-31").rows()
    after = date.fromisoformat(last) + DAY
    for row, following in zip(found, [*(each["period"] for each in found[1:]), after], strict=True):
        whole = row["period"].day == following.day == 1
        start, end = month_before(row["period"]), month_before(following if whole else following - DAY)
        assert row["before"] == sum(start <= day < (end if whole else end + DAY) for day in days)


@pytest.mark.parametrize("length", [10, 45, 400])
@pytest.mark.parametrize("grain", ["month", "week", "quarter"])
def test_a_window_ends_with_the_period_whatever_its_length(days, grain, length):
    kpis = {"trailing": {"inputs": {"h": {"from": "hits", "window": f"{length} days"}}, "formula": "count(h)"}}
    with opened(days, kpis) as engine:
        found = engine.run("trailing", grain=grain, period="2024-12-30..2025-12-28", as_of="2026-12-31").rows()
    starts = [row["period"] for row in found]
    for row, following in zip(found, [*starts[1:], date(2025, 12, 29)], strict=True):
        assert row["trailing"] == sum(following - length * DAY <= day < following for day in days)


@pytest.mark.parametrize(
    ("period", "before"),
    [("2024-02-29", "2023-02-28"), ("2025-02-28", "2024-02-28"), ("2024-02", "2023-02"), ("2025-02", "2024-02")],
)
def test_a_year_before_29_february_is_28_february(days, period, before):
    with opened(days, {}) as engine:
        (row,) = engine.run("n", period=period, compare="previous_year", as_of="2026-12-31").rows()
    assert row["n__previous_year"] == sum(day.isoformat().startswith(before) for day in days)
