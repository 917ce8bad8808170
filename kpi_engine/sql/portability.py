"""What of a KPI the engine of its data does not have, or has in another way: known before anything runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from kpi_engine.planning.nodes import Aggregate
from kpi_engine.sql.aggregates import aggregation
from kpi_engine.sql.conditions import all_of
from kpi_engine.sql.lowering import lowered
from kpi_engine.sql.relations import Remote

if TYPE_CHECKING:
    from kpi_engine.catalogue.names import Names
    from kpi_engine.catalogue.resolved import Expr, ResolvedAggregate
    from kpi_engine.sql.relations import Relations


class Refusal(NamedTuple):
    """What a source does not compute, by its name, and the source with the dialect it speaks."""

    name: str
    source: str
    dialect: str


def refusal(
    aggregate: ResolvedAggregate, where: Expr | None, dataset: str, names: Names, relations: Relations
) -> Refusal | None:
    """Find what keeps an aggregate over the rows of one input from being computed where they live; None where nothing does."""
    origin = relations.origins.get(("", dataset))
    if not isinstance(origin, Remote):
        return None
    from kpi_engine.sql.dialects import dialect_of
    from kpi_engine.sql.dialects.dialect import Unportable
    from kpi_engine.sql.leaves import ColumnTypes
    from kpi_engine.sql.portable import portable

    dialect = dialect_of(origin.dialect)
    if dialect is None:
        return None
    conditions = frozenset([*aggregate.filter, *([where] if where is not None else [])])
    made = Aggregate(aggregate.function, aggregate.argument, conditions, aggregate.fraction)
    try:
        portable(lowered(aggregation(made, all_of(conditions))), dialect, ColumnTypes(names, (dataset,)), origin.lacks)
    except Unportable as found:
        return Refusal(found.name, origin.source, origin.dialect)
    return None
