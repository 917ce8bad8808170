"""Figures that their source still changes: from which moment on, and how that is said."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from kpi_engine.calendar import parse_duration
from kpi_engine.calendar.durations import shift
from kpi_engine.errors import KpiError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from kpi_engine.calendar.spans import Span
    from kpi_engine.catalogue import Catalogue

_SAID = MappingProxyType(
    {
        "en": "Provisional: a source still changes its figures for",
        "fr": "Provisoire : une source modifie encore ses chiffres pendant",
    }
)
_UNITS = MappingProxyType(
    {
        "second": "seconde", "minute": "minute", "hour": "heure", "day": "jour", "week": "semaine", "month": "mois", "quarter": "trimestre",
        "year": "an",
    }
)  # fmt: skip


def final_until(kpis: Iterable[str], as_of: datetime, catalogue: Catalogue) -> datetime | None:
    """Give the moment up to which the figures of KPIs are final: the longest restatement back from `as_of`; None where all are."""
    return min((shift(as_of, parse_duration(each)) for each in _lengths(kpis, catalogue)), default=None)


def provisional(kpis: Iterable[str], span: Span, as_of: datetime, catalogue: Catalogue, language: str) -> str:
    """Say that figures are provisional, where the period reaches beyond the moment up to which they are final; else nothing."""
    lengths = sorted(_lengths(kpis, catalogue), key=lambda each: shift(as_of, parse_duration(each)))
    if not lengths or (span.end is not None and span.end <= shift(as_of, parse_duration(lengths[0]))):
        return ""
    longest = parse_duration(lengths[0])
    unit = _UNITS.get(longest.unit, longest.unit) if language == "fr" else longest.unit
    many = "s" if longest.count > 1 and not unit.endswith("s") else ""
    return f"{_SAID.get(language, _SAID['en'])} {longest.count} {unit}{many}."


def _lengths(kpis: Iterable[str], catalogue: Catalogue) -> set[str]:
    """Gather how long the figures of KPIs are changed; those that cannot be computed have none."""
    found: set[str] = set()
    for kpi_id in kpis:
        try:
            found |= set(catalogue.caveats([kpi_id]).restated)
        except KpiError:
            continue
    return found
