"""Which files a table is. Nothing outside the folder is ever named, whatever a link or a `..` says."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import PurePath
from typing import TYPE_CHECKING

from kpi_engine.api import SourceError, nearest

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from kpi_engine.builtin.sources.files.settings import Format

TABLES: dict[str, Format] = {
    ".csv": "csv",
    ".tsv": "csv",
    ".parquet": "parquet",
    ".json": "json",
    ".ndjson": "json",
    ".jsonl": "json",
}
"""The endings of files that are tables by themselves."""

TEXTS: dict[str, Format] = {".txt": "csv", ".dat": "csv", ".log": "lines"}
"""The endings of files that are a table only where one names them."""


@dataclass(frozen=True)
class Group:
    """Files that together are one table: a single one, or those of a sub-folder."""

    name: str
    files: tuple[Path, ...]


def ending(file: Path) -> tuple[str, str]:
    """Split a file's name into the table's name and the ending: `leads.csv.gz` is `leads` and `.csv`."""
    return _split(file.name)


def _split(name: str) -> tuple[str, str]:
    bare = name[:-3] if name.casefold().endswith(".gz") else name
    stem, dot, suffix = bare.rpartition(".")
    return (stem, f".{suffix.casefold()}") if stem and dot else (bare, "")


def groups(folder: Path, table: str | None = None) -> tuple[Group, ...]:
    """List what in a folder is a table by itself, data files and sub-folders with data files; or only what is this table."""
    found = []
    for entry in _entries(folder, table):
        if _is_data(folder, entry):
            found.append(Group(entry.name, (entry,)))
        elif entry.is_dir() and _is_inside(folder, entry):
            files = tuple(file for file in _entries(entry) if _is_data(folder, file))
            found.extend([Group(f"{entry.name}/", files)] if files else [])
    return tuple(found)


def table_name(group: Group) -> str:
    """Give the name of the table that a group of files is."""
    return group.name.removesuffix("/") if group.name.endswith("/") else ending(group.files[0])[0]


def files_of(folder: Path, table: str, pattern: str, *, named: bool) -> tuple[Path, ...]:
    """Find the files of a table; raise `SourceError` when there is none, or when it is not clear which.

    `pattern` is what the settings say of the table's files; `named` says that they name the table at all, so that its file may be any text.
    """
    if pattern:
        return matching(folder, pattern) or _missing(folder, pattern)
    found = [group for group in groups(folder, table) if table_name(group) == table]
    if named and not found:
        found = [Group(entry.name, (entry,)) for entry in _texts(folder, table) if ending(entry)[0] == table]
    if len(found) > 1:
        raise _ambiguous(folder, table, [group.name for group in found])
    return found[0].files if found else matching(folder, table) or _missing(folder, table)


def matching(folder: Path, pattern: str) -> tuple[Path, ...]:
    """Find the files inside a folder that a name or a pattern means; raise `SourceError` when it leads outside."""
    if PurePath(pattern).anchor or ".." in PurePath(pattern).parts:
        raise _outside(folder, pattern)
    exact = folder / pattern
    try:
        files = [exact] if exact.is_file() else [file for file in sorted(folder.glob(pattern)) if file.is_file()]
    except (ValueError, NotImplementedError, IndexError, OSError):  # what pathlib says of a name that can be none
        return ()
    shown = tuple(file for file in files if file == exact or not file.name.startswith("."))
    for file in shown:
        if not _is_inside(folder, file):
            raise _outside(folder, str(file.relative_to(folder)))
    return shown


def format_of(files: tuple[Path, ...], table: str) -> Format:
    """Say by their endings how the files of a table are written; raise `SourceError` when they do not agree."""
    known = TABLES | TEXTS
    suffixes = {ending(file)[1] for file in files}
    strange = sorted(suffixes - set(known))
    if strange:
        raise SourceError(
            f"the table `{table}`: it is not known how to read `{files[0].name}`",
            code="unknown_format",
            hint="say so in the source's settings: `tables: {"
            + table
            + ": {path: …, format: csv}}` (or parquet, json, lines)",
        )
    formats = {known[suffix] for suffix in suffixes}
    if len(formats) > 1:
        raise _ambiguous(files[0].parent, table, [file.name for file in files])
    return formats.pop()


def _entries(folder: Path, table: str | None = None) -> list[Path]:
    """List a folder; with a table, only what is called like it: names are looked at before files are."""
    try:
        names = sorted(name for name in os.listdir(folder) if not name.startswith("."))  # noqa: PTH208 - names will do
        return [folder / name for name in names if table is None or table in (name, _split(name)[0])]
    except OSError as error:
        raise SourceError(f"the folder {folder} cannot be read: {error.strerror}", code="unreadable_folder") from error


def _texts(folder: Path, table: str) -> list[Path]:
    return [file for file in _entries(folder, table) if file.is_file() and _is_inside(folder, file)]


def _is_data(folder: Path, file: Path) -> bool:
    return ending(file)[1] in TABLES and file.is_file() and _is_inside(folder, file)


def _is_inside(folder: Path, file: Path) -> bool:
    return file.resolve().is_relative_to(folder)


def _outside(folder: Path, name: str) -> SourceError:
    return SourceError(
        f"`{name}` lies outside the source's folder {folder}",
        code="outside_source",
        hint="a source reads its own folder only: name a file in it, or give the source another `path`",
    )


def _ambiguous(folder: Path, table: str, names: Iterable[str]) -> SourceError:
    listed = " and ".join(f"`{name}`" for name in sorted(names))
    return SourceError(
        f"the table `{table}` may be {listed} in {folder}",
        code="ambiguous_table",
        hint="rename one, or say which in the source's settings: `tables: {" + table + ": {path: …}}`",
    )


def _missing(folder: Path, name: str) -> tuple[Path, ...]:
    there = [group.name for group in groups(folder)]
    listed = "there is " + ", ".join(f"`{entry}`" for entry in there[:12]) if there else "there is no data file"
    more = f" and {len(there) - 12} more" if len(there) > 12 else ""  # noqa: PLR2004 - as many as fit in a line
    meant = nearest(name, [*there, *(table_name(group) for group in groups(folder))])
    raise SourceError(
        f"there is no file for the table `{name}` in {folder}; {listed}{more}",
        code="missing_file",
        hint=meant
        if meant.startswith("did")
        else "a table is a file's name without its ending, or a file name, or a pattern",
    )
