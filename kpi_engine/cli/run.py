"""`kpi run`: compute KPIs."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from kpi_engine.cli.exits import Exit
from kpi_engine.cli.interruption import stopping
from kpi_engine.cli.projects import found, opened, project_options, warn_of_mistakes
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
from kpi_engine.cli.writing import chosen_output, deliver, say
from kpi_engine.errors import KpiError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from kpi_engine.engine import Engine
    from kpi_engine.recipes import Again

FOR_READING = frozenset({"table", "html"})
"""The outputs that people read."""
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
    asked = arguments(kpis, request)
    shown = Shown(output, out, pairs(options, "--option"), split=request["by"] or request["grain"])
    from kpi_engine.recipes import Wanted, keep, recalled

    wanted = Wanted(found(project), tuple(disabled), asked, language)
    with recalled(wanted) as again:
        if again is not None and answered_again(again, shown, timeout):
            return Exit.OK
    with opened(project, disabled) as engine:
        from kpi_engine.reporting import table_report

        lacking = warn_of_mistakes(engine) and request["role"] is not None
        fit = fitted(asked, engine.project)
        result = engine.run(**fit, timeout=timeout, language=language)
        name = chosen_output(engine.plugins, output, out)
        deliver(engine.plugins, table_report(engine, result, totals=shown.totals(name)), name, out, shown.options)
        recipe = None if result.failures or lacking else noted(engine, fit, language)
    if (problem := keep(wanted, recipe, name, shown.options)) and os.environ.get("KPI_DEBUG"):
        say(f"Note: nothing is kept for the next command: {problem}")
    return Exit.FOUND if result.failures or lacking else Exit.OK


def noted(engine: Engine, asked: Mapping[str, Any], language: str | None) -> dict[str, Any] | None:
    """Note how a request was answered; what stands in the way now, after it was, is nobody's concern."""
    try:
        return engine.recipe(**asked, language=language)
    except KpiError:
        return None


@dataclass(frozen=True)
class Shown:
    """How an answer is shown, and where."""

    output: str
    out: str
    options: Mapping[str, str]
    split: object

    def totals(self, name: str) -> bool:
        """Whether this output shows totals: below a single row they would be the same row again."""
        return name not in FOR_READING or bool(self.split)


def answered_again(again: Again, shown: Shown, timeout: float | None) -> bool:
    """Answer by what was noted of the last time, and whether that was possible."""
    with stopping(again):
        name = chosen_output(again.plugins, shown.output, shown.out)
        report = again.report(totals=shown.totals(name), timeout=timeout)
        if report is not None:
            deliver(again.plugins, report, name, shown.out, shown.options)
    return report is not None
