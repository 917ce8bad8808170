"""Tables of a DuckDB written as Parquet, which a Spark cluster reads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    import duckdb

PLUGIN = '"""The source that is installed in practice."""\n\nfrom kpi_source_spark import sources\n'
HERE = {"spark_here": PLUGIN}


def storing(remote: str) -> Callable[[duckdb.DuckDBPyConnection, tuple[str, ...], Path], Mapping[str, Any]]:
    """Give what writes tables as files, and gives the settings of the source that reads them."""

    def store(connection: duckdb.DuckDBPyConnection, tables: tuple[str, ...], folder: Path) -> Mapping[str, Any]:
        connection.execute("SET TimeZone = 'UTC'")
        (folder / "lake").mkdir(exist_ok=True)
        for table in tables:
            connection.execute(f"""COPY "{table}" TO '{folder}/lake/{table}.parquet' (FORMAT parquet)""")
        return {"plugin": "spark", "remote": remote, "parquet": {each: f"lake/{each}.parquet" for each in tables}}

    return store
