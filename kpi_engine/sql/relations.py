"""Where a dataset's rows come from, as something to select from."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from sqlglot import exp

from kpi_engine.api import FileRelation
from kpi_engine.formula.gate import read
from kpi_engine.formula.trees import column, identifier, named, sql
from kpi_engine.sql.lowering import lowered

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from kpi_engine.definitions.models import Dataset

READERS = {"csv": "read_csv", "parquet": "read_parquet", "json": "read_json"}


@dataclass(frozen=True)
class Named:
    """A table or view by its name, with catalogue and schema where it has them: `("shop", "main", "orders")`."""

    parts: tuple[str, ...]
    is_stream: bool = False
    """Whether a source gives its rows as a stream, of which the columns that a statement names are asked for."""


@dataclass(frozen=True)
class Remote:
    """A table of a SQL source: only its own engine reads it. `reads` are expressions of its dialect, see `kpi_engine.api.Table`."""

    source: str
    dialect: str
    path: tuple[str, ...]
    columns: Mapping[str, str]
    reads: Mapping[str, str]
    lacks: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Typed:
    """Columns without rows, to learn the types of what is made of them."""

    columns: Mapping[str, str]


@dataclass(frozen=True)
class Landed:
    """Rows that travelled here, as a table whose columns become what they are."""

    name: str
    columns: Mapping[str, str]


Origin = FileRelation | Named | Remote | Typed | Landed
"""What the engine found for a table."""
Key = tuple[str, str]
"""A dataset as `("", id)`, or a table of a source as `(source, table)`."""


@dataclass(frozen=True)
class Relations:
    """The origins of all the tables that a plan reads."""

    datasets: Mapping[str, Dataset]
    origins: Mapping[Key, Origin]
    default_source: str = ""

    def source_of(self, dataset_id: str) -> str:
        """Name the source of a dataset."""
        return self.datasets[dataset_id].source or self.default_source

    @cached_property
    def streams(self) -> frozenset[str]:
        """Name the tables here that sources give as streams of rows."""
        return frozenset(each.parts[0] for each in self.origins.values() if isinstance(each, Named) and each.is_stream)

    def streams_of(self, dataset_id: str) -> tuple[str, ...]:
        """Name those of these tables that a dataset is made of."""
        found = (self.origins.get(key) for key in self.keys(dataset_id))
        return tuple(each.parts[0] for each in found if isinstance(each, Named) and each.is_stream)

    def remote(self, dataset_id: str) -> dict[Key, Remote]:
        """Give the tables of SQL sources that a dataset is made of."""
        found = {key: self.origins.get(key) for key in self.keys(dataset_id)}
        return {key: origin for key, origin in found.items() if isinstance(origin, Remote)}

    def keys(self, dataset_id: str) -> tuple[Key, ...]:
        """Name the origins that a dataset is made of: its own, or those of the tables of its query."""
        model = self.datasets[dataset_id]
        if ("", dataset_id) in self.origins or not model.sql:
            return (("", dataset_id),)
        found: dict[Key, None] = {}
        tree = read(model.sql, "query")
        own = {cte.alias for cte in tree.find_all(exp.CTE)}
        for name in dict.fromkeys(table.name for table in tree.find_all(exp.Table) if table.name not in own):
            is_dataset = name in self.datasets and name != dataset_id
            found |= dict.fromkeys(self.keys(name) if is_dataset else [(self.source_of(dataset_id), name)])
        return tuple(found)

    def typed(self) -> Relations:
        """Give the same tables, those of SQL sources as columns without rows."""
        if not any(isinstance(each, Remote) for each in self.origins.values()):
            return self
        origins = {k: Typed(each.columns) if isinstance(each, Remote) else each for k, each in self.origins.items()}
        return replace(self, origins=origins)

    def only(self, columns: Collection[str]) -> Relations:
        """Give the same tables, those of SQL sources with some of their columns; one at least."""
        origins = {k: _only(each, columns) if isinstance(each, Remote) else each for k, each in self.origins.items()}
        return replace(self, origins=origins)

    def landed(self, tables: Mapping[Key, Landed]) -> Relations:
        """Give the same tables, those that travelled in place of those of SQL sources; the others of these cannot be read here."""
        here = {key: each for key, each in self.origins.items() if not isinstance(each, Remote)}
        return replace(self, origins={**here, **tables})

    def rows(self, dataset_id: str, alias: str) -> exp.Expr:
        """Give a dataset's rows, to stand in a `from` under an alias."""
        model = self.datasets[dataset_id]
        if ("", dataset_id) not in self.origins and model.sql:
            return exp.Subquery(this=self.query(dataset_id), alias=_alias(alias))
        return relation(self.origins["", dataset_id], alias)

    def select(self, dataset_id: str, columns: Sequence[str] = ()) -> str:
        """Give the statement that reads columns of a dataset, or all of them."""
        return sql(self.read(dataset_id, columns))

    def read(self, dataset_id: str, columns: Sequence[str] = ()) -> exp.Select:
        """Give the select that reads columns of a dataset, or all of them."""
        chosen: list[exp.Expr] = [column(name) for name in columns] or [exp.Star()]
        return exp.Select(expressions=chosen).from_(self.rows(dataset_id, "r"), copy=False)

    def query(self, dataset_id: str) -> exp.Expr:
        """Give a dataset's query, regenerated, over the origins of its tables."""
        tree = read(self.datasets[dataset_id].sql, "query").copy()
        own = {cte.alias for cte in tree.find_all(exp.CTE)}
        for table in list(tree.find_all(exp.Table)):
            if table.name not in own:
                table.replace(self._table(dataset_id, table))
        return lowered(tree)

    def _table(self, dataset_id: str, table: exp.Table) -> exp.Expr:
        alias = table.alias or table.name
        if table.name in self.datasets and table.name != dataset_id:
            rows = self.rows(table.name, alias)
        else:
            rows = relation(self.origins[self.source_of(dataset_id), table.name], alias)
        if table.args.get("joins"):
            rows.set("joins", table.args["joins"])
        return rows


def select_of(expressions: Sequence[exp.Expr], rows: exp.Select) -> str:
    """Give the statement that computes expressions over rows, to learn their types."""
    columns = [named(each, f"e{number}") for number, each in enumerate(expressions)]
    return sql(exp.Select(expressions=columns).from_(rows.subquery("t"), copy=False))


def relation(origin: Origin, alias: str) -> exp.Expr:
    """Give an origin, to stand in a `from` under an alias."""
    if isinstance(origin, Named):
        return exp.Table(
            this=identifier(origin.parts[-1]),
            db=identifier(origin.parts[-2]) if len(origin.parts) > 1 else None,
            catalog=identifier(origin.parts[-3]) if len(origin.parts) > 2 else None,  # noqa: PLR2004
            alias=_alias(alias),
        )
    if isinstance(origin, Typed | Landed):
        return exp.Subquery(this=_as_typed(origin), alias=_alias(alias))
    if isinstance(origin, Remote):
        from kpi_engine.sql.dialects import rows_of

        return exp.Subquery(this=rows_of(origin), alias=_alias(alias))
    paths = exp.Array(expressions=[exp.Literal.string(path) for path in origin.paths])
    options = [exp.Kwarg(this=exp.var(name), expression=_value(value)) for name, value in origin.options.items()]
    call = exp.Anonymous(this=READERS[origin.format], expressions=[paths, *options])
    return exp.Table(this=call, alias=_alias(alias))


def _only(origin: Remote, names: Collection[str]) -> Remote:
    kept = {name: kind for name, kind in origin.columns.items() if name in names}
    return replace(origin, columns=kept or dict(list(origin.columns.items())[:1]))


def _as_typed(origin: Typed | Landed) -> exp.Select:
    """Give columns their types: of a table that is here, or of none."""
    columns = []
    for name, kind in origin.columns.items():
        value = exp.Null() if isinstance(origin, Typed) or "NULL" in kind else column(name)
        if "NULL" in kind:  # the type of what is always unknown
            columns.append(named(value, name))
            continue
        columns.append(named(exp.Cast(this=value, to=exp.DataType.build(kind, dialect="duckdb")), name))
    select = exp.Select(expressions=columns)
    if isinstance(origin, Typed):
        return select.where(exp.Boolean(this=False), copy=False)
    return select.from_(exp.Table(this=identifier(origin.name)), copy=False)


def _alias(name: str) -> exp.TableAlias:
    return exp.TableAlias(this=identifier(name))


def _value(value: Any) -> exp.Expr:  # noqa: ANN401 - what an option may be
    if isinstance(value, bool):
        return exp.Boolean(this=value)
    if isinstance(value, int | float):
        return exp.Literal.number(value) if value >= 0 else exp.Neg(this=exp.Literal.number(-value))
    if isinstance(value, list | tuple):
        return exp.Array(expressions=[_value(each) for each in value])
    if isinstance(value, dict):
        pairs = [exp.PropertyEQ(this=exp.Literal.string(key), expression=_value(each)) for key, each in value.items()]
        return exp.Struct(expressions=pairs)
    return exp.Literal.string(str(value))
