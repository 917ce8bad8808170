"""Rows joined to the one side of their many-to-one joins."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from kpi_engine.catalogue.resolved import ROWS, Expr

if TYPE_CHECKING:
    from collections.abc import Iterable
    from zoneinfo import ZoneInfo

    from kpi_engine.catalogue import TimeColumn
    from kpi_engine.catalogue.names import Names
    from kpi_engine.definitions.models import Join
    from kpi_engine.planning.nodes import Read
    from kpi_engine.sql.rendering import Rendering


def joined(select: exp.Select, read: Read, expressions: Iterable[Expr], rendering: Rendering) -> exp.Select:
    """Join the datasets that the expressions reach."""
    for hops in reached(read.dataset, expressions, rendering.names):
        select = _join(select, read, hops, rendering)
    return select


def reached(dataset: str, expressions: Iterable[Expr], names: Names) -> list[tuple[str, ...]]:
    """Give the chains of joins that expressions over a dataset go over, nearest first, and each after those that its keys go over."""
    paths = {path for each in expressions for path in _paths(each)}
    found: dict[tuple[str, ...], None] = {}
    for path in sorted(paths, key=_nearest):
        _reach(dataset, path, names, found)
    return list(found)


def _reach(dataset: str, path: tuple[str, ...], names: Names, found: dict[tuple[str, ...], None]) -> None:
    here = names.owner(dataset, path[:-1])
    for key in names.datasets[here].joins[path[-1]].keys:
        if names.is_path(here, key):
            needed = _paths(Expr(names.key(here, key, path[:-1])))
            for each in sorted(needed - found.keys(), key=_nearest):
                _reach(dataset, each, names, found)
    found[path] = None


def _paths(expression: Expr) -> set[tuple[str, ...]]:
    """Give the joins that an expression goes over, with those on the way to each."""
    chains = [tuple(table.split(".")[1:]) for table in expression.tables if table.startswith(ROWS + ".")]
    return {hops[: n + 1] for hops in chains for n in range(len(hops))}


def _nearest(path: tuple[str, ...]) -> tuple[int, tuple[str, ...]]:
    return len(path), path


def _join(select: exp.Select, read: Read, hops: tuple[str, ...], rendering: Rendering) -> exp.Select:
    names = rendering.names
    here = names.owner(read.dataset, hops[:-1])
    model = names.datasets[here].joins[hops[-1]]
    tests: list[exp.Expr] = [
        exp.EQ(this=names.key(here, left, hops[:-1]), expression=names.column(model.to, right, hops))
        for left, right in model.keys.items()
    ]
    if model.valid is not None and read.time is not None:
        moment, start, end = _same_clock(read.time, model, hops, rendering)
        tests.append(exp.LTE(this=start, expression=moment))
        still = exp.Or(this=exp.Is(this=end, expression=exp.Null()), expression=exp.LT(this=moment, expression=end))
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
        return trees
    return [local(tree, kind, zone, rendering.zone) for tree, (kind, zone) in zip(trees, kinds, strict=True)]


def local(tree: exp.Expr, kind: str | None, zone: str, home: ZoneInfo) -> exp.Expr:
    """Write a time on the clock of the project."""
    if kind == "local" and zone:
        tree = exp.AtTimeZone(this=exp.paren(tree), zone=exp.Literal.string(zone))
    elif kind != "instant":
        return tree
    return exp.AtTimeZone(this=exp.paren(tree), zone=exp.Literal.string(home.key))
