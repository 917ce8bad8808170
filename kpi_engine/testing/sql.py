"""The rules of a source that is an engine of its own."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, ClassVar

import pytest

from kpi_engine.api import KpiError, SourceError
from kpi_engine.sql.dialects import DIALECTS
from kpi_engine.testing.sources import NOWHERE, SourceCase, SourceKit, rows_of

if TYPE_CHECKING:
    from kpi_engine.api import Scan


class SqlSourceKit(SourceKit):
    """The rules of a source that answers SQL, besides those of any source."""

    __test__: ClassVar[bool] = False

    def test_its_dialect_is_known(self, case: SourceCase) -> None:
        """`dialect` names a dialect that the engine writes."""
        with case.made() as source:
            assert source.dialect in DIALECTS, f"`{source.dialect}` is none of {', '.join(DIALECTS)}"

    def test_every_column_has_a_type(self, case: SourceCase) -> None:
        """`tables()` gives each table with its columns and their types: queries are written by them."""
        with case.made() as source:
            table = next(each for each in source.tables() if each.name == case.table)
        assert table.columns, f"`{case.table}` comes without columns"

    def test_it_counts_where_the_rows_are(self, case: SourceCase) -> None:
        """A count of the rows gives one row with the name that was asked for, and the number of the rows."""
        with case.made() as source:
            count = answer(source, f"SELECT COUNT(*) AS {quoted(source, 'How many')} FROM {named(source, case.table)}")
            assert count.column_names == ["How many"]
            assert [int(n) for n in count["How many"].to_pylist()] == [rows_of(source, case).num_rows]

    def test_it_answers_two_threads_at_once(self, case: SourceCase) -> None:
        """`query` answers several threads at once, each its own question."""
        with case.made() as source, ThreadPoolExecutor(4) as pool:
            found = pool.map(
                lambda n: answer(source, f"SELECT {n} AS {quoted(source, 'n')}")["n"].to_pylist(), range(12)
            )
            assert [[int(value) for value in each] for each in found] == [[n] for n in range(12)]

    def test_it_only_reads(self, case: SourceCase) -> None:
        """A statement that writes is refused: the case's account or its session may only read."""
        with case.made() as source, pytest.raises(KpiError):
            answer(source, "CREATE TABLE kpi_engine_kit_was_here (a INTEGER)")

    def test_a_query_that_cannot_be_answered_is_said(self, case: SourceCase) -> None:
        """A query that cannot be answered is one of the engine's errors, with a hint."""
        with case.made() as source, pytest.raises(KpiError) as caught:
            answer(source, f"SELECT {quoted(source, NOWHERE)} FROM {quoted(source, NOWHERE)}")
        assert caught.value.hint, "there is no hint"

    def test_a_table_that_is_not_there_is_said(self, case: SourceCase) -> None:
        """A table that is not there is not among `tables()`; a query of it is a `SourceError` with a hint."""
        with case.made() as source:
            assert NOWHERE not in [each.name for each in source.tables()]
            with pytest.raises(SourceError) as caught:
                answer(source, f"SELECT 1 AS {quoted(source, 'a')} FROM {quoted(source, NOWHERE)}")
        assert caught.value.hint, "there is no hint"


def quoted(source: Any, name: str) -> str:  # noqa: ANN401
    """Quote a name as the source's dialect does."""
    from sqlglot import exp

    return exp.to_identifier(name, quoted=True).sql(source.dialect)


def named(source: Any, table: str) -> str:  # noqa: ANN401
    """Write a table's name with its path."""
    found = next((each for each in source.tables() if each.name == table), None)
    return ".".join(quoted(source, part) for part in ((found and found.path) or (table,)))


def answer(source: Any, sql: str) -> Any:  # noqa: ANN401 - a table of arro3
    """Have the source answer a statement."""
    from arro3.core import Table

    return Table.from_arrow(source.query(sql))


def read_remote(source: Any, scan: Scan) -> Any:  # noqa: ANN401
    """Read the columns that `tables()` names, each as it is to be read."""
    found = next((each for each in source.tables() if each.name == scan.table), None)
    if found is None:
        return answer(source, f"SELECT 1 AS {quoted(source, 'a')} FROM {quoted(source, scan.table)}")
    columns = [
        f"{found.reads.get(name, quoted(source, name))} AS {quoted(source, name)}"
        for name in found.columns
        if not scan.columns or name in scan.columns
    ]
    return answer(source, f"SELECT {', '.join(columns)} FROM {named(source, scan.table)}")
