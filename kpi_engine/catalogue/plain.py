"""What can be said of types by looking at a tree, so that a database is asked only where something else stands in it.

A kind is `number`, `text`, `boolean` or `time`; nothing is said of a tree that holds a function with rules of its own, or two kinds
of which one may be read as the other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from kpi_engine.catalogue.resolved import INPUT, VALUE
from kpi_engine.catalogue.sqltypes import A_DATE, PARAMETERS, SAME_KIND, conditions_of, family, quoted, reads_as, sides
from kpi_engine.formula.analysis import SLOT

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from kpi_engine.catalogue.names import Names
    from kpi_engine.catalogue.resolved import ResolvedAggregate, ResolvedKpi
    from kpi_engine.definitions.models import Parameter

    Kind = str | None
    Leaf = Callable[[exp.Expr], Kind]

_COMPARING = (exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE, exp.NullSafeEQ, exp.NullSafeNEQ, exp.In, exp.Between)
_ALIKE = (exp.Coalesce, exp.Nullif, exp.Least, exp.Greatest)
_RULES: tuple[tuple[tuple[type[exp.Expr], ...], str, str], ...] = (
    ((exp.And, exp.Or, exp.Not), "boolean", "boolean"),
    ((exp.Add, exp.Sub, exp.Mul, exp.Div, exp.Neg), "number", "number"),
    (
        (exp.Abs, exp.Round, exp.Floor, exp.Ceil, exp.Sign, exp.Sqrt, exp.Exp, exp.Ln, exp.Log, exp.Pow),
        "number",
        "number",
    ),
    ((exp.Contains, exp.StartsWith, exp.EndsWith), "text", "boolean"),
    ((exp.Lower, exp.Upper, exp.Trim), "text", "text"),
    ((exp.Length,), "text", "number"),
)
"""What nodes need, all of one kind, and what they give."""
_OF_NUMBERS = frozenset(
    {"sum", "avg", "min", "max", "median", "quantile_cont", "quantile_disc", "approx_quantile", "stddev"}
)


def kind_of(tree: exp.Expr, leaf: Leaf) -> Kind:
    """Say what kind of value a tree gives; None where it cannot be said by looking."""
    while isinstance(tree, exp.Paren):
        tree = tree.this
    if isinstance(tree, exp.Column | exp.Placeholder):
        return leaf(tree)
    if isinstance(tree, exp.Literal):
        return "text" if tree.is_string else "number"
    if isinstance(tree, exp.Boolean):
        return "boolean"
    if isinstance(tree, exp.Case | exp.If):
        return _chosen(tree, leaf)
    return _composed(tree, [kind_of(child, leaf) for child in tree.iter_expressions()])


def _chosen(tree: exp.Expr, leaf: Leaf) -> Kind:
    """Say what kind of value a `case` gives: that of its branches, where its conditions are some."""
    branches = tree.args["ifs"] if isinstance(tree, exp.Case) else [tree]
    if isinstance(tree, exp.Case) and tree.this is not None:
        return None
    otherwise = tree.args.get("default" if isinstance(tree, exp.Case) else "false")
    values = [*(branch.args["true"] for branch in branches), *([] if otherwise is None else [otherwise])]
    conditions = [kind_of(branch.this, leaf) for branch in branches]
    return _common([kind_of(value, leaf) for value in values]) if _common(conditions, "boolean") else None


def _composed(tree: exp.Expr, kinds: Sequence[Kind]) -> Kind:
    """Say what kind of value an operator or function gives for values of these kinds."""
    if isinstance(tree, exp.Is):
        return "boolean" if kinds[0] is not None else None
    if isinstance(tree, _COMPARING):
        return "boolean" if _common(kinds) else None
    if isinstance(tree, _ALIKE):
        return _common(kinds)
    if isinstance(tree, exp.Cast):
        wanted = family(tree.to.sql("duckdb"))
        return wanted if kinds[0] == wanted else None
    for nodes, needed, given in _RULES:
        if isinstance(tree, nodes):
            return given if _common(kinds, needed) else None
    return None


def _common(kinds: Sequence[Kind], wanted: Kind = None) -> Kind:
    """Give the kind that all have, and that is wanted."""
    first = wanted or (kinds[0] if kinds else None)
    return first if all(kind == first for kind in kinds) else None


def kind_in(names: Names, dataset: str, parameters: Mapping[str, Parameter]) -> Leaf:
    """Give what says of the columns and parameters over the rows of a dataset what kind of value they hold."""

    def leaf(node: exp.Expr) -> Kind:
        if isinstance(node, exp.Placeholder):
            declared = parameters.get(str(node.this))
            return family(PARAMETERS[declared.type]) if declared is not None else None
        if not isinstance(node, exp.Column) or node.table == VALUE:
            return "number" if node.name == VALUE else None
        return family(names.type_of(names.owner(dataset, node.table.split(".")[1:]), node.name)) or None

    return leaf


def is_plain(
    kpi: ResolvedKpi, names: Names, parameters: Mapping[str, Parameter], below: Callable[[str], tuple[str, ...]]
) -> bool:
    """Whether all types in a KPI fit, as far as can be seen by looking; where it is not, they may fit all the same."""
    leaves = {
        alias: kind_in(names, source.target if source.kind == "dataset" else "", parameters)
        for alias, source in kpi.inputs.items()
    }
    for source in kpi.inputs.values():
        for dataset, condition in conditions_of(source, names, below):
            if kind_of(condition, kind_in(names, dataset, parameters)) != "boolean":
                return False
    if not all(_is_number(aggregate, leaves[aggregate.input]) for aggregate in kpi.aggregates):
        return False

    def outer(node: exp.Expr) -> Kind:
        if isinstance(node, exp.Placeholder):
            declared = parameters.get(str(node.this))
            return family(PARAMETERS[declared.type]) if declared is not None else None
        return "number" if isinstance(node, exp.Column) and node.table in {SLOT, INPUT} else None

    return kind_of(kpi.outer.tree, outer) == "number"


def _is_number(aggregate: ResolvedAggregate, leaf: Leaf) -> bool:
    if any(kind_of(condition.tree, leaf) != "boolean" for condition in aggregate.filter):
        return False
    if aggregate.argument is None:
        return True
    kind = kind_of(aggregate.argument.tree, leaf)
    if aggregate.function in {"count", "count_distinct"}:
        return kind is not None
    return aggregate.function in _OF_NUMBERS and kind == "number"


_NAMES = {"number": "a number", "text": "a text", "boolean": "true or false", "time": "a time"}


def misfit_in(condition: exp.Expr, leaf: Leaf) -> tuple[str, str] | None:
    """Say of the first two values in a condition that cannot be compared why, and what to do; None where none is seen."""
    for node in condition.find_all(*_COMPARING):
        for left, right in sides(node):
            kinds = [kind_of(side, leaf) for side in (left, right)]
            if None in kinds or kinds[0] == kinds[1]:
                continue
            for side, other in ((left, kinds[1]), (right, kinds[0])):
                if isinstance(side, exp.Literal) and side.is_string and reads_as(str(side.this), str(other)):
                    break
            else:
                said = [
                    quoted(side) if isinstance(side, exp.Literal) else _NAMES[str(kind)]
                    for side, kind in zip((left, right), kinds, strict=True)
                ]
                hint = A_DATE if "time" in kinds else SAME_KIND
                return f"{said[0]} is compared with {said[1]}", hint
    return None
