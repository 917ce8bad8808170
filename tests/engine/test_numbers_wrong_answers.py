"""The wrong answers that other engines were seen to give, numbered as in the survey of them: none of them here."""

from __future__ import annotations

from datetime import date

import pytest
from number_projects import LATE, by_member, column, opened, table

import kpi_engine
from kpi_engine import RequestError

VISITS = ("id int, day date, channel varchar, visitor varchar", "")


def visits(rows, kpis, calendar=None):
    return opened(
        {"visit": (VISITS[0], rows)},
        {"visits": {"table": "visit", "key": "id", "time": "day", "dimensions": ["channel"]}},
        kpis,
        calendar,
    )


@pytest.fixture
def two_facts():
    """Spend and leads that share two dimensions: three spend rows of 10 and two leads in each of two channels."""
    spend = ", ".join(f"('2026-01-0{n}', 'c{k}', 'de', 10)" for n in range(1, 4) for k in (1, 2))
    leads = ", ".join(f"({k}{n}, '2026-01-0{n}', 'c{k}', 'de')" for n in range(1, 3) for k in (1, 2))
    with opened(
        {"costs": ("day date, channel varchar, country varchar, amount int", spend), "lead": ("id int, day date, channel varchar, country varchar", leads)},
        {
            "spend": {"table": "costs", "time": "day", "dimensions": ["channel", "country"]},
            "leads": {"table": "lead", "key": "id", "time": "day", "dimensions": ["channel", "country"]},
        },
        {
            "cost": {"inputs": ["spend"], "formula": "sum(amount)"},
            "lead_count": {"inputs": ["leads"], "formula": "count(leads)"},
            "cpl": {"inputs": ["cost", "lead_count"], "formula": "cost / lead_count"},
        },
    ) as engine:  # fmt: skip
        yield engine


def test_01_two_facts_that_share_two_dimensions_do_not_multiply(two_facts):
    result = two_facts.run(["cost", "lead_count"], by=["channel", "country"], as_of=LATE)
    assert table(result) == [("c1", "de", 30, 2), ("c2", "de", 30, 2)]


def test_01_adding_a_kpi_changes_no_other(two_facts):
    alone = two_facts.run("cost", by="channel", as_of=LATE)
    both = two_facts.run(["cpl", "cost", "lead_count"], by="channel", as_of=LATE)
    assert by_member(alone, "channel", "cost") == by_member(both, "channel", "cost") == {"c1": 30, "c2": 30}


def test_02_a_ratio_over_a_joined_table_counts_each_store_once():
    sales = "(1, 1, '2026-01-01', 60), (2, 1, '2026-01-02', 40), (3, 2, '2026-01-02', 20)"
    with opened(
        {"sale": ("id int, store_id int, day date, amount int", sales), "store": ("id int, employees int", "(1, 4), (2, 2), (3, 100)")},
        {"sales": {"table": "sale", "key": "id", "time": "day", "joins": {"store": {"to": "stores", "keys": {"store_id": "id"}}}}, "stores": {"table": "store", "key": "id"}},
        {
            "staff": {"inputs": ["sales"], "formula": "max(store.employees)"},
            "per_head": {"inputs": {"sales": "sales", "by_store": {"from": "staff", "per": "store_id"}}, "formula": "sum(sales.amount) / sum(by_store)"},
        },
    ) as engine:  # fmt: skip
        assert engine.run("per_head", as_of=LATE).totals() == {"per_head": 20}


def test_03_the_period_does_not_cut_the_comparison():
    with visits(
        "(1, '2025-12-05', 'a', 'v'), (2, '2026-01-05', 'a', 'v'), (3, '2026-01-06', 'a', 'w')", {"n": "count(visits)"}
    ) as engine:
        result = engine.run("n", grain="month", period="2026-01..2026-02", compare="previous_period", as_of=LATE)
        assert column(result, "n__previous_period") == [1, 2]


def test_03_what_is_counted_since_the_beginning_does_not_restart_at_the_period():
    rows = "(1, '2025-12-05', 'a', 'v'), (2, '2026-01-05', 'a', 'v')"
    with visits(
        rows, {"ever": {"inputs": {"v": {"from": "visits", "all_time": True}}, "formula": "count(v)"}}
    ) as engine:
        assert column(engine.run("ever", grain="month", period="2026-01..2026-02", as_of=LATE), "ever") == [2, 2]


def test_03_a_condition_on_periods_cuts_no_row_that_another_period_needs():
    rows = "(1, '2025-12-05', 'a', 'v'), (2, '2026-01-05', 'a', 'v'), (3, '2026-02-05', 'a', 'w')"
    kpis = {
        "n": "count(visits)",
        "ever": {"inputs": {"v": {"from": "visits", "all_time": True}}, "formula": "count(v)"},
        "year": {"inputs": {"v": {"from": "visits", "to_date": "year"}}, "formula": "count(v)"},
    }
    with visits(rows, kpis) as engine:
        asked = {"grain": "month", "period": "2026-01..2026-02", "compare": "previous_period", "as_of": LATE}
        late = engine.run(list(kpis), where={"period": {"gte": "2026-02-01"}}, **asked)
        assert table(late, "n", "n__previous_period", "ever", "year") == [(1, 1, 3, 2)]


def test_04_a_year_before_by_week_is_52_weeks_before():
    rows = "(1, '2025-01-06', 'a', 'v'), (2, '2026-01-05', 'a', 'v'), (3, '2026-01-11', 'a', 'v'), (4, '2024-12-30', 'a', 'v'), (5, '2025-12-31', 'a', 'v')"
    with visits(rows, {"n": "count(visits)"}) as engine:
        result = engine.run("n", grain="week", period="2025-12-29..2026-01-11", compare="previous_year", as_of=LATE)
        assert table(result, "period", "n", "n__previous_year") == [
            (date(2025, 12, 29), 1, 1),
            (date(2026, 1, 5), 2, 1),
        ]


def test_04_an_offset_of_a_month_at_the_grain_of_a_week_and_of_a_quarter():
    rows = "(1, '2025-12-15', 'a', 'v'), (2, '2026-01-12', 'a', 'v'), (3, '2026-02-12', 'a', 'v'), (4, '2026-02-28', 'a', 'v'), (5, '2026-03-31', 'a', 'v')"
    kpis = {"n": "count(visits)", "before": {"inputs": {"n": {"from": "n", "offset": "1 month"}}, "formula": "n"}}
    with visits(rows, kpis) as engine:
        weeks = engine.run(["n", "before"], grain="week", period="2026-02-09..2026-03-01", as_of=LATE)
        assert table(weeks) == [(date(2026, 2, 9), 1, 1), (date(2026, 2, 16), 0, 0), (date(2026, 2, 23), 1, 0)]
        quarters = engine.run(["n", "before"], grain="quarter", period="2026-Q1", as_of=LATE)
        assert table(quarters) == [(date(2026, 1, 1), 4, 4)], "December to February: two rows are in both"


def test_05_a_month_without_rows_is_a_row_and_the_next_is_compared_with_it():
    with visits(
        "(1, '2026-01-05', 'a', 'v'), (2, '2026-03-05', 'a', 'v'), (3, '2026-03-06', 'a', 'w')", {"n": "count(visits)"}
    ) as engine:
        result = engine.run("n", grain="month", period="2026-Q1", compare="previous_period", as_of=LATE)
        assert table(result, "n", "n__previous_period", "n__previous_period_change") == [
            (1, 0, None),
            (0, 1, -1),
            (2, 0, None),
        ]


def test_06_a_distinct_count_since_the_beginning_is_counted_again():
    rows = "(1, '2026-01-05', 'a', 'v'), (2, '2026-02-05', 'a', 'v'), (3, '2026-02-06', 'a', 'w'), (4, '2026-03-06', 'a', 'w')"
    with visits(
        rows, {"ever": {"inputs": {"x": {"from": "visits", "all_time": True}}, "formula": "count(distinct x.visitor)"}}
    ) as engine:
        result = engine.run("ever", grain="month", period="2026-Q1", as_of=LATE)
        assert column(result, "ever") == [1, 2, 2]
        assert result.totals() == {"ever": 2}


def test_06_a_trailing_distinct_count_is_counted_again_over_the_window():
    rows = "(1, '2026-01-30', 'a', 'v'), (2, '2026-02-05', 'a', 'v'), (3, '2026-02-06', 'a', 'w'), (4, '2026-03-06', 'a', 'w')"
    kpis = {
        "trailing": {"inputs": {"x": {"from": "visits", "window": "2 months"}}, "formula": "count(distinct x.visitor)"},
        "rows": {"inputs": {"x": {"from": "visits", "window": "2 months"}}, "formula": "count(x)"},
        "to_date": {"inputs": {"x": {"from": "visits", "to_date": "quarter"}}, "formula": "count(x)"},
    }
    with visits(rows, kpis) as engine:
        result = engine.run(["trailing", "rows", "to_date"], grain="month", period="2026-Q1", as_of=LATE)
        assert table(result, "trailing", "rows", "to_date") == [(1, 1, 1), (2, 3, 3), (2, 3, 4)]


def test_06_month_to_date_by_week_begins_with_the_month_in_which_the_week_ends():
    rows = "(1, '2026-01-05', 'a', 'v'), (2, '2026-01-28', 'a', 'v'), (3, '2026-02-01', 'a', 'v'), (4, '2026-02-03', 'a', 'w')"
    kpis = {"so_far": {"inputs": {"v": {"from": "visits", "to_date": "month"}}, "formula": "count(v)"}}
    with visits(rows, kpis) as engine:
        result = engine.run("so_far", grain="week", period="2026-01-19..2026-02-08", as_of=LATE)
        assert table(result) == [(date(2026, 1, 19), 1), (date(2026, 1, 26), 1), (date(2026, 2, 2), 2)]


def test_07_a_ratio_of_counts_is_no_integer_division():
    rows = ", ".join(f"({n}, '2026-01-05', '{'a' if n <= 3 else 'b'}', 'v')" for n in range(1, 11))
    with visits(
        rows, {"share": "count(visits) filter (where channel = 'a') / count(visits)", "half": "1 / 2 * count(visits)"}
    ) as engine:
        assert engine.run(["share", "half"], as_of=LATE).totals() == {"share": pytest.approx(0.3), "half": 5}


def test_07_a_division_by_nothing_is_unknown():
    rows = "(1, '2026-01-05', 'a', NULL)"
    kpis = {
        "x": "count(visits) / count(visitor)",
        "nested": "1 / (count(visits) / count(visitor))",
        "zero": "count(visitor) / count(visitor)",
    }
    with visits(rows, kpis) as engine:
        assert engine.run(list(kpis), as_of=LATE).totals() == {"x": None, "nested": None, "zero": None}


def test_07_a_division_of_kpis_by_nothing_is_unknown_and_divides_exactly():
    rows = "(1, '2026-01-05', 'a', NULL), (2, '2026-01-05', 'a', NULL), (3, '2026-02-05', 'a', 'v')"
    kpis = {
        "n": "count(visits)",
        "known": "count(visitor)",
        "each": {"inputs": ["n", "known"], "formula": "n / known"},
        "part": {"inputs": ["n", "known"], "formula": "known / (2 * n)"},
        "over": {"inputs": ["each", "part"], "formula": "part / each"},
    }
    with visits(rows, kpis) as engine:
        result = engine.run(["each", "part", "over"], grain="month", period="2026-01..2026-02", as_of=LATE)
        assert table(result, "each", "part", "over") == [(None, 0, None), (1, 0.5, 0.5)]


def test_08_an_instant_lands_in_the_month_of_the_projects_zone():
    with opened(
        {"visit": ("id int, at_ timestamptz", "(1, '2026-01-31 23:50:00+00'), (2, '2026-01-31 22:50:00+00')")},
        {"visits": {"table": "visit", "key": "id", "time": "at_"}},
        {"n": "count(visits)"},
    ) as engine:
        assert column(engine.run("n", grain="month", period="2026-01..2026-02", as_of=LATE), "n") == [1, 1]


def test_08_a_conversion_has_a_number():
    visited = "(1, '2026-01-01', 'a', 'v'), (2, '2026-01-02', 'b', 'w'), (3, '2026-01-03', 'a', 'x'), (4, '2026-01-04', 'a', NULL)"
    bought = "(1, '2026-01-02', 'v'), (2, '2026-01-03', 'v'), (3, '2026-01-20', 'w'), (4, '2026-01-02', 'x'), (5, '2026-01-05', NULL)"
    inputs = {"visit": "visits", "order": {"from": "orders", "of": "visitor", "after": "visit", "within": "7 days"}}
    with opened(
        {"visit": (VISITS[0], visited), "bought": ("id int, day date, visitor varchar", bought)},
        {
            "visits": {"table": "visit", "key": "id", "time": "day", "dimensions": ["channel"]},
            "orders": {"table": "bought", "key": "id", "time": "day"},
        },
        {
            "conversions": {"inputs": inputs, "formula": "count(order)"},
            "rate": {"inputs": inputs, "formula": "count(order) / count(visit)"},
        },
    ) as engine:
        result = engine.run(["conversions", "rate"], by="channel", period="2026-01", as_of=LATE)
        assert table(result) == [("a", 2, pytest.approx(2 / 3)), ("b", 0, 0)]
        assert result.totals() == {"conversions": 2, "rate": 0.5}


@pytest.fixture
def parents():
    """Orders of customers: customer 3 has no orders, order 4 has no customer, order 5 has one that does not exist."""
    orders = "(1, 1, '2026-01-01'), (2, 1, '2026-01-02'), (3, 2, '2026-01-03'), (4, NULL, '2026-01-04'), (5, 99, '2026-01-05')"
    with opened(
        {"bought": ("id int, customer_id int, day date", orders), "customer": ("id int, country varchar, since date", "(1, 'fr', '2026-01-01'), (2, NULL, '2026-01-01'), (3, 'de', '2026-01-01')")},
        {
            "orders": {"table": "bought", "key": "id", "time": "day", "joins": {"customer": {"to": "customers", "keys": {"customer_id": "id"}}}, "dimensions": {"country": "customer.country"}},
            "customers": {"table": "customer", "key": "id", "time": "since", "dimensions": ["country"]},
        },
        {"order_count": "count(orders)", "customer_count": {"inputs": ["customers"], "formula": "count(customers)"}},
    ) as engine:  # fmt: skip
        yield engine


def test_09_facts_without_a_parent_are_a_group_of_their_own(parents):
    result = parents.run("order_count", by="country", as_of=LATE)
    assert by_member(result, "country", "order_count") == {"fr": 2, None: 3}
    assert result.totals() == {"order_count": 5}


def test_09_parents_without_children_count_whatever_else_is_asked_for(parents):
    alone = parents.run("customer_count", by="country", as_of=LATE)
    both = parents.run(["order_count", "customer_count"], by="country", as_of=LATE)
    assert (
        by_member(alone, "country", "customer_count")
        == by_member(both, "country", "customer_count")
        == {"de": 1, "fr": 1, None: 1}
    )
    assert by_member(both, "country", "order_count") == {"de": 0, "fr": 2, None: 3}


def test_10_a_limit_of_nothing_gives_nothing(two_facts):
    assert two_facts.run("cost", by="channel", limit=0, as_of=LATE).rows() == []


def test_10_a_reversed_period_is_refused(two_facts):
    with pytest.raises(RequestError, match="ends before it starts"):
        two_facts.run("cost", period="2026-02-01..2026-01-01", as_of=LATE)


def test_10_a_condition_on_a_kpi_sees_its_value(two_facts):
    assert column(two_facts.run(["cost"], by="channel", having={"cost": {">": 29}}, as_of=LATE), "channel") == [
        "c1",
        "c2",
    ]
    assert two_facts.run(["cost"], by="channel", having={"cost": {">": 30}}, as_of=LATE).rows() == []
    with pytest.raises(RequestError) as caught:
        two_facts.run("cost", by="channel", where={"cost": {">": 2}}, as_of=LATE)
    assert caught.value.code == "missing_dimension"


def test_10_month_to_date_by_month_is_the_month():
    rows = "(1, '2026-01-01', 'a', 'v'), (2, '2026-01-31', 'a', 'v'), (3, '2026-02-05', 'a', 'w'), (4, '2026-02-28', 'a', 'w')"
    kpis = {"so_far": {"inputs": {"v": {"from": "visits", "to_date": "month"}}, "formula": "count(v)"}}
    with visits(rows, kpis) as engine:
        result = engine.run("so_far", grain="month", period="2026-01..2026-03", as_of=LATE)
        assert column(result, "so_far") == [2, 2, 0]
        assert column(engine.run("so_far", grain="month", period="2026-02", as_of="2026-02-10"), "so_far") == [1]


def test_11_columns_come_as_asked_and_rows_in_a_fixed_order(two_facts):
    result = two_facts.run(
        ["lead_count", "cpl", "cost"],
        by=["country", "channel"],
        grain="month",
        period="2026-01",
        compare=["previous_year", "previous_period"],
        as_of=LATE,
    )
    changes = [
        f"{kpi}__{name}{end}"
        for name in ("previous_year", "previous_period")
        for kpi in ("lead_count", "cpl", "cost")
        for end in ("", "_change")
    ]
    assert list(result.rows()[0]) == ["country", "channel", "period", "lead_count", "cpl", "cost", *changes]
    assert column(result, "channel") == ["c1", "c2"]


def test_12_small_rates_are_not_cut_and_ratios_are_compared():
    rows = ", ".join(f"({n}, '2026-0{1 + n % 2}-05', 'a', {'NULL' if n > 1 else repr('v')})" for n in range(3000))
    kpis = {
        "rate": "count(visitor) / count(visits) / 1000000",
        "over": {"inputs": {"now": "rate", "before": {"from": "rate", "offset": "1 month"}}, "formula": "now / before"},
    }
    with visits(rows, kpis) as engine:
        row = engine.run(["rate", "over"], period="2026-02", compare="previous_period", as_of=LATE).rows()[0]
        assert row["rate"] == pytest.approx(1 / 1500 / 1e6, rel=1e-12)
        assert row["rate__previous_period"] == pytest.approx(1 / 1500 / 1e6, rel=1e-12)
        assert row["rate__previous_period_change"] == pytest.approx(0)
        assert row["over"] == pytest.approx(1)


def test_12_periods_without_rows_are_there_beside_a_comparison_of_a_ratio():
    rows = "(1, '2026-01-05', 'a', 'v'), (2, '2026-01-06', 'a', NULL), (3, '2026-03-05', 'a', 'v')"
    with visits(rows, {"rate": "count(visitor) / count(visits)"}) as engine:
        result = engine.run(
            "rate", by="channel", grain="month", period="2026-01..2026-04", compare="previous_period", as_of=LATE
        )
        columns = ("rate", "rate__previous_period", "rate__previous_period_change")
        assert table(result, *columns) == [(0.5, None, None), (None, 0.5, None), (1, None, None), (None, 1, None)]


def test_13_a_filter_reaches_every_dataset(two_facts):
    assert two_facts.run(["cost", "lead_count", "cpl"], where={"channel": "c1"}, as_of=LATE).totals() == {
        "cost": 30,
        "lead_count": 2,
        "cpl": 15,
    }


def test_13_an_unknown_kpi_is_named_with_the_nearest(two_facts):
    with pytest.raises(RequestError) as caught:
        two_facts.run("csot", as_of=LATE)
    assert caught.value.code == "unknown_kpi"
    assert "cost" in caught.value.hint


def test_14_every_mistake_of_a_definition_is_found_before_anything_runs():
    kpis = {
        "a": "count(",
        "b": {"inputs": ["visits", "nothing"], "formula": "count(visits) / nothing"},
        "c": "sum(colour)",
    }
    with visits("(1, '2026-01-05', 'a', 'v')", kpis) as engine:
        assert {d.subject for d in engine.check() if d.severity == "error"} == {"kpi a", "kpi b", "kpi c"}


def test_15_asking_for_more_at_once_gives_the_same_numbers(two_facts):
    """What shares a scan with others equals what is computed alone."""
    together = two_facts.run(
        ["cost", "lead_count", "cpl"],
        by="channel",
        grain="day",
        period="2026-01",
        compare="previous_period",
        as_of=LATE,
    )
    for kpi in ("cost", "lead_count", "cpl"):
        alone = two_facts.run(kpi, by="channel", grain="day", period="2026-01", compare="previous_period", as_of=LATE)
        columns = (kpi, f"{kpi}__previous_period", f"{kpi}__previous_period_change")
        assert table(alone, *columns) == table(together, *columns)


def test_every_failure_is_the_engines_own(two_facts):
    for wrong in (
        {"by": "colour"},
        {"grain": "fortnight"},
        {"period": "soon"},
        {"where": {"channel": {"like": "c%"}}},
        {"compare": "yesterday"},
        {"order": "x"},
    ):
        with pytest.raises(kpi_engine.KpiError):
            two_facts.run("cost", **wrong)


def test_15_what_is_merged_from_pieces_equals_what_is_counted_row_by_row():
    """Periods that overlap share partial sums; each is what it is when nothing else is asked for."""
    rows = ", ".join(f"({n}, '2026-0{1 + n % 3}-{1 + n % 27:02}', '{'ab'[n % 2]}', 'v{n % 7}')" for n in range(200))
    trailing = {"from": "visits", "window": "28 days"}
    kpis = {
        "rows": {"inputs": {"v": trailing}, "formula": "count(v)"},
        "mean": {"inputs": {"v": trailing}, "formula": "avg(v.id)"},
        "visitors": {"inputs": {"v": trailing}, "formula": "count(distinct v.visitor)"},
    }
    with visits(rows, kpis) as engine:
        together = engine.run(list(kpis), by="channel", grain="day", period="2026-02", as_of=LATE).rows()
        assert len(together) == 28 * 2
        for row in together[::5]:
            day = row.pop("period").isoformat()
            alone = engine.run(list(kpis), where={"channel": row.pop("channel")}, period=day, as_of=LATE).rows()
            assert alone == [{name: pytest.approx(value) for name, value in row.items()}]
