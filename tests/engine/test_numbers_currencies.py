"""Amounts in several currencies are never added up."""

from __future__ import annotations

from decimal import Decimal

import pytest
from number_projects import LATE, by_member, opened

from kpi_engine import DataError

ROWS = """
    (1, '2026-01-05', 'a', 10.00, 'EUR'), (2, '2026-01-06', 'a', 5.50, NULL), (3, '2026-01-07', 'b', 7, 'USD'), (4, '2025-12-07', 'a', 1, 'USD'),
    (5, '2026-02-01', 'c', 3, 'EUR'), (6, '2026-02-01', 'c', NULL, 'USD'), (7, '2026-03-01', 'd', 2, NULL)"""


@pytest.fixture
def engine():
    with opened(
        {"sale": ("id int, day date, shop varchar, amount decimal(18,2), cur varchar", ROWS)},
        {"sales": {"table": "sale", "key": "id", "time": "day", "dimensions": {"shop": None, "currency": "cur"}, "columns": {"amount": {"currency": "cur"}}}},
        {
            "turnover": "sum(amount)", "highest": "max(amount)", "n": "count(amount)", "mean": {"inputs": ["turnover", "sales"], "formula": "turnover / count(sales)"},
            "by_shop": {"inputs": {"x": {"from": "turnover", "per": "shop"}}, "formula": "sum(x)"},
            "growth": {"inputs": {"now": "turnover", "before": {"from": "turnover", "offset": "1 month"}}, "formula": "now - before"},
            "euros": {"inputs": {"x": {"from": "sales", "where": "cur = 'EUR'"}}, "formula": "sum(x.amount)"},
            "of_euros": "sum(amount) filter (where cur = 'EUR')",
        },
    ) as engine:  # fmt: skip
        yield engine


def refused(engine, kpis, **request):
    with pytest.raises(DataError) as caught:
        engine.run(kpis, as_of=LATE, **request)
    assert caught.value.code == "mixed_currencies"


@pytest.mark.parametrize("kpi", ["turnover", "highest", "mean", "by_shop", "growth"])
def test_two_currencies_in_one_number_are_refused_when_they_meet(engine, kpi):
    refused(engine, kpi, period="2026-01")


def test_a_count_has_no_currency(engine):
    assert engine.run("n", as_of=LATE).totals() == {"n": 6}


def test_split_by_what_keeps_them_apart_they_pass(engine):
    result = engine.run("turnover", by="currency", period="2026-01", as_of=LATE)
    assert by_member(result, "currency", "turnover") == {"EUR": Decimal("10.00"), "USD": 7, None: Decimal("5.50")}
    assert by_member(engine.run("by_shop", by="shop", period="2026-01", as_of=LATE), "shop", "by_shop") == {
        "a": Decimal("15.50"),
        "b": 7,
    }


def test_the_total_over_both_is_refused_when_it_is_asked_for(engine):
    result = engine.run("turnover", by="currency", period="2026-01", as_of=LATE)
    with pytest.raises(DataError) as caught:
        result.totals()
    assert caught.value.code == "mixed_currencies"


@pytest.mark.parametrize("kpi", ["turnover", "highest", "by_shop"])
def test_a_filter_leaves_one_and_the_result_names_it(engine, kpi):
    assert engine.run(kpi, where={"shop": "a"}, period="2026-01", as_of=LATE).currencies == {kpi: "EUR"}


def test_a_condition_leaves_one(engine):
    assert engine.run(["euros", "of_euros"], as_of=LATE).totals() == {"euros": 13, "of_euros": 13}


def test_an_amount_that_is_unknown_has_no_currency(engine):
    assert engine.run("turnover", period="2026-02", as_of=LATE).totals() == {"turnover": 3}


def test_amounts_without_a_currency_pass(engine):
    result = engine.run("turnover", period="2026-03", as_of=LATE)
    assert result.totals() == {"turnover": 2}
    assert result.currencies == {}


def test_a_comparison_with_amounts_in_another_currency_is_refused(engine):
    refused(engine, "turnover", where={"shop": "a"}, period="2026-01", compare="previous_period")
    refused(engine, "growth", where={"shop": "a"}, period="2026-01")


def test_a_comparison_with_a_period_that_mixes_is_refused(engine):
    refused(engine, "turnover", period="2026-02", compare="previous_period")


def test_two_amounts_in_one_expression_each_have_their_currency():
    with opened(
        {"clip": ("id int, vendor decimal(18,2), vendor_cur varchar, rate decimal(18,2), rate_cur varchar", "(1, 5, 'EUR', NULL, NULL), (2, NULL, NULL, 7, 'USD')")},
        {"clips": {"table": "clip", "key": "id", "columns": {"vendor": {"currency": "vendor_cur"}, "rate": {"currency": "rate_cur"}}, "dimensions": ["id"]}},
        {"worth": "sum(coalesce(vendor, rate))"},
    ) as engine:  # fmt: skip
        refused(engine, "worth")
        assert by_member(engine.run("worth", by="id"), "id", "worth") == {1: 5, 2: 7}


class TestOrder:
    def test_amounts_in_several_currencies_are_put_in_no_order(self):
        rows = "(1, '2026-01-01', 'a', 'EUR', 5), (2, '2026-01-01', 'b', 'USD', 6), (3, '2026-01-01', 'c', 'EUR', 7)"
        with opened(
            {"sale": ("id int, day date, shop varchar, currency varchar, amount int", rows)},
            {"sales": {"table": "sale", "key": "id", "time": "day", "dimensions": ["shop", "currency"], "columns": {"amount": {"currency": "currency"}}}},
            {"revenue": "sum(amount)", "n": "count(sales)"},
        ) as engine:  # fmt: skip
            for more in ({"rank": "revenue"}, {"top": 2}, {"top": {"first": 2, "others": True}}):
                with pytest.raises(DataError) as refused:
                    engine.run("revenue", by="shop", **more)
                assert refused.value.code == "mixed_currencies"
            with pytest.raises(DataError, match="in one order"):
                engine.run("n", by="shop", top={"first": 1, "by": "revenue"})
            within = engine.run("revenue", by=["shop", "currency"], rank={"revenue": "shop"}).rows()
            assert [row["revenue__rank"] for row in within] == [2, 1, 1]
            euro = engine.run("revenue", by="shop", where={"currency": "EUR"}, rank="revenue", top=1).rows()
            assert euro == [{"shop": "c", "revenue": 7, "revenue__rank": 1}]


@pytest.mark.parametrize(
    ("column", "kpi", "unit", "recorded", "shown"),
    [
        ({"unit": "USD"}, {}, "USD", "USD", "$3.50"),
        ({"unit": "USD"}, {"unit": "USD"}, "USD", "USD", "$3.50"),
        ({}, {"unit": "USD"}, "USD", "USD", "$3.50"),
        ({}, {}, "EUR", "¤", "€3.50"),
        ({"currency": "cur"}, {}, "GBP", "¤", "£3.50"),
    ],
)
def test_the_currency_of_a_project_is_that_of_amounts_of_which_none_is_known(column, kpi, unit, recorded, shown):
    rows = "(1, '2026-01-05', 3.50, 'GBP')"
    with opened(
        {"sale": ("id int, day date, amount decimal(18,2), cur varchar", rows)},
        {"sales": {"table": "sale", "key": "id", "time": "day", "columns": {"amount": column}}},
        {"turnover": {"inputs": ["sales"], "formula": "sum(amount)", "format": "currency", **kpi}},
        currency="EUR",
    ) as engine:
        assert [str(each) for each in engine.check()] == []
        result = engine.run("turnover", period="2026-01", as_of=LATE)
        assert (result.measure("turnover").unit, engine.describe("turnover").recorded_unit) == (unit, recorded)
        assert shown in engine.render(result, "table").decode()
