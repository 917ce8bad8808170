"""MetricFlow semantic models and metrics as definitions: a plugin of the KPI engine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kpi_engine.api import hookimpl

if TYPE_CHECKING:
    from kpi_engine.api import Format


@hookimpl
def formats() -> list[type[Format]]:
    """Announce the format `metricflow`."""
    from kpi_format_metricflow.reading import MetricflowFormat

    return [MetricflowFormat]
