"""`kpi convert`: definition files of another system as files of ours."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kpi_engine.cli.exits import Exit
from kpi_engine.cli.projects import disable_option
from kpi_engine.cli.writing import counted, painted, put, say, wants_color
from kpi_engine.errors import OutputError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from kpi_engine.errors import Diagnostic

_EPILOG = """\b
Examples:
  kpi convert metricflow models/
  kpi convert metricflow models/ --output shop/definitions

FORMAT is a word that an installed plugin brings; `kpi plugins list` shows them. What cannot be carried over is said with its place. A file
that is there already is never replaced."""


@click.command("convert", short_help="Write definitions from another system's.", epilog=_EPILOG)
@click.argument("format_", metavar="FORMAT")
@click.argument("path")
@click.option(
    "--output", metavar="FOLDER", default="definitions", show_default=True, help="Where the files are written."
)
@disable_option
def command(format_: str, path: str, output: str, disabled: Sequence[str]) -> Exit:
    """Write definition files from those of another system at PATH: a file, or all files of a folder."""
    from kpi_engine.importing import convert

    found = convert(format_, path, disabled_plugins=disabled)
    texts, settings = _texts(found.definitions)
    folder = Path(output)
    _write(folder, texts)
    put("\n".join(f"Wrote {folder / name}" for name in texts) or "Nothing was found to be carried over.")
    _tell(found.diagnostics, settings)
    return Exit.FOUND if any(each.severity == "error" for each in found.diagnostics) else Exit.OK


def _texts(definitions: Mapping[str, Any]) -> tuple[dict[str, str], str]:
    """Give a file for each section by its name, and what belongs in `kpi.yaml`."""
    from kpi_engine.definitions.entries import sections
    from kpi_engine.sample.sections import in_yaml

    own = [name for name in sections() if definitions.get(name)]
    settings = {name: said for name, said in definitions.items() if name not in sections()}
    texts = {f"{name}.yaml": in_yaml({name: definitions[name]}) for name in own}
    return texts, in_yaml(settings) if settings else ""


def _write(folder: Path, texts: Mapping[str, str]) -> None:
    """Write the files at once; raise OutputError (`file_exists`) where one of them is there."""
    from kpi_engine.sample.folders import write_text, written_at_once

    if there := [str(folder / name) for name in texts if (folder / name).exists()]:
        message = f"{' and '.join(there)} {'is' if len(there) == 1 else 'are'} there already: nothing was written"
        raise OutputError(message, code="file_exists", hint="name another folder with --output, or move them away")
    if texts:
        with written_at_once(folder) as scratch:
            for name, text in texts.items():
                write_text(scratch / name, text)


def _tell(diagnostics: Sequence[Diagnostic], settings: str) -> None:
    """Say what was not carried over, and what is left to do by hand."""
    color = wants_color(sys.stderr)
    for each in diagnostics:
        say(f"\n{painted(each, color=color)}")
    if errors := sum(each.severity == "error" for each in diagnostics):
        say(f"\n{counted(errors, 'thing')} could not be carried over.")
    if settings:
        say(f"\nAdd this to kpi.yaml:\n\n{settings.rstrip()}")
