"""The source `spark`: a cluster that is asked through Spark Connect, and computes its own aggregates."""

from __future__ import annotations

import warnings
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Lock
from typing import TYPE_CHECKING, ClassVar

from kpi_engine.api import DataError, SourceError, Table
from kpi_source_spark.columns import column_of
from kpi_source_spark.settings import SparkSettings

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pyarrow as pa
    from pydantic import BaseModel
    from pyspark.sql.connect.session import SparkSession

    from kpi_engine.api import SourceContext

AT_ONCE = 8
"""So many tables are looked at at the same time."""
_TOO_LARGE = ("ARITHMETIC_OVERFLOW", "CAST_OVERFLOW", "NUMERIC_VALUE_OUT_OF_RANGE", "BINARY_ARITHMETIC_OVERFLOW")
_GONE = (
    "UNAVAILABLE",
    "INVALID_HANDLE",
    "SESSION_CHANGED",
    "SESSION_CLOSED",
    "NO_ACTIVE_SESSION",
    "Connection refused",
)
_KNOWN = ("PySpark does not yet fully support pandas", r"\[RETRIES_EXCEEDED\]")
"""What the client warns of: pandas is not used here, and what is given up is an error as well."""


class SparkSource:
    """The tables of a schema, or Parquet files, that a Spark cluster reads."""

    name: ClassVar[str] = "spark"
    Config: ClassVar[type[BaseModel]] = SparkSettings
    dialect: ClassVar[str] = "spark"

    def __init__(self, config: SparkSettings, context: SourceContext) -> None:
        self._settings = config
        self._context = context
        self._lock = Lock()
        self._session: SparkSession | None = None

    def tables(self) -> Sequence[Table]:
        """List the tables with their columns; a column of a type that nothing is computed with is left out."""
        with self._connected() as session, ThreadPoolExecutor(AT_ONCE, "kpi-spark") as pool:
            given = self._settings.parquet or self._settings.tables
            names = list(given) if given else [each.name for each in session.catalog.listTables()]
            return list(pool.map(lambda name: self._table(session, name), names))

    def query(self, sql: str) -> pa.Table:
        """Run one statement, which can be nothing but a query."""
        with self._connected() as session:
            return session.sql(f"SELECT * FROM (\n{sql}\n)").toArrow()

    def interrupt(self) -> None:
        """Stop the queries that run at this moment."""
        with self._lock:
            session = self._session
        if session is not None:
            session.interruptAll()

    def close(self) -> None:
        """End the session."""
        with self._lock:
            session, self._session = self._session, None
        if session is not None:
            session.stop()

    def _table(self, session: SparkSession, name: str) -> Table:
        path = (name,) if self._settings.parquet else (*self._place(), name)
        quoted = ".".join("`" + part.replace("`", "``") + "`" for part in path)
        columns: dict[str, str] = {}
        reads: dict[str, str] = {}
        for field in session.table(quoted).schema.fields:
            found = column_of(field)
            if found is not None:
                columns[field.name] = found.kind
            if found is not None and found.read:
                reads[field.name] = found.read
        return Table(name, columns, path, reads)

    def _place(self) -> tuple[str, ...]:
        given = self._settings
        return (
            (given.catalog, given.schema_) if given.catalog and given.schema_ else tuple(filter(None, (given.schema_,)))
        )

    @contextmanager
    def _connected(self) -> Iterator[SparkSession]:
        """Give the session, opened if need be; what Spark says against it becomes an error that names the source."""
        for each in _KNOWN:
            warnings.filterwarnings("ignore", message=each)
        import grpc
        from pyspark.errors import PySparkException

        token = self._settings.token.get_secret_value() if self._settings.token else ""
        try:
            yield self._opened(token)
        except (PySparkException, grpc.RpcError, TimeoutError) as error:
            said = str(error)
            if any(each in said for each in _GONE):
                with self._lock:
                    self._session = None
            raise self._said(said.replace(token, "…") if token else said) from None

    def _opened(self, token: str) -> SparkSession:
        from kpi_source_spark.session import connected

        with self._lock:
            if self._session is None:
                session = connected(self._settings, token)
                for name, path in self._settings.parquet.items():
                    session.read.parquet(self._absolute(path)).createOrReplaceTempView(name)
                self._session = session
            return self._session

    def _absolute(self, path: str) -> str:
        return path if "://" in path else str(self._context.root / path)

    def _said(self, text: str) -> DataError | SourceError:
        """Say what is wrong in one line."""
        line = next((part.strip() for part in text.splitlines() if part.strip()), "")
        about = f"the Spark cluster of the source `{self._context.name}`"
        if any(each in line for each in _TOO_LARGE):
            return DataError(f"{about}: {line}", code="overflow", hint="a number is too large for its type there")
        hint = "check that the server runs, `remote`, and what may be read there; `kpi explain` shows the statement"
        return SourceError(f"{about}: {line}", code="query_failed", hint=hint)
