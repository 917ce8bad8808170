import pytest
from kpi_source_clickhouse.source import ClickHouseSource

from kpi_engine.testing import SourceCase, SqlSourceKit


class TestClickHouse(SqlSourceKit):
    @pytest.fixture
    def case(self, connected, folder, tmp_path):
        name = f"k{abs(hash(str(tmp_path)))}"
        connected.query(f"CREATE DATABASE {name}")
        connected.query(
            f"CREATE TABLE {name}.sales (id UInt64, day Date, shop LowCardinality(String), tags Array(String)) ENGINE = MergeTree ORDER BY id"
        )
        connected.query(f"INSERT INTO {name}.sales VALUES (1, '2026-01-01', 'Lyon', [])")
        return SourceCase(ClickHouseSource, {"path": str(folder), "database": name}, "sales", tmp_path)
