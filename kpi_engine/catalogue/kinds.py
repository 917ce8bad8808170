"""What kind of number a KPI is: its unit and additivity, from its formula, its inputs and what it says of itself."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from sqlglot import exp

from kpi_engine.calendar import Duration
from kpi_engine.catalogue.datasets import unit_faults
from kpi_engine.catalogue.faults import Fault, faults_of
from kpi_engine.catalogue.resolved import INPUT, VALUE
from kpi_engine.catalogue.typing import additivity_of, unit_of
from kpi_engine.formula.mistakes import Mistake
from kpi_engine.formula.units import AMOUNT, PURE, Unit, count_of, names
from kpi_engine.formula.units import parse as parse_unit

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from kpi_engine.catalogue.resolved import Additivity, ResolvedAggregate, ResolvedInput
    from kpi_engine.catalogue.surroundings import Surroundings
    from kpi_engine.definitions.models import Kpi

_COUNTS = frozenset({"count", "count_distinct"})


@dataclass(frozen=True)
class Kinds:
    """Infers the kind of one KPI from its resolved parts."""

    outer: exp.Expr
    aggregates: tuple[ResolvedAggregate, ...]
    inputs: Mapping[str, ResolvedInput]
    around: Surroundings

    def unit(self, kpi: Kpi, faults: list[Fault]) -> Unit | None:
        """Give the unit: the declared one, else the inferred one; None where it cannot be said."""
        mistakes: list[Mistake] = []
        inferred = unit_of(self.outer, lambda column: self._unit(column, mistakes), mistakes)
        faults += faults_of(("formula",), dict.fromkeys(mistakes))
        wrong = [*unit_faults(kpi.unit, ("unit",))]
        faults += wrong
        if not kpi.unit or wrong:
            return inferred
        declared = parse_unit(kpi.unit)
        if not mistakes:
            faults += _mismatch(kpi, declared, inferred)
        return declared

    def additivity(self) -> Additivity:
        """Say over what the values may be added up."""
        return additivity_of(self.outer, self._additivity, self._is_flow)

    def _unit(self, column: exp.Column, mistakes: list[Mistake]) -> Unit | None:
        if column.table == INPUT:
            return self.around.resolved(self.inputs[column.name].target).unit
        aggregate = self.aggregates[int(column.name)]
        source = self.inputs[aggregate.input]
        if aggregate.function in _COUNTS or aggregate.argument is None:
            return count_of(_counted(aggregate, source))
        return unit_of(aggregate.argument.tree, lambda each: self._unit_of_column(each, source), mistakes)

    def _unit_of_column(self, column: exp.Column, source: ResolvedInput) -> Unit | None:
        if source.per:
            return self.around.resolved(source.target).unit if source.kind == "kpi" and column.name == VALUE else None
        around = self.around.names
        owner = around.owner(source.target, column.table.split(".")[1:])
        declared = around.declared(owner, column.name)
        if declared and declared.currency:
            return AMOUNT
        try:
            return parse_unit(declared.unit) if declared and declared.unit else None
        except ValueError:
            return None

    def _additivity(self, column: exp.Column) -> Additivity:
        if column.table == INPUT:
            source = self.inputs[column.name]
            return _modified(self.around.resolved(source.target).additivity, source)
        aggregate = self.aggregates[int(column.name)]
        source = self.inputs[aggregate.input]
        return _modified(_of_aggregate(aggregate, source), source)

    def _is_flow(self, left: exp.Column, right: exp.Column) -> bool:
        """Closing minus opening of the same levels is what came and went, which adds up over time."""
        if INPUT in {left.table, right.table}:
            return False
        pair = [self.aggregates[int(column.name)] for column in (left, right)]
        sources = [self.inputs[aggregate.input] for aggregate in pair]
        alike = [replace(aggregate, input="") for aggregate in pair]
        same_rows = [replace(source, alias="", take="rows") for source in sources]
        over_time = any(source.covers or source.across or source.across_all or source.per for source in sources)
        takes = {source.take for source in sources}
        return (
            takes == {"closing", "opening"}
            and alike[0] == alike[1]
            and alike[0].function in {"sum", "count"}
            and same_rows[0] == same_rows[1]
            and sources[0].offset is None
            and not over_time
        )


def _mismatch(kpi: Kpi, declared: Unit, inferred: Unit | None) -> Iterator[Fault]:
    """A name may be given to a pure number, and a percentage may be shown of any ratio; all else must be what the formula gives."""
    if (
        inferred is None
        or inferred == PURE
        or names(declared, inferred)
        or (kpi.format == "percent" and declared == PURE)
    ):
        return
    hint = (
        "for a percentage write `format: percent` and no `unit`" if declared == PURE else "correct the one or the other"
    )
    message = f"`unit` says `{kpi.unit}`, and the formula gives `{inferred}`"
    yield Fault(("unit",), Mistake("unit_mismatch", message, 0, len(kpi.unit), hint))


def _counted(aggregate: ResolvedAggregate, source: ResolvedInput) -> str:
    """Say what is counted, in the singular: rows by their dataset, values by their column."""
    tree = (
        aggregate.argument.tree if aggregate.argument is not None and aggregate.function == "count_distinct" else None
    )
    name = tree.name if isinstance(tree, exp.Column) else source.per[-1] if source.per else source.target
    words = name.casefold().removesuffix("_id").replace("_", " ")
    return words[:-1] if words.endswith("s") and not words.endswith("ss") else words


def _of_aggregate(aggregate: ResolvedAggregate, source: ResolvedInput) -> Additivity:
    """Sums and counts of rows add up; levels do over everything but time; entities are counted again in every group."""
    if aggregate.function not in {"sum", "count"} or source.per:
        return "non_additive"
    return "additive" if source.take == "rows" else "semi_additive"


def _modified(found: Additivity, source: ResolvedInput) -> Additivity:
    """What ignores a dimension repeats in its members; what does not move day by day with the period does not add up over time."""
    if source.across or source.across_all or source.per or source.age:
        return "non_additive"
    if found == "additive" and (source.covers or not _moves_by_days(source)):
        return "semi_additive"
    return found


def _moves_by_days(source: ResolvedInput) -> bool:
    """Whether an offset maps days to days, each to one: months do not, as three days of March have one day in February."""
    by = source.offset
    return by is None or (isinstance(by, Duration) and not by.months and not by.is_custom)
