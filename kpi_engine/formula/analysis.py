"""A formula taken apart: the aggregates in it, and what is computed from them afterwards."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from sqlglot import exp

from kpi_engine.formula.gate import Mistake, Refused, read, span
from kpi_engine.formula.shapes import AGGREGATE_NODES
from kpi_engine.formula.trees import column, nodes, placed, rewritten

if TYPE_CHECKING:
    from collections.abc import Iterator

SLOT = "aggregate\x1f"
"""The table name of the columns that stand for aggregates in a formula's outer tree; no text that passes the gate can hold it."""


@dataclass(frozen=True)
class Aggregation:
    """One aggregate as written: `function` of `argument` (None for `count(*)`) over the rows that `filter` is true for."""

    function: str
    argument: exp.Expr | None
    filter: exp.Expr | None
    fraction: float | None
    offset: int
    length: int


@dataclass(frozen=True)
class Formula:
    """A formula: `outer` is its tree with the n-th aggregate replaced by the column `aggregate.n`."""

    text: str
    outer: exp.Expr
    aggregations: tuple[Aggregation, ...]


@lru_cache(maxsize=1024)
def parse(text: str) -> Formula:
    """Read a formula and take it apart; raise `Refused` with every mistake."""
    tree = read(text, "formula")
    mistakes = [mistake for node in nodes(tree) if isinstance(node, AGGREGATE_NODES) for mistake in _misuse(node)]
    if mistakes:
        raise Refused(*mistakes)
    aggregations: list[Aggregation] = []

    def replaced(node: exp.Expr) -> exp.Expr:
        if isinstance(node, (exp.Filter, *AGGREGATE_NODES)):
            aggregations.append(_aggregation(node))
            return placed(column(str(len(aggregations) - 1), SLOT), node)
        return node

    outer = rewritten(tree, replaced)
    return Formula(text, outer, tuple(aggregations))


def parts(column: exp.Column) -> tuple[str, ...]:
    """Give the parts of a dotted name in the order they are written."""
    return tuple(part.name for part in column.parts)


def columns(tree: exp.Expr) -> Iterator[exp.Column]:
    """Go through the names in a tree that are columns, paths, inputs or dimensions."""
    return (node for node in nodes(tree) if isinstance(node, exp.Column) and node.table != SLOT)


def placeholders(tree: exp.Expr) -> Iterator[exp.Placeholder]:
    """Go through the parameters in a tree."""
    return (node for node in nodes(tree) if isinstance(node, exp.Placeholder))


def conjuncts(tree: exp.Expr) -> tuple[exp.Expr, ...]:
    """Split a condition at its top-level `and`s."""
    found: list[exp.Expr] = []
    waiting = [tree.unnest()]
    while waiting:
        part = waiting.pop()
        if isinstance(part, exp.And):
            waiting += (part.expression, part.this)
        else:
            found.append(part.unnest())
    return tuple(found)


def _misuse(node: exp.Expr) -> Iterator[Mistake]:
    if _whole(node).find_ancestor(*AGGREGATE_NODES, exp.Filter):
        hint = "aggregate once here, or aggregate per entity first: an input with `per`"
        yield Mistake("nested_aggregate", "an aggregate stands inside another aggregate", *span(node), hint)
    if isinstance(node, exp.PercentileCont | exp.PercentileDisc | exp.ApproxQuantile) and _fraction(node) is None:
        yield Mistake(
            "bad_fraction",
            "a percentile takes a fraction from 0 to 1",
            *span(node),
            "for the 90th percentile write 0.9",
        )


def _whole(node: exp.Expr) -> exp.Expr:
    """Give an aggregate with the `filter` that belongs to it."""
    return node.parent if isinstance(node.parent, exp.Filter) and node.parent.this is node else node


def _aggregation(node: exp.Expr) -> Aggregation:
    offset, length = span(node)
    condition = None
    if isinstance(node, exp.Filter):
        condition = node.expression.this
        node = node.this
    function, argument = _named(node)
    if isinstance(node, exp.CountIf):
        condition, argument = node.this if condition is None else exp.and_(condition, node.this, copy=False), None
    return Aggregation(function, argument, condition, _fraction(node), offset, length)


def _named(node: exp.Expr) -> tuple[str, exp.Expr | None]:
    """Give an aggregate's name and what it is over."""
    if isinstance(node, exp.Count) and isinstance(node.this, exp.Distinct):
        return "count_distinct", node.this.expressions[0]
    if isinstance(node, exp.Count | exp.CountIf):
        return "count", None if isinstance(node.this, exp.Star) else node.this
    names = {"PercentileCont": "quantile_cont", "PercentileDisc": "quantile_disc", "ApproxQuantile": "approx_quantile"}
    name = type(node).__name__
    return names.get(name, name.lower()), node.this


def _fraction(node: exp.Expr) -> float | None:
    """Give the fraction of a percentile; None where there is none, or none from 0 to 1."""
    literal = node.args.get("expression") or node.args.get("quantile")
    if not isinstance(literal, exp.Literal) or literal.is_string:
        return None
    fraction = float(literal.this)
    return fraction if 0 <= fraction <= 1 else None
