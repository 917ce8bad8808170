"""Write a whole folder at once, or not at all."""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from secrets import token_hex
from typing import TYPE_CHECKING, Final

from kpi_engine.errors import OutputError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PROJECT_FILE: Final = "kpi.yaml"


@contextmanager
def written_at_once(folder: Path) -> Iterator[Path]:
    """Give a scratch folder: what is written into it is moved to `folder` in the end; after an error nothing is left of it.

    In a folder that is there already, files of the same name are replaced one by one, `kpi.yaml` last, and others stay.
    Raises OutputError (`unwritable`) where the file system refuses.
    """
    with _as_output_error(folder):
        scratch = _scratch(folder)
        try:
            yield scratch
            _move(scratch, folder)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)


def refuse_unless_empty(folder: Path) -> None:
    """Raise OutputError (`folder_not_empty`) where something stands at the folder's place."""
    if holds_something(folder):
        raise not_empty(folder, "choose another name, or an empty folder")


def holds_something(folder: Path) -> bool:
    """Say whether something stands there other than an empty folder; hidden files count as nothing."""
    with _as_output_error(folder):
        if not folder.is_dir():
            return folder.exists()
        return any(not entry.name.startswith(".") for entry in folder.iterdir())


def not_empty(folder: Path, hint: str) -> OutputError:
    """Make the error that says that a folder holds something."""
    what = "is not empty" if folder.is_dir() else "is a file"
    return OutputError(f"{folder} {what}: nothing was written", code="folder_not_empty", hint=hint)


def write_text(file: Path, text: str) -> None:
    """Write a text file as UTF-8 with plain line ends on every system; make its folder."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8", newline="\n")


def write_for_editors(project: Path) -> None:
    """Write the schemas of a project's files, and into each file the line by which an editor finds its schema."""
    from kpi_engine.schemas import first_line, schema_files

    for file in project.rglob("*.yaml"):
        name = file.relative_to(project).as_posix()
        write_text(file, f"{first_line(name)}\n{file.read_text(encoding='utf-8')}")
    for name, text in schema_files().items():
        write_text(project / name, text)


def _scratch(folder: Path) -> Path:
    """Make a folder beside the target, or inside it where it is there already: never on another disk."""
    home = folder if folder.is_dir() else folder.absolute().parent
    home.mkdir(parents=True, exist_ok=True)
    scratch = home / f".kpi-{token_hex(4)}"
    scratch.mkdir()
    return scratch


def _move(scratch: Path, folder: Path) -> None:
    if not folder.exists():
        scratch.rename(folder)
        return
    files = (file for file in scratch.rglob("*") if file.is_file())
    for file in sorted(files, key=lambda file: (file.name == PROJECT_FILE, file)):
        target = folder / file.relative_to(scratch)
        target.parent.mkdir(parents=True, exist_ok=True)
        file.replace(target)


@contextmanager
def _as_output_error(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        hint = "choose a folder you may write to, on a disk with room"
        raise OutputError(f"{folder} cannot be written: {reason}", code="unwritable", hint=hint) from error
