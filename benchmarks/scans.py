"""Requests over a third party's source that streams Arrow, beside the same requests where DuckDB reads the same Parquet file by itself.

The source is the plugin below: it reads Parquet with pyarrow, only the columns that the engine asks for. Both sides are the engine.
"""

from __future__ import annotations

import json
import tempfile
from contextlib import contextmanager
from functools import partial
from pathlib import Path
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
_made = partial(workloads.Workload, section=SECTION, limit=workloads.Limit(1.3), statement="")
_B, _D = (each for each in workloads.WORKLOADS if each.name in {"b", "d"})
WORKLOADS = (
    _made("arrow-ten", _B.says, _B.request),
    _made("arrow-distinct", _D.says, _D.request),
    _made("arrow-sums", "2 KPIs by month by channel", {**_B.request, "kpis": ["visit_count", "revenue"]}),
)


def figures(chosen: tuple[workloads.Workload, ...], folder: Path, repeats: int) -> Iterator[Line]:
    """Measure requests over the visits of a folder."""
    lake = {"plugin": "lake", "path": str(folder.resolve())}
    with _project(lake) as streamed, _project({"plugin": "files", "path": str(folder.resolve())}) as read:
        for workload in chosen:
            yield measured(workload, streamed, read, repeats)


def measured(workload: workloads.Workload, streamed: kpi_engine.Engine, read: kpi_engine.Engine, repeats: int) -> Line:
    """Time a request over the stream, beside the one over the file, and compare the answers."""
    (mine, ours), (theirs, others) = side_by_side(
        repeats, lambda: streamed.run(**workload.request).rows(), lambda: read.run(**workload.request).rows()
    )
    wrong = differences(ours, others, [name for name in ("channel", "period") if name in others[0]])
    return Line(
        workload.section,
        workload.name,
        workload.says,
        mine * 1e3,
        theirs * 1e3,
        workload.limit.over(theirs * 1e3),
        str(workload.limit),
        f"{wrong} differ" if wrong else "equal",
    )


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
