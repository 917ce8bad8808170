"""Over what a KPI's values may be added up: why not, and what must hold in the data where a definition declares more."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlglot import exp

from kpi_engine.catalogue.resolved import INPUT, Expr
from kpi_engine.catalogue.typing import additivity_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from kpi_engine.catalogue.names import Names
    from kpi_engine.catalogue.resolved import Additivity, ResolvedAggregate, ResolvedKpi, TimeColumn

_REASONS = {
    "count_distinct": "things that occur in several groups are counted in each",
    "avg": "it is an average", "min": "it is a smallest value", "max": "it is a largest value", "median": "it is a median",
    "quantile_cont": "it is a percentile", "quantile_disc": "it is a percentile", "approx_quantile": "it is a percentile",
    "stddev": "it is a deviation", "first": "it is a first value", "last": "it is a last value",
}  # fmt: skip


@dataclass(frozen=True)
class Belonging:
    """What a declared additivity claims: each `entity` among the rows of a dataset has one member of a dimension."""

    kpi: str
    dimension: str
    dataset: str
    time: TimeColumn | None
    entity: Expr
    member: Expr
    filter: frozenset[Expr]

    @property
    def expressions(self) -> tuple[Expr, ...]:
        """Give all that it computes over the rows."""
        return (self.entity, self.member, *sorted(self.filter, key=lambda each: each.text))

    @property
    def text(self) -> str:
        """Tell it from other claims, also in another process."""
        time = self.time.expression.text if self.time else ""
        return "\n".join([self.kpi, self.dimension, self.dataset, time, *(each.text for each in self.expressions)])


def adds_counts(kpi: ResolvedKpi, resolve: Callable[[str], ResolvedKpi]) -> bool:
    """Whether a KPI only adds: sums, counts, and counts of different things, which add up where each thing has one member."""

    def leaf(column: exp.Column) -> Additivity:
        if column.table == INPUT:
            source = kpi.inputs[column.name]
            below = resolve(source.target)
            plain = not (source.across or source.across_all or source.per)
            return (
                "additive"
                if plain and (below.additivity != "non_additive" or adds_counts(below, resolve))
                else "non_additive"
            )
        aggregate = kpi.aggregates[int(column.name)]
        source = kpi.inputs[aggregate.input]
        plain = not (source.across or source.across_all or source.per)
        return "additive" if plain and aggregate.function in {"sum", "count", "count_distinct"} else "non_additive"

    return additivity_of(kpi.outer.tree, leaf) != "non_additive"


def belongings(
    kpi: ResolvedKpi, dimension: str, names: Names, resolve: Callable[[str], ResolvedKpi]
) -> Iterator[Belonging]:
    """Give what must hold in the data for a KPI to add up over a dimension, also of the KPIs below it."""
    waiting = [kpi]
    seen: set[str] = set()
    while waiting:
        below = waiting.pop()
        if below.id in seen:
            continue
        seen.add(below.id)
        waiting += [resolve(each.target) for each in below.inputs.values() if each.kind == "kpi"]
        for aggregate in below.aggregates:
            if aggregate.function == "count_distinct" and aggregate.argument is not None:
                yield _belonging(kpi.id, dimension, below, aggregate, aggregate.argument, names)


def _belonging(
    kpi_id: str, dimension: str, kpi: ResolvedKpi, aggregate: ResolvedAggregate, entity: Expr, names: Names
) -> Belonging:
    source = kpi.inputs[aggregate.input]
    conditions = [*aggregate.filter, *(source.where.conjuncts if source.where is not None else ())]
    fixed = frozenset(each for each in conditions if exp.Placeholder not in each.kinds)
    base = source.conversion.base if source.conversion else source
    return Belonging(
        kpi_id, dimension, base.target, names.time(base.target, base.time), entity,
        Expr(names.path(base.target, (dimension,), ())), fixed,
    )  # fmt: skip


def why_not(kpi: ResolvedKpi, resolve: Callable[[str], ResolvedKpi]) -> str:
    """Say why values may not be added up over everything; nothing where they may."""
    if kpi.additivity == "additive":
        return ""
    if kpi.additivity == "semi_additive":
        levels = any(each.take != "rows" for each in kpi.inputs.values())
        return "a level is not added over time" if levels else "its periods reach beyond their own time"
    return next(_reasons(kpi, resolve), "its formula does more than add")


def _reasons(kpi: ResolvedKpi, resolve: Callable[[str], ResolvedKpi]) -> Iterator[str]:
    for source in kpi.inputs.values():
        if source.across or source.across_all:
            yield "an input ignores a dimension, and is the same in each of its members"
        if source.per:
            yield f"it is made of one value for each {' and '.join(source.per)}"
    if any(isinstance(node, exp.Div) for node in kpi.outer.nodes):
        yield "it is a ratio"
    yield from (_REASONS[each.function] for each in kpi.aggregates if each.function in _REASONS)
    below = [resolve(each.target) for each in kpi.inputs.values() if each.kind == "kpi"]
    yield from filter(None, (why_not(each, resolve) for each in below))
