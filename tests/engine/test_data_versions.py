"""Keys that joins rely on are looked at once for each version of the data, also across processes, and never too seldom."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

import kpi_engine
from kpi_engine import DataError
from kpi_engine.api import versions
from kpi_engine.execution.database import Database

ROOT = Path(kpi_engine.__file__).parents[1]
DEFINITIONS = """\
datasets:
  sales:
    table: sales
    key: id
    joins: {store: {to: stores, keys: [store_id]}}
    dimensions: {region: store.region}
  stores: {table: stores, key: store_id}
kpis:
  turnover: {inputs: [sales], formula: sum(amount)}
"""
SALES = "id,store_id,amount\n1,1,10\n2,2,20\n"
UNIQUE = "store_id,region\n1,north\n2,south\n"
TWICE = "store_id,region\n1,north\n1,south\n"
"""As long as the one before."""


@pytest.fixture
def settled(monkeypatch):
    """Files are taken as they are at once: nobody writes them again within a tick of the clock here."""
    monkeypatch.setattr(versions, "SETTLED", -(10**18))


@pytest.fixture(autouse=True)
def cache_folder(tmp_path, monkeypatch):
    monkeypatch.delenv("KPI_NO_CACHE", raising=False)
    monkeypatch.setenv("KPI_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def looks(monkeypatch):
    """Count the statements that look for keys that stand twice."""
    found = []
    tables = Database.tables

    def counted(self, queries, *args, **kwargs):
        queries = list(queries)
        found.extend(query for query in queries if '"__keys"' in query)
        return tables(self, queries, *args, **kwargs)

    monkeypatch.setattr(Database, "tables", counted)
    return found


def write_csv(folder, name, text):
    (folder / "data" / f"{name}.csv").write_text(text, encoding="utf-8")


def write_parquet(folder, name, text):
    rows = folder / "rows.csv"
    rows.write_text(text, encoding="utf-8")
    duckdb.execute(f"COPY (FROM '{rows}') TO '{folder / 'data' / name}.parquet'")


def write_database(folder, name, text):
    rows = folder / "rows.csv"
    rows.write_text(text, encoding="utf-8")
    with duckdb.connect(str(folder / "data" / "shop.duckdb")) as connection:
        connection.execute(f"CREATE OR REPLACE TABLE {name} AS FROM '{rows}'")


SOURCES = {
    "csv": ("{plugin: files, path: data}", write_csv),
    "parquet": ("{plugin: files, path: data}", write_parquet),
    "duckdb": ("{plugin: duckdb, path: data/shop.duckdb}", write_database),
}


@pytest.fixture(params=SOURCES)
def shop(request, tmp_path):
    """A project over one kind of source, and how its tables are written."""
    source, write = SOURCES[request.param]
    return project(tmp_path / "shop", source), write


def project(folder, source, definitions=DEFINITIONS):
    for name in ("data", "definitions"):
        (folder / name).mkdir(parents=True)
    (folder / "kpi.yaml").write_text(f"project: shop\nsources: {{shop: {source}}}\n", encoding="utf-8")
    (folder / "definitions" / "all.yaml").write_text(definitions, encoding="utf-8")
    return folder


def by_region(engine):
    return {row["region"]: row["turnover"] for row in engine.run("turnover", by="region").rows()}


def filled(shop):
    folder, write = shop
    write(folder, "sales", SALES)
    write(folder, "stores", UNIQUE)
    return folder, write


@pytest.mark.usefixtures("settled")
def test_a_key_is_looked_at_once_for_each_version_of_the_data(shop, looks):
    folder, write = filled(shop)
    for _ in range(2):
        with kpi_engine.open(folder) as engine:
            assert by_region(engine) == by_region(engine) == {"north": 10, "south": 20}
    assert len(looks) == 1
    write(folder, "stores", UNIQUE + "3,east\n")
    with kpi_engine.open(folder) as engine:
        assert by_region(engine) == {"north": 10, "south": 20}
    assert len(looks) == 2


@pytest.mark.usefixtures("settled")
def test_a_key_that_comes_to_stand_twice_after_it_was_verified_is_refused(shop):
    folder, write = filled(shop)
    with kpi_engine.open(folder) as engine:
        assert by_region(engine) == {"north": 10, "south": 20}
    write(folder, "stores", TWICE)
    with kpi_engine.open(folder) as engine:
        with pytest.raises(DataError, match=r"`store_id` of dataset `stores` .* 1 \(2 rows\)") as caught:
            by_region(engine)
        assert caught.value.code == "key_not_unique"
        assert engine.run("turnover").totals() == {"turnover": 30}


@pytest.mark.usefixtures("settled")
@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_a_file_replaced_under_an_open_engine_is_looked_at_again(tmp_path, kind):
    source, write = SOURCES[kind]
    folder, _ = filled((project(tmp_path / "shop", source), write))
    file = folder / "data" / f"stores.{kind}"
    with kpi_engine.open(folder) as engine:
        assert by_region(engine) == {"north": 10, "south": 20}
        before = file.stat()
        write(folder, "stores", TWICE)
        os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
        with pytest.raises(DataError) as caught:
            by_region(engine)
        assert caught.value.code == "key_not_unique"
        write(folder, "stores", "store_id,region\n1,south\n2,north\n")
        assert by_region(engine) == {"north": 20, "south": 10}


@pytest.mark.usefixtures("settled")
def test_a_database_replaced_under_an_open_engine_is_read_anew(tmp_path):
    folder, write = filled((project(tmp_path / "shop", SOURCES["duckdb"][0]), write_database))
    other = project(tmp_path / "other", SOURCES["duckdb"][0])
    write(other, "sales", SALES)
    write(other, "stores", "store_id,region\n1,south\n2,north\n")
    with kpi_engine.open(folder) as engine:
        assert by_region(engine) == {"north": 10, "south": 20}
        (other / "data" / "shop.duckdb").replace(folder / "data" / "shop.duckdb")
        assert by_region(engine) == {"north": 20, "south": 10}
        write(other, "sales", SALES)
        write(other, "stores", TWICE)
        (other / "data" / "shop.duckdb").replace(folder / "data" / "shop.duckdb")
        with pytest.raises(DataError) as caught:
            by_region(engine)
        assert caught.value.code == "key_not_unique"


def test_a_file_that_was_written_just_now_is_looked_at_each_time(tmp_path, looks, monkeypatch):
    monkeypatch.setattr(versions, "SETTLED", 10**18)
    folder, _ = filled((project(tmp_path / "shop", SOURCES["csv"][0]), write_csv))
    with kpi_engine.open(folder) as engine:
        assert by_region(engine) == by_region(engine) == {"north": 10, "south": 20}
    assert len(looks) == 2
    with kpi_engine.open(folder) as engine:
        by_region(engine)
    assert len(looks) == 3, "nothing was kept"


@pytest.mark.usefixtures("settled")
def test_what_is_declared_belongs_to_the_version(tmp_path, looks):
    folder, _ = filled((project(tmp_path / "shop", SOURCES["csv"][0]), write_csv))
    with kpi_engine.open(folder) as engine:
        by_region(engine)
    more = DEFINITIONS.replace("key: store_id}", "key: store_id, columns: {store_id: {type: bigint}}}")
    (folder / "definitions" / "all.yaml").write_text(more, encoding="utf-8")
    with kpi_engine.open(folder) as engine:
        by_region(engine)
    assert len(looks) == 2


@pytest.mark.usefixtures("settled")
def test_nothing_of_the_data_is_kept(tmp_path, cache_folder):
    folder, _ = filled((project(tmp_path / "shop", SOURCES["csv"][0]), write_csv))
    with kpi_engine.open(folder) as engine:
        by_region(engine)
    kept = b"".join(file.read_bytes() for file in cache_folder.rglob("*") if file.is_file())
    assert kept
    assert not any(word in kept for word in (b"north", b"south"))


@pytest.mark.usefixtures("settled")
def test_a_damaged_cache_is_as_good_as_none(tmp_path, looks, cache_folder):
    folder, _ = filled((project(tmp_path / "shop", SOURCES["csv"][0]), write_csv))
    for _ in range(2):
        with kpi_engine.open(folder) as engine:
            assert by_region(engine) == {"north": 10, "south": 20}
        for file in cache_folder.rglob("*.kpi"):
            file.write_bytes(b"\x00damaged")
    assert len(looks) == 2


@pytest.mark.usefixtures("settled")
def test_a_cache_that_cannot_be_written_is_done_without(tmp_path, looks, monkeypatch):
    folder, _ = filled((project(tmp_path / "shop", SOURCES["csv"][0]), write_csv))
    file = tmp_path / "no folder"
    file.write_text("", encoding="utf-8")
    monkeypatch.setenv("KPI_CACHE_DIR", str(file))
    for _ in range(2):
        with kpi_engine.open(folder) as engine:
            assert by_region(engine) == by_region(engine) == {"north": 10, "south": 20}
    assert len(looks) == 2


SCRIPT = """\
import sys
import kpi_engine
from kpi_engine.api import versions
from kpi_engine.execution.database import Database

versions.SETTLED = -(10**18)
tables, looks = Database.tables, []
def counted(self, queries, *args, **kwargs):
    queries = list(queries)
    looks.extend(query for query in queries if '"__keys"' in query)
    return tables(self, queries, *args, **kwargs)
Database.tables = counted
with kpi_engine.open(sys.argv[1]) as engine:
    try:
        print(len(engine.run("turnover", by="region").rows()), len(looks))
    except kpi_engine.DataError as error:
        print(error.code)
"""


def test_two_processes_share_what_was_found(tmp_path):
    folder, write = filled((project(tmp_path / "shop", SOURCES["csv"][0]), write_csv))
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}

    def process():
        command = [sys.executable, "-c", SCRIPT, str(folder)]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout.strip()

    assert process() == "2 1"
    assert process() == "2 0"
    write(folder, "stores", TWICE)
    assert process() == "key_not_unique"


@pytest.mark.usefixtures("settled")
def test_columns_are_looked_at_again_when_a_file_changes(tmp_path):
    folder, write = filled((project(tmp_path / "shop", SOURCES["csv"][0]), write_csv))
    with kpi_engine.open(folder) as engine:
        assert engine.run("turnover").totals() == {"turnover": 30}
        write(folder, "sales", "amount,id,store_id\n5,1,1\n7,2,2\n")
        assert engine.run("turnover").totals() == {"turnover": 12}
        write(folder, "sales", "amount,id,store_id\nfive,1,1\n")
        with pytest.raises(kpi_engine.KpiError) as caught:
            engine.run("turnover")
        assert caught.value.code in {"types_do_not_fit", "not_a_number"}
        assert [each.code for each in engine.check()] == [caught.value.code]
        write(folder, "sales", "id,store_id\n1,1\n")
        assert [each.code for each in engine.check()] == ["unknown_column"]
        write(folder, "sales", SALES)
        assert engine.check() == []
        assert engine.run("turnover").totals() == {"turnover": 30}


@pytest.mark.usefixtures("settled")
def test_a_query_is_another_version_when_a_table_it_reads_is(tmp_path, looks):
    query = "{sql: 'select s.store_id, s.region from raw_stores as s', key: store_id}"
    made = DEFINITIONS.replace("{table: stores, key: store_id}", f"{query}\n  raw_stores: {{table: stores}}")
    folder, write = filled((project(tmp_path / "shop", SOURCES["csv"][0], made), write_csv))
    with kpi_engine.open(folder) as engine:
        assert by_region(engine) == by_region(engine) == {"north": 10, "south": 20}
        assert len(looks) == 1
        write(folder, "stores", TWICE)
        with pytest.raises(DataError) as caught:
            by_region(engine)
        assert caught.value.code == "key_not_unique"


@pytest.mark.usefixtures("settled")
def test_a_view_may_read_what_stands_elsewhere_and_is_looked_at_each_time(tmp_path, looks):
    folder, _ = filled((project(tmp_path / "shop", SOURCES["duckdb"][0]), write_database))
    write_csv(folder, "more", UNIQUE)
    with duckdb.connect(str(folder / "data" / "shop.duckdb")) as connection:
        connection.execute("DROP TABLE stores")
        connection.execute(f"CREATE VIEW stores AS FROM '{folder / 'data' / 'more.csv'}'")
    with kpi_engine.open(folder) as engine:
        assert by_region(engine) == by_region(engine) == {"north": 10, "south": 20}
        assert len(looks) == 2
        write_csv(folder, "more", TWICE)
        with pytest.raises(DataError) as caught:
            by_region(engine)
        assert caught.value.code == "key_not_unique"


PLUGIN = """\
from arro3.core import Table
from pydantic import BaseModel, ConfigDict
from kpi_engine.api import Table as Named, hookimpl

ROWS = {"sales": {"id": [1, 2], "store_id": [1, 2], "amount": [10, 20]}, "stores": {"store_id": [1, 2], "region": ["north", "south"]}}
class Settings(BaseModel):
    model_config = ConfigDict(extra="forbid")
class Listed:
    name, Config = "listed", Settings
    def __init__(self, config, context):
        self.asked = context.root / "asked"
    def tables(self):
        return [Named(name) for name in ROWS]
    def scan(self, scan):
        from arro3.core import Array, DataType
        with self.asked.open("a") as file:
            file.write(scan.table + "\\n")
        kinds = {int: DataType.int64(), str: DataType.string()}
        return Table.from_pydict({name: Array(rows, kinds[type(rows[0])]) for name, rows in ROWS[scan.table].items()})
VERSION
@hookimpl
def sources():
    return [Listed]
"""


@pytest.mark.usefixtures("settled")
@pytest.mark.parametrize(
    ("version", "expected"),
    [
        ("", 2),
        ("    def version(self, table):\n        return None", 2),
        ("    def version(self, table):\n        return 'always the same'", 1),
    ],
)
def test_a_source_of_a_plugin_says_its_version_or_is_looked_at_each_time(tmp_path, looks, version, expected):
    folder = project(tmp_path / "shop", "{plugin: listed}")
    (folder / "plugins").mkdir()
    (folder / "plugins" / "listed.py").write_text(PLUGIN.replace("VERSION", version), encoding="utf-8")
    with kpi_engine.open(folder) as engine:
        assert by_region(engine) == by_region(engine) == {"north": 10, "south": 20}
    assert len(looks) == expected


@pytest.mark.usefixtures("settled")
def test_data_written_while_a_request_reads_them_are_read_again(tmp_path, monkeypatch):
    folder, write = filled((project(tmp_path / "shop", SOURCES["csv"][0]), write_csv))
    texts = iter(["amount,store_id,id\n1,1,1\n2,2,2\n"])
    tables = Database.tables

    def writing(self, queries, *args, **kwargs):
        found = tables(self, queries, *args, **kwargs)
        if (text := next(texts, None)) is not None:
            write(folder, "sales", text)
        return found

    monkeypatch.setattr(Database, "tables", writing)
    with kpi_engine.open(folder) as engine:
        assert engine.run("turnover").totals() == {"turnover": 3}
        texts = (f"id,store_id,amount\n1,1,{number}\n" for number in range(10, 90))
        with pytest.raises(kpi_engine.SourceError) as caught:
            engine.run("turnover")
        assert caught.value.code == "data_changing"
