"""What is looked at before a file is parsed: its size, its characters and how deep it nests.

The C library of YAML can crash the interpreter on deep nesting, so the depth is bounded on the text, in linear time, and again
while reading.
"""

from __future__ import annotations

import re

from kpi_engine.errors import Diagnostic, Place

from .places import Source
from .texts import visible

FILE_BYTES = 1 << 20
DEPTH = 50
# Everything that is no printable text: C0 and C1 controls but tab and line break, DEL, lone surrogates, the two other line
# separators of Unicode (editors disagree on whether they end a line), a byte-order mark inside the file, and the non-characters.
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]")
_NEVER = frozenset("\0\ufeff\ufffe\uffff")
_ESCAPED = 'delete it; where a value needs it, write it as an escape between double quotes, such as "\\x1f"'
_BRACKET = re.compile(r"[\[\]{}]")


def decode(data: bytes, file: str) -> tuple[Source, str] | Diagnostic:
    """Turn a file's bytes into text, and into lines that are fit to be shown; or say why it may not be parsed."""
    if len(data) > FILE_BYTES:
        return too_large(file)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        return _not_utf8(data, file, error)
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    source = Source(file, visible(text).split("\n"))
    return _control_character(source, text) or _too_deep(source) or (source, text)


def too_large(file: str) -> Diagnostic:
    """Say that a file is larger than any definition file should be."""
    return Diagnostic(
        "too_large",
        f"the file is larger than {FILE_BYTES >> 20} MB",
        Place(file),
        "split it into several definition files",
    )


def nested_too_deep(place: Place | None) -> Diagnostic:
    """Say that mappings and lists nest deeper than any definition does."""
    message = f"mappings and lists nest deeper than {DEPTH} levels here"
    return Diagnostic("too_deep", message, place, "look for brackets that are not closed; no definition needs so many")


def _not_utf8(data: bytes, file: str, error: UnicodeDecodeError) -> Diagnostic:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return Diagnostic("not_utf8", "the file is encoded as UTF-16, not as UTF-8", Place(file), "save it as UTF-8")
    lines = data[: error.start + 80].decode(errors="replace").split("\n")
    before = data[: error.start].decode(errors="replace").split("\n")
    message = f"the file is not UTF-8: the byte 0x{data[error.start]:02x} is part of no character"
    source = Source(file, [visible(line) for line in lines])
    place = source.stretch(len(before) - 1, len(before[-1]), len(before[-1]) + 1)
    return Diagnostic("not_utf8", message, place, "save it as UTF-8")


def _control_character(source: Source, text: str) -> Diagnostic | None:
    match = _CONTROL.search(text)
    if match is None:
        return None
    line = text.count("\n", 0, match.start())
    column = match.start() - text.rfind("\n", 0, match.start())
    return Diagnostic(
        "control_character",
        f"the invisible control character U+{ord(match[0]):04X} stands here",
        source.stretch(line, column - 1, column),
        "delete it" if match[0] in _NEVER else _ESCAPED,
    )


def _too_deep(source: Source) -> Diagnostic | None:
    """Bound the brackets of each line and the levels of indentation; brackets over several lines are counted while parsing."""
    levels = [0]
    for number, line in enumerate(source.lines):
        if line.count("[") + line.count("{") > DEPTH and (column := _deep_bracket(line)) is not None:
            return nested_too_deep(source.stretch(number, column, column + 1))
        indent = len(line) - len(line.lstrip(" "))
        if indent == len(line):
            continue
        while indent < levels[-1]:
            levels.pop()
        if indent > levels[-1]:
            levels.append(indent)
        if len(levels) > DEPTH:
            return nested_too_deep(source.stretch(number, indent, indent + 1))
    return None


def _deep_bracket(line: str) -> int | None:
    depth = 0
    for match in _BRACKET.finditer(line):
        depth += 1 if match[0] in "[{" else -1
        if depth > DEPTH:
            return match.start()
    return None
