"""A text cut into words and signs, within bounds that are checked before anything is parsed."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType

import sqlglot
from sqlglot.errors import SqlglotError

from kpi_engine.formula.mistakes import Mistake, Refused

MAX_LENGTH = 20_000
MAX_DEPTH = 30
MAX_WORDS = 2_000
DIALECT = "duckdb"
VALUES = frozenset({"NUMBER", "STRING", "IDENTIFIER", "VAR", "NULL", "TRUE", "FALSE"})
"""Kinds of words that are values."""
OPENING, CLOSING = frozenset("([{"), frozenset(")]}")
_FORBIDDEN = re.compile(
    r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\xad\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]"
)
_TYPED = MappingProxyType({
    **dict.fromkeys("‘’‚‛′´", "a text is written between straight single quotes: '"),
    **dict.fromkeys("“”„«»″", "a text is written between straight single quotes: '"),
    **dict.fromkeys("−–—‐‑", "write the minus sign of the keyboard: -"),
    "×": "write `*`", "∗": "write `*`", "÷": "write `/`", "∕": "write `/`", "≤": "write `<=`", "≥": "write `>=`", "≠": "write `<>`",
})  # fmt: skip
"""Signs that word processors put in place of those of the keyboard."""


@dataclass(frozen=True)
class Word:
    """A word, number, text or sign: `kind` as the tokenizer says, `text` as it is written, and where it stands."""

    kind: str
    text: str
    start: int

    @property
    def end(self) -> int:
        """Where what follows begins."""
        return self.start + len(self.text)

    @cached_property
    def low(self) -> str:
        """In small letters, with single blanks."""
        return " ".join(self.text.lower().split())

    @property
    def is_word(self) -> bool:
        """Whether it is a name or a keyword, not a sign, number or text."""
        return self.text[0].isalpha() or self.text[0] == "_"

    def mistake(self, code: str, message: str, hint: str = "", until: Word | None = None) -> Mistake:
        """Make a mistake of this word, or of the stretch from it to another."""
        return Mistake(code, message, self.start, (until or self).end - self.start, hint)


def words(text: str) -> tuple[Word, ...]:
    """Cut a text into words and signs; raise `Refused` where it is empty, too long, too deep or holds characters that cannot be meant."""
    if not text.strip():
        raise Refused(
            Mistake(
                "empty_formula", "there is nothing here to compute", hint="write an expression such as `count(visits)`"
            )
        )
    if len(text) > MAX_LENGTH:
        raise Refused(_too_long(len(text), "characters", MAX_LENGTH))
    if bad := _FORBIDDEN.search(text):
        message = f"the invisible character U+{ord(bad[0]):04X} stands here"
        raise Refused(Mistake("bad_character", message, bad.start(), 1, "delete it"))
    found = _tokenized(text)
    if not found:
        raise Refused(
            Mistake(
                "empty_formula",
                "there is nothing here but a comment",
                hint="write an expression such as `count(visits)`",
            )
        )
    _check_letters(found)
    _check_depth(found)
    return found


def _tokenized(text: str) -> tuple[Word, ...]:
    try:
        tokens = sqlglot.tokenize(text, read=DIALECT)
    except SqlglotError:
        raise Refused(_unended(text)) from None
    if len(tokens) > MAX_WORDS:
        raise Refused(_too_long(len(tokens), "words and signs", MAX_WORDS))
    return tuple(Word(token.token_type.name, text[token.start : token.end + 1], token.start) for token in tokens)


def _too_long(number: int, what: str, limit: int) -> Mistake:
    message = f"the text has {number:,} {what}, and at most {limit:,} are read"
    return Mistake("formula_too_long", message, hint="split it into several KPIs or datasets")


_LEXED = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|/\*.*?\*/|--[^\n]*|\$(\w*)\$.*?\$\1\$", re.DOTALL)
_BEGINS = re.compile(r"'|\"|/\*|\$\w*\$")


def _unended(text: str) -> Mistake:
    """Find the quote or comment that is never closed."""
    blanked = _LEXED.sub(lambda found: " " * len(found[0]), text)
    begin = _BEGINS.search(blanked)
    offset = begin.start() if begin else len(text.rstrip()) - 1
    names = {"'": "a text", '"': "a name in double quotes", "/*": "a comment"}
    what = names.get(begin[0] if begin else "", "a text")
    closing = {"'": "'", '"': '"', "/*": "*/"}.get(begin[0] if begin else "", "'")
    return Mistake(
        "syntax",
        f"{what} begins here and does not end",
        offset,
        len(begin[0]) if begin else 1,
        f"close it with {closing}",
    )


def _check_letters(found: tuple[Word, ...]) -> None:
    """Outside texts only Latin letters stand: a Cyrillic `ѕ` looks like an `s` and is none."""
    for word in found:
        if word.kind in {"STRING", "IDENTIFIER"}:
            continue
        for position, character in enumerate(word.text):
            if not (character.isascii() or unicodedata.name(character, "").startswith("LATIN ")):
                raise Refused(_strange(character, word.start + position))


def _strange(character: str, offset: int) -> Mistake:
    name = f"`{character}` (U+{ord(character):04X})"
    if character in _TYPED:
        return Mistake("bad_character", f"the sign {name} is not one of the keyboard's", offset, 1, _TYPED[character])
    kind = "letter" if character.isalpha() else "sign"
    hint = "type it anew in Latin letters; a column whose name holds it is written in double quotes"
    return Mistake("bad_character", f"the {kind} {name} cannot stand outside quotes", offset, 1, hint)


def _check_depth(found: tuple[Word, ...]) -> None:
    depth = 0
    for word in found:
        depth += (word.text in OPENING) - (word.text in CLOSING)
        if depth > MAX_DEPTH:
            message = f"more than {MAX_DEPTH} brackets stand inside one another"
            raise Refused(Mistake("too_deep", message, word.start, 1, "split it into several KPIs"))
