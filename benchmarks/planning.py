"""Planning alone: from definitions in memory to the text of the statement; nothing is read of any data.

What is planned was never seen before: names of KPIs, formulas and conditions are other ones in each turn.
"""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from functools import partial
from itertools import count, pairwise
from typing import TYPE_CHECKING, Any

from measuring import cpu
from tables import Line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

SECTION = "planning"
COLUMNS = {"id": "BIGINT", "ts": "TIMESTAMP", "person": "BIGINT", "score": "INTEGER", "amount": "DECIMAL(10,2)"}
_LINEAR = 1.25
"""Up to so many times what is in proportion counts as linear."""
Definitions = dict[str, Any]


@dataclass(frozen=True)
class Sizes:
    """How many KPIs and dimensions are planned."""

    kpis: int = 50
    ratios: int = 80
    dimensions: int = 30
    doubled_kpis: int = 100
    doubled_dimensions: int = 50
    """Where doubling begins."""
    doubled_ratios: int = 10
    """How many ratios are split by those dimensions: few, so that the dimensions are what grows."""


@dataclass(frozen=True)
class Planning:
    """What planning took, in seconds of CPU, and the statement."""

    reading: float
    """Definitions checked for their shape."""
    planning: float
    """Names resolved, formulas parsed, the request planned, its statement written."""
    statement: str


@dataclass(frozen=True)
class Case:
    """A request over definitions that are other ones for each salt."""

    name: str
    says: str
    make: Callable[[int], Definitions]
    by: tuple[str, ...]
    asked: str = ""
    """What the names of the KPIs that are asked for begin with."""

    def planned(self, salt: int) -> Planning:
        """Plan it once."""
        definitions = self.make(salt)
        kpis = [name for name in definitions["kpis"] if name.startswith(self.asked)]
        return planned(definitions, kpis, {"grain": "month", "period": "2025", "by": self.by})


def mixed(kpi_count: int, salt: int) -> Definitions:
    """Define KPIs of which three fifths are filtered, one fifth are ratios of those, and one fifth are derived from ratios."""
    base = [f"base_{salt}_{number}" for number in range(kpi_count * 3 // 5)]
    kpis: dict[str, Any] = {}
    for number, name in enumerate(base):
        where = f"score > {number * 1000 + salt} and d0 in ('m{number}', 'n{salt}')"
        formula = ("sum(x.amount)", "count(x)", "count(distinct x.person)")[number % 3]
        kpis[name] = {"inputs": {"x": {"from": "facts", "where": where}}, "formula": formula}
    for number, (one, other) in enumerate(pairwise(base[: kpi_count // 5 + 1])):
        ratio = f"ratio_{salt}_{number}"
        derived = f"round({ratio} * 100, {number % 5}) + coalesce({one}, {salt}) / {number + 2}"
        kpis[ratio] = {"inputs": [one, other], "formula": f"{one} / {other}"}
        kpis[f"derived_{salt}_{number}"] = {"inputs": [ratio, one], "formula": derived}
    return defined(kpis, 1)


def wide(ratios: int, dimensions: int, salt: int) -> Definitions:
    """Define ratios of filtered counts, over a table with many dimensions."""
    base = [f"base_{salt}_{number}" for number in range(ratios + 1)]
    kpis: dict[str, Any] = {
        name: {"inputs": {"x": {"from": "facts", "where": f"score = {number} and id > {salt}"}}, "formula": "count(x)"}
        for number, name in enumerate(base)
    }
    for number, (one, other) in enumerate(pairwise(base)):
        kpis[f"ratio_{salt}_{number}"] = {"inputs": [one, other], "formula": f"{one} / {other}"}
    return defined(kpis, dimensions)


def defined(kpis: dict[str, Any], dimensions: int) -> Definitions:
    """Put KPIs over one table."""
    facts = {"key": "id", "time": "ts", "dimensions": [f"d{number}" for number in range(dimensions)]}
    return {"datasets": {"facts": facts}, "kpis": kpis}


def planned(definitions: Definitions, kpis: list[str], request: Mapping[str, Any]) -> Planning:
    """Plan a request from nothing but definitions, as an engine does that was opened just now."""
    from kpi_engine.calendar import Calendar
    from kpi_engine.catalogue import Catalogue
    from kpi_engine.definitions import from_mapping
    from kpi_engine.planning import plan, read_request
    from kpi_engine.sql import Named, Relations, Renderer

    reading, project = cpu(lambda: from_mapping(definitions))
    dimensions = definitions["datasets"]["facts"]["dimensions"]
    columns = {**COLUMNS, **dict.fromkeys(dimensions, "VARCHAR")}
    relations = Relations(project.datasets, {("", "facts"): Named(("facts",))})
    calendar = Calendar()

    def statement() -> str:
        catalogue = Catalogue(project, lambda _: columns)
        made = plan(read_request(kpis, calendar, **request), catalogue, calendar)
        return Renderer(catalogue.names, relations, calendar.zone, dict).request(made).statement

    planning, text = cpu(statement)
    return Planning(reading, planning, text)


def median(case: Case, salts: Iterator[int], repeats: int) -> Planning:
    """Plan other definitions in each turn; give the medians, and the last statement, which must run."""
    turns = [case.planned(next(salts)) for _ in range(repeats + 1)]
    run_on_nothing(turns[-1].statement, len(case.by) or 1)
    reading, planning = (
        statistics.median(getattr(turn, name) for turn in turns[1:]) for name in ("reading", "planning")
    )
    return Planning(reading, planning, turns[-1].statement)


def run_on_nothing(statement: str, dimensions: int) -> None:
    """Run a statement over an empty table: what was planned fast must also be SQL."""
    import duckdb

    columns = {**COLUMNS, **{f"d{number}": "VARCHAR" for number in range(dimensions)}}
    with duckdb.connect() as connection:
        connection.execute(f"CREATE TABLE facts ({', '.join(f'{name} {kind}' for name, kind in columns.items())})")
        connection.execute(statement).fetchall()


def cases(sizes: Sizes) -> dict[str, Case]:
    """Give the requests that have a target, by name."""
    dimensions = tuple(f"d{number}" for number in range(sizes.dimensions))
    kpis, ratios = sizes.kpis, sizes.ratios
    found = (
        Case("plan-kpis", f"{kpis} KPIs, by a dimension, by month", partial(mixed, kpis), ("d0",)),
        Case("plan-kpis-total", f"{kpis} KPIs, by month", partial(mixed, kpis), ()),
        Case("plan-wide", f"{ratios} ratios by {len(dimensions)} dimensions, by month", partial(wide, ratios, len(dimensions)), dimensions, "ratio"),
    )  # fmt: skip
    return {case.name: case for case in found}


def figures(sizes: Sizes, repeats: int) -> Iterator[Line]:
    """Measure planning, and how it grows; no two turns of all share a salt."""
    salts = count()
    for case in cases(sizes).values():
        took = median(case, salts, repeats)
        most, kib = (200.0, len(took.statement) / 1024) if case.name == "plan-wide" else (25.0, None)
        both = (took.reading + took.planning) * 1e3
        yield Line(SECTION, case.name, case.says, took.planning * 1e3, limit=most, target=f"{most:g} ms")
        yield Line(SECTION, f"{case.name}-read", "the same, and the definitions checked for their shape", both)
        if kib is not None:
            yield Line(
                SECTION, f"{case.name}-sql", "the length of its SQL", kib, limit=300, target="300 KiB", unit="KiB"
            )
    yield from growth("KPIs", sizes.doubled_kpis, _over_kpis, salts, repeats)
    over = partial(_over_dimensions, sizes.doubled_ratios)
    yield from growth("dimensions", sizes.doubled_dimensions, over, salts, repeats)


def growth(what: str, start: int, case: Callable[[int], Case], salts: Iterator[int], repeats: int) -> Iterator[Line]:
    """Measure at n, 2 n and 4 n, beside two and four times what n takes."""
    first = median(case(start), salts, repeats).planning * 1e3
    for times in (2, 4):
        took = median(case(start * times), salts, repeats).planning * 1e3
        beside = first * times
        says = f"{start * times} {what}, beside {times} times what {start} take"
        name = f"growth-{what.lower()}-{times}"
        yield Line(SECTION, name, says, took, beside, limit=_LINEAR * beside, target=f"{_LINEAR} ×")


def _over_kpis(number: int) -> Case:
    return Case("", "", partial(mixed, number), ("d0",))


def _over_dimensions(ratios: int, number: int) -> Case:
    names = tuple(f"d{each}" for each in range(number))
    return Case("", "", partial(wide, ratios, number), names, "ratio")
