"""The packs of definitions that ship with the engine, found by name."""

from __future__ import annotations

import re
from pathlib import Path

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]*")


def folder(name: str) -> Path | None:
    """Find the folder of a pack; nothing when no such pack is installed."""
    shelf = _shelf()
    if not _NAME.fullmatch(name) or shelf is None:
        return None
    return shelf / name if name in names() else None


def names() -> tuple[str, ...]:
    """List the packs that are installed, in alphabetical order."""
    shelf = _shelf()
    if shelf is None:
        return ()
    return tuple(sorted(each.name for each in shelf.iterdir() if each.is_dir() and _NAME.fullmatch(each.name)))


def _shelf() -> Path | None:
    """Give the folder of all packs: inside the installed package, or beside it in a source checkout."""
    package = Path(__file__).resolve().parent.parent
    for shelf in (package / "packs", package.parent / "definitions"):
        if shelf.is_dir():
            return shelf
    return None
