"""A formula taken apart: the aggregates in it, and what is computed from them afterwards."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlglot import exp

from kpi_engine.formula.gate import Mistake, Refused, read, span

if TYPE_CHECKING:
    from collections.abc import Iterator

AGGREGATE_NODES = (
    exp.Sum, exp.Count, exp.CountIf, exp.Avg, exp.Min, exp.Max, exp.Median, exp.PercentileCont, exp.PercentileDisc, exp.Stddev,
)  # fmt: skip
SLOT = "aggregate"
"""The table name of the columns that stand for aggregates in a formula's outer tree."""


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


def parse(text: str) -> Formula:
    """Read a formula and take it apart; raise `Refused` with every mistake."""
    tree = read(text, "formula").copy()
    mistakes = tuple(_nesting(tree))
    if mistakes:
        raise Refused(*mistakes)
    aggregations: list[Aggregation] = []

    def replaced(node: exp.Expr) -> exp.Expr:
        if isinstance(node, (exp.Filter, *AGGREGATE_NODES)):
            aggregations.append(_aggregation(node))
            return exp.column(str(len(aggregations) - 1), table=SLOT, quoted=True)
        return node

    outer = tree.transform(replaced)
    return Formula(text, outer, tuple(aggregations))


def parts(column: exp.Column) -> tuple[str, ...]:
    """Give the parts of a dotted name in the order they are written."""
    return tuple(part.name for part in column.parts)


def columns(tree: exp.Expr) -> Iterator[exp.Column]:
    """Go through the names in a tree that are columns, paths, inputs or dimensions."""
    return (column for column in tree.find_all(exp.Column) if column.table != SLOT)


def placeholders(tree: exp.Expr) -> Iterator[exp.Placeholder]:
    """Go through the parameters in a tree."""
    return tree.find_all(exp.Placeholder)


def slot(column: exp.Column) -> int | None:
    """Say which aggregate a column of an outer tree stands for, or None."""
    return int(column.name) if column.table == SLOT else None


def conjuncts(tree: exp.Expr) -> tuple[exp.Expr, ...]:
    """Split a condition at its top-level `and`s."""
    inner = tree.unnest()
    return tuple(part.unnest() for part in inner.flatten()) if isinstance(inner, exp.And) else (inner,)


def _nesting(tree: exp.Expr) -> Iterator[Mistake]:
    for node in tree.find_all(*AGGREGATE_NODES):
        if node.parent and node.parent.find_ancestor(*AGGREGATE_NODES):
            offset, length = span(node)
            hint = "aggregate once here, or aggregate per entity first: an input with `per`"
            yield Mistake("nested_aggregate", "an aggregate stands inside another aggregate", offset, length, hint)


def _aggregation(node: exp.Expr) -> Aggregation:
    offset, length = span(node)
    condition = None
    if isinstance(node, exp.Filter):
        condition = node.expression.this
        node = node.this
    argument = node.this
    fraction = None
    function = node.sql_name().lower() if isinstance(node, exp.Func) else ""
    if isinstance(node, exp.Count):
        function, argument = _count(node, offset, length)
    elif isinstance(node, exp.CountIf):
        function, condition, argument = "count", argument if condition is None else exp.and_(condition, argument), None
    elif isinstance(node, exp.PercentileCont | exp.PercentileDisc):
        function = "quantile_cont" if isinstance(node, exp.PercentileCont) else "quantile_disc"
        fraction = _fraction(node, offset, length)
    return Aggregation(function, argument, condition, fraction, offset, length)


def _count(node: exp.Count, offset: int, length: int) -> tuple[str, exp.Expr | None]:
    if isinstance(node.this, exp.Distinct):
        if len(node.this.expressions) != 1:
            hint = "count a key column, or make one in a dataset with `sql:`"
            raise Refused(Mistake("bad_distinct", "`count(distinct …)` takes one column", offset, length, hint))
        return "count_distinct", node.this.expressions[0]
    return "count", None if isinstance(node.this, exp.Star) else node.this


def _fraction(node: exp.Expr, offset: int, length: int) -> float:
    literal = node.expression
    if isinstance(literal, exp.Literal) and not literal.is_string and 0 <= float(literal.this) <= 1:
        return float(literal.this)
    raise Refused(Mistake("bad_fraction", "a percentile takes a fraction from 0 to 1", offset, length, "for the 90th percentile write 0.9"))
