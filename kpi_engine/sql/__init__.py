"""Plan in, SQL out: the only place where SQL is built, always as a tree."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kpi_engine.api import FileRelation
from kpi_engine.formula.trees import sql
from kpi_engine.planning.nodes import plans_below
from kpi_engine.sql import claims as _claims
from kpi_engine.sql import derive as _derive
from kpi_engine.sql import keys as _keys
from kpi_engine.sql import reading as _reading
from kpi_engine.sql import units as _units
from kpi_engine.sql.conversions import later_expressions
from kpi_engine.sql.joins import reached
from kpi_engine.sql.keys import KEYS, ROWS_OF_KEY
from kpi_engine.sql.lowering import lowered_bounds, lowered_plan
from kpi_engine.sql.relations import Named, Origin, Relations, relation, select_of
from kpi_engine.sql.rendering import Rendering

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from kpi_engine.catalogue import Expr
    from kpi_engine.catalogue.claims import Claims, JoinClaim, Rule, TypeClaim
    from kpi_engine.catalogue.names import Names
    from kpi_engine.catalogue.units import UnitColumns
    from kpi_engine.planning.nodes import Bounds, Derive

__all__ = [
    "KEYS",
    "ROWS_OF_KEY",
    "Dated",
    "Named",
    "Origin",
    "Relations",
    "Renderer",
    "Tables",
    "datasets_of",
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
        for below in (tables_of(each, names) for each in plans_below(summary.read)):
            read |= dict.fromkeys(below.read)
            joined |= dict.fromkeys(below.joined)
            dated |= dict.fromkeys(below.dated)
        if summary.read.below is not None:
            continue
        rates = (*summary.rates, *(summary.read.converted.rates if summary.read.converted else ()))
        joined |= dict.fromkeys(each.dataset for each in rates)
        paths = [(summary.read.dataset, _reading.expressions(summary))]
        if (given := summary.read.converted) is not None:
            paths[0][1].extend([*given.base, *(key for _, key in given.keys)])
            paths.append((given.dataset, list(later_expressions(given))))
        if (first := summary.read.cohort) is not None:
            paths[0][1].extend([*first.keys, *first.filter])
        for dataset, expressions in paths:
            read[dataset] = None
            for hops in reached(expressions):
                join = names.datasets[names.owner(dataset, hops[:-1])].joins[hops[-1]]
                (read if join.valid else joined)[join.to] = None
                if join.valid:
                    dated[Dated(join.to, tuple(join.keys.values()), join.valid)] = None
    return Tables(tuple(read), tuple(joined), tuple(dated))


def datasets_of_bounds(plan: Bounds, names: Names) -> tuple[str, ...]:
    """Name the datasets that the first and last time of some rows are read from."""
    time = [plan.read.time.expression] if plan.read.time else []
    return datasets_of(plan.read.dataset, [*time, *plan.filter], names)


def datasets_of(dataset: str, expressions: Iterable[Expr], names: Names) -> tuple[str, ...]:
    """Name a dataset, and those that expressions over its rows reach over joins."""
    return tuple(dict.fromkeys([dataset, *(names.owner(dataset, hops) for hops in reached(expressions))]))


class Renderer:
    """Renders plans over known tables, in a project of one zone."""

    def __init__(self, names: Names, relations: Relations, zone: ZoneInfo) -> None:
        self._rendering = Rendering(names, relations, zone, self._below)

    def request(self, plan: Derive, *, pretty: bool = False) -> str:
        """Give the statement that answers a request."""
        return sql(_derive.derive(lowered_plan(plan), self._rendering), pretty=pretty)

    def bounds(self, plan: Bounds) -> str:
        """Give the statement that finds the first and last time of some rows."""
        return sql(_reading.bounds(lowered_bounds(plan), self._rendering))

    def periods(self, unit: UnitColumns) -> str:
        """Give the statement that reads the periods of a project's own unit of time."""
        return sql(_units.periods(unit, self._rendering))

    def duplicates(self, dataset: str) -> str:
        """Give the statement that finds a few values of a dataset's key that stand there more than once."""
        return sql(_keys.duplicates(dataset, self._rendering))

    def size(self, dataset: str) -> str:
        """Give the statement that counts the rows of a dataset."""
        return sql(_keys.size(dataset, self._rendering))

    def overlaps(self, dated: Dated) -> str:
        """Give the statement that finds a few keys of which two rows are valid at one time."""
        return sql(_keys.overlaps(dated.dataset, dated.keys, dated.valid, self._rendering))

    def survey(self, claims: Claims, latest: datetime) -> str:
        """Give the one scan that counts what contradicts the claims of a dataset; no row is expected after `latest`."""
        return sql(_claims.survey(claims, self._rendering, latest))

    def times(self, claims: Claims, latest: datetime) -> str:
        """Give the statement that counts the same for times that stand behind a join."""
        return sql(_claims.times(claims, self._rendering, latest))

    def misfits(self, dataset: str, claim: TypeClaim) -> str:
        """Give the statement that finds a few values that are not of their declared type."""
        return sql(_claims.misfits(dataset, claim, self._rendering))

    def dangling(self, dataset: str, claim: JoinClaim) -> str:
        """Give the statement that finds a few keys of a join that lead nowhere."""
        return sql(_claims.dangling(dataset, claim, self._rendering))

    def unnamed(self, dataset: str, rule: Rule) -> str:
        """Give the statement that finds a few values that no rule of a dimension names."""
        return sql(_claims.unnamed(dataset, rule, self._rendering))

    def tolerant(self) -> Renderer:
        """Render over the same tables, without the rows of CSV files that cannot be read."""
        made = self._rendering
        return Renderer(made.names, _claims.tolerant(made.relations), made.zone)

    def rejected(self, dataset: str) -> str:
        """Give the statement that lists what could not be read in a dataset's CSV files, to be run after one over them; none of others."""
        origin = self._rendering.relations.origins.get(("", dataset))
        paths = origin.paths if isinstance(origin, FileRelation) and origin.format == "csv" else ()
        return sql(_claims.rejected(paths)) if paths else ""

    def _below(self, plan: Derive):  # type: ignore[no-untyped-def]  # noqa: ANN202 - a select
        return _derive.below(plan, self._rendering)
