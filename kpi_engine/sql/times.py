"""Stretches of local time as bounds on a time column: dates, timestamps or instants, computed here and sent as literals."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from types import MappingProxyType
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from sqlglot import exp

from kpi_engine.calendar import to_utc
from kpi_engine.formula.trees import integer

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from kpi_engine.catalogue import TimeColumn
    from kpi_engine.planning.nodes import Cell


@dataclass(frozen=True)
class Clock:
    """How bounds are written for one time column, in a project of this zone."""

    column: TimeColumn
    zone: ZoneInfo

    def literal(self, moment: datetime) -> exp.Expr:
        """Write a bound as the column's type has it."""
        if self.column.kind == "date":
            whole = moment if moment.time() == datetime.min.time() else moment + timedelta(days=1)
            return _typed(whole.date().isoformat(), exp.DType.DATE)
        if self.column.kind == "instant":
            return _typed(to_utc(moment, self.zone).isoformat(sep=" "), exp.DType.TIMESTAMPTZ)
        if self.column.zone:
            moment = to_utc(moment, self.zone).astimezone(ZoneInfo(self.column.zone)).replace(tzinfo=None)
        return _typed(moment.isoformat(sep=" "), exp.DType.TIMESTAMP)

    def within(self, start: datetime | None, end: datetime | None) -> list[exp.Expr]:
        """Say that the column lies in a half-open stretch; unbounded ends say nothing."""
        tree = self.column.expression.tree
        tests: list[exp.Expr] = []
        if start is not None:
            tests.append(exp.GTE(this=tree, expression=self.literal(start)))
        if end is not None:
            tests.append(exp.LT(this=tree, expression=self.literal(end)))
        return tests

    def numbered(
        self, bounds: Sequence[datetime], numbers: Sequence[int | None], within: Stretch = (None, None)
    ) -> exp.Expr:
        """Give the number of the stretch that the column lies in.

        `bounds` are sorted; `numbers` has one more entry: below the first bound, between each two, from the last on. `within` is the
        stretch in which rows are known to lie. Days and months that are numbered one after the other are counted; between such runs
        it is a search by halves, as nested `case`: fast, exact in every zone and calendar, and the same on every engine.
        """
        edges = (within[0], *bounds, within[1])
        return self._searched(
            [(edges[run.first], self._number(run, edges, numbers)) for run in self._runs(edges, numbers)]
        )

    def _searched(self, runs: Sequence[tuple[datetime | None, exp.Expr]]) -> exp.Expr:
        """Choose among runs, each with where it begins."""
        middle = len(runs) // 2
        start, tree = runs[middle]
        if start is None or not middle:
            return tree
        below = exp.LT(this=self.column.expression.tree, expression=self.literal(start))
        left, right = self._searched(runs[:middle]), self._searched(runs[middle:])
        return exp.Case(ifs=[exp.If(this=below, true=left)], default=right)

    def _number(self, run: _Run, edges: Sequence[datetime | None], numbers: Sequence[int | None]) -> exp.Expr:
        first, start = numbers[run.first], edges[run.first]
        if first is None:
            return exp.Null()
        if not run.unit or start is None:
            return integer(first)
        tree: exp.Expr = exp.DateDiff(
            this=self.column.expression.tree, expression=self.literal(start), unit=exp.Var(this=run.unit)
        )
        if run.step > 1:
            tree = exp.IntDiv(this=tree, expression=integer(run.step))
        return exp.Add(this=integer(first), expression=tree) if first else tree

    def _runs(self, edges: Sequence[datetime | None], numbers: Sequence[int | None]) -> Iterator[_Run]:
        """Put together neighbours of one number, and those that a count of days or months numbers."""
        is_own = self.column.kind != "instant" and not self.column.zone
        marks = {unit: [mark(edge) for edge in edges] for unit, mark in _MARKS.items()} if is_own else {}
        first = 0
        while first < len(numbers):
            same = first + 1
            while same < len(numbers) and numbers[same] == numbers[first]:
                same += 1
            counted = [_counted(unit, each, numbers, first) for unit, each in marks.items()]
            longest = max(counted, key=lambda run: run.after, default=_Run(first, same))
            run = longest if longest.after > max(same, first + FEW) else _Run(first, same)
            yield run
            first = run.after


Stretch = tuple[datetime | None, datetime | None]
"""Since when, and until when; None where there is no bound."""
FEW = 2
"""So few stretches are told apart by comparing."""


@dataclass(frozen=True)
class _Run:
    """Neighbouring stretches, from `first` up to `after`, of one number or, where there is a `unit`, `step` of it for each number."""

    first: int
    after: int
    unit: str = ""
    step: int = 1


def _counted(unit: str, marks: Sequence[int | None], numbers: Sequence[int | None], first: int) -> _Run:
    """Give the longest run from a stretch on that a count of the unit numbers one after the other."""

    def length(piece: int) -> int | None:
        start, end = marks[piece], marks[piece + 1]
        return None if start is None or end is None else end - start

    step, number = length(first), numbers[first]
    after = first + 1
    if step is None or number is None:
        return _Run(first, after)
    while after < len(numbers) and length(after) == step and numbers[after] == number + after - first:
        after += 1
    return _Run(first, after, unit, step)


def _day(moment: datetime | None) -> int | None:
    return moment.toordinal() if moment is not None and moment.time() == time.min else None


def _month(moment: datetime | None) -> int | None:
    return moment.year * 12 + moment.month if moment is not None and moment.day == 1 and _day(moment) else None


_MARKS = MappingProxyType({"MONTH": _month, "DAY": _day})
"""How a moment at which a unit begins is counted."""


@dataclass(frozen=True)
class Atoms:
    """Local time cut at every bound of some cells: `cells[i]` are those that cover the i-th piece."""

    bounds: tuple[datetime, ...]
    cells: tuple[tuple[Cell, ...], ...]

    @property
    def disjoint(self) -> bool:
        """Whether no piece belongs to two cells."""
        return all(len(covering) <= 1 for covering in self.cells)

    def stretches(self) -> dict[Cell, tuple[int, int]]:
        """Give the first and the last piece of each cell that has any; those between are its own too."""
        found: dict[Cell, tuple[int, int]] = {}
        for number, covering in enumerate(self.cells):
            for cell in covering:
                found[cell] = (found.get(cell, (number, number))[0], number)
        return found


def atoms(cells: Sequence[Cell]) -> Atoms:
    """Cut local time at every bound of the cells."""
    spans = [cell.span for cell in cells if not cell.span.is_empty]
    bounds = tuple(sorted({b for span in spans for b in (span.start, span.end) if b is not None}))
    pieces: list[list[Cell]] = [[] for _ in range(len(bounds) + 1)]
    index = {bound: number for number, bound in enumerate(bounds)}
    for cell in cells:
        if cell.span.is_empty:
            continue
        first = 0 if cell.span.start is None else index[cell.span.start] + 1
        last = len(bounds) if cell.span.end is None else index[cell.span.end]
        for piece in range(first, last + 1):
            pieces[piece].append(cell)
    return Atoms(bounds, tuple(tuple(piece) for piece in pieces))


def _typed(text: str, sql_type: exp.DType) -> exp.Expr:
    return exp.Cast(this=exp.Literal.string(text), to=exp.DataType(this=sql_type))
