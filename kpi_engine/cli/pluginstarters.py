"""`kpi plugins new`: begin a plugin."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from kpi_engine.cli.exits import Exit
from kpi_engine.cli.writing import put, quoted, suggest

if TYPE_CHECKING:
    from kpi_engine.starters import StarterKind

_EPILOG = """\b
Examples:
  kpi plugins new shop --kind source
  kpi plugins new slides --kind output --into ~/work/slides"""


@click.command("new", short_help="Begin a plugin: a package that works, with its tests.", epilog=_EPILOG)
@click.argument("name")
@click.option(
    "--kind", type=click.Choice(["source", "output", "transform", "pack"]), required=True, help="What it adds."
)
@click.option("--into", metavar="FOLDER", help="Where it is written; otherwise into a folder of the package's name.")
@click.option("-q", "--quiet", is_flag=True, help="Say only what was written.")
def command(name: str, kind: StarterKind, into: str | None, *, quiet: bool) -> Exit:
    """Begin a plugin: a package that works as it is written, with tests that hold it to the rules of its kind.

    NAME is the word that will be written in YAML, or after --output, such as `shop`; the package is then called `kpi-source-shop`. Nothing that
    is there already is replaced.
    """
    from kpi_engine.plugins.shapes import with_article
    from kpi_engine.starters import starter, write

    made = starter(kind, name)
    folder = Path(made.distribution if into is None else into)
    put("\n".join(f"Wrote {file}" for file in write(made, folder)))
    if not quiet:
        suggest(
            [
                (f"cd {quoted(folder)}", ""),
                ("pip install -e '.[test]'", "the package as it stands there, and what its tests need"),
                ("pytest", f"the rules of {with_article(kind)}, and a first test of its own"),
                (f"kpi plugins show {made.word}", "what the engine sees of it"),
            ]
        )
    return Exit.OK
