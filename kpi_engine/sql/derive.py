"""Derive: formulas over what stands side by side on one frame, then having, order and limit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from kpi_engine.calendar import CLOCK, GRAINS
from kpi_engine.formula.trees import column, identifier, named
from kpi_engine.planning.columns import CHECKS, UNRATED
from kpi_engine.planning.nodes import top_of
from kpi_engine.planning.ranking import TOP
from kpi_engine.planning.shaping import EARLIER
from kpi_engine.sql.align import PERIOD, SUMMARY, aligned, cte, frame_table, framing, joined_frame, label
from kpi_engine.sql.finite import (
    finite_columns,
    first_values,
    functions_of,
    kinds_of,
    late_name,
    shown_value,
    unqualified,
)
from kpi_engine.sql.ranks import RANKED, first_members, ranked
from kpi_engine.sql.rendering import PERIOD_NUMBER, dimension

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kpi_engine.planning.nodes import Derive, Sort
    from kpi_engine.sql.rendering import Rendering


def derive(node: Derive, rendering: Rendering) -> exp.Select:
    """Render the plan of a request: its columns are the split, the period, the values shown, then the checks."""
    select = _chosen(node, rendering) | _layers(node, rendering)
    columns: list[exp.Expr] = [_member(name, node) for name in node.align.split if name != node.position or node.others]
    if node.period:
        period = _date(column(PERIOD)) if node.period_is_date else column(PERIOD)
        columns.append(named(period, node.period))
    columns += [named(_unit(column(label(each)), each), f"{node.period}_{each}") for each in node.align.labels]
    kinds = kinds_of(node)
    columns += [named(shown_value(name, kinds[name]), name) for name in node.shown]
    columns += [_check(name) for name in node.values if name.startswith(CHECKS)]
    last = _last(select)
    final = exp.Select(expressions=columns).from_(cte(last), copy=False)
    if node.position and not node.others:
        final = final.where(exp.Not(this=_is_others(node)), copy=False)
    if node.having:
        final = final.where(*(finite_columns(each.tree, kinds) for each in node.having), copy=False)
    if node.order:
        final = final.order_by(*(_ordered(sort, node) for sort in node.order), copy=False)
    if node.limit is not None:
        final = final.limit(node.limit, copy=False)
    return _with(final, select)


def _chosen(node: Derive, rendering: Rendering) -> dict[str, exp.Expr]:
    """Give the first members that rows are told apart by, once for all that reads them."""
    top = top_of(node)
    return {} if top is None else {TOP: first_members(top, below(top.below, rendering))}


def _member(name: str, node: Derive) -> exp.Expr:
    return named(_is_others(node) if name == node.position else column(dimension(name)), name)


def _is_others(node: Derive) -> exp.Expr:
    return exp.Is(this=column(dimension(node.position)), expression=exp.Null())


def below(node: Derive, rendering: Rendering) -> exp.Select:
    """Render a plan that another one reads: its columns are the number of the period, the split, and the values."""
    ctes = _layers(node, rendering)
    columns = [named(column(PERIOD_NUMBER), PERIOD_NUMBER)]
    columns += [named(column(dimension(name)), name) for name in node.align.split]
    columns += [named(column(name), name) for name in node.shown]
    final = exp.Select(expressions=columns).from_(cte(_last(ctes)), copy=False)
    if node.having:
        kinds = kinds_of(node)
        final = final.where(*(finite_columns(each.tree, kinds) for each in node.having), copy=False)
    return _with(final, ctes)


def _check(name: str) -> exp.Expr:
    """Show a check; a rate that is lacking in a row beyond the limit is lacking all the same."""
    if not name.startswith(UNRATED):
        return column(name)
    return named(exp.Window(this=exp.Min(this=column(name))), name)


def _values(depth: int) -> str:
    return f"__values{depth}"


def _layers(node: Derive, rendering: Rendering) -> dict[str, exp.Expr]:
    """Give the common table expressions in order: summaries, frame, then the values, a layer for each depth."""
    ctes = aligned(node.align, rendering)
    keys = [PERIOD_NUMBER, PERIOD, *map(label, node.align.labels), *(dimension(name) for name in node.align.split)]
    depths, functions = _depths(node), functions_of(node.align)
    framed = framing(node.align)
    for depth in range(max(depths.values(), default=0) + 1):
        made = first_values(functions) if depth == 0 else unqualified
        values = {name: made(node.values[name].tree) for name, d in depths.items() if d == depth}
        if depth == 0:
            carried: list[exp.Expr] = [column(key, frame_table(node.align)) for key in keys]
            carried += [named(framed(late), late_name(late)) for late in _late(node, depths)]
            own = [named(framed(tree), name) for name, tree in values.items()]
            select = joined_frame(exp.Select(expressions=[*carried, *own]), node.align)
        else:
            star = exp.Select(expressions=[exp.Star(), *(named(tree, name) for name, tree in values.items())])
            select = star.from_(cte(_values(depth - 1)), copy=False)
        ctes[_values(depth)] = select
    if node.ranks:
        ctes[RANKED] = ranked(node, _last(ctes))
    return ctes


def _depths(node: Derive) -> dict[str, int]:
    depths: dict[str, int] = {}
    waiting = dict(node.values)
    while waiting:
        for name in list(waiting):
            needed = {c.name for c in waiting[name].nodes if isinstance(c, exp.Column) and c.table == EARLIER}
            if needed <= depths.keys():
                depths[name] = 1 + max((depths[each] for each in needed), default=-1)
                del waiting[name]
    return depths


def _late(node: Derive, depths: Mapping[str, int]) -> list[exp.Column]:
    """Find the columns of summaries that a later layer needs beside earlier values."""
    found = [each for name, depth in depths.items() if depth for each in node.values[name].nodes]
    return list({(c.table, c.name): c for c in found if isinstance(c, exp.Column) and c.table != EARLIER}.values())


def _unit(start: exp.Column, grain: str) -> exp.Expr:
    return start if grain in CLOCK or grain not in GRAINS else _date(start)


def _date(tree: exp.Expr) -> exp.Expr:
    return exp.Cast(this=tree, to=exp.DataType(this=exp.DType.DATE))


def _ordered(sort: Sort, node: Derive) -> exp.Ordered:
    name = sort.column
    if name in node.align.split:
        name = dimension(name)
    elif name == node.period:
        name = PERIOD
    if sort.known:
        return exp.Ordered(this=exp.Is(this=column(name), expression=exp.Null()), desc=False, nulls_first=False)
    return exp.Ordered(this=column(name), desc=sort.descending, nulls_first=False)


def _last(ctes: dict[str, exp.Expr]) -> str:
    return next(reversed(ctes))


def _with(select: exp.Select, ctes: dict[str, exp.Expr]) -> exp.Select:
    """Summaries are computed once, whoever reads them."""
    made = [
        exp.CTE(
            this=query,
            alias=exp.TableAlias(this=identifier(name)),
            materialized=True if name.startswith((SUMMARY, TOP)) else None,
        )
        for name, query in ctes.items()
    ]
    select.set("with_", exp.With(expressions=made))
    return select
