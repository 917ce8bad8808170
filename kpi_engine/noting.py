"""An answered request noted as a recipe: its statements and what is said beside its numbers, by which it is answered again.

A recipe holds as long as nothing changes that it was made from: definitions, data, code, zones. What depends on the present moment is
noted with a gap for the moment. Whether one gap is all that the moment changes is tried: the request is planned as of now and as of the
end of the day. A moment acts through comparisons with other moments only, so what is equal at both ends of a stretch is equal within.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, time
from typing import TYPE_CHECKING, Any

from kpi_engine.calendar.zones import to_utc
from kpi_engine.describing import heading
from kpi_engine.digests import digest
from kpi_engine.execution.running import choices, ranked_in
from kpi_engine.planning import needs_bounds, totalled
from kpi_engine.recipes import zone_data
from kpi_engine.reporting import masthead

if TYPE_CHECKING:
    from collections.abc import Callable

    from kpi_engine.definitions import Project
    from kpi_engine.execution.binding import Binder
    from kpi_engine.execution.running import Planned, Runner
    from kpi_engine.planning import Request
    from kpi_engine.sql import Dated

    Moment = str | datetime | Any | None


@dataclass(frozen=True)
class Kitchen:
    """What it takes to plan a request: how a runner is made ready for it, how it is read as of a moment, the language of its words."""

    project: Project
    binder: Binder
    ready: Callable[[], Runner]
    read: Callable[[Moment], Request]
    language: str


def recipe(kitchen: Kitchen, as_of: Moment) -> dict[str, Any] | None:
    """Note how a request is answered as of a moment, or as of whenever it is asked where that is None.

    None where it may not be answered in the same way again: where its plan depends on rows, or where it is not sure that a change of
    the data would be noticed.
    """
    project, request = kitchen.project, kitchen.read(as_of)
    if needs_bounds(request) or not project.fingerprint or any(d.severity == "error" for d in project.diagnostics):
        return None
    before = _tables(kitchen.binder)
    if not before:
        return None
    runner = kitchen.ready()
    dish = _dish(runner, request, kitchen.language)
    timed = dish and (_fixed(dish, request) if as_of is not None else _of_today(kitchen, runner, dish, request))
    if not timed or _tables(kitchen.binder) != before:
        return None
    zone = runner.calendar.zone.key
    sources = {name: project.settings.sources[name] for name, _, _ in before}
    return timed | {
        "definitions": project.fingerprint,
        "entries": list(project.settings.definitions),
        "zone": zone,
        "zone_data": zone_data(zone),
        "tables": [list(each) for each in before],
        "sources": {name: [source.plugin, dict(source.model_extra or {})] for name, source in sources.items()},
        "folders": list(runner.binder.folders()),
        "databases": list(runner.database.attached()),
        "files": list(runner.binder.files()),
        "masthead": asdict(masthead(project.settings, kitchen.language)),
        "language": kitchen.language,
        "kpis": list(request.computed),
    }


def _tables(binder: Binder) -> tuple[tuple[str, str, str], ...] | None:
    """Name all tables that were looked at, with their versions; None where one has none."""
    found: dict[tuple[str, str, str], None] = {}
    for dataset in binder.looked_at():
        tables = binder.reads(dataset)
        if tables is None:
            return None
        found |= dict.fromkeys(tables)
    return tuple(found)


def _dish(runner: Runner, request: Request, language: str) -> dict[str, Any] | None:
    """Plan a request and its totals: the statements, and what is said beside the numbers."""
    planned = _planned(runner, request)
    if planned is None:
        return None
    whole = totalled(planned.request)
    total = None if whole is None else _planned(runner, whole)
    if whole is not None and total is None:
        return None
    head = heading(planned.plan, planned.request, runner.catalogue, runner.calendar, language)
    return {
        "statement": [planned.statement, runner.short(planned)],
        "total": [total.statement, runner.short(total)] if total else None,
        "ranked": ranked_in(planned.plan),
        "columns": [asdict(column) for column in head.columns],
        "money": dict(head.money),
        "period": head.period,
        "unfinished": head.unfinished,
        "provisional": head.provisional,
    }


def _planned(runner: Runner, request: Request) -> Planned | None:
    """Plan a request; None where rows pass through Python, a key that it relies on is not known to hold, or amounts choose members."""
    planned = runner.planned(request)
    claims: tuple[str | Dated, ...] = (*planned.tables.joined, *planned.tables.dated)
    versions = {claim: planned.versions[claim if isinstance(claim, str) else claim.dataset] for claim in claims}
    sure = set(planned.versions) <= set(runner.binder.looked_at()) and all(
        version.kind == "known" and runner.verified.holds(claim, version, 0) for claim, version in versions.items()
    )
    here = not planned.registered and not planned.query.transfers and not choices(planned.plan)
    return planned if sure and here and runner.holds_additivity(planned) else None


def _fixed(dish: dict[str, Any], request: Request) -> dict[str, Any]:
    """Note a request as of a moment that was named."""
    return {"dish": json.dumps(dish), "gap": "", "as_of": request.as_of.isoformat()}


def _of_today(kitchen: Kitchen, runner: Runner, dish: dict[str, Any], request: Request) -> dict[str, Any] | None:
    """Note a request as of the present moment, with gaps for it; None where it would be planned differently later today."""
    zone = runner.calendar.zone
    now, evening = request.as_of, datetime.combine(request.as_of.date(), time.max)
    if now.replace(tzinfo=zone).utcoffset() != evening.replace(tzinfo=zone).utcoffset():
        return None
    later = _dish(runner, kitchen.read(evening), kitchen.language)
    text = json.dumps(dish)
    gap = f"@{digest(text)}"
    ends = [to_utc(moment, zone).astimezone(UTC) for moment in (now, evening)]
    noted = [
        opened(json.dumps(each), moment, end, gap)
        for each, moment, end in zip((dish, later), (now, evening), ends, strict=True)
    ]
    if noted[0] != noted[1] or gap in text:
        return None
    return {"dish": noted[0], "gap": gap, "from": ends[0].isoformat(), "until": ends[1].isoformat()}


def opened(text: str, local: datetime, instant: datetime, gap: str) -> str:
    """Put a gap in the place of a moment: where it stands as an instant, and where it stands in local time."""
    return text.replace(instant.isoformat(sep=" "), f"{gap}utc").replace(local.isoformat(sep=" "), f"{gap}local")
