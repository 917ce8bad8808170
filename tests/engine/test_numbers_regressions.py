"""Numbers and frames that once came out wrong, each on the smallest data that shows it."""

from __future__ import annotations

import os
import time
from datetime import date, datetime

import duckdb
import pytest
from number_projects import LATE, by_member, column, connected, opened, table

import kpi_engine
from kpi_engine import DataError, RequestError
from kpi_engine.execution.database import Database

ROWS = "(1, '2026-01-05', 'a', 5), (2, '2026-01-06', 'a', 7), (3, '2026-02-06', NULL, 9), (4, '2025-12-06', 'b', 1)"


def facts(kpis, rows=ROWS, **dimensions):
    return opened(
        {"fact": ("id int, day date, channel varchar, amount int", rows)},
        {"facts": {"table": "fact", "key": "id", "time": "day", "dimensions": {"channel": None, **dimensions}}},
        kpis,
    )


def test_inputs_of_one_dataset_that_share_no_time_but_differ_in_their_split():
    share = {
        "inputs": {"now": "facts", "before": {"from": "facts", "across": "channel", "offset": "1 month"}},
        "formula": "count(now) / count(before)",
    }
    with facts({"share": share}) as engine:
        assert table(engine.run("share", by="channel", period="2026-01", as_of=LATE)) == [("a", 2)]


def test_the_same_when_all_its_periods_are_still_to_come():
    share = {
        "inputs": {"now": "facts", "before": {"from": "facts", "across": "channel", "offset": "1 month"}},
        "formula": "count(now) / count(before)",
    }
    with facts({"share": share}) as engine:
        assert engine.run("share", by="channel", period="2029", as_of="2026-06-01").rows() == []


def test_a_kpi_may_be_called_as_the_engine_calls_its_columns():
    names = ["d_channel", "cell", "a0", "frame", "value", "order", "select", "m", "r"]
    with facts(dict.fromkeys(names, "count(facts)")) as engine:
        result = engine.run(names, by="channel", as_of=LATE)
        assert table(result) == [("a", *[2] * len(names)), ("b", *[1] * len(names)), (None, *[1] * len(names))]


def test_a_dimension_may_be_called_value_below_a_per_input():
    kpis = {"total": "sum(amount)", "by_id": {"inputs": {"x": {"from": "total", "per": "id"}}, "formula": "max(x)"}}
    with facts(kpis, value={"sql": "channel"}) as engine:
        assert table(engine.run("by_id", by="value", as_of=LATE)) == [("a", 7), ("b", 1), (None, 9)]


def test_a_table_may_be_called_as_the_engine_calls_its_steps():
    names = ["s0", "s1", "frame", "members", "periods", "values0"]
    tables = {
        name: ("id int, day date", f"({n}, '2026-01-01'), ({n + 1}, '2026-01-01')") for n, name in enumerate(names)
    }
    datasets = {name: {"key": "id", "time": "day", "dimensions": ["id"]} for name in names}
    kpis = {f"n_{name}": {"inputs": [name], "formula": f"max({name}.id)"} for name in names}
    with opened(tables, datasets, kpis) as engine:
        for order in (names, names[::-1]):
            asked = [f"n_{name}" for name in order]
            assert engine.run(asked, period="2026", as_of=LATE).totals() == {
                f"n_{name}": names.index(name) + 1 for name in order
            }


def test_a_dimension_and_a_kpi_of_one_name_are_refused_together():
    with facts({"channel": "count(facts)"}) as engine:
        with pytest.raises(RequestError) as caught:
            engine.run("channel", by="channel", as_of=LATE)
        assert caught.value.code == "bad_request"


def test_a_condition_on_a_kpi_does_not_see_a_number_that_is_none():
    with opened(
        {
            "fact": (
                "id int, channel varchar, x double",
                "(1, 'a', 1.5), (2, 'b', 'nan'), (3, 'c', 'inf'), (4, 'd', NULL)",
            )
        },
        {"facts": {"table": "fact", "key": "id", "dimensions": ["channel"]}},
        {"x": "sum(x)"},
    ) as engine:
        assert column(engine.run("x", by="channel", having={"x": {">": 0}}), "channel") == ["a"]
        assert column(engine.run("x", by="channel", having={"x": {"is_null": True}}), "channel") == ["b", "c", "d"]
        assert column(engine.run("x", by="channel", order="-x"), "x") == [1.5, None, None, None]


def test_a_per_input_by_month_without_a_period_spans_the_data():
    kpis = {"total": "sum(amount)", "x": {"inputs": {"x": {"from": "total", "per": "channel"}}, "formula": "sum(x)"}}
    with facts(kpis) as engine:
        assert column(engine.run("x", grain="month", as_of=LATE), "x") == [1, 12, 9]


@pytest.mark.parametrize("by", [[], ["channel"]])
@pytest.mark.parametrize("dense", [True, False])
def test_without_a_period_and_without_rows_there_are_no_periods(by, dense):
    kpis = {
        "n": "count(facts)",
        "x": {"inputs": {"x": {"from": "n", "per": "id"}}, "formula": "sum(x)"},
        "ever": {"inputs": {"v": {"from": "facts", "all_time": True}}, "formula": "count(v)"},
    }
    with facts(kpis, rows="") as engine:
        result = engine.run(list(kpis), by=by, grain="month", dense=dense, as_of=LATE)
        assert result.rows() == []
        assert result.totals() == {"n": 0, "x": 0, "ever": 0}


def test_a_split_that_no_input_has_as_a_whole_is_refused():
    both = {
        "inputs": {"x": {"from": "facts", "across": "channel"}, "y": {"from": "facts", "across": "kind"}},
        "formula": "count(x) / count(y)",
    }
    with facts({"both": both}, kind={"sql": "amount > 5"}) as engine:
        with pytest.raises(RequestError) as caught:
            engine.run("both", by=["channel", "kind"], as_of=LATE)
        assert caught.value.code == "missing_dimension"
        assert by_member(engine.run("both", by="channel", as_of=LATE), "channel", "both") == {"a": 2, "b": 4, None: 4}


def test_a_long_kpi_and_an_aggregate_in_one_formula():
    long = " + ".join(f"sum(case when amount > {n} then 1 else 0 end)" for n in range(30))
    kpis = {
        "long": long,
        "mean": {"inputs": ["long", "facts"], "formula": "long / count(facts) + long - sum(facts.amount)"},
    }
    with facts(kpis) as engine:
        result = engine.run(["mean", "long"], by="channel", period="2026-01..2026-02", as_of=LATE)
        assert table(result) == [("a", 6, 12), (None, 9, 9)]


def test_rows_after_the_as_of_do_not_count_for_a_level_in_the_future():
    with opened(
        {"reading": ("account int, day date, size int", "(1, '2026-01-01', 10), (1, '2026-03-01', 99)")},
        {"readings": {"table": "reading", "time": "day", "snapshot": {"of": "account"}}},
        {
            "level": {"inputs": ["readings"], "formula": "sum(size)"},
            "opening": {"inputs": {"x": {"from": "readings", "take": "opening"}}, "formula": "sum(x.size)"},
        },
    ) as engine:
        for period in ("2026-02", "2026-03", "2026-04"):
            assert engine.run(["level", "opening"], period=period, as_of="2026-02-10").totals() == {
                "level": 10,
                "opening": 10,
            }


def test_the_opening_of_everything_is_unknown_also_where_levels_lapse():
    with opened(
        {"reading": ("account int, day date, size int", "(1, '2026-01-01', 10)")},
        {"readings": {"table": "reading", "time": "day", "snapshot": {"of": "account", "keep": "45 days"}}},
        {"opening": {"inputs": {"x": {"from": "readings", "take": "opening"}}, "formula": "sum(x.size)"}},
    ) as engine:
        assert engine.run("opening", as_of=LATE).totals() == {"opening": None}


def test_the_time_of_a_level_may_stand_in_a_joined_table():
    with opened(
        {"reading": ("account int, visit int, size int", "(1, 1, 10), (1, 2, 20), (2, 1, 5), (3, NULL, 7)"), "visit": ("id int, day date", "(1, '2026-01-01'), (2, '2026-02-01')")},
        {"readings": {"table": "reading", "time": "visit.day", "joins": {"visit": {"to": "visits", "keys": {"visit": "id"}}}, "snapshot": {"of": "account"}}, "visits": {"table": "visit", "key": "id"}},
        {"level": {"inputs": ["readings"], "formula": "sum(size)"}},
    ) as engine:  # fmt: skip
        assert column(engine.run("level", grain="month", period="2026-01..2026-02", as_of=LATE), "level") == [15, 25]


def test_the_median_of_two_amounts_lies_between_them():
    with opened(
        {"fact": ("amount decimal(18,2)", "(1.00), (1.01)")},
        {"facts": {"table": "fact"}},
        {"m": "median(amount)", "q": "quantile_cont(amount, 0.25)"},
    ) as engine:
        assert engine.run(["m", "q"]).totals() == {"m": pytest.approx(1.005), "q": pytest.approx(1.0025)}


def test_since_the_beginning_day_by_day_over_years():
    kpis = {"ever": {"inputs": {"x": {"from": "facts", "all_time": True}}, "formula": "sum(x.amount)"}}
    with facts(kpis) as engine:
        result = engine.run("ever", grain="day", period="2025-01-01..2026-12-31", compare="previous_year", as_of=LATE)
        values = {row["period"]: (row["ever"], row["ever__previous_year"]) for row in result.rows()}
        assert values[date(2025, 12, 5)] == (0, 0)
        assert values[date(2025, 12, 6)] == (1, 0)
        assert values[date(2026, 1, 6)] == (13, 0)
        assert values[date(2026, 12, 6)] == (22, 1)


def test_an_entity_that_only_the_month_before_knows_is_an_entity_too():
    rows = "('A', '2026-01-05', 10), ('B', '2026-01-06', 4), ('A', '2026-02-06', 20), ('C', '2026-02-07', 1)"
    with opened(
        {"sale": ("customer varchar, day date, amount int", rows)},
        {"sales": {"table": "sale", "time": "day"}},
        {
            "turnover": "sum(amount)",
            "change": {
                "inputs": {"now": "turnover", "before": {"from": "turnover", "offset": "1 month"}},
                "formula": "now - before",
            },
            "worst": {"inputs": {"x": {"from": "change", "per": "customer"}}, "formula": "min(x)"},
            "touched": {"inputs": {"x": {"from": "change", "per": "customer"}}, "formula": "count(x)"},
        },
    ) as engine:
        assert engine.run(["worst", "touched"], period="2026-02", as_of=LATE).totals() == {"worst": -4, "touched": 3}
        assert column(engine.run("touched", grain="month", period="2026-01..2026-04", as_of=LATE), "touched") == [
            2,
            3,
            2,
            0,
        ]


def test_what_another_month_wants_of_this_month_is_not_seen_in_this_one():
    """In February only rows of another kind stand, and those count for March alone."""
    rows = "('A', '2026-01-05', 'x'), ('B', '2026-02-06', 'y')"
    kpis = {
        "kind_x": {"inputs": {"s": {"from": "sales", "where": "kind = 'x'"}}, "formula": "count(s)"},
        "kind_y": {"inputs": {"s": {"from": "sales", "where": "kind = 'y'"}}, "formula": "count(s)"},
        "moved": {
            "inputs": {"now": "kind_x", "before": {"from": "kind_y", "offset": "1 month"}},
            "formula": "now - before",
        },
        "touched": {"inputs": {"x": {"from": "moved", "per": "customer"}}, "formula": "count(x)"},
    }
    with opened(
        {"sale": ("customer varchar, day date, kind varchar", rows)},
        {"sales": {"table": "sale", "time": "day", "dimensions": ["customer"]}},
        kpis,
    ) as engine:
        assert column(engine.run("touched", grain="month", period="2026-01..2026-04", as_of=LATE), "touched") == [
            1,
            0,
            1,
            0,
        ]
        assert engine.run("touched", period="2026-02", as_of=LATE).totals() == {"touched": 0}
        result = engine.run("moved", by="customer", grain="month", period="2026-01..2026-04", dense=False, as_of=LATE)
        assert table(result) == [("A", date(2026, 1, 1), 1)]


CLOCK_TABLES = {
    "visit": (
        "id int, at_ timestamptz, place int",
        "(1, '2026-01-31 23:30:00+00', 7), (2, '2026-01-31 22:30:00+00', 7)",
    ),
    "price": (
        "place int, since date, until date, tier varchar",
        "(7, '2026-01-01', '2026-02-01', 'old'), (7, '2026-02-01', NULL, 'new')",
    ),
}
CLOCK_PROJECT = {
    "calendar": {"timezone": "Europe/Paris"},
    "datasets": {
        "visits": {
            "table": "visit", "key": "id", "time": "at_", "times": {"day": {"sql": "cast(at_ as date)"}},
            "dimensions": {"day": {"sql": "cast(at_ as date)"}, "tier": "price.tier"},
            "joins": {"price": {"to": "prices", "keys": {"place": "place"}, "valid": ["since", "until"]}},
        },
        "prices": {"table": "price"},
    },
    "kpis": {
        "n": {"inputs": ["visits"], "formula": "count(visits)"},
        "february": {"inputs": {"v": {"from": "visits", "where": "at_ >= timestamp '2026-02-01 00:00:00'"}}, "formula": "count(v)"},
        "days": {"inputs": {"v": {"from": "visits", "time": "day"}}, "formula": "count(v)"},
    },
}  # fmt: skip


class TestClock:
    """The project's zone decides, whatever the machine's and the connection's are."""

    @pytest.fixture(params=["Asia/Tokyo", "America/New_York", "UTC"])
    def engine(self, request, monkeypatch):
        monkeypatch.setitem(os.environ, "TZ", request.param)
        time.tzset()
        connection = connected(CLOCK_TABLES)
        connection.execute(f"SET TimeZone = '{request.param}'")
        with kpi_engine.open(CLOCK_PROJECT, connection) as engine:
            yield engine
        assert connection.execute("SELECT current_setting('TimeZone')").fetchall() == [(request.param,)], (
            "the owner's zone is left alone"
        )
        monkeypatch.undo()
        time.tzset()

    @pytest.mark.parametrize(("zone", "is_right"), [("Europe/Paris", True), ("Asia/Tokyo", False)])
    def test_zone_of_a_locked_connection(self, zone, is_right):
        connection = connected(CLOCK_TABLES)
        connection.execute(f"SET GLOBAL TimeZone = '{zone}'")
        connection.execute("SET lock_configuration = true")
        with kpi_engine.open(CLOCK_PROJECT, connection) as engine:
            if is_right:
                assert engine.run("n").rows()
            else:
                with pytest.raises(kpi_engine.KpiError, match="locked"):
                    engine.run("n")

    @pytest.fixture(params=["Asia/Tokyo", "UTC"])
    def own(self, request, monkeypatch):
        from arro3.core import Table

        monkeypatch.setitem(os.environ, "TZ", request.param)
        time.tzset()
        connection = connected(CLOCK_TABLES)
        tables = {name: Table.from_arrow(connection.sql(f'SELECT * FROM "{name}"')) for name in CLOCK_TABLES}
        with kpi_engine.open(CLOCK_PROJECT, tables) as engine:
            yield engine
        monkeypatch.undo()
        time.tzset()

    def check(self, engine):
        by_day = engine.run(["n", "february"], by=["day", "tier"], as_of=LATE)
        assert table(by_day) == [(date(2026, 1, 31), "old", 1, 0), (date(2026, 2, 1), "new", 1, 1)]
        assert column(engine.run("days", grain="day", period="2026-01-31..2026-02-01", as_of=LATE), "days") == [1, 1]

    def test_over_a_connection_with_a_zone_of_its_own(self, engine):
        self.check(engine)

    def test_over_the_engines_own_database(self, own):
        self.check(own)


def test_the_zone_of_a_column_holds_however_it_is_reached():
    with opened(
        {
            "view": ("id int, visit int", "(1, 1), (2, 2)"),
            "visit": ("id int, at_ timestamp", "(1, '2026-01-31 22:30'), (2, '2026-01-31 23:30')"),
        },
        {
            "visits": {"table": "visit", "key": "id", "time": "at_", "columns": {"AT_": {"zone": "UTC"}}},
            "views": {
                "table": "view",
                "key": "id",
                "time": "visit.at_",
                "joins": {"visit": {"to": "visits", "keys": {"visit": "id"}}},
            },
            "instants": {
                "table": "visit",
                "key": "id",
                "time": "at_",
                "columns": {"at_": {"zone": "UTC", "type": "timestamptz"}},
            },
            "local": {"table": "visit", "key": "id", "time": "at_"},
        },
        {
            f"n_{name}": {"inputs": [name], "formula": f"count({name})"}
            for name in ("visits", "views", "instants", "local")
        },
    ) as engine:
        result = engine.run(
            ["n_visits", "n_views", "n_instants", "n_local"], grain="month", period="2026-01..2026-02", as_of=LATE
        )
        assert [tuple(row.values())[1:] for row in result.rows()] == [(1, 1, 1, 2), (1, 1, 1, 0)]


def test_a_time_of_columns_in_different_zones_is_refused():
    with opened(
        {"fact": ("a timestamp, b timestamp", "")},
        {"facts": {"table": "fact", "time": {"sql": "greatest(a, b)"}, "columns": {"a": {"zone": "UTC"}}}},
        {"n": "count(facts)"},
    ) as engine:
        with pytest.raises(kpi_engine.DefinitionError) as caught:
            engine.run("n", as_of=LATE)
        assert caught.value.code == "bad_time_type"


def test_two_rows_that_are_valid_at_one_time_are_refused():
    tables = dict(CLOCK_TABLES)
    tables["price"] = (tables["price"][0], tables["price"][1] + ", (7, '2026-03-01', '2026-03-05', 'sale')")
    with kpi_engine.open(CLOCK_PROJECT, connected(tables)) as engine:
        with pytest.raises(DataError) as caught:
            engine.run("n", by="tier", as_of=LATE)
        assert caught.value.code == "key_not_unique"
        assert engine.run("n", as_of=LATE).totals() == {"n": 2}, "who does not join is not stopped"


def test_the_settings_of_the_engines_database_hold_for_every_query():
    with kpi_engine.open({"datasets": {"t": {}}, "kpis": {}}, {}) as engine, engine._database.cursor() as cursor:
        names = (
            "python_enable_replacements",
            "autoload_known_extensions",
            "autoinstall_known_extensions",
            "enable_external_access",
        )
        assert {
            name: cursor.execute(f"SELECT current_setting('{name}')").fetchall()[0][0] for name in names
        } == dict.fromkeys(names, False)


def test_an_hour_that_the_clock_skips_is_empty_and_one_it_shows_twice_holds_both():
    with opened(
        {"visit": ("id int, at_ timestamptz", "(1, '2026-03-29 00:30+00'), (2, '2026-03-29 01:30+00'), (3, '2026-10-25 00:30+00'), (4, '2026-10-25 01:30+00')".replace("+00'", ":00+00'"))},
        {"visits": {"table": "visit", "key": "id", "time": "at_"}},
        {"n": "count(visits)"},
    ) as engine:  # fmt: skip
        for day, expected in (("2026-03-29", {1: 1, 3: 1}), ("2026-10-25", {2: 2})):
            rows = engine.run("n", grain="hour", period=day, as_of=LATE).rows()
            assert {row["period"].hour: row["n"] for row in rows if row["n"]} == expected
            assert [row["period"] for row in rows] == [
                datetime.fromisoformat(day).replace(hour=hour) for hour in range(24)
            ]


def test_a_query_that_the_optimizer_fails_on_is_answered_without_it(monkeypatch):
    """DuckDB 1.5.5 raises an internal error on some: `Failed to bind column reference`."""
    tables, seen = Database.tables, []

    def failing(self, queries, *args, fetch, **options):
        def fails_first(cursor, query):
            seen.append(query)
            if seen.count(query) == 1:
                raise duckdb.InternalException("INTERNAL Error: Failed to bind column reference")
            return fetch(cursor, query)

        return tables(self, queries, *args, fetch=fails_first, **options)

    monkeypatch.setattr(Database, "tables", failing)
    with facts({"n": "count(facts)"}) as engine:
        assert column(engine.run("n", period="2026-01", as_of=LATE), "n") == [2]
    assert len(seen) > len(set(seen)), "each was run again"
