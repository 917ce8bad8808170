"""Values as they are shown: a number that is not one, such as infinity, never leaves the engine."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal

from sqlglot import exp

from kpi_engine.formula.trees import column, double, is_double, rewriting, rewritten
from kpi_engine.planning.cohorts import FRAME, limit_name
from kpi_engine.planning.shaping import EARLIER
from kpi_engine.planning.summaries import reach_table

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kpi_engine.formula.trees import Change
    from kpi_engine.planning.nodes import Align, Derive

COUNTS = frozenset({"count", "count_distinct", "count_if"})
"""Aggregates whose value is always a finite number."""
SUMS = frozenset({"sum", "stddev"})
"""Aggregates whose value is always a number, which may be infinite."""
OF_ANY_TYPE = frozenset({"min", "max", "quantile_disc"})
"""Aggregates that give one of the values, which need not be numbers."""
Kind = Literal["exact", "double", "any"]
"""What is known of a value: it is a number that is finite, a number that may be infinite or not one, or there is nothing known."""
_PLAIN = re.compile(r"[0-9]{1,9}(\.[0-9]{1,9})?")
_KEEPING, _JOINING = (exp.Paren, exp.Neg, exp.Round), (exp.Add, exp.Sub, exp.Mul)
ARITHMETIC = (exp.Add, exp.Sub, exp.Mul, exp.Neg, exp.Paren)
"""What gives no finite number where it is given none."""


def first_values(functions: Mapping[tuple[str, str], str]) -> Change:
    """Give what makes the values of the first layer; an aggregate that is not finite is unknown before anything is compared with it or divided by it."""

    def known(node: exp.Expr) -> exp.Expr:
        if not isinstance(node, exp.Column):
            return node
        function = functions.get((node.table, node.name), "")
        if function in SUMS:
            return finite_number(node)
        return node if function in COUNTS else finite(node, may_be_text=function in OF_ANY_TYPE)

    all_known = rewriting(known)

    def passed_on(node: exp.Expr) -> exp.Expr:
        """Leave alone what makes the whole not finite where it is not, which is unknown in the end."""
        if isinstance(node, exp.Column):
            return node
        if isinstance(node, ARITHMETIC) or is_double(node):
            operands = {key: passed_on(each) for key, each in node.args.items() if isinstance(each, exp.Expr)}
        elif isinstance(node, exp.Div):
            operands = {"this": passed_on(node.this), "expression": all_known(node.expression)}
        elif isinstance(node, exp.Coalesce) and _is_zero_of_nothing(node.expressions):
            operands = {"this": passed_on(node.this)}
        else:
            return all_known(node)
        return type(node)(**{**node.args, **operands})

    return passed_on


def _is_zero_of_nothing(others: list[exp.Expr]) -> bool:
    """Recognise the 0 that a sum over no rows is: it takes the place of no value that is there."""
    case = others[0] if len(others) == 1 else None
    if not isinstance(case, exp.Case) or case.args.get("default"):
        return False
    branch = case.args["ifs"][0]
    test, value = branch.this, branch.args["true"]
    return isinstance(test, exp.EQ) and isinstance(test.this, exp.Coalesce) and isinstance(value, exp.Literal)


def functions_of(node: Align) -> dict[tuple[str, str], str]:
    """Say which aggregate each column of a summary holds."""
    found = {
        (reach_table(number), f"a{n}"): aggregate.function
        for number, reach in enumerate(node.reaches)
        for n, aggregate in enumerate(node.summaries[reach.summary].aggregates)
    }
    whole = (*node.split, *(limit_name(n) for n in range(len(node.limits)))) if node.limits else ()
    return found | {(FRAME, name): "count" for name in whole}


def finite(value: exp.Expr, *, may_be_text: bool = False) -> exp.Expr:
    """Never let a number out that is not one: not-a-number and infinity are unknown. The text `inf` is a text."""
    tested = exp.Anonymous(this="isfinite", expressions=[exp.TryCast(this=value, to=double())])
    kept: exp.Expr = exp.NullSafeNEQ(this=tested, expression=exp.Boolean(this=False))
    if may_be_text:
        kind = exp.Anonymous(this="typeof", expressions=[value])
        kept = exp.Or(this=exp.EQ(this=kind, expression=exp.Literal.string("VARCHAR")), expression=kept)
    return exp.Case(ifs=[exp.If(this=kept, true=value)])


def finite_number(value: exp.Expr) -> exp.Expr:
    """Never let a number out that is infinite, or not one."""
    return exp.Case(ifs=[exp.If(this=exp.Anonymous(this="isfinite", expressions=[value]), true=value)])


def shown_value(name: str, kind: Kind) -> exp.Expr:
    """Show a value; one that is not finite is unknown, and a test that cannot fail is left out."""
    value = column(name)
    if kind == "exact":
        return value
    return finite_number(value) if kind == "double" else finite(value)


def kinds_of(node: Derive) -> dict[str, Kind]:
    """Say what kind of number each value is."""
    functions = functions_of(node.align)
    found: dict[str, Kind] = dict.fromkeys(node.ranks, "exact")
    for name, value in node.values.items():
        found[name] = _kind(value.tree, functions, found)
    return found


def _kind(tree: exp.Expr, functions: Mapping[tuple[str, str], str], earlier: Mapping[str, Kind]) -> Kind:
    """Say what kind of number a value is, as far as its formula shows it."""
    if isinstance(tree, exp.Column):
        function = functions.get((tree.table, tree.name))
        of_summary: Kind = "exact" if function in COUNTS else "double" if function in SUMS else "any"
        return earlier.get(tree.name, "any") if tree.table == EARLIER else of_summary
    if isinstance(tree, exp.Literal):
        return "exact" if not tree.is_string and _PLAIN.fullmatch(str(tree.this)) else "any"
    if isinstance(tree, exp.Div):
        return "double"
    if isinstance(tree, _KEEPING) or (isinstance(tree, exp.Coalesce) and _is_zero_of_nothing(tree.expressions)):
        return _kind(tree.this, functions, earlier)
    if isinstance(tree, exp.Coalesce) and all(isinstance(each, exp.Literal) for each in tree.expressions):
        kinds = {_kind(each, functions, earlier) for each in (tree.this, *tree.expressions)}
    elif isinstance(tree, _JOINING):
        kinds = {_kind(each, functions, earlier) for each in (tree.left, tree.right)}
    else:
        return "any"
    return "double" if "double" in kinds else "any" if "any" in kinds else "exact"


def finite_columns(tree: exp.Expr, kinds: Mapping[str, Kind]) -> exp.Expr:
    """Let a condition on values see what is shown of them; `kinds` says what kind of number each value is."""

    def shown(node: exp.Expr) -> exp.Expr:
        return shown_value(node.name, kinds.get(node.name, "any")) if isinstance(node, exp.Column) else node

    return rewritten(unqualified(tree), shown)


def unqualified(tree: exp.Expr) -> exp.Expr:
    """Take columns from the layer below, where they stand under their own name or, those of summaries, under a longer one."""
    return rewritten(tree, lambda node: _bare(node) if isinstance(node, exp.Column) else node)


def _bare(each: exp.Column) -> exp.Column:
    return column(each.name if each.table == EARLIER else late_name(each))


def late_name(late: exp.Column) -> str:
    """Name the column under which a later layer finds one of a summary."""
    return f"__{late.table}.{late.name}"
