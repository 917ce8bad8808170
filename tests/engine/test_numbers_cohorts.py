"""Cohorts followed from age to age, against a count in plain Python."""

import calendar
from datetime import date, datetime, timedelta
from random import Random

import duckdb
import pytest

import kpi_engine
from kpi_engine import DefinitionError, RequestError

SIGNUPS = """
(1, 'ann', timestamp '2026-01-05 09:00', 'ad'), (2, 'bob', timestamp '2026-01-31 23:00', 'mail'),
(3, 'cid', timestamp '2026-02-10 09:00', 'ad'), (4, 'ann', timestamp '2026-02-11 09:00', 'mail'),
(5, 'dan', timestamp '2026-04-01 00:00', 'ad'), (6, null, timestamp '2026-01-02 00:00', 'ad')
"""
VISITS = """
(1, 'ann', timestamp '2026-01-05 10:00', 1, 'x'), (2, 'ann', timestamp '2026-02-05 10:00', 2, 'x'),
(3, 'ann', timestamp '2026-02-06 10:00', 3, 'y'), (4, 'bob', timestamp '2026-04-05 10:00', 4, 'x'),
(5, 'cid', timestamp '2026-02-01 10:00', 5, 'x'), (6, 'cid', timestamp '2026-03-01 10:00', 6, 'x'),
(7, 'zoe', timestamp '2026-03-01 10:00', 7, 'x'), (8, null, timestamp '2026-03-01 10:00', 8, 'x')
"""
UNITS = ("day", "week", "month", "quarter", "year", "fiscal_quarter", "fiscal_year")


def following(**modifiers):
    return {"joined": "signups", "back": {"from": "visits", "of": "who", "after": "joined", "age": "month"} | modifiers}


def definitions(unit="month"):
    followed = following(age=unit)
    return {
        "datasets": {
            "signups": {"table": "signup", "key": "id", "time": "at", "dimensions": ["channel", "who"]},
            "visits": {"table": "visit", "key": "id", "time": "at", "dimensions": ["who"]},
        },
        "kpis": {
            "retention": {
                "inputs": followed, "formula": "count(distinct back.who) / count(distinct joined.who)", "format": "percent",
            },
            "retained": {"inputs": followed, "formula": "count(distinct back.who)"},
            "cohort_size": {"inputs": followed, "formula": "count(joined)"},
            "spent": {"inputs": followed, "formula": "sum(back.amount)"},
            "visits_of_x": {"inputs": followed, "formula": "count(back) filter (where back.page = 'x')"},
            "large": {"inputs": following(age=unit, where="amount > 2"), "formula": "count(back)"},
            "lost": {"inputs": ["retention"], "formula": "1 - retention"},
            "average_channel": {"inputs": {"r": {"from": "retention", "per": "channel"}}, "formula": "avg(r)"},
            "channels_back": {"inputs": {"r": {"from": "retained", "per": "channel"}}, "formula": "count(r)"},
            "by_ads": {"inputs": {"r": {"from": "retention", "where": "channel = 'ad'"}}, "formula": "r"},
            "last_quarter": {"inputs": {"r": {"from": "retention", "window": "3 months"}}, "formula": "r"},
            "ever": {"inputs": {"r": {"from": "retention", "all_time": True}}, "formula": "r"},
            "month_before": {"inputs": {"r": {"from": "retained", "offset": "1 month"}}, "formula": "r"},
            "share_of_signups": {
                "inputs": {"r": "retained", "all": {"from": "signup_count", "across": "age"}}, "formula": "r / all",
            },
            "signup_count": {"inputs": ["signups"], "formula": "count(signups)"},
        },
    }  # fmt: skip


@pytest.fixture(scope="module")
def engine():
    made = definitions()
    with duckdb.connect() as connection:
        connection.execute(f'create table signup as from (values {SIGNUPS}) t(id, who, "at", channel)')
        connection.execute(f'create table visit as from (values {VISITS}) t(id, who, "at", amount, page)')
        with kpi_engine.open(made, connection) as opened:
            assert opened.check() == []
            yield opened


def asked(engine, kpi, by="age", as_of="2026-03-31", **request):
    rows = engine.run(kpi, by=by, as_of=as_of, **request).rows()
    return [tuple(row.values()) for row in rows]


def table(engine, kpi, **request):
    rows = engine.run(kpi, by="age", grain="month", period="2026-Q1", as_of="2026-03-31", **request).rows()
    return [[row[kpi] for row in rows if row["period"].month == month] for month in (1, 2, 3)]


def test_a_retention_table_knows_what_is_over_and_nothing_else(engine):
    assert table(engine, "retention") == [[0.5, 0.5, 0.0], [0.0, 1.0, None], [None, None, None]]
    assert table(engine, "retained") == [[1, 1, 0], [0, 1, None], [0, None, None]]
    assert table(engine, "cohort_size") == [[2, 2, 2], [1, 1, None], [0, None, None]]
    assert table(engine, "spent") == [[1, 5, 0], [0, 6, None], [0, None, None]]
    assert table(engine, "visits_of_x") == [[1, 1, 0], [0, 1, None], [0, None, None]]
    assert table(engine, "large") == [[0, 1, 0], [0, 1, None], [0, None, None]]
    assert table(engine, "lost") == [[0.5, 0.5, 1.0], [1.0, 0.0, None], [None, None, None]]


def test_a_running_age_is_unknown_and_becomes_known_with_its_last_moment(engine):
    almost = asked(engine, "retained", period="2026-01", as_of="2026-02-28T23:59:59")
    assert almost == [(0, 1)]
    assert asked(engine, "retained", period="2026-01", as_of="2026-02-28") == [(0, 1), (1, 1)]
    assert asked(engine, "retained", period="2026-04", as_of="2026-04-30") == [(0, 0)]
    assert asked(engine, "retained", period="2026-04", as_of="2026-04-29") == []


def test_an_age_over_several_cohorts_covers_those_of_which_it_is_over(engine):
    assert asked(engine, "retention", period="2026-Q1") == [(0, 1 / 3), (1, 2 / 3), (2, 0.0)]
    assert asked(engine, "cohort_size", period="2026-Q1") == [(0, 3), (1, 3), (2, 2)]
    assert asked(engine, "cohort_size") == [(0, 3), (1, 3), (2, 2)]
    at_one = engine.run(
        ["retention", "cohort_size"], grain="month", period="2026-Q1", where={"age": 1}, as_of="2026-03-31"
    )
    assert [row["retention"] for row in at_one.rows()] == [0.5, 1.0, None]
    assert at_one.totals() == {"retention": 2 / 3, "cohort_size": 3}


def test_a_total_over_all_ages_is_unknown(engine):
    result = engine.run(["retention", "retained", "spent"], by="age", period="2026-Q1", as_of="2026-03-31")
    assert result.totals() == {"retention": None, "retained": None, "spent": None}


def test_several_ages_at_once_are_those_who_came_at_any_of_them_once_all_are_over(engine):
    request = {"by": (), "grain": "month", "period": "2026-Q1"}
    assert [row[1] for row in asked(engine, "retention", where={"age": {"lte": 2}}, **request)] == [0.5, None, None]
    assert [row[1] for row in asked(engine, "retained", where={"age": [0, 1]}, **request)] == [1, 1, None]
    between = asked(engine, "cohort_size", where={"age": {"between": [1, 2], "ne": 2}}, **request)
    assert [row[1] for row in between] == [2, 1, None]


def test_an_age_is_needed_and_has_an_end(engine):
    for where in (None, {"age": {"gte": 1}}, {"age": {"ne": 1}}):
        with pytest.raises(RequestError, match="means nothing without a split by `age`"):
            engine.run("retention", period="2026-Q1", where=where)
    with pytest.raises(RequestError, match="no age is let through"):
        engine.run("retention", where={"age": -1})
    with pytest.raises(RequestError, match="which is no number"):
        engine.run("retention", by="age", where={"age": "old"})
    for where in ({"age": {"contains": "1"}}, {"age": {"among": {"having": {"signup_count": 1}}}}, {"age": "nan"}):
        with pytest.raises(RequestError) as caught:
            engine.run("retention", by="age", where=where)
        assert caught.value.code == "bad_filter_value"
    for wrong in ({"where_sql": "age < 3"}, {"by": ["age", "who", "page"]}):
        with pytest.raises(RequestError):
            engine.run("retention", **{"by": "age"} | wrong)
    with pytest.raises(RequestError):
        engine.members("age", of="retention")
    with pytest.raises(RequestError, match="means nothing"):
        engine.run("share_of_signups", period="2026-Q1")


def test_filters_say_which_cohorts_count_and_never_which_row_was_the_first(engine):
    assert asked(engine, "cohort_size", period="2026-Q1", where={"channel": "mail"}) == [(0, 1), (1, 1), (2, 1)]
    assert asked(engine, "by_ads", period="2026-Q1") == [(0, 0.5), (1, 1.0), (2, 0.0)]
    rows = asked(engine, "cohort_size", by=["channel", "age"], period="2026-Q1")
    assert rows == [("ad", 0, 2), ("ad", 1, 2), ("ad", 2, 1), ("mail", 0, 1), ("mail", 1, 1), ("mail", 2, 1)]


def test_a_cohort_composes_with_other_modifiers(engine):
    assert asked(engine, "average_channel", period="2026-Q1") == [(0, 0.25), (1, 0.5), (2, 0.0)]
    rolling = engine.run("last_quarter", by="age", grain="month", period="2026-02..2026-03", as_of="2026-03-31").rows()
    assert [row["last_quarter"] for row in rows_at(rows=rolling, age=1)] == [2 / 3, 2 / 3]
    assert asked(engine, "ever", period="2026-03") == [(0, 1 / 3), (1, 2 / 3), (2, 0.0)]
    before = engine.run("month_before", by="age", grain="month", period="2026-02..2026-03", as_of="2026-03-31").rows()
    assert [row["month_before"] for row in rows_at(before, 1)] == [1, 1]
    assert asked(engine, "share_of_signups", period="2026-01") == [(0, 1 / 3), (1, 1 / 3), (2, 0.0)]


def rows_at(rows, age):
    return [row for row in rows if row["age"] == age]


def test_comparing_keeping_and_sorting(engine):
    request = {"by": "age", "grain": "month", "period": "2026-02", "as_of": "2026-03-31"}
    compared = engine.run("retention", compare="previous_period", **request).rows()
    assert [row["retention__previous_period"] for row in compared] == [0.5, 0.5, 0.0]
    assert [row["retention"] for row in compared] == [0.0, 1.0, None]
    assert [row["age"] for row in engine.run("retention", having={"retention": {"gt": 0}}, **request).rows()] == [1]
    assert [row["age"] for row in engine.run("retained", order="-age", **request).rows()] == [1, 0]
    seen = engine.run("retained", by="age", grain="month", period="2026-Q1", as_of="2026-03-31", dense=False).rows()
    assert [(row["age"], row["period"], row["retained"]) for row in seen] == [
        (0, date(2026, 1, 1), 1), (1, date(2026, 1, 1), 1), (1, date(2026, 2, 1), 1),
    ]  # fmt: skip


@pytest.mark.parametrize("kpi", ["retained", "channels_back"])
def test_all_of_time_holds_the_members_that_a_period_of_all_rows_does(engine, kpi):
    asked = {"by": "age", "as_of": "2026-06-30", "dense": False}
    rows = engine.run(kpi, **asked).rows()
    assert [row["age"] for row in rows] == [0, 1, 3]
    assert rows == engine.run(kpi, period="2025..2026", **asked).rows()


def test_a_day_is_compared_with_a_moment_by_its_day_in_the_zone_of_the_project():
    made = definitions()
    made["calendar"] = {"timezone": "Europe/Paris"}
    plain = {"joined": "signups", "back": {"from": "visits", "of": "who", "after": "joined"}}
    made["kpis"] = {"retained": made["kpis"]["retained"], "ever": {"inputs": plain, "formula": "count(back)"}}
    asked = {"period": "2026-01", "as_of": "2026-03-31"}
    visits = "('ann', timestamptz '2026-01-31 22:30:00+00'), ('ann', timestamptz '2026-01-31 23:30:00+00'), ('bob', timestamptz '2026-01-09 10:00:00+00')"
    signups = "(1, 'ann', date '2026-01-31', 'ad'), (2, 'bob', date '2026-01-10', 'ad')"
    with duckdb.connect() as connection:
        connection.execute(f'create table signup as from (values {signups}) t(id, who, "at", channel)')
        connection.execute(f'create table visit as select *, 1 as id from (values {visits}) t(who, "at")')
        with kpi_engine.open(made, connection) as engine:
            rows = engine.run("retained", by="age", **asked).rows()
            assert [(row["age"], row["retained"]) for row in rows] == [(0, 1), (1, 1), (2, 0)]
            assert engine.run("ever", **asked).rows() == [{"ever": 2}]
    signups = (
        "(1, 'ann', timestamptz '2026-01-05 09:00:00+01', 'ad'), (2, 'bob', timestamptz '2026-01-05 00:30:00+01', 'ad')"
    )
    visits = "('ann', date '2026-01-05'), ('bob', date '2026-01-04')"
    with duckdb.connect() as connection:
        connection.execute(f'create table signup as from (values {signups}) t(id, who, "at", channel)')
        connection.execute(f'create table visit as select *, 1 as id from (values {visits}) t(who, "at")')
        with kpi_engine.open(made, connection) as engine:
            assert engine.run("retained", where={"age": 0}, **asked).rows() == [{"retained": 1}]
            assert engine.run("ever", **asked).rows() == [{"ever": 1}]


class Counted:
    """Retention counted by hand: the number of a unit from the calendar alone, entities in sets."""

    def __init__(self, signups, visits, unit, week_start=0, fiscal_start=1):
        self.unit, self.week_start, self.fiscal_start = unit, week_start, fiscal_start
        self.visits = visits
        self.first = {}
        for number, who, at, channel in sorted(signups, key=lambda row: (row[2], row[0])):
            if who is not None:
                self.first.setdefault(who, (at, channel, number))

    def number(self, at):
        if self.unit == "day":
            return (at.date() - date(1900, 1, 1)).days
        if self.unit == "week":
            monday = date(1900, 1, 1) + timedelta(days=self.week_start)
            return (at.date() - monday).days // 7
        start = 1 if not self.unit.startswith("fiscal") else self.fiscal_start
        months = at.year * 12 + at.month - start
        return months // {"month": 1, "quarter": 3, "year": 12, "fiscal_quarter": 3, "fiscal_year": 12}[self.unit]

    def cell(self, age, start, end, as_of, channel=...):
        """Give size and retained, None where no moment of the cohorts' time is old enough."""
        now = self.number(as_of)
        if self.number(start) + age >= now:
            return None, None
        cohort = {
            who: at
            for who, (at, found, _) in self.first.items()
            if start <= at < end and self.number(at) + age < now and channel in (..., found)
        }
        back = {
            who
            for _, who, at, _, _ in self.visits
            if who in cohort and at >= cohort[who] and self.number(at) - self.number(cohort[who]) == age
        }
        return len(cohort), len(back)


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize("seed", range(3))
def test_cohorts_are_what_sets_say(unit, seed):
    random = Random(f"{unit} {seed}")  # noqa: S311 - data to count
    start = datetime(2023, 11, 20)  # noqa: DTZ001 - local time
    moment = lambda: start + timedelta(minutes=30 * random.randrange(48 * 200))  # noqa: E731
    who = lambda: random.choice([*"abcdefghijkl", None])  # noqa: E731
    signups = [(n, who(), moment(), random.choice(["ad", "mail", None])) for n in range(25)]
    visits = [(n, who(), moment(), n, "x") for n in range(120)]
    week_start, fiscal_start = random.randrange(7), random.randrange(1, 13)
    as_of = datetime.combine((start + timedelta(days=random.randrange(120, 260))).date(), datetime.min.time())
    counted = Counted(signups, visits, unit, week_start, fiscal_start)
    names = [day.lower() for day in calendar.day_name]
    fiscal = [month.lower() for month in calendar.month_name if month]
    made = definitions(unit)
    with duckdb.connect() as connection:
        connection.execute('create table signup (id int, who varchar, "at" timestamp, channel varchar)')
        connection.execute('create table visit (id int, who varchar, "at" timestamp, amount int, page varchar)')
        connection.executemany("insert into signup values (?, ?, ?, ?)", signups)
        connection.executemany("insert into visit values (?, ?, ?, ?, ?)", visits)
        made["calendar"] = {
            "timezone": "Europe/Paris", "week_start": names[week_start], "fiscal_year_start": fiscal[fiscal_start - 1],
        }  # fmt: skip
        with kpi_engine.open(made, connection) as engine:
            bounds = [datetime(2023 + (10 + n) // 12, (10 + n) % 12 + 1, 1) for n in range(10)]  # noqa: DTZ001
            spans = {bounds[n].date(): (bounds[n], bounds[n + 1]) for n in range(9)}
            period = f"{bounds[0]:%Y-%m}..{bounds[8]:%Y-%m}"
            yesterday = (as_of - timedelta(days=1)).date()
            asked = {"by": ["age", "channel"], "grain": "month", "period": period, "as_of": yesterday}
            rows = engine.run(["cohort_size", "retained"], **asked).rows()
            assert rows or unit.endswith("year")
            for row in rows:
                cell = counted.cell(row["age"], *spans[row["period"]], as_of, row["channel"])
                assert (row["cohort_size"], row["retained"]) == cell, row
            whole = engine.run(["cohort_size", "retained"], by="age", period=period, as_of=yesterday).rows()
            assert [row["age"] for row in whole] == list(range(len(whole)))
            for row in whole:
                assert (row["cohort_size"], row["retained"]) == counted.cell(row["age"], bounds[0], bounds[9], as_of)
            assert counted.cell(len(whole), bounds[0], bounds[9], as_of) in {(None, None), (0, 0)}


REFUSED = [
    ({"age": "fortnight"}, "bad_age"),
    ({"age": "hour"}, "bad_age"),
    ({"age": "month", "touch": "last"}, "bad_age"),
    ({"age": "month", "within": "7 days"}, "bad_age"),
    ({"age": "month", "per": "who"}, "bad_age"),
    ({"age": {"unit": "month", "as": "channel"}}, "bad_age"),
    ({"age": {"unit": "month", "as": "all"}}, "bad_name"),
    ({"age": {"unit": "month", "as": "a__b"}}, "bad_name"),
    ({"age": {"as": "old"}}, "missing_key"),
    ({"age": 3}, "wrong_type"),
    ({"age": "month", "of": {}}, "half_a_conversion"),
    ({"age": "month", "after": ""}, "half_a_conversion"),
]


@pytest.mark.parametrize(("modifiers", "code"), REFUSED)
def test_what_is_no_cohort_is_refused(modifiers, code):
    assert code in codes_of({"inputs": following(**modifiers), "formula": "count(back)"})


def test_all_that_follow_a_cohort_do_so_by_one_age():
    mixed = following() | {"other": {"from": "visits", "of": "who", "after": "joined", "age": "week"}}
    assert codes_of({"inputs": mixed, "formula": "count(back) + count(other)"}) == {"bad_age"}
    plain = following() | {"other": {"from": "visits", "of": "who", "after": "joined"}}
    assert codes_of({"inputs": plain, "formula": "count(back) + count(other)"}) == {"bad_age"}


def test_what_is_not_counted_by_age_meets_a_cohort_as_a_constant():
    inputs = following() | {"every": "signups"}
    assert codes_of({"inputs": inputs, "formula": "count(back) / count(every)"}) == {"missing_dimension"}
    assert not codes_of(
        {"inputs": inputs | {"every": {"from": "signups", "across": "age"}}, "formula": "count(back) / count(every)"}
    )


def codes_of(kpi):
    made = definitions()
    made["kpis"] = {"k": kpi}
    with duckdb.connect() as connection:
        connection.execute(f'create table signup as from (values {SIGNUPS}) t(id, who, "at", channel)')
        connection.execute(f'create table visit as from (values {VISITS}) t(id, who, "at", amount, page)')
        try:
            with kpi_engine.open(made, connection) as engine:
                return {each.code for each in engine.check()}
        except DefinitionError as error:
            return {each.code for each in error.diagnostics}
