"""A source that gives rows as a stream is asked for the columns that a statement names, and its rows go to DuckDB as they come."""

from __future__ import annotations

import json
import sys

import pytest
from leaf_proofs import as_the_oracle
from scattered import in_duckdb

import kpi_engine
from kpi_engine.api import PluginError

SOURCE = """
from arro3.core import Array, DataType, RecordBatch, RecordBatchReader, Table as Arrow
from pydantic import BaseModel
from kpi_engine.api import Table, hookimpl

scans, pulled = [], []
COLUMNS = {
    "id": DataType.int64(), "shop_id": DataType.int64(), "day": DataType.string(), "until": DataType.string(),
    "amount": DataType.int64(), "note": DataType.string(),
}


class Shop:
    name = "shop"
    class Config(BaseModel):
        pass

    def __init__(self, config, context): pass
    def tables(self): return [Table("sales"), Table("shops")]

    def rows(self, scan, number):
        if scan.table == "shops":
            return [{"id": 1, "name": "north"}, {"id": 2, "name": "south"}]
        days = ["2026-01-05", "2026-01-06", "2026-02-20"]
        return [
            {"id": n, "shop_id": 1 + n % 2, "day": day, "until": day, "amount": 10 * (n + 1), "note": "x"}
            for n, day in enumerate(days)
        ]

    def scan(self, scan):
        scans.append((scan.table, scan.columns))
        rows = self.rows(scan, len(scans))
        columns = scan.columns or tuple(rows[0])
        types = {**COLUMNS, "name": DataType.string()}
        schema = Arrow.from_pydict({name: Array([], types[name]) for name in columns}).schema

        def batches():
            for row in rows:
                pulled.append(scan.table)
                yield RecordBatch.from_pydict({name: Array([row[name]], types[name]) for name in columns})

        return RecordBatchReader.from_batches(schema, batches())


@hookimpl
def sources():
    return [Shop]
"""
DEFINITIONS = {
    "datasets": {
        "sales": {
            "key": "id",
            "time": "day",
            "times": {"until": "until"},
            "columns": {"day": {"type": "date"}, "until": {"type": "date"}},
            "dimensions": {"shop": "shop.name"},
            "joins": {"shop": {"to": "shops", "keys": {"shop_id": "id"}}},
        },
        "shops": {"key": "id"},
    },
    "kpis": {
        "sold": {"inputs": ["sales"], "formula": "sum(amount)"},
        "n": {"inputs": ["sales"], "formula": "count(sales)"},
        "ended": {"inputs": {"s": {"from": "sales", "time": "until"}}, "formula": "sum(amount)"},
        "two": {"inputs": ["sold", "ended"], "formula": "sold - ended"},
    },
}
ASKED = {"period": "2026-01..2026-02", "as_of": "2026-12-31"}


@pytest.fixture
def project(tmp_path):
    """Open a project over the source, with more of a plugin; gives the engine and the plugin's module."""
    engines = []

    def made(more="", datasets=None):
        (tmp_path / "plugins").mkdir()
        (tmp_path / "plugins" / "shop_here.py").write_text(SOURCE + more)
        (tmp_path / "kpi.yaml").write_text(json.dumps({"project": "p", "sources": {"there": {"plugin": "shop"}}}))
        (tmp_path / "definitions").mkdir()
        definitions = {**DEFINITIONS, "datasets": {**DEFINITIONS["datasets"], **(datasets or {})}}
        (tmp_path / "definitions" / "all.yaml").write_text(json.dumps(definitions))
        engines.append(kpi_engine.open(tmp_path))
        engines[-1].check()
        module = next(
            each
            for each in list(sys.modules.values())
            if getattr(each, "__file__", None) == str(tmp_path / "plugins" / "shop_here.py")
        )
        module.scans.clear()
        module.pulled.clear()
        return engines[-1], module

    yield made
    for each in engines:
        each.close()


def asked_of(module, table="sales"):
    return [sorted(columns) for name, columns in module.scans if name == table and columns]


def test_only_the_columns_that_are_named_are_asked_for(project):
    engine, module = project()
    assert engine.run("sold", **ASKED).rows() == [{"sold": 60}]
    assert asked_of(module) == [["amount", "day"]]
    assert module.pulled == ["sales"] * 3


def test_the_columns_of_a_table_are_learned_without_reading_rows(project):
    engine, module = project()
    assert engine.check() == []
    assert module.pulled == []


def test_a_query_with_a_star_reads_all_columns(project):
    starred = {**DEFINITIONS["datasets"]["sales"], "sql": "select * from (select * from sales where note = 'x') as s"}
    engine, module = project(datasets={"sales": starred})
    assert engine.run("sold", **ASKED).rows() == [{"sold": 60}]
    assert ("sales", ()) in module.scans
    assert asked_of(module) == []


def test_rows_that_are_read_twice_in_one_statement_are_the_same(project):
    more = """
first = Shop.rows
Shop.rows = lambda self, scan, number: [{**row, "amount": 1000 * number} if "amount" in row else row for row in first(self, scan, number)]
"""
    engine, module = project(more)
    assert engine.run("two", **ASKED).rows() == [{"two": 0}]
    assert asked_of(module) == [["amount", "day", "until"]]


def test_a_join_sees_the_rows_whose_key_was_looked_at(project):
    more = """
first = Shop.rows
Shop.rows = lambda self, scan, number: first(self, scan, number) * (2 if scan.table == "shops" and len([s for s in scans if s[0] == "shops"]) > 2 else 1)
"""
    engine, module = project(more)
    module.scans[:] = [("shops", ())]
    rows = engine.run("sold", by="shop", **ASKED).rows()
    assert [(row["shop"], row["sold"]) for row in rows] == [("north", 40), ("south", 20)]
    assert [each for each in module.scans if each[0] == "shops"] == [("shops", ())] * 2


def test_what_breaks_off_is_said_by_the_source(project):
    more = """
class Cut(list):
    def __iter__(self):
        yield from list(super().__iter__())[:2]
        raise ValueError("the line was cut")

first = Shop.rows
Shop.rows = lambda self, scan, number: Cut(first(self, scan, number))
"""
    engine, _ = project(more)
    with pytest.raises(PluginError, match=r"the source plugin `shop` failed: .*the line was cut") as caught:
        engine.run("sold", **ASKED)
    assert caught.value.code == "plugin_failed"


def test_columns_are_advice(project):
    more = """
first = Shop.scan
def scan(self, scan):
    if scan.columns:
        raise KeyError(scan.columns[0])
    return first(self, scan)
Shop.scan = scan
"""
    engine, _ = project(more)
    assert engine.run(["sold", "n"], **ASKED).rows() == [{"sold": 60, "n": 3}]


@pytest.mark.parametrize("twin", ["amount", "Amount"])
def test_two_columns_of_one_name_are_refused(project, twin):
    more = f"""
first = Shop.scan
def scan(self, scan):
    whole = Arrow.from_arrow(first(self, scan))
    if scan.table == "sales" and not scan.columns:
        return Arrow.from_arrays([*whole.columns, whole["id"]], names=[*whole.column_names, "{twin}"])
    return whole
Shop.scan = scan
"""
    engine, _ = project(more)
    with pytest.raises(
        kpi_engine.SourceError, match=f"source `there` has two columns of one name: `amount` and `{twin}`"
    ):
        engine.run("sold", **ASKED)
    assert "duplicate_column" in {each.code for each in engine.check()}


STREAMING = '''
"""A third party's source: tables of a DuckDB file, as streams of Arrow."""

import duckdb
from arro3.core import RecordBatchReader, Table as Arrow
from pydantic import BaseModel
from kpi_engine.api import Table, hookimpl


class Streaming:
    name = "streaming"
    class Config(BaseModel):
        path: str

    def __init__(self, config, context):
        self.connection = duckdb.connect(str(context.root / config.path), read_only=True)
        self.connection.execute("SET TimeZone = 'UTC'")

    def tables(self):
        return [Table(name) for (name,) in self.connection.cursor().execute("SELECT table_name FROM duckdb_tables()").fetchall()]

    def scan(self, scan):
        columns = ", ".join(f'"{name}"' for name in scan.columns) or "*"
        cursor = self.connection.cursor()
        cursor.execute("SET TimeZone = 'UTC'")
        found = Arrow.from_arrow(cursor.sql(f'SELECT {columns} FROM "{scan.table}"'))
        return RecordBatchReader.from_batches(found.schema, iter(found.to_batches()))

    def close(self):
        self.connection.close()


@hookimpl
def sources():
    return [Streaming]
'''


def as_a_stream(connection, tables, folder):
    return {**in_duckdb(connection, tables, folder), "plugin": "streaming"}


@pytest.mark.parametrize("seed", range(12))
def test_random_projects_over_streams_answer_as_the_oracle_does(seed, tmp_path):
    as_the_oracle(900 + seed, 1 + seed % 2, as_a_stream, {"streaming": STREAMING}, tmp_path)
