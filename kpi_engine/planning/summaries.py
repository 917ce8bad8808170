"""Summaries in the making: one per Read, so that a dataset is scanned once whatever the number of KPIs."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from kpi_engine.calendar import Span, shown_until
from kpi_engine.catalogue.resolved import GIVEN, ROWS, Expr
from kpi_engine.errors import RequestError
from kpi_engine.formula.trees import column
from kpi_engine.planning.nodes import Aggregate, Cell, Reach, Read, Summarise
from kpi_engine.planning.windows import Window, apart, until

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from sqlglot import exp

    from kpi_engine.calendar import Calendar
    from kpi_engine.planning.nodes import Rate
    from kpi_engine.planning.rows import Rows
    from kpi_engine.planning.windows import Shift

EVERYTHING = Span(None, None)


def reach_table(reach: int) -> str:
    """Name the table that the columns of a reach stand in."""
    return f"s.{reach}"


@dataclass
class _Making:
    read: Read
    number: int
    split: dict[str, Expr] = field(default_factory=dict)
    cells: dict[tuple[tuple[Span, ...], frozenset[str], tuple[int, ...] | None], int] = field(default_factory=dict)
    aggregates: dict[Aggregate, int] = field(default_factory=dict)
    asked: dict[int, set[int]] = field(default_factory=dict)

    def cell(self, spans: tuple[Span, ...], split: frozenset[str], below: tuple[int, ...] | None) -> int:
        return self.cells.setdefault((spans, split, below), len(self.cells))

    def finished(self, rates: Mapping[str, Rate], until: datetime | None) -> Summarise:
        cells = tuple(
            Cell(number, first, split, below, frozenset(self.asked.get(number, ())), tuple(others))
            for ((first, *others), split, below), number in self.cells.items()
        )
        computed = (each for a in self.aggregates for each in (a.argument, *a.filter))
        top = self.read.top
        read = self.read if top is None or top.name in self.split else replace(self.read, top=None)
        return Summarise(read, dict(self.split), cells, tuple(self.aggregates), _used(rates, computed), until=until)


class Summaries:
    """All summaries of one Align, and how its frame reaches them.

    With `observing` rows are counted for each condition, because only members and periods with rows are kept.
    """

    def __init__(
        self,
        calendar: Calendar,
        as_of: datetime,
        frame: tuple[Window, ...],
        rates: Mapping[str, Rate],
        *,
        observing: bool = False,
    ) -> None:
        self._calendar = calendar
        self._as_of = as_of
        self._end = shown_until(as_of, calendar.zone)
        self._frame = frame
        self._observing = observing
        self._rates = rates
        self._making: dict[Read, _Making] = {}
        self._known: dict[tuple[int, frozenset[str], tuple[Shift, ...], bool, bool], int] = {}
        self._reaches: dict[tuple[int, tuple[int, ...], bool], Reach] = {}
        self._counts: dict[int, dict[int, None]] = {}

    def windows(self, shifts: Iterable[Shift]) -> tuple[Window, ...]:
        """Move the frame's windows by modifiers, outermost first."""
        moved = self._frame
        for each in shifts:
            moved = tuple(window.moved(each, self._calendar, self._as_of) for window in moved)
        return moved

    def column(
        self,
        rows: Rows,
        function: str,
        argument: Expr | None,
        filters: frozenset[Expr],
        fraction: float | None = None,
        *,
        aside: bool = False,
    ) -> exp.Column:
        """Ask for an aggregate over rows, and give the column that will hold it; rows that are looked at `aside` make no member observed."""
        rows, filters = _edged(rows, filters)
        rows, argument, filters = _converted(rows, argument, filters, self._rates)
        making = self._making.get(rows.read)
        if making is None:
            making = self._making[rows.read] = _Making(rows.read, len(self._making))
        making.split.update(rows.split)
        aggregate = Aggregate(function, argument, rows.filter | filters, fraction)
        number = making.aggregates.setdefault(aggregate, len(making.aggregates))
        extent = (making.number, frozenset(rows.split), rows.shifts, rows.constant, rows.opening)
        reach = self._known.get(extent)
        if reach is None:
            reach = self._known[extent] = self._reach(making, rows)
        asked = {number}
        if self._observing and not aside:
            rows_wanted = Aggregate("count", None, aggregate.filter)
            count = making.aggregates.setdefault(rows_wanted, len(making.aggregates))
            self._counts.setdefault(reach, {})[count] = None
            asked.add(count)
        for cell in list(self._reaches.values())[reach].cells:
            making.asked.setdefault(cell, set()).update(asked)
        return column(f"a{number}", reach_table(reach))

    def finished(self) -> tuple[Summarise, ...]:
        """Give the summaries, in the order of their numbers."""
        until = self._as_of if self._end != self._as_of else None
        return tuple(making.finished(self._rates, until) for making in self._making.values())

    def splits(self) -> set[frozenset[str]]:
        """Give the dimensions by which each of the inputs is split."""
        return {split for _, split, *_ in self._known}

    def reaches(self) -> tuple[Reach, ...]:
        """Give the ways to reach them, in the order of their numbers."""
        return tuple(
            replace(reach, counts=tuple(self._counts.get(n, ()))) for n, reach in enumerate(self._reaches.values())
        )

    def _reach(self, making: _Making, rows: Rows) -> int:
        split = frozenset(rows.split)
        cells = tuple(making.cell(spans, split, below) for spans, below in self._coverage(rows))
        key = (making.number, cells, self._observing and bool(rows.shifts))
        if key not in self._reaches or not rows.shifts:
            self._reaches[key] = Reach(making.number, cells, present=not rows.shifts)
        return list(self._reaches).index(key)

    def _coverage(self, rows: Rows) -> list[tuple[tuple[Span, ...], tuple[int, ...] | None]]:
        if rows.read.below is not None:
            return [((EVERYTHING,), each) for each in rows.units or ((number,) for number in range(len(self._frame)))]
        if rows.constant:
            return [((EVERYTHING,), None)] * len(self._frame)
        windows = [(window, window.known or self._end) for window in self.windows(rows.shifts)]
        if rows.read.level is None:
            return [(_stretches(window, known), None) for window, known in windows]
        if rows.opening:
            starts = [(window.span.start, known) for window, known in windows]
            return [((_held(start, known) if start else Span(known, known),), None) for start, known in starts]
        return [((_held(window.spans[-1].end or known, known),), None) for window, known in windows]

    def known(self, shifts: Iterable[Shift]) -> datetime:
        """Give until when rows count in all windows moved by modifiers.

        Raise `several_moments` where that is not the same in all of them.
        """
        moments = {window.known or self._as_of for window in self.windows(shifts)} or {self._as_of}
        if len(moments) > 1:
            message = "conversions and cohorts are known until one moment, and the periods compared like for like have one each"
            hint = "ask for one period without a grain, or compare without `like_for_like`"
            raise RequestError(message, code="several_moments", hint=hint)
        return moments.pop()


def _stretches(window: Window, known: datetime) -> tuple[Span, ...]:
    """Give the stretches of a window, up to when rows are known."""
    if not window.others:
        return (until(window.span, known),)
    return apart(until(span, known) for span in window.spans) or (Span(known, known),)


def _held(instant: datetime, known: datetime) -> Span:
    """Cover the levels that hold at an instant; of a time to come, those that hold now."""
    return Span(None, min(instant, known))


def _edged(rows: Rows, filters: frozenset[Expr]) -> tuple[Rows, frozenset[Expr]]:
    """Of the first or the last rows, conditions say which rows are looked at, before they say what is aggregated."""
    if rows.read.edge is None:
        return rows, filters
    edge = replace(rows.read.edge, filter=rows.filter | filters)
    return replace(rows, read=replace(rows.read, edge=edge), filter=frozenset()), frozenset()


def _converted(
    rows: Rows, argument: Expr | None, filters: frozenset[Expr], rates: Mapping[str, Rate]
) -> tuple[Rows, Expr | None, frozenset[Expr]]:
    """Of rows that are given to others, what is aggregated and under which conditions is a matter of the Read."""
    if rows.read.converted is None:
        return rows, argument, filters
    used = _used(rates, (argument, *filters))
    converted = replace(rows.read.converted, filter=rows.read.converted.filter | filters, argument=argument, rates=used)
    given = Expr(column(GIVEN, ROWS)) if argument is not None else None
    return replace(rows, read=replace(rows.read, converted=converted)), given, frozenset()


def _used(rates: Mapping[str, Rate], computed: Iterable[Expr | None]) -> tuple[Rate, ...]:
    """Give the rates that some expressions convert by."""
    if not rates:
        return ()
    tables = {table for each in computed if each is not None for table in each.tables}
    return tuple(rate for name, rate in rates.items() if name in tables)
