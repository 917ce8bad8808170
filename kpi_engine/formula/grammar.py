"""The language checked word by word, before parsing: what was written is named as it was written, and where.

A parser of SQL reads more than our language and reads some of it in surprising ways (`0x1F` as a name for 0, `'a' 'b'` as one text,
`x -> y` as a path into JSON). Here each such sign is refused by name. Whether the tree holds allowed nodes only is checked again
after parsing.
"""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import TYPE_CHECKING

from kpi_engine.formula import calls, functions
from kpi_engine.formula.mistakes import Mistake
from kpi_engine.formula.words import CLOSING, OPENING, VALUES

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from kpi_engine.formula.mistakes import Kind
    from kpi_engine.formula.words import Word

_NUMBER = re.compile(r"(?:[0-9][0-9_]*\.?[0-9_]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_TEXT_KINDS = frozenset(
    {"NATIONAL_STRING", "BYTE_STRING", "HEREDOC_STRING", "RAW_STRING", "UNICODE_STRING", "HEX_STRING", "BIT_STRING"}
)
_WRITTEN_ONE_WAY = _TEXT_KINDS | {"STRING", "NUMBER"}
_PARAMETER = "a parameter is written with a colon: `:name`"
_LIKE = "use contains(x, y), starts_with(x, y) or ends_with(x, y)"
_NO_LISTS = "there are no lists, JSON paths or functions of one's own: take such columns apart in the source"
_SIGNS = MappingProxyType({
    "{": _PARAMETER, "}": "", "[": "a list of values stands after `in`: `channel in ('email', 'direct')`", "]": "",
    "$": _PARAMETER, "?": _PARAMETER, "@": _PARAMETER, "#": "", "\\": "", "`": 'a name is quoted with double quotes: "my column"',
    ";": "leave it out: one expression or query stands here, and nothing after it", "->": _NO_LISTS, "->>": _NO_LISTS, "=>": _NO_LISTS, ":=": "write `=`", "==": "write `=`", "<=>": "write `is not distinct from`",
    "!": "write `not`", "&": "write `and`", "&&": "write `and`", "|": "write `or`", "~": _LIKE, "~*": _LIKE, "~~": _LIKE,
    "~~~": _LIKE, "^@": "use starts_with(x, y)", "@>": "", "<@": "", "??": "", "::?": "", "..": "",
})  # fmt: skip
"""Signs that stand nowhere in the language, and what to write instead."""
_PAIRED = MappingProxyType({"]": "[", "}": "{", "`": "`"})
"""Signs that are not named again once the one they belong to was."""
_FORMULA_SIGNS = MappingProxyType({
    "%": "for 3 percent write 0.03; for the rest of a division `x - y * floor(x / y)`", "//": "use floor(x / y)",
    "||": "build texts in a dataset with `sql:`", "**": "write `power(x, y)`", "^": "write `power(x, y)`", "::": "write `cast(x as type)`",
})  # fmt: skip
"""Signs that stand only in the query of a dataset, or nowhere."""
_ALL_SIGNS = MappingProxyType({**_SIGNS, **_FORMULA_SIGNS})
_REFUSED = frozenset(_ALL_SIGNS)
_PLAIN_TEXT = (
    "a text has no letter or sign before its quotes",
    "write it in single quotes alone; a quote inside is doubled: 'it''s'",
)
_SUBQUERY = (
    "subquery",
    "a query cannot stand inside a formula or condition",
    "make it a dataset with `sql:`, and an input of it",
)
_FROM = (
    "subquery",
    "`from` stands here, and a formula or condition names no table",
    "leave it out with all that follows it: `inputs:` says what a KPI reads",
)
_WINDOW = (
    "window_function",
    "a window (`over`) cannot stand in a formula",
    "compare with `offset`, or accumulate with `all_time`",
)
_SORTED = (
    "not_allowed",
    "`{}` stands only in the query of a dataset",
    "a report orders and limits its rows when it is asked for",
)
_WORDS = MappingProxyType({
    **dict.fromkeys(("select", "exists", "union", "except", "intersect", "with", "values"), _SUBQUERY),
    "over": _WINDOW,
    **dict.fromkeys(("like", "ilike", "similar to", "glob", "rlike", "regexp"), ("like", "`{}` is not part of the language", _LIKE)),
    **dict.fromkeys(("order by", "group by", "having", "limit", "within"), _SORTED),
    "at": ("not_allowed", "`at time zone` stands only in the query of a dataset", "declare `columns: {x: {zone: Europe/Paris}}`"),
    "interval": ("not_allowed", "`interval` stands only in the query of a dataset", "use `offset`, or date_diff('hour', x, y)"),
    "collate": ("not_allowed", "`collate` is not part of the language", "compare lower(x)"),
    **dict.fromkeys(("div", "mod", "xor"), ("operator", "`{}` is not part of the language", "use floor(x / y), and `<>` for either-or")),
    **dict.fromkeys(("any", "some", "all"), ("not_allowed", "`{}` is not part of the language", "list the values: `x in ('a', 'b')`")),
})  # fmt: skip
"""Words that begin or join something the language has not; those of `_INFIX_ONLY` only where a value could not stand."""
_FOREIGN = frozenset({*_WORDS, "from"})
_INFIX_ONLY = frozenset({
    "over", "like", "ilike", "similar to", "glob", "rlike", "regexp", "at", "collate", "div", "mod", "xor", "within", "values",
    "limit", "union", "except", "intersect",
})  # fmt: skip
"""Of these words those that are names where a value is expected: a column may be called `at`."""
_CALLED_ONLY = frozenset({"exists", "any", "some", "all"})

_INFIX = frozenset({"+", "-", "*", "/", "=", "<>", "!=", "<", "<=", ">", ">=", "and", "or", ","})
_PREFIX = frozenset({"+", "-", "not"})
_AWAITING = frozenset({"not", "when", "then", "else", "between"})
"""Words that a value follows."""
_ENDING = frozenset({"then", "else", "end"})
"""Words that no value begins with."""
_OPEN, _CLOSED = _INFIX | _AWAITING, (_INFIX - _PREFIX) | _ENDING
"""Words after which a value may be missing, and words before which one may be."""
_PARSABLE = frozenset({"unknown_function", "bad_arguments", "aggregate_in_condition", "bad_distinct"})


def mistakes(found: Sequence[Word], text: str, kind: Kind) -> tuple[Mistake, ...]:
    """Find everything that the words alone show to be no part of the language."""
    return tuple(_without_moot(_all(found, text, kind), found, text))


def _all(found: Sequence[Word], text: str, kind: Kind) -> tuple[Mistake, ...]:
    templates = _templates(found, text) if "{" in text else ()
    parameters = _parameters(found, kind) if ":" in text else ()
    kinds, written = {word.kind for word in found}, {word.low for word in found}
    texts = _texts(found) if not kinds.isdisjoint(_WRITTEN_ONE_WAY) else ()
    unknown = _signs(found, kind) if "UNKNOWN" in kinds or not written.isdisjoint(_REFUSED) else ()
    signs = (*templates, *texts, *unknown, *parameters)
    if kind == "query":
        return tuple(_beginning(found)) or (*signs, *(() if signs else _brackets(found)), *calls.mistakes(found, kind))
    asks_clock = any(kind.startswith("CURRENT_") for kind in kinds)
    foreign = (*signs, *(_words(found) if asks_clock or not written.isdisjoint(_FOREIGN) else ()))
    order = sorted((*_order(found), *_brackets(found)), key=lambda mistake: mistake.offset)[:1]
    return (*foreign, *(() if foreign else order), *calls.mistakes(found, kind))


def _without_moot(said: Sequence[Mistake], found: Sequence[Word], text: str) -> Iterator[Mistake]:
    """Leave out what stands inside something that has to go as a whole: a query, a template, a second statement."""
    moot = [(mistake.offset, _end_of_whole(mistake, found, text)) for mistake in said]
    for mistake in said:
        if not any(start < mistake.offset < end for start, end in moot):
            yield mistake


def _end_of_whole(mistake: Mistake, found: Sequence[Word], text: str) -> int:
    """Give the end of what goes with a mistake; its own beginning where that is nothing."""
    if mistake.code == "template":
        closing = {"{{": "}}", "{%": "%}", "{#": "#}"}[text[mistake.offset : mistake.offset + 2]]
        end = text.find(closing, mistake.offset)
        return len(text) if end < 0 else end + 2
    if mistake.code == "operator" and text[mistake.offset] == ";":
        return len(text)
    if mistake.code != "subquery":
        return mistake.offset
    depth = 0
    for word in found:
        if word.start > mistake.offset:
            depth += (word.text in OPENING) - (word.text in CLOSING)
            if depth < 0:
                return word.start
    return len(text)


def is_structural(mistake: Mistake) -> bool:
    """Whether a text with this mistake cannot be parsed, or would be parsed as something else than was meant."""
    return mistake.code not in _PARSABLE


def _beginning(found: Sequence[Word]) -> Iterator[Mistake]:
    if found[0].low not in {"select", "with", "from", "("}:
        yield found[0].mistake(
            "not_a_query", "a dataset's `sql` is one `select`, and nothing else", "begin with `select`"
        )


def _templates(found: Sequence[Word], text: str) -> Iterator[Mistake]:
    """Definitions hold no templates: parameters are typed values, text is never pasted."""
    ends = [0, *(word.end for word in found)]
    gaps = zip(ends, [*(word.start for word in found), len(text)], strict=True)
    starts = [text.index("{#", before) for before, after in gaps if "{#" in text[before:after]]
    starts += [word.start for word in _outermost(found, ("{{", "{%"))]
    for start in starts:
        message = f"`{text[start : start + 2]}` begins a template, and definitions hold none"
        yield Mistake("template", message, start, 2, "write a parameter as `:name`")


def _outermost(found: Sequence[Word], signs: tuple[str, ...]) -> Iterator[Word]:
    before = ""
    for word, following in zip(found, [*found[1:], None], strict=True):
        pair = word.text + (following.text if following and following.start == word.end else "")
        if pair.startswith(signs) and before not in {"{", "{%"}:
            yield word
        before = word.text


def _texts(found: Sequence[Word]) -> Iterator[Mistake]:
    """A text is written one way, in plain single quotes, and a number one way, in decimal digits."""
    for before, word in zip([None, *found], found, strict=False):
        touches = before is not None and before.end == word.start
        if word.kind in _TEXT_KINDS:
            yield word.mistake("bad_text", *_PLAIN_TEXT)
        elif before is None:
            continue
        elif word.kind == "STRING" and touches and before.is_word:
            yield before.mistake("bad_text", *_PLAIN_TEXT, until=word)
        elif word.kind == before.kind == "STRING":
            yield before.mistake(
                "syntax", "two texts stand side by side", "put an operator or a comma between them", word
            )
        elif before.kind == "NUMBER" and touches and (word.is_word or word.text[0] in "._0123456789"):
            yield _bad_number(before, word)
    for word in found:
        if word.kind == "NUMBER" and not _NUMBER.fullmatch(word.text):
            yield word.mistake("bad_number", f"`{word.text}` is not a number", "for example 12, 0.5 or 1e6")


def _bad_number(before: Word, word: Word) -> Mistake:
    written = before.text + word.text
    hint = "put an operator between the number and the name"
    if re.fullmatch(r"0x[0-9a-f]{1,12}", written.lower()):
        hint = f"write it in decimal digits: {int(written, 16)}"
    return before.mistake("bad_number", f"`{written}` is not a number", hint, word)


def _signs(found: Sequence[Word], kind: Kind) -> Iterator[Mistake]:
    refused = _SIGNS if kind == "query" else _ALL_SIGNS
    said: set[str] = set()
    for position, word in enumerate(found):
        if word.text in {"{", "{%", "%}", "}"} and _is_template(found, position):
            continue
        if (word.text == ";" and kind == "query" and position == len(found) - 1) or _PAIRED.get(word.text, "") in said:
            continue
        if word.text in refused or (word.kind == "UNKNOWN" and not word.is_word):
            said.add(word.text)
            shown = "a backtick" if word.text == "`" else f"`{word.text}`"
            yield word.mistake("operator", f"{shown} is not part of the language", refused.get(word.text, ""))


def _is_template(found: Sequence[Word], position: int) -> bool:
    word = found[position]
    if word.text in {"{%", "%}"}:
        return True
    beside = [found[i] for i in (position - 1, position + 1) if 0 <= i < len(found)]
    return any(other.text == word.text and abs(other.start - word.start) == 1 for other in beside)


def _parameters(found: Sequence[Word], kind: Kind) -> Iterator[Mistake]:
    for before, word, following in zip([None, *found], found, [*found[1:], None], strict=False):
        if word.text != ":":
            continue
        if _ends_value(before):
            yield word.mistake("operator", "`:` stands only before the name of a parameter", "write it as `:name`")
        elif following is None or not following.is_word or following.start != word.end:
            yield word.mistake("bad_parameter", "a parameter is written as `:name`", "no blank stands between them")
        elif kind == "query":
            message = f"`:{following.text}` is a parameter, and the query of a dataset takes none"
            hint = "put the condition into `where` of the input, which does"
            yield word.mistake("parameter_in_query", message, hint, following)


def _words(found: Sequence[Word]) -> Iterator[Mistake]:
    for before, word, after in zip([None, *found], found, [*found[1:], None], strict=False):
        if word.low == "from" and (before is None or before.low != "distinct"):
            yield word.mistake(*(_FROM if _ends_value(before) else _SUBQUERY))
            return
        if word.kind.startswith("CURRENT_"):
            hint = functions.MEANT["current_date"]
            yield word.mistake("unknown_function", f"`{word.low}` is not a function of this language", hint)
        if word.low not in _WORDS or word.kind == "IDENTIFIER" or (before is not None and before.text in {".", ":"}):
            continue
        if word.low in _INFIX_ONLY and not _ends_value(before) and not (before is not None and before.low == "not"):
            continue
        if word.low in _CALLED_ONLY and (after is None or after.text != "("):
            continue
        if word.low == "interval" and (after is None or (after.text != "(" and after.kind not in {"NUMBER", "STRING"})):
            continue
        code, message, hint = _WORDS[word.low]
        yield word.mistake(code, message.format(word.low), hint)
        if code == "subquery":
            return


def _brackets(found: Sequence[Word]) -> Iterator[Mistake]:
    """Every bracket is closed, and closes one."""
    open_: list[Word] = []
    for word in found:
        if word.text in OPENING:
            open_.append(word)
        elif word.text in CLOSING:
            if not open_:
                yield word.mistake("syntax", "this bracket closes nothing", "remove it, or open it before")
                return
            open_.pop()
    if open_:
        yield open_[-1].mistake("syntax", "this bracket is not closed", "close it with `)`")


def _ends_value(word: Word | None) -> bool:
    """Whether a value is complete with this word, so that an operator must follow."""
    return word is not None and (
        (word.kind in VALUES and word.low not in _INFIX) or word.text == ")" or word.low == "end"
    )


def _order(found: Sequence[Word]) -> Iterator[Mistake]:
    """Between two values stands an operator, and an operator has a value on both sides."""
    depth = 0
    for position in range(len(found) + 1):
        before = found[position - 1] if position else None
        word = found[position] if position < len(found) else None
        if word is not None and word.text == "," and depth == 0 and before is not None:
            yield word.mistake(
                "syntax", "a comma stands between the values of a function only", "a formula gives one value"
            )
        if word is not None and before is not None and _begins_value(word) and _ends_value(before):
            yield _missing_operator(before, word)
        elif _lacks_value(found, position, before, word):
            yield _missing_value(before, word)
        depth += (word is not None and word.text in OPENING) - (word is not None and word.text in CLOSING)


def _lacks_value(found: Sequence[Word], position: int, before: Word | None, word: Word | None) -> bool:
    """Whether an operator, or the beginning, is followed by nothing that a value could be."""
    at_start = before is None or before.text == "("
    if (not at_start and before is not None and before.low not in _OPEN) or _is_star(found, position - 1):
        return False
    if word is None or word.text in CLOSING:
        return not at_start
    return word.low in _CLOSED and not _is_star(found, position) and not (at_start and word.low in _ENDING)


def _is_star(found: Sequence[Word], position: int) -> bool:
    """Whether a `*` stands for all columns, as in `count(*)`."""
    return (
        0 <= position < len(found)
        and found[position].text == "*"
        and (position == 0 or found[position - 1].low in {"(", ",", ".", "distinct"})
    )


def _begins_value(word: Word) -> bool:
    return word.kind in VALUES and not (word.kind == "VAR" and word.low in _WORDS)


def _missing_operator(before: Word, word: Word) -> Mistake:
    message = f"`{word.text}` stands right after `{before.text}`"
    hint = "put an operator or a comma between them"
    if before.kind == "VAR" and word.kind == "VAR":
        hint += '; a name with a blank in it is written in double quotes: "my column"'
    return word.mistake("syntax", message, hint)


def _missing_value(before: Word | None, word: Word | None) -> Mistake:
    at_start = before is None or before.text == "("
    shown = (word or before) if at_start else before
    assert shown is not None  # noqa: S101 - a text has words
    message = f"{'before' if at_start else 'after'} `{shown.text}` a value is missing"
    return shown.mistake("syntax", message, "complete it, or remove it")
