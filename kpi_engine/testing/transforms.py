"""The rules of a transform."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from kpi_engine.api import DataError
from kpi_engine.catalogue.declared import is_type
from kpi_engine.testing.common import ClassKit, settings_of


@dataclass(frozen=True)
class TransformCase:
    """A transform with options that work. `rows` are some of the dataset below: a table of Arrow, with the columns that it needs."""

    plugin: type[Any]
    rows: Any
    settings: Mapping[str, Any] = field(default_factory=dict)

    def made(self) -> Any:  # noqa: ANN401
        """Make the transform as the engine does."""
        config, _ = settings_of(self.plugin, self.settings, Path())
        return self.plugin(config)

    def given(self) -> Any:  # noqa: ANN401 - a table of arro3
        """Give the rows with the columns that the transform needs, in its order, as the engine does."""
        from arro3.core import Table

        return Table.from_arrow(self.rows).select(list(self.made().needs())).combine_chunks()


class TransformKit(ClassKit):
    """The rules of a transform."""

    kind = "transform"
    __test__: ClassVar[bool] = False

    def test_it_says_what_it_needs(self, case: TransformCase) -> None:
        """`needs()` gives a list of columns, each once, and the rows of the case have them."""
        from arro3.core import Table

        needed = case.made().needs()
        assert isinstance(needed, list | tuple), f"`needs` gave {type(needed).__name__}"
        assert len(needed) == len(set(needed)), "a column is needed twice"
        lacking = set(needed) - set(Table.from_arrow(case.rows).column_names)
        assert not lacking, f"the rows of the case have no {sorted(lacking)}"

    def test_its_columns_have_types(self, case: TransformCase) -> None:
        """`columns()` gives the type of each column in DuckDB's words; empty is that of the column below, or not known."""
        made = case.made()
        found = made.columns()
        assert isinstance(found, dict), f"`columns` gave {type(found).__name__}"
        assert found, "there are no columns"
        wrong = [name for name, kind in found.items() if kind and not is_type(kind)]
        assert not wrong, f"these have no type: {wrong}"

    def test_it_gives_what_it_announced(self, case: TransformCase) -> None:
        """`apply` gives the columns that `columns()` announced, and no others."""
        assert sorted(self.applied(case).column_names) == sorted(case.made().columns())

    def test_values_are_of_the_type_announced(self, case: TransformCase) -> None:
        """Each value is of its column's type, or can be read as it without loss."""
        import duckdb

        made = self.applied(case)
        with duckdb.connect() as connection:
            connection.register("made", made)
            for name, kind in case.made().columns().items():
                column = '"' + name.replace('"', '""') + '"'
                if kind and is_type(kind):
                    query = (
                        f"SELECT count(*) FROM made WHERE {column} IS NOT NULL AND TRY_CAST({column} AS {kind}) IS NULL"
                    )
                    (lost,) = connection.execute(query).fetchone() or (0,)
                    assert not lost, f"{lost} values of `{name}` are no {kind}"

    def test_it_gives_the_same_again(self, case: TransformCase) -> None:
        """The same rows give the same result, also in the same object."""
        made, rows = case.made(), case.given()
        assert values(made.apply(rows)) == values(made.apply(rows)) == values(case.made().apply(rows))

    def test_no_rows_are_no_failure(self, case: TransformCase) -> None:
        """Without rows it gives none, with its columns; or it says in a `DataError` why it needs some."""
        try:
            found = case.made().apply(case.given().slice(0, 0))
        except DataError:
            return
        assert names(found) == names(self.applied(case))

    def test_unknown_values_are_no_failure(self, case: TransformCase) -> None:
        """Values that are unknown give a result, or a `DataError` that says what is wrong with them."""
        import duckdb
        from arro3.core import Table

        given = case.given()
        with duckdb.connect() as connection:
            connection.register("given", given)
            nothing = ", ".join(f'NULL AS "{name.replace(chr(34), chr(34) * 2)}"' for name in given.column_names)
            rows = Table.from_arrow(connection.sql(f"SELECT * FROM given UNION ALL SELECT {nothing}")).combine_chunks()
            try:
                case.made().apply(rows)
            except DataError as error:
                assert error.message, "the error says nothing"

    def applied(self, case: TransformCase) -> Any:  # noqa: ANN401 - a table of arro3
        """Apply the transform to the rows of the case."""
        from arro3.core import Table

        return Table.from_arrow(case.made().apply(case.given()))


def names(rows: Any) -> list[str]:  # noqa: ANN401 - anything that speaks Arrow
    """Name the columns, in alphabetical order."""
    from arro3.core import Table

    return sorted(Table.from_arrow(rows).column_names)


def values(rows: Any) -> list[str]:  # noqa: ANN401 - anything that speaks Arrow
    """Give the rows in an order of their own, to be compared."""
    from arro3.core import Table

    table = Table.from_arrow(rows)
    return sorted(map(repr, zip(*(column.to_pylist() for column in table.columns), strict=True)))
