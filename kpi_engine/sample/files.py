"""Write rows as files, and whole folders at once or not at all."""

from __future__ import annotations

import csv
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from duckdb import DuckDBPyConnection


def write_csv(path: Path, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Write rows as CSV: UTF-8, a comma between values, quotes where needed, nothing for NULL, instants in UTC with a Z."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows([_cell(value) for value in row] for row in rows)


def _cell(value: object) -> object:
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%dT%H:%M:%SZ}"
    return str(value).lower() if isinstance(value, bool) else value


def write_parquet(
    connection: DuckDBPyConnection, path: Path, columns: Mapping[str, str], rows: Iterable[Sequence[object]]
) -> None:
    """Write rows as Parquet; DuckDB does it, from a CSV file that is gone afterwards."""
    with TemporaryDirectory() as scratch:
        text = Path(scratch) / "rows.csv"
        write_csv(text, list(columns), rows)
        table = connection.read_csv(str(text), header=True, dtype=dict(columns))
        table.write_parquet(str(path), compression="zstd")
