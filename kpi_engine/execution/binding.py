"""From a dataset's name to its rows: which source, which table, what DuckDB is to read."""

from __future__ import annotations

from threading import RLock
from typing import TYPE_CHECKING, Any

from kpi_engine.api import DatabaseRelation, Scan, SourceContext
from kpi_engine.api.sources import RelationSource, ScanSource
from kpi_engine.catalogue.graph import cycle, origins_below, query_tables
from kpi_engine.errors import DefinitionError, Diagnostic, KpiError, PluginError, SourceError, nearest
from kpi_engine.formula.gate import Refused, read
from kpi_engine.sql import Named, Relations, select_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from sqlglot import exp

    from kpi_engine.api import Source, Transform
    from kpi_engine.definitions import Project
    from kpi_engine.execution.database import Database
    from kpi_engine.plugins import Plugins
    from kpi_engine.sql import Origin
    from kpi_engine.sql.relations import Key

HANDED_IN = "data"
"""The source of data that the embedder handed in."""


class Binder:
    """Finds what each dataset of a project reads, once per engine; from any thread."""

    def __init__(
        self, project: Project, plugins: Callable[[], Plugins], database: Database, handed_in: Mapping[str, Any] | None
    ) -> None:
        self._project = project
        self._plugins = plugins
        self._database = database
        self._handed_in = handed_in
        self._sources: dict[str, Source] = {}
        self._origins: dict[Key, Origin] = {}
        self._schemas: dict[str, dict[str, str]] = {}
        self._lock = RLock()
        self.default_source = _default_source(project)

    def relations(self, datasets: Iterable[str]) -> tuple[Relations, dict[str, Any]]:
        """Find the origins of datasets and of all they are made of, and the tables to register with the request."""
        registered: dict[str, Any] = {}
        with self._lock:
            for dataset in datasets:
                self._refuse_circle(dataset)
                self._bind(dataset, registered)
            origins = {**self._origins, **{("", d): Named((f"transform_{d}",)) for d in self._transforms(registered)}}
        return Relations(self._project.datasets, origins, self.default_source), registered

    def schema(self, dataset: str) -> dict[str, str]:
        """Give the columns of a dataset with their SQL types, as its data have them."""
        with self._lock:
            if dataset not in self._schemas:
                self._refuse_circle(dataset)
                self._schemas[dataset] = self._find_schema(dataset)
            return self._schemas[dataset]

    def tables(self, source: str) -> tuple[str, ...]:
        """Name the tables that a source has."""
        if source == HANDED_IN and self._handed_in is not None:
            return tuple(self._handed_in)
        return tuple(table.name for table in self._source(source).tables())

    def is_handed_in(self, source: str) -> bool:
        """Whether a source stands for the data that the embedder handed in."""
        return source == HANDED_IN and self._handed_in is not None

    def find(self, source: str, table: str) -> None:
        """Raise what stands in the way of reading a table of a source."""
        with self._lock:
            self._origin((source, table), {}, {})

    def types(self, expressions: Sequence[exp.Expr], rows: exp.Select) -> list[str]:
        """Give the SQL types of expressions over rows; raise `DataError` where one has none."""
        return list(self._database.columns(select_of(expressions, rows)).values())

    def folders(self) -> tuple[str, ...]:
        """Name the folders that the project's sources read."""
        found: list[str] = []
        for name in self._project.settings.sources:
            try:
                source = self._source(name)
            except KpiError:
                continue
            folders = getattr(source, "folders", None)
            found += folders() if callable(folders) else []
        return tuple(found)

    def close(self) -> None:
        """Close the sources that can be closed."""
        for source in self._sources.values():
            close = getattr(source, "close", None)
            if callable(close):
                close()

    def transform(self, dataset: str) -> Transform:
        """Make the transform of a dataset, with its options checked."""
        model = self._project.datasets[dataset]
        plugins = self._plugins()
        made = plugins.transform(model.transform)
        return made(plugins.configure(made, dict(model.options)))

    def _refuse_circle(self, dataset: str) -> None:
        """A dataset that is made of itself has no rows to read."""
        if found := cycle(dataset, origins_below(self._project.datasets)):
            message = f"the datasets are made of one another: {' → '.join(found)}"
            raise DefinitionError(
                [
                    Diagnostic(
                        "dataset_cycle",
                        message,
                        None,
                        "take one of them out of the circle",
                        subject=f"dataset {dataset}",
                    )
                ]
            )

    def _find_schema(self, dataset: str) -> dict[str, str]:
        model = self._project.datasets[dataset]
        if model.transform:
            below = self.schema(model.from_)
            made = self.transform(dataset).columns()
            return {name: kind or below.get(name, "") for name, kind in made.items()}
        relations, registered = self.relations([dataset])
        return self._database.columns(relations.select(dataset), registered, f"dataset `{dataset}`")

    def _bind(self, dataset: str, registered: dict[str, Any]) -> None:
        model = self._project.datasets[dataset]
        if model.transform:
            name = f"transform_{dataset}"
            if name not in registered:
                registered[name] = self._transformed(dataset)
        elif model.sql:
            for table in self._query_tables(dataset):
                if table in self._project.datasets and table != dataset:
                    self._bind(table, registered)
                else:
                    self._origin((self._source_of(dataset), table), {}, registered)
        else:
            types = {name: column.type.upper() for name, column in model.columns.items() if column.type}
            origin = self._origin((self._source_of(dataset), model.table or dataset), types, registered)
            self._origins["", dataset] = origin

    def _query_tables(self, dataset: str) -> tuple[str, ...]:
        try:
            return query_tables(read(self._project.datasets[dataset].sql, "query"))
        except Refused as refused:
            mistake = refused.mistakes[0]
            place = self._project.places.within(("datasets", dataset, "sql"), mistake.offset, mistake.length)
            raise DefinitionError(
                [Diagnostic(mistake.code, mistake.message, place, mistake.hint, subject=f"dataset {dataset}")]
            ) from None

    def _origin(self, key: Key, types: Mapping[str, str], registered: dict[str, Any]) -> Origin:
        source_name, table = key
        if source_name == HANDED_IN and self._handed_in is not None:
            return self._from_hand(key, self._handed_in, registered)
        source = self._source(source_name)
        scan = Scan(table, types=types)
        if isinstance(source, RelationSource):
            found = source.relation(scan)
            origin: Origin = (
                found
                if not isinstance(found, DatabaseRelation)
                else Named((self._database.attach(found.path), *found.name))
            )
        elif isinstance(source, ScanSource):
            origin = Named((f"scan_{source_name}_{table}",))
            if origin.parts[0] not in registered:
                registered[origin.parts[0]] = _arrow(source.scan(scan))
        else:
            raise PluginError(
                f"the source `{source_name}` can neither scan nor be read by DuckDB", code="broken_plugin"
            )
        self._origins[key] = origin
        return origin

    def _from_hand(self, key: Key, data: Mapping[str, Any], registered: dict[str, Any]) -> Origin:
        if key not in self._origins:
            table = next((name for name in data if name.casefold() == key[1].casefold()), None)
            if table is None:
                raise SourceError(
                    f"the data hold no table `{key[1]}`", code="unknown_table", hint=nearest(key[1], data)
                )
            self._origins[key] = Named((table,))
        origin = self._origins[key]
        if isinstance(origin, Named) and not self._database.is_live:
            registered[origin.parts[0]] = _registrable(data[origin.parts[0]])
        return origin

    def _transforms(self, registered: Mapping[str, Any]) -> list[str]:
        return [d for d, model in self._project.datasets.items() if model.transform and f"transform_{d}" in registered]

    def _transformed(self, dataset: str) -> Any:  # noqa: ANN401 - an Arrow table
        model = self._project.datasets[dataset]
        transform = self.transform(dataset)
        relations, registered = self.relations([model.from_])
        known = self.schema(model.from_)
        for name in transform.needs():
            if name not in known:
                message = f"the transform `{model.transform}` of dataset `{dataset}` needs the column `{name}` of `{model.from_}`"
                raise DefinitionError(
                    [Diagnostic("unknown_column", message, None, nearest(name, known), subject=f"dataset {dataset}")]
                )
        rows, _ = self._database.table(
            relations.select(model.from_, transform.needs()), registered, about=f"dataset `{model.from_}`"
        )
        return _arrow(transform.apply(rows))

    def _source_of(self, dataset: str) -> str:
        name = self._project.datasets[dataset].source or self.default_source
        if not name:
            raise SourceError(f"the dataset `{dataset}` names no source, and the project has no default one", code="no_source",
                              hint="declare `sources:` and `default_source:` in kpi.yaml")  # fmt: skip
        return name

    def _source(self, name: str) -> Source:
        with self._lock:
            if name not in self._sources:
                settings = self._project.settings.sources.get(name)
                if settings is None:
                    raise SourceError(
                        f"there is no source `{name}`",
                        code="unknown_source",
                        hint=nearest(name, self._project.settings.sources),
                    )
                plugins = self._plugins()
                made = plugins.source(settings.plugin)
                config = plugins.configure(made, settings.model_extra or {})
                self._sources[name] = made(config, SourceContext(name, self._project.root))
            return self._sources[name]


def _default_source(project: Project) -> str:
    declared = project.settings.sources
    if project.settings.default_source:
        return project.settings.default_source
    return next(iter(declared)) if len(declared) == 1 else ("" if declared else HANDED_IN)


def _arrow(stream: Any) -> Any:  # noqa: ANN401 - anything that speaks Arrow
    from arro3.core import Table

    return Table.from_arrow(stream)


def _registrable(table: Any) -> Any:  # noqa: ANN401 - a data frame or Arrow
    """DuckDB takes pandas frames as they are; all else comes as Arrow."""
    return (
        _arrow(table)
        if hasattr(table, "__arrow_c_stream__") and type(table).__module__.split(".")[0] != "pandas"
        else table
    )
