"""`kpi sync`: fetch what is new of sources whose rows are kept in the project's store."""

from __future__ import annotations

import json
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from kpi_engine.cli.exits import Exit
from kpi_engine.cli.projects import opened, project_options
from kpi_engine.cli.writing import counted, put, say, wants_color

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from kpi_engine.sync.reports import SourceReport, StreamReport, SyncReport
    from kpi_engine.sync.running import Watching


@click.command("sync", short_help="Fetch what is new of API data.")
@click.argument("sources", nargs=-1, metavar="SOURCE...")
@click.option("--full", is_flag=True, help="Fetch all rows anew, and not only what is new.")
@click.option("--wait", is_flag=True, help="Wait for the end of a sync of the same source that runs already.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
@project_options
def command(
    sources: Sequence[str], full: bool, wait: bool, as_json: bool, project: str | None, disabled: Sequence[str]  # noqa: FBT001
) -> Exit:  # fmt: skip
    """Fetch what is new of sources whose rows are kept in the project's store; of all such sources where none is named.

    Rows, the place to go on from and the record of the run are committed together. KPIs read the new state once the whole source is
    done, and the old one until then.
    """
    with opened(project, disabled) as engine, _watched() as watching:
        report = engine.sync(sources, full=full, wait=wait, watching=watching)
    if as_json:
        put(json.dumps(report.as_dict(), ensure_ascii=False, indent=2))
    else:
        for line in lines(report):
            put(line)
    for each in report.sources:
        if each.error is not None:
            say(str(each.error))
    return exit_of_report(report)


def exit_of_report(report: SyncReport) -> Exit:
    """Say how the command ends: some sources failed, all did, or somebody else is at work on them."""
    statuses = [each.status for each in report.sources]
    if report.ok:
        return Exit.OK
    if "failed" in statuses:
        return Exit.FOUND if "done" in statuses else Exit.FAILED
    return Exit.BUSY


def lines(report: SyncReport) -> Iterator[str]:
    """Write the report for people: a line for each source and stream, and what they must know."""
    for source in report.sources:
        yield f"{source.source}: {source.status}" + _summary(source)
        for stream in source.streams:
            yield f"  {stream.stream}: {_counts(stream)}"
            for change in stream.schema_changes:
                yield f"    {change}"
        for notice in source.notices:
            yield f"  ! {notice}"


def _summary(source: SourceReport) -> str:
    return f", {counted(source.received, 'row')} received" if source.status == "done" else ""


def _counts(stream: StreamReport) -> str:
    said = ("added", "changed", "removed", "quarantined", "restated")
    counts = [f"{getattr(stream, name):,} {name}" for name in said if getattr(stream, name)]
    return (
        ", ".join([*counts, f"{counted(stream.rows, 'row')} kept"])
        if counts
        else f"nothing new, {counted(stream.rows, 'row')} kept"
    )


@contextmanager
def _watched() -> Iterator[Watching]:
    """Show how far it is where somebody looks on: on standard error, and only if that is a terminal."""
    from kpi_engine.sync.running import Watching

    def waiting(source: str, pid: int) -> None:
        say(f"Waiting for the process {pid}, which syncs `{source}`")

    if not sys.stderr.isatty():
        yield Watching(waiting=waiting)
        return
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    console = Console(stderr=True, no_color=not wants_color(sys.stderr))
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        TextColumn("{task.completed:,} rows"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, transient=True) as bars:
        tasks = {}

        def progress(source: str, stream: str, rows: int) -> None:
            if (source, stream) not in tasks:
                tasks[source, stream] = bars.add_task(f"{source}.{stream}", total=None)
            bars.update(tasks[source, stream], completed=rows)

        yield Watching(progress=progress, waiting=waiting)
