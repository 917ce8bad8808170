"""`kpi cache`: where what is kept between commands stands, and deleting it."""

from __future__ import annotations

import click

from kpi_engine.cli.exits import Exit
from kpi_engine.cli.groups import Verbs, help_alone
from kpi_engine.cli.writing import counted, put, say


@click.group(
    "cache",
    invoke_without_command=True,
    short_help="See or delete what is kept between commands.",
    cls=Verbs,
    verbs={"path": "kpi_engine.cli.cache:path", "clear": "kpi_engine.cli.cache:clear"},
)
@click.pass_context
def command(context: click.Context) -> None:
    """See or delete what is kept between commands: no rows, and nothing that is needed."""
    help_alone(context)


@click.command("path", short_help="Print the folder it stands in.")
def path() -> Exit:
    """Print the folder in which things are kept; on standard error, why nothing is, where nothing is."""
    from kpi_engine.cache import Cache

    cache = Cache()
    if problem := cache.trouble():
        say(f"Nothing is kept: {problem}")
    if cache.folder is not None:
        put(str(cache.folder))
    return Exit.OK


@click.command("clear", short_help="Delete what is kept.")
def clear() -> Exit:
    """Delete what is kept, of all projects; the next command takes a little longer."""
    from kpi_engine.cache import Cache

    say(f"Deleted {counted(Cache().clear(), 'file')}")
    return Exit.OK
