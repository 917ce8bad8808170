"""The conditions of aggregates: those that all share, and which rows make a member seen."""

from __future__ import annotations

from functools import reduce
from typing import TYPE_CHECKING

from sqlglot import exp

from kpi_engine.sql.rendering import bracketed

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kpi_engine.catalogue import Expr
    from kpi_engine.planning.nodes import Aggregate

Wanted = frozenset[frozenset["Expr"]]
"""The conditions of which one must hold for a row to be wanted; an empty one holds for every row."""


def shared_filters(aggregates: tuple[Aggregate, ...]) -> tuple[list[exp.Expr], dict[Aggregate, frozenset[Expr]]]:
    """Split the aggregates' conditions into those that all share and each one's own."""
    common = frozenset.intersection(*(aggregate.filter for aggregate in aggregates)) if aggregates else frozenset()
    shared = [each.tree for each in sorted(common, key=lambda e: e.text)]
    return shared, {aggregate: aggregate.filter - common for aggregate in aggregates}


def count_of(conditions: Wanted) -> exp.Expr | None:
    """Count the rows that some aggregate wants; nothing where every row is wanted."""
    rows = any_of(conditions, always=True)
    return exp.Filter(this=exp.Count(this=exp.Star()), expression=exp.Where(this=rows[0])) if rows else None


def all_of(conditions: Iterable[Expr]) -> exp.Expr | None:
    """Say that every condition is true; nothing without conditions."""
    trees = [bracketed(each.tree) for each in sorted(conditions, key=lambda e: e.text)]
    return reduce(_and, trees) if trees else None


def _and(left: exp.Expr, right: exp.Expr) -> exp.Expr:
    return exp.And(this=left, expression=right)


def _or(left: exp.Expr, right: exp.Expr) -> exp.Expr:
    return exp.Or(this=left, expression=right)


def wanted(own: Iterable[frozenset[Expr]]) -> Wanted:
    """Give the different conditions of some aggregates; one without a condition wants every row."""
    conditions = frozenset(own)
    return frozenset({frozenset()}) if frozenset() in conditions else conditions


def any_of(own: Iterable[frozenset[Expr]], *, always: bool = False) -> list[exp.Expr]:
    """Leave out rows that no aggregate wants, and with them the members that have no others."""
    distinct = sorted({tuple(sorted(each, key=lambda e: e.text)) for each in own}, key=lambda es: [e.text for e in es])
    if not distinct or not all(distinct) or (len(distinct) == 1 and not always):
        return []
    trees: list[exp.Expr] = [exp.Paren(this=all_of(each)) for each in distinct]
    return [reduce(_or, trees)]
