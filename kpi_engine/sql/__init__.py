"""Plan in, SQL out: the only place where SQL is built, always as a tree."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kpi_engine.formula.trees import sql
from kpi_engine.sql import derive as _derive
from kpi_engine.sql import keys as _keys
from kpi_engine.sql import summarise as _summarise
from kpi_engine.sql.lowering import lowered, lowered_bounds
from kpi_engine.sql.relations import Named, Origin, Relations, relation, select_of

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from kpi_engine.catalogue.names import Names
    from kpi_engine.planning.nodes import Bounds, Derive

__all__ = [
    "Dated",
    "Named",
    "Origin",
    "Relations",
    "Renderer",
    "Tables",
    "datasets_of_bounds",
    "relation",
    "select_of",
    "tables_of",
]


@dataclass(frozen=True)
class Dated:
    """A dataset of which at most one row with these keys may be valid at a time."""

    dataset: str
    keys: tuple[str, ...]
    valid: tuple[str, str]


@dataclass(frozen=True)
class Tables:
    """The datasets that a plan reads, those it joins to one row of, and those it joins to the row valid at a time."""

    read: tuple[str, ...]
    joined: tuple[str, ...]
    dated: tuple[Dated, ...] = ()


def tables_of(plan: Derive, names: Names) -> Tables:
    """Name the datasets of a plan, the plans below included."""
    read: dict[str, None] = {}
    joined: dict[str, None] = {}
    dated: dict[Dated, None] = {}
    for summary in plan.align.summaries:
        if summary.read.below is not None:
            below = tables_of(summary.read.below, names)
            read |= dict.fromkeys(below.read)
            joined |= dict.fromkeys(below.joined)
            dated |= dict.fromkeys(below.dated)
            continue
        read[summary.read.dataset] = None
        for hops in _summarise.reached(_summarise.expressions(summary)):
            here = names.owner(summary.read.dataset, hops[:-1])
            join = names.datasets[here].joins[hops[-1]]
            (read if join.valid else joined)[join.to] = None
            if join.valid:
                dated[Dated(join.to, tuple(join.keys.values()), join.valid)] = None
    return Tables(tuple(read), tuple(joined), tuple(dated))


def datasets_of_bounds(plan: Bounds, names: Names) -> tuple[str, ...]:
    """Name the datasets that the first and last time of some rows are read from."""
    time = [plan.read.time.expression] if plan.read.time else []
    reached = _summarise.reached([*time, *plan.filter])
    return tuple(dict.fromkeys([plan.read.dataset, *(names.owner(plan.read.dataset, hops) for hops in reached)]))


class Renderer:
    """Renders plans over known tables, in a project of one zone."""

    def __init__(self, names: Names, relations: Relations, zone: ZoneInfo) -> None:
        self._rendering = _summarise.Rendering(names, relations, zone, self._below)

    def request(self, plan: Derive, *, pretty: bool = False) -> str:
        """Give the statement that answers a request."""
        return sql(_derive.derive(lowered(plan), self._rendering), pretty=pretty)

    def bounds(self, plan: Bounds) -> str:
        """Give the statement that finds the first and last time of some rows."""
        return sql(_summarise.bounds(lowered_bounds(plan), self._rendering))

    def duplicates(self, dataset: str) -> str:
        """Give the statement that finds a few values of a dataset's key that stand there more than once."""
        return sql(_keys.duplicates(dataset, self._rendering))

    def size(self, dataset: str) -> str:
        """Give the statement that counts the rows of a dataset."""
        return sql(_keys.size(dataset, self._rendering))

    def overlaps(self, dated: Dated) -> str:
        """Give the statement that finds a few keys of which two rows are valid at one time."""
        return sql(_keys.overlaps(dated.dataset, dated.keys, dated.valid, self._rendering))

    def _below(self, plan: Derive):  # type: ignore[no-untyped-def]  # noqa: ANN202 - a select
        return _derive.below(plan, self._rendering)
