"""A request answered: planned, rendered, run, and checked."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from kpi_engine.calendar import Span, repeated, shown_until, unit_below, whole_units
from kpi_engine.calendar.spans import INSTANT
from kpi_engine.errors import DataError, KpiError, TimeoutExceeded
from kpi_engine.execution.answers import answered
from kpi_engine.execution.fetching import Sizes, fetching
from kpi_engine.execution.querying import asked, fetched
from kpi_engine.execution.versions import combined
from kpi_engine.planning import CHECKS, bounds, keeping, needs_bounds, plan, spanning
from kpi_engine.sql import KEYS, ROWS_OF_KEY, Dated, Renderer, Tables, datasets_of, datasets_of_bounds, tables_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from arro3.core import Table

    from kpi_engine.calendar import Calendar
    from kpi_engine.catalogue import Belonging, Catalogue
    from kpi_engine.execution.binding import Binder
    from kpi_engine.execution.database import Database
    from kpi_engine.execution.verifying import Verified
    from kpi_engine.execution.versions import Version
    from kpi_engine.planning import Bounds, Derive, Request
    from kpi_engine.results import Answered
    from kpi_engine.sql import Query

LONGEST = 60
"""So many characters of a value are shown."""


class DataMoved(Exception):  # noqa: N818 - an event, not a mistake: whoever asked asks again
    """Data were written while a request read them."""


@dataclass(frozen=True)
class Planned:
    """A request with its period found, its plan, and the statement that answers it; `versions` are those of the data before it was planned."""

    request: Request
    plan: Derive
    query: Query
    renderer: Renderer
    registered: Mapping[str, Any]
    tables: Tables
    versions: Mapping[str, Version]

    @property
    def statement(self) -> str:
        """The statement that DuckDB is given."""
        return self.query.statement

    @property
    def split(self) -> tuple[object, ...]:
        """By what its rows are told apart, beside the period."""
        return (self.tables.read, self.plan.align.split)

    @property
    def periods(self) -> int:
        """How many periods it has, at least one."""
        return max(len(self.plan.align.periods), 1)

    @property
    def calendar(self) -> tuple[str, ...]:
        """Its columns that the calendar fills."""
        return (self.plan.period, *(f"{self.plan.period}_{grain}" for grain in self.plan.align.labels))


@dataclass(frozen=True)
class Runner:
    """Answers requests over one project."""

    catalogue: Catalogue
    calendar: Calendar
    binder: Binder
    database: Database
    verified: Verified
    sizes: Sizes

    def planned(self, request: Request, *, pretty: bool = False, timeout: float | None = None) -> Planned:
        """Find the period, plan the request and render its statement."""
        versions: dict[str, Version] = {}
        if needs_bounds(request):
            request = spanning(request, self._span(request, timeout, versions))
        made = plan(request, self.catalogue, self.calendar)
        tables = tables_of(made, self.catalogue.names)
        read = dict.fromkeys((*tables.read, *tables.joined))
        self._note(read, versions)
        again = (*tables.joined, *(dated.dataset for dated in tables.dated))
        renderer, registered = self._renderer(read, [each for each in again if versions[each].kind != "known"])
        return Planned(request, made, renderer.request(made, pretty=pretty), renderer, registered, tables, versions)

    def check(self, request: Request) -> None:
        """Plan a request without looking at any data; raise what stands in its way."""
        if needs_bounds(request):
            bounds(request, self.catalogue, self.calendar)
        else:
            plan(request, self.catalogue, self.calendar)

    def answer(self, planned: Planned, timeout: float | None = None) -> tuple[Answered, dict[str, str]]:
        """Run a planned request; give the shown columns, and the one currency of each KPI whose amounts carry one.

        Raises `DataMoved` where data were written since it was planned: it may have read rows of before and after.
        """
        try:
            self._verify(planned, timeout)
            self._verify_additivity(planned, timeout)
            self._check_choices(planned, timeout)
            columns, types = fetched(
                planned.query,
                planned.registered,
                self.binder,
                self.database,
                fetch=fetching(self.short(planned)),
                timeout=timeout,
                about=_about(planned.request),
            )
        except TimeoutExceeded:
            raise
        except KpiError:
            self._refuse_moved(planned)
            raise
        self._refuse_moved(planned)
        found, currencies = answered(columns, types, planned.request.computed, ranked_in(planned.plan))
        self.sizes.note(planned.split, planned.periods, found, planned.calendar)
        return found, currencies

    def short(self, planned: Planned) -> tuple[str, ...] | None:
        """Name the columns of the calendar in an answer that is sure or known to be small; None of any other."""
        is_small = not planned.plan.align.split or self.sizes.are_small(planned.split, planned.periods)
        return planned.calendar if is_small else None

    def _note(self, datasets: Iterable[str], versions: dict[str, Version]) -> None:
        """Note the versions of data before they are first read."""
        for dataset in datasets:
            if dataset not in versions:
                versions[dataset] = self.binder.version(dataset)

    def _refuse_moved(self, planned: Planned) -> None:
        known = {dataset: version for dataset, version in planned.versions.items() if version.kind == "known"}
        if any(self.binder.version(dataset) != version for dataset, version in known.items()):
            raise DataMoved

    def _span(self, request: Request, timeout: float | None, versions: dict[str, Version]) -> Span:
        """Find the whole units of the grain that the data of a request without a period span; nothing after its `as_of`."""
        first: datetime | None = None
        last: datetime | None = None
        for each in bounds(request, self.catalogue, self.calendar):
            read = datasets_of_bounds(each, self.catalogue.names)
            self._note(read, versions)
            renderer, registered = self._renderer(read)
            table, _ = self._ask(renderer.bounds(each), registered, timeout, _about(request))
            low, high = (self._shown(each, table[name].to_pylist()[0]) for name in ("first", "last"))
            if low is not None and high is not None:
                first = low[0] if first is None else min(low[0], first)
                last = high[1] if last is None else max(high[1], last)
        known = shown_until(request.as_of, self.calendar.zone)
        if first is None or last is None or first >= known or request.grain is None:
            return Span(request.as_of, request.as_of)
        return whole_units(Span(first, min(last, known)), unit_below(request.grain), self.calendar)

    def _shown(self, plan: Bounds, moment: date | datetime | None) -> tuple[datetime, datetime] | None:
        """Give the local time that an edge of the data lies at, `[start, end)`: all that the clock shows twice, where it lies in that."""
        if moment is None:
            return None
        if not isinstance(moment, datetime):
            moment = datetime.combine(moment, datetime.min.time())
        if moment.tzinfo is None and plan.read.time is not None and plan.read.time.zone:
            from zoneinfo import ZoneInfo

            there = ZoneInfo(plan.read.time.zone)
            moment = moment.replace(tzinfo=there, fold=int(repeated(moment, there) is not None))
        if moment.tzinfo is None:
            return moment, moment + INSTANT
        local = moment.astimezone(self.calendar.zone).replace(tzinfo=None)
        again = repeated(local, self.calendar.zone)
        return (local, local + INSTANT) if again is None else (again.start, again.end)

    def _renderer(self, datasets: Iterable[str], keep: Collection[str] = ()) -> tuple[Renderer, dict[str, Any]]:
        relations, registered = self.binder.relations(datasets, keep)
        return Renderer(self.catalogue.names, relations, self.calendar.zone, self.database.columns), registered

    def _verify(self, planned: Planned, timeout: float | None) -> None:
        """Look at the keys that joins rely on before their first use in these data: a join to the one side must never repeat a row.

        Of data that may be others each time, they are looked at each time; of a database that was handed in, when rows have come or
        gone.
        """
        claims: tuple[str | Dated, ...] = (*planned.tables.joined, *planned.tables.dated)
        for claim in claims:
            dataset = claim if isinstance(claim, str) else claim.dataset
            version = planned.versions[dataset]
            rows = self._size(planned, dataset, timeout) if version.kind == "handed_in" else 0
            if self.verified.holds(claim, version, rows):
                continue
            self._look(planned, claim, timeout)
            if version.kind != "known" or self.binder.version(dataset) == version:
                self.verified.add(claim, version, rows)

    def _check_choices(self, planned: Planned, timeout: float | None) -> None:
        """Look at the values by which members are chosen: amounts of several currencies, or without a rate, choose none."""
        for each in choices(planned.plan):
            kpis = tuple(name for name in each.values if not name.startswith("__"))
            query = planned.renderer.request(replace(each, shown=kpis, having=()))
            answered(*self._ask(query, planned.registered, timeout, ""), kpis, ranked_in(each))

    def _verify_additivity(self, planned: Planned, timeout: float | None) -> None:
        """Look at the data before an answer says that numbers add up which only a definition declares to."""
        for claim in self._claimed(planned):
            version, rows = self._version_below(planned, claim, timeout)
            if self.verified.holds(claim, version, rows):
                continue
            said = strays_said(claim, self._about(planned, planned.renderer.strays(claim), claim.dataset, timeout))
            if said is not None:
                raise DataError(said[0], code="additivity_contradicted", hint=said[1])
            self.verified.add(claim, version, rows)

    def holds_additivity(self, planned: Planned) -> bool:
        """Say whether all was found to hold already that an answer relies on to call numbers additive."""
        return all(
            self.verified.holds(each, self._version_below(planned, each, None)[0], 0) for each in self._claimed(planned)
        )

    def _claimed(self, planned: Planned) -> list[Belonging]:
        request = planned.request
        asked = [kpi_id for kpi_id in request.kpis if kpi_id not in request.failed] if request.by else []
        return [each for kpi_id in asked for each in self.catalogue.belongings(kpi_id, request.by)]

    def _version_below(self, planned: Planned, claim: Belonging, timeout: float | None) -> tuple[Version, int]:
        """Give one version for all data that a claim is about, and how many rows there are of handed-in ones."""
        datasets = datasets_of(claim.dataset, claim.expressions, self.catalogue.names)
        versions = {each: planned.versions.get(each) or self.binder.version(each) for each in datasets}
        rows = sum(self._size(planned, name, timeout) for name, each in versions.items() if each.kind == "handed_in")
        return combined(versions.values()), rows

    def _size(self, planned: Planned, dataset: str, timeout: float | None) -> int:
        """Count the rows of a dataset in a database that was handed in, whose owner may change it; 0 of tables that were."""
        if not self.database.is_live:
            return 0
        table = self._about(planned, planned.renderer.size(dataset), dataset, timeout)
        return int(table["rows"].to_pylist()[0])

    def _look(self, planned: Planned, claim: str | Dated, timeout: float | None) -> None:
        """Look for values of a key that stand in the data more than once, or that have two rows valid at one time."""
        if isinstance(claim, str):
            found = self._about(planned, planned.renderer.duplicates(claim), claim, timeout)
            said = key_said(claim, self.catalogue.project.datasets[claim].key, found)
        else:
            found = self._about(planned, planned.renderer.overlaps(claim), claim.dataset, timeout)
            said = valid_said(claim, found)
        if said is not None:
            raise DataError(said[0], code="key_not_unique", hint=said[1])

    def _about(self, planned: Planned, query: Query, dataset: str, timeout: float | None) -> Table:
        return self._ask(query, planned.registered, timeout, f"dataset `{dataset}`")[0]

    def _ask(
        self, query: Query, registered: Mapping[str, Any], timeout: float | None, about: str
    ) -> tuple[Table, dict[str, str]]:
        return asked(query, registered, self.binder, self.database, timeout=timeout, about=about)


def ranked_in(plan: Derive) -> list[tuple[str, tuple[str, ...]]]:
    """Name the KPIs by which a plan puts rows in order, each with the columns within whose members it does."""
    return [(each.value, each.within) for each in plan.ranks.values()]


def choices(plan: Derive) -> list[Derive]:
    """Give the plans that choose members by amounts of money."""
    return [each for each in keeping(plan) if any(name.startswith(CHECKS) for name in each.values)]


def strays_said(claim: Belonging, found: Table) -> tuple[str, str] | None:
    """Say which things have several members of a dimension over which a KPI is declared to add up; nothing where there are none."""
    if not found.num_rows:
        return None
    examples = shown(found, ["entity", "one", "other"])
    message = f"`{claim.kpi}` is declared additive over `{claim.dimension}`, and the data contradict it: of several members are {examples}"
    return (
        message,
        "correct the data, or take the dimension out of `additive_over`; its totals are computed from the rows in any case",
    )


def key_said(dataset: str, key: Sequence[str], found: Table) -> tuple[str, str] | None:
    """Say which values of a key stand in the data more than once, and what to do; nothing where there are none."""
    if not found.num_rows:
        return None
    message = f"the key `{', '.join(key)}` of dataset `{dataset}` is not unique in its data: {shown(found, key, counted=True)}"
    return message, "correct the data or the `key`; a join on it would count rows twice"


def valid_said(dated: Dated, found: Table) -> tuple[str, str] | None:
    """Say for which keys two rows are valid at one time, and what to do; nothing where there are none."""
    if not found.num_rows:
        return None
    where = f"for {', '.join(f'`{key}`' for key in dated.keys)} {shown(found, dated.keys)}"
    message = f"two rows of dataset `{dated.dataset}` are valid at one time {where}"
    start, end = dated.valid
    return (
        message,
        f"correct `{start}` and `{end}`: a row ends where the next begins; a join on both would count rows twice",
    )


def shown(found: Table, columns: Iterable[str], *, counted: bool = False) -> str:
    """Write examples: their values, on request how many rows each has, and how many more there are."""
    lists = [found[name].to_pylist() for name in columns]
    examples = [" / ".join(_short(value) for value in row) for row in zip(*lists, strict=True)]
    if counted:
        rows = found[ROWS_OF_KEY].to_pylist()
        examples = [
            f"{example} ({number:,} row{'' if number == 1 else 's'})"
            for example, number in zip(examples, rows, strict=True)
        ]
    more = found[KEYS].to_pylist()[0] - len(examples)
    return ", ".join(examples) + (f" and {more:,} more" if more else "")


def _short(value: object) -> str:
    text = "".join(char if char.isprintable() else repr(char)[1:-1] for char in str(value)[: LONGEST + 1])
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def _about(request: Request) -> str:
    return f"`{request.kpis[0]}`" if len(request.kpis) == 1 else ""
