"""`kpi plugins check`: whether plugins work and keep the rules."""

from __future__ import annotations

import json
import sys
from functools import partial
from typing import TYPE_CHECKING

import click

from kpi_engine.cli.check import mistakes, record
from kpi_engine.cli.exits import Exit
from kpi_engine.cli.plugins import root_of, wanted
from kpi_engine.cli.projects import project_options
from kpi_engine.cli.writing import counted, painted, put, wants_color

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kpi_engine.errors import Diagnostic


@click.command("check", short_help="Find what is wrong with plugins.")
@click.argument("name", required=False)
@click.option(
    "--output", type=click.Choice(["text", "json"]), default="text", show_default=True, help="How it is written."
)
@project_options
def command(name: str | None, output: str, project: str | None, disabled: Sequence[str]) -> Exit:
    """Find what is wrong with plugins, and say what to do.

    Each is imported, and asked what it provides; commands are imported too. What cannot be used is an error, a rule that is not kept a
    warning. Nothing is asked of the data: whether the settings of a project are right, `kpi check` says.

    NAME is a plugin, a package, or a word that a plugin provides, such as `postgres`; without it, all are looked at.
    """
    from kpi_engine.cli.extensions import imported
    from kpi_engine.plugins import Plugins
    from kpi_engine.plugins.inspection import mistakes as mistakes_of

    plugins = Plugins(root_of(project), disabled)
    chosen = wanted(plugins, name) if name else plugins.inspected()
    found = mistakes_of(chosen, partial(imported, plugins), of_pack)
    off = sum(info.status == "disabled" for info, _ in chosen)
    said = f"{mistakes(found)} in {counted(len(chosen), 'plugin')}" + (f", {off} of them disabled" if off else "")
    put(as_json(found, said) if output == "json" else as_text(found, said))
    return Exit.FOUND if any(each.severity == "error" for each in found) else Exit.OK


def of_pack(name: str) -> list[Diagnostic]:
    """Find the mistakes in the definitions of a pack; that there are no data is none."""
    from kpi_engine.engine import open_project

    with open_project({"definitions": [name]}) as engine:
        return [each for each in engine.check() if each.code != "no_source"]


def as_text(found: Sequence[Diagnostic], said: str) -> str:
    """Write the mistakes, one below the other, and a summary."""
    color = wants_color(sys.stdout)
    return "\n\n".join([*(painted(each, color=color) for each in found), said])


def as_json(found: Sequence[Diagnostic], said: str) -> str:
    """Write the mistakes for machines."""
    return json.dumps({"summary": said, "diagnostics": [record(each) for each in found]}, ensure_ascii=False, indent=2)
