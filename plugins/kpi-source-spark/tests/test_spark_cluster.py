"""A Spark cluster computes what DuckDB would: a master, two workers and a Spark Connect server, started by the tests."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import duckdb
import pytest
from in_spark import HERE, storing
from kpi_source_spark.source import SparkSettings, SparkSource
from leaf_proofs import as_the_oracle, marketing_as_worked_out_by_hand
from random_expressions import differences
from scattered import scattered

import kpi_engine
from kpi_engine.api import DataError, SourceContext, SourceError

sys.path.append(str(Path(__file__).parents[3] / "benchmarks"))
import data
import measuring
import workloads

pytestmark = pytest.mark.cluster
ROWS = 200_000
FILES = 16
WORKLOADS = {each.name: each for each in workloads.WORKLOADS}
MONTHS, WEEKS, CHANNELS = 24, 106, 9
"""Of the benchmark's data: two years, and eight channels beside the unknown one."""
ENDLESS = "SELECT SUM(a.id * b.id % 7) AS x FROM RANGE(10000000) AS a CROSS JOIN RANGE(10000000) AS b"


@pytest.fixture(scope="module")
def lake(tmp_path_factory):
    """Write the benchmark's data, its visits in several files; give the folder, and a DuckDB that reads it."""
    folder = tmp_path_factory.mktemp("lake")
    data.write(folder, ROWS)
    connection = workloads.opened(folder)
    (folder / "visits").mkdir()
    for n in range(FILES):
        connection.execute(f"COPY (FROM visits WHERE visit_id % {FILES} = {n}) TO '{folder}/visits/{n}.parquet'")
    yield folder, connection
    connection.close()


@pytest.fixture
def asked(cluster, lake, tmp_path, monkeypatch):
    """Open the benchmark's project over the cluster; gives the engine, and how many rows each statement has brought."""
    folder, _ = lake
    paths = {"visits": f"{folder}/visits", "leads": f"{folder}/leads.parquet", "spend": f"{folder}/spend.parquet"}
    store = lambda *_: {"plugin": "spark", "remote": cluster.remote, "parquet": paths}  # noqa: E731
    definitions = {"datasets": workloads.DATASETS, "kpis": workloads.KPIS}
    plain, crossed = SparkSource.query, []

    def counting(source, sql):
        rows = plain(source, sql)
        crossed.append(rows.num_rows)
        return rows

    monkeypatch.setattr(SparkSource, "query", counting)
    with scattered(duckdb.connect(), definitions, {"lake": (store, tuple(paths))}, tmp_path, HERE) as engine:
        yield engine, crossed


@pytest.fixture
def source(cluster, tmp_path):
    """Make a source of the cluster."""
    made = []

    def make(**settings):
        made.append(SparkSource(SparkSettings(remote=cluster.remote, **settings), SourceContext("lake", tmp_path)))
        return made[-1]

    yield make
    for each in made:
        each.close()


def compared(rows, lake, workload):
    hand = workloads.by_hand(lake[1], workload.statement)
    assert len(hand) == len(rows)
    return measuring.differences(rows, hand, ["channel", "period"])


def test_the_marketing_fixture_gives_the_numbers_worked_out_by_hand(cluster, tmp_path):
    marketing_as_worked_out_by_hand(storing(cluster.remote), HERE, tmp_path)


@pytest.mark.parametrize(("seed", "places"), [(500, 1), (501, 3)])
def test_random_projects_answer_as_the_oracle_does(cluster, tmp_path, seed, places):
    as_the_oracle(seed, places, storing(cluster.remote), HERE, tmp_path)


def test_random_expressions_give_what_duckdb_gives(cluster, tmp_path):
    computed, refused, found = differences(13, 400, storing(cluster.remote), HERE, "spark", tmp_path)
    assert found == []
    assert refused < computed == 400


@pytest.mark.parametrize(("name", "most"), [("b", MONTHS * CHANNELS), ("d", WEEKS * CHANNELS)])
def test_benchmark_workloads_come_out_as_in_duckdb_and_only_aggregates_travel(asked, lake, name, most):
    engine, crossed = asked
    workload = WORKLOADS[name]
    rows = engine.run(**workload.request).rows()
    assert compared(rows, lake, workload) == 0
    assert 0 < sum(crossed) <= most
    assert "aggregates travel" in engine.explain(**workload.request)


def test_a_worker_that_is_killed_during_a_query_changes_no_number(cluster, asked, lake):
    engine, _ = asked
    workload = WORKLOADS["b"]
    engine.run("visit_count", period="2024-01")  # so that the session is open and its executors are there
    lost, before = cluster.workers[0], len(cluster.server.said())
    begun = cluster.tasks_begun(0)
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(lambda: engine.run(**workload.request).rows())
        cluster.until(lambda: cluster.tasks_begun(0) > begun or answer.done())
        assert not answer.done()
        lost.kill()
        rows = answer.result(300)
    cluster.add_worker(0)
    assert compared(rows, lake, workload) == 0
    cluster.until(lambda: "Lost executor" in cluster.server.said()[before:])


def test_a_query_that_takes_too_long_is_stopped_on_the_cluster(asked, monkeypatch):
    engine, _ = asked
    wanted = engine.run("visit_count", period="2024-01").rows()
    with monkeypatch.context() as patch:
        plain = SparkSource.query
        patch.setattr(SparkSource, "query", lambda source, _: plain(source, ENDLESS))
        with pytest.raises(kpi_engine.TimeoutExceeded):
            engine.run("visit_count", period="2024-01", timeout=3)
    assert engine.run("visit_count", period="2024-01", timeout=120).rows() == wanted


def test_tables_of_a_schema_are_read_as_what_they_hold(cluster, source):
    from kpi_source_spark.session import connected

    session = connected(SparkSettings(remote=cluster.remote), "")
    session.sql("CREATE SCHEMA shop")
    session.sql(
        "CREATE TABLE shop.sales (id INT, kind CHAR(3), place STRING COLLATE UNICODE_CI, loose FLOAT, amount DECIMAL(12, 2), at TIMESTAMP, day DATE, tags ARRAY<STRING>) USING parquet"
    )
    session.sql(
        "INSERT INTO shop.sales VALUES (1, 'x', 'Lyon', 0.5, 1.10, TIMESTAMP '2026-01-01 00:00:00Z', DATE '2026-01-01', array('a'))"
    )
    session.stop()
    made = source(schema="shop")
    (table,) = made.tables()
    assert table.columns == {
        "id": "INTEGER", "kind": "VARCHAR", "place": "VARCHAR", "loose": "DOUBLE", "amount": "DECIMAL(12,2)", "at": "TIMESTAMPTZ", "day": "DATE",
    }  # fmt: skip
    assert table.path == ("shop", "sales")
    reads = f"{table.reads['kind']} = 'x' AND {table.reads['place']} <> 'LYON' AND {table.reads['loose']} = 0.5"
    assert made.query(f"SELECT COUNT(*) AS n FROM shop.sales WHERE {reads}").to_pylist() == [{"n": 1}]


def test_what_is_too_large_is_an_error(source):
    with pytest.raises(DataError, match="source `lake`") as caught:
        source().query("SELECT SUM(x) AS x FROM VALUES (9223372036854775807), (1) AS t(x)")
    assert caught.value.code == "overflow"


def test_digits_of_decimals_are_never_cut(source):
    product = "CAST('0.123456789' AS DECIMAL(30, 9)) * CAST('0.123456789' AS DECIMAL(30, 9))"
    row = source().query(f"SELECT CAST({product} AS STRING) AS x").to_pylist()
    assert row == [{"x": "0.015241578750190521"}]


def test_files_that_are_not_there_are_named(source):
    with pytest.raises(SourceError, match=r"source `lake`.*none\.parquet"):
        source(parquet={"sales": "none.parquet"}).tables()
