"""The front door: open a project, ask it, check it, have it explained."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from functools import cached_property
from threading import RLock
from typing import IO, TYPE_CHECKING, Any, Literal, Self

from kpi_engine.api import Failure
from kpi_engine.cache import Cache
from kpi_engine.calendar import Calendar
from kpi_engine.calendar.zones import load_zone
from kpi_engine.catalogue import Catalogue
from kpi_engine.definitions import from_mapping, load
from kpi_engine.describing import heading, measure_of
from kpi_engine.errors import DefinitionError, KpiError, RequestError, SourceError, TimeoutExceeded, nearest, shown
from kpi_engine.execution.binding import Binder
from kpi_engine.execution.database import Database
from kpi_engine.execution.running import DataMoved, Planned, Runner
from kpi_engine.execution.verifying import Verified
from kpi_engine.planning import read_request, totalled
from kpi_engine.planning.arguments import check_options, mapping_of, names_of, text_of
from kpi_engine.planning.request import unusable
from kpi_engine.planning.words import explained
from kpi_engine.results import Result

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence
    from datetime import datetime
    from pathlib import Path
    from types import TracebackType

    import duckdb

    from kpi_engine.api import Measure, Report
    from kpi_engine.definitions import Project
    from kpi_engine.descriptions import KpiDescription
    from kpi_engine.errors import Diagnostic
    from kpi_engine.planning import Request
    from kpi_engine.plugins import Plugins
    from kpi_engine.results import Answered

    Period = str | int | date | tuple[date, date] | None
    OnError = Literal["raise", "collect"]

MONTHS = (
    "january", "february", "march", "april", "may", "june",
    "july", "august", "september", "october", "november", "december",
)  # fmt: skip
LANGUAGES = ("en", "fr")
ATTEMPTS = 3
"""So many times a request is computed where data are written while it reads them."""
DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


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
        self._lock = RLock()
        connection = None if data is None or isinstance(data, Mapping) else data
        self._database = Database(connection, _known_zone(project))
        handed_in = data if isinstance(data, Mapping) else None if connection is None else _Tables(connection)
        self._binder = Binder(project, lambda: self.plugins, self._database, handed_in)
        self._catalogue = Catalogue(project, self._schema)
        self._verified = Verified(project.root)
        self._unreadable: dict[str, KpiError] = {}
        self._sound: set[str] = set()
        self._typed: set[str] = set()
        self._closed = False
        self._allowed = False

    @cached_property
    def plugins(self) -> Plugins:
        """The plugins of this project."""
        from kpi_engine.plugins import Plugins

        return Plugins(self.project.root, self._disabled)

    @cached_property
    def calendar(self) -> Calendar:
        """The project's calendar."""
        settings = self.project.settings.calendar
        return Calendar(
            settings.timezone,
            DAYS.index(settings.week_start),
            MONTHS.index(settings.fiscal_year_start) + 1,
            settings.fiscal_year_named_after,
        )

    def run(
        self, kpis: str | Sequence[str] | None = None, *, role: str | None = None, by: str | Iterable[str] = (),
        grain: str | Iterable[str] | None = None, period: Period = None, where: Mapping[str, Any] | None = None, where_sql: str | None = None,
        having: Mapping[str, Any] | None = None, compare: str | Iterable[str] = (), order: str | Iterable[str] = (),
        limit: int | None = None, as_of: str | date | datetime | None = None, parameters: Mapping[str, Any] | None = None,
        dense: bool = True, timeout: float | None = None, on_error: OnError | None = None, language: str | None = None,
    ) -> Result:  # fmt: skip
        """Compute KPIs.

        - `kpis` is an id or a list of ids; or `role` names a role, for all its KPIs.
        - `by` names dimensions; `grain` is `day`, `week`, `month`, `quarter`, `year`, `fiscal_quarter` or `fiscal_year`.
        - `period` is a text such as `2026-Q3`, `2026-07`, `2026-01-15..2026-03-31`, `last quarter` or `year to date`; without it all
          the data are taken.
        - `where` is `{dimension: value | [values] | {operator: value}}`, `where_sql` a condition in the formula language;
          `having` is as `where`, on the columns of the answer.
        - `compare` lists `previous_period` and `previous_year`.
        - `order` lists columns, with `-` or ` desc` for descending; `limit` keeps the first rows.
        - `as_of` is the moment as of which the answer holds; rows after it are not counted. A date means that whole day.
        - `dense` False keeps only the members and periods that have rows.
        - `timeout` is in seconds.
        - `on_error` `collect` leaves KPIs that fail unknown and says why in `failures`; it is the default with `role`.
        - `language` is that of the labels, `en` or `fr`; otherwise the project's.

        Raises `RequestError`, `DefinitionError`, `DataError`, `SourceError`, `PluginError` or `TimeoutExceeded`.
        """
        self._check_open()
        self._check_settings()
        check_options(timeout, on_error, dense=dense)
        ids = self._ids(kpis, role)
        request = read_request(
            ids, self.calendar, by=by, grain=grain, period=period, where=where, where_sql=where_sql, having=having, compare=compare,
            order=order, limit=limit, as_of=as_of, parameters=self._checked_parameters(parameters), dense=dense,
        )  # fmt: skip
        collect = (on_error or ("collect" if role else "raise")) == "collect"
        return self._run(request, timeout, self._language(language), collect=collect)

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
        self._check_open()
        self._check_settings()
        check_options(timeout, None, dense=dense)
        request = read_request(
            (), self.calendar, by=by, grain=grain, period=period, where=where, where_sql=where_sql, order=order, limit=limit,
            as_of=as_of, dense=dense,
        )  # fmt: skip
        asked = (*request.by, *(each.name for each in request.where))
        request = replace(request, members_of=self._having_members(asked, of), dated=dated)
        self._refresh(request.members_of)
        for dataset in request.members_of:
            self._readable(dataset)
        return self._answered(request, {}, timeout, self._language(language))

    def report(
        self, *, role: str | Sequence[str] | None = None, period: Period = "last quarter",
        compare: str | Iterable[str] = ("previous_period", "previous_year"), where: Mapping[str, Any] | None = None,
        as_of: str | date | datetime | None = None, language: str | None = None, trend: bool = True, timeout: float | None = None,
    ) -> Report:  # fmt: skip
        """Compute the scorecards of one role, of several, or of all, ready to be rendered; a KPI that fails is shown as failed."""
        from kpi_engine.reporting import scorecards

        self._check_settings()
        roles = self._roles(role)
        return scorecards(
            self,
            roles,
            period=period,
            compare=compare,
            where=where,
            as_of=as_of,
            language=self._language(language),
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
        self._check_open()
        from kpi_engine.checking import checked

        self._refresh()
        found = checked(self.project, self._catalogue, self._binder, self._unreadable)
        if not live:
            return found
        from kpi_engine.catalogue import in_order
        from kpi_engine.comparing import compared

        _ = self._runner
        settings = self.project.places.settings.source
        every = compared(self._catalogue, self._binder, self._database, self.calendar, found)
        return in_order(every, settings.file if settings else "")

    def explain(self, kpis: str | Sequence[str] | None = None, *, role: str | None = None, **request: Any) -> str:  # noqa: ANN401
        """Say in words how a request is computed, then in SQL; takes the arguments of `run`."""
        self._check_open()
        self._check_settings()
        ids = self._ids(kpis, role)
        request.pop("timeout", None)
        parameters = self._checked_parameters(request.pop("parameters", None))
        made = read_request(ids, self.calendar, **request, parameters=parameters)
        self._refresh(ids)
        for kpi_id in ids:
            self._ready(kpi_id)
        planned = self._runner.planned(replace(made, partial_split=role is not None), pretty=True)
        return explained(planned.plan, planned.statement, self._catalogue)

    def recipe(
        self, kpis: str | Sequence[str] | None = None, *, role: str | None = None, language: str | None = None,
        as_of: str | date | datetime | None = None, parameters: Mapping[str, Any] | None = None, **request: Any,  # noqa: ANN401
    ) -> dict[str, Any] | None:  # fmt: skip
        """Say how a request is answered, in statements and words that can be kept, so that it need not be planned again.

        Nothing of the data is in it but their version. None where the next answer may not come about in the same way.
        """
        from kpi_engine.noting import Kitchen, recipe

        ids, values = self._ids(kpis, role), self._checked_parameters(parameters)

        def read(moment: str | date | datetime | None) -> Request:
            return read_request(ids, self.calendar, as_of=moment, parameters=values, **request)

        def runner() -> Runner:
            self._refresh(ids)
            for kpi_id in ids:
                self._ready(kpi_id)
            return self._runner

        found = recipe(Kitchen(self.project, self._binder, runner, read, self._language(language)), as_of)
        return None if self._unreadable else found

    def measure(self, kpi_id: str, language: str | None = None) -> Measure:
        """Say what a KPI is: label, unit, format, additivity, status."""
        return measure_of(self._ready(kpi_id), self.project, self._language(language))

    def dimensions(self, kpi_id: str) -> tuple[str, ...]:
        """Name the dimensions that a KPI may be split and filtered by."""
        self._ready(kpi_id)
        return self._catalogue.dimensions(kpi_id)

    def describe(self, kpi_id: str, language: str | None = None) -> KpiDescription:
        """Say all there is to say of a KPI: formula, inputs, dimensions, parameters, place, and what is made of it.

        One that cannot be computed is described as far as it is known, with the error as its `fault`.
        """
        from kpi_engine.descriptions import describe_kpi

        self._ids(kpi_id, None)
        fault = None
        try:
            self._ready(kpi_id)
        except KpiError as error:
            fault = error
        return describe_kpi(kpi_id, self._catalogue, self._language(language), fault)

    def kpis(self, role: str | None = None) -> tuple[str, ...]:
        """Name the KPIs there are, or those of a role, in the order of the definitions."""
        if role is not None:
            self._roles(role)
        return tuple(k for k, model in self.project.kpis.items() if role is None or role in model.role)

    def interrupt(self) -> None:
        """Stop what the engine computes at this moment, from another thread: each request that runs raises `TimeoutExceeded` (`interrupted`)."""
        self._database.interrupt()

    def close(self) -> None:
        """Close the engine; results that are already there stay usable, except totals not asked for yet."""
        with self._lock:
            self._closed = True
            self._binder.close()
            self._database.close()

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
        return self._catalogue

    @property
    def _runner(self) -> Runner:
        self._allow_folders()
        return Runner(self._catalogue, self.calendar, self._binder, self._database, self._verified)

    def _allow_folders(self) -> None:
        with self._lock:
            if not self._allowed:
                self._database.allow(self._binder.folders())
                self._allowed = True

    def _run(self, request: Any, timeout: float | None, language: str, *, collect: bool) -> Result:  # noqa: ANN401 - a planning.Request
        failures: dict[str, Failure] = {}
        self._refresh((*request.kpis, *request.compared_with))
        for kpi_id in request.compared_with:
            self._ready(kpi_id)
        for kpi_id in request.kpis:
            try:
                self._ready(kpi_id)
                if collect and len(request.kpis) > 1:
                    self._runner.check(replace(request, kpis=(kpi_id,), order=(), having=()))
            except KpiError as error:
                if not collect:
                    raise
                failures[kpi_id] = _failure(error)
        request = replace(request, failed=frozenset(failures))
        try:
            return self._answered(request, failures, timeout, language)
        except TimeoutExceeded:
            raise
        except KpiError:
            if not collect:
                raise
            failures |= self._failing(request, timeout)
            return self._answered(replace(request, failed=frozenset(failures)), failures, timeout, language)

    def _failing(self, request: Any, timeout: float | None) -> dict[str, Failure]:  # noqa: ANN401
        """Run each KPI by itself, to find those that fail."""
        found: dict[str, Failure] = {}
        for kpi_id in (k for k in request.kpis if k not in request.failed):
            try:
                self._computed(replace(request, kpis=(kpi_id,), order=(), having=()), timeout)
            except TimeoutExceeded:
                raise
            except KpiError as error:
                found[kpi_id] = _failure(error)
        return found

    def _answered(self, request: Any, failures: Mapping[str, Failure], timeout: float | None, language: str) -> Result:  # noqa: ANN401
        planned, answered, currencies = self._computed(request, timeout)
        request = planned.request
        head = heading(planned.plan, request, self._catalogue, self.calendar, language)
        return Result(
            columns=head.columns,
            period=head.period,
            as_of=request.as_of,
            unfinished=head.unfinished,
            failures=dict(failures),
            currencies=currencies,
            language=language,
            _answered=answered,
            _totals=lambda: self._total(request, answered, timeout),
        )

    def _computed(self, request: Any, timeout: float | None) -> tuple[Planned, Answered, dict[str, str]]:  # noqa: ANN401
        """Plan and run a request; where data were written meanwhile, once more over those there are now."""
        for _ in range(ATTEMPTS):
            runner, replaced = self._runner, self._database.replaced
            try:
                planned = runner.planned(request, timeout=timeout)
                return planned, *runner.answer(planned, timeout)
            except DataMoved:
                pass
            except KpiError as error:
                if isinstance(error, TimeoutExceeded) or self._database.replaced == replaced:
                    raise
            self._refresh((*request.kpis, *request.members_of))
            for kpi_id in (each for each in request.kpis if each not in request.failed):
                self._ready(kpi_id)
        hint = "ask again when whoever writes them has finished"
        raise SourceError("the data are written faster than they can be read", code="data_changing", hint=hint)

    def _total(self, request: Any, answered: Any, timeout: float | None) -> Mapping[str, Any]:  # noqa: ANN401
        whole = totalled(request)
        if not request.kpis:
            return {}
        if whole is None:
            return {name: values[0] for name, values in answered.lists().items()}
        self._check_open()
        self._refresh(request.kpis)
        _, result, _ = self._computed(whole, timeout)
        return {name: values[0] for name, values in result.lists().items()}

    def _ready(self, kpi_id: str) -> Any:  # noqa: ANN401 - a resolved KPI
        """Resolve a KPI over the data it needs; raise what stands in the way."""
        self._check_open()
        for dataset in self._catalogue.datasets_under(kpi_id, converted=True):
            self._readable(dataset)
        kpi = self._catalogue.kpi(kpi_id)
        self._check_types(kpi_id)
        return kpi

    def _readable(self, dataset: str) -> None:
        """Look at a dataset before its first use; raise what stands in the way of reading it."""
        if dataset in self._sound:
            return
        self._unreadable.pop(dataset, None)
        mistakes = [d for d in self._catalogue.check_dataset(dataset) if d.severity == "error"]
        if not mistakes:
            self._catalogue.names.schema(dataset)
        if mistakes:
            raise DefinitionError(mistakes)
        if dataset in self._unreadable:
            raise self._unreadable[dataset]
        self._sound.add(dataset)

    def _having_members(self, dimensions: Sequence[str], of: str | Sequence[str] | None) -> tuple[str, ...]:
        """Name the datasets whose members are listed: those that are named, or that lie under KPIs that are, else all that have them."""
        datasets = self.project.datasets
        if of is None:
            found = tuple(name for name, each in datasets.items() if set(dimensions) <= each.dimensions.keys())
            if found and dimensions:
                return found
            message = f"no dataset has {' and '.join(shown(name) for name in dimensions) or 'a member'}"
            hint = (
                "say of which dataset"
                if not dimensions
                else "name dimensions of one dataset, or reach them over its joins"
            )
            raise RequestError(message, code="missing_dimension", hint=hint)
        named = names_of(of, "of", 'members("channel", of="page_views")')
        for name in named:
            if name not in datasets and name not in self.project.kpis:
                hint = nearest(name, [*datasets, *self.project.kpis])
                raise RequestError(f"there is no dataset and no KPI {shown(name)}", code="unknown_dataset", hint=hint)
        under = tuple(dict.fromkeys(each for name in named for each in self._catalogue.datasets_under(name)))
        for dataset in under:
            if lacking := [name for name in dimensions if name not in datasets[dataset].dimensions]:
                message = f"dataset `{dataset}` has no dimension {shown(lacking[0])}"
                hint = nearest(lacking[0], datasets[dataset].dimensions) or "it has no dimensions"
                raise RequestError(message, code="missing_dimension", hint=hint)
        return under

    def _check_types(self, kpi_id: str) -> None:
        """Refuse a KPI where it, or one below it, compares or computes what cannot be."""
        if kpi_id in self._typed:
            return
        from kpi_engine.typechecks import types_of_kpi

        for name in self._catalogue.kpis_under(kpi_id):
            if name not in self._typed:
                if mistakes := types_of_kpi(self._catalogue.kpi(name), self._catalogue, self._binder):
                    raise DefinitionError(mistakes)
                self._typed.add(name)

    def _refresh(self, kpis: Iterable[str] | None = None) -> None:
        """Look again at the columns of the data that some KPIs need, or all, where those may have changed."""
        if self._binder.has_looked and self._binder.refresh(self._catalogue.read_for(kpis)):
            with self._lock:
                self._catalogue = Catalogue(self.project, self._schema)
                self._sound = set()
                self._typed = set()
                self._unreadable = {}

    def _schema(self, dataset: str) -> Mapping[str, str] | None:
        """Give a dataset's columns; where its data cannot be read the reason is kept, and any column is taken to exist."""
        try:
            self._allow_folders()
            return self._binder.schema(dataset)
        except KpiError as error:
            self._unreadable[dataset] = error
            return None

    def _language(self, asked: str | None) -> str:
        if asked is not None and asked not in LANGUAGES:
            message = f"there are no labels in the language {shown(asked)}"
            raise RequestError(message, code="unknown_language", hint=nearest(str(asked), LANGUAGES))
        return asked or self.project.settings.language

    def _ids(self, kpis: str | Sequence[str] | None, role: str | None) -> tuple[str, ...]:
        if (kpis is None) == (role is None):
            raise RequestError(
                "ask either for KPIs or for a role",
                code="bad_request",
                hint='for example run("visits") or run(role="seo_manager")',
            )
        if role is not None:
            found = self.kpis(text_of(role, "role", 'run(role="seo_manager")'))
            if not found:
                raise RequestError(f"the role `{role}` has no KPIs", code="empty_role", hint="give a KPI `role:`")
            return found
        ids = names_of(() if kpis is None else kpis, "kpis", 'run(["visits", "leads"])')
        if not ids:
            raise RequestError("no KPI is asked for", code="bad_request", hint="name at least one")
        for kpi_id in ids:
            if kpi_id not in self.project.kpis:
                self._refuse_unknown(kpi_id)
        return ids

    def _refuse_unknown(self, kpi_id: str) -> None:
        broken = [d for d in self.project.diagnostics if d.severity == "error" and d.subject == f"kpi {kpi_id}"]
        hint = nearest(kpi_id, self.project.kpis)
        if not broken and not hint.startswith(
            "did you mean"
        ):  # it may stand in a file, or a section, that was not read
            broken = [d for d in self.project.diagnostics if d.severity == "error" and d.subject.startswith("file ")]
        if broken:
            raise DefinitionError(broken)
        raise RequestError(f"there is no KPI {shown(kpi_id)}", code="unknown_kpi", hint=hint)

    def _roles(self, role: str | Sequence[str] | None) -> tuple[str, ...]:
        names = tuple(self.project.roles) if role is None else names_of(role, "role", 'report(role="seo_manager")')
        for name in names:
            if name not in self.project.roles:
                raise RequestError(
                    f"there is no role {shown(name)}", code="unknown_role", hint=nearest(name, self.project.roles)
                )
        return names

    def _checked_parameters(self, given: Mapping[str, Any] | None) -> dict[str, Any]:
        from kpi_engine.definitions.parameters import misfit

        declared = self.project.parameters
        for name, value in mapping_of(given, "parameters", "parameters={'weight': 2}").items():
            if name not in declared:
                hint = nearest(name, declared) or "the project declares none"
                raise RequestError(f"there is no parameter {shown(name)}", code="unknown_parameter", hint=hint)
            kind = declared[name].type
            if expected := misfit(kind, value.isoformat() if type(value) is date else value):
                message = f"the parameter `{name}` is {value!r:.40}, expected {expected}"
                raise RequestError(message, code="bad_parameter", hint=f"it is declared as `type: {kind}`")
            if isinstance(value, str | int | float) and (why := unusable(value)):
                message = f"the value of the parameter `{name}` {why}"
                raise RequestError(
                    message, code="bad_parameter", hint="give a value that can be compared and computed with"
                )
        return dict(given or {})

    def _check_settings(self) -> None:
        """Refuse to compute where the project's settings have a mistake: calendar, currency or parameters could be others than meant."""
        mistakes = [d for d in self.project.diagnostics if d.severity == "error" and d.subject == "project"]
        if mistakes:
            raise DefinitionError(mistakes)

    def _check_open(self) -> None:
        if self._closed:
            raise RequestError(
                "the engine is closed", code="closed", hint="ask before leaving its `with`, or open it again"
            )


def _known_zone(project: Project) -> str:
    """Give the project's time zone; where there is none of that name, which `check` says, UTC."""
    try:
        return load_zone(project.settings.calendar.timezone).key
    except KpiError:
        return "UTC"


def _failure(error: KpiError) -> Failure:
    return Failure(error.code, error.message, error.hint)


class _Tables(Mapping[str, Any]):
    """The tables of a connection that was handed in, by name; the values are None, as DuckDB knows them itself."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection

    def _names(self) -> list[str]:
        query = "SELECT table_name FROM information_schema.tables WHERE table_schema = current_schema() ORDER BY 1"
        return [row[0] for row in self._connection.cursor().execute(query).fetchall()]

    def __getitem__(self, name: str) -> None:
        if name not in self._names():
            raise KeyError(name)

    def __iter__(self) -> Any:  # noqa: ANN401 - an iterator
        return iter(self._names())

    def __len__(self) -> int:
        return len(self._names())
