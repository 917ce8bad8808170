"""The rules of a source."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread
from typing import Any, ClassVar

import pytest

from kpi_engine.api import Contract, DatabaseRelation, FileRelation, KpiError, Scan, SourceContext, SourceError, Table
from kpi_engine.catalogue.declared import is_type
from kpi_engine.testing.common import ClassKit, said_secrets, settings_of

NOWHERE = "no_table_has_this_name"


@dataclass(frozen=True)
class SourceCase:
    """A source with settings that work: `table` names one of its tables, which has rows.

    `root` stands for the project's folder. `change` writes a row more into the table, where the source has versions.
    """

    plugin: type[Any]
    settings: Mapping[str, Any] = field(default_factory=dict)
    table: str = ""
    root: Path = Path()
    change: Callable[[], None] | None = None

    @contextmanager
    def made(self) -> Iterator[Any]:
        """Make the source as the engine does, and close it."""
        config, _ = settings_of(self.plugin, self.settings, self.root)
        source = self.plugin(config, SourceContext("case", self.root))
        try:
            yield source
        finally:
            if hasattr(source, "close"):
                source.close()


class SourceKit(ClassKit):
    """The rules of a source that gives rows (`scan`) or says what DuckDB is to read (`relation`)."""

    kind = "source"
    __test__: ClassVar[bool] = False

    def test_tables_are_named(self, case: SourceCase) -> None:
        """`tables()` gives a list of `Table`, each under a name of its own, and the table of the case among them."""
        with case.made() as source:
            found = source.tables()
        assert isinstance(found, list | tuple), f"`tables` gave {type(found).__name__}"
        assert all(isinstance(each, Table) for each in found), "`tables` gave something that is no `Table`"
        names = [each.name for each in found]
        assert all(names), "a table has no name"
        assert len(names) == len(set(names)), f"two tables have one name: {sorted(names)}"
        assert case.table in names, f"`{case.table}` is not among the tables: {sorted(names)}"

    def test_columns_have_types(self, case: SourceCase) -> None:
        """Types of columns are those of DuckDB: `VARCHAR`, `DECIMAL(18,2)`, `TIMESTAMPTZ`."""
        with case.made() as source:
            found = {f"{t.name}.{column}": kind for t in _tables(source) for column, kind in t.columns.items()}
        wrong = {column: kind for column, kind in found.items() if not (isinstance(kind, str) and is_type(kind))}
        assert not wrong, f"these are no types: {wrong}"

    def test_rows_have_the_columns_that_were_announced(self, case: SourceCase) -> None:
        """Where `tables()` names the columns of a table, its rows have these columns and no others."""
        with case.made() as source:
            announced = next((t.columns for t in _tables(source) if t.name == case.table), {})
            if announced:
                assert sorted(rows_of(source, case).column_names) == sorted(announced)

    def test_the_table_can_be_read(self, case: SourceCase) -> None:
        """The table of the case has rows, which come as Arrow, or as files or a database that DuckDB reads."""
        with case.made() as source:
            rows = rows_of(source, case)
        assert rows.num_columns, "the table has no columns"
        assert rows.num_rows, "the table has no rows; the case needs one that has some"

    def test_it_can_be_read_again(self, case: SourceCase) -> None:
        """A table that was read can be read again, and is the same."""
        with case.made() as source:
            first, second = (sorted(map(repr, _values(rows_of(source, case)))) for _ in range(2))
        assert first == second, "the second reading gave other rows"

    def test_columns_that_are_wanted_are_advice(self, case: SourceCase) -> None:
        """With fewer columns wanted, these come at least, and all rows come."""
        with case.made() as source:
            every = rows_of(source, case)
            wanted = every.column_names[:1]
            some = rows_of(source, case, tuple(wanted))
        assert set(wanted) <= set(some.column_names), f"the column {wanted[0]!r} is missing"
        assert some.num_rows == every.num_rows, "rows are missing"

    def test_a_table_that_is_not_there_is_said(self, case: SourceCase) -> None:
        """A table that is not there is a `SourceError` that names it, with the code `unknown_table`, or of files `missing_file`, and a hint."""
        with case.made() as source:
            error = self.refused(source)
        assert error.code in ("unknown_table", "missing_file"), f"the code is `{error.code}`"
        assert NOWHERE in error.message, "the message does not name the table"
        assert error.hint, "there is no hint"

    def refused(self, source: Any) -> SourceError:  # noqa: ANN401
        """Ask for a table that is not there."""
        with pytest.raises(SourceError) as caught:
            read(source, Scan(NOWHERE))
        return caught.value

    def test_secrets_are_not_said(self, case: SourceCase) -> None:
        """Neither the source nor its errors say a secret."""
        config, plugins = settings_of(case.plugin, case.settings, case.root)
        source = case.plugin(config, SourceContext("case", case.root))
        said = [repr(source), str(source), repr(config)]
        try:
            read(source, Scan(NOWHERE))
        except KpiError as error:
            said += [str(error), repr(error)]
        finally:
            if hasattr(source, "close"):
                source.close()
        assert not any(said_secrets(plugins, each) for each in said), "a secret was said"

    def test_it_may_be_closed_twice(self, case: SourceCase) -> None:
        """`close()` may be called twice, and of a source that was never asked anything."""
        config, _ = settings_of(case.plugin, case.settings, case.root)
        source = case.plugin(config, SourceContext("case", case.root))
        for _ in range(2):
            if hasattr(source, "close"):
                source.close()

    def test_it_may_be_asked_from_another_thread(self, case: SourceCase) -> None:
        """A source that was made in one thread can be asked in another."""
        failures: list[BaseException] = []

        def ask(source: Any) -> None:  # noqa: ANN401
            try:
                source.tables()
                rows_of(source, case)
            except BaseException as error:  # noqa: BLE001 - raised again below
                failures.append(error)

        with case.made() as source:
            _tables(source)
            thread = Thread(target=ask, args=(source,))
            thread.start()
            thread.join()
        if failures:
            raise failures[0]

    def test_its_version_changes_with_its_data(self, case: SourceCase) -> None:
        """`version(table)` stays the same while the data do, is another after a change, and None where it cannot be said."""
        with case.made() as source:
            if not hasattr(source, "version"):
                return
            before = source.version(case.table)
            again = source.version(case.table)
            if case.change is not None:
                case.change()
            after = source.version(case.table)
        assert all(each is None or isinstance(each, str) for each in (before, again, after)), "a version is a text"
        assert before is None or again is None or before == again, "the version changed, and the data did not"
        assert case.change is None or after is None or after != before, "the data changed, and the version did not"

    def test_its_contract_is_of_its_columns(self, case: SourceCase) -> None:
        """`contract(table)` gives a `Contract` for columns that the table has, or for `*`, all of its rows."""
        with case.made() as source:
            if not hasattr(source, "contract"):
                return
            found = source.contract(case.table)
            known = {*rows_of(source, case).column_names, "*"}
        assert all(isinstance(each, Contract) for each in found.values()), "a term is no `Contract`"
        assert set(found) <= known, f"the table has no columns {sorted(set(found) - known)}"


def _tables(source: Any) -> list[Table]:  # noqa: ANN401
    return [each for each in source.tables() or () if isinstance(each, Table)]


def read(source: Any, scan: Scan) -> Any:  # noqa: ANN401 - a table of arro3
    """Read what a scan wants of a source, in the way the source has."""
    from arro3.core import Table as ArrowTable

    if hasattr(source, "query"):
        from kpi_engine.testing.sql import read_remote

        return read_remote(source, scan)
    if not hasattr(source, "relation"):
        return ArrowTable.from_arrow(source.scan(scan))
    found = source.relation(scan)
    assert isinstance(found, FileRelation | DatabaseRelation), f"`relation` gave {type(found).__name__}"
    return ArrowTable.from_arrow(_related(found))


def _related(found: FileRelation | DatabaseRelation) -> Any:  # noqa: ANN401
    import duckdb

    with duckdb.connect() as connection:
        if isinstance(found, DatabaseRelation):
            connection.execute(f"ATTACH '{found.path.replace(chr(39), chr(39) * 2)}' AS there (READ_ONLY)")
            name = ".".join('"' + part.replace('"', '""') + '"' for part in ("there", *found.name))
            return connection.sql(f"FROM {name}").arrow()
        reader = getattr(connection, f"read_{found.format}")
        return reader(list(found.paths)).arrow()


def _values(rows: Any) -> list[tuple[Any, ...]]:  # noqa: ANN401 - a table of arro3
    return list(zip(*(column.to_pylist() for column in rows.columns), strict=True))


def rows_of(source: Any, case: SourceCase, columns: tuple[str, ...] = ()) -> Any:  # noqa: ANN401
    """Read the table of a case."""
    return read(source, Scan(case.table, columns))
