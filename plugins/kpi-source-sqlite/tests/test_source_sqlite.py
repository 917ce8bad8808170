"""SQLite computes what DuckDB would, and stops at a value that is not of its column's type."""

from __future__ import annotations

import sqlite3

import duckdb
import pytest
from in_sqlite import PLUGIN, in_sqlite
from kpi_source_sqlite.rows import arrow
from kpi_source_sqlite.source import SqliteSettings, SqliteSource
from leaf_proofs import as_the_oracle, marketing_as_worked_out_by_hand
from random_expressions import differences
from scattered import scattered

import kpi_engine
from kpi_engine.api import SourceContext, SourceError, SqlSource

HERE = {"sqlite_here": PLUGIN}


@pytest.fixture
def project(tmp_path):
    """Open a project over one table that a statement makes."""
    engines = []

    def made(create, kpis, **said):
        file = sqlite3.connect(tmp_path / "shop.sqlite")
        for statement in create:
            file.execute(statement)
        file.commit()
        file.close()
        store = lambda *_: {"plugin": "sqlite", "path": "shop.sqlite"}  # noqa: E731
        definitions = {"datasets": {"sales": {"time": "day", "dimensions": {"shop": None}, **said}}, "kpis": kpis}
        engines.append(scattered(duckdb.connect(), definitions, {"there": (store, ("sales",))}, tmp_path, HERE))
        return engines[-1]

    yield made
    for each in engines:
        each.close()


COUNT = {"n": {"inputs": ["sales"], "formula": "count(sales)"}}


def test_the_marketing_fixture_gives_the_numbers_worked_out_by_hand(tmp_path):
    marketing_as_worked_out_by_hand(in_sqlite, HERE, tmp_path)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("places", [1, 3])
def test_random_projects_answer_as_the_oracle_does(tmp_path, seed, places):
    as_the_oracle(400 + seed, places, in_sqlite, HERE, tmp_path)


def test_random_expressions_give_what_duckdb_gives(tmp_path):
    computed, refused, found = differences(12, 5000, in_sqlite, HERE, "sqlite", tmp_path)
    assert found == []
    assert computed == 5000
    assert refused < computed


def test_only_aggregates_travel(project, monkeypatch):
    numbers = "WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 20000)"
    create = [
        "CREATE TABLE sales (id INTEGER PRIMARY KEY, day DATE, shop TEXT, amount INTEGER)",
        f"INSERT INTO sales {numbers} SELECT n, date('2026-01-01', (n % 90) || ' days'), 'shop ' || (n % 7), n FROM numbers",
    ]
    engine = project(create, {"sold": {"inputs": ["sales"], "formula": "sum(amount)"}})
    plain, counts = SqliteSource.query, []

    def counting(source, sql):
        rows = plain(source, sql)
        counts.append(rows.num_rows)
        return rows

    monkeypatch.setattr(SqliteSource, "query", counting)
    result = engine.run("sold", by="shop", grain="month", period="2026-Q1")
    assert sum(row["sold"] for row in result.rows()) == sum(range(1, 20001))
    assert counts == [21]


def test_texts_are_compared_byte_by_byte_whatever_the_collation(project):
    create = [
        "CREATE TABLE sales (day DATE, shop TEXT COLLATE NOCASE)",
        "INSERT INTO sales VALUES ('2026-01-01', 'a'), ('2026-01-01', 'A'), ('2026-01-01', 'B')",
    ]
    kpis = {
        "a": {"inputs": ["sales"], "formula": "count_if(shop = 'a')"},
        "shops": {"inputs": ["sales"], "formula": "count(distinct shop)"},
    }
    engine = project(create, kpis)
    assert engine.run(["a", "shops"], period="2026-01").rows() == [{"a": 1, "shops": 3}]
    assert [row["shop"] for row in engine.run("shops", by="shop", period="2026-01", order="shop").rows()] == [
        "A",
        "B",
        "a",
    ]


@pytest.mark.parametrize(
    ("column", "value", "said"),
    [
        ("DATE", "'03.01.2026'", "no date"), ("DATE", "'2026-02-30'", "no date"), ("DATE", "20260103", "no date"),
        ("INTEGER", "'many'", "no bigint"), ("INTEGER", "1.5", "no bigint"), ("REAL", "'1,5'", "no double"),
        ("TIMESTAMP", "'2026-01-01 25:00:00'", "no timestamp"), ("TIMESTAMP", "'2026-01-01T10:00:00Z'", "no timestamp"),
        ("BOOLEAN", "'yes'", "no boolean"), ("TEXT", "x'00'", "no varchar"),
    ],
)  # fmt: skip
def test_a_value_that_is_not_of_its_columns_type_stops_the_query(project, column, value, said):
    create = [
        f"CREATE TABLE sales (day DATE, shop TEXT, x {column})",
        f"INSERT INTO sales VALUES ('2026-01-01', 'a', {value})",
    ]
    engine = project(create, {"x": {"inputs": ["sales"], "formula": "count(x)"}})
    with pytest.raises(kpi_engine.KpiError, match=f"column `x` is {said}") as caught:
        engine.run("x", period="2026-01")
    assert caught.value.code == "bad_value"


def test_times_are_one_whatever_way_they_are_written(project):
    create = [
        "CREATE TABLE sales (day TIMESTAMP, shop TEXT)",
        "INSERT INTO sales VALUES ('2026-01-31 23:59:59.5', 'a'), ('2026-01-31T23:59:59.500000', 'a'), ('2026-02-01', 'a'), ('2026-02-01 00:00:00', 'a')",
    ]
    kpis = {**COUNT, "times": {"inputs": ["sales"], "formula": "count(distinct day)"}}
    rows = project(create, kpis).run(["n", "times"], grain="month", period="2026-01..2026-02").rows()
    assert [(row["n"], row["times"]) for row in rows] == [(2, 1), (2, 1)]


def test_what_sqlite_cannot_compute_is_computed_here_and_explain_says_so(project):
    create = [
        "CREATE TABLE sales (day DATE, shop TEXT, x REAL)",
        "INSERT INTO sales VALUES ('2026-01-01', 'a', 1), ('2026-01-01', 'a', 2)",
    ]
    engine = project(create, {"middle": {"inputs": ["sales"], "formula": "median(x)"}})
    assert engine.run("middle", period="2026-01").rows() == [{"middle": 1.5}]
    (warning,) = engine.check()
    assert (warning.code, warning.severity) == ("rows_travel", "warning")
    assert "`median` is not computed by the source `there` (sqlite)" in warning.message
    assert "2 rows of `sales` travel, because `median` is not the same there" in engine.explain(
        "middle", period="2026-01"
    )


def test_numbers_that_are_declared_whole_are_looked_at_here_and_none_is_rounded(project):
    create = ["CREATE TABLE sales (day DATE, shop TEXT, x REAL)", "INSERT INTO sales VALUES ('2026-01-01', 'a', 20)"]
    columns = {"x": {"type": "integer"}}
    kpis = {"x": {"inputs": ["sales"], "formula": "sum(x)"}}
    engine = project(create, kpis, columns=columns)
    assert engine.run("x", period="2026-01").rows() == [{"x": 20}]
    (warning,) = engine.check()
    assert warning.code == "rows_travel"
    assert "a stop at a number that is not whole is not computed by the source `there`" in warning.message
    engine = project(["UPDATE sales SET x = 20.5"], kpis, columns=columns)
    with pytest.raises(kpi_engine.KpiError, match=r"20\.5") as caught:
        engine.run("x", period="2026-01")
    assert caught.value.code == "bad_value"


def test_a_number_that_is_too_large_is_an_error_and_not_another_number(project):
    create = [
        "CREATE TABLE sales (day DATE, shop TEXT, x INT)",
        "INSERT INTO sales VALUES ('2026-01-01', 'a', 4000000000)",
    ]
    kpis = {
        "square": {"inputs": ["sales"], "formula": "sum(x * x)"},
        "twice": {"inputs": ["sales"], "formula": "sum(x + x)"},
    }
    engine = project(create, kpis)
    assert engine.run("twice", period="2026-01").rows() == [{"twice": 8000000000}]
    with pytest.raises(kpi_engine.KpiError) as caught:
        engine.run("square", period="2026-01")
    assert caught.value.code == "overflow"


def test_what_is_not_there_is_said(tmp_path):
    source = SqliteSource(SqliteSettings(path="none.sqlite"), SourceContext("shop", tmp_path))
    assert isinstance(source, SqlSource)
    with pytest.raises(SourceError, match="is not there"):
        source.tables()


def test_nothing_is_written_there(tmp_path):
    sqlite3.connect(tmp_path / "a.sqlite").close()
    (tmp_path / "a.sqlite").touch()
    source = SqliteSource(SqliteSettings(path="a.sqlite"), SourceContext("shop", tmp_path))
    with pytest.raises(SourceError, match="readonly"):
        source.query("CREATE TABLE never (a)")


def test_rows_become_arrow_as_their_values_are():
    table = arrow(["a", "b", "c"], [(1, 1.5, "x"), (None, 2, None)])
    assert [table[name].to_pylist() for name in "abc"] == [[1, None], [1.5, 2.0], ["x", None]]
    assert arrow(["a"], []).num_rows == 0


def test_the_version_changes_with_the_file(tmp_path):
    file = tmp_path / "a.sqlite"
    sqlite3.connect(file).close()
    source = SqliteSource(SqliteSettings(path="a.sqlite"), SourceContext("shop", tmp_path))
    file.with_name("a.sqlite-wal").touch()
    assert source.version("x") is None


def test_many_numbers_with_conditions_of_their_own_are_one_statement(project):
    create = [
        "CREATE TABLE sales (day DATE, shop TEXT, amount INTEGER)",
        "INSERT INTO sales VALUES ('2026-01-01', 'a', 7), ('2026-01-02', 'b', 70)",
    ]
    above = {f"above_{n}": {"inputs": ["sales"], "formula": f"count_if(amount > {n})"} for n in range(100)}
    sums = {
        f"sum_{n}": {"inputs": ["sales"], "formula": f"sum(amount) filter (where amount > {n})"} for n in range(100)
    }
    row = project(create, above | sums).run([*above, *sums], period="2026-01").rows()[0]
    assert [row[f"above_{n}"] for n in (0, 6, 7, 69, 70)] == [2, 2, 1, 1, 0]
    assert [row[f"sum_{n}"] for n in (0, 6, 7, 69, 70)] == [77, 77, 70, 70, 0]


def test_a_text_is_as_long_as_it_is_also_behind_a_zero_byte(project):
    create = [
        "CREATE TABLE sales (day DATE, shop TEXT)",
        "INSERT INTO sales VALUES ('2026-01-01', 'a' || char(0) || 'b')",
    ]
    engine = project(create, {"long": {"inputs": ["sales"], "formula": "sum(length(shop))"}})
    assert engine.run("long", period="2026-01").rows() == [{"long": 3}]
