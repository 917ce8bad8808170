"""Request and catalogue in, a plan of four kinds of node out."""

from kpi_engine.planning.nodes import Align, Bounds, Cell, Derive, Read, Sort, Summarise, leaf_reads
from kpi_engine.planning.planner import bounds, needs_bounds, plan, spanning
from kpi_engine.planning.request import Filter, Request, read_request, totalled

__all__ = [
    "Align",
    "Bounds",
    "Cell",
    "Derive",
    "Filter",
    "Read",
    "Request",
    "Sort",
    "Summarise",
    "bounds",
    "leaf_reads",
    "needs_bounds",
    "plan",
    "read_request",
    "spanning",
    "totalled",
]
