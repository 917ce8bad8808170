"""Everything that is wrong with a project, said at once: each mistake once, in the order of its files.

The catalogue finds what definitions say wrongly of each other. Beyond it, sources and transforms must be there and take their
settings, the tables that queries name must exist, and every expression must have a type. What only follows from a mistake that is
reported elsewhere is left out.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from kpi_engine.calendar.zones import load_zone
from kpi_engine.catalogue import in_order
from kpi_engine.catalogue.faults import Fault
from kpi_engine.catalogue.graph import made_of, origins_below
from kpi_engine.catalogue.sqltypes import dataset_probes, kpi_probes
from kpi_engine.errors import DataError, DefinitionError, Diagnostic, KpiError, PluginError, nearest
from kpi_engine.formula.gate import Mistake, read, span
from kpi_engine.formula.queries import tables

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from kpi_engine.catalogue import Catalogue
    from kpi_engine.catalogue.sqltypes import Probe
    from kpi_engine.definitions import Project
    from kpi_engine.execution.binding import Binder

_NOT_THERE = frozenset({"unknown_table", "missing_file"})
_OF_SETTINGS = frozenset({"bad_settings"})
_NUMBERS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT", "UHUGEINT",
            "FLOAT", "DOUBLE", "DECIMAL", '"NULL"', "NULL")  # fmt: skip


def checked(project: Project, catalogue: Catalogue, binder: Binder, unreadable: Mapping[str, KpiError]) -> list[Diagnostic]:
    """Find every mistake: in the files, in what they say of each other, in sources, transforms, queries and types.

    A dataset whose data cannot be read is a warning: its columns are not known, so their names go unchecked.
    """
    checking = _Checking(project, catalogue, binder, unreadable)
    found = [*_timezone(project), *catalogue.check(), *checking.sources(), *checking.transforms(), *checking.queries()]
    found += checking.data(found)
    found += checking.types(found)
    settings = project.places.settings.source
    return in_order(found, settings.file if settings else "")


def _timezone(project: Project) -> Iterator[Diagnostic]:
    try:
        load_zone(project.settings.calendar.timezone)
    except DefinitionError as error:
        place = project.places.value("project", "calendar", "timezone")
        yield from (replace(each, place=place, subject="project") for each in error.diagnostics)


@dataclass(frozen=True)
class _Checking:
    project: Project
    catalogue: Catalogue
    binder: Binder
    unreadable: Mapping[str, KpiError]

    def sources(self) -> Iterator[Diagnostic]:
        """Check that the sources that datasets read from are there and take their settings."""
        default = self.project.settings.default_source
        declared = self.project.settings.sources
        if default and default not in declared:
            hint = nearest(default, declared) or "declare it under `sources:`"
            place = self.project.places.value("project", "default_source")
            yield Diagnostic("unknown_source", f"there is no source `{default}`", place, hint, subject="project")
        for name in dict.fromkeys(self._source_of(dataset) for dataset in self.project.datasets):
            error = self._fault_of_source(name) if name in declared else None
            if error is not None:
                key = "plugin" if isinstance(error, PluginError) else "path"
                place = self.project.places.value("project", "sources", name, key)
                severity = "error" if isinstance(error, PluginError) or error.code in _OF_SETTINGS else "warning"
                yield Diagnostic(error.code, error.message, place, error.hint, severity, subject=f"source {name}")  # type: ignore[arg-type]

    def transforms(self) -> Iterator[Diagnostic]:
        """Check that the transforms are there and take their options."""
        for dataset, model in self.project.datasets.items():
            if not model.transform:
                continue
            try:
                made = self.binder.transform(dataset)
                yield from self._columns_needed(dataset, made.needs())
            except KpiError as error:
                key = "options" if error.code in _OF_SETTINGS else "transform"
                place = self.project.places.value("datasets", dataset, key)
                yield Diagnostic(error.code, error.message, place, error.hint, subject=f"dataset {dataset}")

    def _columns_needed(self, dataset: str, needed: Iterable[str]) -> Iterator[Diagnostic]:
        """Check that a transform finds its columns in the dataset it reads."""
        model = self.project.datasets[dataset]
        known = self.catalogue.names.schema(model.from_) if model.from_ in self.project.datasets else None
        for name in needed if known is not None else ():
            if name not in (known or {}):
                key = next((("options", option) for option, value in model.options.items() if value == name), ("transform",))
                message = f"the transform `{model.transform}` reads the column `{name}`, and dataset `{model.from_}` has none of that name"
                place = self.project.places.value("datasets", dataset, *key)
                yield Diagnostic("unknown_column", message, place, nearest(name, known or {}), subject=f"dataset {dataset}")

    def queries(self) -> Iterator[Diagnostic]:
        """Check that every table that a query names is a dataset, or a table of the query's source.

        Of a pack one may use a part, so tables that only its queries read may be missing: `data` warns of them.
        """
        for dataset, model in self.project.datasets.items():
            source = self._source_of(dataset)
            if not model.sql or self._is_of_pack(dataset) or not self.catalogue.is_sound(dataset) or not self._is_listable(source):
                continue
            for table in tables(read(model.sql, "query")):
                if table.name in self.project.datasets and table.name != dataset:
                    continue
                error = self._fault_of_table(source, table.name)
                if error is not None:
                    place = self.project.places.within(("datasets", dataset, "sql"), *span(table))
                    yield replace(self._unknown_table(source, table.name, error), place=place, subject=f"dataset {dataset}")

    def data(self, found: Iterable[Diagnostic]) -> Iterator[Diagnostic]:
        """Warn of datasets whose data cannot be read, unless a mistake that is reported says why."""
        broken = {each.subject for each in found}
        for dataset, error in self.unreadable.items():
            below = made_of(dataset, origins_below(self.project.datasets))
            causes = {f"dataset {each}" for each in below} | {f"source {self._source_of(each)}" for each in below}
            follows = broken & causes or any(each in self.unreadable for each in below if each != dataset)
            if follows or ("project" in broken and not self._source_of(dataset)):
                continue
            if isinstance(error, DefinitionError):
                yield from error.diagnostics
                continue
            place = error.place or self._place_of_data(dataset)
            message = f"the columns of dataset `{dataset}` cannot be checked: {error.message}"
            yield Diagnostic(error.code, message, place, error.hint, severity="warning", subject=f"dataset {dataset}")

    def types(self, found: Iterable[Diagnostic]) -> Iterator[Diagnostic]:
        """Check that every expression has a type, and the one that is needed; of what has no other mistake."""
        broken = {each.subject for each in found if each.severity == "error"}
        for dataset in self.project.datasets:
            if f"dataset {dataset}" not in broken and self.catalogue.is_sound(dataset):
                probes = list(dataset_probes(dataset, self.catalogue.names))
                yield from (self.catalogue.diagnostic("datasets", dataset, fault) for fault in self._misfits(probes))
        for kpi_id in self.project.kpis:
            kpi = self._resolved(kpi_id, broken)
            if kpi is not None:
                probes = list(kpi_probes(kpi, self.catalogue.names, self.project.parameters))
                yield from (self.catalogue.diagnostic("kpis", kpi_id, fault) for fault in self._misfits(probes))

    def _resolved(self, kpi_id: str, broken: set[str]):  # type: ignore[no-untyped-def]  # noqa: ANN202 - a resolved KPI, or None
        datasets = self.catalogue.datasets_under(kpi_id)
        if f"kpi {kpi_id}" in broken or any(f"dataset {each}" in broken for each in datasets):
            return None
        try:
            return self.catalogue.kpi(kpi_id)
        except DefinitionError:
            return None

    def _misfits(self, probes: list[Probe]) -> list[Fault]:
        """Ask for all types at once; one by one only where that fails."""
        try:
            types = self.binder.types([probe.tree for probe in probes]) if probes else []
        except KpiError:
            return self._one_by_one(probes)
        return [fault for probe, found in zip(probes, types, strict=True) for fault in _unwanted(probe, found)]

    def _one_by_one(self, probes: list[Probe]) -> list[Fault]:
        """Of each text the misfits of its parts, or else of the whole."""
        found: list[Fault] = []
        said: set[tuple[str, ...]] = set()
        for probe in probes:
            faults = [] if probe.wanted == "number" and probe.path in said else self._misfit(probe)
            said |= {fault.path for fault in faults}
            found += faults
        return list(dict.fromkeys(found))

    def _misfit(self, probe: Probe) -> list[Fault]:
        try:
            (found,) = self.binder.types([probe.tree])
        except DataError as error:
            return [Fault(probe.path, _in_words(error, probe))]
        except KpiError:
            return []
        return list(_unwanted(probe, found))

    def _source_of(self, dataset: str) -> str:
        return self.project.datasets[dataset].source or self.binder.default_source

    def _is_of_pack(self, dataset: str) -> bool:
        return self.project.origins["datasets", dataset] in self.project.settings.definitions

    def _is_listable(self, source: str) -> bool:
        return bool(source) and self._fault_of_source(source) is None

    def _fault_of_source(self, source: str) -> KpiError | None:
        try:
            self.binder.tables(source)
        except KpiError as error:
            return error
        return None

    def _fault_of_table(self, source: str, table: str) -> KpiError | None:
        try:
            self.binder.find(source, table)
        except KpiError as error:
            return error
        return None

    def _unknown_table(self, source: str, table: str, error: KpiError) -> Diagnostic:
        if error.code not in _NOT_THERE:
            return Diagnostic(error.code, error.message, None, error.hint)
        hint = nearest(table, [*self.binder.tables(source), *self.project.datasets])
        message = f"there is no dataset `{table}`, and no table of that name in the source `{source}`"
        return Diagnostic("unknown_table", message, None, hint)

    def _place_of_data(self, dataset: str):  # type: ignore[no-untyped-def]  # noqa: ANN202 - a place, or None
        places = self.project.places
        return places.value("datasets", dataset, "table") if self.project.datasets[dataset].table else places.key("datasets", dataset)


def _unwanted(probe: Probe, found: str) -> Iterator[Fault]:
    sql_type = found.upper()
    if probe.wanted == "boolean" and sql_type not in {"BOOLEAN", '"NULL"', "NULL"}:
        hint = "compare it with something: `channel = 'email'`"
        message = f"this is {sql_type}, and a condition is true or false"
        yield Fault(probe.path, Mistake("not_a_condition", message, probe.offset, probe.length, hint))
    elif probe.wanted == "number" and not sql_type.startswith(_NUMBERS):
        hint = "count what is true with `count_if(condition)`" if sql_type == "BOOLEAN" else "a KPI is a number: count, add up or measure something"
        message = f"the formula gives {sql_type}, and a KPI is a number"
        yield Fault(probe.path, Mistake("not_a_number", message, probe.offset, probe.length, hint))


_CALL = re.compile(r"argument types '(?P<name>[^(]+)\((?P<types>.*?)\)'")
_COMPARED = re.compile(r"Cannot compare values of type (?P<left>.+?) and (?:values of )?type (?P<right>.+?)(?: - |\.|$)")


def _in_words(error: DataError, probe: Probe) -> Mistake:
    """Say what a database says of types in the words of the language."""
    hint = "declare what the column is with `columns: {…: {type: …}}`, or `cast(x as type)`"
    if call := _CALL.search(error.message):
        types = call["types"].replace("_LITERAL", "")
        message = f"`{call['name'].strip()}` cannot be used with {types.replace(', ', ' and ')}"
    elif compared := _COMPARED.search(error.message):
        message = f"{compared['left']} and {compared['right']} cannot be compared"
    else:
        message = re.sub(r"^.*?Error: ", "", error.message)
    return Mistake("types_do_not_fit", message, probe.offset, probe.length, hint)
