"""What a request asks of KPIs that they have not: a split, a filter, members, an earlier period."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kpi_engine.calendar import GRAINS, PARTS, Span
from kpi_engine.calendar.units import unit_word
from kpi_engine.catalogue.fitting import MOST_WAYS
from kpi_engine.errors import RequestError, nearest, shown
from kpi_engine.planning.cohorts import oldest_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from kpi_engine.catalogue import Catalogue
    from kpi_engine.catalogue.resolved import Age
    from kpi_engine.planning.request import Request
    from kpi_engine.planning.rows import Context

MOST_PER = 8
"""So many inputs with `per` may stand on one another."""


def check_comparable(request: Request) -> None:
    """Refuse to compare without a period."""
    if request.compare and request.period.kind == "all" and request.period.span == Span(None, None):
        message = "without a period there is nothing to compare with"
        raise RequestError(message, code="no_previous", hint="give a period, such as 2026-Q3, or a grain")


def check_split(kpi_id: str, request: Request, catalogue: Catalogue) -> None:
    """Refuse a KPI that the request splits or filters by what it has not, or that it does not split as it must be."""
    model = catalogue.kpi(kpi_id).model
    known = catalogue.dimensions(kpi_id)
    for name in (*request.by, *(f.name for f in request.where)):
        if name not in known:
            message = f"`{kpi_id}` cannot be split or filtered by {shown(name)}: {_lacking(kpi_id, name, catalogue)}"
            raise RequestError(message, code="missing_dimension", hint=_instead(name, request.by, known, catalogue))
    fixed = {f.name for f in request.where if f.operator == "eq"}
    ages = catalogue.ages(kpi_id)
    fixed |= {name for name in ages if oldest_of([f for f in request.where if f.name == name]) is not None}
    kept = {*request.by, *fixed}
    if not request.partial_split and (needed := [n for n in dict.fromkeys([*model.split, *ages]) if n not in kept]):
        message = f"`{kpi_id}` means nothing without a split by `{needed[0]}`"
        raise RequestError(message, code="split_needed", hint=f"ask `by={[*request.by, *needed]}`")


def check_ages(kpi_id: str, age: Age | None, request: Request) -> None:
    """Refuse what is counted by an age where no age is asked for, unless it stands beside ages as their total."""
    if age is not None and not request.partial_split:
        message = f"`{kpi_id}` is counted by `{age.name}`, and no age is asked for"
        raise RequestError(message, code="split_needed", hint=f"ask by `{age.name}`, or filter by it")


def _lacking(kpi_id: str, name: str, catalogue: Catalogue) -> str:
    lacking = [d for d in catalogue.datasets_under(kpi_id) if name not in catalogue.project.datasets[d].dimensions]
    return f"the dataset `{lacking[0]}` below it has no such dimension" if lacking else "it is ignored there"


def _instead(name: str, by: Collection[str], known: Iterable[str], catalogue: Catalogue) -> str:
    grains = (*GRAINS, *PARTS, *catalogue.project.settings.calendar.units)
    if name in by and (grain := unit_word(name, grains)) in grains:
        return f"periods are asked for by `grain`: {grain}"
    return nearest(name, known) or "it has no dimensions"


def check_members(split: tuple[str, ...], known: Collection[frozenset[str]]) -> None:
    """Refuse a split whose members no input knows, whether or not there is a period; `known` are the dimensions of each input."""
    missing = [name for name in split if not any(name in each for each in known)]
    if missing:
        message = f"every input ignores the dimension `{missing[0]}` (`across`)"
        raise RequestError(message, code="missing_dimension", hint="leave it out of `by`")
    if known and not any(each >= set(split) for each in known):
        message = f"no input has all the dimensions {', '.join(f'`{name}`' for name in split)}: each ignores one of them (`across`)"
        raise RequestError(message, code="missing_dimension", hint="ask for them one by one")


def check_ways(kpi_id: str, ways: Collection[Context]) -> None:
    """Refuse a KPI that is read in too many ways; each condition or offset on a KPI may double those of the ones below."""
    if len(ways) > MOST_WAYS:
        message = f"`{kpi_id}` would be read in more than {MOST_WAYS} ways: by `where`, `offset` or `across` of inputs on top of one another"
        raise RequestError(
            message,
            code="too_many_ways",
            hint="give KPIs with such inputs no further inputs of that kind above them",
        )


def check_names(split: Iterable[str], shown: Collection[str]) -> None:
    """Refuse a dimension and a KPI of one name."""
    if both := next((name for name in split if name in shown), None):
        message = f"`{both}` is a dimension and a KPI of this request, and a row has one value of that name"
        raise RequestError(message, code="bad_request", hint="rename one of them, or ask without it")


def check_depth(level: int) -> None:
    """Refuse more plans on one another than a person would write."""
    if level > MOST_PER:
        message = f"more than {MOST_PER} inputs with `per` or `among` stand on one another"
        raise RequestError(message, code="too_deep", hint="aggregate per entity in fewer steps")


def check_known(kpis: Iterable[str], catalogue: Catalogue) -> None:
    """Refuse a name that is no KPI's."""
    for kpi_id in kpis:
        if kpi_id not in catalogue.project.kpis:
            hint = nearest(kpi_id, catalogue.project.kpis)
            raise RequestError(f"there is no KPI {shown(kpi_id)}", code="unknown_kpi", hint=hint)
