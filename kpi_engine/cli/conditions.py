"""Conditions as they are written after `--where` and `--having`, read into those of a request."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

import click

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

_FORM = re.compile(
    r"""\s* (?P<name>\w+) \s*
    (?P<operator> != | <> | >= | <= | == | = | > | <
      | (?<=\s) (?: not\s+in | in | contains | starts[\s_]with | ends[\s_]with | between | is\s+not\s+null | is\s+null ) (?=\s|$|\() )
    (?P<value>.*)""",
    re.VERBOSE | re.IGNORECASE | re.DOTALL,
)
_SYMBOLS = {"=": "eq", "==": "eq", "!=": "ne", "<>": "ne", ">=": "gte", "<=": "lte", ">": "gt", "<": "lt"}
_LISTS = {"eq": "in", "ne": "not_in", "in": "in", "not_in": "not_in"}
"""The operators that take several values, and what they are called then."""
_NULLS = {"is_null": True, "is_not_null": False}
_NUMBER = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)")
_LONG = 18
"""A number of more digits is kept as a decimal."""
_EXAMPLES = "write NAME=VALUE, NAME=A,B, NAME!=VALUE, 'NAME>=VALUE', 'NAME contains TEXT' or 'NAME is null'"


class Word(NamedTuple):
    """A value as it was written; one in quotes is always a text."""

    text: str
    quoted: bool = False


class _Condition(NamedTuple):
    name: str
    operator: str
    words: tuple[Word, ...]


def wheres(written: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Read conditions on dimensions.

    A value is a text, and is taken for the dimension's own type where the data have another: `true`, `2026`, `2026-03-31`.
    After `>`, `>=`, `<`, `<=` and `between` a number is a number. `NULL` is a missing value. In quotes everything is text.

    >>> wheres(["channel=email,direct", "country!=FR"])
    {'channel': {'in': ['email', 'direct']}, 'country': {'ne': 'FR'}}
    """
    return _gathered(written, "--where", _of_dimension)


def havings(written: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Read conditions on the columns of an answer, which are numbers: `visits>=100`, `rate<3%`."""
    return _gathered(written, "--having", _of_column)


def _gathered(written: Sequence[str], option: str, value: Callable[[Word, str], Any]) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for text in written:
        try:
            name, operator, words = _read(text)
            operator, operand = _operand(operator, words, value)
        except ValueError as error:
            raise click.BadParameter(f"{text!r}: {error}", param_hint=option) from None
        if operator in found.setdefault(name, {}):
            message = f"`{name}` has two conditions of the same kind, and all conditions must hold; several values are written {name}=A,B"
            raise click.BadParameter(message, param_hint=option)
        found[name][operator] = operand
    return found


def _read(text: str) -> _Condition:
    match = _FORM.fullmatch(text)
    if match is None:
        raise ValueError(_EXAMPLES)
    operator = _SYMBOLS.get(match["operator"]) or re.sub(r"\s+", "_", match["operator"].strip().lower())
    value = match["value"].strip()
    if value[:1] in set("=<>!"):
        raise ValueError(f"a value that begins with {value[0]} stands in quotes")
    if operator in _LISTS and value.startswith("(") and value.endswith(")"):
        value = value[1:-1]
    if operator == "between" and (ends := re.fullmatch(r"(.+?)\s+and\s+(.+)", value, re.IGNORECASE | re.DOTALL)):
        value = f"{ends[1]},{ends[2]}"
    return _Condition(match["name"], operator, () if operator in _NULLS and not value else tuple(split_words(value)))


def split_words(text: str) -> Iterator[Word]:
    r"""Split at commas, but not between quotes; a quote is written twice inside its own kind.

    >>> [word.text for word in split_words("a, 'b, c', d")]
    ['a', 'b, c', 'd']
    """
    rest = text
    while True:
        rest = rest.lstrip()
        if rest[:1] in {"'", '"'}:
            word, rest = _quoted(rest)
        else:
            plain, comma, after = rest.partition(",")
            word, rest = Word(plain.strip()), comma + after
            if not word.text:
                raise ValueError("a value is missing; the empty text is written ''")
        yield word
        if not rest:
            return
        rest = rest[1:]


def _quoted(text: str) -> tuple[Word, str]:
    """Take the quoted text at the beginning off, and give what follows it: nothing, or a comma and more."""
    mark = text[0]
    match = re.match(rf"{mark}((?:[^{mark}]|{mark}{mark})*){mark}\s*(,.*)?$", text, re.DOTALL)
    if match is None:
        raise ValueError(f"the quote {mark} is not closed, or more follows it")
    return Word(match[1].replace(mark * 2, mark), quoted=True), match[2] or ""


def _operand(operator: str, words: tuple[Word, ...], value: Callable[[Word, str], Any]) -> tuple[str, Any]:
    if operator in _NULLS:
        if words:
            raise ValueError("nothing follows `null`")
        return "is_null", _NULLS[operator]
    if operator == "between":
        if len(words) != 2:  # noqa: PLR2004 - from, to
            raise ValueError("write 'NAME between 1 and 5'")
        return operator, [value(word, operator) for word in words]
    if operator in _LISTS and (len(words) > 1 or operator in {"in", "not_in"}):
        return _LISTS[operator], [value(word, operator) for word in words]
    if len(words) > 1:
        raise ValueError("this operator takes one value; a value with a comma in it stands in quotes")
    return operator, value(words[0], operator)


def _of_dimension(word: Word, operator: str) -> Any:  # noqa: ANN401 - a value of a condition
    if word.quoted:
        return word.text
    if word.text == "NULL":
        return _nothing(operator)
    compares = operator in {"gt", "gte", "lt", "lte", "between"}
    return number(word.text) if compares and is_number(word.text) else word.text


def _of_column(word: Word, operator: str) -> Any:  # noqa: ANN401 - as above
    if word.text == "NULL" and not word.quoted:
        return _nothing(operator)
    digits, percent = word.text.removesuffix("%").rstrip(), word.text.endswith("%")
    if word.quoted or not is_number(digits):
        raise ValueError("a column is compared with a number, such as 100, 2.5 or 3%")
    return Decimal(digits) / 100 if percent else number(digits)


def _nothing(operator: str) -> None:
    if operator not in _LISTS and operator not in _LISTS.values():
        raise ValueError("a missing value is only equal or not equal: NAME=NULL, NAME!=NULL; the text stands in quotes")


def is_number(text: str) -> bool:
    """Say whether a text is a plain number, without exponent, separators or signs for infinity."""
    return _NUMBER.fullmatch(text) is not None


def number(text: str) -> int | Decimal:
    """Read a number exactly."""
    return int(text) if len(text) <= _LONG and re.fullmatch(r"[+-]?\d+", text) else Decimal(text)
