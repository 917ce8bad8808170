"""Exchange rates joined to rows: the one that is valid at each row's own time.

Problem: a project has a rate for many days and currencies, and rows have times of their own. Shape: the quotes towards one currency
become steps, each with the rate from an instant on, unknown where a rate is kept no longer; a row takes the last step at or before
its time. An as-of join does that in one pass, where a join on both ends of a stretch would look at every rate of a currency for
every row.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from sqlglot import exp

from kpi_engine.calendar import parse_duration
from kpi_engine.catalogue.resolved import ROWS
from kpi_engine.formula.trees import column, integer, named
from kpi_engine.sql.joins import local
from kpi_engine.sql.rendering import alias, where

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from kpi_engine.catalogue import Expr, TimeColumn
    from kpi_engine.definitions.models import Rates
    from kpi_engine.planning.nodes import Rate
    from kpi_engine.sql.rendering import Rendering

RATE = "rate"
RATE_TYPE = "DECIMAL(27, 15)"
"""How a rate is read: so that an amount of money times a rate stays a decimal."""
_FROM, _TO, _SINCE, _TURNED, _NEXT = "currency", "into", "since", "turned", "following"
_QUOTES, _STEPS, _FIRST, _SECOND, _POINTS = "__quotes", "__steps", "__first", "__second", "__points"


def with_rates(
    select: exp.Select,
    time: TimeColumn | None,
    rates: Sequence[Rate],
    expressions: Iterable[Expr],
    rendering: Rendering,
) -> exp.Select:
    """Join the rates that some expressions over rows of this time convert by."""
    if not rates:
        return select
    used = {table for each in expressions for table in each.tables}
    for each in rates:
        if each.name in used and time is not None:
            quotes = _Quotes(each, time, rendering)
            select = _as_of(select, quotes.steps(), each.name, [quotes.same_currency(), quotes.since_then()])
    return select


def _as_of(select: exp.Select, rows: exp.Query, name: str, tests: Sequence[exp.Expr]) -> exp.Select:
    """Join the last of some rows at or before a time; the last of the tests compares the times."""
    joined = exp.Join(this=exp.Subquery(this=rows, alias=alias(name)), method="ASOF", side="LEFT", on=exp.and_(*tests))
    select.append("joins", joined)
    return select


@dataclass(frozen=True)
class _Quotes:
    """The quotes of a dataset of rates, as steps towards one currency."""

    rate: Rate
    time: TimeColumn
    rendering: Rendering

    @cached_property
    def model(self) -> Rates:
        found = self.rendering.names.datasets[self.rate.dataset].rates
        assert found is not None  # noqa: S101 - a rate is read from a dataset of rates
        return found

    @cached_property
    def own_time(self) -> TimeColumn:
        found = self.rendering.names.time(self.rate.dataset)
        assert found is not None  # noqa: S101 - rates have a time
        return found

    def same_currency(self) -> exp.Expr:
        return exp.EQ(this=column(_FROM, self.rate.name), expression=self.rate.currency.tree)

    def since_then(self) -> exp.Expr:
        return exp.GTE(this=self._clocked(self.time), expression=column(_SINCE, self.rate.name))

    def steps(self) -> exp.Select:
        """Give currency, since when, and the rate from then on; unknown from when it is kept no longer."""
        to = self._steps_into(self.rate.to)
        found: exp.Query = to
        if self.model.through and self.model.through != self.rate.to:
            found = exp.union(to, self._crossed(), distinct=False, copy=False)
        select = exp.Select(expressions=[exp.Star()]).from_(exp.Subquery(this=found, alias=alias("q")), copy=False)
        for name, query in ((_QUOTES, self._quotes()), (_STEPS, self._steps())):
            select = select.with_(exp.to_identifier(name, quoted=True), as_=query, copy=False)
        return select

    def _clocked(self, time: TimeColumn) -> exp.Expr:
        """Write a time so that the rows' and the rates' can be compared: as instants where both are, else on the project's clock."""
        if self.time.kind == self.own_time.kind == "instant":
            return time.expression.tree
        moment = local(time.expression.tree, time.kind, time.zone, self.rendering.zone)
        return exp.cast(moment, exp.DataType.build("timestamp"), copy=False)

    def _quotes(self) -> exp.Query:
        """Give every quote that may be used, both ways where rates may be turned round; what is given itself goes first."""
        names, dataset, model = self.rendering.names, self.rate.dataset, self.model
        given, into = (_text(names.column(dataset, name)) for name in (model.from_, model.to))
        rate = _exact(names.column(dataset, model.rate), names.type_of(dataset, model.rate))
        rows = [named(given, _FROM), named(into, _TO), named(self._clocked(self.own_time), _SINCE), named(rate, RATE)]
        direct = exp.Select(expressions=[*rows, named(integer(0), _TURNED)])
        direct = direct.from_(self.rendering.relations.rows(dataset, ROWS), copy=False)
        positive = exp.GT(this=rate.copy(), expression=integer(0))
        direct = where(direct, [positive, *(_known(each.this) for each in rows[:3])])
        if not model.inverse:
            return direct
        turned = exp.Div(this=exp.Literal.number("1.0"), expression=_double(column(RATE)))
        columns = [named(column(_TO), _FROM), named(column(_FROM), _TO), column(_SINCE), named(_as_rate(turned), RATE)]
        back = exp.Select(expressions=[*columns, named(integer(1), _TURNED)])
        back = back.from_(exp.Subquery(this=direct.copy(), alias=alias("d")), copy=False)
        every = exp.Subquery(this=exp.union(direct, back, distinct=False, copy=False), alias=alias("b"))
        select = exp.Select(expressions=[exp.Star()]).from_(every, copy=False)
        first = exp.Window(this=exp.Min(this=column(_TURNED)), partition_by=[column(_FROM), column(_TO)])
        select.set("qualify", exp.Qualify(this=exp.EQ(this=column(_TURNED), expression=first)))
        return select

    def _steps(self) -> exp.Query:
        """Give each quote, and after it, where it ends before the next begins, that nothing is known."""
        rows = [column(name) for name in (_FROM, _TO, _SINCE, RATE)]
        steps = exp.Select(expressions=rows).from_(_table(_QUOTES), copy=False)
        if self.model.keep == "forever":
            return steps
        keep = parse_duration(self.model.keep)
        length = exp.Interval(this=exp.Literal.string(str(keep.count)), unit=exp.var(keep.unit))
        following = exp.Window(
            this=exp.Lead(this=column(_SINCE)),
            partition_by=[column(_FROM), column(_TO)],
            order=exp.Order(expressions=[exp.Ordered(this=column(_SINCE), nulls_first=False)]),
        )
        end = exp.Add(this=column(_SINCE), expression=length)
        ends = exp.Select(expressions=[column(_FROM), column(_TO), named(end, _SINCE), named(following, _NEXT)])
        ends = ends.from_(_table(_QUOTES), copy=False)
        unknown = named(_as_rate(exp.Null()), RATE)
        after = exp.Select(expressions=[column(_FROM), column(_TO), column(_SINCE), unknown])
        after = after.from_(exp.Subquery(this=ends, alias=alias("e")), copy=False)
        is_last = exp.Is(this=column(_NEXT), expression=exp.Null())
        after = where(after, [exp.Or(this=is_last, expression=exp.GT(this=column(_NEXT), expression=column(_SINCE)))])
        return exp.union(steps, after, distinct=False, copy=False)

    def _steps_into(self, to: str) -> exp.Select:
        steps = exp.Select(expressions=[column(name) for name in (_FROM, _SINCE, RATE)])
        return where(steps.from_(_table(_STEPS), copy=False), [_is(_TO, to)])

    def _crossed(self) -> exp.Query:
        """Give the rates over the currency between, for those that have none of their own: what changes either leg is a step."""
        first = self._steps_into(self.model.through)
        own = exp.Select(expressions=[column(_FROM)]).from_(_table(_STEPS), copy=False)
        own = where(own, [_is(_TO, self.rate.to)])
        without = exp.Not(this=exp.In(this=column(_FROM), query=exp.Subquery(this=own)))
        first = where(first, [without, exp.Not(this=_is(_FROM, self.rate.to))])
        second = exp.Select(expressions=[column(_SINCE), column(RATE)]).from_(_table(_STEPS), copy=False)
        second = where(second, [_is(_FROM, self.model.through), _is(_TO, self.rate.to)])
        currencies = exp.Select(expressions=[column(_FROM)]).from_(_named(first, "c"), copy=False).distinct(copy=False)
        every = exp.Select(expressions=[column(_FROM, "c"), column(_SINCE, "s")]).from_(
            _named(currencies, "c"), copy=False
        )
        every = every.join(_named(second, "s"), join_type="cross", copy=False)
        steps = exp.Select(expressions=[column(_FROM), column(_SINCE)]).from_(_named(first, "f"), copy=False)
        points = exp.union(steps, every, distinct=True, copy=False)
        rate = exp.Mul(this=_double(column(RATE, _FIRST)), expression=_double(column(RATE, _SECOND)))
        columns = [column(_FROM, _POINTS), column(_SINCE, _POINTS), named(_as_rate(rate), RATE)]
        select = exp.Select(expressions=columns).from_(_named(points, _POINTS), copy=False)
        same = exp.EQ(this=column(_FROM, _POINTS), expression=column(_FROM, _FIRST))
        select = _as_of(select, first.copy(), _FIRST, [same, _by_then(_FIRST)])
        return _as_of(select, second.copy(), _SECOND, [_by_then(_SECOND)])


def _by_then(name: str) -> exp.Expr:
    return exp.GTE(this=column(_SINCE, _POINTS), expression=column(_SINCE, name))


def _is(name: str, currency: str) -> exp.Expr:
    return exp.EQ(this=column(name), expression=exp.Literal.string(currency))


def _table(name: str) -> exp.Table:
    return exp.Table(this=exp.to_identifier(name, quoted=True))


def _named(query: exp.Query, name: str) -> exp.Subquery:
    return exp.Subquery(this=query.copy(), alias=alias(name))


def _known(tree: exp.Expr) -> exp.Expr:
    return exp.Not(this=exp.Is(this=tree.copy(), expression=exp.Null()))


def _text(tree: exp.Expr) -> exp.Expr:
    return exp.cast(tree, exp.DataType.build("varchar"), copy=False)


def _double(tree: exp.Expr) -> exp.Expr:
    return exp.cast(tree, exp.DataType.build("double"), copy=False)


def _as_rate(tree: exp.Expr) -> exp.Expr:
    return exp.cast(tree, exp.DataType.build(RATE_TYPE), copy=False)


def _exact(tree: exp.Expr, sql_type: str) -> exp.Expr:
    """Read a rate as the decimal that is written: 163.4, and not the binary number next to it."""
    return _as_rate(tree if sql_type.startswith("DECIMAL") else _text(tree))
