"""Which rows an input reads: its dataset and time, the split and the filters that reach it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING

from sqlglot import exp

from kpi_engine.calendar import CLOCK, parse_duration, unit_below
from kpi_engine.catalogue.plain import kind_in, kind_of, misfit_in
from kpi_engine.catalogue.resolved import AGE, ROWS, Expr
from kpi_engine.catalogue.sqltypes import family, in_words
from kpi_engine.errors import DataError, RequestError
from kpi_engine.formula.analysis import columns, parts
from kpi_engine.formula.gate import Refused
from kpi_engine.formula.trees import column
from kpi_engine.planning.cohorts import asked, cohort
from kpi_engine.planning.nodes import Among, Converted, Edge, Level, Read, Top
from kpi_engine.planning.ranking import POSITION, TOP
from kpi_engine.planning.request import AMONG, TEXTUAL, Members

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from kpi_engine.calendar import Calendar
    from kpi_engine.catalogue import Catalogue, ResolvedInput
    from kpi_engine.catalogue.resolved import Conversion, Followed, KeptMembers
    from kpi_engine.planning.cohorts import Asked
    from kpi_engine.planning.nodes import Derive
    from kpi_engine.planning.ranking import FirstMembers
    from kpi_engine.planning.request import Filter, Request
    from kpi_engine.planning.shaping import Kept
    from kpi_engine.planning.windows import Shift


@dataclass(frozen=True)
class Context:
    """The modifiers that an evaluation stands in, outermost first; `where` and `among` hold conditions on KPIs, as written."""

    shifts: tuple[Shift, ...] = ()
    across: frozenset[str] = frozenset()
    across_all: bool = False
    where: frozenset[Expr] = frozenset()
    currency: str = ""
    """Into which currency amounts are converted, where anything says so."""
    over: frozenset[str] = frozenset()
    """Dimensions of the split that a total of the answer goes over; unlike those ignored, filters on them hold."""
    among: frozenset[KeptMembers] = frozenset()


@dataclass(frozen=True)
class Rows:
    """Rows to be summarised: where they come from, by what they are split, when they count, and which of them."""

    read: Read
    split: Mapping[str, Expr]
    shifts: tuple[Shift, ...]
    filter: frozenset[Expr] = field(default_factory=frozenset)
    constant: bool = False
    """Rows without a time that are the same in every period."""
    opening: bool = False
    """Levels at the start of the window, instead of its end."""
    units: tuple[tuple[int, ...], ...] = ()
    """For each period of the frame, those of the plan below that lie in it; without them, each is its own."""
    currency: tuple[Expr, Expr] | None = None
    """The columns that hold the lowest and the highest currency in the value of a row."""
    unrated: Expr | None = None
    """The column that says for which currency and time the value of a row lacks a rate."""


def of_first(member: exp.Expr, position: str, table: str) -> Expr:
    """Keep a member that has a position."""
    known = exp.Not(this=exp.Is(this=column(position, table), expression=exp.Null()))
    return Expr(exp.Case(ifs=[exp.If(this=known, true=member)]))


@dataclass(frozen=True)
class DatasetRows:
    """The rows of dataset inputs, under one request and split."""

    catalogue: Catalogue
    request: Request
    split: tuple[str, ...]
    with_parameters: Callable[[Expr], Expr]
    keeping: Callable[[Members], Kept]
    calendar: Calendar
    first: Callable[[FirstMembers], Derive]
    until: Callable[[Context], datetime]
    """Until when rows count."""
    each_member: bool = False
    """Whether the split is by each member, also by those that are not among the first, which are told apart only."""
    known: dict[tuple[str, str, str, Followed | None, Context], Rows] = field(default_factory=dict)
    """The rows that inputs read before their own conditions, which differ most."""

    def rows(self, source: ResolvedInput, context: Context) -> Rows:
        """Say which rows a dataset input reads."""
        if source.conversion is not None:
            return self._converted(source, source.conversion, context)
        key = (source.target, source.time, source.take, source.followed, context)
        if key not in self.known:
            self.known[key] = self._rows(source, context)
        rows = self.known[key]
        if source.among:
            own_members = tuple(self._kept(each, source.target) for each in _in_order(source.among))
            rows = replace(rows, read=replace(rows.read, among=(*rows.read.among, *own_members)))
        own = frozenset(map(self.with_parameters, source.where.conjuncts)) if source.where is not None else frozenset()
        if source.followed is not None:
            return self._followed(rows, source, source.followed, own, context)
        return replace(rows, filter=rows.filter | own) if own else rows

    def ages(self, source: ResolvedInput, context: Context) -> Asked | None:
        """Say at which ages an input is asked for that is counted by them."""
        if source.age is None:
            return None
        dataset = source.conversion.base.target if source.conversion else source.target
        return asked(source.age, self.kept((dataset,), context), self._asked(dataset, context))

    def _followed(
        self, rows: Rows, source: ResolvedInput, followed: Followed, own: frozenset[Expr], context: Context
    ) -> Rows:
        """Make a cohort of rows: its own conditions say which row is the first, those of the request which of them count."""
        wanted = self.ages(source, context)
        if wanted is None or rows.read.time is None:
            message = f"the dataset `{source.target}` has no time, so its rows have no age"
            raise RequestError(message, code="no_time", hint="give the dataset a `time`")
        made = cohort(followed, wanted, own, self.calendar, self.until(context))
        rows = replace(rows, read=replace(rows.read, cohort=made))
        if wanted.oldest is not None:
            return rows
        age = column(AGE, ROWS)
        return replace(
            rows,
            split={**rows.split, followed.age.name: Expr(age)},
            filter=rows.filter | self._of_age(followed.age.name),
        )

    def _of_age(self, name: str) -> frozenset[Expr]:
        """Give the request's conditions on an age."""
        own = [each for each in self.request.where if each.name == name]
        for each in own:
            _check_value(each, "BIGINT")
        return frozenset(Expr(each.tree(column(AGE, ROWS))) for each in own)

    def _rows(self, source: ResolvedInput, context: Context) -> Rows:
        dataset = source.target
        names = self.catalogue.names
        age = source.followed.age.name if source.followed else ""
        kept = tuple(name for name in self.kept((dataset,), context) if name != age)
        try:
            split = {name: self._member(dataset, name) for name in kept}
            time = names.time(dataset, source.time)
            filters = self._filters(dataset, context, age)
        except Refused as refused:
            mistake = refused.mistakes[0]
            about = "" if f"`{dataset}`" in mistake.message else f"dataset `{dataset}`: "
            raise RequestError(about + mistake.message, code=mistake.code, hint=mistake.hint) from None
        constant = time is None and self._is_constant(dataset, context)
        cut = unit_below(self.request.grain) if self.request.grain else ""
        if time is not None and time.kind == "date" and cut in CLOCK:
            message = f"the time of dataset `{dataset}` is a date, and cannot be cut by {self.request.grain}"
            raise RequestError(message, code="grain_too_fine", hint="ask for a grain of a day or coarser")
        level = self._level(dataset) if source.take in {"closing", "opening"} else None
        edge = self._edge(dataset, source.take == "last") if source.take in {"first", "last"} else None
        if edge is not None and time is None:
            message = f"`take: {source.take}` needs a time, and the dataset `{dataset}` has none"
            raise RequestError(message, code="no_time", hint="give the dataset a `time`")
        asked_for = [each for each in self._asked(dataset, context) if each.operator == AMONG]
        among = (
            *(self._among(each, dataset) for each in asked_for),
            *(self._kept(each, dataset) for each in _in_order(context.among)),
        )
        return Rows(
            Read(dataset, time, level, edge=edge, among=among, top=self._top(dataset)),
            split,
            context.shifts,
            filters,
            constant,
            source.take == "opening",
        )

    def _converted(self, source: ResolvedInput, conversion: Conversion, context: Context) -> Rows:
        """Count rows in the periods and dimensions of the earlier rows that they are given to; only these are filtered by a request."""
        base = self.rows(conversion.base, context)
        here, there = self.catalogue.names.time(source.target, source.time), base.read.time
        if here is None or there is None:
            lacking = source.target if here is None else conversion.base.target
            message = f"the dataset `{lacking}` has no time, so nothing can be said to come after another"
            raise RequestError(message, code="no_time", hint="give the dataset a `time`")
        own = source.where.conjuncts if source.where is not None else ()
        conditions = frozenset(map(self.with_parameters, own))
        converted = Converted(
            source.target, here, conversion.keys, self.until(context), conversion.within, conversion.first, conditions
        )
        if (made := base.read.cohort) is not None:
            by_age = self._of_age(conversion.age.name) if conversion.age and made.oldest is not None else frozenset()
            return replace(base, read=replace(base.read, converted=converted), filter=base.filter | by_age)
        converted = replace(converted, base=base.filter)
        return replace(base, read=replace(base.read, converted=converted), filter=frozenset())

    def kept(self, datasets: Iterable[str], context: Context) -> tuple[str, ...]:
        """Give the dimensions of the split that these datasets are split by: all but the ignored ones."""
        dimensions = {name: self._dimension(name) for name in self.split}
        return tuple(
            name
            for name, each in dimensions.items()
            if each not in context.over and not any(self._ignores(d, each, context) for d in datasets)
        )

    def _dimension(self, name: str) -> str:
        """Name the dimension that a column of the split is made of."""
        top = self.request.top
        return top.of if top is not None and name == top.position else name

    def _member(self, dataset: str, name: str) -> Expr:
        """Give the member that a row belongs to; those that are not among the first are one."""
        top = self.request.top if self.request.top is not None and self.request.top.position in self.split else None
        if top is not None and name == top.position:
            self._refuse_age(top.of, dataset)
            return Expr(column(POSITION, TOP))
        member = self.catalogue.names.path(dataset, (name,), ())
        return Expr(member) if top is None or name != top.of or self.each_member else of_first(member, POSITION, TOP)

    def _refuse_age(self, of: str, dataset: str) -> None:
        if of not in self.catalogue.project.datasets[dataset].dimensions:
            message = f"`top` keeps members of a dimension of the data, and `{of}` is an age"
            raise RequestError(message, code="bad_top", hint=f"filter it, for example {{'{of}': {{'lte': 12}}}}")

    def _top(self, dataset: str) -> Top | None:
        top = self.request.top
        known = self.catalogue.project.datasets[dataset].dimensions
        if top is None or top.position not in self.split or top.of not in known:
            return None
        return Top(Expr(self.catalogue.names.path(dataset, (top.of,), ())), top.of, self.first(top))

    def _ignores(self, dataset: str, name: str, context: Context) -> bool:
        if context.across_all:
            return True
        return name in context.across or name in self.catalogue.names.depending(dataset, context.across)

    def _is_constant(self, dataset: str, context: Context) -> bool:
        request = self.request
        timed = request.grain is not None or request.period.kind != "all"
        if timed and not context.across_all:
            message = f"the dataset `{dataset}` has no time, so it cannot be asked for a period"
            raise RequestError(message, code="no_time", hint="leave out period and grain, or give the dataset a `time`")
        return True

    def _filters(self, dataset: str, context: Context, age: str = "") -> frozenset[Expr]:
        """Gather what a row must satisfy whatever the input says: the request's filters, and those on the KPIs above."""
        names = self.catalogue.names
        found: list[Expr] = []
        for each in (e for e in self._asked(dataset, context) if e.operator != AMONG and e.name != age):
            dimension = names.path(dataset, (each.name,), ())
            _check_value(each, self._type(dataset, dimension))
            found.append(Expr(each.tree(dimension)))
        if self.request.where_sql is not None:
            self._refuse_ignored(dataset, self.request.where_sql.tree, context)
            if not context.across_all:
                found.append(Expr(self._checked(names.resolve(dataset, self.request.where_sql.tree), dataset)))
        found += [Expr(names.resolve(dataset, condition.tree)) for condition in context.where]
        return frozenset(self.with_parameters(part) for condition in found for part in condition.conjuncts)

    def _checked(self, condition: exp.Expr, dataset: str) -> exp.Expr:
        """Refuse a condition of the request that is none, or that compares what cannot be compared."""
        leaf = kind_in(self.catalogue.names, dataset, self.catalogue.project.parameters)
        if (kind := kind_of(condition, leaf)) not in {None, "boolean"}:
            message = f"`where_sql` is a {kind}, and a condition is true or false"
            raise RequestError(message, code="not_a_condition", hint="compare it with something: `channel = 'email'`")
        if said := misfit_in(condition, leaf):
            raise RequestError(f"`where_sql`: {said[0]}", code="types_do_not_fit", hint=said[1])
        return condition

    def _asked(self, dataset: str, context: Context) -> list[Filter]:
        return [each for each in self.request.where if not self._ignores(dataset, each.name, context)]

    def _among(self, condition: Filter, dataset: str) -> Among:
        return self._of_members(condition.name, condition.value, dataset)

    def _kept(self, members: KeptMembers, dataset: str) -> Among:
        return self._of_members(members.name, Members(members.name, condition=members.condition), dataset)

    def _of_members(self, name: str, members: Members, dataset: str) -> Among:
        dimension = self.catalogue.names.path(dataset, (name,), ())
        kept = self.keeping(members)
        return Among(Expr(dimension), members.by, kept.below, kept.absent)

    def _type(self, dataset: str, tree: exp.Expr) -> str:
        """Give the SQL type of a dimension, where it is a column; else nothing."""
        if isinstance(tree, exp.Cast):
            return tree.to.sql("duckdb").upper()
        if not isinstance(tree, exp.Column):
            return ""
        return self.catalogue.names.type_of(self.catalogue.names.owner(dataset, tree.table.split(".")[1:]), tree.name)

    def _refuse_ignored(self, dataset: str, tree: exp.Expr, context: Context) -> None:
        ignored = [parts(c)[0] for c in columns(tree) if self._ignores(dataset, parts(c)[0], context)]
        if ignored and not context.across_all:
            message = f"`where_sql` names `{ignored[0]}`, which one of the inputs ignores (`across`)"
            raise RequestError(
                message, code="filter_across", hint=f"filter with `where: {{{ignored[0]}: …}}`, which knows"
            )

    def _edge(self, dataset: str, last: bool) -> Edge:  # noqa: FBT001 - which of two
        return Edge(self._level(dataset).of, last)

    def _level(self, dataset: str) -> Level:
        snapshot = self.catalogue.project.datasets[dataset].snapshot
        if snapshot is None:
            raise DataError(f"dataset `{dataset}` is not a snapshot", code="not_a_snapshot")
        keep = None if snapshot.keep == "forever" else parse_duration(snapshot.keep)
        return Level(tuple(Expr(self.catalogue.names.column(dataset, name)) for name in snapshot.of), keep)


def _in_order(several: Iterable[KeptMembers]) -> list[KeptMembers]:
    return sorted(several, key=lambda each: (each.name, each.condition.text))


_EXPECTED = {
    "number": "compare with a number",
    "boolean": "compare with true or false",
    "time": "compare with a date that exists, such as 2026-01-31",
}


def _check_value(condition: Filter, sql_type: str) -> None:
    """Refuse a value that cannot be compared with its dimension, before the data are asked."""
    values = condition.value if isinstance(condition.value, tuple) else (condition.value,)
    kind = family(sql_type)
    if condition.operator == "is_null" or not kind:
        return
    if condition.operator in TEXTUAL and kind != "text":
        message = f"`{condition.operator}` looks for a text in `{condition.name}`, which holds {in_words(sql_type)}"
        raise RequestError(message, code="bad_filter_value", hint=_EXPECTED[kind])
    for value in values:
        if value is not None and not _fits(value, kind):
            message = f"the filter on `{condition.name}` compares with {value!r:.40}, and the dimension holds {in_words(sql_type)}"
            hint = _EXPECTED.get(kind) or f"compare with a text: write '{value!s:.40}' in quotes"
            raise RequestError(message, code="bad_filter_value", hint=hint)


def _fits(value: object, kind: str) -> bool:
    """Whether a value is, or reads as, what a dimension of this kind holds."""
    if kind == "text":
        return isinstance(value, str)
    if kind == "boolean":
        return isinstance(value, bool) or (isinstance(value, str) and value.lower() in {"true", "false"})
    if kind == "time":
        return isinstance(value, date) or (isinstance(value, str) and _is_moment(value))
    number = isinstance(value, int | float | Decimal) and not isinstance(value, bool)
    return number or (isinstance(value, str) and _is_number(value))


def _is_number(text: str) -> bool:
    try:
        return Decimal(text).is_finite()
    except InvalidOperation:
        return False


def _is_moment(value: str) -> bool:
    try:
        datetime.fromisoformat(value)
    except ValueError:
        return False
    return True
