"""Tables of a DuckDB connection that was handed in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import duckdb


class ConnectionTables(Mapping[str, Any]):
    """The tables of a connection that was handed in, by name; the values are None, as DuckDB knows them itself."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection

    def _names(self) -> list[str]:
        query = "SELECT table_name FROM information_schema.tables WHERE table_schema = current_schema() ORDER BY 1"
        return [row[0] for row in self._connection.cursor().execute(query).fetchall()]

    def __getitem__(self, name: str) -> None:
        if name not in self._names():
            raise KeyError(name)

    def __iter__(self) -> Any:  # noqa: ANN401 - an iterator
        return iter(self._names())

    def __len__(self) -> int:
        return len(self._names())
