"""Strict YAML: the part of YAML 1.2 that says one thing to everyone, with the place of every key and value.

`no`, `on`, `12:34:56`, `017`, `1_000` and `2026-01-01` are texts. Refused are duplicate keys, anchors, aliases, merge keys, tags,
several documents, keys that are no text, and numbers that are not finite. Files are read as parser events: nothing is ever
constructed, and depth and size are bounded while reading.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from math import isfinite
from typing import TYPE_CHECKING, Any, cast

import yaml
from yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from kpi_engine.errors import Diagnostic, Place

from .places import BLOCK, FLOW, PLAIN, Located, Path, Source, Spot
from .scanning import DEPTH, decode, nested_too_deep
from .syntax import explain
from .texts import HIDDEN, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from yaml.error import Mark

NODES = 200_000
MISTAKES = 100
KEY_LENGTH = 200
INTEGER_DIGITS = 30
_NUMERIC = frozenset("0123456789+-.")
_WORDS: dict[str, bool | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_INTEGER = re.compile(r"[-+]?(?:0|[1-9][0-9]*)|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|(?:0|[1-9][0-9]*)(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
NOT_TEXT = re.compile("[\0\ud800-\udfff]")
_NOT_FINITE = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")


@dataclass(frozen=True)
class Mistake:
    """A mistake and the path at which it stands, which says what it concerns."""

    path: Path
    diagnostic: Diagnostic


@dataclass(frozen=True)
class Document:
    """What a file holds: plain mappings, lists and values, where each stands, and the mistakes met on the way."""

    value: dict[str, Any] | None = None
    """Nothing when the file could not be read to its end."""
    located: Located = field(default_factory=Located)
    mistakes: tuple[Mistake, ...] = ()


def read(data: bytes, file: str) -> Document:
    """Read a YAML file; mistakes are reported, never raised. `file` is its name in messages."""
    decoded = decode(data, file)
    if isinstance(decoded, Diagnostic):
        return Document(mistakes=(Mistake((), decoded),))
    source, text = decoded
    composer = _Composer(source, _events(text))
    try:
        return _unsaid(source, composer.document())
    except _RefusedError as error:
        stopped = error.diagnostic
    except yaml.YAMLError as error:
        stopped = explain(source, error)
    except (ValueError, OverflowError):  # of the Python parser, for an escape or a version beyond all bounds
        stopped = Diagnostic("yaml_syntax", "this is not YAML: it holds a number beyond all bounds", Place(file))
    before = [each for each in composer.mistakes if not _is_same_trap(each.diagnostic, stopped)]
    return _unsaid(source, Document(None, Located(source), (*before, Mistake((), stopped))))


def _unsaid(source: Source, document: Document) -> Document:
    """Take secrets that stand in the file out of the mistakes."""
    if not document.mistakes:
        return document
    mistakes = tuple(Mistake(each.path, source.unsaid(each.diagnostic)) for each in document.mistakes)
    return replace(document, mistakes=mistakes)


def _is_same_trap(earlier: Diagnostic, stopped: Diagnostic) -> bool:
    """Whether a sign such as `*` was refused first, and then broke the syntax of its line: one mistake, not two."""
    if stopped.code != "yaml_syntax":
        return False
    same_line = earlier.place is not None and stopped.place is not None and earlier.place.line == stopped.place.line
    return same_line and earlier.code in ("alias", "anchor", "tag")


def refused_key(key: str) -> Diagnostic | None:
    """Refuse a key that is too long to be one, or that holds characters nobody can see."""
    if len(key) > KEY_LENGTH:
        message = f"the key {shown(key)} has {len(key):,} characters"
        return Diagnostic("key_too_long", message, None, f"shorten it: at most {KEY_LENGTH} are allowed")
    if match := HIDDEN.search(key):
        message = f"the key {shown(key)} holds the invisible character U+{ord(match[0]):04X}"
        return Diagnostic("hidden_character", message, None, "delete it, or type the key anew")
    return None


class _RefusedError(Exception):
    """A file that is not read any further."""

    def __init__(self, diagnostic: Diagnostic) -> None:
        super().__init__(diagnostic.message)
        self.diagnostic = diagnostic


def _loader() -> type[yaml.Loader]:
    """Choose the C parser where PyYAML has it: six times as fast."""
    return cast("type[yaml.Loader]", yaml.CLoader if yaml.__with_libyaml__ else yaml.Loader)


def _events(text: str) -> Iterator[Event]:
    return yaml.parse(text, Loader=_loader())


def _number(text: str) -> int | float | str:
    """Resolve an unquoted text that may be a number; a number too long for sense is left to the caller as text."""
    if _INTEGER.fullmatch(text):
        return int(text, 0)
    return float(text) if _FLOAT.fullmatch(text) else text


class _Composer:
    """Builds the value and the spots of one file from its events, side by side."""

    def __init__(self, source: Source, events: Iterator[Event]) -> None:
        self.source = source
        self.next: Callable[[], Event] = events.__next__
        self.mistakes: list[Mistake] = []
        self.path: list[str | int] = []
        self.depth = 0
        self.nodes = 0

    def document(self) -> Document:
        self.next()
        if not isinstance(self.next(), DocumentStartEvent):
            return self._refused_top("empty_file", "the file is empty", "write a section, such as `kpis:`", None)
        value, spot = self.node(self.next())
        self.next()
        following = self.next()
        if isinstance(following, DocumentStartEvent):
            hint = "keep one document: remove the line `---`, or split the file"
            self.refuse("several_documents", "a second document begins here", self._spot(following), hint)
        located = Located(self.source, None, spot)
        if value is None and not self.mistakes:
            return self._refused_top("empty_file", "the file is empty", "write a section, such as `kpis:`", None)
        if not isinstance(value, dict):
            kind = "a list" if isinstance(value, list) else "a single value"
            message = f"the file holds {kind}, not a mapping"
            return self._refused_top("not_a_mapping", message, "begin it with a key, such as `kpis:`", spot)
        return Document(value, located, tuple(self.mistakes))

    def node(self, event: Event) -> tuple[Any, Spot]:
        self.nodes += 1
        if self.nodes > NODES:
            message = f"the file holds more than {NODES:,} keys and values"
            raise _RefusedError(Diagnostic("too_many_nodes", message, Place(self.source.file), "split the file"))
        if isinstance(event, ScalarEvent):
            return self.scalar(event)
        if isinstance(event, AliasEvent):
            spot = self._spot(event)
            hint = "write the value out; a text that begins with `*` needs quotes"
            self.refuse("alias", f"{shown(f'*{event.anchor}')} is an alias, which definitions may not hold", spot, hint)
            return None, spot
        assert isinstance(event, MappingStartEvent | SequenceStartEvent)  # noqa: S101 - the parser gives no other
        return self.collection(event)

    def collection(self, event: MappingStartEvent | SequenceStartEvent) -> tuple[Any, Spot]:
        if event.anchor is not None or event.tag is not None:
            self.properties(event)
        self.depth += 1
        start = cast("Mark", event.start_mark)
        if self.depth > DEPTH:
            raise _RefusedError(nested_too_deep(self.source.stretch(start.line, start.column, start.column + 1)))
        value, children, last = self.mapping() if isinstance(event, MappingStartEvent) else self.sequence()
        self.depth -= 1
        end = cast("Mark", last.end_mark)
        style = FLOW if event.flow_style else BLOCK
        return value, Spot(start.line, start.column, end.line, end.column, style, "", children)

    def mapping(self) -> tuple[Any, dict[str | int, tuple[Spot | None, Spot]], Event]:
        value: dict[str, Any] = {}
        children: dict[str | int, tuple[Spot | None, Spot]] = {}
        while not isinstance(event := self.next(), MappingEndEvent):
            key, key_spot = self.key(event)
            self.path.append(key_spot.text if key is None else key)
            each, spot = self.node(self.next())
            if key in children:
                self.duplicate(children[key][0], key_spot)
            elif key is not None:
                value[key] = each
                children[key] = (key_spot, spot)
            self.path.pop()
        return value, children, event

    def sequence(self) -> tuple[Any, dict[str | int, tuple[Spot | None, Spot]], Event]:
        value: list[Any] = []
        children: dict[str | int, tuple[Spot | None, Spot]] = {}
        while not isinstance(event := self.next(), SequenceEndEvent):
            self.path.append(len(value))
            each, spot = self.node(event)
            children[len(value)] = (None, spot)
            value.append(each)
            self.path.pop()
        return value, children, event

    def key(self, event: Event) -> tuple[str | None, Spot]:
        """Read a key; nothing when it may not be one."""
        before = len(self.mistakes)
        value, spot = self.node(event)
        if len(self.mistakes) > before:
            return value if isinstance(value, str) else None, spot
        if not isinstance(value, str):
            hint = (
                "put it in quotes; a name also begins with a letter"
                if isinstance(event, ScalarEvent)
                else "a key is a single word or text"
            )
            self.refuse("key_not_text", f"{self._kind(value, spot)} stands here as a key", spot, hint)
        elif value == "<<" and spot.style == PLAIN:
            self.refuse(
                "merge_key", "`<<` merges another mapping, which definitions may not do", spot, "write the keys out"
            )
        elif refusal := refused_key(value):
            self.refuse(refusal.code, refusal.message, spot, refusal.hint)
        else:
            return value, spot
        return None, spot

    def scalar(self, event: ScalarEvent) -> tuple[Any, Spot]:
        start, end = cast("Mark", event.start_mark), cast("Mark", event.end_mark)
        text, style = event.value, event.style or PLAIN
        spot = Spot(start.line, start.column, end.line, end.column, style, text)
        if event.anchor is not None or event.tag is not None:
            self.properties(event)
        if style != PLAIN:
            if style == '"' and NOT_TEXT.search(text):
                self.refuse(
                    "control_character", "a text may not hold U+0000 or half a character", spot, "delete the escape"
                )
            return text, spot
        if text in _WORDS:
            return _WORDS[text], spot
        return (self.number(text, spot) if text[0] in _NUMERIC else text), spot

    def number(self, text: str, spot: Spot) -> int | float | str | None:
        if len(text) > INTEGER_DIGITS and _INTEGER.fullmatch(text) and len(text.lstrip("+-")) > INTEGER_DIGITS:
            message = f"this number has more than {INTEGER_DIGITS} digits"
            self.refuse("number_too_long", message, spot, "write a shorter one, or put it in quotes if it is a text")
            return None
        value = None if _NOT_FINITE.fullmatch(text) else _number(text)
        if value is None or (isinstance(value, float) and not isfinite(value)):
            message = f"{shown(text)} is no finite number"
            self.refuse("not_finite", message, spot, "write a number below 1e308, or put it in quotes if it is a text")
            return None
        return value

    def properties(self, event: ScalarEvent | MappingStartEvent | SequenceStartEvent) -> None:
        """Refuse what may stand before a node: `&anchor` and `!tag`."""
        spot = self._spot(event)
        if event.anchor is not None:
            hint = "write values out where they are used; a text that begins with `&` needs quotes"
            self.refuse(
                "anchor", f"{shown(f'&{event.anchor}')} is an anchor, which definitions may not hold", spot, hint
            )
        if event.tag is not None:
            hint = "remove it; a text that begins with `!` needs quotes"
            tag = event.tag.replace("tag:yaml.org,2002:", "!!")
            self.refuse("tag", f"{shown(tag)} is a tag, which definitions may not hold", spot, hint)

    def duplicate(self, first: Spot | None, again: Spot) -> None:
        line = first.line + 1 if first else 0
        message = f"the key {shown(again.text)} stands here again: it is already at line {line}"
        self.refuse("duplicate_key", message, again, "keep one of the two")

    def refuse(self, code: str, message: str, spot: Spot, hint: str) -> None:
        diagnostic = Diagnostic(code, message, self.source.place(spot), hint)
        self.mistakes.append(Mistake(tuple(self.path), diagnostic))
        if len(self.mistakes) >= MISTAKES:
            message = f"the file has {MISTAKES} mistakes up to here; the rest was not read"
            raise _RefusedError(Diagnostic("too_many_mistakes", message, diagnostic.place, "mend these first"))

    def _refused_top(self, code: str, message: str, hint: str, spot: Spot | None) -> Document:
        place = self.source.place(spot) if spot else Place(self.source.file)
        self.mistakes.append(Mistake((), Diagnostic(code, message, place, hint)))
        return Document(None, Located(self.source), tuple(self.mistakes))

    @staticmethod
    def _spot(event: Event) -> Spot:
        start, end = cast("Mark", event.start_mark), cast("Mark", event.end_mark)
        return Spot(start.line, start.column, end.line, end.column, FLOW)

    @staticmethod
    def _kind(value: object, spot: Spot) -> str:
        if spot.children is not None:
            return "a list" if isinstance(value, list) else "a mapping"
        return shown(spot.text) if spot.text else "nothing"
