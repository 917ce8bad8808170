"""The source `postgres`: a PostgreSQL database, which is only ever read and computes its own aggregates."""

from __future__ import annotations

import re
from contextlib import contextmanager
from threading import Lock
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from kpi_engine.api import DataError, SourceError, Table
from kpi_source_postgres.columns import column_of
from kpi_source_postgres.versions import VERSION

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from arro3.core import Table as Arrow

    from kpi_engine.api import SourceContext

_SESSION = (
    "SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY",
    "SET TIME ZONE 'UTC'",
    "SET datestyle = 'ISO, YMD'",
    "SET standard_conforming_strings = on",
)
_LINE = {"connect_timeout": 30, "keepalives_idle": 30, "keepalives_interval": 10, "keepalives_count": 3}
"""In seconds: a line over which nothing comes is ended, where libpq by itself would wait for hours."""
_COLUMNS = """
    SELECT CAST(n.nspname AS TEXT), CAST(c.relname AS TEXT), CAST(a.attname AS TEXT), CAST(COALESCE(b.typtype, t.typtype) AS TEXT),
           CAST(COALESCE(b.typname, t.typname) AS TEXT), CASE WHEN t.typtype = 'd' THEN t.typtypmod ELSE a.atttypmod END
    FROM pg_attribute AS a
    JOIN pg_class AS c ON c.oid = a.attrelid
    JOIN pg_namespace AS n ON n.oid = c.relnamespace
    JOIN pg_type AS t ON t.oid = a.atttypid
    LEFT JOIN pg_type AS b ON t.typtype = 'd' AND b.oid = t.typbasetype
    WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
      AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname NOT LIKE 'pg\\_%'
    ORDER BY 1, 2, a.attnum
"""


class PostgresSettings(BaseModel):
    """The settings of the source `postgres`."""

    model_config = ConfigDict(extra="forbid")

    dsn: SecretStr = Field(
        description="Where it is kept where the database is, `{env: NAME}` or `{file: PATH}`: `postgresql://user:password@host:5432/name`."
    )
    schema_: str = Field("public", alias="schema", description="The schema whose tables are named without it.")


class PostgresSource:
    """The tables and views of a PostgreSQL database; those of other schemas are written `schema.table`."""

    name: ClassVar[str] = "postgres"
    Config: ClassVar[type[BaseModel]] = PostgresSettings
    dialect: ClassVar[str] = "postgres"

    def __init__(self, config: PostgresSettings, context: SourceContext) -> None:
        self._dsn = config.dsn
        self._address = SecretStr(_patient(config.dsn.get_secret_value()))
        self._schema = config.schema_
        self._about = context.name
        self._lock = Lock()
        self._idle: list[Any] = []
        self._busy: set[Any] = set()
        self._closed = False

    def tables(self) -> Sequence[Table]:
        """List the tables and views with their columns; a column of a type that nothing is computed with is left out."""
        names = ("schema", "table", "column", "base", "type", "modifier")
        with self._connected() as connection, connection.cursor() as cursor:
            cursor.execute(_COLUMNS)
            rows = [dict(zip(names, row, strict=True)) for row in _rows(cursor)]
        columns: dict[tuple[str, str], dict[str, str]] = {}
        reads: dict[tuple[str, str], dict[str, str]] = {}
        for row in rows:
            key = row["schema"], row["table"]
            columns.setdefault(key, {})
            found = column_of(row["column"], row["base"], row["type"], row["modifier"])
            if found is not None:
                columns[key][row["column"]] = found.kind
            if found is not None and found.read:
                reads.setdefault(key, {})[row["column"]] = found.read
        return [
            Table(
                table if schema == self._schema else f"{schema}.{table}",
                of,
                (schema, table),
                reads.get((schema, table), {}),
            )
            for (schema, table), of in columns.items()
        ]

    def query(self, sql: str) -> Arrow:
        """Run one statement."""
        with self._connected() as connection, connection.cursor() as cursor:
            cursor.execute(sql)
            return _arrow(cursor)

    def version(self, table: str) -> str | None:
        """Say which transactions the rows of a table come from; None where that is no proof that they are the same."""
        schema, _, name = table.rpartition(".")
        try:
            with self._connected() as connection, connection.cursor() as cursor:
                cursor.execute(VERSION, (schema or self._schema, name))
                rows = _rows(cursor)
        except SourceError:  # it only speaks like PostgreSQL, or is not there, which the next query says
            return None
        return str(rows[0][0]) if rows else None

    def interrupt(self) -> None:
        """Stop the queries that run at this moment."""
        with self._lock:
            for each in self._busy:
                each.adbc_cancel()

    def close(self) -> None:
        """Close the connections."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for each in idle:
            each.close()

    @contextmanager
    def _connected(self) -> Iterator[Any]:
        """Give a connection, one that is there or a new one; what PostgreSQL says against it becomes an error without its address."""
        from adbc_driver_manager import dbapi

        connection = None
        try:
            connection = self._taken()
            yield connection
        except (dbapi.Error, _BrokenStreamError) as error:
            self._give_back(connection, broken=True)
            connection = None
            raise self._said(str(error)) from None
        finally:
            self._give_back(connection)

    def _taken(self) -> Any:  # noqa: ANN401 - a connection of the driver's
        from adbc_driver_postgresql import dbapi

        connection = self._kept()
        if connection is None:
            connection = dbapi.connect(self._address.get_secret_value(), autocommit=True)
            with connection.cursor() as cursor:
                for statement in _SESSION:
                    cursor.execute(statement)
        with self._lock:
            self._busy.add(connection)
        return connection

    def _kept(self) -> Any:  # noqa: ANN401
        """Give a connection that is there and still answers; the others are closed: their server has ended meanwhile, or the line."""
        from adbc_driver_manager import dbapi

        while True:
            with self._lock:
                if not self._idle:
                    return None
                connection = self._idle.pop()
            try:
                with connection.cursor() as cursor:
                    cursor.execute("SELECT 1")
                    cursor.fetchone()
            except dbapi.Error:
                connection.close()
            else:
                return connection

    def _give_back(self, connection: Any, *, broken: bool = False) -> None:  # noqa: ANN401
        if connection is None:
            return
        with self._lock:
            self._busy.discard(connection)
            if not broken and not self._closed:
                self._idle.append(connection)
                return
        connection.close()

    def _said(self, text: str) -> DataError | SourceError:
        """Say what is wrong in one line, without the address that the driver may repeat."""
        for secret in filter(None, (self._address.get_secret_value(), self._dsn.get_secret_value())):
            text = text.replace(secret, "…")
        parts = (part.strip().removeprefix("C Data interface error: ") for part in text.splitlines())
        line = next(filter(None, parts), "")
        about = f"the database of the source `{self._about}`"
        if "out of range" in line or "overflow" in line:
            return DataError(f"{about}: {line}", code="overflow", hint="a number is too large for its type there")
        hint = "check that the server runs, `dsn`, and what its user may read; `kpi explain` shows the statement"
        return SourceError(f"{about}: {line}", code="query_failed", hint=hint)


class _BrokenStreamError(Exception):
    """What the driver says of a stream of rows that ends before its end."""


def _patient(dsn: str) -> str:
    """Give an address with limits of time, before what it says itself, which counts."""
    scheme, mark, rest = dsn.partition("://")
    if scheme not in ("postgresql", "postgres") or not mark:
        return " ".join([*(f"{key}={value}" for key, value in _LINE.items()), dsn])
    end = re.search("[@/]", rest)
    login = rest[: end.end()] if end and end.group() == "@" else ""
    where, _, asked = rest[len(login) :].partition("?")
    options = "&".join([*(f"{key}={value}" for key, value in _LINE.items()), *filter(None, [asked])])
    return f"{scheme}://{login}{where}?{options}"


def _arrow(cursor: Any) -> Arrow:  # noqa: ANN401
    """Read the rows of a cursor; what goes wrong meanwhile comes through the stream, as an error without a class."""
    from arro3.core import Table as Arrow

    stream = cursor.fetch_arrow()
    try:
        return Arrow.from_arrow(stream)
    except Exception as error:  # noqa: BLE001 - the only class that such an error has
        raise _BrokenStreamError(str(error)) from None


def _rows(cursor: Any) -> list[tuple[Any, ...]]:  # noqa: ANN401
    table = _arrow(cursor)
    return list(zip(*(table.column(n).to_pylist() for n in range(table.num_columns)), strict=True))
