"""A request answered: planned, run, and run again where data moved meanwhile or some of its KPIs fail."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from kpi_engine.api import Failure
from kpi_engine.describing import heading, in_currencies
from kpi_engine.errors import KpiError, SourceError, TimeoutExceeded
from kpi_engine.execution.running import DataMoved
from kpi_engine.planning import totalled
from kpi_engine.planning.request import alone
from kpi_engine.results import Result

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kpi_engine.execution.running import Planned
    from kpi_engine.planning import Request
    from kpi_engine.preparing import Preparation
    from kpi_engine.results import Answered

ATTEMPTS = 3
"""So many times a request is computed where data are written while it reads them."""


@dataclass(frozen=True)
class Answering:
    """How requests are answered: over what, within how many seconds, and the language of labels."""

    prepared: Preparation
    timeout: float | None
    language: str

    def run(self, request: Request, *, collect: bool) -> Result:
        """Make the KPIs of a request ready and answer it; with `collect`, those that fail are left unknown and said."""
        failures: dict[str, Failure] = {}
        self.prepared.refresh((*request.kpis, *request.compared_with))
        for kpi_id in request.compared_with:
            self.prepared.ready(kpi_id, request.currency)
        for kpi_id in request.kpis:
            try:
                self.prepared.ready(kpi_id, request.currency)
                if collect and len(request.kpis) > 1:
                    self.prepared.runner.check(alone(request, kpi_id))
            except KpiError as error:
                if not collect:
                    raise
                failures[kpi_id] = _failure(error)
        request = replace(request, failed=frozenset(failures))
        try:
            return self.answered(request, failures)
        except TimeoutExceeded:
            raise
        except KpiError:
            if not collect:
                raise
            failures |= self._failing(request)
            return self.answered(replace(request, failed=frozenset(failures)), failures)

    def answered(self, request: Request, failures: Mapping[str, Failure]) -> Result:
        """Answer a request whose KPIs are ready; those that failed are unknown in it."""
        planned, answered, currencies = self._computed(request)
        request = planned.request
        head = heading(planned.plan, request, self.prepared.catalogue, self.prepared.calendar, self.language)
        return Result(
            columns=in_currencies(head.columns, head.money, currencies),
            period=head.period,
            as_of=request.as_of,
            unfinished=head.unfinished,
            failures=dict(failures),
            currencies=currencies,
            language=self.language,
            provisional=head.provisional,
            _answered=answered,
            _totals=lambda: self._total(request, answered),
        )

    def _failing(self, request: Request) -> dict[str, Failure]:
        """Run each KPI by itself, to find those that fail."""
        found: dict[str, Failure] = {}
        for kpi_id in (k for k in request.kpis if k not in request.failed):
            try:
                self._computed(alone(request, kpi_id))
            except TimeoutExceeded:
                raise
            except KpiError as error:
                found[kpi_id] = _failure(error)
        return found

    def _computed(self, request: Request) -> tuple[Planned, Answered, dict[str, str]]:
        """Plan and run a request; where data were written meanwhile, once more over those there are now."""
        for _ in range(ATTEMPTS):
            runner, replaced = self.prepared.runner, self.prepared.database.replaced
            try:
                planned = runner.planned(request, timeout=self.timeout)
                return planned, *runner.answer(planned, self.timeout)
            except DataMoved:
                pass
            except KpiError as error:
                if isinstance(error, TimeoutExceeded) or self.prepared.database.replaced == replaced:
                    raise
            self.prepared.refresh((*request.kpis, *request.members_of))
            for kpi_id in (each for each in request.kpis if each not in request.failed):
                self.prepared.ready(kpi_id, request.currency)
        hint = "ask again when whoever writes them has finished"
        raise SourceError("the data are written faster than they can be read", code="data_changing", hint=hint)

    def _total(self, request: Request, answered: Answered) -> Mapping[str, Any]:
        whole = totalled(request)
        if not request.kpis:
            return {}
        if whole is None:
            return {name: values[0] for name, values in answered.lists().items()}
        self.prepared.check_open()
        self.prepared.refresh(request.kpis)
        _, result, _ = self._computed(whole)
        return {name: values[0] for name, values in result.lists().items()}


def _failure(error: KpiError) -> Failure:
    return Failure(error.code, error.message, error.hint)
