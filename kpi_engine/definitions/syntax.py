"""What a YAML syntax error means: the traps a writer of conditions and formulas falls into, each named with its mend."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kpi_engine.errors import Diagnostic, Place

if TYPE_CHECKING:
    import yaml

    from .places import Source

EXAMPLE = "where: \"section = 'blog'\""
_ENTRY = re.compile(r"\s*(?:- )*(?P<key>[^\s:#'\"{\[][^:#]*):\s+(?P<value>\S.*?)\s*$")
_STARTS = ("'", '"', "{", "[", "%", "@", "`", "*", "&", "|", ">", "!", ",", "]", "}", "- ", "? ")
_LONG = 200
_NO_BLANK = re.compile(r"\s*[\w.]+:(?=\S)")
_HALF = re.compile(r"\\u[dD][89a-fA-F][0-9a-fA-F]{2}")
_Spot = tuple[int, int]


@dataclass(frozen=True)
class _Trouble:
    """What the parser says: the problem, where it met it, and where that began; lines and columns count from 0."""

    source: Source
    problem: str
    spot: _Spot
    opened: _Spot

    @property
    def line(self) -> str:
        return self.line_at(self.spot)

    def line_at(self, spot: _Spot) -> str:
        return self.source.lines[spot[0]] if spot[0] < len(self.source.lines) else ""

    def mistake(self, spot: _Spot, message: str, hint: str) -> Diagnostic:
        """Say it at a spot; after the end of the file, at its last line with something in it."""
        line, column = spot
        if not any(text.strip() for text in self.source.lines[line:]):
            line = max((n for n, text in enumerate(self.source.lines) if text.strip()), default=0)
            column = len(self.source.lines[line])
        return Diagnostic("yaml_syntax", message, self.source.stretch(line, column, column + 1), hint)


def explain(source: Source, error: yaml.YAMLError) -> Diagnostic:
    """Say in the writer's words what is wrong with the file's YAML, and what to write instead."""
    mark = getattr(error, "problem_mark", None)
    context = getattr(error, "context_mark", None) or mark
    problem = str(getattr(error, "problem", None) or error)
    if mark is None or context is None:
        return Diagnostic("yaml_syntax", f"this is not YAML: {problem}", Place(source.file))
    trouble = _Trouble(source, problem, (mark.line, mark.column), (context.line, context.column))
    for trap in (
        _tab,
        _directive,
        _quote,
        _escape,
        _inner_start,
        _start,
        _second_colon,
        _bracket,
        _colonless,
        _indentation,
    ):
        if found := trap(trouble):
            return found
    hint = "check the indentation, the quotes and the colons of this line"
    return trouble.mistake(trouble.spot, f"this is not YAML: {problem}", hint)


def quoted(key: str, value: str) -> str:
    """Write an entry so that YAML takes its value as one text; a long one is replaced by an example.

    >>> print(quoted("where", "section = 'blog'"))
    where: "section = 'blog'"
    """
    if len(key) + len(value) > _LONG:
        return EXAMPLE
    if '"' not in value and "\\" not in value:
        return f'{key}: "{value}"'
    doubled = value.replace("'", "''")
    return f"{key}: '{doubled}'"


def _tab(trouble: _Trouble) -> Diagnostic | None:
    line = trouble.line
    margin = line[: len(line) - len(line.lstrip())]
    if "\t" not in margin or trouble.spot[1] > len(margin):
        return None
    spot = (trouble.spot[0], margin.index("\t"))
    return trouble.mistake(spot, "a tab is used as indentation", "indent with spaces only")


def _directive(trouble: _Trouble) -> Diagnostic | None:
    if not trouble.line.startswith("%"):
        return None
    message = "a line that begins with `%` is an order to the reader of YAML, which definitions do not need"
    return trouble.mistake((trouble.spot[0], 0), message, "remove the line")


def _quote(trouble: _Trouble) -> Diagnostic | None:
    if "unexpected end of stream" not in trouble.problem and "document indicator" not in trouble.problem:
        return None
    return trouble.mistake(
        trouble.opened, "a quote is opened here and never closed", "close it, or quote the whole text"
    )


def _escape(trouble: _Trouble) -> Diagnostic | None:
    if not any(word in trouble.problem for word in ("escape", "hexdecimal", "hexadecimal")):
        return None
    row, column = trouble.spot
    column = max(trouble.line.rfind("\\", 0, column + 1), 0)
    if code := _HALF.match(trouble.line, column):
        return trouble.mistake(
            (row, column), f"`{code[0]}` is half of a character", "delete it, or write the other half"
        )
    message = f"`{trouble.line[column : column + 2]}` is no escape that YAML knows between double quotes"
    return trouble.mistake((row, column), message, "write the backslash twice, or use single quotes")


def _inner_start(trouble: _Trouble) -> Diagnostic | None:
    """Name such a value between brackets, where it is not the first of its line."""
    row, column = trouble.spot
    before = trouble.line[:column].rstrip(" *&!")
    sign = trouble.line[len(before) : column + 1].strip()[:1]
    if before[-1:] not in tuple("{[,:") or not set("{[") & set(before) or sign not in tuple("%@`*&!|>"):
        return None
    text = re.split(r"[,}\]]", trouble.line[trouble.line.index(sign, len(before)) :])[0].strip()
    shown = "a backtick" if sign == "`" else f"`{sign}`"
    spot = (row, trouble.line.index(sign, len(before)))
    return trouble.mistake(
        spot, f"{shown} at the beginning of a value is a sign of YAML, not text", f'quote it: "{text}"'
    )


def _start(trouble: _Trouble) -> Diagnostic | None:
    """Name a value that begins with a sign that means something to YAML."""
    entry = _ENTRY.match(trouble.line)
    if entry is None or not f"{entry['value']} ".startswith(_STARTS) or trouble.spot[1] < entry.start("value"):
        return None
    first = entry["value"][0]
    if first in "[{" and "',' or" in trouble.problem:
        return None
    hint = f"quote the whole text: {quoted(entry['key'], entry['value'])}"
    if first in "'\"":
        return trouble.mistake(trouble.spot, "the quoted text ends before this, and more follows", hint)
    spot = (trouble.spot[0], entry.start("value"))
    sign = "a backtick" if first == "`" else f"`{first}`"
    return trouble.mistake(spot, f"{sign} at the beginning of a value is a sign of YAML, not text", hint)


def _second_colon(trouble: _Trouble) -> Diagnostic | None:
    if "mapping values are not allowed" not in trouble.problem:
        return None
    entry = _ENTRY.match(trouble.line)
    if entry and trouble.spot[1] >= entry.start("value"):
        message = "an unquoted text holds a colon and a blank, which YAML takes for a second key"
        return trouble.mistake(trouble.spot, message, f"quote the whole text: {quoted(entry['key'], entry['value'])}")
    row = trouble.spot[0] - 1
    above = trouble.source.lines[row].strip() if row >= 0 else ""
    if found := _no_blank(trouble, row):
        return found
    message = "a key stands here, but the line above it has a value already, or is no key"
    hint = f"check the indentation below `{above[:60]}`, and that a blank follows each colon"
    return trouble.mistake(trouble.spot, message, hint)


def _no_blank(trouble: _Trouble, row: int) -> Diagnostic | None:
    match = _NO_BLANK.match(trouble.line_at((row, 0))) if row >= 0 else None
    return (
        trouble.mistake((row, match.end() - 1), "no blank follows this colon", "write `key: value`") if match else None
    )


def _bracket(trouble: _Trouble) -> Diagnostic | None:
    if "',' or '" not in trouble.problem:
        return None
    row, column = trouble.opened
    sign = trouble.line_at(trouble.opened)[column : column + 1]
    message = f"what `{sign}` opens at line {row + 1} is not closed, or holds an unquoted sign of YAML"
    hint = f"close it, or quote every text with a comma, colon, bracket or quote in it: {EXAMPLE}"
    return trouble.mistake(trouble.spot, message, hint)


def _colonless(trouble: _Trouble) -> Diagnostic | None:
    if "could not find expected ':'" not in trouble.problem:
        return None
    if found := _no_blank(trouble, trouble.opened[0]):
        return found
    hint = "write `key: value`; a text over several lines begins with `|` or `>` after its key and is indented"
    return trouble.mistake(trouble.opened, "this line has no `key:`", hint)


def _indentation(trouble: _Trouble) -> Diagnostic | None:
    if not any(words in trouble.problem for words in ("expected key", "'-' indicator", "block end", "document start")):
        return None
    above = trouble.source.lines[trouble.spot[0] - 1].lstrip() if trouble.spot[0] else ""
    if above.startswith("#") and not _ENTRY.match(trouble.line):
        message = "the comment above ended the text, and more of it follows"
        return trouble.mistake(trouble.spot, message, "move the comment away, or begin the text with `|` after its key")
    hint = "begin it in the same column as the key or list item above that it belongs beside"
    return trouble.mistake(trouble.spot, "this line is indented like no line above it, or has no `key:`", hint)
