"""`kpi init`: begin a project."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from kpi_engine.cli.check import summary
from kpi_engine.cli.exits import Exit
from kpi_engine.cli.projects import opened
from kpi_engine.cli.writing import painted, put, quoted, say, suggest, wants_color

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_EPILOG = """\b
Examples:
  kpi init shop
  kpi init shop --from data/*.csv

With --from, the files are read and the definitions say what they seem to hold: key, time, dimensions, first KPIs."""


class _Init(click.Command):
    """A command whose `--from` takes all the files that follow it, as a shell writes them for `*.csv`."""

    def collect_usage_pieces(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """Show that the name comes first."""
        return ["NAME", "[--from FILE...]", "[OPTIONS]"]

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the arguments."""
        return super().parse_args(ctx, [*_repeated(args, "--from")])


def _repeated(args: Sequence[str], option: str) -> Iterator[str]:
    """Write an option that several values follow once for each of them.

    >>> [*_repeated(["shop", "--from", "a.csv", "b.csv", "-q"], "--from")]
    ['shop', '--from', 'a.csv', '--from', 'b.csv', '-q']
    """
    is_open = has_one = False
    for arg in args:
        if is_open and has_one and not arg.startswith("-"):
            yield option
        yield arg
        has_one = is_open and not arg.startswith("-")
        is_open = arg == option or arg.startswith(f"{option}=") or has_one
        has_one = has_one or arg.startswith(f"{option}=")


@click.command("init", short_help="Begin a project, also over your own files.", cls=_Init, epilog=_EPILOG)
@click.argument("name")
@click.option(
    "--from", "files", metavar="FILE...", multiple=True, help="Make it over these CSV, Parquet or JSON files."
)
@click.option("-q", "--quiet", is_flag=True, help="Say only what was written.")
def command(name: str, files: Sequence[str], *, quiet: bool) -> Exit:
    """Begin a project in a new folder NAME: a small example, or a first draft over your own files."""
    from kpi_engine.sample import write_from_files, write_starter

    folder = Path(name)
    title = folder.resolve().name or "project"
    before = set(_files(folder))
    if files:
        write_from_files(folder, title, expanded(files))
    else:
        write_starter(folder, title)
    put("\n".join([f"Wrote {file}" for file in _files(folder) if file not in before]))
    ended, kpis = _checked(folder)
    if not quiet:
        suggest(_steps(folder, kpis, files=bool(files)))
    return ended


def expanded(files: Sequence[str]) -> list[Path]:
    """Find the files; where a shell has left a pattern such as `*.csv` as it is, those that fit it."""
    found: list[Path] = []
    for name in files:
        file = Path(name)
        matching = [] if file.exists() or "*" not in file.name else sorted(file.parent.glob(file.name))
        found += matching or [file]
    return found


def _files(folder: Path) -> list[Path]:
    return sorted(file for file in folder.rglob("*") if file.is_file()) if folder.is_dir() else []


def _checked(folder: Path) -> tuple[Exit, tuple[str, ...]]:
    """Check what was written, and say so; give the KPIs there are."""
    with opened(str(folder)) as engine:
        found = engine.check()
    for each in found:
        say(painted(each, color=wants_color(sys.stderr)))
    say(f"Checked: {summary(found, engine.project)}")
    return (Exit.FOUND if any(each.severity == "error" for each in found) else Exit.OK), tuple(engine.project.kpis)


def _steps(folder: Path, kpis: Sequence[str], *, files: bool) -> Iterator[tuple[str, str]]:
    if folder.resolve() != Path.cwd():
        yield f"cd {quoted(folder)}", ""
    if kpis:
        yield f"kpi run {kpis[0]}" + ("" if files else " --by channel"), "a first number"
    yield "kpi list", "the KPIs, by role"
    yield (
        "kpi report" + ("" if files else " --period 2026-Q2"),
        "the scorecard" + (" of the last quarter" if files else ""),
    )
    yield "kpi check", "after each change to " + ("definitions/*.yaml" if files else "definitions/first.yaml")
