"""`kpi explain`: say how a request is computed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from kpi_engine.cli.exits import Exit
from kpi_engine.cli.projects import opened, project_options
from kpi_engine.cli.requests import arguments, fitted, request_options
from kpi_engine.cli.writing import put

if TYPE_CHECKING:
    from collections.abc import Sequence


@click.command(
    "explain",
    short_help="Say how a number is computed, down to the SQL.",
    epilog="Takes the request as `kpi run` does, whose --help has more on conditions.",
)
@click.argument("kpis", nargs=-1, metavar="KPI...")
@request_options
@project_options
def command(kpis: Sequence[str], project: str | None, disabled: Sequence[str], **request: Any) -> Exit:  # noqa: ANN401
    """Say how KPIs are computed: the plan in words, then the SQL."""
    asked = arguments(kpis, request)
    with opened(project, disabled) as engine:
        put(engine.explain(**fitted(asked, engine.project)).rstrip())
    return Exit.OK
