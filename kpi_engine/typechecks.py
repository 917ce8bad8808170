"""Whether every expression has a type, and the one that is needed: asked of the database before anything runs.

What can be seen by looking is not asked. `check` asks for every definition, and a request for the KPIs it needs: a condition that is a
number would otherwise be taken for true wherever it is not 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kpi_engine.catalogue.faults import Fault
from kpi_engine.catalogue.plain import is_plain
from kpi_engine.catalogue.sqltypes import dataset_probes, family, in_words, kpi_probes, misfit, unknown_values
from kpi_engine.errors import DataError, KpiError
from kpi_engine.formula.gate import Mistake

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sqlglot import exp

    from kpi_engine.catalogue import Catalogue, ResolvedKpi
    from kpi_engine.catalogue.sqltypes import Pair, Probe, Probes, Stretch
    from kpi_engine.errors import Diagnostic
    from kpi_engine.execution.binding import Binder

_SAME_TYPE = "declare the same type for both columns: `columns: {…: {type: …}}`"


def types_of_dataset(dataset: str, catalogue: Catalogue, binder: Binder) -> list[Diagnostic]:
    """Find the dimensions, times and joins of a dataset whose types do not fit."""
    faults = _misfits(dataset_probes(dataset, catalogue.names), binder)
    return [catalogue.diagnostic("datasets", dataset, fault) for fault in faults]


def types_of_kpi(kpi: ResolvedKpi, catalogue: Catalogue, binder: Binder) -> list[Diagnostic]:
    """Find the conditions, aggregates and formula of a KPI whose types do not fit, or that give something else than a number."""
    parameters = catalogue.project.parameters
    if is_plain(kpi, catalogue.names, parameters, catalogue.datasets_under):
        return []
    probes = kpi_probes(kpi, catalogue.names, parameters, catalogue.datasets_under)
    return [catalogue.diagnostic("kpis", kpi.id, fault) for fault in _misfits(probes, binder)]


def _misfits(probes: Probes, binder: Binder) -> list[Fault]:
    """Find the expressions without a type, or without the one that is needed, and those that are compared with another kind."""
    rows = unknown_values(probes.columns)
    if rows is None:
        return []
    types = _Types(binder, rows)
    found: list[Fault] = []
    for pair, left, right in types.of_pairs(probes.pairs):
        if said := misfit(pair, left, right):
            hint = _SAME_TYPE if pair.left.place.path[0] == "joins" else said[1]
            found.append(_fault(pair.left.place, "types_do_not_fit", said[0], hint))
    said_already = {fault.path for fault in found}
    for probe, type_ in types.of([probe for probe in probes.wholes if probe.place.path not in said_already]):
        if probe.wanted == "number" and ("formula",) in {fault.path for fault in found}:
            continue
        found += _unwanted(probe, type_)
    return list(dict.fromkeys(found))


@dataclass(frozen=True)
class _Types:
    """Asks for the types of many expressions at once, and one by one where that fails."""

    binder: Binder
    rows: exp.Select

    def of(self, probes: Sequence[Probe]) -> Iterator[tuple[Probe, str | KpiError]]:
        """Give the type of each expression, or why it has none; rows and aggregates are asked for apart."""
        for aggregated in (False, True):
            some = [probe for probe in probes if probe.aggregated == aggregated]
            yield from zip(some, self._asked(some), strict=True)

    def of_pairs(self, pairs: Sequence[Pair]) -> Iterator[tuple[Pair, str, str]]:
        """Give the types of the two sides of each comparison, where both have one."""
        sides = [side for pair in pairs for side in (pair.left, pair.right)]
        types = {id(probe): found for probe, found in self.of(sides)}
        for pair in pairs:
            left, right = types[id(pair.left)], types[id(pair.right)]
            if isinstance(left, str) and isinstance(right, str):
                yield pair, left, right

    def _asked(self, probes: list[Probe]) -> list[str | KpiError]:
        """Ask for all at once; where that fails, for each half, so that one that fails costs few questions more."""
        if not probes:
            return []
        try:
            return list(self.binder.types([probe.tree for probe in probes], self.rows))
        except KpiError as error:
            if len(probes) == 1:
                return [error]
            middle = len(probes) // 2
            return [*self._asked(probes[:middle]), *self._asked(probes[middle:])]


def _fault(place: Stretch, code: str, message: str, hint: str) -> Fault:
    return Fault(place.path, Mistake(code, message, place.offset, place.length, hint))


def _unwanted(probe: Probe, found: str | KpiError) -> Iterator[Fault]:
    if isinstance(found, KpiError):
        if isinstance(found, DataError):
            hint = "declare what the column is with `columns: {…: {type: …}}`, or write `cast(x as type)`"
            yield _fault(probe.place, "types_do_not_fit", found.message, hint)
    elif probe.wanted == "boolean" and family(found) != "boolean" and not _is_null(found):
        hint = "compare it with something: `channel = 'email'`"
        message = f"this is {in_words(found)}, and a condition is true or false"
        yield _fault(probe.place, "not_a_condition", message, hint)
    elif probe.wanted == "number" and family(found) != "number" and not _is_null(found):
        is_truth = found == "BOOLEAN"
        hint = "count what is true with `count_if(condition)`" if is_truth else "count, add up or measure something"
        yield _fault(probe.place, "not_a_number", f"the formula gives {in_words(found)}, and a KPI is a number", hint)


def _is_null(sql_type: str) -> bool:
    return sql_type.strip('"').upper() == "NULL"
