"""The gate: text of a definition goes in, a syntax tree of allowed nodes comes out, or every mistake with its place in the text.

    words        the text is cut into words and signs, within bounds
    grammar      each word and sign is one of the language's
    parsing      sqlglot reads a tree
    objections   the tree holds allowed nodes only, in allowed shapes
    queries      what else holds of the query of a dataset

SQL is generated from the tree, never from the author's text.
"""

from __future__ import annotations

import math
import re
from functools import cache, lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING, TypeGuard

from sqlglot import exp
from sqlglot.errors import SqlglotError

from kpi_engine.formula import functions, grammar, queries, shapes
from kpi_engine.formula.mistakes import Kind, Mistake, Refused
from kpi_engine.formula.positions import annotate, span
from kpi_engine.formula.trees import dialect, sql
from kpi_engine.formula.words import Word, tokens, words

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from sqlglot.tokenizer_core import Token

__all__ = ["Kind", "Mistake", "Refused", "read", "span"]

MAX_NESTING = 100
"""How many steps of a tree may stand inside one another; a sum of a hundred terms is a hundred steps."""
_STRUCTURE = frozenset(
    {
        "and",
        "or",
        "not",
        "is",
        "in",
        "case",
        "when",
        "then",
        "else",
        "end",
        "between",
        "filter",
        "where",
        "distinct",
        "from",
    }
)
_NO_PATTERN = "use contains, starts_with, ends_with or regexp_matches(x, pattern)"
_CLAUSES = MappingProxyType({
    "Offset": "offset", "TableSample": "sample", "Lock": "for update", "Lateral": "lateral", "Pivot": "pivot", "Escape": "escape",
    "SimilarTo": "similar to", "Glob": "glob",
})  # fmt: skip
"""Parts of a query that are named by what they are, because what is known of their place is one of their values."""
_INSTEAD = MappingProxyType({
    "offset": "number the rows with row_number() and keep some with `qualify`",
    "sample": "the same question must give the same answer",
    "for update": "a query only reads",
    "lateral": "join a query in brackets `on` what it shares with the others",
    "pivot": "write one `sum(x) filter (where …)` for each column",
    **dict.fromkeys(("escape", "similar to", "glob"), _NO_PATTERN),
})  # fmt: skip
"""What to write instead of them."""
_SPLIT = "split it into several KPIs"
_CASTS = (exp.Cast, exp.TryCast)


def read(text: str, kind: Kind = "formula") -> exp.Expr:
    """Read a formula, a condition or a dataset's query into a tree of allowed nodes; raise `Refused` with every mistake.

    The tree is shared by all who read the same text: copy it before changing it.
    """
    return _read(text, kind)


@lru_cache(maxsize=1024)
def _read(text: str, kind: Kind) -> exp.Expr:
    read = tokens(text)
    found = words(text, read)
    mistakes = grammar.mistakes(found, text, kind)
    if any(grammar.is_structural(mistake) for mistake in mistakes):
        raise Refused(*_in_order(mistakes))
    try:
        tree = _parsed(read, text, kind)
        nodes = _nodes(tree)
    except Refused as refused:
        raise Refused(*_in_order(mistakes or refused.mistakes)) from None
    except SqlglotError as error:
        raise Refused(*_in_order(mistakes or (_syntax_mistake(error, text, found),))) from None
    except RecursionError:
        raise Refused(Mistake("too_deep", "too many parts stand inside one another", hint=_SPLIT)) from None
    annotate(nodes, found)
    mistakes = (*mistakes, *_unsaid(_objections(nodes, kind, text, named=bool(mistakes)), mistakes))
    if mistakes:
        raise Refused(*_in_order(mistakes))
    _finish(nodes, kind)
    return tree


def _in_order(mistakes: Sequence[Mistake]) -> list[Mistake]:
    return sorted(dict.fromkeys(mistakes), key=lambda mistake: mistake.offset)


def _parsed(read: list[Token], text: str, kind: Kind) -> exp.Expr:
    parser = dialect().parser()
    if kind != "query":
        trees = parser.parse_into(exp.Condition, read, text)
        tree = trees[0] if len(trees) == 1 and trees[0] else exp.Block(expressions=trees)
        return _without_empty_names(tree) if ":" in text else tree
    trees = [tree for tree in parser.parse(read, text) if tree is not None]
    if len(trees) != 1 or not _is_select(trees[0]):
        raise Refused(
            Mistake(
                "not_a_query", "a dataset's `sql` is one `select`, and nothing else", 0, len(text.partition("\n")[0])
            )
        )
    return trees[0]


def _is_select(tree: exp.Expr | None) -> TypeGuard[exp.Query]:
    """Whether a statement selects, also in brackets; `values` alone does not."""
    inner = tree.unnest() if isinstance(tree, exp.Subquery) else tree
    return isinstance(inner, exp.Select | exp.SetOperation)


def _without_empty_names(tree: exp.Expr) -> exp.Expr:
    """The parser reads `(not :p is null)` as something with a name, and the name is empty."""
    for node in list(tree.find_all(exp.Alias)):
        if not node.args.get("alias"):
            tree = node.this if node is tree else tree
            node.replace(node.this)
    return tree


def _nodes(tree: exp.Expr) -> list[exp.Expr]:
    """Give the nodes of a tree in the order they are written, each before what stands in it; refuse one that is too deep."""
    found: list[exp.Expr] = []
    waiting = [(tree, 1)]
    while waiting:
        node, depth = waiting.pop()
        if depth > MAX_NESTING:
            raise Refused(
                Mistake("too_deep", f"more than {MAX_NESTING} steps build on one another", *span(node), hint=_SPLIT)
            )
        found.append(node)
        if not node.is_primitive:
            waiting += [(child, depth + 1) for child in node.iter_expressions(reverse=True)]
    return found


def _syntax_mistake(error: SqlglotError, text: str, found: Sequence[Word]) -> Mistake:
    details: Mapping[str, object] = (getattr(error, "errors", None) or [{}])[0]
    highlight = str(details.get("highlight") or "")
    offset = _offset(text, details.get("line"), details.get("col"), highlight)
    if opened := _unended_case(found):
        return Mistake(
            "syntax",
            "this `case` has no `end`",
            opened.start,
            len(opened.text),
            "write `case when … then … else … end`",
        )
    if between := _halved_between(found):
        return Mistake(
            "syntax", "this `between` has no `and`", between.start, len(between.text), "write `x between 1 and 5`"
        )
    if not highlight:
        return Mistake(
            "syntax", "this is not a complete expression", 0, len(text.rstrip()), "check brackets, commas and operators"
        )
    position = next((n for n, each in enumerate(found) if each.start <= offset < each.end), None)
    if position and found[position].text == ")" and _is_keyword(found[position - 1]):
        position -= 1
    word = (
        found[position]
        if position is not None
        else Word("", highlight, offset, offset + len(highlight), highlight.lower())
    )
    hint = "check brackets, commas and operators before it"
    if word.low == "as":
        hint = "nothing is named here: the id of the KPI is its name"
    elif _is_keyword(word):
        hint = f'it is a word of SQL; a column of that name is written in double quotes: "{word.text}"'
    return Mistake("syntax", f"`{word.text}` cannot stand here", word.start, len(word.text), hint)


def _is_keyword(word: Word) -> bool:
    return word.is_word and word.kind not in {"VAR", "NULL", "TRUE", "FALSE"} and word.low not in _STRUCTURE


def _halved_between(found: Sequence[Word]) -> Word | None:
    betweens = [word for word in found if word.low == "between"]
    return betweens[-1] if len(betweens) > sum(word.low == "and" for word in found) else None


def _unended_case(found: Sequence[Word]) -> Word | None:
    open_: list[Word] = []
    for word in found:
        if word.low == "case":
            open_.append(word)
        elif word.low == "end" and open_:
            open_.pop()
    return open_[-1] if open_ else None


def _offset(text: str, line: object, column: object, highlight: str) -> int:
    if not isinstance(line, int) or not isinstance(column, int):
        return 0
    before = sum(len(part) + 1 for part in text.split("\n")[: line - 1])
    return max(0, min(len(text) - 1, before + column - max(1, len(highlight))))


def _finish(nodes: Sequence[exp.Expr], kind: Kind) -> None:
    """Take out comments; quote the names of a query, as some are words of SQL to one version of DuckDB and not to another."""
    for node in nodes:
        node.comments = None
        if kind == "query" and isinstance(node, exp.Identifier) and node.name.lower() != "all":
            node.set("quoted", True)  # noqa: FBT003 - how sqlglot sets it


@cache
def _allowed(kind: Kind) -> frozenset[str]:
    names = {f.node for f in functions.SCALARS} | functions.SYNTAX_NODES
    if kind == "formula":
        names |= {f.node for f in functions.AGGREGATES}
    if kind == "query":
        names |= {f.node for f in (*functions.AGGREGATES, *functions.DATASET_FUNCTIONS)} | functions.DATASET_NODES
    return frozenset(names)


def _objections(nodes: Sequence[exp.Expr], kind: Kind, text: str, *, named: bool) -> Iterator[Mistake]:
    """Find the nodes that are not allowed; what stands in one is passed over, and so is a function that the words already named."""
    allowed, rules = _allowed(kind), shapes.rules() if kind != "query" else {}
    passed: set[int] = set()
    for node in nodes:
        if passed and id(node.parent) in passed:
            passed.add(id(node))
        elif not _is_allowed(node, kind, allowed):
            passed.add(id(node))
            if not (named and isinstance(node, exp.Func)):
                yield _not_allowed(node, text)
        elif (mistake := _unreadable_value(node)) is not None:
            yield mistake
        elif type(node) in rules:
            yield from shapes.objections(node)
    if kind == "query":
        yield from queries.objections(nodes[0], text)


def _is_allowed(node: exp.Expr, kind: Kind, allowed: frozenset[str]) -> bool:
    if type(node) is exp.Anonymous:
        return kind == "query" and str(node.this).lower() in {f.node for f in functions.DATASET_FUNCTIONS}
    return type(node).__name__ in allowed


def _unsaid(objections: Iterable[Mistake], said: Sequence[Mistake]) -> Iterator[Mistake]:
    """Leave out what lies where a mistake was named already."""
    for mistake in objections:
        if not any(mistake.offset < s.offset + s.length and s.offset < mistake.offset + mistake.length for s in said):
            yield mistake


def _unreadable_value(node: exp.Expr) -> Mistake | None:
    """Refuse numbers that are none, and types that a value cannot be cast to."""
    if isinstance(node, exp.Literal) and not node.is_string and not _is_finite(str(node.this)):
        hint = "write it with at most 40 digits, and below 1e308"
        return Mistake(
            "not_finite", f"`{str(node.this)[:20]}` is not a number that can be computed with", *span(node), hint
        )
    if isinstance(node, _CASTS) and str(node.to.this.value) not in {
        t for _, names, _ in functions.CAST_TYPES for t in names
    }:
        hint = "one of " + ", ".join(written for written, _, _ in functions.CAST_TYPES)
        return Mistake("unknown_type", f"a value cannot be cast to `{sql(node.to).lower()}`", *span(node), hint)
    return None


def _is_finite(text: str) -> bool:
    try:
        return len(text) <= 40 and math.isfinite(float(text))  # noqa: PLR2004
    except (ValueError, OverflowError):
        return False


def _not_allowed(node: exp.Expr, text: str) -> Mistake:
    offset, length = span(node)
    if isinstance(node, exp.Dot):
        hint = "give the column a dimension of its own in the dataset"
        return Mistake("path_too_long", "the path has too many parts", offset, length, hint)
    if isinstance(node, exp.Tuple):
        hint = "for example `channel in ('email', 'direct')`"
        return Mistake(
            "not_allowed", "several values in brackets, or none, stand only after `in`", offset, length, hint
        )
    name = type(node).__name__
    if name in _CLAUSES:
        word = _CLAUSES[name]
        return Mistake("not_allowed", f"`{word}` is not part of the language", offset, length, _INSTEAD[word])
    words_ = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).lower() if length == 1 else text[offset : offset + length]
    shown = words_ if len(words_) <= 40 else words_[:37] + "…"  # noqa: PLR2004
    return Mistake("not_allowed", f"`{shown}` is not part of the language", offset, length)
