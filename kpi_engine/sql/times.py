"""Stretches of local time as bounds on a time column: dates, timestamps or instants, computed here and sent as literals."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from sqlglot import exp

from kpi_engine.calendar import to_utc
from kpi_engine.formula.trees import integer

if TYPE_CHECKING:
    from collections.abc import Sequence

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

    def numbered(self, bounds: Sequence[datetime], numbers: Sequence[int | None]) -> exp.Expr:
        """Give the number of the stretch that the column lies in.

        `bounds` are sorted; `numbers` has one more entry: below the first bound, between each two, from the last on. A search by
        halves, as nested `case`: faster than truncating the time, exact in every zone and calendar, and the same on every engine.
        """
        if not bounds:
            return exp.Null() if numbers[0] is None else integer(numbers[0])
        if len(set(numbers)) == 1:
            return self.numbered([], numbers[:1])
        middle = len(bounds) // 2
        below = exp.LT(this=self.column.expression.tree, expression=self.literal(bounds[middle]))
        left = self.numbered(bounds[:middle], numbers[: middle + 1])
        right = self.numbered(bounds[middle + 1 :], numbers[middle + 1 :])
        return exp.Case(ifs=[exp.If(this=below, true=left)], default=right)


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
