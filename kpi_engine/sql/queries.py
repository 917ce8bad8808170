"""What a question becomes: a statement for DuckDB, and what other engines are asked for before."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sqlglot import exp

from kpi_engine.formula.trees import identifier, sql

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping


KEPT = "__kept"


@dataclass(frozen=True)
class Transfer:
    """What one source is asked for, and the table that its answer becomes here.

    The source without a name is DuckDB itself. `dataset` is there where rows travel, and `reason` says why these and not their aggregates.
    """

    source: str
    dialect: str
    statement: str
    table: str
    dataset: str = ""
    reason: str = ""
    count: str = ""
    """The statement that counts the rows that would travel."""
    shown: str = ""
    """The statement, laid out for people."""
    columns: tuple[str, ...] = ()
    """The columns that the answer of another engine is to have."""


@dataclass(frozen=True)
class Query:
    """A statement for DuckDB, after what it needs of other engines has travelled."""

    statement: str
    transfers: tuple[Transfer, ...] = ()
    reads: Mapping[str, Use] = field(default_factory=dict)
    """Of the tables that a source gives as a stream of rows, by their names here: what is read of each."""
    keeping: str = ""
    """Where there are such: the statement that keeps the answer as a table, `KEPT`, until it is replaced."""


@dataclass(frozen=True)
class Use:
    """What a statement reads of a table: the columns, in small letters, or None for all of them; and how often."""

    columns: frozenset[str] | None
    times: int


def query_of(
    tree: exp.Expr, streams: Collection[str] = (), transfers: tuple[Transfer, ...] = (), *, pretty: bool = False
) -> Query:
    """Write a statement; `streams` are the tables that a source gives as a stream of rows."""
    text, reads = sql(tree, pretty=pretty), uses(tree, streams) if streams else {}
    return Query(text, transfers, reads, _keeping(tree) if reads else "")


def kept_answer() -> str:
    """Write the statement that reads an answer that was kept."""
    return sql(exp.Select(expressions=[exp.Star()]).from_(exp.Table(this=identifier(KEPT)), copy=False))


def _keeping(tree: exp.Expr) -> str:
    kept = exp.Properties(expressions=[exp.TemporaryProperty()])
    return sql(
        exp.Create(this=exp.Table(this=identifier(KEPT)), kind="TABLE", expression=tree, replace=True, properties=kept)
    )


def uses(tree: exp.Expr, streams: Collection[str]) -> dict[str, Use]:
    """Say what a statement reads of some tables, by their names: all columns where a `*` may stand for them."""
    names = frozenset(name.casefold() for name in names_in(tree))
    found: dict[str, Use] = {}
    for table in tree.find_all(exp.Table):
        if table.name in streams:
            before = found.get(table.name, Use(names, 0))
            is_named = before.columns is not None and not _is_whole(table, names)
            found[table.name] = Use(names if is_named else None, before.times + 1)
    return found


def names_in(tree: exp.Expr) -> set[str]:
    """Name every column that stands anywhere in a statement, as a column or as a key of `using`."""
    found = {each.name for each in tree.find_all(exp.Column) if not isinstance(each.this, exp.Star)}
    for join in tree.find_all(exp.Join):
        found |= {each.name for each in join.args.get("using") or ()}
    return found


def _is_whole(table: exp.Table, names: Collection[str]) -> bool:
    """Whether a statement may read columns of a table without naming them: by a `*`, a natural join, or as a row."""
    select = table.find_ancestor(exp.Select)
    if select is None or table.alias_or_name.casefold() in names:
        return True
    stars = (each for each in select.find_all(exp.Star) if not isinstance(each.parent, exp.Count))
    return any(stars) or any(join.args.get("method") == "NATURAL" for join in select.find_all(exp.Join))
