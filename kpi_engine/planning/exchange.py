"""Amounts converted into one currency: row by row, before anything is added up, at the rate valid at the row's own time."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sqlglot import exp

from kpi_engine.catalogue.aggregates import COUNTS
from kpi_engine.catalogue.currencies import AS_RECORDED, no_rates, rates_dataset
from kpi_engine.catalogue.resolved import Expr
from kpi_engine.errors import RequestError
from kpi_engine.formula.trees import bracketed, column, integer, rewritten
from kpi_engine.planning.nodes import Rate

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from kpi_engine.catalogue import ResolvedAggregate, TimeColumn
    from kpi_engine.catalogue.names import Names
    from kpi_engine.planning.rows import Rows
    from kpi_engine.planning.summaries import Summaries

_RATE = "rate"


@dataclass
class Exchange:
    """The rates that a plan converts by, each once."""

    names: Names
    rates: dict[str, Rate] = field(default_factory=dict)
    """By the name of their table in the plan."""

    def amounts(self, aggregate: ResolvedAggregate, dataset: str) -> dict[Expr, Expr]:
        """Give each amount of money in an aggregate with its currency: that of a column, else that of its unit."""
        found = dict(aggregate.currencies)
        if aggregate.argument is not None:
            fixed = self.names.fixed_currencies(dataset, aggregate.argument.tree)
            found |= {amount: Expr(exp.Literal.string(code)) for amount, code in fixed.items()}
        return found

    def converted(self, argument: Expr, amounts: Mapping[Expr, Expr], to: str) -> Expr:
        """Give what is aggregated, with each amount times its rate; one in that currency already is left as it is."""
        worth = {amount: self._worth(currency, to) for amount, currency in amounts.items()}

        def multiplied(node: exp.Expr) -> exp.Expr:
            if not isinstance(node, exp.Column) or (rate := worth.get(Expr(node))) is None:
                return node
            return exp.Paren(this=exp.Mul(this=node, expression=rate))

        return Expr(rewritten(argument.tree, multiplied))

    def lacking(self, amounts: Mapping[Expr, Expr], to: str, time: TimeColumn) -> Iterator[Expr]:
        """Give, for each amount, what says of a row for which currency and time there is no rate; nothing of a row that has one."""
        for amount, currency in amounts.items():
            if (worth := self._worth(currency, to)) is not None:
                named = exp.Coalesce(this=_text(currency.tree), expressions=[exp.Literal.string("")])
                into = exp.DPipe(this=named, expression=exp.Literal.string(f" {to} "))
                said = exp.DPipe(this=into, expression=_text(time.expression.tree))
                lacks = exp.And(this=exp.Not(this=_is_null(amount.tree)), expression=_is_null(worth))
                yield Expr(exp.Case(ifs=[exp.If(this=lacks, true=said)]))

    def _worth(self, currency: Expr, to: str) -> exp.Expr | None:
        """Give the rate of a currency; 1 of the currency that is converted into, and nothing where that is all there is."""
        if isinstance(currency.tree, exp.Literal) and currency.tree.this == to:
            return None
        rate = column(_RATE, self._rate(currency, to).name)
        if isinstance(currency.tree, exp.Literal):
            return rate
        same = exp.EQ(this=currency.tree, expression=exp.Literal.string(to))
        return exp.Case(ifs=[exp.If(this=same, true=integer(1))], default=rate)

    def _rate(self, currency: Expr, to: str) -> Rate:
        for each in self.rates.values():
            if each.currency == currency and each.to == to:
                return each
        made = Rate(f"rate.{len(self.rates)}", currency, to, rates_dataset(self.names.datasets))
        if not made.dataset:
            lacking = no_rates(to)
            raise RequestError(lacking.message, code=lacking.code, hint=lacking.hint)
        self.rates[made.name] = made
        return made


@dataclass(frozen=True)
class Priced:
    """What is aggregated, the columns that hold the lowest and the highest currency in it, and those that say where a rate is lacking."""

    argument: Expr | None
    currencies: frozenset[tuple[exp.Expr, exp.Expr]] = frozenset()
    unrated: frozenset[exp.Expr] = frozenset()


@dataclass(frozen=True)
class Money:
    """Says of an aggregate over some rows which amounts of money it is of."""

    exchange: Exchange
    summaries: Summaries
    rows: Rows
    filters: frozenset[Expr]

    def of_rows(self, aggregate: ResolvedAggregate, dataset: str, argument: Expr | None, to: str) -> Priced:
        """Take amounts of a dataset's rows: converted into a currency, where one is named, else as they are recorded."""
        if argument is None or aggregate.function in COUNTS:
            return Priced(argument)
        if not to or to == AS_RECORDED:
            return Priced(argument, self._recorded((a, c, c) for a, c in aggregate.currencies))
        amounts = self.exchange.amounts(aggregate, dataset)
        if not amounts:
            return Priced(argument)
        read = self.rows.read
        time = read.converted.time if read.converted else read.time
        if time is None:
            message = f"the amounts of dataset `{dataset}` cannot be converted into {to}: it has no time, by which a rate is chosen"
            raise RequestError(message, code="no_time", hint="give the dataset a `time`")
        lacking = frozenset(map(self._lowest, self.exchange.lacking(amounts, to, time)))
        one = exp.Literal.string(to)
        return Priced(self.exchange.converted(argument, amounts, to), frozenset({(one, one)}), lacking)

    def of_values(self, aggregate: ResolvedAggregate, argument: Expr | None) -> Priced:
        """Take the values of a KPI below, which were converted there; whoever counts them relies on their rates too."""
        rows = self.rows
        unrated = frozenset({self._lowest(rows.unrated)}) if rows.unrated is not None else frozenset[exp.Expr]()
        if rows.currency is None or argument is None or aggregate.function in COUNTS:
            return Priced(argument, unrated=unrated)
        return Priced(argument, self._recorded([(argument, *rows.currency)]), unrated)

    def _lowest(self, each: Expr) -> exp.Expr:
        return self.summaries.column(self.rows, "min", each, self.filters)

    def _recorded(self, amounts: Iterable[tuple[Expr, Expr, Expr]]) -> frozenset[tuple[exp.Expr, exp.Expr]]:
        """Ask for the lowest and the highest currency of some amounts; unknown amounts have none."""
        pairs: set[tuple[exp.Expr, exp.Expr]] = set()
        for amount, lowest, highest in amounts:
            known = self.filters | {Expr(exp.Not(this=_is_null(amount.tree)))}
            low, high = (self.summaries.column(self.rows, f, c, known) for f, c in (("min", lowest), ("max", highest)))
            pairs.add((low, high))
        return frozenset(pairs)


def _text(tree: exp.Expr) -> exp.Expr:
    return exp.Cast(this=bracketed(tree), to=exp.DataType.build("varchar"))


def _is_null(tree: exp.Expr) -> exp.Expr:
    return exp.Is(this=exp.Paren(this=tree), expression=exp.Null())
