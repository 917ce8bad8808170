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
from kpi_engine.catalogue.faults import Fault, LeftOut
from kpi_engine.catalogue.graph import made_of, origins_below
from kpi_engine.catalogue.sqltypes import dataset_probes, family, in_words, kpi_probes, misfit, unknown_values
from kpi_engine.errors import DataError, DefinitionError, Diagnostic, KpiError, PluginError, nearest
from kpi_engine.formula.gate import Mistake, read, span
from kpi_engine.formula.queries import tables

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from sqlglot import exp

    from kpi_engine.catalogue import Catalogue, ResolvedKpi
    from kpi_engine.catalogue.sqltypes import Pair, Probe, Probes, Stretch
    from kpi_engine.definitions import Project
    from kpi_engine.errors import Place, Severity
    from kpi_engine.execution.binding import Binder

_NOT_THERE = frozenset({"unknown_table", "missing_file"})
_OF_SETTINGS = frozenset({"bad_settings"})
_SAME_KIND = "write a text in quotes and a number without, or convert with `cast(x as type)`"
_SAME_TYPE = "declare the same type for both columns: `columns: {…: {type: …}}`"


def checked(
    project: Project, catalogue: Catalogue, binder: Binder, unreadable: Mapping[str, KpiError]
) -> list[Diagnostic]:
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
        """Check that the sources that datasets read from are there and take their settings; each is said once."""
        declared = self.project.settings.sources
        read = dict.fromkeys(
            self._source_of(name) for name, model in self.project.datasets.items() if not model.transform
        )
        for name in read:
            if name in declared:
                error = self._fault_of_source(name)
                yield from () if error is None else self._of_source(name, error)
        default = self.project.settings.default_source
        if default and default not in declared:
            hint = nearest(default, declared) or "declare it under `sources:`"
            place = self.project.places.value("project", "default_source")
            yield Diagnostic("unknown_source", f"there is no source `{default}`", place, hint, subject="project")
        elif self.binder.default_source in read and not self._is_there(self.binder.default_source):
            yield self._no_source()

    def _of_source(self, name: str, error: KpiError) -> Iterator[Diagnostic]:
        is_plugin = isinstance(error, PluginError)
        place = self.project.places.value("project", "sources", name, "plugin" if is_plugin else "path")
        severity: Severity = "error" if is_plugin or error.code in _OF_SETTINGS else "warning"
        yield Diagnostic(error.code, error.message, place, _with_install(error), severity, subject=f"source {name}")

    def _no_source(self) -> Diagnostic:
        """Datasets that name no source read the default one, and there is none."""
        place = self.project.places.key("project", "sources") or self.project.places.key("project", "project")
        if self.project.settings.sources:
            message = "the project has several sources and no default one, and datasets do not say which they read"
            hint = "write `default_source:` in kpi.yaml, or `source:` in each dataset"
            return Diagnostic("no_source", message, place, hint, subject="project")
        hint = "declare one in kpi.yaml: `sources: {web: {plugin: files, path: data}}`"
        message = "the project declares no source: names of columns and tables are not checked"
        return Diagnostic("no_source", message, place, hint, severity="warning", subject="project")

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
                yield Diagnostic(error.code, error.message, place, _with_install(error), subject=f"dataset {dataset}")

    def _columns_needed(self, dataset: str, needed: Iterable[str]) -> Iterator[Diagnostic]:
        """Check that a transform finds its columns in the dataset it reads."""
        model = self.project.datasets[dataset]
        known = self.catalogue.names.schema(model.from_) if model.from_ in self.project.datasets else None
        for name in needed if known is not None else ():
            if name not in (known or {}):
                options = (("options", option) for option, value in model.options.items() if value == name)
                place = self.project.places.value("datasets", dataset, *next(options, ("transform",)))
                reads = f"the transform `{model.transform}` reads the column `{name}`"
                message = f"{reads}, and dataset `{model.from_}` has none of that name"
                hint = nearest(name, known or {})
                yield Diagnostic("unknown_column", message, place, hint, subject=f"dataset {dataset}")

    def queries(self) -> Iterator[Diagnostic]:
        """Check that every table that a query names is a dataset, or a table of the query's source.

        Of a pack one may use a part, so tables that only its queries read may be missing: `data` warns of them.
        """
        left_out = LeftOut(self.project.broken)
        for dataset, model in self.project.datasets.items():
            source = self._source_of(dataset)
            if not model.sql or self._is_of_pack(dataset) or not self.catalogue.is_sound(dataset):
                continue
            for table in tables(read(model.sql, "query")) if self._is_listable(source) else ():
                is_dataset = table.name in self.project.datasets and table.name != dataset
                if is_dataset or left_out.has(table.name, "dataset"):
                    continue
                error = self._fault_of_table(source, table.name)
                if error is not None:
                    place = self.project.places.within(("datasets", dataset, "sql"), *span(table.this))
                    said = self._unknown_table(source, table.name, error)
                    yield replace(said, place=place, subject=f"dataset {dataset}")

    def data(self, found: Iterable[Diagnostic]) -> Iterator[Diagnostic]:
        """Warn of datasets whose data cannot be read, unless a mistake that is reported says why."""
        broken = {each.subject for each in found}
        unread = {name: e for name, e in self.unreadable.items() if self.catalogue.names.schema(name) is None}
        for dataset, error in unread.items():
            below = made_of(dataset, origins_below(self.project.datasets))
            if any(f"dataset {each}" in broken or (each in unread and each != dataset) for each in below):
                continue
            sources = {self._source_of(each) for each in below if not self.project.datasets[each].transform}
            if any(f"source {each}" in broken or not self._is_there(each) for each in sources):
                continue
            if isinstance(error, DefinitionError):
                yield from error.diagnostics
                continue
            place = error.place or self._place_of_data(dataset)
            message = f"the columns of dataset `{dataset}` cannot be checked: {error.message}"
            yield Diagnostic(error.code, message, place, error.hint, severity="warning", subject=f"dataset {dataset}")

    def types(self, found: Iterable[Diagnostic]) -> Iterator[Diagnostic]:
        """Check that every expression has a type, and the one that is needed; of what has no other mistake in it or below it."""
        broken = {each.subject for each in found if each.severity == "error"}
        for dataset in self.project.datasets:
            if f"dataset {dataset}" not in broken and self.catalogue.is_sound(dataset):
                for fault in self._misfits(dataset_probes(dataset, self.catalogue.names)):
                    broken.add(f"dataset {dataset}")
                    yield self.catalogue.diagnostic("datasets", dataset, fault)
        for kpi_id in self.project.kpis:
            kpi = self._resolved(kpi_id, broken)
            if kpi is not None:
                probes = kpi_probes(kpi, self.catalogue.names, self.project.parameters)
                yield from (self.catalogue.diagnostic("kpis", kpi_id, fault) for fault in self._misfits(probes))

    def _resolved(self, kpi_id: str, broken: set[str]) -> ResolvedKpi | None:
        datasets = self.catalogue.datasets_under(kpi_id)
        if f"kpi {kpi_id}" in broken or any(f"dataset {each}" in broken for each in datasets):
            return None
        try:
            return self.catalogue.kpi(kpi_id)
        except DefinitionError:
            return None

    def _misfits(self, probes: Probes) -> list[Fault]:
        """Find the expressions without a type, or without the one that is needed, and those that are compared with another kind."""
        rows = unknown_values(probes.columns)
        if rows is None:
            return []
        types = _Types(self.binder, rows)
        found: list[Fault] = []
        for pair, left, right in types.of_pairs(probes.pairs):
            if message := misfit(pair, left, right):
                hint = _SAME_TYPE if pair.left.place.path[0] == "joins" else _SAME_KIND
                found.append(_fault(pair.left.place, "types_do_not_fit", message, hint))
        said = {fault.path for fault in found}
        for probe, type_ in types.of([probe for probe in probes.wholes if probe.place.path not in said]):
            if probe.wanted == "number" and ("formula",) in {fault.path for fault in found}:
                continue
            found += _unwanted(probe, type_)
        return list(dict.fromkeys(found))

    def _source_of(self, dataset: str) -> str:
        return self.project.datasets[dataset].source or self.binder.default_source

    def _is_of_pack(self, dataset: str) -> bool:
        return self.project.origins["datasets", dataset] in self.project.settings.definitions

    def _is_there(self, source: str) -> bool:
        return source in self.project.settings.sources or self.binder.is_handed_in(source)

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
        hint = nearest(table, dict.fromkeys([*self.binder.tables(source), *self.project.datasets]))
        message = f"there is no dataset `{table}`, and no table of that name in the source `{source}`"
        return Diagnostic("unknown_table", message, None, hint)

    def _place_of_data(self, dataset: str) -> Place | None:
        places, has_table = self.project.places, self.project.datasets[dataset].table
        return places.value("datasets", dataset, "table") if has_table else places.key("datasets", dataset)


@dataclass(frozen=True)
class _Types:
    """Asks for the types of many expressions at once, and one by one where that fails."""

    binder: Binder
    rows: exp.Select

    def of(self, probes: Sequence[Probe]) -> Iterator[tuple[Probe, str | KpiError]]:
        """Give the type of each expression, or why it has none; rows and aggregates are asked for apart."""
        for aggregated in (False, True):
            some = [probe for probe in probes if probe.aggregated == aggregated]
            yield from zip(some, self._asked(some), strict=True)

    def of_pairs(self, pairs: Sequence[Pair]) -> Iterator[tuple[Pair, str, str]]:
        """Give the types of the two sides of each comparison, where both have one."""
        sides = [side for pair in pairs for side in (pair.left, pair.right)]
        types = {id(probe): found for probe, found in self.of(sides)}
        for pair in pairs:
            left, right = types[id(pair.left)], types[id(pair.right)]
            if isinstance(left, str) and isinstance(right, str):
                yield pair, left, right

    def _asked(self, probes: list[Probe]) -> list[str | KpiError]:
        if not probes:
            return []
        try:
            return list(self.binder.types([probe.tree for probe in probes], self.rows))
        except KpiError as error:
            return [error] if len(probes) == 1 else [found for probe in probes for found in self._asked([probe])]


def _fault(place: Stretch, code: str, message: str, hint: str) -> Fault:
    return Fault(place.path, Mistake(code, message, place.offset, place.length, hint))


def _with_install(error: KpiError) -> str:
    if error.code != "unknown_plugin" or "install" in error.hint:
        return error.hint
    hint = "install the plugin that brings it: `kpi plugins list` shows those there are"
    return f"{error.hint}; or {hint}" if error.hint else hint


def _unwanted(probe: Probe, found: str | KpiError) -> Iterator[Fault]:
    if isinstance(found, KpiError):
        if isinstance(found, DataError):
            hint = "declare what the column is with `columns: {…: {type: …}}`, or write `cast(x as type)`"
            yield _fault(probe.place, "types_do_not_fit", _said_of(found), hint)
    elif probe.wanted == "boolean" and family(found) != "boolean" and not _is_null(found):
        hint = "compare it with something: `channel = 'email'`"
        message = f"this is {in_words(found)}, and a condition is true or false"
        yield _fault(probe.place, "not_a_condition", message, hint)
    elif probe.wanted == "number" and family(found) != "number" and not _is_null(found):
        is_truth = found == "BOOLEAN"
        hint = "count what is true with `count_if(condition)`" if is_truth else "count, add up or measure something"
        yield _fault(probe.place, "not_a_number", f"the formula gives {in_words(found)}, and a KPI is a number", hint)


def _is_null(sql_type: str) -> bool:
    return sql_type.strip('"').upper() == "NULL"


_CALL = re.compile(r"argument types '(?P<name>[^(]+)\((?P<types>.*?)\)'")
_MIXED = re.compile(
    r"Cannot (?P<doing>compare|mix) values of type (?P<left>.+?) and (?:type )?(?P<right>.+?)(?: in | - |$)"
)


def _said_of(error: DataError) -> str:
    """Say what a database says of types in the words of the language."""
    if call := _CALL.search(error.message):
        types = call["types"].replace("_LITERAL", "").replace(", ", " and ")
        return f"`{call['name'].strip()}` cannot be used with {types}"
    if mixed := _MIXED.search(error.message):
        doing = "compared" if mixed["doing"] == "compare" else "mixed"
        return f"{mixed['left']} and {mixed['right']} cannot be {doing}".replace("_LITERAL", "")
    return re.sub(r"^.*?Error: ", "", error.message)
