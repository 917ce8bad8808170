"""Read and Summarise as one select: rows, joined to the one side, grouped by cell and split.

Problem: many KPIs, periods and comparisons want different stretches, filters and splits of the same rows, and the rows must be
scanned once. Shape: every row is given the number of the piece of time it lies in; where no piece belongs to two cells, that number
is the cell; else a small table of literals says to which cells each piece belongs. Conditions that all aggregates share go to
`where`, the others to each aggregate's filter. Trade-off: a row in several cells is counted in each, which is exact for every
aggregate, also for those that cannot be merged.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from sqlglot import exp

from kpi_engine.calendar import shift
from kpi_engine.catalogue.resolved import ROWS, VALUE
from kpi_engine.formula.trees import named
from kpi_engine.sql.aggregates import aggregation
from kpi_engine.sql.times import Atoms, Clock, atoms

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from kpi_engine.catalogue import Expr, TimeColumn
    from kpi_engine.catalogue.names import Names
    from kpi_engine.definitions.models import Join
    from kpi_engine.planning.nodes import Aggregate, Bounds, Cell, Derive, Read, Summarise
    from kpi_engine.sql.relations import Relations

CELL = "cell"
UNTIL = "__until"
PIECE = "__piece"
PERIOD_NUMBER = "__p"
MAP = "m"
LONG = 8
"""Where cells hold more pieces than this on average, the map says from which piece to which a cell goes instead of naming each."""


@dataclass(frozen=True)
class Rendering:
    """What rendering needs beside the plan: the names, the tables, the project's zone, and how a plan below is rendered."""

    names: Names
    relations: Relations
    zone: ZoneInfo
    below: Callable[[Derive], exp.Select]


def dimension(name: str) -> str:
    """Name the column of a summary that holds a dimension."""
    return f"__d_{name}"


def summarise(node: Summarise, rendering: Rendering) -> exp.Select:
    """Render a Summarise and its Read."""
    return _Summary(node, rendering).select()


def bounds(node: Bounds, rendering: Rendering) -> exp.Select:
    """Render the first and last time of some rows."""
    time = node.read.time
    if time is None:
        raise ValueError(node.read.dataset)
    edges = [
        exp.alias_(exp.Min(this=time.expression.tree.copy()), "first"),
        exp.alias_(exp.Max(this=time.expression.tree.copy()), "last"),
    ]
    select = exp.Select(expressions=edges).from_(rendering.relations.rows(node.read.dataset, ROWS), copy=False)
    select = _joined(select, node.read, [time.expression, *node.filter], rendering)
    return _where(select, [condition.tree for condition in sorted(node.filter, key=lambda e: e.text)])


@dataclass(frozen=True)
class _Summary:
    node: Summarise
    rendering: Rendering

    @cached_property
    def clock(self) -> Clock | None:
        time = self.node.read.time
        return None if time is None else Clock(time, self.rendering.zone)

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

    def select(self) -> exp.Select:
        rows, cell, tests = self._covered()
        groups = [
            named(cell, CELL),
            *(self._split(name, each) for name, each in self.node.split.items()),
        ]
        common, own = _shared_filters(self.node.aggregates)
        values = [named(aggregation(a, _all_of(own[a])), f"a{n}") for n, a in enumerate(self.node.aggregates)]
        select = exp.Select(expressions=[*groups, *values]).from_(rows, copy=False)
        select = self._mapped(_joined(select, self.node.read, expressions(self.node), self.rendering))
        select = _where(select, [*tests, *common, *_any_of(own.values())])
        if not self.node.split and isinstance(cell, exp.Literal):
            return select
        select = select.group_by(*(exp.Literal.number(n + 1) for n in range(len(groups))), copy=False)
        seen = self._seen(cell, own)
        return select if seen is None else select.having(seen, copy=False)

    def _seen(self, cell: exp.Expr, own: Mapping[Aggregate, frozenset[Expr]]) -> exp.Expr | None:
        """Keep groups with a row that an aggregate of their cell wants, where cells want different rows."""
        wanted: dict[frozenset[frozenset[Expr]], list[int]] = {}
        for each in self.node.cells:
            wanted.setdefault(_wanted(own[self.node.aggregates[n]] for n in each.aggregates), []).append(each.id)
        if not self.node.split or not wanted or set(wanted) == {_wanted(own.values())}:
            return None
        tests = []
        for conditions, ids in wanted.items():
            here = exp.In(this=cell.copy(), expressions=[exp.Literal.number(n) for n in ids])
            rows = _any_of(conditions, always=True)
            found = exp.Filter(this=exp.Count(this=exp.Star()), expression=exp.Where(this=rows[0])) if rows else None
            tests.append(
                here if found is None else exp.and_(here, exp.GT(this=found, expression=exp.Literal.number(0)))
            )
        return exp.or_(*tests)

    def _covered(self) -> tuple[exp.Expr, exp.Expr, list[exp.Expr]]:
        """Give the rows, the cell of each, and what says that a row lies in any."""
        read = self.node.read
        if read.below is not None:
            rows: exp.Expr = exp.Subquery(this=self.rendering.below(read.below), alias=_alias(VALUE))
            return rows, self._map_column(CELL), []
        rows = self.rendering.relations.rows(read.dataset, ROWS)
        if self.clock is None:
            return rows, self._constant_cell(), []
        if read.level is not None:
            return self._with_until(rows), self._map_column(CELL), []
        if not self.node.cells:
            return rows, exp.Null(), [exp.Boolean(this=False)]
        known = exp.Not(this=exp.Is(this=self.clock.column.expression.tree.copy(), expression=exp.Null()))
        tests = self.clock.within(*self._extent()) or [known]
        if self.needs_map:
            return self._with_piece(rows), self._map_column(CELL), tests
        cell, gaps = self._cell_of(self.clock)
        return rows, cell, [*tests, *gaps]

    def _cell_of(self, clock: Clock) -> tuple[exp.Expr, list[exp.Expr]]:
        """Give the one cell of each row by its time, and what says that a row lies in no gap between cells."""
        pieces = self.pieces
        numbers = [covering[0].id if covering else None for covering in pieces.cells]
        inner = numbers[1:-1] if pieces.bounds and numbers[0] is None and numbers[-1] is None else None
        if inner and None not in inner:
            return clock.numbered(pieces.bounds[1:-1], inner, (pieces.bounds[0], pieces.bounds[-1])), []
        cell = clock.numbered(pieces.bounds, numbers)
        there = set(numbers) - {None}
        if len(there) == 1:
            return exp.Literal.number(there.pop()), []
        return cell, [
            exp.Not(this=exp.Is(this=cell.copy(), expression=exp.Null()))
        ] if None in numbers and there else []

    def _extent(self) -> tuple[datetime | None, datetime | None]:
        spans = [cell.span for cell in self.node.cells if not cell.span.is_empty] or [self.node.cells[0].span]
        starts = [span.start for span in spans if span.start is not None]
        ends = [span.end for span in spans if span.end is not None]
        return min(starts) if len(starts) == len(spans) else None, max(ends) if len(ends) == len(spans) else None

    def _constant_cell(self) -> exp.Expr:
        return exp.Literal.number(0) if len(self.node.cells) == 1 else self._map_column(CELL)

    def _map_column(self, name: str) -> exp.Expr:
        return exp.column(name, table=MAP, quoted=True)

    def _split(self, name: str, each: Expr) -> exp.Expr:
        tree = each.tree
        if len(self.splits) > 1 and not all(name in kept for kept in self.splits):
            tree = exp.Case().when(self._map_column(f"by_{name}"), tree)
        return named(tree, dimension(name))

    def _mapped(self, select: exp.Select) -> exp.Select:
        """Join the table that says to which cells a row belongs, where one is needed."""
        read = self.node.read
        if read.below is not None:
            number: exp.Expr = exp.column(PERIOD_NUMBER, table=VALUE, quoted=True)
            rows = [([exp.Literal.number(cell.below)], cell) for cell in self.node.cells]
            return self._join_map(select, ["piece"], rows, exp.EQ(this=self._map_column("piece"), expression=number))
        if self.clock is None:
            constant = [([exp.Literal.number(0)], cell) for cell in self.node.cells]
            return (
                select
                if len(self.node.cells) == 1
                else self._join_map(select, ["piece"], constant, exp.Boolean(this=True))
            )
        if read.level is not None:
            return self._join_levels(select)
        if not self.needs_map:
            return select
        pieces = self.pieces
        number = exp.column(PIECE, table=ROWS, quoted=True) if self._time_is_own else self._piece()
        if sum(len(covering) for covering in pieces.cells) > LONG * len(self.node.cells):
            stretches = [
                ([exp.Literal.number(n) for n in (first, last)], cell)
                for cell, (first, last) in pieces.stretches().items()
            ]
            within = exp.Between(this=number, low=self._map_column("first"), high=self._map_column("last"))
            return self._join_map(select, ["first", "last"], stretches, within)
        rows = [([exp.Literal.number(n)], cell) for n, covering in enumerate(pieces.cells) for cell in covering]
        return self._join_map(select, ["piece"], rows, exp.EQ(this=self._map_column("piece"), expression=number))

    def _join_map(
        self, select: exp.Select, columns: list[str], rows: Sequence[tuple[Sequence[exp.Expr], Cell]], on: exp.Expr
    ) -> exp.Select:
        masks = [name for name in self.node.split if len(self.splits) > 1]
        tuples = [
            exp.Tuple(
                expressions=[
                    *values,
                    exp.Literal.number(cell.id),
                    *(exp.Boolean(this=name in cell.split) for name in masks),
                ]
            )
            for values, cell in rows
        ]
        names = [*columns, CELL, *(f"by_{name}" for name in masks)]
        if not tuples:
            tuples = [exp.Tuple(expressions=[exp.Null() for _ in names])]
        return select.join(values_table(tuples, MAP, names), on=on, join_type="inner", copy=False)

    @property
    def _time_is_own(self) -> bool:
        time = self.node.read.time
        return time is not None and all(column.table == ROWS for column in time.expression.tree.find_all(exp.Column))

    def _piece(self) -> exp.Expr:
        """Number the piece of time that a row lies in."""
        assert self.clock is not None  # noqa: S101 - pieces are pieces of time
        return self.clock.numbered(self.pieces.bounds, list(range(len(self.pieces.cells))))

    def _with_piece(self, rows: exp.Expr) -> exp.Expr:
        """Give each row the number of its piece as a column: DuckDB 2.0.0 fails to bind some joins on the expression itself."""
        if not self._time_is_own:
            return rows
        star = exp.Column(this=exp.Star(), table=exp.to_identifier(ROWS, quoted=True))
        inner = exp.Select(expressions=[star, exp.alias_(self._piece(), PIECE, quoted=True)]).from_(rows, copy=False)
        return exp.Subquery(this=inner, alias=_alias(ROWS))

    def _with_until(self, rows: exp.Expr) -> exp.Expr:
        """Give each level the time of the entity's next one."""
        assert self.clock is not None and self.node.read.level is not None  # noqa: S101, PT018 - a level has a time
        time = self.clock.column.expression.tree
        window = exp.Window(
            this=exp.Min(this=time.copy()),
            partition_by=[each.tree.copy() for each in self.node.read.level.of],
            order=exp.Order(expressions=[exp.Ordered(this=time.copy(), nulls_first=False)]),
            spec=exp.WindowSpec(kind="GROUPS", start="1", start_side="FOLLOWING", end="1", end_side="FOLLOWING"),
        )
        star = exp.Column(this=exp.Star(), table=exp.to_identifier(ROWS, quoted=True))
        inner = exp.Select(expressions=[star, exp.alias_(window, UNTIL, quoted=True)]).from_(rows, copy=False)
        inner = _joined(inner, self.node.read, [self.clock.column.expression], self.rendering)
        known = exp.Not(this=exp.Is(this=time.copy(), expression=exp.Null()))
        latest = max(
            (cell.span.end for cell in self.node.cells if cell.span.end and not cell.span.is_empty), default=None
        )
        inner = _where(inner, [known, *self.clock.within(None, latest)])
        return exp.Subquery(this=inner, alias=_alias(ROWS))

    def _join_levels(self, select: exp.Select) -> exp.Select:
        """Join each level to the instants it holds at: those after it was read, up to the reading of the next one."""
        clock, level = self.clock, self.node.read.level
        assert clock is not None and level is not None  # noqa: S101, PT018 - a level has a time
        time = clock.column.expression.tree
        instant, since = self._map_column("instant"), self._map_column("since")
        until = exp.column(UNTIL, table=ROWS, quoted=True)
        still = exp.Or(
            this=exp.Is(this=until, expression=exp.Null()),
            expression=exp.GTE(this=until.copy(), expression=instant.copy()),
        )
        on = exp.and_(exp.LT(this=time.copy(), expression=instant), exp.Paren(this=still))
        rows: list[tuple[list[exp.Expr], Cell]] = []
        for cell in (each for each in self.node.cells if not each.span.is_empty):
            end = clock.literal(cell.span.end) if cell.span.end else exp.Null()
            oldest = clock.literal(shift(cell.span.end, level.keep)) if level.keep and cell.span.end else None
            rows.append(([end] if oldest is None else [end, oldest], cell))
        if level.keep:
            on = exp.and_(on, exp.GTE(this=time.copy(), expression=since))
        return self._join_map(select, ["instant", "since"] if level.keep else ["instant"], rows, on)


def values_table(tuples: list[exp.Tuple], alias: str, columns: list[str]) -> exp.Expr:
    """Give literal rows as a table."""
    names = [exp.to_identifier(name, quoted=True) for name in columns]
    return exp.Values(
        expressions=tuples, alias=exp.TableAlias(this=exp.to_identifier(alias, quoted=True), columns=names)
    )


def _alias(name: str) -> exp.TableAlias:
    return exp.TableAlias(this=exp.to_identifier(name, quoted=True))


def _where(select: exp.Select, tests: list[exp.Expr]) -> exp.Select:
    return select.where(*(_bracketed(test) for test in tests), copy=False) if tests else select


def _bracketed(tree: exp.Expr) -> exp.Expr:
    return exp.Paren(this=tree) if isinstance(tree, exp.Or) else tree


def _joined(select: exp.Select, read: Read, expressions: Iterable[Expr], rendering: Rendering) -> exp.Select:
    """Join the datasets that the expressions reach."""
    for hops in reached(expressions):
        select = _join(select, read, hops, rendering)
    return select


def expressions(node: Summarise) -> list[Expr]:
    """Give all that a summary computes over its rows."""
    time = node.read.time
    filters = [f for a in node.aggregates for f in sorted(a.filter, key=lambda e: e.text)]
    arguments = [a.argument for a in node.aggregates if a.argument is not None]
    level = node.read.level.of if node.read.level else ()
    return [*node.split.values(), *filters, *arguments, *level, *([time.expression] if time else [])]


def reached(expressions: Iterable[Expr]) -> list[tuple[str, ...]]:
    """Give the chains of joins that expressions go over, nearest first."""
    paths: set[tuple[str, ...]] = set()
    for each in expressions:
        for table in each.tables:
            if table.startswith(ROWS + "."):
                hops = tuple(table.split(".")[1:])
                paths |= {hops[: n + 1] for n in range(len(hops))}
    return sorted(paths, key=lambda path: (len(path), path))


def _join(select: exp.Select, read: Read, hops: tuple[str, ...], rendering: Rendering) -> exp.Select:
    names = rendering.names
    here = names.owner(read.dataset, hops[:-1])
    model = names.datasets[here].joins[hops[-1]]
    tests: list[exp.Expr] = [
        exp.EQ(this=names.column(here, left, hops[:-1]), expression=names.column(model.to, right, hops))
        for left, right in model.keys.items()
    ]
    if model.valid is not None and read.time is not None:
        moment, start, end = _same_clock(read.time, model, hops, rendering)
        tests.append(exp.LTE(this=start, expression=moment.copy()))
        still = exp.Or(
            this=exp.Is(this=end, expression=exp.Null()), expression=exp.LT(this=moment.copy(), expression=end.copy())
        )
        tests.append(exp.Paren(this=still))
    rows = rendering.relations.rows(model.to, ".".join((ROWS, *hops)))
    return select.join(rows, on=exp.and_(*tests), join_type="left", copy=False)


def _same_clock(time: TimeColumn, join: Join, hops: tuple[str, ...], rendering: Rendering) -> list[exp.Expr]:
    """Give the input's time, and since when and until when a joined row holds, so that they can be compared.

    Where they are of different kinds all become local time; the engine's own comparison of dates with instants is not relied on.
    """
    assert join.valid is not None  # noqa: S101 - the caller looked
    kinds = [(time.kind, time.zone), *(rendering.names.clock(join.to, column) for column in join.valid)]
    trees = [time.expression.tree, *(rendering.names.column(join.to, column, hops) for column in join.valid)]
    if len(set(kinds)) == 1:
        return [tree.copy() for tree in trees]
    return [_local(tree, kind, zone, rendering.zone) for tree, (kind, zone) in zip(trees, kinds, strict=True)]


def _local(tree: exp.Expr, kind: str | None, zone: str, home: ZoneInfo) -> exp.Expr:
    if kind == "local" and zone:
        tree = exp.AtTimeZone(this=exp.paren(tree.copy()), zone=exp.Literal.string(zone))
    elif kind != "instant":
        return tree.copy()
    return exp.AtTimeZone(this=exp.paren(tree.copy()), zone=exp.Literal.string(home.key))


def _shared_filters(aggregates: tuple[Aggregate, ...]) -> tuple[list[exp.Expr], dict[Aggregate, frozenset[Expr]]]:
    """Split the aggregates' conditions into those that all share and each one's own."""
    common = frozenset.intersection(*(aggregate.filter for aggregate in aggregates)) if aggregates else frozenset()
    shared = [each.tree for each in sorted(common, key=lambda e: e.text)]
    return shared, {aggregate: aggregate.filter - common for aggregate in aggregates}


def _all_of(conditions: Iterable[Expr]) -> exp.Expr | None:
    trees = [_bracketed(each.tree) for each in sorted(conditions, key=lambda e: e.text)]
    return exp.and_(*trees, copy=False) if trees else None


def _wanted(own: Iterable[frozenset[Expr]]) -> frozenset[frozenset[Expr]]:
    """Give the different conditions of some aggregates; one without a condition wants every row."""
    conditions = frozenset(own)
    return frozenset({frozenset()}) if frozenset() in conditions else conditions


def _any_of(own: Iterable[frozenset[Expr]], *, always: bool = False) -> list[exp.Expr]:
    """Leave out rows that no aggregate wants, and with them the members that have no others."""
    distinct = sorted({tuple(sorted(each, key=lambda e: e.text)) for each in own}, key=lambda es: [e.text for e in es])
    if not distinct or not all(distinct) or (len(distinct) == 1 and not always):
        return []
    return [exp.or_(*(exp.Paren(this=_all_of(each)) for each in distinct), copy=False)]
