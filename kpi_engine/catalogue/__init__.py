"""The catalogue: every name of a project resolved, cycles refused, and everything that can be wrong said at once.

A mistake is said once, where it was made. What only follows from it (a KPI over a KPI with a mistake, a condition on a dimension with
one, an input that was left out) is refused when it is asked for, and not said by `check`.
"""

from __future__ import annotations

import re
from functools import cached_property
from typing import TYPE_CHECKING

from kpi_engine.catalogue.additivity import Belonging, belongings, why_not
from kpi_engine.catalogue.datasets import Origins, dataset_faults
from kpi_engine.catalogue.faults import Fault, Faulty, LeftOut
from kpi_engine.catalogue.fitting import Fitting
from kpi_engine.catalogue.graph import cycle, in_a_circle, kpis_below, kpis_compared, made_of, origins_below
from kpi_engine.catalogue.kpis import resolve_kpi
from kpi_engine.catalogue.money import MoneyBelow
from kpi_engine.catalogue.names import Names
from kpi_engine.catalogue.resolved import Expr, ResolvedAggregate, ResolvedInput, ResolvedKpi, TimeColumn
from kpi_engine.catalogue.surroundings import Surroundings
from kpi_engine.catalogue.terms import LABELS, Caveats, Terms, caveats, unsaid
from kpi_engine.catalogue.units import unit_faults
from kpi_engine.errors import DefinitionError, Diagnostic, Place, RequestError, nearest
from kpi_engine.formula.gate import Mistake

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping

    from kpi_engine.definitions import Project

__all__ = [
    "Belonging",
    "Catalogue",
    "Expr",
    "ResolvedAggregate",
    "ResolvedInput",
    "ResolvedKpi",
    "TimeColumn",
    "in_order",
]

_KINDS = {"kpis": "kpi", "datasets": "dataset", "roles": "role"}


OPTIONAL = frozenset({"columns", "dimensions", "times"})
"""The sections of a dataset that some KPIs need and others do not."""


def is_optional(fault: Fault) -> bool:
    """Whether a mistake in a dataset stops only the KPIs that use the thing.

    A declared type or zone is read with all rows; of what contradicts a source nobody knows which of the two holds.
    """
    is_read = (
        fault.path[0] == "columns" and fault.path[-1] in {"type", "zone"}
    ) or fault.mistake.code == "contradicts_source"
    return fault.path[0] in OPTIONAL and not is_read


class Catalogue:
    """A project whose names are resolved on demand, each once.

    `schemas` gives a dataset's columns with their SQL types, or None where they cannot be known now.
    """

    def __init__(
        self,
        project: Project,
        schemas: Callable[[str], Mapping[str, str] | None],
        terms: Callable[[str], Terms | None] = unsaid,
    ) -> None:
        self.project = project
        left_out = LeftOut(frozenset(d.subject for d in project.diagnostics if d.severity == "error"))
        self._origins = Origins(project.datasets, project.settings.sources, left_out)
        self._schemas = schemas
        self._terms_of = terms
        self._terms: dict[str, Terms | None] = {}
        self._caveats: dict[str, Caveats] = {}
        self._sound: dict[str, bool] = {}
        self.names = Names(project.datasets, self._schema, self._said_terms)
        self._below = kpis_below(project.kpis)
        self._fitting = Fitting(project, self.names, left_out, self._below)
        self._around = Surroundings(
            self.names, project.kpis, project.parameters, left_out, self._below, self._resolved,
            project.settings.calendar.units,
        )  # fmt: skip
        self._kpis: dict[str, ResolvedKpi] = {}
        self._straight: set[str] = set()

    def kpi(self, kpi_id: str) -> ResolvedKpi:
        """Give a KPI with everything resolved; raise `DefinitionError` with all that is wrong with it or below it."""
        if kpi_id not in self.project.kpis:
            raise RequestError(
                f"there is no KPI `{kpi_id}`", code="unknown_kpi", hint=nearest(kpi_id, self.project.kpis)
            )
        if kpi_id in self._kpis:
            return self._kpis[kpi_id]
        if found := cycle(kpi_id, self._below, self._straight):
            raise DefinitionError([self._cycle_diagnostic(found)])
        faults = [(name, fault) for name in made_of(kpi_id, self._below, self._kpis) for fault in self._resolve(name)]
        if faults:
            raise DefinitionError(self._causes(kpi_id, faults))
        return self._kpis[kpi_id]

    def datasets_under(self, kpi_id: str, *, converted: bool = False) -> tuple[str, ...]:
        """Name the datasets by whose dimensions and times a KPI's number is counted; `converted`, also those it counts in another's."""
        return self._around.datasets_under(kpi_id, converted=converted)

    def read_among(self, datasets: Collection[str], kpi_ids: Iterable[str]) -> tuple[str, ...]:
        """Name those of some datasets that KPIs may read, joins and rates included; no further joins are followed than it takes."""
        models, lacking = self.project.datasets, set(datasets)
        origins = origins_below(models)
        rates = (each for each in datasets if models[each].rates is not None)
        following = [*rates, *(each for kpi_id in kpi_ids for each in self.datasets_under(kpi_id, converted=True))]
        met: set[str] = set()
        while lacking and following:
            name = following.pop()
            if name not in met:
                met.add(name)
                lacking.discard(name)
                following += [*origins(name), *(join.to for join in models[name].joins.values() if join.to in models)]
        return tuple(each for each in datasets if each not in lacking)

    def with_origins(self, datasets: Iterable[str]) -> tuple[str, ...]:
        """Name datasets, each after those it is made of."""
        origins = origins_below(self.project.datasets)
        return tuple(dict.fromkeys(each for dataset in datasets for each in made_of(dataset, origins)))

    def rates_for(self, kpi_id: str, currency: str) -> tuple[str, ...]:
        """Name the datasets of rates that must be sound where a request in a currency converts amounts under a KPI; none where it converts none."""
        return self._money.rates_for(kpi_id, currency)

    def currency_of(self, kpi_id: str, asked: str = "") -> str:
        """Name the currency into which a KPI's amounts are converted; empty where none is, or where they are in several."""
        return self._money.currency_of(kpi_id, asked)

    def belongings(self, kpi_id: str, dimensions: Iterable[str] | None = None) -> tuple[Belonging, ...]:
        """Give what must hold in the data for a KPI to add up over the dimensions that it declares, or over some of them."""
        kpi = self.kpi(kpi_id)
        asked = kpi.model.additive_over if dimensions is None else dimensions
        declared = [name for name in kpi.model.additive_over if name in asked] if kpi.model.additive_over else []
        return tuple(each for name in declared for each in belongings(kpi, name, self.names, self.kpi))

    def why_not_additive(self, kpi_id: str) -> str:
        """Say why a KPI's values may not be added up over everything; nothing where they may."""
        return why_not(self.kpi(kpi_id), self.kpi)

    @cached_property
    def _money(self) -> MoneyBelow:
        return MoneyBelow(self.project, self.names, self.kpi, self.kpis_under)

    def kpis_under(self, kpi_id: str) -> list[str]:
        """Name the KPIs that a KPI is made of, itself last, each after those it needs."""
        return made_of(kpi_id, self._below)

    def dimensions(self, kpi_id: str) -> tuple[str, ...]:
        """Name the dimensions a KPI may be split and filtered by: those that all its inputs have."""
        return self._fitting.dimensions(kpi_id)

    def ages(self, kpi_id: str) -> tuple[str, ...]:
        """Name the ages by which a KPI is counted: it is asked for by each, or at some of them."""
        return self._fitting.ages(kpi_id)

    def check(self) -> list[Diagnostic]:
        """Find everything that is wrong with the project, each mistake once, in the order of its files."""
        found = list(self.project.diagnostics)
        for dataset in self.project.datasets:
            found += self._said("datasets", dataset, dataset_faults(dataset, self.names, self._origins))
        for unit in self.project.settings.calendar.units:
            found += unit_faults(unit, self.project, self.names)
        for role in self.project.roles:
            found += self._said("roles", role, self._fitting.role(role))
        cycles: set[frozenset[str]] = set()
        done: set[str] = set()
        for kpi_id in self.project.kpis:
            circle = cycle(kpi_id, self._below, done)
            if not circle:
                found += self._said("kpis", kpi_id, dict.fromkeys([*self._resolve(kpi_id), *self._fitting.kpi(kpi_id)]))
            elif kpi_id in circle and frozenset(circle) not in cycles:
                cycles.add(frozenset(circle))
                found.append(self._cycle_diagnostic(circle))
        settings = self.project.places.settings.source
        return in_order(found, settings.file if settings else "")

    def check_dataset(self, dataset: str) -> list[Diagnostic]:
        """Find what keeps a dataset from being read at all; where that only follows from mistakes elsewhere, what follows.

        A column, dimension or further time that its data lack stops only the KPIs that use it.
        """
        faults = [f for f in dataset_faults(dataset, self.names, self._origins) if not is_optional(f)]
        own = [fault for fault in faults if not fault.mistake.follows]
        return [self.diagnostic("datasets", dataset, fault) for fault in own or faults]

    def is_sound(self, dataset: str) -> bool:
        """Whether a dataset, and all that it is made of, can be read as far as definitions say."""
        if dataset not in self._sound:
            self._sound[dataset] = self._origins.is_sound(dataset)
        return self._sound[dataset]

    def diagnostic(self, section: str, name: str, fault: Fault) -> Diagnostic:
        """Say a fault of a definition, with its place where it has one."""
        mistake, path, places = fault.mistake, (section, name, *fault.path), self.project.places
        place = places.key(*path) if fault.on_key else places.within(path, mistake.offset, mistake.length)
        kind = _KINDS[section]
        message = mistake.message if place else f"{kind} `{name}`, {'.'.join(fault.path)}: {mistake.message}"
        return Diagnostic(mistake.code, message, place, mistake.hint, subject=f"{kind} {name}")

    def _schema(self, dataset: str) -> Mapping[str, str] | None:
        return self._schemas(dataset) if self.is_sound(dataset) else None

    def _said_terms(self, dataset: str) -> Terms | None:
        if dataset not in self._terms:
            self._terms[dataset] = self._terms_of(dataset) if self.is_sound(dataset) else None
        return self._terms[dataset]

    def caveats(self, kpi_ids: Iterable[str]) -> Caveats:
        """Say what a reader must know of the figures that some KPIs are made of."""
        under = dict.fromkeys(name for kpi_id in kpi_ids for name in self.kpis_under(kpi_id))
        for name in under.keys() - self._caveats.keys():
            self._caveats[name] = caveats(self.kpi(name), self.names)
        found = [self._caveats[name] for name in under]
        restated, sampled = (dict.fromkeys(text for each in found for text in texts(each)) for texts in LABELS)
        return Caveats(tuple(restated), tuple(sampled))

    def _resolved(self, kpi_id: str) -> ResolvedKpi:
        if kpi_id in self._kpis:
            return self._kpis[kpi_id]
        for name in made_of(kpi_id, self._below):
            self._resolve(name)
        if kpi_id not in self._kpis:
            message = f"the KPI `{kpi_id}` below cannot be computed"
            mistake = Mistake("broken_input", message, hint=f"correct `{kpi_id}` first", follows=True)
            raise Faulty([Fault(("inputs",), mistake)])
        return self._kpis[kpi_id]

    def _resolve(self, kpi_id: str) -> list[Fault]:
        if kpi_id in self._kpis:
            return []
        try:
            made = resolve_kpi(kpi_id, self.project.kpis[kpi_id], self._around)
        except Faulty as faulty:
            return faulty.faults
        if not (faults := list(self._fitting.additive_over(kpi_id))):
            self._kpis[kpi_id] = made
        return faults

    def _causes(self, kpi_id: str, faults: list[tuple[str, Fault]]) -> list[Diagnostic]:
        """Give what is wrong below a KPI: mistakes, else those of the definitions that were left out, else what follows from them."""
        own = [self.diagnostic("kpis", name, fault) for name, fault in faults if not fault.mistake.follows]
        read = {each.from_ for name in made_of(kpi_id, self._below) for each in self.project.kpis[name].inputs.values()}
        subjects = {f"{kind} {name}" for name in read for kind in ("kpi", "dataset")}
        subjects |= {f"parameter {name}" for each in made_of(kpi_id, self._below) for name in self._parameters(each)}
        left_out = [d for d in self.project.diagnostics if d.severity == "error" and d.subject in subjects]
        return [*left_out, *own] or [self.diagnostic("kpis", name, fault) for name, fault in faults]

    def _parameters(self, kpi_id: str) -> list[str]:
        model = self.project.kpis[kpi_id]
        return re.findall(
            r":(\w+)",
            " ".join(
                [
                    model.formula,
                    *(text for each in model.inputs.values() for text in (each.where, *each.among.values())),
                ]
            ),
        )

    def _said(self, section: str, name: str, faults: Iterable[Fault]) -> list[Diagnostic]:
        return [self.diagnostic(section, name, fault) for fault in faults if not fault.mistake.follows]

    def _cycle_diagnostic(self, circle: tuple[str, ...]) -> Diagnostic:
        """Say a circle once, at the first of its members in the order of the definitions."""
        order = {kpi_id: number for number, kpi_id in enumerate(self.project.kpis)}
        start = min(range(len(circle) - 1), key=lambda n: order[circle[n]])
        named = (*circle[start:-1], *circle[:start], circle[start])
        inputs = self.project.kpis[named[0]].inputs
        alias = next((alias for alias, each in inputs.items() if each.from_ == named[1]), "")
        message, hint = in_a_circle("KPI", named), "take one of them out of the circle"
        if alias:
            mistake = Mistake("cycle", message, 0, len(named[1]), hint)
            return self.diagnostic("kpis", named[0], Fault(("inputs", alias, "from"), mistake))
        alias = next(alias for alias, each in inputs.items() if named[1] in kpis_compared(each))
        fault = Fault(("inputs", alias, "among"), Mistake("cycle", message, hint=hint), on_key=True)
        return self.diagnostic("kpis", named[0], fault)


def in_order(diagnostics: Iterable[Diagnostic], first: str = "") -> list[Diagnostic]:
    """Sort mistakes as a reader meets them, each once: those that stand nowhere, the file `first`, then file by file, line by line."""

    def position(diagnostic: Diagnostic) -> tuple[bool, bool, str, int, int]:
        place = diagnostic.place or Place("")
        return (diagnostic.place is not None, place.file != first, place.file, place.line, place.column)

    return sorted(dict.fromkeys(diagnostics), key=position)
