"""What a project holds, said in full: a KPI with all that a reader asks of it, and a dataset."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kpi_engine.describing import measure_of, money_unit, text, unresolved_measure
from kpi_engine.formula.analysis import placeholders

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from kpi_engine.api import Measure
    from kpi_engine.catalogue import Catalogue
    from kpi_engine.definitions import Project
    from kpi_engine.definitions.models import Input
    from kpi_engine.errors import KpiError


@dataclass(frozen=True)
class InputDescription:
    """What a formula reads: a dataset or a KPI, under a name, with its modifiers as they are written."""

    name: str
    of: str
    kind: str
    """`dataset` or `kpi`."""
    modifiers: Mapping[str, str]


@dataclass(frozen=True)
class ParameterDescription:
    """A parameter that a number depends on, with the value that the project gives it; None where it has none."""

    name: str
    type: str
    value: str | int | float | bool | None
    description: str


@dataclass(frozen=True)
class KpiDescription:
    """A KPI, said in full."""

    measure: Measure
    """Its id, label, description, unit, format, additivity, direction, status and notice."""
    formula: str
    inputs: tuple[InputDescription, ...]
    dimensions: tuple[str, ...]
    """What it may be split and filtered by."""
    split: tuple[str, ...]
    """The dimensions without which it means nothing."""
    parameters: tuple[ParameterDescription, ...]
    """Those that its number depends on, also through the KPIs below it."""
    roles: tuple[str, ...]
    quality: str
    """The KPI that says how far to trust this one."""
    owner: str
    sources: tuple[str, ...]
    """Where its definition comes from."""
    used_by: tuple[str, ...]
    """The KPIs made of it, and those whose companion it is."""
    place: str
    """Where it is defined, as `file:line`."""
    not_additive: str = ""
    """Why its values may not be added up over everything; empty where they may."""
    recorded_unit: str = ""
    """Its unit as the data have it: `¤` stands for a currency that stands beside each amount."""
    fault: KpiError | None = None
    """Why it cannot be computed; then unit, additivity and parameters are as far as they are known."""


@dataclass(frozen=True)
class DatasetDescription:
    """A dataset, said in full."""

    id: str
    label: str
    origin: str
    """What its rows are: `table web_session`, `query`, `pagerank of link_edges`."""
    source: str
    key: tuple[str, ...]
    time: str
    times: tuple[str, ...]
    """Its further times, by name."""
    dimensions: tuple[str, ...]
    place: str


def describe_kpi(kpi_id: str, catalogue: Catalogue, language: str, fault: KpiError | None = None) -> KpiDescription:
    """Describe a KPI of the project in a language; `fault` is what is known to be wrong with it or its data."""
    project = catalogue.project
    model = project.kpis[kpi_id]
    measure = _measure(kpi_id, catalogue, language) if fault is None else unresolved_measure(kpi_id, project, language)
    return KpiDescription(
        measure=measure,
        formula=model.formula,
        inputs=tuple(_input(name, each, project) for name, each in model.inputs.items()),
        dimensions=catalogue.dimensions(kpi_id),
        split=tuple(dict.fromkeys([*model.split, *catalogue.ages(kpi_id)])),
        parameters=() if fault is not None else tuple(_parameters(kpi_id, catalogue, language)),
        roles=model.role,
        quality=model.quality,
        owner=model.owner,
        sources=model.sources,
        used_by=project.users.get(kpi_id, ()),
        place=_place(project, "kpis", kpi_id),
        not_additive="" if fault is not None else catalogue.why_not_additive(kpi_id),
        recorded_unit="" if fault is not None else money_unit(catalogue.kpi(kpi_id)),
        fault=fault,
    )


def describe_dataset(name: str, project: Project, language: str) -> DatasetDescription:
    """Describe a dataset of the project in a language."""
    model = project.datasets[name]
    time = (model.time.column or model.time.sql) if model.time is not None else ""
    origin = (
        f"{model.transform} of {model.from_}"
        if model.transform
        else "query"
        if model.sql
        else f"table {model.table or name}"
    )
    return DatasetDescription(
        id=name,
        label=text(model.label, language),
        origin=origin,
        source=model.source or project.settings.default_source,
        key=model.key,
        time=time,
        times=tuple(model.times),
        dimensions=tuple(model.dimensions),
        place=_place(project, "datasets", name),
    )


def _measure(kpi_id: str, catalogue: Catalogue, language: str) -> Measure:
    return measure_of(catalogue.kpi(kpi_id), catalogue, language)


def _input(name: str, model: Input, project: Project) -> InputDescription:
    written = model.model_dump(exclude_defaults=True, by_alias=True)
    modifiers = {key: _said(value) for key, value in written.items() if key != "from"}
    return InputDescription(name, model.from_, "kpi" if model.from_ in project.kpis else "dataset", modifiers)


def _said(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return ", ".join(map(str, value)) if isinstance(value, tuple | list) else str(value)


def _parameters(kpi_id: str, catalogue: Catalogue, language: str) -> Iterator[ParameterDescription]:
    project = catalogue.project
    used = _placeholders(kpi_id, catalogue)
    for name, model in project.parameters.items():
        if name in used:
            value = project.settings.parameters.get(name, model.default)
            yield ParameterDescription(name, model.type, value, text(model.description, language))


def _placeholders(kpi_id: str, catalogue: Catalogue) -> set[str]:
    """Name the parameters in a KPI's formula and conditions, and in those of the KPIs below it."""
    kpi = catalogue.kpi(kpi_id)
    expressions = [kpi.outer, *(each.where for each in kpi.inputs.values())]
    for aggregate in kpi.aggregates:
        expressions += [aggregate.argument, *aggregate.filter]
    found = {str(node.this) for each in expressions if each is not None for node in placeholders(each.tree)}
    below = {each.target for each in kpi.inputs.values() if each.kind == "kpi"}
    return found.union(*(_placeholders(each, catalogue) for each in below))


def _place(project: Project, section: str, name: str) -> str:
    place = project.places.key(section, name)
    return f"{place.file}:{place.line}" if place is not None else ""
