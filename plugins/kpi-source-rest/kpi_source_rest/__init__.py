"""REST APIs as a source of KPIs: a plugin of the KPI engine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kpi_engine.api import hookimpl

if TYPE_CHECKING:
    from kpi_engine.api import StreamSource


@hookimpl
def sources() -> list[type[StreamSource]]:
    """Announce the source `rest`."""
    from kpi_source_rest.source import RestSource

    return [RestSource]
