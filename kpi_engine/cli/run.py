"""`kpi run`: compute KPIs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from kpi_engine.cli.exits import Exit
from kpi_engine.cli.projects import opened, project_options, warn_of_mistakes
from kpi_engine.cli.requests import (
    WHERE_HELP,
    arguments,
    fitted,
    language_option,
    output_options,
    pairs,
    request_options,
    timeout_option,
)
from kpi_engine.cli.writing import chosen_output, deliver

if TYPE_CHECKING:
    from collections.abc import Sequence

FOR_READING = frozenset({"table", "html"})
"""The outputs that people read: below a single row they need no total, which would be the same row again."""
_EPILOG = f"""\b
Examples:
  kpi run visits
  kpi run site_conversion_rate --by channel --grain month --period 2026-Q2
  kpi run visits leads --period 2026-06 --compare previous-period,previous-year
  kpi run --role seo_manager --period 'last quarter' --output json

{WHERE_HELP}"""


@click.command("run", short_help="Compute KPIs, split and filtered.", epilog=_EPILOG)
@click.argument("kpis", nargs=-1, metavar="KPI...")
@request_options
@timeout_option
@language_option
@output_options
@project_options
def command(
    kpis: Sequence[str], timeout: float | None, language: str | None, output: str, options: Sequence[str], out: str,
    project: str | None, disabled: Sequence[str], **request: Any,  # noqa: ANN401
) -> Exit:  # fmt: skip
    """Compute KPIs, split and filtered as you ask."""
    asked, settings = arguments(kpis, request), pairs(options, "--option")
    with opened(project, disabled) as engine:
        from kpi_engine.reporting import table_report

        lacking = warn_of_mistakes(engine) and request["role"] is not None
        result = engine.run(**fitted(asked, engine.project), timeout=timeout, language=language)
        name = chosen_output(engine, output, out)
        totals = name not in FOR_READING or bool(asked["by"] or asked["grain"])
        deliver(engine, table_report(engine, result, totals=totals), name, out, settings)
    return Exit.FOUND if result.failures or lacking else Exit.OK
