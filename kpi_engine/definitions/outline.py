"""Definition files read as their definitions are asked for: which names stand where is seen from the lines, and the rest when it is needed.

A file is seen through only where its sections begin at the left and each of their names begins a line of its own; any other file
is read at once. No name can be missed in this way: where a text over several lines looks like names, there are too many.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, TypeVar

from .checking import check
from .entries import Definition, sections, split
from .later import Later, NotOutlinedError
from .models import Parameter
from .parameters import check_default
from .yaml import read

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from .entries import Entry
    from .files import File
    from .places import Located

T = TypeVar("T", bound=Definition)
Key = tuple[str, str]
"""A section, and a name in it."""
Checked = tuple["Entry", Definition]
_FIRST_NAME = re.compile(rb"^( +)[^ \n#]", re.MULTILINE)
_OTHER_LINES = re.compile(rb"\r(?!\n)|\xc2\x85|\xe2\x80[\xa8\xa9]|^ *\t", re.MULTILINE)
"""What ends a line for some readers and not for others, and tabs where a line begins."""
_SECTION = re.compile(rb"(\w+): *(?:#[^\n]*)?\r?")
_NAME = re.compile(rb"([\w-]+):(?:[ \r][^\n]*)?")
_FOLLOWING = re.compile(rb"(?:\n *(?:#[^\n]*)?\r?(?=\n|\Z))*(?:\n( *)[^ \n])?")
"""The indentation of the next line that says something, after the end of one."""


class Outline:
    """The definitions of some files; a file is read and checked when one of its definitions is asked for.

    Asking for one raises NotOutlinedError where its file has a mistake.
    """

    def __init__(
        self, contents: Sequence[tuple[File, bytes]], numbers: Mapping[Key, int], read: dict[int, dict[Key, Checked]]
    ) -> None:
        self._contents, self._numbers, self._read = contents, numbers, read

    def origins(self) -> dict[Key, str]:
        """Give the file or the pack of each definition."""
        return {key: self._contents[number][0].origin for key, number in self._numbers.items()}

    def models(self, section: str, kind: type[T]) -> Mapping[str, T]:
        """Give the definitions of a section, each read when it is asked for."""

        def made(name: str) -> T:
            model = self._checked((section, name))[1]
            assert isinstance(model, kind)  # noqa: S101 - the section says its kind
            return model

        return Later({name: name for each, name in self._numbers if each == section}, made)

    def places(self) -> Mapping[Key, Located]:
        """Give where each definition stands."""
        return Later({key: key for key in self._numbers}, lambda key: self._checked(key)[0].located)

    def _checked(self, key: Key) -> Checked:
        number = self._numbers[key]
        if number not in self._read:
            found = _checked(*self._contents[number])
            if set(found) != {each for each, at in self._numbers.items() if at == number}:
                raise NotOutlinedError
            self._read[number] = found
        return self._read[number][key]


def outlined(contents: Sequence[tuple[File, bytes]]) -> Outline | None:
    """See which definitions stand in which of these files; None where that is not sure, where a name stands twice, or where a file has a mistake."""
    numbers: dict[Key, int] = {}
    read: dict[int, dict[Key, Checked]] = {}
    names: set[str] = set()
    try:
        for number, (file, data) in enumerate(contents):
            seen = _seen(data)
            if seen is None:
                seen = [*read.setdefault(number, _checked(file, data))]
            for key in seen:
                if key[1].casefold() in names:
                    return None
                names.add(key[1].casefold())
                numbers[key] = number
    except NotOutlinedError:
        return None
    return Outline(contents, numbers, read)


def _checked(file: File, data: bytes) -> dict[Key, Checked]:
    document = read(data, str(file.path))
    entries, refused = split(document, file.origin, file.layer)
    if document.mistakes or refused:
        raise NotOutlinedError
    return {(each.section, each.name): (each, _sound(each)) for each in entries}


def _sound(entry: Entry) -> Definition:
    model, mistakes = check(entry)
    if model is None or mistakes or entry.overrides:  # a name stands once, so there is nothing to override
        raise NotOutlinedError
    if isinstance(model, Parameter) and any(check_default(entry, model)):
        raise NotOutlinedError
    return model


def _seen(data: bytes) -> list[Key] | None:
    """Name what begins the lines of a file; None where other things begin them too."""
    first = _FIRST_NAME.search(data)
    if first is None or _OTHER_LINES.search(data):
        return None
    width = len(first[1])
    found: list[Key] = []
    section = ""
    for line in _lines(width).finditer(data):
        if not line[1]:
            match = _SECTION.fullmatch(line[2])
            following = _FOLLOWING.match(data, line.end())
            section = match[1].decode() if match and following and len(following[1] or "") in (0, width) else ""
            if section not in sections():
                return None
        elif (match := _NAME.fullmatch(line[2])) and section and len(line[1]) == width:
            found.append((section, match[1].decode()))
        else:
            return None
    return found


@cache
def _lines(width: int) -> re.Pattern[bytes]:
    """Find the lines that say something and are indented by no more than this."""
    return re.compile(rb"^( {0,%d})([^ \n#][^\n]*)" % width, re.MULTILINE)
