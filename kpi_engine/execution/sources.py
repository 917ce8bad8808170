"""The sources of a project, each made when it is first asked; whatever a source is asked goes through here."""

from __future__ import annotations

from contextlib import suppress
from threading import RLock
from typing import TYPE_CHECKING, Any

from kpi_engine.api import SourceContext, Table
from kpi_engine.errors import KpiError, PluginError, SourceError, nearest
from kpi_engine.sync.serving import SyncedSource, is_fetched

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

    from kpi_engine.api import ArrowStream, Scan, Source, SqlSource, Transform
    from kpi_engine.definitions import Project
    from kpi_engine.execution.scanning import Opened
    from kpi_engine.plugins import Plugins


class Sources:
    """Makes sources and transforms, and asks them; what is no answer is refused, naming the plugin. From any thread."""

    def __init__(self, project: Project, plugins: Callable[[], Plugins]) -> None:
        self._project = project
        self._plugins = plugins
        self._made: dict[str, Source] = {}
        self._lock = RLock()
        self._stops: list[None] = []
        """One for each time that all that is computed was stopped; threads that are left behind keep this alive, and nothing else of the engine."""

    def get(self, name: str) -> Source:
        """Make a source, or give the one that was made."""
        with self._lock:
            if name not in self._made:
                self._made[name] = self._make(name)
            return self._made[name]

    def is_fetched(self, name: str) -> bool:
        """Whether the rows of a source are fetched by `kpi sync`; raise what is wrong with the settings of one that is."""
        settings = self._project.settings.sources[name]
        plugins = self._plugins()
        made: Any = plugins.source(settings.plugin)
        if is_fetched(made):
            plugins.configure(made, settings.model_extra or {})
        return is_fetched(made)

    def known(self, name: str) -> Source | None:
        """Give a source that was made."""
        return self._made.get(name)

    def call(self, source: Source, method: str, *given: object) -> Any:  # noqa: ANN401 - as the method has it
        """Call a method of a source."""
        return self._plugins().call("source", source, method, *given)

    def tables(self, source: Source) -> Sequence[Table]:
        """List the tables of a source."""
        found = self.call(source, "tables")
        if not isinstance(found, list | tuple) or not all(isinstance(each, Table) for each in found):
            raise _wrong("source", source.name, "tables", found, "a list of `Table` is expected")
        return found

    def rows(self, source: Source, method: str, given: object) -> Any:  # noqa: ANN401 - an Arrow table
        """Give the rows that a source answers with."""

        def taken(found: object) -> Any:  # noqa: ANN401
            if not hasattr(found, "__arrow_c_stream__"):
                raise _wrong("source", source.name, method, found, "a table or a stream of Arrow is expected")
            return arrow(found)

        return self._plugins().call("source", source, method, given, then=taken)

    def answered(self, source: SqlSource, statement: str, columns: Collection[str]) -> Any:  # noqa: ANN401 - an Arrow table
        """Give the answer of a source to a statement, which has the columns that were asked for."""
        table = self.rows(source, "query", statement)
        _refuse_lacking(source, "query", table.column_names, columns)
        return table

    def scanned(self, source: Source, scan: Scan) -> Opened:
        """Begin to scan a table of a source: its columns, and its rows, which are not read before they are asked for."""
        from arro3.core import RecordBatchReader

        def opened(found: object) -> Any:  # noqa: ANN401
            if not hasattr(found, "__arrow_c_stream__"):
                raise _wrong("source", source.name, "scan", found, "a table or a stream of Arrow is expected")
            return RecordBatchReader.from_stream(found)

        stops, plugins = self._stops, self._plugins()
        began = len(stops)
        reader = plugins.call("source", source, "scan", scan, then=opened)
        _refuse_lacking(source, "scan", reader.schema.names, scan.columns)
        named = (name for name, made in self._made.items() if made is source)
        refuse_twins(next(named, source.name), scan.table, reader.schema.names)
        return reader.schema, plugins.pieces("source", source, "scan", lambda: reader, lambda: len(stops) != began)

    def stop(self) -> None:
        """End all scans, from another thread."""
        self._stops.append(None)

    def interrupt(self, names: Iterable[str]) -> None:
        """Stop what sources compute at this moment, those that can be stopped, from another thread."""
        for name in names:
            source = self.known(name)
            if source is not None and callable(getattr(source, "interrupt", None)):
                with suppress(PluginError):  # the request ends all the same, and says why
                    self.call(source, "interrupt")

    def folders(self) -> Iterator[str]:
        """Name the folders that the sources read; those of a source that cannot be made are not known."""
        for name in self._project.settings.sources:
            try:
                source = self.get(name)
            except KpiError:
                continue
            if callable(getattr(source, "folders", None)):
                yield from self.call(source, "folders")

    def close(self) -> None:
        """Close the sources that can be closed; one that fails does not keep the others open, and the first failure is raised."""
        failures: list[KpiError] = []
        for source in self._made.values():
            if callable(getattr(source, "close", None)):
                try:
                    self.call(source, "close")
                except KpiError as error:
                    failures.append(error)
        if failures:
            raise failures[0]

    def transform(self, dataset: str) -> Transform:
        """Make the transform of a dataset, with its options checked."""
        model = self._project.datasets[dataset]
        plugins = self._plugins()
        made = plugins.transform(model.transform)
        config = plugins.configure(made, dict(model.options))
        found: Transform = plugins.make("transform", made, config)
        return found

    def needs(self, transform: Transform) -> Sequence[str]:
        """Name the columns that a transform reads of the dataset below."""
        found = self._plugins().call("transform", transform, "needs")
        if not isinstance(found, list | tuple) or not all(isinstance(each, str) for each in found):
            raise _wrong("transform", transform.name, "needs", found, "a list of names is expected")
        return found

    def columns(self, transform: Transform) -> Mapping[str, str]:
        """Say which columns a transform gives."""
        found = self._plugins().call("transform", transform, "columns")
        if not isinstance(found, dict):
            raise _wrong("transform", transform.name, "columns", found, "a mapping of names to types is expected")
        return found

    def applied(self, transform: Transform, rows: ArrowStream) -> Any:  # noqa: ANN401 - an Arrow table
        """Have a transform compute its result, which has the columns that were announced; it is given all rows in one piece."""
        given = arrow(rows)
        whole = given.combine_chunks() if given.num_rows else given

        def taken(found: object) -> Any:  # noqa: ANN401
            if not hasattr(found, "__arrow_c_stream__"):
                raise _wrong("transform", transform.name, "apply", found, "a table or a stream of Arrow is expected")
            return arrow(found)

        table = self._plugins().call("transform", transform, "apply", whole, then=taken)
        announced, given = list(self.columns(transform)), list(table.schema.names)
        if sorted(given) != sorted(announced):
            told = f"`apply` gave the {_columns(given)}, and announced {', '.join(map(repr, announced))}"
            message = f"the transform plugin `{transform.name}` failed: {told}"
            raise PluginError(message, code="plugin_failed", hint=_HINT)
        return table

    def _make(self, name: str) -> Source:
        settings = self._project.settings.sources.get(name)
        if settings is None:
            hint = nearest(name, self._project.settings.sources)
            raise SourceError(f"there is no source `{name}`", code="unknown_source", hint=hint)
        plugins = self._plugins()
        made: Any = plugins.source(settings.plugin)
        if is_fetched(made):
            return SyncedSource(SourceContext(name, self._project.root))
        config = plugins.configure(made, settings.model_extra or {})
        source: Source = plugins.make("source", made, config, SourceContext(name, self._project.root))
        return source


def refuse_twins(source: str, table: str, columns: Iterable[str]) -> None:
    """Refuse two columns of one name: small and capital letters are the same here, and one would be taken for the other."""
    seen: dict[str, str] = {}
    for name in columns:
        folded = name.casefold()
        if folded in seen:
            message = f"the table `{table}` of the source `{source}` has two columns of one name: `{seen[folded]}` and `{name}`"
            hint = "give one another name there, or read a view that does"
            raise SourceError(message, code="duplicate_column", hint=hint)
        seen[folded] = name


_HINT = "this is a fault of the plugin: tell its author, or disable it; `kpi plugins list` says where it comes from"


def _wrong(kind: str, word: str, method: str, found: object, expected: str) -> PluginError:
    message = f"the {kind} plugin `{word}` failed: `{method}` gave {type(found).__name__}, {expected}"
    return PluginError(message, code="plugin_failed", hint=_HINT)


def _refuse_lacking(source: Source, method: str, given: Collection[str], wanted: Collection[str]) -> None:
    """Refuse rows without a column that was asked for."""
    if not {name.casefold() for name in wanted} <= {name.casefold() for name in given}:
        told = f"`{method}` gave the {_columns(given)}, and was asked for the {_columns(wanted)}"
        message = f"the source plugin `{source.name}` failed: {told}"
        raise PluginError(message, code="plugin_failed", hint=_HINT)


def _columns(names: Collection[str]) -> str:
    return f"columns {', '.join(map(repr, names))}"


def arrow(stream: Any) -> Any:  # noqa: ANN401 - anything that speaks Arrow
    """Read a stream to its end."""
    from arro3.core import Table as ArrowTable

    return ArrowTable.from_arrow(stream)


def registrable(table: Any) -> Any:  # noqa: ANN401 - a data frame or Arrow
    """DuckDB takes pandas frames as they are; all else comes as Arrow."""
    is_pandas = type(table).__module__.split(".")[0] == "pandas"
    return table if is_pandas or not hasattr(table, "__arrow_c_stream__") else arrow(table)
