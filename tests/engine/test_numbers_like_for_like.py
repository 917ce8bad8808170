"""A period that is not over, compared with the same part of the earlier one: beside plain Python over one row an hour."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import duckdb
import pytest
from number_projects import table

import kpi_engine
from kpi_engine import RequestError

FIRST, LAST = datetime(2023, 1, 1), datetime(2027, 1, 1)  # noqa: DTZ001 - local times


@pytest.fixture(scope="module")
def engine():
    """One row a local hour, one reading a day that is the number of its day, one sign-up a day and its order three days later."""
    connection = duckdb.connect()
    connection.execute(
        "CREATE TABLE hours AS SELECT i AS id, TIMESTAMP '2023-01-01' + INTERVAL (i) HOUR AS at, i % 5 AS who, i % 3 AS kind FROM range(35064) t(i)"
    )
    connection.execute(
        "CREATE TABLE instants AS SELECT i AS id, TIMESTAMPTZ '2026-01-01 00:00:00+01' + INTERVAL (i) HOUR AS at FROM range(8760) t(i)"
    )
    connection.execute(
        "CREATE TABLE readings AS SELECT 'a' AS account, DATE '2023-01-01' + i::int AS day, i AS n FROM range(1461) t(i)"
    )
    connection.execute(
        "CREATE TABLE signups AS SELECT i AS id, i AS person, DATE '2023-01-01' + i::int AS day FROM range(1461) t(i)"
    )
    connection.execute(
        "CREATE TABLE orders AS SELECT i AS id, i AS person, DATE '2023-01-04' + i::int AS day FROM range(1461) t(i)"
    )
    datasets = {
        "hours": {"key": "id", "time": "at", "dimensions": ["kind"]},
        "instants": {"key": "id", "time": "at"},
        "readings": {"key": ["account", "day"], "time": "day", "snapshot": {"of": "account"}},
        "signups": {"key": "id", "time": "day"},
        "orders": {"key": "id", "time": "day"},
    }
    kpis = {
        "n": {"inputs": ["hours"], "formula": "count(hours)"},
        "rate": {"inputs": ["hours"], "formula": "count_if(who = 1) / count(hours)", "format": "percent"},
        "who": {"inputs": ["hours"], "formula": "count(distinct who)"},
        "real_hours": {"inputs": ["instants"], "formula": "count(instants)"},
        "level": {"inputs": ["readings"], "formula": "sum(n)"},
        "so_far": {"inputs": {"h": {"from": "hours", "to_date": "year"}}, "formula": "count(h)"},
        "week": {"inputs": {"h": {"from": "hours", "window": "7 days"}}, "formula": "count(h)"},
        "month_ago": {"inputs": {"h": {"from": "hours", "offset": "1 month"}}, "formula": "count(h)"},
        "best_day": {"inputs": {"day": {"from": "n", "per": "day"}}, "formula": "max(day)"},
        "days": {"inputs": {"day": {"from": "n", "per": "day"}}, "formula": "count_if(day > 0)"},
        "bought": {
            "inputs": {"s": "signups", "o": {"from": "orders", "of": "person", "after": "s", "within": "30 days"}},
            "formula": "count(o)",
        },
    }
    definitions = {"calendar": {"timezone": "Europe/Paris"}, "datasets": datasets, "kpis": kpis}
    with kpi_engine.open(definitions, connection) as engine:
        yield engine


def hours(start, end):
    """Count the local hours of a stretch, of which each has a row."""
    return max(0, int((min(end, LAST) - max(start, FIRST)) / timedelta(hours=1)))


def at(year, month, day, hour=0):
    return datetime(year, month, day, hour)  # noqa: DTZ001 - local times


def compared(engine, kpi, period, as_of, compare="previous_period", **more):
    result = engine.run(kpi, period=period, as_of=as_of, compare=compare, like_for_like=True, **more)
    return [row[f"{kpi}__{compare}"] for row in result.rows()]


class TestTheSamePart:
    @pytest.mark.parametrize(
        ("period", "as_of", "compare", "expected"),
        [
            ("2026-07", "2026-07-12", "previous_period", (at(2026, 6, 1), at(2026, 6, 13))),
            ("2026-07", "2026-07-12T06:00", "previous_period", (at(2026, 6, 1), at(2026, 6, 12, 6))),
            ("2026-07", "2026-07-31T12:00", "previous_period", (at(2026, 6, 1), at(2026, 7, 1))),
            ("2026-03", "2026-03-30", "previous_period", (at(2026, 2, 1), at(2026, 3, 1))),
            ("2026-Q2", "2026-05-20", "previous_period", (at(2026, 1, 1), at(2026, 2, 20))),
            ("2026", "2026-07-12", "previous_period", (at(2025, 1, 1), at(2025, 7, 13))),
            ("2026", "2026-07-12", "previous_year", (at(2025, 1, 1), at(2025, 7, 13))),
            ("2024", "2024-03-15", "previous_year", (at(2023, 1, 1), at(2023, 3, 16))),
            ("2025", "2025-03-15", "previous_year", (at(2024, 1, 1), at(2024, 3, 16))),
            ("2025", "2025-03-15", "previous_period", (at(2024, 1, 1), at(2024, 3, 15))),
            ("2024-02", "2024-02-29T12:00", "previous_year", (at(2023, 2, 1), at(2023, 2, 28, 12))),
            ("2026-W20", "2026-05-13", "previous_period", (at(2026, 5, 4), at(2026, 5, 7))),
            ("2026-W20", "2026-05-13", "previous_year", (at(2025, 5, 12), at(2025, 5, 15))),
            ("2026-07-10..2026-07-19", "2026-07-12", "previous_period", (at(2026, 6, 30), at(2026, 7, 3))),
            ("2026-06..2026-08", "2026-07-12", "previous_period", (at(2026, 3, 1), at(2026, 4, 12))),
            ("2026-07-12", "2026-07-12T09:00", "previous_period", (at(2026, 7, 11), at(2026, 7, 11, 9))),
        ],
    )
    def test_is_as_much_of_the_earlier_period_as_has_passed(self, engine, period, as_of, compare, expected):
        assert compared(engine, "n", period, as_of, compare) == [hours(*expected)]

    def test_is_what_a_period_to_date_is_compared_with(self, engine):
        for unit in ("month", "quarter", "year", "week"):
            for compare in ("previous_period", "previous_year"):
                asked = {"as_of": "2026-05-20T13:00", "compare": compare}
                open_one = engine.run(["n", "rate", "who"], period=f"this {unit}", like_for_like=True, **asked).rows()
                assert open_one == engine.run(["n", "rate", "who"], period=f"{unit} to date", **asked).rows()

    def test_is_not_asked_for_by_itself(self, engine):
        rows = engine.run("n", period="2026-07", as_of="2026-07-12", compare="previous_period").rows()
        assert rows[0]["n__previous_period"] == hours(at(2026, 6, 1), at(2026, 7, 1))

    def test_of_a_period_that_is_over_is_the_whole(self, engine):
        assert compared(engine, "n", "2026-06", "2026-07-12") == [hours(at(2026, 5, 1), at(2026, 6, 1))]

    def test_is_measured_on_the_clock_whatever_the_clock_did(self, engine):
        result = engine.run(
            "real_hours", period="2026-10", as_of="2026-10-26", compare="previous_period", like_for_like=True
        )
        assert table(result)[0][:2] == (26 * 24 + 1, 26 * 24)

    def test_with_a_grain_only_the_open_period_is_cut(self, engine):
        found = compared(engine, "n", "2026-05..2026-08", "2026-07-12", grain="month")
        starts = [at(2026, month, 1) for month in (4, 5, 6, 7)]
        ends = [at(2026, 5, 1), at(2026, 6, 1), at(2026, 6, 13), at(2026, 7, 1)]
        assert found == [*(hours(*span) for span in zip(starts[:3], ends[:3], strict=True)), 0]

    def test_without_a_period_the_last_one_of_a_grain_is_cut(self, engine):
        assert compared(engine, "n", None, "2026-07-12", grain="month")[-1] == hours(at(2026, 6, 1), at(2026, 6, 13))

    def test_by_member_and_in_totals(self, engine):
        result = engine.run(
            "n", by="kind", period="2026-07", as_of="2026-07-12", compare="previous_period", like_for_like=True
        )
        assert sum(row["n__previous_period"] for row in result.rows()) == hours(at(2026, 6, 1), at(2026, 6, 13))
        assert result.totals()["n__previous_period"] == hours(at(2026, 6, 1), at(2026, 6, 13))


class TestEveryKindOfInput:
    """The earlier value is what the KPI was at the same point of the earlier period."""

    @pytest.mark.parametrize(
        "kpi", ["n", "rate", "who", "level", "so_far", "week", "month_ago", "best_day", "days", "bought"]
    )
    @pytest.mark.parametrize(
        ("as_of", "then"), [("2026-07-12", "2026-06-12"), ("2026-07-12T06:00", "2026-06-12T06:00")]
    )
    def test_is_as_it_was_seen_then(self, engine, kpi, as_of, then):
        seen_then = engine.run(kpi, period="2026-06", as_of=then).rows()[0][kpi]
        assert compared(engine, kpi, "2026-07", as_of) == [seen_then]
        whole = engine.run(kpi, period="2026-06", as_of=as_of).rows()[0][kpi]
        assert whole != seen_then or kpi in {"who", "best_day", "week", "rate", "month_ago"}

    def test_conversions_have_one_moment_until_which_they_are_known(self, engine):
        with pytest.raises(RequestError, match="until one moment") as refused:
            compared(engine, "bought", "2026-06..2026-07", "2026-07-12", grain="month")
        assert refused.value.code == "several_moments"

    def test_conversions_by_closed_months_are_compared_as_ever(self, engine):
        assert len(compared(engine, "bought", "2026-05..2026-06", "2026-07-12", grain="month")) == 2


class TestWhatIsSaid:
    def test_the_columns_say_so_while_the_period_is_open(self, engine):
        def label(as_of, **more):
            return engine.run("n", period="2026-07", as_of=as_of, compare="previous_period", **more).columns[1].label

        assert label("2026-07-12", like_for_like=True) == "n, previous period, same part"
        assert label("2026-07-12", like_for_like=True, language="fr") == "n, période précédente, même partie"
        assert label("2026-07-12") == label("2026-08-12", like_for_like=True) == "n, previous period"

    def test_an_answer_without_a_period_is_unfinished_while_its_last_period_runs(self, engine):
        assert engine.run("n", grain="month", as_of="2026-07-12").unfinished
        assert not engine.run("n", grain="month", as_of="2026-06-30").unfinished
        assert not engine.run("n", as_of="2026-07-12").unfinished

    @pytest.mark.parametrize(("more", "said"), [({"like_for_like": True}, "and none is"), ({"compare": "previous_year", "like_for_like": 1}, "true or false")])  # fmt: skip
    def test_what_cannot_be_meant_is_refused(self, engine, more, said):
        with pytest.raises(RequestError, match=said):
            engine.run("n", period="2026-07", **more)

    def test_the_first_row_of_a_table_is_a_date(self, engine):
        assert table(engine.run("n", period="2026-07", grain="month", as_of="2026-07-12"), "period") == [
            (date(2026, 7, 1),)
        ]
