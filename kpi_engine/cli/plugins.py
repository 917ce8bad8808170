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

    from kpi_engine.plugins import PluginInfo

HEADS = ("Name", "Status", "Provides", "From")


@click.group(
    "plugins",
    invoke_without_command=True,
    short_help="See which plugins there are, and whether they work.",
    cls=Verbs,
    verbs={"list": "kpi_engine.cli.plugins:listing"},
)
@click.pass_context
def command(context: click.Context) -> None:
    """See which plugins there are, and whether they work."""
    help_alone(context)


@click.command("list", short_help="List every plugin, also those that do not work.")
@click.option(
    "--output", type=click.Choice(["table", "json"]), default="table", show_default=True, help="How it is written."
)
@project_options
def listing(output: str, project: str | None, disabled: Sequence[str]) -> Exit:
    """List every plugin: built in, installed, and in the project's folder `plugins`; also those that do not work, and why."""
    from kpi_engine.plugins import Plugins

    found = Plugins(_root(project), disabled).listing()
    put(as_json(found) if output == "json" else "\n".join(as_table(found)))
    return Exit.OK


def _root(project: str | None) -> Path | None:
    """Find the project's folder; its definitions are not read, so that mistakes in them do not matter here."""
    path = around() if project is None else Path(project)
    return path.parent if path is not None and path.is_file() else path


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
    records = [
        {**asdict(info), "provides": [{"kind": kind, "word": word} for kind, word in info.provides]} for info in found
    ]
    return json.dumps({"plugins": records}, ensure_ascii=False, indent=2)
