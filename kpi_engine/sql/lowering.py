"""The last step before text: what the language promises and SQL does not, made explicit in the tree."""

from __future__ import annotations

from sqlglot import exp


def lowered(tree: exp.Select) -> exp.Select:
    """Make division exact and safe, and functions unknown outside their domain; changes the tree in place."""
    for division in tree.find_all(exp.Div):
        _exact(division)
    for node in reversed(list(tree.find_all(exp.Ln, exp.Log, exp.Sqrt))):
        node.replace(_in_domain(node))
    return tree


def _exact(division: exp.Div) -> None:
    """1 / 2 is 0.5, and anything divided by nothing is unknown."""
    over, under = division.this, division.expression
    division.set("this", exp.cast(over, "double"))
    division.set("expression", exp.func("NULLIF", exp.cast(under, "double"), exp.Literal.number(0)))


def _in_domain(node: exp.Expr) -> exp.Expr:
    argument = node.expression if isinstance(node, exp.Log) and node.expression is not None else node.this
    zero = exp.Literal.number(0)
    inside = exp.GTE if isinstance(node, exp.Sqrt) else exp.GT
    call = exp.Anonymous(this="log10", expressions=[argument.copy()]) if isinstance(node, exp.Log) else node.copy()
    return exp.Case().when(inside(this=exp.paren(argument.copy()), expression=zero), call)
