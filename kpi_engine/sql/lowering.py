"""What the language promises and SQL does not, made explicit in the expressions of a plan before they are rendered."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from sqlglot import exp

from kpi_engine.catalogue.resolved import Expr
from kpi_engine.formula.records import is_lookup
from kpi_engine.formula.trees import as_double, integer, rewriting, rewritten
from kpi_engine.sql import lookups

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kpi_engine.planning.nodes import Aggregate, Among, Bounds, Converted, Derive, Read, Summarise


_IMPLICIT = frozenset({exp.Div, exp.Ln, exp.Log, exp.Sqrt})
"""What is written out: divisions, and functions that have no value for some numbers."""


def lowered_plan(plan: Derive) -> Derive:
    """Make division exact and safe, and functions unknown outside their domain, in a plan and those below it."""
    return _Lowering().plan(plan)


def lowered_bounds(plan: Bounds) -> Bounds:
    """Do the same in the plan that finds the first and the last time of some rows."""
    return replace(plan, read=_Lowering().read(plan.read), filter=frozenset(map(_expr, plan.filter)))


@dataclass(frozen=True)
class _Lowering:
    """Lowers plans; one that stands in several places stays one."""

    known: dict[int, tuple[Derive, Derive]] = field(default_factory=dict)
    """By the identity of a plan, the plan itself, which is thereby kept alive, and what it becomes."""

    def plan(self, plan: Derive) -> Derive:
        if id(plan) not in self.known:
            align = replace(plan.align, summaries=tuple(map(self._summary, plan.align.summaries)))
            made = replace(plan, align=align, values=_values(plan.values), having=tuple(map(_expr, plan.having)))
            self.known[id(plan)] = (plan, made)
        return self.known[id(plan)][1]

    def _summary(self, node: Summarise) -> Summarise:
        split = {name: _expr(each) for name, each in node.split.items()}
        return replace(node, read=self.read(node.read), split=split, aggregates=tuple(map(_aggregate, node.aggregates)))

    def read(self, read: Read) -> Read:
        time, level, below, top = read.time, read.level, read.below, read.top
        return replace(
            read,
            time=time and replace(time, expression=_expr(time.expression)),
            level=level and replace(level, of=_exprs(level.of)),
            below=below and self.plan(below),
            edge=read.edge and replace(read.edge, of=_exprs(read.edge.of), filter=_set(read.edge.filter)),
            among=tuple(map(self._among, read.among)),
            converted=read.converted and _converted(read.converted),
            cohort=read.cohort and replace(read.cohort, keys=_exprs(read.cohort.keys), filter=_set(read.cohort.filter)),
            top=top and replace(top, expression=_expr(top.expression), below=self.plan(top.below)),
        )

    def _among(self, each: Among) -> Among:
        return replace(each, expression=_expr(each.expression), below=self.plan(each.below), absent=_exprs(each.absent))


def _converted(given: Converted) -> Converted:
    return replace(
        given,
        time=replace(given.time, expression=_expr(given.time.expression)),
        keys=tuple((_expr(here), _expr(there)) for here, there in given.keys),
        filter=_set(given.filter),
        base=_set(given.base),
        argument=given.argument and _expr(given.argument),
    )


def _exprs(several: tuple[Expr, ...]) -> tuple[Expr, ...]:
    return tuple(map(_expr, several))


def _set(several: frozenset[Expr]) -> frozenset[Expr]:
    return frozenset(map(_expr, several))


def lowered(tree: exp.Expr) -> exp.Expr:
    """Lower one tree."""
    return rewritten(tree, finish=_explicit)


def _values(values: Mapping[str, Expr]) -> dict[str, Expr]:
    """Lower what is computed from aggregates: one KPI stands in many."""
    lower = rewriting(finish=_explicit)
    trees = {name: lower(value.tree) for name, value in values.items()}
    return {name: value if trees[name] is value.tree else Expr(trees[name]) for name, value in values.items()}


def _aggregate(aggregate: Aggregate) -> Aggregate:
    if not any(map(_needs, (aggregate.argument, *aggregate.filter))):
        return aggregate
    argument = aggregate.argument and _expr(aggregate.argument)
    return replace(aggregate, argument=argument, filter=frozenset(map(_expr, aggregate.filter)))


def _expr(each: Expr) -> Expr:
    return Expr(lowered(each.tree)) if _needs(each) else each


def _needs(each: Expr | None) -> bool:
    return each is not None and not _IMPLICIT.isdisjoint(each.kinds)


def _explicit(node: exp.Expr) -> exp.Expr:
    if type(node) not in _IMPLICIT:
        return lookups.found(node) if is_lookup(node) else node
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
