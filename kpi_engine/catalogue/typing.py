"""What a number is: its unit and its additivity, inferred from a tree."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from kpi_engine.formula.gate import Mistake, span
from kpi_engine.formula.trees import nodes
from kpi_engine.formula.units import AMOUNT, COUNT, COUNTED, PURE, Unit, adds

if TYPE_CHECKING:
    from collections.abc import Callable

    from kpi_engine.catalogue.resolved import Additivity

_ALIKE = (
    exp.Add, exp.Sub, exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.NullSafeEQ, exp.NullSafeNEQ, exp.Coalesce, exp.Least,
    exp.Greatest, exp.Between, exp.Nullif, exp.In,
)  # fmt: skip
"""What is only done with numbers of one unit."""
_BRANCHING, _SCALING, _WORDS = (exp.Case, exp.If), (exp.Mul, exp.Div), (exp.DataType, exp.Var, exp.Identifier)
_KEEPING = (exp.Neg, exp.Paren, exp.Abs, exp.Round, exp.Floor, exp.Ceil, exp.Cast)
_SUMS = (exp.Add, exp.Sub)
_ARITHMETIC = (exp.Literal, exp.Placeholder, exp.Paren, exp.Neg, *_SUMS, *_SCALING)
_ORDER: tuple[Additivity, ...] = ("additive", "semi_additive", "non_additive")


def unit_of(tree: exp.Expr, leaf: Callable[[exp.Column], Unit | None], mistakes: list[Mistake]) -> Unit | None:
    """Infer the unit of a tree; None where it cannot be said. Adding or comparing different units is a mistake.

    A written number fits any unit, so `now / before - 1` and `greatest(x, 0)` are fine. A count of rows is of what is counted: it may
    be added to other counts, and not to money or seconds. A constant factor may convert (`seconds / 60`),
    so what it gives cannot be said.
    """
    if isinstance(tree, exp.Column):
        return leaf(tree)
    if isinstance(tree, exp.Literal):
        return None
    if isinstance(tree, _BRANCHING):
        return _of_branches(tree, leaf, mistakes)
    units = [unit_of(child, leaf, mistakes) for child in tree.iter_expressions() if not isinstance(child, _WORDS)]
    if isinstance(tree, _SCALING):
        return _scaled(tree, *units)
    if isinstance(tree, _ALIKE):
        common = _common(tree, units, mistakes)
        return PURE if isinstance(tree, exp.Predicate) else common
    return units[0] if units and isinstance(tree, _KEEPING) else None


def additivity_of(
    tree: exp.Expr,
    leaf: Callable[[exp.Column], Additivity],
    is_flow: Callable[[exp.Column, exp.Column], bool] = lambda *_: False,
) -> Additivity:
    """Infer whether values may be added up: sums and differences keep it, a constant factor keeps it, all else loses it.

    `is_flow` says of two leaves that they are one level at the end and at the start of a period: their difference is a flow, which
    adds up over time as well.
    """
    if isinstance(tree, exp.Column):
        return leaf(tree)
    inner = scaled_part(tree)
    if inner is not None:
        return additivity_of(inner, leaf, is_flow)
    if not isinstance(tree, _SUMS):
        return "non_additive"
    left, right = _bare(tree.left), _bare(tree.right)
    if (
        isinstance(tree, exp.Sub)
        and isinstance(left, exp.Column)
        and isinstance(right, exp.Column)
        and is_flow(left, right)
    ):
        return "additive"
    return max((additivity_of(side, leaf, is_flow) for side in (left, right)), key=_ORDER.index)


def scaled_part(tree: exp.Expr) -> exp.Expr | None:
    """Give what a tree is a constant multiple of, where it is one: in brackets, with a sign, a factor, or 0 where it is unknown."""
    if _bare(tree) is not tree:
        return _bare(tree)
    if isinstance(tree, exp.Neg):
        inner: exp.Expr = tree.this
        return inner
    if isinstance(tree, _SCALING) and is_constant(tree.right):
        return tree.left
    return tree.right if isinstance(tree, exp.Mul) and is_constant(tree.left) else None


def is_constant(tree: exp.Expr) -> bool:
    """Whether a tree is the same for every row and group: numbers and parameters, and arithmetic over them."""
    return all(isinstance(node, _ARITHMETIC) for node in nodes(tree))


def _bare(tree: exp.Expr) -> exp.Expr:
    """Take off brackets, and the `coalesce(…, 0)` that adds nothing to a sum."""
    while True:
        if isinstance(tree, exp.Paren) or (
            isinstance(tree, exp.Coalesce) and all(_is_zero(each) for each in tree.expressions)
        ):
            tree = tree.this
        else:
            return tree


def _is_zero(tree: exp.Expr) -> bool:
    return isinstance(tree, exp.Literal) and not tree.is_string and float(str(tree.this)) == 0


def _of_branches(tree: exp.Expr, leaf: Callable[[exp.Column], Unit | None], mistakes: list[Mistake]) -> Unit | None:
    """All branches of a `case` have one unit; its conditions are looked at too."""
    branches = tree.args["ifs"] if isinstance(tree, exp.Case) else [tree]
    conditions = [branch.this for branch in branches]
    if isinstance(tree, exp.Case) and tree.this is not None:
        _common(tree, [unit_of(each, leaf, mistakes) for each in (tree.this, *conditions)], mistakes)
    else:
        for condition in conditions:
            unit_of(condition, leaf, mistakes)
    otherwise = tree.args.get("default" if isinstance(tree, exp.Case) else "false")
    values = [*(branch.args["true"] for branch in branches), *([otherwise] if otherwise is not None else [])]
    return _common(tree, [unit_of(value, leaf, mistakes) for value in values], mistakes)


def _common(tree: exp.Expr, units: list[Unit | None], mistakes: list[Mistake]) -> Unit | None:
    known = [unit for unit in units if unit is not None]
    common = next((unit for unit in known if not unit.power(COUNTED)), known[0] if known else None)
    if common == PURE:
        common = next((unit for unit in known if unit != PURE), PURE)
    different = next((unit for unit in known if common is not None and not adds(unit, common)), None)
    if different is not None and common is not None:
        mistakes.append(_mixed(tree, *((common, different) if known[0] == common else (different, common))))
    return common


def _scaled(tree: exp.Expr, left: Unit | None, right: Unit | None) -> Unit | None:
    if left is not None and right is not None:
        return left * right if isinstance(tree, exp.Mul) else left / right
    is_pure = (left == PURE and is_constant(tree.expression)) or (right == PURE and is_constant(tree.this))
    return PURE if is_pure else None


def _mixed(tree: exp.Expr, left: Unit, right: Unit) -> Mistake:
    doing = "compared" if isinstance(tree, exp.Predicate) else "added" if isinstance(tree, exp.Add) else "mixed"
    doing = "subtracted" if isinstance(tree, exp.Sub) else doing
    message = f"{_named(left)} and {_named(right)} cannot be {doing}"
    return Mistake("mixed_units", message, *span(tree), "divide or convert first, or correct the `unit` of one of them")


def _named(unit: Unit) -> str:
    return {PURE: "a pure number", COUNT: "a count", AMOUNT: "an amount of money"}.get(unit, f"`{unit}`")
