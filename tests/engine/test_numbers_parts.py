"""Grains that come again, such as the day of the week: numbers compared with plain Python, row by row."""

import random
from collections import defaultdict
from datetime import date, datetime, timedelta
from statistics import mean, median
from zoneinfo import ZoneInfo

import pytest

import kpi_engine
from kpi_engine.errors import RequestError

DAY = timedelta(days=1)
FIRST, LAST = date(2024, 1, 1), date(2026, 3, 31)
KPIS = {
    "revenue": {"inputs": ["sales"], "formula": "sum(amount)"},
    "buyers": {"inputs": ["sales"], "formula": "count(distinct buyer)"},
    "middle": {"inputs": ["sales"], "formula": "median(amount)"},
    "lag": {"inputs": {"v": {"from": "revenue", "offset": "5 days"}}, "formula": "v"},
    "month_before": {"inputs": {"v": {"from": "revenue", "offset": "1 month"}}, "formula": "v"},
    "weekly": {"inputs": {"s": {"from": "sales", "window": "7 days"}}, "formula": "count(distinct s.buyer)"},
    "of_month": {"inputs": {"v": {"from": "revenue", "per": "month"}}, "formula": "avg(v)"},
    "stock": {"inputs": ["levels"], "formula": "sum(level)"},
}
NUMBERS = {
    "day_of_week": lambda day: day.isoweekday(),
    "day_of_month": lambda day: day.day,
    "day_of_year": lambda day: day.timetuple().tm_yday,
    "month_of_year": lambda day: day.month,
    "quarter_of_year": lambda day: (day.month + 2) // 3,
}


@pytest.fixture(scope="module")
def rows():
    dice = random.Random(6)  # noqa: S311 - the same rows each time
    length = (LAST - FIRST).days + 1
    return [
        (n, FIRST + dice.randrange(length) * DAY, dice.choice("ab"), dice.randrange(1, 90), dice.randrange(40))
        for n in range(2500)
    ]


@pytest.fixture(scope="module")
def levels():
    return [(day, n % 11) for n, day in enumerate(FIRST + 3 * n * DAY for n in range(270))]


@pytest.fixture(scope="module")
def engine(rows, levels):
    import pyarrow as pa

    made = {
        "datasets": {
            "sales": {"key": "id", "time": "day", "dimensions": ["shop"]},
            "levels": {"key": "day", "time": "day", "snapshot": {"of": "day_of"}},
        },
        "kpis": KPIS,
    }  # fmt: skip
    columns = dict(zip(("id", "day", "shop", "amount", "buyer"), map(list, zip(*rows, strict=True)), strict=True))
    read = {"day": [day for day, _ in levels], "level": [level for _, level in levels], "day_of": ["x"] * len(levels)}
    with kpi_engine.open(made, {"sales": pa.table(columns), "levels": pa.table(read)}) as opened:
        yield opened


def days(first, last):
    return [first + n * DAY for n in range((last - first).days + 1)]


@pytest.mark.parametrize("part", NUMBERS)
def test_every_part_holds_the_rows_of_all_its_stretches(engine, rows, part):
    asked = ["revenue", "buyers", "middle", "lag"]
    found = engine.run(asked, grain=part, period="2024-02..2025-11", as_of="2026-03-31").rows()
    of = defaultdict(set)
    for day in days(date(2024, 2, 1), date(2025, 11, 30)):
        of[NUMBERS[part](day)].add(day)
    assert [row["period"] for row in found] == sorted(of)
    for row in found:
        here = [each for each in rows if each[1] in of[row["period"]]]
        assert row["revenue"] == sum(each[3] for each in here)
        assert row["buyers"] == len({each[4] for each in here})
        assert row["middle"] == (median(each[3] for each in here) if here else None)
        assert row["lag"] == sum(each[3] for each in rows if each[1] + 5 * DAY in of[row["period"]])


def test_windows_that_overlap_count_a_row_once(engine, rows):
    for row in engine.run("weekly", by="shop", grain="day_of_month", period="2025", as_of="2026-03-31").rows():
        ends = [day for day in days(date(2025, 1, 1), date(2025, 12, 31)) if day.day == row["period"]]
        here = {
            each[4] for each in rows if each[2] == row["shop"] and any(end - 6 * DAY <= each[1] <= end for end in ends)
        }
        assert row["weekly"] == len(here)


def test_an_offset_by_months_moves_each_stretch(engine, rows):
    for row in engine.run("month_before", grain="month_of_year", period="2025-02..2026-02", as_of="2026-03-31").rows():
        months = [(2025, n) for n in range(2, 13)] + [(2026, 1), (2026, 2)]
        before = {(y, m - 1) if m > 1 else (y - 1, 12) for y, m in months if m == row["period"]}
        assert row["month_before"] == sum(each[3] for each in rows if (each[1].year, each[1].month) in before)


def test_units_below_are_whole_though_a_part_has_several_days_in_them(engine, rows):
    for row in engine.run("of_month", grain="day_of_week", period="2025", as_of="2026-03-31").rows():
        months = [
            sum(
                each[3]
                for each in rows
                if (each[1].year, each[1].month) == (2025, n) and each[1].isoweekday() == row["period"]
            )
            for n in range(1, 13)
        ]
        assert row["of_month"] == pytest.approx(mean(months))


def test_a_level_is_that_of_the_last_stretch(engine, levels):
    for row in engine.run("stock", grain="month_of_year", period="2024-01..2025-12", as_of="2026-03-31").rows():
        end = date(2025, row["period"], 28)
        last = max(day for day, _ in levels if (day.year, day.month) <= (end.year, end.month))
        assert row["stock"] == dict(levels)[last]


def test_what_comes_later_does_not_count(engine, rows):
    found = engine.run("revenue", grain="month_of_year", period="2025", as_of="2025-03-10").rows()
    assert [row["period"] for row in found] == list(range(1, 13))
    for row in found:
        here = [
            each
            for each in rows
            if each[1].year == 2025 and each[1].month == row["period"] and each[1] <= date(2025, 3, 10)
        ]
        assert row["revenue"] == sum(each[3] for each in here)
    csv = engine.render(engine.run("revenue", grain="month_of_year", period="2025", as_of="2025-03-10"), "csv").decode()
    assert csv.splitlines()[0] == "period,revenue,unfinished"
    assert all(line.casefold().endswith(",true") for line in csv.splitlines()[1:13])
    observed = engine.run("revenue", grain="month_of_year", period="2025", as_of="2025-03-10", dense=False).rows()
    assert [row["period"] for row in observed] == [1, 2, 3]


def test_without_a_period_all_data_are_taken(engine, rows):
    found = engine.run("revenue", grain="quarter of year", as_of="2026-03-31")
    assert [row["revenue"] for row in found.rows()] == [
        sum(each[3] for each in rows if (each[1].month + 2) // 3 == n) for n in range(1, 5)
    ]
    assert found.totals() == {"revenue": sum(each[3] for each in rows)}


def test_hours_are_those_of_the_clock_of_the_project():
    import pyarrow as pa

    zone = ZoneInfo("Europe/Paris")
    start = datetime(2026, 3, 27, tzinfo=zone)
    moments = [start + timedelta(minutes=17 * n) for n in range(400)]
    made = {
        "calendar": {"timezone": zone.key},
        "datasets": {"hits": {"key": "id", "time": "at"}},
        "kpis": {"hits_counted": {"inputs": ["hits"], "formula": "count(hits)"}},
    }
    table = pa.table({"id": range(400), "at": pa.array(moments, pa.timestamp("us", "UTC"))})
    with kpi_engine.open(made, {"hits": table}) as engine:
        found = engine.run(
            "hits_counted", grain="hour_of_day", period="2026-03-27..2026-03-31", as_of="2026-04-30"
        ).rows()
    expected = defaultdict(int)
    for each in moments:
        expected[each.astimezone(ZoneInfo("UTC")).astimezone(zone).hour] += 1
    assert {row["period"]: row["hits_counted"] for row in found} == {hour: expected[hour] for hour in range(24)}


@pytest.mark.parametrize(("asked", "code"), [
    ({"grain": ["day_of_week", "month"]}, "bad_request"),
    ({"grain": "day_of_week", "compare": "previous_year"}, "no_previous"),
    ({"grain": "day_of_week", "compare": "previous_period"}, "no_previous"),
    ({"grain": "day_of_week", "where": {"period": {"gte": "2025-02-01"}}}, "bad_filter_value"),
    ({"grain": "hour_of_day"}, "grain_too_fine"),
    ({"grain": "week_of_moon"}, "unknown_grain"),
])  # fmt: skip
def test_what_a_part_of_the_calendar_cannot_be_asked_is_refused(engine, asked, code):
    with pytest.raises(RequestError) as refused:
        engine.run("revenue", period="2025", as_of="2026-03-31", **asked)
    assert refused.value.code == code
