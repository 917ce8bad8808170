"""The sync of a project's sources, one after the other; what goes wrong with one stays with it."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from kpi_engine.api import SourceContext
from kpi_engine.digests import digest
from kpi_engine.errors import KpiError, RequestError, SourceError, nearest
from kpi_engine.sync.failpoints import reached
from kpi_engine.sync.folders import folder_of, locked, unwritable
from kpi_engine.sync.reports import SourceReport, SyncReport
from kpi_engine.sync.restating import Closing
from kpi_engine.sync.serving import is_fetched
from kpi_engine.sync.sessions import Session
from kpi_engine.sync.store import discard, open_store, publish
from kpi_engine.sync.wishes import selected, settled, wishes

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Generator, Iterable

    from kpi_engine.api import Message
    from kpi_engine.api.streams import StreamSource
    from kpi_engine.calendar import Calendar
    from kpi_engine.definitions import Project
    from kpi_engine.plugins import Plugins
    from kpi_engine.sync.folders import Folder
    from kpi_engine.sync.reports import Status


@dataclass(frozen=True)
class Watching:
    """Who is told how a sync goes on: of rows by source and stream, and of another process that is waited for."""

    progress: Callable[[str, str, int], None] = lambda *_: None
    waiting: Callable[[str, int], None] = lambda *_: None
    is_stopped: Callable[[], bool] = lambda: False


@dataclass(frozen=True)
class Sync:
    """A project whose sources are to be synced."""

    project: Project
    plugins: Plugins
    calendar: Calendar
    default_source: str = ""
    watching: Watching = Watching()

    def run(self, sources: Collection[str] = (), *, full: bool = False, wait: bool = False) -> SyncReport:
        """Sync sources, or all that are fetched; raise `RequestError` for one that is not there or not fetched."""
        return SyncReport(tuple(self._synced(name, full=full, wait=wait) for name in self._chosen(sources)))

    def _chosen(self, sources: Collection[str]) -> list[str]:
        declared = self.project.settings.sources
        for name in sources:
            if name not in declared:
                raise RequestError(
                    f"there is no source `{name}`",
                    code="unknown_source",
                    hint=nearest(name, declared) or "declare it in kpi.yaml",
                )
        chosen = list(dict.fromkeys(sources)) or [name for name in declared if self._may_be_fetched(name)]
        if not chosen:
            raise RequestError(
                "no source of this project is synced: KPIs read all of them where they are",
                code="nothing_to_sync",
                hint="`kpi sync` is for sources whose rows are fetched, such as those of the plugin `singer`",
            )
        for name in chosen:
            if sources and not is_fetched(self.plugins.source(declared[name].plugin)):
                raise RequestError(
                    f"the source `{name}` is not synced: KPIs read it where it is",
                    code="not_a_stream",
                    hint="name a source whose rows are fetched, or none for all of them",
                )
        return chosen

    def _may_be_fetched(self, name: str) -> bool:
        """Whether a source is fetched; one whose plugin cannot be used is taken to be, so that it is told."""
        try:
            return is_fetched(self.plugins.source(self.project.settings.sources[name].plugin))
        except KpiError:
            return True

    def _synced(self, name: str, *, full: bool, wait: bool) -> SourceReport:
        folder = folder_of(self.project.root, name)
        hide = self.plugins.secrets.hide
        notices: list[str] = []
        try:
            with (
                _on_disk(folder),
                locked(folder, name, wait=wait, waiting=lambda pid: self.watching.waiting(name, pid)),
            ):
                return self._fetched(name, self._made(name), folder, notices, full=full)
        except KpiError as error:
            status: Status = "locked" if error.code == "sync_running" else "failed"
            return SourceReport(name, status, notices=tuple(map(hide, notices)), error=error)

    def _made(self, name: str) -> StreamSource:
        settings = self.project.settings.sources[name]
        made: Any = self.plugins.source(settings.plugin)
        config = self.plugins.configure(made, settings.model_extra or {})
        source: StreamSource = self.plugins.make("source", made, config, SourceContext(name, self.project.root))
        return source

    def _fetched(
        self, name: str, source: StreamSource, folder: Folder, notices: list[str], *, full: bool
    ) -> SourceReport:
        settings = self.project.settings.sources[name]
        identity = digest(settings.model_dump_json(exclude={"sync"}))
        store = open_store(folder, name, settings.plugin, identity, full=full)
        with closing(store):
            reached("opened")
            streams = selected(self.plugins.call("source", source, "streams"), settings.sync, name)
            wanted = wishes(streams, store)
            notices += store.notes
            session = Session(
                store, wanted, lambda stream: settled(stream, settings.sync), self._closing(name),
                lambda stream, rows: self.watching.progress(name, stream, rows),
                settings.sync.commit_rows, notices,
            )  # fmt: skip
            read = partial(source.read, wanted, store.kept.state)
            messages = self.plugins.pieces("source", source, "read", read, self.watching.is_stopped)
            with closing(messages), closing(self._messages(messages)) as passed_on:
                session.take_all(passed_on)
            reports = session.finish()
            publish(store)
        return SourceReport(name, "done", reports, tuple(map(self.plugins.secrets.hide, notices)))

    def _messages(self, messages: Iterable[Message]) -> Generator[Message]:
        """Pass messages on, as long as nobody stops the sync."""
        self._refuse_stopped()
        for message in messages:
            yield message
            self._refuse_stopped()

    def _refuse_stopped(self) -> None:
        if self.watching.is_stopped():
            message = "the sync was stopped before it had finished"
            raise SourceError(message, code="interrupted", hint="what was committed stands")

    def _closing(self, source: str) -> Closing:
        settings = self.project.settings.sources[source].sync
        times: dict[str, str] = {}
        for name, dataset in self.project.datasets.items():
            is_plain = not (dataset.sql or dataset.transform) and (dataset.source or self.default_source) == source
            if is_plain and dataset.time and dataset.time.column:
                times.setdefault(dataset.table or name, dataset.time.column)
        times |= {name: each.time for name, each in settings.streams.items() if each.time}
        return Closing(self.calendar, settings.closes, times)


class _on_disk:  # noqa: N801 - read as a word: `with _on_disk(folder)`
    """Say in the user's words what DuckDB and the system say of files."""

    def __init__(self, folder: Folder) -> None:
        self._folder = folder

    def __enter__(self) -> None:
        """Do nothing."""

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        """Translate."""
        import duckdb

        of_files = (
            duckdb.IOException | duckdb.FatalException | duckdb.SerializationException | duckdb.OutOfMemoryException
        )
        if isinstance(error, of_files) or (isinstance(error, duckdb.Error) and "Corrupt" in str(error)):
            raise _of_database(self._folder, error) from error
        if isinstance(error, duckdb.Error):
            raise SourceError(
                f"rows could not be kept in {self._folder.path}: {str(error).splitlines()[0]}",
                code="rows_not_kept",
                hint="what was committed before stands; this is most likely a fault of the engine: report it with this message",
            ) from error
        if isinstance(error, OSError):
            raise unwritable(self._folder.path, error) from error


def _of_database(folder: Folder, error: Exception) -> SourceError:
    first = str(error).splitlines()[0]
    if any(
        word in str(error)
        for word in ("No space left", "File too large", "Could not write", "could not write", "Disk quota")
    ):
        return unwritable(folder.work, OSError(first))
    if folder.served.exists() and str(folder.served) not in first:
        discard(folder)
    return SourceError(
        f"the store in {folder.path} is damaged: {first}",
        code="damaged_store",
        hint="sync again, which begins from what is served; where that does not help, `kpi sync --full` fetches all rows anew",
    )
