"""What a read needs of its rows: every expression over them, which members they are of, and between which times they lie."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from kpi_engine.catalogue.resolved import ROWS, VALUE
from kpi_engine.formula.trees import column, integer, named
from kpi_engine.sql.conditions import all_of
from kpi_engine.sql.joins import joined
from kpi_engine.sql.rendering import alias, where
from kpi_engine.sql.times import Clock

if TYPE_CHECKING:
    from kpi_engine.catalogue.resolved import Expr
    from kpi_engine.planning.nodes import Among, Bounds, Read, Summarise
    from kpi_engine.sql.rendering import Rendering


def bounds(node: Bounds, rendering: Rendering) -> exp.Select:
    """Render the first and last time of some rows."""
    time = node.read.time
    if time is None:
        raise ValueError(node.read.dataset)
    edges = [
        named(exp.Min(this=time.expression.tree), "first"),
        named(exp.Max(this=time.expression.tree), "last"),
    ]
    select = exp.Select(expressions=edges).from_(rendering.relations.rows(node.read.dataset, ROWS), copy=False)
    members = [each.expression for each in node.read.among]
    select = joined(select, node.read, [time.expression, *node.filter, *members], rendering)
    clock = Clock(time, rendering.zone)
    conditions = (condition.tree for condition in sorted(node.filter, key=lambda e: e.text))
    return where(select, [clock.countable(), clock.before(node.as_of), *among(node.read, rendering), *conditions])


def chosen_before(read: Read) -> bool:
    """Whether rows were chosen by the members that are kept before others were given to them."""
    return read.converted is not None and read.cohort is None


def among(read: Read, rendering: Rendering) -> list[exp.Expr]:
    """Say that a row belongs to a member that a plan below keeps; the unknown member is one like any other."""
    return [_kept(each, rendering) for each in read.among]


def _kept(members: Among, rendering: Rendering) -> exp.Expr:
    there = _exists(members, rendering.head(members.below))
    absent = all_of(members.absent)
    if absent is None:
        return there
    unseen = exp.Not(this=_exists(members, rendering.head(members.below, every=True)))
    return exp.Paren(this=exp.Or(this=there, expression=exp.and_(unseen, absent)))


def _exists(members: Among, table: exp.Table) -> exp.Exists:
    table.set("alias", alias(VALUE))
    kept = exp.Select(expressions=[integer(1)]).from_(table, copy=False)
    same = exp.NullSafeEQ(this=column(members.name, VALUE), expression=members.expression.tree)
    return exp.Exists(this=kept.where(same, copy=False))


def expressions(node: Summarise) -> list[Expr]:
    """Give all that a summary computes over its rows."""
    time = node.read.time
    filters = [f for a in node.aggregates for f in sorted(a.filter, key=lambda e: e.text)]
    arguments = [a.argument for a in node.aggregates if a.argument is not None]
    level = node.read.level.of if node.read.level else ()
    edge = node.read.edge
    looked_at = [*edge.of, *sorted(edge.filter, key=lambda e: e.text)] if edge else []
    return [
        *node.split.values(),
        *filters,
        *arguments,
        *level,
        *looked_at,
        *([] if chosen_before(node.read) else [each.expression for each in node.read.among]),
        *([node.read.top.expression] if node.read.top else []),
        *([time.expression] if time else []),
    ]
