"""Grains from second to year, and offsets and windows that are no multiple of the grain: compared with plain Python, row by row."""

import random
from collections import defaultdict
from datetime import date, datetime, time, timedelta
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


CHANGES = [
    ("Europe/Paris", "2026-03-29T00:00"),
    ("Europe/Paris", "2026-06-15T00:00"),
    ("Europe/Paris", "2026-10-25T00:00"),
    ("Australia/Lord_Howe", "2026-04-05T00:00"),
    ("Australia/Lord_Howe", "2026-10-04T00:00"),
    ("Antarctica/Troll", "2026-10-25T00:00"),
    ("America/Havana", "2026-10-31T22:00"),
    ("America/St_Johns", "2010-11-06T22:00"),
    ("America/Sao_Paulo", "2018-02-17T22:00"),
]
"""Clocks that go forward and back, by an hour, by two and by half of one, also over midnight; and one that does neither."""


def shown(clock, zone, count):
    """Give instants of four hours from a local time on, many at the edges of an hour of theirs."""
    dice = random.Random(5)  # noqa: S311 - the same rows each time
    start = datetime.fromisoformat(clock).replace(tzinfo=zone).astimezone(UTC)
    seconds = [dice.randrange(3600 * 4) for _ in range(count)]
    seconds += [1800 * half + edge for half in range(9) for edge in (-1, 0, 1)]
    return [start + timedelta(seconds=each) for each in seconds]


def local(moment, zone):
    return moment.astimezone(zone).replace(tzinfo=None, fold=0)


def floored(moment, step):
    return moment - (moment - datetime.fromisoformat("2000-01-01")) % timedelta(seconds=step)


@pytest.mark.parametrize(("name", "clock"), CHANGES)
@pytest.mark.parametrize(("grain", "step"), [("second", 1), ("minute", 60), ("hour", 3600), ("day", 86400)])
def test_grains_are_those_of_the_clock(grain, step, name, clock):
    """What the clock shows twice holds the rows of both times, and what it skips holds none."""
    zone = ZoneInfo(name)
    moments = shown(clock, zone, 400)
    with opened(moments, {}, "at", {"timezone": name}) as engine:
        found = engine.run("n", grain=grain, as_of="2027-01-01", dense=False).rows()
    expected = defaultdict(int)
    for each in moments:
        expected[floored(local(each, zone), step)] += 1
    periods = {
        row["period"] if grain != "day" else datetime.combine(row["period"], time.min): row["n"] for row in found
    }
    assert periods == expected


@pytest.mark.parametrize(("name", "clock"), CHANGES)
def test_a_period_is_what_the_clock_shows(name, clock):
    """Windows, offsets and entities follow the clock wherever a period begins and ends."""
    zone = ZoneInfo(name)
    moments = shown(clock, zone, 300)
    kpis = {
        "trailing": {"inputs": {"h": {"from": "hits", "window": "20 minutes"}}, "formula": "count(h)"},
        "before": {"inputs": {"v": {"from": "n", "offset": "7 minutes"}}, "formula": "v"},
        "people": {"inputs": ["hits"], "formula": "count(distinct id - 7 * floor(id / 7))"},
    }
    with opened(moments, kpis, "at", {"timezone": name}) as engine:
        found = engine.run(["trailing", "before", "people"], grain="minute", as_of="2027-01-01", dense=False).rows()
    assert len(found) > 100
    seen = [(local(each, zone), number) for number, each in enumerate(moments)]
    minute = timedelta(minutes=1)
    for row in found:
        end = row["period"] + minute
        assert row["trailing"] == sum(end - 20 * minute <= each < end for each, _ in seen)
        assert row["before"] == sum(end - 8 * minute <= each < end - 7 * minute for each, _ in seen)
        assert row["people"] == len({number % 7 for each, number in seen if row["period"] <= each < end})


@pytest.mark.parametrize("name", ["America/New_York", "Asia/Kolkata"])
@pytest.mark.parametrize(("zone", "clock"), CHANGES[:5])
def test_a_clock_of_the_data_is_read_on_the_clock_of_the_project(zone, clock, name):
    """What the clock of the data shows twice is the second, as databases read it."""
    import pyarrow as pa

    there, here = ZoneInfo(zone), ZoneInfo(name)
    rows = [local(each, there) for each in shown(clock, there, 300)]
    table = pa.table({"id": range(len(rows)), "at": pa.array(rows, pa.timestamp("us"))})
    dataset = {"key": "id", "time": "at", "columns": {"at": {"zone": zone}}}
    kpis = {"n": {"inputs": ["hits"], "formula": "count(hits)"}}
    project = {"calendar": {"timezone": name}, "datasets": {"hits": dataset}, "kpis": kpis}
    with kpi_engine.open(project, {"hits": table}) as engine:
        found = engine.run("n", grain="minute", as_of="2027-01-01", dense=False).rows()
    expected = defaultdict(int)
    for each in rows:
        expected[floored(local(each.replace(tzinfo=there, fold=1).astimezone(UTC), here), 60)] += 1
    assert {row["period"]: row["n"] for row in found} == expected


@pytest.mark.parametrize("as_of", ["2026-10-25T00:20Z", "2026-10-25T01:20Z", "2026-10-25T01:00Z", "2026-10-25T00:00Z"])
@pytest.mark.parametrize("asked", [{}, {"period": "month to date"}, {"grain": "hour"}, {"grain": "minute"}])
def test_what_comes_after_the_moment_does_not_count_when_the_clock_goes_back(as_of, asked):
    moments = shown("2026-10-25T00:00", PARIS, 400)
    kpis = {
        "to_date": {"inputs": {"h": {"from": "hits", "to_date": "week"}}, "formula": "count(h)"},
        "minutes": {"inputs": {"v": {"from": "n", "per": "minute"}}, "formula": "sum(v)"},
    }
    with opened(moments, kpis, "at", {"timezone": PARIS.key}) as engine:
        found = engine.run("n", as_of=as_of, dense=False, **asked).rows()
        assert sum(row["n"] for row in found) == sum(each < datetime.fromisoformat(as_of) for each in moments)
        (row,) = engine.run(["to_date", "minutes"], period="2026-10-24..2026-10-25", as_of=as_of).rows()
    known = [each for each in moments if each < datetime.fromisoformat(as_of)]
    assert row["to_date"] == row["minutes"] == len(known)


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


@pytest.mark.parametrize("name", ["Africa/Casablanca", "Africa/El_Aaiun", "Asia/Gaza", "America/Asuncion"])
def test_periods_follow_pythons_zone_data_where_duckdb_knows_other_rules(name):
    """Their clocks are moved by decree: what DuckDB brings along and what Python reads may be of other years."""
    zone = ZoneInfo(name)
    start = datetime(2026, 8, 1, tzinfo=UTC)
    moments = [start + timedelta(minutes=30 * each) for each in range(48 * 334)]
    asked = {"period": "2026-09..2027-05", "as_of": "2028-01-01"}
    with opened(moments, {}, "at", {"timezone": name}) as engine:
        for grain, unit in (("day", lambda at: at.date()), ("month", lambda at: at.date().replace(day=1))):
            counted = defaultdict(int)
            for moment in moments:
                counted[unit(local(moment, zone))] += 1
            rows = engine.run("n", grain=grain, **asked).rows()
            assert {row["period"]: row["n"] for row in rows} == {row["period"]: counted[row["period"]] for row in rows}
            assert len(rows) == {"day": 273, "month": 9}[grain]
            assert name not in engine.explain("n", grain=grain, **asked)
