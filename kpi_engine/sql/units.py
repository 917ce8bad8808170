"""The periods of a project's own unit of time, read from the dataset that holds them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from kpi_engine.catalogue.resolved import ROWS
from kpi_engine.formula.trees import integer, named

if TYPE_CHECKING:
    from kpi_engine.catalogue.units import UnitColumns
    from kpi_engine.sql.rendering import Rendering

PERIOD_COLUMNS = ("name", "first", "last", "rows", "days")
"""What is read of each period: its name, its first and last day, how many rows it has, and how many days these are."""


def periods(unit: UnitColumns, rendering: Rendering) -> exp.Select:
    """Render the reading of a unit's periods: each row is one, or the rows of each name are one."""
    if unit.day:
        day = _day(unit.day, unit, rendering)
        values: list[exp.Expr] = [exp.Min(this=day), exp.Max(this=day.copy()), exp.Count(this=exp.Star())]
        values.append(exp.Count(this=exp.Distinct(expressions=[day.copy()])))
    else:
        last = _day(unit.last, unit, rendering) if unit.last else exp.cast(exp.Null(), "date")
        values = [_day(unit.start, unit, rendering), last, integer(1), integer(1)]
    name = rendering.names.column(unit.dataset, unit.name) if unit.name else _day(unit.start, unit, rendering)
    columns = [exp.cast(name, "varchar", copy=False), *values]
    select = exp.Select(expressions=[named(each, said) for each, said in zip(columns, PERIOD_COLUMNS, strict=True)])
    select = select.from_(rendering.relations.rows(unit.dataset, ROWS), copy=False)
    if unit.day:
        select = select.group_by(integer(1), copy=False)
    return select.order_by(integer(2), integer(1), copy=False)


def _day(column: str, unit: UnitColumns, rendering: Rendering) -> exp.Expr:
    return exp.cast(rendering.names.column(unit.dataset, column), "date", copy=False)
