"""Requests over a third party's source that streams Arrow, beside the same requests where DuckDB reads the same Parquet file by itself.

The source is the plugin below: it reads Parquet with pyarrow, only the columns that the engine asks for. Both sides are the engine; in the
lines `-by-hand` the other side is SQL that somebody would write over the very same stream.
"""

from __future__ import annotations

import json
import runpy
import tempfile
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import workloads
from measuring import differences, side_by_side
from tables import Line

import kpi_engine

if TYPE_CHECKING:
    from collections.abc import Iterator

SECTION = "scans"
PLUGIN = """
import pyarrow as pa
import pyarrow.parquet as pq
from pathlib import Path
from pydantic import BaseModel

from kpi_engine.api import Table, hookimpl


class Settings(BaseModel):
    path: Path


class Lake:
    name = "lake"
    Config = Settings

    def __init__(self, config, context):
        self.folder = config.path

    def tables(self):
        return [Table(file.stem) for file in self.folder.glob("*.parquet")]

    def scan(self, scan):
        texts = [field.name for field in pq.read_schema(self.folder / f"{scan.table}.parquet") if pa.types.is_string(field.type)]
        file = pq.ParquetFile(self.folder / f"{scan.table}.parquet", read_dictionary=texts, pre_buffer=False)
        columns = list(scan.columns) or file.schema_arrow.names
        schema = pa.schema([file.schema_arrow.field(name) for name in columns])
        return pa.RecordBatchReader.from_batches(schema, file.iter_batches(122_880, columns=columns))


@hookimpl
def sources():
    return [Lake]
"""
SUMS = f"""SELECT channel, {workloads.MONTH.format("ts")} AS period, count(*) AS visit_count, sum(revenue) AS revenue
  FROM visits GROUP BY 1, 2"""
_made = partial(workloads.Workload, section=SECTION, limit=workloads.Limit(1.3))
_B, _D = (each for each in workloads.WORKLOADS if each.name in {"b", "d"})
WORKLOADS = (
    _made("arrow-ten", _B.says, _B.request, _B.statement),
    _made("arrow-distinct", _D.says, _D.request, _D.statement),
    _made("arrow-sums", "2 KPIs by month by channel", {**_B.request, "kpis": ["visit_count", "revenue"]}, SUMS),
)
BY_HAND = workloads.Limit(1.1, 5)
READ = {
    "arrow-ten": ("visitor_id", "ts", "channel", "landing_section", "duration_s", "converted", "revenue"),
    "arrow-distinct": ("visitor_id", "ts", "channel"),
    "arrow-sums": ("ts", "channel", "revenue"),
}
"""The columns that each statement reads."""


def figures(chosen: tuple[workloads.Workload, ...], folder: Path, repeats: int) -> Iterator[Line]:
    """Measure requests over the visits of a folder."""
    lake = {"plugin": "lake", "path": str(folder.resolve())}
    with _project(lake) as streamed, _project({"plugin": "files", "path": str(folder.resolve())}) as read:
        for workload in chosen:
            yield from measured(workload, streamed, read, folder, repeats)


def measured(
    workload: workloads.Workload, streamed: kpi_engine.Engine, read: kpi_engine.Engine, folder: Path, repeats: int
) -> Iterator[Line]:
    """Time a request over the stream, beside the one over the file and a statement over the stream, and compare the answers."""
    (mine, ours), *others = side_by_side(
        repeats,
        lambda: streamed.run(**workload.request).rows(),
        lambda: read.run(**workload.request).rows(),
        lambda: by_hand(workload, folder),
    )
    names = (workload.name, workload.says), (f"{workload.name}-by-hand", "the same, beside SQL over the same stream")
    for (name, says), limit, (theirs, rows) in zip(names, (workload.limit, BY_HAND), others, strict=True):
        wrong = differences(ours, rows, [key for key in ("channel", "period") if key in rows[0]])
        yield Line(
            workload.section,
            name,
            says,
            mine * 1e3,
            theirs * 1e3,
            limit.over(theirs * 1e3),
            str(limit),
            f"{wrong} differ" if wrong else "equal",
        )


def by_hand(workload: workloads.Workload, folder: Path) -> list[dict[str, Any]]:
    """Answer a workload by its statement over what the plugin streams."""
    import duckdb

    with tempfile.TemporaryDirectory() as place:
        (file := Path(place) / "lake.py").write_text(PLUGIN)
        lake = runpy.run_path(str(file))["Lake"](SimpleNamespace(path=folder), None)
    connection = duckdb.connect()
    connection.execute("SET threads = 2")
    connection.register("visits", lake.scan(SimpleNamespace(table="visits", columns=READ[workload.name])))
    return workloads.by_hand(connection, workload.statement)


@contextmanager
def _project(source: dict[str, Any]) -> Iterator[kpi_engine.Engine]:
    """Open the benchmark's definitions over one source."""
    with tempfile.TemporaryDirectory(prefix="kpi-bench-") as folder:
        root = Path(folder)
        for name in ("plugins", "definitions"):
            (root / name).mkdir()
        (root / "kpi.yaml").write_text(json.dumps({"project": "bench", "sources": {"there": source}}))
        (root / "plugins" / "lake.py").write_text(PLUGIN)
        definitions = {"datasets": workloads.DATASETS, "kpis": workloads.KPIS}
        (root / "definitions" / "all.yaml").write_text(json.dumps(definitions))
        with kpi_engine.open(root) as engine:
            yield engine
