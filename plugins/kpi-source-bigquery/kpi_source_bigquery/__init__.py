"""BigQuery as a source of KPIs: a plugin of the KPI engine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kpi_engine.api import hookimpl

if TYPE_CHECKING:
    from kpi_engine.api import Source


@hookimpl
def sources() -> list[type[Source]]:
    """Announce the source `bigquery`."""
    from kpi_source_bigquery.source import BigQuerySource

    return [BigQuerySource]
