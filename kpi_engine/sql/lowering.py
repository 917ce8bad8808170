"""The last step before text: what the language promises and SQL does not, made explicit in the tree."""

from __future__ import annotations

from sqlglot import exp

from kpi_engine.formula.trees import as_double, number, rewritten


def lowered(tree: exp.Expr) -> exp.Expr:
    """Make division exact and safe, and functions unknown outside their domain."""
    return rewritten(tree, finish=_explicit)


def _explicit(node: exp.Expr) -> exp.Expr:
    if isinstance(node, exp.Div):
        return _exact(node)
    return _in_domain(node) if isinstance(node, exp.Ln | exp.Log | exp.Sqrt) else node


def _exact(division: exp.Div) -> exp.Expr:
    """1 / 2 is 0.5, and anything divided by nothing is unknown."""
    under = exp.Nullif(this=as_double(division.expression), expression=number(0))
    return exp.Div(**{**division.args, "this": as_double(division.this), "expression": under})


def _in_domain(node: exp.Expr) -> exp.Expr:
    argument = node.expression if isinstance(node, exp.Log) and node.expression is not None else node.this
    inside = exp.GTE if isinstance(node, exp.Sqrt) else exp.GT
    call = exp.Anonymous(this="log10", expressions=[argument]) if isinstance(node, exp.Log) else node
    known = inside(this=exp.Paren(this=argument), expression=number(0))
    return exp.Case(ifs=[exp.If(this=known, true=call)])
