"""Whether a dataset's data are still those that were looked at: its version, made of those of all that it is read from."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from kpi_engine.api import files_version
from kpi_engine.api.sources import VersionedSource
from kpi_engine.cache import digest
from kpi_engine.catalogue.graph import made_of, origins_below, query_tables
from kpi_engine.errors import KpiError
from kpi_engine.formula.gate import Refused, read
from kpi_engine.plugins.isolation import ships

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from kpi_engine.api import Source
    from kpi_engine.definitions import Project

Kind = Literal["known", "handed_in", "unsettled", "unknown"]
_WORST: tuple[Kind, ...] = ("unknown", "unsettled", "handed_in", "known")


@dataclass(frozen=True)
class Version:
    """What is known of a dataset's data at one moment.

    `known`: while `text` is the same, so are the rows. `handed_in`: the embedder's own tables. `unsettled`: it cannot be said at this
    moment. `unknown`: whoever reads the data can never say.
    """

    kind: Kind
    text: str = ""


class Versions:
    """Finds the versions of a project's datasets. `source` gives a source by its name, or None where the embedder handed it in."""

    def __init__(
        self,
        project: Project,
        source: Callable[[str], Source | None],
        source_of: Callable[[str], str],
        is_shipped: Callable[[str], bool],
        call: Callable[[Source, str, str], Any],
    ) -> None:
        self._project = project
        self._source = source
        self._source_of = source_of
        self._is_shipped = is_shipped
        self._call = call
        self._definitions: dict[str, str] = {}
        self._codes: dict[type, str | None] = {}

    def of(self, dataset: str) -> Version:
        """Give the version of a dataset's data; what cannot be read has none, and reading it will say why."""
        try:
            found = [each for part in self._made_of(dataset) for each in self._parts(part)]
        except (KpiError, Refused):
            return Version("unsettled")
        kind = next(kind for kind in _WORST if any(each.kind == kind for each in found))
        if kind != "known":
            return Version(kind)
        zone = self._project.settings.calendar.timezone
        return Version("known", digest(str(self._project.root.resolve()), zone, *(each.text for each in found)))

    def tables(self, dataset: str) -> tuple[tuple[str, str], ...] | None:
        """Name the tables of sources that a dataset is read from; None where not all of its rows come from such."""
        found: list[tuple[str, str]] = []
        for part in self._made_of(dataset):
            if self._project.datasets[part].transform:
                return None
            found += self.own_tables(part)
        return tuple(found)

    def _made_of(self, dataset: str) -> list[str]:
        return made_of(dataset, origins_below(self._project.datasets))

    def _parts(self, dataset: str) -> Iterator[Version]:
        """Give what one dataset adds: its definition, and the tables it reads itself."""
        model = self._project.datasets[dataset]
        yield Version("known", self._definition(dataset))
        if model.transform:
            yield Version("known" if self._is_shipped(dataset) else "unknown")
        else:
            yield from (self._of_table(*each) for each in self.own_tables(dataset))

    def own_tables(self, dataset: str) -> Iterator[tuple[str, str]]:
        """Name the tables that one dataset reads itself, each with its source."""
        model = self._project.datasets[dataset]
        named = query_tables(read(model.sql, "query")) if model.sql else (model.table or dataset,)
        for table in named:
            if not model.sql or table not in self._project.datasets or table == dataset:
                yield self._source_of(dataset), table

    def _definition(self, dataset: str) -> str:
        if dataset not in self._definitions:
            self._definitions[dataset] = digest(dataset, self._project.datasets[dataset].model_dump_json())
        return self._definitions[dataset]

    def _of_table(self, name: str, table: str) -> Version:
        source = self._source(name)
        if source is None:
            return Version("handed_in")
        code = self._code_of(type(source))
        if not isinstance(source, VersionedSource) or code is None:
            return Version("unknown")
        found = self._call(source, "version", table)
        if not isinstance(found, str):
            return Version("unsettled")
        settings = self._project.settings.sources[name].model_dump_json()
        return Version("known", digest(name, table, found, settings, code))

    def _code_of(self, cls: type) -> str | None:
        """Tell a plugin from itself before its file was edited, as it was at first use; None where that cannot be told."""
        if ships(cls):
            return ""
        if cls not in self._codes:
            file = getattr(sys.modules.get(cls.__module__), "__file__", None)
            self._codes[cls] = None if file is None else files_version([file])
        return self._codes[cls]


def combined(versions: Iterable[Version]) -> Version:
    """Give one version of several data: as little is known of it as of the least known."""
    found = list(versions)
    kind: Kind = min((each.kind for each in found), key=_WORST.index, default="known")
    return Version(kind, digest(*(each.text for each in found)) if kind == "known" else "")
