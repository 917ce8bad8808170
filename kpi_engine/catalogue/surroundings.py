"""What a KPI is resolved against."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from kpi_engine.catalogue.graph import made_of
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
    below: Callable[[str], list[str]]
    resolved: Callable[[str], ResolvedKpi]
    """Resolve another KPI; cycles are refused before."""
    _under: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """The datasets under each KPI, once they were asked for."""

    def datasets_under(self, target: str) -> tuple[str, ...]:
        """Name the datasets that a number comes from: a dataset itself, or those under a KPI."""
        datasets = self.names.datasets
        if target in datasets or target not in self.kpis:
            return (target,) if target in datasets else ()
        for name in made_of(target, self.below, self._under) if target not in self._under else ():
            found: dict[str, None] = {}
            for each in self.kpis[name].inputs.values():
                under = (each.from_,) if each.from_ in datasets else self._under.get(each.from_, ())
                found |= dict.fromkeys(under)
            self._under[name] = tuple(found)
        return self._under[target]

    def unknown_parameters(self, tree: exp.Expr) -> Iterator[Mistake]:
        """Find the parameters in a tree that nothing declares."""
        for node in placeholders(tree):
            name = str(node.this)
            if name not in self.parameters:
                hint = nearest(name, self.parameters) or "declare it under `parameters:`"
                follows = self.left_out.has(name, "parameter")
                yield Mistake("unknown_parameter", f"there is no parameter `:{name}`", *span(node), hint, follows)
