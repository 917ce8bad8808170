"""What speaks Spark Connect computes what DuckDB would: on Sail, which starts in no time and runs inside the tests.

Sail 0.7 is not Spark. It refuses some statements that Spark takes: `having` over a column that `group by` names by its position, and
some aggregates beside many others. It takes -0.0 for another number than 0. So the random projects here are some that meet none of
this, and random expressions are left to the tests on a Spark cluster.
"""

from __future__ import annotations

import json

import duckdb
import pytest
from in_spark import HERE, storing
from kpi_source_spark.columns import Column, column_of
from kpi_source_spark.source import SparkSettings, SparkSource
from leaf_proofs import as_the_oracle, marketing_as_worked_out_by_hand
from pydantic import ValidationError
from pyspark.sql import types
from scattered import scattered

from kpi_engine.api import SourceContext, SourceError, SqlSource

DATASETS = {"sales": {"time": "day", "dimensions": {"shop": None}}}


@pytest.fixture
def project(sail, tmp_path):
    """Open a project over one table that a query of DuckDB makes."""
    engines = []

    def made(query, kpis, calendar=None):
        connection = duckdb.connect()
        connection.execute(f"CREATE TABLE sales AS {query}")
        definitions = {"calendar": calendar or {}, "datasets": DATASETS, "kpis": kpis}
        engines.append(scattered(connection, definitions, {"there": (storing(sail), ("sales",))}, tmp_path, HERE))
        return engines[-1]

    yield made
    for each in engines:
        each.close()


@pytest.fixture
def source(tmp_path):
    """Make a source."""
    made = []

    def make(**settings):
        made.append(SparkSource(SparkSettings(**settings), SourceContext("lake", tmp_path)))
        return made[-1]

    yield make
    for each in made:
        each.close()


def kpi(formula):
    return {"inputs": ["sales"], "formula": formula}


def test_the_marketing_fixture_gives_the_numbers_worked_out_by_hand(sail, tmp_path):
    marketing_as_worked_out_by_hand(storing(sail), HERE, tmp_path)


@pytest.mark.parametrize("seed", [502, 503, 505])
@pytest.mark.parametrize("places", [1, 3])
def test_random_projects_answer_as_the_oracle_does(sail, tmp_path, seed, places):
    as_the_oracle(seed, places, storing(sail), HERE, tmp_path)


def test_only_aggregates_travel(project, monkeypatch):
    query = "SELECT DATE '2026-01-01' + CAST(n % 90 AS INT) AS day, 'shop ' || n % 7 AS shop, CAST(n AS DECIMAL(12, 2)) AS amount FROM range(20000) AS r(n)"
    engine = project(query, {"sold": kpi("sum(amount)"), "mean": kpi("avg(amount)")})
    plain, counts = SparkSource.query, []

    def counting(source, sql):
        rows = plain(source, sql)
        counts.append(rows.num_rows)
        return rows

    monkeypatch.setattr(SparkSource, "query", counting)
    result = engine.run(["sold", "mean"], by="shop", grain="month", period="2026-Q1")
    assert sum(row["sold"] for row in result.rows()) == sum(range(20000))
    assert counts == [21]


def test_decimals_keep_their_digits(project):
    query = """SELECT * FROM (VALUES (DATE '2026-01-01', 'a', 1234567890123456.0001::DECIMAL(20,4), 0.000123::DECIMAL(18,6)),
      (DATE '2026-01-02', 'a', 0.0002, 2), (DATE '2026-01-02', 'a', 0.0001, 3)) AS t(day, shop, amount, rate)"""
    kpis = {"sold": kpi("sum(amount)"), "mean": kpi("avg(rate)"), "product": kpi("sum(rate * rate)")}
    row = project(query, kpis).run(list(kpis), period="2026-01").rows()[0]
    assert (str(row["sold"]), str(row["product"])) == ("1234567890123456.0004", "13.000000015129")
    assert row["mean"] == (0.000123 + 5) / 3


@pytest.mark.parametrize(
    "text", ["o'x", "back\\slash", "\\'", "${spark.app.name}", "line\nbreak", "ä", "😀", ":name", "%", "`"]
)
def test_a_text_is_what_is_written(project, text):
    literal = text.replace("'", "''")
    query = f"SELECT DATE '2026-01-01' AS day, unnest(['{literal}', 'other']) AS shop"
    engine = project(query, {"n": kpi("count(sales)")})
    assert engine.run("n", by="shop", period="2026-01", where={"shop": text}).rows() == [{"shop": text, "n": 1}]


def test_texts_are_compared_byte_by_byte(project):
    engine = project(
        "SELECT DATE '2026-01-01' AS day, unnest(['a', 'B', 'ä']) AS shop", {"n": kpi("count_if(shop < 'a')")}
    )
    assert engine.run("n", period="2026-01").rows() == [{"n": 1}]


def test_instants_lie_in_the_days_of_the_calendar(project):
    query = """SELECT unnest([TIMESTAMPTZ '2026-01-31 23:30:00+00', TIMESTAMPTZ '2026-01-31 22:30:00+00',
      TIMESTAMPTZ '2026-02-28 22:59:59.999999+00']) AS day, 'a' AS shop"""
    engine = project(query, {"n": kpi("count(sales)")}, {"timezone": "Europe/Paris"})
    rows = engine.run("n", grain="month", period="2026-01..2026-03").rows()
    assert [row["n"] for row in rows] == [1, 2, 0]


def test_what_spark_cannot_compute_alike_is_computed_here_and_explain_says_so(project):
    engine = project(
        "SELECT DATE '2026-01-01' AS day, 'a' AS shop, unnest([1.5::DOUBLE, 1e300]) AS x",
        {"whole": kpi("sum(floor(x))")},
    )
    assert engine.run("whole", period="2026-01").rows() == [{"whole": 1e300}]
    (warning,) = engine.check()
    assert (warning.code, warning.severity) == ("rows_travel", "warning")
    assert "`floor` is not computed by the source `there` (spark)" in warning.message


def test_explain_shows_the_statement_of_the_cluster(project):
    said = project("SELECT DATE '2026-01-01' AS day, 'a' AS shop", {"n": kpi("count(sales)")}).explain(
        "n", by="shop", period="2026-01"
    )
    assert "SQL (spark, source `there`, as `__leaf0`: aggregates travel)" in said
    assert "`sales`" in said


def test_columns_are_what_they_are_read_as():
    def held(type_, **metadata):
        return column_of(types.StructField("a", type_, metadata=metadata))

    assert held(types.IntegerType()) == Column("INTEGER")
    assert held(types.DecimalType(18, 2)) == Column("DECIMAL(18,2)")
    assert held(types.TimestampType()) == Column("TIMESTAMPTZ")
    assert held(types.TimestampNTZType()) == Column("TIMESTAMP")
    assert held(types.FloatType()) == Column("DOUBLE", "CAST(`a` AS DOUBLE)")
    assert held(types.StringType()) == Column("VARCHAR")
    assert held(types.StringType("UNICODE_CI")) == Column("VARCHAR", "COLLATE(`a`, 'UTF8_BINARY')")
    assert held(types.CharType(3)).read == "RTRIM(CAST(`a` AS STRING))"
    assert held(types.StringType(), __CHAR_VARCHAR_TYPE_STRING="char(3)").read == "RTRIM(CAST(`a` AS STRING))"
    assert held(types.ArrayType(types.StringType())) is None
    assert held(types.BinaryType()) is None


def test_what_is_not_there_is_said_without_the_token(source):
    made = source(remote="sc://127.0.0.1:9", token="hunter2")  # noqa: S106 - no password of anything
    assert isinstance(made, SqlSource)
    with pytest.raises(SourceError, match=r"source `lake`.*cannot be reached") as caught:
        made.tables()
    assert caught.value.code == "query_failed"
    assert "hunter2" not in str(caught.value)


def test_a_server_that_never_answers_is_given_up(source):
    import socket

    with socket.create_server(("127.0.0.1", 0)) as silent:
        made = source(remote=f"sc://127.0.0.1:{silent.getsockname()[1]}", connect_timeout=0.3)
        with pytest.raises(SourceError, match=r"does not answer within 0\.3 seconds"):
            made.tables()


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"remote": "spark.example.com"}, "starts with `sc://`"),
        ({"remote": "sc://h/;token=hunter2"}, "a token does not stand in the address"),
        ({"remote": "sc://h", "schema": "s", "parquet": {"a": "b"}}, "take two sources"),
    ],
)
def test_settings_that_cannot_be_are_refused(settings, said):
    with pytest.raises(ValidationError, match=said) as caught:
        SparkSettings(**settings)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    "statement", ["CREATE TABLE never (a INT)", "DROP TABLE sales", "SELECT 1); DROP TABLE sales; SELECT (1"]
)
def test_nothing_but_a_query_is_run(source, sail, statement):
    with pytest.raises(SourceError):
        source(remote=sail).query(statement)


def test_a_session_that_was_ended_is_opened_again(source, sail):
    made = source(remote=sail)
    assert made.query("SELECT 1 AS one").to_pylist() == [{"one": 1}]
    made._session.stop()  # noqa: SLF001 - as when the server ends it
    with pytest.raises(SourceError):
        made.query("SELECT 1 AS one")
    assert made.query("SELECT 1 AS one").to_pylist() == [{"one": 1}]


def test_the_settings_are_described():
    assert "sc://" in json.dumps(SparkSettings.model_json_schema())
