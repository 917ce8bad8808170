"""PostgreSQL computes what DuckDB would: on a server of the tests' own."""

from __future__ import annotations

import json

import duckdb
import pytest
from adbc_driver_postgresql import dbapi
from in_postgres import PLUGIN, storing
from kpi_source_postgres.columns import Column, column_of
from kpi_source_postgres.source import PostgresSettings, PostgresSource
from leaf_proofs import as_the_oracle, marketing_as_worked_out_by_hand
from random_expressions import differences
from scattered import scattered

import kpi_engine
from kpi_engine.api import SourceContext, SourceError, SqlSource

HERE = {"postgres_here": PLUGIN}
DATASETS = {"datasets": {"sales": {"time": "day", "dimensions": {"shop": None}, "key": "id"}}}


@pytest.fixture
def project(dsn, tmp_path):
    """Open a project over one table that a statement makes; gives the engine, and what runs a statement there."""
    engines = []

    def made(create, kpis, datasets=DATASETS["datasets"]):
        schema = f"t{abs(hash(str(tmp_path)))}"
        with dbapi.connect(dsn, autocommit=True) as there, there.cursor() as cursor:
            cursor.execute(f"CREATE SCHEMA {schema}")
            cursor.execute(f"SET search_path = {schema}")
            for statement in create:
                cursor.execute(statement)
        store = lambda *_: {"plugin": "postgres", "dsn": {"env": "KPI_TEST_POSTGRES"}, "schema": schema}  # noqa: E731
        definitions = {"datasets": datasets, "kpis": kpis}
        engines.append(scattered(duckdb.connect(), definitions, {"there": (store, ("sales",))}, tmp_path, HERE))
        return engines[-1]

    yield made
    for each in engines:
        each.close()


def test_the_marketing_fixture_gives_the_numbers_worked_out_by_hand(dsn, tmp_path):
    marketing_as_worked_out_by_hand(storing(dsn), HERE, tmp_path)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("places", [1, 3])
def test_random_projects_answer_as_the_oracle_does(dsn, tmp_path, seed, places):
    as_the_oracle(300 + seed, places, storing(dsn), HERE, tmp_path)


def test_random_expressions_give_what_duckdb_gives(dsn, tmp_path):
    computed, refused, found = differences(11, 5000, storing(dsn), HERE, "postgres", tmp_path)
    assert found == []
    assert computed == 5000
    assert refused < computed


def test_only_aggregates_travel(project, monkeypatch):
    create = [
        "CREATE TABLE sales (id BIGINT, day DATE, shop TEXT, amount NUMERIC(12,2))",
        "INSERT INTO sales SELECT n, DATE '2026-01-01' + n % 90, 'shop ' || n % 7, n FROM generate_series(1, 20000) AS n",
    ]
    engine = project(create, {"sold": {"inputs": ["sales"], "formula": "sum(amount)"}})
    plain, counts = PostgresSource.query, []

    def counting(source, sql):
        rows = plain(source, sql)
        counts.append(rows.num_rows)
        return rows

    monkeypatch.setattr(PostgresSource, "query", counting)
    result = engine.run("sold", by="shop", grain="month", period="2026-Q1")
    assert sum(row["sold"] for row in result.rows()) == sum(range(1, 20001))
    assert counts == [21]


def test_texts_are_compared_byte_by_byte_whatever_the_collation(project):
    create = [
        'CREATE TABLE sales (id BIGINT, day DATE, shop TEXT COLLATE "en-x-icu", kind CHAR(3))',
        "INSERT INTO sales VALUES (1, '2026-01-01', 'a', 'x'), (2, '2026-01-01', 'B', 'x'), (3, '2026-01-01', 'ä', 'y')",
    ]
    kpis = {
        "before_a": {"inputs": ["sales"], "formula": "count_if(shop < 'a')"},
        "x": {"inputs": ["sales"], "formula": "count_if(kind = 'x')"},
    }
    row = project(create, kpis).run(["before_a", "x"], period="2026-01").rows()[0]
    assert row == {"before_a": 1, "x": 2}


def test_numbers_come_back_exactly(project):
    create = [
        "CREATE TABLE sales (id BIGINT, day DATE, shop TEXT, big BIGINT, amount NUMERIC(20,4), loose NUMERIC)",
        "INSERT INTO sales VALUES (1, '2026-01-01', 'a', 9223372036854775807, 1234567890123456.0001, 0.5), (2, '2026-01-02', 'a', 9223372036854775807, 0.0002, 0.25)",
    ]
    kpis = {name: {"inputs": ["sales"], "formula": f"sum({name})"} for name in ("big", "amount", "loose")}
    row = project(create, kpis).run(list(kpis), period="2026-01").rows()[0]
    assert (int(row["big"]), str(row["amount"]), row["loose"]) == (18446744073709551614, "1234567890123456.0003", 0.75)


def test_columns_are_what_they_are_read_as():
    assert column_of("a", "b", "int4", -1) == Column("INTEGER")
    assert column_of("a", "b", "bpchar", 7).kind == "VARCHAR"
    assert column_of("mood", "e", "mood", -1) == Column("VARCHAR", 'CAST("mood" AS TEXT)')
    assert column_of("a", "b", "numeric", -1).kind == "DOUBLE"
    assert column_of("a", "b", "jsonb", -1) is None


def test_what_is_not_there_is_said_without_the_password(tmp_path):
    dsn = "postgresql://kpi:hunter2@127.0.0.1:9/none"
    source = PostgresSource(PostgresSettings(dsn=dsn), SourceContext("shop", tmp_path))
    assert isinstance(source, SqlSource)
    with pytest.raises(SourceError) as caught:
        source.tables()
    assert caught.value.code == "query_failed"
    assert "hunter2" not in str(caught.value)


def test_an_address_that_is_damaged_is_not_repeated(tmp_path, monkeypatch):
    monkeypatch.setenv("SHOP_DSN", "postgresql://kpi:hunter2@[bad/db")
    settings = {"project": "p", "sources": {"shop": {"plugin": "postgres", "dsn": {"env": "SHOP_DSN"}}}}
    (tmp_path / "plugins").mkdir()
    (tmp_path / "plugins" / "postgres_here.py").write_text(PLUGIN)
    (tmp_path / "kpi.yaml").write_text(json.dumps(settings))
    (tmp_path / "definitions").mkdir()
    (tmp_path / "definitions" / "all.yaml").write_text(json.dumps({"datasets": {"sales": {}}}))
    with kpi_engine.open(tmp_path) as engine:
        said = "\n".join(map(str, engine.check()))
    assert "query_failed" in said
    assert "hunter2" not in said


def test_a_query_that_takes_too_long_is_stopped(project, monkeypatch):
    create = ["CREATE TABLE sales (id BIGINT, day DATE, shop TEXT)", "INSERT INTO sales VALUES (1, '2026-01-01', 'a')"]
    engine = project(create, {"n": {"inputs": ["sales"], "formula": "count(sales)"}})
    engine.run("n", period="2026-01")
    plain = PostgresSource.query
    monkeypatch.setattr(PostgresSource, "query", lambda source, _: plain(source, "SELECT pg_sleep(60)"))
    with pytest.raises(kpi_engine.TimeoutExceeded):
        engine.run("n", period="2026-01", timeout=0.3)


def test_nothing_is_written_there(dsn, tmp_path):
    source = PostgresSource(PostgresSettings(dsn=dsn), SourceContext("shop", tmp_path))
    with pytest.raises(SourceError, match="read-only"):
        source.query("CREATE TABLE never (a INT)")
    source.close()


def test_explain_shows_the_statement_of_the_server(project):
    create = ["CREATE TABLE sales (id BIGINT, day DATE, shop TEXT)", "INSERT INTO sales VALUES (1, '2026-01-01', 'a')"]
    said = project(create, {"n": {"inputs": ["sales"], "formula": "count(sales)"}}).explain(
        "n", by="shop", period="2026-01"
    )
    assert "SQL (postgres, source `there`, as `__leaf0`: aggregates travel)" in said
    assert json.dumps("sales") in said


@pytest.mark.parametrize("kind", ["DATE", "TIMESTAMP", "TIMESTAMPTZ"])
def test_many_days_are_found_by_a_search(project, kind):
    """Rows of 500 days, of which those of two stretches count, and one without a day, which does not."""
    create = [
        f"CREATE TABLE sales (id BIGINT, day {kind}, shop TEXT)",
        "INSERT INTO sales SELECT n, DATE '2025-01-01' + n / 3, 'a' FROM generate_series(0, 1499) AS n",
        "INSERT INTO sales SELECT 2000 + n, DATE '2025-02-01' + n, 'a' FROM generate_series(0, 9) AS n",
        "INSERT INTO sales VALUES (3000, NULL, 'a')",
    ]
    engine = project(create, {"sold": {"inputs": ["sales"], "formula": "count(sales)"}})
    asked = {"grain": "day", "period": "2026-02-01..2026-03-31", "compare": "previous_year", "as_of": "2026-12-31"}
    assert "WIDTH_BUCKET" in engine.explain("sold", **asked)
    rows = engine.run("sold", **asked).rows()
    assert [row["sold"] for row in rows] == [3] * 59
    assert [row["sold__previous_year"] for row in rows] == [4] * 10 + [3] * 49
    few = {**asked, "period": "2026-02-01..2026-02-14"}
    assert "WIDTH_BUCKET" not in engine.explain("sold", **few)
    assert [row["sold__previous_year"] for row in engine.run("sold", **few).rows()] == [4] * 10 + [3] * 4


def test_values_of_entities_are_computed_and_aggregated_there(project, monkeypatch):
    """20,000 rows of 500 shops: neither a row nor a shop travels for the mean of shops, nor for the rows of those that a condition keeps."""
    create = [
        "CREATE TABLE sales (id BIGINT, day DATE, shop TEXT, amount NUMERIC(12,2))",
        "INSERT INTO sales SELECT n, DATE '2026-01-01' + n % 90, 'shop ' || n % 500, n % 7 FROM generate_series(1, 20000) AS n",
    ]
    kpis = {
        "sold": {"inputs": ["sales"], "formula": "sum(amount)"},
        "mean": {"inputs": ["sales"], "formula": "sum(amount) / count(sales)"},
        "per_shop": {"inputs": {"s": {"from": "sold", "per": "shop"}}, "formula": "avg(s)"},
        "best": {"inputs": {"s": {"from": "mean", "per": "shop"}}, "formula": "max(s)"},
    }
    engine = project(create, kpis)
    rows = [(f"shop {n % 500}", n % 7) for n in range(1, 20001)]
    shops = {shop: [amount for each, amount in rows if each == shop] for shop in {shop for shop, _ in rows}}
    among = {"shop": {"among": {"having": {"sold": {">": 119}}}}}
    many = {"shop": {"among": {"having": {"mean": {">": 3}}}}}
    plain, counts = PostgresSource.query, []

    def counting(source, sql):
        found = plain(source, sql)
        counts.append(found.num_rows)
        return found

    monkeypatch.setattr(PostgresSource, "query", counting)
    asked = {"period": "2026-Q1", "as_of": "2026-12-31"}
    (row,) = engine.run(["per_shop", "best"], **asked).rows()
    assert float(row["per_shop"]) == pytest.approx(sum(map(sum, shops.values())) / 500)
    assert row["best"] == pytest.approx(max(sum(each) / len(each) for each in shops.values()))
    kept = sum(sum(each) for each in shops.values() if sum(each) > 119)
    assert engine.run("sold", **asked, where=among).rows() == [{"sold": kept}]
    kept = sum(sum(each) for each in shops.values() if sum(each) / len(each) > 3)
    assert engine.run("sold", **asked, where=many).rows() == [{"sold": kept}]
    assert 0 < kept < sum(map(sum, shops.values()))
    assert sum(counts) <= 6


def test_names_that_differ_by_case_alone_are_refused_and_not_taken_for_each_other(project):
    create = [
        'CREATE TABLE sales (id BIGINT, day DATE, shop TEXT, "Amount" INT, amount INT)',
        "INSERT INTO sales VALUES (1, '2026-01-01', 'a', 100, 1)",
    ]
    engine = project(create, {"sold": {"inputs": ["sales"], "formula": "sum(amount)"}})
    assert [each.code for each in engine.check()] == ["duplicate_column"]
    with pytest.raises(SourceError, match="two columns of one name: `Amount` and `amount`"):
        engine.run("sold", period="2026-01")


def test_days_before_all_time_hide_no_period(project):
    create = [
        "CREATE TABLE sales (id BIGINT, day DATE, shop TEXT)",
        "INSERT INTO sales VALUES (1, '-infinity', 'a'), (2, '0044-03-15 BC', 'a'), (3, '2026-01-31', 'a'), (4, '2026-03-01', 'a'), (5, 'infinity', 'a')",
    ]
    engine = project(create, {"n": {"inputs": ["sales"], "formula": "count(sales)"}})
    assert [row["n"] for row in engine.run("n", grain="month", as_of="2026-12-31").rows()] == [1, 0, 1]
    assert engine.run("n", as_of="2026-12-31").rows() == [{"n": 4}]


def test_truths_are_added_up_as_numbers(project):
    create = [
        "CREATE TABLE sales (id BIGINT, day DATE, shop TEXT, paid BOOLEAN)",
        "INSERT INTO sales VALUES (1, '2026-01-01', 'a', true), (2, '2026-01-01', 'a', false), (3, '2026-01-01', NULL, NULL)",
    ]
    kpis = {
        "paid": {"inputs": ["sales"], "formula": "sum(cast(paid as int))"},
        "share": {"inputs": ["sales"], "formula": "avg(cast(paid as int))"},
        "named": {"inputs": ["sales"], "formula": "sum(cast(shop is not null as int))"},
    }
    engine = project(create, kpis)
    assert "aggregates travel" in engine.explain(list(kpis), period="2026-01")
    assert engine.run(list(kpis), period="2026-01").rows() == [{"paid": 1, "share": 0.5, "named": 2}]
