"""The source `snowflake`: a database of Snowflake, which is only ever read and computes its own aggregates."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from threading import Lock
from typing import TYPE_CHECKING, Any, ClassVar

from kpi_engine.api import DataError, SourceError, Table
from kpi_source_snowflake.columns import column_of, known_as
from kpi_source_snowflake.settings import SnowflakeSettings

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from arro3.core import Table as Arrow
    from pydantic import BaseModel

    from kpi_engine.api import SourceContext

_COLUMNS = """
    SELECT table_schema, table_name, column_name, data_type, numeric_precision, numeric_scale
    FROM information_schema.columns WHERE table_schema <> 'INFORMATION_SCHEMA'
    ORDER BY table_schema, table_name, ordinal_position
"""
_TOO_LARGE = "22003"
"""How SQL names a number that is out of range."""


class SnowflakeSource:
    """The tables and views of a database; those of other schemas are written `schema.table`."""

    name: ClassVar[str] = "snowflake"
    Config: ClassVar[type[BaseModel]] = SnowflakeSettings
    dialect: ClassVar[str] = "snowflake"

    def __init__(self, config: SnowflakeSettings, context: SourceContext) -> None:
        self._settings = config
        self._context = context
        self._lock = Lock()
        self._connection: Any = None
        self._busy = 0

    def tables(self) -> Sequence[Table]:
        """List the tables and views with their columns; a column of a type that nothing is computed with is left out."""
        with self._cursor() as cursor:
            rows = cursor.execute(_COLUMNS, num_statements=1).fetchall()
        columns: dict[tuple[str, str], dict[str, tuple[Any, ...]]] = {}
        for schema, table, column, *written in rows:
            columns.setdefault((schema, table), {})[column] = tuple(written)
        home = self._settings.schema_
        schemas = known_as(dict.fromkeys(schema for schema, _ in columns))
        found = []
        for schema in schemas:
            tables = known_as(table for each, table in columns if each == schema)
            for table, known in tables.items():
                name = known if schema == home else f"{schemas[schema]}.{known}"
                found.append(self._table(name, (self._settings.database, schema, table), columns[schema, table]))
        return found

    def query(self, sql: str) -> Arrow:
        """Run one statement, which can be nothing but a query."""
        from kpi_source_snowflake.rows import arrow

        with self._cursor() as cursor:
            cursor.execute(f"SELECT * FROM (\n{sql}\n)", num_statements=1)
            return arrow(cursor)

    def interrupt(self) -> None:
        """Stop the queries of the session that run at this moment; one that Snowflake does not stop goes on to its end."""
        from snowflake.connector.errors import Error

        with self._lock:
            connection, busy = self._connection, self._busy
        if connection is not None and busy:
            with suppress(Error), connection.cursor() as cursor:
                cursor.execute(f"SELECT SYSTEM$CANCEL_ALL_QUERIES({connection.session_id})")

    def close(self) -> None:
        """End the session."""
        with self._lock:
            connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _table(self, name: str, path: tuple[str, ...], of: dict[str, tuple[Any, ...]]) -> Table:
        columns: dict[str, str] = {}
        reads: dict[str, str] = {}
        for column, known in known_as(of).items():
            found = column_of(column, *of[column])
            if found is not None:
                columns[known], reads[known] = found
        return Table(name, columns, path, reads)

    @contextmanager
    def _cursor(self) -> Iterator[Any]:
        """Give a cursor of the one session; what Snowflake says against it becomes an error without a secret."""
        from snowflake.connector.errors import Error

        with self._lock:
            self._busy += 1
        try:
            with self._connected().cursor() as cursor:
                yield cursor
        except Error as error:
            self._forget_if_ended()
            raise self._said(error) from None
        finally:
            with self._lock:
                self._busy -= 1

    def _connected(self) -> Any:  # noqa: ANN401 - a connection of the connector's
        from kpi_source_snowflake.session import connected

        with self._lock:
            if self._connection is None:
                self._connection = connected(self._settings, self._context.root)
            return self._connection

    def _forget_if_ended(self) -> None:
        """Log in again the next time, where the session is over."""
        with self._lock:
            if self._connection is not None and (self._connection.is_closed() or self._connection.expired):
                self._connection = None

    def _said(self, error: Any) -> DataError | SourceError:  # noqa: ANN401 - an error of the connector's
        """Say what is wrong in one line, without a secret."""
        text = str(error.raw_msg or error)
        for each in (self._settings.password, self._settings.token, self._settings.private_key_passphrase):
            text = text.replace(each.get_secret_value(), "…") if each and each.get_secret_value() else text
        about = (
            f"the database `{self._settings.database}` of the source `{self._context.name}`: {' '.join(text.split())}"
        )
        if error.sqlstate == _TOO_LARGE:
            return DataError(about, code="overflow", hint="a number is too large for its type there")
        hint = "check `account`, who reads and in which role, and `warehouse`; `kpi explain` shows the statement"
        return SourceError(about, code="query_failed", hint=hint)
