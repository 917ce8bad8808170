"""What a KPI is resolved against."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from kpi_engine.catalogue.graph import kpis_compared, made_of
from kpi_engine.errors import nearest
from kpi_engine.formula.analysis import placeholders
from kpi_engine.formula.mistakes import Mistake
from kpi_engine.formula.positions import span

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping

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
    units: Collection[str] = ()
    """The project's own units of time."""
    _under: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """The datasets under each KPI, once they were asked for."""
    _read: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """The same, with those whose rows count in another one's."""

    def datasets_under(self, target: str, *, converted: bool = False) -> tuple[str, ...]:
        """Name the datasets by whose dimensions and times a number is counted: a dataset itself, or those under a KPI.

        With `converted` also those whose rows count in another one's, or say which members are kept.
        """
        datasets, known = self.names.datasets, self._read if converted else self._under
        if target in datasets or target not in self.kpis:
            return (target,) if target in datasets else ()
        for name in made_of(target, self.below, known) if target not in known else ():
            found: dict[str, None] = {}
            for each in self.kpis[name].inputs.values():
                if converted or not each.after:
                    found |= dict.fromkeys((each.from_,) if each.from_ in datasets else known.get(each.from_, ()))
                for other in kpis_compared(each) if converted and each.among else ():
                    found |= dict.fromkeys(known.get(other, ()))
            known[name] = tuple(found)
        return known[target]

    def unknown_parameters(self, tree: exp.Expr) -> Iterator[Mistake]:
        """Find the parameters in a tree that nothing declares."""
        for node in placeholders(tree):
            name = str(node.this)
            if name not in self.parameters:
                hint = nearest(name, self.parameters) or "declare it under `parameters:`"
                follows = self.left_out.has(name, "parameter")
                yield Mistake("unknown_parameter", f"there is no parameter `:{name}`", *span(node), hint, follows)
