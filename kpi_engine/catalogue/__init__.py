"""The catalogue: every name of a project resolved, cycles refused, and everything that can be wrong said at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kpi_engine.catalogue.datasets import dataset_faults
from kpi_engine.catalogue.kpis import Fault, Faulty, Surroundings, datasets_under, resolve_kpi
from kpi_engine.catalogue.names import Names
from kpi_engine.catalogue.resolved import Expr, ResolvedAggregate, ResolvedInput, ResolvedKpi, TimeColumn, expr
from kpi_engine.errors import DefinitionError, Diagnostic, RequestError, nearest
from kpi_engine.formula.gate import Mistake

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from kpi_engine.definitions import Project

__all__ = ["Catalogue", "Expr", "ResolvedAggregate", "ResolvedInput", "ResolvedKpi", "TimeColumn", "expr"]


class Catalogue:
    """A project whose names are resolved on demand, each once.

    `schemas` gives a dataset's columns with their SQL types, or None where they cannot be known now.
    """

    def __init__(self, project: Project, schemas: Callable[[str], Mapping[str, str] | None]) -> None:
        self.project = project
        self.names = Names(project.datasets, schemas)
        self._around = Surroundings(self.names, project.kpis, project.parameters, self._resolved)
        self._kpis: dict[str, ResolvedKpi] = {}

    def kpi(self, kpi_id: str) -> ResolvedKpi:
        """Give a KPI with everything resolved; raise `DefinitionError` with all that is wrong with it or below it."""
        if kpi_id not in self.project.kpis:
            raise RequestError(f"there is no KPI `{kpi_id}`", code="unknown_kpi", hint=nearest(kpi_id, self.project.kpis))
        below = self._below(kpi_id)
        known = [d for d in self.project.diagnostics if d.severity == "error" and d.subject in {f"kpi {name}" for name in below}]
        if known:
            raise DefinitionError(known)
        if cycle := self.cycle(kpi_id):
            raise DefinitionError([self._cycle_diagnostic(kpi_id, cycle)])
        faults: list[Diagnostic] = []
        for name in below:
            faults += self._resolve(name)
        if faults:
            raise DefinitionError(faults)
        return self._kpis[kpi_id]

    def datasets_under(self, kpi_id: str) -> tuple[str, ...]:
        """Name the datasets that a KPI's number comes from."""
        return datasets_under(kpi_id, self._around)

    def dimensions(self, kpi_id: str) -> tuple[str, ...]:
        """Name the dimensions a KPI may be split and filtered by: those that all its inputs have."""
        found: dict[str, None] | None = None
        for dataset, across, everything in self._reads(kpi_id, frozenset(), all_=False):
            if everything:
                continue
            own = dict.fromkeys([*self.project.datasets[dataset].dimensions, *across])
            found = own if found is None else {name: None for name in found if name in own}
        return tuple(found or ())

    def check(self) -> list[Diagnostic]:
        """Find everything that is wrong with the project, in the order of its files."""
        found = list(self.project.diagnostics)
        broken = {d.subject for d in found if d.severity == "error"}
        for dataset in self.project.datasets:
            found += self.check_dataset(dataset)
        cycles: set[frozenset[str]] = set()
        for kpi_id in self.project.kpis:
            if cycle := self.cycle(kpi_id):
                if frozenset(cycle) not in cycles and kpi_id in cycle:
                    cycles.add(frozenset(cycle))
                    found.append(self._cycle_diagnostic(kpi_id, cycle))
            elif not any(f"kpi {name}" in broken for name in self._below(kpi_id)):
                found += self._resolve(kpi_id)
                found += self._kpi_fits(kpi_id)
        return sorted(found, key=lambda d: (d.place.file, d.place.line, d.place.column) if d.place else ("", 0, 0))

    def check_dataset(self, dataset: str) -> list[Diagnostic]:
        """Find everything that is wrong with a dataset."""
        faults = dataset_faults(dataset, self.names, self.project.settings.sources)
        return [self._diagnostic("datasets", dataset, fault) for fault in faults]

    def cycle(self, kpi_id: str) -> tuple[str, ...]:
        """Give the cycle of KPIs that a KPI leads into, each named, or nothing."""
        kpis = self.project.kpis
        path: list[str] = [kpi_id]
        iterators = [iter(_kpi_inputs(kpis, kpi_id))]
        done: set[str] = set()
        while iterators:
            following = next(iterators[-1], None)
            if following is None:
                iterators.pop()
                done.add(path.pop())
            elif following in path:
                return (*path[path.index(following) :], following)
            elif following not in done:
                path.append(following)
                iterators.append(iter(_kpi_inputs(kpis, following)))
        return ()

    def _below(self, kpi_id: str) -> list[str]:
        """Name the KPIs a KPI is made of, itself last, each after those it needs."""
        kpis, order, seen = self.project.kpis, [], {kpi_id}
        stack = [(kpi_id, iter(_kpi_inputs(kpis, kpi_id)))]
        while stack:
            name, following = stack[-1]
            below = next((each for each in following if each not in seen), None)
            if below is None:
                order.append(name)
                stack.pop()
            else:
                seen.add(below)
                stack.append((below, iter(_kpi_inputs(kpis, below))))
        return order

    def _resolved(self, kpi_id: str) -> ResolvedKpi:
        for name in self._below(kpi_id):
            self._resolve(name)
        if kpi_id not in self._kpis:
            message = f"the KPI `{kpi_id}` below cannot be computed"
            raise Faulty([Fault(("inputs",), Mistake("broken_input", message, hint=f"correct `{kpi_id}` first"))])
        return self._kpis[kpi_id]

    def _resolve(self, kpi_id: str) -> list[Diagnostic]:
        if kpi_id in self._kpis:
            return []
        try:
            self._kpis[kpi_id] = resolve_kpi(kpi_id, self.project.kpis[kpi_id], self._around)
        except Faulty as faulty:
            return [self._diagnostic("kpis", kpi_id, fault) for fault in faulty.faults]
        return []

    def _kpi_fits(self, kpi_id: str) -> Iterator[Diagnostic]:
        """Check what a KPI says of itself: its roles, its companion, its split, and that its inputs share a time."""
        model = self.project.kpis[kpi_id]
        for role in model.role:
            if role not in self.project.roles:
                hint = nearest(role, self.project.roles)
                yield self._diagnostic("kpis", kpi_id, Fault(("role",), Mistake("unknown_role", f"there is no role `{role}`", 0, len(role), hint)))
        if model.quality and model.quality not in self.project.kpis:
            mistake = Mistake("unknown_kpi", f"there is no KPI `{model.quality}`", 0, len(model.quality), nearest(model.quality, self.project.kpis))
            yield self._diagnostic("kpis", kpi_id, Fault(("quality",), mistake))
        for name in model.split:
            for dataset, across, everything in self._reads(kpi_id, frozenset(), all_=False):
                if not everything and name not in across and name not in self.project.datasets[dataset].dimensions:
                    hint = nearest(name, self.dimensions(kpi_id)) or f"give `{dataset}` that dimension, or read it with `across: {name}`"
                    mistake = Mistake("missing_dimension", f"the input `{dataset}` has no dimension `{name}`", 0, len(name), hint)
                    yield self._diagnostic("kpis", kpi_id, Fault(("split",), mistake))
        yield from self._times_fit(kpi_id)

    def _times_fit(self, kpi_id: str) -> Iterator[Diagnostic]:
        reads = [(d, everything) for d, _, everything in self._reads(kpi_id, frozenset(), all_=False)]
        timeless = {d for d, everything in reads if not everything and self.project.datasets[d].time is None}
        timed = {d for d, _ in reads if self.project.datasets[d].time is not None}
        for dataset in sorted(timeless if timed else ()):
            hint = f"give `{dataset}` a `time`, or read it as a constant with `across: all`"
            mistake = Mistake("no_time", f"the input `{dataset}` has no time, and other inputs have one", hint=hint)
            yield self._diagnostic("kpis", kpi_id, Fault(("inputs",), mistake))

    def _reads(self, kpi_id: str, across: frozenset[str], *, all_: bool) -> Iterator[tuple[str, frozenset[str], bool]]:
        """Go through the datasets under a KPI with the dimensions that are ignored on the way."""
        for each in self.project.kpis[kpi_id].inputs.values():
            ignored = across | frozenset(each.across)
            everything = all_ or "all" in each.across
            if each.from_ in self.project.datasets:
                yield each.from_, self.names.depending(each.from_, ignored) | ignored, everything
            elif each.from_ in self.project.kpis:
                yield from self._reads(each.from_, ignored, all_=everything)

    def _cycle_diagnostic(self, kpi_id: str, cycle: tuple[str, ...]) -> Diagnostic:
        message = f"the KPIs are made of one another: {' → '.join(cycle)}"
        return self._diagnostic("kpis", kpi_id, Fault(("inputs",), Mistake("cycle", message, hint="take one of them out of the circle")))

    def _diagnostic(self, section: str, name: str, fault: Fault) -> Diagnostic:
        mistake = fault.mistake
        place = self.project.places.within((section, name, *fault.path), mistake.offset, mistake.length)
        kind = "kpi" if section == "kpis" else "dataset"
        message = mistake.message if place else f"{kind} `{name}`, {'.'.join(fault.path)}: {mistake.message}"
        return Diagnostic(mistake.code, message, place, mistake.hint, subject=f"{kind} {name}")


def _kpi_inputs(kpis: Mapping[str, object], kpi_id: str) -> list[str]:
    return [each.from_ for each in kpis[kpi_id].inputs.values() if each.from_ in kpis]  # type: ignore[attr-defined]
