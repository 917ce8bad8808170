"""Rows joined to the one side of their many-to-one joins."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from kpi_engine.catalogue.resolved import ROWS

if TYPE_CHECKING:
    from collections.abc import Iterable
    from zoneinfo import ZoneInfo

    from kpi_engine.catalogue import Expr, TimeColumn
    from kpi_engine.definitions.models import Join
    from kpi_engine.planning.nodes import Read
    from kpi_engine.sql.rendering import Rendering


def joined(select: exp.Select, read: Read, expressions: Iterable[Expr], rendering: Rendering) -> exp.Select:
    """Join the datasets that the expressions reach."""
    for hops in reached(expressions):
        select = _join(select, read, hops, rendering)
    return select


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
