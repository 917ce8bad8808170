"""What joins rely on: that a key stands in a dataset once, or that one row at a time is valid for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from kpi_engine.catalogue.resolved import ROWS
from kpi_engine.planning.nodes import Read
from kpi_engine.sql.joins import joined
from kpi_engine.sql.rendering import alias, where

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kpi_engine.catalogue import Belonging
    from kpi_engine.sql.rendering import Rendering

FEW = 5
"""So many examples are shown."""
ROWS_OF_KEY, KEYS = "__rows", "__keys"
"""Beside each example: how many rows it stands for, and how many such examples there are."""


def duplicates(dataset: str, rendering: Rendering) -> exp.Select:
    """Render the search for key values that stand in a dataset more than once; rows without a key join nothing."""
    keys = rendering.names.datasets[dataset].key
    many = exp.GT(this=exp.Count(this=exp.Star()), expression=exp.Literal.number(1))
    return few(_known_keys(dataset, keys, rendering), len(keys)).having(many, copy=False)


def size(dataset: str, rendering: Rendering) -> exp.Select:
    """Render the count of a dataset's rows."""
    rows = exp.alias_(exp.Count(this=exp.Star()), "rows", quoted=True)
    return exp.Select(expressions=[rows]).from_(rendering.relations.rows(dataset, ROWS), copy=False)


def overlaps(dataset: str, keys: Sequence[str], valid: tuple[str, str], rendering: Rendering) -> exp.Select:
    """Render the search for keys of which two rows are valid at one time: a row that starts before the one before it has ended."""
    start, end = (rendering.names.column(dataset, name) for name in valid)
    last = exp.Or(
        this=exp.Is(this=end, expression=exp.Null()), expression=exp.LT(this=start.copy(), expression=end.copy())
    )
    rows = _known_keys(dataset, keys, rendering)
    rows = rows.where(exp.Not(this=exp.Is(this=start.copy(), expression=exp.Null())), exp.paren(last), copy=False)
    following = exp.Window(
        this=exp.Lead(this=start.copy()),
        partition_by=[rendering.names.column(dataset, key) for key in keys],
        order=exp.Order(expressions=[exp.Ordered(this=start.copy(), nulls_first=False)]),
    )
    rows = rows.select(
        exp.alias_(end.copy(), "__end", quoted=True), exp.alias_(following, "__next", quoted=True), copy=False
    )
    before, after = (exp.column(name, quoted=True) for name in ("__end", "__next"))
    still = exp.Or(
        this=exp.Is(this=before, expression=exp.Null()), expression=exp.LT(this=after, expression=before.copy())
    )
    select = exp.Select(expressions=[exp.column(key, quoted=True) for key in keys])
    select = select.from_(exp.Subquery(this=rows, alias=alias(ROWS)), copy=False)
    select = select.where(exp.Not(this=exp.Is(this=after.copy(), expression=exp.Null())), exp.paren(still), copy=False)
    return few(select, len(keys))


def strays(claim: Belonging, rendering: Rendering) -> exp.Select:
    """Render the search for entities of several members of a dimension, with the first and the last of these; unknown is one."""
    member, entity = claim.member.tree, claim.entity.tree
    text = exp.Cast(this=exp.Paren(this=member), to=exp.DataType.build("varchar"))
    said = exp.Coalesce(this=text, expressions=[exp.Literal.string("unknown")])
    columns = {"entity": entity, "one": exp.Min(this=said), "other": exp.Max(this=said.copy())}
    select = exp.Select(expressions=[exp.alias_(tree, name, quoted=True) for name, tree in columns.items()])
    select = select.from_(rendering.relations.rows(claim.dataset, ROWS), copy=False)
    time = [claim.time.expression] if claim.time else []
    select = joined(select, Read(claim.dataset, claim.time), [*claim.expressions, *time], rendering)
    known = [
        exp.Not(this=exp.Is(this=exp.Paren(this=each), expression=exp.Null()))
        for each in (entity, *(t.tree for t in time))
    ]
    select = where(select, [*known, *(each.tree for each in claim.expressions[2:])])
    members = exp.Count(this=exp.Distinct(expressions=[member]))
    lacking = exp.Sub(this=exp.Count(this=exp.Star()), expression=exp.Count(this=member.copy()))
    unknown = exp.Case(
        ifs=[exp.If(this=exp.GT(this=lacking, expression=exp.Literal.number(0)), true=exp.Literal.number(1))],
        default=exp.Literal.number(0),
    )
    many = exp.GT(this=exp.Add(this=members, expression=unknown), expression=exp.Literal.number(1))
    return few(select, 1).having(many, copy=False)


def _known_keys(dataset: str, keys: Sequence[str], rendering: Rendering) -> exp.Select:
    columns = [rendering.names.column(dataset, key) for key in keys]
    select = exp.Select(expressions=[exp.alias_(c, key, quoted=True) for c, key in zip(columns, keys, strict=True)])
    select = select.from_(rendering.relations.rows(dataset, ROWS), copy=False)
    return select.where(
        *(exp.Not(this=exp.Is(this=column.copy(), expression=exp.Null())) for column in columns), copy=False
    )


def few(select: exp.Select, columns: int, *, commonest: bool = False) -> exp.Select:
    """Group rows by their first columns; give a few of the groups, how many rows each has, and how many groups there are."""
    numbers = [exp.Literal.number(n + 1) for n in range(columns)]
    rows, groups = (exp.Count(this=exp.Star()) for _ in range(2))
    select = select.select(
        exp.alias_(rows, ROWS_OF_KEY, quoted=True),
        exp.alias_(exp.Window(this=groups), KEYS, quoted=True),
        copy=False,
    )
    order = [exp.Ordered(this=exp.column(ROWS_OF_KEY, quoted=True), desc=True)] if commonest else []
    return select.group_by(*numbers, copy=False).order_by(*order, *numbers, copy=False).limit(FEW, copy=False)
