"""MariaDB computes what DuckDB would: on a server of the tests' own."""

from __future__ import annotations

import duckdb
import pytest
from in_mysql import PLUGIN, storing
from kpi_source_mysql.columns import Column, column_of
from kpi_source_mysql.source import MysqlSettings, MysqlSource
from leaf_proofs import as_the_oracle, marketing_as_worked_out_by_hand
from random_expressions import differences
from scattered import scattered

import kpi_engine
from kpi_engine.api import SourceContext, SourceError, SqlSource

HERE = {"mysql_here": PLUGIN}
SALES = {"sales": {"time": "day", "dimensions": {"shop": None}, "key": "id"}}
COUNT = {"n": {"inputs": ["sales"], "formula": "count(sales)"}}


@pytest.fixture
def project(server, tmp_path):
    """Open a project over one table that statements make."""
    engines = []

    def made(create, kpis, datasets=SALES):
        name = f"t{abs(hash(str(tmp_path)))}"
        server.run(f"CREATE DATABASE {name} COLLATE utf8mb4_general_ci", f"USE {name}", *create)
        store = lambda *_: {"plugin": "mysql", "dsn": {"env": "KPI_TEST_MYSQL"}, "database": name}  # noqa: E731
        definitions = {"datasets": datasets, "kpis": kpis}
        engines.append(scattered(duckdb.connect(), definitions, {"there": (store, ("sales",))}, tmp_path, HERE))
        return engines[-1]

    yield made
    for each in engines:
        each.close()


def test_the_marketing_fixture_gives_the_numbers_worked_out_by_hand(server, tmp_path):
    marketing_as_worked_out_by_hand(storing(server), HERE, tmp_path)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("places", [1, 3])
def test_random_projects_answer_as_the_oracle_does(server, tmp_path, seed, places):
    as_the_oracle(500 + seed, places, storing(server), HERE, tmp_path)


def test_random_expressions_give_what_duckdb_gives(server, tmp_path):
    computed, refused, found = differences(13, 5000, storing(server), HERE, "mysql", tmp_path)
    assert found == []
    assert computed == 5000
    assert refused < computed


def test_only_aggregates_travel(project, monkeypatch):
    create = [
        "CREATE TABLE sales (id BIGINT PRIMARY KEY, day DATE, shop VARCHAR(20), amount DECIMAL(12,2))",
        "INSERT INTO sales SELECT seq, DATE '2026-01-01' + INTERVAL seq % 90 DAY, CONCAT('shop ', seq % 7), seq FROM seq_1_to_20000",
    ]
    engine = project(create, {"sold": {"inputs": ["sales"], "formula": "sum(amount)"}})
    plain, counts = MysqlSource.query, []

    def counting(source, sql):
        rows = plain(source, sql)
        counts.append(rows.num_rows)
        return rows

    monkeypatch.setattr(MysqlSource, "query", counting)
    result = engine.run("sold", by="shop", grain="month", period="2026-Q1")
    assert sum(row["sold"] for row in result.rows()) == sum(range(1, 20001))
    assert counts == [21]


def test_texts_are_compared_byte_by_byte_whatever_the_collation(project):
    create = [
        "CREATE TABLE sales (id BIGINT, day DATE, shop VARCHAR(10)) COLLATE utf8mb4_general_ci",
        "INSERT INTO sales VALUES (1, '2026-01-01', 'a'), (2, '2026-01-01', 'A'), (3, '2026-01-01', 'a '), (4, '2026-01-01', 'ä')",
    ]
    kpis = {
        **COUNT,
        "a": {"inputs": ["sales"], "formula": "count_if(shop = 'a')"},
        "shops": {"inputs": ["sales"], "formula": "count(distinct shop)"},
    }
    engine = project(create, kpis)
    assert engine.run(["a", "shops"], period="2026-01").rows() == [{"a": 1, "shops": 4}]
    rows = engine.run("n", by="shop", period="2026-01", order="shop").rows()
    assert [row["shop"] for row in rows] == ["A", "a", "a ", "ä"]


def test_long_texts_that_differ_at_their_end_are_two(project):
    create = [
        "CREATE TABLE sales (id BIGINT, day DATE, shop LONGTEXT)",
        "INSERT INTO sales SELECT seq, '2026-01-01', CONCAT(REPEAT('x', 3000), seq % 2) FROM seq_1_to_10",
    ]
    kpis = {**COUNT, "shops": {"inputs": ["sales"], "formula": "count(distinct shop)"}}
    engine = project(create, kpis)
    assert engine.run("shops", period="2026-01").rows() == [{"shops": 2}]
    assert [row["n"] for row in engine.run("n", by="shop", period="2026-01").rows()] == [5, 5]


def test_signs_that_end_a_text_elsewhere_are_read_as_they_are(project):
    create = [
        "CREATE TABLE sales (id BIGINT, day DATE, shop TEXT)",
        r"INSERT INTO sales VALUES (1, '2026-01-01', 'a\\b''c')",
    ]
    found = {
        "n": {"inputs": ["sales"], "formula": r"count_if(shop = 'a\b''c')"},
        "none": {"inputs": ["sales"], "formula": r"count_if(shop = 'x\'' or 1 = 1 --')"},
    }
    assert project(create, found).run(["n", "none"], period="2026-01").rows() == [{"n": 1, "none": 0}]


def test_numbers_come_back_exactly(project):
    create = [
        "CREATE TABLE sales (id BIGINT, day DATE, big BIGINT, amount DECIMAL(20,4), whole INT, few FLOAT(10,2), huge BIGINT UNSIGNED, part DOUBLE UNSIGNED)",
        "INSERT INTO sales VALUES (1, '2026-01-01', 9223372036854775807, 1234567890123456.0001, 1, 0.25, 18446744073709551615, 1.25)",
        "INSERT INTO sales VALUES (2, '2026-01-02', 9223372036854775807, 0.0002, 0, 0.5, 1, 0.25), (3, '2026-01-02', 0, 0, 0, NULL, 0, NULL)",
    ]
    kpis = {name: {"inputs": ["sales"], "formula": f"sum({name})"} for name in ("big", "amount", "few", "huge", "part")}
    kpis["mean"] = {"inputs": ["sales"], "formula": "avg(whole)"}
    kpis["share"] = {"inputs": ["sales"], "formula": "sum(whole) / count(sales)"}
    row = project(create, kpis, {"sales": {"time": "day"}}).run(list(kpis), period="2026-01").rows()[0]
    assert (int(row["big"]), str(row["amount"]), row["few"]) == (18446744073709551614, "1234567890123456.0003", 0.75)
    assert int(row["huge"]) == 18446744073709551616
    assert row["part"] == 1.5
    assert (row["mean"], row["share"]) == (1 / 3, 1 / 3)


def test_a_number_that_is_too_large_stops_the_query(project):
    create = [
        "CREATE TABLE sales (id BIGINT, day DATE, x BIGINT)",
        "INSERT INTO sales VALUES (1, '2026-01-01', 9223372036854775807)",
    ]
    with pytest.raises(kpi_engine.KpiError) as caught:
        project(create, {"x": {"inputs": ["sales"], "formula": "sum(x * 2)"}}, {"sales": {"time": "day"}}).run(
            "x", period="2026-01"
        )
    assert caught.value.code == "overflow"


def test_instants_are_read_in_utc_whatever_the_zone_of_the_server(project):
    create = [
        "SET time_zone = '+05:00'",
        "CREATE TABLE sales (id BIGINT, day TIMESTAMP(6) NULL)",
        "INSERT INTO sales VALUES (1, '2026-02-01 04:59:59.5'), (2, '2026-02-01 05:00:00')",
    ]
    rows = project(create, COUNT, {"sales": {"time": "day"}}).run("n", grain="month", period="2026-01..2026-02").rows()
    assert [row["n"] for row in rows] == [1, 1]


def test_what_mysql_cannot_compute_is_computed_here_and_explain_says_so(project):
    create = [
        "CREATE TABLE sales (id BIGINT, day DATE, x INT)",
        "INSERT INTO sales VALUES (1, '2026-01-01', 1), (2, '2026-01-01', 2)",
    ]
    engine = project(create, {"middle": {"inputs": ["sales"], "formula": "median(x)"}}, {"sales": {"time": "day"}})
    assert engine.run("middle", period="2026-01").rows() == [{"middle": 1.5}]
    assert "2 rows of `sales` travel, because `median` is not the same there" in engine.explain(
        "middle", period="2026-01"
    )


@pytest.mark.parametrize(
    ("base", "written", "precision", "scale", "kind"),
    [
        ("int", "int(11)", 10, 0, "INTEGER"), ("int", "int(10) unsigned", 10, 0, "BIGINT"), ("tinyint", "tinyint(1)", 3, 0, "BOOLEAN"),
        ("bigint", "bigint(20) unsigned", 20, 0, "DECIMAL(20,0)"), ("decimal", "decimal(65,30)", 65, 30, "DOUBLE"),
        ("double", "double unsigned", 22, None, "DOUBLE"), ("enum", "enum('a')", None, None, "VARCHAR"), ("timestamp", "timestamp", None, None, "TIMESTAMPTZ"), ("year", "year(4)", None, None, "INTEGER"),
    ],
)  # fmt: skip
def test_columns_are_what_they_are_read_as(base, written, precision, scale, kind):
    assert column_of("a", base, written, precision, scale).kind == kind


def test_a_column_that_nothing_is_computed_with_is_left_out():
    assert column_of("a", "blob", "blob", None, None) is None
    assert column_of("a`b", "float", "float", 12, None) == Column("DOUBLE", "CAST(`a``b` AS DOUBLE)")


def test_tables_of_another_database_are_written_with_its_name(server, tmp_path):
    server.run("CREATE DATABASE other", "CREATE TABLE other.visits (a INT)")
    source = MysqlSource(MysqlSettings(dsn=server.dsn), SourceContext("shop", tmp_path))
    assert isinstance(source, SqlSource)
    assert next(each for each in source.tables() if each.path == ("other", "visits")).name == "other.visits"
    source.close()
    source = MysqlSource(MysqlSettings(dsn=server.dsn, database="other"), SourceContext("shop", tmp_path))
    assert next(each for each in source.tables() if each.path == ("other", "visits")).name == "visits"
    source.close()


def test_nothing_is_written_there(server, tmp_path):
    server.run("CREATE TABLE shop.kept (a INT)", "GRANT ALL ON shop.* TO 'reader'@'%'")
    source = MysqlSource(MysqlSettings(dsn=server.dsn), SourceContext("shop", tmp_path))
    with pytest.raises(SourceError, match="READ ONLY"):
        source.query("INSERT INTO kept VALUES (1)")
    source.close()


def test_rows_come_in_batches(dsn, tmp_path):
    source = MysqlSource(MysqlSettings(dsn=dsn), SourceContext("shop", tmp_path))
    rows = source.query(
        "SELECT seq AS n, CAST(seq AS DOUBLE) / 2 AS half, CAST(seq AS CHAR) AS text FROM seq_1_to_50001"
    )
    assert (rows.num_rows, len(rows.to_batches())) == (50001, 3)
    assert [rows[name].to_pylist()[-1] for name in ("n", "half", "text")] == [50001, 25000.5, "50001"]
    assert source.query("SELECT 1 AS n FROM DUAL WHERE 1 = 0").num_rows == 0
    source.close()


def test_values_of_entities_that_a_condition_keeps_are_computed(project):
    create = [
        "CREATE TABLE sales (id BIGINT, day DATE, shop VARCHAR(9))",
        "INSERT INTO sales VALUES (1, '2026-01-01', 'a'), (2, '2026-01-02', 'a'), (3, '2026-01-03', 'b'), (4, '2026-02-01', 'a')",
    ]
    kpis = {
        **COUNT,
        "of_large": {"inputs": {"s": {"from": "sales", "among": {"shop": "n > 1"}}}, "formula": "count(s)"},
        "best_day": {"inputs": {"d": {"from": "of_large", "per": "day"}}, "formula": "sum(d)"},
        "a_shop": {"inputs": {"s": {"from": "of_large", "per": "shop"}}, "formula": "max(s)"},
    }
    engine = project(create, kpis)
    asked = {"grain": "month", "period": "2026-01..2026-02", "as_of": "2026-12-31"}
    rows = engine.run(["of_large", "best_day", "a_shop"], **asked).rows()
    assert [tuple(row.values())[1:] for row in rows] == [(2, 2, 2), (1, 1, 1)]
    assert "rows of `sales` travel" not in engine.explain("best_day", **asked)
