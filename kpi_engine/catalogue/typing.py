"""What a number is: its unit and its additivity, inferred from the formula."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from kpi_engine.catalogue.resolved import INPUT, Additivity
from kpi_engine.formula.analysis import SLOT
from kpi_engine.formula.gate import Mistake, span
from kpi_engine.formula.units import PURE, Unit

if TYPE_CHECKING:
    from collections.abc import Callable

_SAME = (exp.Add, exp.Sub, exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE)
_KEEPING = (exp.Neg, exp.Paren, exp.Abs, exp.Round, exp.Floor, exp.Ceil, exp.Nullif, exp.Cast)


def unit_of(tree: exp.Expr, leaf: Callable[[exp.Column], Unit | None], mistakes: list[Mistake]) -> Unit | None:
    """Infer the unit of an outer tree; None where it cannot be said. Adding or comparing different units is a mistake.

    A plain number fits any unit, so `now / before - 1` and `greatest(x, 0)` are fine.
    """
    if isinstance(tree, exp.Column):
        return leaf(tree)
    inner = [unit_of(child, leaf, mistakes) for child in _operands(tree)]
    if isinstance(tree, exp.Mul):
        return _product(tree, inner)
    if isinstance(tree, exp.Div):
        left, right = (_number(u, o) for u, o in zip(inner, _operands(tree), strict=True))
        return left / right if left is not None and right is not None else None
    if isinstance(tree, (*_SAME, exp.Coalesce, exp.Case, exp.If, exp.Least, exp.Greatest, exp.Between)):
        known = [unit for unit in inner if unit is not None]
        if different := next((unit for unit in known if unit != known[0]), None):
            mistakes.append(_mixed(tree, known[0], different))
        is_truth = isinstance(tree, exp.Predicate) or isinstance(tree, exp.Between)
        return PURE if is_truth else (known[0] if known else None)
    return inner[0] if inner and isinstance(tree, _KEEPING) else None


def additivity_of(tree: exp.Expr, leaf: Callable[[exp.Column], Additivity]) -> Additivity:
    """Infer whether values may be added up: sums and differences keep it, a constant factor keeps it, all else loses it."""
    if isinstance(tree, exp.Column):
        return leaf(tree)
    if isinstance(tree, exp.Paren | exp.Neg):
        return additivity_of(tree.this, leaf)
    if isinstance(tree, exp.Coalesce) and all(isinstance(e, exp.Literal) and str(e.this) == "0" for e in tree.expressions):
        return additivity_of(tree.this, leaf)
    if isinstance(tree, exp.Add | exp.Sub):
        kinds = {additivity_of(tree.left, leaf), additivity_of(tree.right, leaf)}
        return max(kinds, key=("additive", "semi_additive", "non_additive").index)
    if isinstance(tree, exp.Mul | exp.Div):
        constant_right = _is_constant(tree.right)
        if constant_right:
            return additivity_of(tree.left, leaf)
        if isinstance(tree, exp.Mul) and _is_constant(tree.left):
            return additivity_of(tree.right, leaf)
    return "non_additive"


def _operands(tree: exp.Expr) -> list[exp.Expr]:
    if isinstance(tree, exp.Case):
        values = [branch.args["true"] for branch in tree.args["ifs"]]
        return [*values, *([tree.args["default"]] if tree.args.get("default") else [])]
    if isinstance(tree, exp.If):
        return [tree.args["true"], *([tree.args["false"]] if tree.args.get("false") else [])]
    if isinstance(tree, exp.Nullif | exp.Round | exp.Cast):
        return [tree.this]
    return [child for child in tree.iter_expressions() if not isinstance(child, exp.DataType | exp.Var | exp.Identifier)]


def _is_constant(tree: exp.Expr) -> bool:
    return all(isinstance(node, exp.Literal | exp.Placeholder | exp.Paren | exp.Neg | exp.Binary) for node in tree.walk())


def _number(unit: Unit | None, operand: exp.Expr) -> Unit | None:
    return PURE if unit is None and _is_constant(operand) else unit


def _product(tree: exp.Mul, inner: list[Unit | None]) -> Unit | None:
    left, right = (_number(u, o) for u, o in zip(inner, _operands(tree), strict=True))
    return left * right if left is not None and right is not None else None


def _mixed(tree: exp.Expr, left: Unit, right: Unit) -> Mistake:
    offset, length = span(tree)
    doing = "compared" if isinstance(tree, exp.Predicate) else "added" if isinstance(tree, exp.Add | exp.Sub) else "mixed"
    message = f"`{left or 'a pure number'}` and `{right or 'a pure number'}` cannot be {doing}"
    return Mistake("mixed_units", message, offset, length, "divide or convert first, or correct the `unit` of one of them")


def leaf_of(column: exp.Column) -> tuple[str, str]:
    """Say what a column of an outer tree stands for: `("aggregate", "0")` or `("input", alias)`."""
    return (SLOT, column.name) if column.table == SLOT else (INPUT, column.name)
