"""ClickHouse's engine computes what DuckDB would."""

from __future__ import annotations

import duckdb
import pytest
from in_clickhouse import PLUGIN, storing
from kpi_source_clickhouse.columns import column_of
from kpi_source_clickhouse.source import ClickHouseSettings, ClickHouseSource
from leaf_proofs import as_the_oracle, marketing_as_worked_out_by_hand
from random_expressions import differences
from scattered import scattered

import kpi_engine
from kpi_engine.api import SourceContext, SourceError, SqlSource

HERE = {"clickhouse_here": PLUGIN}


@pytest.fixture
def project(connected, folder, tmp_path):
    """Open a project over one table that statements make."""
    engines = []

    def made(create, kpis):
        name = f"t{abs(hash(str(tmp_path)))}"
        connected.query(f"CREATE DATABASE {name}")
        for statement in create:
            connected.query(statement.replace("sales", f"{name}.sales"))
        store = lambda *_: {"plugin": "clickhouse", "path": str(folder), "database": name}  # noqa: E731
        definitions = {"datasets": {"sales": {"time": "day", "dimensions": {"shop": None}}}, "kpis": kpis}
        engines.append(scattered(duckdb.connect(), definitions, {"there": (store, ("sales",))}, tmp_path, HERE))
        return engines[-1]

    yield made
    for each in engines:
        each.close()


def test_the_marketing_fixture_gives_the_numbers_worked_out_by_hand(connected, folder, tmp_path):
    marketing_as_worked_out_by_hand(storing(connected, folder), HERE, tmp_path)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("places", [1, 3])
def test_random_projects_answer_as_the_oracle_does(connected, folder, tmp_path, seed, places):
    as_the_oracle(600 + seed, places, storing(connected, folder), HERE, tmp_path)


def test_random_expressions_give_what_duckdb_gives(connected, folder, tmp_path):
    computed, refused, found = differences(14, 1400, storing(connected, folder), HERE, "clickhouse", tmp_path)
    assert found == []
    assert computed == 1400
    assert refused < computed


def test_only_aggregates_travel(project, monkeypatch):
    create = [
        "CREATE TABLE sales (day Date, shop LowCardinality(String), amount Decimal(12, 2)) ENGINE = MergeTree ORDER BY day",
        "INSERT INTO sales SELECT toDate('2026-01-01') + number % 90, concat('shop ', toString(number % 7)), number FROM numbers(20000)",
    ]
    engine = project(create, {"sold": {"inputs": ["sales"], "formula": "sum(amount)"}})
    plain, counts = ClickHouseSource.query, []

    def counting(source, sql):
        rows = plain(source, sql)
        counts.append(rows.num_rows)
        return rows

    monkeypatch.setattr(ClickHouseSource, "query", counting)
    result = engine.run("sold", by="shop", grain="month", period="2026-Q1")
    assert sum(row["sold"] for row in result.rows()) == sum(range(20000))
    assert counts == [21]


def test_whole_numbers_do_not_wrap_around(project):
    create = [
        "CREATE TABLE sales (day Date, shop String, x Int64, u UInt64) ENGINE = MergeTree ORDER BY day",
        "INSERT INTO sales VALUES ('2026-01-01', 'a', 9223372036854775807, 18446744073709551615), ('2026-01-01', 'a', 9223372036854775807, 1)",
    ]
    kpis = {
        name: {"inputs": ["sales"], "formula": text}
        for name, text in {"x": "sum(x)", "u": "sum(u)", "twice": "max(x * 2)"}.items()
    }
    engine = project(create, kpis)
    row = engine.run(["x", "u"], period="2026-01").rows()[0]
    assert (int(row["x"]), int(row["u"])) == (18446744073709551614, 18446744073709551616)
    with pytest.raises(kpi_engine.KpiError):
        engine.run("twice", period="2026-01")


def test_sums_and_products_of_decimals_do_not_wrap_around(project):
    create = [
        "CREATE TABLE sales (day Date, shop String, x Decimal(38, 0), y Decimal(38, 0), n Int64) ENGINE = MergeTree ORDER BY day",
        f"INSERT INTO sales SELECT '2026-01-01', 'a', {'9' * 38}, {'9' * 38}, 9223372036854775807 FROM numbers(2)",
    ]
    texts = ("sum(x)", "max(x * y)", "sum(x * y)", "sum(x * n)", "max(n * n * n)", "max(x * 3)")
    kpis = {f"k{at}": {"inputs": ["sales"], "formula": text} for at, text in enumerate(texts)}
    kpis["mean"] = {"inputs": ["sales"], "formula": "avg(x)"}
    kpis["square"] = {"inputs": ["sales"], "formula": "avg(x * y)"}
    engine = project(create, kpis)
    for at in range(len(texts)):
        with pytest.raises(kpi_engine.KpiError):
            engine.run(f"k{at}", period="2026-01")
    row = engine.run(["mean", "square"], period="2026-01").rows()[0]
    assert (row["mean"], row["square"]) == (pytest.approx(1e38), pytest.approx(1e76))


def test_a_product_of_several_decimals_is_computed_here(project):
    create = [
        "CREATE TABLE sales (day Date, shop String, x Decimal(8, 2), y Decimal(8, 2), z Decimal(8, 2)) ENGINE = MergeTree ORDER BY day",
        "INSERT INTO sales VALUES ('2026-01-01', 'a', 1.5, 2, 4)",
    ]
    kpis = {
        "two": {"inputs": ["sales"], "formula": "sum(x * y * 1.5)"},
        "three": {"inputs": ["sales"], "formula": "sum(x * y * z)"},
    }
    engine = project(create, kpis)
    assert engine.run(["two", "three"], period="2026-01").rows() == [{"two": 4.5, "three": 12}]
    assert "a product of several decimals is not the same there" in engine.explain("three", period="2026-01")
    assert "travel, because" not in engine.explain("two", period="2026-01")


@pytest.mark.usefixtures("connected")
def test_an_answer_is_never_what_is_left_of_a_query_that_failed(folder, tmp_path):
    source = ClickHouseSource(ClickHouseSettings(path=str(folder)), SourceContext("web", tmp_path))
    for _ in range(3):
        with pytest.raises(SourceError):
            source.query("SELECT throwIf(number > 50000) AS x FROM numbers(100000)")
        assert source.query("SELECT 'x' AS a").to_pylist() == [{"a": "x"}]
    source.close()


@pytest.mark.parametrize(
    ("written", "kind"),
    [
        ("LowCardinality(Nullable(String))", "VARCHAR"), ("DateTime64(3, 'Europe/Paris')", "TIMESTAMPTZ"), ("DateTime", "TIMESTAMP"),
        ("DateTime('UTC')", "TIMESTAMPTZ"), ("DateTime64(6)", "TIMESTAMP"), ("Decimal(76, 2)", "DOUBLE"), ("Enum8('a' = 1)", "VARCHAR"),
    ],
)  # fmt: skip
def test_columns_are_what_they_are_read_as(written, kind):
    assert column_of("a", written).kind == kind
    assert column_of("a", "Array(String)") is None


def test_what_is_not_there_is_said(tmp_path):
    source = ClickHouseSource(ClickHouseSettings(path="none"), SourceContext("web", tmp_path))
    assert isinstance(source, SqlSource)
    with pytest.raises(SourceError, match="`web` is not there"):
        source.tables()


@pytest.mark.usefixtures("connected")
def test_nothing_is_written_there(folder, tmp_path):
    source = ClickHouseSource(ClickHouseSettings(path=str(folder)), SourceContext("web", tmp_path))
    with pytest.raises(SourceError, match="readonly"):
        source.query("CREATE TABLE never (a Int8) ENGINE = Memory")
    source.close()
