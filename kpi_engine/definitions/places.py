"""Where everything stands: from a path such as `("kpis", "visits", "formula")` back to a file, line and column.

Positions are kept as the reader met them and become a `Place` only when a mistake is shown, because almost none is ever looked up.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from kpi_engine.errors import Place

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from kpi_engine.errors import Diagnostic
    from kpi_engine.hiding import Lines

Path = tuple[str | int, ...]
"""Keys and list indexes, from the outside in."""

PLAIN, BLOCK, FLOW = "", "block", "flow"
_ESCAPES = {"x": 4, "u": 6, "U": 10}


class Spot(NamedTuple):
    """A node's stretch of a file: lines and columns count from 0, the end is exclusive."""

    line: int
    column: int
    end_line: int
    end_column: int
    style: str
    """Of a text `''` (plain), `'`, `"`, `|` or `>`; of a mapping or list `block` or `flow`."""
    text: str = ""
    """The value of a text, without its quotes."""
    children: Mapping[str | int, tuple[Spot | None, Spot]] | None = None
    """By key or index: the spots of the key and of the value."""


@dataclass(frozen=True)
class Source:
    """A file as it was read: its name as the user knows it, and its lines, in which every character can be seen.

    Places show the lines without the secrets that somebody wrote into them.
    """

    file: str
    lines: Sequence[str]

    @cached_property
    def _fit(self) -> Lines:
        from kpi_engine.hiding import Lines

        return Lines(self.lines)

    def unsaid(self, diagnostic: Diagnostic) -> Diagnostic:
        """Take secrets that stand in the file out of what is said of it."""
        message, hint = self._fit.unsaid(diagnostic.message), self._fit.unsaid(diagnostic.hint)
        return replace(diagnostic, message=message, hint=hint)

    def place(self, spot: Spot) -> Place:
        """Give the place of a spot; what spans several lines is shown by its first."""
        end = spot.end_column if spot.end_line == spot.line and spot.style != BLOCK else None
        return self.stretch(spot.line, spot.column, end)

    def stretch(self, line: int, column: int, end: int | None = None) -> Place:
        """Give a place on one line (from 0), up to `end` or to the end of the line."""
        text = self.lines[line] if line < len(self.lines) else ""
        stop = len(text.rstrip()) if end is None else end
        shown = self._fit.shown[line] if line < len(self.lines) else ""
        return Place(self.file, line + 1, column + 1, max(1, stop - column), shown)


@dataclass(frozen=True)
class Located:
    """A piece of a file, for which paths count from its own top: a whole file, or one entry of a section."""

    source: Source | None = None
    key_spot: Spot | None = None
    spot: Spot | None = None

    def key(self, *path: str | int) -> Place | None:
        """Give the place of a key (of a list item, the item), or of the nearest key around it."""
        trail = self._trail(path)
        if self.source and path and len(trail) > len(path) and trail[-1][0] is None:
            return self.source.place(trail[-1][1])
        keys = [key for key, _ in trail if key is not None]
        if self.source and keys:
            return self.source.place(keys[-1])
        return self.value(*path)

    def value(self, *path: str | int) -> Place | None:
        """Give the place of a value, or of the nearest thing around it; of a value that is not there, its key."""
        trail = self._trail(path)
        if self.source is None or not trail:
            return None
        key, value = trail[-1]
        return self.source.place(key if key and _is_empty(value) else value)

    def within(self, path: Path, offset: int, length: int = 1) -> Place | None:
        """Give the place of a stretch of a text value; `offset` counts characters of the value, from 0."""
        trail = self._trail(path)
        spot = trail[-1][1] if trail else None
        if self.source is None or spot is None or spot.children is not None or not spot.text:
            return self.value(*path)
        found = _positions(self.source.lines, spot, max(offset, 0) + max(length, 1))
        line, column = found[min(max(offset, 0), len(found) - 1)]
        last_line, last_column = found[min(max(offset + length - 1, 0), len(found) - 1)]
        return self.source.stretch(line, column, last_column + 1 if last_line == line else None)

    def child(self, *path: str | int) -> Located:
        """Narrow to what stands at a path; nothing is known of what is not there."""
        if not path:
            return self
        trail = self._trail(path)
        if len(trail) <= len(path):
            return Located()
        key, spot = trail[-1]
        return Located(self.source, key, spot)

    def spot_of(self, *path: str | int) -> Spot | None:
        """Give the spot of exactly this path."""
        return self.child(*path).spot

    def _trail(self, path: Path) -> list[tuple[Spot | None, Spot]]:
        """List the spots from the top to the path's end, as far as they are known."""
        if self.spot is None:
            return []
        trail = [(self.key_spot, self.spot)]
        for part in path:
            step = _step(trail[-1][1], part)
            if step is None:
                break
            trail.append(step)
        return trail


@dataclass(frozen=True)
class Places:
    """Where each definition stands. A path begins with its section: `("kpis", "visits", "inputs", "blog", "where")`.

    A path that begins with `project` leads into `kpi.yaml`: `("project", "calendar", "timezone")`; so does one whose first name is
    a key of `kpi.yaml` and no definition (`("sources", "web")`). Where a path leads nowhere, the nearest thing around it is given.
    """

    entries: Mapping[tuple[str, str], Located] = field(default_factory=dict)
    top: Callable[[], Located] = field(default=Located, compare=False)

    @cached_property
    def settings(self) -> Located:
        """Where things stand in `kpi.yaml`."""
        return self.top()

    def key(self, *path: str | int) -> Place | None:
        """Give the place of a key, or of the nearest key around it; nothing when the definitions came from no file."""
        located, rest = self._enter(path)
        return located.key(*rest)

    def value(self, *path: str | int) -> Place | None:
        """Give the place of a value, or of the nearest thing around it."""
        located, rest = self._enter(path)
        return located.value(*rest)

    def within(self, path: Path, offset: int, length: int = 1) -> Place | None:
        """Give the place of a stretch of a text, such as one name in a formula; `offset` counts characters from 0."""
        located, rest = self._enter(path)
        return located.within(rest, offset, length)

    def _enter(self, path: Path) -> tuple[Located, Path]:
        entry = self.entries.get((str(path[0]), str(path[1]))) if len(path) > 1 else None
        if entry is not None:
            return entry, path[2:]
        if path[:1] == ("project",):
            return self.settings, path[1:]
        known = bool(path) and self.settings.spot_of(path[0]) is not None
        return (self.settings, path) if known else (Located(), ())


def _step(spot: Spot, part: str | int) -> tuple[Spot | None, Spot] | None:
    """Go one step in; `[blog, every]` is short for a mapping, so a name is found in a list too."""
    if spot.children is None:
        return None
    step = spot.children.get(part)
    if step is None and isinstance(part, str):
        named = (child for index, child in spot.children.items() if isinstance(index, int) and child[1].text == part)
        step = next(named, None)
    return step


def _is_empty(spot: Spot) -> bool:
    return spot.style == PLAIN and not spot.text


_Cursor = tuple[int, int]


def _positions(lines: Sequence[str], spot: Spot, upto: int) -> list[_Cursor]:
    """List line and column of the first characters of a text, and of what follows, by walking value and file side by side."""
    cursor = (spot.line + 1, 0) if spot.style in ("|", ">") else (spot.line, spot.column + bool(spot.style))
    found = []
    for char in spot.text[:upto]:
        if spot.style == '"':
            cursor = _continued(lines, cursor)
        position, cursor = (_blank if char.isspace() else _visible)(lines, spot.style, cursor, char)
        found.append(position)
    return [*found, cursor]


def _continued(lines: Sequence[str], cursor: _Cursor) -> _Cursor:
    """Go over a backslash at the end of a line, which joins the next line, without its indentation, to this one."""
    line, column = cursor
    while line + 1 < len(lines) and len(lines[line]) == column + 1 and lines[line][column] == "\\":
        line, column = line + 1, _indent(lines[line + 1])
    return line, column


def _blank(lines: Sequence[str], style: str, cursor: _Cursor, char: str) -> tuple[_Cursor, _Cursor]:
    """Match a blank: one in the file, an escape, the end of a line, or a line break that was folded into it."""
    line, column = cursor
    text = lines[line] if line < len(lines) else ""
    if style == '"' and text.startswith("\\", column):
        return cursor, (line, column + _ESCAPES.get(text[column + 1 : column + 2], 2))
    if char == "\n" and _indent(text, column) >= len(text):
        return cursor, (line + 1, 0)
    return cursor, (line, column + 1) if text.startswith(char, column) else cursor


def _visible(lines: Sequence[str], style: str, cursor: _Cursor, char: str) -> tuple[_Cursor, _Cursor]:
    """Match a visible character, after the indentation and line breaks that stand before it."""
    line, column = cursor
    while line < len(lines) and _indent(lines[line], column) >= len(lines[line]):
        line, column = line + 1, 0
    if line >= len(lines):
        return cursor, cursor
    column = _indent(lines[line], column)
    if style == '"' and lines[line][column] == "\\":
        return (line, column), (line, column + _ESCAPES.get(lines[line][column + 1 : column + 2], 2))
    return (line, column), (line, column + (2 if style == "'" and char == "'" else 1))


def _indent(text: str, column: int = 0) -> int:
    """Give the column of the next visible character; the end of the line where there is none."""
    while column < len(text) and text[column].isspace():
        column += 1
    return column
