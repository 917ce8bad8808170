"""No rows: in the table, in the period, behind a filter, in time to come. Every aggregate has a defined answer, and every output shows it."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from number_projects import LATE, opened, table

import kpi_engine

EMPTY = {
    "count(*)": 0, "count(facts)": 0, "count(x)": 0, "count(distinct x)": 0, "count_if(x > 1)": 0, "sum(x)": 0, "sum(amount)": Decimal("0.00"),
    "avg(x)": None, "min(x)": None, "max(amount)": None, "median(x)": None, "stddev(x)": None, "quantile_cont(x, 0.9)": None,
    "sum(x) / count(facts)": None, "sum(x) + 1": 1, "coalesce(avg(x), -1)": -1,
}  # fmt: skip
KPIS = {f"k{place}": formula for place, formula in enumerate(EMPTY)}
EXPECTED = dict(zip(KPIS, EMPTY.values(), strict=True))
ROWS = {"no rows": "", "rows elsewhere": "(1, '2020-01-01', 'a', 1, 2.50)"}
JANUARY = {"period": "2026-01", "as_of": LATE}


@pytest.fixture(params=ROWS, scope="module")
def engine(request):
    columns = "id int, day date, g varchar, x int, amount decimal(18,2)"
    facts = {"facts": {"table": "fact", "key": "id", "time": "day", "dimensions": ["g"]}}
    with opened({"fact": (columns, ROWS[request.param])}, facts, KPIS) as engine:
        yield engine


def test_there_is_one_row_of_defined_values(engine):
    for asked in (JANUARY, {**JANUARY, "where": {"g": "zz"}}, {"period": "2031-01", "as_of": LATE}):
        result = engine.run(list(KPIS), **asked)
        assert result.rows() == [EXPECTED]
        assert result.totals() == EXPECTED
        assert not result.failures


def test_a_split_has_no_members_and_its_total_is_there(engine):
    result = engine.run(list(KPIS), by="g", **JANUARY)
    assert (result.rows(), result.totals()) == ([], EXPECTED)


def test_every_period_that_was_asked_for_is_there(engine):
    result = engine.run(list(KPIS), grain="month", period="2026-01..2026-02", as_of=LATE)
    assert result.rows() == [{"period": date(2026, month, 1)} | EXPECTED for month in (1, 2)]
    assert engine.run(list(KPIS), grain="month", period="2026-01..2026-02", as_of=LATE, dense=False).rows() == []


def test_a_comparison_of_nothing_with_nothing_has_no_change(engine):
    result = engine.run("k5", compare=["previous_period"], **JANUARY)
    assert table(result) == [(0, 0, None)]


def test_every_output_shows_it(engine):
    for asked in ({}, {"by": "g"}, {"grain": "month", "by": "g"}):
        result = engine.run(list(KPIS), **asked, **JANUARY)
        for output in ("json", "csv", "html", "table"):
            assert engine.render(result, output)


def test_a_dimension_without_rows_is_unknown_of_every_row():
    tables = {"fact": ("id int, shop int", "(1, 7), (2, 8)"), "shop": ("shop int, city varchar", "")}
    datasets = {
        "facts": {"table": "fact", "key": "id", "joins": {"shop": {"to": "shops", "keys": ["shop"]}}, "dimensions": {"city": "shop.city"}},
        "shops": {"table": "shop", "key": "shop"},
    }  # fmt: skip
    with opened(tables, datasets, {"n": "count(facts)"}) as engine:
        assert engine.run("n", by="city").rows() == [{"city": None, "n": 2}]


def test_a_project_without_kpis_is_a_project(tmp_path):
    (tmp_path / "kpi.yaml").write_text("project: nothing\nsources: {data: {plugin: files, path: data}}\n")
    (tmp_path / "definitions").mkdir()
    (tmp_path / "data").mkdir()
    with kpi_engine.open(tmp_path) as engine:
        assert (engine.kpis(), engine.check(live=True)) == ((), [])
        report = engine.report(as_of=LATE)
        assert not report.sections
        for output in ("json", "csv", "html", "table"):
            engine.render(report, output)
