"""What a KPI is resolved against."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kpi_engine.catalogue.graph import datasets_under
from kpi_engine.errors import nearest
from kpi_engine.formula.analysis import placeholders
from kpi_engine.formula.mistakes import Mistake
from kpi_engine.formula.positions import span

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from sqlglot import exp

    from kpi_engine.catalogue.faults import LeftOut
    from kpi_engine.catalogue.names import Names
    from kpi_engine.catalogue.resolved import ResolvedKpi
    from kpi_engine.definitions.models import Kpi


@dataclass(frozen=True)
class Surroundings:
    """The datasets' names, the other KPIs, the parameters there are, and what was left out because of a mistake."""

    names: Names
    kpis: Mapping[str, Kpi]
    parameters: Mapping[str, object]
    left_out: LeftOut
    resolved: Callable[[str], ResolvedKpi]
    """Resolve another KPI; cycles are refused before."""

    def datasets_under(self, target: str) -> tuple[str, ...]:
        """Name the datasets that a number comes from: a dataset itself, or those under a KPI."""
        return datasets_under(target, self.kpis, self.names.datasets)

    def unknown_parameters(self, tree: exp.Expr) -> Iterator[Mistake]:
        """Find the parameters in a tree that nothing declares."""
        for node in placeholders(tree):
            name = str(node.this)
            if name not in self.parameters:
                hint = nearest(name, self.parameters) or "declare it under `parameters:`"
                follows = self.left_out.has(name, "parameter")
                yield Mistake("unknown_parameter", f"there is no parameter `:{name}`", *span(node), hint, follows)
