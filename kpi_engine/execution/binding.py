"""From a dataset's name to its rows: which source, which table, what DuckDB is to read."""

from __future__ import annotations

from dataclasses import replace
from threading import RLock
from typing import TYPE_CHECKING, Any

from kpi_engine.api import DatabaseRelation, FileRelation, Scan
from kpi_engine.api.sources import RelationSource, ScanSource, SqlSource, VersionedSource
from kpi_engine.calendar.zones import load_zone
from kpi_engine.catalogue.graph import cycle, in_a_circle, origins_below
from kpi_engine.catalogue.names import Names
from kpi_engine.errors import DefinitionError, Diagnostic, KpiError, PluginError, SourceError, TimeoutExceeded, nearest
from kpi_engine.execution.contracts import Contracts
from kpi_engine.execution.faults import from_the_project
from kpi_engine.execution.querying import asked
from kpi_engine.execution.scanning import Scanned, schemas
from kpi_engine.execution.sources import Sources, refuse_twins, registrable
from kpi_engine.execution.versions import Versions
from kpi_engine.formula.gate import Refused, read, span
from kpi_engine.formula.queries import tables
from kpi_engine.plugins.isolation import ships
from kpi_engine.sql import Named, Relations, Remote, Renderer, select_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    from sqlglot import exp

    from kpi_engine.api import Source, Transform
    from kpi_engine.catalogue.terms import Terms
    from kpi_engine.definitions import Project
    from kpi_engine.execution.database import Database
    from kpi_engine.execution.scanning import Opened
    from kpi_engine.execution.versions import Version
    from kpi_engine.plugins import Plugins
    from kpi_engine.sql import Origin
    from kpi_engine.sql.relations import Key

_NOT_THERE = frozenset({"unknown_table", "missing_file"})
HANDED_IN = "data"
"""The source of data that the embedder handed in."""


class Binder:
    """Finds what each dataset of a project reads; from any thread."""

    def __init__(
        self, project: Project, plugins: Callable[[], Plugins], database: Database, handed_in: Mapping[str, Any] | None
    ) -> None:
        self._project = project
        self._plugins = plugins
        self._database = database
        self._handed_in = handed_in
        self._sources = Sources(project, plugins)
        self._origins: dict[Key, Origin] = {}
        self._remote: dict[str, dict[str, Remote]] = {}
        self._scans: dict[Key, tuple[str, ...]] = {}
        self._stops = 0
        self._schemas: dict[str, tuple[Version, dict[str, str]]] = {}
        self._lock = RLock()
        self.default_source = _default_source(project)
        self._versions = Versions(project, self._own_source, self._source_of, self._is_shipped, self._sources.call)
        self._contracts = Contracts(project, self._sources, self._own_source, self._versions)

    def relations(self, datasets: Iterable[str], keep: Collection[str] = ()) -> tuple[Relations, dict[str, Any]]:
        """Find the origins of datasets and of all they are made of, and the tables to register with the request.

        Rows of those to `keep` are the same ones in each statement of the request.
        """
        registered: dict[str, Any] = {}
        with self._lock:
            for dataset in datasets:
                self._refuse_circle(dataset)
                self._bind(dataset, registered)
            origins = {**self._origins, **{("", d): Named((f"transform_{d}",)) for d in self._transforms(registered)}}
        found = Relations(self._project.datasets, origins, self.default_source)
        for name in {name for dataset in keep for name in found.streams_of(dataset)}:
            registered[name] = registered[name].kept()
        return found, registered

    def schema(self, dataset: str) -> dict[str, str]:
        """Give the columns of a dataset with their SQL types, as its data have them."""
        with self._lock:
            if dataset not in self._schemas:
                self._refuse_circle(dataset)
                self._schemas[dataset] = self.version(dataset), self._find_schema(dataset)
            return self._schemas[dataset][1]

    def terms(self, dataset: str) -> Terms | None:
        """Say under which terms a dataset's sources give its figures."""
        with self._lock:
            return self._contracts.of(dataset)

    def version(self, dataset: str) -> Version:
        """Say what is known of a dataset's data at this moment."""
        with self._lock:
            return self._versions.of(dataset)

    def reads(self, dataset: str) -> tuple[tuple[str, str, str], ...] | None:
        """Name the tables that a dataset is read from, with their sources and versions at this moment.

        None where not all of it is read from tables of shipped sources that know when they change.
        """
        found: list[tuple[str, str, str]] = []
        for name, table in self._versions.tables(dataset) or ((HANDED_IN, ""),):
            source = self._own_source(name) if table else None
            if source is None or not ships(type(source)) or not isinstance(source, VersionedSource):
                return None
            if (version := self._sources.call(source, "version", table)) is None:
                return None
            found.append((name, table, version))
        return tuple(found)

    def looked_at(self) -> tuple[str, ...]:
        """Name the datasets whose columns were looked at."""
        with self._lock:
            return tuple(self._schemas)

    def files(self) -> tuple[str, ...]:
        """Name the files that DuckDB has been told to read by itself."""
        with self._lock:
            return tuple(
                path for each in self._origins.values() if isinstance(each, FileRelation) for path in each.paths
            )

    def refresh(self, datasets: Iterable[str]) -> bool:
        """Look again at the columns of datasets whose data may have changed since; say whether any are others now."""
        changed = False
        with self._lock:
            for dataset in (each for each in datasets if each in self._schemas):
                before, columns = self._schemas[dataset]
                now = self.version(dataset)
                if now.kind in {"handed_in", "unknown"} or (now.kind == "known" and now == before):
                    continue
                del self._schemas[dataset]
                self._remote.clear()
                self._scans.clear()
                try:
                    self._schemas[dataset] = now, self._find_schema(dataset)
                except KpiError:
                    changed = True  # whoever needs the columns looks again, and is told
                    continue
                changed |= list(self._schemas[dataset][1].items()) != list(columns.items())
        return changed

    def tables(self, source: str) -> tuple[str, ...]:
        """Name the tables that a source has."""
        if source == HANDED_IN and self._handed_in is not None:
            return tuple(self._handed_in)
        with from_the_project(self._project.root):
            return tuple(table.name for table in self._sources.tables(self._sources.get(source)))

    def is_handed_in(self, source: str) -> bool:
        """Whether a source stands for the data that the embedder handed in."""
        return source == HANDED_IN and self._handed_in is not None

    def make(self, source: str) -> None:
        """Raise what stands in the way of making a source: a plugin that is missing, or settings that it does not take."""
        with self._lock:
            self._sources.get(source)

    def is_fetched(self, source: str) -> bool:
        """Whether the rows of a source are fetched by `kpi sync`; raise what is wrong with the settings of one that is."""
        with self._lock:
            return self._sources.is_fetched(source)

    def find(self, source: str, table: str) -> None:
        """Raise what stands in the way of reading a table of a source."""
        with self._lock:
            self._origin((source, table), {}, {})

    def types(self, expressions: Sequence[exp.Expr], rows: exp.Select) -> list[str]:
        """Give the SQL types of expressions over rows; raise `DataError` where one has none."""
        return list(self._database.columns(select_of(expressions, rows)).values())

    def is_remote(self, dataset: str) -> bool:
        """Whether a dataset is a table of a SQL source."""
        model = self._project.datasets[dataset]
        if model.sql or model.transform:
            return False
        name = model.source or self.default_source
        return name in self._project.settings.sources and isinstance(self._own_source(name), SqlSource)

    def asking(self, source: str) -> Callable[[str, Collection[str]], Any]:
        """Give what has a SQL source answer a statement of its dialect with some columns, as Arrow; it may be called in any thread."""
        made = self._sources.get(source)
        assert isinstance(made, SqlSource)  # noqa: S101 - only those have tables that are remote

        def ask(statement: str, columns: Collection[str]) -> Any:  # noqa: ANN401 - an Arrow table
            stops = self._stops
            try:
                return self._sources.answered(made, statement, columns)
            except KpiError:
                if self._stops != stops:
                    message = "the request was stopped before it had finished"
                    raise TimeoutExceeded(message, code="interrupted") from None
                raise

        return ask

    def interrupt(self, sources: Iterable[str] | None = None) -> None:
        """Stop what SQL sources compute at this moment, from another thread; where none is named, of all of them, and all scans."""
        self._stops += 1
        if sources is None:
            self._sources.stop()
        self._sources.interrupt(list(self._remote if sources is None else sources))

    def folders(self) -> tuple[str, ...]:
        """Name the folders that the project's sources read."""
        return tuple(self._sources.folders())

    def close(self) -> None:
        """Close the sources that can be closed."""
        self._sources.close()

    def transform(self, dataset: str) -> Transform:
        """Make the transform of a dataset, with its options checked."""
        return self._sources.transform(dataset)

    def needs(self, transform: Transform) -> Sequence[str]:
        """Name the columns that a transform reads of the dataset below."""
        return self._sources.needs(transform)

    def _refuse_circle(self, dataset: str) -> None:
        """A dataset that is made of itself has no rows to read."""
        if found := cycle(dataset, origins_below(self._project.datasets)):
            message = in_a_circle("dataset", found)
            hint = "take one of them out of the circle"
            raise DefinitionError([Diagnostic("dataset_cycle", message, None, hint, subject=f"dataset {dataset}")])

    def _find_schema(self, dataset: str) -> dict[str, str]:
        model = self._project.datasets[dataset]
        if model.transform:
            below = self.schema(model.from_)
            made = self._sources.columns(self.transform(dataset))
            return {name: kind or below.get(name, "") for name, kind in made.items()}
        relations, registered = self.relations([dataset])
        return self._database.columns(relations.typed().select(dataset), schemas(registered), f"dataset `{dataset}`")

    def _bind(self, dataset: str, registered: dict[str, Any]) -> None:
        model = self._project.datasets[dataset]
        if model.transform:
            name = f"transform_{dataset}"
            if name not in registered:
                registered[name] = self._transformed(dataset)
        elif model.sql:
            for table in self._query_tables(dataset):
                if table.name in self._project.datasets and table.name != dataset:
                    self._bind(table.name, registered)
                    continue
                try:
                    self._origin((self._source_of(dataset), table.name), {}, registered)
                except SourceError as error:
                    raise DefinitionError([self.fault_of_query(dataset, table, error)]) from error
        else:
            types = {name: column.type.upper() for name, column in model.columns.items() if column.type}
            origin = self._origin((self._source_of(dataset), model.table or dataset), types, registered)
            self._origins["", dataset] = origin

    def fault_of_query(self, dataset: str, table: exp.Table, error: KpiError) -> Diagnostic:
        """Say why a query cannot read one of its tables, at its name there."""
        place = self._project.places.within(("datasets", dataset, "sql"), *span(table.this))
        said = Diagnostic(error.code, error.message, place, error.hint, subject=f"dataset {dataset}")
        if error.code not in _NOT_THERE:
            return said
        source, name = self._source_of(dataset), table.name
        known = dict.fromkeys([*self.tables(source), *self._project.datasets])
        message = f"there is no dataset `{name}`, and no table of that name in the source `{source}`"
        if name == dataset:
            message = f"the query of `{name}` reads itself, and the source `{source}` has no table of that name"
        hint = nearest(name, [each for each in known if each != dataset]) or "bring the table into the source"
        return replace(said, code="unknown_table", message=message, hint=hint)

    def _query_tables(self, dataset: str) -> tuple[exp.Table, ...]:
        try:
            return tables(read(self._project.datasets[dataset].sql, "query"))
        except Refused as refused:
            mistake = refused.mistakes[0]
            place = self._project.places.within(("datasets", dataset, "sql"), mistake.offset, mistake.length)
            said = Diagnostic(mistake.code, mistake.message, place, mistake.hint, subject=f"dataset {dataset}")
            raise DefinitionError([said]) from None

    def _origin(self, key: Key, types: Mapping[str, str], registered: dict[str, Any]) -> Origin:
        source_name, table = key
        if source_name == HANDED_IN and self._handed_in is not None:
            return self._from_hand(key, self._handed_in, registered)
        source = self._sources.get(source_name)
        scan = Scan(table, types=types)
        if source_name in self._remote or isinstance(source, SqlSource):
            origin: Origin = self._remote_table(source_name, table)
        elif isinstance(source, RelationSource):
            with from_the_project(self._project.root):
                found = self._sources.call(source, "relation", scan)
            origin = (
                found
                if not isinstance(found, DatabaseRelation)
                else Named((self._database.attach(found.path), *found.name))
            )
        elif isinstance(source, ScanSource):
            origin = Named((f"scan_{source_name}_{table}",), is_stream=True)
            if origin.parts[0] not in registered:
                registered[origin.parts[0]] = self._scanned(key, source, scan)
        else:
            message = f"the source `{source_name}` can neither scan nor be read by DuckDB"
            raise PluginError(message, code="broken_plugin")
        self._origins[key] = origin
        return origin

    def _scanned(self, key: Key, source: Source, scan: Scan) -> Scanned:
        """Find a table that is scanned; its columns are looked at once."""

        def opened(columns: tuple[str, ...]) -> Opened:
            with from_the_project(self._project.root):
                return self._sources.scanned(source, replace(scan, columns=columns))

        if key not in self._scans:
            self._scans[key] = tuple(opened(())[0].names)
        return Scanned(opened, self._scans[key])

    def _remote_table(self, source: str, table: str) -> Remote:
        """Find a table of a SQL source by its name; its tables are listed once."""
        if source not in self._remote:
            made = self._sources.get(source)
            assert isinstance(made, SqlSource)  # noqa: S101 - the caller looked
            lacks = frozenset(getattr(made, "lacks", ()))
            with from_the_project(self._project.root):
                self._remote[source] = {
                    each.name: Remote(source, made.dialect, each.path or (each.name,), each.columns, each.reads, lacks)
                    for each in self._sources.tables(made)
                }
        found = self._remote[source]
        if table not in found:
            message = f"the source `{source}` has no table `{table}`"
            raise SourceError(message, code="unknown_table", hint=nearest(table, found) or "it has no tables")
        if not found[table].columns:
            message = f"the table `{table}` of the source `{source}` has no column that can be read"
            raise SourceError(message, code="unknown_table", hint="give it columns of numbers, texts, truths or times")
        refuse_twins(source, table, found[table].columns)
        return found[table]

    def _from_hand(self, key: Key, data: Mapping[str, Any], registered: dict[str, Any]) -> Origin:
        if key not in self._origins:
            table = next((name for name in data if name.casefold() == key[1].casefold()), None)
            if table is None:
                message = f"the data hold no table `{key[1]}`"
                raise SourceError(message, code="unknown_table", hint=nearest(key[1], data))
            self._origins[key] = Named((table,))
        origin = self._origins[key]
        if isinstance(origin, Named) and not self._database.is_live:
            registered[origin.parts[0]] = registrable(data[origin.parts[0]])
        return origin

    def _transforms(self, registered: Mapping[str, Any]) -> list[str]:
        return [
            d for d in self._project.datasets if f"transform_{d}" in registered and self._project.datasets[d].transform
        ]

    def _transformed(self, dataset: str) -> Any:  # noqa: ANN401 - an Arrow table
        model = self._project.datasets[dataset]
        transform = self.transform(dataset)
        relations, registered = self.relations([model.from_])
        known = self.schema(model.from_)
        needed = self._sources.needs(transform)
        for name in needed:
            if name not in known:
                message = f"the transform `{model.transform}` of dataset `{dataset}` needs the column `{name}` of `{model.from_}`"
                hint = nearest(name, known)
                raise DefinitionError([Diagnostic("unknown_column", message, None, hint, subject=f"dataset {dataset}")])
        names = Names(self._project.datasets, self.schema)
        zone = load_zone(self._project.settings.calendar.timezone)
        query = Renderer(names, relations, zone, self._database.columns).rows(model.from_, needed)
        rows, _ = asked(query, registered, self, self._database, about=f"dataset `{model.from_}`")
        return self._sources.applied(transform, rows)

    def _source_of(self, dataset: str) -> str:
        name = self._project.datasets[dataset].source or self.default_source
        if not name:
            raise SourceError(f"the dataset `{dataset}` names no source, and the project has no default one", code="no_source",
                              hint="declare `sources:` and `default_source:` in kpi.yaml")  # fmt: skip
        return name

    def _own_source(self, name: str) -> Source | None:
        return None if self.is_handed_in(name) else self._sources.get(name)

    def _is_shipped(self, dataset: str) -> bool:
        return ships(self._plugins().transform(self._project.datasets[dataset].transform))


def _default_source(project: Project) -> str:
    declared = project.settings.sources
    if project.settings.default_source:
        return project.settings.default_source
    return next(iter(declared)) if len(declared) == 1 else ("" if declared else HANDED_IN)
