"""Packs of definitions, found by name: those that ship with the engine, and those that are installed.

A pack is a folder of definition files. An installed one is announced by an entry point of the group `kpi_engine.packs`: its name is the
word written in `definitions:`, its value the package that holds the files. Nothing of a pack is imported: definitions run no code.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from importlib.metadata import EntryPoint, EntryPoints

GROUP = "kpi_engine.packs"
"""The group of entry points that name packs."""
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]*")
_PACKAGE = re.compile(r"[A-Za-z_]\w*(\.\w+)*")


@dataclass(frozen=True)
class Pack:
    """A pack that is installed."""

    name: str
    distribution: str
    version: str
    package: str
    """What its entry point names: a package, or a folder in one, as `kpi_pack_web` or `kpi_pack_web.definitions`."""
    folder: Path | None
    problem: str = ""
    """Why its folder cannot be used; empty when all is well."""

    def __str__(self) -> str:
        """Its name, and where it comes from, for messages."""
        return f"`{self.name}` ({self.distribution} {self.version})"


def is_name(name: str) -> bool:
    """Whether a pack may be called so."""
    return _NAME.fullmatch(name) is not None


def folder(name: str) -> Path | None:
    """Find the folder of a pack that ships; nothing where none has this name."""
    shelf = _shelf()
    if not is_name(name) or shelf is None:
        return None
    return shelf / name if name in shipped() else None


def shipped() -> tuple[str, ...]:
    """List the packs that ship, in alphabetical order."""
    shelf = _shelf()
    if shelf is None:
        return ()
    return tuple(sorted(each.name for each in shelf.iterdir() if each.is_dir() and is_name(each.name)))


def installed(name: str | None = None) -> tuple[Pack, ...]:
    """Find the packs that are installed, or those of one name: also those that cannot be used."""
    found = [_pack(point, *of) for *of, points in _announced() for point in points if name in (None, point.name)]
    return tuple(sorted(found, key=lambda pack: (pack.name, pack.distribution)))


def names() -> tuple[str, ...]:
    """List all packs that there are, in alphabetical order."""
    return tuple(sorted({*shipped(), *(pack.name for pack in installed())}))


def _announced() -> Iterator[tuple[str, str, EntryPoints]]:
    """Give each distribution that announces packs, by name and version; of two of one name the first is the one that is imported.

    One whose description is damaged announces nothing here, and is broken in `kpi plugins list`.
    """
    from importlib.metadata import distributions

    seen: set[str] = set()
    for distribution in distributions():
        try:
            if GROUP not in (distribution.read_text("entry_points.txt") or ""):
                continue
            points = distribution.entry_points.select(group=GROUP)
            name, version = distribution.name, distribution.version
        except Exception:  # noqa: BLE001, S112 - whatever is wrong with one, the others are found
            continue
        if name not in seen:
            seen.add(name)
            yield name, version, points


def _pack(point: EntryPoint, distribution: str, version: str) -> Pack:
    found = _located(point)
    problem = found if isinstance(found, str) else ""
    return Pack(point.name, distribution, version, point.value, None if isinstance(found, str) else found, problem)


def _located(point: EntryPoint) -> Path | str:
    """Find the folder that an entry point names, importing nothing; or say why there is none."""
    from importlib.util import find_spec

    if not is_name(point.name):
        return f"{point.name!r:.60} is no name of a pack: it has small letters, digits, `-` and `_`"
    if not _PACKAGE.fullmatch(point.value):
        return f"its entry point names {point.value!r:.60}, and a package is expected"
    top, *below = point.value.split(".")
    try:
        found = find_spec(top)
    except (ImportError, ValueError) as error:
        return f"the package `{top}` is not found: {error}"
    places = found.submodule_search_locations if found else None
    folders = [Path(place, *below) for place in places or ()]
    return next((each for each in folders if each.is_dir()), f"there is no folder for its package `{point.value}`")


def _shelf() -> Path | None:
    """Give the folder of all packs that ship: inside the installed package, or beside it in a source checkout."""
    package = Path(__file__).resolve().parent.parent
    for shelf in (package / "packs", package.parent / "definitions"):
        if shelf.is_dir():
            return shelf
    return None
