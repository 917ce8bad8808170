import pytest
from kpi_source_snowflake.source import SnowflakeSource

from kpi_engine.testing import SourceCase, SqlSourceKit


class TestSnowflake(SqlSourceKit):
    """Names of columns stand in quotes: the server gives `"ID" AS "id"` as `ID`, which Snowflake does not."""

    @pytest.fixture
    def case(self, server, tmp_path):
        name = f"K{abs(hash(str(tmp_path)))}"
        server.run(
            name,
            'CREATE TABLE SALES ("id" NUMBER(38), "day" DATE, "shop" VARCHAR, "paid" BOOLEAN, "At" TIMESTAMP_TZ, "amount" NUMBER(12, 2), TAGS VARIANT)',
            "INSERT INTO SALES VALUES (1, '2026-01-01', 'Lyon', TRUE, '2026-01-01 10:00:00+02:00', 1.50, NULL)",
        )
        return SourceCase(SnowflakeSource, server.settings(name), "sales", tmp_path)
