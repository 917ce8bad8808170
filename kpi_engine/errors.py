"""Every error a user can meet, named for what to do next.

    KpiError
    ├── DefinitionError     mend a definition file: carries one or more diagnostics
    ├── RequestError        ask for something else: an unknown KPI, a dimension it lacks, a reversed period
    ├── DataError           mend the data: a text where a number should be, two rows for one key, two currencies in one sum
    ├── SourceError         mend the connection: a missing file, a server that does not answer
    ├── PluginError         install, update or disable a plugin
    ├── OutputError         choose another target: it cannot be written
    └── TimeoutExceeded     give more time, or ask for less

Each has a stable `code` (a word with underscores, never renamed), a message that says what is wrong and where, and a `hint` that
says what to do. This module imports nothing from the package.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable

Severity = Literal["error", "warning"]
_MANY, _LONGEST = 500, 100
"""So many names, and names of so many letters, are compared letter by letter: more would take long."""
_SHOWN = 160
"""Of a longer line, that many characters around the place are shown."""
UNSAID = "•••"
"""What stands where a secret stood."""
_PASSWORD = re.compile(r"(?<=://)([^/\s:@]*):(\S+)@")
_WORD = re.compile(r"\S+")


@dataclass(frozen=True, order=True)
class Place:
    """A stretch of text in a file: lines and columns count from 1, `length` is in characters, `text` is the whole line."""

    file: str
    line: int = 0
    column: int = 0
    length: int = 1
    text: str = ""

    def __str__(self) -> str:
        """`file:line:column`, as editors and terminals understand it."""
        return ":".join([self.file, *(str(number) for number in (self.line, self.column) if number)])

    def underlined(self) -> str:
        """The line with the stretch underlined; empty where the line is not known."""
        if not self.text:
            return ""
        start = max(0, self.column - 1 - _SHOWN // 2) if len(self.text) > _SHOWN else 0
        shown, before = self.text[start : start + _SHOWN], self.text[start : self.column - 1]
        width = max(1, min(self.length, len(shown) - len(before)))
        margin = f"{self.line:>5} │ "
        indent = "".join("\t" if char == "\t" else " " for char in before)
        return f"{margin}{shown}\n{' ' * (len(margin) - 2)}│ {indent}{'^' * width}"


@dataclass(frozen=True)
class Diagnostic:
    """One mistake: a stable code, what is wrong, where, and what to do."""

    code: str
    message: str
    place: Place | None = None
    hint: str = ""
    severity: Severity = "error"
    subject: str = ""
    """What it concerns, as `kpi visits` or `dataset leads`: the engine leaves that one out and runs the others."""

    def __str__(self) -> str:
        """All of it, over several lines, as the command line prints it."""
        head = f"{self.place}: " if self.place else ""
        lines = [f"{head}{self.severity}[{self.code}]: {self.message}"]
        if self.place and (underlined := self.place.underlined()):
            lines.append(underlined)
        if self.hint:
            lines.append(f"      = {self.hint}")
        return "\n".join(lines)


class KpiError(Exception):
    """The root of all errors of the engine; `code` is stable, `hint` says what to do, `place` says where."""

    default_code = "error"
    setting: tuple[str | int, ...] = ()
    """Of settings that a plugin does not take: the path to the first one that is wrong."""
    is_unknown_setting: bool = False
    """Whether that one is wrong by its name, not by its value."""

    def __init__(self, message: str, *, code: str = "", hint: str = "", place: Place | None = None) -> None:
        self.message = without_passwords(message)
        super().__init__(self.message)
        self.code = code or self.default_code
        self.hint = without_passwords(hint)
        self.place = place

    def __str__(self) -> str:
        """What is wrong, where, and what to do."""
        return str(Diagnostic(self.code, self.message, self.place, self.hint))


class DefinitionError(KpiError):
    """Definitions that cannot be computed correctly; all mistakes found stand in `diagnostics`."""

    default_code = "definition"

    def __init__(self, diagnostics: Iterable[Diagnostic]) -> None:
        self.diagnostics = tuple(diagnostics)
        first = self.diagnostics[0]
        super().__init__(first.message, code=first.code, hint=first.hint, place=first.place)

    def __str__(self) -> str:
        """Every diagnostic, one below the other."""
        return "\n".join(str(diagnostic) for diagnostic in self.diagnostics)


class RequestError(KpiError):
    """A request that cannot be answered as it stands."""

    default_code = "request"


class DataError(KpiError):
    """Data that contradict what the definitions say of them."""

    default_code = "data"


class SourceError(KpiError):
    """A source that cannot be read."""

    default_code = "source"


class PluginError(KpiError):
    """A plugin that is missing, broken, in conflict or disabled."""

    default_code = "plugin"


class OutputError(KpiError):
    """A result that could not be written; what stood at the target before is untouched."""

    default_code = "output"


class TimeoutExceeded(KpiError):  # noqa: N818 - the event, as `subprocess.TimeoutExpired` is
    """A request that took longer than its `timeout`."""

    default_code = "timeout"


def nearest(word: str, known: Iterable[str], alike: float = 0.6) -> str:
    """Say which known name is meant, as a hint, or else which names there are; `alike` is how much alike they must be, up to 1.

    >>> nearest("vists", ["visits", "leads"])
    'did you mean `visits`?'
    """
    names = list(known)
    asked = word.casefold()
    folded = {name.casefold(): name for name in names}
    near = [name for name in folded if abs(len(name) - len(asked)) <= len(asked)] if len(asked) <= _LONGEST else []
    if len(near) > _MANY:
        near = [name for name in near if name[:2] == asked[:2] or name[-3:] == asked[-3:]][:_MANY]
    close = get_close_matches(asked, near, n=1, cutoff=alike)
    if close:
        return f"did you mean `{folded[close[0]]}`?"
    if not names:
        return ""
    shown = ", ".join(f"`{name}`" for name in sorted(names)[:12])
    return f"there is {shown}" + (f" and {len(names) - 12} more" if len(names) > 12 else "")  # noqa: PLR2004


HIDDEN = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060\u2066-\u2069\ud800-\udfff\ufeff]")
"""Controls, line and paragraph separators, invisible characters, and those that turn the direction of the text around them."""


def without_passwords(text: str) -> str:
    """Take the passwords of addresses out of a text.

    >>> without_passwords("no answer of postgresql://kpi:hunter2@db/shop")
    'no answer of postgresql://kpi:•••@db/shop'
    """
    return _WORD.sub(_without_password, text) if "://" in text and "@" in text else text


def _without_password(word: re.Match[str]) -> str:
    address, sign, rest = word[0].rpartition(
        "@"
    )  # what has no end is looked at once and not from each of its beginnings
    return _PASSWORD.sub(rf"\1:{UNSAID}@", address + sign) + rest


def shown(value: object, length: int = 40) -> str:
    r"""Quote a text, or what stands in its place, for a message: on one line, without control characters, shortened.

    >>> shown("a\tb")
    '`a�b`'
    """
    clean = HIDDEN.sub("\ufffd", without_passwords(str(value)))
    return f"`{clean[: length - 1]}…`" if len(clean) > length else f"`{clean}`"


def located(diagnostic: Diagnostic, place: Place | None) -> Diagnostic:
    """Give a diagnostic its place, unless it has one."""
    return diagnostic if diagnostic.place else replace(diagnostic, place=place)
