"""A plan cut where its data live: what is computed in a source, and what travels.

Problem: data live in several engines, and rows should not travel where their aggregates would do. Shape: each summary is tried as a
statement of the one source that holds all it reads, the plans below it included. Where that cannot be, the plans below it are cut in
turn, and of the tables that it reads itself the columns that are needed, and the rows that may count, are brought here. What is left
is a plan of the same four nodes over tables that are here.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from sqlglot import exp

from kpi_engine.api import FileRelation
from kpi_engine.catalogue.resolved import ROWS
from kpi_engine.formula.gate import read
from kpi_engine.formula.trees import column, identifier, named, sql
from kpi_engine.planning.nodes import top_of_read
from kpi_engine.sql.dialects import HOME, dialect_of, rows_of
from kpi_engine.sql.dialects.dialect import Unportable
from kpi_engine.sql.parts import is_flow
from kpi_engine.sql.portable import portable, write
from kpi_engine.sql.queries import Query, Transfer, names_in, query_of
from kpi_engine.sql.relations import Landed, Named, Remote
from kpi_engine.sql.rendering import rendering_of, statement
from kpi_engine.sql.summarise import answered, rows_that_count, summarise
from kpi_engine.sql.tables import tables_of_summary, tables_read_by

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from zoneinfo import ZoneInfo

    from kpi_engine.catalogue.names import Names
    from kpi_engine.planning.nodes import Derive, Read, Summarise
    from kpi_engine.sql.relations import Key, Origin, Relations
    from kpi_engine.sql.rendering import Rendering
    from kpi_engine.sql.tables import Tables

    TypesOf = Callable[[str], Mapping[str, str]]
    Rendered = Callable[[Rendering], exp.Select]


@dataclass
class Cutter:
    """Cuts one plan, or one statement, at the borders of sources."""

    names: Names
    relations: Relations
    zone: ZoneInfo
    types_of: TypesOf
    transfers: list[Transfer] = field(default_factory=list)
    reasons: dict[Key, str] = field(default_factory=dict)
    reads: dict[Key, list[list[exp.Expr] | None]] = field(default_factory=dict)
    """By table that travels: for each time it is read, which rows may count; None where all may."""

    def cut(self, plan: Derive) -> Derive:
        """Give a plan whose summaries are computed where their data live, as far as they can be."""
        summaries = tuple(map(self._summary, plan.align.summaries))
        return replace(plan, align=replace(plan.align, summaries=summaries))

    def beside(self, plan: Derive) -> Derive:
        """Give a plan whose summaries of data that are here are statements of their own, where other engines compute meanwhile."""
        if not self.transfers:
            return plan
        summaries = tuple(self._beside(each) if self._may_stand_alone(each) else each for each in plan.align.summaries)
        return replace(plan, align=replace(plan.align, summaries=summaries))

    def _over(self, relations: Relations, *, portable: bool = False) -> Rendering:
        return rendering_of(self.names, relations, self.zone, portable=portable)

    def _may_stand_alone(self, node: Summarise) -> bool:
        """Whether a summary reads nothing but what DuckDB finds by itself, and learns the types of without reading it."""
        if node.leaf is not None or top_of_read(node.read) is not None:
            return False
        keys = (
            key for dataset in _named_by(tables_of_summary(node, self.names)) for key in self.relations.keys(dataset)
        )
        return all(_is_typed_here(self.relations.origins.get(key)) for key in keys)

    def _beside(self, node: Summarise) -> Summarise:
        tree = statement(lambda rendering: summarise(node, rendering), self._over(self.relations))
        text, table = sql(tree), f"__leaf{len(self.transfers)}"
        self.transfers.append(Transfer("", HOME, text, table, shown=sql(tree, pretty=True)))
        return replace(node, leaf=(table, dict(self.types_of(text))))

    def _summary(self, node: Summarise) -> Summarise:
        datasets = _named_by(tables_of_summary(node, self.names))
        homes = self._homes(datasets)
        if homes == {""}:
            return node
        reason = "its data live in several places"
        if len(homes) == 1:
            try:
                return self._leaf(node, next(iter(self._remotes(datasets))), datasets)
            except Unportable as unportable:
                reason = f"{unportable.name} is not the same there"
        made = replace(node, read=self._read(node.read))
        for dataset in _named_by(tables_read_by(node, self.names)):
            may = self._filters(node) if dataset == node.read.dataset and self._is_plain(dataset) else None
            self._bring(dataset, reason, may)
        return made

    def _filters(self, node: Summarise) -> list[exp.Expr] | None:
        """Say which rows of a dataset may count in a summary, as far as its own columns say it; nothing where all may."""
        if not is_flow(node):
            return None
        return [each for each in rows_that_count(node, self._over(self.relations)) if _is_own(each)]

    def _is_plain(self, dataset: str) -> bool:
        return self.relations.keys(dataset) == (("", dataset),)

    def _bring(self, dataset: str, reason: str, may: list[exp.Expr] | None = None) -> None:
        for key in self.relations.remote(dataset):
            self.reasons.setdefault(key, reason)
            self.reads.setdefault(key, []).append(may)

    def _read(self, below: Read) -> Read:
        among = tuple(replace(each, below=self.cut(each.below)) for each in below.among)
        top = below.top and replace(below.top, below=self.cut(below.top.below))
        return replace(below, among=among, top=top, below=below.below and self.cut(below.below))

    def _homes(self, datasets: Iterable[str]) -> set[str]:
        """Name the sources that datasets live in; the empty name is here."""
        found: set[str] = set()
        for dataset in datasets:
            for key in self.relations.keys(dataset):
                origin = self.relations.origins.get(key)
                found.add(origin.source if isinstance(origin, Remote) else "")
        return found

    def _remotes(self, datasets: Iterable[str]) -> list[Remote]:
        return [origin for dataset in datasets for origin in self.relations.remote(dataset).values()]

    def _leaf(self, node: Summarise, home: Remote, datasets: tuple[str, ...]) -> Summarise:
        if top_of_read(node.read) is not None:
            raise Unportable("top")  # the members are chosen once for the whole plan, which is here
        table = f"__leaf{len(self.transfers)}"
        roots = [node.read.dataset, *([node.read.converted.dataset] if node.read.converted else [])]
        types = self._whole(lambda rendering: summarise(node, rendering), home, table, datasets, roots)
        return replace(node, leaf=(table, types))

    def _whole(
        self, rendered: Rendered, home: Remote, table: str, datasets: Iterable[str], roots: Iterable[str]
    ) -> Mapping[str, str]:
        """Have a statement computed by one source; give the types of its columns."""
        dialect = dialect_of(home.dialect)
        if dialect is not None and (query := next((d for d in datasets if not self._is_plain(d)), None)):
            raise Unportable(f"the query of `{query}`", said=True)
        typed = statement(rendered, self._over(self.relations.typed()))
        relations = self.relations if dialect is None else self.relations.only(names_in(typed))
        made: exp.Expr = statement(rendered, self._over(relations, portable=dialect is not None))
        if dialect is not None:
            made = portable(made, dialect, ColumnTypes(self.names, tuple(roots)), home.lacks)
        types = dict(self.types_of(sql(typed)))
        if dialect is not None:
            columns = [named(dialect.carried(kind, column(name)), name) for name, kind in types.items()]
            rows = exp.Subquery(this=made, alias=exp.TableAlias(this=identifier("__answer")))
            made = exp.Select(expressions=columns).from_(rows, copy=False)
        self._add(home, made, table)
        return types

    def _add(self, home: Remote, tree: exp.Expr, table: str, dataset: str = "", reason: str = "") -> None:
        counted = exp.Select(expressions=[named(exp.Count(this=exp.Star()), "rows")])
        counted = counted.from_(exp.Subquery(this=tree, alias=exp.TableAlias(this=identifier("__all"))), copy=False)
        self.transfers.append(
            Transfer(
                home.source,
                home.dialect,
                _text(tree, home.dialect),
                table,
                dataset,
                reason,
                _text(counted, home.dialect) if dataset else "",
                _text(tree, home.dialect, pretty=True),
                tuple(tree.named_selects) if isinstance(tree, exp.Query) else (),
            )
        )

    def whole(self, rendered: Rendered, datasets: tuple[str, ...], roots: tuple[str, ...]) -> Query:
        """Ask a question that is one statement: where its data live, if all live in one place that can answer, else here."""
        homes = self._homes(datasets)
        if homes == {""}:
            return query_of(statement(rendered, self._over(self.relations)), self.relations.streams)
        reason = "their data live in several places"
        if len(homes) == 1:
            try:
                table = "__answer0"
                types = self._whole(rendered, self._remotes(datasets)[0], table, datasets, roots)
            except Unportable as unportable:
                reason = f"{unportable.name} is not the same there"
            else:
                return Query(sql(answered(table, types)), tuple(self.transfers))
        for dataset in datasets:
            self._bring(dataset, reason)
        return self.here(rendered)

    def here(self, rendered: Rendered, *, pretty: bool = False) -> Query:
        """Render what is computed here, after the rows that it needs have travelled."""
        if not self.reads:
            rest = statement(rendered, self._over(self.relations))
            return query_of(rest, self.relations.streams, tuple(self.transfers), pretty=pretty)
        every = statement(rendered, self._over(self.relations.typed()))
        used = {name.casefold() for name in names_in(every)}
        landed = {key: self._land(key, used, number) for number, key in enumerate(self.reads)}
        rest = statement(rendered, self._over(self.relations.landed(landed)))
        return query_of(rest, self.relations.streams, tuple(self.transfers), pretty=pretty)

    def _land(self, key: Key, used: set[str], number: int) -> Landed:
        """Bring a table here: the columns that are named, and the rows that may count."""
        origin = self.relations.origins[key]
        assert isinstance(origin, Remote)  # noqa: S101 - only those travel
        if key[0]:
            used = used | self._of_queries(key)
        columns = {name: kind for name, kind in origin.columns.items() if name.casefold() in used or "*" in used}
        columns = columns or dict(list(origin.columns.items())[:1])
        table, dialect = f"__rows{number}", dialect_of(origin.dialect)
        carried: list[exp.Expr] = [column(name, ROWS) for name in columns]
        if dialect is not None:
            pairs = zip(carried, columns.items(), strict=True)
            carried = [named(dialect.carried(kind, each), name) for each, (name, kind) in pairs]
        test = self._may_count(self.reads[key], origin, key[1])
        tested = names_in(test) if test is not None else set()
        read_here = {name: kind for name, kind in origin.columns.items() if name in columns or name in tested}
        table_there = rows_of(replace(origin, columns=read_here))
        rows = exp.Select(expressions=carried).from_(
            exp.Subquery(this=table_there, alias=exp.TableAlias(this=identifier(ROWS))), copy=False
        )
        self._add(origin, rows.where(test, copy=False) if test is not None else rows, table, key[1], self.reasons[key])
        return Landed(table, columns)

    def _of_queries(self, key: Key) -> set[str]:
        """Name the columns in the queries of datasets that read a table."""
        found: set[str] = set()
        for dataset, model in self.relations.datasets.items():
            if model.sql and key in self.relations.keys(dataset):
                tree = read(model.sql, "query")
                found |= {name.casefold() for name in names_in(tree)}
                found |= {"*"} if any(not isinstance(s.parent, exp.Count) for s in tree.find_all(exp.Star)) else set()
        return found

    def _may_count(self, every: list[list[exp.Expr] | None], origin: Remote, dataset: str) -> exp.Expr | None:
        """Say which rows may count in any of the summaries; nothing where all may, or where it cannot be said there."""
        if not every or any(not tests for tests in every):
            return None
        dialect, kinds = dialect_of(origin.dialect), ColumnTypes(self.names, (dataset,))
        found: list[exp.Expr] = []
        for tests in every:
            said: list[exp.Expr] = []
            for test in tests or ():
                try:
                    said.append(portable(test, dialect, kinds, origin.lacks) if dialect else test)
                except Unportable:
                    continue
            if not said:
                return None
            found.append(exp.and_(*(exp.paren(each) for each in said)))
        return exp.or_(*(exp.paren(each) for each in found))


@dataclass(frozen=True)
class ColumnTypes:
    """Gives the types of columns of datasets in a statement, as the data have them."""

    names: Names
    roots: tuple[str, ...]

    def __call__(self, node: exp.Column) -> str | None:
        """Give the type of one; None where the statement makes the column."""
        parts = node.table.split(".")
        if parts[0] != ROWS:
            return None
        found: set[str] = set()
        for root in filter(None, self.roots):
            try:
                owner = self.names.owner(root, parts[1:])
            except KeyError:
                continue
            kind = (self.names.schema(owner) or {}).get(node.name)
            if kind is not None:
                found.add(kind)
        if len(found) > 1:
            return "of two types"
        return found.pop() if found else None


def _named_by(tables: Tables) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*tables.read, *tables.joined)))


def _is_typed_here(origin: Origin | None) -> bool:
    """Whether a table is a Parquet file, or one of a database that is attached."""
    if isinstance(origin, FileRelation):
        return origin.format == "parquet"
    return isinstance(origin, Named) and len(origin.parts) > 1


def _is_own(tree: exp.Expr) -> bool:
    return all(each.table == ROWS for each in tree.find_all(exp.Column)) and tree.find(exp.Exists) is None


def _text(tree: exp.Expr, dialect: str, *, pretty: bool = False) -> str:
    return sql(tree, pretty=pretty) if dialect == HOME else write(tree, dialect, pretty=pretty)
