import pytest
from kpi_source_mysql.source import MysqlSource

from kpi_engine.testing import SourceCase, SqlSourceKit


class TestMysql(SqlSourceKit):
    @pytest.fixture
    def case(self, server, tmp_path):
        name = f"k{abs(hash(str(tmp_path)))}"
        server.run(
            f"CREATE DATABASE {name}",
            f"CREATE TABLE {name}.sales (id BIGINT UNSIGNED, day DATE, shop VARCHAR(20), paid TINYINT(1), raw BLOB)",
            f"INSERT INTO {name}.sales VALUES (1, '2026-01-01', 'Lyon', 1, NULL)",
        )
        return SourceCase(MysqlSource, {"dsn": {"env": "KPI_TEST_MYSQL"}, "database": name}, "sales", tmp_path)
