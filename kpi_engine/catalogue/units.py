"""The project's own units of time: which columns of which dataset their periods stand in, and what is wrong with that."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kpi_engine.catalogue.sqltypes import family
from kpi_engine.errors import Diagnostic, nearest
from kpi_engine.formula.gate import Refused

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kpi_engine.catalogue.names import Names
    from kpi_engine.definitions import Project, UnitOfTime


@dataclass(frozen=True)
class UnitColumns:
    """Where the periods of a unit stand: a row for each day, or for each period with its `start`; empty where there is no such column."""

    dataset: str
    name: str
    day: str = ""
    start: str = ""
    last: str = ""


def columns_of(unit: str, model: UnitOfTime) -> UnitColumns:
    """Say in which columns the periods of a unit stand."""
    return UnitColumns(model.from_, model.name or (unit if model.day else ""), model.day, model.start, model.last)


def unit_faults(unit: str, project: Project, names: Names) -> Iterator[Diagnostic]:
    """Find what is wrong with the definition of a unit."""
    units = project.settings.calendar.units
    model, path, places = units[unit], ("project", "calendar", "units", unit), project.places
    title = f"the unit of time `{unit}`"
    if bool(model.day) == bool(model.start):
        message = f"{title} needs either `start`, of a row for each period, or `day`, of a row for each day"
        yield Diagnostic(
            "bad_time_unit", message, places.key(*path), "name the column of one of the two", subject="project"
        )
        return
    if model.last and model.day:
        message = f"{title} has a `last` day, which goes with `start`"
        place = places.key(*path, "last")
        yield Diagnostic("bad_time_unit", message, place, "leave it out: the days say where it ends", subject="project")
    if model.year and model.year not in units:
        message = f"{title} is numbered in `{model.year}`, and there is no such unit"
        place = places.value(*path, "year")
        yield Diagnostic("unknown_unit", message, place, nearest(model.year, units), subject="project")
    if model.from_ not in names.datasets:
        message = f"{title} is read from `{model.from_}`, and there is no such dataset"
        hint = nearest(model.from_, names.datasets)
        yield Diagnostic("unknown_dataset", message, places.value(*path, "from"), hint, subject="project")
        return
    columns = columns_of(unit, model)
    for key, column in (("start", model.start), ("last", model.last), ("day", model.day), ("name", columns.name)):
        if column:
            yield from _column_fault(key, column, unit, project, names)


def _column_fault(key: str, column: str, unit: str, project: Project, names: Names) -> Iterator[Diagnostic]:
    model = project.settings.calendar.units[unit]
    path, places = ("project", "calendar", "units", unit), project.places
    place = places.value(*path, key) if getattr(model, key) else places.key(*path)
    try:
        names.column(model.from_, column)
    except Refused as refused:
        found = refused.mistakes[0]
        yield Diagnostic(found.code, found.message, place, found.hint, subject="project")
        return
    kind = names.type_of(model.from_, column)
    if key != "name" and kind and (family(kind) != "time" or "ZONE" in kind or kind in {"TIME", "TIMESTAMPTZ"}):
        message = f"the column `{column}` of dataset `{model.from_}` is {kind}, and `{key}` of a unit is a date"
        hint = f"declare it below `columns:` of the dataset: `{column}: {{type: date}}`"
        yield Diagnostic("not_a_date", message, place, hint, subject="project")
