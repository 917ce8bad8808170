"""What the language promises and SQL does not, made explicit in the expressions of a plan before they are rendered."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from sqlglot import exp

from kpi_engine.catalogue.resolved import Expr
from kpi_engine.formula.trees import as_double, integer, rewritten

if TYPE_CHECKING:
    from kpi_engine.planning.nodes import Aggregate, Bounds, Derive, Read, Summarise


_IMPLICIT = frozenset({exp.Div, exp.Ln, exp.Log, exp.Sqrt})
"""What is written out: divisions, and functions that have no value for some numbers."""


def lowered_plan(plan: Derive) -> Derive:
    """Make division exact and safe, and functions unknown outside their domain, in a plan and those below it."""
    summaries = tuple(map(_summary, plan.align.summaries))
    return replace(
        plan,
        align=replace(plan.align, summaries=summaries),
        values={name: _expr(value) for name, value in plan.values.items()},
        having=tuple(map(_expr, plan.having)),
    )


def lowered_bounds(plan: Bounds) -> Bounds:
    """Do the same in the plan that finds the first and the last time of some rows."""
    return replace(plan, read=_read(plan.read), filter=frozenset(map(_expr, plan.filter)))


def _read(read: Read) -> Read:
    time, level, below = read.time, read.level, read.below
    return replace(
        read,
        time=time and replace(time, expression=_expr(time.expression)),
        level=level and replace(level, of=tuple(map(_expr, level.of))),
        below=below and lowered_plan(below),
    )


def lowered(tree: exp.Expr) -> exp.Expr:
    """Lower one tree."""
    return rewritten(tree, finish=_explicit)


def _summary(node: Summarise) -> Summarise:
    split = {name: _expr(each) for name, each in node.split.items()}
    return replace(node, read=_read(node.read), split=split, aggregates=tuple(map(_aggregate, node.aggregates)))


def _aggregate(aggregate: Aggregate) -> Aggregate:
    argument = aggregate.argument and _expr(aggregate.argument)
    return replace(aggregate, argument=argument, filter=frozenset(map(_expr, aggregate.filter)))


def _expr(each: Expr) -> Expr:
    return each if _IMPLICIT.isdisjoint(each.kinds) else Expr(lowered(each.tree))


def _explicit(node: exp.Expr) -> exp.Expr:
    if type(node) not in _IMPLICIT:
        return node
    return _exact(node) if isinstance(node, exp.Div) else _in_domain(node)


def _exact(division: exp.Div) -> exp.Expr:
    """1 / 2 is 0.5, and anything divided by nothing is unknown."""
    under = exp.Nullif(this=as_double(division.expression), expression=integer(0))
    return exp.Div(**{**division.args, "this": as_double(division.this), "expression": under})


def _in_domain(node: exp.Expr) -> exp.Expr:
    argument = node.expression if isinstance(node, exp.Log) and node.expression is not None else node.this
    inside = exp.GTE if isinstance(node, exp.Sqrt) else exp.GT
    call = exp.Anonymous(this="log10", expressions=[argument]) if isinstance(node, exp.Log) else node
    known = inside(this=exp.Paren(this=argument), expression=integer(0))
    return exp.Case(ifs=[exp.If(this=known, true=call)])
