"""The frame of an answer: which rows, in which order, with what in them where nothing was seen."""

from __future__ import annotations

from datetime import date, datetime

import pytest
from number_projects import LATE, by_member, column, opened, table

from kpi_engine import RequestError

ROWS = """
    (1, '2025-01-15', 'a', 'x', 1), (2, '2025-12-31', 'old', 'x', 2), (3, '2026-01-01', 'a', 'x', 4), (4, '2026-01-31', NULL, 'y', 8),
    (5, '2026-03-15', 'b', NULL, 16), (6, '2026-03-31', 'a', 'y', NULL), (7, NULL, 'ghost', 'z', 32), (8, '2026-07-01', 'later', 'x', 64)"""


@pytest.fixture
def engine():
    with opened(
        {"fact": ("id int, day date, a varchar, b varchar, v int", ROWS)},
        {"facts": {"table": "fact", "key": "id", "time": "day", "dimensions": ["a", "b"]}},
        {
            "n": "count(facts)", "s": "sum(v)", "m": "avg(v)", "unknown": {"inputs": ["facts"], "formula": "sum(v)", "empty": "unknown"},
            "x_only": {"inputs": {"x": {"from": "facts", "where": "b = 'x'"}}, "formula": "count(x)"},
            "share": {"inputs": {"x": "facts", "all_of_it": {"from": "facts", "across": "all"}}, "formula": "count(x) / count(all_of_it)"},
        },
    ) as engine:  # fmt: skip
        yield engine


QUARTER = {"period": "2026-Q1", "as_of": LATE}


class TestMembers:
    def test_those_of_the_period_times_all_its_months(self, engine):
        result = engine.run(["n", "s", "m", "unknown"], by="a", grain="month", **QUARTER)
        january, february, march = (date(2026, month, 1) for month in (1, 2, 3))
        assert table(result) == [
            ("a", january, 1, 4, 4, 4), ("a", february, 0, 0, None, None), ("a", march, 1, None, None, None),
            ("b", january, 0, 0, None, None), ("b", february, 0, 0, None, None), ("b", march, 1, 16, 16, 16),
            (None, january, 1, 8, 8, 8), (None, february, 0, 0, None, None), (None, march, 0, 0, None, None),
        ]  # fmt: skip

    def test_those_of_what_is_compared_are_there_too(self, engine):
        result = engine.run("n", by="a", compare="previous_period", **QUARTER)
        assert table(result, "a", "n", "n__previous_period", "n__previous_period_change") == [
            ("a", 2, 0, None), ("b", 1, 0, None), ("old", 0, 1, -1), (None, 1, 0, None)
        ]  # fmt: skip

    def test_a_member_that_only_other_conditions_know_is_not_there(self, engine):
        assert by_member(engine.run("x_only", by="a", **QUARTER), "a", "x_only") == {"a": 1}

    def test_it_is_there_with_another_kpi_and_changes_nothing(self, engine):
        assert by_member(engine.run(["x_only", "n"], by="a", **QUARTER), "a", "x_only") == {"a": 1, "b": 0, None: 0}

    def test_a_row_whose_time_is_unknown_is_not_in_the_input_even_without_a_period(self, engine):
        assert "ghost" not in column(engine.run("n", by="a", as_of=LATE), "a")
        assert engine.run("n", as_of=LATE).totals() == {"n": 7}

    def test_two_dimensions_give_the_pairs_that_were_seen(self, engine):
        assert table(engine.run("n", by=["b", "a"], **QUARTER)) == [
            ("x", "a", 1),
            ("y", "a", 1),
            ("y", None, 1),
            (None, "b", 1),
        ]

    def test_dense_false_gives_what_was_observed(self, engine):
        result = engine.run("n", by="a", grain="month", dense=False, **QUARTER)
        assert table(result) == [
            ("a", date(2026, 1, 1), 1),
            ("a", date(2026, 3, 1), 1),
            ("b", date(2026, 3, 1), 1),
            (None, date(2026, 1, 1), 1),
        ]

    def test_a_constant_denominator_makes_no_members(self, engine):
        assert table(engine.run("share", by="a", **QUARTER)) == [("a", 0.5), ("b", 0.25), (None, 0.25)]


class TestPeriods:
    def test_cut_at_the_ends_of_a_range(self, engine):
        result = engine.run("n", grain="month", period="2026-01-02..2026-03-20", as_of=LATE)
        assert table(result) == [(date(2026, 1, 1), 1), (date(2026, 2, 1), 0), (date(2026, 3, 1), 1)]

    def test_the_part_of_a_month_is_compared_with_the_same_days_of_the_month_before(self, engine):
        result = engine.run(
            "n",
            grain="month",
            period="2026-01-01..2026-01-15",
            compare=["previous_period", "previous_year"],
            as_of=LATE,
        )
        assert table(result, "n", "n__previous_period", "n__previous_year") == [(1, 0, 1)]
        result = engine.run("n", grain="month", period="2026-01-01..2026-01-31", compare="previous_period", as_of=LATE)
        assert table(result, "n", "n__previous_period") == [(2, 1)]

    def test_a_range_is_compared_with_as_many_days_before(self, engine):
        assert table(
            engine.run("n", period="2026-01-01..2026-01-31", compare="previous_period", as_of=LATE),
            "n",
            "n__previous_period",
        ) == [(2, 1)]
        assert table(
            engine.run("n", period="2026-01-02..2026-01-31", compare="previous_period", as_of=LATE),
            "n",
            "n__previous_period",
        ) == [(1, 2)]

    def test_without_a_grain_there_is_no_period_column(self, engine):
        assert list(engine.run("n", **QUARTER).rows()[0]) == ["n"]

    def test_without_a_period_from_the_first_row_to_the_last(self, engine):
        result = engine.run("n", grain="year", as_of=LATE)
        assert table(result) == [(date(2025, 1, 1), 2), (date(2026, 1, 1), 5)]
        assert table(engine.run("n", grain="quarter", as_of="2026-03-20")) == [
            (date(2025, m, 1), n) for m, n in ((1, 1), (4, 0), (7, 0), (10, 1))
        ] + [(date(2026, 1, 1), 3)]

    def test_without_a_period_each_unit_is_compared_with_the_whole_one_before(self, engine):
        result = engine.run("n", grain="year", compare="previous_period", as_of=LATE)
        assert column(result, "n__previous_period") == [0, 2], (
            "the last row is in July, the year before is counted to its end"
        )
        assert result.totals() == {"n": 7}

    def test_without_period_and_grain_there_is_nothing_to_compare_with(self, engine):
        with pytest.raises(RequestError) as caught:
            engine.run("n", compare="previous_period", as_of=LATE)
        assert caught.value.code == "no_previous"

    def test_weeks_belong_to_the_year_that_most_of_their_days_lie_in(self, engine):
        assert table(engine.run("n", grain="week", period="2026-W01", as_of=LATE)) == [(date(2025, 12, 29), 2)]

    def test_a_day_before_29_february_and_a_year_before(self):
        rows = "(1, '2024-02-28'), (2, '2024-02-29'), (3, '2023-02-28'), (4, '2024-01-29'), (5, '2024-01-31')"
        with opened(
            {"fact": ("id int, day date", rows)},
            {"facts": {"table": "fact", "time": "day"}},
            {"n": "count(facts)", "before": {"inputs": {"n": {"from": "n", "offset": "1 month"}}, "formula": "n"}},
        ) as engine:
            result = engine.run(
                ["n", "before"], period="2024-02-29", compare=["previous_period", "previous_year"], as_of=LATE
            )
            assert table(result, "n", "before", "n__previous_period", "n__previous_year") == [(1, 1, 1, 1)]
            assert table(engine.run(["n", "before"], period="2024-02", as_of=LATE)) == [(2, 2)]

    def test_the_first_day_of_the_week_and_of_the_fiscal_year_are_the_projects(self):
        calendar = {"timezone": "UTC", "week_start": "sunday", "fiscal_year_start": "april"}
        rows = "(1, '2026-03-29'), (2, '2026-03-31'), (3, '2026-04-01'), (4, '2026-04-04'), (5, '2026-04-05')"
        with opened(
            {"fact": ("id int, day date", rows)},
            {"facts": {"table": "fact", "time": "day"}},
            {"n": "count(facts)"},
            calendar,
        ) as engine:
            assert table(engine.run("n", grain="week", period="2026-03-29..2026-04-11", as_of=LATE)) == [
                (date(2026, 3, 29), 4),
                (date(2026, 4, 5), 1),
            ]
            assert table(engine.run("n", grain="fiscal_year", period="2026", as_of=LATE)) == [
                (date(2025, 4, 1), 2),
                (date(2026, 4, 1), 3),
            ]
            assert engine.run("n", period="fiscal 2026-Q4", compare="previous_period", as_of=LATE).rows()[0]["n"] == 2


class TestAsOf:
    def test_rows_after_it_are_not_counted(self, engine):
        assert column(engine.run("n", grain="month", period="2026-Q1", as_of="2026-03-15"), "n") == [2, 0, 1]
        assert engine.run("n", as_of="2026-01-01").totals() == {"n": 3}
        assert engine.run("n", as_of="2025-12-31T23:59").totals() == {"n": 2}

    def test_an_open_period_is_marked(self, engine):
        assert engine.run("n", period="2026-Q1", as_of="2026-03-15").unfinished
        assert not engine.run("n", period="2026-Q1", as_of="2026-03-31").unfinished

    def test_a_period_still_to_come_has_nothing(self, engine):
        result = engine.run(
            ["n", "s", "m", "unknown", "share"], period="2026-07", compare="previous_period", as_of="2026-03-31"
        )
        assert result.unfinished
        assert table(result, "n", "s", "m", "unknown", "share", "n__previous_period") == [(0, 0, None, None, None, 0)]
        assert engine.run("n", by="a", period="2026-07", as_of="2026-03-31").rows() == []
        assert column(engine.run("n", grain="month", period="2026-Q3", as_of="2026-03-31"), "n") == [0, 0, 0]

    def test_an_open_period_is_compared_with_the_whole_one_before(self, engine):
        result = engine.run("n", period="2026-03", compare="previous_year", as_of="2026-03-20")
        assert table(result, "n") == [(1,)]
        assert (
            engine.run("n", period="2026-01", compare="previous_period", as_of="2026-01-10").rows()[0][
                "n__previous_period"
            ]
            == 1
        )

    def test_a_period_to_date_is_compared_with_as_many_days(self, engine):
        row = engine.run(
            "n", period="month to date", compare=["previous_period", "previous_year"], as_of="2026-01-30"
        ).rows()[0]
        assert (row["n"], row["n__previous_period"], row["n__previous_year"]) == (1, 0, 1)
        row = engine.run("n", period="month to date", compare="previous_period", as_of="2026-01-31").rows()[0]
        assert (row["n"], row["n__previous_period"]) == (2, 1)

    def test_an_instant_with_an_offset_is_a_moment_of_the_projects_zone(self):
        with opened(
            {"fact": ("id int, at_ timestamptz", "(1, '2026-01-01 11:30:00+00')")},
            {"facts": {"table": "fact", "time": "at_"}},
            {"n": "count(facts)"},
        ) as engine:
            assert engine.run("n", as_of="2026-01-01T11:30Z").totals() == {"n": 0}
            assert engine.run("n", as_of="2026-01-01T12:31").totals() == {"n": 1}
            assert engine.run("n", as_of=datetime.fromisoformat("2026-01-01T12:31+01:00")).totals() == {"n": 1}


class TestFilters:
    """A condition keeps a row where it is true; of an unknown value nothing is true but that it is unknown."""

    @pytest.mark.parametrize(
        ("condition", "kept"),
        [
            ("a", ["a"]), (None, [None]), (["a", "b"], ["a", "b"]), (["a", None], ["a", None]), ([], []), ({"!=": "a"}, ["b", "old"]), ({"ne": None}, ["a", "b", "old"]),
            ({"not_in": ["a"]}, ["b", "old"]), ({"not_in": ["a", None]}, ["b", "old"]), ({"not_in": []}, ["a", "b", "old", None]), ({"is_null": False}, ["a", "b", "old"]),
            ({"is_null": True}, [None]), ({">": "a"}, ["b", "old"]), ({"between": ["a", "b"]}, ["a", "b"]), ({"starts_with": "o"}, ["old"]), ({"contains": "l"}, ["old"]), ({">=": "a", "<": "b"}, ["a"]),
        ],
    )  # fmt: skip
    def test_on_a_dimension_with_unknown_members(self, engine, condition, kept):
        result = engine.run("n", by="a", where={"a": condition}, as_of="2026-06-30")
        assert column(result, "a") == kept

    def test_a_text_is_a_value_and_never_sql(self, engine):
        for text in ("' or 1=1 --", "x'; drop table fact; --", "\\", "%", "é"):
            assert engine.run("n", where={"a": text}, as_of=LATE).totals() == {"n": 0}
        assert engine.run("n", as_of=LATE).totals() == {"n": 7}

    def test_an_expression_goes_with_the_others(self, engine):
        assert engine.run("n", where={"b": "x"}, where_sql="a = 'a' or v = 2", as_of=LATE).totals() == {"n": 3}


class TestOrderAndLimit:
    def test_unknown_comes_last_whichever_way(self, engine):
        assert column(engine.run("s", by="a", order="s", **QUARTER), "s") == [4, 8, 16]
        assert column(engine.run("m", by="a", order="-m", grain="month", **QUARTER), "m") == [16, 8, 4, *[None] * 6]
        assert column(engine.run("n", by="a", order="a desc", **QUARTER), "a") == ["b", "a", None]

    def test_ties_are_in_the_order_of_members_and_periods(self, engine):
        result = engine.run("n", by="a", grain="month", order="-n", limit=6, **QUARTER)
        assert table(result, "a", "n") == [("a", 1), ("a", 1), ("b", 1), (None, 1), ("a", 0), ("b", 0)]
        assert column(result, "period")[:4] == [date(2026, 1, 1), date(2026, 3, 1), date(2026, 3, 1), date(2026, 1, 1)]

    def test_a_limit_and_a_condition_leave_the_totals_whole(self, engine):
        assert engine.run("n", by="a", limit=1, **QUARTER).totals() == {"n": 4}
        assert engine.run("n", by="a", having={"n": {">": 1}}, **QUARTER).totals() == {"n": 4}
        assert engine.run("n", having={"n": {">": 100}}, **QUARTER).rows() == []

    def test_a_condition_on_a_change(self, engine):
        result = engine.run(
            "n", by="a", compare="previous_period", having={"n__previous_period_change": {"<": 0}}, **QUARTER
        )
        assert column(result, "a") == ["old"]
