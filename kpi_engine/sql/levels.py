"""Levels: rows that hold from the time they were read until the entity's next reading."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from kpi_engine.calendar import shift
from kpi_engine.catalogue.resolved import ROWS
from kpi_engine.formula.trees import column, every_column, named
from kpi_engine.sql.joins import joined
from kpi_engine.sql.rendering import MAP, Constants, alias, where

if TYPE_CHECKING:
    from kpi_engine.planning.nodes import Cell, Summarise
    from kpi_engine.sql.rendering import Rendering
    from kpi_engine.sql.times import Clock

UNTIL = "__until"


def with_until(rows: exp.Expr, node: Summarise, clock: Clock, rendering: Rendering) -> exp.Expr:
    """Give each level the time of the entity's next one."""
    assert node.read.level is not None  # noqa: S101 - rows with an end are levels
    time = clock.column.expression.tree
    window = exp.Window(
        this=exp.Min(this=time),
        partition_by=[each.tree for each in node.read.level.of],
        order=exp.Order(expressions=[exp.Ordered(this=time, nulls_first=False)]),
        spec=exp.WindowSpec(kind="GROUPS", start="1", start_side="FOLLOWING", end="1", end_side="FOLLOWING"),
    )
    inner = exp.Select(expressions=[every_column(ROWS), named(window, UNTIL)]).from_(rows, copy=False)
    inner = joined(inner, node.read, [clock.column.expression], rendering)
    known = exp.Not(this=exp.Is(this=time, expression=exp.Null()))
    latest = max((cell.span.end for cell in node.cells if cell.span.end and not cell.span.is_empty), default=None)
    ends = [node.until, None if latest is None else clock.last(latest)]
    inner = where(inner, [known, *(clock.before(end) for end in ends if end is not None)])
    return exp.Subquery(this=inner, alias=alias(ROWS))


def held_at(node: Summarise, clock: Clock) -> tuple[dict[str, Constants], list[Cell], exp.Expr]:
    """Give the instants that levels are joined to, their cells, and when a level holds: after it was read, up to the reading of the next one."""
    level = node.read.level
    assert level is not None  # noqa: S101 - only levels hold at instants
    time = clock.column.expression.tree
    instant, since = column("instant", MAP), column("since", MAP)
    until = column(UNTIL, ROWS)
    still = exp.Or(
        this=exp.Is(this=until, expression=exp.Null()),
        expression=exp.GTE(this=until, expression=instant),
    )
    on = exp.and_(exp.LT(this=time, expression=instant), exp.Paren(this=still))
    cells = [each for each in node.cells if each.span.end and not each.span.is_empty]
    ends = [clock.last(cell.span.end) for cell in cells if cell.span.end]
    columns = {"instant": Constants(clock.sql_type, [clock.text(end) for end in ends])}
    if level.keep:
        columns["since"] = Constants(clock.sql_type, [clock.text(shift(end, level.keep)) for end in ends])
        on = exp.and_(on, exp.GTE(this=time, expression=since))
    return columns, cells, on
