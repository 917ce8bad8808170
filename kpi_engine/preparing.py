"""What must be seen of the data before a KPI is computed over them: their columns, that they can be read, and that types fit."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from threading import RLock
from typing import TYPE_CHECKING

from kpi_engine.calendar import Calendar
from kpi_engine.catalogue import Catalogue
from kpi_engine.errors import DefinitionError, KpiError, RequestError
from kpi_engine.execution.fetching import Sizes
from kpi_engine.execution.running import Runner
from kpi_engine.execution.units import Read, UnitsOfTime
from kpi_engine.execution.verifying import Verified

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from kpi_engine.catalogue import ResolvedKpi
    from kpi_engine.catalogue.terms import Terms
    from kpi_engine.definitions import Project
    from kpi_engine.execution.binding import Binder
    from kpi_engine.execution.database import Database

MONTHS = (
    "january", "february", "march", "april", "may", "june",
    "july", "august", "september", "october", "november", "december",
)  # fmt: skip
DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


class Preparation:
    """The catalogue over the data as they were last looked at, and what has been found sound there."""

    def __init__(self, project: Project, binder: Binder, database: Database) -> None:
        self.project = project
        self.binder = binder
        self.database = database
        self.unreadable: dict[str, KpiError] = {}
        self.without_terms: dict[str, KpiError] = {}
        self.catalogue = Catalogue(project, self._schema, self._terms)
        self._lock = RLock()
        self._closed = False
        self._verified = Verified(project.root)
        self._sizes = Sizes()
        self._sound: set[str] = set()
        self._typed: set[str] = set()
        self._allowed = False

    @property
    def calendar(self) -> Calendar:
        """The project's calendar; its own units are read when they are asked for, and stay the same in one calendar."""
        units = {name: each.from_ for name, each in self.project.settings.calendar.units.items()}
        return replace(self._plain_calendar, units=Read(units, self._units)) if units else self._plain_calendar

    @cached_property
    def _units(self) -> UnitsOfTime:
        return UnitsOfTime(self.binder, self.database, self._with_dataset, self._plain_calendar.zone.key)

    def _with_dataset(self, dataset: str) -> Catalogue:
        """Give the catalogue; the columns of a dataset are looked at again where its data have changed."""
        if dataset in self.project.datasets:
            self._refresh_of([dataset])
            self.readable(dataset)
        return self.catalogue

    @cached_property
    def _plain_calendar(self) -> Calendar:
        settings = self.project.settings.calendar
        return Calendar(
            settings.timezone,
            DAYS.index(settings.week_start),
            MONTHS.index(settings.fiscal_year_start) + 1,
            settings.fiscal_year_named_after,
        )

    @property
    def runner(self) -> Runner:
        """What runs plans over the data as they are known now."""
        self._allow_folders()
        return Runner(self.catalogue, self.calendar, self.binder, self.database, self._verified, self._sizes)

    def ready(self, kpi_id: str, currency: str = "") -> ResolvedKpi:
        """Resolve a KPI over the data it needs, and the rates by which it is converted; raise what stands in the way."""
        self.check_open()
        for dataset in self.catalogue.datasets_under(kpi_id, converted=True):
            self.readable(dataset)
        kpi = self.catalogue.kpi(kpi_id)
        self._check_types(kpi_id)
        for rates in self.catalogue.rates_for(kpi_id, currency):
            self.readable(rates)
        return kpi

    def readable(self, dataset: str) -> None:
        """Look at a dataset before its first use; raise what stands in the way of reading it."""
        if dataset in self._sound:
            return
        self.unreadable.pop(dataset, None)
        mistakes = [d for d in self.catalogue.check_dataset(dataset) if d.severity == "error"]
        if not mistakes:
            self.catalogue.names.schema(dataset)
            self.catalogue.names.terms(dataset)
        if mistakes:
            raise DefinitionError(mistakes)
        if error := self.unreadable.get(dataset) or self.without_terms.get(dataset):
            raise error
        self._sound.add(dataset)

    def refresh(self, kpis: Iterable[str] | None = None) -> None:
        """Look again at the columns of the data that some KPIs need, or all, where those may have changed."""
        looked = self.binder.looked_at()
        self._refresh_of(looked if kpis is None else self.catalogue.read_among(looked, kpis))

    def _refresh_of(self, datasets: Iterable[str]) -> None:
        if self.binder.refresh(self.catalogue.with_origins(datasets)) or self.without_terms:
            with self._lock:
                self.catalogue = Catalogue(self.project, self._schema, self._terms)
                self._sound = set()
                self._typed = set()
                self.unreadable = {}
                self.without_terms = {}

    def close(self) -> None:
        """Let go of the data."""
        with self._lock:
            self._closed = True
            self.binder.close()
            self.database.close()

    def check_open(self) -> None:
        """Refuse to go on where the engine is closed."""
        if self._closed:
            raise RequestError(
                "the engine is closed", code="closed", hint="ask before leaving its `with`, or open it again"
            )

    def _check_types(self, kpi_id: str) -> None:
        """Refuse a KPI where it, or one below it, compares or computes what cannot be."""
        if kpi_id in self._typed:
            return
        from kpi_engine.typechecks import types_of_kpi

        for name in self.catalogue.kpis_under(kpi_id):
            if name not in self._typed:
                if mistakes := types_of_kpi(self.catalogue.kpi(name), self.catalogue, self.binder):
                    raise DefinitionError(mistakes)
                self._typed.add(name)

    def _schema(self, dataset: str) -> Mapping[str, str] | None:
        """Give a dataset's columns; where its data cannot be read the reason is kept, and any column is taken to exist."""
        try:
            self._allow_folders()
            return self.binder.schema(dataset)
        except KpiError as error:
            self.unreadable[dataset] = error
            return None

    def _terms(self, dataset: str) -> Terms | None:
        """Say under which terms a dataset's figures are given; where that cannot be said the dataset cannot be used."""
        try:
            return self.binder.terms(dataset)
        except KpiError as error:
            self.unreadable.setdefault(dataset, error)
            self.without_terms[dataset] = error  # the catalogue takes it that nothing is said, so it is made anew
            return None

    def _allow_folders(self) -> None:
        with self._lock:
            if not self._allowed:
                self.database.allow(self.binder.folders())
                self._allowed = True
