"""Aggregates and functions of a statement, in the words of a dialect; one that the dialect has not, or has in another way, is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from sqlglot import exp

from kpi_engine.catalogue.declared import is_stop
from kpi_engine.formula.trees import integer
from kpi_engine.sql.dialects.dialect import Unportable, cast
from kpi_engine.sql.dialects.kinds import NUMBERS, TIMES, common
from kpi_engine.sql.times import STRETCH, by_halves

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from kpi_engine.sql.dialects.dialect import Dialect
    from kpi_engine.sql.dialects.kinds import Kind

    Lowered = tuple[exp.Expr, Kind]

MANY = 32
"""From so many stretches of time on, an engine searches in their list, where it can, rather than compare with one after the other."""
_CALLS: dict[type[exp.Expr], str] = {
    exp.Length: "length", exp.Contains: "contains", exp.StartsWith: "starts_with", exp.Floor: "floor", exp.Ceil: "ceil",
    exp.Least: "least", exp.Greatest: "greatest",
}  # fmt: skip
_TEXT_CALLS = {"length": "int", "contains": "bool", "starts_with": "bool"}


class Writing(Protocol):
    """A statement on its way into a dialect, as the rules of this module need it."""

    dialect: Dialect
    lacks: frozenset[str]

    def visit(self, node: exp.Expr) -> Lowered:
        """Give a node in the words of the dialect, and the kind of its value."""

    def tree(self, node: exp.Expr) -> exp.Expr:
        """Give a node in the words of the dialect."""

    def again(self, node: exp.Expr, **fresh: object) -> exp.Expr:
        """Give a node again with other parts; those not named are walked."""

    def needs(self, name: str) -> None:
        """Refuse what the engine lacks."""

    def only(self, node: exp.Expr, kind: Kind, allowed: frozenset[Kind]) -> None:
        """Refuse values of other kinds."""

    def exact(self, node: exp.Expr, kind: Kind) -> None:
        """Refuse decimals where the engine has none."""

    def wide(self, made: exp.Expr, kind: Kind) -> exp.Expr:
        """Give a number in the type that it is computed with."""

    def roomy(self, made: exp.Expr, kind: Kind) -> exp.Expr:
        """Make room for what is added up."""

    def chosen(self, node: exp.Expr, values: Sequence[exp.Expr]) -> list[Lowered]:
        """Give values of which one is chosen: numbers in one type."""

    def type_name(self, kind: Kind) -> str:
        """Name the type of a kind."""


def _absolute(writing: Writing, node: exp.Abs) -> Lowered:
    made, kind = writing.visit(node.this)
    writing.only(node, kind, NUMBERS)
    writing.exact(node, kind)
    return exp.Anonymous(this="ABS", expressions=[writing.wide(made, kind)]), kind


def _total(writing: Writing, node: exp.Sum) -> Lowered:
    made, kind = writing.visit(node.this)
    writing.only(node, kind, NUMBERS | {"made"})
    writing.exact(node, kind)
    return exp.Sum(this=writing.roomy(writing.wide(made, kind), kind)), kind


def _average(writing: Writing, node: exp.Avg) -> Lowered:
    made, kind = writing.visit(node.this)
    writing.only(node, kind, NUMBERS | {"made"})
    writing.exact(node, kind)
    if writing.dialect.average is not None:
        return writing.dialect.average(writing.roomy(writing.wide(made, kind), kind), kind), "double"
    return cast(exp.Avg(this=made), writing.type_name("double")), "double"


def _extreme(writing: Writing, node: exp.Expr) -> Lowered:
    made, kind = writing.visit(node.this)
    writing.only(node, kind, NUMBERS | TIMES | {"text", "made"})
    writing.exact(node, kind)
    return writing.again(node, this=made), kind


def _count(writing: Writing, node: exp.Count) -> Lowered:
    if isinstance(node.this, exp.Distinct) and len(node.this.expressions) > 1:
        raise Unportable("a distinct count of several columns", said=True)
    if isinstance(node.this, exp.Distinct) and writing.visit(node.this.expressions[0])[1] == "double":
        writing.needs("count(distinct …) of floating-point numbers")
    return writing.again(node), "int"


def _median(writing: Writing, node: exp.Median) -> Lowered:
    return _aggregate(writing, "quantile_cont", [node.this, exp.Literal.number("0.5")], "median")


def _deviation(writing: Writing, node: exp.Stddev) -> Lowered:
    return _aggregate(writing, "stddev", [node.this], "stddev")


def _anonymous(writing: Writing, node: exp.Anonymous) -> Lowered:
    name = str(node.this).lower()
    if name == STRETCH:
        return _stretch(writing, *node.expressions)
    if name == "isfinite":
        made, kind = writing.visit(node.expressions[0])
        writing.only(node, kind, frozenset({"double", "made"}))
        return writing.dialect.is_finite(made if kind == "double" else cast(made, writing.type_name("double"))), "bool"
    if name in {"quantile_cont", "quantile_disc"}:
        return _aggregate(writing, name, node.expressions, name)
    if name in {"arg_min", "arg_max"}:
        return _aggregate(writing, "first" if name == "arg_min" else "last", node.expressions, name)
    if is_stop(node):
        raise Unportable("a stop at a number that is not whole", said=True)
    raise Unportable(name)


def _stretch(writing: Writing, value: exp.Expr, starts: exp.Array, numbers: exp.Array) -> Lowered:
    """Find the stretch of time that a value lies in: by a search of the dialect's own, where that is faster than comparisons."""
    search, compared = writing.dialect.searched, by_halves(value, starts.expressions, numbers.expressions)
    if search is None or len(starts.expressions) < MANY:
        return writing.visit(compared)
    writing.visit(exp.LT(this=value, expression=starts.expressions[0]))  # what cannot be compared cannot be searched
    made = [writing.tree(each) for each in starts.expressions]
    return search(writing.tree(value), made, numbers.expressions), "int"


def _aggregate(writing: Writing, name: str, args: Sequence[exp.Expr], said: str) -> Lowered:
    call = writing.dialect.calls.get(name)
    if call is None or name in writing.lacks:
        raise Unportable(said)
    made = [writing.visit(each) for each in args]
    writing.exact(args[0], made[0][1])
    return call([each for each, _ in made]), "made"


def _call(writing: Writing, node: exp.Expr) -> Lowered:
    name = _CALLS[type(node)]
    write = writing.dialect.calls.get(name)
    if write is None or name in writing.lacks:
        raise Unportable(name)
    given = [value for value in (node.this, node.args.get("expression"), *node.expressions) if value is not None]
    if name in _TEXT_CALLS:
        made = [writing.visit(each) for each in given]
        for _, kind in made:
            writing.only(node, kind, frozenset({"text"}))
        result: Kind = "int" if name == "length" else "bool"
    else:
        made = writing.chosen(node, given)
        result = common([kind for _, kind in made])
        allowed: frozenset[Kind] = NUMBERS if name in {"floor", "ceil"} else NUMBERS | TIMES | {"text"}
        writing.only(node, result, allowed)
        writing.exact(node, result)
    if any(key not in {"this", "expression", "expressions", "ignore_nulls"} for key, v in node.args.items() if v):
        raise Unportable(name)
    written = write([each for each, _ in made])
    return exp.Paren(this=written) if isinstance(written, exp.Binary) else written, result


def _joined(writing: Writing, node: exp.Connector) -> Lowered:
    """Write a chain of conditions link by link: each condition is walked once, and a long chain is no deep one."""
    rights: list[exp.Expr] = []
    left: exp.Expr = node
    while type(left) is type(node):
        rights.append(left.expression)
        left = left.this
    made = _truth(writing, node, left)
    for right in reversed(rights):
        made = type(node)(this=made, expression=_truth(writing, node, right))
    return made, "bool"


def _negated(writing: Writing, node: exp.Not) -> Lowered:
    return exp.Not(this=_truth(writing, node, node.this)), "bool"


def _truth(writing: Writing, node: exp.Expr, value: exp.Expr) -> exp.Expr:
    made, kind = writing.visit(value)
    writing.only(node, kind, frozenset({"bool", "made"}))
    return made


def _filtered(writing: Writing, node: exp.Filter) -> Lowered:
    if not writing.dialect.has_filter or "filter" in writing.lacks:
        return writing.visit(_within_case(node.this, node.expression.this))
    made, kind = writing.visit(node.this)
    where = writing.tree(node.expression)
    inner = made.this if isinstance(made, exp.Cast) else made
    if isinstance(inner, exp.Bracket):
        raise Unportable("the first or last of some rows", said=True)
    filtered = exp.Filter(this=inner, expression=where)
    return exp.Cast(**{**made.args, "this": filtered}) if isinstance(made, exp.Cast) else filtered, kind


def _within_case(call: exp.Expr, condition: exp.Expr) -> exp.Expr:
    """Write the filter of an aggregate as a `case` in its first argument, for engines without the clause: none counts what is unknown."""
    given = call.expressions[0] if isinstance(call, exp.Anonymous) else call.this
    argument = given.expressions[0] if isinstance(given, exp.Distinct) else given
    value = integer(1) if isinstance(argument, exp.Star) else argument
    chosen: exp.Expr = exp.Case(ifs=[exp.If(this=condition, true=value)])
    if isinstance(given, exp.Distinct):
        chosen = exp.Distinct(expressions=[chosen, *given.expressions[1:]])
    if isinstance(call, exp.Anonymous):
        return exp.Anonymous(this=call.this, expressions=[chosen, *call.expressions[1:]])
    return type(call)(**{**call.args, "this": chosen})


def degree(node: exp.Expr) -> int:
    """Count how many values are multiplied with each other at most."""
    if isinstance(node, exp.Column | exp.Literal):
        return int(isinstance(node, exp.Column))
    found = [degree(each) for each in node.iter_expressions()]
    return sum(found) if isinstance(node, exp.Mul) else max(found, default=0)


FUNCTIONS: Mapping[type[exp.Expr], Callable[[Writing, Any], Lowered]] = {
    exp.Abs: _absolute,
    exp.Sum: _total,
    exp.Avg: _average,
    exp.Min: _extreme,
    exp.Max: _extreme,
    exp.Count: _count,
    exp.Median: _median,
    exp.Stddev: _deviation,
    exp.Anonymous: _anonymous,
    exp.Filter: _filtered,
    exp.And: _joined,
    exp.Or: _joined,
    exp.Not: _negated,
    **dict.fromkeys(_CALLS, _call),
}
"""The rule of each."""
