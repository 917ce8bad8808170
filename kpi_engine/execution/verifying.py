"""Which declared keys were found to hold, for which version of the data: looked at once, also across processes."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from kpi_engine.cache import Cache, digest
from kpi_engine.catalogue import Belonging
from kpi_engine.sql import Dated

if TYPE_CHECKING:
    from pathlib import Path

    from kpi_engine.execution.versions import Version

Claim = str | Dated | Belonging
"""A dataset whose key is unique, one of which one row is valid at a time, or things that each belong to one member."""
_KIND = "keys"


class Verified:
    """Remembers the declared keys of one project that were found to hold.

    What is kept between processes is the version of the data that a key was last found to hold in, and nothing of the data.
    """

    def __init__(self, root: Path) -> None:
        self._root = str(root.resolve())
        self._marks: dict[Claim, str] = {}

    def holds(self, claim: Claim, version: Version, rows: int) -> bool:
        """Say whether a key was found to hold in just these data; `rows` is all that tells handed-in data from others."""
        mark = _mark(version, rows)
        if mark is None or self._marks.get(claim) == mark:
            return mark is not None
        if version.kind != "known" or self._cache.read(_KIND, self._key(claim)) != mark:
            return False
        self._marks[claim] = mark
        return True

    def add(self, claim: Claim, version: Version, rows: int) -> None:
        """Remember that a key was found to hold."""
        mark = _mark(version, rows)
        if mark is None:
            return
        self._marks[claim] = mark
        if version.kind == "known":
            self._cache.write(_KIND, self._key(claim), mark)

    @cached_property
    def _cache(self) -> Cache:
        return Cache()

    def _key(self, claim: Claim) -> str:
        if isinstance(claim, str):
            return digest(self._root, "key", claim)
        if isinstance(claim, Belonging):
            return digest(self._root, "belongs", claim.text)
        return digest(self._root, "valid", claim.dataset, *claim.valid, *claim.keys)


def _mark(version: Version, rows: int) -> str | None:
    """Say what tells these data from others; nothing where they may be others each time."""
    if version.kind == "handed_in":
        return str(rows)
    return version.text if version.kind == "known" else None
