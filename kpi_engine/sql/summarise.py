"""Read and Summarise as one select: rows, joined to the one side, grouped by cell and split.

Problem: many KPIs, periods and comparisons want different stretches, filters and splits of the same rows, and the rows must be
scanned once. Shape: every row is given the number of the piece of time it lies in; where no piece belongs to two cells, that number
is the cell; else a small table of literals says to which cells each piece belongs. Aggregates that can be merged are taken by piece
first, and the few results are then merged into every cell they belong to; where one cannot be merged, such as a distinct count,
each row is counted in each of its cells, which is exact for every aggregate. Conditions that all aggregates share go to `where`,
the others to each aggregate's filter.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from sqlglot import exp

from kpi_engine.catalogue.resolved import ROWS, VALUE, Expr
from kpi_engine.errors import RequestError
from kpi_engine.formula.trees import column, every_column, integer, named
from kpi_engine.sql.aggregates import aggregation, can_be_merged, merged, partials
from kpi_engine.sql.arrivals import ENTITY, PIECE, arrived_since, counted_arrivals, own_column
from kpi_engine.sql.cohorts import followed
from kpi_engine.sql.conditions import all_of, any_of, count_of, shared_filters, wanted
from kpi_engine.sql.conversions import converted
from kpi_engine.sql.joins import joined
from kpi_engine.sql.levels import held_at, with_until
from kpi_engine.sql.parts import CELL, is_entities, is_flow, parts, side_by_side
from kpi_engine.sql.ranks import placed
from kpi_engine.sql.rates import with_rates
from kpi_engine.sql.reading import among, chosen_before, expressions
from kpi_engine.sql.relations import Landed, relation
from kpi_engine.sql.rendering import MAP, PERIOD_NUMBER, Constants, alias, constants, dimension, where
from kpi_engine.sql.times import Atoms, Clock, atoms

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from kpi_engine.planning.nodes import Aggregate, Cell, Edge, Summarise
    from kpi_engine.sql.conditions import Wanted
    from kpi_engine.sql.rendering import Rendering

MOST_COVERED = 500_000_000
"""So many pairs of a cell and a piece of time are put together at most: 20,000 periods of which each covers as many pieces."""
LONG = 8
"""Where cells hold more pieces than this on average, the map says from which piece to which a cell goes instead of naming each."""


def summarise(node: Summarise, rendering: Rendering) -> exp.Select:
    """Render a Summarise and its Read."""
    if node.leaf is not None:
        return answered(*node.leaf)
    found = [] if rendering.portable else parts(node)
    if len(found) < 2:  # noqa: PLR2004 - one part is the whole
        return _Summary(node, rendering).select()
    return side_by_side(node, [(part, places, _Summary(part, rendering).select()) for part, places in found])


def answered(table: str, types: Mapping[str, str]) -> exp.Select:
    """Give the answer to what was computed where its data live."""
    return exp.Select(expressions=[exp.Star()]).from_(relation(Landed(table, types), table), copy=False)


def rows_that_count(node: Summarise, rendering: Rendering) -> list[exp.Expr]:
    """Say which rows may count in a summary of rows that count at their own time."""
    return _Summary(node, rendering).wanted_rows()


@dataclass(frozen=True)
class _Summary:
    node: Summarise
    rendering: Rendering

    @cached_property
    def clock(self) -> Clock | None:
        time = self.node.read.time
        return None if time is None else Clock(time, self.rendering.zone, counts=not self.rendering.portable)

    @cached_property
    def splits(self) -> frozenset[frozenset[str]]:
        return frozenset(cell.split for cell in self.node.cells)

    @cached_property
    def pieces(self) -> Atoms:
        return atoms(self.node.cells)

    @property
    def needs_map(self) -> bool:
        """Whether a row's cell must be looked up: it may lie in several, or cells differ in their split."""
        return not self.pieces.disjoint or len(self.splits) > 1

    def wanted_rows(self) -> list[exp.Expr]:
        """Say that a row lies in the time that the cells span, and that some aggregate wants it."""
        common, own = shared_filters(self.node.aggregates)
        return [*self._within(), *common, *any_of(own.values())] if self.node.cells else []

    def select(self) -> exp.Select:
        """Choose the way that counts fewest rows."""
        if is_flow(self.node) and self.node.cells and self.needs_map:
            if all(map(can_be_merged, self.node.aggregates)):
                return self._merged()
            if is_entities(self.node):
                return self._recounted()
        return self._counted()

    def _counted(self) -> exp.Select:
        """Count each row in each of its cells."""
        rows, cell, tests = self._covered()
        groups = [named(cell, CELL), *self._splits(self.node.split)]
        if self.node.read.edge is not None:
            return self._of_edge(self.node.read.edge, rows, groups, tests)
        common, own = shared_filters(self.node.aggregates)
        values = [named(aggregation(a, all_of(own[a])), f"a{n}") for n, a in enumerate(self.node.aggregates)]
        select = exp.Select(expressions=[*groups, *values]).from_(rows, copy=False)
        select = self._mapped(self._joined(select))
        select = where(select, [*tests, *self._among(), *common, *any_of(own.values())])
        if not self.node.split and isinstance(cell, exp.Literal):
            return select
        select = _grouped(select, len(groups))
        counts = {conditions: count_of(conditions) for conditions in self._wanted_by_cells(own)}
        return self._of_seen(select, cell, own, counts)

    def _of_edge(self, edge: Edge, rows: exp.Expr, groups: list[exp.Expr], tests: list[exp.Expr]) -> exp.Select:
        """Aggregate the rows of the first or the last time in each cell, of each entity."""
        assert self.clock is not None  # noqa: S101 - rows of the last time have a time
        time, cell = self.clock.column.expression.tree, groups[0].unalias()
        bound = (exp.Max if edge.last else exp.Min)(this=time)
        found = exp.Window(this=bound, partition_by=[cell, *(each.tree for each in edge.of)])
        arguments = {f"x{n}": a.argument for n, a in enumerate(self.node.aggregates) if a.argument is not None}
        shown = [named(each.tree, name) for name, each in arguments.items()]
        inner = exp.Select(expressions=[*groups, *shown]).from_(rows, copy=False)
        inner = self._mapped(self._joined(inner))
        inner = where(
            inner, [*tests, *self._among(), *(each.tree for each in sorted(edge.filter, key=lambda e: e.text))]
        )
        inner.set("qualify", exp.Qualify(this=exp.EQ(this=time, expression=found)))
        keys = [CELL, *(dimension(name) for name in self.node.split)]
        values = []
        for n, each in enumerate(self.node.aggregates):
            own = replace(each, argument=Expr(own_column(f"x{n}")) if f"x{n}" in arguments else None)
            values.append(named(aggregation(own, None), f"a{n}"))
        select = exp.Select(expressions=[*(own_column(key) for key in keys), *values])
        return _grouped(select.from_(exp.Subquery(this=inner, alias=alias(ROWS)), copy=False), len(keys))

    def _merged(self) -> exp.Select:
        """Aggregate rows by the piece of time they lie in, then merge the pieces of each cell."""
        common, own = shared_filters(self.node.aggregates)
        each_wants = list(self._wanted_by_cells(own))
        values = [
            named(part, f"a{n}.{m}")
            for n, a in enumerate(self.node.aggregates)
            for m, part in enumerate(partials(a, all_of(own[a])))
        ]
        counts = [
            named(count_of(conditions) or exp.Count(this=exp.Star()), f"n{n}")
            for n, conditions in enumerate(each_wants)
        ]
        inner = self._by_piece([*values, *counts], [*common, *any_of(own.values())])
        inner = _grouped(inner, 1 + len(self.node.split))
        outer = [
            named(self._map_column(CELL), CELL),
            *self._splits({name: column(dimension(name), ROWS) for name in self.node.split}),
        ]
        answers = [
            named(merged(a, [column(f"a{n}.{m}", ROWS) for m in range(2)]), f"a{n}")
            for n, a in enumerate(self.node.aggregates)
        ]
        select = exp.Select(expressions=[*outer, *answers])
        select = select.from_(exp.Subquery(this=inner, alias=alias(ROWS)), copy=False)
        select = _grouped(self._join_pieces(select, own_column(PIECE)), len(outer))
        found = {c: exp.Sum(this=column(f"n{n}", ROWS)) for n, c in enumerate(each_wants)}
        return self._of_seen(select, self._map_column(CELL), own, found)

    def _recounted(self) -> exp.Select:
        """Count each entity once per cell: at its first piece there."""
        (aggregate,) = self.node.aggregates
        entity = named(aggregate.argument.tree if aggregate.argument else exp.Null(), ENTITY)
        rows = self._by_piece([entity], shared_filters(self.node.aggregates)[0]).distinct(copy=False)
        keys = [dimension(name) for name in self.node.split]
        columns = [named(self._map_column(CELL), CELL), *(own_column(key) for key in keys)]
        total = exp.cast(exp.Sum(this=own_column(ENTITY)), "bigint")
        select = exp.Select(expressions=[*columns, named(total, "a0")])
        arrivals = counted_arrivals(rows, keys, self.pieces.reach())
        select = select.from_(exp.Subquery(this=arrivals, alias=alias(ROWS)), copy=False)
        arrived = arrived_since(self._map_column("first"))
        return _grouped(self._join_stretches(select, own_column(PIECE), arrived), len(columns))

    def _by_piece(self, values: Sequence[exp.Expr], conditions: Sequence[exp.Expr]) -> exp.Select:
        """Give the rows in the time that the cells span, by piece of time and member."""
        members = [named(each.tree, dimension(name)) for name, each in self.node.split.items()]
        select = exp.Select(expressions=[named(self._piece(inside=True), PIECE), *members, *values])
        select = select.from_(self.rendering.relations.rows(self.node.read.dataset, ROWS), copy=False)
        select = self._joined(select)
        return where(select, [*self._within(), *self._among(), *conditions])

    def _joined(self, select: exp.Select) -> exp.Select:
        """Join what is computed over the rows: other datasets, rates, then the members that rows are told apart by."""
        node, found = self.node, expressions(self.node)
        select = joined(select, node.read, found, self.rendering)
        select = with_rates(select, node.read.time, node.rates, found, self.rendering)
        return placed(select, node.read.top)

    def _wanted_by_cells(self, own: Mapping[Aggregate, frozenset[Expr]]) -> dict[Wanted, list[int]]:
        """Say which rows make a member seen in which cells, where cells want different rows; else nothing."""
        found: dict[Wanted, list[int]] = {}
        together = dict.fromkeys(each.aggregates for each in self.node.cells)
        wants = {numbers: wanted(own[self.node.aggregates[n]] for n in numbers) for numbers in together}
        for each in self.node.cells:
            found.setdefault(wants[each.aggregates], []).append(each.id)
        return found if self.node.split and set(found) != {wanted(own.values())} else {}

    def _of_seen(
        self,
        select: exp.Select,
        cell: exp.Expr,
        own: Mapping[Aggregate, frozenset[Expr]],
        counts: Mapping[Wanted, exp.Expr | None],
    ) -> exp.Select:
        """Keep groups with a row that an aggregate of their cell wants."""
        tests = []
        for conditions, ids in self._wanted_by_cells(own).items():
            here = exp.In(this=cell, expressions=[integer(n) for n in ids])
            count = counts[conditions]
            tests.append(here if count is None else exp.and_(here, exp.GT(this=count, expression=integer(0))))
        return select.having(exp.or_(*tests), copy=False) if tests else select

    def _covered(self) -> tuple[exp.Expr, exp.Expr, list[exp.Expr]]:
        """Give the rows, the cell of each, and what says that a row lies in any."""
        read = self.node.read
        if read.below is not None:
            rows: exp.Expr = exp.Subquery(this=self.rendering.below(read.below), alias=alias(VALUE))
            return rows, self._map_column(CELL), []
        if read.cohort is not None:
            rows = followed(read, read.cohort, self.rendering)
        elif read.converted is not None:
            rows = converted(read, read.converted, self.rendering)
        else:
            rows = self.rendering.relations.rows(read.dataset, ROWS)
        if self.clock is None:
            return rows, self._constant_cell(), []
        if read.level is not None:
            return with_until(rows, self.node, self.clock, self.rendering), self._map_column(CELL), []
        if not self.node.cells:
            return rows, exp.Null(), [exp.Boolean(this=False)]
        if self.needs_map:
            return self._with_piece(rows), self._map_column(CELL), self._within()
        cell, gaps = self._cell_of(self.clock)
        return rows, cell, [*self._within(), *gaps]

    def _within(self) -> list[exp.Expr]:
        """Say that a row lies in the time that the cells span."""
        assert self.clock is not None  # noqa: S101 - cells are stretches of time
        known = exp.Not(this=exp.Is(this=self.clock.column.expression.tree, expression=exp.Null()))
        until = [] if self.node.until is None else [self.clock.before(self.node.until)]
        return [*self.clock.within(*self._extent()), *until] or [known]

    def _among(self) -> list[exp.Expr]:
        """Say which members rows are of; what is given to others was chosen among those already."""
        return [] if chosen_before(self.node.read) else among(self.node.read, self.rendering)

    def _cell_of(self, clock: Clock) -> tuple[exp.Expr, list[exp.Expr]]:
        """Give the one cell of each row by its time, and what says that a row lies in no gap between cells."""
        pieces = self.pieces
        owners = {piece: cell.id for piece, cell in pieces.pieces()}
        numbers = [owners.get(piece) for piece in range(len(pieces.bounds) + 1)]
        inner = numbers[1:-1] if len(pieces.bounds) > 1 and numbers[0] is None and numbers[-1] is None else None
        if inner and None not in inner:
            return clock.numbered(pieces.bounds, inner, inside=True), []
        cell = clock.numbered(pieces.bounds, numbers)
        there = set(owners.values())
        known: list[exp.Expr] = [exp.Not(this=exp.Is(this=cell, expression=exp.Null()))]
        if len(there) == 1:
            return integer(there.pop()), known if None in numbers[min(owners) : max(owners)] else []
        return cell, known if None in numbers and there else []

    def _extent(self) -> tuple[datetime | None, datetime | None]:
        every = [span for cell in self.node.cells for span in cell.spans]
        spans = [span for span in every if not span.is_empty] or every[:1]
        starts = [span.start for span in spans if span.start is not None]
        ends = [span.end for span in spans if span.end is not None]
        return min(starts) if len(starts) == len(spans) else None, max(ends) if len(ends) == len(spans) else None

    def _constant_cell(self) -> exp.Expr:
        return integer(0) if len(self.node.cells) == 1 else self._map_column(CELL)

    def _map_column(self, name: str) -> exp.Expr:
        return column(name, MAP)

    def _splits(self, split: Mapping[str, Expr] | Mapping[str, exp.Expr]) -> Iterator[exp.Expr]:
        """Give the columns of the split; a cell that is not split by one has it unknown."""
        for name, each in split.items():
            tree = each if isinstance(each, exp.Expr) else each.tree
            if len(self.splits) > 1 and not all(name in kept for kept in self.splits):
                tree = exp.Case().when(self._map_column(f"by_{name}"), tree)
            yield named(tree, dimension(name))

    def _mapped(self, select: exp.Select) -> exp.Select:
        """Join the table that says to which cells a row belongs, where one is needed."""
        read = self.node.read
        if read.below is not None:
            number: exp.Expr = column(PERIOD_NUMBER, VALUE)
            pairs = [(below, cell) for cell in self.node.cells for below in cell.below or ()]
            below = Constants("INT", [each for each, _ in pairs])
            return self._join_map(
                select,
                {"piece": below},
                [cell for _, cell in pairs],
                exp.EQ(this=self._map_column("piece"), expression=number),
            )
        if self.clock is None:
            always = exp.Boolean(this=True)
            return select if len(self.node.cells) == 1 else self._join_map(select, {}, self.node.cells, always)
        if read.level is not None:
            return self._join_map(select, *held_at(self.node, self.clock))
        if not self.needs_map:
            return select
        return self._join_pieces(select, own_column(PIECE) if self._time_is_own else self._piece())

    def _join_pieces(self, select: exp.Select, number: exp.Expr) -> exp.Select:
        """Join each piece of time to the cells it belongs to."""
        pieces = self.pieces
        if pieces.covered > LONG * len(self.node.cells):
            return self._join_stretches(select, number)
        rows = pieces.pieces()
        numbers = {"piece": Constants("INT", [piece for piece, _ in rows])}
        here = exp.EQ(this=self._map_column("piece"), expression=number)
        return self._join_map(select, numbers, [cell for _, cell in rows], here)

    def _join_stretches(self, select: exp.Select, number: exp.Expr, *tests: exp.Expr) -> exp.Select:
        """Join each piece of time to the cells that go from a piece at or before it to one at or after it."""
        stretches = self.pieces.stretches
        if self.pieces.covered > MOST_COVERED:
            raise RequestError(
                f"the stretches of {len(self.node.cells):,} periods overlap too much: each piece of time would be added up in thousands of them",
                code="too_many_periods",
                hint="ask for a shorter period or a coarser grain",
            )
        ends = {
            "first": Constants("INT", [first for _, first, _ in stretches]),
            "last": Constants("INT", [last for _, _, last in stretches]),
        }
        within = exp.Between(this=number, low=self._map_column("first"), high=self._map_column("last"))
        return self._join_map(select, ends, [cell for cell, _, _ in stretches], exp.and_(within, *tests))

    def _join_map(
        self, select: exp.Select, columns: Mapping[str, Constants], cells: Sequence[Cell], on: exp.Expr
    ) -> exp.Select:
        """Join a table of cells: each with the values of `columns` that stand beside it, and by what it is split."""
        masks = {
            f"by_{name}": Constants("BOOLEAN", [str(name in cell.split).lower() for cell in cells])
            for name in self.node.split
            if len(self.splits) > 1
        }
        table = constants({**columns, CELL: Constants("INT", [cell.id for cell in cells]), **masks})
        return select.join(exp.Subquery(this=table, alias=alias(MAP)), on=on, join_type="inner", copy=False)

    @property
    def _time_is_own(self) -> bool:
        time = self.node.read.time
        return time is not None and time.expression.tables <= {ROWS}

    def _piece(self, *, inside: bool = False) -> exp.Expr:
        """Number the piece of time that a row lies in; `inside`, of a row that lies in the time that the cells span."""
        assert self.clock is not None  # noqa: S101 - pieces are pieces of time
        bounds = self.pieces.bounds
        if inside and len(bounds) > 1 and None not in self._extent():
            return self.clock.numbered(bounds, range(1, len(bounds)), inside=True)
        return self.clock.numbered(bounds, range(len(bounds) + 1))

    def _with_piece(self, rows: exp.Expr) -> exp.Expr:
        """Give each row the number of its piece as a column: DuckDB 2.0.0 fails to bind some joins on the expression itself."""
        if not self._time_is_own:
            return rows
        inner = exp.Select(expressions=[every_column(ROWS), named(self._piece(), PIECE)]).from_(rows, copy=False)
        return exp.Subquery(this=inner, alias=alias(ROWS))


def _grouped(select: exp.Select, columns: int) -> exp.Select:
    select.set("group", exp.Group(expressions=[integer(n + 1) for n in range(columns)]))
    return select
