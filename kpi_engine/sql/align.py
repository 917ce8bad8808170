"""Align: summaries side by side on one frame, members by periods, as common table expressions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from kpi_engine.calendar import GRAINS
from kpi_engine.formula.trees import column, identifier, integer, named, rewriting
from kpi_engine.planning import cohorts
from kpi_engine.planning.summaries import reach_table
from kpi_engine.sql.parts import CELL
from kpi_engine.sql.rendering import PERIOD_NUMBER, Constants, constants, dimension
from kpi_engine.sql.summarise import summarise

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from kpi_engine.formula.trees import Change
    from kpi_engine.planning.nodes import Align, Reach, Summarise
    from kpi_engine.sql.rendering import Rendering

FRAME = "__frame"
PERIODS = "__periods"
MEMBERS = "__members"
OBSERVED = "__observed"
PERIOD = "__period"
STRETCH = "__stretch"
SUMMARY = "__summary"
"""No table of a project is likely to be called so; a common table expression would hide it."""


def aligned(node: Align, rendering: Rendering) -> dict[str, exp.Expr]:
    """Give the tables of an Align in order: its summaries, then the frame."""
    ctes: dict[str, exp.Expr] = {_summary(n): summarise(s, rendering) for n, s in enumerate(node.summaries)}
    ctes[PERIODS] = _periods(node)
    if frame_table(node) == PERIODS:
        return ctes
    if node.dense and node.stretches:
        keys = [column(STRETCH, PERIODS)]
        ctes[MEMBERS] = _seen_in(node, keys, _counted_reaches(node))
        ctes[FRAME] = exp.Select(expressions=[exp.Star()]).from_(cte(PERIODS), copy=False)
        ctes[FRAME].append("joins", exp.Join(this=cte(MEMBERS), using=[identifier(STRETCH)]))
    elif node.dense:
        ctes[MEMBERS] = _members(node)
        ctes[FRAME] = exp.Select(expressions=[exp.Star()]).from_(cte(PERIODS), copy=False)
        ctes[FRAME].append("joins", exp.Join(this=cte(MEMBERS), kind="CROSS"))
    else:
        ctes |= _of_every_period(node, _observed(node))
    return ctes


def frame_table(node: Align) -> str:
    """Name the table of the members and periods: without members the periods are all."""
    return FRAME if node.split or not node.dense else PERIODS


def framing(node: Align) -> Change:
    """Give what takes members and limits of the frame from its table; where it has no limits nothing is looked into."""
    if not node.limits:
        return lambda tree: tree

    def framed(each: exp.Expr) -> exp.Expr:
        if not isinstance(each, exp.Column) or each.table != cohorts.FRAME:
            return each
        return column(dimension(each.name) if each.name in node.split else each.name, frame_table(node))

    return rewriting(framed)


def _limits(node: Align) -> list[str]:
    """Name the columns of the frame that hold its limits."""
    return [cohorts.limit_name(n) for n in range(len(node.limits))]


def _periods(node: Align) -> exp.Expr:
    """Give the periods as rows: their number, their start, and the cell of each reach where it is not that number."""
    starts = [None if each.start is None else each.start.isoformat(sep=" ") for each in node.periods]
    cells = {name: Constants("INT", cells) for cells, name in _keys(node).items() if name != PERIOD_NUMBER}
    labels = {label(grain): _units(grain, units) for grain, units in node.labels.items()}
    limits = {name: Constants("INT", node.limits[n]) for n, name in enumerate(_limits(node))}
    stretches = {STRETCH: Constants("INT", node.stretches)} if node.stretches else {}
    period = Constants("INT", node.numbers) if node.numbers else Constants("TIMESTAMP", starts)
    own = {PERIOD_NUMBER: Constants("INT", range(len(starts))), PERIOD: period}
    return constants({**own, **labels, **cells, **limits, **stretches})


def _units(grain: str, units: Sequence[datetime | str | None]) -> Constants:
    """Write the units that periods lie in: by their start, or by the name of a unit of the project's own."""
    kind = "TIMESTAMP" if grain in GRAINS else "VARCHAR"
    return Constants(kind, [None if each is None else str(each) for each in units])


def _keys(node: Align) -> dict[tuple[int, ...], str]:
    """Name the column of the frame that holds the cells of a reach."""
    own = tuple(range(len(node.periods)))
    cells = dict.fromkeys(reach.cells for reach in node.reaches)
    return {each: PERIOD_NUMBER if each == own else f"k{n}" for n, each in enumerate(cells)}


def label(grain: str) -> str:
    """Name the column of the periods that holds the unit of a grain."""
    return f"{PERIOD}_{grain}"


def _of_every_period(node: Align, observed: exp.Expr) -> dict[str, exp.Expr]:
    """Add, on request, a row of unknown members for each period in which nothing was observed."""
    if node.admits is None:
        return {FRAME: observed}
    keys = [PERIOD_NUMBER, PERIOD, *map(label, node.labels), *_keys(node).values(), *_limits(node)]
    keys = [*dict.fromkeys(keys)]
    unknown = [named(exp.Null(), dimension(name)) for name in node.split]
    seen = exp.Select(expressions=[column(PERIOD_NUMBER)]).from_(cte(OBSERVED), copy=False)
    tests = [
        exp.Not(this=exp.In(this=column(PERIOD_NUMBER), query=exp.Subquery(this=seen))),
        *(e.tree for e in node.admits),
    ]
    others = exp.Select(expressions=[*(column(key) for key in keys), *unknown]).from_(cte(PERIODS), copy=False)
    others = others.where(*(exp.Paren(this=test) for test in tests), copy=False)
    every = exp.Select(expressions=[*(column(key) for key in keys), *(column(dimension(name)) for name in node.split)])
    return {
        OBSERVED: observed,
        FRAME: exp.union(every.from_(cte(OBSERVED), copy=False), others, distinct=False, copy=False),
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
    select = exp.Select(expressions=columns).from_(cte(_summary(number)), copy=False).distinct(copy=False)
    full = _full_cells(node, summary)
    if len(full) < len(summary.cells):
        select = select.where(exp.In(this=column(CELL), expressions=[integer(n) for n in full]), copy=False)
    return select


def _full_cells(node: Align, summary: Summarise) -> list[int]:
    return [cell.id for cell in summary.cells if cell.split >= set(node.split)]


def _observed(node: Align) -> exp.Expr:
    """Keep the members and periods that have rows of their own; rows that nothing counts make none."""
    reaches = _counted_reaches(node)
    present = [each for each in reaches if each.present and not node.earlier] or reaches
    keys = dict.fromkeys([PERIOD_NUMBER, PERIOD, *map(label, node.labels), *_keys(node).values(), *_limits(node)])
    return _seen_in(node, [column(key, PERIODS) for key in keys], present)


def _whole_reaches(node: Align) -> list[Reach]:
    """Give the reaches that know whole members: none of whose cells ignores a part of the split."""
    return [r for r in node.reaches if set(_full_cells(node, node.summaries[r.summary])) >= set(r.cells)]


def _counted_reaches(node: Align) -> list[Reach]:
    """Give those of them that count their rows: the others look at rows that make no member seen."""
    return [each for each in _whole_reaches(node) if each.counts]


def _seen_in(node: Align, keys: list[exp.Column], reaches: list[Reach]) -> exp.Expr:
    """Give the members that have rows, with columns of the periods in which they have them."""
    cells = _keys(node)
    selects = []
    for reach in reaches:
        table = _summary(reach.summary)
        columns = [*keys, *(column(dimension(name), table) for name in node.split)]
        on: exp.Expr = exp.EQ(this=column(CELL, table), expression=column(cells[reach.cells], PERIODS))
        wanted = [exp.GT(this=column(f"a{n}", table), expression=integer(0)) for n in reach.counts]
        on = exp.and_(on, exp.or_(*wanted, copy=False), copy=False) if wanted else on
        select = exp.Select(expressions=columns).from_(cte(PERIODS), copy=False)
        selects.append(select.join(cte(table), on=on, copy=False).distinct(copy=False))
    return _union(selects) if selects and node.periods else _nobody(node, [key.name for key in keys])


def _union(selects: list[exp.Select]) -> exp.Expr:
    result: exp.Expr = selects[0]
    for each in selects[1:]:
        result = exp.Union(this=result, expression=each, distinct=True)
    return result


def joined_frame(select: exp.Select, node: Align) -> exp.Select:
    """Read the frame, with every aggregate in its place beside it."""
    frame, keys = frame_table(node), _keys(node)
    select = select.from_(cte(frame), copy=False)
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
        source = cte(_summary(reach.summary))
        source.set("alias", exp.TableAlias(this=identifier(table)))
        select.append("joins", exp.Join(this=source, side="LEFT", on=exp.and_(*tests, copy=False)))
    return select


def cte(name: str) -> exp.Table:
    """Name a common table expression as a table."""
    return exp.Table(this=identifier(name))


def _summary(number: int) -> str:
    return f"{SUMMARY}{number}"
