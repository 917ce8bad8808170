"""The files of a project: which belong to it, and their bytes. Nothing outside the project's folder is read."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from kpi_engine.digests import digest
from kpi_engine.errors import DefinitionError, Diagnostic, Place, nearest

from . import packs
from .places import Located
from .scanning import FILE_BYTES
from .texts import shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

PROJECT_FILE = "kpi.yaml"
PROJECT_BYTES = 64 << 20
_SUFFIXES = (".yaml", ".yml")


@dataclass(frozen=True)
class File:
    """A definition file: where it is, the pack it belongs to (empty: the project), and its layer."""

    path: Path
    pack: str
    layer: int

    @property
    def origin(self) -> str:
        """The pack, or the file itself."""
        return self.pack or str(self.path)


def project_file(path: Path | str) -> Path:
    """Find the project file: `kpi.yaml` of a folder, or the file itself.

    Raises DefinitionError (`no_project`) when there is none.
    """
    given = Path(path)
    if _is_folder(given):
        given /= PROJECT_FILE
    if _exists(given) and not _is_folder(given):
        return given
    where = given.parent if given.name == PROJECT_FILE else given
    message = (
        f"there is no `{PROJECT_FILE}` in {_named(where)}"
        if _is_folder(where)
        else f"there is nothing at {_named(where)}"
    )
    twin = given.with_suffix(".yml")
    if given.name == PROJECT_FILE and _exists(twin):
        hint = f"rename {_named(twin)} to `{PROJECT_FILE}`"
    else:
        hint = "`kpi init NAME` starts a project; or name the folder that holds `kpi.yaml`"
    raise DefinitionError([Diagnostic("no_project", message, None, hint, subject="project")])


def listed(
    root: Path, names: Sequence[str], settings: Located, *, packs_only: bool = False
) -> tuple[list[File], list[Diagnostic]]:
    """List the definition files of a project: first the packs it names, then its own; none of them twice."""
    files: list[File] = []
    diagnostics: list[Diagnostic] = []
    seen: set[str] = set()
    for position, name in enumerate(names):
        entry = _entry(root, name, packs_only=packs_only)
        if isinstance(entry, Diagnostic):
            diagnostics.append(_placed(entry, name, settings, position))
            continue
        pack = "" if entry == root / name else name
        layer = position if pack else len(names)
        for each in _walk(entry, entry if pack else root, seen):
            if isinstance(each, Diagnostic):
                diagnostics.append(each)
            else:
                files.append(File(each, pack, layer))
    return sorted(files, key=lambda file: file.layer), diagnostics


def read_bytes(path: Path) -> bytes | Diagnostic:
    """Read a file, but never much more than a definition file may hold."""
    try:
        if not path.is_file():
            return _unreadable(path, "it is not a regular file")
        with path.open("rb") as stream:
            return stream.read(FILE_BYTES + 1)
    except OSError as error:
        return _unreadable(path, (error.strerror or str(error)).lower())


def fingerprint(top: bytes, files: Iterable[tuple[File, bytes]]) -> str:
    """Tell a project's definitions from all others: by the bytes of its files, and by where and as what each is read."""
    read = ((str(file.path), file.pack, str(file.layer), data) for file, data in files)
    return digest(top, *(part for parts in read for part in parts))


def contents_now(path: Path, names: Sequence[str]) -> tuple[bytes, list[tuple[File, bytes]]] | None:
    """Read a project file and the definition files of these entries as they are at this moment; None where one cannot be read."""
    top = read_bytes(path)
    found, mistakes = listed(path.parent, names, Located())
    read = [(file, read_bytes(file.path)) for file in found]
    whole = [(file, data) for file, data in read if isinstance(data, bytes)]
    return None if mistakes or len(whole) < len(read) or not isinstance(top, bytes) else (top, whole)


def too_much(path: Path) -> Diagnostic:
    """Say that the definition files together are more than a project may hold."""
    message = f"the definition files together are larger than {PROJECT_BYTES >> 20} MB; this one and those after it were not read"
    return Diagnostic("project_too_large", message, Place(str(path)), "split the project", subject=f"file {path}")


def _entry(root: Path, name: str, *, packs_only: bool) -> Path | Diagnostic:
    """Find what an entry of `definitions:` means: a folder or file of the project, a pack that ships, or one that is installed.

    What the project has comes before what happens to be installed: installing a package changes no project that does not name it.
    """
    pack = packs.folder(name)
    own = root / name
    if packs_only:
        return pack or _installed(name)
    if not _is_inside(own, root):
        message = f"`definitions` names {shown(name, 80)}, which lies outside the project"
        return Diagnostic("outside_project", message, None, "copy the files into the project's folder")
    if _exists(own) and pack is not None:
        message = f"{shown(name)} is both a folder of the project and an installed pack"
        return Diagnostic("ambiguous_pack", message, None, "rename the folder")
    if _exists(own):
        return own
    return pack or _installed(name)


def _installed(name: str) -> Path | Diagnostic:
    """Find an installed pack; say where there is none, or two, or one without its files."""
    found = packs.installed(name)
    if len(found) > 1:
        message = f"two packs are called {shown(name)}: {' and '.join(map(str, found))}, so neither is used"
        return Diagnostic(
            "conflicting_pack", message, None, f"uninstall one of them: `pip uninstall {found[-1].distribution}`"
        )
    if not found:
        return _nowhere(name)
    if found[0].folder is None:
        message = f"the pack {found[0]} cannot be used: {found[0].problem}"
        return Diagnostic(
            "broken_pack", message, None, f"install it again: `pip install --force-reinstall {found[0].distribution}`"
        )
    return found[0].folder


def _nowhere(name: str) -> Diagnostic:
    message = f"there is no folder {shown(name, 80)} in the project, and no installed pack of this name"
    guess = nearest(name, packs.names())
    hint = (
        guess if guess.startswith("did") else "; ".join(filter(None, [guess and f"packs: {guess}", _package_of(name)]))
    )
    return Diagnostic("unknown_pack", message, None, hint or "make the folder, or correct `definitions`")


def _package_of(name: str) -> str:
    """Say how the package is called that the convention gives a pack of this name; nothing is ever installed by itself."""
    known = packs.is_name(name) and name != "definitions"
    return f"if it is a package that you trust, install it with `pip install kpi-pack-{name}`" if known else ""


def _placed(diagnostic: Diagnostic, name: str, settings: Located, position: int) -> Diagnostic:
    place = settings.value("definitions", position)
    return Diagnostic(diagnostic.code, diagnostic.message, place, diagnostic.hint, subject=f"file {name}")


def _walk(path: Path, bound: Path, seen: set[str]) -> Iterator[Path | Diagnostic]:
    """Give the definition files at a path, in order; hidden ones and folders that are projects of their own are left out."""
    if not _is_inside(path, bound):
        yield _outside(path)
        return
    if _real(path) in seen:
        return
    seen.add(_real(path))
    if not _is_folder(path):
        yield path
        return
    try:
        children = sorted(path.iterdir())
    except OSError as error:
        yield _unreadable(path, (error.strerror or str(error)).lower())
        return
    for child in _wanted(children):
        yield from _walk(child, bound, seen)


def _wanted(children: Iterable[Path]) -> Iterator[Path]:
    for child in children:
        is_project = child.name == PROJECT_FILE or _exists(child / PROJECT_FILE)
        if not child.name.startswith(".") and not is_project and (_is_folder(child) or child.suffix in _SUFFIXES):
            yield child


def _outside(path: Path) -> Diagnostic:
    message = f"{_named(path)} leads out of the project"
    return Diagnostic(
        "outside_project", message, Place(str(path)), "copy the files into the project's folder", subject=f"file {path}"
    )


def _unreadable(path: Path, reason: str) -> Diagnostic:
    message = f"{_named(path)} cannot be read: {reason}"
    return Diagnostic(
        "unreadable", message, Place(str(path)), "check the file and its permissions", subject=f"file {path}"
    )


def _named(path: Path) -> str:
    return shown(str(path), 200)


def _is_inside(path: Path, root: Path) -> bool:
    return Path(_real(path)).is_relative_to(_real(root))


# The functions of `os.path` answer for names that no file can have; those of `Path` raise.
def _real(path: Path) -> str:
    return os.path.realpath(path)


def _exists(path: Path) -> bool:
    return os.path.lexists(path)


def _is_folder(path: Path) -> bool:
    return os.path.isdir(path)  # noqa: PTH112
