"""Align and Derive: summaries side by side on one frame, formulas over them, then having, order and limit."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal

from sqlglot import exp

from kpi_engine.formula.trees import column, double, identifier, integer, is_double, named, rewriting, rewritten
from kpi_engine.planning.shaping import EARLIER
from kpi_engine.planning.summaries import reach_table
from kpi_engine.sql.parts import CELL
from kpi_engine.sql.rendering import PERIOD_NUMBER, Constants, constants, dimension
from kpi_engine.sql.summarise import summarise

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kpi_engine.formula.trees import Change
    from kpi_engine.planning.nodes import Align, Derive, Sort, Summarise
    from kpi_engine.sql.rendering import Rendering

FRAME = "__frame"
PERIODS = "__periods"
MEMBERS = "__members"
OBSERVED = "__observed"
PERIOD = "__period"
SUMMARY = "__summary"
"""No table of a project is likely to be called so; a common table expression would hide it."""
COUNTS = frozenset({"count", "count_distinct", "count_if"})
"""Aggregates whose value is always a finite number."""
OF_ANY_TYPE = frozenset({"min", "max", "quantile_disc"})
"""Aggregates that give one of the values, which need not be numbers."""
Kind = Literal["exact", "double", "any"]
"""What is known of a value: it is a whole or decimal number, a floating-point one, or there is nothing known."""
_PLAIN = re.compile(r"[0-9]{1,9}(\.[0-9]{1,9})?")
ARITHMETIC = (exp.Add, exp.Sub, exp.Mul, exp.Neg, exp.Paren)
"""What gives no finite number where it is given none."""


def derive(node: Derive, rendering: Rendering) -> exp.Select:
    """Render the plan of a request: its columns are the split, the period, the values shown, then the checks."""
    select = _layers(node, rendering)
    columns: list[exp.Expr] = [named(column(dimension(name)), name) for name in node.align.split]
    if node.period:
        period = _date(column(PERIOD)) if node.period_is_date else column(PERIOD)
        columns.append(named(period, node.period))
    columns += [named(_unit(column(_label(each)), each), f"{node.period}_{each}") for each in node.align.labels]
    checks = [name for name in node.values if name.startswith(("__low__", "__high__"))]
    kinds = _kinds(node)
    columns += [named(_shown(name, kinds[name]), name) for name in node.shown]
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
    if node.having:
        final = final.where(*(_finite_columns(each.tree) for each in node.having), copy=False)
    return _with(final, ctes)


def _summary(number: int) -> str:
    return f"{SUMMARY}{number}"


def _values(depth: int) -> str:
    return f"__values{depth}"


def _layers(node: Derive, rendering: Rendering) -> dict[str, exp.Expr]:
    """Give the common table expressions in order: summaries, frame, then the values, a layer for each depth."""
    ctes = _align(node.align, rendering)
    keys = [PERIOD_NUMBER, PERIOD, *map(_label, node.align.labels), *(dimension(name) for name in node.align.split)]
    depths, functions = _depths(node), _functions(node.align)
    for depth in range(max(depths.values(), default=0) + 1):
        made = _first_values(functions) if depth == 0 else _unqualified
        own = [named(made(node.values[name].tree), name) for name, d in depths.items() if d == depth]
        if depth == 0:
            carried: list[exp.Expr] = [column(key, _frame(node.align)) for key in keys]
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
    found = [each for name, depth in depths.items() if depth for each in node.values[name].nodes]
    return list({(c.table, c.name): c for c in found if isinstance(c, exp.Column) and c.table != EARLIER}.values())


def _late_name(late: exp.Column) -> str:
    return f"__{late.table}.{late.name}"


def _first_values(functions: Mapping[tuple[str, str], str]) -> Change:
    """Give what makes the values of the first layer; an aggregate that is not finite is unknown before anything is compared with it or divided by it."""

    def known(node: exp.Expr) -> exp.Expr:
        if not isinstance(node, exp.Column):
            return node
        function = functions.get((node.table, node.name), "")
        return node if function in COUNTS else _finite(node, may_be_text=function in OF_ANY_TYPE)

    all_known = rewriting(known)

    def passed_on(node: exp.Expr) -> exp.Expr:
        """Leave alone what makes the whole not finite where it is not, which is unknown in the end."""
        if isinstance(node, exp.Column):
            return node
        if isinstance(node, ARITHMETIC) or is_double(node):
            operands = {key: passed_on(each) for key, each in node.args.items() if isinstance(each, exp.Expr)}
        elif isinstance(node, exp.Div):
            operands = {"this": passed_on(node.this), "expression": all_known(node.expression)}
        elif isinstance(node, exp.Coalesce) and _is_zero_of_nothing(node.expressions):
            operands = {"this": passed_on(node.this)}
        else:
            return all_known(node)
        return type(node)(**{**node.args, **operands})

    return passed_on


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
    return rewritten(tree, lambda node: _bare(node) if isinstance(node, exp.Column) else node)


def _bare(each: exp.Column) -> exp.Column:
    return column(each.name if each.table == EARLIER else _late_name(each))


def _align(node: Align, rendering: Rendering) -> dict[str, exp.Expr]:
    ctes: dict[str, exp.Expr] = {_summary(n): summarise(s, rendering) for n, s in enumerate(node.summaries)}
    ctes[PERIODS] = _periods(node)
    if _frame(node) == PERIODS:
        return ctes
    if node.dense:
        ctes[MEMBERS] = _members(node)
        ctes[FRAME] = exp.Select(expressions=[exp.Star()]).from_(_table(PERIODS), copy=False)
        ctes[FRAME].append("joins", exp.Join(this=_table(MEMBERS), kind="CROSS"))
    else:
        ctes |= _of_every_period(node, _observed(node))
    return ctes


def _frame(node: Align) -> str:
    """Name the table of the members and periods: without members the periods are all."""
    return FRAME if node.split or not node.dense else PERIODS


def _periods(node: Align) -> exp.Expr:
    """Give the periods as rows: their number, their start, and the cell of each reach where it is not that number."""
    starts = [None if each.start is None else each.start.isoformat(sep=" ") for each in node.periods]
    cells = {name: Constants("INT", cells) for cells, name in _keys(node).items() if name != PERIOD_NUMBER}
    labels = {
        _label(grain): Constants("TIMESTAMP", [each.isoformat(sep=" ") for each in units])
        for grain, units in node.labels.items()
    }
    return constants(
        {PERIOD_NUMBER: Constants("INT", range(len(starts))), PERIOD: Constants("TIMESTAMP", starts), **labels, **cells}
    )


def _keys(node: Align) -> dict[tuple[int, ...], str]:
    """Name the column of the frame that holds the cells of a reach."""
    own = tuple(range(len(node.periods)))
    cells = dict.fromkeys(reach.cells for reach in node.reaches)
    return {each: PERIOD_NUMBER if each == own else f"k{n}" for n, each in enumerate(cells)}


def _label(grain: str) -> str:
    """Name the column of the periods that holds the unit of a grain."""
    return f"{PERIOD}_{grain}"


def _unit(start: exp.Column, grain: str) -> exp.Expr:
    return _date(start) if grain not in {"second", "minute", "hour"} else start


def _of_every_period(node: Align, observed: exp.Expr) -> dict[str, exp.Expr]:
    """Add, on request, a row of unknown members for each period in which nothing was observed."""
    if node.admits is None:
        return {FRAME: observed}
    keys = [PERIOD_NUMBER, PERIOD, *map(_label, node.labels), *_keys(node).values()]
    keys = [*dict.fromkeys(keys)]
    unknown = [named(exp.Null(), dimension(name)) for name in node.split]
    seen = exp.Select(expressions=[column(PERIOD_NUMBER)]).from_(_table(OBSERVED), copy=False)
    tests = [
        exp.Not(this=exp.In(this=column(PERIOD_NUMBER), query=exp.Subquery(this=seen))),
        *(e.tree for e in node.admits),
    ]
    others = exp.Select(expressions=[*(column(key) for key in keys), *unknown]).from_(_table(PERIODS), copy=False)
    others = others.where(*(exp.Paren(this=test) for test in tests), copy=False)
    every = exp.Select(expressions=[*(column(key) for key in keys), *(column(dimension(name)) for name in node.split)])
    return {
        OBSERVED: observed,
        FRAME: exp.union(every.from_(_table(OBSERVED), copy=False), others, distinct=False, copy=False),
    }


def _nobody(node: Align, columns: list[str]) -> exp.Select:
    """Give a frame without rows, for a request without periods."""
    nothing = [named(exp.Null(), name) for name in (*columns, *(dimension(name) for name in node.split))]
    return exp.Select(expressions=nothing).where(exp.Boolean(this=False), copy=False)


def _members(node: Align) -> exp.Expr:
    """Members are those seen in any stretch that the request touches."""
    seen = [_seen(node, n, summary) for n, summary in enumerate(node.summaries) if _full_cells(node, summary)]
    return _union(seen) if seen else _nobody(node, [])


def _seen(node: Align, number: int, summary: Summarise) -> exp.Select:
    columns = [column(dimension(name)) for name in node.split]
    select = exp.Select(expressions=columns).from_(_table(_summary(number)), copy=False).distinct(copy=False)
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
    keys = [*dict.fromkeys([PERIOD_NUMBER, PERIOD, *map(_label, node.labels), *cells.values()])]
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
    for number, reach in enumerate(node.reaches):
        table = reach_table(number)
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


def _date(tree: exp.Expr) -> exp.Expr:
    return exp.Cast(this=tree, to=exp.DataType(this=exp.DType.DATE))


def _finite(value: exp.Expr, *, may_be_text: bool = False) -> exp.Expr:
    """Never let a number out that is not one: not-a-number and infinity are unknown. The text `inf` is a text."""
    finite = exp.Anonymous(this="isfinite", expressions=[exp.TryCast(this=value, to=double())])
    kept: exp.Expr = exp.NullSafeNEQ(this=finite, expression=exp.Boolean(this=False))
    if may_be_text:
        kind = exp.Anonymous(this="typeof", expressions=[value])
        kept = exp.Or(this=exp.EQ(this=kind, expression=exp.Literal.string("VARCHAR")), expression=kept)
    return exp.Case(ifs=[exp.If(this=kept, true=value)])


def _shown(name: str, kind: Kind) -> exp.Expr:
    """Show a value; one that is not finite is unknown, and a test that cannot fail is left out."""
    value = column(name)
    if kind == "exact":
        return value
    if kind == "double":
        return exp.Case(ifs=[exp.If(this=exp.Anonymous(this="isfinite", expressions=[value]), true=value)])
    return _finite(value)


def _kinds(node: Derive) -> dict[str, Kind]:
    functions, found = _functions(node.align), dict[str, Kind]()
    for name, value in node.values.items():
        found[name] = _kind(value.tree, functions, found)
    return found


def _kind(tree: exp.Expr, functions: Mapping[tuple[str, str], str], earlier: Mapping[str, Kind]) -> Kind:
    """Say what kind of number a value is, as far as its formula shows it."""
    if isinstance(tree, exp.Column):
        is_count = functions.get((tree.table, tree.name)) in COUNTS
        return "exact" if is_count else earlier.get(tree.name, "any") if tree.table == EARLIER else "any"
    if isinstance(tree, exp.Literal):
        return "exact" if not tree.is_string and _PLAIN.fullmatch(str(tree.this)) else "any"
    if isinstance(tree, exp.Div):
        return "double"
    if isinstance(tree, exp.Paren | exp.Neg | exp.Round):
        return _kind(tree.this, functions, earlier)
    if isinstance(tree, exp.Coalesce) and all(isinstance(each, exp.Literal) for each in tree.expressions):
        kinds = {_kind(each, functions, earlier) for each in (tree.this, *tree.expressions)}
    elif isinstance(tree, exp.Add | exp.Sub | exp.Mul):
        kinds = {_kind(each, functions, earlier) for each in (tree.left, tree.right)}
    else:
        return "any"
    return "double" if "double" in kinds else "any" if "any" in kinds else "exact"


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
