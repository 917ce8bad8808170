"""The period of a request that names none: from the first to the last time in the data."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from kpi_engine.calendar import parse_period
from kpi_engine.catalogue.resolved import AGE
from kpi_engine.planning.nodes import Bounds
from kpi_engine.planning.planner import Planner

if TYPE_CHECKING:
    from kpi_engine.calendar import Calendar, Span
    from kpi_engine.catalogue import Catalogue
    from kpi_engine.planning.request import Request


def bounds(request: Request, catalogue: Catalogue, calendar: Calendar) -> tuple[Bounds, ...]:
    """Plan how to find the first and the last time of the rows that a request without a period spans."""
    any_day = parse_period("2000-01-01", calendar, request.as_of)
    planner = Planner(
        replace(request, period=any_day, grain=None, compare=(), having=(), order=(), top=None, rank=(), share=()),
        catalogue, calendar,
    )  # fmt: skip
    planner.derive()
    return _bounds(planner)


def needs_bounds(request: Request) -> bool:
    """Say whether the period must be read from the data: a grain asks for periods, and none is given."""
    return request.grain is not None and request.period.kind == "all"


def spanning(request: Request, span: Span) -> Request:
    """Give a request without a period the span of its data."""
    return replace(request, period=replace(request.period, span=span))


def _bounds(planner: Planner) -> tuple[Bounds, ...]:
    """Give the reads of datasets that say when a request without a period begins and ends."""
    found = {(each.read, each.filter): each for below in planner.below for each in _bounds(below)}
    for summary in planner.summaries.finished():
        if summary.read.dataset and summary.read.time is not None:
            common = (
                frozenset.intersection(*(a.filter for a in summary.aggregates)) if summary.aggregates else frozenset()
            )
            common |= summary.read.edge.filter if summary.read.edge else frozenset()
            common |= summary.read.converted.base if summary.read.converted else frozenset()
            if summary.read.cohort is not None:
                common = frozenset(e for e in common if AGE not in e.text) | summary.read.cohort.filter
            read = replace(summary.read, level=None, edge=None, converted=None, cohort=None, top=None)
            found[read, common] = Bounds(read, common, planner.request.as_of)
    return tuple(found.values())
