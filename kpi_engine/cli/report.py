"""`kpi report`: the scorecards of roles."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from kpi_engine.cli.conditions import wheres
from kpi_engine.cli.exits import Exit
from kpi_engine.cli.projects import opened, project_options, warn_of_mistakes
from kpi_engine.cli.rankings import names
from kpi_engine.cli.requests import (
    as_of_option,
    language_option,
    like_for_like_option,
    output_options,
    pairs,
    timeout_option,
    where_option,
)
from kpi_engine.cli.writing import chosen_output, deliver

if TYPE_CHECKING:
    from collections.abc import Sequence

BOTH = ("previous_period", "previous_year")
_EPILOG = """\b
Examples:
  kpi report
  kpi report --role seo_manager --period 2026-Q2
  kpi report --period 'last month' --language fr --out report.html

A KPI that fails is shown as failed, with the reason, and the exit code is 1."""


@click.command("report", short_help="Show the scorecards of roles.", epilog=_EPILOG)
@click.option(
    "--role",
    "roles",
    metavar="ROLE",
    multiple=True,
    help="The scorecard of this role. Repeatable.  [default: all roles]",
)
@click.option("--period", metavar="PERIOD", default="last quarter", show_default=True, help="As of `kpi run`.")
@click.option(
    "--compare",
    metavar="NAME",
    multiple=True,
    default=BOTH,
    help="previous-period, previous-year or none.  [default: both]",
)
@like_for_like_option
@where_option
@as_of_option
@timeout_option
@language_option
@output_options
@project_options
def command(
    roles: Sequence[str], period: str, compare: Sequence[str], where: Sequence[str], as_of: str | None, timeout: float | None,
    language: str | None, output: str, options: Sequence[str], out: str, project: str | None, disabled: Sequence[str],
    *, like_for_like: bool,
) -> Exit:  # fmt: skip
    """Show the scorecards of one role, of several, or of all."""
    from kpi_engine.reporting import failures_of

    asked: dict[str, Any] = {
        "period": period,
        "compare": compared(compare),
        "like_for_like": like_for_like,
        "where": wheres(where),
        "as_of": as_of,
        "timeout": timeout,
        "language": language,
    }
    settings = pairs(options, "--option")
    with opened(project, disabled) as engine:
        lacking = warn_of_mistakes(engine)
        report = engine.report(role=names(roles) or None, **asked)
        deliver(engine.plugins, report, chosen_output(engine.plugins, output, out), out, settings)
    return Exit.FOUND if failures_of(report) or lacking else Exit.OK


def compared(written: Sequence[str]) -> list[str]:
    """Name the comparisons; `none` is none."""
    return [name for name in names(written) if name != "none"]
