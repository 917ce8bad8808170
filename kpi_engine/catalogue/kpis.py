"""One KPI resolved: its inputs found, its formula's names given a meaning, its unit and additivity inferred."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlglot import exp

from kpi_engine.calendar import parse_duration
from kpi_engine.catalogue.resolved import (
    INPUT,
    VALUE,
    Additivity,
    Expr,
    ResolvedAggregate,
    ResolvedInput,
    ResolvedKpi,
    expr,
)
from kpi_engine.catalogue.typing import additivity_of, leaf_of, unit_of
from kpi_engine.errors import KpiError, nearest
from kpi_engine.formula.analysis import Aggregation, Formula, columns, conjuncts, parse, parts, placeholders
from kpi_engine.formula.gate import Mistake, Refused, read, span
from kpi_engine.formula.units import PURE, Unit
from kpi_engine.formula.units import parse as parse_unit

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from kpi_engine.catalogue.names import Names
    from kpi_engine.definitions.models import Input, Kpi


@dataclass(frozen=True)
class Fault:
    """A mistake and the key it stands under, as `("inputs", "blog", "where")`."""

    path: tuple[str, ...]
    mistake: Mistake


class Faulty(ValueError):  # noqa: N818 - a verdict, turned into diagnostics by the catalogue
    """A KPI or dataset that cannot be resolved; `faults` says why, all of it."""

    def __init__(self, faults: list[Fault]) -> None:
        super().__init__(faults[0].mistake.message)
        self.faults = faults


@dataclass(frozen=True)
class Surroundings:
    """What a KPI is resolved against: the datasets' names, the other KPIs, the parameters there are."""

    names: Names
    kpis: Mapping[str, Kpi]
    parameters: Mapping[str, object]
    resolved: Callable[[str], ResolvedKpi]
    """Resolve another KPI; cycles are refused before."""


def resolve_kpi(kpi_id: str, kpi: Kpi, around: Surroundings) -> ResolvedKpi:
    """Resolve a KPI; raise `Faulty` with every mistake of its definition."""
    faults: list[Fault] = []
    inputs = {
        alias: resolved
        for alias, model in kpi.inputs.items()
        if (resolved := _input(alias, model, around, faults)) is not None
    }
    if not kpi.inputs:
        faults.append(Fault(("inputs",), Mistake("no_inputs", "a KPI needs at least one input", hint="name a dataset or another KPI")))
    try:
        formula = parse(kpi.formula)
    except Refused as refused:
        faults += [Fault(("formula",), mistake) for mistake in refused.mistakes]
        raise Faulty(faults) from None
    if len(inputs) < len(kpi.inputs):
        raise Faulty(faults)
    mistakes: list[Mistake] = []
    aggregates = tuple(a for each in formula.aggregations if (a := _aggregate(each, inputs, around, mistakes)) is not None)
    outer = _outer(formula, inputs, mistakes)
    mistakes += _unknown_parameters(formula.outer, around)
    if not mistakes and len(aggregates) == len(formula.aggregations):
        unit, additivity = _types(kpi, outer, formula, aggregates, inputs, around, mistakes)
    faults += [Fault(("formula",), mistake) for mistake in dict.fromkeys(mistakes)]
    if faults:
        raise Faulty(faults)
    return ResolvedKpi(kpi_id, kpi, expr(outer), inputs, aggregates, unit, additivity)


def _input(alias: str, model: Input, around: Surroundings, faults: list[Fault]) -> ResolvedInput | None:
    path = ("inputs", alias)
    target = model.from_
    datasets = around.names.datasets
    if target not in datasets and target not in around.kpis:
        hint = nearest(target, [*datasets, *around.kpis])
        faults.append(Fault((*path, "from"), Mistake("unknown_input", f"there is no dataset or KPI `{target}`", 0, len(target), hint)))
        return None
    before = len(faults)
    is_dataset = target in datasets
    where = _where(model, target, is_dataset, around, (*path, "where"), faults)
    _modifiers_fit(model, target, is_dataset, around, path, faults)
    offset = _offset(model, (*path, "offset"), faults)
    across = frozenset(model.across) - {"all"}
    take = model.take or ("closing" if is_dataset and datasets[target].snapshot else "rows")
    if len(faults) > before:
        return None
    return ResolvedInput(
        alias, target, "dataset" if is_dataset else "kpi", where, model.time, take,
        across, "all" in model.across, offset, model.all_time, model.per,
    )  # fmt: skip


def _where(
    model: Input, target: str, is_dataset: bool, around: Surroundings, path: tuple[str, ...], faults: list[Fault]  # noqa: FBT001
) -> Expr | None:
    if not model.where:
        return None
    try:
        tree = read(model.where, "condition")
        unknown = _unknown_parameters(tree, around)
        if unknown:
            raise Refused(*unknown)
        if is_dataset:
            return expr(around.names.resolve(target, tree))
        for dataset in datasets_under(target, around):
            around.names.resolve(dataset, tree)
        return expr(tree)
    except Refused as refused:
        faults += [Fault(path, mistake) for mistake in refused.mistakes]
    return None


def _modifiers_fit(
    model: Input, target: str, is_dataset: bool, around: Surroundings, path: tuple[str, ...], faults: list[Fault]  # noqa: FBT001
) -> None:
    def fault(key: str, code: str, message: str, hint: str = "", length: int = 1) -> None:
        faults.append(Fault((*path, key), Mistake(code, message, 0, length, hint)))

    if model.time and not is_dataset:
        fault("time", "time_of_a_kpi", f"`{target}` is a KPI: `time` chooses among the times of a dataset")
    elif model.time and model.time not in around.names.datasets[target].times:
        known = around.names.datasets[target].times
        hint = nearest(model.time, known) or f"dataset `{target}` declares no further `times`"
        fault("time", "unknown_time", f"dataset `{target}` has no time `{model.time}`", hint, len(model.time))
    if model.take in {"closing", "opening"} and not (is_dataset and around.names.datasets[target].snapshot):
        fault("take", "not_a_snapshot", f"`take: {model.take}` needs a dataset with `snapshot`, and `{target}` has none")
    known = {dimension for dataset in around.names.datasets.values() for dimension in dataset.dimensions}
    for name in model.across:
        if name != "all" and name not in known:
            fault("across", "unknown_dimension", f"no dataset has a dimension `{name}`", nearest(name, known), len(name))
    for name in model.per:
        for dataset_id in datasets_under(target, around) if not is_dataset else [target]:
            _per_fits(name, dataset_id, around, (*path, "per"), faults)


def _per_fits(name: str, dataset: str, around: Surroundings, path: tuple[str, ...], faults: list[Fault]) -> None:
    try:
        around.names.path(dataset, (name,), ())
    except Refused as refused:
        message = refused.mistakes[0]
        faults.append(Fault(path, Mistake(message.code, message.message, 0, len(name), message.hint)))


def _offset(model: Input, path: tuple[str, ...], faults: list[Fault]):  # type: ignore[no-untyped-def]  # noqa: ANN202
    if not model.offset:
        return None
    if model.offset == "period":
        return "period"
    try:
        return parse_duration(model.offset)
    except KpiError as error:
        faults.append(Fault(path, Mistake(error.code, error.message, 0, len(model.offset), error.hint)))
        return None


def datasets_under(kpi_id: str, around: Surroundings) -> tuple[str, ...]:
    """Name the datasets that a KPI's number comes from, in a fixed order."""
    found: dict[str, None] = {}
    seen: set[str] = set()
    todo = [kpi_id]
    while todo:
        current = todo.pop()
        if current in around.names.datasets:
            found[current] = None
        elif current in around.kpis and current not in seen:
            seen.add(current)
            todo += [model.from_ for model in reversed(around.kpis[current].inputs.values())]
    return tuple(found)


def _aggregate(
    aggregation: Aggregation, inputs: Mapping[str, ResolvedInput], around: Surroundings, mistakes: list[Mistake]
) -> ResolvedAggregate | None:
    try:
        owner = _owner(aggregation, inputs)
        argument = aggregation.argument
        if isinstance(argument, exp.Column) and parts(argument) == (owner.alias,) and aggregation.function == "count":
            argument = None
        resolved = _over_rows(argument, owner, around) if argument is not None else None
        condition = _over_rows(aggregation.filter, owner, around) if aggregation.filter is not None else None
        _numeric(aggregation, argument, owner, around)
    except Refused as refused:
        mistakes.extend(refused.mistakes)
        return None
    currency = None
    if aggregation.function in {"sum", "avg", "min", "max", "median"} and resolved is not None and not owner.per:
        currency = around.names.currency(owner.target, resolved)
    filters = tuple(expr(part) for part in conjuncts(condition)) if condition is not None else ()
    argument_expr = expr(resolved) if resolved is not None else None
    return ResolvedAggregate(aggregation.function, owner.alias, argument_expr, filters, aggregation.fraction, currency)


def _owner(aggregation: Aggregation, inputs: Mapping[str, ResolvedInput]) -> ResolvedInput:
    """Find the one rows input an aggregate is over."""
    rows = {alias: each for alias, each in inputs.items() if each.is_rows}
    trees = [tree for tree in (aggregation.argument, aggregation.filter) if tree is not None]
    named: set[str] = set()
    for column in (column for tree in trees for column in columns(tree)):
        first = parts(column)[0]
        if first in rows:
            named.add(first)
        elif first in inputs:
            offset, length = span(column)
            hint = "take it out of the aggregate, or give its input `per`"
            raise Refused(Mistake("value_in_aggregate", f"`{first}` is the value of a KPI, and stands inside an aggregate", offset, length, hint))
    if len(named) > 1:
        message = f"one aggregate reads {' and '.join(f'`{n}`' for n in sorted(named))}"
        raise Refused(Mistake("two_inputs_in_aggregate", message, aggregation.offset, aggregation.length, "aggregate each input by itself"))
    if named:
        return rows[named.pop()]
    if len(rows) == 1:
        return next(iter(rows.values()))
    if not rows:
        hint = "all inputs are KPIs: use their values, without an aggregate"
        raise Refused(Mistake("nothing_to_aggregate", "there are no rows to aggregate", aggregation.offset, aggregation.length, hint))
    hint = "write the input before the column: " + ", ".join(f"`{alias}.…`" for alias in rows)
    raise Refused(Mistake("ambiguous_input", "it is not clear over which input this aggregates", aggregation.offset, aggregation.length, hint))


def _over_rows(tree: exp.Expr, owner: ResolvedInput, around: Surroundings) -> exp.Expr:
    """Resolve names inside an aggregate: the input's alias goes, what follows is looked up over its rows."""

    def bare(node: exp.Expr) -> exp.Expr:
        if not isinstance(node, exp.Column):
            return node
        names = parts(node)
        if owner.per:
            return _per_column(node, names, owner)
        if names == (owner.alias,) and not _has_column(owner, names[0], around):
            offset, length = span(node)
            message = f"`{names[0]}` is rows, not a column"
            raise Refused(Mistake("rows_as_column", message, offset, length, f"write `{names[0]}.` and a column, or `count({names[0]})`"))
        if names[0] == owner.alias and len(names) > 1:
            shorter = exp.column(*reversed([part.copy() for part in node.parts[1:]]))  # type: ignore[arg-type]
            for part, original in zip(shorter.parts, node.parts[1:], strict=True):
                part.meta.update(original.meta)
            return shorter
        return node

    prepared = tree.copy().transform(bare)
    return prepared if owner.per else around.names.resolve(owner.target, prepared)


def _has_column(owner: ResolvedInput, name: str, around: Surroundings) -> bool:
    schema = around.names.schema(owner.target)
    return name in around.names.datasets[owner.target].dimensions or (schema is not None and around.names.spelling(owner.target, name) is not None)


def _per_column(node: exp.Column, names: tuple[str, ...], owner: ResolvedInput) -> exp.Expr:
    if names == (owner.alias,) and owner.kind == "kpi":
        return exp.column(VALUE, table=VALUE, quoted=True)
    name = names[-1]
    if name in owner.per and names[:-1] in {(), (owner.alias,)}:
        return exp.column(name, table=VALUE, quoted=True)
    offset, length = span(node)
    hint = f"use `{owner.alias}` for the value, or " + ", ".join(f"`{owner.alias}.{p}`" for p in owner.per)
    raise Refused(Mistake("unknown_column", f"`{'.'.join(names)}` is not part of `{owner.alias}`", offset, length, hint))


_NEEDS_NUMBER = {"sum", "avg", "median", "quantile_cont", "stddev"}


def _numeric(aggregation: Aggregation, argument: exp.Expr | None, owner: ResolvedInput, around: Surroundings) -> None:
    if aggregation.function not in _NEEDS_NUMBER or not isinstance(argument, exp.Column) or owner.per:
        return
    names = parts(argument)
    names = names[1:] if names[0] == owner.alias and len(names) > 1 else names
    if len(names) == 1 and names[0] not in around.names.datasets[owner.target].dimensions:
        found = around.names.type_of(owner.target, names[0])
        if found.startswith(("VARCHAR", "DATE", "TIME", "BOOL", "STRUCT", "MAP")) or found.endswith("[]"):
            offset, length = span(argument)
            hint = f"correct the data, or declare `columns: {{{names[0]}: {{type: double}}}}` to have every text read as a number"
            message = f"`{aggregation.function}` needs numbers, and `{names[0]}` of dataset `{owner.target}` is {found}"
            raise Refused(Mistake("not_a_number", message, offset, length, hint))


def _outer(formula: Formula, inputs: Mapping[str, ResolvedInput], mistakes: list[Mistake]) -> exp.Expr:
    def resolved(node: exp.Expr) -> exp.Expr:
        if not isinstance(node, exp.Column) or node.table in {INPUT, "aggregate"}:
            return node
        names = parts(node)
        found = inputs.get(names[0])
        if found is not None and not found.is_rows and len(names) == 1:
            column = exp.column(names[0], table=INPUT, quoted=True)
            column.this.meta.update(node.this.meta)
            return column
        mistakes.append(_misplaced(node, names, found, inputs))
        return node

    return formula.outer.copy().transform(resolved)


def _misplaced(node: exp.Column, names: tuple[str, ...], found: ResolvedInput | None, inputs: Mapping[str, ResolvedInput]) -> Mistake:
    offset, length = span(node)
    shown = ".".join(names)
    if found is not None and found.is_rows and len(names) == 1:
        return Mistake("rows_as_value", f"`{shown}` is rows, not a value", offset, length, f"aggregate it: `count({shown})`, `sum({shown}.…)`")
    if found is not None and not found.is_rows:
        return Mistake("value_has_no_columns", f"`{names[0]}` is a KPI's value and has no columns", offset, length, f"write `{names[0]}`")
    rows = [each for each in inputs.values() if each.is_rows]
    if rows and (found is not None or len(names) > 1 or len(rows) == len(inputs)):
        hint = f"write for example `sum({shown})` or `max({shown})`"
        return Mistake("column_outside_aggregate", f"the column `{shown}` stands outside an aggregate", offset, length, hint)
    return Mistake("unknown_input", f"`{shown}` is not an input of this KPI", offset, length, nearest(names[0], inputs))


def _unknown_parameters(tree: exp.Expr, around: Surroundings) -> list[Mistake]:
    found = []
    for node in placeholders(tree):
        if str(node.this) not in around.parameters:
            hint = nearest(str(node.this), around.parameters) or "declare it under `parameters:`"
            found.append(Mistake("unknown_parameter", f"there is no parameter `:{node.this}`", 0, 1, hint))
    return found


def _types(  # noqa: PLR0913 - all that a type is inferred from
    kpi: Kpi, outer: exp.Expr, formula: Formula, aggregates: tuple[ResolvedAggregate, ...],
    inputs: Mapping[str, ResolvedInput], around: Surroundings, mistakes: list[Mistake],
) -> tuple[Unit | None, Additivity]:  # fmt: skip
    declared = parse_unit(kpi.unit) if kpi.unit else None

    def unit(column: exp.Column) -> Unit | None:
        kind, name = leaf_of(column)
        return around.resolved(inputs[name].target).unit if kind == INPUT else _aggregate_unit(aggregates[int(name)], inputs, around)

    def additivity(column: exp.Column) -> Additivity:
        kind, name = leaf_of(column)
        if kind == INPUT:
            found = around.resolved(inputs[name].target).additivity
            return _modified(found, inputs[name])
        aggregate = aggregates[int(name)]
        return _modified(_aggregate_additivity(aggregate, inputs[aggregate.input]), inputs[aggregate.input])

    inferred = unit_of(outer, unit, mistakes)
    if declared is not None and inferred is not None and inferred not in {declared, PURE} and kpi.format != "percent":
        message = f"the formula gives `{inferred}`, and `unit` says `{declared}`"
        mistakes.append(Mistake("unit_mismatch", message, 0, len(formula.text), "correct the one or the other"))
    return declared if declared is not None else inferred, _declared_additivity(outer, aggregates, inputs, additivity)


def _declared_additivity(
    outer: exp.Expr, aggregates: tuple[ResolvedAggregate, ...], inputs: Mapping[str, ResolvedInput],
    additivity: Callable[[exp.Column], Additivity],
) -> Additivity:  # fmt: skip
    """Closing minus opening of one snapshot is a flow: it adds up over time as well."""
    found = additivity_of(outer, additivity)
    takes = {inputs[a.input].take for a in aggregates}
    if found == "semi_additive" and isinstance(outer, exp.Sub) and takes == {"closing", "opening"}:
        return "additive"
    return found


def _aggregate_additivity(aggregate: ResolvedAggregate, source: ResolvedInput) -> Additivity:
    if aggregate.function not in {"sum", "count"} or source.per:
        return "non_additive"
    return "semi_additive" if source.take in {"closing", "opening"} else "additive"


def _modified(found: Additivity, source: ResolvedInput) -> Additivity:
    if source.across or source.across_all:
        return "non_additive"
    return "semi_additive" if source.all_time and found == "additive" else found


def _aggregate_unit(aggregate: ResolvedAggregate, inputs: Mapping[str, ResolvedInput], around: Surroundings) -> Unit | None:
    source = inputs[aggregate.input]
    if aggregate.function in {"count", "count_distinct"} or aggregate.argument is None:
        return None
    if source.per:
        return around.resolved(source.target).unit if source.kind == "kpi" else None
    tree = aggregate.argument.tree
    if isinstance(tree, exp.Cast):
        tree = tree.this
    if not isinstance(tree, exp.Column):
        return None
    owner = around.names.owner(source.target, tree.table.split(".")[1:])
    column = around.names.datasets[owner].columns.get(tree.name)
    return parse_unit(column.unit) if column and column.unit else None
