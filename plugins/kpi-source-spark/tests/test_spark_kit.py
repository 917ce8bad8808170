import duckdb
import pytest
from in_spark import storing
from kpi_source_spark.source import SparkSource

from kpi_engine.testing import SourceCase, SqlSourceKit


class TestSpark(SqlSourceKit):
    @pytest.fixture
    def case(self, sail, tmp_path):
        connection = duckdb.connect()
        connection.execute(
            "CREATE TABLE sales AS SELECT 1::BIGINT AS id, DATE '2026-01-01' AS day, 'Lyon' AS shop, [1] AS list"
        )
        settings = dict(storing(sail)(connection, ("sales",), tmp_path))
        del settings["plugin"]
        return SourceCase(SparkSource, settings, "sales", tmp_path)
