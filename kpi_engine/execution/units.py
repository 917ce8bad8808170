"""The project's own units of time, read from their datasets when they are asked for, once for each version of the data."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from itertools import pairwise
from threading import Lock
from typing import TYPE_CHECKING, Any

from kpi_engine.calendar import CustomUnit
from kpi_engine.catalogue.units import columns_of, unit_faults
from kpi_engine.errors import DataError, DefinitionError, Diagnostic, KpiError, shown
from kpi_engine.execution.querying import asked
from kpi_engine.sql import Renderer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from zoneinfo import ZoneInfo

    from kpi_engine.catalogue import Catalogue
    from kpi_engine.definitions import Project
    from kpi_engine.execution.binding import Binder
    from kpi_engine.execution.database import Database
    from kpi_engine.execution.versions import Version

_DAY = timedelta(days=1)


class UnitsOfTime:
    """Reads the units of one project; what was read is kept as long as the data are known to be the same."""

    def __init__(self, binder: Binder, database: Database, ready: Callable[[str], Catalogue], zone: str) -> None:
        self._binder = binder
        self._database = database
        self._ready = ready
        self._zone = zone
        self._known: dict[str, tuple[Version, CustomUnit]] = {}
        self._lock = Lock()

    def read(self, name: str, dataset: str) -> CustomUnit:
        """Read a unit, unless it is known for these data."""
        catalogue = self._ready(dataset)
        if faults := list(unit_faults(name, catalogue.project, catalogue.names)):
            raise DefinitionError(faults)
        version = self._binder.version(dataset)
        with self._lock:
            known = self._known.get(name)
        if known is not None and version.kind == "known" and known[0] == version:
            return known[1]
        unit = self._read(name, catalogue)
        with self._lock:
            self._known[name] = version, unit
        return unit

    def _read(self, name: str, catalogue: Catalogue) -> CustomUnit:
        from zoneinfo import ZoneInfo

        project = catalogue.project
        model = project.settings.calendar.units[name]
        columns = columns_of(name, model)
        table = self._rows(catalogue, columns.dataset, ZoneInfo(self._zone), columns)
        rows = list(zip(*(table[each].to_pylist() for each in ("name", "first", "last", "rows", "days")), strict=True))
        about = f"the unit of time `{name}`, read from dataset `{columns.dataset}`"
        found = _of_days(rows, about) if columns.day else _of_periods(rows, about, ends=bool(columns.last))
        _check(found, about)
        spans = tuple(_span(first, last) for _, first, last in found)
        known = spans[0][0], spans[-1][1]
        if columns.day:
            known = _span(min(first for _, first, *_ in rows), max(last for _, _, last, *_ in rows))
        numbered = {each.year for each in project.settings.calendar.units.values()}
        year = model.year or (name if name in numbered else "")
        return CustomUnit(name, spans, tuple(said for said, _, _ in found), known, year, model.outside)

    def _rows(self, catalogue: Catalogue, dataset: str, zone: ZoneInfo, columns: Any) -> Any:  # noqa: ANN401 - Arrow
        relations, registered = self._binder.relations([dataset])
        query = Renderer(catalogue.names, relations, zone, self._database.columns).periods(columns)
        return asked(query, registered, self._binder, self._database, about=f"dataset `{dataset}`")[0]


class Read(Mapping[str, CustomUnit]):
    """The units as one request sees them: each is read when it is first asked for, and stays the same from then on."""

    def __init__(self, datasets: Mapping[str, str], units: UnitsOfTime) -> None:
        self._datasets = datasets
        self._units = units
        self._read: dict[str, CustomUnit] = {}

    def __getitem__(self, name: str) -> CustomUnit:
        """Give a unit."""
        if name not in self._read:
            self._read[name] = self._units.read(name, self._datasets[name])
        return self._read[name]

    def __contains__(self, name: object) -> bool:
        """Say whether there is such a unit, without reading it."""
        return name in self._datasets

    def __iter__(self) -> Iterator[str]:
        """Name the units, without reading any."""
        return iter(self._datasets)

    def __len__(self) -> int:
        """How many there are."""
        return len(self._datasets)


def said_of_units(project: Project, units: Mapping[str, CustomUnit]) -> Iterator[Diagnostic]:
    """Find the units whose data are no periods."""
    for name in units:
        try:
            _ = units[name]
        except DataError as error:
            place = project.places.key("project", "calendar", "units", name)
            yield Diagnostic(error.code, error.message, place, error.hint, subject="project")
        except KpiError:
            continue  # what keeps a dataset from being read is said of the dataset


def _span(first: date, last: date) -> tuple[datetime, datetime]:
    return datetime.combine(first, time()), datetime.combine(last, time()) + _DAY


def _of_days(rows: Sequence[Any], about: str) -> list[tuple[str, date, date]]:
    """Make periods of the days of each name; days without a name are in none."""
    for name, first, _, count, days in rows:
        if first is None or count != days:
            named = "a row without a name" if name is None else shown(name)
            raise _bad(about, f"{named} has a day twice, or none", "give each day one row")
    for name, first, last, _, days in rows:
        lacking = (last - first).days + 1 - days
        if name is not None and lacking:
            why = f"{shown(name)} goes from {first} to {last}, and {lacking} of these days are not its own"
            raise _bad(about, why, "give each of its days a row; a name that comes again later is another period's")
    total = sum(days for *_, days in rows)
    if rows and (lacking := (max(row[2] for row in rows) - min(row[1] for row in rows)).days + 1 - total):
        why = f"{lacking} days have no row" if lacking > 0 else f"{-lacking} days have two rows"
        raise _bad(about, why, "give each day one row; a day in no period has a row without a name")
    return [(name, first, last) for name, first, last, *_ in rows if name is not None]


def _of_periods(rows: Sequence[Any], about: str, *, ends: bool) -> list[tuple[str, date, date]]:
    """Make a period of each row; without last days, each ends where the next begins."""
    for name, first, last, _, _ in rows:
        if name is None or first is None or (ends and last is None):
            lacking = "no name" if name is None else "no first day" if first is None else "no last day"
            raise _bad(
                about, f"a period has {lacking}: {shown(name or first or last)}", "fill it in, or leave the row out"
            )
        if ends and last < first:
            raise _bad(about, f"{shown(name)} ends on {last}, before it begins on {first}", "correct one of the two")
    if ends:
        return [(name, first, last) for name, first, last, _, _ in rows]
    return [(here[0], here[1], there[1] - _DAY) for here, there in pairwise(rows)]


def _check(found: Sequence[tuple[str, date, date]], about: str) -> None:
    """Refuse what is no list of periods: none at all, two at one time, or two of one name."""
    if not found:
        hint = "add rows; without `last`, the last row only says where the period before it ends"
        raise _bad(about, "there is no period in the data", hint)
    for here, there in pairwise(found):
        if there[1] <= here[2]:
            why = f"{shown(here[0])} ({here[1]} to {here[2]}) and {shown(there[0])} ({there[1]} to {there[2]}) overlap"
            raise _bad(about, why, "a day is in one period: correct the days of one of them")
    seen: dict[str, date] = {}
    for name, first, _ in found:
        if name in seen:
            why = f"two periods are called {shown(name)}, from {seen[name]} and from {first}"
            raise _bad(about, why, "give each period a name of its own, such as one with its year")
        seen[name] = first


def _bad(about: str, why: str, hint: str) -> DataError:
    return DataError(f"{about}: {why}", code="bad_calendar", hint=hint)
