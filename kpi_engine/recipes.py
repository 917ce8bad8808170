"""A request that was asked before, answered by the recipe that was noted then, where nothing has changed that it was made from.

Rows are read anew each time. Whatever is amiss, the answer is that there is none, and the request is planned as if it were the first.
Neither sqlglot nor pydantic is imported here: that is what makes it fast.
"""

from __future__ import annotations

import json
import os
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import TZPATH, ZoneInfo

from kpi_engine.api import Column, Measure, SourceContext
from kpi_engine.cache import Cache
from kpi_engine.definitions.files import contents_now, fingerprint, project_file
from kpi_engine.definitions.pointing import AbsentError, pointed, read_back
from kpi_engine.describing import in_currencies
from kpi_engine.digests import digest, packages
from kpi_engine.errors import KpiError, TimeoutExceeded
from kpi_engine.execution.answers import answered
from kpi_engine.execution.database import Database
from kpi_engine.execution.fetching import fetching
from kpi_engine.plugins import Plugins
from kpi_engine.plugins.host import DISABLE_VARIABLE
from kpi_engine.reporting import Masthead, table_under
from kpi_engine.results import Result
from kpi_engine.sync.serving import made_source

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from kpi_engine.api import Report, Source
    from kpi_engine.results import Answered

_KIND = "recipe"


@dataclass(frozen=True)
class Wanted:
    """What is asked of which project, and with which plugins."""

    project: Path
    disabled: tuple[str, ...]
    request: Mapping[str, Any]
    language: str | None

    def key(self) -> str:
        """Tell this from all else that may be asked, here and in this environment."""
        asked = repr((sorted(self.request.items()), self.language, sorted(self.disabled)))
        place = f"{os.path.realpath(self.project)}\n{self.project}"
        return digest(place, asked, os.environ.get(DISABLE_VARIABLE, ""), packages())


@dataclass(frozen=True)
class Again:
    """A request that can be answered by its recipe."""

    recipe: Mapping[str, Any]
    dish: Mapping[str, Any]
    as_of: datetime
    plugins: Plugins
    sources: Mapping[str, Source]
    database: Database

    def report(self, *, totals: bool, timeout: float | None = None) -> Report | None:
        """Answer it as a table; None where that fails, or data were written meanwhile: then it is to be planned anew."""
        try:
            report = table_under(Masthead(**self.recipe["masthead"]), self._result(timeout), totals=totals)
        except TimeoutExceeded:
            raise
        except KpiError:
            return None
        return report if self.is_current() else None

    def is_current(self) -> bool:
        """Whether the data are those that the recipe was made for."""
        return all(_version(self.sources[name], table) == version for name, table, version in self.recipe["tables"])

    def interrupt(self) -> None:
        """Stop what is computed at this moment, from another thread."""
        self.database.interrupt()

    def _result(self, timeout: float | None) -> Result:
        kpis, total = self.recipe["kpis"], self.dish["total"]
        about = f"`{kpis[0]}`" if len(kpis) == 1 else ""

        def run(query: tuple[str, list[str] | None], ranked: Any = ()) -> tuple[Answered, dict[str, str]]:  # noqa: ANN401 - of JSON
            statement, dates = query
            [found] = self.database.tables([statement], fetch=fetching(dates), timeout=timeout, about=about)
            return answered(*found, kpis, ranked)

        found = run(self.dish["statement"], self.dish["ranked"])

        def totals() -> Mapping[str, Any]:
            whole = found[0] if total is None else run(total)[0]
            return {name: values[0] for name, values in whole.lists().items()}

        return Result(
            columns=in_currencies(map(_column, self.dish["columns"]), self.dish["money"], found[1]),
            period=self.dish["period"],
            as_of=self.as_of,
            unfinished=self.dish["unfinished"],
            provisional=self.dish["provisional"],
            failures={},
            currencies=found[1],
            language=self.recipe["language"],
            _answered=found[0],
            _totals=totals,
        )


def keep(wanted: Wanted, recipe: dict[str, Any] | None, output: str, options: Mapping[str, str]) -> str:
    """Keep a recipe for the next command, with what is known of the settings that it needs, those of the output included.

    Gives the reason where nothing can be kept. To be called once the engine is closed: a statement that reads files of the engine's own, which are gone then, is not kept.
    """
    if recipe is None or not all(os.path.exists(path) for path in recipe["files"]):  # noqa: PTH110
        return ""
    cache = Cache()
    file = project_file(wanted.project)
    try:
        sources = _pointed(recipe, file)
        plugins = Plugins(file.parent, wanted.disabled, cache)
        plugins.configure(plugins.output(output), options)
        for name, (word, settings) in recipe["sources"].items():
            made_source(plugins, word, settings, SourceContext(name, file.parent))
    except AbsentError:
        return "a setting of a source stands in kpi.yaml in another form"
    except KpiError as error:
        return error.message  # the project has changed since it answered
    if sources is None:
        return "the definitions have changed"
    lasting = [folder for folder in recipe["folders"] if os.path.isdir(folder)]  # noqa: PTH112
    cache.write(_KIND, wanted.key(), recipe | {"folders": lasting, "sources": sources})
    return cache.problem


def _pointed(recipe: Mapping[str, Any], file: Path) -> dict[str, list[Any]] | None:
    """Say of the settings of sources where they stand; None where the definitions are others by now."""
    contents = contents_now(file, recipe["entries"])
    if contents is None or fingerprint(*contents) != recipe["definitions"]:
        return None
    return {name: [word, pointed(settings, contents[0])] for name, (word, settings) in recipe["sources"].items()}


@contextmanager
def recalled(wanted: Wanted) -> Iterator[Again | None]:
    """Find the recipe of a request; None where there is none, or where anything has changed since it was noted."""
    try:
        found = _recalled(wanted, Cache())
    except KpiError:
        found = None  # whatever is wrong is said when the request is planned
    try:
        yield found
    finally:
        if found is not None:
            found.database.close()


def _recalled(wanted: Wanted, cache: Cache) -> Again | None:
    recipe = cache.read(_KIND, wanted.key())
    if recipe is None or recipe["zone_data"] != zone_data(recipe["zone"]):
        return None
    moment = _moment(recipe)
    file = project_file(wanted.project)
    contents = moment and contents_now(file, recipe["entries"])
    if moment is None or contents is None or fingerprint(*contents) != recipe["definitions"]:
        return None
    plugins = Plugins(file.parent, wanted.disabled, cache)
    sources: dict[str, Source] = {}
    for name, (word, settings) in recipe["sources"].items():
        sources[name] = made_source(plugins, word, read_back(settings, contents[0]), SourceContext(name, file.parent))
    database = Database(None, recipe["zone"])
    database.allow(recipe["folders"])
    again = Again(recipe, moment[1], moment[0], plugins, sources, database)
    if not again.is_current():
        return None
    for path in recipe["databases"]:
        database.attach(path)
    return again if list(database.attached()) == recipe["databases"] else None


def _moment(recipe: Mapping[str, Any]) -> tuple[datetime, dict[str, Any]] | None:
    """Give the moment as of which to answer, and the statements and words for it; None where the recipe is not for this moment."""
    if not recipe["gap"]:
        return datetime.fromisoformat(recipe["as_of"]), json.loads(recipe["dish"])
    now = datetime.now(UTC)
    if not datetime.fromisoformat(recipe["from"]) <= now <= datetime.fromisoformat(recipe["until"]):
        return None
    local = now.astimezone(ZoneInfo(recipe["zone"])).replace(tzinfo=None)
    text = recipe["dish"].replace(f"{recipe['gap']}utc", now.isoformat(sep=" "))
    return local, json.loads(text.replace(f"{recipe['gap']}local", local.isoformat(sep=" ")))


def zone_data(zone: str) -> str:
    """Tell the rules of time zones on this machine from others: files of the zone and of its database, with their times."""
    found: list[str] = []
    for folder in TZPATH:
        for name in (zone, "tzdata.zi", "zone.tab"):
            with suppress(OSError):
                status = os.stat(os.path.join(folder, name))  # noqa: PTH116, PTH118
                found.append(f"{folder}/{name}:{status.st_size}:{status.st_mtime_ns}")
    return digest(*found)


def _version(source: Source, table: str) -> str | None:
    version: Callable[[str], str | None] | None = getattr(source, "version", None)
    return None if version is None else version(table)


def _column(said: Mapping[str, Any]) -> Column:
    measure = said["measure"]
    if measure is not None:
        measure = Measure(**{**measure, "additive_over": tuple(measure["additive_over"])})
    return Column(**{**said, "measure": measure})
