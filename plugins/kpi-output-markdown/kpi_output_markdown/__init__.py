"""KPI reports as GitHub Markdown: a plugin of the KPI engine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kpi_engine.api import hookimpl

if TYPE_CHECKING:
    from kpi_engine.api import Output


@hookimpl
def outputs() -> list[type[Output]]:
    """Announce the output `markdown`."""
    from kpi_output_markdown.document import MarkdownOutput

    return [MarkdownOutput]
