"""A text cut into words and signs, within bounds that are checked before anything is parsed."""

from __future__ import annotations

import re
import unicodedata
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from sqlglot.errors import SqlglotError
from sqlglot.tokenizer_core import TokenType

from kpi_engine.formula.mistakes import Mistake, Refused
from kpi_engine.formula.trees import dialect

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlglot.tokenizer_core import Token

MAX_LENGTH = 20_000
MAX_DEPTH = 30
MAX_WORDS = 2_000
VALUES = frozenset({"NUMBER", "STRING", "IDENTIFIER", "VAR", "NULL", "TRUE", "FALSE"})
"""Kinds of words that are values."""
_KINDS = MappingProxyType({kind: kind.name for kind in TokenType})
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


class Word(NamedTuple):
    """A word, number, text or sign: `kind` as the tokenizer says, `text` as it is written, and where it stands."""

    kind: str
    text: str
    start: int
    end: int
    """Where what follows begins."""
    low: str
    """In small letters, with single blanks."""

    @property
    def is_word(self) -> bool:
        """Whether it is a name or a keyword, not a sign, number or text."""
        return self.text[0].isalpha() or self.text[0] == "_"

    def mistake(self, code: str, message: str, hint: str = "", until: Word | None = None) -> Mistake:
        """Make a mistake of this word, or of the stretch from it to another."""
        return Mistake(code, message, self.start, (until or self).end - self.start, hint)


def tokens(text: str) -> list[Token]:
    """Cut a text into what the parser reads; raise `Refused` where it is empty, too long, or holds characters that cannot be meant."""
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
    try:
        found: list[Token] = dialect().tokenize(text)
    except SqlglotError:
        raise Refused(_unended(text)) from None
    if len(found) > MAX_WORDS:
        raise Refused(_too_long(len(found), "words and signs", MAX_WORDS))
    if not found:
        raise Refused(
            Mistake(
                "empty_formula",
                "there is nothing here but a comment",
                hint="write an expression such as `count(visits)`",
            )
        )
    return found


def words(text: str, tokens: Sequence[Token]) -> tuple[Word, ...]:
    """Give the words and signs of a text as they are written; raise `Refused` where they are too deep or not of Latin letters."""
    found = tuple(_word(token, text) for token in tokens)
    if not text.isascii():
        _check_letters(found)
    _check_depth(found)
    return found


def _word(token: Token, text: str) -> Word:
    start, end = token.start, token.end + 1
    written = text[start:end]
    low = written.lower()
    return Word(_KINDS[token.token_type], written, start, end, low if low.isalnum() else " ".join(low.split()))


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
