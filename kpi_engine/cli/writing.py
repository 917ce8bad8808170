"""What is written where: results go to standard output, all else to standard error, both as UTF-8."""

from __future__ import annotations

import os
import shlex
import sys
from contextlib import contextmanager
from io import TextIOWrapper
from pathlib import Path
from textwrap import shorten
from typing import TYPE_CHECKING, Any

import click

from kpi_engine.errors import OutputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from typing import TextIO

    from kpi_engine.api import Report
    from kpi_engine.errors import Diagnostic
    from kpi_engine.plugins import Plugins

_SILENT = frozenset({"csv", "json"})
"""Outputs for machines, which have no room for what a reader must know: it is said beside them."""
_COLORS = {"error": "red", "warning": "yellow"}


def speak_utf8() -> None:
    """Write UTF-8 whatever the locale says; what cannot be written is escaped."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")


def say(text: str) -> None:
    """Say something to the user, on standard error."""
    click.echo(text, err=True)


def put(text: str) -> None:
    """Write a result to standard output."""
    with _writable():
        click.echo(text)


@contextmanager
def _writable() -> Iterator[None]:
    """Write to standard output: a full disk is told as such, a closed pipe is passed on."""
    if sys.stdout is None:
        raise OutputError("there is no standard output to write to", code="unwritable", hint="use --out FILE")
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        abandon_output()
        message = f"standard output cannot be written: {error.strerror or error}"
        raise OutputError(message, code="unwritable", hint="use --out FILE, on a disk with room") from error


def abandon_output() -> None:
    """Let what is left in standard output go nowhere, so that the end of the process does not stumble over it."""
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (OSError, AttributeError):
        return  # a stream of its own making, which nobody flushes at the end


def deliver(
    plugins: Plugins, report: Report, output: str, out: str = "", options: Mapping[str, Any] | None = None
) -> None:
    """Render a report to a file, or to standard output where none is named."""
    from kpi_engine.reporting import rendered

    options = options or {}
    if output in _SILENT:
        for notice in report.notices:
            say(notice)
    if out and out != "-":
        rendered(plugins, report, output, out, options)
        say(f"Wrote {out}")
        return
    with _writable():
        rendered(plugins, report, output, sys.stdout.buffer, options)


def chosen_output(plugins: Plugins, output: str, out: str) -> str:
    """Give the output that was named; otherwise the one whose files end as this one does, or the table."""
    if output:
        return output
    suffix = Path(out).suffix.casefold()
    words = (word for word in plugins.words("output") if suffix and plugins.output(word).suffix == suffix)
    return next(words, "table")


def suggest(steps: Iterable[tuple[str, str]]) -> None:
    """Say what to do next: each a command and what it does."""
    steps = list(steps)
    width = max(len(step) for step, _ in steps)
    say("\nNext:")
    for step, what in steps:
        say(f"  {step:{width}}  {what}".rstrip())


def quoted(path: str | Path) -> str:
    """Write a path as a shell takes it."""
    return shlex.quote(str(path))


def painted(diagnostic: Diagnostic, *, color: bool) -> str:
    """Write a mistake as on a page, in colour where there is a terminal."""
    text = str(diagnostic)
    if not color:
        return text
    tint = _COLORS[diagnostic.severity]
    tag = f"{diagnostic.severity}[{diagnostic.code}]"
    head, *lines = text.replace(tag, click.style(tag, fg=tint, bold=True), 1).split("\n")
    return "\n".join([head, *(_tinted(line, tint) for line in lines)])


def _tinted(line: str, tint: str) -> str:
    margin, bar, rest = line.partition("│ ")
    if bar and not margin.strip() and rest.strip(" \t^") == "":
        return margin + bar + click.style(rest, fg=tint, bold=True)
    return click.style(line, fg="cyan") if line.startswith("      = ") else line


def wants_color(stream: TextIO) -> bool:
    """Say whether a stream is a terminal that shows colour, and `NO_COLOR` is not set."""
    return stream.isatty() and os.environ.get("TERM") != "dumb" and not os.environ.get("NO_COLOR")


def counted(number: int, word: str) -> str:
    """Write a number of things.

    >>> counted(1, "KPI"), counted(2, "dataset")
    ('1 KPI', '2 datasets')
    """
    return f"{number:,} {word}" + ("" if number == 1 else "s")


def explain_fault(error: Exception) -> str:
    """Say in one line that the engine is at fault, and how its authors find out why."""
    what = shorten(f"{type(error).__name__}: {error}", 300, placeholder=" …")
    return f"error[internal]: {what}: this is a fault of the engine, not yours; run it again with KPI_DEBUG=1 for the traceback to report"
