"""Allowed nodes in shapes that are not: what a formula or condition may not say although each of its parts is fine."""

from __future__ import annotations

import re
from datetime import date
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING

from sqlglot import exp

from kpi_engine.formula.mistakes import Mistake
from kpi_engine.formula.positions import span

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

AGGREGATE_NODES = (
    exp.Sum, exp.Count, exp.CountIf, exp.Avg, exp.Min, exp.Max, exp.Median, exp.PercentileCont, exp.PercentileDisc, exp.Stddev, exp.ApproxQuantile, exp.First, exp.Last,
)  # fmt: skip
_AROUND, _WRITTEN = (exp.Neg, exp.Cast, exp.Paren), (exp.Literal, exp.Boolean, exp.Null, exp.Placeholder)
"""What stands around a constant, and what a constant is."""
_COMPARISONS = (exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE, exp.NullSafeEQ, exp.NullSafeNEQ)
_DATE_PARTS = frozenset({"SECOND", "MINUTE", "HOUR"})
MOST_DIGITS = 15
_TIMES = frozenset({"DATE", "TIMESTAMP", "TIMESTAMPNTZ", "TIMESTAMPTZ"})
_DAY = re.compile(r"(\d{4})[-/](\d{1,2})[-/](\d{1,2})(?!\d)")


def objections(node: exp.Expr) -> Iterator[Mistake]:
    """Find what is wrong with the shape of one node."""
    rule = rules().get(type(node))
    if rule is not None and (found := rule(node)) is not None:
        code, message, hint = found
        yield Mistake(code, message, *span(node), hint)


Finding = tuple[str, str, str] | None


@cache
def rules() -> Mapping[type[exp.Expr], Callable[..., Finding]]:
    """Give what is to be looked for in nodes that have a shape."""
    return MappingProxyType({
        exp.In: _in, exp.DateDiff: _date_diff, exp.Star: _star, exp.Column: _column, exp.Var: _var, exp.Placeholder: _placeholder,
        exp.Is: _is, **dict.fromkeys(_COMPARISONS, _comparison), exp.Filter: _filter, exp.Round: _round, exp.Distinct: _distinct,
        exp.Count: _count, exp.Cast: _cast,
    })  # fmt: skip


_WITH_NULL = (
    "compared_with_null",
    "nothing is equal to null, nor unequal, larger or smaller",
    "write `x is null` or `x is not null`",
)


def _in(node: exp.In) -> Finding:
    if isinstance(node.parent, exp.Not) and any(isinstance(item, exp.Null) for item in node.expressions):
        return "compared_with_null", "`not in` a list with null is never true", "take null out of the list"
    if node.expressions and all(_is_constant(item) for item in node.expressions):
        return None
    return "bad_in", "`in` takes a list of values in brackets", "for example `channel in ('email', 'direct')`"


def _is_constant(node: exp.Expr) -> bool:
    inner = node.this if isinstance(node, _AROUND) else node
    return isinstance(inner, _WRITTEN)


def _date_diff(node: exp.DateDiff) -> Finding:
    if str(node.args.get("unit")).upper() in _DATE_PARTS:
        return None
    return (
        "bad_date_part",
        "`date_diff` counts 'second', 'minute' or 'hour'",
        "a day is another number in every time zone: divide hours by 24",
    )


def _star(node: exp.Star) -> Finding:
    if isinstance(node.parent, exp.Column) or (isinstance(node.parent, exp.Count) and not any(node.args.values())):
        return None
    return "bad_star", "`*` stands only in `count(*)`", "name a column"


def _column(node: exp.Column) -> Finding:
    return ("bad_star", "`*` stands only in `count(*)`", "name a column") if isinstance(node.this, exp.Star) else None


def _var(node: exp.Var) -> Finding:
    return None if isinstance(node.parent, exp.DateDiff) else ("syntax", f"`{node.name}` cannot stand here", "")


def _placeholder(node: exp.Placeholder) -> Finding:
    if re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", str(node.this or "")):
        return None
    return "bad_parameter", "a parameter is written as `:name`", "its name holds letters, digits and `_`"


def _is(node: exp.Is) -> Finding:
    if isinstance(node.expression, exp.Null | exp.Boolean):
        return None
    return "bad_is", "`is` is followed by `null`, `true` or `false`", "to compare values write `=`"


def _comparison(node: exp.Expr) -> Finding:
    safe = isinstance(node, exp.NullSafeEQ | exp.NullSafeNEQ)
    if not safe and (isinstance(node.this, exp.Null) or isinstance(node.expression, exp.Null)):
        return _WITH_NULL
    if not isinstance(node.this, _COMPARISONS) and not isinstance(node.expression, _COMPARISONS):
        return None
    return "chained_comparison", "two comparisons follow one another", "write `a < b and b < c`"


def _cast(node: exp.Cast) -> Finding:
    text = node.this
    is_time = str(node.to.this.value) in _TIMES
    if not is_time or not isinstance(text, exp.Literal) or not text.is_string or is_day(str(text.this)):
        return None
    return "impossible_date", f"'{str(text.this)[:40]}' is not a date that exists", "write it as in date '2026-01-31'"


def is_day(text: str) -> bool:
    """Whether a text begins with a day that exists.

    >>> is_day("2026-02-30"), is_day("2026-02-28 12:00")
    (False, True)
    """
    found = _DAY.match(text.strip())
    if found is None:
        return False
    year, month, day = (int(part) for part in found.groups())
    try:
        date(year, month, day)
    except ValueError:
        return False
    return True


def _filter(node: exp.Filter) -> Finding:
    if isinstance(node.this, AGGREGATE_NODES):
        return None
    return "bad_filter", "`filter` follows an aggregate", "for example `sum(amount) filter (where channel = 'email')`"


def _round(node: exp.Round) -> Finding:
    digits = node.args.get("decimals")
    whole = digits is None or (
        isinstance(digits, exp.Literal) and str(digits.this).isdigit() and int(str(digits.this)) <= MOST_DIGITS
    )
    return (
        None
        if whole
        else (
            "bad_arguments",
            f"`round` takes a number of decimals from 0 to {MOST_DIGITS}",
            "for example `round(x, 2)`",
        )
    )


def _distinct(node: exp.Distinct) -> Finding:
    if isinstance(node.parent, exp.Count):
        return None
    return (
        "bad_distinct",
        "`distinct` stands only in `count(distinct x)`",
        "the largest and the smallest value need no `distinct`",
    )


def _count(node: exp.Count) -> Finding:
    return (
        ("bad_arguments", "`count` takes one value", "count rows, or `count(distinct x)`") if node.expressions else None
    )
