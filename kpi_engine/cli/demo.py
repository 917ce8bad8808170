"""`kpi demo`: the main job, on a sample company."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from kpi_engine.cli.exits import Exit
from kpi_engine.cli.projects import opened
from kpi_engine.cli.requests import language_option
from kpi_engine.cli.writing import counted, deliver, quoted, say, suggest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from kpi_engine.api import Report

FOLDER = "kpi-demo"
PAGE = "report.html"


@click.command("demo", short_help="Try it on a sample company with two years of data.")
@click.argument("folder", default=FOLDER, metavar=f"[FOLDER={FOLDER}]")
@language_option
@click.option("-q", "--quiet", is_flag=True, help="Show the scorecards only.")
def command(folder: str, language: str | None, *, quiet: bool) -> Exit:
    """Write a sample project with two years of made-up data, and show the scorecards of its six roles.

    A sample project that is there already is used as it stands.
    """
    from kpi_engine.reporting import failures_of

    tell = _silent if quiet else say
    made = _scorecards(Path(folder), language, tell)
    if not quiet:
        suggest(_steps(folder))
    return Exit.FOUND if failures_of(made) else Exit.OK


def _scorecards(folder: Path, language: str | None, tell: Callable[[str], None]) -> Report:
    from kpi_engine.sample import LAST_DAY, write_project
    from kpi_engine.sample.project import is_sample

    if is_sample(folder):
        tell(f"{folder} holds the sample project already: it is used as it stands")
    else:
        tell(f"Writing the sample project into {folder}: two years of made-up data …")
        write_project(folder)
    period = last_full_quarter(LAST_DAY)
    with opened(str(folder)) as engine:
        tell(f"Computing the scorecards of {counted(len(engine.project.roles), 'role')} for {period} …")
        report = engine.report(period=period, language=language)
        page = folder / PAGE
        engine.render(report, "html", page)
        tell(f"Wrote {page}\n")
        deliver(engine.plugins, report, "table")
    return report


def last_full_quarter(last_day: date) -> str:
    """Name the last quarter that is over after a day.

    >>> last_full_quarter(date(2026, 6, 30)), last_full_quarter(date(2026, 3, 30))
    ('2026-Q2', '2025-Q4')
    """
    following = last_day + timedelta(days=1)
    quarter = (following.month - 1) // 3
    return f"{following.year}-Q{quarter}" if quarter else f"{following.year - 1}-Q4"


def _silent(text: str) -> None:
    """Say nothing."""


def _steps(folder: str) -> Iterator[tuple[str, str]]:
    yield f"{quoted(Path(folder) / PAGE)}", "the same as a page: open it in a browser"
    yield f"cd {quoted(folder)}", ""
    yield "kpi list", "every KPI, by role"
    yield "kpi run site_conversion_rate --by channel --period 2026-Q2", "a KPI, split"
    yield "kpi explain share_of_voice", "how a number is computed, down to the SQL"
    yield "kpi check", "after you have changed definitions/acme.yaml"
    yield "kpi init my-project", "a project of your own"
