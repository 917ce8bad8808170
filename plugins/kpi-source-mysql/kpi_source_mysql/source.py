"""The source `mysql`: a MySQL or MariaDB database, which is only ever read and computes its own aggregates."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from kpi_engine.api import DataError, SourceError, Table
from kpi_source_mysql.address import address_of
from kpi_source_mysql.columns import column_of
from kpi_source_mysql.connections import connected
from kpi_source_mysql.pool import Pool

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from arro3.core import Table as Arrow

    from kpi_engine.api import SourceContext
    from kpi_source_mysql.address import Address
    from kpi_source_mysql.connections import Line

_COLUMNS = """
    SELECT table_schema, table_name, column_name, LOWER(data_type), LOWER(column_type), numeric_precision, numeric_scale
    FROM information_schema.columns
    WHERE table_schema NOT IN ('information_schema', 'mysql', 'performance_schema', 'sys')
    ORDER BY table_schema, table_name, ordinal_position
"""
_CHANGED = frozenset({1264, 1265, 1292, 1366, 1411, 1441, 1690, 1918})
"""Warnings that say that a value was cut off or taken for another; of the rest none touches a number."""
_TOO_LARGE = frozenset({1690, 1264})


class MysqlSettings(BaseModel):
    """The settings of the source `mysql`."""

    model_config = ConfigDict(extra="forbid")

    dsn: SecretStr = Field(
        description="Where it is kept where the database is, `{env: NAME}` or `{file: PATH}`: `mysql://user:password@host:3306/name`."
    )
    database: str | None = Field(
        None, description="The database whose tables are named without it, where that is not the one of `dsn`."
    )
    ca: str | None = Field(
        None,
        description="The file of the authority that signed the server's certificate; then the connection is encrypted and the server verified.",
    )
    connect_timeout: float = Field(10, gt=0, le=600, description="How many seconds a connection may take to be made.")


class MysqlSource:
    """The tables and views of a database; those of other databases of the server are written `database.table`."""

    name: ClassVar[str] = "mysql"
    Config: ClassVar[type[BaseModel]] = MysqlSettings
    dialect: ClassVar[str] = "mysql"

    def __init__(self, config: MysqlSettings, context: SourceContext) -> None:
        self._dsn = config.dsn
        self._database = config.database
        self._ca = config.ca and str((context.root / config.ca).resolve())
        self._about = context.name
        self._pool = Pool(self._connected, config.connect_timeout)

    def tables(self) -> Sequence[Table]:
        """List the tables and views with their columns; a column of a type that nothing is computed with is left out."""
        home = self._address().database
        columns: dict[tuple[str, str], dict[str, str]] = {}
        reads: dict[tuple[str, str], dict[str, str]] = {}
        with self._cursor() as cursor:
            cursor.execute(_COLUMNS)
            rows = cursor.fetchall()
        for schema, table, column, base, written, precision, scale in rows:
            columns.setdefault((schema, table), {})
            found = column_of(column, base, written, precision, scale)
            if found is not None:
                columns[schema, table][column] = found.kind
            if found is not None and found.read:
                reads.setdefault((schema, table), {})[column] = found.read
        return [
            Table(table if schema == home else f"{schema}.{table}", of, (schema, table), reads.get((schema, table), {}))
            for (schema, table), of in columns.items()
        ]

    def query(self, sql: str) -> Arrow:
        """Run one statement."""
        from kpi_source_mysql.rows import arrow

        with self._cursor() as cursor:
            cursor.execute(sql)
            rows = arrow(cursor)
            if cursor.warning_count:
                self._refuse_changed(cursor)
            return rows

    def interrupt(self) -> None:
        """Stop the queries that run at this moment."""
        self._pool.interrupt()

    def close(self) -> None:
        """Close the connections."""
        self._pool.close()

    @contextmanager
    def _cursor(self) -> Iterator[Any]:
        """Give a cursor; what the server says against it becomes an error without its address."""
        import pymysql

        try:
            with self._pool.cursor() as cursor:
                yield cursor
        except (pymysql.Error, OSError) as error:
            raise self._said(error) from None

    def _connected(self, seconds: float) -> Line:
        return connected(self._address(), self._ca, seconds)

    def _address(self) -> Address:
        found = address_of(self._dsn.get_secret_value())
        if found is None or not (self._database or found.database):
            message = f"`dsn` of the source `{self._about}` is not written as `mysql://user:password@host:3306/name`"
            hint = "signs such as `@` and `/` in a password are written `%40`, `%2F`"
            raise SourceError(message, code="bad_value", hint=hint)
        return found._replace(database=self._database or found.database)

    def _refuse_changed(self, cursor: Any) -> None:  # noqa: ANN401 - a cursor of the driver's
        cursor.execute("SHOW WARNINGS")
        for _, code, text in cursor.fetchall():
            if code in _CHANGED:
                raise self._bad(code, text)

    def _bad(self, code: int, text: str) -> DataError:
        about = f"the database of the source `{self._about}`: {text}"
        if code in _TOO_LARGE:
            return DataError(about, code="overflow", hint="a number is too large for its type there")
        return DataError(about, code="bad_value", hint="correct the data there")

    def _said(self, error: Exception) -> DataError | SourceError:
        """Say what is wrong in one line, without the password."""
        code, text = error.args if len(error.args) == 2 else (0, str(error))  # noqa: PLR2004 - a number and a text
        password = self._address().password.get_secret_value()
        line = " ".join((str(text).replace(password, "…") if password else str(text)).split())
        if code in _CHANGED:
            return self._bad(code, line)
        hint = "check that the server runs, `dsn`, and what its user may read; `kpi explain` shows the statement"
        return SourceError(f"the database of the source `{self._about}`: {line}", code="query_failed", hint=hint)
