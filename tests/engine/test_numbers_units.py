"""Units of time of a project's own, end to end: numbers compared with sums over days in plain Python."""

import random
from collections import defaultdict
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

import kpi_engine
from kpi_engine.errors import DataError, DefinitionError, RequestError

DAY = timedelta(days=1)
AS_OF = "2027-01-30"
FIRST = date(2024, 2, 4)


def retail():
    """4-4-5 months of three years, of which the second has 53 weeks: (name, first day, last day)."""
    months, years, day = [], [], FIRST
    for year, weeks in ((2024, 52), (2025, 53), (2026, 52)):
        begin = day
        for number in range(12):
            length = (4, 4, 5)[number % 3] + (number == 11 and weeks == 53)
            months.append((f"{year}-P{number + 1:02}", day, day + length * 7 * DAY - DAY))
            day += length * 7 * DAY
        years.append((f"FY{year}", begin, day - DAY))
    return months, years


MONTHS, YEARS = retail()
CAMPAIGNS = [("Winter, 2025", date(2025, 1, 6), date(2025, 1, 19)), ('Spring "x"', date(2025, 3, 3), date(2025, 4, 30)),
             ("l'été", date(2025, 7, 1), date(2025, 7, 14))]  # fmt: skip
SPINE = [date(2025, 1, 1) + n * DAY for n in range(365)]


def name_on(periods, day):
    return next((name for name, first, last in periods if first <= day <= last), None)


@pytest.fixture(scope="module")
def sales():
    dice = random.Random(4)  # noqa: S311 - the same rows each time
    return [
        (
            n,
            FIRST + dice.randrange(1090) * DAY,
            dice.choice(["north", "south"]),
            dice.randrange(1, 50),
            dice.randrange(60),
        )
        for n in range(3000)
    ]


KPIS = {
    "revenue": {"inputs": ["sales"], "formula": "sum(amount)"},
    "buyers": {"inputs": ["sales"], "formula": "count(distinct buyer)"},
    "before": {"inputs": {"v": {"from": "revenue", "offset": "1 retail_month"}}, "formula": "v"},
    "last_year": {"inputs": {"v": {"from": "revenue", "offset": "1 retail_year"}}, "formula": "v"},
    "to_date": {"inputs": {"v": {"from": "revenue", "to_date": "retail_year"}}, "formula": "v"},
    "three": {"inputs": {"s": {"from": "sales", "window": "3 retail months"}}, "formula": "count(distinct s.buyer)"},
    "first_day": {"inputs": {"v": {"from": "revenue", "offset": "start of retail month"}}, "formula": "v"},
    "best": {"inputs": {"v": {"from": "revenue", "per": "retail_month"}}, "formula": "max(v)"},
    "step": {"inputs": {"v": {"from": "revenue", "offset": "period"}}, "formula": "v"},
    "promoted": {"inputs": {"v": {"from": "revenue", "to_date": "campaign"}}, "formula": "v"},
}  # fmt: skip


def definitions():
    return {
        "calendar": {
            "units": {
                "retail_month": {"from": "months", "start": "starts_on", "name": "period", "year": "retail_year"},
                "retail_year": {"from": "years", "start": "starts_on", "last": "ends_on", "name": "period"},
                "campaign": {"from": "spine", "day": "day", "label": {"en": "Campaign", "fr": "Campagne"}},
            }
        },
        "datasets": {
            "months": {}, "years": {}, "spine": {},
            "sales": {"key": "id", "time": "day", "dimensions": ["shop"]},
        },
        "kpis": KPIS,
    }  # fmt: skip


def tables(sales):
    import pyarrow as pa

    after = MONTHS[-1][2] + DAY
    return {
        "months": pa.table(
            {"starts_on": [*(first for _, first, _ in reversed(MONTHS)), after], "period": [*(name for name, *_ in reversed(MONTHS)), "end"]}
        ),
        "years": pa.table({"starts_on": [y[1] for y in YEARS], "ends_on": [y[2] for y in YEARS], "period": [y[0] for y in YEARS]}),
        "spine": pa.table({"day": SPINE, "campaign": [name_on(CAMPAIGNS, day) for day in SPINE]}),
        "sales": pa.table(dict(zip(("id", "day", "shop", "amount", "buyer"), map(list, zip(*sales, strict=True)), strict=True))),
    }  # fmt: skip


@pytest.fixture(scope="module")
def engine(sales):
    with kpi_engine.open(definitions(), tables(sales)) as opened:
        yield opened


def total(sales, first, last):
    return sum(amount for _, day, _, amount, _ in sales if first <= day <= last)


def distinct(sales, first, last):
    return len({buyer for _, day, _, _, buyer in sales if first <= day <= last})


def test_every_modifier_goes_by_the_units_of_the_project(engine, sales):
    asked = ["revenue", "buyers", "before", "last_year", "to_date", "three", "first_day", "best", "step"]
    rows = engine.run(asked, grain="retail_month", period="retail_year FY2025", as_of=AS_OF).rows()
    own = [n for n, (name, *_) in enumerate(MONTHS) if name.startswith("2025")]
    assert [row["period_retail_month"] for row in rows] == [MONTHS[n][0] for n in own]
    assert [row["period"] for row in rows] == [MONTHS[n][1] for n in own]
    for row, n in zip(rows, own, strict=True):
        _, first, last = MONTHS[n]
        assert row["revenue"] == row["best"] == total(sales, first, last)
        assert row["buyers"] == distinct(sales, first, last)
        assert row["before"] == row["step"] == total(sales, *MONTHS[n - 1][1:])
        assert row["last_year"] == total(sales, *MONTHS[n - 12][1:])
        assert row["to_date"] == total(sales, YEARS[1][1], last)
        assert row["three"] == distinct(sales, MONTHS[n - 2][1], last)
        assert row["first_day"] == total(sales, first, first)


def test_days_go_back_to_the_same_day_of_the_unit_before(engine, sales):
    rows = engine.run(["before", "to_date", "last_year"], grain="day", period="2025-P03..2025-P04", as_of=AS_OF).rows()
    months = {name: (first, last) for name, first, last in MONTHS}
    previous = {name: MONTHS[n - 1] for n, (name, *_) in enumerate(MONTHS)}
    for row in rows:
        name = name_on(MONTHS, row["period"])
        _, first, last = previous[name]
        there = first + (row["period"] - months[name][0])
        assert row["before"] == (total(sales, there, there) if there <= last else 0)
        assert row["to_date"] == total(sales, YEARS[1][1], row["period"])
        same = YEARS[0][1] + (row["period"] - YEARS[1][1])
        assert row["last_year"] == total(sales, same, same)
    assert len(rows) == 63


@pytest.mark.parametrize(("period", "before", "year"), [
    ("2025-P01", ["2024-P12"], ["2024-P01"]),
    ("2025-P12", ["2025-P11"], ["2024-P12"]),
    ("2025-P11..2025-P12", ["2025-P09", "2025-P10"], ["2024-P11", "2024-P12"]),
    ("retail_year FY2026", [f"2025-P{n:02}" for n in range(1, 13)], [f"2025-P{n:02}" for n in range(1, 13)]),
])  # fmt: skip
def test_comparisons_go_by_the_units_of_the_project(engine, sales, period, before, year):
    (row,) = engine.run("revenue", period=period, compare=["previous_period", "previous_year"], as_of=AS_OF).rows()
    for name, months in (("previous_period", before), ("previous_year", year)):
        assert row[f"revenue__{name}"] == sum(total(sales, *each[1:]) for each in MONTHS if each[0] in months)


@pytest.mark.parametrize(("period", "first", "last", "said"), [
    ("2025-P02", *MONTHS[13][1:], "2025-P02"),
    ("RETAIL month 2025-p02", *MONTHS[13][1:], "2025-P02"),
    ("last 2 retail months", MONTHS[-3][1], MONTHS[-2][2], "2026-P10 – 2026-P11"),
    ("last retail-month", *MONTHS[-2][1:], "2026-P11"),
    ("this retail_month", *MONTHS[-1][1:], "2026-P12"),
    ("retail month to date", MONTHS[-1][1], date(2027, 1, 30), "3–30 Jan 2027"),
    ("2025-P12..2026-P01", MONTHS[23][1], MONTHS[24][2], "2025-P12 – 2026-P01"),
    ("2025-P12..2026-01-31", MONTHS[23][1], date(2026, 1, 31), "28 Dec 2025 – 31 Jan 2026"),
    ("winter, 2025", *CAMPAIGNS[0][1:], "Winter, 2025"),
    ("L'ETE", *CAMPAIGNS[2][1:], "l'été"),
    ("2025", date(2025, 1, 1), date(2025, 12, 31), "2025"),
])  # fmt: skip
def test_a_period_is_named_as_the_data_name_it(engine, sales, period, first, last, said):
    result = engine.run("revenue", period=period, as_of=AS_OF)
    assert result.rows() == [{"revenue": total(sales, first, last)}]
    assert result.period == said


def test_time_in_no_unit_is_in_none_of_its_periods(engine, sales):
    result = engine.run(["revenue", "promoted"], grain="campaign", period="2025", as_of=AS_OF)
    assert [(row["period_campaign"], row["revenue"]) for row in result.rows()] == [
        (name, total(sales, first, last)) for name, first, last in CAMPAIGNS
    ]
    assert result.columns[1].label == "Campaign"
    days = engine.run("promoted", grain="day", period="2025", as_of=AS_OF).rows()
    begun = {name: first for name, first, _ in CAMPAIGNS}
    for row in days:
        name = name_on(CAMPAIGNS, row["period"])
        assert row["promoted"] == (total(sales, begun[name], row["period"]) if name else 0)


def acts(**asked):
    """Count hours over three acts with ten days between them, of which the first has five days."""
    import pyarrow as pa

    given = {
        "calendar": {"units": {"act": {"from": "acts", "start": "first", "last": "last", "name": "called"}}},
        "datasets": {"acts": {}, "hours": {"time": "at"}},
        "kpis": {
            "number": {"inputs": ["hours"], "formula": "count(hours)"},
            "trailing": {"inputs": {"x": {"from": "hours", "window": "1 act"}}, "formula": "count(x)"},
        },
    }
    firsts, lasts = (
        [date(2025, 1, 1), date(2025, 1, 16), date(2025, 2, 11)],
        [date(2025, 1, 5), date(2025, 1, 31), date(2025, 3, 10)],
    )
    hours = [datetime(2025, 1, 1) + timedelta(hours=n) for n in range(24 * 70)]  # noqa: DTZ001 - local time
    data = {
        "acts": pa.table({"first": firsts, "last": lasts, "called": ["Act 1", "Act 2", "Act 3"]}),
        "hours": pa.table({"at": hours}),
    }
    with kpi_engine.open(given, data) as engine:
        return engine.run(**asked).rows()[0]


def test_to_date_is_compared_with_a_shorter_unit_and_not_with_the_time_after_it():
    row = acts(kpis="number", period="act to date", compare="previous_period", as_of="2025-01-28")
    assert (row["number"], row["number__previous_period"]) == (13 * 24, 5 * 24)


def test_a_trailing_unit_begins_at_the_start_of_a_day():
    row = acts(kpis="trailing", period="Act 3", as_of="2025-02-20T14:30")
    assert row["trailing"] == (25 * 24 + 15)


def test_a_name_may_begin_with_the_unit():
    assert acts(kpis="number", period="Act 1..Act 2", as_of="2025-03-31") == {"number": 31 * 24}
    assert acts(kpis="number", period="act Act 2", as_of="2025-03-31") == {"number": 16 * 24}
    assert acts(kpis="number", period="act 2", as_of="2025-03-31") == {"number": 16 * 24}


def test_several_grains_keep_the_time_in_no_unit(engine, sales):
    rows = engine.run("revenue", by="shop", grain=["month", "campaign"], period="2025", as_of=AS_OF).rows()
    expected = defaultdict(int)
    for _, day, shop, amount, _ in sales:
        if day.year == 2025:
            expected[shop, day.replace(day=1), name_on(CAMPAIGNS, day)] += amount
    found = defaultdict(int)
    for row in rows:
        found[row["shop"], row["period_month"], row["period_campaign"]] += row["revenue"]
    assert {key: value for key, value in found.items() if value} == expected
    assert [row["period"] for row in rows if row["shop"] == "north"] == sorted({row["period"] for row in rows})


@pytest.mark.parametrize(("condition", "wanted"), [
    ({"retail_month": "2025-P02"}, lambda month, _: month == "2025-P02"),
    ({"retail_month": ["2025-P02", "2025-P04"]}, lambda month, _: month in {"2025-P02", "2025-P04"}),
    ({"retail_month": {"gte": "2025-P03", "lt": "2025-P05"}}, lambda month, _: month in {"2025-P03", "2025-P04"}),
    ({"campaign": {"ne": "l'été"}}, lambda _, campaign: campaign in {"Winter, 2025", 'Spring "x"'}),
    ({"Retail month": "2025-P03", "lt": "2025-04-10"}, lambda month, _: month == "2025-P03"),
])  # fmt: skip
def test_days_are_chosen_by_the_unit_they_lie_in(engine, sales, condition, wanted):
    rows = engine.run(
        ["revenue", "before"], grain="day", period="2025", where={"period": condition}, as_of=AS_OF
    ).rows()
    chosen = [day for day in SPINE if wanted(name_on(MONTHS, day), name_on(CAMPAIGNS, day))]
    chosen = [day for day in chosen if "lt" not in condition or day < date(2025, 4, 10)]
    assert [row["period"] for row in rows] == chosen
    assert [row["revenue"] for row in rows] == [total(sales, day, day) for day in chosen]


@pytest.mark.parametrize(("grain", "condition", "words"), [
    ("week", {"month": {"gte": "2025-02-01"}}, "does not lie in one `month`"),
    ("day", {"retail_month": "2025-P13"}, "no period called `2025-P13`"),
    ("day", {"month": "February"}, "no date"),
])  # fmt: skip
def test_a_condition_that_does_not_fit_the_periods_is_refused(engine, grain, condition, words):
    with pytest.raises(RequestError, match=words):
        engine.run("revenue", grain=grain, period="2025", where={"period": condition}, as_of=AS_OF)


def test_without_a_period_whole_units_are_taken(engine, sales):
    rows = engine.run("revenue", grain="retail_year", as_of=AS_OF).rows()
    assert [row["revenue"] for row in rows] == [total(sales, first, last) for _, first, last in YEARS]


def test_units_are_cut_on_the_clock_of_the_project(sales):
    import pyarrow as pa

    zone = ZoneInfo("Europe/Paris")
    given = definitions()
    given["calendar"]["timezone"] = zone.key
    given["datasets"]["sales"] = {"key": "id", "time": "at"}
    dice = random.Random(8)  # noqa: S311 - the same rows each time
    start = datetime(2025, 3, 28, tzinfo=zone)
    moments = [start + timedelta(minutes=dice.randrange(60 * 24 * 4)) for _ in range(500)]
    rows = {
        "id": list(range(500)),
        "at": pa.array(moments, pa.timestamp("us", "UTC")),
        "amount": [1] * 500,
        "buyer": [1] * 500,
    }
    with kpi_engine.open(given, {**tables(sales), "sales": pa.table(rows)}) as engine:
        found = engine.run("revenue", grain="retail_month", period="2025-03-01..2025-04-30", as_of=AS_OF).rows()
    expected = defaultdict(int)
    for each in moments:
        expected[name_on(MONTHS, each.astimezone(zone).date())] += 1
    assert {row["period_retail_month"]: row["revenue"] for row in found if row["revenue"]} == expected


@pytest.mark.parametrize(("request_", "code", "words"), [
    ({"grain": "retail_month", "period": "2027"}, "outside_calendar", "2024-02-04 to 2027-02-06"),
    ({"grain": "retail_month", "period": "2023-12..2024-03"}, "outside_calendar", "2023-12-01"),
    ({"period": "2024-P01", "compare": "previous_period"}, "outside_calendar", "one more than there is"),
    ({"period": "retail_year FY2024", "compare": "previous_year"}, "outside_calendar", "one more than there is"),
    ({"period": "last 50 retail months"}, "outside_calendar", "earlier periods of `retail_month`"),
    ({"period": "this campaign", "as_of": "2025-02-10"}, "in_no_unit", "2025-02-10 lies in no `campaign`"),
    ({"period": "winter, 2025", "compare": "previous_year"}, "no_year_of_unit", "campaign"),
    ({"period": "retail_month 2025-P13"}, "bad_period", "no period of this name"),
    ({"grain": "retail_monht"}, "unknown_grain", "retail_monht"),
])  # fmt: skip
def test_what_the_calendar_does_not_know_is_refused(engine, request_, code, words):
    with pytest.raises(RequestError, match=words) as refused:
        engine.run("revenue", **{"as_of": AS_OF, **request_})
    assert refused.value.code == code


def test_time_outside_is_in_no_unit_where_the_project_says_so(sales):
    given = definitions()
    for unit in given["calendar"]["units"].values():
        unit["outside"] = "nothing"
    with kpi_engine.open(given, tables(sales)) as engine:
        rows = engine.run(
            ["revenue", "before", "three"], grain="retail_month", period="2023..2024-03", as_of=AS_OF
        ).rows()
    assert [row["period_retail_month"] for row in rows] == ["2024-P01", "2024-P02", "2024-P03"]
    assert [row["before"] for row in rows] == [0, rows[0]["revenue"], total(sales, MONTHS[1][1], MONTHS[1][1])]
    assert rows[1]["three"] == distinct(sales, MONTHS[0][1], MONTHS[1][2])


@pytest.mark.parametrize(("rows", "words"), [
    ([], "no period"),
    ([("a", "2025-01-01", "2025-01-31"), ("b", "2025-01-31", "2025-02-28")], "`a` .* and `b` .* overlap"),
    ([("a", "2025-01-01", "2025-01-31"), ("a", "2025-02-01", "2025-02-28")], "two periods are called `a`"),
    ([("a", "2025-01-31", "2025-01-01")], "ends on 2025-01-01, before it begins"),
    ([("a", None, "2025-01-01")], "no first day"),
    ([(None, "2025-01-01", "2025-01-31")], "no name"),
    ([("a", "2025-01-01", None)], "no last day"),
])  # fmt: skip
def test_data_that_are_no_periods_are_refused(sales, rows, words):
    import pyarrow as pa

    names, firsts, lasts = zip(*rows, strict=True) if rows else ((), (), ())
    made = {"starts_on": pa.array(map(day, firsts), pa.date32()), "ends_on": pa.array(map(day, lasts), pa.date32())}
    years = pa.table({**made, "period": pa.array(names, pa.string())})
    with kpi_engine.open(definitions(), {**tables(sales), "years": years}) as engine:
        with pytest.raises(DataError, match=words) as refused:
            engine.run("revenue", grain="retail_year", period="2025", as_of=AS_OF)
        assert refused.value.code == "bad_calendar"
        assert [each.code for each in engine.check(live=True) if each.severity == "error"] == ["bad_calendar"]


@pytest.mark.parametrize(("change", "words"), [
    (lambda spine: [*spine, spine[-1]], "has a day twice"),
    (lambda spine: spine[:30] + spine[31:], "1 days have no row"),
    (lambda spine: [(day, "Winter, 2025" if n == 200 else name) for n, (day, name) in enumerate(spine)], "are not its own"),
    (lambda spine: [*spine, (spine[5][0], None)], "a day twice|have two rows"),
    (lambda spine: [*spine, (spine[7][0], "other")], "have two rows"),
])  # fmt: skip
def test_days_that_make_no_periods_are_refused(sales, change, words):
    import pyarrow as pa

    days = change([(each, name_on(CAMPAIGNS, each)) for each in SPINE])
    spine = pa.table({"day": [each for each, _ in days], "campaign": pa.array([name for _, name in days], pa.string())})
    with (
        kpi_engine.open(definitions(), {**tables(sales), "spine": spine}) as engine,
        pytest.raises(DataError, match=words),
    ):
        engine.run("revenue", grain="campaign", period="2025", as_of=AS_OF)


@pytest.mark.parametrize(("unit", "code"), [
    ({"from": "months"}, "bad_time_unit"),
    ({"from": "months", "start": "starts_on", "day": "starts_on"}, "bad_time_unit"),
    ({"from": "spine", "day": "day", "last": "day", "name": "campaign"}, "bad_time_unit"),
    ({"from": "monthss", "start": "starts_on"}, "unknown_dataset"),
    ({"from": "months", "start": "begins_on"}, "unknown_column"),
    ({"from": "months", "start": "starts_on", "name": "called"}, "unknown_column"),
    ({"from": "months", "start": "period"}, "not_a_date"),
    ({"from": "months", "start": "starts_on", "year": "years"}, "unknown_unit"),
])  # fmt: skip
def test_a_unit_that_says_too_little_is_a_mistake(sales, unit, code):
    given = definitions()
    given["calendar"]["units"] = {"season": unit}
    given["kpis"] = {"revenue": KPIS["revenue"]}
    with kpi_engine.open(given, tables(sales)) as engine:
        assert [each.code for each in engine.check()] == [code]
        with pytest.raises(DefinitionError) as refused:
            engine.run("revenue", grain="season", period="2025", as_of=AS_OF)
        assert refused.value.code == code


@pytest.mark.parametrize("name", ["month", "days", "period", "fiscal_year"])
def test_a_unit_does_not_take_the_name_of_another(sales, name):
    given = definitions()
    given["calendar"]["units"] = {name: {"from": "months", "start": "starts_on"}}
    given["kpis"] = {"revenue": KPIS["revenue"]}
    with kpi_engine.open(given, tables(sales)) as engine:
        assert [each.code for each in engine.check()] == ["bad_name"]


def day(text):
    return None if text is None else date.fromisoformat(text)
