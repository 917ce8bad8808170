"""A request, read and checked: what is asked for, without the catalogue's say yet."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from sqlglot import exp

from kpi_engine.calendar import Period, parse_grain, parse_moment, parse_period
from kpi_engine.catalogue.resolved import Expr
from kpi_engine.errors import RequestError, nearest
from kpi_engine.formula.gate import Refused, read
from kpi_engine.planning.nodes import Sort

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from kpi_engine.calendar import Calendar, Grain
    from kpi_engine.planning.windows import Compare

COMPARISONS: tuple[Compare, ...] = ("previous_period", "previous_year")
MAX_TEXT = 10_000
MAX_VALUES = 1_000

_SYMBOLS = {"=": "eq", "==": "eq", "!=": "ne", "<>": "ne", ">": "gt", ">=": "gte", "<": "lt", "<=": "lte"}
_COMPARING = {"eq": exp.EQ, "ne": exp.NEQ, "gt": exp.GT, "gte": exp.GTE, "lt": exp.LT, "lte": exp.LTE}
_TEXTUAL = {"contains": exp.Contains, "starts_with": exp.StartsWith, "ends_with": exp.EndsWith}
OPERATORS = (*_COMPARING, "in", "not_in", *_TEXTUAL, "between", "is_null")


@dataclass(frozen=True)
class Filter:
    """One condition on a dimension or a KPI: an operator of `OPERATORS` and its value."""

    name: str
    operator: str
    value: Any

    def tree(self, left: exp.Expr) -> exp.Expr:
        """Make the condition over the expression that the name stands for."""
        if self.operator == "is_null":
            test = exp.Is(this=left, expression=exp.Null())
            return test if self.value else exp.Not(this=test)
        if self.operator in {"in", "not_in"}:
            return _membership(left, self.value, negated=self.operator == "not_in")
        if self.operator == "between":
            return exp.Between(this=left, low=literal(self.value[0]), high=literal(self.value[1]))
        if self.operator in _TEXTUAL:
            return _TEXTUAL[self.operator](this=left, expression=literal(self.value))
        if self.value is None:
            test = exp.Is(this=left, expression=exp.Null())
            return test if self.operator == "eq" else exp.Not(this=test)
        return _COMPARING[self.operator](this=left, expression=literal(self.value))


@dataclass(frozen=True)
class Request:
    """What is asked for."""

    kpis: tuple[str, ...]
    period: Period
    as_of: datetime
    by: tuple[str, ...] = ()
    grain: Grain | None = None
    where: tuple[Filter, ...] = ()
    where_sql: Expr | None = None
    having: tuple[Filter, ...] = ()
    compare: tuple[Compare, ...] = ()
    order: tuple[Sort, ...] = ()
    limit: int | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)
    dense: bool = True
    failed: frozenset[str] = frozenset()
    """KPIs that cannot be computed: their columns are unknown, and the others are not stopped."""
    partial_split: bool = False
    """Whether KPIs may be asked for without the split they mean something by, as totals are."""


def read_request(
    kpis: Sequence[str], calendar: Calendar, *, by: str | Iterable[str] = (), grain: str | None = None, period: Any = None,  # noqa: ANN401
    where: Mapping[str, Any] | None = None, where_sql: str | None = None, having: Mapping[str, Any] | None = None,
    compare: str | Iterable[str] = (), order: str | Iterable[str] = (), limit: int | None = None, as_of: Any = None,  # noqa: ANN401
    parameters: Mapping[str, Any] | None = None, dense: bool = True,
) -> Request:  # fmt: skip
    """Read the arguments of a request; raise `RequestError` for what cannot be meant."""
    moment = parse_moment(as_of, calendar)
    names = _names(by, "by")
    _refuse_doubles("by", names)
    _refuse_doubles("the request", tuple(kpis))
    return Request(
        kpis=tuple(kpis),
        period=parse_period(period, calendar, moment),
        as_of=moment,
        by=names,
        grain=None if grain is None else parse_grain(grain),
        where=tuple(f for name, value in (where or {}).items() for f in filters(name, value)),
        where_sql=None if not where_sql else _condition(where_sql),
        having=tuple(f for name, value in (having or {}).items() for f in filters(name, value)),
        compare=tuple(_comparison(name) for name in _names(compare, "compare")),
        order=tuple(_sort(item) for item in _names(order, "order")),
        limit=_limit(limit),
        parameters=dict(parameters or {}),
        dense=dense,
    )


def _refuse_doubles(what: str, names: tuple[str, ...]) -> None:
    if doubles := sorted({name for name in names if names.count(name) > 1}):
        said = ", ".join(f"`{name}`" for name in doubles)
        raise RequestError(f"{what} names {said} twice", code="bad_request", hint="name each once")


def _names(value: str | Iterable[str], what: str) -> tuple[str, ...]:
    names = (value,) if isinstance(value, str) else tuple(value)
    if not all(isinstance(name, str) and name for name in names):
        raise RequestError(f"`{what}` is a name or a list of names", code="bad_request")
    return names


def filters(name: str, value: object) -> tuple[Filter, ...]:
    """Read `value`, `[values]` or `{operator: value}` into conditions on a name."""
    if isinstance(value, dict):
        return tuple(_operator(name, str(operator), operand) for operator, operand in value.items())
    if isinstance(value, list | tuple | set | frozenset):
        return (_operator(name, "in", list(value)),)
    return (_operator(name, "eq", value),)


def _operator(name: str, written: str, value: Any) -> Filter:  # noqa: ANN401
    operator = _SYMBOLS.get(written, written)
    if operator not in OPERATORS:
        raise RequestError(
            f"`{written}` is not an operator", code="unknown_operator", hint=nearest(written, [*OPERATORS, *_SYMBOLS])
        )
    if operator in {"in", "not_in"}:
        value = tuple(value) if isinstance(value, list | tuple | set | frozenset) else (value,)
        if len(value) > MAX_VALUES:
            raise RequestError(
                f"a filter on `{name}` lists {len(value):,} values, at most {MAX_VALUES:,} are taken",
                code="too_many_values",
            )
        values = value
    elif operator == "between":
        if not (isinstance(value, list | tuple) and len(value) == 2):  # noqa: PLR2004
            raise RequestError(
                f"`between` on `{name}` takes two values", code="bad_filter_value", hint="for example {between: [1, 5]}"
            )
        values = value = tuple(value)
    else:
        values = (value,)
    for each in values:
        _check_value(name, each)
    return Filter(name, operator, value)


def _check_value(name: str, value: object) -> None:
    if not isinstance(value, str | bool | int | float | Decimal | date | datetime | None):
        raise RequestError(
            f"a filter on `{name}` cannot use a value of type {type(value).__name__}", code="bad_filter_value"
        )
    if isinstance(value, float) and not math.isfinite(value):
        raise RequestError(f"a filter on `{name}` cannot use {value}", code="bad_filter_value", hint="use a number")
    if isinstance(value, str) and (len(value) > MAX_TEXT or "\x00" in value):
        raise RequestError(
            f"a filter on `{name}` uses a text that is too long or holds a NUL character", code="bad_filter_value"
        )


def literal(value: object) -> exp.Expr:
    """Make a literal of the tree from a Python value."""
    if value is None:
        return exp.Null()
    if isinstance(value, bool):
        return exp.Boolean(this=value)
    if isinstance(value, int | float | Decimal):
        text = format(value, "f") if isinstance(value, Decimal) else repr(value)
        number = exp.Literal.number(text.lstrip("-"))
        return exp.Neg(this=number) if text.startswith("-") else number
    if isinstance(value, datetime):
        kind = "TIMESTAMPTZ" if value.tzinfo else "TIMESTAMP"
        return exp.cast(exp.Literal.string(value.isoformat(sep=" ")), exp.DataType.build(kind, dialect="duckdb"))
    if isinstance(value, date):
        return exp.cast(exp.Literal.string(value.isoformat()), exp.DataType.build("DATE"))
    return exp.Literal.string(str(value))


def _membership(left: exp.Expr, values: Sequence[object], *, negated: bool) -> exp.Expr:
    known = [literal(value) for value in values if value is not None]
    test: exp.Expr = exp.In(this=left, expressions=known) if known else exp.Boolean(this=False)
    if None in values:
        test = exp.Or(this=exp.Is(this=left, expression=exp.Null()), expression=test)
    return exp.Not(this=exp.Paren(this=test)) if negated else exp.Paren(this=test)


def _condition(text: str) -> Expr:
    try:
        return Expr(read(text, "condition"))
    except Refused as refused:
        mistake = refused.mistakes[0]
        where = f" (at character {mistake.offset + 1})"
        raise RequestError(f"`where_sql`: {mistake.message}{where}", code=mistake.code, hint=mistake.hint) from None


def _comparison(name: str) -> Compare:
    written = name.strip().replace("-", "_").replace(" ", "_")
    if written not in COMPARISONS:
        raise RequestError(
            f"`{name}` is not a comparison", code="unknown_comparison", hint=nearest(written, COMPARISONS)
        )
    return written


def _sort(item: str) -> Sort:
    name, _, direction = item.strip().partition(" ")
    if direction.strip().lower() not in {"", "asc", "desc"}:
        raise RequestError(
            f"`{item}` is not an order", code="bad_order", hint="write `visits`, `-visits` or `visits desc`"
        )
    return Sort(name.lstrip("-"), name.startswith("-") or direction.strip().lower() == "desc")


def _limit(limit: int | None) -> int | None:
    if limit is not None and (isinstance(limit, bool) or not isinstance(limit, int) or limit < 0):
        raise RequestError(f"a limit is a whole number from 0 up, not {limit!r}", code="bad_limit")
    return limit
