"""The terms that sources say of their tables, checked, and handed on to the datasets that are made of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING
from zoneinfo import available_timezones

from kpi_engine.api import Contract
from kpi_engine.api.sources import ContractedSource
from kpi_engine.calendar import parse_duration
from kpi_engine.catalogue.graph import made_of, origins_below
from kpi_engine.catalogue.terms import ROWS, Terms
from kpi_engine.errors import KpiError, PluginError
from kpi_engine.formula.units import parse as parse_unit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from kpi_engine.api import Source
    from kpi_engine.definitions import Project
    from kpi_engine.execution.sources import Sources
    from kpi_engine.execution.versions import Versions

_HANDED_ON = ("additivity", "restated", "sampled")
"""What a dataset declares of a column and what is made of it inherits: the rest it may have changed."""
_OF_COLUMNS = ("additivity", "unit", "currency", "zone")
_ADDITIVITIES = ("", "additive", "semi_additive", "non_additive")


class Contracts:
    """Finds the terms of each dataset: a table's are its own, and what is made of tables and datasets inherits those of columns of the same name."""

    def __init__(
        self, project: Project, sources: Sources, own: Callable[[str], Source | None], versions: Versions
    ) -> None:
        self._project = project
        self._sources = sources
        self._own = own
        self._versions = versions
        self._below = origins_below(project.datasets)

    def of(self, dataset: str) -> Terms | None:
        """Give the terms of a dataset; None where nobody says any."""
        found: dict[str, Terms | None] = {}
        for part in made_of(dataset, self._below):
            found[part] = self._terms(part, found)
        return found[dataset]

    def _terms(self, dataset: str, known: Mapping[str, Terms | None]) -> Terms | None:
        """Give the terms of a dataset by those of the datasets it is made of, which are known."""
        model = self._project.datasets[dataset]
        tables = () if model.transform else self._versions.own_tables(dataset)
        handed = (self._handed_on(each, known.get(each)) for each in self._below(dataset))
        found = [each for each in (*(self._of_table(*table) for table in tables), *handed) if each]
        if len(found) <= 1:
            return replace(found[0], binding=not (model.sql or model.transform)) if found else None
        declared = {name: dataset for each in reversed(found) for name, dataset in each.declared.items()}
        return Terms(found[0].source, dict(_common(found)), binding=False, declared=declared)

    def _handed_on(self, dataset: str, terms: Terms | None) -> Terms | None:
        """Give the terms that a dataset hands on to what is made of it: its sources', and over them what it declares itself."""
        columns, declared = (dict(terms.columns), dict(terms.declared)) if terms else ({}, {})
        spelled = {name.casefold(): name for name in columns}
        for name, column in self._project.datasets[dataset].columns.items():
            said = {key: value for key in _HANDED_ON if (value := getattr(column, key))}
            if said:
                theirs = spelled.get(name.casefold(), name)
                columns[theirs] = replace(columns.get(theirs, Contract()), **said)
                declared |= {theirs.casefold(): dataset} if "additivity" in said else {}
        if restated := self._project.datasets[dataset].restated:
            columns[ROWS] = replace(columns.get(ROWS, Contract()), restated=restated)
        return Terms(terms.source if terms else "", columns, declared=declared) if columns else None

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
    """Give what several tables say of columns: what they say alike, whatever says that values may not be added up, and the longest change."""
    for name in dict.fromkeys(name for each in found for name in each.columns):
        said = [contract for each in found if (contract := each.columns.get(name))]
        if all(each == said[0] for each in said):
            yield name, said[0]
        else:
            strictest = max(said, key=lambda each: _ADDITIVITIES.index(each.additivity))
            longest = max(filter(None, (each.restated for each in said)), key=_days, default="")
            sampled = next((each.sampled for each in said if each.sampled), "") if name == ROWS else ""
            yield name, Contract(additivity=strictest.additivity, restated=longest, sampled=sampled)


def _days(restated: str) -> float:
    """Say about how long a change lasts; a length that is none is refused where it is declared."""
    try:
        length = parse_duration(restated)
    except KpiError:
        return 0
    return length.fixed.days + 31 * length.months


def _wrong(columns: object) -> str:
    """Say what is wrong with a contract; nothing where it can be used."""
    if not isinstance(columns, Mapping):
        return f"{type(columns).__name__}, a mapping of columns to `Contract` is expected"
    for name, each in columns.items():
        if not isinstance(each, Contract):
            return f"{type(each).__name__} for `{name}`, a `Contract` is expected"
        if wrong := _wrong_of_rows(each) if name == ROWS else "":
            return wrong
        if each.additivity not in _ADDITIVITIES or (each.zone and each.zone not in available_timezones()):
            is_zone = each.additivity in _ADDITIVITIES
            return (
                f"the zone `{each.zone}` for `{name}`, which is none"
                if is_zone
                else f"the additivity `{each.additivity}` for `{name}`"
            )
        try:
            parse_unit(each.unit or "1")
            if each.restated:
                parse_duration(each.restated)
        except (ValueError, KpiError) as error:
            return f"something for `{name}` that cannot be read: {error.message if isinstance(error, KpiError) else each.unit}"
    return ""


def _wrong_of_rows(contract: Contract) -> str:
    """Refuse terms of a column where all rows are meant: which column they would be of is not known."""
    said = [key for key in _OF_COLUMNS if getattr(contract, key)]
    return f"`{said[0]}` for `*`, and of all rows only `restated` and `sampled` can be said" if said else ""
