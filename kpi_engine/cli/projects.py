"""Which project is meant, and its engine."""

from __future__ import annotations

import gc
import os
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from kpi_engine.cli.writing import counted, say
from kpi_engine.errors import DefinitionError, Diagnostic

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

    from kpi_engine.engine import Engine

Command = TypeVar("Command", bound="Callable[..., Any]")
PROJECT_FILE = "kpi.yaml"

project_option = click.option(
    "--project",
    metavar="PATH",
    help="The project's folder, or its kpi.yaml; otherwise this folder or the nearest one above it that has one.",
)
disable_option = click.option(
    "--disable-plugin",
    "--disable",
    "disabled",
    metavar="NAME",
    multiple=True,
    help="Leave a plugin out; may be repeated.",
)


def project_options(command: Command) -> Command:
    """Give a command the options that say which project is meant, and with which plugins."""
    return project_option(disable_option(command))


@contextmanager
def opened(project: str | None, disabled: Collection[str] = (), *, whole: bool = True) -> Iterator[Engine]:
    """Open the project that is meant; Ctrl-C, or being told to end, stops what its engine computes, and then it is closed.

    With `whole` False, a definition is read when it is asked for; see `kpi_engine.definitions.load`.
    """
    from kpi_engine.cache import Cache
    from kpi_engine.cli.interruption import ending, stopping
    from kpi_engine.definitions import load
    from kpi_engine.engine import Engine

    definitions = load(found(project), Cache(), whole=whole)
    with ending(), Engine(definitions, disabled_plugins=disabled) as engine, stopping(engine):
        _collect_garbage()
        yield engine


def _collect_garbage() -> None:
    """Begin to look for garbage, where the process has put that off until now: what has been loaded by now is none."""
    if not gc.isenabled():
        gc.freeze()
        gc.enable()


def found(project: str | None) -> Path:
    """Give the path that was named; otherwise find the project around the current folder.

    Raises DefinitionError (`no_project`) where there is none.
    """
    if project is not None:
        return Path(project)
    folder = around()
    if folder is None:
        message = f"there is no project here: neither this folder nor one above it has a `{PROJECT_FILE}`"
        hint = "`kpi init NAME` starts a project, `kpi demo` writes a sample, --project PATH names one elsewhere"
        raise DefinitionError([Diagnostic("no_project", message, None, hint, subject="project")])
    return folder


def around() -> Path | None:
    """Find the project around the current folder, as a path from here."""
    here = Path(os.path.abspath(os.curdir))  # noqa: PTH100 - `Path.resolve` would leave the folders the user knows
    for folder in (here, *here.parents):
        if os.path.isfile(folder / PROJECT_FILE):  # noqa: PTH113 - answers for folders that may not be looked into
            return Path(os.path.relpath(folder, here))
    return None


def warn_of_mistakes(engine: Engine) -> bool:
    """Say on standard error where definitions were left out because of mistakes, and whether any were."""
    errors = [each for each in engine.project.diagnostics if each.severity == "error"]
    if errors:
        say(
            f"Note: {counted(len(errors), 'mistake')} in the definitions; what they concern is left out. `kpi check` shows them."
        )
    return bool(errors)
