from __future__ import annotations

import sqlite3
import struct
import subprocess
import sys
from typing import TYPE_CHECKING

import duckdb
import pytest

from kpi_engine.api import DatabaseRelation, Scan, SourceContext, SourceError, Table
from kpi_engine.api.sources import RelationSource
from kpi_engine.builtin.sources.duckdb import DuckdbSource
from kpi_engine.plugins import configure

if TYPE_CHECKING:
    from pathlib import Path

HEADER = 4096
"""The length in bytes of the first header of a database file, which begins with the checksum of the rest."""


def source(root: Path, path: str = "crm.duckdb") -> DuckdbSource:
    return DuckdbSource(configure(DuckdbSource, {"path": path}), SourceContext("crm", root))


def refused(root: Path, table: str = "lead", path: str = "crm.duckdb") -> SourceError:
    with pytest.raises(SourceError) as caught:
        source(root, path).relation(Scan(table))
    return caught.value


@pytest.fixture
def root(tmp_path) -> Path:
    with duckdb.connect(str(tmp_path / "crm.duckdb")) as connection:
        connection.execute("CREATE TABLE lead (id BIGINT, cost DECIMAL(18,2))")
        connection.execute("INSERT INTO lead VALUES (1, 2.50)")
        connection.execute("CREATE VIEW won AS SELECT id FROM lead")
        connection.execute(
            "CREATE SCHEMA web; CREATE TABLE web.visit AS SELECT TIMESTAMPTZ '2024-01-01 00:00:00+00' AS seen"
        )
        connection.execute('CREATE TABLE "od.d" ("a b" INTEGER)')
    return tmp_path


def checksum(data: bytes) -> int:
    """The checksum of DuckDB's blocks over whole words of eight bytes."""
    result = 5381
    for (word,) in struct.iter_unpack("<Q", data):
        result ^= word * 0xBF58476D1CE4E5B9 % 2**64
    return result


def test_tables_and_views_are_listed_with_their_columns(root):
    assert list(source(root).tables()) == [
        Table("lead", {"id": "BIGINT", "cost": "DECIMAL(18,2)"}),
        Table("od.d", {"a b": "INTEGER"}),
        Table("won", {"id": "BIGINT"}),
        Table("web.visit", {"seen": "TIMESTAMP WITH TIME ZONE"}),
    ]


@pytest.mark.parametrize(
    ("table", "name"),
    [
        ("lead", ("main", "lead")),
        ("main.lead", ("main", "lead")),
        ("web.visit", ("web", "visit")),
        ("od.d", ("main", "od.d")),
        ("won", ("main", "won")),
    ],
)
def test_a_table_is_found_by_its_name(root, table, name):
    assert source(root).relation(Scan(table)) == DatabaseRelation(str((root / "crm.duckdb").resolve()), name)
    assert isinstance(source(root), RelationSource)


def test_the_relation_can_be_attached_and_read_only(root):
    relation = source(root).relation(Scan("lead"))
    with duckdb.connect() as connection:
        connection.execute(f"ATTACH '{relation.path}' AS crm (READ_ONLY)")
        assert connection.execute("SELECT sum(cost) FROM crm.main.lead").fetchone()[0] == pytest.approx(2.5)
        source(root).tables()


def test_listing_changes_nothing(root):
    before = {file.name: file.read_bytes() for file in root.iterdir()}
    source(root).tables()
    assert {file.name: file.read_bytes() for file in root.iterdir()} == before


def test_an_unknown_table_gets_the_nearest_name(root):
    error = refused(root, "leed")
    assert error.code == "unknown_table"
    assert error.hint == "did you mean `lead`?"


def test_a_missing_file_is_named_and_not_made(root):
    error = refused(root, path="no.duckdb")
    assert error.code == "missing_file"
    assert str(root.resolve() / "no.duckdb") in error.message
    assert not (root / "no.duckdb").exists()


def test_a_folder_is_no_database(root):
    assert "a folder" in refused(root, path=".").message


@pytest.mark.parametrize("content", [b"", b"a,b\n1,2\n" * 1000, b"DUCK"])
def test_what_is_no_database_is_refused(root, content):
    (root / "other.duckdb").write_bytes(content)
    error = refused(root, path="other.duckdb")
    assert error.code == "not_a_database"
    assert "other.duckdb" in error.message


def test_a_database_of_another_kind_is_told(root):
    connection = sqlite3.connect(root / "other.duckdb")
    connection.execute("CREATE TABLE lead (id)")
    connection.commit()
    connection.close()
    error = refused(root, path="other.duckdb")
    assert error.code == "not_a_database"
    assert "SQLite" in error.hint


def test_a_damaged_database_is_told(root):
    content = (root / "crm.duckdb").read_bytes()
    (root / "cut.duckdb").write_bytes(content[: HEADER - 100])
    error = refused(root, path="cut.duckdb")
    assert error.code == "unreadable_database"
    assert "cut.duckdb" in error.message


def test_a_database_of_a_newer_version_is_told(root):
    content = (root / "crm.duckdb").read_bytes()
    (stored,) = struct.unpack("<Q", content[:8])
    assert stored == checksum(content[8:HEADER]), "the layout of the header is another one: mend this test"
    newer = content[8:12] + struct.pack("<Q", 100_000) + content[20:HEADER]
    (root / "newer.duckdb").write_bytes(struct.pack("<Q", checksum(newer)) + newer + content[HEADER:])
    error = refused(root, path="newer.duckdb")
    assert error.code == "newer_database"
    assert duckdb.__version__ in error.message
    assert "pip install --upgrade duckdb" in error.hint


def test_a_database_that_another_program_writes_is_told(root):
    program = f"import duckdb, sys; held = duckdb.connect({str(root / 'crm.duckdb')!r}); print('open', flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as writer:
        assert writer.stdout.readline() == "open\n"
        error = refused(root)
        writer.communicate()
    assert error.code == "locked_database"


def test_a_database_that_this_program_writes_is_told(root):
    with duckdb.connect(str(root / "crm.duckdb")):
        assert refused(root).code == "locked_database"


def test_a_path_is_needed():
    with pytest.raises(SourceError, match="`path` is missing") as caught:
        configure(DuckdbSource, {"pth": "x"})
    assert "`pth` is not known (did you mean `path`?)" in caught.value.message
