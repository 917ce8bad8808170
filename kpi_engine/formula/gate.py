"""The gate: text of a definition goes in, a syntax tree of allowed nodes comes out, or every mistake with its place in the text.

SQL is generated from the tree, never from the author's text. The bounds are checked before parsing, on the tokens.
"""

from __future__ import annotations

import math
import re
import unicodedata
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Literal

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from kpi_engine.errors import nearest
from kpi_engine.formula import functions

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

MAX_LENGTH = 20_000
MAX_DEPTH = 30
MAX_TOKENS = 2_000
DIALECT = "duckdb"
_FORBIDDEN_CHARACTERS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
_QUOTED = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"")
_INTEGER_UNITS = frozenset({"SECOND", "MINUTE", "HOUR"})

Kind = Literal["formula", "condition", "query"]


@dataclass(frozen=True)
class Mistake:
    """One thing wrong with a text: `offset` and `length` say where in it."""

    code: str
    message: str
    offset: int = 0
    length: int = 1
    hint: str = ""


class Refused(ValueError):  # noqa: N818 - a verdict, caught by whoever knows the place of the text
    """A text that does not pass; `mistakes` says why, all of it."""

    def __init__(self, *mistakes: Mistake) -> None:
        super().__init__(mistakes[0].message)
        self.mistakes = mistakes


def read(text: str, kind: Kind = "formula") -> exp.Expr:
    """Read a formula, a condition or a dataset's query into a tree of allowed nodes; raise `Refused` with every mistake."""
    _bounds(text)
    tree = _parsed(text, kind)
    mistakes = tuple(_objections(tree, kind))
    if mistakes:
        raise Refused(*dict.fromkeys(mistakes))
    return _without_comments(tree)


def span(node: exp.Expr) -> tuple[int, int]:
    """Say where a node stands in the text it was read from, as offset and length, as well as it is known."""
    found = [
        (part.meta["start"], part.meta["end"]) for part in node.walk() if "start" in part.meta and "end" in part.meta
    ]
    if not found:
        return 0, 1
    start = min(begin for begin, _ in found)
    return start, max(end for _, end in found) - start + 1


def _bounds(text: str) -> None:
    if not text.strip():
        raise Refused(Mistake("empty_formula", "there is nothing here to compute", hint="write an expression such as `count(visits)`"))
    if len(text) > MAX_LENGTH:
        raise Refused(Mistake("formula_too_long", f"{len(text):,} characters, at most {MAX_LENGTH:,} are read"))
    if bad := _FORBIDDEN_CHARACTERS.search(text):
        raise Refused(
            Mistake("bad_character", f"the invisible character U+{ord(bad[0]):04X} stands here", bad.start(), 1, "delete it")
        )
    bare = _QUOTED.sub(lambda quoted: " " * len(quoted[0]), text)
    strange = next((i for i, c in enumerate(bare) if not _is_plain(c)), None)
    if strange is not None:
        message = f"the letter `{text[strange]}` (U+{ord(text[strange]):04X}) cannot stand in a name or function"
        raise Refused(Mistake("bad_character", message, strange, 1, "write it in Latin letters, or quote the name in double quotes"))
    _depth(bare)


def _is_plain(character: str) -> bool:
    return character.isascii() or unicodedata.name(character, "").startswith("LATIN ")


def _depth(bare: str) -> None:
    depth = 0
    for offset, character in enumerate(bare):
        depth += (character in "([{") - (character in ")]}")
        if depth > MAX_DEPTH:
            raise Refused(Mistake("too_deep", f"more than {MAX_DEPTH} brackets inside one another", offset, 1, "split it into several KPIs"))


def _parsed(text: str, kind: Kind) -> exp.Expr:
    try:
        tokens = sqlglot.tokenize(text, read=DIALECT)
        if len(tokens) > MAX_TOKENS:
            raise Refused(Mistake("formula_too_long", f"{len(tokens):,} words and signs, at most {MAX_TOKENS:,} are read"))
        if kind == "query":
            return _single_query(text)
        return sqlglot.parse_one(text, into=exp.Condition, read=DIALECT)
    except SqlglotError as error:
        raise Refused(_syntax_mistake(error, text)) from None
    except RecursionError:
        raise Refused(Mistake("too_deep", "too many parts inside one another", hint="split it into several KPIs")) from None


def _single_query(text: str) -> exp.Expr:
    trees = [tree for tree in sqlglot.parse(text, read=DIALECT) if tree is not None]
    if len(trees) != 1 or not isinstance(trees[0], exp.Query):
        raise Refused(Mistake("not_a_query", "a dataset's `sql` is one `select`, and nothing else"))
    return trees[0]


def _syntax_mistake(error: SqlglotError, text: str) -> Mistake:
    details: Mapping[str, object] = (getattr(error, "errors", None) or [{}])[0]
    highlight = str(details.get("highlight") or "")
    offset = _offset(text, details.get("line"), details.get("col"), highlight)
    description = str(details.get("description") or "").rstrip(".")
    if "Expecting )" in description:
        message = "a bracket is opened and not closed"
    elif highlight:
        message = f"`{highlight}` cannot stand here"
    else:
        message = "this is not a complete expression"
    hint = "a text is written in single quotes" if '"' in text or "Error tokenizing" in str(error) else "check brackets, commas and operators"
    return Mistake("syntax", message, offset, max(1, len(highlight)), hint)


def _offset(text: str, line: object, column: object, highlight: str) -> int:
    if not isinstance(line, int) or not isinstance(column, int):
        return 0
    before = sum(len(part) + 1 for part in text.split("\n")[: line - 1])
    return max(0, min(len(text) - 1, before + column - max(1, len(highlight))))


def _without_comments(tree: exp.Expr) -> exp.Expr:
    for node in tree.walk():
        node.comments = None
    return tree


@cache
def _allowed(kind: Kind) -> frozenset[str]:
    names = {f.node for f in functions.SCALARS} | functions.SYNTAX_NODES
    if kind == "formula":
        names |= {f.node for f in functions.AGGREGATES}
    if kind == "query":
        names |= {f.node for f in (*functions.AGGREGATES, *functions.DATASET_FUNCTIONS)} | functions.DATASET_NODES
    return frozenset(names)


def allowed_names(kind: Kind) -> tuple[str, ...]:
    """Name the functions that a text of this kind may use, for hints."""
    lists = {
        "formula": (functions.AGGREGATES, functions.SCALARS),
        "condition": (functions.SCALARS,),
        "query": (functions.AGGREGATES, functions.SCALARS, functions.DATASET_FUNCTIONS),
    }[kind]
    return tuple(sorted({function.name for group in lists for function in group}))


def _objections(tree: exp.Expr, kind: Kind) -> Iterator[Mistake]:
    for node in tree.walk():
        yield from _objection(node, kind)


def _objection(node: exp.Expr, kind: Kind) -> Iterator[Mistake]:
    name = type(node).__name__
    offset, length = span(node)
    if isinstance(node, exp.Anonymous):
        if str(node.this).lower() not in {f.node for f in functions.DATASET_FUNCTIONS if kind == "query"}:
            yield _unknown_function(str(node.this), kind, offset)
    elif name not in _allowed(kind):
        yield _not_allowed(node, kind, offset, length)
    elif isinstance(node, exp.Literal) and not node.is_string and not _finite(str(node.this)):
        yield Mistake("not_finite", f"`{str(node.this)[:20]}` is not a number that can be computed with", offset, length)
    elif isinstance(node, exp.Cast | exp.TryCast) and node.to.this.value not in functions.CAST_TYPES:
        hint = "one of " + ", ".join(sorted(t.lower() for t in functions.CAST_TYPES))
        yield Mistake("unknown_type", f"a value cannot be cast to `{node.to.sql(DIALECT).lower()}`", offset, length, hint)
    elif kind != "query":
        yield from _small_print(node, offset, length)


def _small_print(node: exp.Expr, offset: int, length: int) -> Iterator[Mistake]:
    if isinstance(node, exp.In) and not (node.expressions and all(_is_constant(item) for item in node.expressions)):
        yield Mistake("bad_in", "`in` takes a list of values in brackets", offset, length, "for example `channel in ('email', 'direct')`")
    elif isinstance(node, exp.DateDiff) and str(node.args.get("unit")).upper() not in _INTEGER_UNITS:
        hint = "a day is another number in every time zone: divide hours by 24"
        yield Mistake("bad_unit", "`date_diff` counts 'second', 'minute' or 'hour'", offset, length, hint)
    elif isinstance(node, exp.Star) and not isinstance(node.parent, exp.Count):
        yield Mistake("bad_star", "`*` stands only in `count(*)`", offset, length)
    elif isinstance(node, exp.Column) and isinstance(node.this, exp.Star):
        yield Mistake("bad_star", "`*` stands only in `count(*)`", offset, length)
    elif isinstance(node, exp.Var) and not isinstance(node.parent, exp.DateDiff):
        yield Mistake("syntax", f"`{node.name}` cannot stand here", offset, length)
    elif isinstance(node, exp.Placeholder) and not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", str(node.this or "")):
        yield Mistake("bad_parameter", "a parameter is written as `:name`", offset, length)


def _is_constant(node: exp.Expr) -> bool:
    inner = node.this if isinstance(node, exp.Neg | exp.Cast | exp.Paren) else node
    return isinstance(inner, exp.Literal | exp.Boolean | exp.Null | exp.Placeholder)


def _finite(text: str) -> bool:
    try:
        return len(text) <= 40 and math.isfinite(float(text))  # noqa: PLR2004
    except (ValueError, OverflowError):
        return False


def _unknown_function(name: str, kind: Kind, offset: int) -> Mistake:
    known = allowed_names(kind)
    return Mistake("unknown_function", f"`{name}` is not a function of this language", offset, len(name), nearest(name, known))


_WHY = {
    "Select": ("subquery", "a query cannot stand inside a formula or condition", "make it a dataset with `sql:`, and an input of it"),
    "Subquery": ("subquery", "a query cannot stand inside a formula or condition", "make it a dataset with `sql:`, and an input of it"),
    "Exists": ("subquery", "a query cannot stand inside a formula or condition", "make it a dataset with `sql:`, and an input of it"),
    "Window": ("window_function", "a window (`over`) cannot stand in a formula", "compare with `offset`, or accumulate with `all_time`"),
    "Like": ("like", "`like` is not part of the language", "use contains(x, y), starts_with(x, y) or ends_with(x, y)"),
    "ILike": ("like", "`ilike` is not part of the language", "use contains(lower(x), y), starts_with or ends_with"),
    "Mod": ("operator", "`%` is not part of the language: engines disagree on it", "for 3 percent write 0.03"),
    "IntDiv": ("operator", "`//` is not part of the language: engines disagree on it", "use floor(x / y)"),
    "DPipe": ("operator", "`||` is not part of the language", "build texts in a dataset with `sql:`"),
    "Dot": ("path_too_long", "the path has too many parts", "give the column a dimension of its own in the dataset"),
}


def _not_allowed(node: exp.Expr, kind: Kind, offset: int, length: int) -> Mistake:
    name = type(node).__name__
    if kind != "query" and name in _WHY:
        code, message, hint = _WHY[name]
        return Mistake(code, message, offset, length, hint)
    if kind == "condition" and name in {f.node for f in functions.AGGREGATES}:
        message = f"`{node.sql_name().lower() if isinstance(node, exp.Func) else name}` is an aggregate, and a condition looks at one row"
        return Mistake("aggregate_in_condition", message, offset, length, "put it into the formula")
    if isinstance(node, exp.Func):
        return _unknown_function(node.sql_name().lower(), kind, offset)
    words = node.sql(DIALECT, comments=False)
    shown = words if len(words) <= 40 else words[:37] + "…"  # noqa: PLR2004
    return Mistake("not_allowed", f"`{shown}` is not part of the language", offset, length)
