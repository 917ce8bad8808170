import pytest
from adbc_driver_postgresql import dbapi
from kpi_source_postgres.source import PostgresSource

from kpi_engine.testing import SourceCase, SqlSourceKit


class TestPostgres(SqlSourceKit):
    @pytest.fixture
    def case(self, dsn, tmp_path):
        schema = f"k{abs(hash(str(tmp_path)))}"
        with dbapi.connect(dsn, autocommit=True) as there, there.cursor() as cursor:
            cursor.execute(f"CREATE SCHEMA {schema}")
            cursor.execute(f"CREATE TABLE {schema}.sales (id BIGINT, day DATE, shop TEXT, mood UUID)")
            cursor.execute(f"INSERT INTO {schema}.sales VALUES (1, '2026-01-01', 'Lyon', NULL)")
        settings = {"dsn": {"env": "KPI_TEST_POSTGRES"}, "schema": schema}
        return SourceCase(PostgresSource, settings, "sales", tmp_path, lambda: self.change(dsn, schema))

    def change(self, dsn, schema):
        with dbapi.connect(dsn, autocommit=True) as there, there.cursor() as cursor:
            cursor.execute(f"INSERT INTO {schema}.sales VALUES (2, '2026-01-02', 'Paris', NULL)")
