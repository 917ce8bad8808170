"""`kpi run`: compute KPIs."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from kpi_engine.cli.exits import Exit
from kpi_engine.cli.interruption import ending, stopping
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
from kpi_engine.definitions.later import NotOutlinedError
from kpi_engine.errors import DefinitionError, KpiError, RequestError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from kpi_engine.engine import Engine
    from kpi_engine.recipes import Again, Wanted

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
    done = None
    with suppress(NotOutlinedError):
        done = answered(wanted, shown, timeout, whole=bool(asked["role"]))
    done = done or answered(wanted, shown, timeout, whole=True)
    if (problem := keep(wanted, done.recipe, done.output, shown.options)) and os.environ.get("KPI_DEBUG"):
        say(f"Note: nothing is kept for the next command: {problem}")
    return done.exit


@dataclass(frozen=True)
class Done:
    """What became of a request."""

    exit: Exit
    output: str
    """The name of the output that showed the answer."""
    recipe: dict[str, Any] | None
    """How to answer it again, where that is known."""


def answered(wanted: Wanted, shown: Shown, timeout: float | None, *, whole: bool) -> Done:
    """Compute an answer and show it.

    Unless `whole`, no more definitions are read than it takes. Raises NotOutlinedError, and shows nothing, where one of them has a
    mistake or the request is refused: with all that is known, more can be said of it.
    """
    from kpi_engine.reporting import table_report

    with opened(str(wanted.project), wanted.disabled, whole=whole) as engine:
        lacking = warn_of_mistakes(engine) and wanted.request["role"] is not None
        is_checked = engine.project.is_checked
        try:
            asked = fitted(wanted.request, engine.project)
            result = engine.run(**asked, timeout=timeout, language=wanted.language)
            name = chosen_output(engine.plugins, shown.output, shown.out)
            report = table_report(engine, result, totals=shown.totals(name))
        except (DefinitionError, RequestError) as error:
            if is_checked:
                raise
            raise NotOutlinedError from error
        if result.failures and not is_checked:
            raise NotOutlinedError
        deliver(engine.plugins, report, name, shown.out, shown.options)
        amiss = bool(result.failures) or lacking
        recipe = None if amiss else noted(engine, asked, wanted.language)
    return Done(Exit.FOUND if amiss else Exit.OK, name, recipe)


def noted(engine: Engine, asked: Mapping[str, Any], language: str | None) -> dict[str, Any] | None:
    """Note how a request was answered; what stands in the way now, after it was, is nobody's concern."""
    try:
        return engine.recipe(**asked, language=language)
    except (KpiError, NotOutlinedError):
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
    with ending(), stopping(again):
        name = chosen_output(again.plugins, shown.output, shown.out)
        report = again.report(totals=shown.totals(name), timeout=timeout)
        if report is not None:
            deliver(again.plugins, report, name, shown.out, shown.options)
    return report is not None
