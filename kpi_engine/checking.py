"""Everything that is wrong with a project, said at once: each mistake once, in the order of its files.

The catalogue finds what definitions say wrongly of each other. Beyond it, sources and transforms must be there and take their
settings, the tables that queries name must exist, and every expression must have a type. What only follows from a mistake that is
reported elsewhere is left out.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from kpi_engine.calendar import parse_duration
from kpi_engine.calendar.zones import load_zone
from kpi_engine.catalogue import in_order
from kpi_engine.catalogue.currencies import currency_mistake, no_rates, rates_dataset
from kpi_engine.catalogue.faults import LeftOut
from kpi_engine.catalogue.graph import made_of, origins_below
from kpi_engine.errors import DataError, DefinitionError, Diagnostic, KpiError, PluginError, nearest
from kpi_engine.formula.gate import read
from kpi_engine.formula.queries import place_of, tables
from kpi_engine.travelling import rows_that_travel
from kpi_engine.typechecks import types_of_dataset, types_of_kpi

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from sqlglot import exp

    from kpi_engine.catalogue import Catalogue, ResolvedKpi
    from kpi_engine.definitions import Project
    from kpi_engine.errors import Place, Severity
    from kpi_engine.execution.binding import Binder

_OF_SETTINGS = frozenset({"bad_settings", "literal_secret"})
_OF_DEFINITIONS = frozenset({"outside_source"})
"""What is wrong with a table's name, whatever the data are."""


def checked(
    project: Project,
    catalogue: Catalogue,
    binder: Binder,
    unreadable: Mapping[str, KpiError],
    without_terms: Mapping[str, KpiError],
) -> list[Diagnostic]:
    """Find every mistake: in the files, in what they say of each other, in sources, transforms, queries and types.

    A dataset whose data cannot be read is a warning: its columns are not known, so their names go unchecked.
    """
    checking = _Checking(project, catalogue, binder, unreadable, without_terms)
    found = [
        *_timezone(project),
        *_currency(project),
        *catalogue.check(),
        *checking.sources(),
        *checking.transforms(),
        *checking.queries(),
    ]
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


def _duration(text: str, place: Place | None, subject: str) -> Iterator[Diagnostic]:
    try:
        parse_duration(text)
    except DefinitionError as error:
        yield from (replace(each, place=place, subject=subject) for each in error.diagnostics)


def _currency(project: Project) -> Iterator[Diagnostic]:
    written = project.settings.reporting_currency
    mistake = currency_mistake(written)
    if mistake is None and written and not rates_dataset(project.datasets):
        mistake = no_rates(written)
    if mistake is not None:
        place = project.places.value("project", "reporting_currency")
        yield Diagnostic(mistake.code, mistake.message, place, mistake.hint, subject="project")


@dataclass(frozen=True)
class _Checking:
    project: Project
    catalogue: Catalogue
    binder: Binder
    unreadable: Mapping[str, KpiError]
    without_terms: Mapping[str, KpiError]

    def sources(self) -> Iterator[Diagnostic]:
        """Check that sources are made by a plugin and take their settings, and that those that datasets read are there."""
        declared = self.project.settings.sources
        read = dict.fromkeys(
            self._source_of(name) for name, model in self.project.datasets.items() if not model.transform
        )
        for name in declared:
            error = self._fault_of_source(name) if name in read else self._fault_of_making(name)
            yield from () if error is None else self._of_source(name, error)
            yield from () if isinstance(error, PluginError) else self._fetching(name)
        default = self.project.settings.default_source
        if default and default not in declared:
            hint = nearest(default, declared) or "declare it under `sources:`"
            place = self.project.places.value("project", "default_source")
            yield Diagnostic("unknown_source", f"there is no source `{default}`", place, hint, subject="project")
        elif self.binder.default_source in read and not self._is_there(self.binder.default_source):
            yield self._no_source()

    def _fetching(self, name: str) -> Iterator[Diagnostic]:
        """Check what `kpi sync` will be told of a source, whether or not its secrets are here."""
        settings = self.project.settings.sources[name]
        try:
            is_fetched = self.binder.is_fetched(name)
        except KpiError as error:
            yield from self._of_source(name, error) if error.code != "missing_secret" else ()
            return
        if not is_fetched and "sync" in settings.model_fields_set:
            message = f"the source `{name}` is not synced: KPIs read it where it is, and `sync` has no effect"
            place = self.project.places.key("project", "sources", name, "sync")
            yield Diagnostic("not_a_stream", message, place, "remove `sync`", "warning", subject=f"source {name}")
        for stream, own in settings.sync.streams.items():
            place = self.project.places.value("project", "sources", name, "sync", "streams", stream, "lookback")
            yield from _duration(own.lookback, place, f"source {name}") if own.lookback else ()

    def _of_source(self, name: str, error: KpiError) -> Iterator[Diagnostic]:
        is_plugin = isinstance(error, PluginError)
        place = self._place_of_setting(error, "project", "sources", name)
        if not error.setting:
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
                yield from self._columns_needed(dataset, self.binder.needs(made))
            except KpiError as error:
                place = self._place_of_setting(error, "datasets", dataset, "options")
                if error.code not in _OF_SETTINGS:
                    place = self.project.places.value("datasets", dataset, "transform")
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
                    yield self.binder.fault_of_query(dataset, table, error)

    def data(self, found: Iterable[Diagnostic]) -> Iterator[Diagnostic]:
        """Say which datasets cannot be read, unless a mistake that is reported says why."""
        broken = {each.subject for each in found}
        names = self.catalogue.names
        for name in self.project.datasets:
            names.terms(name)
        lacking = [name for name in self.project.datasets if names.schema(name) is None or name in self.without_terms]
        why = {**self.without_terms, **self.unreadable}
        unread = {name: why[name] for name in lacking if name in why}
        left_out, origins = LeftOut(self.project.broken), origins_below(self.project.datasets)
        for dataset, error in unread.items():
            below = made_of(dataset, origins)
            if any(left_out.has(table.name, "dataset") for each in below for table in self._tables_of(each)):
                continue
            if any(f"dataset {each}" in broken or (each in unread and each != dataset) for each in below):
                continue
            sources = {self._source_of(each) for each in below if not self.project.datasets[each].transform}
            if any(f"source {each}" in broken or not self._is_there(each) for each in sources):
                continue
            if isinstance(error, DefinitionError) and error.code != "unknown_table":
                yield from error.diagnostics
                continue
            if self.project.datasets[dataset].sql and (isinstance(error, DataError) or error.code == "query_failed"):
                yield self._of_query(dataset, error)
                continue
            if error.code in _OF_DEFINITIONS:
                place = self._place_of_data(dataset)
                yield Diagnostic(error.code, error.message, place, error.hint, subject=f"dataset {dataset}")
                continue
            place = error.place or self._place_of_data(dataset)
            message = f"the columns of dataset `{dataset}` cannot be checked: {error.message}"
            yield Diagnostic(error.code, message, place, error.hint, severity="warning", subject=f"dataset {dataset}")

    def _tables_of(self, dataset: str) -> tuple[exp.Table, ...]:
        model = self.project.datasets[dataset]
        return tables(read(model.sql, "query")) if model.sql and self.catalogue.is_sound(dataset) else ()

    def _of_query(self, dataset: str, error: KpiError) -> Diagnostic:
        """Place what the database says of a query at the first name in it that it is about."""
        sql = self.project.datasets[dataset].sql
        message = error.message.removeprefix(f"dataset `{dataset}`: ")
        about = re.findall(r"`([^`]+)`", message)
        at = place_of(about, read(sql, "query")) or (0, len(sql.partition("\n")[0]))
        place = self.project.places.within(("datasets", dataset, "sql"), *at)
        hint = "correct what the query compares or converts" if error.code == "bad_value" else error.hint
        return Diagnostic(error.code, message, place, hint, subject=f"dataset {dataset}")

    def types(self, found: Iterable[Diagnostic]) -> Iterator[Diagnostic]:
        """Check that every expression has a type, and the one that is needed; of what has no other mistake in it or below it."""
        broken = {each.subject for each in found if each.severity == "error"}
        for dataset in self.project.datasets:
            if f"dataset {dataset}" not in broken and self.catalogue.is_sound(dataset):
                said = types_of_dataset(dataset, self.catalogue, self.binder)
                broken |= {f"dataset {dataset}" for _ in said}
                yield from said
        for kpi_id in self.project.kpis:
            kpi = self._resolved(kpi_id, broken)
            if kpi is not None:
                said = types_of_kpi(kpi, self.catalogue, self.binder)
                yield from said
                if not said and self._can_be_read(kpi_id):
                    yield from rows_that_travel(kpi, self.catalogue, self.binder)

    def _can_be_read(self, kpi_id: str) -> bool:
        """Say whether every source and table below a KPI is there; what is wrong with one that is not has been said."""
        datasets = self.catalogue.datasets_under(kpi_id, converted=True)
        sources = {self._source_of(each) for each in datasets}
        if not all(self._is_there(each) and self._fault_of_making(each) is None for each in sources):
            return False
        tables = {each: self.project.datasets[each].table or each for each in datasets if self.binder.is_remote(each)}
        return all(self._fault_of_table(self._source_of(each), table) is None for each, table in tables.items())

    def _resolved(self, kpi_id: str, broken: set[str]) -> ResolvedKpi | None:
        datasets = self.catalogue.datasets_under(kpi_id, converted=True)
        if f"kpi {kpi_id}" in broken or any(f"dataset {each}" in broken for each in datasets):
            return None
        try:
            return self.catalogue.kpi(kpi_id)
        except DefinitionError:
            return None

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

    def _fault_of_making(self, source: str) -> KpiError | None:
        try:
            self.binder.make(source)
        except KpiError as error:
            return error
        return None

    def _fault_of_table(self, source: str, table: str) -> KpiError | None:
        try:
            self.binder.find(source, table)
        except KpiError as error:
            return error
        return None

    def _place_of_setting(self, error: KpiError, *above: str) -> Place | None:
        """Place what a plugin does not take: a key that it does not know at the key, anything else at the value."""
        places = self.project.places
        return (places.key if error.is_unknown_setting else places.value)(*above, *error.setting)

    def _place_of_data(self, dataset: str) -> Place | None:
        places, has_table = self.project.places, self.project.datasets[dataset].table
        return places.value("datasets", dataset, "table") if has_table else places.key("datasets", dataset)


def _with_install(error: KpiError) -> str:
    if error.code != "unknown_plugin" or "install" in error.hint:
        return error.hint
    hint = "install the plugin that brings it: `kpi plugins list` shows those there are"
    return (
        f"{error.hint} Otherwise {hint}"
        if error.hint.endswith("?")
        else f"{error.hint}; or {hint}"
        if error.hint
        else hint
    )
