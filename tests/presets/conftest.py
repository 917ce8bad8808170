"""Projects over exports that were made to the schemas which vendors document."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import duckdb
import pytest

import kpi_engine

if TYPE_CHECKING:
    from pathlib import Path


def write_files(folder: Path, tables: dict[str, list[dict]]) -> None:
    """Write each table as a file of one record per line, as exports to cloud storage are."""
    folder.mkdir(exist_ok=True)
    for name, rows in tables.items():
        (folder / f"{name}.ndjson").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


@pytest.fixture
def preset(request, tmp_path):
    """Open a project that uses packs over an export: as files, or with the parameter `duckdb` as tables of a DuckDB database."""
    engines = []
    kind = getattr(request, "param", "files")

    def opened(packs: str, tables: dict[str, list[dict]], definitions: str, **settings: str):
        write_files(tmp_path / "data", tables)
        source = "{plugin: files, path: data}"
        if kind == "duckdb":
            database = tmp_path / "warehouse.duckdb"
            database.unlink(missing_ok=True)
            with duckdb.connect(database) as connection:
                for name in tables:
                    read = f"read_json('{tmp_path}/data/{name}.ndjson')"
                    connection.execute(f'create table "{name}" as select * from {read}')
            source = "{plugin: duckdb, path: warehouse.duckdb}"
        lines = ["project: p", f"sources: {{vendor: {source}}}", f"definitions: [definitions, {packs}]"]
        lines += [f"{key}: {value}" for key, value in settings.items()]
        (tmp_path / "kpi.yaml").write_text("\n".join(lines), encoding="utf-8")
        (tmp_path / "definitions").mkdir(exist_ok=True)
        (tmp_path / "definitions" / "own.yaml").write_text(definitions, encoding="utf-8")
        engines.append(kpi_engine.open(tmp_path))
        return engines[-1]

    yield opened
    for each in engines:
        each.close()


@pytest.fixture
def mistakes():
    """Give the errors that a check finds."""
    return lambda engine: [str(each) for each in engine.check() if each.severity == "error"]
