"""`kpi plugins trace`: what plugins were asked, how long each took, and what failed."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from kpi_engine.cli.columns import lined_up
from kpi_engine.cli.exits import Exit
from kpi_engine.cli.groups import ended
from kpi_engine.cli.plugins import root_of
from kpi_engine.cli.projects import project_options
from kpi_engine.cli.writing import counted, put, say

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from kpi_engine.plugins.tracing import Call

HEADS = ("Seconds", "Plugin", "Asked for")


@click.command(
    "trace",
    short_help="Say what plugins are asked, and how long each takes.",
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False},
)
@click.argument("words", nargs=-1, type=click.UNPROCESSED, metavar="[COMMAND]...")
@click.option(
    "--output", type=click.Choice(["table", "json"]), default="table", show_default=True, help="How it is written."
)
@project_options
def command(words: Sequence[str], output: str, project: str | None, disabled: Sequence[str]) -> Exit:
    """Say what plugins are asked, how long each takes, and what fails.

    COMMAND is a command of kpi with its own options, as `run leads --by channel`; it does what it always does, and what its plugins were
    asked is said on standard error. Without it, each plugin is imported and asked what it provides.
    """
    from kpi_engine.plugins.tracing import traced

    with traced() as trace:
        done = ended(lambda: _run(words)) if words else _opened(project, disabled)
    write = say if words else put
    write(as_json(trace.calls) if output == "json" else "\n".join(as_table(trace.calls)))
    return done


def _run(words: Sequence[str]) -> object:
    """Run a command as if it had been called by itself."""
    from kpi_engine.cli.commands import kpi

    with kpi.make_context("kpi", list(words)) as context:
        return kpi.invoke(context)


def _opened(project: str | None, disabled: Sequence[str]) -> Exit:
    """Import every plugin, and ask each what it provides."""
    from kpi_engine.plugins import Plugins

    Plugins(root_of(project), disabled).listing()
    return Exit.OK


def as_table(calls: Sequence[Call]) -> Iterator[str]:
    """Write the calls in their order, below each what failed, and how long they took together."""
    if not calls:
        yield "No plugin was asked anything."
        return
    lines = lined_up([HEADS, *((f"{each.seconds:7.3f}", each.plugin, each.what) for each in calls)])
    yield lines[0]
    for each, line in zip(calls, lines[1:], strict=True):
        yield line
        if each.error:
            yield f"         ! {each.error}"
    yield f"{sum(each.seconds for each in calls):7.3f}  in {counted(len(calls), 'call')}"


def as_json(calls: Sequence[Call]) -> str:
    """Write the calls for machines."""
    return json.dumps({"calls": [asdict(each) for each in calls]}, ensure_ascii=False, indent=2)
