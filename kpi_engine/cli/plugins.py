"""`kpi plugins`: which plugins there are, and whether they work."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from kpi_engine.cli.columns import lined_up
from kpi_engine.cli.exits import Exit
from kpi_engine.cli.groups import Verbs, help_alone
from kpi_engine.cli.projects import around, project_options
from kpi_engine.cli.writing import put

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from kpi_engine.plugins import PluginInfo, Plugins
    from kpi_engine.plugins.listing import Inspected

HEADS = ("Name", "Status", "Provides", "From")


@click.group(
    "plugins",
    invoke_without_command=True,
    short_help="See which plugins there are, what they do, and whether they work.",
    cls=Verbs,
    verbs={
        "list": "kpi_engine.cli.plugins:listing",
        "show": "kpi_engine.cli.plugindetails:command",
        "check": "kpi_engine.cli.pluginchecks:command",
        "trace": "kpi_engine.cli.plugintraces:command",
        "new": "kpi_engine.cli.pluginstarters:command",
    },
)
@click.pass_context
def command(context: click.Context) -> None:
    """See which plugins there are, what they do, and whether they work."""
    help_alone(context)


@click.command("list", short_help="List every plugin, also those that do not work.")
@click.option(
    "--output", type=click.Choice(["table", "json"]), default="table", show_default=True, help="How it is written."
)
@project_options
def listing(output: str, project: str | None, disabled: Sequence[str]) -> Exit:
    """List every plugin: built in, installed, and in the project's folder `plugins`; also those that do not work, and why."""
    from kpi_engine.plugins import Plugins

    found = Plugins(root_of(project), disabled).listing()
    put(as_json(found) if output == "json" else "\n".join(as_table(found)))
    return Exit.OK


def root_of(project: str | None) -> Path | None:
    """Find the project's folder; its definitions are not read, so that mistakes in them do not matter here."""
    path = around() if project is None else Path(project)
    return path.parent if path is not None and path.is_file() else path


def wanted(plugins: Plugins, name: str) -> list[Inspected]:
    """Find plugins by their own name, by that of their package, or by a word that they provide: then only that of them.

    Raises RequestError (`unknown_plugin`) where there is none.
    """
    from kpi_engine.errors import RequestError, nearest
    from kpi_engine.plugins.discovery import canonical

    every = plugins.inspected()
    if named := [each for each in every if canonical(name) in map(canonical, (each[0].name, each[0].distribution))]:
        return named
    by_word = [(info, tuple(claim for claim in claims if claim.word == name)) for info, claims in every]
    if found := [(info, claims) for info, claims in by_word if claims]:
        return found
    names = {info.name for info, _ in every} | {claim.word for _, claims in every for claim in claims}
    hint = nearest(name, names) or "`kpi plugins list` shows every plugin"
    raise RequestError(f"there is no plugin `{name}`", code="unknown_plugin", hint=hint)


def as_table(found: Sequence[PluginInfo]) -> Iterator[str]:
    """Write a line for each plugin, and below it what is wrong with it."""
    lines = lined_up([HEADS, *(_cells(info) for info in found)])
    yield lines[0]
    for info, line in zip(found, lines[1:], strict=True):
        yield line
        if info.error:
            yield f"  ! {info.error}"


def _cells(info: PluginInfo) -> tuple[str, ...]:
    kinds = dict.fromkeys(kind for kind, _ in info.provides)
    provided = "; ".join(f"{kind} " + ", ".join(word for each, word in info.provides if each == kind) for kind in kinds)
    return info.name, info.status, provided or "-", f"{info.distribution} {info.version}".strip() or info.origin


def as_json(found: Sequence[PluginInfo]) -> str:
    """Write the plugins for machines."""
    records = [record(info) for info in found]
    return json.dumps({"plugins": records}, ensure_ascii=False, indent=2)


def record(info: PluginInfo) -> dict[str, object]:
    """Write a plugin as JSON has it."""
    return {**asdict(info), "provides": [{"kind": kind, "word": word} for kind, word in info.provides]}
