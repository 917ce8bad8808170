"""The source `clickhouse`: tables of ClickHouse's own format in a folder, read by its engine inside this process, and never written."""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field

from kpi_engine.api import DataError, SourceError, Table
from kpi_source_clickhouse.columns import column_of

if TYPE_CHECKING:
    from collections.abc import Sequence
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


class ClickHouseSettings(BaseModel):
    """The settings of the source `clickhouse`."""

    model_config = ConfigDict(extra="forbid")

    path: str = Field(description="The folder of the data, relative to the project's folder.")
    database: str = Field("default", description="The database whose tables are named without it.")


class ClickHouseSource:
    """The tables and views of a folder; those of other databases are written `database.table`."""

    name: ClassVar[str] = "clickhouse"
    Config = ClickHouseSettings
    dialect: ClassVar[str] = "clickhouse"

    def __init__(self, config: ClickHouseSettings, context: SourceContext) -> None:
        self._path: Path = (context.root / config.path).resolve()
        self._database = config.database
        self._about = context.name
        self._lock = Lock()
        self._connection: Any = None

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

        try:
            found = self._connected().query(f"{sql}\n{_SETTINGS}", "ArrowStream")
        except (RuntimeError, OSError) as error:
            raise self._said(str(error)) from None
        data = found.bytes()
        return pa.ipc.open_stream(data).read_all() if data else pa.table({})

    def close(self) -> None:
        """Close the data."""
        with self._lock:
            connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _connected(self) -> Any:  # noqa: ANN401 - a connection of chdb's
        import chdb

        with self._lock:
            if self._connection is None:
                if not self._path.is_dir():
                    message = f"the folder {self._path} of the source `{self._about}` is not there"
                    hint = "`path` of the source is relative to the project's folder"
                    raise SourceError(message, code="missing_file", hint=hint)
                self._connection = chdb.connect(str(self._path))
            return self._connection

    def _said(self, text: str) -> DataError | SourceError:
        line = " ".join(text.split())[:500]
        about = f"the data of the source `{self._about}`: {line}"
        if "DECIMAL_OVERFLOW" in line or "overflow" in line or "CANNOT_PARSE_NUMBER" in line:
            return DataError(about, code="overflow", hint="a number is too large for its type there")
        return SourceError(
            about, code="query_failed", hint="check `path`, and that no other process has the folder open"
        )
