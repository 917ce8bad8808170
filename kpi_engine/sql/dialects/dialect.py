"""What a dialect states once."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sqlglot import exp

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from kpi_engine.sql.dialects.kinds import Kind

    Call = Callable[[Sequence[exp.Expr]], exp.Expr]


ABOVE = "a query by name that reads another from outside"
"""What an engine may lack."""


class Unportable(Exception):  # noqa: N818 - an event: the rows are brought here instead
    """Something that an engine has not, or that gives another number there; `said` is whether it is named in words."""

    def __init__(self, what: str, *, said: bool = False) -> None:
        super().__init__(what)
        self.name = what if said else f"`{what}`"


@dataclass(frozen=True)
class Dialect:
    """How one dialect writes what dialects write differently.

    - `types` are the types that it has, by kind, as written in a cast; a kind that is not in it has no values of its own there.
    - `bytewise` reads a text so that it is compared, sorted and grouped byte by byte, whatever the table says.
    - `moment` writes a date, local time or instant, given in text as DuckDB writes it.
    - `carried` writes a value of one of DuckDB's types so that it travels without loss.
    - `calls` write functions, by the names that the language has for them; those that are in no table are not sent.
    - `is_finite` says whether a floating-point number is one.
    - `typed_division` and `safe_division` are what `a / b` means of whole numbers, and by zero: sqlglot asks for both.
    - `average` is the mean of numbers of a kind, where that of whole numbers or decimals is rounded.
    - `lacks` names clauses that no engine of the dialect has; `has_is_true` is whether `a is true` is one of those it has.
    - `exact` writes a number with a fraction as a decimal, where it would be a floating-point number as it stands.
    - `wide` gives the types that numbers are computed with, by kind, where their own would wrap around or round.
    - `roomy` makes room for the product or the sum of a whole number or decimal, where one that is too large would wrap around.
    - `has_dots` is whether a point may stand in a quoted name; where it may not, the name might be taken for a path.
    - `searched` gives the number of the stretch that a value lies in, by the starts of all but the first; else it is compared with them.
    - `names_literals` is whether the columns of `values` are named beside their alias; else they are `column1`, `column2` by themselves.
    """

    name: str
    types: Mapping[Kind, str]
    bytewise: Callable[[exp.Expr], exp.Expr]
    moment: Callable[[Kind, str], exp.Expr]
    carried: Callable[[str, exp.Expr], exp.Expr]
    is_finite: Callable[[exp.Expr], exp.Expr]
    calls: Mapping[str, Call] = field(default_factory=dict)
    has_filter: bool = True
    typed_division: bool = True
    safe_division: bool = False
    average: Callable[[exp.Expr, Kind], exp.Expr] | None = None
    lacks: frozenset[str] = frozenset()
    has_is_true: bool = True
    exact: Callable[[str], exp.Expr] | None = None
    wide: Mapping[Kind, str] = field(default_factory=dict)
    roomy: Callable[[exp.Expr], exp.Expr] | None = None
    has_dots: bool = True
    names_literals: bool = True
    searched: Callable[[exp.Expr, Sequence[exp.Expr], Sequence[exp.Expr]], exp.Expr] | None = None


def written_type(name: str) -> exp.DataType:
    """Give a type that is written as it is named."""
    return exp.DataType(this=exp.DType.USERDEFINED, kind=name)


def cast(tree: exp.Expr, name: str) -> exp.Expr:
    """Cast to a type by its own name."""
    return exp.Cast(this=tree, to=written_type(name))


def call(name: str, *args: exp.Expr) -> exp.Expr:
    """Call a function by its name."""
    return exp.Anonymous(this=name, expressions=[*args])


def positive(tree: exp.Expr) -> exp.Expr:
    """Say that a number is more than nothing."""
    return exp.GT(this=tree, expression=exp.Literal.number(0))


def one_or_zero(truth: exp.Expr) -> exp.Expr:
    """Give 1 where something is true and 0 where it is false; not every engine casts a truth to its longest whole numbers."""
    false = exp.Not(this=exp.paren(truth.copy(), copy=False))
    return exp.Case(
        ifs=[exp.If(this=truth, true=exp.Literal.number(1)), exp.If(this=false, true=exp.Literal.number(0))]
    )


def of_a_pair(name: str) -> Call:
    """Give the least or greatest of two values, one of which may be unknown; a longer list with an unknown value is unknown there."""

    def write(args: Sequence[exp.Expr]) -> exp.Expr:
        if len(args) != 2:  # noqa: PLR2004 - a pair
            raise Unportable(f"{name.lower()} of {len(args)}")
        one, other = args
        known = exp.Coalesce(this=one, expressions=[other])
        return call(name, known, exp.Coalesce(this=other.copy(), expressions=[one.copy()]))

    return write


def by_edge(name: str) -> Call:
    """Give the known value with the lowest, or the highest, number, by a function that passes over unknown numbers."""

    def write(args: Sequence[exp.Expr]) -> exp.Expr:
        known = exp.Not(this=exp.Is(this=args[0].copy(), expression=exp.Null()))
        return call(name, args[0], exp.Case(ifs=[exp.If(this=known, true=args[1])]))

    return write


def within_group(name: str, double: str) -> Call:
    """Give a percentile of floating-point numbers by an aggregate over an order."""

    def write(args: Sequence[exp.Expr]) -> exp.Expr:
        order = exp.Order(expressions=[exp.Ordered(this=cast(args[0], double))])
        return exp.WithinGroup(this=call(name, args[1]), expression=order)

    return write


def average_of_exact_sum(double: str) -> Callable[[exp.Expr, Kind], exp.Expr]:
    """Give the mean as a division of floating-point numbers; of whole numbers and decimals, the sum is exact before."""

    def average(tree: exp.Expr, kind: Kind) -> exp.Expr:
        if kind not in {"int", "decimal"}:
            return exp.Avg(this=cast(tree, double))
        many = cast(exp.Nullif(this=exp.Count(this=tree), expression=exp.Literal.number(0)), double)
        return exp.Paren(this=exp.Div(this=cast(exp.Sum(this=tree.copy()), double), expression=many))

    return average


def between_infinities(low: exp.Expr, high: exp.Expr) -> Callable[[exp.Expr], exp.Expr]:
    """Give the test that a number lies between the infinities; where not-a-number is the largest of all, it does not."""

    def test(tree: exp.Expr) -> exp.Expr:
        both = exp.And(this=exp.GT(this=tree, expression=low), expression=exp.LT(this=tree, expression=high))
        return exp.Paren(this=both)

    return test


def in_utc(kind: Kind, text: str) -> str:
    """Write an instant without its zone, in UTC; other times as they are."""
    if kind != "instant":
        return text
    return datetime.fromisoformat(text).astimezone(UTC).replace(tzinfo=None).isoformat(sep=" ")


def canonical(text: str) -> str:
    """Write a moment so that texts compare as the moments do: without zeros at the end of its fraction."""
    return text.rstrip("0").removesuffix(".") if "." in text else text


def name_of(node: exp.Expr) -> str:
    """Name a construct as an author would write it."""
    if isinstance(node, exp.Func) and not isinstance(node, exp.Anonymous):
        return str(node.sql_names()[0]).lower()
    said = {
        "LT": "<",
        "LTE": "<=",
        "GT": ">",
        "GTE": ">=",
        "EQ": "=",
        "NEQ": "<>",
        "AtTimeZone": "at time zone",
        "Add": "+",
        "Sub": "-",
    }
    return said.get(type(node).__name__, type(node).__name__.lower())


def refuse_what_is_above(tree: exp.Expr, dialect: Dialect) -> None:
    """Refuse a query by name that stands inside a table of its own and reads one that is named outside of it, where it would not be found."""
    if ABOVE in dialect.lacks and any(map(_reads_from_above, tree.find_all(exp.With))):
        raise Unportable(ABOVE, said=True)


def _reads_from_above(queries: exp.With) -> bool:
    select = queries.parent
    if select is None or not isinstance(select.parent, exp.Subquery):
        return False
    own, above, outside = {each.alias for each in queries.expressions}, set[str](), select.parent.parent_select
    while outside is not None:
        above |= {each.alias for each in outside.ctes}
        outside = outside.parent_select
    return any(each.name in above - own for each in queries.find_all(exp.Table))


def without_dots(tree: exp.Expr) -> exp.Expr:
    """Write the points in the names that a statement gives, `r.shop` to a join and `a0.1` to a part of a value, as another sign."""
    made = tree.copy()
    for each in made.find_all(exp.Identifier):
        if "." in each.name and not isinstance(each.parent, exp.Table):
            each.set("this", each.name.replace(".", "$"))
    return made
