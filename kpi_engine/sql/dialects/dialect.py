"""What a dialect states once."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sqlglot import exp

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from kpi_engine.sql.dialects.kinds import Kind

    Call = Callable[[Sequence[exp.Expr]], exp.Expr]


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
    names_literals: bool = True


def written_type(name: str) -> exp.DataType:
    """Give a type that is written as it is named."""
    return exp.DataType(this=exp.DType.USERDEFINED, kind=name)


def cast(tree: exp.Expr, name: str) -> exp.Expr:
    """Cast to a type by its own name."""
    return exp.Cast(this=tree, to=written_type(name))


def call(name: str, *args: exp.Expr) -> exp.Expr:
    """Call a function by its name."""
    return exp.Anonymous(this=name, expressions=[*args])


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


def canonical(text: str) -> str:
    """Write a moment so that texts compare as the moments do: without zeros at the end of its fraction."""
    return text.rstrip("0").removesuffix(".") if "." in text else text
