"""What a read needs of its rows: every expression over them, and between which times they lie."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from kpi_engine.catalogue.resolved import ROWS
from kpi_engine.formula.trees import named
from kpi_engine.sql.joins import joined
from kpi_engine.sql.rendering import where

if TYPE_CHECKING:
    from kpi_engine.catalogue.resolved import Expr
    from kpi_engine.planning.nodes import Bounds, Summarise
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
    select = joined(select, node.read, [time.expression, *node.filter], rendering)
    return where(select, [condition.tree for condition in sorted(node.filter, key=lambda e: e.text)])


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
        *(each.expression for each in node.read.among),
        *([time.expression] if time else []),
    ]
