"""Conversions, members without a KPI, frames, several grains, and conditions on the value of a KPI."""

from datetime import date, datetime

import duckdb
import pytest

import kpi_engine
from kpi_engine import DefinitionError, RequestError

VISITS = """
(1, 'ann', timestamp '2026-01-01 09:00', 'ad', 's1'), (2, 'ann', timestamp '2026-01-03 09:00', 'mail', 's2'),
(3, 'bob', timestamp '2026-01-02 09:00', 'ad', 's3'), (4, 'cid', timestamp '2026-02-01 09:00', null, 's4'),
(5, 'dan', timestamp '2026-02-10 09:00', 'mail', 's5')
"""
ORDERS = """
(1, 'ann', timestamp '2026-01-04 10:00', 10, 's1'), (2, 'ann', timestamp '2026-02-05 10:00', 20, 's9'),
(3, 'bob', timestamp '2026-01-01 10:00', 30, 's3'), (4, 'cid', timestamp '2026-02-01 09:00', 40, 's4'),
(5, 'eve', timestamp '2026-02-02 10:00', 50, 's8')
"""
LEVELS = """
('a', date '2026-01-05', 1), ('a', date '2026-01-20', 2), ('b', date '2026-01-10', 10), ('a', date '2026-02-02', 4)
"""


def definitions():
    visits = {"earlier": "visits", "later": {"from": "orders", "of": "visitor", "after": "earlier"}}

    def converted(**modifiers):
        return visits | {"later": visits["later"] | modifiers}

    return {
        "datasets": {
            "visits": {"table": "visit", "key": "id", "time": "at", "dimensions": ["channel", "visitor"]},
            "orders": {"table": "purchase", "key": "id", "time": "at", "dimensions": ["visitor"]},
            "labelled": {
                "sql": "select id, visitor, \"at\", case id when 1 then 'mail' when 2 then 'ad' end as session from purchase", "time": "at",
            },
            "levels": {
                "table": "level", "time": "day", "snapshot": {"of": "thing"}, "dimensions": ["thing"],
                "columns": {"day": {"type": "date"}},
            },
            "all_levels": {"table": "level", "time": "day", "snapshot": {"of": []}, "dimensions": ["thing"]},
        },
        "kpis": {
            "visit_count": {"inputs": ["visits"], "formula": "count(visits)"},
            "order_count": {"inputs": ["orders"], "formula": "count(orders)"},
            "ever": {"inputs": converted(), "formula": "count(later)"},
            "value": {"inputs": converted(), "formula": "sum(later.amount)"},
            "large": {"inputs": converted(where="amount > 15"), "formula": "count(later)"},
            "soon": {"inputs": converted(within="2 days"), "formula": "count(later)"},
            "first_touch": {"inputs": converted(touch="first"), "formula": "count(later)"},
            "same_session": {"inputs": converted(of=["visitor", "session"]), "formula": "count(later)"},
            "same_label": {
                "inputs": converted(of={"visitor": "visitor", "session": "channel"}, **{"from": "labelled"}), "formula": "count(later)",
            },
            "rate": {"inputs": converted(), "formula": "count(later) / count(earlier)"},
            "observed_visits": {"inputs": ["visits"], "formula": "count(visits)", "frame": "observed"},
            "before": {
                "inputs": {"now": "observed_visits", "day_before": {"from": "observed_visits", "offset": "1 day"}},
                "formula": "now - day_before", "frame": "observed",
            },
            "every_visit": {"inputs": ["visits"], "formula": "count(visits)", "frame": "every_period"},
            "first_day": {"inputs": {"v": {"from": "visit_count", "offset": "start of month"}}, "formula": "v"},
            "daily": {"inputs": {"d": {"from": "visit_count", "per": "day"}}, "formula": "avg(d)"},
            "daily_seen": {"inputs": {"d": {"from": "observed_visits", "per": "day"}}, "formula": "avg(d)"},
            "opening_day": {"inputs": {"d": {"from": "visit_count", "per": "day"}}, "formula": "first(d)"},
            "closing_day": {"inputs": {"d": {"from": "visit_count", "per": "day"}}, "formula": "last(d)"},
            "last_level": {"inputs": {"l": {"from": "levels", "take": "last"}}, "formula": "sum(reading)"},
            "first_level": {"inputs": {"l": {"from": "levels", "take": "first"}}, "formula": "sum(reading)"},
            "last_of_all": {"inputs": {"l": {"from": "all_levels", "take": "last"}}, "formula": "sum(reading)"},
        },
    }  # fmt: skip


@pytest.fixture(scope="module")
def engine():
    with duckdb.connect() as connection:
        connection.execute(f'create table visit as from (values {VISITS}) t(id, visitor, "at", channel, session)')
        connection.execute(f'create table purchase as from (values {ORDERS}) t(id, visitor, "at", amount, session)')
        connection.execute(f"create table level as from (values {LEVELS}) t(thing, day, reading)")
        with kpi_engine.open(definitions(), connection) as made:
            assert made.check() == []
            yield made


def asked(engine, kpi, by=(), **request):
    rows = engine.run(kpi, by=by, as_of="2026-12-31", **request).rows()
    return [tuple(row.values()) for row in rows]


def test_a_later_row_counts_in_the_period_and_the_dimensions_of_the_last_earlier_one(engine):
    assert asked(engine, "ever", "channel", period="2026-01") == [("mail", 2)]
    assert asked(engine, "ever", "channel", period="2026-Q1") == [("mail", 2), (None, 1)]
    assert asked(engine, "value", grain="month", period="2026-Q1") == [
        (date(2026, 1, 1), 30), (date(2026, 2, 1), 40), (date(2026, 3, 1), 0),
    ]  # fmt: skip


def test_a_row_of_the_same_moment_comes_after_and_one_before_does_not(engine):
    assert asked(engine, "ever", "visitor", period="2026") == [("ann", 2), ("cid", 1)]


def test_a_conversion_within_a_time_by_the_first_touch_and_of_two_keys(engine):
    assert asked(engine, "soon", period="2026") == [(2,)]
    assert asked(engine, "first_touch", "channel", period="2026-Q1") == [("ad", 2), (None, 1)]
    assert asked(engine, "same_session", "visitor", period="2026") == [("ann", 1), ("cid", 1)]


def test_what_must_be_the_same_in_both_rows_may_be_called_otherwise_and_unknown_is_equal_to_none(engine):
    assert asked(engine, "same_label", "channel", period="2026-Q1") == [("ad", 1), ("mail", 1)]


def test_conditions_of_the_later_input_are_about_its_rows_and_filters_about_the_earlier(engine):
    assert asked(engine, "large", period="2026") == [(2,)]
    assert asked(engine, "rate", period="2026", where={"channel": "mail"}) == [(1.0,)]
    assert asked(engine, "rate", period="2026", where={"channel": "ad"}) == [(1.0,)]
    assert engine.dimensions("rate") == ("channel", "visitor")


def test_a_later_row_after_the_moment_is_not_known_yet(engine):
    rows = engine.run("ever", period="2026", as_of="2026-01-31").rows()
    assert rows == [{"ever": 1}]


@pytest.mark.parametrize(
    ("later", "code"),
    [
        ({"of": "visitor"}, "half_a_conversion"),
        ({"after": "earlier"}, "half_a_conversion"),
        ({"of": "nobody", "after": "earlier"}, "unknown_column"),
        ({"of": "visitor", "after": "elsewhere"}, "bad_conversion"),
        ({"of": "visitor", "after": "earlier", "within": "soon"}, "bad_duration"),
        ({"of": "visitor", "after": "earlier", "touch": "middle"}, "bad_value"),
    ],
)
def test_what_is_no_conversion_is_refused(later, code):
    made = definitions()
    made["kpis"] = {
        "k": {"inputs": {"earlier": "visits", "later": {"from": "orders"} | later}, "formula": "count(later)"}
    }
    with duckdb.connect() as connection:
        connection.execute(f'create table visit as from (values {VISITS}) t(id, visitor, "at", channel, session)')
        connection.execute(f'create table purchase as from (values {ORDERS}) t(id, visitor, "at", amount, session)')
        connection.execute(f"create table level as from (values {LEVELS}) t(thing, day, reading)")
        with kpi_engine.open(made, connection) as opened, pytest.raises(DefinitionError) as caught:
            opened.run("k", period="2026")
    assert code in {each.code for each in caught.value.diagnostics}


def test_members_are_those_of_the_rows(engine):
    assert engine.members("channel").rows() == [{"channel": "ad"}, {"channel": "mail"}, {"channel": None}]
    assert [row["visitor"] for row in engine.members("visitor", as_of="2026-12-31").rows()] == [
        "ann",
        "bob",
        "cid",
        "dan",
        "eve",
    ]
    assert engine.members("visitor", of="orders", where={"visitor": {"ne": "ann"}}, limit=1).rows() == [
        {"visitor": "bob"}
    ]
    assert engine.members("channel", of="rate", period="2026-01", order="-channel").rows() == [
        {"channel": "mail"}, {"channel": "ad"},
    ]  # fmt: skip


def test_members_by_grain_are_each_member_in_each_period(engine):
    request = {"of": "visits", "grain": "month", "period": "2026-Q1", "as_of": "2026-12-31"}
    assert len(engine.members("channel", **request).rows()) == 9
    assert len(engine.members("channel", **request, dense=False).rows()) == 4
    february = request | {"period": "2026-02"}
    assert len(engine.members("channel", **february).rows()) == 2
    assert len(engine.members("channel", **february, dated=False).rows()) == 3
    assert engine.members("channel", **request).totals() == {}


@pytest.mark.parametrize(
    ("by", "of", "code"),
    [("nothing", None, "missing_dimension"), ("channel", "orders", "missing_dimension"),
     ("channel", "nowhere", "unknown_dataset"), ((), None, "missing_dimension")],
)  # fmt: skip
def test_members_of_what_is_not_there_are_refused(engine, by, of, code):
    with pytest.raises(RequestError) as caught:
        engine.members(by, of=of)
    assert caught.value.code == code


def test_a_frame_of_observed_rows_also_has_those_that_an_offset_observes(engine):
    assert asked(engine, "before", grain="day", period="2026-01-01..2026-01-05") == [
        (date(2026, 1, 1), 1), (date(2026, 1, 2), 0), (date(2026, 1, 3), 0), (date(2026, 1, 4), -1),
    ]  # fmt: skip


def test_a_frame_of_every_period_has_a_row_of_unknown_members_where_none_was_seen(engine):
    request = {"grain": "month", "period": "2026-Q1"}
    assert asked(engine, "every_visit", "channel", **request) == [
        ("ad", date(2026, 1, 1), 2), ("mail", date(2026, 1, 1), 1), ("mail", date(2026, 2, 1), 1),
        (None, date(2026, 2, 1), 1), (None, date(2026, 3, 1), 0),
    ]  # fmt: skip
    assert asked(engine, "every_visit", "channel", where={"channel": "ad"}, **request) == [("ad", date(2026, 1, 1), 2)]
    assert len(asked(engine, "every_visit", where={"channel": "ad"}, **request)) == 3


def test_the_most_that_one_kpi_says_is_the_frame_of_all(engine):
    assert len(asked(engine, ["observed_visits", "visit_count"], grain="day", period="2026-01-01..2026-01-05")) == 5
    assert len(asked(engine, ["observed_visits", "visit_count"], grain="month", period="2026-Q1", dense=False)) == 2


def test_several_grains_cut_periods_at_the_ends_of_all_units(engine):
    rows = engine.run(
        "visit_count", grain=["month", "week"], period="2026-01-26..2026-02-08", as_of="2026-12-31"
    ).rows()
    assert [(row["period"], row["period_month"], row["period_week"], row["visit_count"]) for row in rows] == [
        (date(2026, 1, 26), date(2026, 1, 1), date(2026, 1, 26), 0),
        (date(2026, 2, 1), date(2026, 2, 1), date(2026, 1, 26), 1),
        (date(2026, 2, 2), date(2026, 2, 1), date(2026, 2, 2), 0),
    ]
    assert engine.run("visit_count", grain=["month", "week"], period="2026-01", as_of="2026-12-31").totals() == {
        "visit_count": 3
    }


def test_a_condition_on_the_period_keeps_periods_and_cuts_no_rows(engine):
    kept = {"period": {"gte": "2026-01-03", "lte": datetime(2026, 1, 4)}}  # noqa: DTZ001 - local time
    assert asked(engine, "before", grain="day", period="2026-01", where=kept) == [
        (date(2026, 1, 3), 0),
        (date(2026, 1, 4), -1),
    ]
    with pytest.raises(RequestError, match="is no date"):
        asked(engine, "before", grain="day", period="2026-01", where={"period": "soon"})


def test_the_first_day_of_the_unit(engine):
    assert asked(engine, "first_day", grain="week", period="2026-01-05..2026-01-18") == [
        (date(2026, 1, 5), 1), (date(2026, 1, 12), 1),
    ]  # fmt: skip


def test_one_row_for_each_day(engine):
    assert asked(engine, "daily", period="2026-01") == [(3 / 31,)]
    assert asked(engine, "daily_seen", period="2026-01") == [(1.0,)]
    assert asked(engine, "opening_day", period="2026-01") == [(1,)]
    assert asked(engine, "closing_day", period="2026-01") == [(0,)]
    assert asked(engine, "daily", grain="month", period="2026-Q1")[2] == (date(2026, 3, 1), 0.0)


def test_the_rows_of_the_first_and_the_last_time_in_a_period(engine):
    request = {"grain": "month", "period": "2026-Q1"}
    assert [row[1] for row in asked(engine, "last_level", **request)] == [12, 4, None]
    assert [row[1] for row in asked(engine, "first_level", **request)] == [11, 4, None]
    assert [row[1] for row in asked(engine, "last_of_all", **request)] == [2, 4, None]
    assert asked(engine, "last_of_all", period="2026-01", where={"thing": "b"}) == [(10,)]


def test_rows_of_the_members_for_which_a_condition_on_a_kpi_holds(engine):
    twice = {"visitor": {"among": {"having": {"visit_count": {"gte": 2}}}}}
    assert asked(engine, "order_count", period="2026", where=twice) == [(2,)]
    assert asked(engine, "order_count", grain="month", period="2026-02", where=twice) == [(date(2026, 2, 1), 1)]
    both = {"visitor": {"among": {"having": {"visit_count": {"gte": 1}, "order_count": {"eq": 1}}}}}
    assert asked(engine, "visit_count", "visitor", period="2026", where=both) == [("bob", 1), ("cid", 1)]
    for bad in ({"having": {}}, {"of": "x"}, {"having": {"nothing": 1}}):
        with pytest.raises(RequestError):
            asked(engine, "order_count", period="2026", where={"visitor": {"among": bad}})


def test_the_unknown_member_is_one_like_any_other():
    rows = "(1, 'a', date '2026-01-01'), (2, NULL, date '2026-01-02'), (3, NULL, date '2026-01-03'), (4, 'b', date '2026-01-03')"
    definitions = {
        "datasets": {"visits": {"key": "id", "time": "day", "dimensions": ["channel"]}},
        "kpis": {"visit_count": {"inputs": ["visits"], "formula": "count(visits)"}},
    }
    with duckdb.connect() as connection:
        connection.execute(f"CREATE TABLE visits AS SELECT * FROM (VALUES {rows}) v(id, channel, day)")
        with kpi_engine.open(definitions, connection) as engine:
            for least, wanted in ((1, {"a": 1, "b": 1, None: 2}), (2, {None: 2})):
                where = {"channel": {"among": {"having": {"visit_count": {"gte": least}}}}}
                found = engine.run("visit_count", by="channel", period="2026-01", as_of="2026-02-01", where=where)
                assert {row["channel"]: row["visit_count"] for row in found.rows()} == wanted
