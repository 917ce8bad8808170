"""Request and catalogue in, plan out."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from sqlglot import exp

from kpi_engine.calendar import CLOCK, PARTS, Bucket, parse_period
from kpi_engine.catalogue.aggregates import COUNTS
from kpi_engine.catalogue.resolved import INPUT, VALUE, Expr, ResolvedInput
from kpi_engine.formula.analysis import SLOT, columns, parts
from kpi_engine.formula.trees import bracketed, column, integer, rewritten
from kpi_engine.planning.cohorts import Limits, limits
from kpi_engine.planning.columns import comparison_columns, currency_columns, or_refused, unrated_column
from kpi_engine.planning.exchange import Exchange, Money
from kpi_engine.planning.frames import admits, frame_of, units_of
from kpi_engine.planning.nodes import Align, Derive, Rank, Read
from kpi_engine.planning.parameters import parameter_value
from kpi_engine.planning.periods import kept
from kpi_engine.planning.ranking import POSITION, rank_of, share_of, with_position
from kpi_engine.planning.refusals import (
    check_ages,
    check_comparable,
    check_depth,
    check_known,
    check_members,
    check_names,
    check_split,
    check_ways,
)
from kpi_engine.planning.request import Request, literal, totalled
from kpi_engine.planning.rows import Context, DatasetRows, Rows, of_first
from kpi_engine.planning.shaping import EARLIER, Kept, as_earlier, best_is_high, having, of_nothing, order, rank
from kpi_engine.planning.shares import refuse_share, share_columns
from kpi_engine.planning.summaries import Summaries
from kpi_engine.planning.values import (
    SMALL,
    Evaluated,
    checks,
    inside_kpi,
    inside_of,
    is_zero_of_nothing,
    or_zero,
    sum_of_nothing_is_zero,
    values_used,
)
from kpi_engine.planning.windows import Comparison, Window, labelled, numbered, windows

if TYPE_CHECKING:
    from kpi_engine.calendar import Calendar
    from kpi_engine.catalogue import Catalogue, ResolvedAggregate, ResolvedKpi
    from kpi_engine.planning.ranking import FirstMembers, Standing
    from kpi_engine.planning.request import Members

LARGE = 150
"""A KPI used by others gets a column of its own when its expression has more nodes than this."""


def plan(request: Request, catalogue: Catalogue, calendar: Calendar) -> Derive:
    """Plan a request whose period is known, or that needs none; raise `RequestError` or `DefinitionError`."""
    return Planner(request, catalogue, calendar).derive()


@dataclass
class Planner:
    """One plan in the making: for the request itself, or for the rows that a `per` input needs."""

    request: Request
    catalogue: Catalogue
    calendar: Calendar
    split: tuple[str, ...] = ()
    windows: tuple[tuple[Bucket, Window], ...] = ()
    dense: bool = True
    stretched: bool = False
    nested: bool = False
    level: int = 0
    frame: str = ""
    exchange: Exchange = field(init=False)
    each_member: bool = False
    summaries: Summaries = field(init=False)
    datasets: DatasetRows = field(init=False)
    hidden: dict[str, Expr] = field(default_factory=dict)
    memo: dict[tuple[str, Context], Evaluated] = field(default_factory=dict)
    ways: set[Context] = field(default_factory=set)
    entities: dict[tuple[ResolvedInput, Context], Rows] = field(default_factory=dict)
    below: list[Planner] = field(default_factory=list)
    kept: dict[Members, Kept] = field(default_factory=dict)
    limits: Limits = field(default_factory=Limits)
    first: dict[FirstMembers, Derive] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.nested:
            self.split = with_position(self.request.by, self.request.top)
            every = windows(self.request.period, self.request.grain, self.calendar, self.request.also)
            self.windows = tuple(
                each for each in every if kept(each[0], self.request.periods, self.calendar, self.request.grain)
            )
            self.frame = frame_of(self.request, self.catalogue)
            self.dense = self.frame == "whole"
        self.exchange = Exchange(self.catalogue.names)
        frame = tuple(w for _, w in self.windows)
        self.summaries = Summaries(
            self.calendar, self.request.as_of, frame, self.exchange.rates, observing=self.stretched or not self.dense
        )
        self.datasets = DatasetRows(
            self.catalogue, self.request, self.split, self._with_parameters, self._keeping, self.calendar, self._first,
            lambda context: self.summaries.known(context.shifts), self.each_member,
        )  # fmt: skip

    def derive(self) -> Derive:
        """Plan the request's own columns: each KPI, then its comparisons."""
        request = self.request
        check_comparable(request)
        shown: dict[str, Expr] = {}
        values: dict[str, list[Evaluated]] = {}
        for dataset in request.members_of:
            rows = self._dataset(ResolvedInput(dataset, dataset, "dataset"), Context())
            self.summaries.column(
                replace(rows, constant=rows.constant or not request.dated), "count", None, frozenset()
            )
        for kpi_id in request.computed:
            if kpi_id in request.failed:
                shown[kpi_id] = Expr(exp.Null())
                continue
            check_split(kpi_id, request, self.catalogue)
            values[kpi_id] = [self._evaluate(kpi_id, Context(currency=request.currency))]
            if kpi_id in request.kpis:
                shown[kpi_id] = Expr(values[kpi_id][0].tree)
        for name in request.compare:
            for kpi_id in request.kpis:
                rate = self.catalogue.project.kpis[kpi_id].format == "percent"
                failed = kpi_id in request.failed
                then = Context(shifts=(Comparison(name, request.like_for_like),), currency=request.currency)
                before = Evaluated(exp.Null()) if failed else self._evaluate(kpi_id, then)
                shown |= comparison_columns(kpi_id, name, before.tree, rate=rate)
                values.setdefault(kpi_id, []).append(before)
        shares: dict[str, Expr] = {}
        for each in request.share:
            total = self._total(each)
            shares |= share_columns(each.kpi, total.tree)
            values.setdefault(each.kpi, []).append(total)
        ranks = {rank_of(each.kpi): rank(each, request, self.catalogue) for each in request.rank}
        names = (*shown, *ranks, *(share_of(each.kpi) for each in request.share))
        looked_at = {name: each for kpi_id, made in values.items() for name, each in checks(kpi_id, made).items()}
        check_names(self.split, shown)
        return Derive(
            align=self._align(),
            values={**self.hidden, **shown, **shares, **looked_at},
            shown=names,
            period="period" if request.grain else "",
            period_is_date=request.grain not in CLOCK and request.grain not in PARTS,
            having=tuple(or_refused(having(f, names, request.by), looked_at) for f in request.having),
            order=order(request, names),
            limit=request.limit,
            ranks=ranks,
            position=request.top.position if request.top else "",
            others=request.top is not None and request.top.others,
        )

    def _total(self, asked: Standing) -> Evaluated:
        """Give a KPI's total over members of the answer."""
        if asked.kpi in self.request.failed:
            return Evaluated(exp.Null())
        refuse_share(asked.kpi, asked.over, self.catalogue)
        return self._evaluate(asked.kpi, Context(over=asked.over, currency=self.request.currency))

    def members(self) -> Derive:
        """Plan the members of a split with the request's KPIs, none of which is shown."""
        for kpi_id in self.request.kpis:
            check_split(kpi_id, self.request, self.catalogue)
        found = {kpi: self._evaluate(kpi, Context(currency=self.request.currency)) for kpi in self.request.kpis}
        values = {kpi_id: Expr(each.tree) for kpi_id, each in found.items()}
        for kpi_id, each in found.items():
            values |= checks(kpi_id, [each])
        return Derive(self._align(), {**self.hidden, **values}, ())

    def _align(self) -> Align:
        check_members(self.split, self.summaries.splits())
        periods = tuple(bucket for bucket, _ in self.windows)
        grains = (self.request.grain, *self.request.also) if self.request.grain else ()
        return Align(
            self.summaries.finished(),
            self.summaries.reaches(),
            self.split,
            periods,
            self.dense,
            earlier=self.nested or self.frame != "present",
            admits=admits(self.request, self.split) if self.frame == "every_period" else None,
            labels={} if self.nested else labelled(periods, grains, self.calendar),
            limits=tuple(self.limits.numbers),
            numbers=() if self.nested else numbered(periods, self.request.grain),
        )

    def _evaluate(self, kpi_id: str, context: Context) -> Evaluated:
        """Evaluate a KPI after those that it is made of; it never calls itself, so that a long chain is as good as a short one."""
        waiting = [(kpi_id, context)]
        while waiting:
            key = name, inside = waiting[-1]
            if key not in self.memo:
                kpi = self.catalogue.kpi(name)
                needed = [below for below in values_used(kpi, inside_kpi(kpi, inside)) if below not in self.memo]
                if needed:
                    waiting += needed
                    continue
                self.ways.add(inside)
                check_ways(name, self.ways)
                self.memo[key] = self._named(self._formula(kpi, inside))
            waiting.pop()
        return self.memo[kpi_id, context]

    def _named(self, value: Evaluated) -> Evaluated:
        """Give a large value a column of its own, so that a KPI used many times is computed once."""
        if value.size <= LARGE:
            return value
        name = f"__{len(self.hidden)}"
        self.hidden[name] = Expr(value.tree)
        return replace(value, tree=column(name, EARLIER), size=SMALL)

    def _formula(self, kpi: ResolvedKpi, context: Context) -> Evaluated:
        currencies: set[tuple[exp.Expr, exp.Expr]] = set()
        unrated: set[exp.Expr] = set()
        size = len(kpi.outer.nodes)
        context = inside_kpi(kpi, context)

        def replaced(node: exp.Expr) -> exp.Expr:
            if isinstance(node, exp.Column) and node.table == SLOT:
                found = self._aggregate(kpi, kpi.aggregates[int(node.name)], context)
            elif isinstance(node, exp.Column) and node.table == INPUT:
                source = kpi.inputs[node.name]
                found = self._evaluate(source.target, inside_of(context, source))
            elif isinstance(node, exp.Placeholder):
                return self._parameter(str(node.this))
            else:
                return node
            nonlocal size
            size += found.size
            currencies.update(found.currencies)
            unrated.update(found.unrated)
            return bracketed(found.tree)

        return Evaluated(rewritten(kpi.outer.tree, replaced), frozenset(currencies), size, frozenset(unrated))

    def _aggregate(self, kpi: ResolvedKpi, aggregate: ResolvedAggregate, context: Context) -> Evaluated:
        source = kpi.inputs[aggregate.input]
        if source.age is not None:
            return self._of_cohort(kpi, aggregate, source, context)
        rows = self._per(source, context) if source.per else self._dataset(source, context)
        return self._over(kpi, aggregate, rows, context)

    def _of_cohort(
        self, kpi: ResolvedKpi, aggregate: ResolvedAggregate, source: ResolvedInput, context: Context
    ) -> Evaluated:
        """Give a value where its age is over, and else nothing; over all ages together nothing is known."""
        inside = inside_of(context, source)
        if source.age is None or self.datasets.ages(source, inside) is None:
            check_ages(kpi.id, source.age, self.request)
            return Evaluated(exp.Null())
        rows = self.datasets.rows(source, inside)
        base = self.datasets.rows(source.conversion.base, inside) if source.conversion else rows
        assert base.read.cohort is not None  # noqa: S101 - what is counted by age is a cohort
        value = self._over(kpi, aggregate, rows, context)
        numbers = limits(base.read.cohort, self.summaries.windows(base.shifts))
        test: exp.Expr = self.limits.is_over(base.read.cohort, source.age, numbers)
        if self.dense or None in numbers:
            count = self.summaries.column(base, "count", None, frozenset(), aside=True)
            some = exp.GT(this=or_zero(count), expression=integer(0))
            test = exp.Coalesce(this=test, expressions=[some]) if None in numbers else test
        return replace(value, tree=exp.Case(ifs=[exp.If(this=test, true=value.tree)]))

    def _over(self, kpi: ResolvedKpi, aggregate: ResolvedAggregate, rows: Rows, context: Context) -> Evaluated:
        source = kpi.inputs[aggregate.input]
        filters = frozenset(map(self._with_parameters, aggregate.filter))
        argument = self._with_parameters(aggregate.argument) if aggregate.argument else None
        money = Money(self.exchange, self.summaries, rows, filters)
        if source.per:
            priced = money.of_values(aggregate, argument)
        else:
            to = context.currency or self.catalogue.project.settings.reporting_currency
            priced = money.of_rows(aggregate, source.target, argument, to)
        value: exp.Expr = self.summaries.column(rows, aggregate.function, priced.argument, filters, aggregate.fraction)
        if aggregate.function in COUNTS:
            value = or_zero(value)
        elif aggregate.function == "sum" and is_zero_of_nothing(kpi, source):
            value = sum_of_nothing_is_zero(value, self.summaries.column(rows, "count", None, filters))
        return Evaluated(value, priced.currencies, unrated=priced.unrated)

    def _dataset(self, source: ResolvedInput, context: Context) -> Rows:
        return self.datasets.rows(source, inside_of(context, source))

    def _per(self, source: ResolvedInput, context: Context) -> Rows:
        """Plan one row per entity below, once, and read those rows."""
        key = (source, context)
        if key not in self.entities:
            self.entities[key] = self._entities(source, context)
        return self.entities[key]

    def _entities(self, source: ResolvedInput, context: Context) -> Rows:
        inside = inside_of(context, source)
        moved = self.summaries.windows(inside.shifts)
        kept = self.datasets.kept(
            self.catalogue.datasets_under(source.target) if source.kind == "kpi" else (source.target,), inside
        )
        frame, units = units_of(moved, source.unit, self.calendar, self.request.as_of)
        kpi = self.catalogue.project.kpis[source.target] if source.kind == "kpi" and source.unit is not None else None
        whole = kpi is not None and kpi.frame == "whole"
        stretched = whole and set(source.per) > {source.unit}
        below = Planner(
            self.request, self.catalogue, self.calendar,
            split=(*kept, *(name for name in source.per if name not in {*kept, source.unit})),
            windows=frame, dense=whole, stretched=stretched, nested=True, level=self.level + 1, each_member=self._is_each_member(source),
        )  # fmt: skip
        check_depth(below.level)
        self.below.append(below)
        bare = replace(inside, shifts=(), over=frozenset())
        values: dict[str, Expr] = {}
        if source.kind == "kpi":
            value = below._evaluate(source.target, bare)
            values[VALUE] = Expr(value.tree)
            values |= checks("", [value])
        else:
            plain = replace(source, per=(), offset=None, covers=None)
            below.summaries.column(below._dataset(plain, bare), "count", None, frozenset())
        align = below._align()
        if stretched:
            stretches = tuple(number for number, each in enumerate(units) for _ in each)
            align = replace(align, stretches=stretches)
        derive = Derive(align, {**below.hidden, **values}, tuple(values))
        split = {name: Expr(column(name, VALUE)) for name in kept}
        if below.each_member and not self.each_member and (top := self.request.top) is not None and top.of in split:
            split[top.of] = of_first(column(top.of, VALUE), top.position, VALUE)
        low, high = (Expr(column(name, VALUE)) for name in currency_columns(""))
        unrated = Expr(column(unrated_column(""), VALUE))
        return Rows(
            Read("", below=derive),
            split,
            inside.shifts,
            units=units,
            currency=(low, high) if low.tree.name in values else None,
            unrated=unrated if unrated.tree.name in values else None,
        )

    def _keeping(self, members: Members) -> Kept:
        """Plan the members for which conditions on KPIs hold, once, over all time and without the request's own conditions."""
        if members not in self.kept:
            written = self._with_parameters(members.condition) if members.condition is not None else None
            named = [parts(each)[0] for each in columns(written.tree)] if written else []
            kpis = tuple(dict.fromkeys([*(each.name for each in members.having), *named]))
            always = parse_period(None, self.calendar, self.request.as_of)
            asked = Request(
                kpis, always, self.request.as_of, by=(members.by,), parameters=self.request.parameters, currency=self.request.currency
            )  # fmt: skip
            below = self._below_members(asked, deeper=1)
            check_depth(below.level)
            check_known(kpis, self.catalogue)
            conditions = tuple(having(each, kpis, asked.by) for each in members.having)
            if written is not None:
                conditions = (*conditions, Expr(rewritten(written.tree, as_earlier)))
            plan = replace(below.members(), having=conditions)
            self.kept[members] = Kept(plan, of_nothing(conditions, plan.values))
        return self.kept[members]

    def _below_members(self, asked: Request, deeper: int = 0) -> Planner:
        """Begin a plan of members that rows are chosen by."""
        frame = windows(asked.period, None, self.calendar)
        return Planner(
            asked, self.catalogue, self.calendar, split=asked.by, windows=frame, dense=False, nested=True,
            level=self.level + deeper,
        )  # fmt: skip

    def _is_each_member(self, source: ResolvedInput) -> bool:
        """Whether rows below must tell all members apart: a value per member is aggregated over those that are the others as well."""
        top = self.request.top
        return self.each_member or (top is not None and top.of in source.per)

    def _first(self, top: FirstMembers) -> Derive:
        """Plan the first members, once: over the request's whole period, under its conditions."""
        if top not in self.first:
            asked = replace(
                totalled(self.request) or self.request, kpis=(top.by,), by=(top.of,), compare=(), share=(), failed=frozenset(),
                partial_split=False,
            )  # fmt: skip
            below = self._below_members(asked).members()
            descending = best_is_high(top.by, self.catalogue) if top.lowest is None else not top.lowest
            ranks = {POSITION: Rank(top.by, (), descending, single=True)}
            first = exp.LTE(this=column(POSITION, EARLIER), expression=integer(top.first))
            self.first[top] = replace(below, shown=(POSITION,), having=(Expr(first),), ranks=ranks)
        return self.first[top]

    def _with_parameters(self, each: Expr) -> Expr:
        def replaced(node: exp.Expr) -> exp.Expr:
            return self._parameter(str(node.this)) if isinstance(node, exp.Placeholder) else node

        return Expr(rewritten(each.tree, replaced)) if exp.Placeholder in each.kinds else each

    def _parameter(self, name: str) -> exp.Expr:
        return literal(parameter_value(name, self.request.parameters, self.catalogue))
