import pytest
from kpi_source_bigquery.source import BigQuerySource

from kpi_engine.testing import SourceCase, SqlSourceKit


class TestBigQuery(SqlSourceKit):
    @pytest.fixture
    def case(self, server, tmp_path):
        name = f"k{abs(hash(str(tmp_path)))}"
        server.run(
            name,
            "CREATE TABLE sales (id INT64, day DATE, shop STRING, paid BOOL, amount NUMERIC(12, 2), tags ARRAY<STRING>)",
            "INSERT INTO sales VALUES (1, '2026-01-01', 'Lyon', TRUE, 1.50, NULL)",
        )
        return SourceCase(BigQuerySource, server.settings(name), "sales", tmp_path)
