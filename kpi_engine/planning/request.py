"""A request, read and checked: what is asked for, without the catalogue's say yet."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from sqlglot import exp

from kpi_engine.calendar import GRAINS, PARTS, Period, parse_grain, parse_moment, parse_period
from kpi_engine.calendar.units import unit_word
from kpi_engine.catalogue.currencies import AS_RECORDED, HINT, is_currency
from kpi_engine.catalogue.resolved import Expr
from kpi_engine.errors import RequestError, nearest, shown
from kpi_engine.formula.gate import Refused, read
from kpi_engine.planning.arguments import limit_of, mapping_of, names_of, refuse_doubles, text_of
from kpi_engine.planning.nodes import Sort
from kpi_engine.planning.ranking import read_first, read_standings

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from kpi_engine.calendar import Calendar, Grain
    from kpi_engine.planning.ranking import FirstMembers, Standing
    from kpi_engine.planning.windows import Compare

COMPARISONS: tuple[Compare, ...] = ("previous_period", "previous_year")
PERIOD = "period"
AMONG = "among"
"""The operator that keeps the members for which a condition on KPIs holds."""
MAX_TEXT = 10_000
MAX_DIGITS = 38
MAX_VALUES = 1_000
_LONG = "ask with fewer conditions, or make what they say a dimension of the dataset"

_SYMBOLS = {"=": "eq", "==": "eq", "!=": "ne", "<>": "ne", ">": "gt", ">=": "gte", "<": "lt", "<=": "lte"}
_COMPARING = {"eq": exp.EQ, "ne": exp.NEQ, "gt": exp.GT, "gte": exp.GTE, "lt": exp.LT, "lte": exp.LTE}
_UNSPEAKABLE = re.compile("[\x00\ud800-\udfff]")
TEXTUAL = {"contains": exp.Contains, "starts_with": exp.StartsWith, "ends_with": exp.EndsWith}
_KNOWN = frozenset({"gt", "gte", "lt", "lte", "between", *TEXTUAL})
"""The operators that need a value: nothing is larger than what is missing."""
OPERATORS = (*_COMPARING, "in", "not_in", *TEXTUAL, "between", "is_null")


@dataclass(frozen=True)
class Filter:
    """One condition on a dimension or a KPI: an operator of `OPERATORS` and its value."""

    name: str
    operator: str
    value: Any
    unit: str = ""
    """Of a condition on periods: the unit of time in which a period lies, where the condition is on that."""

    def tree(self, left: exp.Expr) -> exp.Expr:
        """Make the condition over the expression that the name stands for."""
        if self.operator == "is_null":
            test = exp.Is(this=left, expression=exp.Null())
            return test if self.value else exp.Not(this=test)
        if self.operator in {"in", "not_in"}:
            return _membership(left, self.value, negated=self.operator == "not_in")
        if self.operator == "between":
            return exp.Between(this=left, low=literal(self.value[0]), high=literal(self.value[1]))
        if self.operator in TEXTUAL:
            return TEXTUAL[self.operator](this=left, expression=literal(self.value))
        if self.value is None:
            test = exp.Is(this=left, expression=exp.Null())
            return test if self.operator == "eq" else exp.Not(this=test)
        return _COMPARING[self.operator](this=left, expression=literal(self.value))


@dataclass(frozen=True)
class Members:
    """The members of the dimension `by` for which conditions on KPIs hold, over all time."""

    by: str
    having: tuple[Filter, ...] = ()
    condition: Expr | None = None
    """As a definition writes it, over the names of KPIs."""


@dataclass(frozen=True)
class Request:
    """What is asked for."""

    kpis: tuple[str, ...]
    period: Period
    as_of: datetime
    by: tuple[str, ...] = ()
    grain: Grain | None = None
    also: tuple[Grain, ...] = ()
    """Further grains: a period ends wherever a unit of any of them does."""
    where: tuple[Filter, ...] = ()
    periods: tuple[Filter, ...] = ()
    """Conditions on the periods of the answer: they cut no rows that an input needs."""
    where_sql: Expr | None = None
    having: tuple[Filter, ...] = ()
    compare: tuple[Compare, ...] = ()
    like_for_like: bool = False
    """Whether a period that is not over is compared with as much of the earlier one as has passed of it."""
    order: tuple[Sort, ...] = ()
    limit: int | None = None
    top: FirstMembers | None = None
    rank: tuple[Standing, ...] = ()
    share: tuple[Standing, ...] = ()
    parameters: Mapping[str, Any] = field(default_factory=dict)
    dense: bool = True
    currency: str = ""
    """Into which amounts are converted; `as_recorded`, not at all."""
    members_of: tuple[str, ...] = ()
    """Datasets whose members are asked for, in a request without KPIs."""
    dated: bool = True
    """Whether members are those of the period."""
    failed: frozenset[str] = frozenset()
    """KPIs that cannot be computed: their columns are unknown, and the others are not stopped."""
    partial_split: bool = False
    """Whether KPIs may be asked for without the split they mean something by, as totals are."""

    @property
    def compared_with(self) -> tuple[str, ...]:
        """Name the KPIs that members are kept by."""
        kept = (each.value for each in self.where if each.operator == AMONG)
        first = [] if self.top is None else [self.top.by]
        return tuple(dict.fromkeys([*(condition.name for members in kept for condition in members.having), *first]))

    @property
    def computed(self) -> tuple[str, ...]:
        """Name the KPIs that the plan computes: those of the answer, and the one that members are put in order by."""
        return self.kpis if self.top is None else tuple(dict.fromkeys((*self.kpis, self.top.by)))


def read_request(
    kpis: Sequence[str], calendar: Calendar, *, by: str | Iterable[str] = (), grain: str | Iterable[str] | None = None, period: Any = None,  # noqa: ANN401
    where: Mapping[str, Any] | None = None, where_sql: str | None = None, having: Mapping[str, Any] | None = None,
    compare: str | Iterable[str] = (), order: str | Iterable[str] = (), limit: int | None = None, as_of: Any = None,  # noqa: ANN401
    parameters: Mapping[str, Any] | None = None, dense: bool = True, currency: str | None = None, top: Any = None,  # noqa: ANN401
    rank: Any = (), share: Any = (), like_for_like: bool = False,  # noqa: ANN401
) -> Request:  # fmt: skip
    """Read the arguments of a request; raise `RequestError` for what cannot be meant."""
    moment = parse_moment(as_of, calendar)
    splits = names_of(by, "by", "by=['channel']")
    comparisons = tuple(_comparison(name) for name in names_of(compare, "compare", "compare='previous_year'"))
    for argument, names in (("by", splits), ("compare", comparisons), ("kpis", tuple(kpis))):
        refuse_doubles(argument, names)
    named = names_of(() if grain is None else grain, "grain", "grain='month'")
    grains = tuple(parse_grain(each, (*PARTS, *calendar.units)) for each in named)
    refuse_doubles("grain", grains)
    condition = text_of(where_sql, "where_sql", "where_sql=\"channel = 'email'\"")
    rows = mapping_of(where, "where", "where={'channel': 'email'}")
    conditions = tuple(
        f
        for name, value in rows.items()
        for f in (_on_periods(value, calendar) if name == PERIOD else filters(name, value))
    )
    answers = mapping_of(having, "having", "having={'visits': {'gt': 100}}")
    return Request(
        kpis=tuple(kpis),
        period=parse_period(period, calendar, moment),
        as_of=moment,
        by=splits,
        grain=grains[0] if grains else None,
        also=grains[1:],
        where=tuple(each for each in conditions if each.name != PERIOD),
        periods=tuple(each for each in conditions if each.name == PERIOD),
        where_sql=None if condition is None else _condition(condition),
        having=tuple(f for name, value in answers.items() for f in filters(name, value)),
        compare=comparisons,
        like_for_like=_like_for_like(like_for_like, comparisons),
        order=tuple(_sort(item) for item in names_of(order, "order", "order='-visits'")),
        limit=limit_of(limit),
        top=read_first(top, kpis, splits),
        rank=read_standings("rank", rank, kpis, splits),
        share=read_standings("share", share, kpis, splits),
        parameters=dict(parameters or {}),
        dense=dense,
        currency=_currency(currency),
    )


def _currency(written: str | None) -> str:
    code = text_of(written, "currency", "currency='EUR'") or ""
    if code and code != AS_RECORDED and not is_currency(code):
        message = f"{shown(code)} is not a currency"
        raise RequestError(message, code="bad_currency", hint=f"{HINT}; or `{AS_RECORDED}`, to convert nothing")
    return code


def _on_periods(value: object, calendar: Calendar) -> tuple[Filter, ...]:
    """Read conditions on periods: on their start, or `{unit: condition}` on the unit of time that they lie in."""
    known = (*GRAINS, *calendar.units)
    said = {unit_word(str(key), known): each for key, each in value.items()} if isinstance(value, dict) else {}
    units = {key: each for key, each in said.items() if key in known}
    found = [replace(f, unit=key) for key, each in units.items() for f in filters(PERIOD, each)]
    if not units:
        return filters(PERIOD, value)
    rest = {key: each for key, each in value.items() if unit_word(str(key), known) not in units}  # type: ignore[attr-defined]
    return (*found, *(filters(PERIOD, rest) if rest else ()))


def _members(name: str, value: object) -> Members:
    """Read `{having: {KPI: condition}}`, with `by` where the KPIs call the dimension otherwise."""
    said = mapping_of(value, AMONG, "{'among': {'having': {'orders': {'gt': 2}}}}")
    if unknown := next((key for key in said if key not in {"by", "having"}), None):
        message = f"{shown(unknown)} is not known in `{AMONG}` of {shown(name)}"
        raise RequestError(message, code="bad_filter_value", hint="it takes `having` and `by`")
    conditions = mapping_of(said.get("having"), "having", "having={'orders': {'gt': 2}}")
    found = tuple(each for kpi, condition in conditions.items() for each in filters(kpi, condition))
    if not found:
        message = f"`{AMONG}` of {shown(name)} names no KPI"
        raise RequestError(message, code="bad_filter_value", hint="for example {'having': {'orders': {'gt': 2}}}")
    return Members(text_of(said.get("by"), "by", "by='customer'") or name, found)


def totalled(request: Request) -> Request | None:
    """Give the request for the totals of another, over all members and its whole period; nothing where its one row is the totals."""
    if not request.by and request.grain is None and not request.having and request.limit is None:
        return None
    whole = replace(
        request, by=(), grain=None, also=(), periods=(), having=(), order=(), limit=None, top=None, rank=(), dense=True,
        partial_split=True,
    )  # fmt: skip
    return replace(whole, compare=()) if request.period.kind == "all" else whole


def alone(request: Request, kpi_id: str) -> Request:
    """Give the request for one of its KPIs, whatever is asked of the others."""
    rank, share = (tuple(each for each in asked if each.kpi == kpi_id) for asked in (request.rank, request.share))
    return replace(request, kpis=(kpi_id,), order=(), having=(), rank=rank, share=share)


def filters(name: str, value: object) -> tuple[Filter, ...]:
    """Read `value`, `[values]` or `{operator: value}` into conditions on a name."""
    if isinstance(value, dict):
        if not value:
            message = f"the filter on {shown(name)} says nothing"
            raise RequestError(message, code="bad_filter_value", hint="give a value, several, or {operator: value}")
        return tuple(
            Filter(name, AMONG, _members(name, operand))
            if operator == AMONG
            else _operator(name, str(operator), operand)
            for operator, operand in value.items()
        )
    if isinstance(value, list | tuple | set | frozenset):
        return (_operator(name, "in", list(value)),)
    return (_operator(name, "eq", value),)


def _operator(name: str, written: str, value: Any) -> Filter:  # noqa: ANN401
    operator = _SYMBOLS.get(written, written)
    if operator not in OPERATORS:
        raise RequestError(
            f"{shown(written)} is not an operator",
            code="unknown_operator",
            hint=nearest(written, [*OPERATORS, *_SYMBOLS]),
        )
    if operator in {"in", "not_in"}:
        value = tuple(value) if isinstance(value, list | tuple | set | frozenset) else (value,)
        if len(value) > MAX_VALUES:
            raise RequestError(
                f"a filter on `{name}` lists {len(value):,} values, at most {MAX_VALUES:,} are taken",
                code="too_many_values",
                hint="make the members you mean a dimension of the dataset, and filter by that",
            )
        values = value
    elif operator == "between":
        if not (isinstance(value, list | tuple) and len(value) == 2):  # noqa: PLR2004
            raise RequestError(
                f"`between` on `{name}` takes two values", code="bad_filter_value", hint="for example {between: [1, 5]}"
            )
        values = value = tuple(value)
    elif operator == "is_null" and not isinstance(value, bool):
        message = f"`is_null` on `{name}` is true or false, not {shown(value)}"
        raise RequestError(message, code="bad_filter_value", hint="{is_null: true} keeps the rows where it is missing")
    else:
        values = (value,)
    for each in values:
        _check_value(name, each)
    if None in values and operator in _KNOWN:
        message = f"`{written}` on `{name}` compares with nothing"
        raise RequestError(message, code="bad_filter_value", hint="what is missing is found with {is_null: true}")
    if operator == "between" and _is_reversed(*values):
        message = (
            f"`between` on `{name}` ends before it begins: nothing lies between {values[0]!r:.40} and {values[1]!r:.40}"
        )
        raise RequestError(message, code="bad_filter_value", hint="write the smaller value first")
    return Filter(name, operator, value)


def _is_reversed(low: object, high: object) -> bool:
    """Whether nothing can lie between two values; of texts that depends on what the dimension holds."""
    numbers = isinstance(low, int | float | Decimal) and isinstance(high, int | float | Decimal) and low > high
    days = type(low) is date and type(high) is date and low > high
    return numbers or days


def _check_value(name: str, value: object) -> None:
    if not isinstance(value, str | bool | int | float | Decimal | date | datetime | None):
        raise RequestError(
            f"a filter on `{name}` cannot use a value of type {type(value).__name__}",
            code="bad_filter_value",
            hint="use a text, a number, a date, true or false",
        )
    if isinstance(value, int | float | Decimal) and (why := unusable(value)):
        message = f"a filter on `{name}` cannot use a number that {why}"
        raise RequestError(message, code="bad_filter_value", hint=f"use a number of at most {MAX_DIGITS} digits")
    if isinstance(value, str) and (why := unusable(value)):
        message = f"a filter on `{name}` cannot use a text that {why}"
        raise RequestError(message, code="bad_filter_value", hint="compare with a text that a row can hold")


def unusable(value: float | Decimal | str) -> str:
    """Say why a number or text of a request can be no value; empty where it can."""
    if isinstance(value, str):
        if len(value) > MAX_TEXT:
            return f"has more than {MAX_TEXT:,} characters"
        return "holds a NUL character or half a character" if _UNSPEAKABLE.search(value) else ""
    if not isinstance(value, int) and not math.isfinite(value):
        return "is not finite"
    return f"has more than {MAX_DIGITS} digits" if not isinstance(value, float) and abs(value) >= 10**MAX_DIGITS else ""


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
        hint = (
            _LONG
            if mistake.code in {"too_deep", "formula_too_long"}
            else mistake.hint or "see docs/reference/functions.md"
        )
        hint = "write a condition such as `channel = 'email'`" if mistake.code == "empty_formula" else hint
        raise RequestError(f"`where_sql`: {mistake.message}{where}", code=mistake.code, hint=hint) from None


def _comparison(name: str) -> Compare:
    written = name.strip().replace("-", "_").replace(" ", "_")
    if written not in COMPARISONS:
        raise RequestError(
            f"{shown(name)} is not a comparison", code="unknown_comparison", hint=nearest(written, COMPARISONS)
        )
    return written


def _like_for_like(value: object, comparisons: tuple[Compare, ...]) -> bool:
    if not isinstance(value, bool):
        message = f"`like_for_like` is true or false, not {shown(value)}"
        raise RequestError(
            message, code="bad_request", hint="true compares a period that is not over with the same part"
        )
    if value and not comparisons:
        message = "`like_for_like` says how periods are compared, and none is"
        raise RequestError(message, code="bad_request", hint="give `compare`")
    return value


def _sort(item: str) -> Sort:
    name, _, direction = item.strip().partition(" ")
    if direction.strip().lower() not in {"", "asc", "desc"}:
        raise RequestError(
            f"{shown(item)} is not an order", code="bad_order", hint="write `visits`, `-visits` or `visits desc`"
        )
    return Sort(name.removeprefix("-"), name.startswith("-") or direction.strip().lower() == "desc")
