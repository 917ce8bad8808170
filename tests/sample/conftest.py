from __future__ import annotations

from typing import TYPE_CHECKING, Any

import duckdb
import pytest

from kpi_engine.sample import write_data
from kpi_engine.sample.tables import TABLES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class Data:
    """The sample data as tables of DuckDB."""

    def __init__(self, folder: Path, connection: duckdb.DuckDBPyConnection) -> None:
        self.folder = folder
        self._connection = connection

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        return self._connection.sql(query).fetchall()

    def value(self, query: str) -> Any:
        return self.rows(query)[0][0]


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Data]:
    folder = tmp_path_factory.mktemp("sample")
    write_data(folder)
    with duckdb.connect() as connection:
        connection.sql("set TimeZone = 'Europe/Paris'")
        for name, layout in TABLES.items():
            file = str(folder / f"{name}.{layout.format}")
            if layout.format == "csv":
                connection.read_csv(file, header=True, dtype=dict(layout.columns)).create(name)
            else:
                connection.read_parquet(file).create(name)
        yield Data(folder, connection)
