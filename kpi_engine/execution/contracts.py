"""The terms that sources say of their tables, checked, and handed on to the datasets that are made of them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING
from zoneinfo import available_timezones

from kpi_engine.api import Contract
from kpi_engine.api.sources import ContractedSource
from kpi_engine.calendar import parse_duration
from kpi_engine.catalogue.terms import ROWS, Terms
from kpi_engine.errors import KpiError, PluginError
from kpi_engine.formula.units import parse as parse_unit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from kpi_engine.api import Source
    from kpi_engine.definitions import Project
    from kpi_engine.execution.sources import Sources
    from kpi_engine.execution.versions import Versions

_ADDITIVITIES = ("", "additive", "semi_additive", "non_additive")


class Contracts:
    """Finds the terms of each dataset: a table's are its own, and what is made of tables inherits those of columns of the same name."""

    def __init__(
        self, project: Project, sources: Sources, own: Callable[[str], Source | None], versions: Versions
    ) -> None:
        self._project = project
        self._sources = sources
        self._own = own
        self._versions = versions

    def of(self, dataset: str) -> Terms | None:
        """Give the terms of a dataset; None where nobody says any."""
        model = self._project.datasets[dataset]
        if model.transform:
            below = self.of(model.from_) if model.from_ in self._project.datasets else None
            return below and replace(below, binding=False)
        found = [each for each in (self._of_table(*table) for table in self._versions.tables(dataset) or ()) if each]
        if len(found) <= 1:
            return replace(found[0], binding=not model.sql) if found else None
        return Terms(found[0].source, dict(_common(found)), binding=False)

    def _of_table(self, name: str, table: str) -> Terms | None:
        source = self._own(name) if table else None
        if source is None or not isinstance(source, ContractedSource):
            return None
        columns: Mapping[str, Contract] = self._sources.call(source, "contract", table)
        if wrong := _wrong(columns):
            message = f"the source plugin `{source.name}` failed: `contract` gave {wrong}"
            raise PluginError(message, code="plugin_failed", hint="this is a fault of the plugin: tell its author")
        return Terms(name, columns) if columns else None


def _common(found: list[Terms]) -> Iterator[tuple[str, Contract]]:
    """Give what several tables say of columns: what they say alike, and whatever says that values may not be added up."""
    for name in dict.fromkeys(name for each in found for name in each.columns):
        said = [contract for each in found if (contract := each.columns.get(name))]
        if name == ROWS or all(each == said[0] for each in said):
            yield name, said[0]
        else:
            strictest = max(said, key=lambda each: _ADDITIVITIES.index(each.additivity))
            yield name, Contract(additivity=strictest.additivity)


def _wrong(columns: object) -> str:
    """Say what is wrong with a contract; nothing where it can be used."""
    if not isinstance(columns, dict):
        return f"{type(columns).__name__}, a mapping of columns to `Contract` is expected"
    for name, each in columns.items():
        if not isinstance(each, Contract):
            return f"{type(each).__name__} for `{name}`, a `Contract` is expected"
        if each.additivity not in _ADDITIVITIES:
            return f"the additivity `{each.additivity}` for `{name}`"
        if each.zone and each.zone not in available_timezones():
            return f"the zone `{each.zone}` for `{name}`, which is none"
        try:
            parse_unit(each.unit or "1")
            if each.restated:
                parse_duration(each.restated)
        except (ValueError, KpiError) as error:
            return f"something for `{name}` that cannot be read: {error.message if isinstance(error, KpiError) else each.unit}"
    return ""
