"""Write rows as files, and into tables of DuckDB."""

from __future__ import annotations

import csv
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from duckdb import DuckDBPyConnection


def write_csv(path: Path, columns: Iterable[str], rows: Iterable[Sequence[object]]) -> None:
    """Write rows as CSV: UTF-8, a comma between values, quotes where needed, nothing for NULL, instants in UTC with a Z."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows([_cell(value) for value in row] for row in rows)


def _cell(value: object) -> object:
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%dT%H:%M:%SZ}"
    return str(value).lower() if isinstance(value, bool) else value


def load(
    connection: DuckDBPyConnection, name: str, columns: Mapping[str, str], rows: Iterable[Sequence[object]]
) -> None:
    """Make a table of rows. They pass through a CSV file, which is many times faster than handing them over one by one."""
    with TemporaryDirectory() as scratch:
        file = Path(scratch) / "rows.csv"
        write_csv(file, columns, rows)
        connection.read_csv(str(file), header=True, dtype=dict(columns)).create(name)


def write_parquet(connection: DuckDBPyConnection, name: str, file: Path) -> None:
    """Write a table as Parquet."""
    connection.table(name).write_parquet(str(file), compression="zstd")
