"""A request answered: planned, rendered, run, and checked."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from kpi_engine.calendar import Span, floor, step
from kpi_engine.calendar.spans import INSTANT
from kpi_engine.errors import DataError
from kpi_engine.planning import bounds, needs_bounds, plan, spanning
from kpi_engine.results import Answered
from kpi_engine.sql import Dated, Renderer, Tables, datasets_of_bounds, tables_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from arro3.core import Table

    from kpi_engine.calendar import Calendar
    from kpi_engine.catalogue import Catalogue
    from kpi_engine.execution.binding import Binder
    from kpi_engine.execution.database import Database
    from kpi_engine.planning import Bounds, Derive, Request


@dataclass(frozen=True)
class Planned:
    """A request with its period found, its plan, and the statement that answers it."""

    request: Request
    plan: Derive
    statement: str
    registered: Mapping[str, Any]
    tables: Tables


@dataclass(frozen=True)
class Runner:
    """Answers requests over one project."""

    catalogue: Catalogue
    calendar: Calendar
    binder: Binder
    database: Database
    verified: dict[str | Dated, int]
    """Datasets whose declared keys were found unique, and those with one valid row at a time, with their size when they were looked at."""

    def planned(self, request: Request, *, pretty: bool = False, timeout: float | None = None) -> Planned:
        """Find the period, plan the request and render its statement."""
        if needs_bounds(request):
            request = spanning(request, self._span(request, timeout))
        made = plan(request, self.catalogue, self.calendar)
        tables = tables_of(made, self.catalogue.names)
        renderer, registered = self._renderer({**dict.fromkeys(tables.read), **dict.fromkeys(tables.joined)})
        return Planned(request, made, renderer.request(made, pretty=pretty), registered, tables)

    def check(self, request: Request) -> None:
        """Plan a request without looking at any data; raise what stands in its way."""
        if needs_bounds(request):
            bounds(request, self.catalogue, self.calendar)
        else:
            plan(request, self.catalogue, self.calendar)

    def answer(self, planned: Planned, timeout: float | None = None) -> tuple[Answered, dict[str, str]]:
        """Run a planned request; give the shown columns, and the one currency of each KPI whose amounts carry one."""
        self._verify_keys(planned.tables, timeout)
        table, types = self.database.table(
            planned.statement, planned.registered, timeout=timeout, about=_about(planned.request)
        )
        currencies = _currencies(table, planned.request.kpis)
        kept = [name for name in types if not name.startswith("__")]
        return Answered(table.select(kept), {name: types[name] for name in kept}), currencies

    def _span(self, request: Request, timeout: float | None) -> Span:
        """Find the whole units of the grain that the data of a request without a period span; nothing after its `as_of`."""
        first: datetime | None = None
        last: datetime | None = None
        for each in bounds(request, self.catalogue, self.calendar):
            renderer, registered = self._renderer(datasets_of_bounds(each, self.catalogue.names))
            table, _ = self.database.table(renderer.bounds(each), registered, timeout=timeout, about=_about(request))
            low, high = (self._local(each, table[name].to_pylist()[0]) for name in ("first", "last"))
            first = low if first is None or (low is not None and low < first) else first
            last = high if last is None or (high is not None and high > last) else last
        if first is None or last is None or first >= request.as_of or request.grain is None:
            return Span(request.as_of, request.as_of)
        last = min(last, request.as_of - INSTANT)
        return Span(
            floor(first, request.grain, self.calendar),
            step(floor(last, request.grain, self.calendar), request.grain, self.calendar),
        )

    def _local(self, plan: Bounds, moment: date | datetime | None) -> datetime | None:
        if moment is None:
            return None
        zone = self.calendar.zone
        if not isinstance(moment, datetime):
            return datetime.combine(moment, datetime.min.time())
        if moment.tzinfo is None and plan.read.time is not None and plan.read.time.zone:
            from zoneinfo import ZoneInfo

            moment = moment.replace(tzinfo=ZoneInfo(plan.read.time.zone))
        return moment.astimezone(zone).replace(tzinfo=None) if moment.tzinfo else moment

    def _renderer(self, datasets: Iterable[str]) -> tuple[Renderer, dict[str, Any]]:
        relations, registered = self.binder.relations(datasets)
        return Renderer(self.catalogue.names, relations, self.calendar.zone), registered

    def _verify_keys(self, tables: Tables, timeout: float | None) -> None:
        """Look at the keys that joins rely on before their first use: a join to the one side must never repeat a row.

        In a database that was handed in they are looked at again when rows have come or gone.
        """
        for dataset in tables.joined:
            size = self._size(dataset, timeout)
            if self.verified.get(dataset) != size:
                self._verify_key(dataset, timeout)
                self.verified[dataset] = size
        for dated in tables.dated:
            size = self._size(dated.dataset, timeout)
            if self.verified.get(dated) != size:
                self._verify_dated(dated, timeout)
                self.verified[dated] = size

    def _size(self, dataset: str, timeout: float | None) -> int:
        """Count the rows of a dataset whose data may change under the engine; 0 of one that is read once."""
        if not self.database.is_live:
            return 0
        renderer, registered = self._renderer([dataset])
        table, _ = self.database.table(
            renderer.size(dataset), registered, timeout=timeout, about=f"dataset `{dataset}`"
        )
        return int(table["rows"].to_pylist()[0])

    def _verify_key(self, dataset: str, timeout: float | None) -> None:
        renderer, registered = self._renderer([dataset])
        table, _ = self.database.table(
            renderer.duplicates(dataset), registered, timeout=timeout, about=f"dataset `{dataset}`"
        )
        if not table.num_rows:
            return
        key = self.catalogue.project.datasets[dataset].key
        message = f"the key `{', '.join(key)}` of dataset `{dataset}` is not unique in its data: {_shown(table, key)} stand there more than once"
        raise DataError(
            message, code="key_not_unique", hint="correct the data or the `key`; a join on it would count rows twice"
        )

    def _verify_dated(self, dated: Dated, timeout: float | None) -> None:
        renderer, registered = self._renderer([dated.dataset])
        table, _ = self.database.table(
            renderer.overlaps(dated), registered, timeout=timeout, about=f"dataset `{dated.dataset}`"
        )
        if table.num_rows:
            where = f"for {', '.join(f'`{key}`' for key in dated.keys)} {_shown(table, dated.keys)}"
            message = f"two rows of dataset `{dated.dataset}` are valid at one time {where}"
            hint = f"correct `{dated.valid[0]}` and `{dated.valid[1]}`: a row ends where the next begins; a join on both would count rows twice"
            raise DataError(message, code="key_not_unique", hint=hint)


def _shown(table: Table, columns: Iterable[str]) -> str:
    lists = [table[name].to_pylist() for name in columns]
    return ", ".join(" / ".join(str(value) for value in row) for row in zip(*lists, strict=True))


def _currencies(table: Table, kpis: Iterable[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for kpi_id in kpis:
        if f"__low__{kpi_id}" not in table.column_names:
            continue
        pairs = zip(table[f"__low__{kpi_id}"].to_pylist(), table[f"__high__{kpi_id}"].to_pylist(), strict=True)
        seen = {currency for pair in pairs for currency in pair if currency is not None and _refuse_mixed(kpi_id, pair)}
        if len(seen) == 1:
            found[kpi_id] = str(seen.pop())
    return found


def _refuse_mixed(kpi_id: str, pair: tuple[object, object]) -> bool:
    if pair[0] != pair[1]:
        message = f"`{kpi_id}` would add amounts in {pair[0]} and in {pair[1]}"
        raise DataError(
            message, code="mixed_currencies", hint="split or filter by the currency, or convert the amounts before"
        )
    return True


def _about(request: Request) -> str:
    return f"`{request.kpis[0]}`" if len(request.kpis) == 1 else ""
