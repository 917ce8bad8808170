"""Sources of dlt as sources of KPIs: a plugin of the KPI engine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kpi_engine.api import hookimpl

if TYPE_CHECKING:
    from kpi_engine.api import StreamSource


@hookimpl
def sources() -> list[type[StreamSource]]:
    """Announce the source `dlt`."""
    from kpi_source_dlt.source import DltSource

    return [DltSource]
