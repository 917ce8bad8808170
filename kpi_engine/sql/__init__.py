"""Plan in, SQL out: the only place where SQL is built, always as a tree."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kpi_engine.api import FileRelation
from kpi_engine.formula.trees import sql
from kpi_engine.sql import claims as _claims
from kpi_engine.sql import derive as _derive
from kpi_engine.sql import keys as _keys
from kpi_engine.sql import reading as _reading
from kpi_engine.sql import units as _units
from kpi_engine.sql.joins import reached
from kpi_engine.sql.keys import KEYS, ROWS_OF_KEY
from kpi_engine.sql.lowering import lowered_bounds, lowered_plan
from kpi_engine.sql.queries import Query, Transfer, Use, kept_answer, query_of
from kpi_engine.sql.relations import Named, Origin, Relations, Remote, relation, select_of
from kpi_engine.sql.rendering import rendering_of, statement
from kpi_engine.sql.tables import Dated, Tables, tables_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from sqlglot import exp

    from kpi_engine.catalogue import Belonging, Expr
    from kpi_engine.catalogue.claims import Claims, JoinClaim, Rule, TypeClaim
    from kpi_engine.catalogue.names import Names
    from kpi_engine.catalogue.units import UnitColumns
    from kpi_engine.planning.nodes import Bounds, Derive
    from kpi_engine.sql.leaves import Cutter, TypesOf
    from kpi_engine.sql.rendering import Rendering

__all__ = [
    "KEYS",
    "ROWS_OF_KEY",
    "Dated",
    "Named",
    "Origin",
    "Query",
    "Relations",
    "Remote",
    "Renderer",
    "Tables",
    "Transfer",
    "Use",
    "datasets_of",
    "datasets_of_bounds",
    "kept_answer",
    "relation",
    "select_of",
    "tables_of",
]


def datasets_of_bounds(plan: Bounds, names: Names) -> tuple[str, ...]:
    """Name the datasets that the first and last time of some rows are read from."""
    time = [plan.read.time.expression] if plan.read.time else []
    members = [each.expression for each in plan.read.among]
    below = [tables_of(each.below, names) for each in plan.read.among]
    own = datasets_of(plan.read.dataset, [*time, *plan.filter, *members], names)
    return tuple(dict.fromkeys([*own, *(name for each in below for name in (*each.read, *each.joined))]))


def datasets_of(dataset: str, expressions: Iterable[Expr], names: Names) -> tuple[str, ...]:
    """Name a dataset, and those that expressions over its rows reach over joins."""
    return tuple(
        dict.fromkeys([dataset, *(names.owner(dataset, hops) for hops in reached(dataset, expressions, names))])
    )


class Renderer:
    """Renders plans over known tables, in a project of one zone; `types_of` gives the types of a statement's columns."""

    def __init__(self, names: Names, relations: Relations, zone: ZoneInfo, types_of: TypesOf) -> None:
        self._names, self._relations, self._zone = names, relations, zone
        self._types_of = types_of
        self._is_here = not any(isinstance(each, Remote) for each in relations.origins.values())

    def request(self, plan: Derive, *, pretty: bool = False) -> Query:
        """Give the statement that answers a request."""
        made = lowered_plan(plan)
        if self._is_here:
            return self._here(lambda rendering: _derive.derive(made, rendering), pretty=pretty)
        cutter = self._cutter()
        rest = cutter.beside(cutter.cut(made))
        return cutter.here(lambda rendering: _derive.derive(rest, rendering), pretty=pretty)

    def bounds(self, plan: Bounds) -> Query:
        """Give the statement that finds the first and last time of some rows."""
        made = lowered_bounds(plan)
        datasets = datasets_of_bounds(plan, self._names)
        return self._query(lambda rendering: _reading.bounds(made, rendering), *datasets)

    def periods(self, unit: UnitColumns) -> Query:
        """Give the statement that reads the periods of a project's own unit of time."""
        return self._query(lambda rendering: _units.periods(unit, rendering), unit.dataset)

    def duplicates(self, dataset: str) -> Query:
        """Give the statement that finds a few values of a dataset's key that stand there more than once."""
        return self._query(lambda rendering: _keys.duplicates(dataset, rendering), dataset)

    def size(self, dataset: str) -> Query:
        """Give the statement that counts the rows of a dataset."""
        return self._query(lambda rendering: _keys.size(dataset, rendering), dataset)

    def rows(self, dataset: str, columns: Sequence[str]) -> Query:
        """Give the statement that reads columns of a dataset."""
        return self._query(lambda rendering: rendering.relations.read(dataset, columns), dataset)

    def overlaps(self, dated: Dated) -> Query:
        """Give the statement that finds a few keys of which two rows are valid at one time."""
        return self._query(
            lambda rendering: _keys.overlaps(dated.dataset, dated.keys, dated.valid, rendering), dated.dataset
        )

    def strays(self, claim: Belonging) -> Query:
        """Give the statement that finds a few entities of several members of a dimension."""
        datasets = datasets_of(claim.dataset, claim.expressions, self._names)
        return self._query(lambda rendering: _keys.strays(claim, rendering), *datasets)

    def survey(self, claims: Claims, latest: datetime) -> Query:
        """Give the one scan that counts what contradicts the claims of a dataset; no row is expected after `latest`."""
        joined = (join.to for join in claims.joins if join.is_own)
        return self._query(lambda rendering: _claims.survey(claims, rendering, latest), claims.dataset, *joined)

    def times(self, claims: Claims, latest: datetime) -> Query:
        """Give the statement that counts the same for times and keys of joins that stand behind a join."""
        datasets = datasets_of(claims.dataset, claims.far, self._names)
        return self._query(lambda rendering: _claims.times(claims, rendering, latest), *datasets)

    def misfits(self, dataset: str, claim: TypeClaim) -> Query:
        """Give the statement that finds a few values that are not of their declared type."""
        return self._query(lambda rendering: _claims.misfits(dataset, claim, rendering), dataset)

    def dangling(self, dataset: str, claim: JoinClaim) -> Query:
        """Give the statement that finds a few keys of a join that lead nowhere."""
        datasets = datasets_of(dataset, claim.here, self._names)
        return self._query(lambda rendering: _claims.dangling(dataset, claim, rendering), *datasets, claim.to)

    def unnamed(self, dataset: str, rule: Rule) -> Query:
        """Give the statement that finds a few values that no rule of a dimension names."""
        datasets = datasets_of(dataset, [rule.named, *rule.of], self._names)
        return self._query(lambda rendering: _claims.unnamed(dataset, rule, rendering), *datasets)

    def tolerant(self) -> Renderer:
        """Render over the same tables, without the rows of CSV files that cannot be read."""
        return Renderer(self._names, _claims.tolerant(self._relations), self._zone, self._types_of)

    def rejected(self, dataset: str) -> str:
        """Give the statement that lists what could not be read in a dataset's CSV files, to be run after one over them; none of others."""
        origin = self._relations.origins.get(("", dataset))
        paths = origin.paths if isinstance(origin, FileRelation) and origin.format == "csv" else ()
        return sql(_claims.rejected(paths)) if paths else ""

    def _query(self, rendered: Callable[[Rendering], exp.Select], *datasets: str) -> Query:
        if self._is_here:
            return self._here(rendered)
        return self._cutter().whole(rendered, datasets, datasets[:1])

    def _here(self, rendered: Callable[[Rendering], exp.Select], *, pretty: bool = False) -> Query:
        tree = statement(rendered, rendering_of(self._names, self._relations, self._zone))
        return query_of(tree, self._relations.streams, pretty=pretty)

    def _cutter(self) -> Cutter:
        from kpi_engine.sql.leaves import Cutter

        return Cutter(self._names, self._relations, self._zone, self._types_of)
