"""One KPI resolved: its inputs found, its formula's names given a meaning, its unit and additivity inferred."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from kpi_engine.catalogue.additivity import adds_counts, why_not
from kpi_engine.catalogue.aggregates import Aggregates
from kpi_engine.catalogue.currencies import currency_mistake
from kpi_engine.catalogue.faults import Fault, Faulty, faults_of
from kpi_engine.catalogue.inputs import resolve_inputs
from kpi_engine.catalogue.kinds import Kinds
from kpi_engine.catalogue.resolved import INPUT, Expr, ResolvedAggregate, ResolvedKpi
from kpi_engine.errors import nearest
from kpi_engine.formula.analysis import SLOT, Formula, parse, parts
from kpi_engine.formula.gate import Mistake, Refused, span
from kpi_engine.formula.trees import column, placed, rewritten

if TYPE_CHECKING:
    from kpi_engine.catalogue.inputs import Inputs
    from kpi_engine.catalogue.resolved import ResolvedInput
    from kpi_engine.catalogue.surroundings import Surroundings
    from kpi_engine.definitions.models import Kpi


def resolve_kpi(kpi_id: str, kpi: Kpi, around: Surroundings) -> ResolvedKpi:
    """Resolve a KPI; raise `Faulty` with every mistake of its definition."""
    inputs = resolve_inputs(kpi.inputs, around)
    faults = list(inputs.faults)
    if mistake := currency_mistake(kpi.currency):
        faults.append(Fault(("currency",), mistake))
    formula = _formula(kpi, faults)
    if formula is None or not kpi.inputs:
        raise Faulty(faults)
    mistakes: list[Mistake] = []
    aggregates = _aggregates(formula, inputs, around, mistakes)
    outer = _outer(formula, inputs, around, mistakes)
    mistakes += around.unknown_parameters(formula.outer)
    faults += faults_of(("formula",), dict.fromkeys(mistakes))
    if faults:
        raise Faulty(faults)
    kinds = Kinds(outer, aggregates, inputs.resolved, around)
    unit = kinds.unit(kpi, faults)
    if faults:
        raise Faulty(faults)
    made = ResolvedKpi(kpi_id, kpi, Expr(outer), inputs.resolved, aggregates, unit, kinds.additivity())
    if kpi.additive_over and not adds_counts(made, around.resolved):
        message = f"`additive_over` cannot hold: {why_not(made, around.resolved)}"
        hint = "remove it; only sums, counts and counts of different things may be declared to add up"
        raise Faulty([Fault(("additive_over",), Mistake("not_additive", message, hint=hint), on_key=True)])
    return made


def _formula(kpi: Kpi, faults: list[Fault]) -> Formula | None:
    try:
        return parse(kpi.formula)
    except Refused as refused:
        faults += faults_of(("formula",), refused.mistakes)
        return None


def _aggregates(
    formula: Formula, inputs: Inputs, around: Surroundings, mistakes: list[Mistake]
) -> tuple[ResolvedAggregate, ...]:
    """Resolve every aggregate; with a mistake in one or an input that is broken the result is not used."""
    resolver = Aggregates(inputs.resolved, inputs.broken, around)
    found = []
    for each in formula.aggregations:
        try:
            resolved = resolver.resolve(each)
        except Refused as refused:
            mistakes.extend(refused.mistakes)
            continue
        if resolved is not None:
            found.append(resolved)
    return tuple(found)


def _outer(formula: Formula, inputs: Inputs, around: Surroundings, mistakes: list[Mistake]) -> exp.Expr:
    """Resolve what stands outside the aggregates: the values of KPI inputs, and nothing else.

    Where an input is broken, a name that is not known may be meant to be it.
    """

    def resolved(node: exp.Expr) -> exp.Expr:
        if not isinstance(node, exp.Column) or node.table == SLOT:
            return node
        names = parts(node)
        found = inputs.resolved.get(names[0])
        if found is not None and not found.is_rows and len(names) == 1:
            return placed(column(names[0], INPUT), node)
        if found is not None or not inputs.broken:
            mistakes.append(_misplaced(node, names, found, inputs, around))
        return node

    return rewritten(formula.outer, resolved)


def _misplaced(
    node: exp.Column, names: tuple[str, ...], found: ResolvedInput | None, inputs: Inputs, around: Surroundings
) -> Mistake:
    shown = ".".join(names)
    if found is not None and found.is_rows and len(names) == 1:
        return Mistake(
            "rows_as_value",
            f"`{shown}` is many rows, and one value stands here",
            *span(node),
            f"aggregate it: `count({shown})`, `sum({shown}.…)`",
        )
    if found is not None and not found.is_rows:
        return Mistake(
            "value_has_no_columns",
            f"`{names[0]}` is a KPI's value and has no columns",
            *span(node),
            f"write `{names[0]}`",
        )
    close = nearest(names[0], [*inputs.resolved, *inputs.broken])
    is_column = found is not None or any(
        _has_column(names[0], each, around) for each in inputs.resolved.values() if each.is_rows
    )
    if not is_column and len(names) == 1 and (shown in around.kpis or shown in around.names.datasets):
        hint = f"add it: `inputs: [{', '.join([*inputs.resolved, *inputs.broken, shown])}]`"
        return Mistake("unknown_input", f"`{shown}` is not among the inputs of this KPI", *span(node), hint)
    if is_column or (not close.startswith("did") and any(each.is_rows for each in inputs.resolved.values())):
        hint = f"every row has its own: aggregate it, for example `sum({shown})` or `max({shown})`"
        return Mistake(
            "column_outside_aggregate", f"the column `{shown}` stands outside an aggregate", *span(node), hint
        )
    return Mistake("unknown_input", f"`{shown}` is not an input of this KPI", *span(node), close)


def _has_column(name: str, source: ResolvedInput, around: Surroundings) -> bool:
    if source.kind == "kpi" or source.per:
        return name in source.per
    schema = around.names.schema(source.target)
    return schema is not None and around.names.spelling(source.target, name) is not None
