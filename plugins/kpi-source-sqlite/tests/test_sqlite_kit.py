import sqlite3
from contextlib import closing

import pytest
from kpi_source_sqlite.source import SqliteSource

from kpi_engine.testing import SourceCase, SqlSourceKit


class TestSqlite(SqlSourceKit):
    @pytest.fixture
    def case(self, tmp_path):
        with closing(sqlite3.connect(tmp_path / "shop.sqlite")) as connection, connection:
            connection.executescript(
                "create table sales (id integer, day date, shop text); insert into sales values (1, '2026-01-01', 'Lyon')"
            )
        return SourceCase(SqliteSource, {"path": "shop.sqlite"}, "sales", tmp_path)
