"""What the plugin asks of BigQuery gives what DuckDB would: on bqemulator, which answers by BigQuery's protocol and computes on DuckDB.

So the statements are known to be read, the protocol and the types of answers are those of Google's client, and the numbers are right where
DuckDB understands BigQuery's words as BigQuery does. It is no proof of what BigQuery itself computes.
"""

from __future__ import annotations

import json
from decimal import Decimal

import duckdb
import pytest
from in_bigquery import HERE, storing
from kpi_source_bigquery.client import connected
from kpi_source_bigquery.columns import Column, column_of
from kpi_source_bigquery.settings import BigQuerySettings
from kpi_source_bigquery.source import BigQuerySource
from leaf_proofs import as_the_oracle, marketing_as_worked_out_by_hand
from pydantic import ValidationError
from scattered import scattered

from kpi_engine.api import DataError, SourceContext, SourceError, SqlSource

DATASETS = {"sales": {"time": "day", "dimensions": {"shop": None}}}


@pytest.fixture
def project(server, tmp_path):
    """Open a project over one table that statements make."""
    engines = []

    def made(create, kpis):
        name = f"t{abs(hash(str(tmp_path)))}"
        server.run(name, *create)
        store = lambda *_: {"plugin": "bigquery", **server.settings(name)}  # noqa: E731
        definitions = {"datasets": DATASETS, "kpis": kpis}
        engines.append(scattered(duckdb.connect(), definitions, {"there": (store, ("sales",))}, tmp_path, HERE))
        return engines[-1]

    yield made
    for each in engines:
        each.close()


def kpi(formula):
    return {"inputs": ["sales"], "formula": formula}


def source(server, dataset, tmp_path, **more):
    return BigQuerySource(BigQuerySettings(**{**server.settings(dataset), **more}), SourceContext("shop", tmp_path))


def test_the_marketing_fixture_gives_the_numbers_worked_out_by_hand(server, tmp_path):
    marketing_as_worked_out_by_hand(storing(server), HERE, tmp_path)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("places", [1, 3])
def test_random_projects_answer_as_the_oracle_does(server, tmp_path, seed, places):
    as_the_oracle(800 + seed, places, storing(server), HERE, tmp_path)


def test_only_aggregates_travel(project, monkeypatch):
    create = [
        "CREATE TABLE sales (day DATE, shop STRING, amount NUMERIC(12, 2))",
        """INSERT INTO sales SELECT DATE_ADD(DATE '2026-01-01', INTERVAL MOD(n, 90) DAY), CONCAT('shop ', CAST(MOD(n, 7) AS STRING)), n
           FROM UNNEST(GENERATE_ARRAY(1, 20000)) AS n""",
    ]
    engine = project(create, {"sold": kpi("sum(amount)")})
    plain, counts = BigQuerySource.query, []

    def counting(source, sql):
        rows = plain(source, sql)
        counts.append(rows.num_rows)
        return rows

    monkeypatch.setattr(BigQuerySource, "query", counting)
    result = engine.run("sold", by="shop", grain="month", period="2026-Q1")
    assert sum(row["sold"] for row in result.rows()) == sum(range(1, 20001))
    assert counts == [21]


def test_numbers_come_back_exactly(project):
    """The emulator computes with `BIGNUMERIC` as with a floating-point number, so the decimals are small."""
    create = [
        "CREATE TABLE sales (day DATE, shop STRING, big INT64, amount NUMERIC(20, 4), rate FLOAT64)",
        "INSERT INTO sales VALUES ('2026-01-01', 'a', 4503599627370497, 1234.01, 0.1), ('2026-01-02', 'a', 4503599627370496, 0.02, 0.2)",
    ]
    kpis = {name: kpi(f"sum({name})") for name in ("big", "amount", "rate")}
    row = project(create, kpis).run(list(kpis), period="2026-01").rows()[0]
    assert (int(row["big"]), row["amount"], row["rate"]) == (9007199254740993, Decimal("1234.03"), 0.1 + 0.2)


@pytest.mark.parametrize("text", ["o'x", "back\\slash", "%s", "@name", "?", "line\nbreak", "ä", "😀", "`"])
def test_a_text_is_what_is_written(project, text):
    literal = text.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n")
    create = [
        "CREATE TABLE sales (day DATE, shop STRING)",
        f"INSERT INTO sales VALUES ('2026-01-01', '{literal}'), ('2026-01-01', 'b')",
    ]
    engine = project(create, {"n": kpi("count(sales)")})
    assert engine.run("n", by="shop", period="2026-01", where={"shop": text}).rows() == [{"shop": text, "n": 1}]


def test_what_bigquery_cannot_compute_alike_is_computed_here_and_explain_says_so(project):
    create = [
        "CREATE TABLE sales (day DATE, shop STRING, x INT64)",
        "INSERT INTO sales VALUES ('2026-01-01', 'a', 1), ('2026-01-01', 'a', 2)",
    ]
    engine = project(create, {"middle": kpi("median(x)")})
    assert engine.run("middle", period="2026-01").rows() == [{"middle": 1.5}]
    said = engine.explain("middle", period="2026-01")
    assert "2 rows of `sales` travel, because `median` is not the same there" in said


def test_explain_shows_the_statement_of_bigquery(project):
    create = ["CREATE TABLE sales (day DATE, shop STRING)", "INSERT INTO sales VALUES ('2026-01-01', 'a')"]
    said = project(create, {"n": kpi("count(sales)")}).explain("n", by="shop", period="2026-01")
    assert "SQL (bigquery, source `there`, as `__leaf0`: aggregates travel)" in said
    assert "`sales`" in said


def test_many_rows_come_in_batches(server, tmp_path):
    server.run("many")
    made = source(server, "many", tmp_path)
    rows = made.query("SELECT n, CAST(n AS FLOAT64) / 2 AS half FROM UNNEST(GENERATE_ARRAY(1, 50001)) AS n")
    assert (rows.num_rows, len(rows.to_batches())) == (50001, 3)
    assert (max(rows["n"].to_pylist()), max(rows["half"].to_pylist())) == (50001, 25000.5)
    assert made.query("SELECT 1 AS n FROM UNNEST([1]) AS m WHERE m = 2").num_rows == 0
    made.close()


@pytest.mark.parametrize(
    ("written", "column"),
    [
        ("INT64", Column("BIGINT")), ("STRING(20)", Column("VARCHAR")), ("DATETIME", Column("TIMESTAMP")), ("TIMESTAMP", Column("TIMESTAMPTZ")),
        ("NUMERIC(10, 2)", Column("DECIMAL(10,2)")), ("NUMERIC", Column("DECIMAL(38,9)")), ("NUMERIC(5)", Column("DECIMAL(5,0)")),
        ("BIGNUMERIC", Column("DOUBLE", "CAST(`a` AS FLOAT64)")), ("BIGNUMERIC(38, 12)", Column("DECIMAL(38,12)")),
        ("ARRAY<STRING>", None), ("STRUCT<a INT64>", None), ("JSON", None), ("BYTES", None), ("TIME", None), ("GEOGRAPHY", None),
    ],
)  # fmt: skip
def test_columns_are_what_they_are_read_as(written, column):
    assert column_of("a", written) == column


def test_what_is_not_there_is_said(server, tmp_path):
    made = source(server, "nowhere", tmp_path)
    assert isinstance(made, SqlSource)
    with pytest.raises(SourceError, match="the dataset `nowhere` of the source `shop`: ") as caught:
        made.query("SELECT 1 AS a FROM nowhere.sales")
    assert caught.value.code == "query_failed"
    made.close()


def test_a_server_that_is_not_there_is_said(tmp_path):
    settings = BigQuerySettings(project="shop", dataset="crm", address="http://127.0.0.1:9", timeout=1)
    made = BigQuerySource(settings, SourceContext("shop", tmp_path))
    with pytest.raises(SourceError, match="the dataset `crm` of the source `shop`"):
        made.tables()
    made.close()


def test_a_number_that_is_too_large_is_said(server, tmp_path):
    server.run("large")
    made = source(server, "large", tmp_path)
    with pytest.raises(DataError) as caught:
        made.query("SELECT n + 9223372036854775807 AS a FROM UNNEST([1]) AS n")
    assert caught.value.code == "overflow"
    made.close()


@pytest.mark.parametrize("statement", ["CREATE TABLE never (a INT64)", "DELETE FROM kept.sales WHERE TRUE"])
def test_nothing_but_a_query_is_run(server, tmp_path, statement):
    server.run("kept", "CREATE OR REPLACE TABLE sales (id INT64)", "INSERT INTO sales VALUES (7)")
    made = source(server, "kept", tmp_path)
    with pytest.raises(SourceError):
        made.query(statement)
    made.close()
    assert server.run("kept", "SELECT id FROM sales") == [(7,)]


def test_a_request_that_is_stopped_cancels_its_jobs(server, tmp_path, monkeypatch):
    server.run("stopped")
    made, cancelled = source(server, "stopped", tmp_path), []
    made.interrupt()
    plain = made._connected().query("SELECT 1 AS a")  # noqa: SLF001 - a query that runs
    monkeypatch.setattr(type(plain), "cancel", lambda job, **_: cancelled.append(job))
    with made._watched(plain):  # noqa: SLF001
        made.interrupt()
    made.interrupt()
    assert cancelled == [plain]
    made.close()


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"dataset": "crm sales"}, "a dataset is written"),
        ({"dataset": "crm`; DROP TABLE x; --"}, "a dataset is written"),
        ({"dataset": "crm", "address": "http://bigquery.example.com"}, "begins with `https://`"),
        ({"dataset": "crm", "maximum_bytes_billed": 0}, "greater than 0"),
    ],
)
def test_settings_that_cannot_be_are_refused(settings, said):
    with pytest.raises(ValidationError, match=said):
        BigQuerySettings(project="shop", **settings)


def test_a_dataset_may_be_of_another_project():
    assert BigQuerySettings(project="shop", dataset="my-data.crm").place == ("my-data", "crm")
    assert BigQuerySettings(project="shop", dataset="crm").place == ("shop", "crm")


@pytest.mark.parametrize(
    "key", ["no json: hunter2", json.dumps({"type": "authorized_user", "refresh_token": "hunter2"})]
)
def test_a_key_that_is_none_is_said_without_it(key):
    settings = BigQuerySettings(project="shop", dataset="crm", credentials=key)
    with pytest.raises(SourceError, match="no key of a service account") as caught:
        connected(settings, "crm")
    assert caught.value.code == "bad_value"
    assert "hunter2" not in str(caught.value)
