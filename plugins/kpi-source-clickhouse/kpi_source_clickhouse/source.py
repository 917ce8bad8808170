"""The source `clickhouse`: tables of ClickHouse's own format in a folder, read by its engine inside this process, and never written."""

from __future__ import annotations

import re
from contextlib import contextmanager
from threading import Lock
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field

from kpi_engine.api import DataError, SourceError, Table
from kpi_source_clickhouse.columns import column_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    import pyarrow as pa

    from kpi_engine.api import SourceContext

_SETTINGS = (
    "SETTINGS readonly = 1, join_use_nulls = 1, aggregate_functions_null_for_empty = 1, union_default_mode = 'DISTINCT', "
    "session_timezone = 'UTC', prefer_column_name_to_alias = 1, decimal_check_overflow = 1, bool_true_representation = '1', "
    "bool_false_representation = '0', transform_null_in = 0, output_format_arrow_string_as_string = 1"
)
_COLUMNS = """
    SELECT database, table, name, type FROM system.columns
    WHERE database NOT IN ('system', 'information_schema', 'INFORMATION_SCHEMA') ORDER BY database, table, position
"""


_NAME = re.compile(r"\(([A-Z][A-Z_]+)\)")
"""How ClickHouse names an error, after all that it says of it; the statement, with its settings, is part of that."""
_TOO_LARGE = frozenset({"DECIMAL_OVERFLOW", "CANNOT_PARSE_NUMBER", "ARGUMENT_OUT_OF_BOUND"})
_SAID = 500


class ClickHouseSettings(BaseModel):
    """The settings of the source `clickhouse`."""

    model_config = ConfigDict(extra="forbid")

    path: str = Field(description="The folder of the data, relative to the project's folder.")
    database: str = Field("default", description="The database whose tables are named without it.")


class ClickHouseSource:
    """The tables and views of a folder; those of other databases are written `database.table`."""

    name: ClassVar[str] = "clickhouse"
    Config: ClassVar[type[BaseModel]] = ClickHouseSettings
    dialect: ClassVar[str] = "clickhouse"

    def __init__(self, config: ClickHouseSettings, context: SourceContext) -> None:
        self._path: Path = (context.root / config.path).resolve()
        self._database = config.database
        self._about = context.name
        self._lock = Lock()
        self._idle: list[Any] = []
        self._closed = False

    def tables(self) -> Sequence[Table]:
        """List the tables and views with their columns; a column of a type that nothing is computed with is left out."""
        rows = self._rows(_COLUMNS).to_pylist()
        columns: dict[tuple[str, str], dict[str, str]] = {}
        reads: dict[tuple[str, str], dict[str, str]] = {}
        for row in rows:
            key = row["database"], row["table"]
            of, read = columns.setdefault(key, {}), reads.setdefault(key, {})
            found = column_of(row["name"], row["type"])
            if found is not None:
                of[row["name"]], read[row["name"]] = found
        return [
            Table(table if home == self._database else f"{home}.{table}", of, (home, table), reads[home, table])
            for (home, table), of in columns.items()
        ]

    def query(self, sql: str) -> pa.Table:
        """Run one statement."""
        return self._rows(sql)

    def _rows(self, sql: str) -> pa.Table:
        import pyarrow as pa

        with self._connected() as connection:
            data = pa.BufferReader(connection.query(f"{sql}\n{_SETTINGS}", "ArrowStream").bytes())
            rows = pa.ipc.open_stream(data).read_all() if data.size() else pa.table({})
            if data.tell() < data.size():
                raise self._said("the answer goes on after its end")
            return rows

    def close(self) -> None:
        """Close the data."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for each in idle:
            each.close()

    @contextmanager
    def _connected(self) -> Iterator[Any]:
        """Lend a connection. One that anything went wrong with is not used again: its next answer would begin with what is left of this one."""
        import chdb

        with self._lock:
            connection = self._idle.pop() if self._idle else None
        if connection is None:
            if not self._path.is_dir():
                message = f"the folder {self._path} of the source `{self._about}` is not there"
                hint = "`path` of the source is relative to the project's folder"
                raise SourceError(message, code="missing_file", hint=hint)
            connection = chdb.connect(str(self._path))
        is_whole = False
        try:
            yield connection
            is_whole = True
        except (RuntimeError, OSError) as error:
            raise self._said(str(error)) from None
        finally:
            self._give_back(connection, is_whole=is_whole)

    def _give_back(self, connection: Any, *, is_whole: bool) -> None:  # noqa: ANN401 - a connection of chdb's
        with self._lock:
            if is_whole and not self._closed:
                self._idle.append(connection)
                return
        connection.close()

    def _said(self, text: str) -> DataError | SourceError:
        line = " ".join(text.replace(_SETTINGS, "").split())
        named = _NAME.findall(line)
        about = f"the data of the source `{self._about}`: {line[:_SAID]}"
        if named and named[-1] in _TOO_LARGE:
            return DataError(about, code="overflow", hint="a number is too large for its type there")
        return SourceError(
            about,
            code="query_failed",
            hint="check `path`, and that no other process has the folder open; `kpi explain` shows the statement",
        )
