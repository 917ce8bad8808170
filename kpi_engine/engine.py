"""The front door: open a project, ask it, check it, have it explained."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property
from typing import IO, TYPE_CHECKING, Any, Literal, Self

from kpi_engine.answering import Answering
from kpi_engine.asking import check_settings, checked_parameters, having_members, ids_of, kpis_of, language_of, roles_of
from kpi_engine.cache import Cache
from kpi_engine.calendar.zones import load_zone
from kpi_engine.definitions import from_mapping, load
from kpi_engine.describing import measure_of
from kpi_engine.errors import KpiError
from kpi_engine.execution.binding import Binder
from kpi_engine.execution.database import Database
from kpi_engine.execution.handed import ConnectionTables
from kpi_engine.execution.querying import described
from kpi_engine.planning import read_request
from kpi_engine.planning.arguments import check_options
from kpi_engine.planning.words import explained
from kpi_engine.plugins.limits import within
from kpi_engine.preparing import Preparation
from kpi_engine.results import Result

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence
    from datetime import date, datetime
    from pathlib import Path
    from types import TracebackType

    import duckdb

    from kpi_engine.api import Measure, Report
    from kpi_engine.calendar import Calendar
    from kpi_engine.catalogue import Catalogue
    from kpi_engine.definitions import Project
    from kpi_engine.descriptions import KpiDescription
    from kpi_engine.errors import Diagnostic
    from kpi_engine.execution.running import Runner
    from kpi_engine.planning import Request
    from kpi_engine.plugins import Plugins
    from kpi_engine.sync.reports import SyncReport
    from kpi_engine.sync.running import Watching

    Period = str | int | date | tuple[date, date] | None
    OnError = Literal["raise", "collect"]


def open_project(
    definitions: str | Path | Mapping[str, Any],
    data: duckdb.DuckDBPyConnection | Mapping[str, Any] | None = None,
    *,
    disabled_plugins: Collection[str] = (),
) -> Engine:
    """Open a project and give its engine; nothing is read of the data yet.

    `definitions` is a folder with a `kpi.yaml`, that file, or the definitions as a mapping. `data` replaces the project's sources: a
    DuckDB connection, or tables by name (Arrow, pandas or polars). Mistakes in definitions do not stop the opening: `check` lists
    them, and a KPI that has one is refused when it is asked for.

    Raises `DefinitionError` where there is no project.
    """
    project = from_mapping(definitions) if isinstance(definitions, Mapping) else load(definitions, Cache())
    return Engine(project, data, disabled_plugins=disabled_plugins)


class Engine:
    """A project that can be asked; one engine serves many threads, and is a context manager."""

    def __init__(
        self,
        project: Project,
        data: duckdb.DuckDBPyConnection | Mapping[str, Any] | None = None,
        *,
        disabled_plugins: Collection[str] = (),
    ) -> None:
        self.project = project
        self._disabled = disabled_plugins
        self._stops = 0
        connection = None if data is None or isinstance(data, Mapping) else data
        self._database = Database(connection, _known_zone(project))
        handed_in = data if isinstance(data, Mapping) else None if connection is None else ConnectionTables(connection)
        self._binder = Binder(project, lambda: self.plugins, self._database, handed_in)
        self._prepared = Preparation(project, self._binder, self._database)

    @cached_property
    def plugins(self) -> Plugins:
        """The plugins of this project."""
        from kpi_engine.plugins import Plugins

        return Plugins(self.project.root, self._disabled)

    @property
    def calendar(self) -> Calendar:
        """The project's calendar; its own units are read when they are asked for."""
        return self._prepared.calendar

    def run(
        self, kpis: str | Sequence[str] | None = None, *, role: str | None = None, by: str | Iterable[str] = (),
        grain: str | Iterable[str] | None = None, period: Period = None, where: Mapping[str, Any] | None = None, where_sql: str | None = None,
        having: Mapping[str, Any] | None = None, compare: str | Iterable[str] = (), like_for_like: bool = False,
        order: str | Iterable[str] = (), limit: int | None = None, top: int | Mapping[str, Any] | None = None, rank: str | Iterable[str] | Mapping[str, Any] = (),
        share: str | Iterable[str] | Mapping[str, Any] = (), as_of: str | date | datetime | None = None,
        parameters: Mapping[str, Any] | None = None, dense: bool = True, currency: str | None = None, timeout: float | None = None,
        on_error: OnError | None = None, language: str | None = None,
    ) -> Result:  # fmt: skip
        """Compute KPIs.

        - `kpis` is an id or a list of ids; or `role` names a role, for all its KPIs.
        - `by` names dimensions; `grain` is `day`, `week`, `month`, `quarter`, `year`, `fiscal_quarter` or `fiscal_year`.
        - `period` is a text such as `2026-Q3`, `2026-07`, `2026-01-15..2026-03-31`, `last quarter` or `year to date`; without it all
          the data are taken.
        - `where` is `{dimension: value | [values] | {operator: value}}`, `where_sql` a condition in the formula language;
          `having` is as `where`, on the columns of the answer.
        - `compare` lists `previous_period` and `previous_year`; with `like_for_like` a period that is not over is compared with the same
          part of the earlier one.
        - `order` lists columns, with `-` or ` desc` for descending; `limit` keeps the first rows.
        - `top` keeps the first members of a dimension: `5`, or `{first: 5, of: dimension, by: KPI, others: True}`, whose others are a row.
        - `rank` and `share` name KPIs whose rank, or share of the total, is wanted; or `{KPI: dimensions}` that they go over.
        - `as_of` is the moment as of which the answer holds; rows after it are not counted. A date means that whole day.
        - `dense` False keeps only the members and periods that have rows.
        - `currency` is the currency into which amounts are converted, each at the rate of its own time; `as_recorded`, none is.
        - `timeout` is in seconds.
        - `on_error` `collect` leaves KPIs that fail unknown and says why in `failures`; it is the default with `role`.
        - `language` is that of the labels, `en` or `fr`; otherwise the project's.

        Raises `RequestError`, `DefinitionError`, `DataError`, `SourceError`, `PluginError` or `TimeoutExceeded`.
        """
        self._prepared.check_open()
        check_settings(self.project)
        check_options(timeout, on_error, dense=dense)
        ids = ids_of(self.project, kpis, role)
        request = read_request(
            ids, self.calendar, by=by, grain=grain, period=period, where=where, where_sql=where_sql, having=having, compare=compare,
            like_for_like=like_for_like, order=order, limit=limit, as_of=as_of, parameters=checked_parameters(self.project, parameters), dense=dense,
            currency=currency, top=top, rank=rank, share=share,
        )  # fmt: skip
        collect = (on_error or ("collect" if role else "raise")) == "collect"
        with within(timeout):
            return self._answering(timeout, language).run(request, collect=collect)

    def members(
        self, by: str | Iterable[str] = (), *, of: str | Sequence[str] | None = None, grain: str | Iterable[str] | None = None,
        period: Period = None, where: Mapping[str, Any] | None = None, where_sql: str | None = None, order: str | Iterable[str] = (),
        limit: int | None = None, as_of: str | date | datetime | None = None, dense: bool = True, dated: bool = True,
        timeout: float | None = None, language: str | None = None,
    ) -> Result:  # fmt: skip
        """List the members of dimensions: each combination that rows have, once.

        - `by` names dimensions; `of` says of which datasets or KPIs; without it, of all datasets that have these dimensions.
        - With a `grain` there is a row for each member and each period; `dense` False keeps those that have rows.
        - `dated` False takes the members of all rows, whenever they count, and not those of the period.
        - The others are as in `run`.
        """
        self._prepared.check_open()
        check_settings(self.project)
        check_options(timeout, None, dense=dense)
        request = read_request(
            (), self.calendar, by=by, grain=grain, period=period, where=where, where_sql=where_sql, order=order, limit=limit,
            as_of=as_of, dense=dense,
        )  # fmt: skip
        asked = (*request.by, *(each.name for each in request.where))
        with within(timeout):
            request = replace(request, members_of=having_members(self._prepared.catalogue, asked, of), dated=dated)
            self._prepared.refresh(request.members_of)
            for dataset in request.members_of:
                self._prepared.readable(dataset)
            return self._answering(timeout, language).answered(request, {})

    def report(
        self, *, role: str | Sequence[str] | None = None, period: Period = "last quarter",
        compare: str | Iterable[str] = ("previous_period", "previous_year"), like_for_like: bool = False,
        where: Mapping[str, Any] | None = None, as_of: str | date | datetime | None = None, language: str | None = None, trend: bool = True, timeout: float | None = None,
    ) -> Report:  # fmt: skip
        """Compute the scorecards of one role, of several, or of all, ready to be rendered; a KPI that fails is shown as failed."""
        from kpi_engine.reporting import scorecards

        check_settings(self.project)
        roles = roles_of(self.project, role)
        return scorecards(
            self,
            roles,
            period=period,
            compare=compare,
            like_for_like=like_for_like,
            where=where,
            as_of=as_of,
            language=language_of(self.project, language),
            trend=trend,
            timeout=timeout,
        )

    def render(
        self,
        shown: Report | Result,
        output: str,
        target: str | Path | IO[bytes] | None = None,
        **options: Any,  # noqa: ANN401 - what the plugin takes
    ) -> bytes:
        """Render a report or a result with an output plugin.

        Gives the bytes, and writes them to `target`, a file or a stream, once they are complete.
        """
        from kpi_engine.reporting import rendered, table_report

        report = table_report(self, shown) if isinstance(shown, Result) else shown
        return rendered(self.plugins, report, output, target, options)

    def check(self, *, live: bool = False) -> list[Diagnostic]:
        """Find everything that is wrong with the project's definitions, in the order of its files; data are looked at for columns only.

        With `live`, rows are looked at too: values that are not of their type, keys that are not unique, joins that lead nowhere,
        times that are unknown or far off, and members that no rule names.
        """
        self._prepared.check_open()
        from kpi_engine.checking import checked

        self._prepared.refresh()
        prepared = self._prepared
        found = checked(self.project, prepared.catalogue, self._binder, prepared.unreadable, prepared.without_terms)
        if not live:
            return found
        from kpi_engine.catalogue import in_order
        from kpi_engine.comparing import compared
        from kpi_engine.execution.clocks import said_of_clock
        from kpi_engine.execution.units import said_of_units

        _ = self._prepared.runner
        settings = self.project.places.settings.source
        every = compared(self._prepared.catalogue, self._binder, self._database, self.calendar, found)
        every += said_of_units(self.project, self.calendar.units)
        every += said_of_clock(self._prepared.catalogue, self._database, self.calendar.timezone)
        return in_order(every, settings.file if settings else "")

    def explain(self, kpis: str | Sequence[str] | None = None, *, role: str | None = None, **request: Any) -> str:  # noqa: ANN401
        """Say in words how a request is computed, then in SQL; takes the arguments of `run`."""
        self._prepared.check_open()
        check_settings(self.project)
        ids = ids_of(self.project, kpis, role)
        request.pop("timeout", None)
        parameters = checked_parameters(self.project, request.pop("parameters", None))
        made = read_request(ids, self.calendar, **request, parameters=parameters)
        self._prepared.refresh(ids)
        for kpi_id in (*ids, *made.compared_with):
            self._prepared.ready(kpi_id, made.currency)
        planned = self._prepared.runner.planned(replace(made, partial_split=role is not None), pretty=True)
        elsewhere = described(planned.query, self._binder)
        return explained(planned.plan, planned.statement, self._prepared.catalogue, elsewhere)

    def recipe(
        self, kpis: str | Sequence[str] | None = None, *, role: str | None = None, language: str | None = None,
        as_of: str | date | datetime | None = None, parameters: Mapping[str, Any] | None = None, **request: Any,  # noqa: ANN401
    ) -> dict[str, Any] | None:  # fmt: skip
        """Say how a request is answered, in statements and words that can be kept, so that it need not be planned again.

        Nothing of the data is in it but their version. None where the next answer may not come about in the same way.
        """
        from kpi_engine.noting import Kitchen, recipe

        ids, values = ids_of(self.project, kpis, role), checked_parameters(self.project, parameters)

        def read(moment: str | date | datetime | None) -> Request:
            return read_request(ids, self.calendar, as_of=moment, parameters=values, **request)

        def runner() -> Runner:
            self._prepared.refresh(ids)
            for kpi_id in ids:
                self._prepared.ready(kpi_id, str(request.get("currency") or ""))
            return self._prepared.runner

        found = recipe(Kitchen(self.project, self._binder, runner, read, language_of(self.project, language)), as_of)
        return None if self._prepared.unreadable else found

    def sync(
        self, sources: str | Collection[str] = (), *, full: bool = False, wait: bool = False, watching: Watching | None = None
    ) -> SyncReport:  # fmt: skip
        """Fetch what is new of sources whose rows are kept in the project's store, or of all such sources.

        - `full` fetches all rows anew, `wait` waits for the end of a sync that another process runs.
        - What goes wrong with a source stands in the report, and KPIs go on reading what they read before.
        - `watching` is told how it goes on.

        Raises `RequestError` for a source that is not there, or whose rows are not fetched.
        """
        from kpi_engine.sync.running import Sync, Watching

        self._prepared.check_open()
        check_settings(self.project)
        stops = self._stops
        told = watching or Watching()
        told = replace(told, is_stopped=lambda: self._stops != stops)
        names = [sources] if isinstance(sources, str) else sources
        made = Sync(self.project, self.plugins, self.calendar, self._binder.default_source, told)
        return made.run(names, full=full, wait=wait)

    def measure(self, kpi_id: str, language: str | None = None) -> Measure:
        """Say what a KPI is: label, unit, format, additivity, status."""
        return measure_of(self._prepared.ready(kpi_id), self.catalogue, language_of(self.project, language))

    def dimensions(self, kpi_id: str) -> tuple[str, ...]:
        """Name the dimensions that a KPI may be split and filtered by."""
        self._prepared.ready(kpi_id)
        return self._prepared.catalogue.dimensions(kpi_id)

    def describe(self, kpi_id: str, language: str | None = None) -> KpiDescription:
        """Say all there is to say of a KPI: formula, inputs, dimensions, parameters, place, and what is made of it.

        One that cannot be computed is described as far as it is known, with the error as its `fault`.
        """
        from kpi_engine.descriptions import describe_kpi

        ids_of(self.project, kpi_id, None)
        fault = None
        try:
            self._prepared.ready(kpi_id)
        except KpiError as error:
            fault = error
        return describe_kpi(kpi_id, self._prepared.catalogue, language_of(self.project, language), fault)

    def kpis(self, role: str | None = None) -> tuple[str, ...]:
        """Name the KPIs there are, or those of a role, in the order of the definitions."""
        return kpis_of(self.project, role)

    def interrupt(self) -> None:
        """Stop what the engine computes at this moment, from another thread: each request that runs raises `TimeoutExceeded` (`interrupted`)."""
        self._stops += 1
        self._database.interrupt()
        self._binder.interrupt()

    def close(self) -> None:
        """Close the engine; results that are already there stay usable, except totals not asked for yet."""
        self._prepared.close()

    def __enter__(self) -> Self:
        """Use the engine in a `with`, which closes it."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it."""
        self.close()

    @property
    def catalogue(self) -> Catalogue:
        """Every name of the project, resolved."""
        return self._prepared.catalogue

    def _answering(self, timeout: float | None, language: str | None) -> Answering:
        return Answering(self._prepared, timeout, language_of(self.project, language))


def _known_zone(project: Project) -> str:
    """Give the project's time zone; where there is none of that name, which `check` says, UTC."""
    try:
        return load_zone(project.settings.calendar.timezone).key
    except KpiError:
        return "UTC"
