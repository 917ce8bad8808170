"""Requests over a third party's source that streams Arrow, beside the same requests where DuckDB reads the same Parquet file by itself.

The source is the plugin below: it reads Parquet with pyarrow, only the columns that the engine asks for. Both sides are the engine; in the
lines `-by-hand` the other side is SQL that somebody would write over the very same stream. In the lines `-as-arrow` the source has the same
rows as an Arrow file, which it maps and need not read: what is left is what the engine does with a stream.
"""

from __future__ import annotations

import json
import runpy
import tempfile
from contextlib import ExitStack, contextmanager
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

    Timed = tuple[float, list[dict[str, Any]]]

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


class Mapped(Lake):
    name = "mapped"

    def tables(self):
        return [Table(file.stem) for file in self.folder.glob("*.arrow")]

    def scan(self, scan):
        file = pa.memory_map(str(self.folder / f"{scan.table}.arrow"))
        names = pa.ipc.open_file(file).schema.names
        options = pa.ipc.IpcReadOptions(included_fields=[names.index(name) for name in scan.columns])
        pieces = pa.ipc.open_file(file, options=options)
        return pa.RecordBatchReader.from_batches(pieces.schema, map(pieces.get_batch, range(pieces.num_record_batches)))


@hookimpl
def sources():
    return [Lake, Mapped]
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
AS_ARROW = workloads.Limit(1.3)
READ = {
    "arrow-ten": ("visitor_id", "ts", "channel", "landing_section", "duration_s", "converted", "revenue"),
    "arrow-distinct": ("visitor_id", "ts", "channel"),
    "arrow-sums": ("ts", "channel", "revenue"),
}
"""The columns that each statement reads."""


def figures(chosen: tuple[workloads.Workload, ...], folder: Path, repeats: int) -> Iterator[Line]:
    """Measure requests over the visits of a folder."""
    with tempfile.TemporaryDirectory(prefix="kpi-bench-") as place, ExitStack() as opened:
        write_arrow(folder, Path(place))
        sources = {"lake": folder, "files": folder, "mapped": Path(place)}
        engines = {plugin: opened.enter_context(_project(plugin, where)) for plugin, where in sources.items()}
        for workload in chosen:
            yield from measured(workload, engines, folder, repeats)


def write_arrow(folder: Path, to: Path) -> None:
    """Write the visits as an Arrow file, of the very pieces that the plugin streams."""
    import pyarrow as pa

    with lake(folder).scan(SimpleNamespace(table="visits", columns=())) as pieces:
        options = pa.ipc.IpcWriteOptions(unify_dictionaries=True)
        table = pieces.read_all()
        with pa.ipc.new_file(to / "visits.arrow", table.schema, options=options) as file:
            file.write_table(table, 122_880)


def measured(
    workload: workloads.Workload, engines: dict[str, kpi_engine.Engine], folder: Path, repeats: int
) -> Iterator[Line]:
    """Time a request over the streams, beside the one over the file and a statement over a stream, and compare the answers."""
    streams, file, hand, arrow = side_by_side(
        repeats,
        lambda: engines["lake"].run(**workload.request).rows(),
        lambda: engines["files"].run(**workload.request).rows(),
        lambda: by_hand(workload, folder),
        lambda: engines["mapped"].run(**workload.request).rows(),
    )
    yield _line(workload, workload.name, workload.says, workload.limit, streams, file)
    yield _line(
        workload, f"{workload.name}-by-hand", "the same, beside SQL over the same stream", BY_HAND, streams, hand
    )
    yield _line(
        workload,
        f"{workload.name}-as-arrow",
        "the same, from an Arrow file beside the Parquet file",
        AS_ARROW,
        arrow,
        file,
    )


def _line(
    workload: workloads.Workload, name: str, says: str, limit: workloads.Limit, mine: Timed, theirs: Timed
) -> Line:
    (taken, ours), (beside, rows) = mine, theirs
    wrong = differences(ours, rows, [key for key in ("channel", "period") if key in rows[0]])
    most, answers = limit.over(beside * 1e3), f"{wrong} differ" if wrong else "equal"
    return Line(workload.section, name, says, taken * 1e3, beside * 1e3, most, str(limit), answers)


def by_hand(workload: workloads.Workload, folder: Path) -> list[dict[str, Any]]:
    """Answer a workload by its statement over what the plugin streams."""
    import duckdb

    connection = duckdb.connect()
    connection.execute("SET threads = 2")
    connection.register("visits", lake(folder).scan(SimpleNamespace(table="visits", columns=READ[workload.name])))
    return workloads.by_hand(connection, workload.statement)


def lake(folder: Path) -> Any:  # noqa: ANN401 - it is made from the text of a plugin
    """Give the source of the plugin, without the engine."""
    with tempfile.TemporaryDirectory() as place:
        (file := Path(place) / "lake.py").write_text(PLUGIN)
        return runpy.run_path(str(file))["Lake"](SimpleNamespace(path=folder), None)


@contextmanager
def _project(plugin: str, path: Path) -> Iterator[kpi_engine.Engine]:
    """Open the benchmark's definitions over one folder."""
    with tempfile.TemporaryDirectory(prefix="kpi-bench-") as folder:
        root = Path(folder)
        for name in ("plugins", "definitions"):
            (root / name).mkdir()
        source = {"plugin": plugin, "path": str(path.resolve())}
        (root / "kpi.yaml").write_text(json.dumps({"project": "bench", "sources": {"there": source}}))
        (root / "plugins" / "lake.py").write_text(PLUGIN)
        definitions = {"datasets": workloads.DATASETS, "kpis": workloads.KPIS}
        (root / "definitions" / "all.yaml").write_text(json.dumps(definitions))
        with kpi_engine.open(root) as engine:
            yield engine
