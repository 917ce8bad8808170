"""Whose rows have to travel, because the engine that they live in does not compute what a KPI needs: said by `check`."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from kpi_engine.catalogue.faults import Fault
from kpi_engine.formula.mistakes import Mistake
from kpi_engine.sql.portability import refusal

if TYPE_CHECKING:
    from kpi_engine.catalogue import Catalogue, ResolvedKpi
    from kpi_engine.errors import Diagnostic
    from kpi_engine.execution.binding import Binder


def rows_that_travel(kpi: ResolvedKpi, catalogue: Catalogue, binder: Binder) -> list[Diagnostic]:
    """Name the functions of a KPI that the source of its data does not have, or has in another way; each is a warning."""
    found: dict[str, Diagnostic] = {}
    for aggregate in kpi.aggregates:
        source = kpi.inputs[aggregate.input]
        if source.kind != "dataset" or not binder.is_remote(source.target):
            continue
        relations, _ = binder.relations([source.target])
        refused = refusal(aggregate, source.where, source.target, catalogue.names, relations)
        if refused is not None:
            message = f"{refused.name} is not computed by the source `{refused.source}` ({refused.dialect}): rows of `{source.target}` travel for it"
            hint = "the number is right, and comes later the more rows there are; `kpi explain` says how many"
            fault = Fault(("formula",), Mistake("rows_travel", message, 0, len(kpi.model.formula), hint))
            found[message] = replace(catalogue.diagnostic("kpis", kpi.id, fault), severity="warning")
    return list(found.values())
