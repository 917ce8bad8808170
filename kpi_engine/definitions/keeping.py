"""Definitions without a mistake, kept as they were read, so that the next command need not read and check them again.

A model is made of a definition when it is asked for, and places are looked up in the files when they are: a request about one KPI of
thousands costs what that one costs.
"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from kpi_engine.digests import digest, packages

from .files import contents_now, fingerprint
from .later import Later
from .pointing import AbsentError, pointed_sources, sources_read_back

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from pydantic import BaseModel

    from .entries import Entry
    from .files import File
    from .places import Located

_KIND = "definitions"
T = TypeVar("T", bound="BaseModel")


class Keeper(Protocol):
    """Keeps values between commands, as a cache does."""

    def read(self, kind: str, key: str) -> Any | None:  # noqa: ANN401 - whatever was written
        """Give what was kept, or None."""

    def write(self, kind: str, key: str, value: Any) -> None:  # noqa: ANN401 - whatever JSON can hold
        """Keep a value."""


class Kept:
    """The definitions of a project as they were read before, out of the files that stand there now."""

    def __init__(
        self, value: Mapping[str, Any], top: bytes, contents: Sequence[tuple[File, bytes]], file: Path
    ) -> None:
        self.fingerprint: str = value["fingerprint"]
        self.settings = sources_read_back(value["settings"], top)
        self._file, self._top, self._contents = file, top, contents
        self._entries: list[list[Any]] = value["entries"]
        self._numbers = {(section, name): number for section, name, number, _ in self._entries}

    def origins(self) -> dict[tuple[str, str], str]:
        """Give the file or the pack of each definition."""
        return {key: self._contents[number][0].origin for key, number in self._numbers.items()}

    def models(self, section: str, kind: type[T]) -> Mapping[str, T]:
        """Give the definitions of a section, each made when it is asked for."""
        texts = {name: text for each, name, _, text in self._entries if each == section}
        return Later(texts, lambda text: kind.model_validate(json.loads(text) or {}))

    def places(self) -> Mapping[tuple[str, str], Located]:
        """Give where each definition stands, found in its file when it is asked for."""
        files: dict[int, Located] = {}

        def place(key: tuple[str, str]) -> Located:
            number = self._numbers[key]
            if number not in files:
                file, data = self._contents[number]
                files[number] = _located(data, str(file.path))
            return files[number].child(*key)

        return Later({key: key for key in self._numbers}, place)

    def top(self) -> Located:
        """Give where things stand in `kpi.yaml`."""
        return _located(self._top, str(self._file))


def keep(
    keeper: Keeper, file: Path, settings: Any, top: bytes, contents: Sequence[tuple[File, bytes]], entries: Sequence[Entry]  # noqa: ANN401
) -> None:  # fmt: skip
    """Keep the definitions of a project that has no mistake; none where settings of its sources would have to be copied."""
    try:
        pointing = pointed_sources(settings, top)
    except AbsentError:
        return
    numbers = {str(each.path): number for number, (each, _) in enumerate(contents)}
    noted = [
        [
            each.section,
            each.name,
            numbers[each.located.source.file if each.located.source else ""],
            json.dumps(each.raw),
        ]
        for each in entries
    ]
    value = {"fingerprint": fingerprint(top, contents), "settings": pointing, "entries": noted}
    keeper.write(_KIND, _key(file), value)


def kept(keeper: Keeper, file: Path, names: Callable[[Mapping[str, Any]], Sequence[str]]) -> Kept | None:
    """Give the definitions of a project as they were kept; None where a file is another now. `names` reads `definitions:`."""
    value = keeper.read(_KIND, _key(file))
    if value is None:
        return None
    found = contents_now(file, names(value["settings"]))
    return Kept(value, *found, file) if found and fingerprint(*found) == value["fingerprint"] else None


def _key(file: Path) -> str:
    return digest(os.path.realpath(file), str(file), packages())


def _located(data: bytes, file: str) -> Located:
    from .yaml import read

    return read(data, file).located
