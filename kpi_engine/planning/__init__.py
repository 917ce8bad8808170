"""Request and catalogue in, a plan of four kinds of node out."""

from kpi_engine.planning.columns import CHECKS
from kpi_engine.planning.extents import bounds, needs_bounds, spanning
from kpi_engine.planning.nodes import Align, Bounds, Cell, Derive, Read, Sort, Summarise, keeping, leaf_reads
from kpi_engine.planning.planner import plan
from kpi_engine.planning.request import Filter, Request, read_request, totalled

__all__ = [
    "CHECKS",
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
    "keeping",
    "leaf_reads",
    "needs_bounds",
    "plan",
    "read_request",
    "spanning",
    "totalled",
]
