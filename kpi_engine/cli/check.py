"""`kpi check`: find every mistake of a project."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import click

from kpi_engine.cli.exits import Exit
from kpi_engine.cli.projects import disable_option, opened
from kpi_engine.cli.writing import counted, painted, put, wants_color

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kpi_engine.definitions import Project
    from kpi_engine.errors import Diagnostic


@click.command("check", short_help="Find every mistake in the definitions.")
@click.argument("project", required=False)
@click.option(
    "--output", type=click.Choice(["text", "json"]), default="text", show_default=True, help="How it is written."
)
@click.option("--live", is_flag=True, help="Compare the definitions with the rows of the data too.")
@disable_option
def command(project: str | None, output: str, disabled: Sequence[str], *, live: bool) -> Exit:
    """Find every mistake in the definitions, and say where it stands and what to do.

    With --live, the data are read as well: values that are not of their type, keys that are not unique, joins that lead nowhere,
    times that are unknown or far off, and members that no rule names. Each dataset is read once.

    PROJECT is the project's folder, or its kpi.yaml; without it, the project around the current folder is checked.
    """
    with opened(project, disabled) as engine:
        found = engine.check(live=live)
        put(as_json(found, engine.project) if output == "json" else as_text(found, engine.project))
    return Exit.FOUND if any(each.severity == "error" for each in found) else Exit.OK


def as_text(found: Sequence[Diagnostic], project: Project) -> str:
    """Write the mistakes, one below the other, and a summary."""
    color = wants_color(sys.stdout)
    return "\n\n".join([*(painted(each, color=color) for each in found), summary(found, project)])


def summary(found: Sequence[Diagnostic], project: Project) -> str:
    """Say how many mistakes there are, in how much."""
    kpis, datasets = (sum(section == each for section, _ in project.origins) for each in ("kpis", "datasets"))
    return f"{mistakes(found)} in {counted(kpis, 'KPI')} and {counted(datasets, 'dataset')}"


def mistakes(found: Sequence[Diagnostic]) -> str:
    """Say how many mistakes there are of each severity."""
    kinds = ((kind, sum(each.severity == kind for each in found)) for kind in ("error", "warning"))
    return ", ".join(counted(number, kind) for kind, number in kinds if number) or "No mistakes"


def as_json(found: Sequence[Diagnostic], project: Project) -> str:
    """Write the mistakes for machines."""
    listed = [record(each) for each in found]
    return json.dumps({"summary": summary(found, project), "diagnostics": listed}, ensure_ascii=False, indent=2)


def record(diagnostic: Diagnostic) -> dict[str, object]:
    """Write a mistake as JSON has it."""
    place = diagnostic.place
    return {
        "severity": diagnostic.severity,
        "code": diagnostic.code,
        "message": diagnostic.message,
        "hint": diagnostic.hint,
        "subject": diagnostic.subject,
        "file": place.file if place else None,
        "line": place.line if place and place.line else None,
        "column": place.column if place and place.line else None,
        "length": place.length if place and place.line else None,
    }
