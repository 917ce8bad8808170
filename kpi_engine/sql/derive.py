"""Align and Derive: summaries side by side on one frame, formulas over them, then having, order and limit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from kpi_engine.planning.shaping import EARLIER
from kpi_engine.planning.summaries import reach_table
from kpi_engine.sql.lowering import lowered
from kpi_engine.sql.parts import CELL
from kpi_engine.sql.rendering import Constants, constants, dimension
from kpi_engine.sql.summarise import PERIOD_NUMBER, summarise

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kpi_engine.catalogue import Expr
    from kpi_engine.planning.nodes import Align, Derive, Sort, Summarise
    from kpi_engine.sql.rendering import Rendering

FRAME = "__frame"
PERIODS = "__periods"
MEMBERS = "__members"
PERIOD = "__period"
SUMMARY = "__summary"
"""No table of a project is likely to be called so; a common table expression would hide it."""
COUNTS = frozenset({"count", "count_distinct", "count_if"})
"""Aggregates whose value is always a finite number."""
OF_ANY_TYPE = frozenset({"min", "max", "quantile_disc"})
"""Aggregates that give one of the values, which need not be numbers."""
ARITHMETIC = (exp.Add, exp.Sub, exp.Mul, exp.Neg, exp.Paren)
"""What gives no finite number where it is given none."""


def derive(node: Derive, rendering: Rendering) -> exp.Select:
    """Render the plan of a request: its columns are the split, the period, the values shown, then the checks."""
    select = _layers(node, rendering)
    columns = [exp.alias_(_column(dimension(name)), name, quoted=True) for name in node.align.split]
    if node.period:
        period = exp.cast(_column(PERIOD), "date") if node.period_is_date else _column(PERIOD)
        columns.append(exp.alias_(period, node.period, quoted=True))
    checks = [name for name in node.values if name.startswith(("__low__", "__high__"))]
    columns += [exp.alias_(_finite(_column(name)), name, quoted=True) for name in node.shown]
    columns += [_column(name) for name in checks]
    last = _last(select)
    final = exp.Select(expressions=columns).from_(exp.to_identifier(last, quoted=True), copy=False)
    if node.having:
        final = final.where(*(_finite_columns(each.tree) for each in node.having), copy=False)
    if node.order:
        final = final.order_by(*(_ordered(sort, node) for sort in node.order), copy=False)
    if node.limit is not None:
        final = final.limit(node.limit, copy=False)
    return lowered(_with(final, select))


def below(node: Derive, rendering: Rendering) -> exp.Select:
    """Render a plan that another one reads: its columns are the number of the period, the split, and the values."""
    ctes = _layers(node, rendering)
    columns = [exp.alias_(_column(PERIOD_NUMBER), PERIOD_NUMBER, quoted=True)]
    columns += [exp.alias_(_column(dimension(name)), name, quoted=True) for name in node.align.split]
    columns += [exp.alias_(_column(name), name, quoted=True) for name in node.shown]
    final = exp.Select(expressions=columns).from_(exp.to_identifier(_last(ctes), quoted=True), copy=False)
    return _with(final, ctes)


def _summary(number: int) -> str:
    return f"{SUMMARY}{number}"


def _values(depth: int) -> str:
    return f"__values{depth}"


def _layers(node: Derive, rendering: Rendering) -> dict[str, exp.Expr]:
    """Give the common table expressions in order: summaries, frame, then the values, a layer for each depth."""
    ctes = _align(node.align, rendering)
    keys = [PERIOD_NUMBER, PERIOD, *(dimension(name) for name in node.align.split)]
    depths, functions = _depths(node), _functions(node.align)
    for depth in range(max(depths.values(), default=0) + 1):
        own = [
            exp.alias_(_value(node.values[name], depth, functions), name, quoted=True)
            for name, d in depths.items()
            if d == depth
        ]
        if depth == 0:
            carried: list[exp.Expr] = [exp.column(key, table=FRAME, quoted=True) for key in keys]
            carried += [exp.alias_(column, _late_name(column), quoted=True) for column in _late(node, depths)]
            select = _joined_frame(exp.Select(expressions=[*carried, *own]), node.align)
        else:
            star = exp.Select(expressions=[exp.Star(), *own])
            select = star.from_(exp.to_identifier(_values(depth - 1), quoted=True), copy=False)
        ctes[_values(depth)] = select
    return ctes


def _depths(node: Derive) -> dict[str, int]:
    depths: dict[str, int] = {}
    waiting = dict(node.values)
    while waiting:
        for name in list(waiting):
            needed = {c.name for c in waiting[name].tree.find_all(exp.Column) if c.table == EARLIER}
            if needed <= depths.keys():
                depths[name] = 1 + max((depths[each] for each in needed), default=-1)
                del waiting[name]
    return depths


def _late(node: Derive, depths: Mapping[str, int]) -> list[exp.Column]:
    """Find the columns of summaries that a later layer needs beside earlier values."""
    found = [
        column for name, depth in depths.items() if depth for column in node.values[name].tree.find_all(exp.Column)
    ]
    return [column.copy() for column in {(c.table, c.name): c for c in found if c.table != EARLIER}.values()]


def _late_name(column: exp.Column) -> str:
    return f"__{column.table}.{column.name}"


def _value(value: Expr, depth: int, functions: Mapping[tuple[str, str], str]) -> exp.Expr:
    """Give a value of a layer; an aggregate that is not finite is unknown before anything is compared with it or divided by it."""
    if depth or isinstance(value.tree, exp.Column):
        return _unqualified(value.tree) if depth else value.tree.copy()
    tree = value.tree.copy()
    for column in list(tree.find_all(exp.Column)):
        function = functions.get((column.table, column.name), "")
        if function not in COUNTS and not _is_passed_on(column):
            column.replace(_finite(column, may_be_text=function in OF_ANY_TYPE))
    return tree


def _is_passed_on(node: exp.Expr) -> bool:
    """Say whether what is not finite makes the whole not finite, which is unknown in the end."""
    above = node.parent
    while above is not None:
        if isinstance(above, exp.Coalesce):
            passes = node is above.this and _is_zero_of_nothing(above.expressions)
        else:
            passes = isinstance(above, ARITHMETIC) or (isinstance(above, exp.Div) and node is above.this)
        if not passes:
            return False
        node, above = above, above.parent
    return True


def _is_zero_of_nothing(others: list[exp.Expr]) -> bool:
    """Recognise the 0 that a sum over no rows is: it takes the place of no value that is there."""
    conditions = [
        case.args["ifs"][0].this for case in others if isinstance(case, exp.Case) and not case.args.get("default")
    ]
    return (
        len(conditions) == len(others) == 1
        and isinstance(conditions[0], exp.EQ)
        and isinstance(conditions[0].this, exp.Coalesce)
    )


def _functions(node: Align) -> dict[tuple[str, str], str]:
    """Say which aggregate each column of a summary holds."""
    return {
        (reach_table(number), f"a{n}"): aggregate.function
        for number, reach in enumerate(node.reaches)
        for n, aggregate in enumerate(node.summaries[reach.summary].aggregates)
    }


def _unqualified(tree: exp.Expr) -> exp.Expr:
    """Take columns from the layer below, where they stand under their own name or, those of summaries, under a longer one."""
    return tree.copy().transform(lambda node: _bare(node) if isinstance(node, exp.Column) else node)


def _bare(column: exp.Column) -> exp.Column:
    return _column(column.name if column.table == EARLIER else _late_name(column))


def _align(node: Align, rendering: Rendering) -> dict[str, exp.Expr]:
    ctes: dict[str, exp.Expr] = {_summary(n): summarise(s, rendering) for n, s in enumerate(node.summaries)}
    ctes[PERIODS] = _periods(node)
    if not node.split and node.dense:
        ctes[FRAME] = exp.Select(expressions=[exp.Star()]).from_(PERIODS, copy=False)
    elif node.dense:
        ctes[MEMBERS] = _members(node)
        ctes[FRAME] = (
            exp.Select(expressions=[exp.Star()]).from_(PERIODS, copy=False).join(MEMBERS, join_type="cross", copy=False)
        )
    else:
        ctes[FRAME] = _observed(node)
    return ctes


def _periods(node: Align) -> exp.Expr:
    starts = [None if each.start is None else each.start.isoformat(sep=" ") for each in node.periods]
    cells = {f"k{n}": Constants("INT", reach.cells) for n, reach in enumerate(node.reaches)}
    return constants(
        {PERIOD_NUMBER: Constants("INT", range(len(starts))), PERIOD: Constants("TIMESTAMP", starts), **cells}
    )


def _nobody(node: Align, columns: list[str]) -> exp.Select:
    """Give a frame without rows, for a request without periods."""
    nothing = [
        exp.alias_(exp.Null(), name, quoted=True) for name in (*columns, *(dimension(name) for name in node.split))
    ]
    return exp.Select(expressions=nothing).where(exp.Boolean(this=False), copy=False)


def _members(node: Align) -> exp.Expr:
    """Members are those seen in any stretch that the request touches."""
    seen = [_seen(node, n, summary) for n, summary in enumerate(node.summaries) if _full_cells(node, summary)]
    return _union(seen) if seen else _nobody(node, [])


def _seen(node: Align, number: int, summary: Summarise) -> exp.Select:
    columns = [_column(dimension(name)) for name in node.split]
    select = exp.Select(expressions=columns).from_(_summary(number), copy=False).distinct(copy=False)
    full = _full_cells(node, summary)
    if len(full) < len(summary.cells):
        select = select.where(exp.In(this=_column(CELL), expressions=[exp.Literal.number(n) for n in full]), copy=False)
    return select


def _full_cells(node: Align, summary: Summarise) -> list[int]:
    return [cell.id for cell in summary.cells if cell.split >= set(node.split)]


def _observed(node: Align) -> exp.Expr:
    """Keep the members and periods that have rows of their own."""
    reaches = [
        (n, r) for n, r in enumerate(node.reaches) if set(_full_cells(node, node.summaries[r.summary])) >= set(r.cells)
    ]
    present = [(n, r) for n, r in reaches if r.present and not node.earlier] or reaches
    keys = [
        exp.column(name, table=PERIODS)
        for name in (PERIOD_NUMBER, PERIOD, *(f"k{n}" for n in range(len(node.reaches))))
    ]
    selects = []
    for number, reach in present:
        table = _summary(reach.summary)
        columns = [
            *(key.copy() for key in keys),
            *(exp.column(dimension(name), table=table, quoted=True) for name in node.split),
        ]
        on: exp.Expr = exp.EQ(
            this=exp.column(CELL, table=table, quoted=True), expression=exp.column(f"k{number}", table=PERIODS)
        )
        zero = exp.Literal.number(0)
        wanted = [
            exp.GT(this=exp.column(f"a{n}", table=table, quoted=True), expression=zero.copy()) for n in reach.counts
        ]
        on = exp.and_(on, exp.or_(*wanted)) if wanted else on
        select = exp.Select(expressions=columns).from_(PERIODS, copy=False).join(table, on=on, copy=False)
        selects.append(select.distinct(copy=False))
    return _union(selects) if selects and node.periods else _nobody(node, [key.name for key in keys])


def _union(selects: list[exp.Select]) -> exp.Expr:
    result: exp.Expr = selects[0]
    for each in selects[1:]:
        result = exp.Union(this=result, expression=each, distinct=True)
    return result


def _joined_frame(select: exp.Select, node: Align) -> exp.Select:
    select = select.from_(FRAME, copy=False)
    for number, reach in enumerate(node.reaches):
        table = reach_table(number)
        tests: list[exp.Expr] = [
            exp.EQ(
                this=exp.column(CELL, table=table, quoted=True),
                expression=exp.column(f"k{number}", table=FRAME, quoted=True),
            )
        ]
        split = (
            next(cell.split for cell in node.summaries[reach.summary].cells if cell.id == reach.cells[0])
            if reach.cells
            else frozenset()
        )
        tests += [
            exp.NullSafeEQ(
                this=exp.column(dimension(name), table=table, quoted=True),
                expression=exp.column(dimension(name), table=FRAME, quoted=True),
            )
            for name in node.split
            if name in split
        ]
        source = exp.Table(
            this=exp.to_identifier(_summary(reach.summary)),
            alias=exp.TableAlias(this=exp.to_identifier(table, quoted=True)),
        )
        select = select.join(source, on=exp.and_(*tests), join_type="left", copy=False)
    return select


def _column(name: str) -> exp.Column:
    return exp.column(name, quoted=True)


def _finite(column: exp.Column, *, may_be_text: bool = False) -> exp.Expr:
    """Never let a number out that is not one: not-a-number and infinity are unknown. The text `inf` is a text."""
    as_double = exp.TryCast(this=column.copy(), to=exp.DataType.build("DOUBLE"))
    finite = exp.Anonymous(this="isfinite", expressions=[as_double])
    kept: exp.Expr = exp.NullSafeNEQ(this=finite, expression=exp.Boolean(this=False))
    if may_be_text:
        kind = exp.Anonymous(this="typeof", expressions=[column.copy()])
        kept = exp.or_(exp.EQ(this=kind, expression=exp.Literal.string("VARCHAR")), kept)
    return exp.Case().when(kept, column)


def _finite_columns(tree: exp.Expr) -> exp.Expr:
    """Let a condition on values see what is shown of them."""
    return _unqualified(tree).transform(lambda node: _finite(node) if isinstance(node, exp.Column) else node)


def _ordered(sort: Sort, node: Derive) -> exp.Ordered:
    name = sort.column
    if name in node.align.split:
        name = dimension(name)
    elif name == node.period:
        name = PERIOD
    return exp.Ordered(this=_column(name), desc=sort.descending, nulls_first=False)


def _last(ctes: dict[str, exp.Expr]) -> str:
    return next(reversed(ctes))


def _with(select: exp.Select, ctes: dict[str, exp.Expr]) -> exp.Select:
    """Summaries are computed once, whoever reads them."""
    made = [
        exp.CTE(
            this=query,
            alias=exp.TableAlias(this=exp.to_identifier(name, quoted=True)),
            materialized=True if name.startswith(SUMMARY) else None,
        )
        for name, query in ctes.items()
    ]
    select.set("with_", exp.With(expressions=made))
    return select
