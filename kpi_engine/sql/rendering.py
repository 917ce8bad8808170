"""What the rooms of SQL share: what they render with, and how tables of literals and conditions are written."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from sqlglot import exp

from kpi_engine.formula.trees import identifier, named, sql

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from zoneinfo import ZoneInfo

    from kpi_engine.catalogue.names import Names
    from kpi_engine.planning.nodes import Derive
    from kpi_engine.sql.relations import Relations


@dataclass(frozen=True)
class Rendering:
    """What rendering needs beside the plan: the names, the tables, the project's zone, and how a plan below is rendered.

    `portable` is whether it is for another engine than DuckDB: then in the simplest SQL there is. `heads` are the plans below that stand
    at the head of the statement, by their text and by what is `known` of them: once, whoever reads them.
    """

    names: Names
    relations: Relations
    zone: ZoneInfo
    below: Callable[[Derive], exp.Select]
    portable: bool = False
    heads: dict[str, exp.CTE] = field(default_factory=dict)
    known: dict[tuple[int, bool], exp.CTE] = field(default_factory=dict)

    def head(self, plan: Derive, *, every: bool = False) -> exp.Table:
        """Put a plan below at the head of the statement, unless it stands there, and give the table that it is.

        With `every`, of all its rows, whether or not they have what it wants.
        """
        if (id(plan), every) not in self.known:
            query = self.below(replace(plan, having=()) if every else plan)
            text = sql(query)
            if text not in self.heads:
                name = exp.TableAlias(this=identifier(f"{HEAD}{len(self.heads)}"))
                self.heads[text] = exp.CTE(this=query, alias=name, materialized=True)
            self.known[id(plan), every] = self.heads[text]
        return exp.Table(this=identifier(self.known[id(plan), every].alias))


def statement(rendered: Callable[[Rendering], exp.Select], rendering: Rendering) -> exp.Select:
    """Render a statement, with a rendering that is made for it and no other."""
    select = rendered(rendering)
    if rendering.heads:
        own = select.args.get("with_")
        select.set("with_", exp.With(expressions=[*rendering.heads.values(), *(own.expressions if own else ())]))
    return select


def rendering_of(names: Names, relations: Relations, zone: ZoneInfo, *, portable: bool = False) -> Rendering:
    """Give what rendering needs over some tables."""

    def below(plan: Derive) -> exp.Select:
        from kpi_engine.sql.derive import below as render

        return render(plan, made)

    made = Rendering(names, relations, zone, below, portable)
    return made


PERIOD_NUMBER = "__p"
"""The column of a plan below that holds the number of the period."""
HEAD = "__members_kept"
"""How the tables at the head of a statement begin."""
MAP = "m"
"""The table that says to which cells a row belongs."""


def dimension(name: str) -> str:
    """Name the column of a summary that holds a dimension."""
    return f"__d_{name}"


@dataclass(frozen=True)
class Constants:
    """A column of literals: numbers, truths, texts, or times as they are written for the column's type."""

    sql_type: str
    values: Sequence[int | str | None]

    def tree(self) -> exp.Expr:
        """Write the column as one text, which engines read many times faster than as many rows of `values`; texts one by one."""
        array = exp.DataType(
            this=exp.DType.ARRAY, expressions=[exp.DataType(this=exp.DType[self.sql_type])], nested=True
        )
        if self.sql_type == "VARCHAR":
            texts = [exp.Null() if value is None else exp.Literal.string(str(value)) for value in self.values]
            return exp.Explode(this=exp.Cast(this=exp.Array(expressions=texts), to=array))
        text = ", ".join("NULL" if value is None else str(value) for value in self.values)
        return exp.Explode(this=exp.Cast(this=exp.Literal.string(f"[{text}]"), to=array))


def constants(columns: Mapping[str, Constants]) -> exp.Select:
    """Give columns of literals as rows: the n-th values of all are the n-th row."""
    return exp.Select(expressions=[named(each.tree(), name) for name, each in columns.items()])


def alias(name: str) -> exp.TableAlias:
    """Name a table."""
    return exp.TableAlias(this=identifier(name))


def where(select: exp.Select, tests: list[exp.Expr]) -> exp.Select:
    """Keep the rows that every test is true for."""
    return select.where(*(bracketed(test) for test in tests), copy=False) if tests else select


def bracketed(tree: exp.Expr) -> exp.Expr:
    """Write a condition so that it may stand beside others."""
    return exp.Paren(this=tree) if isinstance(tree, exp.Or) else tree
