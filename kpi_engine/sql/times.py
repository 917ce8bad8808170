"""Stretches of local time as bounds on a time column: dates, timestamps or instants, computed here and sent as literals."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import islice, pairwise, takewhile
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from sqlglot import exp

from kpi_engine.calendar import repeated, repeats, to_utc
from kpi_engine.errors import RequestError
from kpi_engine.formula.nanoseconds import compared
from kpi_engine.formula.trees import integer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from kpi_engine.calendar import Repeat
    from kpi_engine.catalogue import TimeColumn
    from kpi_engine.planning.nodes import Cell

MOST_COMPARED = 20_000
"""So many stretches are told apart by comparisons at most: each is a branch of the statement."""
LEAST = 4
"""Stretches of one length are counted by a division where there are as many as this."""
STRETCH = "__stretch"
"""A call in a statement for another engine, which finds the number of a stretch of time; it is written in the words of a dialect."""
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - the zero of a line, in no zone


@dataclass(frozen=True)
class Clock:
    """How bounds are written for one time column, in a project of this zone; with `counts` False in comparisons alone."""

    column: TimeColumn
    zone: ZoneInfo
    counts: bool = True

    @property
    def sql_type(self) -> str:
        """The type that bounds are written as."""
        return {"date": "DATE", "instant": "TIMESTAMPTZ"}.get(self.column.kind, "TIMESTAMP")

    def literal(self, moment: datetime) -> exp.Expr:
        """Write a bound as a literal of the column's type."""
        return exp.Cast(this=exp.Literal.string(self.text(moment)), to=exp.DataType(this=exp.DType[self.sql_type]))

    def text(self, moment: datetime) -> str:
        """Write a bound as the column's type has it."""
        if self.column.kind == "date":
            return self._day(moment).isoformat()
        if self.column.kind == "instant":
            return to_utc(moment, self.zone).isoformat(sep=" ")
        return self._there(moment).isoformat(sep=" ")

    def within(self, start: datetime | None, end: datetime | None) -> list[exp.Expr]:
        """Say that the clock of the project shows a time of a half-open stretch; unbounded ends say nothing."""
        tests: list[exp.Expr] = []
        if start is not None:
            tests.append(self._compared(exp.GTE, start))
            if again := self._repeats([start]):
                first_pass = self._compared(exp.LT, _again(again[0].start))
                tests.append(exp.or_(first_pass, self._compared(exp.GTE, _again(start))))
        if end is not None:
            tests.append(self.before(self.last(end)))
            if again := self._repeats([end]):
                second_pass = self._compared(exp.GTE, _again(again[0].start))
                tests.append(exp.or_(self._compared(exp.LT, end), second_pass))
        return tests

    def before(self, moment: datetime) -> exp.Expr:
        """Say that the column lies before a moment, whatever the clock shows."""
        return self._compared(exp.LT, moment)

    def countable(self) -> exp.Expr:
        """Say that the column lies in a year that a calendar has: not before the first, and not before all time."""
        text = {"date": "0001-01-01", "instant": "0001-01-01 00:00:00+00:00"}.get(
            self.column.kind, "0001-01-01 00:00:00"
        )
        first = exp.Cast(this=exp.Literal.string(text), to=exp.DataType(this=exp.DType[self.sql_type]))
        return exp.GTE(this=self.column.expression.tree, expression=first)

    def last(self, end: datetime) -> datetime:
        """Give the moment at which a stretch that ends at a local time is over: at the second, where the clock shows it twice."""
        return _again(end) if self._repeats([end]) else end

    def numbered(self, bounds: Sequence[datetime], numbers: Sequence[int | None], *, inside: bool = False) -> exp.Expr:
        """Give the number of the stretch that the column lies in.

        `bounds` are sorted; `numbers` has one more entry: below the first bound, between each two, from the last on; with `inside`,
        where rows outside are left out before, one less: between each two. A search by halves, as nested `case`, down to runs of
        stretches of one length or of so many months, which are counted: faster than truncating the time, and exact in every zone
        and calendar.
        """
        if not self.counts and len(bounds) > MOST_COMPARED:
            raise RequestError(
                f"a source that computes in its own dialect tells at most {MOST_COMPARED:,} stretches of time apart, and {len(bounds):,} are asked for",
                code="too_many_periods",
                hint="ask for a shorter period or a coarser grain",
            )
        starts: Sequence[datetime | None] = bounds[:-1] if inside else (None, *bounds)
        for again in self._repeats(bounds):
            starts, numbers = _twice(starts, numbers, again)
        edges = (*starts, bounds[-1] if inside else None)
        lengths = {
            unit: _lengths([None if e is None else place(e) for e in edges]) for unit, place in self._lines().items()
        }
        return self._searched(_runs(starts, lengths, numbers))

    def _compared(self, operator: type[exp.Binary], moment: datetime) -> exp.Expr:
        return compared(operator, self.column.expression.tree, self.literal(moment))

    @property
    def _is_own(self) -> bool:
        """Whether the column shows the clock of the project itself."""
        return self.column.kind != "instant" and not self.column.zone

    def _repeats(self, bounds: Sequence[datetime]) -> list[Repeat]:
        """Give what the project's clock shows twice and bounds cut in two; a column on that clock itself knows of no second time."""
        return [] if self._is_own else repeats(bounds, self.zone)

    def _lines(self) -> Mapping[str, Callable[[datetime], int | None]]:
        """Give the ways to measure stretches: along the column's own line of time, and in months of its own calendar."""
        if not self.counts:
            return {"": _unmeasured}
        return {"": self._position, "MONTH": _month} if self._is_own else {"": self._position}

    def _searched(self, runs: Sequence[_Run]) -> exp.Expr:
        starts = [self.literal(run.start) for run in runs[1:] if run.start is not None]  # only the first run is open
        numbers = [self._in_run(run) for run in runs]
        if self.counts or not starts:
            return by_halves(self.column.expression.tree, starts, numbers)
        lists = [exp.Array(expressions=each) for each in (starts, numbers)]
        return exp.Anonymous(this=STRETCH, expressions=[self.column.expression.tree, *lists])

    def _in_run(self, run: _Run) -> exp.Expr:
        if run.number is None:
            return exp.Null()
        if not run.step or run.start is None:
            return integer(run.number)
        since = self._since(run.start, run.unit)
        if run.step > 1:
            since = exp.IntDiv(this=since, expression=integer(run.step))
        return exp.Add(this=since, expression=integer(run.number)) if run.number else since

    def _since(self, moment: datetime, unit: str) -> exp.Expr:
        """Give how far the column lies after a bound, in months or as `_position` counts."""
        column = self.column.expression.tree
        if unit:
            months = exp.Add(
                this=exp.Mul(this=exp.Year(this=column), expression=integer(12)), expression=exp.Month(this=column)
            )
            return exp.Paren(this=exp.Sub(this=months, expression=integer(_month(moment) or 0)))
        if self.column.kind == "date":
            return exp.Paren(this=exp.Sub(this=column, expression=self.literal(moment)))
        zero = exp.Literal.number(self._position(moment))
        return exp.Paren(this=exp.Sub(this=exp.UnixMicros(this=column), expression=zero))

    def _position(self, moment: datetime) -> int:
        """Place a bound on the column's own line of time: in days, or in microseconds since 1970."""
        if self.column.kind == "date":
            return self._day(moment).toordinal()
        place = to_utc(moment, self.zone).replace(tzinfo=None) if self.column.kind == "instant" else self._there(moment)
        return (place - _EPOCH) // timedelta(microseconds=1)

    def _there(self, moment: datetime) -> datetime:
        """Give a bound on the column's own clock; what that clock shows twice is read as the second, as engines read it."""
        if not self.column.zone:
            return moment
        zone = ZoneInfo(self.column.zone)
        there = to_utc(moment, self.zone).astimezone(zone).replace(tzinfo=None)
        again = None if there.fold else repeated(there, zone)
        return there if again is None else again.start

    def _day(self, moment: datetime) -> date:
        """Give the first day that lies wholly at or after a bound."""
        return (moment if moment.time() == datetime.min.time() else moment + timedelta(days=1)).date()


def by_halves(value: exp.Expr, starts: Sequence[exp.Expr], numbers: Sequence[exp.Expr]) -> exp.Expr:
    """Give the number of the stretch that a value lies in, of which all but the first have a start: by comparisons, nested by halves."""
    if not starts:
        return numbers[0]
    middle = len(numbers) // 2
    below = exp.LT(this=value, expression=starts[middle - 1])
    left = by_halves(value, starts[: middle - 1], numbers[:middle])
    right = by_halves(value, starts[middle:], numbers[middle:])
    return exp.Case(ifs=[exp.If(this=below, true=left)], default=right)


@dataclass(frozen=True)
class _Run:
    """Neighbouring stretches from `start` on: all of one number, or, with a `step`, of that length each and counted up."""

    start: datetime | None
    number: int | None
    step: int = 0
    unit: str = ""


def _runs(
    starts: Sequence[datetime | None], lengths: Mapping[str, Sequence[int]], numbers: Sequence[int | None]
) -> list[_Run]:
    """Cut stretches into as few runs as can be told from left to right; one that is open, or of no length in a unit, has 0."""
    found: list[_Run] = []
    place = 0
    while place < len(numbers):
        same = _extent(numbers[place] == each for each in islice(numbers, place, None))
        counted, unit = max((_counted(place, each, numbers), unit) for unit, each in lengths.items())
        step = lengths[unit][place] if counted > max(same, LEAST - 1) else 0
        found.append(_Run(starts[place], numbers[place], step, unit if step else ""))
        place += counted if step else same
    return found


def _counted(place: int, lengths: Sequence[int], numbers: Sequence[int | None]) -> int:
    """Say how many stretches from one on are of its length, and are numbered one after the other."""
    number, length = numbers[place], lengths[place]
    if number is None or not length:
        return 0
    following = zip(islice(numbers, place, None), islice(lengths, place, None), strict=False)
    return _extent(each == number + n and size == length for n, (each, size) in enumerate(following))


def _twice(
    starts: Sequence[datetime | None], numbers: Sequence[int | None], again: Repeat
) -> tuple[list[datetime | None], list[int | None]]:
    """Repeat the stretches that begin within a part of the clock that is shown twice, as they come: all of it, and once more."""
    found = list(zip(starts, numbers, strict=True))
    before = list(takewhile(lambda each: each[0] is None or each[0] <= again.start, found))
    within = list(takewhile(lambda each: each[0] is not None and each[0] < again.end, found[len(before) :]))
    second = [(_again(start), number) for start, number in within if start is not None]
    back = (_again(again.start), before[-1][1] if before else None)
    shown = [*before, *within, back, *second, *found[len(before) + len(within) :]]
    return [start for start, _ in shown], [number for _, number in shown]


def _again(moment: datetime) -> datetime:
    """Mean the second time that the clock shows a local time."""
    return moment.replace(fold=1)


def _lengths(places: Sequence[int | None]) -> list[int]:
    return [0 if before is None or after is None else after - before for before, after in pairwise(places)]


def _unmeasured(_: datetime) -> None:
    return None


def _month(moment: datetime) -> int | None:
    """Number the months that begin at midnight of a first day."""
    begins = moment.day == 1 and moment.time() == datetime.min.time()
    return moment.year * 12 + moment.month if begins else None


def _extent(tests: Iterable[bool]) -> int:
    return sum(1 for _ in takewhile(bool, tests))


@dataclass(frozen=True)
class Atoms:
    """Local time cut into pieces at every bound of some cells; each cell goes from a first to a last piece."""

    bounds: tuple[datetime, ...]
    stretches: tuple[tuple[Cell, int, int], ...]

    @property
    def disjoint(self) -> bool:
        """Whether no piece belongs to two cells."""
        ordered = sorted((first, last) for _, first, last in self.stretches)
        return all(before[1] < after[0] for before, after in pairwise(ordered))

    @property
    def covered(self) -> int:
        """How many pieces the cells have, each counted as often as it belongs to one."""
        return sum(last - first + 1 for _, first, last in self.stretches)

    def reach(self) -> dict[int, int]:
        """Give each piece that belongs to a cell, with the first piece that shares a cell with it."""
        found: dict[int, int] = {}
        done = -1
        for first, last in sorted((first, last) for _, first, last in self.stretches):
            found |= dict.fromkeys(range(max(first, done + 1), last + 1), first)
            done = max(done, last)
        return found

    def pieces(self) -> list[tuple[int, Cell]]:
        """Give each piece with each cell that it belongs to."""
        return sorted(
            ((piece, cell) for cell, first, last in self.stretches for piece in range(first, last + 1)),
            key=lambda each: (each[0], each[1].id),
        )


def atoms(cells: Sequence[Cell]) -> Atoms:
    """Cut local time at every bound of the cells; a cell without a moment is in no piece."""
    covered = [(cell, span) for cell in cells for span in cell.spans if not span.is_empty]
    spans = [span for _, span in covered]
    bounds = tuple(sorted({b for span in spans for b in (span.start, span.end) if b is not None}))
    index = {bound: number for number, bound in enumerate(bounds)}
    stretches = [
        (
            cell,
            0 if span.start is None else index[span.start] + 1,
            len(bounds) if span.end is None else index[span.end],
        )
        for cell, span in covered
    ]
    return Atoms(bounds, tuple(stretches))
