"""All plugins behind one object: what there is, what is wrong with it, and the class behind a word."""

from __future__ import annotations

import os
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import cached_property, partial
from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING, Any, TypeVar, cast

from kpi_engine.api.sources import SourceContext
from kpi_engine.errors import PluginError
from kpi_engine.plugins.discovery import Candidate, candidates
from kpi_engine.plugins.handing import handed_over, never
from kpi_engine.plugins.isolation import Failed, blame, ships
from kpi_engine.plugins.limits import LONG, SHORT, bounded, without_end
from kpi_engine.plugins.listing import Inspected, PluginInfo, inspected, installed_packs, shipped_packs
from kpi_engine.plugins.loading import Announcement, Fault, announced, registered
from kpi_engine.plugins.secrets import Secrets
from kpi_engine.plugins.settings import configure, configured
from kpi_engine.plugins.shapes import HOOKS, KINDS, Kind
from kpi_engine.plugins.shelves import Shelf, conflict_text, refusal, shelf, switched_off
from kpi_engine.plugins.tracing import current
from kpi_engine.verbs import VERBS

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Generator, Iterable, Iterator, Mapping

    import pluggy
    from pydantic import BaseModel

    from kpi_engine.api import Command, Format, Output, Source, Transform
    from kpi_engine.cache import Cache
    from kpi_engine.plugins.listing import Status
    from kpi_engine.plugins.loading import Claim

Heard = TypeVar("Heard")
_END = object()
_LONG = frozenset({"scan", "query", "apply", "render", "read"})
"""Methods that take as long as the data are large."""
DISABLE_VARIABLE = "KPI_DISABLE_PLUGINS"
"""The environment variable with the names of disabled plugins, separated by commas."""


class Plugins:
    """The plugins of one project. Nothing is imported before it is asked for, and each failure stays with its plugin.

    `cache` keeps what is known of settings between commands. `root` is the project's folder, whose `plugins/*.py` are loaded too; `disabled` holds names of plugins, of distributions, of words
    (`csv`), or of one plugin's word (`builtin:csv`); the environment variable KPI_DISABLE_PLUGINS adds to it.
    One object may serve many threads.
    """

    def __init__(self, root: Path | None, disabled: Collection[str] = (), cache: Cache | None = None) -> None:
        self._root = root
        self._cache = cache
        self._trace = current()
        self.secrets = Secrets()
        listed = [*disabled, *os.environ.get(DISABLE_VARIABLE, "").split(",")]
        self._disabled = frozenset(name.strip() for name in listed if name.strip())
        self._lock = RLock()
        self._managers: dict[Candidate, pluggy.PluginManager | Failed] = {}
        self._shelves: dict[Kind, Shelf] = {}
        self._stores: dict[str, Any] = {}

    def listing(self) -> tuple[PluginInfo, ...]:
        """Say of every plugin what it provides, and whether it works; this imports all of them."""
        return tuple(info for info, _ in self.inspected())

    def inspected(self) -> tuple[Inspected, ...]:
        """Give every plugin with the classes that it announces, and then the packs of definitions; this imports all plugins."""
        return (*(self._inspected(candidate) for candidate in self._candidates), *installed_packs())

    def source(self, word: str) -> type[Source]:
        """Give the source of this name; raise `PluginError` when there is none that can be used."""
        return cast("type[Source]", self._class("source", word))

    def output(self, word: str) -> type[Output]:
        """Give the output of this name; raise `PluginError` when there is none that can be used."""
        return cast("type[Output]", self._class("output", word))

    def transform(self, word: str) -> type[Transform]:
        """Give the transform of this name; raise `PluginError` when there is none that can be used."""
        return cast("type[Transform]", self._class("transform", word))

    def format(self, word: str) -> type[Format]:
        """Give the format of this name; raise `PluginError` when there is none that can be used."""
        return cast("type[Format]", self._class("format", word))

    def command(self, word: str) -> Command:
        """Give the command of this name; raise `PluginError` when there is none that can be used."""
        return cast("Command", self._class("command", word))

    def find(self, word: str, reference: str) -> str:
        """Give the secret that a setting refers to by `{word: reference}`; it is taken out of all that plugins say from here on.

        Raises `PluginError` where no store has this name, `SourceError` where it has no such secret.
        """
        store = self._store(word)
        found = self.call("secret", store, "resolve", reference)
        if not isinstance(found, str):
            message = f"the secret plugin `{word}` gave {type(found).__name__}, a text is expected"
            raise PluginError(message, code="plugin_failed", hint="this is a fault of the plugin: tell its author")
        return self.secrets.learn(found)

    def _store(self, word: str) -> Any:  # noqa: ANN401 - of any plugin
        with self._lock:
            if word not in self._stores:
                made = self._class("secret", word)
                self._stores[word] = self.make("secret", made, SourceContext(word, self._root or Path()))
            return self._stores[word]

    def make(self, kind: Kind, cls: type[Any], *given: Any) -> Any:  # noqa: ANN401 - an object of the class
        """Make an object of a plugin's class: bounded in time, and named when it fails."""
        with blame(kind, cls.name, self.secrets):
            return cls(*given) if ships(cls) else bounded(lambda: cls(*given), "making it")

    def call(self, kind: Kind, made: Any, method: str, *given: Any, then: Callable[[Any], Any] | None = None) -> Any:  # noqa: ANN401 - as the method has it
        """Call a method of a plugin's object: bounded in time, named when it fails, and without secrets in what it says.

        `then` takes what the method gives as part of the call: rows that come as a stream are made while they are read.
        """

        def task() -> Any:  # noqa: ANN401
            found = getattr(made, method)(*given)
            return found if then is None else then(found)

        with self._noting(kind, made.name, method), blame(kind, made.name, self.secrets):
            return task() if ships(type(made)) else bounded(task, f"`{method}`", LONG if method in _LONG else SHORT)

    def pieces(
        self, kind: Kind, made: Any, method: str, start: Callable[[], Iterable[Any]], is_stopped: Callable[[], bool] = never,  # noqa: ANN401
    ) -> Generator[Any]:  # fmt: skip
        """Give the pieces of what a method gives, which `start` begins: each is bounded and blamed as a call by itself would be.

        They may be taken in any thread. `is_stopped` says whether nobody wants them any more.
        """
        stream = None if ships(type(made)) else handed_over(start, f"`{method}`", is_stopped)
        return self._pieces(kind, made, method, lambda: iter(start()) if stream is None else stream)

    def _pieces(self, kind: Kind, made: Any, method: str, start: Callable[[], Iterator[Any]]) -> Generator[Any]:  # noqa: ANN401
        with self._summing(kind, made.name, method) as timed:
            with timed(), blame(kind, made.name, self.secrets):
                stream = start()
            try:
                while True:
                    with timed(), blame(kind, made.name, self.secrets):
                        piece = next(stream, _END)
                    if piece is _END:
                        return
                    yield piece
            finally:
                close = getattr(stream, "close", None)
                if callable(close):
                    with timed(), blame(kind, made.name, self.secrets):
                        close()

    def imported(self, kind: Kind, word: str, task: Callable[[], Heard]) -> Heard:
        """Import what a plugin has named: bounded in time, and named when it fails."""
        with self._noting(kind, word, "import"), blame(kind, word, self.secrets):
            return bounded(task, "the import")

    @contextmanager
    def _noting(self, kind: Kind, word: str, what: str) -> Iterator[None]:
        if self._trace is None:
            yield
            return
        with self._trace.noting(self._asked(kind, word), f"{kind} {word}: {what}()"):
            yield

    @contextmanager
    def _summing(self, kind: Kind, word: str, what: str) -> Iterator[Callable[[], AbstractContextManager[None]]]:
        if self._trace is None:
            yield nullcontext
            return
        with self._trace.summing(self._asked(kind, word), f"{kind} {word}: {what}()") as piece:
            yield piece

    def _asked(self, kind: Kind, word: str) -> str:
        claim = self._shelf(kind).words.get(word)
        return claim.candidate.name if claim else ""

    def words(self, kind: Kind) -> tuple[str, ...]:
        """Name the plugins of a kind that can be used."""
        return tuple(sorted(self._shelf(kind).words))

    def configure(self, cls: type[Any], settings: Mapping[str, object]) -> BaseModel:
        """Make the `Config` of a class from settings; raise one error, `bad_settings`, that lists every mistake.

        With a cache, settings of what ships that were checked before are not checked again: they come as plain attributes.
        """
        return configure(cls, settings, self) if self._cache is None else configured(cls, settings, self._cache, self)

    @cached_property
    def _candidates(self) -> tuple[Candidate, ...]:
        return candidates(self._root)

    @cached_property
    def _off(self) -> tuple[Candidate, ...]:
        return tuple(candidate for candidate in self._candidates if switched_off(candidate, self._disabled))

    def _class(self, kind: Kind, word: str) -> type[Any]:
        stock = self._shelf(kind)
        if word not in stock.words:
            raise refusal(stock, word)
        found: type[Any] = stock.words[word].cls
        return found

    def _shelf(self, kind: Kind) -> Shelf:
        with self._lock:
            if kind not in self._shelves:
                with without_end():
                    heard = [self._announced(each, kind) for each in self._candidates if each not in self._off]
                claims = [claim for one in heard for claim in one.claims]
                faults = [fault for one in heard for fault in one.faults]
                self._shelves[kind] = shelf(
                    kind, claims, faults, self._disabled, self._off, VERBS if kind == "command" else ()
                )
            return self._shelves[kind]

    def _announced(self, candidate: Candidate, kind: Kind) -> Announcement:
        if candidate not in self._managers:
            self._managers[candidate] = self._noted(candidate, "import", partial(registered, candidate))
        manager = self._managers[candidate]
        if isinstance(manager, Failed):
            return Announcement(faults=(Fault(candidate, "", manager.reason),))
        if not getattr(manager.hook, HOOKS[kind]).get_hookimpls():
            return Announcement()
        return self._noted(candidate, f"{HOOKS[kind]}()", lambda: announced(candidate, manager, kind))

    def _noted(self, candidate: Candidate, what: str, task: Callable[[], Heard]) -> Heard:
        """Import or ask a plugin, which cannot fail as a whole, and note it where a trace is kept."""
        if self._trace is None:
            return task()
        with self._trace.noting(candidate.name, what) as errors:
            found = task()
            if isinstance(found, Failed):
                errors.append(found.reason)
            elif isinstance(found, Announcement):
                errors += [fault.reason for fault in found.faults]
        return found

    def _inspected(self, candidate: Candidate) -> Inspected:
        status, claims, error = _state(candidate, [self._shelf(kind) for kind in KINDS])
        own = shipped_packs(candidate) if candidate.built_in else ()
        return inspected(candidate, status, (*claims, *own), error)


def _state(candidate: Candidate, stocks: list[Shelf]) -> tuple[Status, tuple[Claim, ...], str]:
    """Give a plugin's status, what it provides and what is wrong with it."""
    if candidate in stocks[0].switched_off:
        return "disabled", (), "disabled by name"
    won = [claim for stock in stocks for claim in stock.words.values() if claim.candidate == candidate]
    lost = [
        (stock, claim)
        for stock in stocks
        for rivals in stock.conflicts.values()
        for claim in rivals
        if claim.candidate == candidate
    ]
    hidden = [claim for stock in stocks for claim in stock.disabled if claim.candidate == candidate]
    faults = dict.fromkeys(fault.reason for stock in stocks for fault in stock.faults if fault.candidate == candidate)
    provides = (*won, *(claim for _, claim in lost))
    if faults:
        return "broken", provides, "; ".join(faults)
    if lost:
        return "conflict", provides, "; ".join(conflict_text(stock, claim) for stock, claim in lost)
    if hidden and not provides:
        return "disabled", (), "disabled by " + ", ".join(f"`{claim.word}`" for claim in hidden)
    return "ok", provides, ""
