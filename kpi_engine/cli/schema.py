"""`kpi schema`: what an editor must know to complete and check the files of a project."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from kpi_engine.cli.projects import around, found, project_options
from kpi_engine.cli.writing import put, say

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from pathlib import Path

_EPILOG = """\b
Examples:
  kpi schema --write
  kpi schema definitions > definitions.schema.json

With --write, both schemas are written into the folder .kpi of the project. An editor with the YAML language server finds them by a
comment in the first line of each file. Run it again after the engine was updated, or a plugin was added."""


@click.command("schema", short_help="Give the JSON Schema of the files, for editors.", epilog=_EPILOG)
@click.argument("kind", type=click.Choice(["definitions", "project"]), required=False)
@click.option("--write", is_flag=True, help="Write both schemas into the project, and say how an editor finds them.")
@project_options
def command(kind: str | None, project: str | None, disabled: Sequence[str], *, write: bool) -> None:
    """Give the JSON Schema of definition files, or of the project file kpi.yaml, for completion and inline errors in editors."""
    if write and kind is None:
        _write(found(project), disabled)
    elif kind is not None and not write:
        _print(kind, around() if project is None else found(project), disabled)
    else:
        raise click.UsageError(
            "say which schema, `definitions` or `project`, or `--write` to write both into the project"
        )


def _print(kind: str, project: Path | None, disabled: Collection[str]) -> None:
    from kpi_engine.schemas import in_json, schema

    root = None if project is None else _folder(project)
    put(in_json(schema("project" if kind == "project" else "definitions", root, disabled_plugins=disabled)).rstrip())


def _write(project: Path, disabled: Collection[str]) -> None:
    from kpi_engine.sample.folders import write_text, written_at_once
    from kpi_engine.schemas import first_line, schema_files

    folder = _folder(project)
    files = schema_files(folder, disabled_plugins=disabled)
    with written_at_once(folder) as scratch:
        for name, text in files.items():
            write_text(scratch / name, text)
    put("\n".join(f"Wrote {folder / name}" for name in files))
    say("\nFor editors with the YAML language server, this is the first line of each file:")
    for file in ("kpi.yaml", "definitions/kpis.yaml"):
        say(f"  {file:22} {first_line(file)}")


def _folder(project: Path) -> Path:
    """Find the project's folder; raise DefinitionError (`no_project`) where there is none."""
    from kpi_engine.definitions.files import project_file

    return project_file(project).parent
