"""Money under a KPI: whether there is any, into which currency it is converted, and what cannot be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kpi_engine.catalogue.aggregates import COUNTS
from kpi_engine.catalogue.currencies import AS_RECORDED
from kpi_engine.errors import DefinitionError, RequestError
from kpi_engine.formula.currencies import CODES

if TYPE_CHECKING:
    from collections.abc import Callable

    from kpi_engine.catalogue.names import Names
    from kpi_engine.catalogue.resolved import ResolvedKpi
    from kpi_engine.definitions import Project


@dataclass(frozen=True)
class MoneyBelow:
    """Looks for amounts of money in KPIs and those that they are made of."""

    project: Project
    names: Names
    kpi: Callable[[str], ResolvedKpi]
    under: Callable[[str], list[str]]

    def rates_for(self, kpi_id: str, asked: str) -> tuple[str, ...]:
        """Name the datasets of rates by which amounts are converted; a project should have one.

        Raise `RequestError` for amounts that cannot be converted, `DefinitionError` where the rates were left out because of a mistake.
        """
        to = self.currency_of(kpi_id, asked)
        if asked == AS_RECORDED or not (to or asked or self._is_said(kpi_id)):
            return ()
        below = [self.kpi(name) for name in self.under(kpi_id)]
        for each in below if to or asked else ():
            self._refuse_fixed(each, to or asked)
        if not any(map(self._has_money, below)):
            return ()
        found = tuple(name for name, each in self.project.datasets.items() if each.rates is not None)
        subjects = ("dataset ", "file ")
        broken = [d for d in self.project.diagnostics if d.severity == "error" and d.subject.startswith(subjects)]
        if broken and not found:
            raise DefinitionError(broken)
        return found

    def currency_of(self, kpi_id: str, asked: str = "") -> str:
        """Name the currency into which a KPI's amounts are converted; empty where none is, or where they are in several."""
        if asked == AS_RECORDED or not (asked or self._is_said(kpi_id)):
            return ""
        found: dict[str, str | None] = {}
        for name in self.under(kpi_id):
            kpi = self.kpi(name)
            inputs = {found[each.target] for each in kpi.inputs.values() if each.kind == "kpi"} - {None}
            own = {self.project.settings.reporting_currency} if self._has_money(kpi) else set()
            said = inputs | own
            one = said.pop() if len(said) == 1 else ""
            found[name] = (asked or kpi.model.currency or one) if inputs or own else None
        return found[kpi_id] or ""

    def _is_said(self, kpi_id: str) -> bool:
        """Whether the project, or a KPI that this one is made of, names a currency to convert into."""
        project = self.project
        return bool(project.settings.reporting_currency) or any(project.kpis[n].currency for n in self.under(kpi_id))

    def _has_money(self, kpi: ResolvedKpi) -> bool:
        """Whether a KPI aggregates amounts that can be converted."""
        for each in kpi.aggregates:
            source = kpi.inputs[each.input]
            if each.currencies:
                return True
            is_rows = source.kind == "dataset" and not source.per and each.function not in COUNTS
            if is_rows and each.argument is not None and self.names.fixed_currencies(source.target, each.argument.tree):
                return True
        return False

    def _refuse_fixed(self, kpi: ResolvedKpi, to: str) -> None:
        """Refuse a KPI that says it is money of another currency, and whose amounts are not known to be."""
        own = kpi.aggregates and not any(each.kind == "kpi" for each in kpi.inputs.values())
        other = sorted({shown for _, shown in kpi.unit.shown if shown in CODES - {to}}) if kpi.unit is not None else []
        if own and other and not self._has_money(kpi):
            message = f"`{kpi.id}` is in {other[0]} and cannot be converted into {to}: none of its columns is said to hold money"
            hint = "give the column that it aggregates its `unit`, or the `currency` beside it"
            raise RequestError(message, code="not_convertible", hint=hint)
