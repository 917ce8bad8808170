"""Align and Derive: summaries side by side on one frame, formulas over them, then having, order and limit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from kpi_engine.formula.trees import column, identifier, integer, named, rewritten
from kpi_engine.planning.planner import EARLIER
from kpi_engine.planning.summaries import reach_table
from kpi_engine.sql.summarise import CELL, PERIOD_NUMBER, Rendering, dimension, summarise, values_table

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kpi_engine.catalogue import Expr
    from kpi_engine.planning.nodes import Align, Derive, Sort, Summarise

FRAME = "__frame"
PERIODS = "__periods"
MEMBERS = "__members"
PERIOD = "__period"
SUMMARY = "__summary"
"""No table of a project is likely to be called so; a common table expression would hide it."""


def derive(node: Derive, rendering: Rendering) -> exp.Select:
    """Render the plan of a request: its columns are the split, the period, the values shown, then the checks."""
    select = _layers(node, rendering)
    columns: list[exp.Expr] = [named(column(dimension(name)), name) for name in node.align.split]
    if node.period:
        period = exp.cast(column(PERIOD), "date", copy=False) if node.period_is_date else column(PERIOD)
        columns.append(named(period, node.period))
    checks = [name for name in node.values if name.startswith(("__low__", "__high__"))]
    columns += [named(_finite(column(name)), name) for name in node.shown]
    columns += [column(name) for name in checks]
    last = _last(select)
    final = exp.Select(expressions=columns).from_(_table(last), copy=False)
    if node.having:
        final = final.where(*(_finite_columns(each.tree) for each in node.having), copy=False)
    if node.order:
        final = final.order_by(*(_ordered(sort, node) for sort in node.order), copy=False)
    if node.limit is not None:
        final = final.limit(node.limit, copy=False)
    return _with(final, select)


def below(node: Derive, rendering: Rendering) -> exp.Select:
    """Render a plan that another one reads: its columns are the number of the period, the split, and the values."""
    ctes = _layers(node, rendering)
    columns = [named(column(PERIOD_NUMBER), PERIOD_NUMBER)]
    columns += [named(column(dimension(name)), name) for name in node.align.split]
    columns += [named(column(name), name) for name in node.shown]
    final = exp.Select(expressions=columns).from_(_table(_last(ctes)), copy=False)
    return _with(final, ctes)


def _summary(number: int) -> str:
    return f"{SUMMARY}{number}"


def _values(depth: int) -> str:
    return f"__values{depth}"


def _layers(node: Derive, rendering: Rendering) -> dict[str, exp.Expr]:
    """Give the common table expressions in order: summaries, frame, then the values, a layer for each depth."""
    ctes = _align(node.align, rendering)
    carried: list[exp.Expr] = [
        column(key, _frame(node.align)) for key in (PERIOD_NUMBER, PERIOD, *map(dimension, node.align.split))
    ]
    depths = _depths(node)
    for depth in range(max(depths.values(), default=0) + 1):
        own = [named(_value(node.values[name], depth), name) for name, d in depths.items() if d == depth]
        if depth == 0:
            carried += [named(late, _late_name(late)) for late in _late(node, depths)]
            select = _joined_frame(exp.Select(expressions=[*carried, *own]), node.align)
        else:
            star = exp.Select(expressions=[exp.Star(), *own])
            select = star.from_(_table(_values(depth - 1)), copy=False)
        ctes[_values(depth)] = select
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
    found = [each for name, depth in depths.items() if depth for each in node.values[name].tree.find_all(exp.Column)]
    return list({(c.table, c.name): c for c in found if c.table != EARLIER}.values())


def _late_name(late: exp.Column) -> str:
    return f"__{late.table}.{late.name}"


def _value(value: Expr, depth: int) -> exp.Expr:
    return _unqualified(value.tree) if depth else value.tree


def _unqualified(tree: exp.Expr) -> exp.Expr:
    """Take columns from the layer below, where they stand under their own name or, those of summaries, under a longer one."""

    def bare(node: exp.Expr) -> exp.Expr:
        if not isinstance(node, exp.Column):
            return node
        return column(node.name if node.table == EARLIER else _late_name(node))

    return rewritten(tree, bare)


def _align(node: Align, rendering: Rendering) -> dict[str, exp.Expr]:
    ctes: dict[str, exp.Expr] = {_summary(n): summarise(s, rendering) for n, s in enumerate(node.summaries)}
    ctes[PERIODS] = _periods(node)
    if _frame(node) == PERIODS:
        return ctes
    if node.dense:
        ctes[MEMBERS] = _members(node)
        ctes[FRAME] = (
            exp.Select(expressions=[exp.Star()])
            .from_(_table(PERIODS), copy=False)
            .join(_table(MEMBERS), join_type="cross", copy=False)
        )
    else:
        ctes[FRAME] = _observed(node)
    return ctes


def _frame(node: Align) -> str:
    """Name the table of the members and periods: without members the periods are all."""
    return FRAME if node.split or not node.dense else PERIODS


def _periods(node: Align) -> exp.Expr:
    """Give the periods as rows: their number, their start, and the cell of each reach where it is not that number."""
    keys = {name: cells for cells, name in _keys(node).items() if name != PERIOD_NUMBER}
    tuples = [
        exp.Tuple(expressions=[integer(n), _moment(bucket.start), *(integer(cells[n]) for cells in keys.values())])
        for n, bucket in enumerate(node.periods)
    ]
    nothing = exp.Tuple(expressions=[integer(0), exp.Null(), *(integer(0) for _ in keys)])
    values = values_table(tuples or [nothing], "p", [PERIOD_NUMBER, PERIOD, *keys])
    start = exp.Cast(this=column(PERIOD), to=exp.DataType(this=exp.DType.TIMESTAMP))
    select = exp.Select(expressions=[column(PERIOD_NUMBER), named(start, PERIOD), *map(column, keys)])
    select = select.from_(values, copy=False)
    return select if tuples else select.where(exp.Boolean(this=False), copy=False)


def _keys(node: Align) -> dict[tuple[int, ...], str]:
    """Name the column of the frame that holds the cells of a reach."""
    own = tuple(range(len(node.periods)))
    cells = dict.fromkeys(reach.cells for reach in node.reaches)
    return {each: PERIOD_NUMBER if each == own else f"k{n}" for n, each in enumerate(cells)}


def _nobody(node: Align, columns: list[str]) -> exp.Select:
    """Give a frame without rows, for a request without periods."""
    nothing = [named(exp.Null(), name) for name in (*columns, *(dimension(name) for name in node.split))]
    return exp.Select(expressions=nothing).where(exp.Boolean(this=False), copy=False)


def _moment(moment) -> exp.Expr:  # type: ignore[no-untyped-def]  # noqa: ANN001 - a datetime, or None without a period
    if moment is None:
        return exp.Null()
    return exp.Literal.string(moment.isoformat(sep=" "))


def _members(node: Align) -> exp.Expr:
    """Members are those seen in any stretch that the request touches."""
    seen = [_seen(node, n, summary) for n, summary in enumerate(node.summaries) if _full_cells(node, summary)]
    return _union(seen) if seen else _nobody(node, [])


def _seen(node: Align, position: int, summary: Summarise) -> exp.Select:
    columns = [column(dimension(name)) for name in node.split]
    select = exp.Select(expressions=columns).from_(_table(_summary(position)), copy=False).distinct(copy=False)
    full = _full_cells(node, summary)
    if len(full) < len(summary.cells):
        select = select.where(exp.In(this=column(CELL), expressions=[integer(n) for n in full]), copy=False)
    return select


def _full_cells(node: Align, summary: Summarise) -> list[int]:
    return [cell.id for cell in summary.cells if cell.split >= set(node.split)]


def _observed(node: Align) -> exp.Expr:
    """Keep the members and periods that have rows of their own."""
    reaches = [
        (n, r) for n, r in enumerate(node.reaches) if set(_full_cells(node, node.summaries[r.summary])) >= set(r.cells)
    ]
    present = [(n, r) for n, r in reaches if r.present and not node.earlier] or reaches
    cells = _keys(node)
    keys = [*dict.fromkeys([PERIOD_NUMBER, PERIOD, *cells.values()])]
    selects = []
    for _, reach in present:
        table = _summary(reach.summary)
        columns = [
            *(column(key, PERIODS) for key in keys),
            *(column(dimension(name), table) for name in node.split),
        ]
        on: exp.Expr = exp.EQ(this=column(CELL, table), expression=column(cells[reach.cells], PERIODS))
        wanted = [exp.GT(this=column(f"a{n}", table), expression=integer(0)) for n in reach.counts]
        on = exp.and_(on, exp.or_(*wanted, copy=False), copy=False) if wanted else on
        select = exp.Select(expressions=columns).from_(_table(PERIODS), copy=False)
        selects.append(select.join(_table(table), on=on, copy=False).distinct(copy=False))
    return _union(selects) if selects and node.periods else _nobody(node, keys)


def _union(selects: list[exp.Select]) -> exp.Expr:
    result: exp.Expr = selects[0]
    for each in selects[1:]:
        result = exp.Union(this=result, expression=each, distinct=True)
    return result


def _joined_frame(select: exp.Select, node: Align) -> exp.Select:
    frame, keys = _frame(node), _keys(node)
    select = select.from_(_table(frame), copy=False)
    for position, reach in enumerate(node.reaches):
        table = reach_table(position)
        tests: list[exp.Expr] = [exp.EQ(this=column(CELL, table), expression=column(keys[reach.cells], frame))]
        split = (
            next(cell.split for cell in node.summaries[reach.summary].cells if cell.id == reach.cells[0])
            if reach.cells
            else frozenset()
        )
        tests += [
            exp.NullSafeEQ(this=column(dimension(name), table), expression=column(dimension(name), frame))
            for name in node.split
            if name in split
        ]
        source = _table(_summary(reach.summary))
        source.set("alias", exp.TableAlias(this=identifier(table)))
        select.append("joins", exp.Join(this=source, side="LEFT", on=exp.and_(*tests, copy=False)))
    return select


def _table(name: str) -> exp.Table:
    return exp.Table(this=identifier(name))


def _finite(value: exp.Column) -> exp.Expr:
    """Never let a number out that is not one: not-a-number and infinity are unknown."""
    double = exp.TryCast(this=value, to=exp.DataType(this=exp.DType.DOUBLE))
    finite = exp.Anonymous(this="isfinite", expressions=[double])
    test = exp.NullSafeNEQ(this=finite, expression=exp.Boolean(this=False))
    return exp.Case(ifs=[exp.If(this=test, true=value)])


def _finite_columns(tree: exp.Expr) -> exp.Expr:
    """Let a condition on values see what is shown of them."""
    return rewritten(_unqualified(tree), lambda node: _finite(node) if isinstance(node, exp.Column) else node)


def _ordered(sort: Sort, node: Derive) -> exp.Ordered:
    name = sort.column
    if name in node.align.split:
        name = dimension(name)
    elif name == node.period:
        name = PERIOD
    return exp.Ordered(this=column(name), desc=sort.descending, nulls_first=False)


def _last(ctes: dict[str, exp.Expr]) -> str:
    return next(reversed(ctes))


def _with(select: exp.Select, ctes: dict[str, exp.Expr]) -> exp.Select:
    """Summaries are computed once, whoever reads them."""
    made = [
        exp.CTE(
            this=query,
            alias=exp.TableAlias(this=identifier(name)),
            materialized=True if name.startswith(SUMMARY) else None,
        )
        for name, query in ctes.items()
    ]
    select.set("with_", exp.With(expressions=made))
    return select
