"""The source `bigquery`: a dataset of BigQuery, which is only ever read and computes its own aggregates."""

from __future__ import annotations

from contextlib import contextmanager
from threading import Lock
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from kpi_engine.api import DataError, SourceError, Table
from kpi_source_bigquery.columns import column_of
from kpi_source_bigquery.settings import BigQuerySettings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from arro3.core import Table as Arrow
    from pydantic import BaseModel

    from kpi_engine.api import SourceContext

T = TypeVar("T")
_COLUMNS = """
    SELECT table_name, column_name, data_type FROM `{}`.`{}`.INFORMATION_SCHEMA.COLUMNS ORDER BY table_name, ordinal_position
"""
_TOO_LARGE = ("overflow", "out of range")


class BigQuerySource:
    """The tables and views of a dataset."""

    name: ClassVar[str] = "bigquery"
    Config: ClassVar[type[BaseModel]] = BigQuerySettings
    dialect: ClassVar[str] = "bigquery"

    def __init__(self, config: BigQuerySettings, context: SourceContext) -> None:
        self._settings = config
        self._about = context.name
        self._lock = Lock()
        self._client: Any = None
        self._busy: set[Any] = set()

    def tables(self) -> Sequence[Table]:
        """List the tables and views with their columns; a column of a type that nothing is computed with is left out."""
        project, dataset = self._settings.place
        columns: dict[str, dict[str, str]] = {}
        reads: dict[str, dict[str, str]] = {}
        for table, column, written in self._rows(
            _COLUMNS.format(project, dataset), lambda _, rows: [each.values() for each in rows]
        ):
            of = columns.setdefault(table, {})
            found = column_of(column, written)
            if found is not None:
                of[column] = found.kind
            if found is not None and found.read:
                reads.setdefault(table, {})[column] = found.read
        return [Table(name, of, (project, dataset, name), reads.get(name, {})) for name, of in columns.items()]

    def query(self, sql: str) -> Arrow:
        """Run one statement, which can be nothing but a query."""
        from kpi_source_bigquery.rows import arrow

        return self._rows(f"SELECT * FROM (\n{sql}\n)", arrow)

    def interrupt(self) -> None:
        """Stop the queries that run at this moment."""
        with self._lock:
            busy = list(self._busy)
        for each in busy:
            each.cancel(timeout=self._settings.timeout)

    def close(self) -> None:
        """Close the connections."""
        with self._lock:
            client, self._client = self._client, None
        if client is not None:
            client.close()

    def _rows(self, sql: str, read: Callable[[Any, Any], T]) -> T:
        """Run a query as a job of BigQuery's, which can be stopped."""
        from google.cloud.bigquery import DEFAULT_RETRY, QueryJobConfig

        seconds = self._settings.timeout
        tried: dict[str, Any] = {"retry": DEFAULT_RETRY.with_timeout(seconds), "job_retry": None}
        config = QueryJobConfig(use_legacy_sql=False, maximum_bytes_billed=self._settings.maximum_bytes_billed)
        with self._said():
            job = self._connected().query(sql, job_config=config, timeout=seconds, **tried)
            with self._watched(job):
                found = job.result(**tried)
                return read(found.schema, found)

    @contextmanager
    def _watched(self, job: Any) -> Iterator[None]:  # noqa: ANN401 - a job of the library's
        with self._lock:
            self._busy.add(job)
        try:
            yield
        finally:
            with self._lock:
                self._busy.discard(job)

    def _connected(self) -> Any:  # noqa: ANN401 - a client of the library's
        from kpi_source_bigquery.client import connected

        with self._lock:
            if self._client is None:
                self._client = connected(self._settings, self._about)
            return self._client

    @contextmanager
    def _said(self) -> Iterator[None]:
        """Make what BigQuery says against a query an error of one line."""
        from google.api_core.exceptions import GoogleAPIError
        from google.auth.exceptions import GoogleAuthError
        from requests.exceptions import RequestException

        try:
            yield
        except (GoogleAPIError, GoogleAuthError, RequestException) as error:
            raise self._error(error) from None

    def _error(self, error: Exception) -> DataError | SourceError:
        cause = getattr(error, "cause", None)
        text = " ".join(str(getattr(error, "message", "") or error).split()) + (f": {cause}" if cause else "")
        about = f"the dataset `{self._settings.dataset}` of the source `{self._about}`: {text}"
        if any(each in text.lower() for each in _TOO_LARGE):
            return DataError(about, code="overflow", hint="a number is too large for its type there")
        hint = (
            "check `project`, `dataset`, `location` and what `credentials` may read; `kpi explain` shows the statement"
        )
        return SourceError(about, code="query_failed", hint=hint)
