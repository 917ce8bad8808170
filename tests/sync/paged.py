"""A project whose source gives numbered rows page by page, and goes on where its last checkpoint was; as many as a file says."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import duckdb

if TYPE_CHECKING:
    from pathlib import Path

PLUGIN = """
import time
from arro3.core import Array, DataType, Table
from pydantic import BaseModel
from kpi_engine.api import Checkpoint, Rows, Stream, hookimpl

PAGE = 20

class Settings(BaseModel):
    pause: float = 0

def rows(first, last):
    numbers = list(range(first, last))
    return Table.from_pydict({"id": Array(numbers, DataType.int64()), "text": Array([f"row {n}" for n in numbers], DataType.string())})

class Paged:
    name = "paged"
    Config = Settings

    def __init__(self, config, context):
        self.root, self.pause = context.root, config.pause

    def streams(self):
        columns = {"id": "BIGINT", "text": "VARCHAR"}
        return [
            Stream("merged", columns, key=("id",)), Stream("appended", columns, cursor="id"), Stream("replaced", columns)
        ]

    def read(self, wanted, state):
        (self.root / "started").touch()
        total = int((self.root / "total.txt").read_text())
        since = {each.stream.name: each.since for each in wanted}
        done = (state or {}).get("done", 0)
        first = done if since["appended"] is None else min(done, since["appended"])
        yield Rows("replaced", rows(0, total))
        while done < total:
            last = min(done + PAGE, total)
            yield Rows("merged", rows(max(0, done - 5), last))
            yield Rows("appended", rows(first, last))
            first = done = last
            yield Checkpoint({"done": done})
            time.sleep(self.pause)
            while (self.root / "hold").exists():
                time.sleep(0.02)

@hookimpl
def sources():
    return [Paged]
"""


def project(root: Path, pause: float = 0.0, commit_rows: int = 50) -> Path:
    """Write the project."""
    (root / "plugins").mkdir()
    (root / "plugins" / "paged.py").write_text(PLUGIN)
    settings = f"{{plugin: paged, pause: {pause}, sync: {{commit_rows: {commit_rows}}}}}"
    (root / "kpi.yaml").write_text(f"project: paged\ndefinitions: []\nsources:\n  api: {settings}\n")
    return root


def process(root: Path, *arguments: str, **environment: str) -> subprocess.Popen[str]:
    """Start `kpi sync`."""
    return subprocess.Popen(
        [sys.executable, "-m", "kpi_engine", "sync", *arguments],
        cwd=root, env=os.environ | environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def finished(root: Path, *arguments: str, **environment: str) -> tuple[int, str]:
    """Run `kpi sync` to its end; give its code and all it said."""
    run = process(root, *arguments, **environment)
    out, errors = run.communicate(timeout=120)
    return run.returncode, out + errors


def wants(root: Path, total: int) -> None:
    """Say how many rows there are from now on."""
    (root / "total.txt").write_text(str(total))


def counts(root: Path) -> dict[str, tuple[int, int, int]]:
    """Count the rows that KPIs read of each stream, the different ones, and give the last."""
    path = root / ".kpi" / "sync" / "api" / "served.duckdb"
    with duckdb.connect(str(path), read_only=True) as connection:
        query = "SELECT count(*), count(DISTINCT id), max(id) FROM {}"
        return {
            name: connection.execute(query.format(name)).fetchall()[0] for name in ("merged", "appended", "replaced")
        }


def complete(total: int) -> dict[str, tuple[int, int, int]]:
    """Give the counts of all rows, each once."""
    return dict.fromkeys(("merged", "appended", "replaced"), (total, total, total - 1))
